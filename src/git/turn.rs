//! Turns at changing the worktrees of a repository, between threads and between processes.
//!
//! Two `git worktree add` at the same time read each other's half-written registrations and fail now and then.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::GitError;

const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A turn; it ends when this is dropped, or when the process dies.
pub(super) struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits for a turn. The lock file stays, since removing it would give two owners.
    pub(super) fn take(common_dir: &Path) -> Result<Self, GitError> {
        Self::take_within(common_dir, PATIENCE)
    }

    fn take_within(common_dir: &Path, patience: Duration) -> Result<Self, GitError> {
        let path = common_dir.join("draft.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(GitError::io("open", &path))?;
        wait_for(&lock, &path, patience)?;
        Ok(Self { _lock: lock })
    }
}

/// Waits until nobody else holds the lock of a file.
pub(super) fn wait_for(lock: &File, path: &Path, patience: Duration) -> Result<(), GitError> {
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(GitError::io("lock", path)(source)),
            Err(TryLockError::WouldBlock) if start.elapsed() >= patience => {
                return Err(GitError::Busy { lock: path.to_owned(), waited: patience });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_refused_while_another_is_held_and_given_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = Turn::take(dir.path()).unwrap();
        let second = Turn::take_within(dir.path(), Duration::from_millis(10));
        assert!(matches!(second, Err(GitError::Busy { .. })));
        drop(first);
        assert!(Turn::take(dir.path()).is_ok());
    }
}
