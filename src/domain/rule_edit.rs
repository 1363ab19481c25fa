//! What a person changes about a ticket that moves it nowhere: its fields, its place in the column, and whether it is on
//! the board at all.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::board::order;
use super::change::Save;
use super::command::{Edit, Place, RefusalCode, Refused};
use super::dependencies::{Readiness, find_cycle};
use super::event::EventKind;
use super::id::{TicketId, TicketRef};
use super::rule::Decision;
use super::rule_commands::{block_dependents, busy, check_checks, check_goal, circle};
use super::state::{Blocked, State};
use super::ticket::Ticket;

/// Hand orders are this far apart where they are given anew, so that a ticket fits between two others.
const APART: i64 = 1 << 20;

/// Changes fields of a ticket. What changes nothing leaves no trace.
pub(super) fn edit(decision: &mut Decision<'_>, name: TicketRef, edits: &[Edit]) -> Result<(), Refused> {
    let old = decision.find(name)?;
    let mut ticket = old.clone();
    let mut description = None;
    for edit in edits {
        match edit {
            Edit::Title(title) => ticket.title = title.clone(),
            Edit::Description(text) => description = Some(text),
            Edit::Priority(priority) => ticket.priority = *priority,
            Edit::Goal(goal) => {
                check_goal(decision, *goal)?;
                ticket.goal = *goal;
            }
            Edit::After(names) => ticket.blocked_by = blockers(decision, &ticket, names)?,
            Edit::Agent(agent) => ticket.agent.clone_from(agent),
            Edit::Model(model) => ticket.model.clone_from(model),
            Edit::Verify(checks) => {
                check_checks(&ticket.title, checks)?;
                ticket.verify.clone_from(checks);
            }
            Edit::BaseBranch(branch) => {
                check_unstarted(old, branch.as_ref())?;
                ticket.base_branch.clone_from(branch);
            }
        }
    }
    let changed = what_changed(old, &ticket, description);
    if changed.is_empty() {
        return Ok(());
    }
    // Its place by hand was among those that are as urgent.
    if ticket.priority != old.priority {
        ticket.hand_order = None;
    }
    ticket.updated_at = decision.input.at;
    decision.note(&ticket, EventKind::Updated, &in_words(&changed), Value::Object(changed));
    decision.save(Save::Ticket { ticket: ticket.clone(), was: old.state.name() });
    if let Some(text) = description {
        decision.save(Save::Description { ticket: ticket.id, text: text.clone() });
    }
    let waited = ticket.state == State::Blocked { why: Blocked::Dependency };
    if waited && !matches!(decision.board.readiness(&ticket), Readiness::Dead(_)) && is_idle(decision, &ticket) {
        decision.transition(ticket, State::Planned, "nothing that it waits for is abandoned any more", json!({}))?;
    }
    Ok(())
}

