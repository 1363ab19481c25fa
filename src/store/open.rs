//! Opens connections: what is made private, which settings hold, and whether a file is ours at all.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use tempfile::NamedTempFile;

use super::error::{Fault, StoreError};
use super::migrate::{self, beside};

/// Marks a database as Draft's: "Drft" in the file's header, which `file` and other programs read too.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"Drft");

/// How long to wait before the mode of the file is set again, where SQLite does not wait by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What a connection may wait and use. The default is right everywhere but in tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long to wait for another process that holds the lock.
    pub busy: Duration,
    /// How many pages the file may have; nothing for as many as the disk takes.
    pub max_pages: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { busy: Duration::from_secs(5), max_pages: None }
    }
}

/// What is in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    /// Nothing yet.
    Nothing,
    /// A database of Draft with this schema.
    Schema(u32),
    /// A database of another program.
    Foreign,
}

/// Opens the database to write, makes it where there is none, and brings an older one up to date.
pub(super) fn to_write(path: &Path, limits: Limits) -> Result<Connection, StoreError> {
    make_file(path).map_err(|error| StoreError::CannotOpen { path: path.to_owned(), why: error.to_string() })?;
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, limits.busy)?;
    if db.is_readonly(MAIN_DB).map_err(|error| Fault::from(error).at(path))? {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    // Before anything is written: a file that is not ours, or newer, stays as it is.
    schema(&db, path)?;
    set_up_writing(&db, limits.busy).map_err(|fault| fault.at(path))?;
    migrate::migrate(&mut db, path, migrate::STEPS)?;
    if let Some(pages) = limits.max_pages {
        db.pragma_update(None, "max_page_count", pages).map_err(|error| Fault::from(error).at(path))?;
    }
    Ok(db)
}

/// Opens a database whose schema is already what this Draft needs.
pub(super) fn existing(path: &Path, mode: OpenFlags, busy: Duration) -> Result<Connection, StoreError> {
    let db = connect(path, mode, busy)?;
    let known = migrate::known(migrate::STEPS);
    match schema(&db, path)? {
        found if found < known => Err(StoreError::Older { path: path.to_owned(), found, known }),
        _ => Ok(db),
    }
}

/// Returns the file's schema, 0 for an empty file; refuses files that are not ours or newer.
fn schema(db: &Connection, path: &Path) -> Result<u32, StoreError> {
    let known = migrate::known(migrate::STEPS);
    match content(db).map_err(|fault| fault.at(path))? {
        Content::Nothing => Ok(0),
        Content::Schema(found) if found > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        Content::Schema(found) => Ok(found),
        Content::Foreign => Err(StoreError::NotOurs { path: path.to_owned() }),
    }
}

pub(super) fn content(db: &Connection) -> Result<Content, Fault> {
    // One read transaction, so that another process that makes the schema right now is seen before or after.
    let tx = db.unchecked_transaction()?;
    let version: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: u32 = tx.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, version, tables) {
        (APPLICATION_ID, version, _) => Content::Schema(version),
        (0, 0, 0) => Content::Nothing,
        _ => Content::Foreign,
    })
}

fn connect(path: &Path, mode: OpenFlags, busy: Duration) -> Result<Connection, StoreError> {
    let open = || -> Result<Connection, Fault> {
        let db = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        db.busy_timeout(busy)?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "trusted_schema", false)?;
        // Statements stay compiled whatever values they are given; their plans do not depend on these.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // All statements of this module fit, so that each is compiled once.
        db.set_prepared_statement_cache_capacity(64);
        Ok(db)
    };
    let db = open().map_err(|fault| fault.at(path))?;
    if is_cut(&db, path).map_err(|fault| fault.at(path))? {
        return Err(StoreError::Corrupt { path: path.to_owned(), why: "the end of the file is missing".to_owned() });
    }
    Ok(db)
}

/// Says whether the file is shorter than its header says. SQLite sees that for whole pages, and not inside the last one.
///
/// With a write-ahead file that has something in it the file may rightly be short; SQLite then completes it. The header
/// is asked of SQLite: whoever opens the file beside it and closes it again drops all locks that this process has on it.
fn is_cut(db: &Connection, path: &Path) -> Result<bool, Fault> {
    // While this transaction lasts nobody else can complete the file and remove what it was completed from.
    let tx = db.unchecked_transaction()?;
    let pages: u32 = tx.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page_size: u32 = tx.pragma_query_value(None, "page_size", |row| row.get(0))?;
    // A file that cannot be looked at is not shown to be cut; SQLite has just read it.
    let is_short = fs::metadata(path).is_ok_and(|file| file.len() < u64::from(pages) * u64::from(page_size));
    let waiting = fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    Ok(is_short && !waiting)
}

/// Sets what only a connection that writes needs.
fn set_up_writing(db: &Connection, busy: Duration) -> Result<(), Fault> {
    let deadline = Instant::now() + busy;
    loop {
        match write_ahead(db) {
            // Two first starts at once. SQLite does not wait here, since it holds a lock itself while it asks for more.
            Err(error) if is_busy(&error) && Instant::now() < deadline => thread::sleep(LOOK_AGAIN),
            done => break done?,
        }
    }
    // In KiB. With less, a commit of thousands of rows writes its pages several times.
    db.pragma_update(None, "cache_size", -32_768)?;
    // A file that grew in one large commit is cut again at the next checkpoint.
    db.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |row| row.get::<_, i64>(0))?;
    Ok(())
}

fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    }
    Ok(())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Makes the file and its folder, private to the user. SQLite gives its -wal and -shm files the mode of the database.
///
/// The file gets its name only when it is closed: closing it later could drop the locks of a connection to it.
fn make_file(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if path.exists() {
        return Ok(());
    }
    match NamedTempFile::new_in(folder)?.into_temp_path().persist_noclobber(path) {
        Ok(()) => Ok(()),
        Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(other) => Err(other.error),
    }
}
