//! What is to be saved, and what became true once it was.

use super::autopilot::Autopilot;
use super::cleanup::Cleaned;
use super::event::{Event, NewEvent};
use super::evidence::Evidence;
use super::goal::Goal;
use super::id::{BoardId, JobId, TicketId};
use super::job::{Job, JobStatus};
use super::pull_request::Remarks;
use super::review::{Comment, Review};
use super::revision::Revision;
use super::run::Run;
use super::state::StateName;
use super::ticket::{Ticket, Usage};

/// What a decision leads to: first everything is saved in one transaction, then what is to be stopped is stopped. After a
/// crash in between, recovery finds the wish to stop in what was saved.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Steps {
    /// What to save, in this order.
    pub saves: Vec<Save>,
    /// The jobs whose process trees are to be stopped.
    pub stops: Vec<JobId>,
    /// What is to come back from the trash.
    pub restores: Vec<Restore>,
    /// The tickets in whose worktrees a merge with their target is to begin, or to be given up.
    pub merges: Vec<(TicketId, Merging)>,
    /// The tickets whose hosts are to be asked now how their pull requests stand.
    pub looks: Vec<TicketId>,
    /// What is to be cleaned up.
    pub cleanups: Vec<CleanUp>,
}

/// What is to be done about a merge in a worktree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merging {
    /// It is to begin.
    Begin,
    /// It is to be given up.
    GiveUp,
}

/// Something of a ticket that is to be cleaned up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CleanUp {
    /// The ticket.
    pub ticket: TicketId,
    /// What of it.
    pub what: Cleaned,
    /// Why, for people.
    pub why: String,
}

/// A worktree that is to come back from the trash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restore {
    /// Its ticket.
    pub ticket: TicketId,
    /// The ref that keeps it.
    pub reference: String,
}

/// One thing to be written. Whole values, with what must still be true for the write to be right.
#[derive(Clone, PartialEq, Debug)]
pub enum Save {
    /// Stores a goal.
    Goal(Goal),
    /// Stores a new ticket with its description; its first event comes beside it.
    NewTicket {
        /// The ticket.
        ticket: Ticket,
        /// Its description.
        description: String,
    },
    /// Stores a ticket again, if it is still in that state.
    Ticket {
        /// The ticket as it is to be.
        ticket: Ticket,
        /// The state in which it must be now.
        was: StateName,
    },
    /// Stores another description of a ticket; the ticket itself is stored beside it.
    Description {
        /// The ticket.
        ticket: TicketId,
        /// The description.
        text: String,
    },
    /// Stores a job: a new one, or one that still has that status.
    Job {
        /// The job as it is to be.
        job: Job,
        /// The status that it must have now; nothing for a new one.
        was: Option<JobStatus>,
    },
    /// Stores a run, new or again.
    Run(Run),
    /// Stores evidence, once for each run.
    Evidence(Evidence),
    /// Stores a revision, once for each job; open ones of its ticket are superseded.
    Revision(Revision),
    /// Stores which boxes of a stored revision are ticked, and nothing else of it.
    Ticks(Revision),
    /// Stores a comment, new or again.
    Comment(Comment),
    /// Stores what was decided about a revision.
    Review(Review),
    /// Stores the comments on a ticket's pull request, in place of those that were known; the ticket is stored beside it.
    Remarks(Remarks),
    /// Appends an event.
    Event(NewEvent),
    /// Stores whether planned tickets run without being asked.
    Autopilot(BoardId, Autopilot),
}

/// What became true: whole new values, so that applying one twice is harmless.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A goal.
    Goal(Goal),
    /// A ticket.
    Ticket(Ticket),
    /// A job.
    Job(Job),
    /// A run.
    Run(Run),
    /// Evidence.
    Evidence(Evidence),
    /// A revision.
    Revision(Revision),
    /// A comment.
    Comment(Comment),
    /// What was decided about a revision.
    Review(Review),
    /// An event.
    Event(Event),
    /// Whether planned tickets run without being asked.
    Autopilot(Autopilot),
    /// What a running job does right now; it is not stored.
    Live {
        /// The job.
        job: JobId,
        /// What it does.
        live: Live,
    },
}

/// What a running job does right now, read from its output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Live {
    /// What its agent used so far.
    pub usage: Usage,
    /// Its agent tries to reach its model again.
    pub retrying: Option<String>,
    /// Bytes of output so far.
    pub output_bytes: u64,
}
