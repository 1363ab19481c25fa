//! A review: what a person says about a revision, line by line and as a whole, and what they decide.

use serde::{Deserialize, Serialize};
use sha1_smol::Sha1;

use super::diff::{Content, DiffLine, FileDiff, Hunk};
use super::event::Actor;
use super::id::{CommentId, TicketId};
use super::state::words;
use super::time::Timestamp;

/// Longest path that can be commented on, in characters.
pub const PATH_MAX: usize = 500;
/// Longest comment and longest summary, in characters.
pub const TEXT_MAX: usize = 20_000;
/// With so many revisions a ticket's agent is not started by a review any more: a person has to look at why.
pub const REVISIONS_MAX: u32 = 5;

words! {
    /// What a reviewer decides about a revision.
    Verdict, "decision" {
        /// It may land.
        Approve = "approved",
        /// It needs more work.
        RequestChanges = "changes_requested",
    }
}

words! {
    /// Which side of a change a line is on.
    Side, "side" {
        /// As it was.
        Old = "old",
        /// As it is now.
        New = "new",
    }
}

/// The first and the last line of several, counted from 1.
pub type Lines = (u32, u32);

/// Lines of a file that something is said about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spot {
    /// The file's name on that side.
    pub path: String,
    /// The side.
    pub side: Side,
    /// First and last line, counted from 1; nothing for the whole file.
    pub lines: Option<Lines>,
    /// The text of the first line, to show it when it is gone.
    pub quoted: String,
    /// The head of the hunk that the line is in; a part of the anchor.
    pub hunk: String,
}

impl Spot {
    /// Returns a spot of a change; nothing when the change has no such file.
    pub fn of(files: &[FileDiff], path: &str, side: Side, lines: Option<Lines>) -> Option<Self> {
        let name = |file: &FileDiff| match side {
            Side::New => file.path.clone(),
            Side::Old => file.old_path.clone().unwrap_or_else(|| file.path.clone()),
        };
        let file = files.iter().find(|file| name(file) == path)?;
        let found = match (&file.content, lines) {
            (Content::Text(hunks), Some((first, _))) => hunks.iter().find_map(|hunk| quoted(hunk, side, first)),
            (Content::Text(_) | Content::Binary { .. } | Content::TooLarge { .. } | Content::Submodule { .. }, _) => {
                None
            }
        };
        let (quoted, hunk) = found.unwrap_or_default();
        Some(Self { path: path.to_owned(), side, lines, quoted, hunk })
    }

    /// Returns what names the spot for programs: the first 16 hexadecimal digits of SHA-1 over path, hunk and text.
    pub fn anchor(&self) -> String {
        let hash = Sha1::from(format!("{}::{}::{}", self.path, self.hunk, self.quoted)).digest();
        hash.bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the text of a line with the head of its hunk, if the hunk has that line.
fn quoted(hunk: &Hunk, side: Side, number: u32) -> Option<(String, String)> {
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    for line in &hunk.lines {
        let (text, in_old, in_new) = match line {
            DiffLine::Context(text) => (text, true, true),
            DiffLine::Added(text) => (text, false, true),
            DiffLine::Removed(text) => (text, true, false),
            DiffLine::NoNewline => continue,
        };
        let is_it = match side {
            Side::Old => in_old && old == number,
            Side::New => in_new && new == number,
        };
        if is_it {
            return Some((text.clone(), hunk.head()));
        }
        (old, new) = (old + u32::from(in_old), new + u32::from(in_new));
    }
    None
}

/// A comment as somebody writes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewComment {
    /// Its identity, made by the caller.
    pub id: CommentId,
    /// What it is about.
    pub spot: Spot,
    /// What is said.
    pub body: String,
    /// The comment that it answers.
    #[serde(default)]
    pub reply_to: Option<CommentId>,
}

/// A comment on a revision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Comment {
    /// Its identity.
    pub id: CommentId,
    /// The ticket.
    pub ticket: TicketId,
    /// The revision that it was written about.
    pub revision: u32,
    /// What it is about, as it was in that revision.
    pub spot: Spot,
    /// What is said.
    pub body: String,
    /// Who says it.
    pub author: Actor,
    /// The comment that it answers.
    pub reply_to: Option<CommentId>,
    /// Whether it is dealt with.
    pub resolved: bool,
    /// When it was written.
    pub at: Timestamp,
}

impl Comment {
    /// Says whether something is still to be done about it. An answer belongs to what it answers.
    pub fn is_open(&self) -> bool {
        !self.resolved && self.reply_to.is_none()
    }
}

/// What was decided about a revision. There is one for each.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Review {
    /// The ticket.
    pub ticket: TicketId,
    /// The revision.
    pub revision: u32,
    /// What was decided.
    pub verdict: Verdict,
    /// What is said about all of it; may be empty.
    pub summary: String,
    /// Who decided.
    pub author: Actor,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_the_start_of_a_hash_over_path_hunk_and_text() {
        let spot = Spot {
            path: "src/a.rs".into(),
            side: Side::New,
            lines: Some((3, 3)),
            quoted: "let a = 1;".into(),
            hunk: "@@ -1,3 +1,4 @@".into(),
        };
        // As `printf '%s' 'src/a.rs::@@ -1,3 +1,4 @@::let a = 1;' | sha1sum` says.
        assert_eq!(spot.anchor(), "e3c3fcda19110ca6");
        let elsewhere = Spot { lines: Some((9, 9)), ..spot.clone() };
        assert_eq!(elsewhere.anchor(), spot.anchor(), "the number of a line is no part of it");
    }
}
