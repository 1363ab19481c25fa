//! A program in a real pseudo-terminal, and its screen as a person would see it.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;

use super::process::signal_pid;
use super::wait::{PATIENCE, wait_for};

mod answers;
mod keys;

use answers::Answers;

/// The size of a terminal, in cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

impl Size {
    /// Returns the size that is written `columns`×`rows`.
    pub(crate) const fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows }
    }

    fn cells(self) -> (NonZeroU16, NonZeroU16) {
        let cells = |n| NonZeroU16::new(n).expect("a terminal has at least one cell");
        (cells(self.rows), cells(self.columns))
    }

    fn pty(self) -> PtySize {
        PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 }
    }
}

/// A terminal with a program in it. Dropping it closes the terminal and kills the program.
pub(crate) struct Pty {
    shared: Arc<Shared>,
    child: Box<dyn Child + Send + Sync>,
    /// Nothing once the terminal was taken away.
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Arc<Mutex<Typing>>,
    reader: Option<JoinHandle<()>>,
    /// How the terminal was set before the program came.
    before: String,
}

/// Where keys go in; nothing once the terminal was taken away.
type Typing = Option<Box<dyn Write + Send>>;

/// Returns what the terminal driver is set to, such as echo and whole lines. The type is of a crate that we do not name.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

/// What the reader and the test share.
struct Shared {
    terminal: Mutex<Terminal>,
    changed: Condvar,
}

struct Terminal {
    parser: vt100::Parser<Answers>,
    bytes: Vec<u8>,
    closed: bool,
    /// The reader is to let go of the terminal.
    leaving: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Terminal> {
        self.terminal.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Pty {
    #[track_caller]
    pub(super) fn start(
        size: Size,
        program: &OsStr,
        args: &[&str],
        folder: &Path,
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        let pair = native_pty_system().openpty(size.pty()).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
        }
        let before = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        // Our own end of the slave would keep the terminal open for ever.
        drop(pair.slave);
        let (rows, columns) = size.cells();
        let parser = vt100::Parser::new_with_callbacks(rows, columns, 0, Answers::default());
        let terminal = Mutex::new(Terminal { parser, bytes: Vec::new(), closed: false, leaving: false });
        let shared = Arc::new(Shared { terminal, changed: Condvar::new() });
        let writer = Arc::new(Mutex::new(Some(pair.master.take_writer().unwrap())));
        let source = pair.master.try_clone_reader().unwrap();
        let reader = std::thread::spawn({
            let (shared, writer) = (Arc::clone(&shared), Arc::clone(&writer));
            move || follow(source, &shared, &writer)
        });
        Self { shared, child, master: Some(pair.master), writer, reader: Some(reader), before }
    }

    /// Returns the text of the screen, without blanks at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        self.shared.lock().parser.screen().contents()
    }

