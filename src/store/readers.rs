//! Readers that are lent and given back. Opening one reads the whole schema, and many that are open at once cost memory
//! that the process never gives back.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::error::StoreError;
use super::reader::Reader;

/// How many there are at most. Answers come from memory mostly, so more would not be faster.
const MOST: usize = 4;

/// The readers of a database, for threads that may wait. None is open before one is needed.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Shelf {
    idle: Vec<Reader>,
    lent: usize,
}

/// A reader that is lent, until this is dropped.
struct Lent<'a> {
    from: &'a Readers,
    reader: Option<Reader>,
}

impl Readers {
    /// Returns the readers of the database at a path.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), shelf: Mutex::default(), returned: Condvar::new() }
    }

    /// Reads with one of them, which is waited for when all are lent: whoever reads must not ask for another meanwhile.
    ///
    /// # Errors
    /// When none can be opened, and what `read` returns.
    pub fn read<T>(&self, read: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut lent = self.lend();
        let reader = match lent.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        read(lent.reader.insert(reader))
    }

    /// Takes a reader, or the right to open one.
    fn lend(&self) -> Lent<'_> {
        let all_lent = |shelf: &mut Shelf| shelf.lent >= MOST;
        let waited = self.returned.wait_while(self.shelf(), all_lent);
        let mut shelf = waited.unwrap_or_else(PoisonError::into_inner);
        shelf.lent += 1;
        Lent { from: self, reader: shelf.idle.pop() }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Nothing panics while it is held.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut shelf = self.from.shelf();
        shelf.lent -= 1;
        shelf.idle.extend(self.reader.take());
        drop(shelf);
        self.from.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::samples::{BOARD, new_ticket, place};
    use super::*;

    #[test]
    fn many_threads_share_few_readers_and_each_sees_what_is_stored() {
        let place = place();
        let writer = place.board();
        let readers = Readers::of(&place.path);
        let tickets = || readers.read(|reader| reader.board(BOARD)).unwrap().unwrap().0.len();
        assert_eq!(tickets(), 0);
        writer.commit_blocking(vec![new_ticket(1)]).unwrap();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..32).map(|_| scope.spawn(tickets)).collect();
            assert!(all.into_iter().all(|one| one.join().unwrap() == 1));
        });
        let shelf = readers.shelf();
        assert!(shelf.lent == 0 && (1..=MOST).contains(&shelf.idle.len()));
    }

    #[test]
    fn a_reader_comes_back_from_a_failure_and_from_a_panic() {
        let place = place();
        let readers = Readers::of(&place.path);
        for _ in 0..=MOST {
            assert!(readers.read(|reader| reader.boards()).is_err(), "there is no database yet");
        }
        let _writer = place.board();
        for _ in 0..=MOST {
            let panicked =
                AssertUnwindSafe(|| readers.read(|_| -> Result<(), StoreError> { panic!("while it reads") }));
            assert!(catch_unwind(panicked).is_err());
        }
        assert_eq!(readers.read(|reader| reader.boards()).unwrap().len(), 1);
    }
}
