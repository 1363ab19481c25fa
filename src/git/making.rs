//! The note beside a worktree in the making. Whoever finds one that nobody holds knows what was going on when a process was
//! killed, and that nothing ran in that worktree yet.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::GitError;
use super::invoke::LONG;
use super::turn::wait_for;

/// What is being made: written before the first thing is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    /// What was put behind the wanted path, since something was there.
    pub(super) suffix: String,
    pub(super) branch: String,
    /// The branch is made for this worktree, and is not one that the ticket had.
    pub(super) is_new: bool,
    /// The commit that is checked out.
    pub(super) commit: String,
    pub(super) base_branch: String,
    pub(super) base: String,
}

/// How far it came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    /// Names were chosen; branch, registration and files may be there or not.
    Named,
    /// All files are written.
    CheckedOut,
    /// The hook ran too, and what it is to hold is there. Only the ticket does not have it yet.
    Ready,
}

impl Stage {
    const fn word(self) -> &'static str {
        match self {
            Self::Named => "",
            Self::CheckedOut => "checked out",
            Self::Ready => "ready",
        }
    }
}

/// A worktree in the making. Another process can take it up only when this one, and each git that it started for it, is
/// gone: they share the lock.
#[derive(Debug)]
pub(super) struct Making {
    path: PathBuf,
    file: File,
}

impl Making {
    /// Says whether a worktree for this path may be in the making.
    pub(super) fn is_noted(wanted: &Path) -> bool {
        note_of(wanted).symlink_metadata().is_ok()
    }

    /// Begins, or waits until nobody else makes one for this path and takes up what they left.
    pub(super) fn begin(wanted: &Path) -> Result<Self, GitError> {
        let path = note_of(wanted);
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(GitError::io("make", folder))?;
        }
        loop {
            let file = open_note(&path)?;
            wait_for(&file, &path, LONG)?;
            // Whoever held it may have been done with it and removed it.
            if file.metadata().map_err(GitError::io("look at", &path))?.nlink() > 0 {
                return Ok(Self { path, file });
            }
        }
    }

    /// Begins if nobody else makes one for this path right now.
    pub(super) fn try_hold(wanted: &Path) -> Result<Option<Self>, GitError> {
        let path = note_of(wanted);
        let file = open_note(&path)?;
        let is_ours = file.try_lock().is_ok() && file.metadata().is_ok_and(|data| data.nlink() > 0);
        Ok(is_ours.then_some(Self { path, file }))
    }

    /// Returns what somebody began to make and did not finish. A note that is not whole was written before anything was
    /// made.
    pub(super) fn interrupted(&mut self) -> Result<Option<(Intent, Stage)>, GitError> {
        let mut text = String::new();
        self.file.rewind().map_err(GitError::io("read", &self.path))?;
        self.file.read_to_string(&mut text).map_err(GitError::io("read", &self.path))?;
        Ok(read(&text))
    }

    /// Writes down what is made from now on, in place of what was.
    pub(super) fn intend(&mut self, intent: &Intent) -> Result<(), GitError> {
        let line = serde_json::to_string(intent).map_err(|error| GitError::io("write", &self.path)(error.into()))?;
        self.file.set_len(0).map_err(GitError::io("write", &self.path))?;
        self.append(&line)
    }

    /// Writes down how far it came.
    pub(super) fn reached(&mut self, stage: Stage) -> Result<(), GitError> {
        self.append(stage.word())
    }

    fn append(&mut self, line: &str) -> Result<(), GitError> {
        let line = format!("{line}\n");
        let written = self.file.seek(SeekFrom::End(0)).and_then(|_| self.file.write_all(line.as_bytes()));
        written.map_err(GitError::io("write", &self.path))
    }

    /// Ends it: what was made is known elsewhere now, or was taken back.
    pub(super) fn end(&self) -> Result<(), GitError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(GitError::io("remove", &self.path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The file whose lock says that somebody is at it.
    pub(super) fn lock(&self) -> &File {
        &self.file
    }
}

fn open_note(path: &Path) -> Result<File, GitError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    options.open(path).map_err(GitError::io("open", path))
}

