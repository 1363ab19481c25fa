//! A job: one piece of work on a ticket. It is a row first (queued), then taken, then finished with the ticket's move.

use serde::{Deserialize, Serialize};

use super::id::{JobId, TicketId};
use super::landing::{Intent, Strategy};
use super::pull_request::Errand;
use super::state::words;
use super::ticket::Usage;
use super::time::Timestamp;

words! {
    /// What a job does.
    JobKind, "job kind" {
        /// Runs an agent.
        Execute = "execute",
        /// Runs the checks.
        Verify = "verify",
        /// Takes over a person's edits.
        Resume = "resume",
        /// Brings an approved change to its target.
        Land = "land",
        /// Deals with its pull request on the host of the remote.
        PullRequest = "pull_request",
    }
}

words! {
    /// How far a job is.
    JobStatus, "job status" {
        /// Waits for a free slot.
        Queued = "queued",
        /// Taken by the engine.
        Running = "running",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended badly.
        Failed = "failed",
        /// Somebody stopped it.
        Canceled = "canceled",
        /// Ended, and no one saw how.
        Lost = "lost",
    }
}

impl JobStatus {
    /// Says whether the job still has something to do.
    pub fn is_active(self) -> bool {
        match self {
            Self::Queued | Self::Running => true,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::Lost => false,
        }
    }
}

/// How many checks of a verify job passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Checks {
    /// Passed so far.
    pub passed: u32,
    /// In all.
    pub total: u32,
}

/// One piece of work on a ticket, made of one or more runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its identity; its folder of runs is named by it.
    pub id: JobId,
    /// The ticket that it works on.
    pub ticket: TicketId,
    /// What it does.
    pub kind: JobKind,
    /// How far it is.
    pub status: JobStatus,
    /// Somebody asked to stop it; stored before anything is stopped, so that a crash does not forget it.
    pub cancel_requested: bool,
    /// Which try of its agent is the newest, counted from 1.
    pub attempt: u32,
    /// How often the checks have sent the change back to its agent up to this job; nothing where they never do, since a
    /// person asked for this job or worked on the change.
    pub rework: Option<u32>,
    /// What its agent is told beside the ticket.
    pub message: Option<String>,
    /// How its change is to land; nothing for jobs that land nothing, and where the settings say.
    pub strategy: Option<Strategy>,
    /// What its landing is about to do to the target.
    pub intent: Option<Intent>,
    /// It only checks what would be on the target, and lands nothing unless somebody asks for that meanwhile.
    #[serde(default)]
    pub recheck: bool,
    /// What it is to do with a pull request; nothing for jobs of other kinds.
    #[serde(default)]
    pub errand: Option<Errand>,
    /// The landing that it takes back: git does it, and no agent is started.
    pub takes_back: Option<Intent>,
    /// How many runs it has to do in all, where that is known: the number of checks.
    pub steps: Option<u32>,
    /// How many checks of the ticket's newest revision had passed when it was asked for; nothing for jobs that check it anew.
    #[serde(default)]
    pub checked: Option<Checks>,
    /// The agent that ran.
    pub agent: Option<String>,
    /// The model that the agent was asked to use.
    pub model: Option<String>,
    /// The agent's own name for its session.
    pub session: Option<String>,
    /// Exit code of the run that decided it.
    pub exit_code: Option<i32>,
    /// Signal that ended the run that decided it.
    pub signal: Option<i32>,
    /// Why it ended as it did, or why it still waits, for people.
    pub reason: String,
    /// What its agent used.
    pub usage: Usage,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When the engine took it.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

impl Job {
    /// Says whether it brings a change to its target.
    pub fn lands(&self) -> bool {
        self.kind == JobKind::Land && !self.recheck
    }

    /// Returns what it does, in a word for people.
    pub fn what(&self) -> &'static str {
        if self.recheck { "recheck" } else { self.kind.as_str() }
    }

    /// Returns a job that waits for a slot.
    pub fn queued(id: JobId, ticket: TicketId, kind: JobKind, at: Timestamp) -> Self {
        Self {
            id,
            ticket,
            kind,
            status: JobStatus::Queued,
            cancel_requested: false,
            attempt: 1,
            rework: None,
            message: None,
            strategy: None,
            intent: None,
            recheck: false,
            errand: None,
            takes_back: None,
            steps: None,
            checked: None,
            agent: None,
            model: None,
            session: None,
            exit_code: None,
            signal: None,
            reason: String::new(),
            usage: Usage::default(),
            queued_at: at,
            started_at: None,
            finished_at: None,
        }
    }
}
