//! Makes the picture of the README from a real run: `cargo build && cargo run --example picture`. It plays `draft demo`
//! in a terminal of its own, presses the keys of [`record`], and writes what is on the screen then as `docs/board.svg`.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use vt100::{Cell, Color, Parser, Screen};

const ROWS: u16 = 30;
const COLUMNS: u16 = 124;
/// The size of a cell in the picture.
const CELL: (f32, f32) = (8.4, 18.0);
/// How much is left free around the screen.
const MARGIN: f32 = 14.0;
/// The sixteen colours of the terminal in the picture.
const PALETTE: [&str; 16] = [
    "#2b303b", "#e5727a", "#8fc77f", "#e2b95f", "#6cb2f0", "#c585dd", "#5bbcc9", "#ccd2dc", "#6b7385", "#ef8b92",
    "#a8d79a", "#efce85", "#8cc6f7", "#d6a1ea", "#7fd3de", "#ffffff",
];
const TEXT: &str = "#d3d8e0";
const GROUND: &str = "#171a21";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut terminal = Terminal::start(&folder.path().join("demo"))?;
    record(&mut terminal)?;
    let svg = terminal.look(picture);
    terminal.leave()?;
    fs::create_dir_all("docs")?;
    fs::write("docs/board.svg", svg)?;
    Ok(())
}

/// Brings the board to where it has something of everything: proposed, waiting, at work, for review, and mended on the way there.
fn record(terminal: &mut Terminal) -> Result<()> {
    let first_planned = "hhhhhhlgg";
    terminal.until("the board", |screen| screen.contains("Planned 6"))?;
    for review in ["Review 1", "Review 2", "Review 3"] {
        terminal.press(first_planned)?;
        terminal.press("x")?;
        terminal.until("the ticket's end", |screen| screen.contains(review))?;
    }
    terminal.press(first_planned)?;
    terminal.press("x")?;
    terminal.until("an edit", |screen| screen.contains("edited,"))
}

/// A terminal with the demo in it.
struct Terminal {
    shared: Arc<(Mutex<Parser>, Condvar)>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn start(folder: &std::path::Path) -> Result<Self> {
        let pair =
            native_pty_system().openpty(PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 })?;
        let mut command = CommandBuilder::new(draft()?);
        command.args(["demo", "--color", "always", "--dir"]);
        command.arg(folder);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let cells = |n| NonZeroU16::new(n).ok_or("a terminal has cells");
        let shared = Arc::new((Mutex::new(Parser::new(cells(ROWS)?, cells(COLUMNS)?, 0)), Condvar::new()));
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

    fn press(&mut self, keys: &str) -> Result<()> {
        Ok(self.keys.write_all(keys.as_bytes())?)
    }

    /// Stops what runs, leaves the board and waits for its end.
    fn leave(mut self) -> Result<()> {
        self.press("q")?;
        self.press("s")?;
        self.child.wait()?;
        Ok(())
    }

    fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).screen())
    }

    /// Waits until the screen is as wanted.
    fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> Result<()> {
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
}

/// Returns the program, which is built beside the examples.
fn draft() -> Result<PathBuf> {
    let example = std::env::current_exe()?;
    let built = example.parent().and_then(|examples| examples.parent()).ok_or("an example lies in a folder")?;
    Ok(built.join("draft"))
}

/// Returns the screen as a picture.
fn picture(screen: &Screen) -> String {
    let (width, height) = (f32::from(COLUMNS) * CELL.0 + 2.0 * MARGIN, f32::from(ROWS) * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>The board of Draft: tickets in columns, and the log of an agent at work</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\" font-size=\"14\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\">\n"
    );
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let piece = Piece::at(screen, row, column);
            piece.draw(&mut svg);
            column += piece.width;
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// Cells beside each other that look alike.
struct Piece {
    row: u16,
    column: u16,
    width: u16,
    text: String,
    look: Look,
}

/// How a cell looks.
#[derive(Clone, PartialEq)]
struct Look {
    color: String,
    ground: Option<String>,
    attributes: String,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut color, mut ground) = (named(cell.fgcolor()), named(cell.bgcolor()));
        if cell.inverse() {
            (color, ground) =
                (Some(ground.unwrap_or_else(|| GROUND.into())), Some(color.unwrap_or_else(|| TEXT.into())));
        }
        let mut attributes = String::new();
        for (is_so, attribute) in [
            (cell.bold(), " font-weight=\"bold\""),
            (cell.dim(), " opacity=\".62\""),
            (cell.italic(), " font-style=\"italic\""),
            (cell.underline(), " text-decoration=\"underline\""),
        ] {
            if is_so {
                attributes.push_str(attribute);
            }
        }
        Self { color: color.unwrap_or_else(|| TEXT.into()), ground, attributes }
    }
}

