//! Makes a ticket's worktree: a branch of its own, checked out in a folder of its own.
//!
//! The user's checkout is never touched. Only writing the registration waits for a turn; files are checked out after
//! it, many worktrees at a time. Together the steps are what `git worktree add` does, hook included. A note beside the
//! worktree says what is being made, so that after a kill at any point the next try goes on with it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::branch::{folders, with_suffixes, without_folders};
use super::checkout::{Settings, check_out, run_hook};
use super::interrupted::{self, Left, is_nothing_or_empty};
use super::leftovers::made;
use super::making::{Intent, Making, Stage, with_suffix};
use super::refill::bring_back;
use super::registered::{self, Registered, same_place};
use super::turn::Turn;
pub use super::validate::{Unsafe, validate};
use super::{GitError, Repo, mend};
use crate::domain::ticket::Worktree;

/// How often a registration is tried when another program changes worktrees at the same moment.
const TRIES: u32 = 5;

/// What worktree is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The folder; where something is already, one with a suffix is taken.
    pub path: &'a Path,
    /// The branch; where one has that name already, one with a suffix is made.
    pub branch: &'a str,
    /// The branch from which it starts: a local one, or a remote one such as `origin/main`.
    pub base_branch: &'a str,
    /// The worktree that the ticket had: it is used again, or its branch is if only its folder is gone.
    pub existing: Option<&'a Worktree>,
    /// It is to hold the first of these commits, made on top of the second, which is one of the base branch: a new branch starts
    /// there, and what the branch that is used again does not have of it comes as edits.
    pub on_top: Option<(&'a str, &'a str)>,
}

/// A worktree that is ready.
#[derive(Debug)]
pub struct Created {
    /// The worktree.
    pub worktree: Worktree,
    /// Where it comes from.
    pub origin: Origin,
    /// The `post-checkout` hook failed. As with git itself, the worktree is there all the same.
    pub hook_failed: Option<GitError>,
    /// Its note; nothing where it was there before.
    making: Option<Making>,
}

impl Created {
    /// Says that the ticket has the worktree now, durably. Only then may anything run in it: before, whoever asks for the
    /// same one takes it for the rest of an interrupted creation.
    ///
    /// # Errors
    /// When the note beside it cannot be removed.
    pub fn recorded(&self) -> Result<(), GitError> {
        self.making.as_ref().map_or(Ok(()), Making::end)
    }
}

/// Where a worktree comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// It is new, at the tip of the base branch.
    New,
    /// The ticket's branch was checked out again, since its folder was gone.
    Restored,
    /// It was there.
    Kept,
}

/// Makes a worktree, or finds or restores the one that the ticket had, or goes on where making it was interrupted.
/// Once the ticket has it, [`Created::recorded`] must be called.
///
/// # Errors
/// When the base branch is missing, the disk is full, a filter fails or git refuses; nothing is left behind then.
pub fn create(repo: &Repo, plan: &Plan<'_>) -> Result<Created, GitError> {
    if !Making::is_noted(plan.path)
        && let Some(kept) = kept(repo, plan)?
    {
        return Ok(kept);
    }
    let start = Start::of(repo, plan)?;
    let mut making = Making::begin(plan.path)?;
    if let Some((intent, stage)) = making.interrupted()? {
        match take_up(repo, plan, &mut making, intent, stage)? {
            Some((made, start, stage)) => return complete(repo, plan, making, made, start, stage),
            None => tracing::warn!(path = %plan.path.display(), "left alone what may be somebody's work"),
        }
    }
    if let Some(kept) = kept(repo, plan)? {
        making.end()?;
        return Ok(kept);
    }
    let made = {
        let _turn = Turn::take(repo)?;
        register(repo, plan, &start, &mut making)
    };
    match made {
        Ok(made) => complete(repo, plan, making, made, start, Stage::Named),
        Err(error) => {
            // The error that led here is the one to tell.
            let _ = making.end();
            Err(error)
        }
    }
}

/// Returns the worktree that the ticket had, if it is there; what ties it to the repository is mended.
fn kept(repo: &Repo, plan: &Plan<'_>) -> Result<Option<Created>, GitError> {
    let Some(existing) = plan.existing else { return Ok(None) };
    if !mend::is_there(repo, existing)? {
        return Ok(None);
    }
    mend::ready(repo, existing)?;
    Ok(Some(Created { worktree: existing.clone(), origin: Origin::Kept, hook_failed: None, making: None }))
}

