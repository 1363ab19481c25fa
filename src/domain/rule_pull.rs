//! What asking for a pull request leads to, and what follows from what its host says about it.
//!
//! A ticket is done when the host says that its change was merged, and at nothing less: neither a push nor a request to merge
//! is enough. What the host cannot tell changes nothing but the note that it could not.

use serde_json::{Value, json};

use super::board::Board;
use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::{TicketId, TicketRef};
use super::job::{Job, JobKind, JobStatus};
use super::pull_request::{BODY_MAX, Dealt, Errand, PullRequest, PullState, Remark, Remarks, Seen, TITLE_MAX};
use super::revision::{Revision, RevisionStatus};
use super::rule::Decision;
use super::rule_again::tell_what_waited;
use super::rule_checklist::must_be_done;
use super::rule_commands::busy;
use super::rule_end::{close, finish};
use super::state::{NeedsHuman, State, StateName};
use super::ticket::{Ticket, Usage};
use super::time::Timestamp;

/// Asks for something to be done with a ticket's pull request.
pub(super) fn ask(decision: &mut Decision<'_>, name: TicketRef, errand: &Errand) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    let Some(revision) = decision.board.revision(ticket.id) else {
        let message = format!("{} has no change to offer", ticket.number);
        return Err(Refused::new(
            RefusalCode::NotApproved,
            message,
            format!("`draft run {}` makes one.", ticket.number.0),
        ));
    };
    if !matches!(ticket.state, State::NeedsHuman { .. }) {
        return Err(illegal_for(ticket));
    }
    match (errand, &ticket.pull_request) {
        (Errand::Open { title, body, base, .. }, pull) => {
            may_open(ticket, pull.as_deref())?;
            not_sent_back(ticket, revision)?;
            fits(title.as_deref(), body.as_deref(), base.as_deref())?;
        }
        (Errand::Push, Some(pull)) if pull.is_open() => {
            not_sent_back(ticket, revision)?;
            if pull.pushed == revision.head {
                let message =
                    format!("revision {} of {} is on {} already", revision.number, ticket.number, pull.place());
                return Err(Refused::new(RefusalCode::BadValue, message, "A later revision can be pushed."));
            }
        }
        (Errand::Merge { .. }, Some(pull)) if pull.is_open() => {
            may_merge(ticket, pull, revision)?;
            must_be_done(decision, ticket)?;
        }
        (Errand::Push | Errand::Merge { .. }, _) => {
            let message = format!("{} has no pull request that is open", ticket.number);
            let hint = format!("`draft pr create {}` opens one.", ticket.number.0);
            return Err(Refused::new(RefusalCode::NoPullRequest, message, hint));
        }
    }
    let job = Job { errand: Some(errand.clone()), ..decision.new_job(ticket.id, JobKind::PullRequest) };
    let what = match errand {
        Errand::Open { .. } => "a pull request is to be opened",
        Errand::Push => "its newest revision is to be pushed to its pull request",
        Errand::Merge { .. } => "its pull request is to be merged",
    };
    let payload = json!({ "job_id": job.id, "revision": revision.number, "head": revision.head, "errand": errand });
    decision.note(ticket, EventKind::JobQueued, what, payload);
    decision.save(Save::Job { job, was: None });
    Ok(())
}

fn illegal_for(ticket: &Ticket) -> Refused {
    let message = format!("{} is {}", ticket.number, ticket.state.name());
    Refused::new(RefusalCode::NotApproved, message, "Only a change that waits for you can be offered.")
}

fn may_open(ticket: &Ticket, pull: Option<&PullRequest>) -> Result<(), Refused> {
    match pull.filter(|pull| pull.is_open()) {
        None => Ok(()),
        Some(pull) => {
            let message = format!("{} has {} already: {}", ticket.number, pull.place(), pull.seen.url);
            let hint = format!("`draft pr push {}` brings its newest revision there.", ticket.number.0);
            Err(Refused::new(RefusalCode::HasPullRequest, message, hint))
        }
    }
}

fn not_sent_back(ticket: &Ticket, revision: &Revision) -> Result<(), Refused> {
    match revision.status {
        RevisionStatus::Open | RevisionStatus::Approved => Ok(()),
        RevisionStatus::ChangesRequested | RevisionStatus::Superseded => {
            let message = format!("revision {} of {} was sent back", revision.number, ticket.number);
            Err(Refused::new(RefusalCode::NotApproved, message, "The next revision can be offered."))
        }
    }
}

