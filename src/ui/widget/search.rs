//! Finding text in lines that are drawn, and showing what was found.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::Line;

use super::strip::Strip;

/// Returns where the needle is in the text, in bytes, without overlaps.
///
/// Small ASCII letters find large ones too; a needle with a large one finds only what is written like it.
pub fn find(text: &str, needle: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let exact = needle.bytes().any(|byte| byte.is_ascii_uppercase());
    let same = |at: usize| {
        text.get(at..at + needle.len())
            .is_some_and(|part| if exact { part == needle } else { part.eq_ignore_ascii_case(needle) })
    };
    let mut at = 0;
    while !needle.is_empty() && at + needle.len() <= text.len() {
        if same(at) {
            found.push(at..at + needle.len());
            at += needle.len();
        } else {
            at += 1;
        }
    }
    found
}

/// Returns the line with every place where the needle is in that style.
pub fn mark(line: Line<'static>, needle: &str, style: Style) -> Line<'static> {
    let strip = Strip::from(&line);
    let found = find(strip.text(), needle);
    if found.is_empty() {
        return line;
    }
    let marked = found.into_iter().fold(strip, |strip, place| strip.restyled(place, style)).line();
    Line { spans: marked.spans, ..line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::text::Span;

    use super::*;

    #[test]
    fn small_letters_find_large_ones_and_not_the_other_way_round() {
        for (text, needle, starts) in [
            ("Error: error", "error", [0, 7].as_slice()),
            ("Error: error", "Error", &[0]),
            ("aaaa", "aa", &[0, 2]),
            ("日本", "本", &[3]),
            ("日本", "", &[]),
            ("a", "ab", &[]),
        ] {
            let found: Vec<_> = find(text, needle).iter().map(|place| place.start).collect();
            assert_eq!(found, starts, "{text} {needle}");
        }
    }

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
        assert_eq!(mark(line, "two", mark_style), expected);
    }

    proptest! {
        #[test]
        fn marking_changes_no_text(text in "[abA日é]{0,20}", needle in "[abA日é]{0,3}") {
            let line = Line::from(text.clone());
            prop_assert_eq!(mark(line, &needle, Style::new().reversed()).to_string(), text);
        }
    }
}
