//! `draft ticket remove`: tickets go off the board, their worktrees into the trash, and both can come back.

use clap::Args;

use crate::domain::board::Board;
use crate::domain::command::{Command, RefusalCode};
use crate::domain::id::TicketRef;
use crate::domain::ticket::Ticket;
use crate::ui::widget::text::visible;

use super::super::error::CliError;
use super::super::out::Out;
use super::super::stored::ask;
use super::super::{Global, session};

#[derive(Debug, Args)]
pub(in super::super) struct RemoveArgs {
    /// Tickets by number or UUID; when one of them cannot go, none does
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

pub(super) fn remove(global: &Global, args: &RemoveArgs, out: &mut Out) -> Result<(), CliError> {
    let opened = session::opened(global)?;
    let before = session::stored_board(&opened.workshop)?;
    let mut tickets: Vec<&Ticket> = Vec::new();
    for id in &args.ids {
        let ticket = session::find(&before, id)?;
        refuse_busy(&before, ticket)?;
        if !tickets.iter().any(|known| known.id == ticket.id) {
            tickets.push(ticket);
        }
    }
    let commands = tickets.iter().map(|ticket| Command::Remove { ticket: TicketRef::Id(ticket.id) }).collect();
    let stored = ask(opened, commands)?;
    for ticket in tickets {
        let removed = stored.board.find_removed(TicketRef::Id(ticket.id)).ok_or_else(|| session::gone(ticket))?;
        if global.json {
            out.json(&stored.json(removed))?;
        } else if !global.quiet {
            let worktree = match (&ticket.worktree, &removed.worktree) {
                (None, _) => "",
                (Some(_), None) => ", its worktree is in the trash",
                (Some(_), Some(_)) if stored.was_engine => ", its worktree is still there; the next board tries again",
                (Some(_), Some(_)) => ", its worktree goes into the trash",
            };
            let (number, title) = (ticket.number, visible(ticket.title.as_str()));
            out.line(format_args!("{number} removed{worktree}  {title}"))?;
        }
    }
    if !global.json && !global.quiet {
        session::say(
            "`draft restore ID` brings a ticket back, with its worktree; `draft trash` lists what can come back.",
        );
    }
    Ok(())
}

/// Refuses what the rules would refuse, before any ticket is gone.
fn refuse_busy(board: &Board, ticket: &Ticket) -> Result<(), CliError> {
    let Some(job) = board.active_job(ticket.id) else { return Ok(()) };
    let number = ticket.number;
    let message = format!("{number} has a job that is {}, so it cannot be removed; nothing was", job.status);
    let hint = format!("`draft cancel {}` stops its {} job.", number.0, job.what());
    Err(CliError::wrong_use(RefusalCode::Busy.as_str(), message, hint))
}
