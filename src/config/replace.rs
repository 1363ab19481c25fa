//! Puts a new text in the place of a file, or where there is none yet, whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a file beside the old one and puts it in its place; where a link leads elsewhere, it is put there.
///
/// # Errors
/// When that cannot be done; the old file is as it was.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let target: PathBuf = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(&target) {
        beside.as_file().set_permissions(old.permissions())?;
    }
    beside.as_file().sync_all()?;
    beside.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a new file, whole or not at all. What has that name already stays, links too.
///
/// # Errors
/// When that cannot be done; `AlreadyExists` when the name is taken.
pub fn create(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    // It is to be read like the files around it: as the user's mask says.
    let readable = fs::Permissions::from_mode(0o666);
    let mut beside = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().sync_all()?;
    beside.persist_noclobber(file).map_err(|error| error.error)?;
    Ok(())
}
