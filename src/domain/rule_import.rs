//! What reading a board from a file leads to: all of it or nothing, beside what is there.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::archive::{Archive, ArchivedTicket};
use super::board::Board;
use super::change::Save;
use super::command::{Import, RefusalCode, Refused};
use super::dependencies::find_cycle;
use super::event::NewEvent;
use super::goal::Goal;
use super::id::{GoalId, TicketId, TicketNumber};
use super::rule::Decision;
use super::rule_commands::{check_checks, circle};
use super::state::State;
use super::ticket::{Ticket, Usage};

/// Returns the number that each ticket of a file gets on a board: its own where that is free, else the next that neither
/// has. Nothing when there are no more numbers.
pub fn numbers(board: &Board, archive: &Archive) -> Option<Vec<TicketNumber>> {
    let taken: BTreeSet<TicketNumber> = board.tickets().chain(board.removed()).map(|ticket| ticket.number).collect();
    let highest = archive.tickets.iter().map(|ticket| ticket.number).chain(taken.last().copied()).max();
    let mut last = highest.map_or(0, |number| number.0);
    archive
        .tickets
        .iter()
        .map(|ticket| {
            if taken.contains(&ticket.number) {
                last = last.checked_add(1)?;
                Some(TicketNumber(last))
            } else {
                Some(ticket.number)
            }
        })
        .collect()
}

/// Puts the goals and tickets of a file on the board, with their history.
pub(super) fn import(decision: &mut Decision<'_>, import: &Import) -> Result<(), Refused> {
    let Import { archive, goals, tickets } = import;
    if goals.len() != archive.goals.len() || tickets.len() != archive.tickets.len() {
        return Err(wrong("each goal and each ticket needs an identity".to_owned()));
    }
    let board = decision.board;
    if let Some(taken) = tickets.iter().find(|id| board.ticket(**id).is_some()) {
        return Err(wrong(format!("there is a ticket {taken} already")));
    }
    if let Some(taken) = goals.iter().find(|id| board.goal(**id).or_else(|| board.removed_goal(**id)).is_some()) {
        return Err(wrong(format!("there is a goal {taken} already")));
    }
    let numbers = numbers(decision.board, archive).ok_or_else(|| wrong("there are no more numbers".to_owned()))?;
    let links = Links::check(archive, goals, tickets)?;
    let board = decision.board.about.id;
    for (goal, id) in archive.goals.iter().zip(goals) {
        let new = Goal::new(*id, board, goal.title.clone(), goal.description.clone(), goal.created_at);
        // A file says nothing of what may happen without a person: somebody here must want it.
        decision.save(Save::Goal(Goal { updated_at: goal.updated_at, ..new }));
    }
    for ((one, id), number) in archive.tickets.iter().zip(tickets).zip(numbers) {
        let ticket = Ticket {
            id: *id,
            number,
            board,
            goal: links.goal(one)?,
            title: one.title.clone(),
            state: state(one)?,
            reason: one.reason.clone(),
            priority: one.priority,
            hand_order: one.order,
            pull_request: None,
            blocked_by: links.after(one)?,
            verify: one.verify.clone(),
            agent: one.agent.clone(),
            model: one.model.clone(),
            base_branch: one.base_branch.clone(),
            message: None,
            worktree: None,
            usage: Usage::default(),
            created_at: one.created_at,
            updated_at: one.updated_at,
            reverts: None,
            landed: None,
            removed_at: None,
        };
        decision.save(Save::NewTicket { ticket, description: one.description.clone() });
        for event in &one.history {
            decision.save(Save::Event(NewEvent {
                ticket: *id,
                at: event.at,
                kind: event.kind,
                from: event.from,
                to: event.to,
                actor: event.actor.clone(),
                reason: event.reason.clone(),
                payload: json!({ "imported": true }),
            }));
        }
    }
    Ok(())
}

/// What the numbers and places in a file mean.
struct Links<'a> {
    goals: &'a [GoalId],
    tickets: HashMap<TicketNumber, TicketId>,
}

