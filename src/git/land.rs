//! Brings a change to its target: looked at in memory first, made by git in a work tree of its own, and then the target
//! moves, without ever switching, resetting or stashing the user's checkout.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::invoke::Call;
use super::registered::{self, Registered};
use super::turn::Turn;
use super::{GitError, Repo};
use crate::domain::landing::{Intent, Strategy};
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
        let scratch = Self { repo, path: path.to_owned() };
        if scratch.turn_to(commit).is_ok() {
            return Ok(scratch);
        }
        scratch.clear()?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(GitError::io("create", parent))?;
        }
        let _turn = Turn::take(repo)?;
        let add = ["worktree", "add", "--quiet", "--detach", "--force"].map(OsStr::new);
        let add = add.into_iter().chain([path.as_os_str(), OsStr::new(commit)]);
        repo.git.writing(repo.common_dir()).args(add).within(PATIENT).run()?;
        Ok(scratch)
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what an earlier landing may have left in a folder, to clear it.
    pub fn left(repo: &'a Repo, path: &Path) -> Self {
        Self { repo, path: path.to_owned() }
    }

    fn turn_to(&self, commit: &str) -> Result<(), GitError> {
        // Without a link of its own, git would work in whatever repository the folder lies in.
        fs::metadata(self.path.join(".git")).map_err(GitError::io("read", &self.path))?;
        self.git(["checkout", "--quiet", "--force", "--detach", commit]).run()?;
        self.git(["clean", "--quiet", "-d", "--force"]).run().map(drop)
    }

    /// Puts the change on top of what is checked out.
    ///
    /// # Errors
    /// When git could not be started, or its answer makes no sense.
    pub fn combine(&self, strategy: Strategy, change: Change<'_>) -> Result<Combined, GitError> {
        let onto = self.git(["rev-parse", "HEAD"]).line()?;
        let say = ["--cleanup=whitespace", "-F", "-"];
        let message = || change.message.as_bytes().to_vec();
        // A rebase leaves merges out, and with them what was resolved there.
        let made = match strategy {
            Strategy::Rebase if !self.has_merges(change)? => self
                .git(["checkout", "--quiet", "--detach", change.head])
                .run()
                .and_then(|_| self.git(["rebase", "--quiet", "--onto", &onto, change.base]).run()),
            Strategy::Squash | Strategy::Rebase => self
                .git(["merge", "--quiet", "--squash", change.head])
                .run()
                .and_then(|_| self.git(["commit", "--quiet"]).args(say).input(message()).run()),
            Strategy::Merge => self.merge(change),
        };
        match made {
            Ok(_) => {
                let commit = self.git(["rev-parse", "HEAD"]).line()?;
                let tree = self.git(["rev-parse", "HEAD^{tree}"]).line()?;
                Ok(Combined::Made { commit, tree })
            }
            Err(GitError::Failed { stderr, .. }) => match self.unmerged()? {
                files if files.is_empty() => Ok(Combined::Refused(why(&stderr))),
                files => Ok(Combined::Conflicts(files)),
            },
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

    fn unmerged(&self) -> Result<Vec<ConflictFile>, GitError> {
        unmerged(self.git(["ls-files", "--unmerged", "-z"]))
    }

    fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Call<'_> {
        self.repo.git.writing(&self.path).args(PLAIN).args(args).within(PATIENT)
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

/// What came of moving the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// It is at the new commit.
    Done,
    /// It was not at the commit that it was expected at: somebody else moved it.
    Elsewhere,
    /// It cannot move, and nothing changed: why, for people.
    Refused(String),
}

/// Moves the target: by a fast-forward where it is checked out, so that files there follow and changes of the user that
/// do not overlap stay, and by comparing and swapping where it is not.
///
/// # Errors
/// When git could not be started, or the repository cannot be read.
pub fn move_target(repo: &Repo, intent: &Intent, note: &str) -> Result<Moved, GitError> {
    let reference = format!("refs/heads/{}", intent.branch);
    let all = registered::list(repo)?;
    if let Some(reason) = all.iter().find_map(|one| in_progress(one, &intent.branch)) {
        return Ok(Moved::Refused(reason));
    }
    if repo.commit_at(&reference)?.as_deref() != Some(&intent.from) {
        return Ok(Moved::Elsewhere);
    }
    let is_out = |one: &&Registered| one.branch.as_deref() == Some(&intent.branch) && one.path.join(".git").exists();
    let Some(checkout) = all.iter().find(is_out) else {
        let swap = ["update-ref", "-m", note, &reference, &intent.to, &intent.from];
        return match repo.git.writing(repo.common_dir()).args(super::invoke::DURABLE).args(swap).run() {
            Ok(_) => Ok(Moved::Done),
            Err(GitError::Failed { .. }) if repo.commit_at(&reference)?.as_deref() != Some(&intent.from) => {
                Ok(Moved::Elsewhere)
            }
            Err(GitError::Failed { stderr, .. }) => Ok(Moved::Refused(why(&stderr))),
            Err(error) => Err(error),
        };
    };
    let call = repo.git.writing(&checkout.path).args(PLAIN).within(PATIENT);
    let call = call.args(["merge", "--quiet", "--ff-only", &intent.to]).variable("GIT_REFLOG_ACTION", note);
    match call.run() {
        Ok(_) => Ok(Moved::Done),
        Err(error @ (GitError::Failed { .. } | GitError::Locked { .. })) => {
            let now = repo.commit_at(&reference)?;
            if now.as_deref() == Some(&intent.to) {
                // A hook that runs afterwards failed, which takes nothing back.
                return Ok(Moved::Done);
            }
            if now.as_deref() != Some(&intent.from) {
                return Ok(Moved::Elsewhere);
            }
            Ok(Moved::Refused(match error {
                GitError::Failed { stderr, .. } => in_the_way(&checkout.path, &stderr),
                error => error.to_string(),
            }))
        }
        Err(error) => Err(error),
    }
}

/// Says what of the user's own is in the way of a fast-forward.
fn in_the_way(checkout: &Path, stderr: &str) -> String {
    let mut files: Vec<&str> = Vec::new();
    let mut lines = stderr.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line.ends_with("overwritten by merge:") {
            let is_name = |line: &&str| !line.starts_with("Please ") && !line.starts_with("error: ");
            files.extend(lines.by_ref().take_while(is_name));
        }
    }
    if files.is_empty() {
        return format!("{} cannot follow: {}", checkout.display(), why(stderr));
    }
    let named = files.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = files.len().checked_sub(5).filter(|more| *more > 0).map(|more| format!(" and {more} more"));
    format!(
        "your own changes in {} are in the way: {named}{}; commit them or move them aside, then land it again",
        checkout.display(),
        more.unwrap_or_default()
    )
}

