//! What cleaning up a ticket leads to: it is done beside the jobs, and never to what somebody works on.

use serde_json::json;

use super::change::CleanUp;
use super::cleanup::{Cleaned, has_ended, protected};
use super::command::{RefusalCode, Refused};
use super::event::EventKind;
use super::id::{TicketId, TicketRef};
use super::rule::Decision;
use super::ticket::Ticket;

/// Has a ticket's worktree go into the trash, or its output go.
pub(super) fn clean_up(decision: &mut Decision<'_>, name: TicketRef, what: Cleaned, why: &str) -> Result<(), Refused> {
    let ticket = find(decision, name)?;
    if let Some(why) = protected(decision.board, ticket) {
        let message = format!("{} {why}, so nothing of it is cleaned up", ticket.number);
        return Err(Refused::new(RefusalCode::Protected, message, "It can be once that is over."));
    }
    match what {
        Cleaned::Worktree if ticket.worktree.is_none() => {
            let message = format!("{} has no worktree", ticket.number);
            return Err(Refused::new(RefusalCode::NoWorktree, message, "There is nothing to clean up."));
        }
        Cleaned::Output if !has_ended(ticket) => {
            let message = format!("{} is {}, so its output stays", ticket.number, ticket.state.name());
            let hint = "Only what a ticket printed that is done, abandoned or removed is cleaned up.";
            return Err(Refused::new(RefusalCode::Protected, message, hint));
        }
        Cleaned::Worktree | Cleaned::Output => {}
    }
    decision.clean_up(CleanUp { ticket: ticket.id, what, why: why.to_owned() });
    Ok(())
}

/// Takes in that the output of runs is gone.
pub(super) fn output_cleaned(decision: &mut Decision<'_>, id: TicketId, runs: u32, bytes: u64) -> Result<(), Refused> {
    let ticket = find(decision, TicketRef::Id(id))?;
    let noun = if runs == 1 { "run" } else { "runs" };
    let reason = format!("the output of {runs} {noun} was cleaned up ({bytes} bytes); how they ended stays");
    let payload = json!({ "action": "output_cleaned", "runs": runs, "bytes": bytes });
    decision.note(ticket, EventKind::Comment, &reason, payload);
    Ok(())
}

/// Returns a ticket, also one that was removed.
fn find<'a>(decision: &Decision<'a>, name: TicketRef) -> Result<&'a Ticket, Refused> {
    decision.board.find_removed(name).map_or_else(|| decision.find(name), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::board::Board;
    use crate::domain::change::Change;
    use crate::domain::command::Command;
    use crate::domain::job::JobKind;
    use crate::domain::rule::{What, decide};
    use crate::domain::sample;
    use crate::domain::state::{Blocked, NeedsHuman, State};
    use crate::domain::ticket::Worktree;

    fn asked(board: &Board, what: Cleaned) -> Result<Vec<CleanUp>, RefusalCode> {
        let command = Command::CleanUp { ticket: TicketRef::Id(sample::id(1)), what, why: "it is old".into() };
        let steps = decide(board, &sample::input(What::Command(command))).map_err(|refused| refused.code)?;
        assert_eq!(steps.saves, [], "nothing is true before it is done");
        Ok(steps.cleanups)
    }

    fn board(state: State) -> Board {
        let mut board = sample::board_of(&[state]);
        let worktree = Worktree {
            path: "/w".into(),
            branch: "draft/1".into(),
            base_branch: "main".into(),
            base: "0".repeat(40),
            port: None,
        };
        let ticket = Ticket { worktree: Some(worktree), ..board.ticket(sample::id(1)).unwrap().clone() };
        board.apply(&Change::Ticket(ticket));
        board
    }

    #[test]
    fn the_worktree_of_a_ticket_goes_on_which_nobody_works() {
        let blocked = board(State::Blocked { why: Blocked::Failed });
        let due = asked(&blocked, Cleaned::Worktree).unwrap();
        assert_eq!(due, [CleanUp { ticket: sample::id(1), what: Cleaned::Worktree, why: "it is old".into() }]);
        let waits = board(State::NeedsHuman { why: NeedsHuman::Review });
        assert_eq!(asked(&waits, Cleaned::Worktree), Err(RefusalCode::Protected));
        let mut queued = board(State::Planned);
        queued.apply(&Change::Job(sample::job(1, JobKind::Execute, 1)));
        assert_eq!(asked(&queued, Cleaned::Worktree), Err(RefusalCode::Protected));
        assert_eq!(asked(&sample::board_of(&[State::Planned]), Cleaned::Worktree), Err(RefusalCode::NoWorktree));
    }

    #[test]
    fn only_the_output_of_a_ticket_goes_that_is_at_its_end() {
        assert_eq!(asked(&board(State::Planned), Cleaned::Output), Err(RefusalCode::Protected));
        assert_eq!(asked(&board(State::Done), Cleaned::Output).map(|due| due.len()), Ok(1));
    }
}
