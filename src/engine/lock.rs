//! The lock that says who is the engine of a board. The system gives it back when its owner dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::domain::id::BoardId;

/// Held by the one process that is the engine of a board.
#[derive(Debug)]
pub struct BoardLock {
    _file: File,
}

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process is the engine.
    #[error("another Draft is the engine of this board")]
    Held,
    /// The lock file cannot be used.
    #[error("could not lock {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl BoardLock {
    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process is the engine, else what the system said.
    pub fn take(data_dir: &Path, board: BoardId) -> Result<Self, LockError> {
        let path = data_dir.join(format!("engine-{board}.lock"));
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(source) => return Err(LockError::Io { path, source }),
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(source)) => Err(LockError::Io { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_at_a_time_holds_the_lock_and_dropping_it_frees_it() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        let first = BoardLock::take(dir.path(), board).unwrap();
        assert!(matches!(BoardLock::take(dir.path(), board), Err(LockError::Held)));
        drop(first);
        BoardLock::take(dir.path(), board).unwrap();
    }
}
