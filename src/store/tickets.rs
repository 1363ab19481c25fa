//! The tables of tickets and of who waits for whom.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, Rows, named_params};

use super::error::{Fault, taken};
use super::rows::{Columns, Count, Json, PathColumn, broken};
use crate::domain::id::{BoardId, JobId, TicketId, TicketNumber};
use crate::domain::state::{State, StateName};
use crate::domain::ticket::{Message, Ticket, Worktree};
use crate::domain::time::Timestamp;

macro_rules! columns {
    () => {
        "tickets.id, tickets.number, tickets.goal_id, tickets.title, tickets.state, \
         tickets.state_job_id, tickets.state_why, tickets.reason, tickets.priority, tickets.hand_order, \
         tickets.verify, tickets.agent, tickets.model, tickets.base_branch, tickets.message, tickets.message_at, \
         tickets.worktree_path, tickets.worktree_branch, tickets.worktree_base_branch, tickets.worktree_base, \
         tickets.worktree_port, tickets.input_tokens, tickets.output_tokens, \
         tickets.cost_micros, tickets.created_at, tickets.updated_at, tickets.removed_at, \
         tickets.pull_request, tickets.reverts, tickets.landed"
    };
}

/// Reads a ticket of a board without what it waits for.
fn read(row: &Row<'_>, board: BoardId) -> rusqlite::Result<Ticket> {
    let mut columns = Columns::of(row);
    Ok(Ticket {
        id: columns.next()?,
        number: columns.next()?,
        board,
        goal: columns.next()?,
        title: columns.next()?,
        state: read_state(&mut columns)?,
        reason: columns.next()?,
        priority: columns.next()?,
        hand_order: columns.next()?,
        blocked_by: Vec::new(),
        verify: columns.next::<Json<_>>()?.0,
        agent: columns.next()?,
        model: columns.next()?,
        base_branch: columns.next()?,
        message: read_message(&mut columns)?,
        worktree: read_worktree(&mut columns)?,
        usage: columns.usage()?,
        created_at: columns.next()?,
        updated_at: columns.next()?,
        removed_at: columns.next()?,
        pull_request: columns.next::<Option<Json<_>>>()?.map(|pull| Box::new(pull.0)),
        reverts: columns.next()?,
        landed: columns.next()?,
    })
}

/// A state lacks its job or its reason.
#[derive(Debug, thiserror::Error)]
#[error("a ticket that is {0} lacks its job or its reason")]
struct BadState(StateName);

fn read_state(columns: &mut Columns<'_, '_>) -> rusqlite::Result<State> {
    let name: StateName = columns.next()?;
    let job: Option<JobId> = columns.next()?;
    columns.next_with(|why: Option<String>| {
        let bad = || BadState(name);
        Ok::<_, BadState>(match name {
            StateName::Proposed => State::Proposed,
            StateName::Planned => State::Planned,
            StateName::Executing => State::Executing { job: job.ok_or_else(bad)? },
            StateName::Verifying => State::Verifying { job: job.ok_or_else(bad)? },
            StateName::NeedsHuman => State::NeedsHuman { why: word(why).ok_or_else(bad)? },
            StateName::Blocked => State::Blocked { why: word(why).ok_or_else(bad)? },
            StateName::Done => State::Done,
            StateName::Abandoned => State::Abandoned,
        })
    })
}

fn word<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text?.parse().ok()
}

/// A worktree lacks a branch or its base.
#[derive(Debug, thiserror::Error)]
#[error("a worktree lacks its branch or its base")]
struct BadWorktree;

