//! What asking for a landing leads to, and what comes of one.

use serde_json::{Value, json};

use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::TicketRef;
use super::job::{Job, JobKind, JobStatus};
use super::landing::{Landing, Strategy};
use super::outcome::first_and_count;
use super::outlook::ConflictFile;
use super::revision::{Revision, RevisionStatus};
use super::rule::{Decision, Trust, about_job};
use super::rule_checklist::must_be_done;
use super::rule_commands::busy;
use super::rule_end::{close, finish};
use super::rule_pull::not_on_a_host;
use super::rule_recheck::rechecked;
use super::run::RunEnd;
use super::state::{NeedsHuman, State};
use super::ticket::{Ticket, Usage};

/// Asks for an approved change to be landed.
pub(super) fn land(decision: &mut Decision<'_>, name: TicketRef, strategy: Option<Strategy>) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id).filter(|job| !can_land(job)) {
        return Err(busy(ticket, job));
    }
    not_on_a_host(ticket)?;
    let refuse = |message: String, hint: String| Err(Refused::new(RefusalCode::NotApproved, message, hint));
    let number = ticket.number;
    let Some(revision) = decision.board.revision(ticket.id) else {
        return refuse(format!("{number} has no change to land"), format!("`draft run {}` makes one.", number.0));
    };
    match (ticket.state, revision.status) {
        (State::NeedsHuman { .. }, RevisionStatus::Approved) => {}
        (State::NeedsHuman { .. }, RevisionStatus::Open) => {
            let hint = format!("`draft review {} --approve` approves it.", number.0);
            return refuse(format!("revision {} of {number} is not approved yet", revision.number), hint);
        }
        (State::NeedsHuman { .. }, RevisionStatus::ChangesRequested | RevisionStatus::Superseded) => {
            let hint = "The next revision can be reviewed and approved.".to_owned();
            return refuse(format!("revision {} of {number} was sent back", revision.number), hint);
        }
        (
            State::Proposed
            | State::Planned
            | State::Executing { .. }
            | State::Verifying { .. }
            | State::Blocked { .. }
            | State::Done
            | State::Abandoned,
            _,
        ) => {
            let message = format!("{number} is {}", ticket.state.name());
            return refuse(message, "Only a change that waits for you can land.".to_owned());
        }
    }
    must_be_done(decision, ticket)?;
    if decision.input.known.checks == Trust::Missing {
        return Err(Refused::not_trusted());
    }
    queue(decision, ticket, revision, strategy, ("", json!({})));
    Ok(())
}

/// Queues the landing of a revision that may land; why, and facts for programs, come with it.
pub(super) fn queue(
    decision: &mut Decision<'_>,
    ticket: &Ticket,
    revision: &Revision,
    strategy: Option<Strategy>,
    (reason, more): (&str, Value),
) {
    // What is checked already need not be checked once more.
    let under_way = decision.board.active_job(ticket.id).filter(|job| can_land(job));
    let (job, was) = match under_way {
        Some(job) => (Job { recheck: false, strategy, ..job.clone() }, Some(job.status)),
        None => (Job { strategy, ..decision.new_job(ticket.id, JobKind::Land) }, None),
    };
    let mut payload = json!({
        "job_id": job.id, "revision": revision.number, "head": revision.head, "strategy": strategy,
    });
    put(&mut payload, more);
    decision.note(ticket, EventKind::MergeRequested, reason, payload);
    decision.save(Save::Job { job, was });
}

/// Says whether a job that checks what would be on the target can become the landing.
fn can_land(job: &Job) -> bool {
    job.recheck && !job.cancel_requested
}

/// Takes in what came of a land job.
pub(super) fn landed(
    decision: &mut Decision<'_>,
    mut job: Job,
    ticket: Ticket,
    outcome: &Landing,
) -> Result<(), Refused> {
    if job.recheck {
        return rechecked(decision, job, ticket, outcome);
    }
    let mut payload = about_job(job.id);
    let (why, reason) = match outcome {
        Landing::Landed { intent, warnings } => {
            let short = intent.to.get(..12).unwrap_or(&intent.to);
            let mut reason = format!("landed on {} as {short}", intent.branch);
            if let Some(warning) = first_and_count(warnings) {
                reason.push_str(&format!("; {warning}"));
            }
            put(&mut payload, json!({ "branch": intent.branch, "from": intent.from, "to": intent.to }));
            put(&mut payload, json!({ "warnings": warnings }));
            return succeeded(decision, job, ticket, &reason, payload);
        }
        Landing::Already { branch } => {
            let reason = format!("{branch} has its change already");
            put(&mut payload, json!({ "branch": branch }));
            return succeeded(decision, job, ticket, &reason, payload);
        }
        Landing::Conflict { branch, files } => {
            put(&mut payload, json!({ "branch": branch, "files": files }));
            (NeedsHuman::Conflict, conflict(branch, files))
        }
        Landing::Red { command, end, beside } => {
            job.exit_code = end.code();
            job.signal = end.signal();
            put(&mut payload, json!({ "command": command, "beside": beside }));
            (NeedsHuman::Landing, red(command, end, beside))
        }
        Landing::Refused { reason } => (NeedsHuman::Landing, reason.clone()),
        // It was to be checked only when that was found out, and is to land by now.
        Landing::Green { .. } => {
            let message = format!("{} is to land by now", ticket.number);
            return Err(Refused::new(RefusalCode::Idle, message, "Its job goes on with that."));
        }
    };
    decision.note(&ticket, EventKind::MergeFailed, &reason, payload);
    let ticket = close(decision, job, ticket, JobStatus::Failed, Usage::default(), &reason);
    decision.restate(&ticket, State::NeedsHuman { why }, &reason);
    Ok(())
}

/// Says in which files a change conflicts with its target.
pub(super) fn conflict(branch: &str, files: &[ConflictFile]) -> String {
    let named: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    format!("conflicts with {branch}: {}", first_and_count(&named).unwrap_or_default())
}

/// Says which check fails on the result, and together with what.
pub(super) fn red(command: &str, end: &RunEnd, beside: &[String]) -> String {
    let with = first_and_count(beside).map_or_else(String::new, |beside| format!(" together with {beside}"));
    format!("`{command}` {end} on the result of the merge{with}")
}

fn succeeded(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    reason: &str,
    payload: Value,
) -> Result<(), Refused> {
    decision.note(&ticket, EventKind::MergeSucceeded, reason, payload);
    finish(decision, job, ticket, JobStatus::Succeeded, Usage::default(), State::Done, reason)
}

/// Puts the fields of the second object into the first.
fn put(payload: &mut Value, more: Value) {
    if let (Value::Object(payload), Value::Object(more)) = (payload, more) {
        payload.extend(more);
    }
}
