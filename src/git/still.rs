//! Whether a worktree is still as it was when a snapshot of it was taken, told without reading a file or starting git.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sha1_smol::{Digest, Sha1};

use super::tree::{Snapshot, snapshot};
use super::validate::Place;
use super::{GitError, Repo};
use crate::domain::ticket::Worktree;

/// In larger worktrees the look takes as long as git does.
const FILES_MAX: usize = 2_000;

/// How long the time of a file may stand still in which it is written twice: the longest tick of Linux's clock for files.
const TICK: Duration = Duration::from_millis(10);

/// What snapshots found, for each worktree until it is asked for.
#[derive(Debug, Default)]
pub struct Still {
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// What a worktree was like just before its snapshot, and what the snapshot found.
#[derive(Debug)]
struct Known {
    sum: Digest,
    tree: String,
}

impl Still {
    /// Takes a snapshot ([`snapshot`]) and remembers what the worktree was like.
    ///
    /// # Errors
    /// Those of [`snapshot`].
    pub fn snapshot(&self, repo: &Repo, worktree: &Worktree, litter: &[String]) -> Result<Snapshot, GitError> {
        // Before git reads the files: what is written from here on changes the sum.
        let sum = sum(&worktree.path, SystemTime::now());
        let taken = snapshot(repo, worktree, litter)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match sum {
            Some(sum) => drop(known.insert(worktree.path.clone(), Known { sum, tree: taken.tree.clone() })),
            None => drop(known.remove(&worktree.path)),
        }
        Ok(taken)
    }

    /// Returns the tree that the last snapshot found, if nothing in the worktree was written, made or removed since; nothing
    /// also where that is not sure. What was found is forgotten with that.
    pub fn tree(&self, worktree: &Worktree) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&worktree.path)?;
        // However young a file is by now: one that was written since the snapshot has another time than it had.
        let now = sum(&worktree.path, SystemTime::now() + TICK)?;
        (now == known.sum).then_some(known.tree)
    }
}

/// Returns a sum over all that the system knows of the files of a worktree, without their content; nothing where they are too
/// many, cannot be read, or are so young at `begin` that one of them might be written again without a sign of it.
fn sum(root: &Path, begin: SystemTime) -> Option<Digest> {
    let git_dir = Place::of(root).ok()?.git_dir;
    let mut sum = Sum { sha1: Sha1::new(), files: 0, begin };
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        sum.add(&folder, &folder.symlink_metadata().ok()?)?;
        for entry in folder.read_dir().ok()? {
            let path = entry.ok()?.path();
            let about = path.symlink_metadata().ok()?;
            if about.is_dir() {
                folders.push(path);
            } else {
                sum.add(&path, &about)?;
            }
        }
    }
    // With the files of its own git folder on which a tree depends.
    for name in ["index", "info/sparse-checkout", "config.worktree"] {
        let path = git_dir.join(name);
        match path.symlink_metadata() {
            Ok(about) => sum.add(&path, &about)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return None,
        }
    }
    Some(sum.sha1.digest())
}

struct Sum {
    sha1: Sha1,
    files: usize,
    begin: SystemTime,
}

impl Sum {
    fn add(&mut self, path: &Path, about: &Metadata) -> Option<()> {
        self.files += 1;
        let changed = Duration::new(u64::try_from(about.ctime()).ok()?, u32::try_from(about.ctime_nsec()).ok()?);
        if self.files > FILES_MAX || SystemTime::UNIX_EPOCH + changed + TICK >= self.begin {
            return None;
        }
        self.sha1.update(path.as_os_str().as_bytes());
        self.sha1.update(&[0]);
        let numbers = [about.dev(), about.ino(), about.size(), u64::from(about.mode())];
        numbers.iter().for_each(|number| self.sha1.update(&number.to_ne_bytes()));
        let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        times.iter().for_each(|time| self.sha1.update(&time.to_ne_bytes()));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::super::testing::{Sandbox, until, write};
    use super::*;

    /// A worktree with an edit, and what a snapshot found once its files were old enough.
    fn seen() -> (Sandbox, Worktree, Still, Snapshot) {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        write(&worktree.path, "a.txt", "edited\n");
        until("its files are old enough", || sum(&worktree.path, SystemTime::now()).is_some());
        let still = Still::default();
        let found = still.snapshot(&sandbox.repo(), &worktree, &[]).unwrap();
        (sandbox, worktree, still, found)
    }

    #[test]
    fn a_worktree_that_nobody_touched_is_known_once() {
        let (_sandbox, worktree, still, found) = seen();
        assert_eq!(still.tree(&worktree), Some(found.tree));
        assert_eq!(still.tree(&worktree), None);
    }

    #[test]
    fn whatever_somebody_did_meanwhile_shows() {
        let edits: [fn(&Path); 8] = [
            |dir| write(dir, "a.txt", "editeD\n"),
            |dir| write(dir, "new.txt", "new\n"),
            |dir| write(dir, "src/deep/new.txt", "new\n"),
            |dir| fs::remove_file(dir.join("src/b.txt")).unwrap(),
            |dir| fs::rename(dir.join("src/b.txt"), dir.join("src/c.txt")).unwrap(),
            |dir| fs::set_permissions(dir.join("a.txt"), Permissions::from_mode(0o755)).unwrap(),
            |dir| {
                // A write that gives the old time back.
                let file = dir.join("a.txt");
                let time = fs::metadata(&file).unwrap().modified().unwrap();
                fs::write(&file, "EDITED\n").unwrap();
                fs::File::open(&file).unwrap().set_modified(time).unwrap();
            },
            |dir| {
                // Another file of the same size and time in its place.
                let (file, beside) = (dir.join("a.txt"), dir.join("beside"));
                let time = fs::metadata(&file).unwrap().modified().unwrap();
                fs::write(&beside, "EDITED\n").unwrap();
                fs::File::open(&beside).unwrap().set_modified(time).unwrap();
                fs::rename(beside, file).unwrap();
            },
        ];
        for (n, edit) in edits.into_iter().enumerate() {
            let (_sandbox, worktree, still, _) = seen();
            edit(&worktree.path);
            assert_eq!(still.tree(&worktree), None, "edit {n}");
        }
    }

    #[test]
    fn what_the_index_leaves_out_counts() {
        let (sandbox, worktree, still, _) = seen();
        sandbox.run(&worktree.path, "update-index --skip-worktree src/b.txt");
        assert_eq!(still.tree(&worktree), None);
    }

    #[test]
    fn nothing_is_sure_of_files_as_young_as_the_snapshot_or_of_too_many() {
        let (_sandbox, worktree, ..) = seen();
        let written = fs::metadata(worktree.path.join("a.txt")).unwrap().modified().unwrap();
        assert_eq!(sum(&worktree.path, written + TICK), None);
        for n in 0..=FILES_MAX {
            write(&worktree.path, &format!("many/{n}"), "");
        }
        assert_eq!(sum(&worktree.path, SystemTime::now() + Duration::from_secs(60)), None);
    }
}
