//! What ticking boxes of the merge checklist leads to, and whether a landing waits for it.

use serde_json::json;

use super::change::Save;
use super::checklist::{Checklist, Item, Required, Tick};
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::TicketRef;
use super::revision::{Revision, RevisionStatus};
use super::rule::Decision;
use super::rule_commands::busy;
use super::state::State;
use super::ticket::Ticket;

/// Ticks boxes of a ticket's newest revision, and takes ticks away. Of several for one box the last counts.
pub(super) fn tick(
    decision: &mut Decision<'_>,
    name: TicketRef,
    revision: Option<u32>,
    boxes: &[(Item, bool)],
) -> Result<(), Refused> {
    let ticket = decision.find(name)?;
    let newest = still_open(decision, ticket, revision)?;
    let mut ticks = newest.ticks.clone();
    let (mut ticked, mut unticked) = (Vec::new(), Vec::new());
    for item in Item::ALL {
        let Some((_, wanted)) = boxes.iter().rev().find(|(one, _)| one == item) else { continue };
        let is_ticked = ticks.iter().any(|tick| tick.item == *item);
        match (is_ticked, wanted) {
            (true, true) | (false, false) => {}
            (false, true) => {
                ticks.push(Tick { item: *item, by: decision.input.actor.clone(), at: decision.input.at });
                ticked.push(*item);
            }
            (true, false) => {
                ticks.retain(|tick| tick.item != *item);
                unticked.push(*item);
            }
        }
    }
    if ticked.is_empty() && unticked.is_empty() {
        return Ok(());
    }
    let said = [("ticked", &ticked), ("took the tick from", &unticked)];
    let said = said.into_iter().filter(|(_, items)| !items.is_empty()).map(|(what, items)| {
        let names: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
        format!("{what} {}", names.join(", "))
    });
    let reason = format!("checklist of revision {}: {}", newest.number, said.collect::<Vec<_>>().join("; "));
    let payload = json!({ "action": "checklist", "revision": newest.number, "ticked": ticked, "unticked": unticked });
    decision.note(ticket, EventKind::Comment, &reason, payload);
    ticks.sort_by_key(|tick| tick.item);
    decision.save(Save::Ticks(Revision { ticks, ..newest }));
    Ok(())
}

/// Returns the newest revision, if its checklist is not settled yet.
fn still_open(decision: &Decision<'_>, ticket: &Ticket, asked: Option<u32>) -> Result<Revision, Refused> {
    let number = ticket.number;
    let Some(newest) = decision.board.revision(ticket.id) else {
        let message = format!("{number} has no change yet, so there is no checklist");
        return Err(Refused::new(
            RefusalCode::UnknownRevision,
            message,
            "A run that leaves a change makes a revision.",
        ));
    };
    if asked.is_some_and(|asked| asked != newest.number) {
        let message = format!("the newest revision of {number} is {}", newest.number);
        return Err(Refused::new(RefusalCode::Reviewed, message, "Its boxes are ticked anew."));
    }
    if let Some(job) = decision.board.active_job(ticket.id).filter(|job| job.lands()) {
        return Err(busy(ticket, job));
    }
    let settled = match (ticket.state, newest.status) {
        (State::Done | State::Abandoned, _) => Some(ticket.state.name().as_str()),
        (_, RevisionStatus::ChangesRequested | RevisionStatus::Superseded) => Some("sent back"),
        (
            State::Proposed
            | State::Planned
            | State::Executing { .. }
            | State::Verifying { .. }
            | State::NeedsHuman { .. }
            | State::Blocked { .. },
            RevisionStatus::Open | RevisionStatus::Approved,
        ) => None,
    };
    match settled {
        None => Ok(newest.clone()),
        Some(how) => {
            let message = format!("revision {} of {number} is {how}, so its checklist stays as it is", newest.number);
            Err(Refused::new(RefusalCode::Reviewed, message, "The next revision has a checklist of its own."))
        }
    }
}

