//! Whether a worktree is a place where an agent may run: five checks in order, by real places and never by text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::discover::repository::Path as Found;
use gix::sec::Trust;

use super::registered::settled;
use super::repo::{common_dir, open, short_branch};
use super::{GitError, Repo, Side};
use crate::domain::ticket::Worktree;

/// Branches on which no agent works, whatever their case; the ticket's base branch is one more.
const PROTECTED: [&str; 5] = ["main", "master", "develop", "production", "staging"];

/// Why no agent may run in a worktree.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsafe {
    /// It lies outside the folder where Draft makes worktrees.
    #[error("the worktree {} is not inside {}", path.display(), worktrees_root.display())]
    NotInDraftDir {
        /// The worktree's folder, links resolved.
        path: PathBuf,
        /// Where worktrees have to be.
        worktrees_root: PathBuf,
    },
    /// It is missing or no git work tree.
    #[error("the worktree {} is not a git repository: {why}", path.display())]
    NotAGitRepo {
        /// The worktree's folder.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Git takes the folder for a part of another work tree, or it belongs to another repository.
    #[error("the worktree {} belongs to {}", path.display(), found.display())]
    PathMismatch {
        /// The worktree's folder.
        path: PathBuf,
        /// The work tree or repository to which it belongs.
        found: PathBuf,
    },
    /// It is the main work tree or the one in which the board was opened.
    #[error("the worktree {} is the repository itself", path.display())]
    IsMainRepo {
        /// The worktree's folder.
        path: PathBuf,
    },
    /// A branch is checked out there on which no agent works.
    #[error("the worktree {} has the protected branch `{branch}` checked out", path.display())]
    OnProtectedBranch {
        /// The worktree's folder.
        path: PathBuf,
        /// The branch.
        branch: String,
    },
}

impl Unsafe {
    /// Returns the word for it that is stored and printed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotInDraftDir { .. } => "not_in_draft_dir",
            Self::NotAGitRepo { .. } => "not_a_git_repo",
            Self::PathMismatch { .. } => "path_mismatch",
            Self::IsMainRepo { .. } => "is_main_repo",
            Self::OnProtectedBranch { .. } => "on_protected_branch",
        }
    }
}

/// Checks that an agent may run in a worktree.
///
/// # Errors
/// The first check that fails, in the order of [`Unsafe`].
pub fn validate(repo: &Repo, worktrees_root: &Path, worktree: &Worktree) -> Result<(), Unsafe> {
    let path = settled(&worktree.path);
    let root = settled(worktrees_root);
    if !is_inside(&path, &root) {
        return Err(Unsafe::NotInDraftDir { path, worktrees_root: root });
    }
    let place = Place::of(&path).map_err(|why| Unsafe::NotAGitRepo { path: path.clone(), why })?;
    if place.top != path {
        return Err(Unsafe::PathMismatch { path, found: place.top });
    }
    if place.common_dir != repo.common_dir() {
        return Err(Unsafe::PathMismatch { path, found: place.common_dir });
    }
    if place.is_main || path == repo.root() || repo.root().starts_with(&path) {
        return Err(Unsafe::IsMainRepo { path });
    }
    match place.branch {
        Some(branch) if is_protected(&branch, &bases(repo, worktree)) => {
            Err(Unsafe::OnProtectedBranch { path, branch })
        }
        Some(_) | None => Ok(()),
    }
}

/// Inside Draft's own folder, or in a repository's `.draft/worktrees`, where earlier boards kept them.
fn is_inside(path: &Path, root: &Path) -> bool {
    let parts: Vec<Component<'_>> = path.components().collect();
    let kept_before = [Component::Normal(".draft".as_ref()), Component::Normal("worktrees".as_ref())];
    let in_repository = parts.windows(3).any(|window| window[..2] == kept_before);
    (path.starts_with(root) && path != root) || in_repository
}

/// The base branch, and that on which a change from a remote one would land here.
fn bases(repo: &Repo, worktree: &Worktree) -> Vec<String> {
    let landing = match repo.base(&worktree.base_branch).map(|base| base.side) {
        Ok(Side::Remote { branch, .. }) => Some(branch),
        // One that is gone has no other side.
        Ok(Side::Local) | Err(_) => None,
    };
    std::iter::once(worktree.base_branch.clone()).chain(landing).collect()
}

fn is_protected(branch: &str, bases: &[String]) -> bool {
    bases.iter().any(|base| base == branch) || PROTECTED.iter().any(|name| name.eq_ignore_ascii_case(branch))
}

/// What git takes a folder for.
pub(super) struct Place {
    /// The top of the work tree, links resolved.
    pub(super) top: PathBuf,
    /// The folder of the files that are this work tree's alone: its index and its HEAD.
    pub(super) git_dir: PathBuf,
    /// The folder that all work trees of the repository share, links resolved.
    pub(super) common_dir: PathBuf,
    is_main: bool,
    branch: Option<String>,
}

impl Place {
    /// Looks upwards from a folder for the work tree to which it belongs.
    pub(super) fn of(path: &Path) -> Result<Self, String> {
        let (found, _): (_, Trust) = gix::discover::upwards(path).map_err(|error| error.to_string())?;
        let read = match &found {
            Found::LinkedWorkTree { work_dir, git_dir } => Self::linked(work_dir, git_dir),
            Found::WorkTree(_) | Found::Repository(_) => None,
        };
        read.map_or_else(|| Self::opened(found.as_ref()).map_err(|error| error.to_string()), Ok)
    }

    /// Reads what a linked work tree's own files say; nothing where more decides. A ticket's worktree is looked at a dozen
    /// times, and to open a repository costs ten times as much.
    fn linked(work_dir: &Path, git_dir: &Path) -> Option<Self> {
        // Settings of its own could make it another folder's.
        if git_dir.join("config.worktree").exists() {
            return None;
        }
        let common = std::fs::read(git_dir.join("commondir")).ok()?;
        let head = std::fs::read(git_dir.join("HEAD")).ok()?;
        let git_dir = git_dir.canonicalize().ok()?;
        let common_dir = git_dir.join(OsStr::from_bytes(common.trim_end())).canonicalize().ok()?;
        // Git takes any blanks there.
        let branch = head.strip_prefix(b"ref:").and_then(|name| short_branch(name.trim().into()));
        Some(Self { top: work_dir.canonicalize().ok()?, is_main: git_dir == common_dir, git_dir, common_dir, branch })
    }

    fn opened(path: &Path) -> Result<Self, GitError> {
        let store = open(path)?;
        let gix = store.to_thread_local();
        let Some(top) = gix.workdir() else { return Err(GitError::Bare { path: path.to_owned() }) };
        let git_dir = gix.git_dir().canonicalize().map_err(GitError::io("find", gix.git_dir()))?;
        let common_dir = common_dir(&store)?;
        let head = gix.head_name().map_err(GitError::read("HEAD"))?;
        Ok(Self {
            top: top.canonicalize().map_err(GitError::io("find", top))?,
            is_main: git_dir == common_dir,
            git_dir,
            common_dir,
            branch: head.and_then(|name| short_branch(name.as_bstr())),
        })
    }

    /// Says whether this is the top of a work tree of the repository, and not its main one.
    pub(super) fn is_linked(&self, path: &Path, repo: &Repo) -> bool {
        self.top == settled(path) && self.common_dir == repo.common_dir() && !self.is_main
    }
}
