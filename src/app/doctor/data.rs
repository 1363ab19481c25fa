//! The data directory and the database in it: there, yours alone, writable, with room, whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::config::Loaded;
use crate::engine::free_disk;
use crate::store::{Reader, StoreError};
use crate::ui::widget::format::{bytes, counted};

use super::{Check, Health, Mending, Patient};

const FOLDER: &str = "data directory";
const DATABASE: &str = "database";
/// With less room the database itself cannot be written for long, in bytes.
const ROOM_NEEDED: u64 = 50 << 20;

pub(super) fn look(patient: &Patient, settings: Option<&Loaded>) -> Vec<Check> {
    let folder = &patient.paths.data_dir;
    if !folder.exists() {
        return vec![not_there(folder)];
    }
    let mut checks = vec![directory(folder, patient.mending)];
    checks.extend(room(folder, settings));
    checks.extend(database(patient));
    checks
}

/// Says whether a folder that is not there yet can be made: the nearest one above it decides.
fn not_there(folder: &Path) -> Check {
    let shown = folder.display();
    // A link that leads nowhere is there, and no folder can be made in its place.
    let nearest = folder.ancestors().find(|above| above.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    let why_not = match nearest.metadata() {
        Err(error) => Some(error.to_string()),
        Ok(data) if !data.is_dir() => Some("it is no folder".to_owned()),
        Ok(_) => tempfile::Builder::new().prefix(".doctor-").tempdir_in(nearest).err().map(|error| error.to_string()),
    };
    match why_not {
        None => Check::ok(FOLDER, format!("{shown} is not there yet; it is made on first use")),
        Some(why) => Check::error(
            FOLDER,
            format!("{shown} cannot be made in {}: {why}", nearest.display()),
            "name another one with DRAFT_DATA_DIR",
        ),
    }
}

/// Returns what a file system that other machines share is called; nothing for one of this machine. The numbers are those of
/// statfs(2).
fn shared_between_machines(folder: &Path) -> Option<&'static str> {
    kind_of(u32::try_from(rustix::fs::statfs(folder).ok()?.f_type).ok()?)
}

fn kind_of(file_system: u32) -> Option<&'static str> {
    match file_system {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("a Windows share"),
        0x0102_1997 => Some("9p"),
        0x5346_414f => Some("AFS"),
        _ => None,
    }
}

fn directory(folder: &Path, mending: Mending) -> Check {
    let shown = folder.display();
    let data = match folder.metadata() {
        Ok(data) => data,
        Err(error) => return Check::error(FOLDER, format!("{shown}: {error}"), "name another one with DRAFT_DATA_DIR"),
    };
    if !data.is_dir() {
        return Check::error(
            FOLDER,
            format!("{shown} is no folder"),
            "move it away, or name another with DRAFT_DATA_DIR",
        );
    }
    if let Err(error) = tempfile::Builder::new().prefix(".doctor-").tempfile_in(folder) {
        let fix = format!("make it yours: `chown -R $USER {shown}`, `chmod 700 {shown}`; or free some space");
        return Check::error(FOLDER, format!("{shown} cannot be written: {error}"), fix);
    }
    if let Some(kind) = shared_between_machines(folder) {
        let message = format!("{shown} is on {kind}, where locks and the database's log may not hold");
        return Check::warning(FOLDER, message, "name one on a disk of this machine with DRAFT_DATA_DIR");
    }
    let mode = data.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Check::ok(FOLDER, format!("{shown}, yours alone"));
    }
    let message = format!("{shown} can be used by others (mode {mode:03o}), and it holds all that agents print");
    let check = Check::warning(FOLDER, message, format!("`chmod 700 {shown}`, or `draft doctor --fix`"));
    match mending {
        Mending::No => check,
        Mending::WhatIsSafe => match fs::set_permissions(folder, Permissions::from_mode(0o700)) {
            Ok(()) => Check { mended: Some(true), ..Check::ok(FOLDER, format!("{shown} is yours alone now")) },
            Err(error) => Check { mended: Some(false), message: format!("{}: {error}", check.message), ..check },
        },
    }
}

