//! A repository: where it is, which branch is the base, which commit a branch is.

use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::refs::TargetRef;
use gix::sec::Trust;

use super::program::Stop;
use super::turn::Turns;
use super::{Git, GitError, checkout};

/// A repository, seen from one of its work trees. Cloning it is cheap.
#[derive(Clone)]
pub struct Repo {
    pub(super) git: Git,
    root: PathBuf,
    common_dir: PathBuf,
    store: gix::ThreadSafeRepository,
    pub(super) turns: Turns,
    pub(super) checkout: checkout::Known,
}

impl Repo {
    /// Finds the repository in which a path lies. Variables such as `GIT_DIR` have no say.
    ///
    /// # Errors
    /// When there is none, it has no work tree or no commit, or it belongs to somebody whom git does not trust.
    pub fn discover(git: &Git, path: &Path) -> Result<Self, GitError> {
        let path = path.canonicalize().map_err(GitError::io("find", path))?;
        let (place, trust) =
            gix::discover::upwards(&path).map_err(|_| GitError::NotARepository { path: path.clone() })?;
        if trust == Trust::Reduced {
            // Somebody else's. Whether that is fine (`safe.directory`) is for git to say.
            git.reading(&path).args(["rev-parse", "--git-dir"]).run()?;
        }
        let mut store = open(place.as_ref())?;
        if store.work_dir().is_none()
            && let Some(linked) = path.ancestors().find(|folder| folder.join(".git").is_file())
        {
            // Its repository lies elsewhere and does not know of it: `git init --separate-git-dir`.
            store = open(linked)?;
        }
        let storage = store.to_thread_local().config_snapshot().string("extensions.refStorage");
        if storage.is_some_and(|storage| storage.eq_ignore_ascii_case(b"reftable")) {
            return Err(GitError::RefTable { path: place.as_ref().to_owned() });
        }
        let Some(root) = store.work_dir() else {
            return Err(GitError::Bare { path: place.as_ref().to_owned() });
        };
        let root = root.canonicalize().map_err(GitError::io("find", root))?;
        let (turns, checkout) = (Turns::default(), checkout::Known::default());
        let repo = Self { git: git.clone(), common_dir: common_dir(&store)?, root, store, turns, checkout };
        repo.require_commit()?;
        Ok(repo)
    }

    /// Returns the same repository, in which git and the hooks that it runs are ended when an end is wanted.
    #[must_use]
    pub fn until(&self, stop: Stop) -> Self {
        let mut repo = self.clone();
        repo.git.stop = Some(stop);
        repo
    }

    fn require_commit(&self) -> Result<(), GitError> {
        let gix = self.gix();
        let unborn = gix.head().map_err(GitError::read("HEAD"))?.is_unborn();
        let references = gix.references().map_err(GitError::read("the refs"))?;
        let mut branches = references.local_branches().map_err(GitError::read("the branches"))?;
        if unborn && branches.next().is_none() {
            return Err(GitError::NoCommits { root: self.root.clone() });
        }
        Ok(())
    }

    /// Returns the top folder of the work tree: the main one, or the linked one in which the repository was found.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of the repository's own files that all its work trees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the branch from which tickets start when nobody says otherwise: the one checked out now, else the one
    /// that the remote `origin` calls its head, else `main`, else `master`.
    ///
    /// # Errors
    /// When there is none of these, or the refs cannot be read.
    pub fn base_branch(&self) -> Result<String, GitError> {
        let candidates = [self.checked_out()?, self.origin_head()?, Some("main".to_owned()), Some("master".to_owned())];
        for branch in candidates.into_iter().flatten() {
            if self.find(&branch)?.is_some() {
                return Ok(branch);
            }
        }
        Err(GitError::NoBaseBranch { root: self.root.clone() })
    }

    /// Returns the branch that is checked out in the work tree.
    fn checked_out(&self) -> Result<Option<String>, GitError> {
        let name = self.gix().head_name().map_err(GitError::read("HEAD"))?;
        Ok(name.and_then(|name| short_branch(name.as_bstr())))
    }

    /// Returns the local branch of the name that `origin/HEAD` has, or that remote branch where there is no local one.
    fn origin_head(&self) -> Result<Option<String>, GitError> {
        let gix = self.gix();
        let head = gix.try_find_reference("refs/remotes/origin/HEAD").map_err(GitError::read("origin/HEAD"))?;
        let Some(TargetRef::Symbolic(name)) = head.as_ref().map(|head| head.inner.target.to_ref()) else {
            return Ok(None);
        };
        let Some(branch) = name.as_bstr().strip_prefix(b"refs/remotes/origin/") else { return Ok(None) };
        let Ok(branch) = std::str::from_utf8(branch) else { return Ok(None) };
        if self.has_ref(&format!("refs/heads/{branch}"))? {
            return Ok(Some(branch.to_owned()));
        }
        Ok(Some(format!("origin/{branch}")))
    }

