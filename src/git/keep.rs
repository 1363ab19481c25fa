//! Keeps a snapshot for ever: a commit that holds its tree, under a ref of its own.

use gix::ObjectId;
use gix::objs::Commit;

use super::tree::Snapshot;
use super::{GitError, Repo, modules, object};
use crate::domain::ticket::Worktree;

/// Keeps a snapshot under a ref and returns the commit that holds it: the worktree's own if it has that tree, else a
/// new one on top of it. Commits that were made in submodules are kept in those of the user's checkout, where there are such.
/// Doing it again gives the same commit.
///
/// # Errors
/// When the ref keeps something else already, or git fails.
pub fn keep_revision(
    repo: &Repo,
    worktree: &Worktree,
    snapshot: &Snapshot,
    reference: &str,
    message: &str,
) -> Result<String, GitError> {
    // The tree names commits of submodules; it is worth nothing without them.
    modules::keep(repo, &snapshot.git_dir, reference)?;
    if let Some(kept) = kept(repo, snapshot, reference)? {
        return Ok(kept);
    }
    let commit = if snapshot.is_committed() {
        snapshot.head.clone()
    } else {
        commit_tree(repo, &snapshot.tree, &snapshot.parents(), message)?
    };
    match object::hold(repo, reference, &commit, &format!("draft: {}", worktree.branch)) {
        Ok(()) => Ok(commit),
        // Somebody else may have kept the same meanwhile.
        Err(error) => kept(repo, snapshot, reference)?.ok_or(error),
    }
}

/// The commit that the ref has, if it keeps this very state.
fn kept(repo: &Repo, snapshot: &Snapshot, reference: &str) -> Result<Option<String>, GitError> {
    let Some(found) = repo.commit_at(reference)? else { return Ok(None) };
    let is_same = repo.tree_of(&found)? == snapshot.tree
        && (found == snapshot.head || repo.parents_of(&found)? == snapshot.parents());
    if is_same {
        return Ok(Some(found));
    }
    Err(GitError::RefTaken { reference: reference.to_owned(), found, wanted: snapshot.tree.clone() })
}

/// Makes a commit of a tree on top of others, in Draft's name.
pub(super) fn commit_tree(repo: &Repo, tree: &str, parents: &[&str], message: &str) -> Result<String, GitError> {
    let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).map_err(GitError::read(format!("the id `{hex}`")));
    let who = object::signature();
    let commit = Commit {
        tree: id(tree)?,
        parents: parents.iter().map(|parent| id(parent)).collect::<Result<_, _>>()?,
        author: who.clone(),
        committer: who,
        encoding: None,
        message: message.into(),
        extra_headers: Vec::new(),
    };
    object::write(repo, &commit).map(|id| id.to_string())
}
