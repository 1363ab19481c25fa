//! The notes in a worktree's own git folder that say what was done to make it ready, and by which runs. They go with the
//! worktree, so a worktree that was made anew is never taken for one that is ready.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::GitError;
use super::validate::Place;

const DONE: &str = "draft-ready";
const BEGUN: &str = "draft-setup";

/// Returns what was done to make a worktree ready; nothing where nothing was, or it is not known.
///
/// # Errors
/// When the folder is no worktree, or its note cannot be read.
pub fn done(worktree: &Path) -> Result<Option<String>, GitError> {
    read(&note(worktree, DONE)?)
}

/// Says what was done to make a worktree ready.
///
/// # Errors
/// When the folder is no worktree, or its note cannot be written.
pub fn say_done(worktree: &Path, what: &str) -> Result<(), GitError> {
    let note = note(worktree, DONE)?;
    std::fs::write(&note, what).map_err(GitError::io("write", note))
}

/// Returns the number of the first run of a job that made this very worktree ready, or notes that it is this one. Earlier ones
/// ran in a worktree that is not there any more.
///
/// # Errors
/// When the folder is no worktree, or its note cannot be read or written.
pub fn first_run(worktree: &Path, job: &str, next: u32) -> Result<u32, GitError> {
    let note = note(worktree, BEGUN)?;
    let noted = read(&note)?.unwrap_or_default();
    if let Some((_, first)) = noted.split_once(' ').filter(|(noted, _)| *noted == job)
        && let Ok(first) = first.parse()
    {
        return Ok(first);
    }
    std::fs::write(&note, format!("{job} {next}")).map_err(GitError::io("write", note))?;
    Ok(next)
}

fn read(note: &Path) -> Result<Option<String>, GitError> {
    match std::fs::read_to_string(note) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(GitError::io("read", note)(error)),
    }
}

fn note(worktree: &Path, name: &str) -> Result<PathBuf, GitError> {
    let place = Place::of(worktree).map_err(|_| GitError::NotARepository { path: worktree.to_owned() })?;
    Ok(place.git_dir.join(name))
}