/// Does what is left to do from a stage on.
fn complete(
    repo: &Repo,
    plan: &Plan<'_>,
    mut making: Making,
    made: Made,
    start: Start,
    stage: Stage,
) -> Result<Created, GitError> {
    let mut hook_failed = None;
    if stage < Stage::Ready {
        let files = || {
            let settings = Settings::of(repo, &made.path)?;
            if stage < Stage::CheckedOut {
                check_out(repo, &made.path, &settings, &making)?;
            }
            Ok(settings)
        };
        let settings = match files() {
            Ok(settings) => settings,
            Err(error) if stage < Stage::CheckedOut => {
                undo(repo, &made, &start, &making);
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        making.reached(Stage::CheckedOut)?;
        let none = "0".repeat(start.commit.len());
        let args = [none.as_str(), &start.commit, "1"];
        hook_failed = run_hook(repo, &made.path, &settings, "post-checkout", &args).err();
        if let (Origin::Restored, Some((commit, _))) = (start.origin, plan.on_top) {
            bring_back(repo, &made.path, &start.commit, commit)?;
        }
        making.reached(Stage::Ready)?;
    }
    let worktree = Worktree {
        path: made.path,
        branch: made.branch.name,
        base_branch: start.base_branch,
        base: start.base,
        port: None,
    };
    Ok(Created { worktree, origin: start.origin, hook_failed, making: Some(making) })
}

/// Takes up what a killed process left; nothing if that may be somebody's work.
fn take_up(
    repo: &Repo,
    plan: &Plan<'_>,
    making: &mut Making,
    intent: Intent,
    stage: Stage,
) -> Result<Option<(Made, Start, Stage)>, GitError> {
    let path = with_suffix(plan.path, &intent.suffix);
    let left = interrupted::look(repo, &path, &intent, stage)?;
    let branch = Branch { name: intent.branch, is_new: intent.is_new };
    let start = Start {
        commit: intent.commit,
        branch: None,
        base_branch: intent.base_branch,
        base: intent.base,
        origin: if branch.is_new { Origin::New } else { Origin::Restored },
    };
    let made = Made { path, branch };
    match left {
        Left::Foreign => Ok(None),
        Left::Registered => Ok(Some((made, start, stage))),
        Left::Unregistered => {
            let _turn = Turn::take(repo)?;
            let name = &made.branch.name;
            if !is_usable(repo, name, &registered::list(repo)?)? {
                return Ok(None);
            }
            if !repo.has_ref(&heads(name))?
                && let Err(error) = make_branch(repo, name, &start)
                // The git of an engine that was killed may have gone on, and been faster.
                && repo.commit_at(&heads(name))?.as_ref() != Some(&start.commit)
            {
                return Err(error);
            }
            add(repo, &made.path, name, making)?;
            Ok(Some((made, start, Stage::Named)))
        }
    }
}

/// From where a worktree starts.
struct Start {
    commit: String,
    /// The branch to be used again.
    branch: Option<String>,
    base_branch: String,
    base: String,
    origin: Origin,
}

impl Start {
    fn of(repo: &Repo, plan: &Plan<'_>) -> Result<Self, GitError> {
        if let Some(existing) = plan.existing
            && let Some(commit) = repo.commit_at(&heads(&existing.branch))?
        {
            return Ok(Self {
                commit,
                branch: Some(existing.branch.clone()),
                base_branch: existing.base_branch.clone(),
                base: existing.base.clone(),
                origin: Origin::Restored,
            });
        }
        let base = repo.base(plan.base_branch)?;
        let base_branch = base.branch;
        let (commit, base) = match plan.on_top {
            Some((commit, base)) => (commit.to_owned(), base.to_owned()),
            None => (base.commit.clone(), base.commit),
        };
        Ok(Self { base, commit, branch: None, base_branch, origin: Origin::New })
    }
}

struct Branch {
    name: String,
    /// Made now, so it goes again if the worktree cannot be made.
    is_new: bool,
}

struct Made {
    path: PathBuf,
    branch: Branch,
}

fn heads(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// Writes branch and registration; no file is checked out yet.
fn register(repo: &Repo, plan: &Plan<'_>, start: &Start, making: &mut Making) -> Result<Made, GitError> {
    let known = registered::list(repo)?;
    let suffix = free_suffix(repo, plan.path, &known)?;
    let path = with_suffix(plan.path, &suffix);
    let mut intend = |branch: &str, is_new: bool| {
        let (commit, base_branch, base) = (start.commit.clone(), start.base_branch.clone(), start.base.clone());
        making.intend(&Intent { suffix: suffix.clone(), branch: branch.to_owned(), is_new, commit, base_branch, base })
    };
    let branch = match &start.branch {
        Some(name) if is_usable(repo, name, &known)? => {
            intend(name, false)?;
            Branch { name: name.clone(), is_new: false }
        }
        Some(name) => new_branch(repo, name, start, &mut intend)?,
        None => new_branch(repo, plan.branch, start, &mut intend)?,
    };
    if let Err(error) = add(repo, &path, &branch.name, making) {
        delete_branch(repo, &branch, &start.commit);
        return Err(error);
    }
    Ok(Made { path, branch })
}

/// Returns the first suffix, or none, with which nothing is at the path. Nothing that is there is ever removed.
fn free_suffix(repo: &Repo, wanted: &Path, known: &[Registered]) -> Result<String, GitError> {
    for suffix in with_suffixes("") {
        let path = with_suffix(wanted, &suffix);
        if !is_nothing_or_empty(&path)? {
            continue;
        }
        let Some(stale) = known.iter().find(|known| same_place(&known.path, &path)) else { return Ok(suffix) };
        if stale.is_stale() {
            // Git forgets a worktree only when its folder is really gone. An empty one holds nothing.
            let _ = std::fs::remove_dir(&path);
            match registered::forget(repo, stale) {
                Ok(()) => return Ok(suffix),
                Err(GitError::HoldsModules { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Err(GitError::NoFreeName { wanted: wanted.display().to_string() })
}

/// Says whether a branch of the ticket can be checked out again: not while it is checked out elsewhere.
fn is_usable(repo: &Repo, branch: &str, known: &[Registered]) -> Result<bool, GitError> {
    let Some(holder) = known.iter().find(|known| known.branch.as_deref() == Some(branch)) else { return Ok(true) };
    if !holder.is_stale() {
        return Ok(false);
    }
    // It may have been forgotten a moment ago, with its path.
    if registered::list(repo)?.contains(holder) {
        return Ok(registered::forget(repo, holder).is_ok());
    }
    Ok(true)
}

/// Makes a branch at the start commit, under the first name that is free.
fn new_branch(
    repo: &Repo,
    wanted: &str,
    start: &Start,
    intend: &mut impl FnMut(&str, bool) -> Result<(), GitError>,
) -> Result<Branch, GitError> {
    let mut wanted = wanted.to_owned();
    for folder in folders(&wanted.clone()) {
        if repo.has_ref(&heads(folder))? {
            wanted = without_folders(&wanted);
            break;
        }
    }
    for name in with_suffixes(&wanted) {
        // A tag of that name would make `git log <name>` show something else.
        if repo.has_ref(&heads(&name))? || repo.has_ref(&format!("refs/tags/{name}"))? {
            continue;
        }
        intend(&name, true)?;
        match make_branch(repo, &name, start) {
            Ok(()) => return Ok(Branch { name, is_new: true }),
            // Somebody else was faster, or branches `<name>/…` exist.
            Err(GitError::Failed { stderr, .. }) if stderr.contains("cannot lock ref") => {}
            // A lock that another git left on that name; it is not ours to remove.
            Err(GitError::Locked { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(GitError::NoFreeName { wanted })
}

fn make_branch(repo: &Repo, name: &str, start: &Start) -> Result<(), GitError> {
    let none = "0".repeat(start.commit.len());
    // With a history of its own whatever the settings say: by its first entry the branch is known to be Draft's.
    let message = made(name, &start.base_branch);
    let args = ["update-ref", "--create-reflog", "-m", &message, &heads(name), &start.commit, &none];
    repo.git.writing(repo.common_dir()).args(args).without_patience().run().map(drop)
}

fn delete_branch(repo: &Repo, branch: &Branch, commit: &str) {
    if branch.is_new {
        // Only if it is still where it was made; the error that led here is the one to tell.
        let _ = repo.git.writing(repo.common_dir()).args(["update-ref", "-d", &heads(&branch.name), commit]).run();
    }
}

fn add(repo: &Repo, path: &Path, branch: &str, making: &Making) -> Result<(), GitError> {
    let mut tries = 0;
    loop {
        tries += 1;
        // From the user's work tree, whose sparse patterns git hands on to the new one.
        let call = repo.git.writing(repo.root()).args(["worktree", "add", "--no-checkout", "--quiet", "--"]);
        match call.args([path.as_os_str(), OsStr::new(branch)]).sharing(making.lock()).run() {
            Ok(_) => return Ok(()),
            // Another program reads or writes registrations without taking turns.
            Err(GitError::Failed { stderr, .. }) if tries < TRIES && stderr.contains("commondir") => {}
            Err(error) => return Err(error),
        }
    }
}

/// Takes back a worktree whose files could not be written. It holds nothing but what the commit has.
fn undo(repo: &Repo, made: &Made, start: &Start, making: &Making) {
    let remove = ["worktree", "remove", "--force", "--"].map(OsStr::new);
    let Ok(_turn) = Turn::take(repo) else { return };
    let call = repo.git.writing(repo.common_dir()).args(remove).args([&made.path]);
    // The error that led here is the one to tell. What cannot be taken back now is still noted, for the next try.
    if call.run().is_ok() {
        delete_branch(repo, &made.branch, &start.commit);
        let _ = making.end();
    }
}
