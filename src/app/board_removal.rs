//! Takes a board out of the data directory and brings it back: its worktrees go through the trash, its rows only get a date.

use crate::domain::board::{About, Board};
use crate::domain::event::Actor;
use crate::domain::fact::Fact;
use crate::domain::id::JobId;
use crate::domain::rule::{Input, Known, Trust, What, decide};
use crate::domain::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::engine::{BoardLock, EngineError, LockError};
use crate::git::trash::{self, Binned, Fate, Owner};
use crate::run::census::Census;
use crate::store::Write;

use super::error::AppError;
use super::open::Opened;

/// Why a board is taken out, as the history of its tickets tells it.
const WHY: &str = "its board was removed";

/// Takes a board out. Returns how many worktrees went into the trash. Doing it again after a crash in between finishes it.
///
/// # Errors
/// When somebody works on it, a worktree cannot be kept, or something cannot be stored; then the board stays.
pub fn remove_board(opened: &Opened, now: Timestamp) -> Result<usize, AppError> {
    let shop = &opened.workshop;
    let _lock = lock(opened)?;
    let board = loaded(opened)?;
    let busy = |why: String| AppError::BoardBusy { name: shop.about.name.clone(), why };
    if let Some(job) = board.active_jobs().next() {
        let number = board.ticket(job.ticket).map(|ticket| ticket.number.to_string()).unwrap_or_default();
        return Err(busy(format!("{number} has a job ({})", job.what())));
    }
    let held: Vec<_> =
        board.tickets().chain(board.removed()).filter_map(|ticket| Some((ticket, ticket.worktree.clone()?))).collect();
    let census = Census::take();
    if let Some((ticket, _)) = held.iter().find(|(_, worktree)| !census.inside(&worktree.path).is_empty()) {
        return Err(busy(format!("somebody is in the worktree of {}", ticket.number)));
    }
    let merge = shop.settings()?.config.merge_config.clone();
    let mut gone = 0;
    for (ticket, worktree) in held {
        let branch = if merge.is_protected(&worktree.branch) { Fate::Stays } else { Fate::Goes };
        let owner = Owner { ticket: ticket.id, state: ticket.state.name(), branch };
        let reference = match trash::bin(&shop.repo, &worktree, owner, now, &shop.litter()).map_err(AppError::Git)? {
            Binned::Gone(reference) => Some(reference),
            Binned::Nothing => None,
            Binned::Holds(_) => {
                let number = ticket.number;
                return Err(busy(format!("the worktree of {number} holds what git cannot keep")));
            }
        };
        gone += usize::from(reference.is_some());
        let kept_branch = (branch == Fate::Stays).then_some(worktree.branch);
        let fact = Fact::WorktreeRemoved { ticket: ticket.id, reference, why: WHY.to_owned(), kept_branch };
        learn(opened, &board, fact, now)?;
    }
    opened.writer.write_blocking(Write::BoardRemoved { board: shop.about.id, at: Some(now) })?;
    Ok(gone)
}

/// Returns the boards that were taken out, and when.
///
/// # Errors
/// When there is no home to look in, or the database cannot be read.
pub fn removed_boards(options: &super::Options) -> Result<Vec<(About, Timestamp)>, AppError> {
    let paths = super::open::paths(options.data_dir.as_deref())?;
    if !paths.database().exists() {
        return Ok(Vec::new());
    }
    Ok(crate::store::Reader::open(&paths.database())?.removed_boards()?)
}

/// Puts a board back, before it is opened.
///
/// # Errors
/// When it cannot be stored.
pub fn bring_back_board(options: &super::Options, board: &About) -> Result<(), AppError> {
    let paths = super::open::paths(options.data_dir.as_deref())?;
    let writer = crate::store::open(&paths.database())?;
    writer.write_blocking(Write::BoardRemoved { board: board.id, at: None })?;
    Ok(())
}

/// Brings the worktrees back that went with a board. Returns how many.
///
/// # Errors
/// When somebody works on the board already, git fails, or something cannot be stored. What did not come back comes with the
/// next run of its ticket.
pub fn bring_back_worktrees(opened: &Opened, since: Timestamp, now: Timestamp) -> Result<usize, AppError> {
    let _lock = lock(opened)?;
    let board = loaded(opened)?;
    let all = trash::list(&opened.workshop.repo).map_err(AppError::Git)?;
    let wants = |ticket: &&Ticket| ticket.worktree.is_none() && ticket.needs_worktree();
    let mut back = 0;
    for ticket in board.tickets().filter(wants) {
        let Some(kept) = all.iter().find(|one| one.ticket == ticket.id && one.at >= since) else { continue };
        let made = trash::restore(&opened.workshop.repo, kept).map_err(AppError::Git)?;
        let (worktree, reference) = (made.worktree.clone(), kept.reference.clone());
        learn(opened, &board, Fact::WorktreeRestored { ticket: ticket.id, worktree, reference }, now)?;
        made.recorded().map_err(AppError::Git)?;
        back += 1;
    }
    Ok(back)
}

fn lock(opened: &Opened) -> Result<BoardLock, AppError> {
    let shop = &opened.workshop;
    BoardLock::take(&shop.paths.data_dir, shop.about.id).map_err(|error| match error {
        LockError::Held => {
            AppError::BoardBusy { name: shop.about.name.clone(), why: "a process works on it".to_owned() }
        }
        error @ LockError::Io { .. } => error.into(),
    })
}

fn loaded(opened: &Opened) -> Result<Board, AppError> {
    let about = &opened.workshop.about;
    let loaded = opened.reader()?.board(about.id)?;
    Ok(loaded.map(|(board, _)| board).ok_or_else(|| EngineError::NoBoard(about.name.clone()))?)
}

/// Stores what a fact leads to. With the lock in hand nobody else decides.
fn learn(opened: &Opened, board: &Board, fact: Fact, now: Timestamp) -> Result<(), AppError> {
    let input = Input {
        at: now,
        actor: Actor::human(),
        fresh: JobId(uuid::Uuid::now_v7()),
        known: Known::only(Trust::Missing),
        what: What::Fact(fact),
    };
    let steps = decide(board, &input).map_err(crate::engine::AskError::from)?;
    opened.writer.commit_blocking(steps.saves)?;
    Ok(())
}
