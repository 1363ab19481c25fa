//! Makes a ticket's worktree whole again where its files are there and what ties them to the repository is not: a broken
//! link after the repository was moved, or a branch that somebody deleted.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::leftovers::made;
use super::registered::{self, same_place};
use super::validate::Place;
use super::{GitError, Repo, locks};
use crate::domain::ticket::Worktree;

/// Says whether a worktree is there, after mending its link to the repository if that is what is broken.
pub(super) fn is_there(repo: &Repo, worktree: &Worktree) -> Result<bool, GitError> {
    match Place::of(&worktree.path) {
        Ok(place) if place.is_linked(&worktree.path, repo) => Ok(true),
        // It is a part of another work tree, perhaps only for the want of its own link.
        Ok(place) if place.top == registered::settled(&worktree.path) => Ok(false),
        Ok(_) | Err(_) => link(repo, worktree),
    }
}

/// Writes the link of a worktree that the repository still knows, if its files are there; says whether it did.
fn link(repo: &Repo, worktree: &Worktree) -> Result<bool, GitError> {
    let path = &worktree.path;
    let link = path.join(".git");
    if link.symlink_metadata().is_ok_and(|meta| !meta.is_file()) || !path.is_dir() {
        return Ok(false);
    }
    let known = registered::list(repo)?;
    let of_ticket = known.iter().skip(1).find(|known| same_place(&known.path, path));
    let Some(known) = of_ticket.filter(|known| known.branch.as_deref() == Some(&worktree.branch)) else {
        return Ok(false);
    };
    if !link.exists() && !has_any_file_of(repo, worktree)? {
        return Ok(false);
    }
    let mut text = b"gitdir: ".to_vec();
    text.extend_from_slice(known.git_dir.as_os_str().as_encoded_bytes());
    text.push(b'\n');
    let mut file = tempfile::NamedTempFile::new_in(path).map_err(GitError::io("make a file in", path))?;
    file.write_all(&text).map_err(GitError::io("write", file.path()))?;
    file.persist(&link).map_err(|error| GitError::io("write", &link)(error.error))?;
    tracing::warn!(path = %path.display(), "the link to its repository was broken and is whole again");
    Ok(Place::of(path).is_ok_and(|place| place.is_linked(path, repo)))
}

/// Says whether a folder has any file of the worktree's branch at its top: one that has none is something else.
fn has_any_file_of(repo: &Repo, worktree: &Worktree) -> Result<bool, GitError> {
    let branch = format!("refs/heads/{}", worktree.branch);
    let commit = repo.commit_at(&branch)?.unwrap_or_else(|| worktree.base.clone());
    let gix = repo.gix();
    let tree = super::repo::tree(&gix, &commit)?;
    let is_there = |name: &[u8]| worktree.path.join(OsStr::from_bytes(name)).symlink_metadata().is_ok();
    Ok(tree.iter().filter_map(Result::ok).any(|entry| is_there(entry.filename())))
}

/// Makes the branch of a worktree again where it was last, if somebody deleted it while it was checked out there. Without
/// it, the next commit would begin a history of its own.
pub(super) fn branch(repo: &Repo, worktree: &Worktree, git_dir: &Path) -> Result<(), GitError> {
    let name = format!("refs/heads/{}", worktree.branch);
    let head = std::fs::read_to_string(git_dir.join("HEAD")).map_err(GitError::io("read", git_dir.join("HEAD")))?;
    if head.trim_end().strip_prefix("ref: ") != Some(&name) || repo.has_ref(&name)? {
        return Ok(());
    }
    let commit = last_commit(repo, git_dir)?.unwrap_or_else(|| worktree.base.clone());
    let none = "0".repeat(commit.len());
    // Its history went with it; by this the ledger knows the branch as Draft's again.
    let message = made(&worktree.branch, "the log of its worktree");
    let args = ["update-ref", "--create-reflog", "-m", &message, &name, &commit, &none];
    repo.git.writing(repo.common_dir()).args(args).run()?;
    tracing::warn!(branch = worktree.branch, %commit, "the branch was deleted and is there again");
    Ok(())
}

/// Returns the last commit that was checked out or made in a worktree, as its log says.
fn last_commit(repo: &Repo, git_dir: &Path) -> Result<Option<String>, GitError> {
    let log = git_dir.join("logs/HEAD");
    let text = match std::fs::read(&log) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GitError::io("read", log)(error)),
    };
    let text = String::from_utf8_lossy(&text);
    // `<old> <new> <who> <when> <why>`
    let commits = text.lines().rev().filter_map(|line| line.split(' ').nth(1));
    let gix = repo.gix();
    let is_there = |id: &&str| gix::ObjectId::from_hex(id.as_bytes()).is_ok_and(|id| gix.has_object(id));
    Ok(commits.into_iter().find(is_there).map(str::to_owned))
}

/// Makes a worktree ready for its next run: its branch is there, and no lock of a killed git is.
pub(super) fn ready(repo: &Repo, worktree: &Worktree) -> Result<(), GitError> {
    let not_there = |why| GitError::Read { what: worktree.path.display().to_string(), why };
    let git_dir = Place::of(&worktree.path).map_err(not_there)?.git_dir;
    locks::clear_left(repo, worktree, &git_dir)?;
    branch(repo, worktree, &git_dir)
}
