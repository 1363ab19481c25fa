//! `draft trash` and `draft restore`: what was removed and can come back, tickets and worktrees, and bringing it back.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{Door, News};
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::cleanup::DAY;
use crate::domain::command::Command;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::revision::ChangeSize;
use crate::domain::ticket::{Ticket, Worktree};
use crate::domain::time::Timestamp;
use crate::engine::tidy::may_expire;
use crate::engine::{Working, Workshop};
use crate::git::trash::{self, Trashed};
use crate::git::trash_refs::{self, BinnedRefs};
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, goal, json as wire, session};

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// A ticket's number or UUID: it comes back with its newest worktree; the name of a worktree or of refs that `draft trash`
    /// shows; or a goal's title or UUID
    name: String,
}

/// What is to be done about the trash.
#[derive(Debug, Args)]
pub(super) struct TrashArgs {
    #[command(subcommand)]
    command: Option<TrashCommand>,
}

#[derive(Debug, Subcommand)]
enum TrashCommand {
    /// Remove what tickets that have ended left in the trash, for good
    Empty(EmptyArgs),
}

#[derive(Debug, Args)]
struct EmptyArgs {
    /// Only what is there for longer than that
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// Do it: without this it is only said what would be lost
    #[arg(long)]
    yes: bool,
}

pub(super) fn trash(global: &Global, args: &TrashArgs, out: &mut Out) -> Result<Exit, CliError> {
    match &args.command {
        None => list(global, out),
        Some(TrashCommand::Empty(args)) => empty(global, args, out),
    }
}

/// Something in the trash, as people are told of it.
struct Listed<'a> {
    one: &'a Trashed,
    ticket: Option<&'a Ticket>,
    size: Option<ChangeSize>,
    /// Until when it can come back for sure; nothing while its ticket is open.
    until: Option<Timestamp>,
}

impl Listed<'_> {
    fn title(&self) -> String {
        self.ticket.map(|ticket| visible(ticket.title.as_str()).into_owned()).unwrap_or_default()
    }

    fn in_words(&self, now: Timestamp) -> String {
        let size = self.size.map(|size| {
            let files = counted(size.files.into(), "file", "files");
            format!("  +{} −{} in {files}", size.insertions, size.deletions)
        });
        let until = match (self.until, self.ticket) {
            (Some(until), _) => format!("until {}", date(until)),
            (None, Some(ticket)) => format!("as long as {} is open", ticket.number),
            (None, None) => "until somebody removes it".to_owned(),
        };
        format!("{}{}, {until}", age(self.one.at, now), size.unwrap_or_default())
    }
}

/// Looks up what is worth knowing of all that lies in the trash.
fn listed<'a>(shop: &Workshop, board: &'a Board, all: &'a [Trashed]) -> Result<Vec<Listed<'a>>, CliError> {
    let settings = shop.settings().map_err(|error| CliError::environment("config", error.to_string(), ""))?;
    let kept_for = DAY * settings.config.workspace_config.trash_days;
    let until = |one: &Trashed| may_expire(board, one).then(|| one.at.after(kept_for));
    // What cannot be compared any more can still come back.
    let size = |one: &Trashed| trash::size(&shop.repo, one).ok();
    Ok(all
        .iter()
        .map(|one| Listed { one, ticket: known(board, one.ticket), size: size(one), until: until(one) })
        .collect())
}

/// Says how long ago something was.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    let hours = now.since(at).as_secs() / 3600;
    match hours {
        0 => "less than an hour ago".to_owned(),
        1..48 => format!("{} ago", counted(hours, "hour", "hours")),
        _ => format!("{} days ago", hours / 24),
    }
}

fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn list(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let all = trash::list(&opened.workshop.repo).map_err(git)?;
    let listed = listed(&opened.workshop, &board, &all)?;
    let refs = trash_refs::list(&opened.workshop.repo).map_err(git)?;
    let now = chrono::Utc::now().into();
    if global.json {
        let entries: Vec<Value> = listed
            .iter()
            .map(|entry| {
                let one = entry.one;
                json!({
                    "reference": one.reference, "ticket": entry.ticket.map(|ticket| ticket.number),
                    "ticket_id": one.ticket, "title": entry.ticket.map(|ticket| &ticket.title), "state": one.state,
                    "branch": one.worktree.branch, "base": one.worktree.base, "at": one.at.to_string(),
                    "until": entry.until.map(|at| at.to_string()), "files": entry.size.map(|size| size.files),
                    "insertions": entry.size.map(|size| size.insertions),
                    "deletions": entry.size.map(|size| size.deletions),
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
        let refs: Vec<Value> = refs.iter().map(refs_json).collect();
        out.json(&json!({ "trash": entries, "tickets": tickets, "goals": goals, "refs": refs }))?;
        return Ok(Exit::Done);
    }
    let goals = board.removed_goals();
    if all.is_empty() && refs.is_empty() && goals.is_empty() && board.removed().next().is_none() && !global.quiet {
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
    for entry in &listed {
        let one = entry.one;
        let ticket = entry.ticket.map_or_else(|| "–".to_owned(), |ticket| ticket.number.to_string());
        let branch = visible(&one.worktree.branch);
        out.line(format_args!("{ticket:>5}  {}  worktree: {branch}  {}", one.at, entry.title()))?;
        out.line(format_args!("       {}\n       {}", entry.in_words(now), one.reference))?;
    }
    for one in &refs {
        let count = counted(one.kept.len() as u64, "ref", "refs");
        out.line(format_args!("    –  {}  {count} of a ticket that was in no database: {}", one.at, one.ticket))?;
        out.line(format_args!("       {}, until somebody removes it\n       {}", age(one.at, now), one.reference))?;
    }
    Ok(Exit::Done)
}

fn refs_json(one: &BinnedRefs) -> Value {
    let names: Vec<String> = one.kept.keys().map(|name| format!("refs/draft/{name}")).collect();
    json!({ "reference": one.reference, "ticket_id": one.ticket, "at": one.at.to_string(), "refs": names })
}

fn restore_refs(global: &Global, shop: &Workshop, one: &BinnedRefs, out: &mut Out) -> Result<Exit, CliError> {
    trash_refs::restore(&shop.repo, one).map_err(git)?;
    if global.json {
        out.json(&refs_json(one))?;
    } else if !global.quiet {
        out.line(format_args!(
            "{} of ticket {} back",
            counted(one.kept.len() as u64, "ref is", "refs are"),
            one.ticket
        ))?;
    }
    Ok(Exit::Done)
}

/// Removes for good what tickets that have ended left in the trash. What is of an open ticket is its work, and stays.
fn empty(global: &Global, args: &EmptyArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let now: Timestamp = chrono::Utc::now().into();
    let least = DAY * args.older_than.unwrap_or(0);
    let all = trash::list(&opened.workshop.repo).map_err(git)?;
    let goes = |one: &Trashed| may_expire(&board, one) && now.since(one.at) >= least;
    let all: Vec<Trashed> = all.into_iter().filter(goes).collect();
    let listed = listed(&opened.workshop, &board, &all)?;
    let lost: Vec<String> = listed
        .iter()
        .map(|entry| {
            let number = entry.ticket.map(|ticket| ticket.number.to_string()).unwrap_or_default();
            format!("{number} {}: {}", entry.title(), entry.in_words(now))
        })
        .collect();
    if !args.yes && !all.is_empty() {
        let message = format!("this cannot be undone; lost would be\n  {}", lost.join("\n  "));
        return Err(CliError::wrong_use("confirmation", message, "Say --yes to remove it for good."));
    }
    for one in &all {
        trash::forget(&opened.workshop.repo, one).map_err(git)?;
    }
    if global.json {
        let gone: Vec<&str> = all.iter().map(|one| one.reference.as_str()).collect();
        out.json(&json!({ "removed": gone }))?;
    } else if !global.quiet {
        lost.iter().try_for_each(|line| out.line(format_args!("removed {line}")))?;
        if all.is_empty() {
            out.line("There is nothing to remove.")?;
        }
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
    let refs = trash_refs::list(&opened.workshop.repo).map_err(git)?;
    if let Some(one) = refs.iter().find(|one| one.reference == args.name) {
        return restore_refs(global, &opened.workshop, one, out);
    }
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

pub(super) fn git(error: crate::git::GitError) -> CliError {
    CliError::environment("git", error.to_string(), "")
}
