//! Landing: bringing an approved change to the branch that it is meant for.

use serde::{Deserialize, Serialize};

use super::run::RunEnd;
use super::state::words;

words! {
    /// How a change is brought to its target.
    Strategy, "strategy" {
        /// One commit with all of it.
        Squash = "squash",
        /// The ticket's own commits, and a commit that joins them.
        Merge = "merge",
        /// The ticket's own commits, written anew on top of the target.
        Rebase = "rebase",
    }
}

/// What a landing is about to do to the target. It is stored before it is done: after a crash in between, the branch says
/// which of the two commits it is at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that it is at.
    pub from: String,
    /// The commit that it is to be at.
    pub to: String,
}

/// What came of a land job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Landing {
    /// The target has the change.
    Landed {
        /// What was done.
        intent: Intent,
        /// What went not as it should and hurt nothing: a pull or a push that failed.
        warnings: Vec<String>,
    },
    /// The target has it already; nothing was to be done.
    Already {
        /// The target.
        branch: String,
    },
    /// The change and what came to the target meanwhile do not go together.
    Conflict {
        /// The target.
        branch: String,
        /// The files, each with what kind of conflict it is.
        files: Vec<(String, String)>,
    },
    /// The checks fail on what would be on the target.
    Red {
        /// The command.
        command: String,
        /// How it ended.
        end: RunEnd,
        /// What came to the target since the change was made, and could be why.
        beside: Vec<String>,
    },
    /// It cannot land here and now; nothing was changed.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}