    /// Returns every byte that came so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared.lock().bytes.clone()
    }

    /// Returns what the program did to the terminal beyond drawing, such as its title, its clipboard, its palette or a bell.
    pub(crate) fn deeds(&self) -> Vec<String> {
        self.shared.lock().parser.callbacks().deeds.clone()
    }

    /// Returns the window's newest title.
    pub(crate) fn title(&self) -> String {
        self.shared.lock().parser.callbacks().title.clone()
    }

    /// Returns the program's process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.process_id().and_then(|pid| i32::try_from(pid).ok()).expect("it was started")
    }

    /// Waits until the screen is as wanted, and fails with the screen.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut(&str) -> bool) {
        self.until_terminal(what, |terminal| holds(&terminal.parser.screen().contents()));
    }

    /// Waits until the screen shows that text.
    #[track_caller]
    pub(crate) fn until_shows(&self, text: &str) {
        self.until(&format!("the screen shows `{text}`"), |screen| screen.contains(text));
    }

    #[track_caller]
    fn until_terminal(&self, what: &str, mut holds: impl FnMut(&Terminal) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut terminal = self.shared.lock();
        while !holds(&terminal) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || terminal.closed {
                let why = if terminal.closed { "the terminal was closed before" } else { "waited in vain until" };
                let picture = picture(&terminal);
                drop(terminal);
                panic!("{why} {what}\n{picture}");
            }
            terminal = match self.shared.changed.wait_timeout(terminal, left) {
                Ok((terminal, _)) => terminal,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Presses keys: letters as they are, others as `<enter>`, `<c-r>`, `<a-x>`, `<f1>`, `<lt>` and so on.
    ///
    /// An escape must come last: terminals say Alt and a key by an escape before it, so wait for the screen first.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &str) {
        self.send(&keys::bytes(keys));
    }

    /// Pastes text as terminals do: in brackets when the program asked for that.
    #[track_caller]
    pub(crate) fn paste(&self, text: &str) {
        let bracketed = self.shared.lock().parser.screen().bracketed_paste();
        let pasted = if bracketed { format!("\x1b[200~{text}\x1b[201~") } else { text.to_owned() };
        self.send(pasted.as_bytes());
    }

    /// Sends bytes as if they were typed.
    #[track_caller]
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut writer = self.writer.lock().unwrap();
        let writer = writer.as_mut().expect("the terminal is there");
        if let Err(error) = writer.write_all(bytes).and_then(|()| writer.flush()) {
            panic!("cannot type into the terminal: {error}\n{}", picture(&self.shared.lock()));
        }
    }

    /// Changes the size of the window.
    #[track_caller]
    pub(crate) fn resize(&self, size: Size) {
        let (rows, columns) = size.cells();
        self.shared.lock().parser.set_size(rows, columns);
        self.master().resize(size.pty()).unwrap();
    }

    fn master(&self) -> &dyn MasterPty {
        &**self.master.as_ref().expect("the terminal is there")
    }

    /// Takes the terminal away, as when its window is closed, while the program draws. It must draw something again, since
    /// that is when the reader lets go of the terminal.
    #[track_caller]
    pub(crate) fn hang_up(&mut self) {
        self.shared.lock().leaving = true;
        self.reader.take().expect("it was not taken away before").join().unwrap();
        self.writer.lock().unwrap().take();
        self.master.take();
    }

    /// Sends the program, and only it, a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        signal_pid(self.pid(), signal);
    }

    /// Kills the program with the signal that it cannot see, and waits until it is gone.
    pub(crate) fn kill_9(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Waits until the program ended and all that it wrote was read.
    ///
    /// The terminal closes only when nobody holds it any more, so this also shows that nothing left behind does.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        let Some(status) = wait_for(|| self.child.try_wait().unwrap()) else {
            panic!("waited in vain until the program ends\n{}", picture(&self.shared.lock()));
        };
        if wait_for(|| self.shared.lock().closed.then_some(())).is_none() {
            panic!("the program ended, but another process still holds its terminal");
        }
        status
    }

    /// Waits until the program ended, whose terminal was taken away.
    #[track_caller]
    pub(crate) fn wait_end(&mut self) {
        assert!(wait_for(|| self.child.try_wait().unwrap()).is_some(), "waited in vain until the program ends");
    }

    /// Demands that the terminal is as a shell expects it: main screen, visible cursor, plain input, nothing grabbed.
    #[track_caller]
    pub(crate) fn assert_restored(&self) {
        let terminal = self.shared.lock();
        let screen = terminal.parser.screen();
        let answers = terminal.parser.callbacks();
        let wrong: Vec<&str> = [
            (screen.alternate_screen(), "the alternate screen is still shown"),
            (screen.hide_cursor(), "the cursor is still hidden"),
            (screen.bracketed_paste(), "bracketed paste is still on"),
            (screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "the mouse is still grabbed"),
            (screen.application_cursor(), "the arrow keys are still in application mode"),
            (answers.focus_events, "focus is still reported"),
            (answers.keyboard_levels > 0, "the enhanced keyboard is still on"),
            (answers.synchronized, "an update was begun and not ended"),
            (modes(self.master()) != self.before, "echo or line mode differs from before"),
        ]
        .into_iter()
        .filter_map(|(is_wrong, what)| is_wrong.then_some(what))
        .collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{}", picture(&terminal));
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Both fail when it ended already, which is as well. The reader is not waited for: another process may hold the
        // terminal, and the world ends that one later.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if self.shared.lock().closed
            && let Some(reader) = self.reader.take()
        {
            let _ = reader.join();
        }
    }
}

/// Feeds what the program prints to the terminal, until nobody holds its end; Linux says that with EIO.
fn follow(mut source: Box<dyn Read + Send>, shared: &Shared, writer: &Mutex<Typing>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = source.read(&mut buffer).unwrap_or(0);
        let (answer, leaving) = {
            let mut terminal = shared.lock();
            terminal.closed = read == 0;
            terminal.bytes.extend_from_slice(&buffer[..read]);
            terminal.parser.process(&buffer[..read]);
            (std::mem::take(&mut terminal.parser.callbacks_mut().waiting), terminal.leaving)
        };
        shared.changed.notify_all();
        if read == 0 || leaving {
            return;
        }
        if !answer.is_empty()
            && let Ok(mut writer) = writer.lock()
            && let Some(writer) = writer.as_mut()
        {
            // The program may have gone without waiting for its answer.
            let _ = writer.write_all(&answer).and_then(|()| writer.flush());
        }
    }
}

fn picture(terminal: &Terminal) -> String {
    let screen = terminal.parser.screen();
    let (rows, columns) = screen.size();
    let frame = "─".repeat(usize::from(columns.get()));
    let lines: String = screen.rows(0, columns.get()).map(|row| format!("│{row}\n")).collect();
    format!("the screen, {columns}×{rows}:\n┌{frame}\n{lines}└{frame}")
}
