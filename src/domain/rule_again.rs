//! What leads a ticket on that has worked before: checks again, a person's edits, a message to its agent.

use serde_json::json;

use super::change::Save;
use super::command::{AgentChoice, RefusalCode, Refused};
use super::dependencies::Readiness;
use super::event::EventKind;
use super::id::TicketRef;
use super::job::{Job, JobKind, JobStatus};
use super::outcome::first_line;
use super::rule::{Decision, Limit, about_job, illegal};
use super::rule_commands::{busy, run, within_limits};
use super::rule_end::close;
use super::state::{Blocked, State, StateName};
use super::ticket::{MESSAGE_MAX, Message, Ticket, Usage};

/// Runs the checks again. A blocked ticket goes the way of a resume, which looks at what its worktree holds first.
pub(super) fn verify(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let ticket = with_worktree(decision, name)?;
    match ticket.state {
        State::NeedsHuman { .. } => {
            within_limits(decision, ticket)?;
            let job = decision.new_job(ticket.id, JobKind::Verify);
            decision.note(ticket, EventKind::JobQueued, "the checks are to run again", about_job(job.id));
            let state = State::Verifying { job: job.id };
            decision.transition(ticket.clone(), state, "the checks run again", about_job(job.id))?;
            decision.save(Save::Job { job, was: None });
            Ok(())
        }
        State::Blocked { .. } => resume(decision, name),
        State::Proposed
        | State::Planned
        | State::Executing { .. }
        | State::Verifying { .. }
        | State::Done
        | State::Abandoned => Err(illegal(ticket, StateName::Verifying)),
    }
}

/// Ends a verify job under which its change became another one, and has what is there by now checked.
pub(super) fn check_again(decision: &mut Decision<'_>, job: Job, ticket: Ticket, reason: &str) {
    let again = Job { rework: job.rework, ..decision.new_job(ticket.id, JobKind::Verify) };
    decision.note(&ticket, EventKind::JobQueued, &format!("{reason}; it is checked again"), about_job(again.id));
    let ticket = close(decision, job, ticket, JobStatus::Failed, Usage::default(), reason);
    decision.restate(&ticket, State::Verifying { job: again.id }, reason);
    decision.save(Save::Job { job: again, was: None });
}

/// Takes over what a person did in the worktree. The ticket moves when it is clear what that is.
pub(super) fn resume(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let ticket = with_worktree(decision, name)?;
    match ticket.state {
        State::NeedsHuman { .. } | State::Blocked { .. } => {}
        State::Proposed
        | State::Planned
        | State::Executing { .. }
        | State::Verifying { .. }
        | State::Done
        | State::Abandoned => {
            let message = format!("{} is {}", ticket.number, ticket.state.name());
            let hint = "Only a ticket that needs you or is blocked can be resumed after your edits.";
            return Err(Refused::new(RefusalCode::IllegalMove, message, hint));
        }
    }
    within_limits(decision, ticket)?;
    let job = decision.new_job(ticket.id, JobKind::Resume);
    decision.note(ticket, EventKind::JobQueued, "what its worktree holds is to be taken over", about_job(job.id));
    decision.save(Save::Job { job, was: None });
    Ok(())
}

/// Asks for a planned ticket in the name of the autopilot, which never touches what somebody stopped or has to look at.
pub(super) fn pick(decision: &mut Decision<'_>, name: TicketRef, reason: &str) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if ticket.state != State::Planned {
        let message = format!("{} is {} and not planned any more", ticket.number, ticket.state.name());
        return Err(Refused::new(RefusalCode::IllegalMove, message, "The autopilot runs planned tickets only."));
    }
    run(decision, ticket, reason, &AgentChoice::default())
}

/// Returns a ticket that has a worktree and no job.
pub(super) fn with_worktree<'a>(decision: &Decision<'a>, name: TicketRef) -> Result<&'a Ticket, Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    if ticket.worktree.is_none() {
        let message = format!("{} has no worktree, so there is nothing to check", ticket.number);
        let hint = format!("`draft run {}` makes one and lets an agent work in it.", ticket.number.0);
        return Err(Refused::new(RefusalCode::NoWorktree, message, hint));
    }
    Ok(ticket)
}