fn read(text: &str) -> Option<(Intent, Stage)> {
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let intent = lines.next().and_then(|line| serde_json::from_str(line).ok())?;
    let stages = [Stage::CheckedOut, Stage::Ready];
    let reached = lines.filter_map(|line| stages.into_iter().find(|stage| stage.word() == line)).max();
    Some((intent, reached.unwrap_or(Stage::Named)))
}

/// A note as somebody finds it who does not want to make anything.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) path: PathBuf,
    /// The folder for which it is.
    pub(super) wanted: PathBuf,
    /// What is or was being made, if it was said.
    pub(super) intent: Option<Intent>,
    /// Somebody makes it right now.
    pub(super) is_held: bool,
}

impl Note {
    /// Returns the notes in a folder. What cannot be opened is gone, or no note of ours.
    pub(super) fn all_in(folder: &Path) -> Vec<Self> {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries.filter_map(|entry| Self::at(entry.path())).collect()
    }

    fn at(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.as_bytes().strip_prefix(BEFORE.as_bytes())?.strip_suffix(BEHIND.as_bytes())?;
        let wanted = path.with_file_name(OsStr::from_bytes(name));
        let mut file = File::open(&path).ok()?;
        // Whoever begins waits for this lock, and nobody notices that it was held for an instant.
        let is_held = file.try_lock().is_err();
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        Some(Self { path, wanted, intent: read(&text).map(|(intent, _)| intent), is_held })
    }

    /// Returns the folder that is made.
    pub(super) fn worktree(&self) -> PathBuf {
        self.intent.as_ref().map_or_else(|| self.wanted.clone(), |intent| with_suffix(&self.wanted, &intent.suffix))
    }
}

const BEFORE: &str = ".";
const BEHIND: &str = ".making";

/// Returns `.<folder>.making` beside the folder.
fn note_of(wanted: &Path) -> PathBuf {
    let mut name = OsString::from(BEFORE);
    name.push(wanted.file_name().unwrap_or(OsStr::new("worktree")));
    name.push(BEHIND);
    wanted.with_file_name(name)
}

/// Returns the wanted path with something behind it.
pub(super) fn with_suffix(wanted: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(wanted);
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent() -> Intent {
        let [branch, base_branch] = ["draft/1-x", "main"].map(str::to_owned);
        Intent { suffix: "-2".into(), branch, is_new: true, commit: "c".repeat(40), base_branch, base: "b".repeat(40) }
    }

    #[test]
    fn a_note_tells_what_was_begun_and_how_far_it_came() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = dir.path().join("worktrees/1-x");
        let mut making = Making::begin(&wanted).unwrap();
        assert_eq!(making.interrupted().unwrap(), None);
        making.intend(&Intent { suffix: "-long-ago".into(), ..intent() }).unwrap();
        making.intend(&intent()).unwrap();
        for stage in [Stage::Named, Stage::CheckedOut, Stage::Ready] {
            if stage > Stage::Named {
                making.reached(stage).unwrap();
            }
            drop(making);
            making = Making::begin(&wanted).unwrap();
            assert_eq!(making.interrupted().unwrap(), Some((intent(), stage)));
        }
        making.end().unwrap();
        assert!(!Making::is_noted(&wanted));
    }

    #[test]
    fn a_note_that_is_not_whole_tells_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = dir.path().join("1-x");
        let whole = format!("{}\n", serde_json::to_string(&intent()).unwrap());
        for length in 0..whole.len() {
            std::fs::write(note_of(&wanted), &whole[..length]).unwrap();
            assert_eq!(Making::begin(&wanted).unwrap().interrupted().unwrap(), None, "{length}");
        }
    }

    #[test]
    fn whoever_waits_for_a_note_that_goes_writes_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = dir.path().join("1-x");
        let first = Making::begin(&wanted).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Making::begin(&wanted).unwrap());
            first.end().unwrap();
            drop(first);
            let second = second.join().unwrap();
            assert!(Making::is_noted(&wanted));
            second.end().unwrap();
        });
    }
}
