//! What was learned about a job or a worktree: the other kind of input that the rules decide on.

use super::autonomy::Examined;
use super::id::{JobId, TicketId};
use super::landing::{Intent, Landing};
use super::outcome::{Executed, Resumed, Verified};
use super::pull_request::{Dealt, Remark, Seen};
use super::resolve::Resolving;
use super::run::RunEnd;
use super::ticket::{Usage, Worktree};
use super::time::Timestamp;

/// What was learned.
#[derive(Clone, PartialEq, Debug)]
pub enum Fact {
    /// The engine has a slot for this queued job and takes it.
    Taken {
        /// The job.
        job: JobId,
    },
    /// A queued job cannot start yet.
    Held {
        /// The job.
        job: JobId,
        /// What it waits for.
        reason: String,
    },
    /// An agent failed in a way that may pass, and is to be started again.
    TryAgain {
        /// The job.
        job: JobId,
        /// The try that follows, counted from 1.
        attempt: u32,
        /// What failed, and when the next try starts.
        reason: String,
        /// What the job's tries used until now.
        usage: Usage,
    },
    /// A verify job has counted its checks.
    Counted {
        /// The job.
        job: JobId,
        /// How many there are.
        checks: u32,
    },
    /// A worktree was made for the job's ticket.
    WorktreeMade {
        /// The job.
        job: JobId,
        /// The worktree.
        worktree: Worktree,
    },
    /// The job's agent is known: which one, with which model, in which session.
    AgentChosen {
        /// The job.
        job: JobId,
        /// The agent.
        agent: String,
        /// The model.
        model: Option<String>,
        /// The session.
        session: Option<String>,
    },
    /// The job's agent has told the name of its session: known while it runs, so that it is known however it ends.
    SessionTold {
        /// The job.
        job: JobId,
        /// The session.
        session: String,
    },
    /// An execute job is over.
    Executed {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: Executed,
        /// How its agent ended; nothing when none was started.
        end: Option<RunEnd>,
        /// What its agent used.
        usage: Usage,
        /// The agent's own name for its session.
        session: Option<String>,
        /// Files outside its worktree that it wrote: no part of any change.
        outside: Vec<String>,
    },
    /// A verify job is over.
    Verified {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: Verified,
    },
    /// A resume job is over.
    Resumed {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: Resumed,
    },
    /// A landing is about to move its target.
    Intends {
        /// The job.
        job: JobId,
        /// What it is about to do.
        intent: Intent,
    },
    /// A land job is over.
    Landed {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: Landing,
    },
    /// A job that dealt with a pull request is over.
    Dealt {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: Dealt,
    },
    /// A host was asked about a ticket's pull request, and answered.
    HostSeen {
        /// The ticket.
        ticket: TicketId,
        /// When it was asked.
        began: Timestamp,
        /// What it says.
        seen: Box<Seen>,
        /// The comments there, oldest first.
        remarks: Vec<Remark>,
    },
    /// A host was asked about a ticket's pull request, and did not answer.
    HostUnseen {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        reason: String,
    },
    /// The job's tree was stopped because somebody asked.
    Stopped {
        /// The job.
        job: JobId,
        /// What its agent used until then; nothing when none was started.
        used: Option<Usage>,
    },
    /// The job is over, and no one saw how.
    Lost {
        /// The job.
        job: JobId,
        /// What is known.
        reason: String,
        /// What its agent used until then; nothing when none was started.
        used: Option<Usage>,
    },
    /// Draft could not do the job: no worktree, a full disk.
    Broke {
        /// The job.
        job: JobId,
        /// What failed.
        reason: String,
        /// What its agent used until then; nothing when none was started.
        used: Option<Usage>,
    },
    /// The worktree of a ticket that is done or abandoned is gone, and can come back.
    WorktreeRemoved {
        /// The ticket.
        ticket: TicketId,
        /// The ref that keeps what it held; nothing when there was nothing any more.
        reference: Option<String>,
        /// Why it went, where that does not follow from its ticket; may be empty.
        why: String,
        /// Its branch stays, and is the person's from now on.
        kept_branch: Option<String>,
    },
    /// What runs of a ticket printed is gone.
    OutputCleaned {
        /// The ticket.
        ticket: TicketId,
        /// Of how many runs.
        runs: u32,
        /// How much it was.
        bytes: u64,
    },
    /// The worktree of a ticket that is done or abandoned stays.
    WorktreeStays {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        reason: String,
    },
    /// Somebody looked at a change that waits for a person and might go on without one.
    Examined {
        /// Its ticket.
        ticket: TicketId,
        /// What was found.
        examined: Box<Examined>,
    },
    /// The autopilot would run a planned ticket and may not.
    PassedOver {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        reason: String,
    },
    /// A merge began in a ticket's worktree, or was given up.
    Resolving {
        /// The ticket.
        ticket: TicketId,
        /// What came of it.
        what: Resolving,
    },
    /// A worktree came back, from the trash or as its newest revision was.
    WorktreeRestored {
        /// The ticket.
        ticket: TicketId,
        /// What it is now.
        worktree: Worktree,
        /// What kept it until now.
        reference: String,
    },
}

impl Fact {
    /// Says whether it ends a job, so that another one may follow from it.
    pub fn ends_job(&self) -> bool {
        match self {
            Self::Executed { .. }
            | Self::Verified { .. }
            | Self::Resumed { .. }
            | Self::Landed { .. }
            | Self::Dealt { .. }
            | Self::Stopped { .. }
            | Self::Lost { .. }
            | Self::Broke { .. } => true,
            Self::Taken { .. }
            | Self::Held { .. }
            | Self::TryAgain { .. }
            | Self::Counted { .. }
            | Self::WorktreeMade { .. }
            | Self::AgentChosen { .. }
            | Self::SessionTold { .. }
            | Self::Intends { .. }
            | Self::Examined { .. }
            | Self::PassedOver { .. }
            | Self::Resolving { .. }
            | Self::HostSeen { .. }
            | Self::HostUnseen { .. }
            | Self::OutputCleaned { .. }
            | Self::WorktreeRemoved { .. }
            | Self::WorktreeStays { .. }
            | Self::WorktreeRestored { .. } => false,
        }
    }

    /// Returns the job that it is about, if it is about one.
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::Taken { job }
            | Self::Held { job, .. }
            | Self::TryAgain { job, .. }
            | Self::Resumed { job, .. }
            | Self::Counted { job, .. }
            | Self::WorktreeMade { job, .. }
            | Self::AgentChosen { job, .. }
            | Self::SessionTold { job, .. }
            | Self::Executed { job, .. }
            | Self::Verified { job, .. }
            | Self::Intends { job, .. }
            | Self::Landed { job, .. }
            | Self::Dealt { job, .. }
            | Self::Stopped { job, .. }
            | Self::Lost { job, .. }
            | Self::Broke { job, .. } => Some(*job),
            Self::Examined { .. }
            | Self::PassedOver { .. }
            | Self::Resolving { .. }
            | Self::HostSeen { .. }
            | Self::HostUnseen { .. }
            | Self::OutputCleaned { .. }
            | Self::WorktreeRemoved { .. }
            | Self::WorktreeStays { .. }
            | Self::WorktreeRestored { .. } => None,
        }
    }
}
