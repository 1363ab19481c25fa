//! A note in a work tree's own files while a branch moves with it: whose locks those are that a machine without power left
//! behind, and whose files.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::invoke::LONG;
use super::locks::{PATIENCE, clear};
use super::registered::Registered;
use super::turn::wait_for;
use super::{GitError, Repo};
use crate::domain::landing::Intent;

const NAME: &str = "draft-forward";
/// What the steps add once git holds branch and HEAD.
const HELD: &str = "held";

/// The note, and its lock, which lasts as long as anything that moves the branch.
pub(super) struct Note {
    path: PathBuf,
    pub(super) file: File,
}

/// What somebody was at who did not come to an end.
pub(super) struct Left {
    pub(super) intent: Intent,
    /// When git held branch and HEAD.
    at: SystemTime,
}

impl Note {
    /// Waits until nobody else moves the branch of this work tree, a process that outlived its board included.
    pub(super) fn begin(git_dir: &Path) -> Result<Self, GitError> {
        let path = git_dir.join(NAME);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let file = options.open(&path).map_err(GitError::io("open", &path))?;
        wait_for(&file, &path, LONG)?;
        Ok(Self { path, file })
    }

    /// Returns what was left in the middle, with git's locks held.
    pub(super) fn left(&mut self) -> Result<Option<Left>, GitError> {
        let mut text = Vec::new();
        let read = self.file.rewind().and_then(|()| self.file.read_to_end(&mut text));
        read.map_err(GitError::io("read", &self.path))?;
        let at = self.file.metadata().and_then(|meta| meta.modified()).map_err(GitError::io("read", &self.path))?;
        let text = String::from_utf8_lossy(&text);
        let mut lines = text.lines();
        let intent = lines.next().and_then(|line| serde_json::from_str(line).ok());
        Ok(intent.filter(|_| lines.next() == Some(HELD)).map(|intent| Left { intent, at }))
    }

    /// Says what is about to be done.
    pub(super) fn write(&mut self, intent: &Intent) -> Result<(), GitError> {
        let text = serde_json::to_string(intent).unwrap_or_default() + "\n";
        let written = self.file.set_len(0).and_then(|()| self.file.rewind());
        written.and_then(|()| self.file.write_all(text.as_bytes())).map_err(GitError::io("write", &self.path))
    }

    /// Says that nothing is under way.
    pub(super) fn done(&self) -> Result<(), GitError> {
        self.file.set_len(0).map_err(GitError::io("write", &self.path))
    }
}

impl Left {
    /// Removes the locks that a killed git left: git's rules would keep everybody out for ever. Nobody holds them, and they are
    /// those of that moment.
    pub(super) fn clear_locks(&self, repo: &Repo, checkout: &Registered) -> Result<(), GitError> {
        let branch = repo.common_dir().join("refs/heads").join(format!("{}.lock", self.intent.branch));
        let is_of_branch = fs::read_to_string(&branch).is_ok_and(|text| text.trim_end() == self.intent.to);
        let head = checkout.git_dir.join("HEAD.lock");
        let is_of_head = head.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at <= self.at);
        let folders = [checkout.path.as_path(), checkout.git_dir.as_path()];
        // One on the index came after the two others, so it is only as sure as they are.
        let index = checkout.git_dir.join("index.lock");
        let all = [(index, is_of_branch || is_of_head), (head, is_of_head), (branch, is_of_branch)];
        for (lock, is_ours) in all {
            if is_ours && clear(&lock, &folders, PATIENCE)? {
                tracing::warn!(lock = %lock.display(), "removed a lock that a killed landing had left");
            }
        }
        Ok(())
    }
}
