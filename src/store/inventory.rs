//! Everything that the database says is there, of all boards and of one moment: what is found on the disk is held against
//! it. And whether the file itself is sound.

use std::collections::HashMap;

use rusqlite::{Connection, named_params};

use super::boards::{self, EngineRow};
use super::error::Fault;
use super::{runs, tickets};
use crate::domain::board::About;
use crate::domain::id::{JobId, TicketId};
use crate::domain::job::JobStatus;
use crate::domain::run::Run;
use crate::domain::ticket::Ticket;

/// Most complaints about a damaged file that anybody wants to read.
const COMPLAINTS_MAX: u32 = 5;

/// Everything that the database says is there.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Inventory {
    /// The boards, oldest first.
    pub boards: Vec<Shelf>,
    /// Every job.
    pub jobs: HashMap<JobId, JobRow>,
    /// Every run.
    pub runs: Vec<Run>,
}

/// A board with what is on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Shelf {
    /// The board.
    pub about: About,
    /// Its tickets.
    pub tickets: Vec<Ticket>,
    /// How many commands of other processes nobody answered.
    pub pending: u32,
    /// Who last said that it is the engine.
    pub engine: Option<EngineRow>,
}

/// A job, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobRow {
    /// Its ticket.
    pub ticket: TicketId,
    /// How far it is.
    pub status: JobStatus,
}

pub(super) fn take(db: &Connection) -> Result<Inventory, Fault> {
    let mut inventory = Inventory { runs: runs::all(db)?, jobs: jobs(db)?, boards: Vec::new() };
    for about in boards::all(db)? {
        let tickets = tickets::since(db, about.id, 0)?;
        let mut query = db.prepare_cached(
            "SELECT count(*) AS pending FROM commands WHERE board_id = :board AND answered_at IS NULL",
        )?;
        let pending = query.query_row(named_params! { ":board": about.id }, |row| row.get("pending"))?;
        let engine = boards::engine(db, about.id)?;
        inventory.boards.push(Shelf { about, tickets, pending, engine });
    }
    Ok(inventory)
}

fn jobs(db: &Connection) -> Result<HashMap<JobId, JobRow>, Fault> {
    let mut query = db.prepare_cached("SELECT id, ticket_id, status FROM jobs")?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get("id")?, JobRow { ticket: row.get("ticket_id")?, status: row.get("status")? }))
    };
    Ok(query.query_map([], row)?.collect::<Result<_, _>>()?)
}

/// Has SQLite look through the file; returns what it complains about.
pub(super) fn complaints(db: &Connection) -> Result<Vec<String>, Fault> {
    let mut query = db.prepare(&format!("PRAGMA quick_check({COMPLAINTS_MAX})"))?;
    let said: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(said.into_iter().filter(|line| line != "ok").collect())
}
