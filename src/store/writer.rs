//! The one connection that writes. Calls that wait share one commit, and nobody hears of a change before it is durable.
//!
//! A task that finds the connection free commits on the thread where it runs: handing the work to another thread and the
//! answer back would take as long as the disk. Whoever finds it taken leaves the call to the writer's own thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::block_in_place;

use super::error::{Fault, StoreError};
use super::open::{self, Limits};
use super::save::{self, Write};
use crate::domain::board::About;
use crate::domain::change::{Change, Save};
use crate::domain::command::Refused;
use crate::domain::id::BoardId;
use crate::domain::time::Timestamp;

/// How many calls may wait, and so how many share a commit at most.
const WAITING_MAX: usize = 64;

type Answer = Result<Vec<Change>, StoreError>;

struct Call {
    write: Write,
    reply: oneshot::Sender<Answer>,
}

/// Writes to the database. There is one in a process, and dropping it waits until everything is written.
///
/// A call is carried out even when the future that waits for it is dropped. The blocking forms must not be called where
/// async code runs.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    db: Arc<Mutex<Connection>>,
    /// Nothing only while it is dropped.
    calls: Option<mpsc::Sender<Call>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the database to write, makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    /// When it cannot be opened, is not Draft's, newer, damaged, locked or read-only, or a migration failed.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let db = Arc::new(Mutex::new(open::to_write(path, limits)?));
        let (calls, inbox) = mpsc::channel(WAITING_MAX);
        let (shared, owned) = (Arc::clone(&db), path.to_owned());
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(&shared, &owned, inbox))
            .map_err(|error| StoreError::CannotOpen { path: path.to_owned(), why: error.to_string() })?;
        Ok(Self { path: path.to_owned(), db, calls: Some(calls), thread: Some(thread) })
    }

    /// Returns the path of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves all of this or nothing, and returns what became true once it is durable.
    ///
    /// # Errors
    /// `Conflict` when a row is not as the caller thought; others when the database cannot take it. Nothing of the call
    /// is stored then.
    pub async fn commit(&self, saves: Vec<Save>) -> Answer {
        self.write(Write::Saves(saves)).await
    }

    /// Saves all of this and answers these commands of other processes, or nothing.
    ///
    /// # Errors
    /// As with `commit`.
    pub async fn commit_answering(&self, saves: Vec<Save>, commands: Vec<i64>, at: Timestamp) -> Answer {
        if commands.is_empty() {
            return self.commit(saves).await;
        }
        self.write(Write::SavesAnswering { saves, commands, at }).await
    }

    /// Like [`commit`](Self::commit), for threads that may block.
    ///
    /// # Errors
    /// As with `commit`.
    pub fn commit_blocking(&self, saves: Vec<Save>) -> Answer {
        self.write_blocking(Write::Saves(saves))
    }

    /// Makes a board.
    ///
    /// # Errors
    /// `Conflict` when the repository has one already.
    pub async fn create_board(&self, about: About) -> Result<(), StoreError> {
        self.write(Write::Board(about)).await.map(drop)
    }

    /// Remembers that the user trusts this text of the repository's configuration.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn trust(&self, repo_root: &Path, content: &str, at: Timestamp) -> Result<(), StoreError> {
        let (repo_root, content) = (repo_root.to_owned(), content.to_owned());
        self.write(Write::Trust { repo_root, content, at }).await.map(drop)
    }

    /// Forgets what was trusted of the repository.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn revoke(&self, repo_root: &Path) -> Result<(), StoreError> {
        self.write(Write::Revoke { repo_root: repo_root.to_owned() }).await.map(drop)
    }

    /// Answers another process's command.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn answer_command(&self, id: i64, answer: Result<(), Refused>, at: Timestamp) -> Result<(), StoreError> {
        self.write(Write::Answer { id, answer, at }).await.map(drop)
    }

    /// Says which process is the board's engine.
    ///
    /// # Errors
    /// When the database cannot take it.
    pub async fn say_engine(&self, board: BoardId, pid: u32, at: Timestamp) -> Result<(), StoreError> {
        self.write(Write::Engine { board, pid, at }).await.map(drop)
    }

    /// Does one thing, all of it or nothing.
    ///
    /// # Errors
    /// As with `commit`.
    pub async fn write(&self, write: Write) -> Answer {
        if let Some(answer) = self.write_here(&write) {
            return answer;
        }
        let (reply, answer) = oneshot::channel();
        let calls = self.calls.as_ref().ok_or_else(|| self.closed())?;
        calls.send(Call { write, reply }).await.map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    /// Does one thing, for threads that may block.
    ///
    /// # Errors
    /// As with `commit`.
    pub fn write_blocking(&self, write: Write) -> Answer {
        let (reply, answer) = oneshot::channel();
        let calls = self.calls.as_ref().ok_or_else(|| self.closed())?;
        calls.blocking_send(Call { write, reply }).map_err(|_| self.closed())?;
        answer.blocking_recv().map_err(|_| self.closed())?
    }

    /// Writes on this thread, if it may block and nobody else writes right now.
    fn write_here(&self, write: &Write) -> Option<Answer> {
        let may_block = Handle::try_current().is_ok_and(|run| run.runtime_flavor() == RuntimeFlavor::MultiThread);
        if !may_block {
            return None;
        }
        match self.db.try_lock() {
            Ok(mut db) => block_in_place(|| settle(&mut db, &self.path, std::slice::from_ref(write)).pop()),
            Err(TryLockError::WouldBlock) => None,
            // Whoever wrote last panicked.
            Err(TryLockError::Poisoned(_)) => Some(Err(self.closed())),
        }
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { path: self.path.clone() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was printed by the hook already; its callers were told that the writer has ended.
            let _ = thread.join();
        }
    }
}

