//! How a job ends: its row, what it used, where its ticket goes, and what is to be told again since nobody heard it.

use super::change::Save;
use super::command::Refused;
use super::event::EventKind;
use super::fact::Fact;
use super::job::{Job, JobStatus};
use super::outcome::Executed;
use super::rule::{Decision, about_job};
use super::rule_again::{give_back_message, tell_what_waited};
use super::run::RunEnd;
use super::state::{Blocked, State};
use super::ticket::{Ticket, Usage};

/// Returns the ticket with the message back that its job was to tell, where the job ends and no agent was started.
pub(super) fn given_back(decision: &mut Decision<'_>, job: &Job, mut ticket: Ticket, fact: &Fact) -> Ticket {
    if let Some(message) = job.message.as_deref().filter(|_| ends_unheard(job, fact)) {
        give_back_message(decision, &mut ticket, message);
        decision.note(
            &ticket,
            EventKind::Comment,
            "no agent was started, so the message for it waits on",
            about_job(job.id),
        );
    }
    ticket
}

/// Says whether a fact ends a job of which no agent and no person was told anything.
fn ends_unheard(job: &Job, fact: &Fact) -> bool {
    let was_not_started = match fact {
        Fact::Executed { outcome: Executed::HandedOver { .. }, .. } => false,
        Fact::Executed { end, .. } => matches!(end, None | Some(RunEnd::NotStarted { .. })),
        Fact::Stopped { used, .. } | Fact::Lost { used, .. } | Fact::Broke { used, .. } => used.is_none(),
        Fact::Taken { .. }
        | Fact::Held { .. }
        | Fact::TryAgain { .. }
        | Fact::Counted { .. }
        | Fact::WorktreeMade { .. }
        | Fact::AgentChosen { .. }
        | Fact::SessionTold { .. }
        | Fact::Verified { .. }
        | Fact::Resumed { .. }
        | Fact::Intends { .. }
        | Fact::Landed { .. }
        | Fact::Dealt { .. }
        | Fact::HostSeen { .. }
        | Fact::HostUnseen { .. }
        | Fact::WorktreeRemoved { .. }
        | Fact::OutputCleaned { .. }
        | Fact::WorktreeStays { .. }
        | Fact::Examined { .. }
        | Fact::PassedOver { .. }
        | Fact::Resolving { .. }
        | Fact::WorktreeRestored { .. } => false,
    };
    // An earlier try of the same job was told.
    was_not_started && job.attempt == 1
}

/// Returns what a job used that ends early: where no agent was at work in the end, what its earlier tries used.
pub(super) fn until_then(job: &Job, used: Option<Usage>) -> Usage {
    used.unwrap_or(job.usage)
}

/// Ends a job that was stopped since somebody asked.
pub(super) fn stopped(decision: &mut Decision<'_>, job: Job, ticket: Ticket, usage: Usage) -> Result<(), Refused> {
    let reason = format!("its {} job was canceled", job.what());
    end(decision, job, ticket, (JobStatus::Canceled, Blocked::Canceled), usage, &reason)
}

/// Ends a job that came to no end of its own. Whatever it was, a job that somebody wanted to stop is canceled: nothing starts its
/// ticket again by itself.
pub(super) fn broke_off(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    how: (JobStatus, Blocked),
    usage: Usage,
    reason: &str,
) -> Result<(), Refused> {
    if !job.cancel_requested {
        return end(decision, job, ticket, how, usage, reason);
    }
    let reason = format!("its {} job was canceled; {reason}", job.what());
    end(decision, job, ticket, (JobStatus::Canceled, Blocked::Canceled), usage, &reason)
}

/// Ends a job that led to nothing. Its ticket is blocked, unless it waits for a person as it did before the job.
pub(super) fn end(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    (status, why): (JobStatus, Blocked),
    usage: Usage,
    reason: &str,
) -> Result<(), Refused> {
    if !matches!(ticket.state, State::NeedsHuman { .. }) {
        return finish(decision, job, ticket, status, usage, State::Blocked { why }, reason);
    }
    decision.note(&ticket, EventKind::Comment, reason, about_job(job.id));
    let ticket = close(decision, job, ticket, status, usage, reason);
    decision.save(Save::Ticket { was: ticket.state.name(), ticket: ticket.clone() });
    tell_what_waited(decision, &ticket);
    Ok(())
}

/// Ends a job and moves its ticket in the same transaction.
pub(super) fn finish(
    decision: &mut Decision<'_>,
    job: Job,
    ticket: Ticket,
    status: JobStatus,
    usage: Usage,
    state: State,
    reason: &str,
) -> Result<(), Refused> {
    let id = job.id;
    let ticket = close(decision, job, ticket, status, usage, reason);
    let moved = Ticket { state, ..ticket.clone() };
    if stays_landed(decision, &ticket, state) {
        decision.transition(ticket, State::Done, &format!("done as before: {reason}"), about_job(id))?;
    } else {
        decision.transition(ticket, state, reason, about_job(id))?;
    }
    tell_what_waited(decision, &moved);
    Ok(())
}

/// Says whether a ticket whose run came to nothing is as done as it was before: its newest revision is on its target.
fn stays_landed(decision: &Decision<'_>, ticket: &Ticket, would_be: State) -> bool {
    let newest = decision.board.revision(ticket.id).map(|revision| revision.number);
    let ran = matches!(ticket.state, State::Executing { .. });
    ran && matches!(would_be, State::Blocked { .. }) && ticket.landed.is_some() && ticket.landed == newest
}

/// Saves a job that is over, and returns its ticket with what the job used.
pub(super) fn close(
    decision: &mut Decision<'_>,
    mut job: Job,
    mut ticket: Ticket,
    status: JobStatus,
    usage: Usage,
    reason: &str,
) -> Ticket {
    job.status = status;
    reason.clone_into(&mut job.reason);
    job.finished_at = Some(decision.input.at);
    job.usage = usage;
    ticket.usage = ticket.usage + usage;
    ticket.updated_at = decision.input.at;
    decision.save(Save::Job { job, was: Some(JobStatus::Running) });
    ticket
}

#[cfg(test)]
mod tests;
