//! The table of evidence. Each run gives at most one piece.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::error::{Fault, taken};
use super::rows::{Columns, Count, EndColumns, broken};
use crate::domain::evidence::Evidence;
use crate::domain::id::{BoardId, TicketId};
use crate::domain::run::{RunEnd, RunId};

macro_rules! columns {
    () => {
        "evidence.id, evidence.ticket_id, evidence.job_id, evidence.run_n, evidence.folder, evidence.kind, \
         evidence.command, evidence.end_how, evidence.end_code, evidence.end_signal, evidence.end_error, \
         evidence.duration_ms, evidence.tree, evidence.surroundings, evidence.at"
    };
}

/// Evidence has no end.
#[derive(Debug, thiserror::Error)]
#[error("evidence does not say how its run ended")]
struct NoEnd;

fn read(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    let mut columns = Columns::of(row);
    Ok(Evidence {
        id: columns.next()?,
        ticket: columns.next()?,
        run: RunId { job: columns.next()?, n: columns.next()? },
        folder: columns.next()?,
        kind: columns.next()?,
        command: columns.next()?,
        end: read_end(&mut columns)?,
        duration_ms: columns.next::<Count>()?.0,
        tree: columns.next()?,
        surroundings: columns.next()?,
        at: columns.next()?,
    })
}

fn read_end(columns: &mut Columns<'_, '_>) -> rusqlite::Result<RunEnd> {
    columns.end()?.ok_or_else(|| broken(0, NoEnd))
}

/// Stores evidence once for each run; returns what is stored for that run.
pub(super) fn save(db: &Connection, evidence: &Evidence, changed: i64) -> Result<Evidence, Fault> {
    if let Some(stored) = of_run(db, evidence.run)? {
        return Ok(stored);
    }
    let end = EndColumns::of(Some(&evidence.end));
    db.prepare_cached(
        "INSERT INTO evidence (
             id, ticket_id, job_id, run_n, folder, kind, command, end_how, end_code, end_signal, end_error,
             duration_ms, tree, surroundings, at, changed
         ) VALUES (
             :id, :ticket, :job, :n, :folder, :kind, :command, :end_how, :end_code, :end_signal, :end_error,
             :duration_ms, :tree, :surroundings, :at, :changed
         )",
    )?
    .execute(named_params! {
        ":id": evidence.id,
        ":ticket": evidence.ticket,
        ":job": evidence.run.job,
        ":n": evidence.run.n,
        ":folder": evidence.folder,
        ":kind": evidence.kind,
        ":command": evidence.command,
        ":end_how": end.how,
        ":end_code": end.code,
        ":end_signal": end.signal,
        ":end_error": end.error,
        ":duration_ms": Count(evidence.duration_ms),
        ":tree": evidence.tree,
        ":surroundings": evidence.surroundings,
        ":at": evidence.at,
        ":changed": changed,
    })
    .map_err(taken(|| format!("evidence {}", evidence.id)))?;
    Ok(evidence.clone())
}

fn of_run(db: &Connection, run: RunId) -> Result<Option<Evidence>, Fault> {
    let mut query =
        db.prepare_cached(concat!("SELECT ", columns!(), " FROM evidence WHERE job_id = :job AND run_n = :n"))?;
    Ok(query.query_row(named_params! { ":job": run.job, ":n": run.n }, read).optional()?)
}

/// Says whether a check passed on a tree before, in the same surroundings, whoever's it was.
pub(super) fn has_passed(
    db: &Connection,
    board: BoardId,
    (tree, command, surroundings): (&str, &str, &str),
) -> Result<bool, Fault> {
    let mut query = db.prepare_cached(
        "SELECT EXISTS (
             SELECT 1 FROM evidence JOIN tickets ON tickets.id = evidence.ticket_id
             WHERE tickets.board_id = :board AND evidence.tree = :tree AND evidence.command = :command
                 AND evidence.surroundings = :surroundings
                 AND evidence.kind = 'verify_stdout' AND evidence.end_code = 0
         )",
    )?;
    let asked = named_params! { ":board": board, ":tree": tree, ":command": command, ":surroundings": surroundings };
    Ok(query.query_row(asked, |row| row.get(0))?)
}

/// Returns what ran on a tree, for whatever ticket of the board, oldest first.
pub(super) fn on_tree(db: &Connection, board: BoardId, tree: &str) -> Result<Vec<Evidence>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM evidence JOIN tickets ON tickets.id = evidence.ticket_id
          WHERE evidence.tree = :tree AND tickets.board_id = :board ORDER BY evidence.at, evidence.rowid"
    ))?;
    let asked = named_params! { ":tree": tree, ":board": board };
    Ok(query.query_map(asked, read)?.collect::<Result<_, _>>()?)
}

/// Returns the board's evidence that changed after `since`.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Evidence>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM evidence INDEXED BY evidence_by_change CROSS JOIN tickets ON tickets.id = evidence.ticket_id
          WHERE evidence.changed > :since AND tickets.board_id = :board ORDER BY evidence.changed, evidence.rowid"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}

/// Returns a ticket's evidence, oldest first.
pub(super) fn of_ticket(db: &Connection, ticket: TicketId) -> Result<Vec<Evidence>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM evidence WHERE ticket_id = :ticket ORDER BY at, rowid"
    ))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read)?.collect::<Result<_, _>>()?)
}
