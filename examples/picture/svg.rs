//! A screen as a picture: text as text, so that it stays sharp and can be searched, and frames as lines.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

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

/// Returns the screen as a picture; `title` says what is on it to those who cannot see it.
pub(crate) fn picture(screen: &Screen, title: &str) -> String {
    let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
    let (width, height) = (f32::from(columns) * CELL.0 + 2.0 * MARGIN, f32::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\" font-size=\"14\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\">\n"
    );
    for row in 0..rows {
        let mut column = 0;
        while column < columns {
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
        while column + piece.width < screen.size().1.get() {
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
