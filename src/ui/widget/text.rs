//! Text as cells: how wide it is, cutting, wrapping, and making what is invisible or dangerous visible.
//!
//! What comes out of [`visible`], [`truncate`], [`pad`] and [`wrap`] never holds a control character, whatever went in.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How far a tab goes.
pub const TAB: usize = 4;

/// How many marks without a width may stand on one character; more are shown as their numbers.
const MARKS_MAX: usize = 12;

/// Returns how many columns the text takes, cluster by cluster as the screen draws it.
pub fn width(text: &str) -> usize {
    if is_plain_ascii(text) {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Returns the text with every control and every hidden character as something that can be seen and does nothing.
///
/// C0 controls become their pictures (`␛`), all others their number (`<202e>`): C1 controls, marks that change the
/// direction of text, separators of lines and paragraphs, characters without a width outside the sequences that need
/// them.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text) {
        return Cow::Borrowed(text);
    }
    let mut seen = Seen::default();
    let Some(odd) = text.char_indices().find_map(|(at, c)| seen.hides(c).then_some(at)) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..odd]);
    let mut seen = Seen::default();
    for c in text[..odd].chars() {
        seen.hides(c);
    }
    for c in text[odd..].chars() {
        if seen.hides(c) {
            push_picture(&mut out, c);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Appends the picture of a character that is not drawn itself.
pub(super) fn push_picture(out: &mut String, c: char) {
    match c {
        '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => out.push('\u{2421}'),
        _ => {
            use std::fmt::Write as _;
            let _ = write!(out, "<{:x}>", u32::from(c)); // writing to a String cannot fail
        }
    }
}

/// Decides character by character what may be drawn; some only after others.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// The last character that has a width.
    base: char,
    /// How many without a width followed it.
    marks: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self { base: ' ', marks: 0 }
    }
}

impl Seen {
    /// Says whether the character must be replaced by its picture.
    pub(super) fn hides(&mut self, c: char) -> bool {
        if matches!(c, ' '..='~') {
            *self = Self { base: c, marks: 0 };
            return false;
        }
        let hidden = c.is_control() || is_hidden(c) || self.misplaced(c);
        if hidden {
            *self = Self::default();
            return true;
        }
        if c.width() != Some(0) {
            *self = Self { base: c, marks: 0 };
            return false;
        }
        self.marks += 1;
        if self.marks > MARKS_MAX {
            *self = Self::default();
            return true;
        }
        false
    }

    /// Says whether a character that belongs into sequences stands outside one.
    fn misplaced(self, c: char) -> bool {
        match c {
            // Joiners: emoji, and scripts that need them.
            '\u{200c}' | '\u{200d}' => self.base.is_ascii(),
            // Letters of flags such as Scotland's; elsewhere a hidden message.
            '\u{e0020}'..='\u{e007f}' => self.base != '\u{1f3f4}',
            // Variants of ideographs; several in a row are a hidden message.
            '\u{e0100}'..='\u{e01ef}' => self.base.is_ascii() || self.marks > 0,
            _ => false,
        }
    }
}

/// Says whether the character shows nothing and changes how others are drawn or read.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}')
}

/// Returns the longest start that is at most `limit` columns wide, and its width. Never cuts through a cluster.
pub fn take_width(text: &str, limit: usize) -> (&str, usize) {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        let next = used + cluster.width();
        if next > limit {
            return (&text[..at], used);
        }
        used = next;
    }
    (text, used)
}

/// Returns the text made visible and cut to `limit` columns; `…` stands where something is missing.
pub fn truncate(text: &str, limit: usize) -> Cow<'_, str> {
    truncate_with(text, limit, "…")
}

/// Returns the text made visible and cut to `limit` columns with a sign of your own where something is missing.
pub fn truncate_with<'a>(text: &'a str, limit: usize, ellipsis: &str) -> Cow<'a, str> {
    let text = visible(text);
    if width(&text) <= limit {
        return text;
    }
    let ellipsis = take_width(ellipsis, limit).0;
    let (kept, _) = take_width(&text, limit - width(ellipsis));
    Cow::Owned(format!("{kept}{ellipsis}"))
}

/// Which side of a text the blanks of [`pad`] go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Text, then blanks.
    Left,
    /// Blanks, then text.
    Right,
}

/// Returns the text made visible and exactly `columns` wide: cut or filled with blanks; `side` is where the text stands.
pub fn pad(text: &str, columns: usize, side: Side) -> String {
    let text = truncate(text, columns);
    let blanks = " ".repeat(columns.saturating_sub(width(&text)));
    match side {
        Side::Left => format!("{text}{blanks}"),
        Side::Right => format!("{blanks}{text}"),
    }
}

/// Returns the text with tabs as blanks up to the next stop, counted from `column`.
pub fn expand_tabs(text: &str, column: usize) -> Cow<'_, str> {
    if !text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + TAB);
    let mut at = column;
    for (n, piece) in text.split('\t').enumerate() {
        if n > 0 {
            let blanks = TAB - at % TAB;
            out.extend(std::iter::repeat_n(' ', blanks));
            at += blanks;
        }
        out.push_str(piece);
        at += width(piece);
    }
    Cow::Owned(out)
}

/// Returns the text as lines of at most `limit` columns, broken between words; a word that is too long is cut.
///
/// Line ends in the text stay line ends and indents stay, blanks around a break go. With a limit of 0 nothing is left.
pub fn wrap(text: &str, limit: usize) -> Vec<String> {
    if limit == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = expand_tabs(line.strip_suffix('\r').unwrap_or(line), 0);
        let line = visible(&line);
        lines.extend(breaks(&line, limit).into_iter().map(|row| line[row].to_owned()));
    }
    lines
}

