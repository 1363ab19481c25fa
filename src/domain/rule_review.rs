//! What a review leads to: comments, their end, and the decision about a revision.

use serde_json::json;

use super::change::Save;
use super::command::{AgentChoice, RefusalCode, Refused, Reviewing};
use super::event::EventKind;
use super::id::{CommentId, TicketRef};
use super::review::{Comment, NewComment, PATH_MAX, REVISIONS_MAX, Review, TEXT_MAX, Verdict};
use super::revision::{Revision, RevisionStatus};
use super::rule::{Decision, illegal};
use super::rule_commands::{busy, run};
use super::state::{NeedsHuman, State, StateName};
use super::ticket::Ticket;

/// Adds comments to a ticket's newest revision, all or none.
pub(super) fn add_comments(
    decision: &mut Decision<'_>,
    name: TicketRef,
    revision: u32,
    new: &[NewComment],
) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    let revision = open_revision(decision, ticket, revision)?;
    let comments = written(decision, ticket, &revision, new)?;
    save_comments(decision, ticket, comments);
    Ok(())
}

/// Returns the revision, if it is the newest and nobody has decided about it.
fn open_revision(decision: &Decision<'_>, ticket: &Ticket, number: u32) -> Result<Revision, Refused> {
    let Some(newest) = decision.board.revision(ticket.id) else {
        let message = format!("{} has no change to review yet", ticket.number);
        return Err(Refused::new(
            RefusalCode::UnknownRevision,
            message,
            "A run that leaves a change makes a revision.",
        ));
    };
    if number > newest.number || number == 0 {
        let message = format!("{} has no revision {number}", ticket.number);
        let hint = format!("Its newest is revision {}.", newest.number);
        return Err(Refused::new(RefusalCode::UnknownRevision, message, hint));
    }
    if number < newest.number {
        let message = format!("revision {number} of {} was superseded by revision {}", ticket.number, newest.number);
        return Err(Refused::new(RefusalCode::Reviewed, message, "Review the newest one."));
    }
    let decided = match newest.status {
        RevisionStatus::Open => return Ok(newest.clone()),
        RevisionStatus::Approved => "was approved already",
        RevisionStatus::ChangesRequested => "was sent back already",
        RevisionStatus::Superseded => "was superseded",
    };
    let message = format!("revision {number} of {} {decided}", ticket.number);
    Err(Refused::new(
        RefusalCode::Reviewed,
        message,
        "A revision has one review; the next revision can be reviewed anew.",
    ))
}

fn written(
    decision: &Decision<'_>,
    ticket: &Ticket,
    revision: &Revision,
    new: &[NewComment],
) -> Result<Vec<Comment>, Refused> {
    let bad = |message: String| {
        let hint = format!("A comment has 1 to {TEXT_MAX} characters and names a file and perhaps its lines.");
        Err(Refused::new(RefusalCode::BadValue, message, hint))
    };
    let mut comments: Vec<Comment> = Vec::with_capacity(new.len());
    for one in new {
        let length = one.body.trim().chars().count();
        if length == 0 || length > TEXT_MAX {
            return bad(format!("a comment on {} has {length} characters", one.spot.path));
        }
        if one.spot.path.is_empty() || one.spot.path.chars().count() > PATH_MAX {
            return bad("a comment names no file, or one with too long a name".to_owned());
        }
        if one.spot.lines.is_some_and(|(first, last)| first == 0 || last < first) {
            return bad(format!("a comment on {} has no lines that could be", one.spot.path));
        }
        if decision.board.comment(ticket.id, one.id).is_some() || comments.iter().any(|known| known.id == one.id) {
            return bad(format!("there is a comment {} already", one.id));
        }
        if let Some(answered) = one.reply_to {
            find(decision, ticket, answered)?;
        }
        comments.push(Comment {
            id: one.id,
            ticket: ticket.id,
            revision: revision.number,
            spot: one.spot.clone(),
            body: one.body.trim().to_owned(),
            author: decision.input.actor.clone(),
            reply_to: one.reply_to,
            resolved: false,
            at: decision.input.at,
        });
    }
    Ok(comments)
}

fn save_comments(decision: &mut Decision<'_>, ticket: &Ticket, comments: Vec<Comment>) {
    for comment in comments {
        let payload = json!({
            "comment_id": comment.id, "revision": comment.revision, "file_path": comment.spot.path,
            "lines": comment.spot.lines, "anchor": comment.spot.anchor(),
        });
        decision.note(ticket, EventKind::CommentAdded, &comment.body, payload);
        decision.save(Save::Comment(comment));
    }
}