fn read_message(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Message>> {
    let text: Option<String> = columns.next()?;
    let at: Option<Timestamp> = columns.next()?;
    Ok(text.zip(at).map(|(text, at)| Message { text, at }))
}

fn read_worktree(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Worktree>> {
    let path: Option<PathColumn<_>> = columns.next()?;
    let branch: Option<String> = columns.next()?;
    let base_branch: Option<String> = columns.next()?;
    let base: Option<String> = columns.next()?;
    let port: Option<u16> = columns.next()?;
    match (path, branch, base_branch, base) {
        (None, None, None, None) => Ok(None),
        (Some(PathColumn(path)), Some(branch), Some(base_branch), Some(base)) => {
            Ok(Some(Worktree { path, branch, base_branch, base, port }))
        }
        _ => Err(broken(0, BadWorktree)),
    }
}

pub(super) fn insert(db: &Connection, ticket: &Ticket, description: &str, changed: i64) -> Result<(), Fault> {
    let insert = "INSERT INTO tickets (
            id, number, board_id, goal_id, title, description, state, state_job_id, state_why, reason, priority,
            hand_order, verify, agent, model, base_branch, message, message_at, worktree_path, worktree_branch,
            worktree_base_branch, worktree_base, worktree_port, input_tokens, output_tokens, cost_micros, created_at,
            updated_at, removed_at, pull_request, reverts, landed, changed
        ) VALUES (
            :id, :number, :board, :goal, :title, :description, :state, :state_job, :state_why, :reason, :priority,
            :hand_order, :verify, :agent, :model, :base_branch, :message, :message_at, :worktree_path,
            :worktree_branch, :worktree_base_branch, :worktree_base, :worktree_port, :input_tokens, :output_tokens, :cost_micros, :created_at, :updated_at,
            :removed_at, :pull_request, :reverts, :landed, :changed
        )";
    write(db, insert, ticket, Some(description), changed)?;
    write_blockers(db, ticket)
}

/// The columns that every update sets; none of them but `changed` has an index to keep.
macro_rules! set {
    () => {
        "UPDATE tickets SET
            title = :title, description = coalesce(:description, description), reason = :reason,
            verify = :verify, agent = :agent, model = :model, base_branch = :base_branch, message = :message,
            message_at = :message_at, worktree_port = :worktree_port, worktree_path = :worktree_path,
            worktree_branch = :worktree_branch, worktree_base_branch = :worktree_base_branch,
            worktree_base = :worktree_base, input_tokens = :input_tokens, output_tokens = :output_tokens,
            cost_micros = :cost_micros, updated_at = :updated_at,
            pull_request = :pull_request, landed = :landed, changed = :changed"
    };
}

/// Stores a ticket again, if it is still in the state `was`.
pub(super) fn update(db: &Connection, ticket: &Ticket, was: StateName, changed: i64) -> Result<(), Fault> {
    let watched = WATCHED.map(|(column, value)| format!(", {column} IS :{value}")).concat();
    let mut query = db.prepare_cached(&format!("SELECT state{watched} FROM tickets WHERE id = :id"))?;
    let stored = query.query_row(
        named_params! {
            ":id": ticket.id,
            ":number": ticket.number,
            ":board": ticket.board,
            ":created_at": ticket.created_at,
            ":goal": ticket.goal,
            ":state_job": ticket.state.job(),
            ":state": ticket.state.name(),
            ":state_why": ticket.state.why(),
            ":priority": ticket.priority,
            ":hand_order": ticket.hand_order,
            ":removed_at": ticket.removed_at,
            ":reverts": ticket.reverts,
        },
        |row| {
            Ok((
                row.get::<_, StateName>(0)?,
                (1..=WATCHED.len()).map(|n| row.get(n)).collect::<Result<Vec<bool>, _>>()?,
            ))
        },
    );
    let (state, same) = stored.optional()?.unzip();
    if state != Some(was) {
        let why = match state {
            Some(state) => format!("it is {state} and not {was} any more"),
            None => "there is no such ticket".to_owned(),
        };
        return Err(Fault::Conflict { what: format!("ticket {}", ticket.number), why });
    }
    let (mut sets, mut stays) = (String::new(), String::new());
    for ((column, value), is_same) in WATCHED.iter().zip(same.unwrap_or_default()) {
        let (clause, word, is) = if is_same { (&mut stays, "AND", "IS") } else { (&mut sets, ",", "=") };
        clause.push_str(&format!(" {word} {column} {is} :{value}"));
    }
    write(db, &format!("{}{sets} WHERE id = :id{stays}", set!()), ticket, None, changed)?;
    if blockers_of(db, ticket.id)? == ticket.blocked_by {
        return Ok(());
    }
    db.prepare_cached("DELETE FROM blockers WHERE ticket_id = :ticket")?
        .execute(named_params! { ":ticket": ticket.id })?;
    write_blockers(db, ticket)
}

/// Columns that are in an index or that a rule watches, with their parameters. SQLite writes the index of each column that is
/// set, whether or not its value differs: a page each, for nothing.
const WATCHED: [(&str, &str); 11] = [
    ("number", "number"),
    ("board_id", "board"),
    ("created_at", "created_at"),
    ("goal_id", "goal"),
    ("state_job_id", "state_job"),
    ("state", "state"),
    ("state_why", "state_why"),
    ("priority", "priority"),
    ("hand_order", "hand_order"),
    ("removed_at", "removed_at"),
    ("reverts", "reverts"),
];

/// Runs a statement with all columns of a ticket.
fn write(db: &Connection, sql: &str, ticket: &Ticket, description: Option<&str>, changed: i64) -> Result<(), Fault> {
    let worktree = ticket.worktree.as_ref();
    db.prepare_cached(sql)?
        .execute(named_params! {
            ":id": ticket.id,
            ":number": ticket.number,
            ":board": ticket.board,
            ":goal": ticket.goal,
            ":title": ticket.title,
            ":description": description,
            ":state": ticket.state.name(),
            ":state_job": ticket.state.job(),
            ":state_why": ticket.state.why(),
            ":reason": ticket.reason,
            ":priority": ticket.priority,
            ":hand_order": ticket.hand_order,
            ":verify": Json(&ticket.verify),
            ":agent": ticket.agent,
            ":model": ticket.model,
            ":base_branch": ticket.base_branch,
            ":message": ticket.message.as_ref().map(|message| &message.text),
            ":message_at": ticket.message.as_ref().map(|message| message.at),
            ":worktree_port": worktree.and_then(|worktree| worktree.port),
            ":worktree_path": worktree.map(|worktree| PathColumn(&worktree.path)),
            ":worktree_branch": worktree.map(|worktree| &worktree.branch),
            ":worktree_base_branch": worktree.map(|worktree| &worktree.base_branch),
            ":worktree_base": worktree.map(|worktree| &worktree.base),
            ":input_tokens": Count(ticket.usage.input_tokens),
            ":output_tokens": Count(ticket.usage.output_tokens),
            ":cost_micros": ticket.usage.cost_micros.map(Count),
            ":created_at": ticket.created_at,
            ":updated_at": ticket.updated_at,
            ":removed_at": ticket.removed_at,
            ":pull_request": ticket.pull_request.as_deref().map(Json),
            ":reverts": ticket.reverts,
            ":landed": ticket.landed,
            ":changed": changed,
        })
        .map_err(taken(|| format!("ticket {}", ticket.number)))?;
    Ok(())
}

/// Stores a ticket's description. The ticket itself, with the number of the change, is stored beside it.
pub(super) fn describe(db: &Connection, ticket: TicketId, text: &str) -> Result<(), Fault> {
    db.prepare_cached("UPDATE tickets SET description = :text WHERE id = :id")?
        .execute(named_params! { ":id": ticket, ":text": text })?;
    Ok(())
}

fn write_blockers(db: &Connection, ticket: &Ticket) -> Result<(), Fault> {
    let mut insert =
        db.prepare_cached("INSERT INTO blockers (ticket_id, place, blocker_id) VALUES (:ticket, :place, :blocker)")?;
    for (place, blocker) in (0_i64..).zip(&ticket.blocked_by) {
        insert.execute(named_params! { ":ticket": ticket.id, ":place": place, ":blocker": blocker })?;
    }
    Ok(())
}

/// Returns the board's tickets that changed after `since`, by number.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Ticket>, Fault> {
    let mut blockers = blockers_since(db, board, since)?;
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM tickets INDEXED BY tickets_by_change WHERE changed > :since AND board_id = :board ORDER BY number"
    ))?;
    let tickets = query.query_map(named_params! { ":board": board, ":since": since }, |row| {
        let mut ticket = read(row, board)?;
        ticket.blocked_by = blockers.remove(&ticket.id).unwrap_or_default();
        Ok(ticket)
    })?;
    Ok(tickets.collect::<Result<_, _>>()?)
}

