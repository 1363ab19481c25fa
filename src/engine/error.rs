//! What can go wrong in the engine.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::ConfigErrors;
use crate::domain::branch_template::TemplateError;
use crate::domain::command::Refused;
use crate::executor::invocation::CannotInvoke;
use crate::git::GitError;
use crate::run::error::RunError;
use crate::store::StoreError;

/// Why the engine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A supervised run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An agent cannot be called like this.
    #[error(transparent)]
    Executor(#[from] CannotInvoke),
    /// A configuration file.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The setting for branch names is none.
    #[error("workspace_config.branch_template: {0}")]
    BranchTemplate(#[from] TemplateError),
    /// A file of the run that could not be read.
    #[error("could not read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that could not be written.
    #[error("could not write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was left of a run that never started could not be removed.
    #[error("could not remove {path}: {source}")]
    Remove {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The board is not in the database any more.
    #[error("the board {0} is not in the database any more")]
    NoBoard(String),
    /// The rules refused a fact, which happens when a job was decided elsewhere meanwhile.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// What was decided could not be stored, so it did not happen.
    #[error("it could not be saved: {0}")]
    NotSaved(StoreError),
    /// A run lost its worktree or its change; nothing says what it left.
    #[error("{0} has no worktree on record")]
    NoWorktree(crate::domain::id::TicketNumber),
    /// The engine is shutting down.
    #[error("the engine has stopped")]
    Stopped,
    /// The file of the engine's lock was deleted, and another process took its place.
    #[error("the file of this board's lock was deleted, and another Draft is the engine now")]
    Replaced,
    /// A task of the engine panicked; the log file has the details.
    #[error("an internal error: {0}")]
    Panicked(String),
}

impl EngineError {
    /// Says whether a job can only be given up: the engine goes on, and doing the same again would fail again.
    pub(super) fn ends_a_job(&self) -> bool {
        !self.may_pass() && !matches!(self, Self::Stopped)
    }

    /// Says whether doing the same again can work, once somebody has freed space or let go of a lock.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Store(error) | Self::NotSaved(error) => error.may_pass(),
            Self::Run(RunError::Io { source, .. })
            | Self::Git(GitError::Io { source, .. })
            | Self::Read { source, .. }
            | Self::Write { source, .. }
            | Self::Remove { source, .. } => is_about_space(source),
            // Git tells it in words, or not at all.
            Self::Git(GitError::Failed { stderr, dir, .. }) => says_no_space(stderr) || is_full(dir),
            Self::Git(GitError::Read { why, .. }) => says_no_space(why),
            Self::Run(_)
            | Self::Git(_)
            | Self::Executor(_)
            | Self::Config(_)
            | Self::BranchTemplate(_)
            | Self::NoBoard(_)
            | Self::Refused(_)
            | Self::NoWorktree(_)
            | Self::Stopped
            | Self::Replaced
            | Self::Panicked(_) => false,
        }
    }
}

fn is_about_space(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Less than this is too little to tell whether it was the reason.
const LITTLE: u64 = 1 << 20;

/// Says whether the disk of this folder, or of where it was to be, has next to no space.
fn is_full(dir: &Path) -> bool {
    let disk = dir.ancestors().find_map(|dir| rustix::fs::statvfs(dir).ok());
    disk.is_some_and(|disk| {
        disk.f_bavail.saturating_mul(disk.f_frsize) < LITTLE || disk.f_files > 0 && disk.f_favail == 0
    })
}

fn says_no_space(text: &str) -> bool {
    ["No space left on device", "Disk quota exceeded"].iter().any(|words| text.contains(words))
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The rules say no.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// It could not be done.
    #[error(transparent)]
    Failed(#[from] EngineError),
}