fn fits(title: Option<&str>, body: Option<&str>, base: Option<&str>) -> Result<(), Refused> {
    let bad = |message: String, hint: &str| Err(Refused::new(RefusalCode::BadValue, message, hint));
    if let Some(title) = title {
        let length = title.trim().chars().count();
        if length == 0 || length > TITLE_MAX || title.contains(char::is_control) {
            return bad(format!("a title is one line of 1 to {TITLE_MAX} characters"), "Say the rest in the text.");
        }
    }
    if body.is_some_and(|body| body.chars().count() > BODY_MAX) {
        return bad(format!("the text of a pull request has at most {BODY_MAX} characters"), "Make it shorter.");
    }
    let is_branch = |base: &str| !base.is_empty() && !base.starts_with('-') && !base.contains(char::is_whitespace);
    if base.is_some_and(|base| !is_branch(base)) {
        return bad("the base is no name of a branch".to_owned(), "Name the branch as the remote has it.");
    }
    Ok(())
}

/// Only what was approved is merged: the very commit.
fn may_merge(ticket: &Ticket, pull: &PullRequest, revision: &Revision) -> Result<(), Refused> {
    let number = ticket.number;
    let refuse = |message: String, hint: String| Err(Refused::new(RefusalCode::NotApproved, message, hint));
    if revision.status != RevisionStatus::Approved {
        let message = format!("revision {} of {number} is not approved", revision.number);
        return refuse(message, format!("`draft review {} --approve` approves it.", number.0));
    }
    if pull.pushed != revision.head {
        let message = format!("{} has not revision {}, which is approved", pull.place(), revision.number);
        return refuse(message, format!("`draft pr push {}` brings it there.", number.0));
    }
    if pull.has_moved() {
        let message = format!("{} is at another commit than the approved one: {}", pull.place(), moved(pull));
        return refuse(message, "Look at it there, and merge it there if it is right.".to_owned());
    }
    Ok(())
}

/// Refuses to land what is open on a host: landed here, it would come to the target twice, or the host would go on to ask for
/// reviews of what is done.
pub(super) fn not_on_a_host(ticket: &Ticket) -> Result<(), Refused> {
    match ticket.pull_request.as_deref().filter(|pull| pull.is_open()) {
        None => Ok(()),
        Some(pull) => {
            let message = format!("{} of {} is open, so it lands there", pull.place(), ticket.number);
            let hint =
                format!("`draft pr merge {}` merges it; close it there to land the change here.", ticket.number.0);
            Err(Refused::new(RefusalCode::HasPullRequest, message, hint))
        }
    }
}

/// Asks for a ticket's pull request to be looked at now.
pub(super) fn look(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if ticket.pull_request.is_none() {
        let message = format!("{} has no pull request", ticket.number);
        let hint = format!("`draft pr create {}` opens one.", ticket.number.0);
        return Err(Refused::new(RefusalCode::NoPullRequest, message, hint));
    }
    decision.look(ticket.id);
    Ok(())
}

/// Takes in what came of a job that dealt with a pull request.
pub(super) fn dealt(decision: &mut Decision<'_>, job: Job, ticket: Ticket, outcome: &Dealt) -> Result<(), Refused> {
    let (provider, host, seen, pushed) = match outcome {
        Dealt::Done { provider, host, seen, pushed } => (*provider, host, seen, pushed),
        Dealt::Refused { reason } => return refused(decision, job, ticket, reason),
    };
    let former = ticket.pull_request.as_deref();
    let at = decision.input.at;
    let (revision, commit) = match (pushed, former) {
        (Some((revision, commit)), _) => (*revision, commit.clone()),
        (None, Some(former)) => (former.revision, former.pushed.clone()),
        (None, None) => (0, seen.head.clone()),
    };
    let is_same = |one: &&PullRequest| one.seen.number == seen.number && &one.host == host;
    let pull = PullRequest {
        revision,
        pushed: commit,
        provider,
        host: host.clone(),
        seen: Seen::clone(seen),
        comments: former.filter(is_same).map_or(0, |former| former.comments),
        looked_at: at,
        tried_at: at,
        error: None,
    };
    let errand = job.errand.clone();
    let mut ticket = ticket;
    ticket.pull_request = Some(Box::new(pull.clone()));
    if seen.state == PullState::Merged {
        return merged(decision, Some(job), ticket, &pull);
    }
    let reason = match (&errand, seen.state) {
        (_, PullState::Closed) => closed_without_merge(&pull),
        (Some(Errand::Merge { .. }), _) => {
            format!("{} was asked to merge {} and has not yet", pull.host, pull.label())
        }
        (Some(Errand::Push), _) => format!("revision {revision} is on {}", pull.place()),
        (Some(Errand::Open { .. }) | None, _) => format!("{} is open", pull.place()),
    };
    let mut payload = about(&pull);
    payload["job_id"] = json!(job.id);
    decision.note(&ticket, EventKind::Comment, &reason, payload);
    let state = match (seen.state, ticket.state) {
        (PullState::Closed, State::NeedsHuman { .. }) => State::NeedsHuman { why: NeedsHuman::Landing },
        (PullState::Open | PullState::Merged, State::NeedsHuman { why }) => {
            State::NeedsHuman { why: while_open(decision, ticket.id, why) }
        }
        (_, other) => other,
    };
    let ticket = close(decision, job, ticket, JobStatus::Succeeded, Usage::default(), &reason);
    decision.restate(&ticket, state, &reason);
    tell_what_waited(decision, &ticket);
    Ok(())
}

