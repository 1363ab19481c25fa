//! Brings a change to its target: looked at in memory first, made by git in a work tree of its own, and then the target
//! moves, without ever switching, resetting or stashing the user's checkout.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::checkout::{Settings, run_hook};
pub(super) use super::forward::why;
pub use super::forward::{Moved, missing_programs, move_target};
use super::invoke::{Call, DURABLE, LONG};
use super::keep::commit_tree;
use super::registered;
use super::turn::Turn;
use super::{GitError, Repo};
use crate::domain::landing::Strategy;
use crate::domain::outlook::ConflictFile;

/// Hooks and whoever signs commits may take a while.
const PATIENT: Duration = Duration::from_mins(10);
/// How long a remote may take.
const REMOTE: Duration = Duration::from_secs(60);
/// Nothing of the user's own that these would do is wanted: stashing, asking in an editor, another kind of merge.
const PLAIN: [&str; 6] = ["-c", "merge.autoStash=false", "-c", "rebase.autoStash=false", "-c", "merge.ff=true"];

/// What a merge would give.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Forecast {
    /// Both go together, and this tree comes of it.
    Clean(String),
    /// They do not: these files, each with what kind of conflict it is.
    Conflicts(Vec<ConflictFile>),
}

/// Merges two commits in memory.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn forecast(repo: &Repo, target: &str, head: &str) -> Result<Forecast, GitError> {
    let (tree, files) = merge_in_memory(repo, target, head)?;
    Ok(if files.is_empty() { Forecast::Clean(tree) } else { Forecast::Conflicts(files) })
}

/// Merges two commits in memory and returns the tree; with the files that conflict, in which it has the marks of that.
pub(super) fn merge_in_memory(repo: &Repo, one: &str, two: &str) -> Result<(String, Vec<ConflictFile>), GitError> {
    // merge-tree ends with 1 for a missing commit as well as for conflicts, so the commits are looked up before.
    repo.tree_of(one)?;
    repo.tree_of(two)?;
    let args = ["merge-tree", "--write-tree", "-z", "--allow-unrelated-histories", one, two];
    // What its attributes say about merges of its files; an older git does without.
    let merged = repo.git.writing(repo.common_dir()).variable("GIT_ATTR_SOURCE", one).args(args).run_to(&[1])?;
    let said = String::from_utf8_lossy(&merged.stdout);
    let mut fields = said.split('\0');
    let tree = fields.next().unwrap_or_default().to_owned();
    Ok((tree, if merged.code == 0 { Vec::new() } else { conflicts(fields) }))
}

/// Reads what `merge-tree -z` says after the tree: the conflicted files up to an empty field, then messages, each as a count of
/// paths, the paths, its kind, and a sentence.
fn conflicts<'a>(mut fields: impl Iterator<Item = &'a str>) -> Vec<ConflictFile> {
    let mut files: Vec<(String, bool)> = Vec::new();
    for entry in fields.by_ref().take_while(|entry| !entry.is_empty()) {
        // `<mode> <object> <stage>\t<path>`
        let (what, path) = entry.split_once('\t').unwrap_or(("", entry));
        let was_there = what.ends_with('1');
        match files.iter_mut().find(|(known, _)| known == path) {
            Some((_, known)) => *known |= was_there,
            None => files.push((path.to_owned(), was_there)),
        }
    }
    let mut kinds: Vec<(String, String)> = Vec::new();
    while let Some(count) = fields.next().and_then(|count| count.trim().parse::<usize>().ok()) {
        let paths: Vec<&str> = fields.by_ref().take(count).collect();
        let kind = fields.next().unwrap_or_default();
        let _sentence = fields.next();
        if let Some(kind) = kind.strip_prefix("CONFLICT (").and_then(|kind| kind.strip_suffix(')')) {
            kinds.extend(paths.iter().map(|path| ((*path).to_owned(), kind.to_owned())));
        }
    }
    let kind = |path: &str, was_there: bool| match kinds.iter().find(|(of, _)| of == path) {
        Some((_, kind)) if kind != "contents" => kind.clone(),
        Some(_) if !was_there => "add/add".to_owned(),
        Some(_) | None => "content".to_owned(),
    };
    files.into_iter().map(|(path, was_there)| ConflictFile { kind: kind(&path, was_there), path }).collect()
}

