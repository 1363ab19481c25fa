//! One raw line of output as cells: its colours are kept, every other control sequence is shown as text.
//!
//! Whatever is in the line, nothing of it reaches the terminal as a command.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::Line;

use super::sgr;
pub use super::sgr::Colors;
use super::strip::Strip;
use super::text::Seen;

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

/// Reads one line without its end and returns `width` columns of it from column `offset` on.
pub fn line(raw: &str, state: &mut AnsiState, offset: usize, width: usize) -> Line<'static> {
    print(raw, state).window(offset, width)
}

/// Returns the text of one line as it is shown, without its colours.
pub fn shown(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(print(raw, &mut AnsiState::default()).text().to_owned())
}

/// Reads one line without its end as it looks when all is printed: a carriage return starts the line again, a backspace
/// takes a character away.
pub fn print(raw: &str, state: &mut AnsiState) -> Strip {
    let mut printed = Strip::default();
    let mut seen = Seen::default();
    // One at the very end only moves the cursor: the line still stands.
    let mut rest = raw.trim_end_matches(['\r', '\n']);
    while let Some(c) = rest.chars().next() {
        let plain = rest.bytes().take_while(|byte| matches!(byte, b' '..=b'~')).count();
        if plain > 0 {
            let (head, tail) = rest.split_at(plain);
            printed.push(head, state.style);
            seen = Seen::default();
            rest = tail;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' => printed = Strip::default(),
            '\u{8}' => printed.pop(),
            '\u{1b}' => match sgr::split(rest) {
                Some((parameters, tail)) => {
                    state.style = sgr::apply(parameters, state.style, state.colors);
                    rest = tail;
                }
                // Only its first byte commands; the rest of the sequence is text once that is a picture.
                None => printed.push_picture(c, state.style),
            },
            '\t' => printed.push("\t", state.style),
            c if seen.hides(c) => printed.push_picture(c, state.style),
            c => printed.push(c.encode_utf8(&mut [0; 4]), state.style),
        }
    }
    printed.expand_tabs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::text::Span;

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
