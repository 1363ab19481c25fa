//! Compares two texts line by line.

use gix::diff::blob::sources::byte_lines;
use gix::diff::blob::{Algorithm, Hunk as Edit, InternedInput, diff_with_slider_heuristics};

use super::diff::readable;
use crate::domain::diff::{DiffLine, Hunk};

/// Unchanged lines before and after each change.
const CONTEXT: u32 = 3;

/// Returns what differs, with three unchanged lines around each change.
pub(super) fn hunks(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let input = InternedInput::new(byte_lines(old), byte_lines(new));
    let diff = diff_with_slider_heuristics(Algorithm::Histogram, &input);
    let text = Text { old: lines(old), new: lines(new) };
    let mut groups: Vec<Vec<Edit>> = Vec::new();
    for edit in diff.hunks() {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| edit.before.start - last.before.end <= 2 * CONTEXT) => {
                group.push(edit);
            }
            Some(_) | None => groups.push(vec![edit]),
        }
    }
    groups.iter().filter_map(|group| text.hunk(group)).collect()
}

/// Both texts as lines with their line ends.
struct Text<'a> {
    old: Vec<&'a [u8]>,
    new: Vec<&'a [u8]>,
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

impl Text<'_> {
    fn hunk(&self, edits: &[Edit]) -> Option<Hunk> {
        let (first, last) = (edits.first()?, edits.last()?);
        let before = CONTEXT.min(first.before.start);
        let after = CONTEXT.min(length(&self.old) - last.before.end);
        let old = first.before.start - before..last.before.end + after;
        let new = first.after.start - before..last.after.end + after;
        let mut lines = Vec::new();
        let mut at = old.start;
        for edit in edits {
            push(&mut lines, slice(&self.old, at..edit.before.start), DiffLine::Context);
            push(&mut lines, slice(&self.old, edit.before.clone()), DiffLine::Removed);
            push(&mut lines, slice(&self.new, edit.after.clone()), DiffLine::Added);
            at = edit.before.end;
        }
        push(&mut lines, slice(&self.old, at..old.end), DiffLine::Context);
        let (old_lines, new_lines) = (old.end - old.start, new.end - new.start);
        // As in git: where a side has no line, the number is that of the line before.
        let start = |from: u32, count: u32| if count == 0 { from } else { from + 1 };
        Some(Hunk {
            old_start: start(old.start, old_lines),
            old_lines,
            new_start: start(new.start, new_lines),
            new_lines,
            lines,
        })
    }
}

fn length(lines: &[&[u8]]) -> u32 {
    u32::try_from(lines.len()).unwrap_or(u32::MAX)
}

fn slice<'a, 't>(lines: &'a [&'t [u8]], range: std::ops::Range<u32>) -> &'a [&'t [u8]] {
    &lines[range.start as usize..range.end as usize]
}

fn push(into: &mut Vec<DiffLine>, lines: &[&[u8]], kind: fn(String) -> DiffLine) {
    for line in lines {
        match line.strip_suffix(b"\n") {
            Some(line) => into.push(kind(readable(line))),
            None => into.extend([kind(readable(line)), DiffLine::NoNewline]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(hunk: &Hunk) -> (u32, u32, u32, u32) {
        (hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines)
    }

    fn numbers(upto: u32) -> String {
        (1..=upto).map(|n| format!("{n}\n")).collect()
    }

    #[test]
    fn a_change_has_three_lines_around_it() {
        let old = numbers(20);
        let all = hunks(old.as_bytes(), old.replace("10\n", "ten\n").as_bytes());
        assert_eq!(all.len(), 1);
        assert_eq!(header(&all[0]), (7, 7, 7, 7));
        assert_eq!(all[0].lines[3], DiffLine::Removed("10".to_owned()));
        assert_eq!(all[0].lines[4], DiffLine::Added("ten".to_owned()));
    }

    #[test]
    fn changes_whose_context_touches_are_one_hunk_and_others_are_two() {
        let old = numbers(20);
        let near = old.replace("\n3\n", "\nx\n").replace("\n10\n", "\ny\n");
        assert_eq!(hunks(old.as_bytes(), near.as_bytes()).len(), 1);
        let far = old.replace("\n3\n", "\nx\n").replace("\n11\n", "\ny\n");
        assert_eq!(hunks(old.as_bytes(), far.as_bytes()).len(), 2);
    }

    #[test]
    fn new_and_gone_texts_count_from_0() {
        assert_eq!(header(&hunks(b"", b"a\nb\n")[0]), (0, 0, 1, 2));
        assert_eq!(header(&hunks(b"a\n", b"")[0]), (1, 1, 0, 0));
        assert!(hunks(b"", b"").is_empty());
    }

    #[test]
    fn a_missing_line_end_is_said_and_other_bytes_are_shown_in_hexadecimal() {
        let all = hunks(b"a\n", b"a\n\xff\r");
        assert_eq!(
            all[0].lines,
            [DiffLine::Context("a".to_owned()), DiffLine::Added("\\xff\r".to_owned()), DiffLine::NoNewline]
        );
    }
}