/// What is to land.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The commit from which the change started.
    pub base: &'a str,
    /// The commit that holds it.
    pub head: &'a str,
    /// What the new commit says.
    pub message: &'a str,
}

/// A work tree in which a landing is prepared. Nothing that lives in it is anybody's work.
#[derive(Debug)]
pub struct Scratch<'a> {
    repo: &'a Repo,
    path: PathBuf,
    /// How long hooks and whoever signs may take.
    patience: Duration,
}

/// What came of combining a change with its target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Combined {
    /// This commit, with this tree.
    Made {
        /// The commit.
        commit: String,
        /// Its tree.
        tree: String,
    },
    /// The change's own commits do not go on top of the target one by one.
    Conflicts(Vec<ConflictFile>),
    /// Git, a hook or whoever signs would not make the commit.
    Refused(String),
}

impl<'a> Scratch<'a> {
    /// Checks a commit out in a folder of its own. One that an earlier try of this landing left is used again, with the files
    /// that git ignores, since those may have taken long to make.
    ///
    /// # Errors
    /// When the disk is full, a filter fails, or git refuses.
    pub fn at(repo: &'a Repo, path: &Path, commit: &str) -> Result<Self, GitError> {
        let scratch = Self { repo, path: path.to_owned(), patience: PATIENT };
        if scratch.turn_to(commit).is_ok() {
            return Ok(scratch);
        }
        scratch.clear()?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(GitError::io("create", parent))?;
        }
        {
            let _turn = Turn::take(repo)?;
            let add = ["worktree", "add", "--quiet", "--detach", "--force", "--no-checkout"].map(OsStr::new);
            let add = add.into_iter().chain([path.as_os_str(), OsStr::new(commit)]);
            // From the user's work tree, whose sparse patterns git hands on to the new one.
            repo.git.writing(repo.root()).args(add).within(PATIENT).run()?;
        }
        scratch.git(["reset", "--hard", "--no-recurse-submodules", "--quiet"]).within(LONG).run()?;
        scratch.after_checkout(commit);
        Ok(scratch)
    }

    /// Checks a tree out as if it came on top of a commit. No hook sees that commit made, and nobody signs it.
    ///
    /// # Errors
    /// As [`Scratch::at`].
    pub fn holding(repo: &'a Repo, path: &Path, from: &str, tree: &str) -> Result<Self, GitError> {
        let commit = commit_tree(repo, tree, &[from], "What would be on the target.\n")?;
        Self::at(repo, path, &commit)
    }

    /// Lets hooks have less time.
    #[cfg(test)]
    pub(super) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what an earlier landing may have left in a folder, to clear it.
    pub fn left(repo: &'a Repo, path: &Path) -> Self {
        Self { repo, path: path.to_owned(), patience: PATIENT }
    }

    fn turn_to(&self, commit: &str) -> Result<(), GitError> {
        // Without a link of its own, git would work in whatever repository the folder lies in.
        fs::metadata(self.path.join(".git")).map_err(GitError::io("read", &self.path))?;
        // Git would end as the hook ends.
        let checkout = ["-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "--force", "--detach", commit];
        self.git(checkout).within(LONG).run()?;
        self.git(["clean", "--quiet", "-d", "--force"]).run()?;
        self.after_checkout(commit);
        Ok(())
    }

    /// Runs the `post-checkout` hook, which may make what the checks need. A failure takes nothing back.
    fn after_checkout(&self, commit: &str) {
        let none = "0".repeat(commit.len());
        let ran = Settings::of(self.repo, &self.path).and_then(|settings| {
            run_hook(self.repo, &self.path, &settings, "post-checkout", &[none.as_str(), commit, "1"])
        });
        if let Err(error) = ran {
            tracing::warn!(path = %self.path.display(), %error, "the post-checkout hook failed");
        }
    }

    /// Puts the files as the commit has them: a hook may have written some that it did not add, and what is checked must be
    /// what lands.
    fn tidy(&self) -> Result<(), GitError> {
        let dirty = ["status", "--porcelain", "--untracked-files=all", "--ignore-submodules=all"];
        if self.git(dirty).run()?.is_empty() {
            return Ok(());
        }
        self.git(["reset", "--hard", "--no-recurse-submodules", "--quiet"]).run()?;
        self.git(["clean", "--quiet", "-d", "--force"]).run().map(drop)
    }

    /// Puts the change on top of what is checked out.
    ///
    /// # Errors
    /// When git could not be started, or its answer makes no sense.
    pub fn combine(&self, strategy: Strategy, change: Change<'_>) -> Result<Combined, GitError> {
        let say = ["--cleanup=whitespace", "-F", "-"];
        let message = || change.message.as_bytes().to_vec();
        // A rebase leaves merges out, and with them what was resolved there.
        let made = match strategy {
            // No branch that is at one of the commits is to move with them; and all are made anew, signed as the user has it,
            // also where they are on top of the target already.
            Strategy::Rebase if !self.has_merges(change)? => {
                let onto = self.git(["rev-parse", "HEAD"]).line()?;
                let rebase =
                    ["rebase", "--quiet", "--force-rebase", "--no-update-refs", "--no-autosquash", "--onto", &onto];
                self.git(rebase).args([change.base, change.head]).run()
            }
            Strategy::Squash | Strategy::Rebase => self
                .git(["merge", "--quiet", "--squash", change.head])
                .run()
                .and_then(|_| self.git(["commit", "--quiet"]).args(say).input(message()).run()),
            Strategy::Merge => self.merge(change),
        };
        match made {
            Ok(_) => {
                self.tidy()?;
                let commit = self.head()?;
                let tree = self.repo.tree_of(&commit)?;
                Ok(Combined::Made { commit, tree })
            }
            Err(GitError::Failed { stderr, .. }) => match self.unmerged()? {
                files if files.is_empty() => Ok(Combined::Refused(why(&stderr))),
                files => Ok(Combined::Conflicts(files)),
            },
            // A hook, or a signer that asks somebody who is not there.
            Err(GitError::TimedOut { limit, .. }) => {
                let reason = format!("a hook, or who signs, did not end within {} s and was stopped", limit.as_secs());
                Ok(Combined::Refused(reason))
            }
            Err(GitError::Filter { filter, stderr, .. }) => {
                Ok(Combined::Refused(format!("the filter `{filter}` fails: {}", why(&stderr))))
            }
            Err(error) => Err(error),
        }
    }

    /// Says whether the change has commits that join others.
    fn has_merges(&self, change: Change<'_>) -> Result<bool, GitError> {
        let range = format!("{}..{}", change.base, change.head);
        Ok(!self.git(["rev-list", "--merges", "-n", "1", &range]).run()?.is_empty())
    }

    /// A merge takes its message from a file only, which is kept out of the work tree.
    fn merge(&self, change: Change<'_>) -> Result<Vec<u8>, GitError> {
        let file = tempfile::NamedTempFile::new().map_err(GitError::io("create", std::env::temp_dir()))?;
        fs::write(file.path(), change.message).map_err(GitError::io("write", file.path()))?;
        let args = ["merge", "--quiet", "--no-ff", "--no-edit", "--cleanup=whitespace", "-F"].map(OsStr::new);
        self.git(args).args([file.path().as_os_str(), OsStr::new(change.head)]).run()
    }

    /// Returns the commit that is checked out.
    pub(super) fn head(&self) -> Result<String, GitError> {
        self.git(["rev-parse", "HEAD"]).line()
    }

    pub(super) fn unmerged(&self) -> Result<Vec<ConflictFile>, GitError> {
        unmerged(self.git(["ls-files", "--unmerged", "-z"]))
    }

    pub(super) fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        // A branch will name what is made here.
        self.repo.git.writing(&self.path).args(DURABLE).args(PLAIN).args(args).within(self.patience)
    }

    /// Removes the folder and what the repository knows of it.
    ///
    /// # Errors
    /// When a file cannot be removed, or git refuses.
    pub fn clear(&self) -> Result<(), GitError> {
        let _turn = Turn::take(self.repo)?;
        if self.path.exists() {
            fs::remove_dir_all(&self.path).map_err(GitError::io("remove", &self.path))?;
        }
        for stale in registered::list(self.repo)?.into_iter().filter(|one| one.path == self.path) {
            // What it had checked out is reachable from the target, or was given up.
            fs::remove_dir_all(&stale.git_dir).map_err(GitError::io("remove", &stale.git_dir))?;
        }
        Ok(())
    }
}