/// Hands over all of the board's tickets, by number, which is the order of their index: nothing is sorted.
pub(super) fn each(db: &Connection, board: BoardId, mut take: impl FnMut(Ticket)) -> Result<(), Fault> {
    let mut query = db.prepare_cached("SELECT ticket_id, blocker_id FROM blockers ORDER BY ticket_id, place")?;
    let mut blockers = by_ticket(query.query([])?)?;
    let mut query =
        db.prepare_cached(concat!("SELECT ", columns!(), " FROM tickets WHERE board_id = :board ORDER BY number"))?;
    let mut rows = query.query(named_params! { ":board": board })?;
    while let Some(row) = rows.next()? {
        let mut ticket = read(row, board)?;
        ticket.blocked_by = blockers.remove(&ticket.id).unwrap_or_default();
        take(ticket);
    }
    Ok(())
}

/// Returns the first tickets of a column, in the order in which people see them and without what they wait for.
pub(super) fn first_of(db: &Connection, board: BoardId, state: StateName, most: usize) -> Result<Vec<Ticket>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM tickets INDEXED BY tickets_by_place WHERE board_id = :board AND state = :state AND removed_at IS NULL
          ORDER BY priority DESC, hand_order IS NULL, hand_order, number LIMIT :most"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let values = named_params! { ":board": board, ":state": state, ":most": most };
    Ok(query.query_map(values, |row| read(row, board))?.collect::<Result<_, _>>()?)
}

