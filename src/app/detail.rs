//! Loads everything about one ticket, and its changes.

use crate::domain::detail::Detail;
use crate::domain::diff::{Change, DiffRequest};
use crate::domain::follow::follow;
use crate::domain::id::TicketId;
use crate::domain::review::Comment;
use crate::engine::Workshop;
use crate::git::{diff, forecast};
use crate::store::Reader;

use super::error::AppError;

/// Loads everything about one ticket; it blocks.
///
/// # Errors
/// When the database cannot be read.
pub fn load_detail(workshop: &Workshop, ticket: TicketId) -> Result<Option<Detail>, AppError> {
    Ok(Reader::open(&workshop.paths.database())?.detail(ticket)?)
}

/// Loads a revision with its change and what was said about it, if there is one of that number; it blocks.
pub(super) fn load_diff(workshop: &Workshop, request: DiffRequest) -> Result<Option<Change>, AppError> {
    let Some(detail) = load_detail(workshop, request.ticket)? else { return Ok(None) };
    let numbered = |number: u32| detail.revisions.iter().find(|one| one.number == number);
    let Some(revision) = numbered(request.revision) else { return Ok(None) };
    let between = |old: &str| diff::between(&workshop.repo, old, &revision.tree).map_err(AppError::Git);
    let files = match request.since.and_then(numbered) {
        Some(earlier) => forecast::since(&workshop.repo, earlier, revision).map_err(AppError::Git)?,
        None => between(&revision.base)?,
    };
    let mut comments = Vec::new();
    for earlier in detail.revisions.iter().filter(|one| one.number <= revision.number) {
        let is_said =
            |one: &&Comment| one.revision == earlier.number && (earlier == revision || detail.carries(one, revision));
        let mut said = detail.comments.iter().filter(is_said).peekable();
        if said.peek().is_some() {
            let moved = if earlier == revision { Vec::new() } else { between(&earlier.tree)? };
            comments.extend(said.map(|comment| (comment.clone(), follow(&comment.spot, &moved))));
        }
    }
    Ok(Some(Change { revision: revision.clone(), files, comments }))
}
