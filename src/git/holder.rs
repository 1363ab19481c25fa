//! Who holds a lock file of git, as far as `/proc` tells. Git itself does not write it down.

use std::fmt;
use std::path::{Path, PathBuf};

use super::registered::settled;

/// A process that has, or may have, a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// What it is called.
    pub name: String,
}

impl Holder {
    /// Finds the process that has the file open, or else a git that works in one of the folders: while it waits for an
    /// editor or a hook, it has closed its lock and holds it all the same.
    pub(super) fn of(lock: &Path, folders: &[&Path]) -> Option<Self> {
        let (lock, folders): (PathBuf, Vec<_>) = (settled(lock), folders.iter().map(|dir| settled(dir)).collect());
        let processes = Path::new("/proc").read_dir().into_iter().flatten().flatten();
        let mut working = None;
        for entry in processes {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let dir = entry.path();
            if has_open(&dir, &lock) {
                return Some(Self { pid, name: name(&dir) });
            }
            // Those of other users cannot be looked at, and cannot have made a file that is ours.
            let is_there = dir.join("cwd").read_link().is_ok_and(|cwd| folders.iter().any(|dir| cwd.starts_with(dir)));
            let name = name(&dir);
            if is_there && name.starts_with("git") {
                working = Some(Self { pid, name });
            }
        }
        working
    }
}

fn has_open(process: &Path, file: &Path) -> bool {
    let descriptors = process.join("fd").read_dir().into_iter().flatten().flatten();
    descriptors.into_iter().any(|entry| entry.path().read_link().is_ok_and(|target| target == file))
}

fn name(process: &Path) -> String {
    let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
    name.trim().chars().filter(|c| !c.is_control()).collect()
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}
