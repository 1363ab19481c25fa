//! The tables of comments and of what was decided about revisions.

use rusqlite::{Connection, Row, named_params};

use super::error::{Fault, taken};
use super::rows::Columns;
use crate::domain::event::Actor;
use crate::domain::id::{BoardId, TicketId};
use crate::domain::review::{Comment, Review, Spot};

macro_rules! comment_columns {
    () => {
        "comments.id, comments.ticket_id, comments.revision, comments.path, comments.side, comments.first_line, \
         comments.last_line, comments.quoted, comments.hunk, comments.body, comments.author_kind, \
         comments.author_name, comments.reply_to, comments.resolved, comments.at"
    };
}

macro_rules! review_columns {
    () => {
        "reviews.ticket_id, reviews.revision, reviews.verdict, reviews.summary, reviews.author_kind, \
         reviews.author_name, reviews.at"
    };
}

fn read_comment(row: &Row<'_>) -> rusqlite::Result<Comment> {
    let mut columns = Columns::of(row);
    Ok(Comment {
        id: columns.next()?,
        ticket: columns.next()?,
        revision: columns.next()?,
        spot: Spot {
            path: columns.next()?,
            side: columns.next()?,
            lines: columns.next::<Option<u32>>()?.zip(columns.next()?),
            quoted: columns.next()?,
            hunk: columns.next()?,
        },
        body: columns.next()?,
        author: Actor { kind: columns.next()?, name: columns.next()? },
        reply_to: columns.next()?,
        resolved: columns.next()?,
        at: columns.next()?,
    })
}

fn read_review(row: &Row<'_>) -> rusqlite::Result<Review> {
    let mut columns = Columns::of(row);
    Ok(Review {
        ticket: columns.next()?,
        revision: columns.next()?,
        verdict: columns.next()?,
        summary: columns.next()?,
        author: Actor { kind: columns.next()?, name: columns.next()? },
        at: columns.next()?,
    })
}

/// Stores a comment. Of one that is stored already only whether it is resolved can change.
pub(super) fn save_comment(db: &Connection, comment: &Comment, changed: i64) -> Result<(), Fault> {
    let spot = &comment.spot;
    db.prepare_cached(
        "INSERT INTO comments (
             id, ticket_id, revision, path, side, first_line, last_line, quoted, hunk, anchor, body, author_kind,
             author_name, reply_to, resolved, at, changed
         ) VALUES (
             :id, :ticket, :revision, :path, :side, :first, :last, :quoted, :hunk, :anchor, :body, :author_kind,
             :author_name, :reply_to, :resolved, :at, :changed
         ) ON CONFLICT (id) DO UPDATE SET resolved = excluded.resolved, changed = excluded.changed",
    )?
    .execute(named_params! {
        ":id": comment.id,
        ":ticket": comment.ticket,
        ":revision": comment.revision,
        ":path": spot.path,
        ":side": spot.side,
        ":first": spot.lines.map(|(first, _)| first),
        ":last": spot.lines.map(|(_, last)| last),
        ":quoted": spot.quoted,
        ":hunk": spot.hunk,
        ":anchor": spot.anchor(),
        ":body": comment.body,
        ":author_kind": comment.author.kind,
        ":author_name": comment.author.name,
        ":reply_to": comment.reply_to,
        ":resolved": comment.resolved,
        ":at": comment.at,
        ":changed": changed,
    })
    .map_err(taken(|| format!("comment {}", comment.id)))?;
    Ok(())
}

/// Stores what was decided about a revision; a second decision is a conflict.
pub(super) fn save_review(db: &Connection, review: &Review, changed: i64) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO reviews (ticket_id, revision, verdict, summary, author_kind, author_name, at, changed)
         VALUES (:ticket, :revision, :verdict, :summary, :author_kind, :author_name, :at, :changed)",
    )?
    .execute(named_params! {
        ":ticket": review.ticket,
        ":revision": review.revision,
        ":verdict": review.verdict,
        ":summary": review.summary,
        ":author_kind": review.author.kind,
        ":author_name": review.author.name,
        ":at": review.at,
        ":changed": changed,
    })
    .map_err(taken(|| format!("the review of revision {} of ticket {}", review.revision, review.ticket)))?;
    Ok(())
}

/// Returns the board's comments that changed after `since`.
pub(super) fn comments_since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Comment>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        comment_columns!(),
        " FROM comments INDEXED BY comments_by_change CROSS JOIN tickets ON tickets.id = comments.ticket_id
          WHERE comments.changed > :since AND tickets.board_id = :board ORDER BY comments.changed, comments.id"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read_comment)?.collect::<Result<_, _>>()?)
}

/// Returns the board's reviews that came after `since`.
pub(super) fn reviews_since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Review>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        review_columns!(),
        " FROM reviews INDEXED BY reviews_by_change CROSS JOIN tickets ON tickets.id = reviews.ticket_id
          WHERE reviews.changed > :since AND tickets.board_id = :board ORDER BY reviews.changed, reviews.revision"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read_review)?.collect::<Result<_, _>>()?)
}

/// Returns the board's reviews that Draft itself gave under a name.
pub(super) fn by(db: &Connection, board: BoardId, name: &str) -> Result<Vec<Review>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        review_columns!(),
        " FROM reviews JOIN tickets ON tickets.id = reviews.ticket_id
          WHERE reviews.author_kind = 'system' AND reviews.author_name = :name AND tickets.board_id = :board"
    ))?;
    Ok(query.query_map(named_params! { ":board": board, ":name": name }, read_review)?.collect::<Result<_, _>>()?)
}

/// Returns the comments on a ticket's changes, oldest first.
pub(super) fn comments_of(db: &Connection, ticket: TicketId) -> Result<Vec<Comment>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        comment_columns!(),
        " FROM comments WHERE ticket_id = :ticket ORDER BY at, id"
    ))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read_comment)?.collect::<Result<_, _>>()?)
}

/// Returns what was decided about a ticket's revisions, oldest first.
pub(super) fn reviews_of(db: &Connection, ticket: TicketId) -> Result<Vec<Review>, Fault> {
    let mut query = db.prepare_cached(concat!(
        "SELECT ",
        review_columns!(),
        " FROM reviews WHERE ticket_id = :ticket ORDER BY revision"
    ))?;
    Ok(query.query_map(named_params! { ":ticket": ticket }, read_review)?.collect::<Result<_, _>>()?)
}
