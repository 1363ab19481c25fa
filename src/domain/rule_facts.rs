//! What the facts about jobs lead to: a row for each outcome, each in one place.

use serde_json::json;

use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::fact::Fact;
use super::id::{JobId, TicketId, TicketRef};
use super::job::{Job, JobKind, JobStatus};
use super::outcome::{Executed, Verified};
use super::rule::{Decision, about_job};
use super::run::RunEnd;
use super::state::{Blocked, NeedsHuman, State};
use super::ticket::{Ticket, Usage};

/// Takes in what was learned.
pub(super) fn learn(decision: &mut Decision<'_>, fact: &Fact) -> Result<(), Refused> {
    let (id, status, kind) = match fact {
        Fact::Taken { job } => (*job, JobStatus::Queued, None),
        Fact::AgentChosen { job, .. } | Fact::SessionTold { job, .. } | Fact::Executed { job, .. } => {
            (*job, JobStatus::Running, Some(JobKind::Execute))
        }
        Fact::Counted { job, .. } | Fact::Verified { job, .. } => (*job, JobStatus::Running, Some(JobKind::Verify)),
        Fact::WorktreeMade { job, .. }
        | Fact::Stopped { job, .. }
        | Fact::Lost { job, .. }
        | Fact::Broke { job, .. } => (*job, JobStatus::Running, None),
        Fact::WorktreeRemoved { ticket, .. }
        | Fact::WorktreeStays { ticket, .. }
        | Fact::WorktreeRestored { ticket, .. } => return learn_of_worktree(decision, *ticket, fact),
    };
    let (job, ticket) = expect(decision, id, status, kind)?;
    learn_of_job(decision, job, ticket, fact)
}

/// Takes in what was learned about a worktree outside any job.
fn learn_of_worktree(decision: &mut Decision<'_>, id: TicketId, fact: &Fact) -> Result<(), Refused> {
    let mut ticket = decision.find(TicketRef::Id(id))?.clone();
    let was = ticket.state.name();
    let (kind, reason, payload, worktree) = match fact {
        Fact::WorktreeStays { reason, .. } => {
            decision.note(&ticket, EventKind::WorktreeCleanupFailed, reason, json!({}));
            return Ok(());
        }
        Fact::WorktreeRestored { worktree, reference, .. } => {
            let reason = format!("its worktree came back from {reference}");
            (EventKind::WorktreeRestored, reason, json!({ "reference": reference }), Some(worktree.clone()))
        }
        Fact::WorktreeRemoved { reference, .. } => {
            let reason = match reference {
                Some(reference) => format!("its worktree was removed; `draft restore {reference}` brings it back"),
                None => "its worktree was gone already".to_owned(),
            };
            (EventKind::WorktreeCleaned, reason, json!({ "reference": reference }), None)
        }
        Fact::Taken { .. }
        | Fact::Counted { .. }
        | Fact::WorktreeMade { .. }
        | Fact::AgentChosen { .. }
        | Fact::SessionTold { .. }
        | Fact::Executed { .. }
        | Fact::Verified { .. }
        | Fact::Stopped { .. }
        | Fact::Lost { .. }
        | Fact::Broke { .. } => return Ok(()),
    };
    ticket.worktree = worktree;
    ticket.updated_at = decision.input.at;
    decision.note(&ticket, kind, &reason, payload);
    decision.save(Save::Ticket { ticket, was });
    Ok(())
}

