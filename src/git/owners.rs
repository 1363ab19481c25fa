//! Which data directories have boards of a repository. Each notes itself beside the refs, so that nobody else takes what is
//! its own for left over.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{GitError, Repo};

/// The file in the repository's common folder: paths, each with a NUL after it, since a path may have line ends.
const NAME: &str = "draft-data-dirs";

/// Notes that a data directory has a board of the repository.
///
/// # Errors
/// When the note cannot be read or written.
pub fn note(repo: &Repo, data_dir: &Path) -> Result<(), GitError> {
    if noted(repo)?.iter().any(|known| known == data_dir) {
        return Ok(());
    }
    let path = repo.common_dir().join(NAME);
    let file = File::options().create(true).append(true).mode(0o600).open(&path);
    let mut line = data_dir.as_os_str().as_bytes().to_vec();
    line.push(0);
    // At once, so that two that do this at the same time do not mix.
    file.and_then(|mut file| file.write_all(&line)).map_err(GitError::io("write", &path))
}

/// Returns the data directories that have, or had, boards of the repository.
///
/// # Errors
/// When the note is there and cannot be read.
pub fn noted(repo: &Repo) -> Result<Vec<PathBuf>, GitError> {
    let path = repo.common_dir().join(NAME);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read.map_err(GitError::io("read", &path))?,
    };
    let paths = text.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect())
}
