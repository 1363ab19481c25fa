//! A program in a pseudo-terminal, with the moment in which its screen first was as wanted.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::agent;

const COLUMNS: u16 = 200;
const ROWS: u16 = 50;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// With which the board ends each of its frames.
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// What a screen is to be, given its text.
type Condition = Box<dyn FnMut(&str) -> bool + Send>;

pub(crate) struct Terminal {
    shown: Arc<Mutex<Shown>>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    begun: Instant,
    // The terminal is there as long as this is.
    _master: Box<dyn MasterPty + Send>,
}

struct Shown {
    parser: vt100::Parser,
    /// When the newest bytes came.
    at: Instant,
    frames: u64,
    wanted: Option<(Condition, Sender<Instant>)>,
    /// The lines of an agent that were the newest on the screen: the number, and how long after it was written it was there.
    lines: Vec<(u64, Duration)>,
}

impl Shown {
    fn look(&mut self) {
        let screen = self.parser.screen().contents();
        if let Some((number, micros)) = newest_line(&screen)
            && self.lines.last().is_none_or(|(known, _)| number > *known)
        {
            let age = agent::micros(SystemTime::now()).saturating_sub(micros);
            self.lines.push((number, Duration::from_micros(age).saturating_sub(self.at.elapsed())));
        }
        let Some((mut is_so, tell)) = self.wanted.take() else { return };
        if is_so(&screen) {
            // Whoever asked waits for it.
            let _ = tell.send(self.at);
        } else {
            self.wanted = Some((is_so, tell));
        }
    }
}

fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    /// Starts a program in a folder, with nothing but this environment.
    pub(crate) fn start(program: &Path, args: &[&str], folder: &Path, environment: &[(String, String)]) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder);
        command.env_clear();
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let mut source = pair.master.try_clone_reader().expect("its end");
        let writer = pair.master.take_writer().expect("its end");
        let (rows, columns) = (ROWS.try_into().expect("not 0"), COLUMNS.try_into().expect("not 0"));
        let parser = vt100::Parser::new(rows, columns, 0);
        let shown =
            Arc::new(Mutex::new(Shown { parser, at: Instant::now(), frames: 0, wanted: None, lines: Vec::new() }));
        let follow = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 256 * 1024];
            while let Ok(read @ 1..) = source.read(&mut buffer) {
                let mut shown = lock(&follow);
                shown.at = Instant::now();
                shown.frames += frames(&buffer[..read]);
                shown.parser.process(&buffer[..read]);
                shown.look();
            }
        });
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).expect("it starts");
        Self { shown, writer, child, begun, _master: pair.master }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }

    /// Returns when it was started.
    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Returns how many frames came so far.
    pub(crate) fn frames(&self) -> u64 {
        lock(&self.shown).frames
    }

    /// Returns how long after it was written each line of an agent was seen as the newest one, with its number.
    pub(crate) fn lines(&self) -> Vec<(u64, Duration)> {
        lock(&self.shown).lines.clone()
    }

    /// Waits until the screen is so, and returns when that came.
    pub(crate) fn until(&self, what: &str, is_so: impl FnMut(&str) -> bool + Send + 'static) -> Instant {
        let (tell, told) = mpsc::channel();
        let mut shown = lock(&self.shown);
        shown.wanted = Some((Box::new(is_so), tell));
        shown.look();
        drop(shown);
        told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("{what} does not come\n{}", lock(&self.shown).parser.screen().contents());
        })
    }

    /// Presses a key and returns how long it took until the screen was so, which it must not be before.
    pub(crate) fn press(&mut self, key: &[u8], is_so: impl FnMut(&str) -> bool + Send + 'static) -> Duration {
        let (tell, told) = mpsc::channel();
        lock(&self.shown).wanted = Some((Box::new(is_so), tell));
        let pressed = Instant::now();
        self.writer.write_all(key).and_then(|()| self.writer.flush()).expect("it can be typed");
        let seen = told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("the key is not heard\n{}", lock(&self.shown).parser.screen().contents());
        });
        seen - pressed
    }

    /// Presses the key with which the board is left, and waits for its end.
    pub(crate) fn leave(mut self) {
        self.writer.write_all(b"q").and_then(|()| self.writer.flush()).expect("it can be typed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns the number of the last line of an agent with a clock on the screen, and when it was written.
fn newest_line(screen: &str) -> Option<(u64, u64)> {
    let words = screen.rsplit_once(" L0").map(|(_, last)| last)?;
    let mut words = words.split(' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn frames(bytes: &[u8]) -> u64 {
    bytes.windows(FRAME_END.len()).filter(|window| *window == FRAME_END).count() as u64
}
