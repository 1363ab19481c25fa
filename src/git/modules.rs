//! Keeps what only the submodules of a worktree have. Their repositories lie in the worktree's own files and go with it;
//! commits made there go to the same submodules of the user's checkout first, under refs of Draft.

use std::io;
use std::path::{Path, PathBuf};

use super::invoke::{Call, DURABLE, LONG};
use super::repo::open;
use super::{GitError, Repo};

/// Submodules in submodules deeper than this are not looked at.
const DEPTH: usize = 32;

/// Keeps all commits that the submodules of a worktree have and those of the user's checkout have not, as
/// `<reference>/<commit>` there. `git_dir` is the folder of the worktree's own files. Returns the repositories whose commits
/// could not be kept, since the user's checkout has no such submodule; they are lost if the worktree goes.
pub(super) fn keep(repo: &Repo, git_dir: &Path, reference: &str) -> Result<Vec<PathBuf>, GitError> {
    let mut unkept = Vec::new();
    for module in all(git_dir)? {
        let name = module.strip_prefix(git_dir).unwrap_or(&module);
        if !keep_one(repo, &module, &repo.common_dir().join(name), reference)? {
            unkept.push(module);
        }
    }
    Ok(unkept)
}

/// Forgets what was kept under a name, in all submodules of the user's checkout.
pub(super) fn forget(repo: &Repo, reference: &str) -> Result<(), GitError> {
    for module in all(repo.common_dir())? {
        let names = format!("{reference}/");
        let said =
            inside(repo.git.reading(&module), &module).args(["for-each-ref", "--format=%(refname)", &names]).run()?;
        for name in String::from_utf8_lossy(&said).lines() {
            inside(repo.git.writing(&module), &module).args(["update-ref", "-d", name]).run()?;
        }
    }
    Ok(())
}

/// Returns the repositories of a worktree's submodules, and of those inside them.
pub(super) fn all(git_dir: &Path) -> Result<Vec<PathBuf>, GitError> {
    let mut all = Vec::new();
    collect(&git_dir.join("modules"), DEPTH, &mut all)?;
    Ok(all)
}

/// Says whether a repository is one of those that `keep` looks at.
pub(super) fn is_of(git_dir: &Path, module: &Path) -> bool {
    module.starts_with(git_dir.join("modules"))
}

/// Finds the repositories below a folder, those inside them included.
fn collect(folder: &Path, depth: usize, all: &mut Vec<PathBuf>) -> Result<(), GitError> {
    let entries = match folder.read_dir() {
        Ok(entries) if depth > 0 => entries,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(GitError::io("read", folder)(error)),
    };
    for entry in entries {
        let path = entry.map_err(GitError::io("read", folder))?.path();
        if path.is_symlink() || !path.is_dir() {
            continue;
        }
        if path.join("HEAD").exists() && path.join("objects").exists() {
            collect(&path.join("modules"), depth - 1, all)?;
            all.push(path);
        } else {
            // Names of submodules may have slashes.
            collect(&path, depth - 1, all)?;
        }
    }
    Ok(())
}

/// Keeps the commits of one repository in another; says whether nothing would be lost without it now.
fn keep_one(repo: &Repo, module: &Path, target: &Path, reference: &str) -> Result<bool, GitError> {
    let tips = tips(repo, module)?;
    if !target.join("HEAD").exists() {
        return is_all_fetched(repo, module);
    }
    let wanted = unreachable(repo, target, tips)?;
    if wanted.is_empty() {
        return Ok(true);
    }
    // The second version of the protocol gives any commit, not only those with a name.
    let call = inside(repo.git.writing(target).within(LONG), target).args(DURABLE);
    let call = call.args(["-c", "protocol.version=2", "-c", "protocol.file.allow=always", "fetch", "--quiet"]);
    let call = call.args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"]);
    // The folder that its configuration names as work tree may be gone, and git would go there first.
    let call = call.args(["--upload-pack", "GIT_WORK_TREE=/ git upload-pack"]);
    let refs = wanted.iter().map(|commit| format!("{commit}:{reference}/{commit}"));
    call.args(["--"]).args([module]).args(refs).run()?;
    Ok(true)
}

/// Returns all commits that somebody was at: those with a name, and those that the logs still know.
fn tips(repo: &Repo, module: &Path) -> Result<Vec<String>, GitError> {
    let said = inside(repo.git.reading(module), module).args(["rev-list", "--no-walk", "--all", "--reflog"]).run()?;
    Ok(String::from_utf8_lossy(&said).lines().map(str::to_owned).collect())
}

/// Returns those of the commits that no name in a repository leads to.
fn unreachable(repo: &Repo, target: &Path, tips: Vec<String>) -> Result<Vec<String>, GitError> {
    let gix = open(target)?.to_thread_local();
    let is_there = |tip: &String| gix::ObjectId::from_hex(tip.as_bytes()).is_ok_and(|id| gix.has_object(id));
    let (there, mut wanted): (Vec<String>, Vec<String>) = tips.into_iter().partition(is_there);
    if there.is_empty() {
        return Ok(wanted);
    }
    let mut input = there.join("\n");
    input.push_str("\n--not\n--all\n");
    let call = inside(repo.git.reading(target), target).args(["rev-list", "--stdin"]).input(input.into_bytes());
    let said = String::from_utf8_lossy(&call.run()?).into_owned();
    wanted.extend(there.into_iter().filter(|tip| said.lines().any(|line| line == tip)));
    Ok(wanted)
}

/// Says whether every commit came from the submodule's remote, so that it can come from there again.
fn is_all_fetched(repo: &Repo, module: &Path) -> Result<bool, GitError> {
    let args = ["rev-list", "--max-count=1", "--all", "--reflog", "--not", "--remotes"];
    Ok(inside(repo.git.reading(module), module).args(args).run()?.is_empty())
}

/// Lets git work on a repository alone. The work tree that its configuration names may be gone.
fn inside<'a>(call: Call<'a>, git_dir: &Path) -> Call<'a> {
    call.variable("GIT_DIR", git_dir).variable("GIT_WORK_TREE", git_dir)
}
