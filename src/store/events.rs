//! The table of events: the history of each ticket, only ever appended to.

use rusqlite::{Connection, Row, named_params};

use super::error::Fault;
use super::rows::{Columns, Json};
use crate::domain::event::{Actor, Event, NewEvent};
use crate::domain::id::{BoardId, TicketId};

macro_rules! columns {
    () => {
        "events.seq, events.ticket_id, events.at, events.kind, events.from_state, events.to_state, \
         events.actor_kind, events.actor_name, events.reason, events.payload"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    let mut columns = Columns::of(row);
    Ok(Event {
        seq: columns.next()?,
        event: NewEvent {
            ticket: columns.next()?,
            at: columns.next()?,
            kind: columns.next()?,
            from: columns.next()?,
            to: columns.next()?,
            actor: Actor { kind: columns.next()?, name: columns.next()? },
            reason: columns.next()?,
            payload: columns.next::<Json<_>>()?.0,
        },
    })
}

/// Appends an event and returns it with its number.
pub(super) fn append(db: &Connection, event: &NewEvent, changed: i64) -> Result<Event, Fault> {
    db.prepare_cached(
        "INSERT INTO events (ticket_id, at, kind, from_state, to_state, actor_kind, actor_name, reason, payload, changed)
         VALUES (:ticket, :at, :kind, :from, :to, :actor_kind, :actor_name, :reason, :payload, :changed)",
    )?
    .execute(named_params! {
        ":ticket": event.ticket,
        ":at": event.at,
        ":kind": event.kind,
        ":from": event.from,
        ":to": event.to,
        ":actor_kind": event.actor.kind,
        ":actor_name": event.actor.name,
        ":reason": event.reason,
        ":payload": Json(&event.payload),
        ":changed": changed,
    })?;
    Ok(Event { seq: db.last_insert_rowid(), event: event.clone() })
}

/// Returns the board's events that came after `since`, oldest first.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Event>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM events INDEXED BY events_by_change CROSS JOIN tickets ON tickets.id = events.ticket_id
          WHERE events.changed > :since AND tickets.board_id = :board ORDER BY events.seq"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}

/// Returns a ticket's events, oldest first.
pub(super) fn of_ticket(db: &Connection, ticket: TicketId) -> Result<Vec<Event>, Fault> {
    let mut query =
        db.prepare_cached(concat!("SELECT ", columns!(), " FROM events WHERE ticket_id = :ticket ORDER BY seq"))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read)?.collect::<Result<_, _>>()?)
}