fn room(folder: &Path, settings: Option<&Loaded>) -> Option<Check> {
    let free = free_disk(folder)?;
    let wanted = settings.map_or(0, |loaded| loaded.config.execute_config.min_free_disk);
    let name = "disk";
    let fix = "free some space, or move the folder to another disk and set DRAFT_DATA_DIR";
    Some(if free < ROOM_NEEDED {
        Check::error(name, format!("only {} are free where Draft keeps everything", bytes(free)), fix)
    } else if free < wanted {
        let message = format!("{} are free, and no agent starts below {} (min_free_disk)", bytes(free), bytes(wanted));
        Check::warning(name, message, fix)
    } else {
        Check::ok(name, format!("{} free", bytes(free)))
    })
}

fn database(patient: &Patient) -> Vec<Check> {
    let path = patient.paths.database();
    if !path.exists() {
        return vec![Check::ok(DATABASE, "there is none yet; it is made on first use")];
    }
    let mut checks = vec![match sound(&path) {
        Ok(check) => check,
        Err(error) => Check::error(DATABASE, error.to_string(), advice(&error)),
    }];
    checks.extend(backups(&patient.paths.data_dir));
    checks
}

fn sound(path: &Path) -> Result<Check, StoreError> {
    let reader = Reader::open(path)?;
    let complaints = reader.complaints()?;
    if complaints.is_empty() {
        // What is not in the file itself yet is in the one beside it.
        let wal = path.with_extension("db-wal");
        let size = bytes([path, &wal].iter().map(|file| file.metadata().map_or(0, |data| data.len())).sum());
        return Ok(Check::ok(DATABASE, format!("whole, schema {}, {size}", reader.schema()?)));
    }
    let fix = format!("stop Draft, keep a copy, and rescue what is left: `sqlite3 {} .recover`", path.display());
    Ok(Check::error(DATABASE, format!("{} is damaged: {}", path.display(), complaints.join("; ")), fix))
}

/// Says what to do where the message itself does not.
fn advice(error: &StoreError) -> &'static str {
    match error {
        StoreError::Locked { .. } => "close what has it open, then look again",
        StoreError::Older { .. } => "open the board once with `draft`",
        StoreError::Newer { .. } => "update draft",
        StoreError::Full { .. } => "free some space",
        StoreError::ReadOnly { .. } | StoreError::CannotOpen { .. } => "make the file and its folder yours",
        StoreError::Corrupt { .. } | StoreError::NotOurs { .. } => {
            "move it away, and bring a copy back if there is one"
        }
        StoreError::Conflict { .. }
        | StoreError::Invalid { .. }
        | StoreError::Backup { .. }
        | StoreError::Closed { .. }
        | StoreError::Sqlite { .. } => "look again; if it stays, keep a copy and report it",
    }
}

/// The copies that were made before the schema changed. They are yours to delete.
fn backups(folder: &Path) -> Option<Check> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_copy = |name: &str| name.starts_with("draft.db.v") && name.ends_with(".bak");
    let copies = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_copy));
    let sizes: Vec<u64> = copies.map(|entry| entry.metadata().map_or(0, |data| data.len())).collect();
    if sizes.is_empty() {
        return None;
    }
    let count = counted(sizes.len() as u64, "copy", "copies");
    let message = format!("{count} of older schemas, {}", bytes(sizes.iter().sum()));
    let fix = format!("delete {}/draft.db.v*.bak when all is well", folder.display());
    Some(Check::new("database copies", Health::Ok, message, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_that_machines_share_are_told_from_those_of_this_one() {
        for (number, kind) in
            [(0x6969, "NFS"), (0xff53_4d42, "a Windows share"), (0x0102_1997, "9p"), (0x5346_414f, "AFS")]
        {
            assert_eq!(kind_of(number), Some(kind));
        }
        // ext4, btrfs, xfs, tmpfs, overlay.
        for own in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x794c_7630] {
            assert_eq!(kind_of(own), None, "{own:#x}");
        }
    }
}
