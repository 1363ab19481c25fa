//! Places to type in: what a key or a paste does there, without what could not be seen.

use crossterm::event::KeyEvent;
use ratatui::style::Style;
use ratatui_textarea::{DataCursor, Input, Key as TypedKey, TextArea};

use crate::ui::theme::{Role, Theme};
use crate::ui::widget::text;

/// How many spaces a pasted tab becomes.
const TAB: &str = "    ";
/// Longest paste into a place for one line, in characters. No field takes so much, and says so; drawing a line of a
/// megabyte takes as long as its length with every key.
const LINE_MAX: usize = 1000;
/// Longest paste that is taken whole, in bytes: longer than any task that an agent could read.
pub(in crate::ui) const PASTE_MAX: usize = 1_048_576;

/// Whether a place takes one line or many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lines {
    One,
    Many,
}

/// Returns an empty place.
pub(super) fn area(theme: &Theme) -> TextArea<'static> {
    let mut area = TextArea::default();
    area.set_cursor_line_style(Style::new());
    area.set_cursor_style(theme.style(Role::Selected));
    area
}

/// Takes a key as text.
pub(super) fn typed(input: &mut TextArea<'static>, lines: Lines, event: KeyEvent) {
    let event = Input::from(event);
    // Readline's other names of Enter.
    let ends_line = matches!(event, Input { key: TypedKey::Char('m' | 'j'), ctrl: true, .. });
    let hidden = matches!(event.key, TypedKey::Char(c) if is_hidden_after(&before_cursor(input), c));
    if hidden || lines == Lines::One && (ends_line || event.key == TypedKey::Enter) {
        return;
    }
    // As in every shell; the area itself would undo the last change.
    if matches!(event, Input { key: TypedKey::Char('u'), ctrl: true, .. }) {
        input.delete_line_by_head();
    } else {
        input.input(event);
    }
}

/// Returns the line up to the cursor.
fn before_cursor(input: &TextArea<'static>) -> String {
    let DataCursor(row, column) = input.cursor();
    input.lines().get(row).map_or_else(String::new, |line| line.chars().take(column).collect())
}

/// Says whether a character would not be seen after that text: a joiner is part of an emoji, and nothing by itself.
fn is_hidden_after(before: &str, c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    text::visible(&format!("{before}{c}")) != format!("{}{c}", text::visible(before))
}

/// Takes pasted text.
pub(super) fn pasted(input: &mut TextArea<'static>, lines: Lines, pasted: &str) {
    let pasted = pasted.replace("\r\n", "\n").replace('\r', "\n").replace('\t', TAB);
    let clean = |text: &str, between| text.split('\n').map(without_hidden).collect::<Vec<_>>().join(between);
    input.insert_str(match lines {
        Lines::One => clean(&pasted.chars().take(LINE_MAX).collect::<String>(), " "),
        Lines::Many => clean(&pasted, "\n"),
    });
}

/// Returns as much of a paste as is taken.
pub(in crate::ui) fn bounded(pasted: &str) -> &str {
    &pasted[..pasted.floor_char_boundary(PASTE_MAX)]
}

/// Returns text that is there already without what could not be seen in it; tabs stay.
pub(super) fn clean(said: &str) -> String {
    let line = |line: &str| line.split('\t').map(without_hidden).collect::<Vec<_>>().join("\t");
    said.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Returns a line without the characters that would not be seen.
fn without_hidden(line: &str) -> String {
    if text::visible(line) == line {
        return line.to_owned();
    }
    line.chars().filter(|c| text::visible(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8()).collect()
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn an_emoji_that_is_typed_keeps_its_joiners_and_nothing_else_is_hidden_in_a_text() {
        let mut input = area(&Theme::plain());
        for c in "a\u{200d}b\u{202e} 👩\u{200d}👧\u{200d}👦 e\u{301}".chars() {
            typed(&mut input, Lines::One, KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        assert_eq!(input.lines(), ["ab 👩\u{200d}👧\u{200d}👦 e\u{301}"]);
    }
}
