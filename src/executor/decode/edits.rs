//! What an edit changes, as far as its call or its result says it: files, and how many lines come and go.

use serde_json::Value;

use super::Scene;

/// Most files of one patch that are shown, and most lines of a diff.
const FILES_MAX: usize = 100;
const DIFF_LINES_MAX: usize = 40;

/// A file that a call is to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Edited {
    pub(super) path: String,
    pub(super) done: Done,
    pub(super) size: EditSize,
}

/// What is done to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Done {
    Created,
    Edited,
    /// All of it is new; whether it was there before is not said.
    Written,
    Deleted,
}

/// How many lines an edit brings and takes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct EditSize {
    pub(super) added: usize,
    pub(super) removed: usize,
}

impl Edited {
    /// Returns `edited, +2 -1`.
    pub(super) fn text(&self) -> String {
        let EditSize { added, removed } = self.size;
        match self.done {
            Done::Created => format!("created, +{added} -{removed}"),
            Done::Edited => format!("edited, +{added} -{removed}"),
            Done::Written => format!("written, {added} line{}", if added == 1 { "" } else { "s" }),
            Done::Deleted => "deleted".to_owned(),
        }
    }
}

impl EditSize {
    /// Counts the lines of a structured patch; nothing when it has none, as for a new file.
    pub(super) fn of_patch(patch: &Value) -> Option<Self> {
        let hunks = patch.as_array().filter(|hunks| !hunks.is_empty())?;
        let lines = || hunks.iter().filter_map(|hunk| hunk["lines"].as_array()).flatten().filter_map(Value::as_str);
        let starting = |mark| lines().filter(|line| line.starts_with(mark)).count();
        Some(Self { added: starting('+'), removed: starting('-') })
    }

    /// Counts the lines of a unified diff; nothing when it has no hunk.
    pub(super) fn of_unified(diff: &str) -> Option<Self> {
        let lines = hunk_lines(diff);
        let starting = |mark| lines.iter().filter(|line| line.starts_with(mark)).count();
        (!lines.is_empty()).then(|| Self { added: starting('+'), removed: starting('-') })
    }

    /// Counts the lines that one text has and the other has not, at the place where they differ.
    fn between(old: &str, new: &str) -> Self {
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        Self { added: new.len() - head - tail, removed: old.len() - head - tail }
    }

    fn plus(self, other: Self) -> Self {
        Self { added: self.added + other.added, removed: self.removed + other.removed }
    }
}

/// Returns the hunks of a unified diff, without the names of its files; nothing when it has none.
pub(super) fn hunks(diff: &str) -> Option<String> {
    diff_of(hunk_lines(diff).into_iter().map(str::to_owned))
}

/// Returns the lines of all hunks. Where a hunk ends is counted: a line that went and began with `--` looks like the head of
/// a file.
fn hunk_lines(diff: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut old, mut new) = (0_usize, 0_usize);
    for line in diff.lines() {
        if line.starts_with("@@") {
            // One without numbers goes on to the next.
            (old, new) = hunk_size(line).unwrap_or((usize::MAX, usize::MAX));
        } else {
            match line.as_bytes().first() {
                Some(b'-') if old > 0 => old -= 1,
                Some(b'+') if new > 0 => new -= 1,
                Some(b' ') | None if old > 0 && new > 0 => (old, new) = (old - 1, new - 1),
                Some(_) | None => continue,
            }
        }
        lines.push(line);
    }
    lines
}

/// Reads `@@ -1,3 +1,4 @@`: how many old and new lines there are.
fn hunk_size(head: &str) -> Option<(usize, usize)> {
    let mut ranges = head.split(' ').skip(1);
    let mut count = |mark| {
        let range = ranges.next()?.strip_prefix(mark)?;
        range.split_once(',').map_or(Some(1), |(_, count)| count.parse().ok())
    };
    Some((count('-')?, count('+')?))
}

