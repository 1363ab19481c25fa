//! How a process that is not the engine hands it a command: one row, and nothing else.

use std::path::Path;

use rusqlite::OpenFlags;

use super::commands;
use super::error::StoreError;
use super::open::{self, Limits};
use crate::domain::command::Request;
use crate::domain::id::BoardId;
use crate::domain::time::Timestamp;

/// Asks the board's engine for something, and returns the number under which the answer will be found.
///
/// # Errors
/// When the database is missing, of another schema, locked for long, full or read-only, or has no such board.
pub fn ask(path: &Path, board: BoardId, request: &Request, at: Timestamp) -> Result<i64, StoreError> {
    let db = open::existing(path, OpenFlags::SQLITE_OPEN_READ_WRITE, Limits::default().busy)?;
    commands::insert(&db, board, request, at).map_err(|fault| fault.at(path))
}
