//! A revision: one complete state of a ticket's change, kept as git objects.

use serde::{Deserialize, Serialize};

use super::checklist::Tick;
use super::id::{JobId, TicketId};
use super::state::words;
use super::time::Timestamp;

words! {
    /// What became of a revision.
    RevisionStatus, "revision status" {
        /// To be reviewed.
        Open = "open",
        /// A reviewer wants more.
        ChangesRequested = "changes_requested",
        /// A reviewer approved it.
        Approved = "approved",
        /// A newer one took its place.
        Superseded = "superseded",
    }
}

/// One complete state of a ticket's change. Its objects are under `refs/draft/revisions/<ticket>/<number>`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Revision {
    /// The ticket.
    pub ticket: TicketId,
    /// Its number, counted from 1 for each ticket.
    pub number: u32,
    /// The job that made it.
    pub job: JobId,
    /// What became of it.
    pub status: RevisionStatus,
    /// The commit that the change is against.
    pub base: String,
    /// The tree with the change.
    pub tree: String,
    /// The commit that holds the tree.
    pub head: String,
    /// How large it is.
    pub size: ChangeSize,
    /// When it was made.
    pub at: Timestamp,
    /// The boxes of its checklist that somebody ticked, in the order of the list.
    #[serde(default)]
    pub ticks: Vec<Tick>,
}

/// How large a change is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ChangeSize {
    /// Files that differ.
    pub files: u32,
    /// Lines that came.
    pub insertions: u32,
    /// Lines that went.
    pub deletions: u32,
}

/// The ref that keeps a revision's objects.
pub fn revision_ref(ticket: TicketId, number: u32) -> String {
    format!("refs/draft/revisions/{ticket}/{number}")
}
