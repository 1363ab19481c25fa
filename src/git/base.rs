//! The branch from which a ticket starts and on which its change lands: what people may name, and what they may not.

use gix::bstr::ByteSlice;
use gix::refs::TargetRef;

use super::{GitError, Repo};

const HEADS: &str = "refs/heads/";
const REMOTES: &str = "refs/remotes/";
/// How many branches a message names when there is none of the wanted name.
const NAMED: usize = 5;

/// A branch from which tickets start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    /// Its short name, as worktrees record it: `main`, or `origin/main`.
    pub branch: String,
    /// Where it is.
    pub commit: String,
    /// Whose it is.
    pub side: Side,
}

/// Whose branch it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Side {
    /// One of this repository: changes land on it.
    Local,
    /// What was last fetched of a remote's branch. Changes land there by a push, or here on a local branch of the same name.
    Remote {
        /// The remote.
        remote: String,
        /// The branch's name there.
        branch: String,
    },
}

/// What names a commit and is no branch, so that nothing can land on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoBase {
    /// A tag.
    #[error("a tag")]
    Tag,
    /// A commit, by its id or by where it is beside others.
    #[error("a commit")]
    Commit,
    /// Whatever is checked out.
    #[error("whatever is checked out")]
    Head,
}

impl Repo {
    /// Returns the branch that somebody named: a local one, or else a remote one such as `origin/main`, with or without
    /// `refs/…` before it.
    ///
    /// # Errors
    /// When there is none, it is no branch but a tag or a commit, or it cannot be read.
    pub fn base(&self, asked: &str) -> Result<Base, GitError> {
        let (local, remote) = match (asked.strip_prefix(HEADS), asked.strip_prefix(REMOTES)) {
            (Some(local), _) => (Some(local), None),
            (None, Some(remote)) => (None, Some(remote)),
            (None, None) => (Some(asked), Some(asked)),
        };
        if let Some(name) = local.filter(|name| *name != "HEAD")
            && let Some(commit) = self.commit_at(&format!("{HEADS}{name}"))?
        {
            return Ok(Base { branch: name.to_owned(), commit, side: Side::Local });
        }
        if let Some(name) = remote
            && let Some(base) = self.remote_base(name)?
        {
            return Ok(base);
        }
        Err(self.no_base(asked)?)
    }

    /// Returns a remote's branch; that at which it points if it is an alias, as `origin` and `origin/HEAD` are.
    fn remote_base(&self, name: &str) -> Result<Option<Base>, GitError> {
        let head = format!("{name}/HEAD");
        let alias = [name, &head].into_iter().find_map(|name| self.alias(name).transpose()).transpose()?;
        let name = alias.as_deref().unwrap_or(name);
        let Some(commit) = self.commit_at(&format!("{REMOTES}{name}"))? else { return Ok(None) };
        let Some((remote, branch)) = self.split_remote(name) else { return Ok(None) };
        Ok(Some(Base { branch: name.to_owned(), commit, side: Side::Remote { remote, branch } }))
    }

    fn alias(&self, name: &str) -> Result<Option<String>, GitError> {
        let gix = self.gix();
        let full = format!("{REMOTES}{name}");
        let Ok(full) = gix::refs::FullName::try_from(full.as_str()) else { return Ok(None) };
        let found = gix.try_find_reference(full.as_ref().as_partial_name()).map_err(GitError::read(name))?;
        let Some(TargetRef::Symbolic(target)) = found.as_ref().map(|found| found.inner.target.to_ref()) else {
            return Ok(None);
        };
        let target = target.as_bstr().strip_prefix(REMOTES.as_bytes());
        Ok(target.and_then(|target| std::str::from_utf8(target).ok()).map(str::to_owned))
    }

