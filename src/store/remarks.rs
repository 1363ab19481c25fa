//! The table of comments on pull requests, as their hosts told them last: a row for each ticket that has any.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::error::Fault;
use super::rows::Json;
use crate::domain::id::TicketId;
use crate::domain::pull_request::{Remark, Remarks};

/// Stores the comments on a ticket's pull request in place of those that were known.
pub(super) fn save(db: &Connection, Remarks { ticket, remarks }: &Remarks) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO remarks (ticket_id, remarks) VALUES (:ticket, :remarks)
         ON CONFLICT (ticket_id) DO UPDATE SET remarks = excluded.remarks WHERE remarks <> excluded.remarks",
    )?
    .execute(named_params! { ":ticket": ticket, ":remarks": Json(remarks) })?;
    Ok(())
}

/// Returns the comments on a ticket's pull request, oldest first.
pub(super) fn of_ticket(db: &Connection, ticket: TicketId) -> Result<Vec<Remark>, Fault> {
    let mut query = db.prepare_cached("SELECT remarks FROM remarks WHERE ticket_id = :ticket")?;
    let found = query.query_row(named_params! { ":ticket": ticket }, |row| row.get::<_, Json<Vec<Remark>>>(0));
    Ok(found.optional()?.map(|remarks| remarks.0).unwrap_or_default())
}
