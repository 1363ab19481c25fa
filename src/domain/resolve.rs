//! Resolving a conflict in a ticket's worktree: what git has under way there, and what somebody wants done about it.

use serde::{Deserialize, Serialize};

use super::outlook::ConflictFile;
use super::state::words;

words! {
    /// What git has under way in a work tree.
    Operation, "operation" {
        /// A merge.
        Merge = "merge",
        /// A rebase.
        Rebase = "rebase",
        /// Commits are picked from elsewhere.
        CherryPick = "cherry-pick",
        /// Commits are taken back.
        Revert = "revert",
        /// Files conflict, and nothing says since when.
        Unknown = "unknown",
    }
}

/// What git has under way in a worktree, read from its own files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnderWay {
    /// What.
    pub operation: Operation,
    /// The files that nobody has resolved yet.
    pub unresolved: Vec<ConflictFile>,
}

impl UnderWay {
    /// Says what is left to do, in a sentence for people.
    pub fn in_words(&self) -> String {
        let operation = match self.operation {
            Operation::Unknown => "a conflict",
            Operation::Merge | Operation::Rebase | Operation::CherryPick | Operation::Revert => self.operation.as_str(),
        };
        if self.unresolved.is_empty() {
            return format!("a {operation} is under way in its worktree, and everything is resolved")
                .replacen("a a ", "a ", 1);
        }
        let named: Vec<String> =
            self.unresolved.iter().take(5).map(|file| format!("{} ({})", file.path, file.kind)).collect();
        let more = self.unresolved.len().checked_sub(5).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        format!("the {operation} in its worktree is not resolved: {}{more}", named.join(", "))
            .replacen("the a ", "the ", 1)
    }
}

/// What somebody wants done about a conflict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The target is merged into the ticket's worktree, and a person resolves it there.
    Start,
    /// What is under way there is given up, and everything is as before.
    Abort,
    /// The ticket's agent works on it.
    Send {
        /// The branch with which the change conflicts.
        target: String,
        /// Where.
        files: Vec<ConflictFile>,
    },
}

/// What came of merging a target into a worktree, or of giving that up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolving {
    /// The merge is under way, and these files are to be resolved; none where they went together.
    Begun {
        /// What was merged.
        target: String,
        /// The files.
        files: Vec<ConflictFile>,
    },
    /// The worktree is as it was before.
    Aborted {
        /// The ref that keeps what was there until then, if that was something else.
        kept: Option<String>,
    },
    /// Nothing was done.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}
