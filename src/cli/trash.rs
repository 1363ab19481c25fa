//! `draft trash` and `draft restore`: what was removed and can come back, tickets and worktrees, and bringing it back.

use clap::Args;
use serde_json::{Value, json};

use crate::app::{Door, News};
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::ticket::{Ticket, Worktree};
use crate::engine::Working;
use crate::git::trash::{self, Trashed};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, goal, json as wire, session};

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// A ticket's number or UUID: it comes back with its newest worktree; the name of a worktree that `draft trash` shows; or a
    /// goal's title or UUID
    name: String,
}

pub(super) fn list(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let all = trash::list(&opened.workshop.repo).map_err(git)?;
    let number = |one: &Trashed| known(&board, one.ticket).map(|ticket| ticket.number);
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
        let tickets: Vec<Value> = board
            .removed()
            .map(|ticket| {
                json!({
                    "number": ticket.number, "id": ticket.id, "title": ticket.title, "state": ticket.state.name(),
                    "removed_at": ticket.removed_at.map(|at| at.to_string()),
                })
            })
            .collect();
        let goals: Vec<Value> = board.removed_goals().into_iter().map(|goal| wire::goal(&board, goal)).collect();
        out.json(&json!({ "trash": entries, "tickets": tickets, "goals": goals }))?;
        return Ok(Exit::Done);
    }
    let goals = board.removed_goals();
    if all.is_empty() && goals.is_empty() && board.removed().next().is_none() && !global.quiet {
        out.line("The trash is empty.")?;
    }
    for goal in goals {
        let at = goal.removed_at.map(|at| at.to_string()).unwrap_or_default();
        out.line(format_args!("       {at}  goal: {}", visible(goal.title.as_str())))?;
    }
    for ticket in board.removed() {
        let at = ticket.removed_at.map(|at| at.to_string()).unwrap_or_default();
        let title = visible(ticket.title.as_str());
        out.line(format_args!("{:>5}  {at}  ticket: {title}", ticket.number.to_string()))?;
    }
    for one in &all {
        let ticket = number(one).map_or_else(|| "–".to_owned(), |number| number.to_string());
        let branch = visible(&one.worktree.branch);
        out.line(format_args!("{ticket:>5}  {}  worktree: {branch}\n       {}", one.at, one.reference))?;
    }
    Ok(Exit::Done)
}

/// Returns a ticket, whether or not it was removed.
fn known(board: &Board, id: TicketId) -> Option<&Ticket> {
    board.ticket(id).or_else(|| board.find_removed(TicketRef::Id(id)))
}

/// What is to come back.
struct Wanted<'a> {
    /// The ticket, where it was removed.
    removed: Option<&'a Ticket>,
    worktree: Option<&'a Trashed>,
}

pub(super) fn restore(global: &Global, args: &RestoreArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let all = trash::list(&opened.workshop.repo).map_err(git)?;
    let Some(wanted) = find(&board, &all, &args.name) else {
        return goal::restore(global, opened, &board, &args.name, out);
    };
    let (ticket, worktree) = session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let restored = bring_back(&mut door, &wanted).await;
        door.close().await?;
        restored
    })?;
    let worktree = worktree.as_ref();
    if global.json {
        out.json(&json!({
            "ticket": ticket.as_ref().map(|ticket| ticket.number),
            "branch": worktree.map(|one| &one.branch),
            "worktree": worktree.map(|one| one.path.to_string_lossy()),
            "base": worktree.map(|one| &one.base),
        }))?;
    } else if !global.quiet {
        if let Some(ticket) = ticket.filter(|_| wanted.removed.is_some()) {
            let title = visible(ticket.title.as_str());
            out.line(format_args!("{} is back in {}  {title}", ticket.number, ticket.state.name()))?;
        }
        if let Some(worktree) = worktree {
            let path = worktree.path.to_string_lossy();
            out.line(format_args!("{} is back in {}", visible(&worktree.branch), visible(&path)))?;
        }
    }
    Ok(Exit::Done)
}

/// Finds what a name means: a worktree in the trash, or a ticket, whose newest worktree is meant as well.
fn find<'a>(board: &'a Board, all: &'a [Trashed], name: &str) -> Option<Wanted<'a>> {
    let named: Option<TicketRef> = name.parse().ok();
    let by_reference = all.iter().find(|one| one.reference == name);
    let ticket = match by_reference {
        Some(one) => known(board, one.ticket),
        None => named.and_then(|name| board.find(name).or_else(|| board.find_removed(name))),
    };
    // A worktree may be of a ticket that is on no board any more.
    let id = ticket.map(|ticket| ticket.id).or(match named {
        Some(TicketRef::Id(id)) => Some(id),
        Some(TicketRef::Number(_)) | None => None,
    });
    let removed = ticket.filter(|ticket| ticket.removed_at.is_some());
    let of_ticket = || all.iter().find(|one| Some(one.ticket) == id);
    let worktree = match (by_reference, removed) {
        (Some(one), _) => Some(one),
        (None, None) => of_ticket(),
        // What went into the trash before its ticket was removed was not wanted then.
        (None, Some(removed)) if removed.state.name().keeps_worktree() => {
            of_ticket().filter(|one| Some(one.at) >= removed.removed_at)
        }
        (None, Some(_)) => None,
    };
    (removed.is_some() || worktree.is_some()).then_some(Wanted { removed, worktree })
}

/// Asks the engine and waits until the ticket is on the board and has its worktree, or it is said why not.
async fn bring_back(door: &mut Door, wanted: &Wanted<'_>) -> Result<(Option<Ticket>, Option<Worktree>), CliError> {
    if let Some(removed) = wanted.removed {
        door.ask(Command::BringBack { ticket: TicketRef::Id(removed.id) }).await?;
    }
    let worktree = match wanted.worktree {
        Some(one) => Some(worktree(door, one).await?),
        None => None,
    };
    let id = wanted.removed.map(|ticket| ticket.id).or(wanted.worktree.map(|one| one.ticket));
    let (board, _) = door.watch().await?;
    Ok((id.and_then(|id| board.ticket(id)).cloned(), worktree))
}

async fn worktree(door: &mut Door, wanted: &Trashed) -> Result<Worktree, CliError> {
    let (board, mut watcher) = door.watch().await?;
    let before = board.ticket(wanted.ticket).map(|ticket| ticket.updated_at);
    let ticket = TicketRef::Id(wanted.ticket);
    door.ask(Command::Restore { ticket, reference: wanted.reference.clone() }).await?;
    loop {
        let changes = match watcher.next().await? {
            News::Changed(changes) => changes,
            News::Reloaded(board) => board.ticket(wanted.ticket).cloned().map(Change::Ticket).into_iter().collect(),
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
                | Change::Comment(_)
                | Change::Review(_)
                | Change::Revision(_)
                | Change::Live { .. } => {}
            }
        }
    }
}

fn is_failure(event: &NewEvent, ticket: TicketId) -> bool {
    event.ticket == ticket && event.kind == EventKind::WorktreeCleanupFailed
}

fn git(error: crate::git::GitError) -> CliError {
    CliError::environment("git", error.to_string(), "")
}