    /// Returns the full id of the commit of a local branch, or else of a remote one such as `origin/main`.
    ///
    /// # Errors
    /// When there is no such branch, or it cannot be read.
    pub fn commit_of(&self, branch: &str) -> Result<String, GitError> {
        self.find(branch)?.ok_or_else(|| self.no_branch(branch))
    }

    fn find(&self, branch: &str) -> Result<Option<String>, GitError> {
        for folder in ["refs/heads/", "refs/remotes/"] {
            if let Some(commit) = self.commit_at(&format!("{folder}{branch}"))? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// Returns the commit at which a ref with a full name points.
    pub(super) fn commit_at(&self, name: &str) -> Result<Option<String>, GitError> {
        let gix = self.gix();
        // A text that cannot be a ref's name is the name of none.
        let Ok(full) = gix::refs::FullName::try_from(name) else { return Ok(None) };
        let found = gix.try_find_reference(full.as_ref().as_partial_name()).map_err(GitError::read(name))?;
        let Some(mut reference) = found else { return Ok(None) };
        let commit = reference.peel_to_commit().map_err(GitError::read(name))?;
        Ok(Some(commit.id.to_string()))
    }

    pub(super) fn has_ref(&self, name: &str) -> Result<bool, GitError> {
        let Ok(full) = gix::refs::FullName::try_from(name) else { return Ok(false) };
        let gix = self.gix();
        let found = gix.try_find_reference(full.as_ref().as_partial_name()).map_err(GitError::read(name))?;
        Ok(found.is_some())
    }

    /// Returns the tree of whatever names a commit or tree.
    pub(super) fn tree_of(&self, revision: &str) -> Result<String, GitError> {
        tree(&self.gix(), revision).map(|tree| tree.id.to_string())
    }

    /// Returns the parents of a commit.
    pub(super) fn parents_of(&self, commit: &str) -> Result<Vec<String>, GitError> {
        let what = || GitError::read(format!("the commit `{commit}`"));
        let gix = self.gix();
        let id = gix.rev_parse_single(commit.as_bytes().as_bstr()).map_err(what())?;
        let commit = id.object().map_err(what())?.peel_to_commit().map_err(what())?;
        Ok(commit.parent_ids().map(|id| id.to_string()).collect())
    }

    /// Returns the same repository with its own files elsewhere: in a bare one that borrows this one's objects.
    pub(super) fn with_files_in(&self, git_dir: &Path) -> Result<Self, GitError> {
        Ok(Self { store: open(git_dir)?, common_dir: git_dir.to_owned(), ..self.clone() })
    }

    /// Returns the folder of its objects.
    pub(super) fn objects(&self) -> PathBuf {
        self.gix().objects.store_ref().path().to_owned()
    }

    /// Returns the newest commit that is among both and all before them; nothing for histories without one.
    pub(super) fn merge_base(&self, one: &str, two: &str) -> Result<Option<String>, GitError> {
        let gix = self.gix();
        let id = |hex: &str| gix::ObjectId::from_hex(hex.as_bytes()).map_err(GitError::read(format!("the id `{hex}`")));
        let found = gix.merge_bases_many(id(one)?, &[id(two)?]).map_err(GitError::read("the history"))?;
        Ok(found.first().map(ToString::to_string))
    }

    /// Returns a handle for this thread; it sees what others wrote meanwhile.
    pub(super) fn gix(&self) -> gix::Repository {
        self.store.to_thread_local()
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo").field("root", &self.root).field("common_dir", &self.common_dir).finish_non_exhaustive()
    }
}

/// Opens exactly this folder, with the repository's own configuration and nothing else.
pub(super) fn open(path: &Path) -> Result<gix::ThreadSafeRepository, GitError> {
    let options = gix::open::Options::isolated().with(Trust::Full);
    gix::ThreadSafeRepository::open_opts(path, options)
        .map_err(GitError::read(format!("the repository {}", path.display())))
}

/// Returns the folder that all work trees of a repository share, links resolved.
pub(super) fn common_dir(store: &gix::ThreadSafeRepository) -> Result<PathBuf, GitError> {
    let gix = store.to_thread_local();
    gix.common_dir().canonicalize().map_err(GitError::io("find", gix.common_dir()))
}

/// Returns the tree of whatever names a commit or tree.
pub(super) fn tree<'repo>(gix: &'repo gix::Repository, revision: &str) -> Result<gix::Tree<'repo>, GitError> {
    let what = || GitError::read(format!("the tree of `{revision}`"));
    // A whole id needs no search for what it may be short for.
    let object = match gix::ObjectId::from_hex(revision.as_bytes()) {
        Ok(id) => gix.find_object(id),
        Err(_) => gix.rev_parse_single(revision.as_bytes().as_bstr()).and_then(|id| id.object()),
    };
    object.map_err(what())?.peel_to_tree().map_err(what())
}

