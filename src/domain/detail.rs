//! Everything about one ticket that the board itself does not keep.

use super::event::Event;
use super::evidence::Evidence;
use super::id::TicketId;
use super::job::Job;
use super::pull_request::Remark;
use super::review::{Comment, Review};
use super::revision::Revision;
use super::run::Run;

/// Everything about one ticket that the board itself does not keep, loaded when somebody looks at it.
#[derive(Clone, PartialEq, Debug)]
pub struct Detail {
    /// The ticket.
    pub ticket: TicketId,
    /// What is to be done, at length; Markdown.
    pub description: String,
    /// Its jobs, oldest first.
    pub jobs: Vec<Job>,
    /// Their runs, by job and number.
    pub runs: Vec<Run>,
    /// Its revisions, oldest first.
    pub revisions: Vec<Revision>,
    /// The comments on them, oldest first.
    pub comments: Vec<Comment>,
    /// What was decided about them, oldest first.
    pub reviews: Vec<Review>,
    /// The comments on its pull request when its host was asked last, oldest first.
    pub remarks: Vec<Remark>,
    /// Its evidence, oldest first.
    pub evidence: Vec<Evidence>,
    /// Its history, oldest first.
    pub events: Vec<Event>,
}
