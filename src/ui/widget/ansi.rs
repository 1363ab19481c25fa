//! One raw line of output as cells: its colours are kept, every other control sequence is shown as text.
//!
//! Whatever is in the line, nothing of it reaches the terminal as a command.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::sgr;
pub use super::sgr::Colors;
use super::text::{self, Seen, TAB};

/// The style in force at the end of a line, carried on to the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AnsiState {
    colors: Colors,
    style: Style,
}

impl AnsiState {
    /// Returns the state in which a terminal starts.
    pub fn new(colors: Colors) -> Self {
        Self { colors, style: Style::new() }
    }
}

/// A line as a terminal would have printed it: its text and where each style begins. Tabs are still in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Printed {
    text: String,
    /// Byte offset and style, ascending.
    runs: Vec<(usize, Style)>,
}

/// Reads one line without its end and returns `width` columns of it from column `offset` on.
pub fn line(raw: &str, state: &mut AnsiState, offset: usize, width: usize) -> Line<'static> {
    print(raw, state).window(offset, width)
}

/// Reads one line without its end. A carriage return starts the line again, a backspace takes a character away.
pub fn print(raw: &str, state: &mut AnsiState) -> Printed {
    let mut printed = Printed::default();
    let mut seen = Seen::default();
    // One at the very end only moves the cursor: the line still stands.
    let mut rest = raw.trim_end_matches(['\r', '\n']);
    while let Some(c) = rest.chars().next() {
        let plain = rest.bytes().take_while(|byte| matches!(byte, b' '..=b'~')).count();
        if plain > 0 {
            let (head, tail) = rest.split_at(plain);
            printed.push_str(head, state.style);
            seen = Seen::default();
            rest = tail;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' => printed = Printed::default(),
            '\u{8}' => printed.pop(),
            '\t' => printed.push_str("\t", state.style),
            '\u{1b}' => match sgr::split(rest) {
                Some((parameters, tail)) => {
                    state.style = sgr::apply(parameters, state.style, state.colors);
                    rest = tail;
                }
                // Only its first byte commands; the rest of the sequence is text once that is a picture.
                None => printed.push_picture(c, state.style),
            },
            c if seen.hides(c) => printed.push_picture(c, state.style),
            c => printed.push_str(c.encode_utf8(&mut [0; 4]), state.style),
        }
    }
    printed
}

impl Printed {
    /// Returns the text without its styles, for searching and copying.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how many columns the whole line takes.
    pub fn width(&self) -> usize {
        self.cells().map(|cell| cell.width).sum()
    }

    /// Returns `width` columns from column `offset` on. Half a wide character at an edge is a blank.
    pub fn window(&self, offset: usize, width: usize) -> Line<'static> {
        let right = offset.saturating_add(width);
        let mut line = Spans::default();
        let mut column = 0;
        for cell in self.cells() {
            let end = column + cell.width;
            if column >= right {
                break;
            }
            match cell.symbol {
                Some(symbol) if column >= offset && end <= right => line.push(symbol, cell.style),
                Some(_) | None => line.blanks(end.min(right).saturating_sub(column.max(offset)), cell.style),
            }
            column = end;
        }
        line.finish()
    }

    /// Returns the whole line in rows of at most `width` columns; an empty line is one row.
    pub fn rows(&self, width: usize) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        let mut line = Spans::default();
        let mut used = 0;
        for cell in self.cells() {
            if cell.width > width {
                continue;
            }
            if used + cell.width > width {
                rows.push(std::mem::take(&mut line).finish());
                used = 0;
            }
            match cell.symbol {
                Some(symbol) => line.push(symbol, cell.style),
                None => line.blanks(cell.width, cell.style),
            }
            used += cell.width;
        }
        rows.push(line.finish());
        rows
    }

    fn push_str(&mut self, text: &str, style: Style) {
        if self.runs.last().is_none_or(|(_, last)| *last != style) {
            self.runs.push((self.text.len(), style));
        }
        self.text.push_str(text);
    }

    fn push_picture(&mut self, c: char, style: Style) {
        let mut picture = String::new();
        text::push_picture(&mut picture, c);
        self.push_str(&picture, style);
    }

    /// Takes the last character away, if there is one.
    fn pop(&mut self) {
        let last = self.text.graphemes(true).next_back().map_or(0, str::len);
        self.text.truncate(self.text.len() - last);
        while self.runs.last().is_some_and(|(start, _)| *start >= self.text.len()) {
            self.runs.pop();
        }
    }

    fn cells(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut runs = self.runs.iter().peekable();
        let mut style = Style::new();
        let mut column = 0;
        clusters(&self.text).filter_map(move |(at, symbol)| {
            while let Some((_, next)) = runs.next_if(|(start, _)| *start <= at) {
                style = *next;
            }
            let piece = match symbol {
                "\t" => Piece { symbol: None, width: TAB - column % TAB, style },
                _ => Piece { symbol: Some(symbol), width: symbol.width(), style },
            };
            column += piece.width;
            // What has no width of its own would be drawn into a neighbour's cell.
            (piece.width > 0).then_some(piece)
        })
    }
}

