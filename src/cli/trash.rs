//! `draft trash` and `draft restore`: what was removed and can come back, and bringing it back.

use clap::Args;
use serde_json::{Value, json};

use crate::app::Door;
use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::event::EventKind;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::ticket::Worktree;
use crate::engine::Working;
use crate::git::trash::{self, Trashed};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// What `draft trash` shows as its name, or a ticket's number or UUID for the newest of that ticket
    name: String,
}

pub(super) fn list(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let all = trash::list(&opened.workshop.repo).map_err(git)?;
    let number = |one: &Trashed| board.ticket(one.ticket).map(|ticket| ticket.number);
    if global.json {
        let entries: Vec<Value> = all
            .iter()
            .map(|one| {
                json!({
                    "reference": one.reference, "ticket": number(one), "ticket_id": one.ticket,
                    "branch": one.worktree.branch, "base": one.worktree.base, "at": one.at.to_string(),
                })
            })
            .collect();
        out.json(&json!({ "trash": entries }))?;
        return Ok(Exit::Done);
    }
    if all.is_empty() && !global.quiet {
        out.line("The trash is empty.")?;
    }
    for one in &all {
        let ticket = number(one).map_or_else(|| "  –".to_owned(), |number| number.to_string());
        let branch = visible(&one.worktree.branch);
        out.line(format_args!("{ticket:>5}  {}  {branch}\n       {}", one.at, one.reference))?;
    }
    Ok(Exit::Done)
}

pub(super) fn restore(global: &Global, args: &RestoreArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let all = trash::list(&opened.workshop.repo).map_err(git)?;
    let by_ticket = args.name.parse().ok().and_then(|name| board.find(name)).map(|ticket| ticket.id);
    let found = all.iter().find(|one| one.reference == args.name || Some(one.ticket) == by_ticket);
    let found = found.ok_or_else(|| {
        let message = format!("there is no `{}` in the trash", args.name);
        CliError::wrong_use("not_in_trash", message, "`draft trash` lists what can come back.")
    })?;
    let worktree = session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let restored = bring_back(&mut door, found).await;
        door.close().await?;
        restored
    })?;
    if global.json {
        let path = worktree.path.to_string_lossy();
        out.json(&json!({ "branch": worktree.branch, "worktree": path, "base": worktree.base }))?;
    } else if !global.quiet {
        let path = worktree.path.to_string_lossy();
        out.line(format_args!("{} is back in {}", visible(&worktree.branch), visible(&path)))?;
    }
    Ok(Exit::Done)
}

/// Asks the engine and waits until the ticket has its worktree, or it is said why not.
async fn bring_back(door: &mut Door, wanted: &Trashed) -> Result<Worktree, CliError> {
    let (board, mut watcher) = door.watch().await?;
    let before = board.ticket(wanted.ticket).map(|ticket| ticket.updated_at);
    let ticket = TicketRef::Id(wanted.ticket);
    door.ask(Command::Restore { ticket, reference: wanted.reference.clone() }).await?;
    loop {
        let changes = match watcher.next().await? {
            crate::app::News::Changed(changes) => changes,
            crate::app::News::Reloaded(board) => {
                board.ticket(wanted.ticket).cloned().map(Change::Ticket).into_iter().collect()
            }
        };
        for change in changes {
            match change {
                Change::Ticket(ticket) if ticket.id == wanted.ticket && Some(ticket.updated_at) != before => {
                    if let Some(worktree) = ticket.worktree {
                        return Ok(worktree);
                    }
                }
                Change::Event(event) if is_failure(&event.event, wanted.ticket) => {
                    return Err(CliError::environment("git", event.event.reason, ""));
                }
                Change::Ticket(_)
                | Change::Event(_)
                | Change::Goal(_)
                | Change::Autopilot(_)
                | Change::Job(_)
                | Change::Run(_)
                | Change::Evidence(_)
                | Change::Revision(_)
                | Change::Live { .. } => {}
            }
        }
    }
}

fn is_failure(event: &crate::domain::event::NewEvent, ticket: TicketId) -> bool {
    event.ticket == ticket && event.kind == EventKind::WorktreeCleanupFailed
}

fn git(error: crate::git::GitError) -> CliError {
    CliError::environment("git", error.to_string(), "")
}
