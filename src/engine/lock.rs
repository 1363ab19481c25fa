//! The lock that says who is the engine of a board. The system gives it back when its owner dies, however it dies.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::domain::id::BoardId;

const BEFORE: &str = "engine-";
const BEHIND: &str = ".lock";

/// Held by the one process that is the engine of a board.
#[derive(Debug)]
pub struct BoardLock {
    file: Mutex<File>,
    path: PathBuf,
}

/// Whether a lock was held without a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It was.
    AllAlong,
    /// Its file was deleted, and it was taken again.
    Again,
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
        Ok(Self { file: Mutex::new(file), path })
    }

    /// Makes sure that the lock is the one that others ask for: somebody may have deleted its file. Then it is taken again, and
    /// others may have worked on the board meanwhile.
    ///
    /// # Errors
    /// [`LockError::Held`] when another process was faster and is the engine by now, else what the system said.
    pub fn keep(&self) -> Result<Kept, LockError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if is_at(&file, &self.path) {
            return Ok(Kept::AllAlong);
        }
        let fresh = open_at(&self.path)?;
        try_lock(&fresh, &self.path)?;
        *file = fresh;
        Ok(Kept::Again)
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
}

/// A place in the line of those who wait for the lock. The system hands it over in the moment in which its holder is gone.
///
/// Whoever has a place must wait at it: a lock that was handed over and that nobody asks for is held all the same.
#[derive(Debug)]
pub struct Queue {
    data_dir: PathBuf,
    board: BoardId,
    /// Nothing before the first wait, and after the lock was given.
    turn: Option<oneshot::Receiver<Result<BoardLock, LockError>>>,
}

impl Queue {
    /// Returns a place that stands in the line from the first wait on.
    pub fn new(data_dir: &Path, board: BoardId) -> Self {
        Self { data_dir: data_dir.to_owned(), board, turn: None }
    }

    /// Waits for the lock. Dropping the future keeps the place.
    ///
    /// # Errors
    /// What the system said.
    pub async fn granted(&mut self) -> Result<BoardLock, LockError> {
        let turn = match &mut self.turn {
            Some(turn) => turn,
            None => self.turn.insert(line_up(&self.data_dir, self.board)?),
        };
        let granted = turn.await;
        self.turn = None;
        granted.unwrap_or_else(|_| {
            let source = std::io::Error::other("the thread that waited for it is gone");
            Err(LockError::Io { path: BoardLock::path(&self.data_dir, self.board), source })
        })
    }
}

/// Waits for the lock in a thread of its own: the system cannot be asked to tell, only to wait. The thread ends with its
/// process; a lock that comes when nobody wants it any more is given back at once.
fn line_up(data_dir: &Path, board: BoardId) -> Result<oneshot::Receiver<Result<BoardLock, LockError>>, LockError> {
    let (path, file) = open(data_dir, board)?;
    let (give, turn) = oneshot::channel();
    let place = path.clone();
    let wait = move || drop(give.send(wait_for(file, path)));
    match std::thread::Builder::new().name("engine-lock".to_owned()).spawn(wait) {
        Ok(_) => Ok(turn),
        Err(source) => Err(LockError::Io { path: place, source }),
    }
}

/// Waits until nobody else holds the lock. One whose file was deleted meanwhile is nobody's: the next one is waited for.
fn wait_for(mut file: File, path: PathBuf) -> Result<BoardLock, LockError> {
    loop {
        match file.lock() {
            Ok(()) if is_at(&file, &path) => return Ok(BoardLock { file: Mutex::new(file), path }),
            Ok(()) => file = open_at(&path)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(LockError::Io { path, source }),
        }
    }
}

/// Says whether a file is what that path leads to; what cannot be found out is taken to be so.
fn is_at(file: &File, path: &Path) -> bool {
    let same =
        |there: Metadata| file.metadata().is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino()));
    match path.metadata() {
        Ok(there) => same(there),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

fn open(data_dir: &Path, board: BoardId) -> Result<(PathBuf, File), LockError> {
    let path = BoardLock::path(data_dir, board);
    Ok((path.clone(), open_at(&path)?))
}

fn open_at(path: &Path) -> Result<File, LockError> {
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    opened.map_err(|source| LockError::Io { path: path.to_owned(), source })
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
    fn a_lock_whose_file_was_deleted_is_taken_again_unless_somebody_was_faster() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        let first = BoardLock::take(dir.path(), board).unwrap();
        assert_eq!(first.keep().unwrap(), Kept::AllAlong);
        std::fs::remove_file(BoardLock::path(dir.path(), board)).unwrap();
        assert_eq!(first.keep().unwrap(), Kept::Again);
        assert!(matches!(BoardLock::take(dir.path(), board), Err(LockError::Held)));
        std::fs::remove_file(BoardLock::path(dir.path(), board)).unwrap();
        let second = BoardLock::take(dir.path(), board).unwrap();
        assert!(matches!(first.keep(), Err(LockError::Held)));
        second.keep().unwrap();
    }

    #[tokio::test]
    async fn whoever_waits_for_a_lock_whose_file_was_deleted_waits_for_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        let first = BoardLock::take(dir.path(), board).unwrap();
        let (path, file) = open(dir.path(), board).unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = BoardLock::take(dir.path(), board).unwrap();
        drop(first);
        let waiting = std::thread::spawn(move || wait_for(file, path));
        drop(second);
        waiting.join().unwrap().unwrap().keep().unwrap();
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

    #[tokio::test]
    async fn whoever_waits_for_the_lock_gets_it_when_its_holder_is_gone_and_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        let first = BoardLock::take(dir.path(), board).unwrap();
        let mut waiting = [Queue::new(dir.path(), board), Queue::new(dir.path(), board)];
        let [one, two] = &mut waiting;
        tokio::select! {
            biased;
            _ = one.granted() => panic!("it is held"),
            _ = two.granted() => panic!("it is held"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        let (got, other) = tokio::select! {
            lock = one.granted() => (lock.unwrap(), two),
            lock = two.granted() => (lock.unwrap(), one),
        };
        assert!(matches!(BoardLock::take(dir.path(), board), Err(LockError::Held)));
        drop(got);
        drop(other.granted().await.unwrap());
    }

    #[tokio::test]
    async fn a_lock_that_comes_when_nobody_waits_any_more_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let board = BoardId(uuid::Uuid::from_u128(1));
        let first = BoardLock::take(dir.path(), board).unwrap();
        let mut gone = Queue::new(dir.path(), board);
        tokio::select! {
            biased;
            _ = gone.granted() => panic!("it is held"),
            () = std::future::ready(()) => {}
        }
        drop(gone);
        drop(first);
        drop(Queue::new(dir.path(), board).granted().await.unwrap());
    }
}
