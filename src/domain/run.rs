//! A run: one supervised process tree of a job, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::JobId;
use super::state::words;
use super::time::Timestamp;

words! {
    /// What a run is for.
    RunKind, "run kind" {
        /// Prepares a worktree.
        Setup = "setup",
        /// An agent.
        Execute = "execute",
        /// One check.
        Check = "check",
        /// Undoes what a set-up did.
        Cleanup = "cleanup",
    }
}

/// Names one run: its job and its number in it, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RunId {
    /// The job.
    pub job: JobId,
    /// The number.
    pub n: u32,
}

impl RunId {
    /// Returns the folder of this run of that kind, below the folder of all runs: `<job>/<n>-<kind>`.
    pub fn folder(self, kind: RunKind) -> String {
        format!("{}/{}-{kind}", self.job, self.n)
    }
}

/// One supervised process tree. Its output and its end are in its folder; this is the row that points there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// What it is for.
    pub kind: RunKind,
    /// What runs, as people would type it.
    pub command: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was over; nothing while it runs.
    pub finished_at: Option<Timestamp>,
    /// How it ended; nothing while it runs.
    pub end: Option<RunEnd>,
}

impl Run {
    /// Returns its folder below the folder of all runs: `<job>/<n>-<kind>`.
    pub fn folder(&self) -> String {
        self.id.folder(self.kind)
    }
}

/// How a run ended. Exactly what the supervisor saw, without judging it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum RunEnd {
    /// It ended by itself with that code.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// A signal that Draft did not send ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// It ran longer than allowed and was stopped.
    TimedOut,
    /// It printed nothing for longer than allowed and was stopped.
    Silent,
    /// It printed more than allowed and was stopped.
    TooMuchOutput,
    /// Somebody asked to stop it.
    Stopped,
    /// It could not be started.
    NotStarted {
        /// Why.
        error: String,
    },
    /// It is over, and nobody saw how.
    Lost,
}

impl RunEnd {
    /// Says whether it ended by itself with code 0.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }

    /// Returns the exit code, where there is one.
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Exited { code } => Some(*code),
            Self::Signaled { .. }
            | Self::TimedOut
            | Self::Silent
            | Self::TooMuchOutput
            | Self::Stopped
            | Self::NotStarted { .. }
            | Self::Lost => None,
        }
    }

    /// Returns the signal, where one that Draft did not send ended it.
    pub fn signal(&self) -> Option<i32> {
        match self {
            Self::Signaled { signal } => Some(*signal),
            Self::Exited { .. }
            | Self::TimedOut
            | Self::Silent
            | Self::TooMuchOutput
            | Self::Stopped
            | Self::NotStarted { .. }
            | Self::Lost => None,
        }
    }
}

/// A fragment such as `exited with code 101`.
impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exited with code {code}"),
            Self::Signaled { signal } => write!(f, "was ended by signal {signal}"),
            Self::TimedOut => f.write_str("ran out of time and was stopped"),
            Self::Silent => f.write_str("printed nothing for too long and was stopped"),
            Self::TooMuchOutput => f.write_str("printed too much and was stopped"),
            Self::Stopped => f.write_str("was stopped"),
            Self::NotStarted { error } => write!(f, "could not be started: {error}"),
            Self::Lost => f.write_str("ended, and no one saw how"),
        }
    }
}
