//! Showing what was found in lines that are drawn.

use ratatui::style::Style;

use super::strip::Strip;
use crate::domain::log_find::Words;

/// Returns the strip with every place where the words are in that style.
pub fn mark(strip: Strip, words: &Words, style: Style) -> Strip {
    let found: Vec<_> = words.find(strip.text()).collect();
    found.into_iter().fold(strip, |strip, place| strip.restyled(place, style))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::text::{Line, Span};

    use super::*;
    use crate::ui::widget::ansi::{self, AnsiState};
    use crate::ui::widget::testing::{assert_harmless, draw, nasty};

    #[test]
    fn a_match_is_marked_across_styles() {
        let line = Line::from(vec![Span::styled("one t", Style::new().red()), Span::raw("wo three")]);
        let (red, plain, mark_style) = (Style::new().red(), Style::new(), Style::new().reversed());
        let expected = Line::from(vec![
            Span::styled("one ", red),
            Span::styled("t", red.reversed()),
            Span::styled("wo", plain.reversed()),
            Span::styled(" three", plain),
        ]);
        assert_eq!(mark(Strip::from(&line), &Words::new("two").unwrap(), mark_style).line(), expected);
    }

    proptest! {
        #[test]
        fn marking_changes_no_text_and_lets_nothing_through(raw in nasty(), words in "[a-z\\x1b\u{7}日]{1,3}") {
            let printed = ansi::print(&raw, &mut AnsiState::default());
            let text = printed.text().to_owned();
            let marked = mark(printed, &Words::new(&words).unwrap(), Style::new().reversed());
            prop_assert_eq!(marked.text(), text);
            assert_harmless(&draw(&[marked.line()], 60, 1));
        }
    }
}