/// Returns where the rows of one line are when it is broken as in [`wrap`]; at least one row, which may be empty.
///
/// The line must be visible and without tabs.
pub(super) fn breaks(line: &str, limit: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut row = 0..0;
    let mut used = 0;
    let mut at = 0;
    for piece in line.split_inclusive(' ') {
        let word = piece.trim_end_matches(' ');
        let (start, end) = (at, at + word.len());
        at += piece.len();
        if word.is_empty() {
            continue;
        }
        let blanks = start - row.end;
        let word_width = width(word);
        if used + blanks + word_width <= limit {
            row.end = end;
            used += blanks + word_width;
            continue;
        }
        if used > 0 {
            rows.push(row);
        }
        (row, used) = cut_word(line, start..end, limit, &mut rows);
    }
    rows.push(row);
    rows
}

/// Pushes full rows of a word and returns what is left of it with its width.
fn cut_word(line: &str, mut word: Range<usize>, limit: usize, rows: &mut Vec<Range<usize>>) -> (Range<usize>, usize) {
    loop {
        let (head, used) = take_width(&line[word.clone()], limit);
        if head.len() == word.len() {
            return (word, used);
        }
        if head.is_empty() {
            // One cluster is wider than the whole line: nothing of it can be drawn.
            word.start += line[word.clone()].graphemes(true).next().map_or(word.len(), str::len);
            continue;
        }
        rows.push(word.start..word.start + head.len());
        word.start += head.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::widget::testing::nasty;

    fn is_harmless(text: &str) -> bool {
        !text.chars().any(|c| c.is_control() || is_hidden(c))
    }

    #[test]
    fn controls_and_hidden_characters_become_visible() {
        for (given, shown) in [
            ("plain ünï 日本", "plain ünï 日本"),
            ("\u{1b}[31m", "␛[31m"),
            ("a\0\t\r\n\u{7f}", "a␀␉␍␊␡"),
            ("\u{9b}31m", "<9b>31m"),
            ("abc\u{202e}def", "abc<202e>def"),
            ("a\u{2028}b\u{2029}", "a<2028>b<2029>"),
            ("pass\u{200b}word\u{feff}", "pass<200b>word<feff>"),
            ("a\u{200d}b", "a<200d>b"),
        ] {
            assert_eq!(visible(given), shown);
        }
    }

    #[test]
    fn sequences_that_need_joiners_stay_whole() {
        for text in ["👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "کتاب‌ها", "1️⃣", "é\u{301}", "葛\u{e0100}"]
        {
            assert!(matches!(visible(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn a_hidden_message_in_tag_letters_is_shown() {
        assert_eq!(visible("a\u{e0068}\u{e0069}"), "a<e0068><e0069>");
        assert_eq!(visible("😀\u{e0068}"), "😀<e0068>");
        assert_eq!(visible("葛\u{e0100}\u{e0101}"), "葛\u{e0100}<e0101>");
    }

    #[test]
    fn a_tower_of_marks_is_cut_down() {
        let tower = format!("a{}", "\u{301}".repeat(1000));
        assert!(visible(&tower).contains("<301>"));
        assert!(visible(&tower).graphemes(true).all(|cluster| cluster.chars().count() <= MARKS_MAX + 2));
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        for (text, limit, shown) in [
            ("Add zod validation", 14, "Add zod valid…"),
            ("short", 5, "short"),
            ("short", 4, "sho…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(truncate(text, limit), shown, "{text} at {limit}");
        }
        assert_eq!(truncate_with("abcdef", 5, "..."), "ab...");
        assert_eq!(truncate_with("abcdef", 2, "..."), "..");
    }

    #[test]
    fn padding_fills_or_cuts_to_the_column() {
        assert_eq!(pad("日本", 6, Side::Left), "日本  ");
        assert_eq!(pad("42", 5, Side::Right), "   42");
        assert_eq!(pad("日本", 3, Side::Right), "日…");
    }

    #[test]
    fn words_wrap_and_long_words_are_cut() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
        assert_eq!(wrap("one\n\n  two  three", 20), ["one", "", "  two  three"]);
        assert_eq!(wrap("a\r\nb\tc", 20), ["a", "b   c"]);
        assert_eq!(wrap("日本語", 1), [""]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("x", 0), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked_or_holds_a_control_character(text in nasty(), limit in 0_usize..30) {
            prop_assert!(width(&truncate(&text, limit)) <= limit);
            prop_assert!(is_harmless(&truncate(&text, limit)));
            prop_assert_eq!(width(&pad(&text, limit, Side::Left)), limit);
            for line in wrap(&text, limit) {
                prop_assert!(width(&line) <= limit, "{:?}", line);
                prop_assert!(is_harmless(&line), "{:?}", line);
            }
        }

        #[test]
        fn what_is_visible_stays_as_it_is(text in nasty()) {
            let once = visible(&text).into_owned();
            prop_assert!(is_harmless(&once));
            prop_assert_eq!(visible(&once).into_owned(), once);
        }

        #[test]
        fn wrapping_loses_no_word(words in proptest::collection::vec("[a-z]{1,9}", 0..20), limit in 1_usize..20) {
            let text = words.join(" ");
            prop_assert_eq!(wrap(&text, limit).concat().replace(' ', ""), words.concat());
        }
    }
}
