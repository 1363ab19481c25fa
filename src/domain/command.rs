//! What a person, a rule or the command line wants, and the answer when it cannot be.

use serde::{Deserialize, Serialize};

use super::archive::Archive;
use super::autonomy::{AutonomyEdit, Ceiling};
use super::autopilot::Autopilot;
use super::checklist::Item;
use super::cleanup::Cleaned;
use super::event::Actor;
use super::goal::Goal;
use super::id::{CommentId, GoalId, TicketId, TicketRef};
use super::job::JobKind;
use super::landing::Strategy;
use super::pull_request::Errand;
use super::resolve::Deed;
use super::review::{NewComment, Verdict};
use super::state::{StateName, words};
use super::ticket::{Priority, Title};

/// What somebody wants. It is data, so that another process can hand it to the one that acts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Several that belong together, in this order: all of it or nothing. None of them may ask for a job.
    Together(Vec<Command>),
    /// Sets a goal.
    AddGoal(Goal),
    /// Changes a goal; what is left out stays as it is.
    EditGoal {
        /// The goal.
        goal: GoalId,
        /// The new title.
        title: Option<Title>,
        /// The new description.
        description: Option<String>,
        /// What may happen without a person.
        #[serde(default)]
        autonomy: AutonomyEdit,
        /// What its tickets may cost, in millionths of a US dollar.
        #[serde(default)]
        budget: Option<Ceiling<u64>>,
    },
    /// Takes a goal off the board; its tickets stay.
    RemoveGoal {
        /// The goal.
        goal: GoalId,
    },
    /// Puts a goal that was removed back on the board, with its tickets.
    BringBackGoal {
        /// The goal.
        goal: GoalId,
    },
    /// Files tickets, all of them or none.
    AddTickets(Vec<NewTicket>),
    /// Takes a board in that was written into a file, all of it or nothing.
    Import(Box<Import>),
    /// Moves a ticket by hand. A move to executing asks for a run.
    Move {
        /// The ticket.
        ticket: TicketRef,
        /// Where to.
        to: StateName,
        /// Why.
        reason: Option<String>,
    },
    /// Changes fields of a ticket.
    Edit {
        /// The ticket.
        ticket: TicketRef,
        /// The new values; of several for one field the last counts.
        edits: Vec<Edit>,
    },
    /// Puts a ticket at another place among those of its column that are as urgent.
    Place {
        /// The ticket.
        ticket: TicketRef,
        /// Where.
        place: Place,
    },
    /// Takes a ticket off the board; its worktree goes into the trash.
    Remove {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Puts a ticket that was removed back on the board.
    BringBack {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Asks for an agent to work on a ticket.
    Run {
        /// The ticket.
        ticket: TicketRef,
        /// Which one, for this once.
        #[serde(default)]
        choice: AgentChoice,
    },
    /// Lets the autopilot ask for a planned ticket to run.
    Pick {
        /// The ticket.
        ticket: TicketRef,
        /// Why this one.
        reason: String,
    },
    /// Brings a ticket's worktree back from the trash.
    Restore {
        /// The ticket.
        ticket: TicketRef,
        /// The ref that keeps it.
        reference: String,
    },
    /// Stops the ticket's job, or takes it out of the queue.
    Cancel {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Asks for the checks to run again on what the worktree holds.
    Verify {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Says that a person has worked in the worktree: what is there is taken over and checked.
    Resume {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Tells something to the ticket's agent: when its job ends, or at once where none runs.
    Tell {
        /// The ticket.
        ticket: TicketRef,
        /// What; nothing takes back what was not told yet.
        text: Option<String>,
    },
    /// Adds comments to a ticket's newest revision.
    Comment {
        /// The ticket.
        ticket: TicketRef,
        /// The revision, which must be the newest.
        revision: u32,
        /// What is said.
        comments: Vec<NewComment>,
    },
    /// Says that a comment is dealt with, or that it is not.
    Resolve {
        /// The ticket.
        ticket: TicketRef,
        /// The comment.
        comment: CommentId,
        /// Whether it is.
        resolved: bool,
    },
    /// Decides about a ticket's newest revision.
    Review {
        /// The ticket.
        ticket: TicketRef,
        /// What is decided and said.
        review: Reviewing,
    },
    /// Ticks boxes of the checklist of a ticket's newest revision, or takes ticks away.
    Tick {
        /// The ticket.
        ticket: TicketRef,
        /// The revision, which must be the newest; that one where nothing is.
        revision: Option<u32>,
        /// The boxes, each with whether it is to be ticked; of several for one the last counts.
        boxes: Vec<(Item, bool)>,
    },
    /// Asks for an approved change to be brought to its target.
    Land {
        /// The ticket.
        ticket: TicketRef,
        /// How; what the settings say where nothing is.
        strategy: Option<Strategy>,
    },
    /// Asks for what would be on the target after a landing to be checked.
    Recheck {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Deals with the conflict of a ticket's change with its target.
    Conflict {
        /// The ticket.
        ticket: TicketRef,
        /// How.
        deed: Deed,
    },
    /// Asks for something to be done with a ticket's pull request.
    PullRequest {
        /// The ticket.
        ticket: TicketRef,
        /// What.
        errand: Errand,
    },
    /// Asks for the host to be asked now how a ticket's pull request stands.
    LookAtHost {
        /// The ticket.
        ticket: TicketRef,
    },
    /// Takes a landed change back, as a ticket of its own.
    Revert {
        /// The ticket whose change it is.
        ticket: TicketRef,
        /// The identity of the new ticket; where the caller needs none, the one that its job gets too.
        id: Option<TicketId>,
    },
    /// Cleans up after a ticket on which nobody works.
    CleanUp {
        /// The ticket; also one that was removed.
        ticket: TicketRef,
        /// What of it.
        what: Cleaned,
        /// Why, for people.
        why: String,
    },
    /// Says whether planned tickets run without being asked.
    SetAutopilot(Autopilot),
}

impl Command {
    /// Returns the ticket that it is about, where it is about one.
    pub fn ticket(&self) -> Option<TicketRef> {
        match self {
            Self::Move { ticket, .. }
            | Self::Edit { ticket, .. }
            | Self::Place { ticket, .. }
            | Self::Remove { ticket }
            | Self::BringBack { ticket }
            | Self::Run { ticket, .. }
            | Self::Pick { ticket, .. }
            | Self::Restore { ticket, .. }
            | Self::Cancel { ticket }
            | Self::Verify { ticket }
            | Self::Resume { ticket }
            | Self::Tell { ticket, .. }
            | Self::Comment { ticket, .. }
            | Self::Resolve { ticket, .. }
            | Self::Review { ticket, .. }
            | Self::Tick { ticket, .. }
            | Self::Conflict { ticket, .. }
            | Self::Land { ticket, .. }
            | Self::Recheck { ticket }
            | Self::PullRequest { ticket, .. }
            | Self::LookAtHost { ticket }
            | Self::Revert { ticket, .. }
            | Self::CleanUp { ticket, .. } => Some(*ticket),
            Self::Together(_)
            | Self::AddGoal(_)
            | Self::EditGoal { .. }
            | Self::RemoveGoal { .. }
            | Self::BringBackGoal { .. }
            | Self::AddTickets(_)
            | Self::Import(_)
            | Self::SetAutopilot(_) => None,
        }
    }

    /// Returns the kind of job that it asks for, where it asks for one.
    pub fn job(&self) -> Option<JobKind> {
        match self {
            Self::Run { .. }
            | Self::Pick { .. }
            | Self::Tell { text: Some(_), .. }
            | Self::Conflict { deed: Deed::Send { .. }, .. }
            | Self::Move { to: StateName::Executing, .. } => Some(JobKind::Execute),
            Self::Review { review, .. } if review.run && review.verdict == Verdict::RequestChanges => {
                Some(JobKind::Execute)
            }
            Self::Verify { .. } | Self::Move { to: StateName::Verifying, .. } => Some(JobKind::Verify),
            Self::Resume { .. } => Some(JobKind::Resume),
            Self::Land { .. } | Self::Recheck { .. } => Some(JobKind::Land),
            Self::Together(_)
            | Self::AddGoal(_)
            | Self::EditGoal { .. }
            | Self::RemoveGoal { .. }
            | Self::BringBackGoal { .. }
            | Self::AddTickets(_)
            | Self::Import(_)
            | Self::Move { .. }
            | Self::Edit { .. }
            | Self::Place { .. }
            | Self::Remove { .. }
            | Self::BringBack { .. }
            | Self::Restore { .. }
            | Self::Cancel { .. }
            | Self::Tell { .. }
            | Self::Conflict { .. }
            | Self::Comment { .. }
            | Self::Resolve { .. }
            | Self::Review { .. }
            | Self::Tick { .. }
            | Self::LookAtHost { .. }
            // None of the repository's commands runs for it, so neither its trust nor a limit is looked up.
            | Self::PullRequest { .. }
            | Self::Revert { .. }
            | Self::CleanUp { .. }
            | Self::SetAutopilot(_) => None,
        }
    }
}

/// A review as somebody gives it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reviewing {
    /// The revision, which must be the newest; that one where nothing is.
    pub revision: Option<u32>,
    /// What is decided.
    pub verdict: Verdict,
    /// What is said about all of it.
    pub summary: String,
    /// What is said about single lines, on top of what was said before.
    pub comments: Vec<NewComment>,
    /// Whether the agent starts on what is requested.
    pub run: bool,
    /// Whether it is approved although comments are not resolved.
    pub anyway: bool,
}

/// A board from a file, with an identity for each goal and each ticket, made by the caller.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Import {
    /// What the file says.
    pub archive: Archive,
    /// The identities of its goals, in their order.
    pub goals: Vec<GoalId>,
    /// The identities of its tickets, in their order.
    pub tickets: Vec<TicketId>,
}

/// A new value of one field of a ticket.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// The line that says what is to be done.
    Title(Title),
    /// More about it; Markdown.
    Description(String),
    /// How urgent it is.
    Priority(Option<Priority>),
    /// The goal that it serves.
    Goal(Option<GoalId>),
    /// All that it waits for.
    After(Vec<TicketRef>),
    /// The agent that it asks for.
    Agent(Option<String>),
    /// The model that it asks for.
    Model(Option<String>),
    /// Checks of its own.
    Verify(Vec<String>),
    /// The branch from which it is to start, where that is not the board's.
    BaseBranch(Option<String>),
}

/// A place in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Right above that ticket.
    Above(TicketRef),
    /// Right below that ticket.
    Below(TicketRef),
}

/// The agent and the model that one run is asked for, in place of those of the ticket and the settings.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AgentChoice {
    /// The agent.
    pub agent: Option<String>,
    /// The model.
    pub model: Option<String>,
}