    /// Splits `origin/a/b` after the remote, whose name may have slashes too.
    fn split_remote(&self, name: &str) -> Option<(String, String)> {
        let remotes = self.gix().remote_names().into_iter().map(|remote| remote.to_string());
        let of_one = |remote: &String| name.strip_prefix(remote.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let remote = remotes.filter(of_one).max_by_key(String::len);
        let at = remote.map(|remote| remote.len()).or_else(|| name.find('/'))?;
        Some((name[..at].to_owned(), name[at + 1..].to_owned()))
    }

    /// Says what it is instead, or what there is instead.
    fn no_base(&self, asked: &str) -> Result<GitError, GitError> {
        let what = if matches!(asked, "HEAD" | "@") {
            Some(NoBase::Head)
        } else if self.has_ref(&format!("refs/tags/{}", asked.strip_prefix("refs/tags/").unwrap_or(asked)))? {
            Some(NoBase::Tag)
        } else {
            let is_commit = !asked.is_empty() && self.gix().rev_parse_single(asked.as_bytes().as_bstr()).is_ok();
            is_commit.then_some(NoBase::Commit)
        };
        let (asked, root) = (asked.to_owned(), self.root().to_owned());
        Ok(match what {
            Some(what) => GitError::NotABranch { asked, what, root },
            None => self.no_branch(&asked),
        })
    }

    /// There is no such branch; the message says what there is.
    pub(super) fn no_branch(&self, asked: &str) -> GitError {
        let remotes: Vec<String> = self.gix().remote_names().into_iter().map(|remote| remote.to_string()).collect();
        let elsewhere = remotes.iter().map(|remote| format!("{remote}/{asked}"));
        let elsewhere = elsewhere.into_iter().find(|name| self.has_ref(&format!("{REMOTES}{name}")).unwrap_or(false));
        let remote = remotes.iter().find(|remote| {
            asked.strip_prefix(remote.as_str()).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
        });
        let hint = match (elsewhere, remote) {
            (Some(name), _) => format!("there is `{name}`: name that, or make yours with `git branch {asked} {name}`"),
            (None, Some(remote)) => format!("is it fetched? `git fetch {remote}` does it"),
            (None, None) => self.branches_there(),
        };
        GitError::NoBranch { branch: asked.to_owned(), root: self.root().to_owned(), hint }
    }

    fn branches_there(&self) -> String {
        let gix = self.gix();
        let mut names: Vec<String> = Vec::new();
        if let Ok(references) = gix.references()
            && let Ok(branches) = references.local_branches()
        {
            names.extend(branches.flatten().map(|branch| branch.name().shorten().to_string()));
        }
        // Tickets' own ones are no base for others.
        names.retain(|name| !name.starts_with("draft/"));
        match names.len() {
            0 => "there is none at all".to_owned(),
            1..=NAMED => format!("there is {}", names.join(", ")),
            more => format!("there is {} and {} more", names[..NAMED].join(", "), more - NAMED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Sandbox;

    /// A repository with a branch `main`, a tag `v1`, and a remote `origin` with `main` and `feature/x`.
    fn with_remote() -> Sandbox {
        let sandbox = Sandbox::new();
        let main = sandbox.main();
        sandbox.run(&main, "tag -a v1 -m v1");
        sandbox.run(&main, "remote add origin /nowhere");
        sandbox.run(&main, "remote add team/fork /nowhere");
        for name in ["origin/main", "origin/feature/x", "team/fork/y"] {
            sandbox.run(&main, &format!("update-ref refs/remotes/{name} HEAD"));
        }
        sandbox.run(&main, "symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main");
        sandbox
    }

    #[test]
    fn local_and_remote_branches_are_found_under_all_their_names() {
        let sandbox = with_remote();
        let repo = sandbox.repo();
        let commit = sandbox.run(&sandbox.main(), "rev-parse HEAD");
        let remote = |remote: &str, branch: &str| Side::Remote { remote: remote.into(), branch: branch.into() };
        for (asked, branch, side) in [
            ("main", "main", Side::Local),
            ("refs/heads/main", "main", Side::Local),
            ("origin/main", "origin/main", remote("origin", "main")),
            ("refs/remotes/origin/main", "origin/main", remote("origin", "main")),
            ("origin", "origin/main", remote("origin", "main")),
            ("origin/HEAD", "origin/main", remote("origin", "main")),
            ("origin/feature/x", "origin/feature/x", remote("origin", "feature/x")),
            ("team/fork/y", "team/fork/y", remote("team/fork", "y")),
        ] {
            let found = repo.base(asked).unwrap();
            assert_eq!(found, Base { branch: branch.into(), commit: commit.clone(), side }, "{asked}");
        }
        sandbox.run(&sandbox.main(), "branch origin/main");
        assert_eq!(repo.base("origin/main").unwrap().side, Side::Local, "a local branch comes first");
    }

    #[test]
    fn what_is_no_branch_is_told_as_what_it_is() {
        let sandbox = with_remote();
        let commit = sandbox.run(&sandbox.main(), "rev-parse HEAD");
        for (asked, what) in [
            ("v1", NoBase::Tag),
            ("refs/tags/v1", NoBase::Tag),
            (&commit, NoBase::Commit),
            (&commit[..9], NoBase::Commit),
            ("main~0", NoBase::Commit),
            ("HEAD", NoBase::Head),
            ("@", NoBase::Head),
        ] {
            let error = sandbox.repo().base(asked).unwrap_err();
            assert!(matches!(&error, GitError::NotABranch { what: found, .. } if *found == what), "{asked}: {error}");
            assert!(error.to_string().contains(&format!("git branch NAME {asked}")), "{error}");
        }
    }

    #[test]
    fn a_missing_one_is_told_with_what_there_is() {
        let sandbox = with_remote();
        for (asked, hint) in [
            (
                "feature/x",
                "there is `origin/feature/x`: name that, or make yours with `git branch feature/x origin/feature/x`",
            ),
            ("origin/nope", "is it fetched? `git fetch origin` does it"),
            ("nope", "there is main"),
            ("", "there is main"),
            ("a b", "there is main"),
        ] {
            let error = sandbox.repo().base(asked).unwrap_err();
            assert!(matches!(error, GitError::NoBranch { .. }), "{error}");
            assert!(error.to_string().ends_with(hint), "{error}");
        }
    }
}
