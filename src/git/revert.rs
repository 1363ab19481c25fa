//! Takes back what a landing brought to its target: looked at in memory first, then made by git in a work tree of its own.

use super::keep::commit_tree;
use super::land::{self, Combined, Forecast, Scratch, why};
use super::{GitError, Repo};
use crate::domain::landing::{Intent, Strategy};
use crate::domain::outlook::ConflictFile;

/// What is left of a landing on a branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Left {
    /// The branch does not have its commits.
    NotThere,
    /// Taking it back would change nothing: somebody did.
    Nothing,
    /// It can be taken back, and this tree comes of it.
    Clean(String),
    /// What came later builds on it: these files, each with what kind of conflict it is.
    Conflicts(Vec<ConflictFile>),
}

/// Looks in memory what taking a landing back from a commit would give.
///
/// # Errors
/// When a commit cannot be read, or git fails.
pub fn forecast(repo: &Repo, landing: &Intent, tip: &str) -> Result<Left, GitError> {
    if repo.tree_of(&landing.to).is_err() || !land::is_ancestor(repo, &landing.to, tip)? {
        return Ok(Left::NotThere);
    }
    // A merge of the branch with the way back, on top of the landing: three commits that nothing ever names.
    let (landed, now) = (repo.tree_of(&landing.to)?, repo.tree_of(tip)?);
    let message = "draft: what a landing would leave if it was taken back";
    let base = commit_tree(repo, &landed, &[], message)?;
    let ours = commit_tree(repo, &now, &[&base], message)?;
    let theirs = commit_tree(repo, &repo.tree_of(&landing.from)?, &[&base], message)?;
    Ok(match land::forecast(repo, &ours, &theirs)? {
        Forecast::Clean(tree) if tree == now => Left::Nothing,
        Forecast::Clean(tree) => Left::Clean(tree),
        Forecast::Conflicts(files) => Left::Conflicts(files),
    })
}

/// Takes a landing back on top of what is checked out in a scratch work tree: one commit, with the person's identity, hooks and
/// signature. Commits are taken back newest first, and of a merge what it brought to its first parent.
///
/// # Errors
/// When git could not be started, or its answer makes no sense.
pub fn take_back(repo: &Repo, scratch: &Scratch<'_>, landing: &Intent, message: &str) -> Result<Combined, GitError> {
    let before = repo.tree_of(&scratch.head()?)?;
    for commit in commits(repo, landing)? {
        let made = match commit.is_merge {
            true => scratch.git(["revert", "--no-commit", "-m", "1", &commit.id]).run(),
            false => scratch.git(["revert", "--no-commit", &commit.id]).run(),
        };
        match made {
            Ok(_) => {}
            Err(GitError::Failed { stderr, .. }) => {
                return Ok(match scratch.unmerged()? {
                    files if files.is_empty() => Combined::Refused(why(&stderr)),
                    files => Combined::Conflicts(files),
                });
            }
            Err(error) => return Err(error),
        }
    }
    if scratch.git(["write-tree"]).line()? == before {
        return Ok(Combined::Refused("there is nothing left to take back".to_owned()));
    }
    let commit =
        scratch.git(["commit", "--quiet", "--cleanup=whitespace", "-F", "-"]).input(message.as_bytes().to_vec());
    match commit.run() {
        Ok(_) => {
            let commit = scratch.head()?;
            Ok(Combined::Made { tree: repo.tree_of(&commit)?, commit })
        }
        Err(GitError::Failed { stderr, .. }) => Ok(Combined::Refused(why(&stderr))),
        Err(error) => Err(error),
    }
}

/// Returns how a landing brought its change: as one commit, as a merge, or as several commits.
///
/// # Errors
/// When its commits are not there any more, or git fails.
pub fn shape(repo: &Repo, landing: &Intent) -> Result<Strategy, GitError> {
    Ok(match commits(repo, landing)?.as_slice() {
        [Landed { is_merge: true, .. }] => Strategy::Merge,
        [_] => Strategy::Squash,
        _ => Strategy::Rebase,
    })
}

/// A commit that a landing brought.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Landed {
    id: String,
    is_merge: bool,
}

/// Returns the commits that a landing put on top of its target, newest first.
fn commits(repo: &Repo, landing: &Intent) -> Result<Vec<Landed>, GitError> {
    let range = format!("{}..{}", landing.from, landing.to);
    let said =
        repo.git.reading(repo.common_dir()).args(["rev-list", "--first-parent", "--parents", &range, "--"]).run()?;
    let said = String::from_utf8_lossy(&said);
    let ids = said.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    Ok(ids.filter_map(|ids| Some(Landed { id: (*ids.first()?).to_owned(), is_merge: ids.len() > 2 })).collect())
}

#[cfg(test)]
#[path = "revert_tests.rs"]
mod tests;
