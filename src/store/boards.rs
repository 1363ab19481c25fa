//! The boards, who is their engine, and the configurations that the user trusts.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::error::{Fault, taken};
use super::rows::{Columns, PathColumn};
use crate::domain::autopilot::Autopilot;
use crate::domain::board::About;
use crate::domain::id::BoardId;
use crate::domain::time::Timestamp;

/// Who says that it is a board's engine. Whether it still is, only the board's lock file tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EngineRow {
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

macro_rules! columns {
    () => {
        "boards.id, boards.name, boards.repo_root, boards.base_branch, boards.created_at"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<About> {
    let mut columns = Columns::of(row);
    Ok(About {
        id: columns.next()?,
        name: columns.next()?,
        repo_root: columns.next::<PathColumn<_>>()?.0,
        base_branch: columns.next()?,
        created_at: columns.next()?,
    })
}

pub(super) fn insert(db: &Connection, about: &About) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO boards (id, name, repo_root, base_branch, created_at)
         VALUES (:id, :name, :repo_root, :base_branch, :created_at)",
    )?
    .execute(named_params! {
        ":id": about.id,
        ":name": about.name,
        ":repo_root": PathColumn(&about.repo_root),
        ":base_branch": about.base_branch,
        ":created_at": about.created_at,
    })
    .map_err(taken(|| format!("the board of `{}`", about.repo_root.display())))?;
    Ok(())
}

pub(super) fn all(db: &Connection) -> Result<Vec<About>, Fault> {
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM boards ORDER BY created_at, id"))?;
    Ok(query.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Returns the boards that were not removed, oldest first.
pub(super) fn present(db: &Connection) -> Result<Vec<About>, Fault> {
    let sql = concat!("SELECT ", columns!(), " FROM boards WHERE removed_at IS NULL ORDER BY created_at, id");
    Ok(db.prepare_cached(sql)?.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Returns the boards that were removed and when, oldest first.
pub(super) fn removed(db: &Connection) -> Result<Vec<(About, Timestamp)>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", boards.removed_at FROM boards WHERE removed_at IS NOT NULL ORDER BY created_at, id"
    );
    let row = |row: &Row<'_>| Ok((read(row)?, row.get("removed_at")?));
    Ok(db.prepare_cached(sql)?.query_map([], row)?.collect::<Result<_, _>>()?)
}

pub(super) fn set_removed(db: &Connection, board: BoardId, at: Option<Timestamp>) -> Result<(), Fault> {
    db.prepare_cached("UPDATE boards SET removed_at = :at WHERE id = :board")?
        .execute(named_params! { ":board": board, ":at": at })?;
    Ok(())
}

pub(super) fn by_id(db: &Connection, id: BoardId) -> Result<Option<About>, Fault> {
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM boards WHERE id = :id"))?;
    Ok(query.query_row(named_params! { ":id": id }, read).optional()?)
}

pub(super) fn by_repo(db: &Connection, repo_root: &Path) -> Result<Option<About>, Fault> {
    let mut query = db.prepare_cached(concat!("SELECT ", columns!(), " FROM boards WHERE repo_root = :repo_root"))?;
    Ok(query.query_row(named_params! { ":repo_root": PathColumn(repo_root) }, read).optional()?)
}

pub(super) fn set_autopilot(db: &Connection, board: BoardId, mode: Autopilot, changed: i64) -> Result<(), Fault> {
    db.prepare_cached("UPDATE boards SET autopilot = :mode, changed = :changed WHERE id = :board")?
        .execute(named_params! { ":board": board, ":mode": mode, ":changed": changed })?;
    Ok(())
}

/// Returns what was said about the board's autopilot, if somebody said it after `since`.
pub(super) fn autopilot_since(db: &Connection, board: BoardId, since: i64) -> Result<Option<Autopilot>, Fault> {
    let mut query = db.prepare_cached("SELECT autopilot FROM boards WHERE id = :board AND changed > :since")?;
    let row = query.query_row(named_params! { ":board": board, ":since": since }, |row| row.get(0));
    Ok(row.optional()?.flatten())
}

pub(super) fn say_engine(db: &Connection, board: BoardId, pid: u32, since: Timestamp) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO engines (board_id, pid, since) VALUES (:board, :pid, :since)
         ON CONFLICT (board_id) DO UPDATE SET pid = excluded.pid, since = excluded.since",
    )?
    .execute(named_params! { ":board": board, ":pid": pid, ":since": since })?;
    Ok(())
}

pub(super) fn engine(db: &Connection, board: BoardId) -> Result<Option<EngineRow>, Fault> {
    let mut query = db.prepare_cached("SELECT pid, since FROM engines WHERE board_id = :board")?;
    let row = query.query_row(named_params! { ":board": board }, |row| {
        Ok(EngineRow { pid: row.get("pid")?, since: row.get("since")? })
    });
    Ok(row.optional()?)
}

pub(super) fn trust(db: &Connection, repo_root: &Path, content: &str, at: Timestamp) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO trusts (repo_root, content, at) VALUES (:repo_root, :content, :at)
         ON CONFLICT (repo_root) DO UPDATE SET content = excluded.content, at = excluded.at",
    )?
    .execute(named_params! { ":repo_root": PathColumn(repo_root), ":content": content, ":at": at })?;
    Ok(())
}

pub(super) fn revoke(db: &Connection, repo_root: &Path) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM trusts WHERE repo_root = :repo_root")?
        .execute(named_params! { ":repo_root": PathColumn(repo_root) })?;
    Ok(())
}

pub(super) fn trusted(db: &Connection, repo_root: &Path) -> Result<Option<String>, Fault> {
    let mut query = db.prepare_cached("SELECT content FROM trusts WHERE repo_root = :repo_root")?;
    Ok(query.query_row(named_params! { ":repo_root": PathColumn(repo_root) }, |row| row.get("content")).optional()?)
}
