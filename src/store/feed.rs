//! Tells that something was written to the database, by this process or another.
//!
//! The system says when the write-ahead file changes; that is a hint only, since it comes before the commit is whole. What
//! counts is SQLite's `data_version`, which costs two microseconds. After a hint it is looked at often within half a second
//! and a few times later, for disks that take long. Without a hint it is looked at seldom, since each look wakes the
//! process; on file systems that give no hints, which shows when such a look finds something, every two seconds.
//!
//! Hints that nobody has read yet are one to the system. They are left unread for the few milliseconds until the next
//! look, so a process that writes without a pause is not woken by each of its own writes.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::{Errno, read, retry_on_intr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{sleep, timeout};

use super::error::StoreError;
use super::migrate::beside;
use super::reader::Reader;

/// How long after a hint to look, and again, in milliseconds: the hint comes at the first byte, the commit after the fsync.
const AFTER_HINT: [u64; 15] = [4, 8, 16, 32, 64, 64, 64, 64, 64, 64, 64, 250, 500, 1000, 2000];
/// How long to wait without a hint, where hints come.
const CALM: Duration = Duration::from_secs(10);
/// How long to wait where they do not.
const BLIND: Duration = Duration::from_secs(2);

/// Waits for writes to a database. One task owns it.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    seen: i64,
    /// Nothing where the system has no watch left, and then the slow look is all there is.
    hints: Option<Hints>,
    /// Whether hints came for all that was written, as far as is known.
    hints_come: bool,
    /// How many looks are left after the newest hint.
    looks: usize,
}

/// Why it is time to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Why {
    /// There was a hint, now or a moment ago.
    Hinted,
    /// Nothing hinted at anything for a long time.
    Late,
}

impl Feed {
    /// Starts to watch. Writes from now on are told, and none before. There must be a runtime.
    ///
    /// # Errors
    /// When the database cannot be opened to read.
    pub fn new(path: &Path) -> Result<Self, StoreError> {
        let reader = Reader::open(path)?;
        let hints = match Hints::of(path) {
            Ok(hints) => Some(hints),
            Err(error) => {
                tracing::warn!(%error, "no watch on the database; its changes are seen up to two seconds late");
                None
            }
        };
        let seen = reader.data_version()?;
        Ok(Self { reader, seen, hints, hints_come: true, looks: 0 })
    }

    /// Returns what the feed reads with. A reader sees all that was written before it was asked.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Returns once something was written since the last time. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the database cannot be read any more.
    pub async fn changed(&mut self) -> Result<(), StoreError> {
        let mut why = Why::Hinted;
        loop {
            let version = self.reader.data_version()?;
            if version != self.seen {
                self.seen = version;
                self.hints_come &= why != Why::Late;
                return Ok(());
            }
            why = self.wait().await;
        }
    }

    /// Waits until it is time to look.
    async fn wait(&mut self) -> Why {
        let pause = match AFTER_HINT.len().checked_sub(self.looks) {
            Some(done) if self.looks > 0 => Duration::from_millis(AFTER_HINT[done]),
            _ if self.hints_come && self.hints.is_some() => CALM,
            _ => BLIND,
        };
        let hinted = async {
            match &self.hints {
                Some(hints) => hints.come().await,
                None => std::future::pending().await,
            }
        };
        match timeout(pause, hinted).await {
            Ok(()) => {
                sleep(Duration::from_millis(AFTER_HINT[0])).await;
                // Read before the look, so that whatever is written after it is a new hint.
                self.hints.as_ref().inspect(|hints| hints.read());
                self.hints_come = true;
                self.looks = AFTER_HINT.len() - 1;
                Why::Hinted
            }
            Err(_) if self.looks == 0 => {
                self.hints.as_ref().into_iter().for_each(Hints::renew);
                Why::Late
            }
            Err(_) => {
                self.looks -= 1;
                Why::Hinted
            }
        }
    }
}

/// The system's watch on the write-ahead file.
#[derive(Debug)]
struct Hints {
    inotify: AsyncFd<OwnedFd>,
    wal: PathBuf,
}