/// What a landing that failed left behind is over once the change waits on a host.
fn while_open(decision: &Decision<'_>, ticket: TicketId, why: NeedsHuman) -> NeedsHuman {
    let is_approved = decision.board.revision(ticket).is_some_and(|one| one.status == RevisionStatus::Approved);
    match why {
        NeedsHuman::Landing | NeedsHuman::Conflict if is_approved => NeedsHuman::Approved,
        NeedsHuman::Landing | NeedsHuman::Conflict => NeedsHuman::Review,
        NeedsHuman::Review
        | NeedsHuman::Question
        | NeedsHuman::Handover
        | NeedsHuman::Approved
        | NeedsHuman::Refused => why,
    }
}

fn refused(decision: &mut Decision<'_>, job: Job, ticket: Ticket, reason: &str) -> Result<(), Refused> {
    // It may have been about no landing at all, which whoever reads the history wants to know.
    let payload = json!({ "job_id": job.id, "errand": job.errand });
    decision.note(&ticket, EventKind::MergeFailed, reason, payload);
    let ticket = close(decision, job, ticket, JobStatus::Failed, Usage::default(), reason);
    decision.restate(&ticket, ticket.state, reason);
    tell_what_waited(decision, &ticket);
    Ok(())
}

/// Takes in what a host says about a pull request that was looked at from a moment on.
pub(super) fn seen(
    decision: &mut Decision<'_>,
    id: TicketId,
    began: Timestamp,
    seen: &Seen,
    remarks: &[Remark],
) -> Result<(), Refused> {
    let Some(ticket) = decision.board.ticket(id) else { return Ok(()) };
    let Some(former) = &ticket.pull_request else { return Ok(()) };
    let job = decision.board.active_job(id);
    // What was asked before something newer was learned, or while a job changes it, says nothing any more.
    let is_late = began < former.looked_at || job.is_some_and(|job| job.kind == JobKind::PullRequest);
    if former.seen.number != seen.number || is_late {
        return Ok(());
    }
    let at = decision.input.at;
    let comments = u32::try_from(remarks.len()).unwrap_or(u32::MAX);
    let former = PullRequest::clone(former);
    let pull = PullRequest { seen: seen.clone(), comments, looked_at: at, tried_at: at, error: None, ..former.clone() };
    decision.save(Save::Remarks(Remarks { ticket: id, remarks: remarks.to_vec() }));
    let mut ticket = ticket.clone();
    ticket.pull_request = Some(Box::new(pull.clone()));
    match (former.seen.state, seen.state) {
        (_, PullState::Merged) => return merged(decision, None, ticket, &pull),
        (PullState::Open, PullState::Closed) => {
            let reason = closed_without_merge(&pull);
            decision.note(&ticket, EventKind::MergeFailed, &reason, about(&pull));
            if matches!(ticket.state, State::NeedsHuman { .. }) {
                decision.restate(&ticket, State::NeedsHuman { why: NeedsHuman::Landing }, &reason);
                return Ok(());
            }
        }
        (PullState::Closed | PullState::Merged, PullState::Open) => {
            let reason = format!("{} is open again", pull.place());
            decision.note(&ticket, EventKind::Comment, &reason, about(&pull));
            if let State::NeedsHuman { why } = ticket.state {
                let why = while_open(decision, id, why);
                decision.restate(&ticket, State::NeedsHuman { why }, &reason);
                return Ok(());
            }
        }
        (PullState::Open, PullState::Open) | (PullState::Closed | PullState::Merged, PullState::Closed) => {
            if pull.has_moved() && former.seen.head != seen.head {
                let reason = format!("{}: {}", pull.place(), moved(&pull));
                decision.note(&ticket, EventKind::Comment, &reason, about(&pull));
            }
        }
    }
    decision.save(Save::Ticket { was: ticket.state.name(), ticket });
    Ok(())
}

