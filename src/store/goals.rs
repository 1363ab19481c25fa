//! The table of goals.

use rusqlite::{Connection, Row, named_params};

use super::error::Fault;
use super::rows::Columns;
use crate::domain::goal::Goal;
use crate::domain::id::BoardId;

fn read(row: &Row<'_>) -> rusqlite::Result<Goal> {
    let mut columns = Columns::of(row);
    Ok(Goal {
        id: columns.next()?,
        board: columns.next()?,
        title: columns.next()?,
        description: columns.next()?,
        created_at: columns.next()?,
        updated_at: columns.next()?,
        removed_at: columns.next()?,
    })
}

pub(super) fn save(db: &Connection, goal: &Goal, changed: i64) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO goals (id, board_id, title, description, created_at, updated_at, removed_at, changed)
         VALUES (:id, :board, :title, :description, :created_at, :updated_at, :removed_at, :changed)
         ON CONFLICT (id) DO UPDATE SET board_id = excluded.board_id, title = excluded.title,
             description = excluded.description, created_at = excluded.created_at, updated_at = excluded.updated_at,
             removed_at = excluded.removed_at, changed = excluded.changed",
    )?
    .execute(named_params! {
        ":id": goal.id,
        ":board": goal.board,
        ":title": goal.title,
        ":description": goal.description,
        ":created_at": goal.created_at,
        ":updated_at": goal.updated_at,
        ":removed_at": goal.removed_at,
        ":changed": changed,
    })?;
    Ok(())
}

/// Returns the board's goals that changed after `since`.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Goal>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT id, board_id, title, description, created_at, updated_at, removed_at FROM goals INDEXED BY goals_by_change
         WHERE changed > :since AND board_id = :board ORDER BY changed",
    )?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}
