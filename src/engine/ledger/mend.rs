//! Mends what is safe: each thing is looked at once more, under its lock where it has one, and no work is deleted.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::id::{BoardId, TicketId};
use crate::domain::state::StateName;
use crate::domain::ticket::Worktree;
use crate::domain::time::Timestamp;
use crate::git::land::Scratch;
use crate::git::leftovers::{self, Noted, Rest};
use crate::git::trash::{self, Binned, Fate, Owner};
use crate::git::{GitError, Repo, trash_refs};
use crate::run::adopt;
use crate::run::census::{self, Census, Supervisor};
use crate::run::shelf::{self, Stage, What};
use crate::run::spec::MARK_VARIABLE;
use crate::run::{Folder, Mark};
use crate::store::{Reader, StoreError};

use super::super::error::EngineError;
use super::super::lock::BoardLock;
use super::stray::{Remedy, Stray};
use super::{Grounds, find};

/// How long the processes of a run that is over have after the polite signal.
const GRACE: Duration = Duration::from_secs(5);
/// How old a look may be by which something is mended.
const FRESH: Duration = Duration::from_secs(1);
/// What the trash calls the ticket of something that no ticket holds.
const NOBODY: TicketId = TicketId(Uuid::nil());

/// What came of mending something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mended {
    /// It is done; this says what.
    Done(String),
    /// It is as it was; this says why.
    Left(String),
}

/// Mends strays one after the other. Each must still be one in a look that is no older than a second.
#[derive(Debug)]
pub struct Mender<'a> {
    grounds: &'a Grounds,
    looked: Option<(Instant, Vec<Stray>)>,
}

impl<'a> Mender<'a> {
    /// Begins.
    pub fn new(grounds: &'a Grounds) -> Self {
        Self { grounds, looked: None }
    }

    /// Mends a stray if that is safe and it is still one. It blocks.
    pub fn mend(&mut self, stray: &Stray, now: Timestamp) -> Mended {
        match self.is_still(stray) {
            Ok(true) => mend(self.grounds, stray, now).unwrap_or_else(|error| left(error.to_string())),
            Ok(false) => done("it is gone by now"),
            Err(error) => left(error.to_string()),
        }
    }

    fn is_still(&mut self, stray: &Stray) -> Result<bool, StoreError> {
        let looked = match self.looked.take().filter(|(at, _)| at.elapsed() < FRESH) {
            Some(looked) => looked,
            None => (Instant::now(), find::look(self.grounds)?.strays),
        };
        let (_, strays) = self.looked.insert(looked);
        Ok(strays.iter().any(|one| one.is_same(stray)))
    }
}

fn mend(grounds: &Grounds, stray: &Stray, now: Timestamp) -> Result<Mended, EngineError> {
    match &stray.remedy {
        Remedy::Nothing => Ok(left("there is nothing that is safe to be done")),
        Remedy::StopProcesses(mark) => Ok(stop(*mark)),
        Remedy::StopSupervisor(supervisor) => Ok(stop_supervisor(supervisor)),
        Remedy::Settle(path) => settle(path, now),
        Remedy::RemoveRun(path) => remove_run(path),
        Remedy::RemoveEmpty(path) => remove(path, |path| fs::remove_dir(path)),
        Remedy::RemoveFile(path) => remove(path, |path| fs::remove_file(path)),
        Remedy::Trash { repo, worktree } => bin(grounds, repo, worktree, now),
        Remedy::TrashRefs { repo, ticket } => bin_refs(grounds, repo, *ticket, now),
        Remedy::Forget { repo, path } => forget(grounds, repo, path),
        Remedy::ClearLanding { repo, path } => clear_landing(grounds, repo, path),
        Remedy::RemoveNote(note) => remove_note(note),
        Remedy::RemoveRest { worktree, rest } => remove_rest(worktree, rest),
        Remedy::RemoveLock(board) => remove_lock(grounds, *board),
    }
}

fn done(what: impl Into<String>) -> Mended {
    Mended::Done(what.into())
}

fn left(why: impl Into<String>) -> Mended {
    Mended::Left(why.into())
}

fn stop(mark: Mark) -> Mended {
    // A doctor that was asked from inside the run would end whoever asked.
    if std::env::var(MARK_VARIABLE).is_ok_and(|marks| marks.contains(&mark.to_string())) {
        return left("this process belongs to the same run; ask from outside it");
    }
    let stopped = census::stop(mark, GRACE);
    match stopped.left {
        0 => done(format!("{} stopped", counted(stopped.asked, "process", "processes"))),
        some => left(format!("{} could not be ended, not even by SIGKILL", counted(some, "process", "processes"))),
    }
}

fn stop_supervisor(supervisor: &Supervisor) -> Mended {
    if supervisor.stop() {
        done("it has stopped its run and ended")
    } else {
        left("it was asked to stop, and has not yet")
    }
}

fn settle(path: &Path, now: Timestamp) -> Result<Mended, EngineError> {
    let record = adopt::settle(&Folder::open(path)?, now)?;
    Ok(done(format!("it {}", record.end)))
}

