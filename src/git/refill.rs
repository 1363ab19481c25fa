//! Brings content into a worktree as edits: its files become those of a tree, and its branch stays where it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::invoke::LONG;
use super::land::{Forecast, forecast};
use super::{GitError, Repo, submodules};

/// Returns what a branch and a commit hold together; nothing where they do not go together. The branch may have moved on
/// since the commit was made of what its worktree held.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn together(repo: &Repo, tip: &str, commit: &str) -> Result<Option<String>, GitError> {
    Ok(match forecast(repo, tip, commit)? {
        Forecast::Clean(tree) => Some(tree),
        Forecast::Conflicts(_) => None,
    })
}

/// Brings what a commit holds into a worktree that was just checked out, and in which nobody worked. Doing it again after a crash
/// in between finishes it.
pub(super) fn bring_back(repo: &Repo, folder: &Path, tip: &str, commit: &str) -> Result<(), GitError> {
    let Some(tree) = together(repo, tip, commit)? else {
        tracing::warn!(path = %folder.display(), %commit, "its branch went another way, and stays as it is");
        return Ok(());
    };
    if tree == repo.tree_of(tip)? {
        return Ok(());
    }
    // What is half there was written by a process that was killed here.
    repo.git.writing(folder).within(LONG).args(["read-tree", "--reset", "-u", &tree]).run()?;
    fill(repo, folder, &tree)
}

/// Makes the files of a worktree those of a tree, where they are still those of its branch.
pub(super) fn fill(repo: &Repo, folder: &Path, tree: &str) -> Result<(), GitError> {
    let here = || repo.git.writing(folder).within(LONG);
    here().args(["read-tree", "-m", "-u", "HEAD", tree]).run()?;
    let moved = moved_modules(repo, folder, tree)?;
    if !moved.is_empty() {
        // While the index says at which commits they were.
        submodules::fill(repo, folder)?;
    }
    here().args(["read-tree", "HEAD"]).run()?;
    for (path, commit) in moved {
        // One that is not checked out is where the index says.
        if !folder.join(&path).join(".git").exists() {
            let mut entry = std::ffi::OsString::from(format!("160000,{commit},"));
            entry.push(path);
            here().args(["update-index", "--add", "--cacheinfo"]).args([entry]).run()?;
        }
    }
    Ok(())
}

/// Returns the submodules that are at other commits in a tree than in what is checked out.
fn moved_modules(repo: &Repo, folder: &Path, tree: &str) -> Result<Vec<(PathBuf, String)>, GitError> {
    let said = repo.git.reading(folder).args(["diff-tree", "-r", "-z", "--raw", "--no-renames", "HEAD", tree]).run()?;
    let mut parts = said.split(|byte| *byte == 0);
    let mut all = Vec::new();
    while let (Some(entry), Some(path)) = (parts.next(), parts.next()) {
        // `:<old mode> <new mode> <old id> <new id> <letter>`
        let entry = String::from_utf8_lossy(entry);
        let words: Vec<&str> = entry.split(' ').collect();
        if let [_, "160000", _, commit, _] = words[..] {
            all.push((PathBuf::from(OsStr::from_bytes(path)), commit.to_owned()));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Sandbox, files, write};
    use super::*;

    /// A worktree that holds more than its branch, the commit that keeps all of it, and its branch's tip.
    fn kept() -> (Sandbox, PathBuf, String, String) {
        let sandbox = Sandbox::new();
        let path = sandbox.worktree("1-x").worktree.path;
        let tip = sandbox.run(&path, "rev-parse HEAD");
        write(&path, "a.txt", "edited\n");
        write(&path, "new/b.txt", "new\n");
        std::fs::remove_file(path.join("src/b.txt")).unwrap();
        sandbox.run(&path, "add --all");
        let commit = sandbox.commit(&path, "all of it");
        sandbox.run(&path, "reset --quiet --hard HEAD^");
        (sandbox, path, tip, commit)
    }

    #[test]
    fn what_a_commit_holds_comes_back_as_edits_also_after_half_of_it_did() {
        let (sandbox, path, tip, commit) = kept();
        let repo = sandbox.repo();
        let half: [&dyn Fn(); 3] =
            [&|| {}, &|| write(&path, "new/b.txt", "ne"), &|| drop(std::fs::remove_file(path.join("a.txt")))];
        for half in half {
            half();
            bring_back(&repo, &path, &tip, &commit).unwrap();
            let status = sandbox.run(&path, "status --porcelain -uall");
            assert_eq!(status, " M a.txt\n D src/b.txt\n?? new/b.txt");
            assert_eq!(std::fs::read_to_string(path.join("new/b.txt")).unwrap(), "new\n");
            assert_eq!(sandbox.run(&path, "rev-parse HEAD"), tip);
        }
    }

    #[test]
    fn a_branch_that_moved_on_keeps_what_it_has() {
        let (sandbox, path, _, commit) = kept();
        let repo = sandbox.repo();
        write(&path, "later.txt", "later\n");
        let tip = sandbox.commit(&path, "later");
        bring_back(&repo, &path, &tip, &commit).unwrap();
        assert!(path.join("later.txt").exists() && path.join("new/b.txt").exists());

        sandbox.run(&path, "reset --quiet --hard");
        sandbox.run(&path, "clean -qfd");
        write(&path, "a.txt", "otherwise\n");
        let tip = sandbox.commit(&path, "otherwise");
        let before = files(&path);
        bring_back(&repo, &path, &tip, &commit).unwrap();
        assert_eq!(together(&repo, &tip, &commit).unwrap(), None);
        assert_eq!(files(&path), before);
    }
}
