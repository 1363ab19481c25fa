//! `draft cleanup`: what nobody needs any more goes, or is only listed.

use clap::Args;
use serde_json::{Value, json};

use crate::app::{Door, News};
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::cleanup::Cleaned;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::engine::tidy::{self, Item, Plan};
use crate::engine::{Working, Workshop};
use crate::git::trash;
use crate::ui::widget::format::bytes;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::trash::{age, git};
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct CleanupArgs {
    /// Only say what would go, why, how old and how large it is
    #[arg(long)]
    dry_run: bool,
}

/// What became of one thing.
struct Went {
    is_gone: bool,
    /// How it comes back, or why it is still there.
    said: String,
}

pub(super) fn cleanup(global: &Global, args: &CleanupArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let now = chrono::Utc::now().into();
    let plan = tidy::plan(&opened.workshop, &board, now)
        .map_err(|error| CliError::environment("cleanup", error.to_string(), "Nothing was removed."))?;
    if args.dry_run {
        return print(global, &board, &plan, None, now, out).map(|()| Exit::Done);
    }
    let workshop = std::sync::Arc::clone(&opened.workshop);
    let went = if plan.tickets.is_empty() {
        Vec::new()
    } else {
        session::runtime()?.block_on(async {
            let mut door = Door::open(opened, Working::CommandsOnly).await?;
            let mut went = Vec::new();
            for item in &plan.tickets {
                went.push(clean(&mut door, item).await?);
            }
            door.close().await?;
            Ok::<_, CliError>(went)
        })?
    };
    forget(&workshop, &plan)?;
    let all_gone = went.iter().all(|one| one.is_gone);
    print(global, &board, &plan, Some(&went), now, out)?;
    Ok(if all_gone { Exit::Done } else { Exit::AnswerIsNo })
}

fn forget(shop: &Workshop, plan: &Plan) -> Result<(), CliError> {
    plan.trash.iter().try_for_each(|one| trash::forget(&shop.repo, one).map_err(git))
}

/// Has one thing cleaned up and waits until it is said what became of it.
async fn clean(door: &mut Door, item: &Item) -> Result<Went, CliError> {
    let (_, mut watcher) = door.watch().await?;
    if let Err(refused) = door.ask(item.command()).await {
        return Ok(Went { is_gone: false, said: refused.to_string() });
    }
    loop {
        let changes = match watcher.next().await? {
            News::Changed(changes) => changes,
            News::Reloaded(_) => {
                let said = "the board went on; `draft ticket show` tells what became of it".to_owned();
                return Ok(Went { is_gone: true, said });
            }
        };
        let events = changes.iter().filter_map(|change| match change {
            Change::Event(event) => Some(&event.event),
            Change::Ticket(_)
            | Change::Goal(_)
            | Change::Autopilot(_)
            | Change::Job(_)
            | Change::Run(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Live { .. } => None,
        });
        if let Some(went) = events.filter_map(|event| told(event, item)).next() {
            return Ok(went);
        }
    }
}

/// Reads what became of something from an event, if it tells that.
fn told(event: &NewEvent, item: &Item) -> Option<Went> {
    if event.ticket != item.due.ticket {
        return None;
    }
    let is_output = event.payload.get("action").is_some_and(|action| action == "output_cleaned");
    let is_gone = match (event.kind, item.what) {
        (EventKind::WorktreeCleanupFailed, _) => false,
        (EventKind::WorktreeCleaned, Cleaned::Worktree) => true,
        (EventKind::Comment, Cleaned::Output) if is_output => true,
        _ => return None, // all other events are about something else
    };
    Some(Went { is_gone, said: event.reason.clone() })
}

fn print(
    global: &Global,
    board: &Board,
    plan: &Plan,
    went: Option<&[Went]>,
    now: Timestamp,
    out: &mut Out,
) -> Result<(), CliError> {
    let went_of = |n: usize| went.and_then(|went| went.get(n));
    if global.json {
        let items: Vec<Value> = plan
            .tickets
            .iter()
            .enumerate()
            .map(|(n, item)| {
                json!({
                    "what": item.what, "ticket": number(board, item.due.ticket), "ticket_id": item.due.ticket,
                    "path": item.path.to_string_lossy(), "why": item.due.why, "since": item.due.since.to_string(),
                    "bytes": item.disk.bytes, "is_whole": item.disk.is_whole,
                    "removed": went_of(n).map(|went| went.is_gone), "said": went_of(n).map(|went| &went.said),
                })
            })
            .collect();
        let trash: Vec<Value> = plan
            .trash
            .iter()
            .map(|one| json!({ "reference": one.reference, "ticket_id": one.ticket, "at": one.at.to_string() }))
            .collect();
        return out.json(&json!({ "dry_run": went.is_none(), "items": items, "trash": trash }));
    }
    if plan.tickets.is_empty() && plan.trash.is_empty() && !global.quiet {
        return out.line("There is nothing to clean up.");
    }
    for (n, item) in plan.tickets.iter().enumerate() {
        let ticket = number(board, item.due.ticket).map_or_else(|| "–".to_owned(), |number| format!("#{number}"));
        let size = format!("{}{}", if item.disk.is_whole { "" } else { "at least " }, bytes(item.disk.bytes));
        let since = age(item.due.since, now);
        let path = item.path.to_string_lossy();
        let place = if item.what == Cleaned::Worktree { format!("  {}", visible(&path)) } else { String::new() };
        out.line(format_args!("{ticket:>5}  {}  {size}  {since}{place}\n       {}", item.what, item.due.why))?;
        if let Some(went) = went_of(n) {
            let mark = if went.is_gone { "gone" } else { "stays" };
            out.line(format_args!("       {mark}: {}", visible(&went.said)))?;
        }
    }
    for one in &plan.trash {
        let verb = if went.is_none() { "would go" } else { "is gone" };
        out.line(format_args!(
            "       trash  {}  {}: its time is over, and it {verb} for good",
            age(one.at, now),
            one.reference
        ))?;
    }
    if went.is_none() && !global.quiet {
        out.line("Nothing was removed: that was only a look. Worktrees go into the trash; output goes for good.")?;
    }
    Ok(())
}

fn number(board: &Board, id: TicketId) -> Option<u32> {
    let name = TicketRef::Id(id);
    let ticket: Option<&Ticket> = board.find(name).or_else(|| board.find_removed(name));
    ticket.map(|ticket| ticket.number.0)
}
