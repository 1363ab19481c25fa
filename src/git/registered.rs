//! The worktrees that a repository knows of, with those whose folder is gone.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::repo::open;
use super::{GitError, Repo, modules};

/// One worktree as the repository has it written down.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Registered {
    /// The folder.
    pub(super) path: PathBuf,
    /// What is checked out: a commit, or `ref: ` and a ref. One that is going right now has none any more.
    pub(super) head: String,
    /// The branch that is checked out, without `refs/heads/`.
    pub(super) branch: Option<String>,
    /// The folder of the files that are this work tree's alone.
    pub(super) git_dir: PathBuf,
    /// Whether somebody asked to keep the registration whatever happens to the folder.
    pub(super) locked: bool,
    /// There is a work tree, and the repository does not know where: the main one of `git init --separate-git-dir`.
    pub(super) is_hidden: bool,
}

impl Registered {
    /// Returns the commit that is checked out. It is not part of the list, since most who read the list of many worktrees
    /// need only names, and a ref costs several files to look at.
    pub(super) fn commit(&self, repo: &Repo) -> Option<String> {
        match self.head.strip_prefix(REF) {
            Some(name) => repo.commit_at(name).unwrap_or_default(),
            None => Some(self.head.clone()).filter(|id| !id.is_empty()),
        }
    }

    /// Says whether only the registration is left, and nobody asked to keep it.
    pub(super) fn is_stale(&self) -> bool {
        !self.locked && !self.path.join(".git").exists()
    }
}

/// Returns all worktrees of a repository, the main one first: what `git worktree list` says, without starting it.
pub(super) fn list(repo: &Repo) -> Result<Vec<Registered>, GitError> {
    let common_dir = repo.common_dir();
    let main = main(repo)?;
    let is_hidden = main.is_none();
    let main = main.unwrap_or_else(|| common_dir.to_owned());
    let mut all = vec![Registered { is_hidden, ..read(common_dir, main) }];
    let folder = common_dir.join("worktrees");
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        Err(error) => return Err(GitError::io("read", folder)(error)),
    };
    for entry in entries {
        let admin = entry.map_err(GitError::io("read", &folder))?.path();
        // Without its link it is one that another git begins or ends right now.
        if let Some(path) = folder_of(&admin) {
            all.push(read(&admin, path));
        }
    }
    Ok(all)
}

/// Returns where the main work tree is, or the repository itself if it is bare. Nothing where a work tree is somewhere else and
/// only its own link says so.
fn main(repo: &Repo) -> Result<Option<PathBuf>, GitError> {
    let common_dir = repo.common_dir();
    let gix = repo.gix();
    if gix.git_dir().canonicalize().is_ok_and(|git_dir| git_dir == common_dir) {
        return Ok(Some(repo.root().to_owned()));
    }
    // What is the main work tree's alone is not seen from another one.
    let main = open(common_dir)?.to_thread_local();
    let config = main.config_snapshot();
    if config.boolean("core.bare") == Some(true) {
        return Ok(Some(common_dir.to_owned()));
    }
    if let Some(place) = config.string("core.worktree") {
        // A submodule's, which has its repository inside that of another one.
        let place = common_dir.join(OsStr::from_bytes(&place));
        return Ok(Some(place.canonicalize().unwrap_or(place)));
    }
    Ok(if common_dir.ends_with(".git") { common_dir.parent().map(Path::to_owned) } else { None })
}

/// Returns the folder of a worktree whose own files are in `admin`, as its link says.
pub(super) fn folder_of(admin: &Path) -> Option<PathBuf> {
    let link = std::fs::read(admin.join("gitdir")).ok()?;
    let link = admin.join(OsStr::from_bytes(link.trim_ascii_end()));
    if link.ends_with(".git") { link.parent().map(Path::to_owned) } else { None }
}

const REF: &str = "ref: ";

fn read(git_dir: &Path, path: PathBuf) -> Registered {
    let head = std::fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default().trim_end().to_owned();
    let branch = head.strip_prefix(REF).and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned);
    let locked = git_dir.join("locked").exists();
    Registered { path, head, branch, git_dir: git_dir.to_owned(), locked, is_hidden: false }
}

/// Where commits are kept that nothing but a worktree whose folder is gone may name.
const HEADS: &str = "refs/draft/trash/heads";