/// Walks over what is drawn as one: bytes where the text is ASCII, which is much faster, else grapheme clusters.
fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let ascii = text.is_ascii().then_some(text);
    let other = ascii.is_none().then_some(text);
    let ascii = ascii.into_iter().flat_map(|text| (0..text.len()).map(|at| (at, &text[at..=at])));
    ascii.chain(other.into_iter().flat_map(|text| text.grapheme_indices(true)))
}

/// What is drawn in one or more neighbouring cells.
struct Piece<'a> {
    /// Nothing for a tab.
    symbol: Option<&'a str>,
    width: usize,
    style: Style,
}

/// Gathers what is drawn into as few spans as there are changes of style.
#[derive(Default)]
struct Spans {
    done: Vec<Span<'static>>,
    text: String,
    style: Style,
}

impl Spans {
    fn push(&mut self, text: &str, style: Style) {
        if style != self.style {
            self.flush();
            self.style = style;
        }
        self.text.push_str(text);
    }

    fn blanks(&mut self, count: usize, style: Style) {
        if count > 0 {
            self.push(&" ".repeat(count), style);
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Span::styled(std::mem::take(&mut self.text), self.style));
        }
    }

    fn finish(mut self) -> Line<'static> {
        self.flush();
        Line::from(self.done)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::widget::testing::{assert_harmless, draw, picture_of};

    /// Returns what one line looks like without its styles.
    fn shown(raw: &str) -> String {
        print(raw, &mut AnsiState::default()).window(0, 1000).to_string()
    }

    #[test]
    fn colours_are_kept() {
        let mut state = AnsiState::default();
        let lines: Vec<_> = [
            "\x1b[31mred\x1b[0m plain \x1b[1;4;92mbright green bold underlined\x1b[22;24m green\x1b[m.",
            "\x1b[38;5;208morange\x1b[48;2;1;2;3m on dark\x1b[39;49m \x1b[38:2::9:8:7mcolons\x1b[38:5:33m too\x1b[0m",
            "\x1b[2mdim\x1b[0m \x1b[3mitalic\x1b[23m \x1b[7mreversed\x1b[27m \x1b[9mcrossed\x1b[29m \x1b[4:3mcurly\x1b[4:0m end",
            "\x1b[33mstays",
            "on the next line\x1b[0m",
        ]
        .iter()
        .map(|raw| line(raw, &mut state, 0, 60))
        .collect();
        insta::assert_snapshot!(picture_of(&lines, 60));
        assert_eq!(state, AnsiState::default());
    }

    #[test]
    fn without_colours_the_other_styles_stay() {
        let mut state = AnsiState::new(Colors::Drop);
        let line = line("\x1b[1;31;48;5;3mbold\x1b[38;2;1;1;1m still", &mut state, 0, 80);
        assert_eq!(line, Line::from(Span::styled("bold still", Style::new().bold())));
    }

    #[test]
    fn every_other_sequence_is_shown_as_text() {
        for (raw, text) in [
            ("\x1b[2J\x1b[Hgone", "␛[2J␛[Hgone"),
            ("\x1b]0;title\x07x", "␛]0;title␇x"),
            ("\x1b]8;;http://e.org\x1b\\link\x1b]8;;\x1b\\", "␛]8;;http://e.org␛\\link␛]8;;␛\\"),
            ("\x1bPq#0\x1b\\", "␛Pq#0␛\\"),
            ("\x1bc", "␛c"),
            ("\u{9b}2J\u{9d}0;t\u{9c}", "<9b>2J<9d>0;t<9c>"),
            ("\x1b[?25l\x1b[>4;1m", "␛[?25l␛[>4;1m"),
            ("cut \x1b", "cut ␛"),
            ("cut \x1b[", "cut ␛["),
            ("cut \x1b[38;5", "cut ␛[38;5"),
            ("\x1b[31\x1b[32mgreen", "␛[31green"),
            ("a\x00b\x7f\u{202e}", "a␀b␡<202e>"),
        ] {
            assert_eq!(shown(raw), text, "{raw:?}");
        }
    }

    #[test]
    fn of_a_progress_bar_the_last_state_stays() {
        assert_eq!(shown(" 10%\r 50%\r100% done"), "100% done");
        assert_eq!(shown(" 10%\r 50%\r"), " 50%");
        assert_eq!(shown("line\r\n"), "line");
        assert_eq!(shown("|\x08/\x08-\x08\\"), "\\");
        assert_eq!(shown("\x08\x08日本\x08x"), "日x");
        let mut state = AnsiState::default();
        print("\x1b[31m10%\r", &mut state);
        assert_eq!(print("x", &mut state).window(0, 1), Line::from(Span::styled("x", Style::new().red())));
    }

    #[test]
    fn tabs_reach_to_the_next_stop() {
        assert_eq!(shown("a\tb\t\tc"), "a   b       c");
        assert_eq!(shown("日本\tx"), "日本    x");
    }

    #[test]
    fn a_window_cuts_at_cells() {
        let printed = print("ab日本\tc", &mut AnsiState::default());
        assert_eq!(printed.width(), 9);
        for (offset, width, text) in [
            (0, 3, "ab "),
            (2, 4, "日本"),
            (3, 4, " 本 "),
            (7, 9, " c"),
            (9, 5, ""),
            (0, 0, ""),
            (usize::MAX, usize::MAX, ""),
        ] {
            assert_eq!(printed.window(offset, width).to_string(), text, "{offset} {width}");
        }
    }

    #[test]
    fn a_long_line_breaks_into_rows() {
        let rows = |raw: &str, width| -> Vec<String> {
            print(raw, &mut AnsiState::default()).rows(width).iter().map(Line::to_string).collect()
        };
        assert_eq!(rows("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(rows("a日本", 2), ["a", "日", "本"]);
        assert_eq!(rows("日本", 1), [""]);
        assert_eq!(rows("", 5), [""]);
    }

    /// What programs print, with the beginnings of sequences cut anywhere.
    fn output() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[ -~]{0,9}",
            "\x1b\\[[0-9;:?]{0,9}[a-zA-Z]?",
            "\x1b[\\]PX^_\\[][ -~]{0,5}(\x07|\x1b\\\\)?",
            "[\x00-\x1f\u{7f}-\u{9f}]{1,4}",
            "[日本é\u{301}\u{200d}👩🏴\u{202e}]{1,4}",
        ];
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_cell_ever_holds_a_control_character(raw in output(), next in output(), offset in 0_usize..20, width in 0_u16..20) {
            let mut state = AnsiState::default();
            for raw in [raw, next] {
                let printed = print(&raw, &mut state);
                let line = printed.window(offset, width.into());
                prop_assert!(line.width() <= usize::from(width));
                for row in printed.rows(width.into()) {
                    prop_assert!(row.width() <= usize::from(width));
                    prop_assert!(!row.to_string().chars().any(char::is_control));
                }
                prop_assert!(!line.to_string().chars().any(char::is_control));
                assert_harmless(&draw(&[line], 20, 1));
            }
        }

        #[test]
        fn bytes_cut_anywhere_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let line = line(&String::from_utf8_lossy(&bytes), &mut AnsiState::default(), 0, 80);
            prop_assert!(!line.to_string().chars().any(char::is_control));
        }

        #[test]
        fn the_state_carries_over_where_a_line_is_cut_between_sequences(a in "[a-z]{1,5}", code in 0_u16..110, b in "[a-z]{1,5}") {
            let escape = format!("\x1b[{code}m");
            let mut state = AnsiState::default();
            print(&format!("{a}{escape}"), &mut state);
            let carried = print(&b, &mut state).window(0, 9);
            let whole = print(&format!("{a}{escape}{b}"), &mut AnsiState::default()).window(a.len(), 9);
            prop_assert_eq!(carried, whole);
        }
    }
}
