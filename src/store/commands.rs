//! The table through which processes that are not the engine ask it for something.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::error::Fault;
use super::rows::Json;
use crate::domain::command::{RefusalCode, Refused, Request};
use crate::domain::id::BoardId;
use crate::domain::time::Timestamp;

/// A command that waits for its answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Pending {
    /// Its number, by which it is answered.
    pub id: i64,
    /// What is wanted; or the refusal to answer with, when another version of Draft asked for something unknown here.
    pub request: Result<Request, Refused>,
}

pub(super) fn insert(db: &Connection, board: BoardId, request: &Request, at: Timestamp) -> Result<i64, Fault> {
    db.prepare_cached("INSERT INTO commands (board_id, request, asked_at) VALUES (:board, :request, :at)")?
        .execute(named_params! { ":board": board, ":request": Json(request), ":at": at })?;
    Ok(db.last_insert_rowid())
}

/// Answers a command; only the first answer counts.
pub(super) fn answer(db: &Connection, id: i64, answer: &Result<(), Refused>, at: Timestamp) -> Result<(), Fault> {
    let refused = answer.as_ref().err().map(Json);
    db.prepare_cached(
        "UPDATE commands SET answered_at = :at, refused = :refused WHERE id = :id AND answered_at IS NULL",
    )?
    .execute(named_params! { ":id": id, ":at": at, ":refused": refused })?;
    Ok(())
}

pub(super) fn pending(db: &Connection, board: BoardId) -> Result<Vec<Pending>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT id, request FROM commands WHERE board_id = :board AND answered_at IS NULL ORDER BY id",
    )?;
    let rows = query.query_map(named_params! { ":board": board }, |row| {
        let text: String = row.get("request")?;
        Ok(Pending { id: row.get("id")?, request: serde_json::from_str(&text).map_err(|error| unknown(&error)) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn unknown(error: &serde_json::Error) -> Refused {
    Refused::new(
        RefusalCode::BadValue,
        format!("the running draft does not know this command: {error}"),
        "quit the board and start it again, so that both are the same version",
    )
}

pub(super) fn answered(db: &Connection, id: i64) -> Result<Option<Result<(), Refused>>, Fault> {
    let mut query = db.prepare_cached("SELECT refused FROM commands WHERE id = :id AND answered_at IS NOT NULL")?;
    let refused = query.query_row(named_params! { ":id": id }, |row| row.get::<_, Option<Json<Refused>>>("refused"));
    Ok(refused.optional()?.map(|refused| match refused {
        Some(Json(refused)) => Err(refused),
        None => Ok(()),
    }))
}