fn learn_of_job(decision: &mut Decision<'_>, job: Job, ticket: Ticket, fact: &Fact) -> Result<(), Refused> {
    let running = Some(JobStatus::Running);
    match fact {
        Fact::Taken { .. } => taken(decision, job, ticket),
        Fact::Counted { checks, .. } => {
            let job = Job { steps: Some(*checks), ..job };
            decision.save(Save::Job { job, was: running });
            Ok(())
        }
        Fact::WorktreeMade { worktree, .. } => {
            let mut ticket = ticket;
            let was = ticket.state.name();
            ticket.worktree = Some(worktree.clone());
            ticket.updated_at = decision.input.at;
            decision.save(Save::Ticket { ticket, was });
            Ok(())
        }
        Fact::AgentChosen { agent, model, session, .. } => {
            let job = Job { agent: Some(agent.clone()), model: model.clone(), session: session.clone(), ..job };
            decision.save(Save::Job { job, was: running });
            Ok(())
        }
        Fact::SessionTold { session, .. } => {
            decision.save(Save::Job { job: Job { session: Some(session.clone()), ..job }, was: running });
            Ok(())
        }
        Fact::Executed { outcome, end, usage, session, .. } => {
            let mut job = job;
            job.session = session.clone().or(job.session);
            job.exit_code = end.as_ref().and_then(RunEnd::code);
            job.signal = end.as_ref().and_then(RunEnd::signal);
            if job.cancel_requested {
                return stopped(decision, job, ticket, *usage);
            }
            executed(decision, job, ticket, outcome, *usage)
        }
        Fact::Verified { .. } | Fact::Broke { .. } if job.cancel_requested => {
            stopped(decision, job, ticket, Usage::default())
        }
        Fact::Verified { outcome, .. } => verified(decision, job, ticket, outcome),
        Fact::Stopped { usage, .. } => stopped(decision, job, ticket, *usage),
        Fact::Lost { reason, usage, .. } => {
            let state = State::Blocked { why: Blocked::Lost };
            finish(decision, job, ticket, JobStatus::Lost, *usage, state, reason)
        }
        Fact::Broke { reason, .. } => {
            let state = State::Blocked { why: Blocked::Failed };
            finish(decision, job, ticket, JobStatus::Failed, Usage::default(), state, reason)
        }
        Fact::WorktreeRemoved { .. } | Fact::WorktreeStays { .. } | Fact::WorktreeRestored { .. } => Ok(()),
    }
}

/// Returns the job and its ticket, if the job is what the fact takes it for; a fact that comes twice changes nothing.
fn expect(
    decision: &Decision<'_>,
    id: JobId,
    status: JobStatus,
    kind: Option<JobKind>,
) -> Result<(Job, Ticket), Refused> {
    let fits = |job: &&Job| job.status == status && kind.is_none_or(|kind| kind == job.kind);
    let job = decision.board.job(id).filter(fits);
    let found = job.and_then(|job| decision.board.ticket(job.ticket).map(|ticket| (job.clone(), ticket.clone())));
    found.ok_or_else(|| {
        let message = format!("job {id} is not {status} any more");
        Refused::new(RefusalCode::Idle, message, "Its end is in its ticket's history.")
    })
}

fn taken(decision: &mut Decision<'_>, mut job: Job, ticket: Ticket) -> Result<(), Refused> {
    let (id, kind) = (job.id, job.kind);
    job.status = JobStatus::Running;
    job.started_at = Some(decision.input.at);
    decision.save(Save::Job { job, was: Some(JobStatus::Queued) });
    match kind {
        JobKind::Execute => start_executing(decision, id, ticket),
        // The ticket is in `verifying` since its change was kept; landing and resume stay in `needs_human` until they end.
        JobKind::Verify | JobKind::Resume | JobKind::Land => Ok(()),
    }
}

/// A ticket that was done starts anew from its target. What could not be cleaned up stays, and its history says where.
fn start_executing(decision: &mut Decision<'_>, job: JobId, mut ticket: Ticket) -> Result<(), Refused> {
    let mut payload = about_job(job);
    if ticket.state == State::Done
        && let Some(former) = ticket.worktree.take()
    {
        payload["former_worktree"] = json!({ "path": former.path.to_string_lossy(), "branch": former.branch });
    }
    decision.transition(ticket, State::Executing { job }, "", payload)
}