/// Removes a stale registration. A commit that nothing but its detached head may name is kept under
/// `refs/draft/trash/heads/`, and so are those that only its submodules have, in the submodules of the user's checkout.
pub(super) fn forget(repo: &Repo, stale: &Registered) -> Result<(), GitError> {
    if let Some(modules) = modules::keep(repo, &stale.git_dir, HEADS)?.into_iter().next() {
        return Err(GitError::HoldsModules { path: stale.path.clone(), modules });
    }
    if let (None, Some(head)) = (&stale.branch, stale.commit(repo)) {
        let reference = format!("{HEADS}/{head}");
        repo.git.writing(repo.common_dir()).args(["update-ref", &reference, &head]).run()?;
    }
    // Without --force: should the folder have come back with work in it, git refuses.
    let remove = [OsStr::new("worktree"), OsStr::new("remove"), stale.path.as_os_str()];
    repo.git.writing(repo.common_dir()).args(remove).run().map(drop)
}

/// Says whether two paths are the same place; the last part of each may be missing. It is asked of each of many worktrees, and
/// resolving the links of a path looks at every folder above.
pub(super) fn same_place(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|data| (data.dev(), data.ino()));
    let named_alike = || a.file_name() == b.file_name() && a.file_name().is_some();
    a == b
        || match (id(a), id(b)) {
            (Some(a), Some(b)) => a == b,
            (None, None) if named_alike() => {
                let (a, b) = (a.parent().and_then(id), b.parent().and_then(id));
                a.is_some() && a == b
            }
            _ => false,
        }
}

/// Returns the path with links resolved, those of its parent where itself is missing.
pub(super) fn settled(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Sandbox, odd_name};

    #[test]
    fn the_list_of_worktrees_is_that_of_git() {
        let sandbox = Sandbox::new();
        let main = sandbox.main();
        let add = |name: &OsStr, args: &[&str]| {
            let path = sandbox.dir().join(name);
            let args = args.iter().map(OsStr::new).chain([path.as_os_str()]);
            sandbox.args(&main, ["worktree", "add", "-q"].iter().map(OsStr::new).chain(args));
            path
        };
        let odd = add(&odd_name("a b\nc"), &["-b", "draft/1-x"]);
        let detached = add(OsStr::new("detached"), &["--lock", "--detach"]);
        let gone = add(OsStr::new("gone"), &["-b", "side"]);
        let unborn = add(OsStr::new("unborn"), &["-b", "deleted"]);
        sandbox.run(&main, "update-ref -d refs/heads/deleted");
        std::fs::remove_dir_all(&gone).unwrap();
        let commit = sandbox.run(&main, "rev-parse HEAD");
        let admin = |path: &Path| match path == main.canonicalize().unwrap() {
            true => main.canonicalize().unwrap().join(".git"),
            false => {
                let names = main.join(".git/worktrees").read_dir().unwrap().map(|entry| entry.unwrap().path());
                names
                    .into_iter()
                    .find(|admin| folder_of(admin).as_deref() == Some(path))
                    .unwrap()
                    .canonicalize()
                    .unwrap()
            }
        };
        let entry = |path: &Path, branch: Option<&str>| Registered {
            git_dir: admin(path),
            path: path.to_owned(),
            head: branch.map_or_else(|| commit.clone(), |branch| format!("ref: refs/heads/{branch}")),
            branch: branch.map(str::to_owned),
            locked: false,
            is_hidden: false,
        };
        let mut all = list(&sandbox.repo()).unwrap();
        assert_eq!(all.remove(0), entry(&main.canonicalize().unwrap(), Some("main")));
        all.sort_by(|a, b| a.path.cmp(&b.path));
        let mut wanted = [
            entry(&odd, Some("draft/1-x")),
            Registered { locked: true, ..entry(&detached, None) },
            entry(&gone, Some("side")),
            entry(&unborn, Some("deleted")),
        ];
        wanted.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(all, wanted);
        let repo = sandbox.repo();
        let commits = all.iter().map(|one| one.commit(&repo)).collect::<Vec<_>>();
        let wanted_commits = all.iter().map(|one| (one.path != unborn).then(|| commit.clone())).collect::<Vec<_>>();
        assert_eq!(commits, wanted_commits);
        assert_eq!(all.iter().filter(|one| one.is_stale()).map(|one| &one.path).collect::<Vec<_>>(), [&gone]);

        // Same places under other names, also where nothing is.
        let link = sandbox.dir().join("link");
        std::os::unix::fs::symlink(sandbox.dir(), &link).unwrap();
        assert!(same_place(&odd, &link.join(odd.file_name().unwrap())));
        assert!(same_place(&gone, &link.join("gone")));
        assert!(!same_place(&gone, &link.join("gone too")) && !same_place(&gone, &odd));
        assert!(!same_place(&gone, Path::new("/nowhere/at/all/gone")));

        // One that is half there is none.
        std::fs::write(main.join(".git/worktrees/gone/gitdir"), "").unwrap();
        assert_eq!(list(&sandbox.repo()).unwrap().len(), 4);
    }
}
