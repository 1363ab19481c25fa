//! Pictures of drawn cells for snapshots (the text, then a map with a letter per style, then what the letters mean), and
//! texts with much of what goes wrong.

use std::fmt::Write as _;

use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use ratatui::text::Line;
use ratatui::widgets::Widget as _;
use unicode_width::UnicodeWidthStr as _;

/// Draws the lines from the top left of a screen of that size.
pub(crate) fn draw(lines: &[Line<'_>], width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for (y, line) in (0..height).zip(lines) {
        line.render(Rect::new(0, y, width, 1), &mut buffer);
    }
    buffer
}

/// Returns the picture of lines on a screen of that width and just high enough.
pub(crate) fn picture_of(lines: &[Line<'_>], width: u16) -> String {
    picture(&draw(lines, width, u16::try_from(lines.len()).unwrap()))
}

/// Returns the picture of a whole screen.
pub(crate) fn picture(buffer: &Buffer) -> String {
    let mut legend: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut map = String::new();
    for row in rows(buffer) {
        let mut covered = 0;
        let mut symbols = String::new();
        let mut letters = String::new();
        for cell in row {
            letters.push(letter(cell, &mut legend));
            // A wide character covers the cells to its right; they hold a blank that is not seen.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            symbols.push_str(cell.symbol());
            covered = cell.symbol().width().saturating_sub(1);
        }
        let _ = writeln!(text, "{}", symbols.trim_end());
        let _ = writeln!(map, "{}", letters.trim_end_matches('.'));
    }
    let legend: String = legend.iter().zip('a'..).map(|(style, letter)| format!("{letter} {style}\n")).collect();
    format!("{text}--- styles\n{map}---\n{legend}")
}

fn rows(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content.chunks(usize::from(buffer.area.width.max(1)))
}

/// Returns the letter of a cell's style, `.` for none.
fn letter(cell: &Cell, legend: &mut Vec<String>) -> char {
    let mut style = Vec::new();
    if cell.fg != Color::Reset {
        style.push(cell.fg.to_string().to_lowercase());
    }
    if cell.bg != Color::Reset {
        style.push(format!("on {}", cell.bg.to_string().to_lowercase()));
    }
    style.extend(cell.modifier.iter_names().map(|(name, _): (&str, Modifier)| name.to_lowercase()));
    if style.is_empty() {
        return '.';
    }
    let style = style.join(" ");
    let at = legend.iter().position(|known| *known == style).unwrap_or_else(|| {
        legend.push(style);
        legend.len() - 1
    });
    char::from_u32('a' as u32 + u32::try_from(at).unwrap()).unwrap()
}

/// Fails when any cell holds something that a terminal could take as a command.
pub(crate) fn assert_harmless(buffer: &Buffer) {
    for cell in &buffer.content {
        assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
    }
}

/// Texts with much of what goes wrong.
pub(crate) fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[ -~]{0,12}",
        "[\\x00-\\x1f\\x7f-\\x9f]{1,3}",
        "[\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{300}-\u{310}\u{fe0f}]{1,20}",
        Just("👩‍👩‍👧‍👦".to_owned()),
        Just("🏴󠁧󠁢󠁳󠁣󠁴󠁿".to_owned()),
        Just("日本語 کتاب‌ها நி".to_owned()),
        Just("\u{1b}[31mred\u{1b}]0;t\u{7}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