fn executed(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    outcome: &Executed,
    usage: Usage,
) -> Result<(), Refused> {
    let needs = |why| State::NeedsHuman { why };
    let blocked = State::Blocked { why: Blocked::Failed };
    let (status, state, reason) = match outcome {
        Executed::Changed { revision } => {
            let verify = decision.new_job(ticket.id, JobKind::Verify);
            let size = revision.size;
            let reason = format!("revision {}: +{} −{}", revision.number, size.insertions, size.deletions);
            let state = State::Verifying { job: verify.id };
            decision.save(Save::Revision(revision.clone()));
            decision.note(&ticket, EventKind::JobQueued, "the change is to be checked", about_job(verify.id));
            // The finished job is saved before the new one: a ticket has at most one active job.
            finish(decision, job, ticket, JobStatus::Succeeded, usage, state, &reason)?;
            decision.save(Save::Job { job: verify, was: None });
            return Ok(());
        }
        Executed::Unchanged { said } => {
            let said = said.as_deref().map(super::outcome::first_line).filter(|said| !said.is_empty());
            let reason = match said {
                Some(said) => format!("the agent changed nothing; it says: {said}"),
                None => "the agent changed nothing".to_owned(),
            };
            (JobStatus::Succeeded, blocked, reason)
        }
        Executed::Asked { question } => (JobStatus::Succeeded, needs(NeedsHuman::Question), question.clone()),
        Executed::Refused { reason } => (JobStatus::Succeeded, needs(NeedsHuman::Refused), reason.clone()),
        Executed::HandedOver { reason } => (JobStatus::Succeeded, needs(NeedsHuman::Handover), reason.clone()),
        Executed::Unsafe { reason } => (JobStatus::Failed, State::Blocked { why: Blocked::Refused }, reason.clone()),
        Executed::Failed { reason } => (JobStatus::Failed, blocked, reason.clone()),
    };
    finish(decision, job, ticket, status, usage, state, &reason)
}

fn verified(decision: &mut Decision<'_>, mut job: Job, ticket: Ticket, outcome: &Verified) -> Result<(), Refused> {
    let review = State::NeedsHuman { why: NeedsHuman::Review };
    let (status, state, reason) = match outcome {
        Verified::Passed { checks: 0 } => {
            (JobStatus::Succeeded, review, "no checks are configured, so nothing is proven".to_owned())
        }
        Verified::Passed { checks: 1 } => (JobStatus::Succeeded, review, "its check passed".to_owned()),
        Verified::Passed { checks } => (JobStatus::Succeeded, review, format!("all {checks} checks passed")),
        Verified::Failed { command, end } => {
            job.exit_code = end.code();
            job.signal = end.signal();
            let state = State::Blocked { why: Blocked::Failed };
            (JobStatus::Failed, state, format!("`{command}` {end}"))
        }
        Verified::Refused { reason } => (JobStatus::Failed, State::Blocked { why: Blocked::Refused }, reason.clone()),
    };
    finish(decision, job, ticket, status, Usage::default(), state, &reason)
}

fn stopped(decision: &mut Decision<'_>, job: Job, ticket: Ticket, usage: Usage) -> Result<(), Refused> {
    let state = State::Blocked { why: Blocked::Canceled };
    let reason = format!("its {} was canceled", job.kind);
    finish(decision, job, ticket, JobStatus::Canceled, usage, state, &reason)
}

/// Ends a job and moves its ticket in the same transaction.
fn finish(
    decision: &mut Decision<'_>,
    mut job: Job,
    mut ticket: Ticket,
    status: JobStatus,
    usage: Usage,
    state: State,
    reason: &str,
) -> Result<(), Refused> {
    let id = job.id;
    job.status = status;
    reason.clone_into(&mut job.reason);
    job.finished_at = Some(decision.input.at);
    job.usage = usage;
    ticket.usage = ticket.usage + usage;
    decision.save(Save::Job { job, was: Some(JobStatus::Running) });
    decision.transition(ticket, state, reason, about_job(id))
}