impl<'a> Links<'a> {
    /// Checks that every number is there once, that what is named is there, and that nothing waits for itself.
    fn check(archive: &Archive, goals: &'a [GoalId], ids: &[TicketId]) -> Result<Self, Refused> {
        let mut tickets = HashMap::new();
        for (ticket, id) in archive.tickets.iter().zip(ids) {
            if ticket.number.0 == 0 {
                return Err(wrong("a ticket has the number 0, and numbers begin with 1".to_owned()));
            }
            if tickets.insert(ticket.number, *id).is_some() {
                return Err(wrong(format!("the file has {} twice", ticket.number)));
            }
            check_checks(&ticket.title, &ticket.verify)?;
        }
        let links = Self { goals, tickets };
        let mut graph = HashMap::new();
        for (ticket, id) in archive.tickets.iter().zip(ids) {
            graph.insert(*id, links.after(ticket)?);
        }
        let number = |id| links.tickets.iter().find(|(_, known)| **known == id).map(|(number, _)| *number);
        match find_cycle(&graph) {
            Some(cycle) => Err(circle(&cycle, number)),
            None => Ok(links),
        }
    }

    fn goal(&self, ticket: &ArchivedTicket) -> Result<Option<GoalId>, Refused> {
        let Some(place) = ticket.goal else { return Ok(None) };
        let goal = (place as usize).checked_sub(1).and_then(|at| self.goals.get(at));
        match goal {
            Some(goal) => Ok(Some(*goal)),
            None => Err(wrong(format!("{} serves goal {place}, and the file has no such goal", ticket.number))),
        }
    }

    fn after(&self, ticket: &ArchivedTicket) -> Result<Vec<TicketId>, Refused> {
        let mut blockers = Vec::new();
        for number in &ticket.after {
            let blocker = self.tickets.get(number);
            let missing = || wrong(format!("{} waits for {number}, and the file has no such ticket", ticket.number));
            let blocker = *blocker.ok_or_else(missing)?;
            if !blockers.contains(&blocker) {
                blockers.push(blocker);
            }
        }
        Ok(blockers)
    }
}

fn state(ticket: &ArchivedTicket) -> Result<State, Refused> {
    ticket.to_state().ok_or_else(|| {
        let why = ticket.why.map_or_else(|| "no reason".to_owned(), |why| format!("the reason {why}"));
        wrong(format!("{} is {} with {why}, which no ticket of a file is", ticket.number, ticket.state))
    })
}

