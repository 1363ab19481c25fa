//! Whether a change is on a branch already.

use super::{GitError, Repo};

/// Says whether merging a commit into a branch would change nothing: its change is there already, be it by merge,
/// squash, rebase or cherry-pick. A change that was taken back later, or that no longer merges cleanly, is not there.
///
/// # Errors
/// When branch or commit are missing, or git fails.
pub fn is_contained(repo: &Repo, branch: &str, commit: &str) -> Result<bool, GitError> {
    let target = repo.commit_of(branch)?;
    // merge-tree ends with 1 for a missing commit as well as for conflicts, so the commit is looked up before.
    repo.tree_of(commit)?;
    let args = ["merge-tree", "--write-tree", "--no-messages", "--allow-unrelated-histories", &target, commit];
    let merged = repo.git.writing(repo.common_dir()).args(args).run_to(&[1])?;
    if merged.code != 0 {
        return Ok(false);
    }
    Ok(String::from_utf8_lossy(&merged.stdout).trim_end() == repo.tree_of(&target)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Sandbox, write};

    /// A repository with a branch `work` whose change is two commits.
    fn with_work() -> (Sandbox, String) {
        let sandbox = Sandbox::new();
        let main = sandbox.main();
        sandbox.run(&main, "checkout -q -b work");
        write(&main, "new.txt", "1\n");
        sandbox.commit(&main, "first");
        write(&main, "a.txt", "one\n2\nthree\n");
        let commit = sandbox.commit(&main, "second");
        sandbox.run(&main, "checkout -q main");
        write(&main, "other.txt", "o\n");
        sandbox.commit(&main, "meanwhile");
        (sandbox, commit)
    }

    #[test]
    fn a_change_that_is_not_on_the_branch_is_not_contained() {
        let (sandbox, commit) = with_work();
        assert!(!is_contained(&sandbox.repo(), "main", &commit).unwrap());
    }

    fn is_contained_after(way: &str) -> bool {
        let (sandbox, commit) = with_work();
        sandbox.run(&sandbox.main(), way);
        sandbox.commit(&sandbox.main(), "landed");
        sandbox.write("later.txt", "l\n");
        sandbox.commit(&sandbox.main(), "later");
        is_contained(&sandbox.repo(), "main", &commit).unwrap()
    }

    #[test]
    fn a_merged_change_is_contained() {
        assert!(is_contained_after("merge -q --no-edit work"));
    }

    #[test]
    fn a_squashed_change_is_contained() {
        assert!(is_contained_after("merge -q --squash work"));
    }

    #[test]
    fn a_change_that_was_picked_commit_by_commit_is_contained() {
        assert!(is_contained_after("cherry-pick main..work"));
    }

    #[test]
    fn a_change_that_conflicts_is_not_contained() {
        let (sandbox, commit) = with_work();
        sandbox.write("a.txt", "one\nTWO\nthree\n");
        sandbox.commit(&sandbox.main(), "conflict");
        assert!(!is_contained(&sandbox.repo(), "main", &commit).unwrap());
    }

    #[test]
    fn a_change_that_was_taken_back_is_not_contained() {
        let (sandbox, commit) = with_work();
        sandbox.run(&sandbox.main(), "merge -q --squash work");
        sandbox.commit(&sandbox.main(), "landed");
        sandbox.run(&sandbox.main(), "revert --no-edit HEAD");
        assert!(!is_contained(&sandbox.repo(), "main", &commit).unwrap());
    }

    #[test]
    fn a_missing_branch_or_commit_is_an_error() {
        let (sandbox, commit) = with_work();
        assert!(matches!(is_contained(&sandbox.repo(), "nope", &commit), Err(GitError::NoBranch { .. })));
        assert!(is_contained(&sandbox.repo(), "main", &"1".repeat(40)).is_err());
    }
}
