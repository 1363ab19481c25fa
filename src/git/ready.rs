//! The note in a worktree's own git folder that says what was done to make it ready. It goes with the worktree, so a worktree
//! that was made anew is never taken for one that is ready.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::GitError;
use super::validate::Place;

const NAME: &str = "draft-ready";

/// Returns what was done to make a worktree ready; nothing where nothing was, or it is not known.
///
/// # Errors
/// When the folder is no worktree, or its note cannot be read.
pub fn done(worktree: &Path) -> Result<Option<String>, GitError> {
    let note = note(worktree)?;
    match std::fs::read_to_string(&note) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(GitError::io("read", note)(error)),
    }
}

/// Says what was done to make a worktree ready.
///
/// # Errors
/// When the folder is no worktree, or its note cannot be written.
pub fn say_done(worktree: &Path, what: &str) -> Result<(), GitError> {
    let note = note(worktree)?;
    std::fs::write(&note, what).map_err(GitError::io("write", note))
}

fn note(worktree: &Path) -> Result<PathBuf, GitError> {
    let place = Place::of(worktree).map_err(|_| GitError::NotARepository { path: worktree.to_owned() })?;
    Ok(place.git_dir.join(NAME))
}