fn named(color: Color) -> Option<String> {
    match color {
        Color::Default => None,
        Color::Idx(index) => PALETTE.get(usize::from(index)).map(|color| (*color).to_owned()),
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
    }
}

impl Piece {
    fn at(screen: &Screen, row: u16, column: u16) -> Self {
        let mut piece = Self { row, column, width: 0, text: String::new(), look: Look::of(cell(screen, row, column)) };
        let kind = line_of(&contents(screen, row, column));
        while column + piece.width < COLUMNS {
            let at = column + piece.width;
            let next = contents(screen, row, at);
            if Look::of(cell(screen, row, at)) != piece.look || line_of(&next) != kind {
                break;
            }
            piece.width += if cell(screen, row, at).is_wide() { 2 } else { 1 };
            piece.text.push_str(&next);
        }
        piece
    }

    fn draw(&self, svg: &mut String) {
        let Look { color, ground, attributes } = &self.look;
        let (x, y) = (f32::from(self.column) * CELL.0, f32::from(self.row) * CELL.1);
        let width = f32::from(self.width) * CELL.0;
        // Writing into a string cannot fail.
        if let Some(ground) = ground {
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"{ground}\"/>",
                CELL.1
            );
        }
        if self.text.trim().is_empty() {
            return;
        }
        if let Some(line) = line_of(&self.text[..self.text.chars().next().map_or(0, char::len_utf8)]) {
            // Frames are drawn: as letters they would have gaps, a little different ones with each font.
            let path = line.path(x, y, width, self.width);
            let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{color}\" fill=\"none\"{attributes}/>");
            return;
        }
        // Blanks at the start would be at the mercy of the viewer.
        let indent = self.text.chars().take_while(|c| *c == ' ').count();
        let (text, x) = (self.text.trim_matches(' '), x + CELL.0 * indent as f32);
        let length = (f32::from(self.width) - (self.text.chars().count() - text.chars().count()) as f32) * CELL.0;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" fill=\"{color}\" xml:space=\"preserve\"{attributes}>{}</text>",
            y + 13.5,
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        );
    }
}

fn cell(screen: &Screen, row: u16, column: u16) -> &Cell {
    screen.cell(row, column).unwrap_or_else(|| unreachable!("the screen has that size"))
}

fn contents(screen: &Screen, row: u16, column: u16) -> String {
    let text = cell(screen, row, column).contents().to_owned();
    if text.is_empty() { " ".to_owned() } else { text }
}

/// A piece of a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Horizontal,
    Vertical,
    /// From this side of the cell to that: right or left, down or up.
    Corner {
        right: bool,
        down: bool,
    },
    Bar,
}

fn line_of(text: &str) -> Option<Frame> {
    match text {
        "─" => Some(Frame::Horizontal),
        "│" => Some(Frame::Vertical),
        "╭" => Some(Frame::Corner { right: true, down: true }),
        "╮" => Some(Frame::Corner { right: false, down: true }),
        "╰" => Some(Frame::Corner { right: true, down: false }),
        "╯" => Some(Frame::Corner { right: false, down: false }),
        "▌" => Some(Frame::Bar),
        _ => None,
    }
}

impl Frame {
    fn path(self, x: f32, y: f32, width: f32, cells: u16) -> String {
        let (middle_x, middle_y) = (x + CELL.0 / 2.0, y + CELL.1 / 2.0);
        match self {
            Self::Horizontal => format!("M{x:.1} {middle_y:.1}h{width:.1}"),
            Self::Vertical => {
                (0..cells).map(|cell| format!("M{:.1} {y}v{}", middle_x + f32::from(cell) * CELL.0, CELL.1)).collect()
            }
            Self::Corner { right, down } => {
                let side = if right { x + CELL.0 } else { x };
                let end = if down { y + CELL.1 } else { y };
                format!("M{side:.1} {middle_y:.1}Q{middle_x:.1} {middle_y:.1} {middle_x:.1} {end:.1}")
            }
            Self::Bar => format!("M{:.1} {y}v{}m1 0v-{}m1 0v{}", x + 1.0, CELL.1, CELL.1, CELL.1),
        }
    }
}
