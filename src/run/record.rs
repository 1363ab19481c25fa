//! How a run ended: the file `exit.json`. Once it is there the run is over, and it never changes.

use serde::{Deserialize, Serialize};

use super::folder::Lengths;
use crate::domain::run::RunEnd;
use crate::domain::time::Timestamp;

/// The version of `exit.json` that this Draft writes.
pub const RECORD_VERSION: u32 = 1;

/// What is known about a run that is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExitRecord {
    /// [`RECORD_VERSION`] of the Draft that wrote it.
    pub version: u32,
    /// How it ended.
    pub end: RunEnd,
    /// When its program was started; nothing when it was not, or nobody knows.
    pub started_at: Option<Timestamp>,
    /// When it was over. For a lost run: when that was found out.
    pub ended_at: Timestamp,
    /// How much it left on standard output, in bytes.
    pub stdout_bytes: u64,
    /// How much it left on standard error, in bytes.
    pub stderr_bytes: u64,
    /// A file of its output got smaller than it was, so output is missing: the program truncated it.
    pub shrank: bool,
    /// How many processes were left when the program had ended by itself, and had to be stopped. For a lost run: how
    /// many of its processes were found.
    pub stragglers: u32,
    /// What else people should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ExitRecord {
    /// Returns a record of a run that is over now, without stragglers or a message.
    pub(super) fn new(end: RunEnd, ended_at: Timestamp, lengths: Lengths) -> Self {
        Self {
            version: RECORD_VERSION,
            end,
            started_at: None,
            ended_at,
            stdout_bytes: lengths.stdout,
            stderr_bytes: lengths.stderr,
            shrank: false,
            stragglers: 0,
            message: None,
        }
    }
}
