//! Finds what of a board nobody needs any more: worktrees, the output of tickets that have ended, and what was in the trash
//! for long enough. Looking changes nothing; the rules are those of [`cleanup`].

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::config::Config;
use crate::domain::board::Board;
use crate::domain::cleanup::{self, DAY, Due, Seen, days, has_ended};
use crate::domain::command::{Command, Request};
use crate::domain::event::Actor as Who;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::run::Run;
use crate::domain::time::Timestamp;
use crate::git::trash::{self, Trashed};
use crate::run::census::Census;
use crate::run::worn;

use super::actor::now;
use super::error::EngineError;
use super::handle::Handle;
use super::ledger::DiskUse;
use super::workshop::Workshop;

pub use crate::domain::cleanup::Cleaned;

/// How long one worktree may be looked at; one that takes longer stays.
const LOOKING: Duration = Duration::from_secs(10);
/// How long everything may be counted; what is larger is told as at least so much.
const COUNTING: Duration = Duration::from_secs(2);

/// What nobody needs any more.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// Worktrees, and the output of tickets.
    pub tickets: Vec<Item>,
    /// What was in the trash for long enough.
    pub trash: Vec<Trashed>,
}

/// Something of a ticket that is to go.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Whose it is, since when nobody touched it, and why it goes.
    pub due: Due,
    /// What of it.
    pub what: Cleaned,
    /// Where it is.
    pub path: PathBuf,
    /// How much it takes.
    pub disk: DiskUse,
}

impl Item {
    /// Returns what has it cleaned up.
    pub fn command(&self) -> Command {
        Command::CleanUp { ticket: TicketRef::Id(self.due.ticket), what: self.what, why: self.due.why.clone() }
    }
}

/// Looks what is to go. It blocks.
///
/// # Errors
/// When settings, database or repository cannot be read.
pub fn plan(shop: &Workshop, board: &Board, now: Timestamp) -> Result<Plan, EngineError> {
    let settings = shop.settings()?;
    let limits = settings.config.cleanup_config.limits();
    let seen = worktrees_of(board, limits.worktrees, limits.worktree, now);
    let until = Instant::now() + COUNTING;
    let mut tickets = Vec::new();
    for due in cleanup::worktrees(board, &seen, limits, now) {
        if let Some(worktree) = board.ticket(due.ticket).and_then(|ticket| ticket.worktree.as_ref()) {
            let (path, disk) = (worktree.path.clone(), DiskUse::of(&worktree.path, until));
            tickets.push(Item { due, what: Cleaned::Worktree, path, disk });
        }
    }
    for (ticket, runs) in worn_runs(shop, board, limits.output, now)? {
        let since = runs.iter().filter_map(|run| run.finished_at).max().unwrap_or(now);
        let folders = runs.iter().map(|run| shop.paths.runs().join(run.folder()));
        let bytes = folders.map(|folder| worn::output(&folder)).sum();
        let why = format!("it ended, and its runs are over for {}", days(limits.output));
        let due = Due { ticket, since, why };
        let disk = DiskUse { bytes, is_whole: true };
        tickets.push(Item { due, what: Cleaned::Output, path: shop.paths.runs(), disk });
    }
    Ok(Plan { tickets, trash: expired(shop, board, &settings.config, now)? })
}

/// Looks at the worktrees of a board, closely only at those that could be due.
fn worktrees_of(board: &Board, most: usize, ttl: Duration, now: Timestamp) -> Vec<Seen> {
    let held: Vec<_> = board.tickets().filter_map(|ticket| Some((ticket, ticket.worktree.as_ref()?))).collect();
    let too_many = held.len() > most;
    let census = Census::take();
    held.into_iter()
        .map(|(ticket, worktree)| {
            let could_be = too_many || now.since(ticket.updated_at) >= ttl;
            let is_free = cleanup::protected(board, ticket).is_none();
            let written = if could_be && is_free { written(&worktree.path) } else { None };
            Seen { ticket: ticket.id, written, in_use: !census.inside(&worktree.path).is_empty() }
        })
        .collect()
}

