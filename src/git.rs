//! Worktrees, trees, branches and diffs of one repository, and what the host of its remote says about pull requests.
//!
//! Reading is done in process with gix, and so are the trees and commits written that only keep a state; whatever else
//! changes something is done by the `git` program, which is started in one place (`invoke`). All functions wait for their answer, so tasks call them where waiting is allowed.

pub mod aside;
mod base;
mod branch;
mod checkout;
mod complaint;
pub mod conflict;
#[cfg(test)]
mod conflict_tests;
mod contained;
pub mod copies;
pub mod copies_sum;
#[cfg(test)]
mod copies_tests;
#[cfg(test)]
mod crowd_tests;
pub mod diff;
#[cfg(test)]
mod diff_tests;
mod exact;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod filter_tests;
pub mod forecast;
#[cfg(test)]
mod forecast_tests;
mod forward;
mod forward_files;
mod forward_note;
#[cfg(test)]
mod forward_tests;
mod holder;
pub mod host;
mod hunks;
mod index_tree;
mod interrupted;
mod invoke;
mod keep;
pub mod land;
#[cfg(test)]
mod land_cells;
#[cfg(test)]
mod land_matrix_tests;
#[cfg(test)]
mod land_places_tests;
#[cfg(test)]
mod land_testing;
#[cfg(test)]
mod land_tests;
#[cfg(test)]
mod land_user_cells;
#[cfg(test)]
mod land_where_tests;
pub mod leftovers;
mod litter;
mod locks;
mod making;
mod mend;
mod modules;
mod object;
#[cfg(test)]
mod own;
pub mod owners;
mod patch;
mod program;
pub mod publish;
pub mod ready;
pub mod refill;
mod registered;
mod repo;
pub mod revert;
pub mod setup;
pub mod still;
pub mod submodules;
#[cfg(test)]
mod submodules_tests;
mod talk;
#[cfg(test)]
mod testing;
pub mod trash;
pub mod trash_refs;
pub mod tree;
#[cfg(test)]
mod tree_tests;
mod turn;
mod validate;
pub mod worktree;
#[cfg(test)]
mod worktree_kill_tests;
#[cfg(test)]
mod worktree_tests;

use std::path::PathBuf;
use std::time::Duration;

pub use base::{Base, NoBase, Side};
pub use exact::exact_patch;
pub use holder::Holder;
pub use program::{Git, OLDEST, Stop, Version};
pub use repo::Repo;