fn wrong(message: String) -> Refused {
    Refused::new(RefusalCode::BadValue, message, "Nothing was imported. Mend the file, or export the board again.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::command::Command;
    use crate::domain::event::Event;
    use crate::domain::rule::{What, decide};
    use crate::domain::rule_walk::{act, apply, walk};
    use crate::domain::sample;
    use crate::domain::ticket::Title;

    /// A board with what lies outside of it.
    #[derive(Default)]
    struct Whole {
        descriptions: HashMap<TicketId, String>,
        history: HashMap<TicketId, Vec<Event>>,
    }

    impl Whole {
        fn take(&mut self, save: &Save) {
            match save {
                Save::NewTicket { ticket, description } => {
                    self.descriptions.insert(ticket.id, description.clone());
                }
                Save::Description { ticket, text } => {
                    self.descriptions.insert(*ticket, text.clone());
                }
                Save::Event(event) => {
                    let event = Event { seq: 0, event: event.clone() };
                    self.history.entry(event.event.ticket).or_default().push(event);
                }
                Save::Goal(_)
                | Save::Ticket { .. }
                | Save::Job { .. }
                | Save::Run(_)
                | Save::Evidence(_)
                | Save::Revision(_)
                | Save::Ticks(_)
                | Save::Comment(_)
                | Save::Review(_)
                | Save::Remarks(_)
                | Save::Autopilot(..) => {}
            }
        }

        fn archive(&self, board: &Board) -> Archive {
            Archive::of(board, &self.descriptions, &self.history)
        }
    }

    /// The command with identities from a number on, in the order of the file.
    fn command(archive: Archive, from: u128) -> Command {
        let goals = (from..).take(archive.goals.len()).map(|n| GoalId(Uuid::from_u128(n))).collect();
        let tickets = (from..).take(archive.tickets.len()).map(|n| TicketId(Uuid::from_u128(n))).collect();
        Command::Import(Box::new(Import { archive, goals, tickets }))
    }

    fn read_into(board: &mut Board, archive: Archive) -> Result<Whole, Refused> {
        let steps = decide(board, &sample::input(What::Command(command(archive, 1 << 100))))?;
        let mut whole = Whole::default();
        for save in &steps.saves {
            apply(board, save);
            whole.take(save);
        }
        Ok(whole)
    }

    fn archive_of(board: &Board) -> Archive {
        Whole::default().archive(board)
    }

    proptest! {
        #[test]
        fn what_was_exported_and_imported_exports_the_same(
            plan in prop::collection::vec(act(), 1..40),
            goals in prop::collection::vec(any::<bool>(), 0..4),
        ) {
            let (mut whole, mut board) = (Whole::default(), sample::board());
            walk(&plan, |moment| {
                moment.result.iter().flat_map(|steps| &steps.saves).for_each(|save| whole.take(save));
                board = moment.after.clone();
            });
            for (n, serves) in (1_u32..).zip(&goals) {
                let id = GoalId(Uuid::from_u128(n.into()));
                let title = Title::new(&format!("Goal {n}")).unwrap();
                let goal = Goal::new(id, board.about.id, title, "…".into(), crate::domain::time::Timestamp(n.into()));
                apply(&mut board, &Save::Goal(goal));
                let ticket = board.tickets().next().cloned().filter(|_| *serves);
                if let Some(ticket) = ticket {
                    let was = ticket.state.name();
                    apply(&mut board, &Save::Ticket { ticket: Ticket { goal: Some(id), ..ticket }, was });
                }
            }
            let exported = whole.archive(&board);
            let text = serde_json::to_string(&exported).unwrap();
            let read = Archive::read(&text).unwrap();
            prop_assert_eq!(&read, &exported);
            let mut other = sample::board();
            let imported = read_into(&mut other, read).unwrap();
            prop_assert_eq!(imported.archive(&other), exported.clone());
            // Once more beside it: everything is there twice, under numbers of its own.
            let before = other.len();
            let fresh = command(exported, 2 << 100);
            let steps = decide(&other, &sample::input(What::Command(fresh))).unwrap();
            steps.saves.iter().for_each(|save| apply(&mut other, save));
            prop_assert_eq!(other.len(), 2 * before);
        }
    }

    #[test]
    fn numbers_are_kept_where_they_are_free_also_from_removed_tickets() {
        let archive = archive_of(&sample::board_of(&[State::Planned, State::Done, State::Planned, State::Planned]));
        let mut board = sample::board_of(&[State::Planned]);
        board.apply(&crate::domain::change::Change::Ticket(Ticket {
            removed_at: Some(crate::domain::time::Timestamp(1)),
            ..sample::ticket(3)
        }));
        let numbers: Vec<u32> = numbers(&board, &archive).unwrap().iter().map(|number| number.0).collect();
        assert_eq!(numbers, [5, 2, 6, 4]);
    }

    /// Makes a file one that cannot be taken in.
    type Spoil<'a> = &'a dyn Fn(&mut Archive);

    #[test]
    fn a_file_that_contradicts_itself_is_refused_with_the_ticket() {
        let good = archive_of(&sample::board_of(&[State::Planned, State::Planned]));
        let with = |change: &dyn Fn(&mut Archive)| {
            let mut archive = good.clone();
            change(&mut archive);
            read_into(&mut sample::board(), archive).map(|_| ()).unwrap_err()
        };
        let cases: [(Spoil<'_>, &str); 9] = [
            (&|a| a.tickets[1].number = TicketNumber(1), "the file has #1 twice"),
            (&|a| a.tickets[1].number = TicketNumber(0), "the number 0"),
            (&|a| a.tickets[1].after = vec![TicketNumber(7)], "#2 waits for #7, and the file has no such ticket"),
            (&|a| a.tickets[1].after = vec![TicketNumber(2)], "wait for each other for ever: #2 → #2"),
            (&|a| a.tickets[0].goal = Some(1), "#1 serves goal 1, and the file has no such goal"),
            (&|a| a.tickets[0].goal = Some(0), "#1 serves goal 0, and the file has no such goal"),
            (&|a| a.tickets[0].state = crate::domain::state::StateName::Executing, "#1 is executing with no reason"),
            (&|a| a.tickets[0].state = crate::domain::state::StateName::Blocked, "#1 is blocked with no reason"),
            (&|a| a.tickets[0].verify = vec!["x".into(); 6], "has 6 checks"),
        ];
        for (change, says) in cases {
            let refused = with(change);
            assert!(refused.message.contains(says), "{}", refused.message);
            assert!(!refused.hint.is_empty());
        }
        assert!(read_into(&mut sample::board(), good).is_ok());
    }
}