impl Hints {
    #[expect(deprecated, reason = "the other way is unsafe, which an owned descriptor does not need")]
    fn of(database: &Path) -> std::io::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let wal = beside(database, "-wal");
        inotify::add_watch(&inotify, &wal, WatchFlags::MODIFY)?;
        Ok(Self { inotify: AsyncFd::with_interest(inotify, Interest::READABLE)?, wal })
    }

    /// Waits for a hint, without reading it.
    async fn come(&self) {
        if self.inotify.readable().await.is_err() {
            // The runtime ends.
            std::future::pending().await
        }
    }

    /// Reads all hints.
    fn read(&self) {
        let mut buffer = [0; 4096];
        let more =
            || self.inotify.try_io(Interest::READABLE, |inotify| Ok(retry_on_intr(|| read(inotify, &mut buffer[..]))?));
        std::iter::repeat_with(more).take_while(Result::is_ok).for_each(drop);
    }

    /// Watches the file that has the name now, should it be another one than before.
    fn renew(&self) {
        match inotify::add_watch(self.inotify.get_ref(), &self.wal, WatchFlags::MODIFY) {
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => tracing::warn!(%error, "no watch on the database; its changes are seen late"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ask;
    use super::super::samples::{BOARD, at, new_ticket, place, ticket};
    use super::*;
    use crate::domain::command::{AgentChoice, Command, Request};
    use crate::domain::event::Actor;
    use crate::domain::id::TicketRef;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn request() -> Request {
        Request {
            actor: Actor::human(),
            command: Command::Run { ticket: TicketRef::Id(ticket(1).id), choice: AgentChoice::default() },
        }
    }

    #[tokio::test]
    async fn a_command_of_another_process_is_seen_and_once_only() {
        let place = place();
        let writer = tokio::task::spawn_blocking(move || (place.board(), place)).await.unwrap();
        let (writer, place) = writer;
        let mut feed = Feed::new(&place.path).unwrap();
        let id = ask(&place.path, BOARD, &request(), at(1)).unwrap();
        timeout(DEADLINE, feed.changed()).await.unwrap().unwrap();
        assert_eq!(place.reader().pending_commands(BOARD).unwrap()[0].id, id);

        tokio::time::pause();
        assert!(timeout(DEADLINE, feed.changed()).await.is_err(), "nothing more was written");
        tokio::time::resume();

        writer.commit(vec![new_ticket(1)]).await.unwrap();
        timeout(DEADLINE, feed.changed()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn the_last_of_many_writes_is_seen_too() {
        let place = place();
        let (writer, place) = tokio::task::spawn_blocking(move || (place.board(), place)).await.unwrap();
        let mut feed = Feed::new(&place.path).unwrap();
        let writing = tokio::spawn(async move {
            for n in 1..=100 {
                writer.commit(vec![new_ticket(n)]).await.unwrap();
            }
        });
        let mut tickets = 0;
        while tickets < 100 {
            timeout(DEADLINE, feed.changed()).await.unwrap().unwrap();
            tickets = feed.reader().board(BOARD).unwrap().unwrap().0.len();
        }
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn where_hints_do_not_come_it_is_looked_at_more_often_after_the_first_write_without_one() {
        let place = place();
        let (_writer, place) = tokio::task::spawn_blocking(move || (place.board(), place)).await.unwrap();
        let other = place.path.with_file_name("other.db");
        std::fs::write(beside(&other, "-wal"), "").unwrap();
        let mut feed = Feed::new(&place.path).unwrap();
        feed.hints = Some(Hints::of(&other).unwrap());
        for pause in [CALM, BLIND, BLIND] {
            ask(&place.path, BOARD, &request(), at(1)).unwrap();
            // What was written before it begins to wait is seen at once.
            feed.seen = feed.reader.data_version().unwrap() - 1;
            feed.changed().await.unwrap();
            tokio::time::pause();
            let (begin, path) = (tokio::time::Instant::now(), place.path.clone());
            let write = async {
                sleep(Duration::from_millis(500)).await;
                ask(&path, BOARD, &request(), at(1)).unwrap();
            };
            tokio::join!(async { feed.changed().await.unwrap() }, write);
            tokio::time::resume();
            let took = begin.elapsed();
            assert!(took >= pause && took < pause + BLIND, "{took:?} of {pause:?}");
        }
    }

    #[tokio::test]
    async fn without_a_watch_a_write_is_seen_by_the_slow_look() {
        let place = place();
        let (_writer, place) = tokio::task::spawn_blocking(move || (place.board(), place)).await.unwrap();
        let mut feed = Feed::new(&place.path).unwrap();
        feed.hints = None;
        ask(&place.path, BOARD, &request(), at(1)).unwrap();
        tokio::time::pause();
        timeout(DEADLINE, feed.changed()).await.unwrap().unwrap();
    }
}
