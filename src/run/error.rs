//! What can go wrong with a run's folder and its processes.

use std::io;
use std::path::{Path, PathBuf};

/// Something could not be done with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file or folder of the run could not be read or written.
    #[error("could not {doing} {path}: {source}. Is the disk full, or the folder gone?")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder of the run is there already; a run is never started twice in one folder.
    #[error("the run {path} exists already; give the new run the next number")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file of the run cannot be understood.
    #[error("{path} is damaged or from a newer Draft: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The run cannot be settled, since its supervisor lives.
    #[error("the run {path} is still going on; stop it first")]
    StillRunning {
        /// The folder.
        path: PathBuf,
    },
    /// The supervisor could not be started.
    #[error(
        "could not start the supervisor `{program} supervise {folder}`: {source}. Was the program moved or deleted?"
    )]
    Launch {
        /// Draft's own program.
        program: PathBuf,
        /// The run's folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A process could not be watched or signalled.
    #[error("could not {doing} process {pid}: {source}")]
    Process {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The process.
        pid: i32,
        /// What the system said.
        source: io::Error,
    },
}

impl RunError {
    /// Returns a function that makes an error of what the system said, for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    /// Returns an error about a file that cannot be understood.
    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}
