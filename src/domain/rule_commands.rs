//! What the commands lead to: filing, moving by hand, asking for a run, cancelling.

use std::collections::HashMap;

use serde_json::json;

use super::board::Board;
use super::change::Save;
use super::command::{AgentChoice, NewTicket, RefusalCode, Refused};
use super::dependencies::{Readiness, find_cycle, planned_dependents};
use super::event::EventKind;
use super::id::{GoalId, TicketId, TicketNumber, TicketRef};
use super::job::{Job, JobKind, JobStatus};
use super::rule::{Decision, Landed, Limit, Trust, about_job, illegal};
use super::rule_again;
use super::rule_autonomy::Started;
use super::state::{Blocked, NeedsHuman, State, StateName, may_move};
use super::ticket::{Ticket, Title, Usage, VERIFY_LENGTH_MAX, VERIFY_MAX};

/// Files tickets, all or none; they may wait for each other, but not in a circle.
pub(super) fn add_tickets(decision: &mut Decision<'_>, new: &[NewTicket]) -> Result<(), Refused> {
    let first = decision.board.next_number().0;
    let numbered = |index: usize| TicketNumber(first.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)));
    let fresh: HashMap<TicketId, TicketNumber> =
        new.iter().enumerate().map(|(index, one)| (one.id, numbered(index))).collect();
    let mut tickets = Vec::with_capacity(new.len());
    for (index, one) in new.iter().enumerate() {
        check_values(decision, one)?;
        // The map keeps the last of several with one identity.
        if decision.board.ticket(one.id).is_some() || fresh.get(&one.id) != Some(&numbered(index)) {
            return Err(identity_taken(one.id));
        }
        let mut blocked_by = Vec::new();
        for name in &one.after {
            let id = match name {
                TicketRef::Id(id) if fresh.contains_key(id) => *id,
                TicketRef::Number(number) if number.0 >= first && (number.0 - first) as usize >= new.len() => {
                    return Err(decision.find(*name).err().unwrap_or_else(|| unreachable_number(*name)));
                }
                TicketRef::Number(number) if number.0 >= first => new[(number.0 - first) as usize].id,
                TicketRef::Id(_) | TicketRef::Number(_) => decision.find(*name)?.id,
            };
            if !blocked_by.contains(&id) {
                blocked_by.push(id);
            }
        }
        tickets.push(filed(decision, one, numbered(index), blocked_by));
    }
    refuse_cycle(&tickets, &fresh)?;
    let mut started = Started::default();
    for (ticket, one) in tickets.into_iter().zip(new) {
        let payload = json!({
            "title": ticket.title, "description": one.description, "goal_id": ticket.goal,
            "priority": ticket.priority, "blocked_by": ticket.blocked_by,
        });
        decision.save(Save::NewTicket { ticket: ticket.clone(), description: one.description.clone() });
        decision.event(&ticket, EventKind::Created, None, Some(ticket.state.name()), "", payload);
        started.start(decision, ticket)?;
    }
    started.count(decision);
    Ok(())
}

fn identity_taken(id: TicketId) -> Refused {
    let message = format!("there is a ticket {id} already");
    Refused::new(RefusalCode::BadValue, message, "A new ticket needs a new identity.")
}

fn unreachable_number(name: TicketRef) -> Refused {
    Refused::new(RefusalCode::UnknownTicket, format!("there is no ticket {name}"), "Name a ticket that exists.")
}

fn check_values(decision: &Decision<'_>, new: &NewTicket) -> Result<(), Refused> {
    check_goal(decision, new.goal)?;
    check_checks(&new.title, &new.verify)
}