/// Reads which files an index has unmerged, with how that came about, from `ls-files --unmerged -z`.
pub(super) fn unmerged(call: Call<'_>) -> Result<Vec<ConflictFile>, GitError> {
    let said = call.run()?;
    let said = String::from_utf8_lossy(&said);
    let mut files: Vec<(String, [bool; 3])> = Vec::new();
    for entry in said.split('\0') {
        // `<mode> <object> <stage>\t<path>`
        let Some((what, path)) = entry.split_once('\t') else { continue };
        let stage = what.chars().next_back().and_then(|digit| digit.to_digit(10)).unwrap_or(1).clamp(1, 3) - 1;
        if files.last().is_none_or(|(known, _)| known != path) {
            files.push((path.to_owned(), [false; 3]));
        }
        if let Some(stage) = files.last_mut().and_then(|(_, stages)| stages.get_mut(stage as usize)) {
            *stage = true;
        }
    }
    let kind = |stages: [bool; 3]| match stages {
        [_, true, false] | [true, false, true] => "modify/delete",
        [false, true, true] => "add/add",
        [true, false, false] => "rename/delete",
        [_, false, _] | [true, true, true] => "content",
    };
    Ok(files.into_iter().map(|(path, stages)| ConflictFile { path, kind: kind(stages).to_owned() }).collect())
}

