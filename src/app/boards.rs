//! All boards of a data directory, whatever repository they are of.

use crate::domain::board::Board;
use crate::engine::BoardLock;
use crate::store::Reader;

use super::error::AppError;
use super::open::{Options, paths};

/// A board of the data directory.
#[derive(Debug)]
pub struct BoardHere {
    /// The board.
    pub board: Board,
    /// Whether its repository's folder is still there.
    pub exists: bool,
    /// The process that is its engine now; nothing while nobody is.
    pub engine: Option<u32>,
}

/// Returns all boards, oldest first. It makes nothing.
///
/// # Errors
/// When there is no home to look in, or the database cannot be read.
pub fn boards_here(options: &Options) -> Result<Vec<BoardHere>, AppError> {
    let paths = paths(options.data_dir.as_deref())?;
    if !paths.database().exists() {
        return Ok(Vec::new());
    }
    let reader = Reader::open(&paths.database())?;
    let mut boards = Vec::new();
    for about in reader.boards()? {
        let is_held = BoardLock::is_held(&paths.data_dir, about.id);
        let row = if is_held { reader.engine(about.id)? } else { None };
        if let Some((board, _)) = reader.board(about.id)? {
            boards.push(BoardHere { exists: about.repo_root.is_dir(), engine: row.map(|row| row.pid), board });
        }
    }
    Ok(boards)
}
