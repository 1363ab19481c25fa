//! Moves a branch forward. Where it is checked out the files follow, what is the user's own stays as it is, and no other branch
//! moves, whatever the user does at that moment; where it is not, its ref is compared and swapped.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::checkout::{Settings, run_hook};
use super::forward_files::Changed;
use super::forward_note::{Left, Note};
use super::invoke::{DURABLE, LONG};
use super::program::is_program;
use super::registered::{self, Registered};
use super::{GitError, Repo};
use crate::domain::landing::Intent;

/// The steps under git's own locks. They are the shell's, since one process has to outlive Draft; nothing is put into the
/// text, all that varies comes as arguments.
const STEPS: &str = include_str!("forward.sh");
const SHELL: &str = "/bin/sh";
/// What the steps start beside git.
const PROGRAMS: [&str; 3] = ["mktemp", "mkfifo", "rm"];
/// The steps' exit codes; with another one files were written, and may be so in part.
const NOT_HELD: i32 = 3;
const SWITCHED: i32 = 4;
const IN_THE_WAY: i32 = 5;
/// How many files in the way are named.
const NAMED: usize = 5;

/// What came of moving the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// It is at the new commit.
    Done,
    /// It was not at the commit that it was expected at, or was switched to or from at that moment: somebody else moves it.
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
    let has_it = |one: &&Registered| one.branch.as_deref() == Some(&intent.branch);
    let mut out = all.iter().filter(has_it).filter(|one| one.path.join(".git").exists());
    let (Some(checkout), another) = (out.next(), out.next()) else {
        if let Some(hidden) = all.iter().find(|one| has_it(one) && one.is_hidden) {
            return Ok(Moved::Refused(format!(
                "{} is checked out in a work tree that is not beside its repository {}, and git does not say where; open the \
                 board there",
                intent.branch,
                hidden.git_dir.display()
            )));
        }
        return swap(repo, &reference, intent, note);
    };
    if let Some(another) = another {
        // Git allows that by force only. Files could follow in one of them at most.
        let (one, other) = (checkout.path.display(), another.path.display());
        let reason = format!("{} is checked out twice, in {one} and in {other}; switch one of them", intent.branch);
        return Ok(Moved::Refused(reason));
    }
    follow(repo, checkout, &reference, intent, note)
}

/// Returns what a search path such as `PATH` lacks of the programs without which no branch moves that is checked out somewhere.
pub fn missing_programs(search_path: &OsStr) -> Vec<&'static str> {
    let has = |name: &str| std::env::split_paths(search_path).any(|folder| is_program(&folder.join(name)));
    let shell = Some(SHELL).filter(|shell| !is_program(Path::new(shell)));
    shell.into_iter().chain(PROGRAMS.into_iter().filter(|name| !has(name))).collect()
}

/// Compares and swaps a branch that is checked out nowhere.
fn swap(repo: &Repo, reference: &str, intent: &Intent, note: &str) -> Result<Moved, GitError> {
    let swap = ["update-ref", "-m", note, reference, &intent.to, &intent.from];
    match repo.git.writing(repo.common_dir()).args(DURABLE).args(swap).run() {
        Ok(_) => {
            catch_up(repo, intent)?;
            Ok(Moved::Done)
        }
        Err(error) => refused_or_elsewhere(repo, reference, intent, error),
    }
}

/// Lets the files follow of somebody who has switched to the branch just while it moved, and so still has those of before.
fn catch_up(repo: &Repo, intent: &Intent) -> Result<(), GitError> {
    let all = registered::list(repo)?;
    let now = all.iter().filter(|one| one.branch.as_deref() == Some(&intent.branch) && one.path.join(".git").exists());
    for checkout in now {
        let files = ["read-tree", "-m", "-u", "--no-recurse-submodules", &intent.from, &intent.to];
        if let Err(error) = repo.git.writing(&checkout.path).args(files).within(LONG).run() {
            tracing::warn!(path = %checkout.path.display(), %error, "files could not follow a branch that was just switched to");
        }
    }
    Ok(())
}