/// The remote branch that a local one follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upstream {
    /// The remote.
    pub remote: String,
    /// The branch there, without `refs/heads/`.
    pub branch: String,
}

/// Returns the remote branch that a branch follows.
pub fn upstream(repo: &Repo, branch: &str) -> Option<Upstream> {
    let gix = repo.gix();
    let config = gix.config_snapshot();
    let of = |key: &str| config.string(format!("branch.{branch}.{key}").as_str()).map(|value| value.to_string());
    let (remote, merge) = (of("remote")?, of("merge")?);
    let branch = merge.strip_prefix("refs/heads/")?.to_owned();
    (remote != ".").then_some(Upstream { remote, branch })
}

/// Asks a remote what its branch is at now.
///
/// # Errors
/// When the remote does not answer.
pub fn fetch(repo: &Repo, from: &Upstream) -> Result<String, GitError> {
    // FETCH_HEAD is the user's: a fetch of theirs at that moment would name another commit there.
    let kept = format!("refs/draft/fetched/{}/{}", from.remote, from.branch);
    let fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"];
    let what = format!("+refs/heads/{}:{kept}", from.branch);
    remote(repo).args(fetch).args(["--no-write-fetch-head", "--", &from.remote, &what]).run()?;
    let found =
        repo.commit_at(&kept)?.ok_or_else(|| GitError::Read { what: kept.clone(), why: "it is not there".into() })?;
    repo.git.writing(repo.common_dir()).args(["update-ref", "-d", &kept]).run()?;
    Ok(found)
}

/// Sends a branch to the remote branch that it follows. Nothing there is ever overwritten, and nothing else is sent.
///
/// # Errors
/// When the remote does not answer, or refuses.
pub fn push(repo: &Repo, branch: &str, to: &Upstream) -> Result<(), GitError> {
    let what = format!("refs/heads/{branch}:refs/heads/{}", to.branch);
    let push = ["push", "--quiet", "--no-follow-tags", "--no-force", "--", &to.remote, &what];
    remote(repo).args(push).run().map(drop)
}

/// Begins a call that talks to a remote.
fn remote(repo: &Repo) -> Call<'_> {
    repo.git.writing(repo.common_dir()).within(REMOTE)
}

/// Says whether a commit is among another one and all before it.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn is_ancestor(repo: &Repo, commit: &str, of: &str) -> Result<bool, GitError> {
    let asked = repo.git.reading(repo.common_dir()).args(["merge-base", "--is-ancestor", commit, of]).run_to(&[1])?;
    Ok(asked.code == 0)
}

/// Returns the first lines of the commits that the target has and the change has not, newest first.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn beside(repo: &Repo, base: &str, target: &str, most: usize) -> Result<Vec<String>, GitError> {
    let args = ["log", "--format=%h %s", "-n", &most.to_string(), &format!("{base}..{target}")];
    let said = repo.git.reading(repo.common_dir()).args(args).run()?;
    Ok(String::from_utf8_lossy(&said).lines().map(str::to_owned).collect())
}