/// Refuses another base branch for a ticket whose worktree has begun from one.
fn check_unstarted(ticket: &Ticket, branch: Option<&String>) -> Result<(), Refused> {
    match &ticket.worktree {
        Some(worktree) if ticket.base_branch.as_ref() != branch => {
            let message = format!("{} has a worktree that started from {}", ticket.number, worktree.base_branch);
            let hint = "Abandon the ticket, which puts its worktree into the trash, and plan it again; then edit it.";
            Err(Refused::new(RefusalCode::HasWorktree, message, hint))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns the tickets of these names, if nothing would wait for itself.
fn blockers(decision: &Decision<'_>, ticket: &Ticket, names: &[TicketRef]) -> Result<Vec<TicketId>, Refused> {
    let mut blockers = Vec::new();
    for name in names {
        // A removed one that was waited for is waited for again when it comes back; only its id names it, as undo does.
        let removed = match name {
            TicketRef::Id(_) => decision.board.find_removed(*name),
            TicketRef::Number(_) => None,
        };
        let id = match removed {
            Some(removed) => removed.id,
            None => decision.find(*name)?.id,
        };
        if !blockers.contains(&id) {
            blockers.push(id);
        }
    }
    let board = decision.board;
    // Removed ones can come back, so they count.
    let all = board.tickets().chain(board.removed());
    let mut graph: HashMap<TicketId, Vec<TicketId>> = all.map(|other| (other.id, other.blocked_by.clone())).collect();
    graph.insert(ticket.id, blockers.clone());
    match find_cycle(&graph) {
        Some(cycle) => {
            let name = |id| board.ticket(id).or_else(|| board.find_removed(TicketRef::Id(id)));
            Err(circle(&cycle, |id| name(id).map(|ticket| ticket.number)))
        }
        None => Ok(blockers),
    }
}

/// Returns the new values of the fields that differ.
fn what_changed(old: &Ticket, new: &Ticket, description: Option<&String>) -> Map<String, Value> {
    let mut changed = Map::new();
    let mut say = |differs: bool, field: &str, value: Value| {
        if differs {
            changed.insert(field.to_owned(), value);
        }
    };
    say(old.title != new.title, "title", json!(new.title));
    // What it was is not known here, and whoever sends one has changed it.
    say(description.is_some(), "description", json!(description));
    say(old.priority != new.priority, "priority", json!(new.priority));
    say(old.goal != new.goal, "goal_id", json!(new.goal));
    say(old.blocked_by != new.blocked_by, "blocked_by", json!(new.blocked_by));
    say(old.agent != new.agent, "agent", json!(new.agent));
    say(old.model != new.model, "model", json!(new.model));
    say(old.verify != new.verify, "verify", json!(new.verify));
    say(old.base_branch != new.base_branch, "base_branch", json!(new.base_branch));
    changed
}

/// The fields in the order in which people name them, with their words.
const FIELDS: [(&str, &str); 9] = [
    ("title", "title"),
    ("description", "description"),
    ("priority", "priority"),
    ("goal_id", "goal"),
    ("blocked_by", "what it waits for"),
    ("agent", "agent"),
    ("model", "model"),
    ("verify", "checks"),
    ("base_branch", "base branch"),
];

fn in_words(changed: &Map<String, Value>) -> String {
    let words = FIELDS.iter().filter(|(field, _)| changed.contains_key(*field)).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(", ")
}

fn is_idle(decision: &Decision<'_>, ticket: &Ticket) -> bool {
    decision.board.active_job(ticket.id).is_none()
}

/// Puts a ticket above or below another one of its column that is as urgent.
pub(super) fn place(decision: &mut Decision<'_>, name: TicketRef, place: Place) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    let beside = match place {
        Place::Above(other) | Place::Below(other) => decision.find(other)?,
    };
    if beside.id == ticket.id {
        return Ok(());
    }
    if beside.state.name() != ticket.state.name() {
        let message =
            format!("{} is {} and {} is {}", ticket.number, ticket.state.name(), beside.number, beside.state.name());
        return Err(Refused::new(RefusalCode::BadValue, message, "Only tickets of one column have an order."));
    }
    if beside.priority != ticket.priority {
        let message = format!(
            "{} is not as urgent as {}",
            less_urgent(ticket, beside).number,
            more_urgent(ticket, beside).number
        );
        return Err(Refused::new(
            RefusalCode::BadValue,
            message,
            "The more urgent one comes first: change a priority instead.",
        ));
    }
    let is_equal = |other: &&Ticket| {
        other.state.name() == ticket.state.name() && other.priority == ticket.priority && other.id != ticket.id
    };
    let mut column: Vec<&Ticket> = decision.board.tickets().filter(is_equal).collect();
    column.sort_by_key(|other| order(other));
    let at = column.iter().position(|other| other.id == beside.id).unwrap_or(0);
    let at = match place {
        Place::Above(_) => at,
        Place::Below(_) => at + 1,
    };
    let order_of = |at: Option<usize>| at.and_then(|at| column.get(at)).map(|other| other.hand_order);
    match between(order_of(at.checked_sub(1)), order_of(Some(at))) {
        Some(order) => put(decision, ticket, order),
        None => {
            column.insert(at, ticket);
            for (order, other) in (0..).map(|n: i64| n.saturating_mul(APART)).zip(column) {
                put(decision, other, order);
            }
        }
    }
    Ok(())
}

fn more_urgent<'a>(a: &'a Ticket, b: &'a Ticket) -> &'a Ticket {
    if a.priority > b.priority { a } else { b }
}

fn less_urgent<'a>(a: &'a Ticket, b: &'a Ticket) -> &'a Ticket {
    if a.priority > b.priority { b } else { a }
}

/// Returns an order between that of the ticket above and that of the ticket below; nothing when all must be ordered anew.
fn between(above: Option<Option<i64>>, below: Option<Option<i64>>) -> Option<i64> {
    match (above, below) {
        (None, Some(Some(below))) => below.checked_sub(APART),
        // Below an unordered one everything is ordered by age.
        (Some(Some(above)), None | Some(None)) => above.checked_add(APART),
        (Some(Some(above)), Some(Some(below))) => {
            let middle = above.midpoint(below);
            (middle > above && middle < below).then_some(middle)
        }
        (None, None | Some(None)) => Some(0),
        (Some(None), _) => None,
    }
}

fn put(decision: &mut Decision<'_>, ticket: &Ticket, order: i64) {
    if ticket.hand_order != Some(order) {
        let ordered = Ticket { hand_order: Some(order), updated_at: decision.input.at, ..ticket.clone() };
        decision.save(Save::Ticket { ticket: ordered, was: ticket.state.name() });
    }
}

/// Takes a ticket off the board. Those that waited for it wait no more.
pub(super) fn remove(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    if let Some(job) = decision.board.active_job(ticket.id) {
        return Err(busy(ticket, job));
    }
    let removed = Ticket { removed_at: Some(decision.input.at), updated_at: decision.input.at, ..ticket.clone() };
    decision.note(&removed, EventKind::Updated, "removed", json!({ "removed": true }));
    decision.save(Save::Ticket { ticket: removed, was: ticket.state.name() });
    decision.free(ticket, "was removed")
}

/// Puts a ticket that was removed back on the board, where it was.
pub(super) fn bring_back(decision: &mut Decision<'_>, name: TicketRef) -> Result<(), Refused> {
    let Some(removed) = decision.board.find_removed(name) else {
        let ticket = decision.find(name)?;
        let message = format!("{} was not removed", ticket.number);
        return Err(Refused::new(RefusalCode::NotRemoved, message, "It is on the board."));
    };
    let ticket = Ticket { removed_at: None, updated_at: decision.input.at, ..removed.clone() };
    decision.note(&ticket, EventKind::Updated, "came back", json!({ "removed": false }));
    decision.save(Save::Ticket { ticket, was: removed.state.name() });
    // Its removal let those go on that had waited for it in vain.
    if removed.state == State::Abandoned { block_dependents(decision, removed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::board::Board;
    use crate::domain::change::Change;
    use crate::domain::command::{AgentChoice, Command};
    use crate::domain::event::NewEvent;
    use crate::domain::id::TicketNumber;
    use crate::domain::job::JobKind;
    use crate::domain::rule::{What, decide};
    use crate::domain::rule_walk::apply;
    use crate::domain::sample;
    use crate::domain::state::StateName;
    use crate::domain::ticket::{Priority, Title, Worktree};

    fn ask(board: &mut Board, command: Command) -> Result<Vec<NewEvent>, Refused> {
        let steps = decide(board, &sample::input(What::Command(command)))?;
        steps.saves.iter().for_each(|save| apply(board, save));
        Ok(steps
            .saves
            .into_iter()
            .filter_map(|save| if let Save::Event(event) = save { Some(event) } else { None })
            .collect())
    }

    fn name(number: u32) -> TicketRef {
        TicketRef::Id(sample::id(number))
    }

    fn edit(board: &mut Board, number: u32, edits: Vec<Edit>) -> Result<Vec<NewEvent>, Refused> {
        ask(board, Command::Edit { ticket: name(number), edits })
    }

    #[test]
    fn what_is_asked_together_is_done_whole_or_not_at_all() {
        let mut board = sample::board_of(&[State::Planned, State::Planned]);
        let moved = |number, to| Command::Move { ticket: name(number), to, reason: None };
        let two = vec![moved(1, StateName::Proposed), moved(1, StateName::Abandoned), moved(2, StateName::Proposed)];
        assert_eq!(ask(&mut board, Command::Together(two)).unwrap().len(), 3, "each sees what came before it");
        assert_eq!([1, 2].map(|n| board.ticket(sample::id(n)).unwrap().state), [State::Abandoned, State::Proposed]);
        let before = board.clone();
        let bad = vec![moved(2, StateName::Planned), moved(1, StateName::Done)];
        assert_eq!(ask(&mut board, Command::Together(bad)).unwrap_err().code, RefusalCode::IllegalMove);
        let run = Command::Run { ticket: name(2), choice: AgentChoice::default() };
        let with_job = vec![moved(2, StateName::Planned), run];
        assert_eq!(ask(&mut board, Command::Together(with_job)).unwrap_err().code, RefusalCode::BadValue);
        assert_eq!(board, before);
    }

    #[test]
    fn an_edit_says_which_fields_changed_and_nothing_when_none_did() {
        let mut board = sample::board_of(&[State::Planned]);
        let title = Title::new("another").unwrap();
        let edits = vec![
            Edit::Title(title.clone()),
            Edit::Priority(Some(Priority::try_from(90).unwrap())),
            Edit::Agent(None),
            Edit::Description("more".into()),
        ];
        let events = edit(&mut board, 1, edits).unwrap();
        assert_eq!(board.find(name(1)).unwrap().title, title);
        assert_eq!((events.len(), events[0].kind), (1, EventKind::Updated));
        assert_eq!(events[0].reason, "title, description, priority");
        assert_eq!(events[0].payload, json!({ "title": "another", "description": "more", "priority": 90 }));
        assert_eq!(edit(&mut board, 1, vec![Edit::Title(title)]).unwrap(), []);
    }

    #[test]
    fn the_base_branch_stays_once_a_worktree_has_started_from_it() {
        let mut board = sample::board_of(&[State::Planned]);
        let to = |branch: &str| vec![Edit::BaseBranch(Some(branch.to_owned()))];
        assert_eq!(edit(&mut board, 1, to("release")).unwrap()[0].reason, "base branch");
        let worktree = Worktree {
            path: "/w/1".into(),
            branch: "draft/1-a-ticket".into(),
            base_branch: "release".into(),
            base: "b".repeat(40),
            port: None,
        };
        let started = Ticket { worktree: Some(worktree), ..board.find(name(1)).unwrap().clone() };
        board.apply(&Change::Ticket(started));
        assert_eq!(edit(&mut board, 1, to("main")).unwrap_err().code, RefusalCode::HasWorktree);
        assert_eq!(edit(&mut board, 1, to("release")).unwrap(), []);
    }

    #[test]
    fn a_ticket_cannot_wait_for_one_that_waits_for_it_not_even_for_a_removed_one() {
        let mut board = sample::board_of(&[State::Planned, State::Planned]);
        edit(&mut board, 1, vec![Edit::After(vec![name(2)])]).unwrap();
        let refused = edit(&mut board, 2, vec![Edit::After(vec![name(1)])]).unwrap_err();
        assert_eq!(refused.code, RefusalCode::Cycle);
        assert_eq!(edit(&mut board, 1, vec![Edit::After(vec![name(1)])]).unwrap_err().code, RefusalCode::Cycle);
        ask(&mut board, Command::Remove { ticket: name(1) }).unwrap();
        assert_eq!(edit(&mut board, 2, vec![Edit::After(vec![name(1)])]).unwrap_err().code, RefusalCode::Cycle);
        let by_number = TicketRef::Number(TicketNumber(1));
        let refused = edit(&mut board, 2, vec![Edit::After(vec![by_number])]).unwrap_err();
        assert_eq!(refused.code, RefusalCode::UnknownTicket);
    }

    #[test]
    fn a_ticket_that_waits_for_nothing_abandoned_any_more_is_planned() {
        let dead = State::Blocked { why: Blocked::Dependency };
        let mut board = sample::board_of(&[State::Abandoned, dead]);
        let waiting = Ticket { blocked_by: vec![sample::id(1)], ..board.find(name(2)).unwrap().clone() };
        board.apply(&Change::Ticket(waiting));
        edit(&mut board, 2, vec![Edit::Title(Title::new("it still waits").unwrap())]).unwrap();
        assert_eq!(board.find(name(2)).unwrap().state, dead);
        edit(&mut board, 2, vec![Edit::After(Vec::new())]).unwrap();
        assert_eq!(board.find(name(2)).unwrap().state, State::Planned);
    }

    #[test]
    fn tickets_are_ordered_only_among_those_that_are_as_urgent() {
        let mut board = sample::board_of(&[State::Planned, State::Planned, State::Planned, State::Done]);
        let order = |board: &Board| -> Vec<u32> {
            board.column(crate::domain::state::StateName::Planned).iter().map(|ticket| ticket.number.0).collect()
        };
        ask(&mut board, Command::Place { ticket: name(3), place: Place::Above(name(1)) }).unwrap();
        assert_eq!(order(&board), [3, 1, 2]);
        ask(&mut board, Command::Place { ticket: name(3), place: Place::Below(name(1)) }).unwrap();
        assert_eq!(order(&board), [1, 3, 2]);
        for _ in 0..100 {
            ask(&mut board, Command::Place { ticket: name(2), place: Place::Above(name(3)) }).unwrap();
            assert_eq!(order(&board), [1, 2, 3]);
            ask(&mut board, Command::Place { ticket: name(3), place: Place::Above(name(2)) }).unwrap();
            assert_eq!(order(&board), [1, 3, 2]);
        }
        let aside = Command::Place { ticket: name(1), place: Place::Above(name(4)) };
        assert_eq!(ask(&mut board, aside).unwrap_err().code, RefusalCode::BadValue);
        edit(&mut board, 1, vec![Edit::Priority(Some(Priority::try_from(90).unwrap()))]).unwrap();
        let refused = ask(&mut board, Command::Place { ticket: name(2), place: Place::Above(name(1)) }).unwrap_err();
        assert_eq!(refused.message, "#2 is not as urgent as #1");
    }

    #[test]
    fn a_removed_ticket_frees_those_that_wait_and_comes_back_as_it_was() {
        let mut board = sample::board_of(&[State::Planned, State::Planned]);
        edit(&mut board, 2, vec![Edit::After(vec![name(1)])]).unwrap();
        let before = board.find(name(1)).unwrap().clone();
        let events = ask(&mut board, Command::Remove { ticket: name(1) }).unwrap();
        assert_eq!(events[1].reason, "nothing holds it up any more: #1 was removed");
        assert_eq!((board.len(), board.readiness(board.find(name(2)).unwrap())), (1, Readiness::Ready));
        assert_eq!(board.next_number().0, 3);
        ask(&mut board, Command::BringBack { ticket: name(1) }).unwrap();
        let back = board.find(name(1)).unwrap();
        assert_eq!(back, &Ticket { updated_at: back.updated_at, ..before });
        let refused = ask(&mut board, Command::BringBack { ticket: name(1) }).unwrap_err();
        assert_eq!(refused.code, RefusalCode::NotRemoved);
    }

    #[test]
    fn a_ticket_at_work_is_not_removed() {
        let mut board = sample::board_of(&[State::Planned]);
        board.apply(&Change::Job(sample::job(1, JobKind::Execute, 1)));
        assert_eq!(ask(&mut board, Command::Remove { ticket: name(1) }).unwrap_err().code, RefusalCode::Busy);
    }
}
