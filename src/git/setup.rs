//! How the user has set a repository up, as far as it matters to Draft: who commits, and which hooks run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::program::is_program;
use super::{GitError, Repo};

/// Hooks that run while agents and Draft work: at a checkout, a commit, a merge, a push.
const HOOKS: [&str; 8] = [
    "post-checkout",
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-merge-commit",
    "pre-push",
    "reference-transaction",
];

/// A hook that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// Its name.
    pub name: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Whether git runs it: only what may be executed.
    pub runs: bool,
}

/// Variables by which somebody can say who commits; agents inherit them.
pub const WHO: [&str; 2] = ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];

/// Returns in whose name commits are made, such as `Ada <ada@example.com>`, where these variables of [`WHO`] are set.
///
/// # Errors
/// When nobody said it: git then refuses to commit.
pub fn identity(repo: &Repo, variables: Vec<(&'static str, OsString)>) -> Result<String, GitError> {
    let call = repo.git.reading(repo.root()).args(["var", "GIT_COMMITTER_IDENT"]);
    let who = variables.into_iter().fold(call, |call, (name, value)| call.variable(name, value)).line()?;
    let end = who.rfind('>').map_or(who.len(), |at| at + 1);
    Ok(who[..end].to_owned())
}

/// Returns the hooks that the repository has.
///
/// # Errors
/// When git fails.
pub fn hooks(repo: &Repo) -> Result<Vec<Hook>, GitError> {
    let said = repo.git.reading(repo.root()).args(["rev-parse", "--git-path", "hooks"]).run()?;
    let folder = repo.root().join(Path::new(OsStr::from_bytes(said.strip_suffix(b"\n").unwrap_or(&said))));
    let hook = |name| Hook { name, runs: is_program(&folder.join(name)), path: folder.join(name) };
    Ok(HOOKS.into_iter().map(hook).filter(|hook| hook.path.is_file()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Sandbox;

    #[test]
    fn who_commits_is_said_without_the_time_and_missing_where_nobody_set_it() {
        let sandbox = Sandbox::new();
        assert_eq!(identity(&sandbox.repo(), Vec::new()).unwrap(), "Test <test@localhost>");
        let main = sandbox.main();
        sandbox.run(&main, "config user.useConfigOnly true");
        sandbox.run(&main, "config --global --unset user.email");
        assert!(identity(&sandbox.repo(), Vec::new()).is_err());
        let named = vec![("GIT_COMMITTER_NAME", "Ada".into()), ("GIT_COMMITTER_EMAIL", "ada@example.com".into())];
        assert_eq!(identity(&sandbox.repo(), named).unwrap(), "Ada <ada@example.com>");
    }

    #[test]
    fn hooks_are_found_and_those_that_git_passes_over_are_told() {
        let sandbox = Sandbox::new();
        assert_eq!(hooks(&sandbox.repo()).unwrap(), []);
        let folder = sandbox.main().join(".git/hooks");
        std::fs::create_dir_all(&folder).unwrap();
        super::super::testing::executable(&folder.join("post-checkout"), "#!/bin/sh\n");
        std::fs::write(folder.join("pre-commit"), "#!/bin/sh\n").unwrap();
        let found: Vec<(&str, bool)> = hooks(&sandbox.repo()).unwrap().iter().map(|one| (one.name, one.runs)).collect();
        assert_eq!(found, [("post-checkout", true), ("pre-commit", false)]);
    }
}
