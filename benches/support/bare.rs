//! The floor of a ticket's move: bare SQLite that updates a ticket and appends an event in one transaction, as durable, with
//! rows of the same size and an index for each that Draft has to touch.

use std::path::Path;

use rusqlite::{Connection, params};

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE tickets (
    id TEXT PRIMARY KEY, title TEXT, description TEXT, state TEXT, reason TEXT, updated_at INTEGER, changed INTEGER
);
CREATE INDEX tickets_by_change ON tickets (changed);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, ticket_id TEXT, at INTEGER, kind TEXT, from_state TEXT, to_state TEXT, actor TEXT,
    reason TEXT, payload TEXT, changed INTEGER
);
CREATE INDEX events_by_ticket ON events (ticket_id, seq);
CREATE INDEX events_by_change ON events (changed);
";

/// A bare database with tickets.
pub(crate) struct Bare {
    db: Connection,
    changed: i64,
}

fn id(n: u32) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

impl Bare {
    /// Makes one with so many tickets.
    pub(crate) fn new(folder: &Path, tickets: u32) -> Self {
        let mut db = Connection::open(folder.join("bare.db")).expect("a database");
        db.execute_batch(SCHEMA).expect("its tables");
        let description = "What is to be done, and how it is seen that it is done.\n".repeat(20);
        let filed = db.transaction().expect("a transaction");
        for n in 1..=tickets {
            let title = format!("Guard the square root of negative number {n}");
            let row = params![id(n), title, description, "planned", "filed by a person, waits for its turn", 0, n];
            filed.execute("INSERT INTO tickets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row).expect("a ticket");
        }
        filed.commit().expect("they are stored");
        Self { db, changed: i64::from(tickets) }
    }

    /// Moves a ticket.
    pub(crate) fn move_ticket(&mut self, ticket: u32) {
        self.changed += 1;
        let moved = self.db.unchecked_transaction().expect("a transaction");
        let (id, reason, at) = (id(ticket), format!("move {}", self.changed), 1_800_000_200_000_i64 + self.changed);
        moved
            .prepare_cached("UPDATE tickets SET state = ?2, reason = ?3, updated_at = ?4, changed = ?5 WHERE id = ?1")
            .and_then(|mut update| update.execute(params![id, "proposed", reason, at, self.changed]))
            .expect("the ticket is moved");
        moved
            .prepare_cached(
                "INSERT INTO events (ticket_id, at, kind, from_state, to_state, actor, reason, payload, changed)
                 VALUES (?1, ?2, 'transitioned', 'planned', 'proposed', 'human', ?3, '{}', ?4)",
            )
            .and_then(|mut insert| insert.execute(params![id, at, reason, self.changed]))
            .expect("the event is stored");
        moved.commit().expect("the move is stored");
    }
}
