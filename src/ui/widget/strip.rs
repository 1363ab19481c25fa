//! One line of styled text that can be cut at columns, and broken into rows, whatever is in it.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::text::{self, TAB};

/// One line of text that is visible already, and where each style begins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strip {
    text: String,
    /// Byte offset and style, ascending.
    runs: Vec<(usize, Style)>,
}

impl Strip {
    /// Appends text from outside: tabs become blanks, controls become visible.
    pub fn push_text(&mut self, text: &str, style: Style) {
        let text = text::expand_tabs(text, self.width());
        self.push(&text::visible(&text), style);
    }

    /// Returns the text without its styles, for searching and copying.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Says whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns how many columns it takes.
    pub fn width(&self) -> usize {
        text::width(&self.text)
    }

    /// Lays a style under what is there already.
    pub fn underlay(&mut self, style: Style) {
        for (_, run) in &mut self.runs {
            *run = style.patch(*run);
        }
    }

    /// Returns the same with a style over those bytes, which must not cut through a character.
    #[must_use]
    pub fn restyled(self, bytes: Range<usize>, style: Style) -> Self {
        let mut out = Self::default();
        for (text, base) in self.pieces(0..bytes.start) {
            out.push(text, base);
        }
        for (text, base) in self.pieces(bytes.clone()) {
            out.push(text, base.patch(style));
        }
        for (text, base) in self.pieces(bytes.end..self.text.len()) {
            out.push(text, base);
        }
        out
    }

    /// Appends another strip.
    pub fn append(&mut self, other: &Self) {
        for (text, style) in other.pieces(0..other.text.len()) {
            self.push(text, style);
        }
    }

    /// Returns all of it.
    pub fn line(&self) -> Line<'static> {
        self.slice(0..self.text.len())
    }

    /// Returns `width` columns from column `offset` on. Half a wide character at an edge is a blank.
    pub fn window(&self, offset: usize, width: usize) -> Line<'static> {
        let right = offset.saturating_add(width);
        let mut column = 0;
        let mut inside = 0..0;
        let (mut before, mut after) = (0, 0);
        for (at, cluster) in clusters(&self.text) {
            let end = column + cluster.width();
            // What has no width of its own belongs to what is before it, also when that was cut.
            if column > right || (column >= right && end > column) {
                break;
            }
            if column < offset {
                before = end.min(right).saturating_sub(offset);
                inside = at + cluster.len()..at + cluster.len();
            } else if end > right {
                after = right - column;
            } else {
                inside.end = at + cluster.len();
            }
            column = end;
        }
        let mut line = self.slice(inside);
        if before > 0 {
            line.spans.insert(0, Span::raw(" ".repeat(before)));
        }
        if after > 0 {
            line.spans.push(Span::raw(" ".repeat(after)));
        }
        line
    }

    /// Returns the whole line in rows of at most `width` columns, each as full as it can be; an empty one is one row.
    pub fn rows(&self, width: usize) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        let mut row = 0..0;
        let mut used = 0;
        for (at, cluster) in clusters(&self.text) {
            let columns = cluster.width();
            if used + columns > width {
                if used > 0 {
                    rows.push(self.slice(row));
                }
                row = at..at;
                used = 0;
            }
            if columns > width {
                row = at + cluster.len()..at + cluster.len();
                continue;
            }
            row.end = at + cluster.len();
            used += columns;
        }
        rows.push(self.slice(row));
        rows
    }

    /// Returns the whole line in rows of at most `width` columns, broken between words; an empty one is one row.
    pub fn words(&self, width: usize) -> Vec<Line<'static>> {
        text::breaks(&self.text, width).into_iter().map(|row| self.slice(row)).collect()
    }

    /// Returns a part by its bytes.
    fn slice(&self, bytes: Range<usize>) -> Line<'static> {
        Line::from_iter(self.pieces(bytes).map(|(text, style)| Span::styled(text.to_owned(), style)))
    }

    /// Returns the pieces of one style each in that range of bytes.
    fn pieces(&self, bytes: Range<usize>) -> impl Iterator<Item = (&str, Style)> {
        let first = self.runs.partition_point(|(start, _)| *start <= bytes.start).saturating_sub(1);
        let ends = self.runs.iter().skip(first + 1).map(|(start, _)| *start).chain([self.text.len()]);
        self.runs[first.min(self.runs.len())..].iter().zip(ends).map_while(move |((start, style), end)| {
            let (start, end) = ((*start).max(bytes.start), end.min(bytes.end));
            (start < end).then(|| (&self.text[start..end], *style))
        })
    }

    /// Appends text that is visible already; tabs may be in it until [`Strip::expand_tabs`].
    pub(super) fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        if self.runs.last().is_none_or(|(_, last)| *last != style) {
            self.runs.push((self.text.len(), style));
        }
        self.text.push_str(text);
    }

    /// Appends the picture of a control character.
    pub(super) fn push_picture(&mut self, c: char, style: Style) {
        let mut picture = String::new();
        text::push_picture(&mut picture, c);
        self.push(&picture, style);
    }

    /// Takes the last character away, if there is one.
    pub(super) fn pop(&mut self) {
        let last = self.text.graphemes(true).next_back().map_or(0, str::len);
        self.text.truncate(self.text.len() - last);
        while self.runs.last().is_some_and(|(start, _)| *start >= self.text.len()) {
            self.runs.pop();
        }
    }

    /// Returns the same with blanks up to the next stop in place of each tab.
    pub(super) fn expand_tabs(self) -> Self {
        if !self.text.contains('\t') {
            return self;
        }
        let mut out = Self::default();
        let mut column = 0;
        for (piece, style) in self.pieces(0..self.text.len()) {
            for (n, text) in piece.split('\t').enumerate() {
                if n > 0 {
                    let blanks = TAB - column % TAB;
                    out.push(&" ".repeat(blanks), style);
                    column += blanks;
                }
                out.push(text, style);
                column += text::width(text);
            }
        }
        out
    }
}

