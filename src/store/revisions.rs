//! The table of revisions. A ticket has at most one open one, and a job makes at most one.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::error::{Fault, taken};
use super::rows::{Columns, Json, last_of_each};
use crate::domain::checklist::Tick;
use crate::domain::id::{BoardId, TicketId};
use crate::domain::revision::{ChangeSize, Revision, RevisionStatus};

macro_rules! columns {
    () => {
        "revisions.ticket_id, revisions.number, revisions.job_id, revisions.status, revisions.base, revisions.tree, \
         revisions.head, revisions.files, revisions.insertions, revisions.deletions, revisions.at, revisions.ticks"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Revision> {
    let mut columns = Columns::of(row);
    Ok(Revision {
        ticket: columns.next()?,
        number: columns.next()?,
        job: columns.next()?,
        status: columns.next()?,
        base: columns.next()?,
        tree: columns.next()?,
        head: columns.next()?,
        size: ChangeSize { files: columns.next()?, insertions: columns.next()?, deletions: columns.next()? },
        at: columns.next()?,
        ticks: columns.next::<Option<Json<_>>>()?.map(|ticks| ticks.0).unwrap_or_default(),
    })
}

/// Stores a revision and returns what became of it and of others, the new one last.
///
/// A job makes one revision: saving it again changes nothing but its status, and that never back to open, so that a
/// repeated save undoes neither a review nor a tick. A new revision supersedes the open one of its ticket.
pub(super) fn save(db: &Connection, revision: &Revision, changed: i64) -> Result<Vec<Revision>, Fault> {
    if let Some(stored) = of_job(db, revision)? {
        return review(db, stored, revision.status, changed).map(|revision| vec![revision]);
    }
    let mut saved = supersede(db, revision.ticket, changed)?;
    db.prepare_cached(
        "INSERT INTO revisions (
             ticket_id, number, job_id, status, base, tree, head, files, insertions, deletions, at, ticks, changed
         ) VALUES (
             :ticket, :number, :job, :status, :base, :tree, :head, :files, :insertions, :deletions, :at, :ticks, :changed
         )",
    )?
    .execute(named_params! {
        ":ticket": revision.ticket,
        ":number": revision.number,
        ":job": revision.job,
        ":status": revision.status,
        ":base": revision.base,
        ":tree": revision.tree,
        ":head": revision.head,
        ":files": revision.size.files,
        ":insertions": revision.size.insertions,
        ":deletions": revision.size.deletions,
        ":at": revision.at,
        ":ticks": ticks(revision),
        ":changed": changed,
    })
    .map_err(taken(|| format!("revision {} of ticket {}", revision.number, revision.ticket)))?;
    saved.push(revision.clone());
    Ok(saved)
}

/// Stores which boxes of a revision are ticked; returns it as it is stored now.
pub(super) fn tick(db: &Connection, revision: &Revision, changed: i64) -> Result<Revision, Fault> {
    let mut update = db.prepare_cached(
        "UPDATE revisions SET ticks = :ticks, changed = :changed WHERE ticket_id = :ticket AND number = :number
         RETURNING ticket_id, number, job_id, status, base, tree, head, files, insertions, deletions, at, ticks",
    )?;
    let place = named_params! {
        ":ticket": revision.ticket, ":number": revision.number, ":ticks": ticks(revision), ":changed": changed,
    };
    Ok(update.query_row(place, read)?)
}

fn ticks(revision: &Revision) -> Option<Json<&[Tick]>> {
    (!revision.ticks.is_empty()).then_some(Json(&revision.ticks))
}

fn of_job(db: &Connection, revision: &Revision) -> Result<Option<Revision>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM revisions WHERE ticket_id = :ticket AND job_id = :job"
    ))?;
    Ok(query.query_row(named_params! { ":ticket": revision.ticket, ":job": revision.job }, read).optional()?)
}

fn review(db: &Connection, stored: Revision, status: RevisionStatus, changed: i64) -> Result<Revision, Fault> {
    if status == stored.status || status == RevisionStatus::Open {
        return Ok(stored);
    }
    db.prepare_cached(
        "UPDATE revisions SET status = :status, changed = :changed WHERE ticket_id = :ticket AND number = :number",
    )?
    .execute(named_params! {
        ":ticket": stored.ticket,
        ":number": stored.number,
        ":status": status,
        ":changed": changed,
    })?;
    Ok(Revision { status, ..stored })
}

fn supersede(db: &Connection, ticket: TicketId, changed: i64) -> Result<Vec<Revision>, Fault> {
    let mut update = db.prepare_cached(
        "UPDATE revisions SET status = 'superseded', changed = :changed WHERE ticket_id = :ticket AND status = 'open'
         RETURNING ticket_id, number, job_id, status, base, tree, head, files, insertions, deletions, at, ticks",
    )?;
    let superseded = update.query_map(named_params! { ":ticket": ticket, ":changed": changed }, read)?;
    Ok(superseded.collect::<Result<_, _>>()?)
}

/// Returns the newest revision of each ticket that is wanted.
pub(super) fn newest(db: &Connection, is_wanted: impl Fn(TicketId) -> bool) -> Result<Vec<Revision>, Fault> {
    let index = "SELECT ticket_id, rowid FROM revisions ORDER BY ticket_id, number";
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM revisions WHERE rowid = ?1"))?;
    let newest = last_of_each(db, index, is_wanted)?;
    Ok(newest.into_iter().map(|row| query.query_row([row], read)).collect::<Result<_, _>>()?)
}

/// Returns the newest revision of a ticket.
pub(super) fn newest_of(db: &Connection, ticket: TicketId) -> Result<Option<Revision>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM revisions WHERE ticket_id = :ticket ORDER BY number DESC LIMIT 1"
    ))?;
    Ok(query.query_row(named_params! { ":ticket": ticket }, read).optional()?)
}

/// Returns the board's revisions that changed after `since`.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Revision>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM revisions INDEXED BY revisions_by_change CROSS JOIN tickets ON tickets.id = revisions.ticket_id
          WHERE revisions.changed > :since AND tickets.board_id = :board
          ORDER BY revisions.changed, revisions.ticket_id, revisions.number"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}

/// Returns a ticket's revisions, oldest first.
pub(super) fn of_ticket(db: &Connection, ticket: TicketId) -> Result<Vec<Revision>, Fault> {
    let mut query =
        db.prepare_cached(concat!("SELECT ", columns!(), " FROM revisions WHERE ticket_id = :ticket ORDER BY number"))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read)?.collect::<Result<_, _>>()?)
}
