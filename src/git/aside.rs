//! Tries things out and leaves nothing behind: a bare repository in the machine's memory that borrows the objects of the real one,
//! and takes what merges and snapshots make that nobody may ever want.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use gix::ObjectId;
use gix::actor::Signature;
use gix::date::Time;
use gix::objs::Commit;
use tempfile::TempDir;

use super::invoke::Call;
use super::tree::{Snapshot, folder_of_its_own, snapshot_into};
use super::{GitError, Repo, land, object};
use crate::domain::outlook::ConflictFile;
use crate::domain::ticket::Worktree;

/// A place to try things out. It goes when this is dropped; that of a killed process goes with the next snapshot of any.
#[derive(Debug)]
pub struct Aside {
    repo: Repo,
    real: Repo,
    _lock: File,
    _folder: TempDir,
}

impl Aside {
    /// Makes one.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn of(real: &Repo) -> Result<Self, GitError> {
        let (folder, lock) = folder_of_its_own(real.common_dir())?;
        let git_dir = folder.path().join("aside");
        // Those files are this process's own: what a shared repository wants of its files does not matter.
        let config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
        let mut borrowed = quoted(&real.objects()).into_vec();
        borrowed.push(b'\n');
        for (file, content) in [
            ("HEAD", &b"ref: refs/heads/aside\n"[..]),
            ("config", config.as_bytes()),
            ("objects/info/alternates", &borrowed),
        ] {
            let file = git_dir.join(file);
            let parent = file.parent().unwrap_or(&git_dir);
            fs::create_dir_all(parent).map_err(GitError::io("create", parent))?;
            fs::write(&file, content).map_err(GitError::io("write", &file))?;
        }
        let refs = git_dir.join("refs");
        fs::create_dir_all(&refs).map_err(GitError::io("create", refs))?;
        Ok(Self { repo: real.with_files_in(&git_dir)?, real: real.clone(), _lock: lock, _folder: folder })
    }

    /// Returns the repository that has the objects of both. It has none of the refs.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Returns what a worktree holds right now; the repository does not get its objects.
    ///
    /// # Errors
    /// As [`snapshot`](super::tree::snapshot).
    pub fn snapshot(&self, worktree: &Worktree, litter: &[String]) -> Result<Snapshot, GitError> {
        snapshot_into(&self.real, &self.repo, worktree, litter)
    }

    /// Returns a commit that holds a tree on top of others: always the same for the same.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn commit(&self, tree: &str, parents: &[&str]) -> Result<String, GitError> {
        let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).map_err(GitError::read(format!("the id `{hex}`")));
        let who = Signature { name: "Draft".into(), email: "draft@localhost".into(), time: Time::default() };
        let commit = Commit {
            tree: id(tree)?,
            parents: parents.iter().map(|parent| id(parent)).collect::<Result<_, _>>()?,
            author: who.clone(),
            committer: who,
            encoding: None,
            message: "aside\n".into(),
            extra_headers: Vec::new(),
        };
        object::write(&self.repo, &commit).map(|id| id.to_string())
    }

    /// Returns a commit that holds what a snapshot found: the one that is checked out, if that has all of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn commit_of(&self, snapshot: &Snapshot) -> Result<String, GitError> {
        if snapshot.is_committed() {
            return Ok(snapshot.head.clone());
        }
        self.commit(&snapshot.tree, &snapshot.parents())
    }

    /// Merges two commits in memory and returns the tree; with the files that conflict, in which it has the marks of that.
    ///
    /// # Errors
    /// When one of them is missing, or git fails.
    pub fn merge(&self, one: &str, two: &str) -> Result<(String, Vec<ConflictFile>), GitError> {
        land::merge_in_memory(&self.repo, one, two)
    }
}

/// Lets a call put its objects into another repository that borrows those of the first.
pub(super) fn into<'a>(call: Call<'a>, repo: &Repo, objects: &Repo) -> Call<'a> {
    if repo.common_dir() == objects.common_dir() {
        return call;
    }
    let borrowed = quoted(&repo.objects());
    call.variable("GIT_OBJECT_DIRECTORY", objects.objects()).variable("GIT_ALTERNATE_OBJECT_DIRECTORIES", borrowed)
}

/// Returns a path as lists of folders of objects have it: in quotes where it has a sign that would end it.
fn quoted(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes();
    if bytes.iter().any(|byte| matches!(byte, b':' | b'\n' | b'"' | b'\\' | b'#')) {
        return quoted_text(path);
    }
    path.as_os_str().to_owned()
}

/// Returns a path in quotes.
fn quoted_text(path: &Path) -> OsString {
    let mut text = vec![b'"'];
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'\n' => text.extend_from_slice(b"\\n"),
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            other => text.push(*other),
        }
    }
    text.push(b'"');
    OsString::from_vec(text)
}