/// Refuses a goal that the board does not have.
pub(super) fn check_goal(decision: &Decision<'_>, goal: Option<GoalId>) -> Result<(), Refused> {
    match goal {
        Some(goal) if decision.board.goal(goal).is_none() => {
            let message = format!("there is no goal {goal} on this board");
            Err(Refused::new(RefusalCode::UnknownGoal, message, "Leave the goal out, or name one that exists."))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses too many checks, empty ones and long ones.
pub(super) fn check_checks(title: &Title, checks: &[String]) -> Result<(), Refused> {
    let bad = |message: String| {
        let hint = format!("A ticket has at most {VERIFY_MAX} checks of {VERIFY_LENGTH_MAX} characters each.");
        Err(Refused::new(RefusalCode::BadValue, message, hint))
    };
    if checks.len() > VERIFY_MAX {
        return bad(format!("`{title}` has {} checks", checks.len()));
    }
    match checks.iter().find(|check| check.trim().is_empty() || check.chars().count() > VERIFY_LENGTH_MAX) {
        Some(check) if check.trim().is_empty() => bad(format!("a check of `{title}` is empty")),
        Some(_) => bad(format!("a check of `{title}` is too long")),
        None => Ok(()),
    }
}

fn filed(decision: &Decision<'_>, new: &NewTicket, number: TicketNumber, blocked_by: Vec<TicketId>) -> Ticket {
    Ticket {
        id: new.id,
        number,
        board: decision.board.about.id,
        goal: new.goal,
        title: new.title.clone(),
        state: if new.accepted { State::Planned } else { State::Proposed },
        reason: String::new(),
        priority: new.priority,
        hand_order: None,
        pull_request: None,
        blocked_by,
        verify: new.verify.clone(),
        agent: new.agent.clone(),
        model: new.model.clone(),
        base_branch: new.base_branch.clone(),
        message: None,
        worktree: None,
        usage: Usage::default(),
        created_at: decision.input.at,
        updated_at: decision.input.at,
        reverts: None,
        landed: None,
        removed_at: None,
    }
}

/// Only tickets of one call can wait for each other in a circle: older ones cannot wait for newer ones.
fn refuse_cycle(tickets: &[Ticket], numbers: &HashMap<TicketId, TicketNumber>) -> Result<(), Refused> {
    let graph = tickets.iter().map(|ticket| (ticket.id, ticket.blocked_by.clone())).collect();
    find_cycle(&graph).map_or(Ok(()), |cycle| Err(circle(&cycle, |id| numbers.get(&id).copied())))
}

/// Refuses tickets that would wait for each other.
pub(super) fn circle(cycle: &[TicketId], number: impl Fn(TicketId) -> Option<TicketNumber>) -> Refused {
    let mut names: Vec<String> = cycle.iter().filter_map(|id| number(*id)).map(|number| number.to_string()).collect();
    names.extend(names.first().cloned());
    let message = format!("these tickets would wait for each other for ever: {}", names.join(" → "));
    Refused::new(RefusalCode::Cycle, message, "Take one of these dependencies out.")
}

/// Moves a ticket by hand.
pub(super) fn move_ticket(
    decision: &mut Decision<'_>,
    name: TicketRef,
    to: StateName,
    reason: Option<&str>,
) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if to == StateName::Executing {
        return run_named(decision, name, reason.unwrap_or_default(), &AgentChoice::default());
    }
    if to == StateName::Verifying {
        return rule_again::verify(decision, name);
    }
    if !may_move(ticket.state.name(), to) {
        return Err(illegal(ticket, to));
    }
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    let reason = reason.unwrap_or_default();
    let state = match to {
        StateName::Proposed => State::Proposed,
        StateName::Planned => State::Planned,
        StateName::Blocked => State::Blocked { why: Blocked::Canceled },
        StateName::Abandoned => State::Abandoned,
        StateName::NeedsHuman => State::NeedsHuman { why: NeedsHuman::Handover },
        StateName::Done => {
            refuse_unlanded(decision, ticket)?;
            State::Done
        }
        StateName::Executing | StateName::Verifying => return Err(needs_a_job(ticket, to)),
    };
    decision.transition(ticket.clone(), state, reason, json!({}))?;
    match (ticket.state.name(), to) {
        (_, StateName::Abandoned) => block_dependents(decision, ticket),
        (StateName::Abandoned, StateName::Planned) => free_dependents(decision, ticket),
        _ => Ok(()),
    }
}

fn needs_a_job(ticket: &Ticket, to: StateName) -> Refused {
    let message = format!("{} becomes {to} only by a job that Draft runs", ticket.number);
    Refused::new(RefusalCode::IllegalMove, message, format!("`draft run {}` runs it.", ticket.number.0))
}

/// `done` is a fact: a change that is not on its target is not done, whoever says so.
fn refuse_unlanded(decision: &Decision<'_>, ticket: &Ticket) -> Result<(), Refused> {
    let (Some(revision), Some(worktree)) = (decision.board.revision(ticket.id), &ticket.worktree) else {
        return Ok(());
    };
    match decision.input.known.landed {
        Landed::Yes => Ok(()),
        Landed::No => Err(Refused::new(
            RefusalCode::NotLanded,
            format!(
                "{} has a change (revision {}) that is not on {}",
                ticket.number, revision.number, worktree.base_branch
            ),
            format!(
                "Merge commit {} into {} and move it again, or abandon it.",
                revision.head.get(..12).unwrap_or(&revision.head),
                worktree.base_branch
            ),
        )),
    }
}

/// Tickets that wait for an abandoned one would wait for ever; they are shown as blocked instead.
pub(super) fn block_dependents(decision: &mut Decision<'_>, blocker: &Ticket) -> Result<(), Refused> {
    let board = decision.board;
    // One that was planned although it waits for another abandoned ticket stays so: what undoes this could not move it back.
    let dependents = planned_dependents(blocker.id, board.tickets());
    for dependent in dependents.filter(|one| !is_dead_anyway(board, one, blocker.id)) {
        let reason = format!("{}, which it waits for, was abandoned", blocker.number);
        if let Some(job) = board.active_job(dependent.id) {
            unqueue(decision, job, &reason);
        }
        let state = State::Blocked { why: Blocked::Dependency };
        decision.transition(dependent.clone(), state, &reason, json!({ "blocker": blocker.id }))?;
    }
    Ok(())
}

/// Says whether a ticket waits for an abandoned one beside this.
fn is_dead_anyway(board: &Board, ticket: &Ticket, blocker: TicketId) -> bool {
    let others = ticket.blocked_by.iter().filter(|id| **id != blocker).filter_map(|id| board.ticket(*id));
    others.into_iter().any(|other| other.state == State::Abandoned)
}

fn free_dependents(decision: &mut Decision<'_>, blocker: &Ticket) -> Result<(), Refused> {
    let board = decision.board;
    let waiting = State::Blocked { why: Blocked::Dependency };
    for dependent in board.tickets().filter(|one| one.state == waiting && one.blocked_by.contains(&blocker.id)) {
        if board.active_job(dependent.id).is_none() && !is_dead_anyway(board, dependent, blocker.id) {
            let reason = format!("{}, which it waits for, is back", blocker.number);
            decision.transition(dependent.clone(), State::Planned, &reason, json!({ "blocker": blocker.id }))?;
        }
    }
    Ok(())
}

/// Asks for an agent to work on the ticket that somebody names.
pub(super) fn run_named(
    decision: &mut Decision<'_>,
    name: TicketRef,
    reason: &str,
    choice: &AgentChoice,
) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    run(decision, ticket, reason, choice)
}

/// Asks for an agent to work on a ticket.
pub(super) fn run(
    decision: &mut Decision<'_>,
    ticket: &Ticket,
    reason: &str,
    choice: &AgentChoice,
) -> Result<(), Refused> {
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    if !may_move(ticket.state.name(), StateName::Executing) {
        return Err(illegal(ticket, StateName::Executing));
    }
    refuse_waiting(ticket, &decision.board.readiness(ticket))?;
    if decision.input.known.checks == Trust::Missing {
        return Err(Refused::not_trusted());
    }
    within_limits(decision, ticket)?;
    let AgentChoice { agent, model } = choice.clone();
    let job = Job { rework: Some(0), agent, model, ..decision.new_job(ticket.id, JobKind::Execute) };
    decision.note(ticket, EventKind::JobQueued, reason, about_job(job.id));
    decision.save(Save::Job { job, was: None });
    Ok(())
}

fn refuse_waiting(ticket: &Ticket, readiness: &Readiness) -> Result<(), Refused> {
    let list = |numbers: &[TicketNumber]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match readiness {
        Readiness::Ready => Ok(()),
        Readiness::Waits(blockers) => Err(Refused::new(
            RefusalCode::Waits,
            format!("{} waits for {}", ticket.number, list(blockers)),
            "It can run once they are done.",
        )),
        Readiness::Dead(blockers) => Err(Refused::new(
            RefusalCode::Waits,
            format!("{} waits for {}, abandoned", ticket.number, list(blockers)),
            format!("Reactivate {}, or take the dependency out.", list(blockers)),
        )),
    }
}

/// Refuses what would give a ticket more jobs than are allowed.
pub(super) fn within_limits(decision: &Decision<'_>, ticket: &Ticket) -> Result<(), Refused> {
    let Some((had, key)) = decision.input.known.limit.map(Limit::told) else { return Ok(()) };
    let message = format!("{} has had {had}", ticket.number);
    Err(Refused::new(RefusalCode::Limit, message, format!("Wait, look at why it needs so many, or raise `{key}`.")))
}

pub(super) fn busy(ticket: &Ticket, job: &Job) -> Refused {
    let doing = match job.status {
        JobStatus::Queued => "is queued",
        JobStatus::Running | JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => {
            "is running"
        }
    };
    let message = format!("{} has a job already: its {} job {doing}", ticket.number, job.what());
    Refused::new(RefusalCode::Busy, message, "Wait until it ends, or cancel it first.")
}

/// Brings a worktree back from the trash. A ticket that is done or abandoned holds none, so it is reactivated first.
pub(super) fn restore(decision: &mut Decision<'_>, name: TicketRef, reference: &str) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    if let Some(worktree) = &ticket.worktree {
        let message = format!("{} has a worktree: {}", ticket.number, worktree.path.display());
        return Err(Refused::new(RefusalCode::HasWorktree, message, "It is kept in the trash until it has none."));
    }
    if !ticket.state.name().keeps_worktree() {
        let message = format!("{} is {}, so it holds no worktree", ticket.number, ticket.state.name());
        let hint = format!("`draft ticket move {} planned` reactivates an abandoned one.", ticket.number.0);
        return Err(Refused::new(RefusalCode::IllegalMove, message, hint));
    }
    decision.restore(ticket.id, reference);
    Ok(())
}