/// Takes in that a host could not be asked: what was true when it answered last stays.
pub(super) fn unseen(decision: &mut Decision<'_>, id: TicketId, reason: &str) {
    let Some(ticket) = decision.board.ticket(id) else { return };
    let Some(pull) = &ticket.pull_request else { return };
    let pull = PullRequest { tried_at: decision.input.at, error: Some(reason.to_owned()), ..PullRequest::clone(pull) };
    let ticket = Ticket { pull_request: Some(Box::new(pull)), ..ticket.clone() };
    decision.save(Save::Ticket { was: ticket.state.name(), ticket });
}

/// The host has merged it. The ticket is done if what it merged is the newest that there is.
fn merged(decision: &mut Decision<'_>, job: Option<Job>, ticket: Ticket, pull: &PullRequest) -> Result<(), Refused> {
    let id = ticket.id;
    let newest = decision.board.revision(id).map(|revision| (revision.number, revision.head.clone()));
    let is_newest = newest.as_ref().is_some_and(|(_, head)| *head == pull.pushed);
    let is_busy = job.is_none() && decision.board.active_job(id).is_some();
    let is_news =
        decision.board.ticket(id).and_then(|known| known.pull_request.as_deref()).map(|known| known.seen.state)
            != Some(PullState::Merged);
    let mut reason = format!("merged as {} on {}", pull.label(), pull.host);
    if pull.has_moved() {
        reason.push_str(&format!(", together with what others pushed to it ({})", short(&pull.seen.head)));
    }
    let waits = matches!(ticket.state, State::NeedsHuman { .. }) && !is_busy;
    if waits && is_newest {
        decision.note(&ticket, EventKind::MergeSucceeded, &reason, about(pull));
        return match job {
            Some(job) => finish(decision, job, ticket, JobStatus::Succeeded, Usage::default(), State::Done, &reason),
            None => decision.transition(ticket, State::Done, &reason, about(pull)),
        };
    }
    if is_news {
        decision.note(&ticket, EventKind::MergeSucceeded, &reason, about(pull));
    }
    let ticket = match job {
        Some(job) => close(decision, job, ticket, JobStatus::Succeeded, Usage::default(), &reason),
        None => ticket,
    };
    match newest.filter(|_| waits && is_news) {
        Some((number, _)) => {
            let reason = format!("{reason} with revision {}; revision {number} is not part of it", pull.revision);
            decision.restate(&ticket, State::NeedsHuman { why: NeedsHuman::Landing }, &reason);
        }
        None => decision.save(Save::Ticket { was: ticket.state.name(), ticket }),
    }
    Ok(())
}

fn closed_without_merge(pull: &PullRequest) -> String {
    format!("{} was closed without a merge", pull.place())
}

/// Says that somebody else pushed.
fn moved(pull: &PullRequest) -> String {
    format!("somebody pushed {} over revision {}", short(&pull.seen.head), pull.revision)
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// The payload of an event that is about a pull request.
fn about(pull: &PullRequest) -> Value {
    let seen = &pull.seen;
    json!({
        "pull_request": seen.number, "url": seen.url, "host": pull.host, "state": seen.state, "branch": seen.base,
        "head_branch": seen.branch, "revision": pull.revision, "pushed": pull.pushed, "head": seen.head,
        "merge_commit": seen.merge_commit, "merged_at": seen.merged_at.map(|at| at.to_string()), "checks": seen.checks,
    })
}

/// Says whether a ticket's pull request is to be looked at now and then.
pub fn is_watched(board: &Board, ticket: &Ticket) -> bool {
    let Some(pull) = &ticket.pull_request else { return false };
    match (pull.seen.state, ticket.state.name()) {
        (_, StateName::Done | StateName::Abandoned) | (PullState::Closed, _) => false,
        (PullState::Open, _) => true,
        // It was merged while a job ran, and is to be done now that it is over.
        (PullState::Merged, StateName::NeedsHuman) => {
            let is_newest = board.revision(ticket.id).is_some_and(|newest| newest.head == pull.pushed);
            is_newest && board.active_job(ticket.id).is_none()
        }
        (
            PullState::Merged,
            StateName::Proposed | StateName::Planned | StateName::Executing | StateName::Verifying | StateName::Blocked,
        ) => false,
    }
}

#[cfg(test)]
mod tests;
