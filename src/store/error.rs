//! What can go wrong with the store, told apart by what a person can do about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};

/// Why the store could not do something. Where it is about a write, nothing of that call was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A row is not as the caller thought. Somebody else was faster: read again and decide anew.
    #[error("could not save {what}: {why}")]
    Conflict {
        /// What was to be saved.
        what: String,
        /// How it is in truth.
        why: String,
    },
    /// A value breaks a rule of the schema: a fault in Draft, which the database did not let through.
    #[error("could not save to `{}`: the database refuses the value: {why}. This is a fault in draft", path.display())]
    Invalid {
        /// The database.
        path: PathBuf,
        /// The rule.
        why: String,
    },
    /// Another process keeps the database locked.
    #[error("`{}` is locked by another process. Close other programs that have it open, then try again", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The disk is full, or the database may not grow.
    #[error("no space left to write `{}`. What was stored before is whole; free some space, then try again", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The database or its folder may not be written.
    #[error("`{}` is read-only. Make the file and its folder writable, or set DRAFT_DATA_DIR to another folder", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The database or its folder cannot be opened or made.
    #[error("could not open `{}`: {why}. Check the folder and its permissions, or set DRAFT_DATA_DIR to another one", path.display())]
    CannotOpen {
        /// The database.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file is damaged or was cut.
    #[error("`{0}` is damaged ({why}). Nothing was changed. Move it away together with its -wal and -shm files, then \
             restore a copy such as `{0}.v*.bak`, or rescue what is left with `sqlite3 {0} .recover`", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// The file is no SQLite database, or one of another program.
    #[error("`{}` is not a database of draft. Nothing was changed; move the file away, or set DRAFT_DATA_DIR to another folder", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A newer Draft wrote the database.
    #[error("`{}` has schema {found}, and this draft knows {known}: a newer draft wrote it. Update draft", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// An older Draft wrote the database, and only a writer brings it up to date.
    #[error("`{}` has schema {found}, and this draft needs {known}. Start `draft` once to bring it up to date", path.display())]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The schema that is needed.
        known: u32,
    },
    /// No copy could be made before a migration, so the migration was not begun.
    #[error("could not copy `{}` before bringing it up to date: {why}. Nothing was changed", path.display())]
    Backup {
        /// The database.
        path: PathBuf,
        /// What failed.
        why: String,
    },
    /// The thread that writes has ended.
    #[error("could not save to `{}`: the thread that writes has ended", path.display())]
    Closed {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("could not read or write `{}`: {source}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
}

impl StoreError {
    /// Says whether doing the same again can work, once somebody has freed space or let go of a lock.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Locked { .. }
            | Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::CannotOpen { .. }
            | Self::Sqlite { .. }
            | Self::Conflict { .. } => true,
            Self::Invalid { .. }
            | Self::Corrupt { .. }
            | Self::NotOurs { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Backup { .. }
            | Self::Closed { .. } => false,
        }
    }

    /// Says whether this one write is at fault, so that others can be saved without it.
    pub fn is_about_one_write(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Invalid { .. })
    }
}

/// An error where SQL is run; which file it is about is known further out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("could not save {what}: {why}")]
    Conflict { what: String, why: String },
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Fault {
    /// Says to which file the error belongs, and what kind it is.
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Conflict { what, why } => StoreError::Conflict { what, why },
            Self::Sqlite(error) => classify(error, path),
        }
    }
}

/// Turns a unique violation into a conflict about `what`; other errors stay.
pub(super) fn taken(what: impl FnOnce() -> String) -> impl FnOnce(rusqlite::Error) -> Fault {
    move |error| match &error {
        rusqlite::Error::SqliteFailure(cause, message)
            if matches!(cause.extended_code, SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY) =>
        {
            // SQLite names the columns of the index; this index is the one that says "one active job".
            let active = message.as_ref().is_some_and(|message| message.ends_with("jobs.ticket_id"));
            let why = if active { "its ticket has an active job already" } else { "there is one already" };
            Fault::Conflict { what: what(), why: why.to_owned() }
        }
        _ => Fault::Sqlite(error),
    }
}

fn classify(error: rusqlite::Error, path: &Path) -> StoreError {
    let path = path.to_owned();
    let Some(code) = error.sqlite_error_code() else {
        return StoreError::Sqlite { path, source: Arc::new(error) };
    };
    let why = error.to_string();
    #[expect(clippy::wildcard_enum_match_arm, reason = "SQLite's codes, of which few mean something to a person")]
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked { path },
        ErrorCode::DiskFull => StoreError::Full { path },
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { path },
        ErrorCode::CannotOpen => StoreError::CannotOpen { path, why },
        ErrorCode::DatabaseCorrupt => StoreError::Corrupt { path, why },
        ErrorCode::NotADatabase => StoreError::NotOurs { path },
        ErrorCode::ConstraintViolation => StoreError::Invalid { path, why },
        _ => StoreError::Sqlite { path, source: Arc::new(error) },
    }
}