/// Returns the hunks of a structured patch.
pub(super) fn hunks_of_patch(patch: &Value) -> Option<String> {
    let lines = patch.as_array()?.iter().flat_map(|hunk| {
        let number = |key: &str| hunk[key].as_u64().unwrap_or(0);
        let (old, new) = ((number("oldStart"), number("oldLines")), (number("newStart"), number("newLines")));
        let head = format!("@@ -{},{} +{},{} @@", old.0, old.1, new.0, new.1);
        let lines = hunk["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        std::iter::once(head).chain(lines)
    });
    diff_of(lines)
}

/// Returns lines of a diff as one text of bounded length.
pub(super) fn diff_of(lines: impl Iterator<Item = String>) -> Option<String> {
    let mut lines = lines.peekable();
    lines.peek()?;
    let mut kept: Vec<String> = lines.by_ref().take(DIFF_LINES_MAX).collect();
    match lines.count() {
        0 => {}
        more => kept.push(format!("… {more} more line{}", if more == 1 { "" } else { "s" })),
    }
    Some(kept.join("\n"))
}

/// Understands the input of a call that changes the file with that path.
pub(super) fn of_input(path: String, input: &Value) -> Edited {
    let text = |edit: &Value, keys: &[&str]| keys.iter().find_map(|key| edit[*key].as_str()).map(str::to_owned);
    let old = |edit: &Value| text(edit, &["old_string", "oldString", "old_str", "oldText", "old_text", "old_source"]);
    let new = |edit: &Value| {
        text(
            edit,
            &["new_string", "newString", "new_str", "newText", "new_text", "new_source", "insert_text", "insertText"],
        )
    };
    let size = |edit: &Value| EditSize::between(&old(edit).unwrap_or_default(), &new(edit).unwrap_or_default());
    let whole = text(input, &["content", "file_text", "fileText", "contents"]);
    match (input["edits"].as_array(), whole) {
        (Some(edits), _) => {
            let size = edits.iter().map(size).fold(EditSize::default(), EditSize::plus);
            Edited { path, done: Done::Edited, size }
        }
        (None, Some(whole)) if old(input).is_none() => {
            Edited { path, done: Done::Written, size: EditSize::between("", &whole) }
        }
        (None, _) => Edited { path, done: Done::Edited, size: size(input) },
    }
}

/// Understands a patch as models write them: `*** Update File: a.rs`, then lines that begin with `+`, `-` or a space.
pub(super) fn of_patch_text(patch: &str, scene: &Scene<'_>) -> Vec<Edited> {
    let mut files: Vec<Edited> = Vec::new();
    for line in patch.lines() {
        let begun = [
            ("*** Add File: ", Done::Created),
            ("*** Update File: ", Done::Edited),
            ("*** Delete File: ", Done::Deleted),
        ];
        let begun = begun.iter().find_map(|(mark, done)| Some((line.strip_prefix(mark)?, *done)));
        if let Some((path, done)) = begun {
            if files.len() == FILES_MAX {
                break;
            }
            files.push(Edited { path: scene.paths.short(path.trim()), done, size: EditSize::default() });
        } else if let Some(file) = files.last_mut() {
            match line.as_bytes().first() {
                Some(b'+') => file.size.added += 1,
                Some(b'-') => file.size.removed += 1,
                Some(_) | None => {}
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_differ_are_counted() {
        for (old, new, added, removed) in [
            ("a\nb\nc", "a\nB\nc", 1, 1),
            ("", "a\nb\n", 2, 0),
            ("a\nb", "", 0, 2),
            ("a", "a", 0, 0),
            ("a\na", "a", 0, 1),
        ] {
            assert_eq!(EditSize::between(old, new), EditSize { added, removed }, "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_long_diff_is_cut() {
        let long = diff_of((0..50).map(|n| format!("+{n}"))).unwrap();
        assert!(long.ends_with("\n+39\n… 10 more lines"), "{long}");
    }

    #[test]
    fn a_unified_diff_is_counted_inside_its_hunks() {
        let diff = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n same\n-old\n--- a comment\n+new\n+more\n\\ No newline\n--- a/y\n+++ b/y\n\
                    @@ -1 +0,0 @@\n-gone\n";
        assert_eq!(EditSize::of_unified(diff), Some(EditSize { added: 2, removed: 3 }));
        let shown = "@@ -1,3 +1,3 @@\n same\n-old\n--- a comment\n+new\n+more\n@@ -1 +0,0 @@\n-gone";
        assert_eq!(hunks(diff).as_deref(), Some(shown));
        assert_eq!(hunks("@@\n-a\n+b\n").as_deref(), Some("@@\n-a\n+b"), "without numbers");
        assert_eq!((EditSize::of_unified("--- a\n+++ b\n"), hunks("--- a\n+++ b\n")), (None, None));
        assert_eq!(EditSize::of_unified(""), None);
    }
}