/// Returns a branch's name without `refs/heads/`; none when it is not UTF-8 or no branch.
pub(super) fn short_branch(full: &gix::bstr::BStr) -> Option<String> {
    full.strip_prefix(b"refs/heads/").and_then(|name| std::str::from_utf8(name).ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Sandbox, odd_name};

    #[test]
    fn a_repository_is_found_from_any_folder_in_it() {
        let sandbox = Sandbox::new();
        let repo = Repo::discover(&sandbox.git, &sandbox.main().join("src")).unwrap();
        assert_eq!(repo.root(), sandbox.main().canonicalize().unwrap());
        assert_eq!(repo.common_dir(), sandbox.main().join(".git").canonicalize().unwrap());
    }

    #[test]
    fn no_repository_a_bare_one_and_an_empty_one_are_told_apart() {
        let sandbox = Sandbox::empty();
        let discover = |path: &Path| Repo::discover(&sandbox.git, path).unwrap_err();
        assert!(matches!(discover(sandbox.dir()), GitError::NotARepository { .. }));
        assert!(matches!(discover(&sandbox.dir().join("missing")), GitError::Io { .. }));
        sandbox.run(sandbox.dir(), "init -q --bare bare");
        assert!(matches!(discover(&sandbox.dir().join("bare")), GitError::Bare { .. }));
        sandbox.run(sandbox.dir(), "init -q empty");
        let error = discover(&sandbox.dir().join("empty"));
        assert!(matches!(error, GitError::NoCommits { .. }));
        assert!(error.to_string().contains("git commit --allow-empty"), "{error}");
    }

    #[test]
    fn a_worktree_of_a_bare_repository_is_fine() {
        let sandbox = Sandbox::new();
        sandbox.run(sandbox.dir(), "clone -q --bare repo bare");
        sandbox.run(&sandbox.dir().join("bare"), "worktree add -q ../tree main");
        let repo = Repo::discover(&sandbox.git, &sandbox.dir().join("tree")).unwrap();
        assert_eq!(repo.common_dir(), sandbox.dir().join("bare").canonicalize().unwrap());
        assert_eq!(repo.base_branch().unwrap(), "main");
    }

    #[test]
    fn the_base_branch_is_the_one_checked_out_then_origins_then_main_then_master() {
        let sandbox = Sandbox::new();
        let main = sandbox.main();
        let base = || sandbox.repo().base_branch();
        sandbox.run(&main, "checkout -q -b feature/x");
        assert_eq!(base().unwrap(), "feature/x");
        sandbox.run(&main, "branch develop");
        sandbox.run(&main, "checkout -q --detach");
        assert_eq!(base().unwrap(), "main");
        sandbox.run(&main, "update-ref refs/remotes/origin/develop HEAD");
        sandbox.run(&main, "symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/develop");
        assert_eq!(base().unwrap(), "develop");
        sandbox.run(&main, "branch -q -D develop");
        assert_eq!(base().unwrap(), "origin/develop");
        sandbox.run(&main, "update-ref -d refs/remotes/origin/develop");
        sandbox.run(&main, "branch -q -m main master");
        assert_eq!(base().unwrap(), "master");
        sandbox.run(&main, "branch -q -m master other");
        assert!(matches!(base(), Err(GitError::NoBaseBranch { .. })));
    }

    #[test]
    fn a_branches_commit_follows_the_branch_also_when_packed() {
        let sandbox = Sandbox::new();
        let repo = sandbox.repo();
        let first = repo.commit_of("main").unwrap();
        assert_eq!(first, sandbox.run(&sandbox.main(), "rev-parse HEAD"));
        sandbox.write("more.txt", "m\n");
        let second = sandbox.commit(&sandbox.main(), "more");
        assert_eq!(repo.commit_of("main").unwrap(), second);
        sandbox.run(&sandbox.main(), "gc -q");
        assert_eq!(repo.commit_of("main").unwrap(), second);
        for missing in ["nope", "", "../x", "refs/heads/main", "a b"] {
            assert!(matches!(repo.commit_of(missing), Err(GitError::NoBranch { .. })), "{missing}");
        }
    }

    #[test]
    fn a_folder_with_an_odd_name_is_fine() {
        let sandbox = Sandbox::new();
        let odd = sandbox.dir().join(odd_name("odd \n"));
        std::fs::rename(sandbox.main(), &odd).unwrap();
        let repo = Repo::discover(&sandbox.git, &odd).unwrap();
        assert_eq!(repo.base_branch().unwrap(), "main");
    }

    #[test]
    fn whether_somebody_elses_repository_is_safe_is_for_git_to_say() {
        let sandbox = Sandbox::new();
        let main = sandbox.main();
        for path in [main.clone(), main.join(".git")] {
            if std::os::unix::fs::chown(path, Some(12345), None).is_err() {
                return; // Only root may give files away.
            }
        }
        let error = Repo::discover(&sandbox.git, &main).unwrap_err();
        assert!(error.to_string().contains("safe.directory"), "{error}");
        let trust = ["config", "--global", "safe.directory", "*"];
        sandbox.args(sandbox.dir(), trust);
        assert!(Repo::discover(&sandbox.git, &main).is_ok());
    }
}
