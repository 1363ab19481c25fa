//! Brings an older database up to date: a copy beside it first, then one transaction for each step.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{Fault, StoreError};
use super::open::{APPLICATION_ID, Content, content};

/// The steps from an empty file to the newest schema. A released step is history; add one at the end.
pub(super) const STEPS: &[&str] = &[
    include_str!("../../assets/schema/0001_first.sql"),
    include_str!("../../assets/schema/0002_again.sql"),
    include_str!("../../assets/schema/0003_edit.sql"),
    include_str!("../../assets/schema/0004_goals.sql"),
    include_str!("../../assets/schema/0005_review.sql"),
    include_str!("../../assets/schema/0006_sight.sql"),
    include_str!("../../assets/schema/0007_surroundings.sql"),
    include_str!("../../assets/schema/0008_spent.sql"),
    include_str!("../../assets/schema/0009_autonomy.sql"),
    include_str!("../../assets/schema/0010_pull_requests.sql"),
    include_str!("../../assets/schema/0011_revert.sql"),
    include_str!("../../assets/schema/0012_boards.sql"),
    include_str!("../../assets/schema/0013_checklist.sql"),
    include_str!("../../assets/schema/0014_recheck.sql"),
    include_str!("../../assets/schema/0015_kept.sql"),
];

/// Returns the schema that those steps lead to.
pub(super) fn known(steps: &[&str]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX)
}

/// Does the steps that the file lacks. The caller has made sure that it is ours and not newer.
pub(super) fn migrate(db: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let numbered: Vec<(u32, &str)> = (1..).zip(steps.iter().copied()).collect();
    match content(db).map_err(|fault| fault.at(path))? {
        Content::Schema(found) if found < known(steps) => back_up(db, path, found)?,
        // A new file is never seen half made, by a second process that starts at the same moment.
        Content::Nothing => return do_steps(db, &numbered).map_err(|fault| fault.at(path)),
        Content::Schema(_) | Content::Foreign => {}
    }
    numbered.chunks(1).try_for_each(|step| do_steps(db, step)).map_err(|fault| fault.at(path))
}

/// Does those of the steps that the file lacks, in one transaction.
fn do_steps(db: &mut Connection, steps: &[(u32, &str)]) -> Result<(), Fault> {
    let lacks = |found: u32| steps.iter().filter(move |(version, _)| found < *version);
    if lacks(user_version(db)?).next().is_none() {
        return Ok(());
    }
    // A step may make a table anew to which others refer. Within a transaction this cannot be said any more.
    db.pragma_update(None, "foreign_keys", false)?;
    let done = in_one_transaction(db, steps);
    db.pragma_update(None, "foreign_keys", true)?;
    done
}

fn in_one_transaction(db: &mut Connection, steps: &[(u32, &str)]) -> Result<(), Fault> {
    let lacks = |found: u32| steps.iter().filter(move |(version, _)| found < *version);
    let tx = Transaction::new(db, TransactionBehavior::Immediate)?;
    // Another process may have done a step while we waited for the lock.
    for (version, step) in lacks(user_version(&tx)?) {
        tx.execute_batch(step)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", version)?;
    }
    if tx.prepare("PRAGMA foreign_key_check")?.exists([])? {
        let why = "a row refers to one that is not there".to_owned();
        return Err(Fault::Conflict { what: "the newer schema".to_owned(), why });
    }
    tx.commit()?;
    Ok(())
}

fn user_version(db: &Connection) -> rusqlite::Result<u32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Copies the database to `<name>.v<N>.bak` beside it. The copy gets its name only once it is whole and on disk.
fn back_up(db: &Connection, path: &Path, version: u32) -> Result<(), StoreError> {
    let backup = beside(path, &format!(".v{version}.bak"));
    let unfinished = beside(path, &format!(".v{version}.{}.part", std::process::id()));
    let copied = copy(db, &unfinished).and_then(|()| {
        fs::rename(&unfinished, &backup).map_err(|error| error.to_string())?;
        sync_folder(path).map_err(|error| error.to_string())
    });
    copied.map_err(|why| {
        // It may not exist, and the first error is the one that matters.
        let _ = fs::remove_file(&unfinished);
        StoreError::Backup { path: path.to_owned(), why }
    })
}

fn copy(db: &Connection, to: &Path) -> Result<(), String> {
    // SQLite writes into an empty file that exists, so the copy is private from its first byte.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to);
    let file = file.map_err(|error| error.to_string())?;
    let name = to.to_str().ok_or_else(|| format!("`{}` is not UTF-8", to.display()))?;
    db.execute("VACUUM INTO :to", rusqlite::named_params! { ":to": name }).map_err(|error| error.to_string())?;
    file.sync_all().map_err(|error| error.to_string())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Returns the path with something after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
