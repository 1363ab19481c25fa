//! The table of runs. The truth about a run is in its folder; a row points there.

use rusqlite::{Connection, Row, named_params};

use super::error::Fault;
use super::rows::{Columns, EndColumns};
use crate::domain::id::{BoardId, JobId, TicketId};
use crate::domain::run::{Run, RunId};

macro_rules! columns {
    () => {
        "runs.job_id, runs.n, runs.kind, runs.command, runs.started_at, runs.finished_at, runs.end_how, \
         runs.end_code, runs.end_signal, runs.end_error"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    let mut columns = Columns::of(row);
    Ok(Run {
        id: RunId { job: columns.next()?, n: columns.next()? },
        kind: columns.next()?,
        command: columns.next()?,
        started_at: columns.next()?,
        finished_at: columns.next()?,
        end: columns.end()?,
    })
}

pub(super) fn save(db: &Connection, run: &Run, changed: i64) -> Result<(), Fault> {
    let end = EndColumns::of(run.end.as_ref());
    db.prepare_cached(
        "INSERT INTO runs (
             job_id, n, kind, command, started_at, finished_at, end_how, end_code, end_signal, end_error, changed
         ) VALUES (
             :job, :n, :kind, :command, :started_at, :finished_at, :end_how, :end_code, :end_signal, :end_error, :changed
         ) ON CONFLICT (job_id, n) DO UPDATE SET
             kind = excluded.kind, command = excluded.command, started_at = excluded.started_at,
             finished_at = excluded.finished_at, end_how = excluded.end_how, end_code = excluded.end_code,
             end_signal = excluded.end_signal, end_error = excluded.end_error, changed = excluded.changed",
    )?
    .execute(named_params! {
        ":job": run.id.job,
        ":n": run.id.n,
        ":kind": run.kind,
        ":command": run.command,
        ":started_at": run.started_at,
        ":finished_at": run.finished_at,
        ":end_how": end.how,
        ":end_code": end.code,
        ":end_signal": end.signal,
        ":end_error": end.error,
        ":changed": changed,
    })?;
    Ok(())
}

/// Returns the board's runs that changed after `since`.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Run>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM runs INDEXED BY runs_by_change CROSS JOIN jobs ON jobs.id = runs.job_id CROSS JOIN tickets ON tickets.id = jobs.ticket_id
          WHERE runs.changed > :since AND tickets.board_id = :board ORDER BY runs.changed, runs.job_id, runs.n"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}

/// Returns every run, by job and number.
pub(super) fn all(db: &Connection) -> Result<Vec<Run>, Fault> {
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM runs ORDER BY job_id, n"))?;
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Returns a job's runs, by number.
pub(super) fn of_job(db: &Connection, job: JobId) -> Result<Vec<Run>, Fault> {
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM runs WHERE job_id = :job ORDER BY n"))?;
    Ok(query.query_map(named_params! { ":job": job }, read)?.collect::<Result<_, _>>()?)
}

/// Returns the runs of all of a ticket's jobs, by job and number.
pub(super) fn of_ticket(db: &Connection, ticket: TicketId) -> Result<Vec<Run>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM jobs JOIN runs ON runs.job_id = jobs.id
          WHERE jobs.ticket_id = :ticket ORDER BY jobs.queued_at, jobs.id, runs.n"
    ))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read)?.collect::<Result<_, _>>()?)
}