/// Removes a run's folder in which nothing was printed. Whoever makes or starts it meanwhile wins.
fn remove_run(path: &Path) -> Result<Mended, EngineError> {
    let is_empty = match shelf::look(path).map(|one| one.what) {
        None => return Ok(done("it is gone by now")),
        Some(What::HalfMade) => true,
        Some(What::Run(about)) => about.output == 0 && matches!(about.stage, Stage::NeverStarted | Stage::Over),
        Some(What::Unreadable(_)) => false,
    };
    if !is_empty {
        return Ok(left("it is in use by now"));
    }
    let removed = remove(path, |path| fs::remove_dir_all(path))?;
    // The folder of its job goes with the last run in it; else it stays.
    let _ = path.parent().map(fs::remove_dir);
    Ok(removed)
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<Mended, EngineError> {
    match how(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(EngineError::Remove { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(done("it is removed")),
    }
}

/// Puts a worktree or a branch into the trash. Nobody can make the worktree anew meanwhile.
fn bin(grounds: &Grounds, root: &Path, worktree: &Worktree, now: Timestamp) -> Result<Mended, EngineError> {
    let repo = Repo::discover(&grounds.git, root)?;
    let is_branch = worktree.path.as_os_str().is_empty();
    let worktree = match is_branch {
        true => Worktree { path: free_place(grounds, &worktree.branch), ..worktree.clone() },
        false => worktree.clone(),
    };
    let work = || -> Result<Mended, EngineError> {
        if is_held(grounds, &worktree)? {
            return Ok(left("a ticket holds it by now"));
        }
        if !Census::take().inside(&worktree.path).is_empty() {
            return Ok(left("somebody is in it by now"));
        }
        let owner = Owner { ticket: NOBODY, state: StateName::Abandoned, branch: Fate::Goes };
        Ok(match trash::bin(&repo, &worktree, owner, now, &grounds.litter)? {
            Binned::Gone(reference) => {
                done(format!("it is in the trash, and `git worktree add FOLDER {reference}` brings it back"))
            }
            Binned::Nothing => done("it is gone by now"),
            Binned::Holds(held) => {
                let paths: Vec<String> = held.iter().map(|one| one.path.display().to_string()).collect();
                left(format!("it holds what git cannot keep: {}", paths.join(", ")))
            }
        })
    };
    if is_branch {
        return work();
    }
    Ok(leftovers::holding(&worktree.path, work)?.unwrap_or_else(|| left("somebody makes it right now")))
}

/// Puts the refs of a ticket that no board knows into the trash.
fn bin_refs(grounds: &Grounds, root: &Path, ticket: TicketId, now: Timestamp) -> Result<Mended, EngineError> {
    let repo = Repo::discover(&grounds.git, root)?;
    Ok(match trash_refs::bin(&repo, ticket, now)? {
        Some(reference) => done(format!("they are in the trash, and `draft restore {reference}` brings them back")),
        None => done("they are gone by now"),
    })
}

/// Returns a place where nothing is, to which a branch without a worktree can come back.
fn free_place(grounds: &Grounds, branch: &str) -> PathBuf {
    let name = branch.replace('/', "-");
    let folder = grounds.paths.worktrees().join("from-trash");
    let names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    names.map(|name| folder.join(name)).find(|path| path.symlink_metadata().is_err()).unwrap_or(folder)
}

fn is_held(grounds: &Grounds, worktree: &Worktree) -> Result<bool, EngineError> {
    let database = grounds.paths.database();
    if !database.exists() {
        return Ok(false);
    }
    let inventory = Reader::open(&database)?.inventory()?;
    let mut held = inventory.boards.iter().flat_map(|shelf| &shelf.tickets).filter_map(|one| one.worktree.as_ref());
    Ok(held.any(|one| one.path == worktree.path || one.branch == worktree.branch))
}

fn forget(grounds: &Grounds, root: &Path, path: &Path) -> Result<Mended, EngineError> {
    let repo = Repo::discover(&grounds.git, root)?;
    let work = || -> Result<bool, GitError> { leftovers::forget(&repo, path) };
    let forgotten = match path.parent().is_some_and(Path::exists) {
        true => leftovers::holding(path, work)?,
        false => Some(work()?),
    };
    Ok(match forgotten {
        Some(true) => done("git has forgotten it"),
        Some(false) => left("its folder is there by now"),
        None => left("somebody makes it right now"),
    })
}

fn clear_landing(grounds: &Grounds, root: &Path, path: &Path) -> Result<Mended, EngineError> {
    if !Census::take().inside(path).is_empty() {
        return Ok(left("somebody is in it by now"));
    }
    Scratch::left(&Repo::discover(&grounds.git, root)?, path).clear()?;
    Ok(done("it is removed"))
}

fn remove_note(note: &Noted) -> Result<Mended, EngineError> {
    Ok(if leftovers::remove_note(note)? { done("it is removed") } else { left("somebody makes it right now") })
}

fn remove_rest(worktree: &Path, rest: &Rest) -> Result<Mended, EngineError> {
    if !leftovers::rests(worktree).contains(rest) {
        return Ok(done("it is gone by now"));
    }
    leftovers::remove_rest(rest)?;
    Ok(done("it is removed"))
}

fn remove_lock(grounds: &Grounds, board: BoardId) -> Result<Mended, EngineError> {
    // With the lock in hand nobody else has it, and no board of that name is in the database to be opened.
    match BoardLock::take(&grounds.paths.data_dir, board) {
        Ok(_lock) => remove(&BoardLock::path(&grounds.paths.data_dir, board), |path| fs::remove_file(path)),
        Err(error) => Ok(left(error.to_string())),
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
