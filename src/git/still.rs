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

/// How often a snapshot waits a tick for files that were written a moment ago. Each later look without git is worth more.
const WAITS: u32 = 3;

/// What the newest snapshot of each worktree found.
#[derive(Debug, Default)]
pub struct Still {
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// What a worktree was like just before its snapshot, and what the snapshot found.
#[derive(Clone, Debug)]
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
        let sum = settled_sum(&worktree.path);
        let taken = snapshot(repo, worktree, litter)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match sum {
            Some(sum) => drop(known.insert(worktree.path.clone(), Known { sum, tree: taken.tree.clone() })),
            None => drop(known.remove(&worktree.path)),
        }
        Ok(taken)
    }

    /// Returns the tree that the last snapshot found, if nothing in the worktree was written, made or removed since; nothing
    /// also where that is not sure.
    pub fn tree(&self, worktree: &Worktree) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&worktree.path).cloned()?;
        // However young a file is by now: one that was written since the snapshot has another time than it had.
        let now = sum(&worktree.path, SystemTime::now() + TICK).ok()?;
        (now == known.sum).then_some(known.tree)
    }

    /// Returns the tree that a worktree holds now: that of the last snapshot, or that of a new one.
    ///
    /// # Errors
    /// Those of [`snapshot`].
    pub fn now(&self, repo: &Repo, worktree: &Worktree, litter: &[String]) -> Result<String, GitError> {
        match self.tree(worktree) {
            Some(tree) => Ok(tree),
            None => self.snapshot(repo, worktree, litter).map(|taken| taken.tree),
        }
    }

    /// Forgets a worktree that is gone.
    pub fn forget(&self, worktree: &Path) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(worktree);
    }
}

/// Why nothing is sure of a worktree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unsure {
    /// A file is so young that it might be written again without a sign of it.
    Young,
    /// There are too many files, or one cannot be looked at.
    Whatever,
}

/// Returns the sum of a worktree once its files are old enough.
fn settled_sum(root: &Path) -> Option<Digest> {
    for _ in 0..WAITS {
        match sum(root, SystemTime::now()) {
            Ok(sum) => return Some(sum),
            Err(Unsure::Young) => std::thread::sleep(TICK),
            Err(Unsure::Whatever) => return None,
        }
    }
    sum(root, SystemTime::now()).ok()
}

/// Returns a sum over all that the system knows of the files of a worktree, without their content. No file may be so young at
/// `begin` that it might be written again without a sign of it.
fn sum(root: &Path, begin: SystemTime) -> Result<Digest, Unsure> {
    let git_dir = Place::of(root).map_err(whatever)?.git_dir;
    let mut sum = Sum { sha1: Sha1::new(), files: 0, begin };
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        sum.add(&folder, &folder.symlink_metadata().map_err(whatever)?)?;
        for entry in folder.read_dir().map_err(whatever)? {
            let path = entry.map_err(whatever)?.path();
            let about = path.symlink_metadata().map_err(whatever)?;
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
            Err(_) => return Err(Unsure::Whatever),
        }
    }
    Ok(sum.sha1.digest())
}

fn whatever<E>(_: E) -> Unsure {
    Unsure::Whatever
}

struct Sum {
    sha1: Sha1,
    files: usize,
    begin: SystemTime,
}

impl Sum {
    fn add(&mut self, path: &Path, about: &Metadata) -> Result<(), Unsure> {
        self.files += 1;
        let seconds = u64::try_from(about.ctime()).map_err(whatever)?;
        let changed = Duration::new(seconds, u32::try_from(about.ctime_nsec()).map_err(whatever)?);
        if self.files > FILES_MAX {
            return Err(Unsure::Whatever);
        }
        if SystemTime::UNIX_EPOCH + changed + TICK >= self.begin {
            return Err(Unsure::Young);
        }
        self.sha1.update(path.as_os_str().as_bytes());
        self.sha1.update(&[0]);
        let numbers = [about.dev(), about.ino(), about.size(), u64::from(about.mode())];
        numbers.iter().for_each(|number| self.sha1.update(&number.to_ne_bytes()));
        let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        times.iter().for_each(|time| self.sha1.update(&time.to_ne_bytes()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::super::testing::{Sandbox, write};
    use super::*;

    /// A worktree with an edit, and what a snapshot found once its files were old enough.
    fn seen() -> (Sandbox, Worktree, Still, Snapshot) {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        write(&worktree.path, "a.txt", "edited\n");
        let still = Still::default();
        let found = still.snapshot(&sandbox.repo(), &worktree, &[]).unwrap();
        (sandbox, worktree, still, found)
    }

    #[test]
    fn a_worktree_that_nobody_touched_is_known_until_somebody_does() {
        let (sandbox, worktree, still, found) = seen();
        for _ in 0..2 {
            assert_eq!(still.tree(&worktree).as_ref(), Some(&found.tree));
        }
        write(&worktree.path, "a.txt", "again\n");
        let now = still.now(&sandbox.repo(), &worktree, &[]).unwrap();
        assert_ne!(now, found.tree);
        assert_eq!(still.tree(&worktree), Some(now));
        still.forget(&worktree.path);
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
        assert_eq!(sum(&worktree.path, written + TICK), Err(Unsure::Young));
        for n in 0..=FILES_MAX {
            write(&worktree.path, &format!("many/{n}"), "");
        }
        assert_eq!(sum(&worktree.path, SystemTime::now() + Duration::from_secs(60)), Err(Unsure::Whatever));
    }
}
