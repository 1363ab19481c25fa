//! What can go wrong between the parts.

use std::path::PathBuf;

use crate::config::ConfigErrors;
use crate::config::edit::NotEdited;
use crate::engine::{AskError, EngineError, LockError};
use crate::git::GitError;
use crate::store::StoreError;

/// Why a board could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A command that was not carried out.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A configuration file.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// A configuration file that could not be changed.
    #[error("could not change {path}: {why}")]
    NotEdited {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Box<NotEdited>,
    },
    /// There is no repository that can be used here.
    #[error("{0}")]
    NoRepository(GitError),
    /// Git, once the repository was found.
    #[error("{0}")]
    Git(GitError),
    /// The repository has no board of that name.
    #[error("this repository has no board `{name}`; it has {known}")]
    NoSuchBoard {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// There is no board of that name, and no repository that could get one.
    #[error("there is no board `{name}` in the data directory, and no repository around here; known are {known}")]
    NoBoardNamed {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Several repositories have a board of that name.
    #[error("several boards are called `{name}`: {}", roots.join(", "))]
    SeveralBoards {
        /// What was asked for.
        name: String,
        /// Their repositories.
        roots: Vec<String>,
    },
    /// The repository's board was removed.
    #[error("the board `{name}` of this repository was removed")]
    BoardRemoved {
        /// Its name.
        name: String,
    },
    /// Somebody works on the board.
    #[error("board `{name}` is in use: {why}")]
    BoardBusy {
        /// Its name.
        name: String,
        /// Who or what.
        why: String,
    },
    /// There is no home folder to keep things in.
    #[error("there is no home folder to keep the board in")]
    NoHome,
    /// A file or folder.
    #[error("could not {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The lock that says who is the engine.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The terminal.
    #[error("the terminal cannot be used: {0}")]
    Terminal(std::io::Error),
}
