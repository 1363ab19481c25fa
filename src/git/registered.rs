//! The worktrees that a repository knows of, with those whose folder is gone.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{GitError, Repo};

/// One worktree as the repository has it written down.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Registered {
    /// The folder.
    pub(super) path: PathBuf,
    /// The commit that is checked out.
    pub(super) head: Option<String>,
    /// The branch that is checked out, without `refs/heads/`.
    pub(super) branch: Option<String>,
    /// Whether somebody asked to keep the registration whatever happens to the folder.
    pub(super) locked: bool,
}

impl Registered {
    /// Says whether only the registration is left, and nobody asked to keep it.
    pub(super) fn is_stale(&self) -> bool {
        !self.locked && !self.path.join(".git").exists()
    }
}

/// Returns all worktrees of a repository, the main one first.
pub(super) fn list(repo: &Repo) -> Result<Vec<Registered>, GitError> {
    let said = repo.git.reading(repo.common_dir()).args(["worktree", "list", "--porcelain", "-z"]).run()?;
    Ok(read(&said))
}

fn read(said: &[u8]) -> Vec<Registered> {
    let mut all = Vec::new();
    let mut current = Registered::default();
    for line in said.split(|byte| *byte == 0) {
        let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (key, value) = (&line[..at], line.get(at + 1..).unwrap_or_default());
        let text = || String::from_utf8_lossy(value).into_owned();
        match key {
            b"" if !current.path.as_os_str().is_empty() => all.push(std::mem::take(&mut current)),
            b"worktree" => current.path = PathBuf::from(OsStr::from_bytes(value)),
            b"HEAD" => current.head = Some(text()).filter(|id| id.bytes().any(|byte| byte != b'0')),
            b"branch" => current.branch = text().strip_prefix("refs/heads/").map(str::to_owned),
            b"locked" => current.locked = true,
            // `bare`, `detached`, `prunable` and what later versions add.
            _ => {}
        }
    }
    all
}

/// Removes a stale registration. A commit that nothing but its detached head may name is kept under
/// `refs/draft/trash/heads/`.
pub(super) fn forget(repo: &Repo, stale: &Registered) -> Result<(), GitError> {
    if let (None, Some(head)) = (&stale.branch, &stale.head) {
        let reference = format!("refs/draft/trash/heads/{head}");
        repo.git.writing(repo.common_dir()).args(["update-ref", &reference, head]).run()?;
    }
    // Without --force: should the folder have come back with work in it, git refuses.
    let remove = [OsStr::new("worktree"), OsStr::new("remove"), stale.path.as_os_str()];
    repo.git.writing(repo.common_dir()).args(remove).run().map(drop)
}

/// Says whether two paths are the same place; the last part of each may be missing.
pub(super) fn same_place(a: &Path, b: &Path) -> bool {
    a == b || settled(a) == settled(b)
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

    #[test]
    fn the_list_of_worktrees_is_read_with_odd_paths() {
        let said = b"worktree /a b\nc\0HEAD 11\0branch refs/heads/draft/1-x\0\0\
                     worktree /\xff\0HEAD 22\0detached\0locked\0\0\
                     worktree /new\0HEAD 0000\0branch refs/heads/main\0prunable gone\0\0worktree /bare\0bare\0\0";
        let all = read(said);
        assert_eq!(all.len(), 4);
        assert_eq!(all[0].path, Path::new("/a b\nc"));
        assert_eq!(all[0].branch.as_deref(), Some("draft/1-x"));
        assert_eq!(all[1].path.as_os_str().as_bytes(), b"/\xff");
        assert_eq!((all[1].locked, all[1].branch.as_deref(), all[1].head.as_deref()), (true, None, Some("22")));
        assert_eq!((all[2].head.as_deref(), all[2].locked), (None, false));
        assert_eq!(all[3].path, Path::new("/bare"));
    }
}