/// Moves a branch and the files of the work tree in which it is checked out, or neither.
fn follow(repo: &Repo, checkout: &Registered, reference: &str, intent: &Intent, note: &str) -> Result<Moved, GitError> {
    let mut note_of_work = Note::begin(&checkout.git_dir)?;
    if let Some(left) = note_of_work.left()? {
        clear_left(repo, checkout, &left)?;
    }
    note_of_work.done()?;
    let changed = Changed::between(repo, intent)?;
    let lost = changed.would_lose(repo, &checkout.path)?;
    if !lost.is_empty() {
        let mut own = changed.of_the_user(repo, &checkout.path, &intent.from)?;
        own.extend(lost);
        return Ok(Moved::Refused(in_the_way(&checkout.path, own)));
    }
    note_of_work.write(intent)?;
    let call = repo.git.hook(&checkout.path, Path::new(SHELL)).args(["-c", STEPS, "draft"]);
    let call = call.args([repo.git.program.as_os_str()]).args([reference, &intent.from, &intent.to, note]);
    let done = call.within(LONG).patient().sharing(&note_of_work.file).run();
    let left = note_of_work.left()?;
    let moved = match done {
        Ok(_) => Ok(Moved::Done),
        Err(error) => not_followed(repo, checkout, reference, (intent, &changed, left), error),
    };
    note_of_work.done()?;
    if matches!(moved, Ok(Moved::Done)) {
        after_merge(repo, &checkout.path);
    }
    moved
}

/// Finds out why the steps did not come to their end, and puts things as they were.
fn not_followed(
    repo: &Repo,
    checkout: &Registered,
    reference: &str,
    (intent, changed, left): (&Intent, &Changed, Option<Left>),
    error: GitError,
) -> Result<Moved, GitError> {
    let code = match &error {
        GitError::Failed { code, .. } => code.unwrap_or_default(),
        // All locks are taken before anything is written.
        GitError::Locked { .. } => NOT_HELD,
        _ => 0,
    };
    match code {
        SWITCHED => return Ok(Moved::Elsewhere),
        IN_THE_WAY => {
            let own = changed.of_the_user(repo, &checkout.path, &intent.from)?;
            return Ok(Moved::Refused(match (own.is_empty(), error) {
                (true, GitError::Failed { stderr, .. }) => {
                    format!("{} cannot follow: {}", checkout.path.display(), why(&stderr))
                }
                _ => in_the_way(&checkout.path, own),
            }));
        }
        NOT_HELD => {}
        _ => {
            // Git itself may have been killed.
            left.map_or(Ok(()), |left| left.clear_locks(repo, checkout))?;
            if repo.commit_at(reference)?.as_deref() == Some(&intent.from) {
                changed.put_back(repo, &checkout.path, intent)?;
            }
        }
    }
    refused_or_elsewhere(repo, reference, intent, error)
}

/// Clears away what a machine without power left in the middle: locks, and files that nobody has touched since. Files that follow
/// already are those of the next try.
fn clear_left(repo: &Repo, checkout: &Registered, left: &Left) -> Result<(), GitError> {
    left.clear_locks(repo, checkout)?;
    let intent = &left.intent;
    if repo.commit_at(&format!("refs/heads/{}", intent.branch))?.as_deref() == Some(&intent.from) {
        Changed::between(repo, intent)?.written(repo, &checkout.path)?.put_back(repo, &checkout.path, intent)?;
    }
    Ok(())
}

/// Says what it means that git failed: a branch that has moved, or a refusal with its reason.
fn refused_or_elsewhere(repo: &Repo, reference: &str, intent: &Intent, error: GitError) -> Result<Moved, GitError> {
    let now = repo.commit_at(reference)?;
    if now.as_deref() == Some(&intent.to) {
        // What failed came after it.
        return Ok(Moved::Done);
    }
    if now.as_deref() != Some(&intent.from) {
        return Ok(Moved::Elsewhere);
    }
    match error {
        GitError::Failed { stderr, .. } => Ok(Moved::Refused(why(&stderr))),
        error @ (GitError::Locked { .. } | GitError::Filter { .. } | GitError::TimedOut { .. }) => {
            Ok(Moved::Refused(error.to_string()))
        }
        error => Err(error),
    }
}

/// Runs the `post-merge` hook, as git does after a fast-forward. A failure takes nothing back.
fn after_merge(repo: &Repo, checkout: &Path) {
    let ran =
        Settings::of(repo, checkout).and_then(|settings| run_hook(repo, checkout, &settings, "post-merge", &["0"]));
    if let Err(error) = ran {
        tracing::warn!(path = %checkout.display(), %error, "the post-merge hook failed");
    }
}

/// Says what of the user's own is in the way of a fast-forward.
fn in_the_way(checkout: &Path, mut files: Vec<PathBuf>) -> String {
    files.sort();
    files.dedup();
    let shown = |path: &PathBuf| path.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let named: Vec<String> = files.iter().take(NAMED).map(shown).collect();
    let more = files.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!(" and {more} more"));
    format!(
        "your own changes in {} are in the way: {}{}; commit them or move them aside, then land it again",
        checkout.display(),
        named.join(", "),
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
    } else if is_out && has("rebase-apply") {
        "a series of patches (`git am`)"
    } else if names_it("BISECT_START") {
        "a bisection"
    } else {
        return None;
    };
    Some(format!("{what} of {branch} is under way in {}; end it, then land the change again", one.path.display()))
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
