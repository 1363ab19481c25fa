//! Carries out one call to the writer inside its transaction, and says what became true.

use std::path::PathBuf;

use rusqlite::Connection;

use super::error::Fault;
use super::{boards, commands, events, evidence, goals, jobs, remarks, reviews, revisions, runs, tickets};
use crate::domain::board::About;
use crate::domain::change::{Change, Save};
use crate::domain::command::Refused;
use crate::domain::id::BoardId;
use crate::domain::time::Timestamp;

/// One thing that the writer does, all of it or nothing.
#[derive(Clone, PartialEq, Debug)]
pub enum Write {
    /// Saves these.
    Saves(Vec<Save>),
    /// Saves these, and tells other processes that their commands were carried out.
    SavesAnswering {
        /// What to save.
        saves: Vec<Save>,
        /// The commands.
        commands: Vec<i64>,
        /// When.
        at: Timestamp,
    },
    /// Makes a board. A repository has one; a second is a conflict.
    Board(About),
    /// Remembers that the user trusts this text of the repository's configuration, and no other.
    Trust {
        /// The repository.
        repo_root: PathBuf,
        /// The configuration's text.
        content: String,
        /// When.
        at: Timestamp,
    },
    /// Forgets what was trusted of the repository.
    Revoke {
        /// The repository.
        repo_root: PathBuf,
    },
    /// Answers another process's command. Only the first answer counts.
    Answer {
        /// The command.
        id: i64,
        /// The answer.
        answer: Result<(), Refused>,
        /// When.
        at: Timestamp,
    },
    /// Takes a board out, or puts it back.
    BoardRemoved {
        /// The board.
        board: BoardId,
        /// When it was taken out; nothing puts it back.
        at: Option<Timestamp>,
    },
    /// Says which process is the board's engine.
    Engine {
        /// The board.
        board: BoardId,
        /// The process.
        pid: u32,
        /// Since when.
        at: Timestamp,
    },
}

pub(super) fn carry_out(db: &Connection, write: &Write) -> Result<Vec<Change>, Fault> {
    match write {
        Write::Saves(saves) => return save_all(db, saves),
        Write::SavesAnswering { saves, commands, at } => {
            commands.iter().try_for_each(|id| commands::answer(db, *id, &Ok(()), *at))?;
            return save_all(db, saves);
        }
        Write::Board(about) => boards::insert(db, about)?,
        Write::Trust { repo_root, content, at } => boards::trust(db, repo_root, content, *at)?,
        Write::Revoke { repo_root } => boards::revoke(db, repo_root)?,
        Write::Answer { id, answer, at } => commands::answer(db, *id, answer, *at)?,
        Write::BoardRemoved { board, at } => boards::set_removed(db, *board, *at)?,
        Write::Engine { board, pid, at } => boards::say_engine(db, *board, *pid, *at)?,
    }
    Ok(Vec::new())
}

fn save_all(db: &Connection, saves: &[Save]) -> Result<Vec<Change>, Fault> {
    if saves.is_empty() {
        return Ok(Vec::new());
    }
    let changed = next_change(db)?;
    let mut changes = Vec::with_capacity(saves.len());
    for save in saves {
        save_one(db, save, changed, &mut changes)?;
    }
    Ok(changes)
}

fn save_one(db: &Connection, save: &Save, changed: i64, changes: &mut Vec<Change>) -> Result<(), Fault> {
    let change = match save {
        Save::Goal(goal) => {
            goals::save(db, goal, changed)?;
            Change::Goal(goal.clone())
        }
        Save::NewTicket { ticket, description } => {
            tickets::insert(db, ticket, description, changed)?;
            Change::Ticket(ticket.clone())
        }
        Save::Ticket { ticket, was } => {
            tickets::update(db, ticket, *was, changed)?;
            Change::Ticket(ticket.clone())
        }
        Save::Description { ticket, text } => {
            tickets::describe(db, *ticket, text)?;
            return Ok(());
        }
        Save::Job { job, was } => {
            jobs::save(db, job, *was, changed)?;
            Change::Job(job.clone())
        }
        Save::Run(run) => {
            runs::save(db, run, changed)?;
            Change::Run(run.clone())
        }
        Save::Evidence(evidence) => Change::Evidence(evidence::save(db, evidence, changed)?),
        Save::Revision(revision) => {
            changes.extend(revisions::save(db, revision, changed)?.into_iter().map(Change::Revision));
            return Ok(());
        }
        Save::Ticks(revision) => Change::Revision(revisions::tick(db, revision, changed)?),
        Save::Comment(comment) => {
            reviews::save_comment(db, comment, changed)?;
            Change::Comment(comment.clone())
        }
        Save::Review(review) => {
            reviews::save_review(db, review, changed)?;
            Change::Review(review.clone())
        }
        Save::Remarks(remarks) => {
            remarks::save(db, remarks)?;
            return Ok(());
        }
        Save::Event(event) => Change::Event(events::append(db, event, changed)?),
        Save::Autopilot(board, mode) => {
            boards::set_autopilot(db, *board, *mode, changed)?;
            Change::Autopilot(*mode)
        }
    };
    changes.push(change);
    Ok(())
}

fn next_change(db: &Connection) -> Result<i64, Fault> {
    // `RETURNING` would make a table for the answer, which costs more than to ask.
    db.prepare_cached("UPDATE counter SET changed = changed + 1 WHERE only_row = 1")?.execute([])?;
    newest_change(db)
}

/// Returns the number of the newest change.
pub(super) fn newest_change(db: &Connection) -> Result<i64, Fault> {
    let mut query = db.prepare_cached("SELECT changed FROM counter WHERE only_row = 1")?;
    Ok(query.query_row([], |row| row.get(0))?)
}
