//! The table of jobs. That a ticket has at most one active job is the database's own rule.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::error::{Fault, taken};
use super::rows::{Columns, Count, Json, last_of_each};
use crate::domain::id::{BoardId, TicketId};
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::time::Timestamp;

macro_rules! columns {
    () => {
        "jobs.id, jobs.ticket_id, jobs.kind, jobs.status, jobs.cancel_requested, jobs.attempt, jobs.rework, jobs.message, jobs.strategy, jobs.intent, jobs.recheck, jobs.errand, jobs.takes_back, jobs.steps, jobs.checked, \
         jobs.agent, jobs.model, jobs.session, jobs.exit_code, jobs.signal, jobs.reason, jobs.input_tokens, \
         jobs.output_tokens, jobs.cost_micros, jobs.queued_at, jobs.started_at, jobs.finished_at"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    let mut columns = Columns::of(row);
    Ok(Job {
        id: columns.next()?,
        ticket: columns.next()?,
        kind: columns.next()?,
        status: columns.next()?,
        cancel_requested: columns.next()?,
        attempt: columns.next()?,
        rework: columns.next()?,
        message: columns.next()?,
        strategy: columns.next()?,
        intent: columns.next::<Option<Json<_>>>()?.map(|intent| intent.0),
        recheck: columns.next()?,
        errand: columns.next::<Option<Json<_>>>()?.map(|errand| errand.0),
        takes_back: columns.next::<Option<Json<_>>>()?.map(|landing| landing.0),
        steps: columns.next()?,
        checked: columns.next::<Option<Json<_>>>()?.map(|checked| checked.0),
        agent: columns.next()?,
        model: columns.next()?,
        session: columns.next()?,
        exit_code: columns.next()?,
        signal: columns.next()?,
        reason: columns.next()?,
        usage: columns.usage()?,
        queued_at: columns.next()?,
        started_at: columns.next()?,
        finished_at: columns.next()?,
    })
}

/// Stores a new job, or one that still has the status `was`.
pub(super) fn save(db: &Connection, job: &Job, was: Option<JobStatus>, changed: i64) -> Result<(), Fault> {
    let sql = match was {
        None => {
            "INSERT INTO jobs (
                id, ticket_id, kind, status, cancel_requested, attempt, rework, message, strategy, intent, recheck, errand, takes_back, steps, checked, agent, model, session, exit_code,
                signal, reason, input_tokens, output_tokens, cost_micros, queued_at, started_at, finished_at, changed
            ) VALUES (
                :id, :ticket, :kind, :status, :cancel_requested, :attempt, :rework, :message, :strategy, :intent, :recheck, :errand, :takes_back, :steps, :checked, :agent, :model, :session,
                :exit_code, :signal, :reason, :input_tokens, :output_tokens, :cost_micros, :queued_at, :started_at,
                :finished_at, :changed
            )"
        }
        Some(was) => {
            expect_status(db, job, was)?;
            "UPDATE jobs SET
                ticket_id = :ticket, kind = :kind, status = :status, cancel_requested = :cancel_requested,
                attempt = :attempt, rework = :rework, message = :message, strategy = :strategy, intent = :intent, recheck = :recheck, errand = :errand, takes_back = :takes_back, steps = :steps, checked = :checked, agent = :agent, model = :model, session = :session,
                exit_code = :exit_code, signal = :signal, reason = :reason, input_tokens = :input_tokens,
                output_tokens = :output_tokens, cost_micros = :cost_micros, queued_at = :queued_at,
                started_at = :started_at, finished_at = :finished_at, changed = :changed
            WHERE id = :id"
        }
    };
    db.prepare_cached(sql)?
        .execute(named_params! {
            ":id": job.id,
            ":ticket": job.ticket,
            ":kind": job.kind,
            ":status": job.status,
            ":cancel_requested": job.cancel_requested,
            ":attempt": job.attempt,
            ":rework": job.rework,
            ":message": job.message,
            ":strategy": job.strategy,
            ":intent": job.intent.as_ref().map(Json),
            ":recheck": job.recheck,
            ":errand": job.errand.as_ref().map(Json),
            ":takes_back": job.takes_back.as_ref().map(Json),
            ":steps": job.steps,
            ":checked": job.checked.as_ref().map(Json),
            ":agent": job.agent,
            ":model": job.model,
            ":session": job.session,
            ":exit_code": job.exit_code,
            ":signal": job.signal,
            ":reason": job.reason,
            ":input_tokens": Count(job.usage.input_tokens),
            ":output_tokens": Count(job.usage.output_tokens),
            ":cost_micros": job.usage.cost_micros.map(Count),
            ":queued_at": job.queued_at,
            ":started_at": job.started_at,
            ":finished_at": job.finished_at,
            ":changed": changed,
        })
        .map_err(taken(|| format!("{} job {}", job.kind, job.id)))?;
    Ok(())
}

