//! Tells that something was written to the database, by this process or another.
//!
//! The system says when the write-ahead file changes; that is a hint only, since it comes before the commit is whole and
//! also for our own opens. What counts is SQLite's `data_version`, which costs two microseconds. After a hint it is
//! looked at a few times within half a second, and without hints every two seconds, for file systems that give none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::error::StoreError;
use super::migrate::beside;
use super::reader::Reader;

/// How long after a hint to look again, in milliseconds: the hint comes at the first byte, the commit after the fsync.
const AFTER_HINT: [u64; 5] = [2, 8, 32, 128, 512];
/// How long to wait without a hint.
const IDLE: Duration = Duration::from_secs(2);

/// Waits for writes to a database. One task owns it.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    seen: i64,
    hint: Arc<Notify>,
    /// How many looks are left after the newest hint.
    looks: usize,
    /// Watches as long as it lives; nothing where the system has no watch left, and then the slow look is all there is.
    _watcher: Option<RecommendedWatcher>,
}

impl Feed {
    /// Starts to watch. Writes from now on are told, and none before.
    ///
    /// # Errors
    /// When the database cannot be opened to read.
    pub fn new(path: &Path) -> Result<Self, StoreError> {
        let reader = Reader::open(path)?;
        let hint = Arc::new(Notify::new());
        let watcher = match watch(path, Arc::clone(&hint)) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(%error, "no watch on the database; its changes are seen up to two seconds late");
                None
            }
        };
        let seen = reader.data_version()?;
        Ok(Self { reader, seen, hint, looks: 0, _watcher: watcher })
    }

    /// Returns once something was written since the last time. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the database cannot be read any more.
    pub async fn changed(&mut self) -> Result<(), StoreError> {
        loop {
            let version = self.reader.data_version()?;
            if version != self.seen {
                self.seen = version;
                return Ok(());
            }
            self.wait().await;
        }
    }

    async fn wait(&mut self) {
        let pause = match AFTER_HINT.len().checked_sub(self.looks) {
            Some(done) if self.looks > 0 => Duration::from_millis(AFTER_HINT[done]),
            _ => IDLE,
        };
        match timeout(pause, self.hint.notified()).await {
            Ok(()) => self.looks = AFTER_HINT.len(),
            Err(_) => self.looks = self.looks.saturating_sub(1),
        }
    }
}

fn watch(path: &Path, hint: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let name = beside(path, "-wal").file_name().map(PathBuf::from).unwrap_or_default();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error, such as a lost event, is a reason to look too.
        let ours = event.map_or(true, |event| {
            (event.kind.is_modify() || event.kind.is_create())
                && event.paths.iter().any(|path| path.file_name() == Some(name.as_os_str()))
        });
        if ours {
            hint.notify_one();
        }
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    use super::super::ask;
    use super::super::samples::{BOARD, at, new_ticket, place, ticket};
    use super::*;
    use crate::domain::command::{Command, Request};
    use crate::domain::event::Actor;
    use crate::domain::id::TicketRef;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn request() -> Request {
        Request { actor: Actor::human(), command: Command::Run { ticket: TicketRef::Id(ticket(1).id) } }
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
    async fn without_a_watch_a_write_is_seen_by_the_slow_look() {
        let place = place();
        let (_writer, place) = tokio::task::spawn_blocking(move || (place.board(), place)).await.unwrap();
        let mut feed = Feed::new(&place.path).unwrap();
        feed._watcher = None;
        ask(&place.path, BOARD, &request(), at(1)).unwrap();
        tokio::time::pause();
        timeout(DEADLINE, feed.changed()).await.unwrap().unwrap();
    }
}