/// Returns a ticket that is on the board, without what it waits for.
pub(super) fn one(db: &Connection, board: BoardId, id: TicketId) -> Result<Option<Ticket>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM tickets WHERE id = :id AND board_id = :board AND removed_at IS NULL"
    ))?;
    Ok(query.query_row(named_params! { ":id": id, ":board": board }, |row| read(row, board)).optional()?)
}

/// Returns what a ticket waits for.
pub(super) fn blockers_of(db: &Connection, ticket: TicketId) -> Result<Vec<TicketId>, Fault> {
    let mut query = db.prepare_cached("SELECT blocker_id FROM blockers WHERE ticket_id = :ticket ORDER BY place")?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Returns the planned tickets of a board that wait for an abandoned one. They are found from the abandoned ones, since most
/// that wait for something wait for what will be done.
pub(super) fn waiting_for_abandoned(db: &Connection, board: BoardId) -> Result<Vec<TicketId>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT DISTINCT blockers.ticket_id
         FROM tickets AS dead INDEXED BY tickets_by_place
         CROSS JOIN blockers INDEXED BY blockers_by_blocker ON blockers.blocker_id = dead.id
         CROSS JOIN tickets ON tickets.id = blockers.ticket_id
         WHERE dead.board_id = :board AND dead.state = :dead AND dead.removed_at IS NULL AND tickets.state = :waits",
    )?;
    let values = named_params! { ":board": board, ":dead": StateName::Abandoned, ":waits": StateName::Planned };
    Ok(query.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Returns how many tickets a board has in each state that any is in.
pub(super) fn count(db: &Connection, board: BoardId) -> Result<Vec<(StateName, u32)>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT state, count(*) FROM tickets INDEXED BY tickets_by_place
         WHERE board_id = :board AND removed_at IS NULL GROUP BY state",
    )?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(query.query_map(named_params! { ":board": board }, row)?.collect::<Result<_, _>>()?)
}

/// Returns how many tickets of a board are in a state for the reason that it carries.
pub(super) fn count_in(db: &Connection, board: BoardId, state: State) -> Result<u32, Fault> {
    let mut query = db.prepare_cached(
        "SELECT count(*) FROM tickets INDEXED BY tickets_by_place
         WHERE board_id = :board AND state = :state AND state_why IS :why AND removed_at IS NULL",
    )?;
    let values = named_params! { ":board": board, ":state": state.name(), ":why": state.why() };
    Ok(query.query_row(values, |row| row.get(0))?)
}

fn blockers_since(db: &Connection, board: BoardId, since: i64) -> Result<HashMap<TicketId, Vec<TicketId>>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT blockers.ticket_id, blockers.blocker_id
         FROM tickets INDEXED BY tickets_by_change CROSS JOIN blockers ON blockers.ticket_id = tickets.id
         WHERE tickets.changed > :since AND tickets.board_id = :board ORDER BY blockers.ticket_id, blockers.place",
    )?;
    by_ticket(query.query(named_params! { ":board": board, ":since": since })?)
}

/// Gathers pairs of a ticket and its blocker.
fn by_ticket(mut rows: Rows<'_>) -> Result<HashMap<TicketId, Vec<TicketId>>, Fault> {
    let mut blockers: HashMap<TicketId, Vec<TicketId>> = HashMap::new();
    while let Some(row) = rows.next()? {
        blockers.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(blockers)
}

/// Returns the ticket of a board that has this number.
pub(super) fn numbered(db: &Connection, board: BoardId, number: TicketNumber) -> Result<Option<TicketId>, Fault> {
    let mut query = db.prepare_cached("SELECT id FROM tickets WHERE board_id = :board AND number = :number")?;
    Ok(query.query_row(named_params! { ":board": board, ":number": number }, |row| row.get(0)).optional()?)
}

/// Returns the first ports of all worktrees, on whatever board.
pub(super) fn ports(db: &Connection) -> Result<Vec<u16>, Fault> {
    let mut query = db.prepare_cached("SELECT worktree_port FROM tickets WHERE worktree_port IS NOT NULL")?;
    Ok(query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn descriptions(db: &Connection, board: BoardId) -> Result<HashMap<TicketId, String>, Fault> {
    let mut query =
        db.prepare_cached("SELECT id, description FROM tickets WHERE board_id = :board AND description != ''")?;
    let rows = query.query_map(named_params! { ":board": board }, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn description(db: &Connection, ticket: TicketId) -> Result<Option<String>, Fault> {
    let mut query = db.prepare_cached("SELECT description FROM tickets WHERE id = :id")?;
    Ok(query.query_row(named_params! { ":id": ticket }, |row| row.get(0)).optional()?)
}
