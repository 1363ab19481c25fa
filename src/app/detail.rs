//! Loads everything about one ticket, and its changes.

use crate::domain::detail::Detail;
use crate::domain::diff::{DiffRequest, FileDiff};
use crate::domain::id::TicketId;
use crate::domain::revision::Revision;
use crate::engine::Workshop;
use crate::git::diff;
use crate::store::Reader;

use super::error::AppError;

/// Loads everything about one ticket; it blocks.
///
/// # Errors
/// When the database cannot be read.
pub fn load_detail(workshop: &Workshop, ticket: TicketId) -> Result<Option<Detail>, AppError> {
    Ok(Reader::open(&workshop.paths.database())?.detail(ticket)?)
}

/// Loads a revision with its change, if there is one of that number; it blocks.
pub(super) fn load_diff(
    workshop: &Workshop,
    request: DiffRequest,
) -> Result<Option<(Revision, Vec<FileDiff>)>, AppError> {
    let revisions = Reader::open(&workshop.paths.database())?.revisions(request.ticket)?;
    let revision = revisions.into_iter().find(|one| one.number == request.revision);
    let Some(revision) = revision else { return Ok(None) };
    let files = diff::between(&workshop.repo, &revision.base, &revision.tree).map_err(AppError::Git)?;
    Ok(Some((revision, files)))
}