/// Says why the target must not move now, since something in a work tree is about it: a rebase, a merge, a bisection.
fn in_progress(one: &Registered, branch: &str) -> Option<String> {
    let names_it = |file: &str| {
        let name = fs::read_to_string(one.git_dir.join(file)).unwrap_or_default();
        let name = name.trim();
        name.strip_prefix("refs/heads/").unwrap_or(name) == branch
    };
    let is_out = one.branch.as_deref() == Some(branch);
    let has = |file: &str| one.git_dir.join(file).exists();
    let what = if names_it("rebase-merge/head-name") || names_it("rebase-apply/head-name") {
        "a rebase"
    } else if is_out && has("MERGE_HEAD") {
        "a merge"
    } else if is_out && has("CHERRY_PICK_HEAD") {
        "a cherry-pick"
    } else if is_out && has("REVERT_HEAD") {
        "a revert"
    } else if names_it("BISECT_START") {
        "a bisection"
    } else {
        return None;
    };
    Some(format!("{what} of {branch} is under way in {}; end it, then land the change again", one.path.display()))
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
    let fetch = ["fetch", "--quiet", "--no-tags", &from.remote, &format!("refs/heads/{}", from.branch)];
    remote(repo).args(fetch).run()?;
    repo.git.reading(repo.common_dir()).args(["rev-parse", "FETCH_HEAD^{commit}"]).line()
}

/// Sends a branch to the remote branch that it follows. Nothing there is ever overwritten.
///
/// # Errors
/// When the remote does not answer, or refuses.
pub fn push(repo: &Repo, branch: &str, to: &Upstream) -> Result<(), GitError> {
    let what = format!("refs/heads/{branch}:refs/heads/{}", to.branch);
    remote(repo).args(["push", "--quiet", &to.remote, &what]).run().map(drop)
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

/// Returns what git, or a hook, said, in a line; a missing identity with what to do about it.
pub(super) fn why(stderr: &str) -> String {
    if stderr.contains("Please tell me who you are") || stderr.contains("empty ident name") {
        return "git does not know who you are: set user.name and user.email (`git config user.name …`)".to_owned();
    }
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    let said: Vec<&str> = lines.take(4).collect();
    if said.is_empty() { "git refused, without a word".to_owned() } else { said.join(" · ") }
}