impl From<&Line<'_>> for Strip {
    fn from(line: &Line<'_>) -> Self {
        let mut strip = Self::default();
        for span in &line.spans {
            strip.push_text(&span.content, span.style);
        }
        strip
    }
}

/// Walks over what is drawn as one: bytes where the text is ASCII, which is much faster, else grapheme clusters.
fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (ascii, other) = if text.is_ascii() { (text, "") } else { ("", text) };
    (0..ascii.len()).map(move |at| (at, &ascii[at..=at])).chain(other.grapheme_indices(true))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::ui::widget::testing::nasty;

    fn strip(text: &str) -> Strip {
        let mut strip = Strip::default();
        strip.push_text(text, Style::new().red());
        strip
    }

    fn texts(rows: Vec<Line<'_>>) -> Vec<String> {
        rows.iter().map(Line::to_string).collect()
    }

    #[test]
    fn what_has_no_width_goes_with_the_wide_character_that_an_edge_cuts() {
        let strip = strip("日\u{d7b0}a");
        assert_eq!(strip.window(0, 1).to_string(), " ");
        assert_eq!(strip.window(0, 2).to_string(), "日\u{d7b0}");
    }

    #[test]
    fn a_window_cuts_at_cells() {
        let strip = strip("ab日本\tc");
        assert_eq!(strip.width(), 9);
        for (offset, width, text) in [
            (0, 3, "ab "),
            (2, 4, "日本"),
            (3, 4, " 本 "),
            (7, 9, " c"),
            (9, 5, ""),
            (0, 0, ""),
            (3, 1, " "),
            (usize::MAX, usize::MAX, ""),
        ] {
            assert_eq!(strip.window(offset, width).to_string(), text, "{offset} {width}");
        }
    }

    #[test]
    fn a_long_line_breaks_into_full_rows_or_between_words() {
        assert_eq!(texts(strip("abcdefg").rows(3)), ["abc", "def", "g"]);
        assert_eq!(texts(strip("a日本").rows(2)), ["a", "日", "本"]);
        assert_eq!(texts(strip("日本").rows(1)), [""]);
        assert_eq!(texts(strip("").rows(5)), [""]);
        assert_eq!(texts(strip("one two three").words(8)), ["one two", "three"]);
    }

    #[test]
    fn styles_stay_with_their_text() {
        let (red, blue) = (Style::new().red(), Style::new().blue());
        let mut strip = Strip::default();
        strip.push_text("ab cd ", red);
        strip.push_text("ef", blue);
        let expected = Line::from(vec![Span::styled("d ", red), Span::styled("e", blue)]);
        assert_eq!(strip.window(4, 3), expected);
        assert_eq!(strip.words(5)[1], Line::from(Span::styled("ef", blue)));
        strip.pop();
        strip.pop();
        strip.pop();
        assert_eq!(strip.line(), Line::from(Span::styled("ab cd", red)));
    }

    proptest! {
        #[test]
        fn a_strip_is_as_wide_as_the_screen_draws_it(text in nasty()) {
            let strip = strip(&text);
            let mut buffer = Buffer::empty(Rect::new(0, 0, 2_000, 1));
            let (end, _) = buffer.set_line(0, 0, &strip.line(), 2_000);
            prop_assert_eq!(usize::from(end), strip.width());
        }

        #[test]
        fn rows_and_windows_never_exceed_their_width(text in "[ a-z日é\u{301}👩\t]{0,40}", offset in 0_usize..50, width in 0_usize..12) {
            let strip = strip(&text);
            prop_assert!(text::width(&strip.window(offset, width).to_string()) <= width);
            for row in strip.rows(width).into_iter().chain(strip.words(width)) {
                prop_assert!(text::width(&row.to_string()) <= width);
            }
            if width >= 2 {
                prop_assert_eq!(texts(strip.rows(width)).concat(), strip.text());
            }
            prop_assert_eq!(strip.window(0, strip.width()).to_string(), strip.text());
        }
    }
}
