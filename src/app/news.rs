//! What becomes true on a board, from this process's engine or through the database.

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::engine::{EngineError, Handle, Snapshot, Workshop};
use crate::store::{Feed, Reader};

use super::error::AppError;

/// What became true.
#[derive(Debug)]
pub enum News {
    /// These things.
    Changed(Vec<Change>),
    /// So much that the whole board was loaded again.
    Reloaded(Box<Board>),
}

/// Waits for news.
#[derive(Debug)]
pub struct Watcher(Source);

#[derive(Debug)]
enum Source {
    Own { handle: Handle, changes: broadcast::Receiver<Arc<[Change]>> },
    Others(Box<Others>),
}

#[derive(Debug)]
struct Others {
    workshop: Arc<Workshop>,
    reader: Reader,
    feed: Feed,
    /// Everything up to this change is known.
    seen: u64,
}

impl Watcher {
    /// Watches this process's own engine.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn of_own(handle: Handle) -> Result<(Board, Self), AppError> {
        let Snapshot { board, changes } = handle.snapshot().await?;
        Ok((board, Self(Source::Own { handle, changes })))
    }

    /// Watches what another process's engine writes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of_others(workshop: Arc<Workshop>) -> Result<(Board, Self), AppError> {
        // The feed first: a write between the two is then told, not missed.
        let feed = Feed::new(&workshop.paths.database())?;
        let reader = Reader::open(&workshop.paths.database())?;
        let (board, seen) = load(&reader, &workshop)?;
        Ok((board, Self(Source::Others(Box::new(Others { workshop, reader, feed, seen })))))
    }

    /// Waits for the next news. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the engine has stopped or the database cannot be read any more.
    pub async fn next(&mut self) -> Result<News, AppError> {
        match &mut self.0 {
            Source::Own { handle, changes } => match changes.recv().await {
                Ok(batch) => Ok(News::Changed(batch.to_vec())),
                // An engine that is still there went back to what is stored.
                Err(RecvError::Lagged(_) | RecvError::Closed) => {
                    let snapshot = handle.snapshot().await?;
                    *changes = snapshot.changes;
                    Ok(News::Reloaded(Box::new(snapshot.board)))
                }
            },
            Source::Others(others) => others.next().await,
        }
    }

    /// Returns what another process's engine wrote and was not told yet. Who takes its place asks for this after it has
    /// begun to watch itself: nothing is missed then, and some things are told twice.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rest(&mut self) -> Result<News, AppError> {
        match &mut self.0 {
            Source::Own { .. } => Ok(News::Changed(Vec::new())),
            Source::Others(others) => others.look(),
        }
    }
}

impl Others {
    async fn next(&mut self) -> Result<News, AppError> {
        loop {
            self.feed.changed().await?;
            match self.look()? {
                News::Changed(changes) if changes.is_empty() => {}
                news => return Ok(news),
            }
        }
    }

    /// Returns what was written since the last time.
    fn look(&mut self) -> Result<News, AppError> {
        let (now, changes) = self.reader.changes_since(self.workshop.about.id, self.seen)?;
        if now < self.seen {
            // The database was replaced by another one.
            let (board, seen) = load(&self.reader, &self.workshop)?;
            self.seen = seen;
            return Ok(News::Reloaded(Box::new(board)));
        }
        self.seen = now;
        Ok(News::Changed(changes))
    }
}

fn load(reader: &Reader, workshop: &Workshop) -> Result<(Board, u64), AppError> {
    let loaded = reader.board(workshop.about.id)?;
    Ok(loaded.ok_or_else(|| EngineError::NoBoard(workshop.about.name.clone()))?)
}