/// Tells something to the agent: at once where the ticket waits for somebody, else when its job ends or it runs next.
pub(super) fn tell(decision: &mut Decision<'_>, name: TicketRef, text: Option<&str>) -> Result<(), Refused> {
    let mut ticket = decision.find(name)?.clone();
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > MESSAGE_MAX) {
        let message = format!("a message has at most {MESSAGE_MAX} characters");
        return Err(Refused::new(RefusalCode::BadValue, message, "Write the rest into the ticket's description."));
    }
    if text.is_some() && ticket.state == State::Abandoned {
        let message = format!("{} is abandoned, so no agent will read this", ticket.number);
        let hint = format!("`draft ticket move {} planned` reactivates it.", ticket.number.0);
        return Err(Refused::new(RefusalCode::IllegalMove, message, hint));
    }
    if text.is_none() && ticket.message.is_none() {
        let message = format!("{} has no message that waits", ticket.number);
        return Err(Refused::new(RefusalCode::Idle, message, "What was told already cannot be taken back."));
    }
    let was = ticket.state.name();
    ticket.message = text.map(|text| Message { text: text.to_owned(), at: decision.input.at });
    ticket.updated_at = decision.input.at;
    let note = match text {
        Some(_) => "a message for its agent",
        None => "its message was taken back",
    };
    decision.note(&ticket, EventKind::Comment, note, json!({ "message": text }));
    let at_once = match ticket.state {
        State::NeedsHuman { .. } | State::Blocked { .. } | State::Done => {
            text.is_some() && decision.board.active_job(ticket.id).is_none()
        }
        State::Proposed | State::Planned | State::Executing { .. } | State::Verifying { .. } | State::Abandoned => {
            false
        }
    };
    decision.save(Save::Ticket { ticket: ticket.clone(), was });
    if at_once { run(decision, &ticket, "a message for its agent", &AgentChoice::default()) } else { Ok(()) }
}

/// Gives a waiting message to a job that starts, and takes it off the ticket. One that is out of date goes, and the history says so.
pub(super) fn hand_message(decision: &mut Decision<'_>, ticket: &mut Ticket, job: &mut Job) {
    let Some(message) = ticket.message.take() else { return };
    if message.is_due(decision.input.at) {
        job.message = Some(message.text);
        return;
    }
    let reason = format!("its message is out of date, so its agent is not told: {}", first_line(&message.text));
    decision.note(ticket, EventKind::Comment, &reason, json!({ "action": "expired", "message": message.text }));
}

/// Lets a message wait again that nobody was told. What was written since then is told with it.
pub(super) fn give_back_message(decision: &Decision<'_>, ticket: &mut Ticket, text: &str) {
    let text = match &ticket.message {
        Some(later) => format!("{text}\n\n{}", later.text),
        None => text.to_owned(),
    };
    ticket.message = Some(Message { text, at: decision.input.at });
}

/// Lets the agent of a ticket read the message that waited for the end of its job. One that the job itself gave back waits for
/// a person: what kept the job from telling it would keep the next one too.
pub(super) fn tell_what_waited(decision: &mut Decision<'_>, ticket: &Ticket) {
    let is_open = match ticket.state {
        State::NeedsHuman { .. } | State::Done => true,
        // Nobody starts by itself what a person stopped.
        State::Blocked { why } => why != Blocked::Canceled,
        State::Proposed | State::Planned | State::Executing { .. } | State::Verifying { .. } | State::Abandoned => {
            false
        }
    };
    let waited = decision.board.ticket(ticket.id).and_then(|ticket| ticket.message.as_ref());
    let is_due = waited.is_some_and(|message| message.is_due(decision.input.at));
    if is_open && is_due && decision.board.readiness(ticket) == Readiness::Ready {
        if let Some((had, key)) = decision.input.known.limit.map(Limit::told) {
            let reason = format!("its message waits on: its agent has had {had} (`{key}`)");
            return decision.note(ticket, EventKind::Comment, &reason, json!({}));
        }
        let job = Job { rework: Some(0), ..decision.new_job(ticket.id, JobKind::Execute) };
        decision.note(ticket, EventKind::JobQueued, "its agent is told the message that waited", about_job(job.id));
        decision.save(Save::Job { job, was: None });
    }
}