/// A ticket as somebody files it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewTicket {
    /// Its identity, made by the caller.
    pub id: TicketId,
    /// One line.
    pub title: Title,
    /// More about it; Markdown.
    pub description: String,
    /// How urgent.
    pub priority: Option<Priority>,
    /// The goal that it serves.
    pub goal: Option<GoalId>,
    /// What it waits for; earlier ones of the same call can be named too.
    pub after: Vec<TicketRef>,
    /// Whether it is accepted at once.
    pub accepted: bool,
    /// The agent that it asks for.
    pub agent: Option<String>,
    /// The model that it asks for.
    pub model: Option<String>,
    /// Checks of its own.
    pub verify: Vec<String>,
    /// The branch from which it starts, where that is not the board's.
    #[serde(default)]
    pub base_branch: Option<String>,
}

/// A command with who gives it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Who.
    pub actor: Actor,
    /// What.
    pub command: Command,
}

words! {
    /// Why something was refused, for programs.
    RefusalCode, "refusal" {
        /// There is no such ticket.
        UnknownTicket = "unknown_ticket",
        /// There is no such goal.
        UnknownGoal = "unknown_goal",
        /// The table has no such move.
        IllegalMove = "illegal_move",
        /// A value is out of its range.
        BadValue = "bad_value",
        /// Tickets would wait for each other for ever.
        Cycle = "dependency_cycle",
        /// It waits for another ticket.
        Waits = "waits_for_blocker",
        /// It has a job already.
        Busy = "job_active",
        /// It has no job to stop.
        Idle = "no_active_job",
        /// The repository's commands are not trusted yet.
        NotTrusted = "not_trusted",
        /// It had too many jobs lately.
        Limit = "limit_reached",
        /// It has no worktree, so there is nothing to check or to take over.
        NoWorktree = "no_worktree",
        /// Its change is not on the target.
        NotLanded = "not_landed",
        /// There is no such revision.
        UnknownRevision = "unknown_revision",
        /// There is no such comment.
        UnknownComment = "unknown_comment",
        /// The revision was reviewed or superseded already.
        Reviewed = "already_reviewed",
        /// Comments are not resolved.
        Unresolved = "unresolved_comments",
        /// No approved change is there to land.
        NotApproved = "not_approved",
        /// Its checklist must be done first.
        ChecklistOpen = "checklist_open",
        /// It has no pull request that is open.
        NoPullRequest = "no_pull_request",
        /// It has a pull request that is open.
        HasPullRequest = "has_pull_request",
        /// Somebody works on it, so nothing of it is cleaned up.
        Protected = "protected",
        /// Its change was taken back already.
        AlreadyReverted = "already_reverted",
        /// It was not removed, so it cannot come back.
        NotRemoved = "not_removed",
        /// It has a worktree already.
        HasWorktree = "has_worktree",
        /// It could not be done: git, a file or Draft itself failed.
        Failed = "failed",
    }
}

/// A refusal: not an error, but an answer with a reason and with what is possible instead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// For programs.
    pub code: RefusalCode,
    /// What was refused and why.
    pub message: String,
    /// What to do instead.
    pub hint: String,
}

impl Refused {
    /// Returns a refusal.
    pub fn new(code: RefusalCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }

    /// Returns the refusal to run anything before the user trusts what the repository's file would run.
    pub fn not_trusted() -> Self {
        Self::new(
            RefusalCode::NotTrusted,
            "this repository's commands are not trusted yet",
            "`draft trust --show` shows what would run, `draft trust` trusts it in its present form.",
        )
    }
}
