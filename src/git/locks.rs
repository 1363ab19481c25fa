//! Lock files that a killed git left in a ticket's own worktree. Git would refuse every later commit there.
//!
//! A lock that somebody holds is waited for, a short while. One that nobody holds is removed, if it lies in the worktree's
//! own files or belongs to the ticket's own branch. No other lock of a repository is ever touched.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::holder::Holder;
use super::{GitError, Repo, modules};
use crate::domain::ticket::Worktree;

/// How long to wait for somebody who holds a lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// A lock that nobody seems to hold must be this old: who has just made it may be about to work in the folder.
const SETTLED: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Removes the locks that were left in a worktree.
///
/// # Errors
/// When a living process holds one of them, or it cannot be removed.
pub(super) fn clear_left(repo: &Repo, worktree: &Worktree, git_dir: &Path) -> Result<(), GitError> {
    let mut all = vec![git_dir.join("index.lock"), git_dir.join("HEAD.lock")];
    all.push(repo.common_dir().join("refs/heads").join(format!("{}.lock", worktree.branch)));
    for module in modules::all(git_dir)? {
        all.extend([module.join("index.lock"), module.join("HEAD.lock")]);
    }
    for lock in all {
        if clear(&lock, &[&worktree.path, git_dir], PATIENCE)? {
            tracing::warn!(lock = %lock.display(), "removed a lock that a killed git had left");
        }
    }
    Ok(())
}

/// Waits until a lock is gone, or nobody holds it and it is removed; says whether it was.
pub(super) fn clear(lock: &Path, folders: &[&Path], patience: Duration) -> Result<bool, GitError> {
    let Some(first) = look(lock)? else { return Ok(false) };
    let begin = Instant::now();
    loop {
        let is_settled = first.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= SETTLED));
        let holder = Holder::of(lock, folders);
        let Some(now) = look(lock)? else { return Ok(false) };
        if holder.is_none() && (is_settled || begin.elapsed() >= SETTLED) {
            // Another one by now is another's business.
            if identity(&first) == identity(&now) {
                return remove(lock).map(|()| true);
            }
            return Ok(false);
        }
        if begin.elapsed() >= patience {
            return Err(GitError::Locked { lock: lock.to_owned(), holder });
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn look(lock: &Path) -> Result<Option<Metadata>, GitError> {
    match lock.symlink_metadata() {
        Ok(meta) if meta.is_file() => Ok(Some(meta)),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(GitError::io("look at", lock)(error)),
    }
}

fn identity(meta: &Metadata) -> (u64, u64, i64, i64) {
    (meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec())
}

fn remove(lock: &Path) -> Result<(), GitError> {
    match std::fs::remove_file(lock) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(GitError::io("remove", lock)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says what to do about a lock.
pub(super) fn advice(lock: &Path, holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!("{holder} holds {}; try again when it has ended", lock.display()),
        None => format!(
            "{} is in the way, and no living process seems to hold it; if no git works there, remove it",
            PathBuf::from(lock).display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::git::testing::{Sandbox, write};

    /// A lock as old as if its git had been killed long ago.
    fn old_lock(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    #[test]
    fn locks_that_nobody_holds_go_from_the_ticket_s_own_worktree_alone() {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        let common = sandbox.main().join(".git");
        let own = ["worktrees/1-x/index.lock", "worktrees/1-x/HEAD.lock", "refs/heads/draft/1-x.lock"];
        let foreign = ["index.lock", "HEAD.lock", "refs/heads/main.lock", "packed-refs.lock", "config.lock"];
        for lock in own.iter().chain(&foreign) {
            old_lock(&common.join(lock));
        }
        clear_left(&sandbox.repo(), &worktree, &common.join("worktrees/1-x")).unwrap();
        assert!(own.iter().all(|lock| !common.join(lock).exists()));
        assert!(foreign.iter().all(|lock| common.join(lock).exists()));
        write(&worktree.path, "new.txt", "n\n");
        sandbox.commit(&worktree.path, "as before");
    }

    #[test]
    fn a_lock_that_somebody_holds_stays_and_is_told_with_the_holder() {
        let sandbox = Sandbox::new();
        let lock = sandbox.dir().join("index.lock");
        old_lock(&lock);
        let held = File::open(&lock).unwrap();
        let mut holder = Command::new("sleep").arg("1000").stdin(Stdio::from(held)).spawn().unwrap();
        let error = clear(&lock, &[], Duration::ZERO).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(&format!("sleep (process {})", holder.id())), "{said}");
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert!(clear(&lock, &[], Duration::ZERO).unwrap());
    }

    #[test]
    fn a_git_that_waits_in_the_folder_holds_the_lock_though_it_has_closed_it() {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        let git_dir = sandbox.main().join(".git/worktrees/1-x");
        let ready = sandbox.dir().join("ready");
        std::fs::create_dir(sandbox.dir().join("out")).unwrap();
        let editor = format!("sh -c 'echo >{} && exec sleep 1000' --", ready.display());
        write(&worktree.path, "a.txt", "edited\n");
        let mut commit = Command::new("git")
            .current_dir(&worktree.path)
            .args(["-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-a"])
            .env("GIT_EDITOR", editor)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !ready.exists() {
            assert!(Instant::now() < deadline, "the editor was not started");
            std::thread::sleep(Duration::from_millis(2));
        }
        let lock = git_dir.join("index.lock");
        assert!(lock.exists());
        let error = clear(&lock, &[&worktree.path], Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains(&format!("git (process {})", commit.id())), "{error}");
        commit.kill().unwrap();
        commit.wait().unwrap();
        assert!(lock.exists(), "a killed git leaves it");
        old_lock(&lock);
        assert!(clear(&lock, &[&worktree.path], PATIENCE).unwrap());
    }

    #[test]
    fn a_lock_that_goes_by_itself_is_waited_for() {
        let sandbox = Sandbox::new();
        let lock = sandbox.dir().join("index.lock");
        let held = File::create(&lock).unwrap();
        let path = lock.clone();
        let done = std::thread::spawn(move || clear(&path, &[], Duration::from_secs(60)));
        std::fs::remove_file(&lock).unwrap();
        drop(held);
        assert!(!done.join().unwrap().unwrap());
    }
}