/// Returns when something in a folder was written last, or nothing if that takes too long to find out. A folder that is not
/// there was never written.
fn written(folder: &Path) -> Option<Timestamp> {
    let until = Instant::now() + LOOKING;
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if Instant::now() >= until {
            return None;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(data) = entry.metadata() else { continue };
            newest = newest.max(data.modified().unwrap_or(SystemTime::UNIX_EPOCH));
            if data.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Some(chrono::DateTime::<chrono::Utc>::from(newest).into())
}

/// Returns the runs of tickets that have ended whose output is due to go, by ticket.
pub(super) fn worn_runs(
    shop: &Workshop,
    board: &Board,
    ttl: Duration,
    now: Timestamp,
) -> Result<Vec<(TicketId, Vec<Run>)>, EngineError> {
    let ended = |id: &TicketId| {
        let ticket = board.find_removed(TicketRef::Id(*id)).or_else(|| board.ticket(*id));
        ticket.is_some_and(|ticket| has_ended(ticket) && cleanup::protected(board, ticket).is_none())
    };
    let inventory = shop.readers.read(|reader| reader.inventory())?;
    let active: HashSet<TicketId> =
        inventory.jobs.values().filter(|job| job.status.is_active()).map(|job| job.ticket).collect();
    let mut all: HashMap<TicketId, Vec<Run>> = HashMap::new();
    for run in inventory.runs {
        let Some(ticket) = inventory.jobs.get(&run.id.job).map(|job| job.ticket) else { continue };
        let is_old = run.finished_at.is_some_and(|at| now.since(at) >= ttl);
        if is_old && ended(&ticket) && !active.contains(&ticket) && worn::is_due(&shop.paths.runs().join(run.folder()))
        {
            all.entry(ticket).or_default().push(run);
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(ticket, _)| *ticket);
    Ok(all)
}

/// Returns what was in the trash for long enough. What is of a ticket that is still open stays as long as that is; and what is of
/// no ticket here may be of another data directory.
fn expired(shop: &Workshop, board: &Board, config: &Config, now: Timestamp) -> Result<Vec<Trashed>, EngineError> {
    let kept_for = DAY * config.workspace_config.trash_days;
    let all = trash::list(&shop.repo)?;
    Ok(all.into_iter().filter(|one| may_expire(board, one) && now.since(one.at) >= kept_for).collect())
}

/// Says whether something in the trash goes when its time is over: what a ticket left that is at its end, and what the doctor put
/// there since no ticket held it.
pub fn may_expire(board: &Board, one: &Trashed) -> bool {
    let name = TicketRef::Id(one.ticket);
    one.ticket.0.is_nil() || board.find(name).or_else(|| board.find_removed(name)).is_some_and(has_ended)
}

/// Cleans up after a board that does nothing else, and stops when it does.
pub(super) async fn tidy(handle: Handle) {
    if let Err(error) = tidy_all(&handle).await {
        tracing::warn!(%error, "cleaning up failed");
    }
}

async fn tidy_all(handle: &Handle) -> Result<(), EngineError> {
    let board = handle.snapshot().await?.board;
    let found = handle.blocking(move |shop| plan(shop, &board, now())).await?;
    for item in found.tickets {
        if handle.look(|board| board.active_jobs().next().is_some()).await? {
            return Ok(());
        }
        let request = Request { actor: Who::system("cleanup_service"), command: item.command() };
        if let Err(error) = handle.ask(request).await {
            tracing::info!(ticket = %item.due.ticket, %error, "it is not cleaned up");
        }
    }
    handle
        .blocking(move |shop| {
            for one in &found.trash {
                trash::forget(&shop.repo, one)?;
                tracing::info!(reference = %one.reference, "its time in the trash is over");
            }
            Ok(())
        })
        .await
}
