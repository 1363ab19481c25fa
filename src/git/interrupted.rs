//! Takes up the making of a worktree where a killed process left it, so that nothing half-made stays and no name is lost.
//!
//! Nothing is removed but what git itself had not finished to write down. Where anything could be somebody's work (commits
//! on a new branch, another branch checked out, files that the commit does not have), all of it is left as it is.

use std::collections::HashSet;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::making::{Intent, Stage};
use super::registered::{self, Registered, same_place, settled};
use super::turn::Turn;
use super::validate::Place;
use super::{GitError, Repo};

/// What is left of it.
pub(super) enum Left {
    /// It is registered, and its files may be written (again).
    Registered,
    /// It is not, and its folder is free.
    Unregistered,
    /// Somebody works with it.
    Foreign,
}

/// Looks at what is left, and clears away what git had begun to register. The caller holds the note, so that nobody who
/// made it lives.
pub(super) fn look(repo: &Repo, path: &Path, intent: &Intent, stage: Stage) -> Result<Left, GitError> {
    let _turn = Turn::take(repo)?;
    forget_half_registered(repo, path)?;
    let tip = repo.commit_at(&format!("refs/heads/{}", intent.branch))?;
    let is_as_it_was = match &tip {
        Some(tip) => !intent.is_new || *tip == intent.commit,
        None => intent.is_new,
    };
    if !is_as_it_was {
        return Ok(Left::Foreign);
    }
    let known = registered::list(repo)?;
    match known.iter().find(|known| same_place(&known.path, path)) {
        Some(known) if known.is_stale() => {
            registered::forget(repo, known)?;
            Ok(Left::Unregistered)
        }
        Some(known) => registered(known, path, intent, stage, repo),
        None if is_nothing_or_empty(path)? => Ok(Left::Unregistered),
        None => Ok(Left::Foreign),
    }
}

fn registered(known: &Registered, path: &Path, intent: &Intent, stage: Stage, repo: &Repo) -> Result<Left, GitError> {
    let is_ours = known.branch.as_deref() == Some(&intent.branch) && !known.locked;
    if !is_ours || stage < Stage::CheckedOut && !holds_only(repo, path, &intent.commit)? {
        return Ok(Left::Foreign);
    }
    if stage < Stage::CheckedOut
        && let Ok(place) = Place::of(path)
    {
        // A git that was killed in the middle of the checkout leaves it.
        remove_file(&place.git_dir.join("index.lock"))?;
    }
    Ok(Left::Registered)
}

/// Removes a registration for this path that `git worktree add` had begun: git marks it as locked until it is whole, and
/// so never removes it itself.
fn forget_half_registered(repo: &Repo, path: &Path) -> Result<(), GitError> {
    let folder = repo.common_dir().join("worktrees");
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(GitError::io("read", folder)(error)),
    };
    for entry in entries {
        let admin = entry.map_err(GitError::io("read", &folder))?.path();
        if is_half_registered(&admin, path) && clear_folder(path)? {
            std::fs::remove_dir_all(&admin).map_err(GitError::io("remove", &admin))?;
        }
    }
    Ok(())
}

fn is_half_registered(admin: &Path, path: &Path) -> bool {
    let begun = std::fs::read(admin.join("locked")).is_ok_and(|why| why.trim_ascii() == b"initializing");
    let is_for_path = || match registered::folder_of(admin) {
        Some(folder) => same_place(&folder, path),
        // Nothing is written in it yet; git names it after the folder, with a number where that is taken.
        None => {
            let name = |path: &Path| path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
            let (admin, wanted) = (name(admin), name(path));
            admin.strip_prefix(wanted.as_slice()).is_some_and(|rest| rest.iter().all(u8::is_ascii_digit))
        }
    };
    begun && is_for_path()
}

/// Removes a folder that holds nothing but git's link; says whether it is gone.
fn clear_folder(path: &Path) -> Result<bool, GitError> {
    let path = settled(path);
    let link = path.join(".git");
    let names = names_in(&path)?;
    if names.iter().any(|name| *name != link) || link.is_dir() {
        return Ok(false);
    }
    remove_file(&link)?;
    match std::fs::remove_dir(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("remove", path)(error)),
        Ok(()) | Err(_) => Ok(true),
    }
}

/// Says whether every file in the folder has the name of one of the commit.
fn holds_only(repo: &Repo, path: &Path, commit: &str) -> Result<bool, GitError> {
    let args = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit];
    let said = repo.git.reading(repo.common_dir()).args(args).run()?;
    let known: HashSet<&[u8]> = said.split(|byte| *byte == 0).collect();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in names_in(&folder)? {
            let name = entry.strip_prefix(path).unwrap_or(&entry);
            // Folders of submodules are empty until somebody fills them.
            if entry.is_dir() && !entry.is_symlink() {
                folders.push(entry);
            } else if name != Path::new(".git") && !known.contains(name.as_os_str().as_bytes()) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn names_in(folder: &Path) -> Result<Vec<PathBuf>, GitError> {
    let read = || folder.read_dir()?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(GitError::io("read", folder)),
    }
}

/// Says whether nothing is at this path but perhaps an empty folder.
pub(super) fn is_nothing_or_empty(path: &Path) -> Result<bool, GitError> {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => Ok(names_in(path)?.is_empty()),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(GitError::io("look at", path)(error)),
    }
}

fn remove_file(path: &Path) -> Result<(), GitError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(GitError::io("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
