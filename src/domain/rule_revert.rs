//! What asking to take a landed change back leads to: a ticket of its own, whose first job git does instead of an agent.

use serde_json::json;

use super::board::Board;
use super::change::Save;
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::{TicketId, TicketRef};
use super::job::{Job, JobKind};
use super::landing::Intent;
use super::rule::{Decision, Trust, about_job};
use super::state::State;
use super::ticket::{TITLE_MAX, Ticket, Title, Usage};

/// What is known of the landing that somebody wants to take back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Traced {
    /// Nobody looked.
    #[default]
    Unknown,
    /// No landing of the ticket is known.
    Nothing,
    /// Its target does not have these commits any more.
    Gone(Intent),
    /// Its target has these commits, and nothing of what they changed.
    Undone(Intent),
    /// Its target has it.
    There(Intent),
}

/// Returns the ticket that takes another one's change back: one that is not given up, and was not taken back itself.
pub fn taken_back_by(board: &Board, ticket: TicketId) -> Option<&Ticket> {
    let number = board.ticket(ticket)?.number;
    let counts = |one: &&Ticket| {
        one.reverts == Some(ticket)
            && one.number > number
            && one.state != State::Abandoned
            && taken_back_by(board, one.id).is_none_or(|again| again.state != State::Done)
    };
    board.tickets().find(counts)
}

/// Says why a ticket's change cannot be taken back, as far as the board tells.
fn refused_by_board(board: &Board, ticket: &Ticket) -> Option<Refused> {
    let number = ticket.number;
    // Whatever is done with a ticket after its landing, what landed is on the target.
    if ticket.state != State::Done && ticket.landed.is_none() {
        let message = format!("{number} is {}, so nothing of it is on its target", ticket.state.name());
        return Some(Refused::new(RefusalCode::NotLanded, message, "Only a change that landed can be taken back."));
    }
    let back = taken_back_by(board, ticket.id)?;
    let message = format!("{} takes {number} back already; it is {}", back.number, back.state.name());
    let hint = if back.state == State::Done {
        format!("`draft revert {}` brings the change back.", back.number.0)
    } else {
        let number = back.number;
        format!("Bring {number} to its end, or give it up with `draft ticket move {} abandoned`.", number.0)
    };
    Some(Refused::new(RefusalCode::AlreadyReverted, message, hint))
}

/// Files the ticket that takes a landed change back, and asks for its job.
pub(super) fn revert(decision: &mut Decision<'_>, name: TicketRef, id: Option<TicketId>) -> Result<(), Refused> {
    let id = id.unwrap_or(TicketId(decision.input.fresh.0));
    let landed = decision.find(name)?;
    if let Some(refused) = refused_by_board(decision.board, landed) {
        return Err(refused);
    }
    let number = landed.number;
    let intent = match &decision.input.known.traced {
        // Whoever only wants to know whether it may be asked for has not looked.
        Traced::Unknown => return Ok(()),
        Traced::Nothing => {
            let message = format!("no landing of {number} is known: Draft did not bring its change to its target");
            let hint = "`git revert COMMIT` takes back what was merged by hand.";
            return Err(Refused::new(RefusalCode::NotLanded, message, hint));
        }
        Traced::Gone(intent) => {
            let message = format!("{} does not have {} of {number} any more", intent.branch, short(&intent.to));
            let hint = "Its history was written anew, so there is nothing to take back.";
            return Err(Refused::new(RefusalCode::NotLanded, message, hint));
        }
        Traced::Undone(intent) => {
            let message = format!("nothing of {number} is left on {}: it was taken back before", intent.branch);
            return Err(Refused::new(RefusalCode::AlreadyReverted, message, "There is nothing to take back."));
        }
        Traced::There(intent) => intent.clone(),
    };
    if decision.board.ticket(id).is_some() {
        let message = format!("there is a ticket {id} already");
        return Err(Refused::new(RefusalCode::BadValue, message, "A new ticket needs a new identity."));
    }
    if decision.input.known.checks == Trust::Missing {
        return Err(Refused::not_trusted());
    }
    let ticket = Ticket {
        id,
        number: decision.board.next_number(),
        board: landed.board,
        goal: landed.goal,
        title: title(landed),
        state: State::Planned,
        reason: String::new(),
        priority: landed.priority,
        hand_order: None,
        blocked_by: Vec::new(),
        // Those of the other ticket prove the change that goes now.
        verify: Vec::new(),
        agent: None,
        model: None,
        base_branch: Some(intent.branch.clone()).filter(|branch| *branch != decision.board.about.base_branch),
        message: None,
        worktree: None,
        pull_request: None,
        reverts: Some(landed.id),
        landed: None,
        usage: Usage::default(),
        created_at: decision.input.at,
        updated_at: decision.input.at,
        removed_at: None,
    };
    let description = description(landed, &intent);
    let payload = json!({
        "title": ticket.title, "description": description, "goal_id": ticket.goal, "priority": ticket.priority,
        "reverts": landed.id, "branch": intent.branch, "from": intent.from, "to": intent.to,
    });
    let job = Job { takes_back: Some(intent), ..decision.new_job(id, JobKind::Execute) };
    decision.save(Save::NewTicket { ticket: ticket.clone(), description });
    decision.event(&ticket, EventKind::Created, None, Some(ticket.state.name()), "", payload);
    let back = json!({ "action": "taken_back", "ticket": id, "number": ticket.number });
    decision.note(landed, EventKind::Comment, &format!("{} takes it back", ticket.number), back);
    decision.note(&ticket, EventKind::JobQueued, &format!("git takes {number} back"), about_job(job.id));
    decision.save(Save::Job { job, was: None });
    Ok(())
}

