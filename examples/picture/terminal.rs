//! A terminal with a program in it, whose screen can be waited for.

use std::io::{Read, Write as _};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use vt100::{Parser, Screen};

use crate::Result;

/// A terminal with a program in it.
pub(crate) struct Terminal {
    shared: Arc<(Mutex<Parser>, Condvar)>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    /// Starts a program in a terminal of so many columns and rows.
    pub(crate) fn start((columns, rows): (u16, u16), command: CommandBuilder) -> Result<Self> {
        let pair = native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })?;
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let cells = |n| NonZeroU16::new(n).ok_or("a terminal has cells");
        let shared = Arc::new((Mutex::new(Parser::new(cells(rows)?, cells(columns)?, 0)), Condvar::new()));
        let (mut output, seen) = (pair.master.try_clone_reader()?, Arc::clone(&shared));
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                seen.0.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
                seen.1.notify_all();
            }
        });
        Ok(Self { shared, keys: pair.master.take_writer()?, child, _master: pair.master })
    }

    /// Presses keys, then waits until the screen shows a text.
    pub(crate) fn press(&mut self, keys: &str, then: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        self.until(then)
    }

    /// Presses keys, then waits until the screen does not show a text any more.
    pub(crate) fn close(&mut self, keys: &str, gone: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        self.wait(&format!("the end of \"{gone}\""), |screen| !screen.contains(gone))
    }

    /// Waits until the screen shows a text.
    pub(crate) fn until(&self, text: &str) -> Result<()> {
        self.wait(&format!("\"{text}\""), |screen| screen.contains(text))
    }

    fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let (parser, changed) = &*self.shared;
        let mut parser = parser.lock().unwrap_or_else(PoisonError::into_inner);
        while !holds(&parser.screen().contents()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{what} did not come:\n{}", parser.screen().contents()).into());
            }
            parser = changed.wait_timeout(parser, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Makes something of the screen as it is.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).screen())
    }

    /// Presses the last keys and waits for the program's end.
    pub(crate) fn leave(mut self, keys: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        self.child.wait()?;
        Ok(())
    }
}