fn find<'a>(decision: &Decision<'a>, ticket: &Ticket, id: CommentId) -> Result<&'a Comment, Refused> {
    decision.board.comment(ticket.id, id).ok_or_else(|| {
        let message = format!("{} has no comment {id}", ticket.number);
        Refused::new(RefusalCode::UnknownComment, message, "The ticket's details list its comments.")
    })
}

/// Says that a comment is dealt with, or that it is not after all.
pub(super) fn resolve(
    decision: &mut Decision<'_>,
    name: TicketRef,
    id: CommentId,
    resolved: bool,
) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    let comment = find(decision, ticket, id)?;
    if comment.resolved != resolved {
        let what = if resolved { "resolved" } else { "open again" };
        let payload = json!({ "comment_id": id, "resolved": resolved });
        decision.note(ticket, EventKind::CommentResolved, &format!("{what}: {}", comment.spot.path), payload);
        decision.save(Save::Comment(Comment { resolved, ..comment.clone() }));
    }
    Ok(())
}

/// Takes in a review: its comments, and what it decides.
pub(super) fn review(decision: &mut Decision<'_>, name: TicketRef, what: &Reviewing) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    let newest = decision.board.revision(ticket.id).map_or(1, |newest| newest.number);
    let revision = open_revision(decision, ticket, what.revision.unwrap_or(newest))?;
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    let reviewable = match (what.verdict, ticket.state) {
        (_, State::NeedsHuman { .. }) | (Verdict::RequestChanges, State::Blocked { .. }) => true,
        // What a check refused is not approved past it.
        (Verdict::Approve, State::Blocked { .. })
        | (
            _,
            State::Proposed
            | State::Planned
            | State::Executing { .. }
            | State::Verifying { .. }
            | State::Done
            | State::Abandoned,
        ) => false,
    };
    if !reviewable {
        return Err(illegal(ticket, StateName::NeedsHuman));
    }
    if what.summary.chars().count() > TEXT_MAX {
        let message = format!("a summary has at most {TEXT_MAX} characters");
        return Err(Refused::new(RefusalCode::BadValue, message, "Say the rest in comments."));
    }
    let comments = written(decision, ticket, &revision, &what.comments)?;
    let open = decision.board.open_comments(ticket.id).count() + comments.iter().filter(|one| one.is_open()).count();
    match what.verdict {
        Verdict::Approve if open > 0 && !what.anyway => {
            let noun = if open == 1 { "comment is" } else { "comments are" };
            let message = format!("{open} {noun} not resolved");
            let number = ticket.number.0;
            let hint = format!(
                "Resolve them, request changes, or approve all the same: `draft review {number} --approve --anyway`."
            );
            return Err(Refused::new(RefusalCode::Unresolved, message, hint));
        }
        Verdict::RequestChanges if open == 0 && what.summary.trim().is_empty() => {
            let message = "a review that requests changes says which";
            return Err(Refused::new(RefusalCode::BadValue, message, "Comment on a line, or write a summary."));
        }
        Verdict::Approve | Verdict::RequestChanges => {}
    }
    save_comments(decision, ticket, comments);
    conclude(decision, ticket, revision, what)
}

fn conclude(decision: &mut Decision<'_>, ticket: &Ticket, revision: Revision, what: &Reviewing) -> Result<(), Refused> {
    let number = revision.number;
    decision.save(Save::Review(Review {
        ticket: ticket.id,
        revision: number,
        verdict: what.verdict,
        summary: what.summary.trim().to_owned(),
        author: decision.input.actor.clone(),
        at: decision.input.at,
    }));
    let payload = json!({ "revision": number, "decision": what.verdict, "summary": what.summary.trim() });
    decision.note(ticket, EventKind::ReviewSubmitted, what.summary.trim(), payload);
    match what.verdict {
        Verdict::Approve => {
            decision.save(Save::Revision(Revision { status: RevisionStatus::Approved, ..revision }));
            let reason = format!("revision {number} is approved and waits to land");
            decision.restate(ticket, State::NeedsHuman { why: NeedsHuman::Approved }, &reason);
            Ok(())
        }
        Verdict::RequestChanges => {
            decision.save(Save::Revision(Revision { status: RevisionStatus::ChangesRequested, ..revision }));
            if !what.run {
                let reason = format!("changes to revision {number} are requested");
                decision.restate(ticket, ticket.state, &reason);
                return Ok(());
            }
            if number >= REVISIONS_MAX {
                let reason = format!(
                    "changes to revision {number} are requested; after {REVISIONS_MAX} revisions its agent is not \
                     started by itself any more"
                );
                decision.restate(ticket, ticket.state, &reason);
                return Ok(());
            }
            run(decision, ticket, "the review requests changes", &AgentChoice::default())
        }
    }
}