/// Returns the title of the ticket that takes another one back, cut where it would be too long.
fn title(landed: &Ticket) -> Title {
    let text = format!("Revert {}: {}", landed.number, landed.title);
    let cut: String = text.chars().take(TITLE_MAX).collect();
    // It begins with a word, so something is left whatever the title was.
    Title::new(&cut).unwrap_or_else(|_| landed.title.clone())
}

/// Says what is to be done, for a person and for an agent that takes over where git cannot do it.
fn description(landed: &Ticket, intent: &Intent) -> String {
    let (from, to, branch) = (&intent.from, &intent.to, &intent.branch);
    format!(
        "Takes back what {number} ({title}) brought to {branch}: the commits of {from}..{to}.\n\n\
         `git diff {from} {to}` shows the change that is to go. Where later changes build on it, keep what they are for \
         and take out only what {number} brought.\n",
        number = landed.number,
        title = landed.title,
    )
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::change::Change;
    use crate::domain::command::Command;
    use crate::domain::rule::{Input, Known, What, decide};
    use crate::domain::sample;

    const NEW: TicketId = TicketId(Uuid::from_u128(99));

    fn intent() -> Intent {
        Intent { branch: "main".into(), from: "a".repeat(40), to: "b".repeat(40) }
    }

    fn asked(board: &Board, ticket: u32, traced: Traced) -> Result<Vec<Save>, Refused> {
        let command = Command::Revert { ticket: TicketRef::Id(sample::id(ticket)), id: Some(NEW) };
        let mut input = sample::input(What::Command(command));
        input.known = Known { traced, ..input.known };
        decide(board, &input).map(|steps| steps.saves)
    }

    fn reverting(ticket: u32, of: u32, state: State) -> Change {
        Change::Ticket(Ticket { reverts: Some(sample::id(of)), state, ..sample::ticket(ticket) })
    }

    #[test]
    fn a_landed_change_is_taken_back_by_a_ticket_of_its_own_whose_job_git_does() {
        let board = sample::board_of(&[State::Done]);
        let saves = asked(&board, 1, Traced::There(intent())).unwrap();
        let Some(Save::NewTicket { ticket, description }) = saves.first() else { panic!("{saves:?}") };
        assert_eq!((ticket.id, ticket.number.0, ticket.reverts), (NEW, 2, Some(sample::id(1))));
        assert!(ticket.title.as_str().starts_with("Revert #1: "), "{}", ticket.title);
        assert!(description.contains(&intent().to), "{description}");
        let Some(Save::Job { job, was: None }) = saves.last() else { panic!("{saves:?}") };
        assert_eq!((job.ticket, job.kind, &job.takes_back), (NEW, JobKind::Execute, &Some(intent())));
        let told: Vec<TicketId> = saves.iter().filter_map(event_of).collect();
        assert_eq!(told, [NEW, sample::id(1), NEW], "both histories say it");
    }

    fn event_of(save: &Save) -> Option<TicketId> {
        if let Save::Event(event) = save { Some(event.ticket) } else { None }
    }

    #[test]
    fn what_is_not_on_its_target_is_not_taken_back() {
        for state in [State::Planned, State::Abandoned, State::Proposed] {
            let refused = asked(&sample::board_of(&[state]), 1, Traced::There(intent())).unwrap_err();
            assert_eq!(refused.code, RefusalCode::NotLanded);
        }
        let board = sample::board_of(&[State::Done]);
        for traced in [Traced::Nothing, Traced::Gone(intent())] {
            assert_eq!(asked(&board, 1, traced).unwrap_err().code, RefusalCode::NotLanded);
        }
        assert_eq!(asked(&board, 1, Traced::Undone(intent())).unwrap_err().code, RefusalCode::AlreadyReverted);
        assert_eq!(asked(&board, 1, Traced::Unknown), Ok(Vec::new()), "nothing is done before somebody looked");
    }

    #[test]
    fn a_change_is_taken_back_once_unless_that_was_given_up_or_taken_back_too() {
        let mut board = sample::board_of(&[State::Done]);
        for (state, next) in [(State::Planned, "Bring #2 to its end"), (State::Done, "`draft revert 2`")] {
            board.apply(&reverting(2, 1, state));
            let refused = asked(&board, 1, Traced::There(intent())).unwrap_err();
            assert_eq!(refused.code, RefusalCode::AlreadyReverted);
            assert!(refused.hint.starts_with(next), "{}", refused.hint);
        }
        board.apply(&reverting(3, 2, State::Done));
        assert!(asked(&board, 1, Traced::There(intent())).is_ok(), "its revert is reverted");
        board.apply(&reverting(3, 2, State::Planned));
        assert!(asked(&board, 1, Traced::There(intent())).is_err(), "not yet");
        board.apply(&reverting(2, 1, State::Abandoned));
        assert!(asked(&board, 1, Traced::There(intent())).is_ok());
    }

    #[test]
    fn the_longest_title_is_cut() {
        let long = Ticket { title: Title::new(&"x".repeat(TITLE_MAX)).unwrap(), ..sample::ticket(1) };
        assert_eq!(title(&long).as_str().chars().count(), TITLE_MAX);
    }

    #[test]
    fn nothing_is_taken_back_where_checks_are_not_trusted() {
        let board = sample::board_of(&[State::Done]);
        let command = Command::Revert { ticket: TicketRef::Id(sample::id(1)), id: Some(NEW) };
        let mut input: Input = sample::input(What::Command(command));
        input.known = Known { traced: Traced::There(intent()), checks: Trust::Missing, ..input.known };
        assert_eq!(decide(&board, &input).unwrap_err().code, RefusalCode::NotTrusted);
    }
}
