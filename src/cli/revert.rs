//! `draft revert`: takes a landed change back, as a ticket of its own.

use clap::Args;
use uuid::Uuid;

use crate::domain::board::Board;
use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::state::{NeedsHuman, State};
use crate::engine::Working;

use super::error::{CliError, Exit};
use super::job::{Asked, carry_out, never};
use super::out::Out;
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct RevertArgs {
    /// The number or UUID of the ticket whose landed change is to go
    id: String,
    /// Only file the ticket, and leave its job to the board or to `draft run`
    #[arg(long)]
    no_wait: bool,
}

/// Files the ticket, has git take the change back, and waits until its checks have run.
pub(super) fn revert(global: &Global, args: &RevertArgs, out: &mut Out) -> Result<Exit, CliError> {
    let name = session::ticket_ref(&args.id)?;
    let id = TicketId(Uuid::now_v7());
    let at_once = |_: &Board, _, _| true;
    let at_rest = |board: &Board, ticket, _| board.active_job(ticket).is_none();
    let done = carry_out(global, name, |landed| Asked {
        ticket: id,
        command: Command::Revert { ticket: TicketRef::Id(landed), id: Some(id) },
        is_wanted: &never,
        working: if args.no_wait { Working::CommandsOnly } else { Working::JobsOf(id) },
        is_over: if args.no_wait { &at_once } else { &at_rest },
    })?;
    let state = done.state();
    done.print(global, out)?;
    Ok(if args.no_wait || is_ready(state) { Exit::Done } else { Exit::AnswerIsNo })
}

/// Says whether the change that takes another one back waits for its review, or came further.
fn is_ready(state: State) -> bool {
    match state {
        State::NeedsHuman { why: NeedsHuman::Review | NeedsHuman::Approved } | State::Done => true,
        State::NeedsHuman {
            why:
                NeedsHuman::Question
                | NeedsHuman::Handover
                | NeedsHuman::Landing
                | NeedsHuman::Conflict
                | NeedsHuman::Refused,
        }
        | State::Proposed
        | State::Planned
        | State::Executing { .. }
        | State::Verifying { .. }
        | State::Blocked { .. }
        | State::Abandoned => false,
    }
}