/// Refuses a landing whose checklist must be done and is not, and names what is open.
pub(super) fn must_be_done(decision: &Decision<'_>, ticket: &Ticket) -> Result<(), Refused> {
    let Required::Yes(tests) = &decision.input.known.checklist else { return Ok(()) };
    let Some(list) = Checklist::of(decision.board, ticket, tests.clone()) else { return Ok(()) };
    let open = list.open();
    if open.is_empty() {
        return Ok(());
    }
    let number = ticket.number;
    let message = format!("the checklist of {number} is not done: {}", open.join(", "));
    let hint = format!("`draft checklist {}` shows it, and --tick ticks its boxes.", number.0);
    Err(Refused::new(RefusalCode::ChecklistOpen, message, hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::board::Board;
    use crate::domain::change::Change;
    use crate::domain::checklist::Tests;
    use crate::domain::command::Command;
    use crate::domain::job::{Job, JobKind};
    use crate::domain::rule::{Known, What, decide};
    use crate::domain::sample;
    use crate::domain::state::NeedsHuman;

    const REQUIRED: [(Item, bool); 3] =
        [(Item::CodeReviewed, true), (Item::NoSensitiveData, true), (Item::RollbackPlanUnderstood, true)];

    fn board(state: State, status: RevisionStatus) -> Board {
        let mut board = sample::board_of(&[state]);
        board.apply(&Change::Revision(Revision { status, ..sample::revision(1, 1) }));
        board
    }

    fn approved() -> Board {
        board(State::NeedsHuman { why: NeedsHuman::Approved }, RevisionStatus::Approved)
    }

    fn name() -> TicketRef {
        TicketRef::Id(sample::id(1))
    }

    fn ticked(board: &Board, revision: Option<u32>, boxes: &[(Item, bool)]) -> Result<Vec<Save>, Refused> {
        let command = Command::Tick { ticket: name(), revision, boxes: boxes.to_vec() };
        decide(board, &sample::input(What::Command(command))).map(|steps| steps.saves)
    }

    fn after(mut board: Board, boxes: &[(Item, bool)]) -> Board {
        ticked(&board, None, boxes).unwrap().iter().for_each(|save| board.foresee(save));
        board
    }

    fn landed(board: &Board, checklist: Required) -> Result<usize, Refused> {
        let mut input = sample::input(What::Command(Command::Land { ticket: name(), strategy: None }));
        input.known = Known { checklist, ..input.known };
        decide(board, &input).map(|steps| steps.saves.len())
    }

    #[test]
    fn a_tick_says_who_and_when_and_is_written_into_the_history_once() {
        let board = after(approved(), &[(Item::CodeReviewed, true)]);
        let ticks = &board.revision(sample::id(1)).unwrap().ticks;
        let input = sample::input(What::Command(Command::SetAutopilot(crate::domain::autopilot::Autopilot::Off)));
        assert_eq!(ticks, &[Tick { item: Item::CodeReviewed, by: input.actor, at: input.at }]);
        assert_eq!(ticked(&board, None, &[(Item::CodeReviewed, true)]), Ok(Vec::new()), "it was ticked before");
        let saves = ticked(&board, None, &[(Item::CodeReviewed, false), (Item::DocumentationUpdated, true)]).unwrap();
        let Some(Save::Event(event)) = saves.first() else { panic!("{saves:?}") };
        let said = "checklist of revision 1: ticked documentation_updated; took the tick from code_reviewed";
        assert_eq!(event.reason, said);
        assert_eq!(event.payload["unticked"], json!(["code_reviewed"]));
    }

    #[test]
    fn ticks_go_with_a_new_revision_and_only_the_newest_takes_any() {
        let mut board = after(approved(), &REQUIRED);
        board.apply(&Change::Revision(sample::revision(1, 2)));
        assert_eq!(board.revision(sample::id(1)).unwrap().ticks, []);
        assert_eq!(ticked(&board, Some(1), &REQUIRED).unwrap_err().code, RefusalCode::Reviewed);
        assert!(ticked(&board, Some(2), &REQUIRED).is_ok());
    }

    #[test]
    fn what_is_over_takes_no_more_ticks() {
        let review = State::NeedsHuman { why: NeedsHuman::Review };
        for (state, status) in [
            (State::Done, RevisionStatus::Approved),
            (State::Abandoned, RevisionStatus::Open),
            (review, RevisionStatus::ChangesRequested),
        ] {
            let refused = ticked(&board(state, status), None, &REQUIRED).unwrap_err();
            assert_eq!(refused.code, RefusalCode::Reviewed, "{refused}");
        }
        let mut landing = approved();
        landing.apply(&Change::Job(sample::job(1, JobKind::Land, 1)));
        assert_eq!(ticked(&landing, None, &REQUIRED).unwrap_err().code, RefusalCode::Busy);
        let recheck = Job { recheck: true, ..sample::job(1, JobKind::Land, 1) };
        landing.apply(&Change::Job(recheck));
        assert!(ticked(&landing, None, &REQUIRED).is_ok(), "what is only checked again lands nothing");
        let none = sample::board_of(&[State::Planned]);
        assert_eq!(ticked(&none, None, &REQUIRED).unwrap_err().code, RefusalCode::UnknownRevision);
    }

    #[test]
    fn a_landing_waits_for_its_checklist_only_where_that_is_wanted() {
        let board = approved();
        assert!(landed(&board, Required::No).is_ok());
        let refused = landed(&board, Required::Yes(Tests::Open(vec!["`make` did not run on this change".into()])));
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, RefusalCode::ChecklistOpen);
        let open = "the checklist of #1 is not done: `make` did not run on this change, `code_reviewed` is not ticked, \
                    `no_sensitive_data` is not ticked, `rollback_plan_understood` is not ticked";
        assert_eq!(refused.message, open);
        let board = after(board, &REQUIRED);
        assert!(landed(&board, Required::Yes(Tests::Passed(1))).is_ok());
        assert!(landed(&board, Required::Yes(Tests::Unknown)).is_ok(), "whoever did not look leaves it to who does");
    }
}
