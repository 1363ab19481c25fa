//! What differs inside a line: which old line became which new one, and the words that changed.

use std::ops::Range;

use crate::domain::diff::DiffLine;

/// Longer runs of changed lines are no edits of single lines, and looking through them would take long.
const LONGEST_RUN: usize = 64;

/// Returns the bytes of a line of a hunk that differ from the line that it was or became; nothing where the two have
/// little in common, or where the line stands alone.
pub(super) fn words(lines: &[DiffLine], at: usize) -> Option<Range<usize>> {
    let partner = partner(lines, at)?;
    let (mine, other) = (content(lines.get(at)?)?, content(lines.get(partner)?)?);
    differing(mine, other)
}

fn content(line: &DiffLine) -> Option<&str> {
    match line {
        DiffLine::Added(text) | DiffLine::Removed(text) | DiffLine::Context(text) => Some(text),
        DiffLine::NoNewline => None,
    }
}

/// Finds the other line: in a run of removed lines followed by as many added ones they belong together in order.
fn partner(lines: &[DiffLine], at: usize) -> Option<usize> {
    let is_removed = |line: &DiffLine| matches!(line, DiffLine::Removed(_));
    let is_added = |line: &DiffLine| matches!(line, DiffLine::Added(_));
    let run = |from: usize, is: &dyn Fn(&DiffLine) -> bool| {
        lines[from..].iter().take(LONGEST_RUN + 1).take_while(|line| is(line)).count()
    };
    let back = |from: usize, is: &dyn Fn(&DiffLine) -> bool| {
        lines[..from].iter().rev().take(LONGEST_RUN + 1).take_while(|line| is(line)).count()
    };
    let (removed, added, first) = match lines.get(at)? {
        DiffLine::Removed(_) => {
            let first = at - back(at, &is_removed);
            let removed = run(first, &is_removed);
            (removed, run(first + removed, &is_added), first)
        }
        DiffLine::Added(_) => {
            let middle = at - back(at, &is_added);
            let removed = back(middle, &is_removed);
            (removed, run(middle, &is_added), middle - removed)
        }
        DiffLine::Context(_) | DiffLine::NoNewline => return None,
    };
    if removed != added || removed == 0 || removed > LONGEST_RUN {
        return None;
    }
    Some(if at < first + removed { at + removed } else { at - removed })
}

/// Returns what of `mine` is left without the words that both begin and end with.
fn differing(mine: &str, other: &str) -> Option<Range<usize>> {
    let start = common(pieces(mine), pieces(other));
    let (mine_rest, other_rest) = (&mine[start..], &other[start..]);
    let end = common(pieces(mine_rest).rev(), pieces(other_rest).rev());
    let kept = mine[..start].trim().len() + mine[mine.len() - end..].trim().len();
    let range = start..mine.len() - end;
    // Less than a third in common: this is another line, not an edited one.
    (!range.is_empty() && kept * 3 >= mine.trim().len()).then_some(range)
}

fn common<'a>(mine: impl Iterator<Item = &'a str>, other: impl Iterator<Item = &'a str>) -> usize {
    mine.zip(other).take_while(|(mine, other)| mine == other).map(|(mine, _)| mine.len()).sum()
}

/// Splits a line into words and the single signs between them.
fn pieces(line: &str) -> std::vec::IntoIter<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(if is_word(first) { word } else { first.len_utf8() });
        pieces.push(piece);
        rest = tail;
    }
    pieces.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(text: &str) -> DiffLine {
        DiffLine::Removed(text.to_owned())
    }

    fn added(text: &str) -> DiffLine {
        DiffLine::Added(text.to_owned())
    }

    #[test]
    fn words_that_differ_are_found_on_both_sides() {
        let lines = [
            DiffLine::Context("{".into()),
            removed("let size = width * 2;"),
            removed("return size;"),
            added("let size = height * 2;"),
            added("return size + 1;"),
        ];
        let shown: Vec<_> =
            (0..5).map(|at| words(&lines, at).map(|range| &content(&lines[at]).unwrap()[range])).collect();
        assert_eq!(shown, [None, Some("width"), None, Some("height"), Some(" + 1")]);
    }

    #[test]
    fn lines_with_little_in_common_or_without_a_partner_have_none() {
        assert_eq!(words(&[removed("alpha beta"), added("something else;")], 1), None);
        assert_eq!(words(&[removed("let a = 1;"), added("let a = 2;"), added("x")], 0), None);
        assert_eq!(words(&[added("let a = 2;")], 0), None);
        assert_eq!(words(&[removed("a"), DiffLine::NoNewline, added("a")], 0), None);
        assert_eq!(words(&[], 0), None);
    }

    #[test]
    fn a_line_without_its_last_word_still_has_a_partner() {
        let lines = [removed("日本 a(b)"), added("日本 a(b, c)")];
        assert_eq!(words(&lines, 0), None);
        assert_eq!(words(&lines, 1).map(|range| &"日本 a(b, c)"[range]), Some(", c"));
    }
}