/// Stops the ticket's job. The wish is saved before anything is stopped; the ticket moves when the tree is gone.
pub(super) fn cancel(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    let Some(job) = decision.board.active_job(ticket.id) else {
        let message = format!("{} has no job to stop", ticket.number);
        return Err(Refused::new(RefusalCode::Idle, message, "Only a queued or running job can be canceled."));
    };
    let id = job.id;
    if job.status == JobStatus::Running {
        if !job.cancel_requested {
            let job = Job { cancel_requested: true, ..job.clone() };
            decision.note(ticket, EventKind::CancelRequested, "", about_job(id));
            decision.save(Save::Job { job, was: Some(JobStatus::Running) });
        }
        decision.stop(id);
        return Ok(());
    }
    unqueue(decision, job, "canceled before it started");
    let blocked = State::Blocked { why: Blocked::Canceled };
    if may_move(ticket.state.name(), StateName::Blocked) {
        decision.transition(ticket.clone(), blocked, "canceled before it started", about_job(id))
    } else {
        decision.note(ticket, EventKind::Comment, "its queued job was canceled", about_job(id));
        Ok(())
    }
}

/// Ends a job that waits for a slot.
fn unqueue(decision: &mut Decision<'_>, job: &Job, reason: &str) {
    let was = Some(job.status);
    let finished_at = Some(decision.input.at);
    let job = Job { status: JobStatus::Canceled, finished_at, reason: reason.to_owned(), ..job.clone() };
    decision.save(Save::Job { job, was });
}
