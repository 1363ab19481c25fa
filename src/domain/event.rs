//! The history of a ticket: what happened, when, by whom and why. Events are only ever appended.

use serde::{Deserialize, Serialize};

use super::id::TicketId;
use super::state::{StateName, words};
use super::time::Timestamp;

words! {
    /// What happened.
    EventKind, "event kind" {
        /// The ticket was filed.
        Created = "created",
        /// It changed its state.
        Transitioned = "transitioned",
        /// A field of it was edited.
        Updated = "updated",
        /// A note.
        Comment = "comment",
        /// A job was asked for.
        JobQueued = "job_queued",
        /// Somebody asked to stop its job.
        CancelRequested = "cancel_requested",
        /// A landing was asked for.
        MergeRequested = "merge_requested",
        /// A landing succeeded.
        MergeSucceeded = "merge_succeeded",
        /// A landing failed.
        MergeFailed = "merge_failed",
        /// Somebody commented on its change.
        CommentAdded = "comment_added",
        /// A comment was resolved, or opened again.
        CommentResolved = "comment_resolved",
        /// A revision was reviewed.
        ReviewSubmitted = "review_submitted",
        /// Its worktree was removed.
        WorktreeCleaned = "worktree_cleaned",
        /// Its worktree could not be removed.
        WorktreeCleanupFailed = "worktree_cleanup_failed",
        /// Its worktree came back, from the trash or as its newest revision was.
        WorktreeRestored = "worktree_restored",
    }
}

words! {
    /// Who acts.
    ActorKind, "actor" {
        /// A person.
        Human = "human",
        /// The planner.
        Planner = "planner",
        /// Draft itself.
        System = "system",
        /// A job.
        Executor = "executor",
    }
}

/// Who did something: the kind, and the name that tells apart several of that kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// The kind.
    pub kind: ActorKind,
    /// The name, such as `execute_worker`; a person has none.
    pub name: Option<String>,
}

impl Actor {
    /// Returns the person at the keyboard.
    pub fn human() -> Self {
        Self { kind: ActorKind::Human, name: None }
    }

    /// Returns the planner, which acts without being asked.
    pub fn planner() -> Self {
        Self { kind: ActorKind::Planner, name: Some("planner".to_owned()) }
    }

    /// Returns Draft itself, in that role.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, name: Some(name.to_owned()) }
    }

    /// Returns a job's worker.
    pub fn executor(name: &str) -> Self {
        Self { kind: ActorKind::Executor, name: Some(name.to_owned()) }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => f.pad(name),
            None => f.pad(self.kind.as_str()),
        }
    }
}

/// An event before it is stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewEvent {
    /// The ticket that it is about.
    pub ticket: TicketId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The state before.
    pub from: Option<StateName>,
    /// The state after.
    pub to: Option<StateName>,
    /// Who.
    pub actor: Actor,
    /// Why, for people.
    pub reason: String,
    /// Facts for programs, a JSON object.
    pub payload: serde_json::Value,
}

/// An event as stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its number; later events have larger ones.
    pub seq: i64,
    /// What it says.
    #[serde(flatten)]
    pub event: NewEvent,
}
