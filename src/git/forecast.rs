//! How a change goes together with its target as that is now, and which paths it changes: looked at in memory, with nothing
//! left behind.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use gix::object::tree::diff::Change;

use super::aside::Aside;
use super::diff::{self, readable};
use super::repo::tree;
use super::validate::Place;
use super::{GitError, Repo};
use crate::domain::diff::FileDiff;
use crate::domain::outlook::Forecast;
use crate::domain::revision::Revision;
use crate::domain::ticket::Worktree;

/// How many changed files are looked at to see whether more has changed.
const STAMPED: usize = 500;

/// Merges a commit with that of its target. Returns what is to be expected, and the tree that comes of it where they go together.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn of(aside: &Aside, target: &str, head: &str) -> Result<(Forecast, Option<String>), GitError> {
    let (merged, files) = aside.merge(target, head)?;
    if !files.is_empty() {
        return Ok((Forecast::Conflicts(files), None));
    }
    let is_contained = aside.repo().tree_of(target)? == merged;
    Ok((if is_contained { Forecast::Contained } else { Forecast::Clean }, Some(merged)))
}

/// Compares two revisions of a change. Where the newer one is against a newer commit of the target, the earlier one is merged with
/// that first, so that what came from the target is no difference; what did not go together is there with its marks.
///
/// # Errors
/// When one of them is missing or cannot be read.
pub fn since(repo: &Repo, earlier: &Revision, revision: &Revision) -> Result<Vec<FileDiff>, GitError> {
    if earlier.base == revision.base {
        return diff::between(repo, &earlier.tree, &revision.tree);
    }
    let aside = Aside::of(repo)?;
    let (tree, _) = aside.merge(&revision.base, &earlier.head)?;
    diff::between(aside.repo(), &tree, &revision.tree)
}

/// Returns how many commits a target has that are not before a commit, up to a thousand.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn behind(repo: &Repo, head: &str, target: &str) -> Result<u32, GitError> {
    let call = repo.git.reading(repo.common_dir());
    let said = call.args(["rev-list", "--count", "--max-count=1000", target, &format!("^{head}")]).line()?;
    said.parse().map_err(|_| GitError::Strange { command: "git rev-list --count".to_owned(), said })
}

/// Returns the newest commit that is before both; nothing for histories that have none.
///
/// # Errors
/// When one of them is missing.
pub fn merge_base(repo: &Repo, one: &str, other: &str) -> Result<Option<String>, GitError> {
    repo.merge_base(one, other)
}

/// Returns every path that differs between two trees or commits. A renamed file counts under both names.
///
/// # Errors
/// When one of them is missing.
pub fn paths(repo: &Repo, base: &str, tree_or_commit: &str) -> Result<BTreeSet<String>, GitError> {
    let gix = repo.gix();
    let (old, new) = (tree(&gix, base)?, tree(&gix, tree_or_commit)?);
    let mut paths = BTreeSet::new();
    let mut compare = || -> gix::Result<()> {
        let mut platform = old.changes()?;
        platform.options(|options| {
            options.track_path().track_rewrites(None);
        });
        platform.for_each_to_obtain_tree(&new, |change| {
            let (Change::Addition { entry_mode, .. }
            | Change::Deletion { entry_mode, .. }
            | Change::Modification { entry_mode, .. }
            | Change::Rewrite { entry_mode, .. }) = &change;
            if !entry_mode.is_tree() {
                paths.insert(readable(change.location()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    };
    compare().map_err(GitError::read(format!("the difference of {base} and {tree_or_commit}")))?;
    Ok(paths)
}

/// Returns a number that differs when a worktree has changed where it is likely to: what is checked out, its index, the files
/// that were changed before and their folders, and how long the output of its agent is. That costs a few looks at files.
pub fn stamp(repo: &Repo, worktree: &Worktree, changed: &BTreeSet<String>, output: Option<&Path>) -> u64 {
    let mut hasher = DefaultHasher::new();
    repo.commit_of(&worktree.branch).ok().hash(&mut hasher);
    if let Ok(place) = Place::of(&worktree.path) {
        std::fs::read(place.git_dir.join("HEAD")).ok().hash(&mut hasher);
        seen(&place.git_dir.join("index")).hash(&mut hasher);
        seen(&place.git_dir.join("MERGE_HEAD")).hash(&mut hasher);
    }
    seen(&worktree.path).hash(&mut hasher);
    for path in changed.iter().take(STAMPED) {
        let path = worktree.path.join(path);
        seen(&path).hash(&mut hasher);
        path.parent().map(seen).hash(&mut hasher);
    }
    output.and_then(|file| file.metadata().ok()).map(|file| file.len()).hash(&mut hasher);
    hasher.finish()
}

/// What a look at a file says about its content: when it was changed, how long it is, and which it is.
fn seen(path: &Path) -> Option<(i64, i64, u64, u64)> {
    let found = path.symlink_metadata().ok()?;
    Some((found.ctime(), found.ctime_nsec(), found.size(), found.ino()))
}
