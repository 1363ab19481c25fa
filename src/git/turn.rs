//! Turns at changing the worktrees of a repository, between threads and between processes.
//!
//! Two `git worktree add` at the same time read each other's half-written registrations and fail now and then.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{GitError, Repo};

const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The turns of the threads of this process. Only one of them at a time waits for the lock, which others ask for in vain
/// again and again.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<()>>);

/// A turn; it ends when this is dropped, or when the process dies.
pub(super) struct Turn<'a> {
    _lock: File,
    _among_threads: MutexGuard<'a, ()>,
}

impl<'a> Turn<'a> {
    /// Waits for a turn. The lock file stays, since removing it would give two owners.
    pub(super) fn take(repo: &'a Repo) -> Result<Self, GitError> {
        Self::take_within(repo, PATIENCE)
    }

    fn take_within(repo: &'a Repo, patience: Duration) -> Result<Self, GitError> {
        // A thread that panicked in its turn left nothing behind that the next one does not look at anyway.
        let among_threads = repo.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = repo.common_dir().join("draft.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(GitError::io("open", &path))?;
        wait_for(&lock, &path, patience)?;
        Ok(Self { _lock: lock, _among_threads: among_threads })
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
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::git::testing::Sandbox;

    #[test]
    fn a_turn_is_refused_while_another_process_has_it_and_given_after_it() {
        let sandbox = Sandbox::new();
        // Found twice, a repository knows nothing of the other's threads.
        let (repo, other) = (sandbox.repo(), sandbox.repo());
        let first = Turn::take(&repo).unwrap();
        let second = Turn::take_within(&other, Duration::from_millis(10));
        assert!(matches!(second, Err(GitError::Busy { .. })));
        drop(first);
        assert!(Turn::take(&other).is_ok());
    }

    #[test]
    fn threads_take_turns() {
        let sandbox = Sandbox::new();
        let repo = sandbox.repo();
        let at_it = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _turn = Turn::take(&repo).unwrap();
                    assert_eq!(at_it.fetch_add(1, Ordering::SeqCst), 0);
                    at_it.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }
}