/// Variables that would make git in a worktree work on another repository.
pub const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Why something with git did not work.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` in the search path.
    #[error("could not find `git` in the search path; install git {OLDEST} or newer")]
    NotInstalled,
    /// The `git` that was found is older than Draft needs.
    #[error("{} is git {found}, but Draft needs {OLDEST} or newer; update git", program.display())]
    TooOld {
        /// The program.
        program: PathBuf,
        /// Its version.
        found: Version,
    },
    /// The path lies in no repository.
    #[error("{} is not in a git repository; go to one, or make one with `git init`", path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
    },
    /// The repository has no work tree.
    #[error("{} is a bare repository; run this in one of its worktrees (`git worktree add` makes one)", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// The repository keeps its refs in a way that only git itself can read.
    #[error(
        "the repository {} keeps its refs as a reftable, which Draft cannot read yet; with git 2.48 or newer `git refs migrate \
         --ref-format=files` makes them files, and a clone of it has files",
        path.display()
    )]
    RefTable {
        /// The repository.
        path: PathBuf,
    },
    /// The repository has nothing from which a ticket could start.
    #[error("the repository {} has no commit yet; make one first (`git commit --allow-empty -m start`)", root.display())]
    NoCommits {
        /// The top folder of its work tree.
        root: PathBuf,
    },
    /// No branch is checked out, and there is none that is usually the main one.
    #[error(
        "the repository {} has no branch checked out and no origin/HEAD, main or master; name the base branch",
        root.display()
    )]
    NoBaseBranch {
        /// The top folder of its work tree.
        root: PathBuf,
    },
    /// There is no such branch, neither local nor of a remote.
    #[error("there is no branch `{branch}` in {}: {hint}", root.display())]
    NoBranch {
        /// What was asked for.
        branch: String,
        /// The top folder of the work tree.
        root: PathBuf,
        /// What there is instead.
        hint: String,
    },
    /// What was named as base is no branch.
    #[error(
        "`{asked}` in {} is {what} and no branch, so a change could not land on it; name a branch, or make one with \
         `git branch NAME {asked}`",
        root.display()
    )]
    NotABranch {
        /// What was asked for.
        asked: String,
        /// What it is.
        what: NoBase,
        /// The top folder of the work tree.
        root: PathBuf,
    },
    /// Another process changes worktrees, or makes this one, for very long.
    #[error("waited {} s for another process that holds {}", waited.as_secs(), lock.display())]
    Busy {
        /// The lock.
        lock: PathBuf,
        /// How long this one waited.
        waited: Duration,
    },
    /// A lock file of git is in the way.
    #[error("{}", locks::advice(lock, holder.as_ref()))]
    Locked {
        /// The file.
        lock: PathBuf,
        /// Who holds it, if anybody alive does.
        holder: Option<Holder>,
    },
    /// A filter that files pass through on their way into or out of the repository failed.
    #[error(
        "`{command}` in {} failed, since the filter `{filter}` does; {}: {stderr}",
        dir.display(),
        complaint::hint(filter)
    )]
    Filter {
        /// Its name in `.gitattributes`.
        filter: String,
        /// The file.
        file: Option<String>,
        /// The command line.
        command: String,
        /// Where.
        dir: PathBuf,
        /// What git and the filter said, cut.
        stderr: String,
    },
    /// Nothing is kept under that name.
    #[error("`{reference}` is not in the trash; `draft trash` lists what is")]
    NotInTrash {
        /// What was asked for.
        reference: String,
    },
    /// Every name with a suffix is in use.
    #[error("could not find a free name for `{wanted}`; remove old ones")]
    NoFreeName {
        /// The wanted branch or folder.
        wanted: String,
    },
    /// A ref that is to keep a revision keeps something else already.
    #[error("`{reference}` keeps {found} already, so it cannot keep the tree {wanted}")]
    RefTaken {
        /// The ref.
        reference: String,
        /// The commit that it keeps.
        found: String,
        /// The tree that it was to keep.
        wanted: String,
    },
    /// A submodule could not be checked out.
    #[error("could not check out the submodule {}: {source}", path.display())]
    Submodule {
        /// Its folder in the worktree.
        path: PathBuf,
        /// What went wrong.
        source: Box<GitError>,
    },
    /// A worktree whose folder is gone has commits of submodules that nothing else has.
    #[error(
        "the worktree {} is gone, but commits of its submodules are only in {}; push them from there, then run \
         `git worktree prune`",
        path.display(),
        modules.display()
    )]
    HoldsModules {
        /// The worktree's folder.
        path: PathBuf,
        /// The submodule's repository.
        modules: PathBuf,
    },
    /// Patterns name far more files to copy than a worktree can need.
    #[error(
        "the patterns for files to copy name {found} files in {}, more than {most}; name fewer in `workspace_config.copy` \
         and `.worktreeinclude`, and install the rest with `workspace_config.setup`",
        root.display()
    )]
    TooManyCopies {
        /// How many.
        found: usize,
        /// How many are copied at most.
        most: usize,
        /// The user's checkout.
        root: PathBuf,
    },
    /// The program could not be started.
    #[error("could not start `{command}` in {}: {source}", dir.display())]
    Start {
        /// The command line.
        command: String,
        /// Where.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The program said no.
    #[error("`{command}` in {} failed ({}): {stderr}", dir.display(), ending(*code))]
    Failed {
        /// The command line.
        command: String,
        /// Where.
        dir: PathBuf,
        /// Its exit code; none when a signal ended it.
        code: Option<i32>,
        /// What it said, cut.
        stderr: String,
    },
    /// The program took too long and was stopped.
    #[error("`{command}` in {} was stopped after {} s", dir.display(), limit.as_secs())]
    TimedOut {
        /// The command line.
        command: String,
        /// Where.
        dir: PathBuf,
        /// The limit.
        limit: Duration,
    },
    /// Nobody wants any more what the program was to do, so it was stopped.
    #[error("`{command}` was stopped, since its job is canceled")]
    Stopped {
        /// The command line.
        command: String,
    },
    /// The program printed what cannot be understood.
    #[error("could not understand what `{command}` printed: {said}")]
    Strange {
        /// The command line.
        command: String,
        /// What it printed, cut.
        said: String,
    },
    /// gix could not read something.
    #[error("could not read {what}: {why}")]
    Read {
        /// What was read.
        what: String,
        /// What gix said.
        why: String,
    },
    /// A file or folder could not be read or written.
    #[error("could not {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl GitError {
    fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    fn read<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |why| Self::Read { what, why: why.to_string() }
    }
}

fn ending(code: Option<i32>) -> String {
    code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"))
}
