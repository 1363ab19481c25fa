//! Loads everything about one ticket.

use crate::domain::detail::Detail;
use crate::domain::id::TicketId;
use crate::engine::Workshop;
use crate::store::Reader;

use super::error::AppError;

/// Loads everything about one ticket; it blocks.
///
/// # Errors
/// When the database cannot be read.
pub fn load_detail(workshop: &Workshop, ticket: TicketId) -> Result<Option<Detail>, AppError> {
    Ok(Reader::open(&workshop.paths.database())?.detail(ticket)?)
}
