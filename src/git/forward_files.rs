//! The files that differ between two commits, in a work tree that is to follow from one to the other.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::invoke::LONG;
use super::{GitError, Repo};
use crate::domain::landing::Intent;

/// How many paths go into one call of git.
const AT_ONCE: usize = 500;

/// The files that differ between two commits.
pub(super) struct Changed {
    /// Those that are only in the new one.
    added: Vec<PathBuf>,
    /// The others.
    other: Vec<PathBuf>,
    /// What each is in the new one.
    new: HashMap<PathBuf, String>,
}

impl Changed {
    pub(super) fn between(repo: &Repo, intent: &Intent) -> Result<Self, GitError> {
        let args = ["diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", &intent.from, &intent.to];
        let said = repo.git.reading(repo.common_dir()).args(args).run()?;
        let mut fields = said.split(|byte| *byte == 0);
        let mut changed = Self { added: Vec::new(), other: Vec::new(), new: HashMap::new() };
        while let (Some(about), Some(path)) = (fields.next(), fields.next()) {
            // `:<mode> <mode> <object> <object> <status>`
            let about = String::from_utf8_lossy(about);
            let about: Vec<&str> = about.split(' ').collect();
            let path = PathBuf::from(OsStr::from_bytes(path));
            if let [_, _, _, new, status] = about[..] {
                changed.new.insert(path.clone(), new.to_owned());
                if status == "A" { &mut changed.added } else { &mut changed.other }.push(path);
            }
        }
        Ok(changed)
    }

    /// Returns those of them that are on the disk as the new commit has them, or gone.
    pub(super) fn written(mut self, repo: &Repo, checkout: &Path) -> Result<Self, GitError> {
        let is_file = |path: &&PathBuf| checkout.join(path).symlink_metadata().is_ok_and(|meta| meta.is_file());
        let is_plain = |path: &&PathBuf| !path.as_os_str().as_bytes().contains(&b'\n');
        let there: Vec<PathBuf> = self.new.keys().filter(is_file).filter(is_plain).cloned().collect();
        let list: Vec<u8> = there.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\n"].concat()).collect();
        let said = repo.git.reading(checkout).args(["hash-object", "--stdin-paths"]).input(list).within(LONG).run()?;
        let said = String::from_utf8_lossy(&said);
        let same = there
            .into_iter()
            .zip(said.lines())
            .filter(|(path, found)| self.new.get(path).is_some_and(|new| new == found));
        let same: HashSet<PathBuf> = same.map(|(path, _)| path).collect();
        let is_gone = |path: &PathBuf| checkout.join(path).symlink_metadata().is_err();
        self.added.retain(|path| same.contains(path));
        self.other.retain(|path| same.contains(path) || is_gone(path));
        Ok(self)
    }

    /// Returns what of the user's own git would write over though it does not take it for a change: what it ignores, and files
    /// that the user has deleted.
    pub(super) fn would_lose(&self, repo: &Repo, checkout: &Path) -> Result<Vec<PathBuf>, GitError> {
        let mut there: Vec<&Path> = self.added.iter().filter_map(|path| occupied(checkout, path)).collect();
        there.sort_unstable();
        there.dedup();
        let mut lost = Vec::new();
        for some in there.chunks(AT_ONCE) {
            // Without standard excludes: ignored ones too.
            let call = repo.git.reading(checkout).args(["--literal-pathspecs", "ls-files", "-z", "--others", "--"]);
            lost.extend(paths(&call.args(some).run()?));
        }
        let is_gone = |path: &&PathBuf| checkout.join(path).symlink_metadata().is_err();
        let gone: Vec<&PathBuf> = self.other.iter().filter(is_gone).collect();
        for some in gone.chunks(AT_ONCE) {
            let call = repo.git.reading(checkout).args(["--literal-pathspecs", "ls-files", "-z", "--deleted", "--"]);
            lost.extend(paths(&call.args(some).run()?));
        }
        Ok(lost)
    }

    /// Returns the files of this change that the user has changed, in the index or in the work tree.
    pub(super) fn of_the_user(&self, repo: &Repo, checkout: &Path, from: &str) -> Result<Vec<PathBuf>, GitError> {
        let said = repo.git.reading(checkout).args(["diff-index", "-z", "--name-only", "--no-renames", from]).run()?;
        let all: HashSet<&PathBuf> = self.added.iter().chain(&self.other).collect();
        let mut own: Vec<PathBuf> = paths(&said).filter(|path| all.contains(path)).collect();
        let others = repo.git.reading(checkout).args(["ls-files", "-z", "--others", "--exclude-standard"]).run()?;
        own.extend(paths(&others).filter(|path| all.contains(path)));
        Ok(own)
    }

    /// Takes back what was written before something failed. That all of it was as the old commit has it had been looked up
    /// before anything was written.
    pub(super) fn put_back(&self, repo: &Repo, checkout: &Path, intent: &Intent) -> Result<(), GitError> {
        let staged = ["diff-index", "--cached", "-z", "--name-only", "--no-renames", &intent.from];
        let staged: HashSet<PathBuf> = paths(&repo.git.reading(checkout).args(staged).run()?).collect();
        let mine = |path: &&PathBuf| !staged.contains(*path);
        for path in self.added.iter().filter(mine) {
            remove_added(checkout, path)?;
        }
        let mut list = Vec::new();
        for path in self.other.iter().filter(mine) {
            list.extend_from_slice(path.as_os_str().as_bytes());
            list.push(0);
        }
        let restore = ["checkout-index", "--force", "--index", "-q", "-z", "--stdin"];
        repo.git.writing(checkout).args(restore).input(list).within(LONG).run()?;
        if self.new.keys().any(|path| staged.contains(path)) {
            // The index is at the new commit already.
            let files = ["read-tree", "-m", "-u", "--no-recurse-submodules", &intent.to, &intent.from];
            repo.git.writing(checkout).args(files).within(LONG).run()?;
        }
        Ok(())
    }
}

/// Removes a file that was written half way through, and the folders that are empty without it.
fn remove_added(checkout: &Path, path: &Path) -> Result<(), GitError> {
    let file = checkout.join(path);
    match fs::remove_file(&file) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(GitError::io("remove", file)(error)),
    }
    for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        if fs::remove_dir(checkout.join(folder)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Returns what is in a work tree where a new file is to be: itself, or what is no folder on the way to it.
fn occupied<'a>(checkout: &Path, path: &'a Path) -> Option<&'a Path> {
    let mut above: Vec<&Path> = path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    above.reverse();
    for part in above {
        match checkout.join(part).symlink_metadata() {
            Ok(meta) if meta.is_dir() && part != path => {}
            Ok(_) => return Some(part),
            Err(_) => return None,
        }
    }
    None
}

fn paths(said: &[u8]) -> impl Iterator<Item = PathBuf> {
    said.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(|path| PathBuf::from(OsStr::from_bytes(path)))
}