fn expect_status(db: &Connection, job: &Job, was: JobStatus) -> Result<(), Fault> {
    let mut query = db.prepare_cached("SELECT status FROM jobs WHERE id = :id")?;
    let status: Option<JobStatus> = query.query_row(named_params! { ":id": job.id }, |row| row.get(0)).optional()?;
    let why = match status {
        Some(status) if status == was => return Ok(()),
        Some(status) => format!("it is {status} and not {was} any more"),
        None => "there is no such job".to_owned(),
    };
    Err(Fault::Conflict { what: format!("{} job {}", job.kind, job.id), why })
}

/// Returns how many jobs of a kind a ticket has had since a moment.
pub(super) fn count_since(db: &Connection, ticket: TicketId, kind: JobKind, since: Timestamp) -> Result<u32, Fault> {
    let mut query = db.prepare_cached(
        "SELECT count(*) FROM jobs WHERE ticket_id = :ticket AND kind = :kind AND queued_at > :since",
    )?;
    let count =
        query.query_row(named_params! { ":ticket": ticket, ":kind": kind, ":since": since }, |row| row.get(0))?;
    Ok(count)
}

/// Returns what the board's jobs cost that ended since a moment, in millionths of a US dollar; nothing when none said a cost.
pub(super) fn spent_since(db: &Connection, board: BoardId, since: Timestamp) -> Result<Option<u64>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT sum(jobs.cost_micros)
         FROM jobs INDEXED BY jobs_by_end CROSS JOIN tickets ON tickets.id = jobs.ticket_id
         WHERE jobs.finished_at >= :since AND jobs.cost_micros > 0 AND tickets.board_id = :board",
    )?;
    let values = named_params! { ":board": board, ":since": since };
    Ok(query.query_row(values, |row| row.get::<_, Option<Count>>(0))?.map(|count| count.0))
}

/// Returns the newest job of each ticket that is wanted.
pub(super) fn newest(db: &Connection, is_wanted: impl Fn(TicketId) -> bool) -> Result<Vec<Job>, Fault> {
    let index = "SELECT ticket_id, rowid FROM jobs ORDER BY ticket_id, queued_at, id";
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM jobs WHERE rowid = ?1"))?;
    let newest = last_of_each(db, index, is_wanted)?;
    Ok(newest.into_iter().map(|row| query.query_row([row], read)).collect::<Result<_, _>>()?)
}

/// Returns the newest job of a ticket.
pub(super) fn newest_of(db: &Connection, ticket: TicketId) -> Result<Option<Job>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM jobs WHERE ticket_id = :ticket ORDER BY queued_at DESC, id DESC LIMIT 1"
    ))?;
    Ok(query.query_row(named_params! { ":ticket": ticket }, read).optional()?)
}

/// Returns the board's jobs that are queued or running, oldest first.
pub(super) fn active(db: &Connection, board: BoardId) -> Result<Vec<Job>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM jobs INDEXED BY jobs_one_active CROSS JOIN tickets ON tickets.id = jobs.ticket_id
          WHERE jobs.status IN ('queued', 'running') AND tickets.board_id = :board
          ORDER BY jobs.queued_at, jobs.id"
    ))?;
    Ok(query.query_map(named_params! { ":board": board }, read)?.collect::<Result<_, _>>()?)
}

/// Returns the board's jobs that changed after `since`, in the order in which they changed.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Job>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM jobs INDEXED BY jobs_by_change CROSS JOIN tickets ON tickets.id = jobs.ticket_id
          WHERE jobs.changed > :since AND tickets.board_id = :board ORDER BY jobs.changed, jobs.queued_at, jobs.id"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}

/// Returns a ticket's jobs, oldest first.
pub(super) fn of_ticket(db: &Connection, ticket: TicketId) -> Result<Vec<Job>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM jobs WHERE ticket_id = :ticket ORDER BY queued_at, id"
    ))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read)?.collect::<Result<_, _>>()?)
}
