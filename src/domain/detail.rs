//! Everything about one ticket that the board itself does not keep.

use serde_json::json;

use super::event::{Event, EventKind, NewEvent};
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

impl Detail {
    /// Says whether a comment on an earlier revision, or the one that it answers, was not dealt with when this one was made. What is
    /// dealt with since stays where it is read, so that one sees it and can take it back.
    pub fn carries(&self, comment: &Comment, revision: &Revision) -> bool {
        let root = comment.reply_to.unwrap_or(comment.id);
        let is_open = self.comments.iter().any(|one| one.id == root && one.is_open());
        let is_about =
            |event: &NewEvent| event.kind == EventKind::CommentResolved && event.payload["comment_id"] == json!(root);
        let last = self.events.iter().rev().map(|row| &row.event).find(|event| is_about(event));
        is_open || last.is_some_and(|event| event.at >= revision.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Actor;
    use crate::domain::id::CommentId;
    use crate::domain::review::{Side, Spot};
    use crate::domain::sample;
    use crate::domain::time::Timestamp;

    /// A ticket with one comment on its first revision, which was dealt with, or opened again, at these times.
    fn commented(resolved: bool, decided: &[(bool, i64)]) -> Detail {
        let (ticket, id) = (sample::id(1), CommentId(uuid::Uuid::from_u128(1)));
        let spot = Spot { path: "a".into(), side: Side::New, lines: None, quoted: String::new(), hunk: String::new() };
        let comment = Comment {
            id,
            ticket,
            revision: 1,
            spot,
            body: "Why?".into(),
            author: Actor::human(),
            reply_to: None,
            resolved,
            at: Timestamp(1),
        };
        let event = |(seq, (resolved, at)): (i64, &(bool, i64))| {
            let event = NewEvent {
                ticket,
                at: Timestamp(*at),
                kind: EventKind::CommentResolved,
                from: None,
                to: None,
                actor: Actor::human(),
                reason: String::new(),
                payload: json!({ "comment_id": id, "resolved": resolved }),
            };
            Event { seq, event }
        };
        Detail {
            ticket,
            description: String::new(),
            jobs: Vec::new(),
            runs: Vec::new(),
            revisions: Vec::new(),
            comments: vec![comment],
            reviews: Vec::new(),
            remarks: Vec::new(),
            evidence: Vec::new(),
            events: (1..).zip(decided).map(event).collect(),
        }
    }

    #[test]
    fn what_was_open_when_a_revision_was_made_stays_with_it() {
        let second = Revision { at: Timestamp(100), ..sample::revision(1, 2) };
        let carries = |resolved, decided: &[(bool, i64)]| {
            let detail = commented(resolved, decided);
            detail.carries(&detail.comments[0], &second)
        };
        assert!(carries(false, &[]));
        assert!(carries(true, &[(true, 200)]), "dealt with since");
        assert!(!carries(true, &[(true, 50)]), "dealt with before");
        assert!(carries(true, &[(true, 50), (false, 150), (true, 200)]));
    }
}