fn serve(db: &Mutex<Connection>, path: &Path, mut inbox: mpsc::Receiver<Call>) {
    let mut calls = Vec::with_capacity(WAITING_MAX);
    while inbox.blocking_recv_many(&mut calls, WAITING_MAX) > 0 {
        let (writes, replies): (Vec<_>, Vec<_>) = calls.drain(..).map(|call| (call.write, call.reply)).unzip();
        // A panic of whoever wrote last ends the writer.
        let Ok(mut db) = db.lock() else { return };
        let answers = settle(&mut db, path, &writes);
        drop(db);
        for (reply, answer) in replies.into_iter().zip(answers) {
            // Who does not wait any more does not need the answer; what was written stays written.
            let _ = reply.send(answer);
        }
    }
}

/// Carries out calls that waited together, and returns an answer for each.
pub(super) fn settle(db: &mut Connection, path: &Path, writes: &[Write]) -> Vec<Answer> {
    match together(db, path, writes) {
        Ok(answers) => answers,
        Err(Together::NotBegun(error)) => writes.iter().map(|_| Err(error.clone())).collect(),
        Err(Together::Lost(error)) if writes.len() == 1 => vec![Err(error)],
        // Something ended the shared transaction: a full disk, or a reference that is checked only at the commit. Each
        // call gets a transaction of its own, so that only those fail whose fault it is.
        Err(Together::Lost(_)) => {
            writes.iter().flat_map(|write| settle(db, path, std::slice::from_ref(write))).collect()
        }
    }
}

/// Why a shared transaction came to nothing.
enum Together {
    /// It could not begin, so no call was tried.
    NotBegun(StoreError),
    /// It was rolled back.
    Lost(StoreError),
}

fn together(db: &mut Connection, path: &Path, writes: &[Write]) -> Result<Vec<Answer>, Together> {
    let not_begun = |error| Together::NotBegun(Fault::Sqlite(error).at(path));
    let lost = |error| Together::Lost(Fault::Sqlite(error).at(path));
    let mut tx = Transaction::new(db, TransactionBehavior::Immediate).map_err(not_begun)?;
    if let [write] = writes {
        let changes = save::carry_out(&tx, write).map_err(|fault| Together::Lost(fault.at(path)))?;
        tx.commit().map_err(lost)?;
        return Ok(vec![Ok(changes)]);
    }
    let mut answers = Vec::with_capacity(writes.len());
    for write in writes {
        let mut point = tx.savepoint().map_err(lost)?;
        let answer = save::carry_out(&point, write).map_err(|fault| fault.at(path));
        match answer {
            Ok(_) => point.commit().map_err(lost)?,
            // Errors such as a full disk may end the whole transaction, and with it the calls before this one.
            Err(error) if point.is_autocommit() => return Err(Together::Lost(error)),
            Err(_) => {
                point.rollback().map_err(lost)?;
                point.commit().map_err(lost)?;
            }
        }
        answers.push(answer);
    }
    tx.commit().map_err(lost)?;
    Ok(answers)
}
