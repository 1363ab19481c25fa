//! A change as people read it: files, hunks and lines.

use serde::{Deserialize, Serialize};

use super::follow::Place;
use super::id::TicketId;
use super::review::Comment;
use super::revision::{ChangeSize, Revision};
use super::state::words;

words! {
    /// What happened to a file.
    FileChange, "file change" {
        /// It is new.
        Added = "added",
        /// It is gone.
        Deleted = "deleted",
        /// Its content or mode differs.
        Modified = "modified",
        /// It has another name.
        Renamed = "renamed",
    }
}

/// One file of a change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileDiff {
    /// What happened.
    pub change: FileChange,
    /// Its name now; bytes that are not UTF-8 are shown as `\xNN`.
    pub path: String,
    /// Its name before, when it was renamed.
    pub old_path: Option<String>,
    /// Its octal mode before and now, when that differs.
    pub modes: Option<(u32, u32)>,
    /// What of its content can be shown.
    pub content: Content,
}

/// What of a file's change can be shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Lines, in hunks; none when only the name or mode differs.
    Text(Vec<Hunk>),
    /// Not text; sizes in bytes before and now.
    Binary {
        /// Before.
        old_size: u64,
        /// Now.
        new_size: u64,
    },
    /// Text too large to compare line by line; sizes in bytes before and now.
    TooLarge {
        /// Before.
        old_size: u64,
        /// Now.
        new_size: u64,
    },
    /// A submodule points elsewhere; the commits before and now.
    Submodule {
        /// Before.
        old: Option<String>,
        /// Now.
        new: Option<String>,
    },
}

/// Lines that stand together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hunk {
    /// First line before, counted from 1; 0 where there is none.
    pub old_start: u32,
    /// Lines before.
    pub old_lines: u32,
    /// First line now, counted from 1; 0 where there is none.
    pub new_start: u32,
    /// Lines now.
    pub new_lines: u32,
    /// The lines, unchanged ones around included.
    pub lines: Vec<DiffLine>,
}

/// One line of a hunk, without its line end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "text", rename_all = "snake_case")]
pub enum DiffLine {
    /// In both.
    Context(String),
    /// Only now.
    Added(String),
    /// Only before.
    Removed(String),
    /// The line before this one has no line end.
    NoNewline,
}

/// Which change is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiffRequest {
    /// The ticket.
    pub ticket: TicketId,
    /// The number of the revision.
    pub revision: u32,
    /// The earlier revision with which it is compared; nothing compares it with what it started from.
    pub since: Option<u32>,
}

/// A change that was wanted.
#[derive(Clone, PartialEq, Debug)]
pub struct DiffPage {
    /// What was wanted.
    pub request: DiffRequest,
    /// The change, or why there is none.
    pub change: Result<Change, String>,
}

/// A revision's change with what was said about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The revision.
    pub revision: Revision,
    /// What differs.
    pub files: Vec<FileDiff>,
    /// The comments on it, and those on earlier revisions that were not dealt with when it was made, each with where it is now.
    pub comments: Vec<(Comment, Place)>,
}

impl Hunk {
    /// Returns its head as git writes it: `@@ -1,3 +1,4 @@`.
    pub fn head(&self) -> String {
        let range = |start: u32, lines: u32| if lines == 1 { start.to_string() } else { format!("{start},{lines}") };
        let (old, new) = (range(self.old_start, self.old_lines), range(self.new_start, self.new_lines));
        format!("@@ -{old} +{new} @@")
    }
}

impl FileDiff {
    /// Returns how many lines came and went.
    pub fn size(&self) -> ChangeSize {
        let mut size = ChangeSize { files: 1, ..ChangeSize::default() };
        if let Content::Text(hunks) = &self.content {
            for line in hunks.iter().flat_map(|hunk| &hunk.lines) {
                match line {
                    DiffLine::Added(_) => size.insertions += 1,
                    DiffLine::Removed(_) => size.deletions += 1,
                    DiffLine::Context(_) | DiffLine::NoNewline => {}
                }
            }
        }
        size
    }
}

/// Returns the size of a whole change.
pub fn total_size(files: &[FileDiff]) -> ChangeSize {
    files.iter().map(FileDiff::size).fold(ChangeSize::default(), |sum, size| ChangeSize {
        files: sum.files + size.files,
        insertions: sum.insertions + size.insertions,
        deletions: sum.deletions + size.deletions,
    })
}
