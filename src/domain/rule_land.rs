//! What asking for a landing leads to, and what comes of one.

use serde_json::{Value, json};

use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::TicketRef;
use super::job::{Job, JobKind, JobStatus};
use super::landing::{Landing, Strategy};
use super::outcome::first_and_count;
use super::revision::{Revision, RevisionStatus};
use super::rule::{Decision, Trust, about_job};
use super::rule_checklist::must_be_done;
use super::rule_commands::busy;
use super::rule_facts::{close, finish};
use super::rule_pull::not_on_a_host;
use super::state::{NeedsHuman, State};
use super::ticket::{Ticket, Usage};

/// Asks for an approved change to be landed.
pub(super) fn land(decision: &mut Decision<'_>, name: TicketRef, strategy: Option<Strategy>) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id) {
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
    let job = Job { strategy, ..decision.new_job(ticket.id, JobKind::Land) };
    let mut payload = json!({
        "job_id": job.id, "revision": revision.number, "head": revision.head, "strategy": strategy,
    });
    put(&mut payload, more);
    decision.note(ticket, EventKind::MergeRequested, reason, payload);
    decision.save(Save::Job { job, was: None });
}

/// Takes in what came of a land job.
pub(super) fn landed(
    decision: &mut Decision<'_>,
    mut job: Job,
    ticket: Ticket,
    outcome: &Landing,
) -> Result<(), Refused> {
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
            let named: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
            put(&mut payload, json!({ "branch": branch, "files": files }));
            let named = first_and_count(&named).unwrap_or_default();
            (NeedsHuman::Conflict, format!("conflicts with {branch}: {named}"))
        }
        Landing::Red { command, end, beside } => {
            job.exit_code = end.code();
            job.signal = end.signal();
            put(&mut payload, json!({ "command": command, "beside": beside }));
            let with = first_and_count(beside).map_or_else(String::new, |beside| format!(" together with {beside}"));
            (NeedsHuman::Landing, format!("`{command}` {end} on the result of the merge{with}"))
        }
        Landing::Refused { reason } => (NeedsHuman::Landing, reason.clone()),
    };
    decision.note(&ticket, EventKind::MergeFailed, &reason, payload);
    let ticket = close(decision, job, ticket, JobStatus::Failed, Usage::default(), &reason);
    decision.restate(&ticket, State::NeedsHuman { why }, &reason);
    Ok(())
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
