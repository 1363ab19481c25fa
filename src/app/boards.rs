//! All boards of a data directory, whatever repository they are of.

use crate::domain::glance::Glance;
use crate::engine::{BoardLock, Paths};
use crate::store::Reader;

use super::error::AppError;
use super::open::{Options, paths};

/// Returns all boards of the data directory that was chosen, oldest first. It makes nothing.
///
/// # Errors
/// When there is no home to look in, or the database cannot be read.
pub fn boards_here(options: &Options) -> Result<Vec<Glance>, AppError> {
    glances(&paths(options.data_dir.as_deref())?)
}

/// Returns all boards that are kept there, oldest first; each is read for itself, since there may be large ones.
pub(super) fn glances(paths: &Paths) -> Result<Vec<Glance>, AppError> {
    if !paths.database().exists() {
        return Ok(Vec::new());
    }
    let reader = Reader::open(&paths.database())?;
    let mut boards = Vec::new();
    for about in reader.boards()? {
        let is_held = BoardLock::is_held(&paths.data_dir, about.id);
        let row = if is_held { reader.engine(about.id)? } else { None };
        if let Some((board, _)) = reader.board(about.id)? {
            boards.push(Glance::of(&board, about.repo_root.is_dir(), row.map(|row| row.pid)));
        }
    }
    Ok(boards)
}
