//! The lock that says who is the engine of a board. The system gives it back when its owner dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::id::BoardId;

const BEFORE: &str = "engine-";
const BEHIND: &str = ".lock";

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
        let (path, file) = open(data_dir, board)?;
        try_lock(&file, &path)?;
        Ok(Self { _file: file })
    }

    /// Says whether a process is the engine of a board. The lock file is not made, and looking takes the lock from nobody.
    pub fn is_held(data_dir: &Path, board: BoardId) -> bool {
        let file = File::open(Self::path(data_dir, board));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Returns the lock file of a board.
    pub fn path(data_dir: &Path, board: BoardId) -> PathBuf {
        data_dir.join(format!("{BEFORE}{board}{BEHIND}"))
    }

    /// Returns the board whose lock file has that name; nothing when it is none.
    pub fn board_of(name: &str) -> Option<BoardId> {
        name.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?.parse().ok()
    }

    /// Takes the lock as soon as nobody holds it any more, looking so often. The file is opened once: each opening would
    /// wake everybody who watches its folder.
    ///
    /// # Errors
    /// What the system said.
    pub async fn wait(data_dir: &Path, board: BoardId, look_every: Duration) -> Result<Self, LockError> {
        let (path, file) = open(data_dir, board)?;
        loop {
            match try_lock(&file, &path) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(LockError::Held) => tokio::time::sleep(look_every).await,
                Err(error @ LockError::Io { .. }) => return Err(error),
            }
        }
    }
}

fn open(data_dir: &Path, board: BoardId) -> Result<(PathBuf, File), LockError> {
    let path = BoardLock::path(data_dir, board);
    match OpenOptions::new().create(true).append(true).mode(0o600).open(&path) {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(LockError::Io { path, source }),
    }
}

fn try_lock(file: &File, path: &Path) -> Result<(), LockError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => LockError::Held,
        TryLockError::Error(source) => LockError::Io { path: path.to_owned(), source },
    })
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
        assert!(BoardLock::is_held(dir.path(), board));
        drop(first);
        assert!(!BoardLock::is_held(dir.path(), board));
        BoardLock::take(dir.path(), board).unwrap();
    }

    #[test]
    fn looking_for_a_lock_makes_none_and_its_file_says_whose_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        assert!(!BoardLock::is_held(dir.path(), board));
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        let path = BoardLock::path(dir.path(), board);
        assert_eq!(BoardLock::board_of(path.file_name().unwrap().to_str().unwrap()), Some(board));
        assert_eq!(BoardLock::board_of("engine-1.lock"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_the_lock_gets_it_when_its_holder_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        let first = BoardLock::take(dir.path(), board).unwrap();
        let (taken, ()) = tokio::join!(BoardLock::wait(dir.path(), board, Duration::from_secs(1)), async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(first);
        });
        taken.unwrap();
    }
}
