//! The real terminal: made ready for a full screen, drawn to in one piece, and always given back as it was.

use std::cell::RefCell;
use std::io::{self, Write};
use std::panic;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    PopKeyboardEnhancementFlags,
};
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;

use super::call::Call;
use super::widget::text;

/// Buttons, drags and the wheel are told, in a form without limits; moves alone, of which there are thousands, are not.
const TAKE_MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// The window's title is put on the terminal's own stack, and taken from there again. A terminal that has no such stack
/// loses ours at least.
const KEEP_TITLE: &str = "\x1b[22;0t";
const GIVE_TITLE_BACK: &str = "\x1b]0;\x07\x1b[23;0t";
/// Cursor keys and keypad send what they usually send.
const PLAIN_KEYS: &str = "\x1b[?1l\x1b>";
/// Whether the terminal is ours right now.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// The thread that draws; only its panic ends the screen.
static DRAWER: Mutex<Option<ThreadId>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// The terminal while the board is open. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Sheet>>,
    sheet: Sheet,
    has_mouse: bool,
    title: String,
}

/// Where a frame is put together from its many small pieces. It goes out in one write, which is several times cheaper, so
/// no half frame is seen; and one that a panic broke off never goes out.
#[derive(Clone, Debug, Default)]
struct Sheet(Rc<RefCell<Vec<u8>>>);

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Waits for [`Sheet::send`]: the pieces of one frame belong together, however often somebody flushes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sheet {
    /// Sends what was put together, as one update that the terminal shows at once.
    fn send(&self) -> io::Result<()> {
        let pieces = self.0.take();
        if pieces.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(pieces.len() + 16);
        queue!(bytes, BeginSynchronizedUpdate)?;
        bytes.extend(pieces);
        queue!(bytes, EndSynchronizedUpdate)?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(&bytes)?;
        stdout.flush()
    }
}

/// Returns columns and rows of the terminal, taken or not.
///
/// # Errors
/// When standard output is no terminal.
pub fn size() -> io::Result<(u16, u16)> {
    crossterm::terminal::size()
}

impl Terminal {
    /// Takes the terminal: raw mode, alternate screen, bracketed paste. A panic of this thread gives it back first; a
    /// panic of another one, which a task's owner handles, goes to the log and leaves the screen alone.
    ///
    /// # Errors
    /// When standard output is no terminal or refuses.
    pub fn enter() -> io::Result<Self> {
        *DRAWER.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
        HOOK.call_once(install_hook);
        let sheet = Sheet::default();
        let backend = CrosstermBackend::new(sheet.clone());
        let inner = ratatui::Terminal::new(backend)?;
        let mut terminal = Self { inner, sheet, has_mouse: false, title: String::new() };
        terminal.take()?;
        Ok(terminal)
    }

    /// Takes the terminal again after [`Terminal::leave`], and draws everything anew with the next frame.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn take(&mut self) -> io::Result<()> {
        // Set first, so that a failure half-way is undone too.
        ENTERED.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        // Whoever draws says anew what the mouse and the title are to be.
        (self.has_mouse, self.title) = (false, String::new());
        execute!(io::stdout(), Print(KEEP_TITLE), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)?;
        self.draw_anew()
    }

    /// Has the next frame drawn whole, since nobody knows what the terminal shows now.
    ///
    /// # Errors
    /// When standard output is no terminal.
    pub fn draw_anew(&mut self) -> io::Result<()> {
        // Not `clear`: that asks the terminal for its cursor and waits up to two seconds for an answer, in competition
        // with whoever reads the keys.
        let size = self.inner.size()?;
        self.inner.resize(size.into())
    }

    /// Draws a frame; what did not change is not written.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn draw(&mut self, view: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.inner.draw(view)?;
        self.sheet.send()
    }

    /// Takes the mouse, or gives it back; nothing is written when it is so already.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn set_mouse(&mut self, taken: bool) -> io::Result<()> {
        if taken == self.has_mouse {
            return Ok(());
        }
        self.has_mouse = taken;
        if taken { execute!(io::stdout(), Print(TAKE_MOUSE)) } else { execute!(io::stdout(), DisableMouseCapture) }
    }

    /// Names the window; nothing is written when it has that name already.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn set_title(&mut self, title: &str) -> io::Result<()> {
        if title == self.title {
            return Ok(());
        }
        title.clone_into(&mut self.title);
        execute!(io::stdout(), SetTitle(text::visible(title)))
    }

    /// Calls the person, who looks elsewhere, in a way that the terminal knows.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn call(&mut self, way: Call, said: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(way.sequence(said).as_bytes())?;
        stdout.flush()
    }

    /// Returns the columns and rows of the terminal.
    ///
    /// # Errors
    /// When standard output is no terminal.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Gives the terminal to another program, for which something is said first.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn hand_over(&mut self, said: &str) -> io::Result<()> {
        restore()?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", text::visible(said))?;
        stdout.flush()
    }

    /// Takes the terminal again from a program that may have left it in any mode, and draws everything anew with the next
    /// frame.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn take_back(&mut self) -> io::Result<()> {
        // The alternate screen is not left, in case the program had it: on the main one that would move the cursor to
        // where it was long ago. It is taken in a moment anyway.
        execute!(
            io::stdout(),
            DisableMouseCapture,
            DisableFocusChange,
            PopKeyboardEnhancementFlags,
            ResetColor,
            EnableLineWrap,
            Print(PLAIN_KEYS)
        )?;
        self.take()
    }

    /// Puts a text into the clipboard of the terminal, where it takes one (OSC 52). Ends of lines stay.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn copy(&self, said: &str) -> io::Result<()> {
        let lines: Vec<_> = said.split('\n').map(text::visible).collect();
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(lines.join("\n").as_bytes()))
    }

    /// Gives the terminal back, for the end.
    ///
    /// # Errors
    /// When standard output refuses.
    pub fn leave(&mut self) -> io::Result<()> {
        restore()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = restore(); // there is nobody left to tell
    }
}

/// Undoes all that [`Terminal::take`] does, once, even when a part of it fails.
fn restore() -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let screen = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Print(GIVE_TITLE_BACK),
        Show
    );
    disable_raw_mode().and(screen)
}

fn install_hook() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let entered = ENTERED.load(Ordering::SeqCst);
        let drawer =
            DRAWER.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|id| id == thread::current().id());
        if entered && !drawer {
            // Words on standard error would go across the board.
            tracing::error!(thread = thread::current().name().unwrap_or("?"), "{info}");
            return;
        }
        let _ = restore(); // the panic itself is what must be told
        before(info);
    }));
}
