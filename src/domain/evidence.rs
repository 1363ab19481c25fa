//! Evidence: which command ran for a ticket, how it ended, and where its output is kept.

use serde::{Deserialize, Serialize};

use super::id::{EvidenceId, TicketId};
use super::run::{RunEnd, RunId};
use super::state::words;
use super::time::Timestamp;

words! {
    /// What a piece of evidence shows.
    EvidenceKind, "evidence kind" {
        /// The agent's run.
        Executor = "executor_stdout",
        /// One check.
        Check = "verify_stdout",
    }
}

/// One command that ran for a ticket. Its output is in the folder of its run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Its identity.
    pub id: EvidenceId,
    /// The ticket.
    pub ticket: TicketId,
    /// The run that it comes from.
    pub run: RunId,
    /// The run's folder below the folder of all runs.
    pub folder: String,
    /// What it shows.
    pub kind: EvidenceKind,
    /// The command, as people would type it.
    pub command: String,
    /// How it ended.
    pub end: RunEnd,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The tree that it was checked on, in hexadecimal; nothing where that is not known.
    pub tree: Option<String>,
    /// A number for what else decided how a check ended, in hexadecimal: its program, what made the worktree ready, and the
    /// variables. Nothing where that is not known.
    #[serde(default)]
    pub surroundings: Option<String>,
    /// When it was over.
    pub at: Timestamp,
}
