//! Merges a target into a ticket's worktree, so that a person resolves the conflict there, and puts everything back if they give
//! up: files, index and branch.
//!
//! What was there before is kept under a ref first. What is under way is read from git's own files and from nowhere else, so it is
//! true after a crash at any step, and for what somebody began by hand.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gix::bstr::ByteSlice;
use gix::index::entry::Stage;
use gix::objs::tree::{Entry, EntryKind};
use gix::objs::{Blob, Tree};

use super::invoke::{Call, DURABLE, LONG};
use super::keep::commit_tree;
use super::land::{merge_in_memory, unmerged, why};
use super::tree::{merging, read_index, snapshot};
use super::validate::Place;
use super::{GitError, Repo, forecast, object, trash};
use crate::domain::id::TicketId;
use crate::domain::outlook::ConflictFile;
use crate::domain::resolve::{Operation, Resolving, UnderWay};
use crate::domain::state::StateName;
use crate::domain::ticket::Worktree;
use crate::domain::time::Timestamp;

const FOLDER: &str = "refs/draft/conflict/";
/// No hook, no editor, no agent that asks for a password: what a person resolves is checked afterwards anyway.
const ALONE: [&str; 12] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.editor=true",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "merge.autoStash=false",
    "-c",
    "rebase.autoStash=false",
    "-c",
    "core.safecrlf=false",
];
/// How much of a file is read to find the marks of a conflict, in bytes.
const READ_MAX: u64 = 64 << 20;

/// The ticket whose worktree it is.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The ticket.
    pub ticket: TicketId,
    /// Its state.
    pub state: StateName,
    /// What the commit says that keeps what nobody committed.
    pub message: &'a str,
}

/// What came of concluding what is under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Concluded {
    /// Nothing is under way any more.
    Done,
    /// Something is not resolved.
    Unresolved(UnderWay),
    /// Git would not go on.
    Refused(String),
}

/// Returns what git has under way in a worktree; nothing where it has nothing.
///
/// # Errors
/// When the folder is no worktree, or git fails.
pub fn under_way(repo: &Repo, worktree: &Worktree) -> Result<Option<UnderWay>, GitError> {
    let git_dir = git_dir(repo, worktree)?;
    let has = |name: &str| git_dir.join(name).exists();
    let operation = if has("rebase-merge") || has("rebase-apply") {
        Some(Operation::Rebase)
    } else if has("MERGE_HEAD") {
        Some(Operation::Merge)
    } else if has("CHERRY_PICK_HEAD") {
        Some(Operation::CherryPick)
    } else if has("REVERT_HEAD") {
        Some(Operation::Revert)
    } else {
        None
    };
    // Every agent that ends is looked at, and a start of git costs as much as all of the rest.
    if operation.is_none() && is_merged(repo, &git_dir) {
        return Ok(None);
    }
    let open = unmerged(repo.git.reading(&worktree.path).args(["ls-files", "--unmerged", "-z"]))?;
    let Some(operation) = operation.or_else(|| (!open.is_empty()).then_some(Operation::Unknown)) else {
        return Ok(None);
    };
    let merged = match (operation, merging(&git_dir).as_slice()) {
        (Operation::Merge, [theirs]) => {
            let head = repo.git.reading(&worktree.path).args(["rev-parse", "HEAD"]).line()?;
            Some(merge_in_memory(repo, &head, theirs)?)
        }
        _ => None,
    };
    let mut unresolved = Vec::new();
    for file in &open {
        if !is_resolved(repo, worktree, file, merged.as_ref().map(|(tree, _)| tree.as_str()))? {
            unresolved.push(file.clone());
        }
    }
    // What somebody added with its marks is not resolved either.
    if let Some((_, files)) = merged {
        let added = files.into_iter().filter(|file| open.iter().all(|known| known.path != file.path));
        unresolved.extend(added.filter(|file| has_marks(&worktree.path.join(&file.path))));
    }
    Ok(Some(UnderWay { operation, unresolved }))
}

/// Says whether somebody dealt with a file that the index has as conflicting. `merged` is the tree that git made of the merge.
fn is_resolved(repo: &Repo, worktree: &Worktree, file: &ConflictFile, merged: Option<&str>) -> Result<bool, GitError> {
    let path = worktree.path.join(&file.path);
    let Ok(found) = path.symlink_metadata() else { return Ok(true) };
    if !found.is_file() {
        return Ok(false);
    }
    if has_marks(&path) {
        return Ok(false);
    }
    if let Some(merged) = merged {
        let gix = repo.gix();
        let entry = super::repo::tree(&gix, merged)?.lookup_entry_by_path(&file.path).ok().flatten();
        let had_marks = entry.and_then(|entry| entry.object().ok()).is_some_and(|blob| is_marked(&blob.data));
        if had_marks {
            return Ok(true);
        }
    }
    // Where git leaves no marks (one side deleted it, it is no text), the file is resolved once it is none of the sides.
    let sides =
        repo.git.reading(&worktree.path).args(["ls-files", "--unmerged", "-z", "--"]).args([&file.path]).run()?;
    let is = repo.git.reading(&worktree.path).args(["hash-object", "--"]).args([&file.path]).line()?;
    Ok(!String::from_utf8_lossy(&sides).contains(&is))
}

/// Says whether a file has the marks that git leaves around what conflicts.
fn has_marks(path: &Path) -> bool {
    let is_small = path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() <= READ_MAX);
    is_small.then(|| fs::read(path).ok()).flatten().is_some_and(|content| is_marked(&content))
}

fn is_marked(content: &[u8]) -> bool {
    let begins = |line: &[u8], mark: u8| {
        let (marks, rest) = line.split_at(line.len().min(7));
        marks == [mark; 7] && (rest.is_empty() || matches!(rest[0], b' ' | b'\r'))
    };
    let mut lines = content.lines();
    lines.any(|line| begins(line, b'<')) && lines.any(|line| begins(line, b'>'))
}

/// Merges a target into a worktree and leaves the conflicts to a person. What nobody committed is committed first, since git
/// merges nothing into edits; what was there before is kept. Doing it again after a crash goes on.
///
/// # Errors
/// When the folder is no worktree, the target is missing, or git fails; then the worktree is as it was, or as git left it, and
/// [`abort`] puts it back.
pub fn start(
    repo: &Repo,
    worktree: &Worktree,
    owner: Owner<'_>,
    at: Timestamp,
    litter: &[String],
) -> Result<Resolving, GitError> {
    let refuse = |reason: String| Ok(Resolving::Refused { reason });
    let git_dir = git_dir(repo, worktree)?;
    if let Some(under_way) = under_way(repo, worktree)? {
        return refuse(format!("{}; end it or abort it first", under_way.in_words()));
    }
    let target = repo.commit_of(&worktree.base_branch)?;
    let found = snapshot(repo, worktree, litter)?;
    if repo.merge_base(&found.head, &target)?.as_ref() == Some(&target) {
        return refuse(format!("its branch has all of {} already", worktree.base_branch));
    }
    if let Some(path) = in_the_way(repo, worktree, &found.head, &target, &found.tree)? {
        return refuse(format!(
            "{} brings {path}, and a file of that name that git does not know is in its worktree; move it aside first",
            worktree.base_branch
        ));
    }
    let committed = match begun(repo, worktree, owner.ticket, &found.head)? {
        Some(committed) => committed,
        None => {
            let committed = if found.is_committed() {
                found.head.clone()
            } else {
                commit_tree(repo, &found.tree, &[&found.head], owner.message)?
            };
            settle(repo, owner.ticket, at, None)?;
            keep(repo, worktree, owner, &git_dir, &committed)?;
            committed
        }
    };
    here(repo, worktree).args(["reset", "--quiet", "--mixed", &committed]).run()?;
    let merge = ["merge", "--quiet", "--no-commit", "--no-ff", &worktree.base_branch];
    let merged = here(repo, worktree).args(merge).run();
    let files = unmerged(repo.git.reading(&worktree.path).args(["ls-files", "--unmerged", "-z"]))?;
    match merged {
        Err(GitError::Failed { stderr, .. }) if files.is_empty() => {
            put_back(repo, worktree, owner.ticket, &git_dir)?;
            refuse(format!("{} cannot be merged into its worktree: {}", worktree.base_branch, why(&stderr)))
        }
        Ok(_) | Err(GitError::Failed { .. }) => Ok(Resolving::Begun { target: worktree.base_branch.clone(), files }),
        Err(error) => Err(error),
    }
}

/// Returns the commit that holds a worktree's edits, if a process that was killed kept all of this before it merged.
fn begun(repo: &Repo, worktree: &Worktree, ticket: TicketId, head: &str) -> Result<Option<String>, GitError> {
    let Some(kept) = repo.commit_at(&format!("{FOLDER}{ticket}"))? else { return Ok(None) };
    let parents = repo.parents_of(&kept)?;
    let is_same = parents.iter().take(2).any(|parent| parent == head)
        && repo.tree_of(&kept)? == snapshot(repo, worktree, &[])?.tree;
    Ok(parents.into_iter().nth(1).filter(|_| is_same))
}

/// Returns a file that is in a worktree, in no commit, and in the way of what a target brings. Git would overwrite an ignored one.
fn in_the_way(
    repo: &Repo,
    worktree: &Worktree,
    head: &str,
    target: &str,
    tree: &str,
) -> Result<Option<String>, GitError> {
    let Some(base) = repo.merge_base(head, target)? else { return Ok(None) };
    let brought: BTreeSet<String> = forecast::paths(repo, &base, target)?;
    let gix = repo.gix();
    let tree = super::repo::tree(&gix, tree)?;
    Ok(brought.into_iter().find(|path| {
        let is_there = worktree.path.join(path).symlink_metadata().is_ok_and(|found| !found.is_dir());
        is_there && !tree.lookup_entry_by_path(path).is_ok_and(|entry| entry.is_some())
    }))
}

/// Keeps what a worktree is before a merge: its files, its index byte for byte, and its commit; and the one that holds its edits.
fn keep(repo: &Repo, worktree: &Worktree, owner: Owner<'_>, git_dir: &Path, committed: &str) -> Result<(), GitError> {
    let all = snapshot(repo, worktree, &[])?;
    let index = git_dir.join("index");
    let content = fs::read(&index).map_err(GitError::io("read", &index))?;
    let modified = index.metadata().and_then(|found| found.modified()).map_err(GitError::io("read", &index))?;
    let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let blob = object::write(repo, &Blob { data: content })?;
    let entry = Entry { mode: EntryKind::Blob.into(), filename: "index".into(), oid: blob };
    let tree = object::write(repo, &Tree { entries: vec![entry] })?;
    // What is only staged has its objects nowhere else.
    let staged = here(repo, worktree).args(["write-tree"]).line()?;
    let staged = commit_tree(repo, &staged, &[&all.head], "What was staged.\n")?;
    let message = format!("index-modified: {}\n", modified.as_nanos());
    let index = commit_tree(repo, &tree.to_string(), &[&staged], &message)?;
    let message = trash::message(worktree, owner.state);
    let commit = commit_tree(repo, &all.tree, &[&all.head, committed, &index], &message)?;
    let reference = format!("{FOLDER}{}", owner.ticket);
    let none = "0".repeat(commit.len());
    let args = ["update-ref", "-m", "draft: before a merge", &reference, &commit, &none];
    repo.git.writing(repo.common_dir()).args(DURABLE).args(args).run().map(drop)
}

/// Gives up what is under way in a worktree. What was there until then is kept in the trash.
///
/// # Errors
/// When the folder is no worktree, or git fails; doing it again goes on.
pub fn abort(repo: &Repo, worktree: &Worktree, owner: Owner<'_>, at: Timestamp) -> Result<Resolving, GitError> {
    let git_dir = git_dir(repo, worktree)?;
    let under_way = under_way(repo, worktree)?;
    let before = repo.commit_at(&format!("{FOLDER}{}", owner.ticket))?;
    let kind = match (&before, under_way) {
        (None, None) => {
            let reason = "nothing is under way in its worktree".to_owned();
            return Ok(Resolving::Refused { reason });
        }
        (None, Some(UnderWay { operation: Operation::Unknown, .. })) => {
            let reason =
                "files in its worktree conflict, and git does not know since when; resolve them there".to_owned();
            return Ok(Resolving::Refused { reason });
        }
        (_, under_way) => under_way.map(|under_way| under_way.operation),
    };
    let kept = keep_in_trash(repo, worktree, owner, at, before.as_deref())?;
    match kind {
        Some(Operation::Rebase) => end(repo, worktree, "rebase", "--abort")?,
        Some(Operation::CherryPick) => end(repo, worktree, "cherry-pick", "--abort")?,
        Some(Operation::Revert) => end(repo, worktree, "revert", "--abort")?,
        Some(Operation::Merge) if before.is_none() => end(repo, worktree, "merge", "--abort")?,
        Some(Operation::Merge | Operation::Unknown) | None => {}
    }
    if before.is_some() {
        put_back(repo, worktree, owner.ticket, &git_dir)?;
    }
    Ok(Resolving::Aborted { kept })
}

fn end(repo: &Repo, worktree: &Worktree, command: &str, how: &str) -> Result<(), GitError> {
    here(repo, worktree).args([command, how]).run().map(drop)
}

/// Keeps what a worktree holds, unless that is what it held before.
fn keep_in_trash(
    repo: &Repo,
    worktree: &Worktree,
    owner: Owner<'_>,
    at: Timestamp,
    before: Option<&str>,
) -> Result<Option<String>, GitError> {
    let found = snapshot(repo, worktree, &[])?;
    if let Some(before) = before
        && repo.tree_of(before)? == found.tree
    {
        return Ok(None);
    }
    let commit = commit_tree(repo, &found.tree, &found.parents(), &trash::message(worktree, owner.state))?;
    let reference = free_in_trash(repo, owner.ticket, at)?;
    let args = ["update-ref", "-m", "draft: a merge was given up", &reference, &commit];
    repo.git.writing(repo.common_dir()).args(DURABLE).args(args).run()?;
    Ok(Some(reference))
}

/// Puts a worktree back to what is kept from before a merge: files first, then its branch, and its index last.
fn put_back(repo: &Repo, worktree: &Worktree, ticket: TicketId, git_dir: &Path) -> Result<(), GitError> {
    let reference = format!("{FOLDER}{ticket}");
    let Some(kept) = repo.commit_at(&reference)? else { return Ok(()) };
    let parents = repo.parents_of(&kept)?;
    let [head, _, index] = parents.as_slice() else { return Ok(()) };
    // Files that came since are in the index then, so that they go; what cannot be taken up stays.
    let _ = here(repo, worktree).args(["add", "--all", "--ignore-errors"]).run();
    here(repo, worktree).args(["read-tree", "--reset", "-u", &repo.tree_of(&kept)?]).run()?;
    here(repo, worktree).args(["merge", "--quit"]).run()?;
    let note = "draft: the merge was given up";
    repo.git.writing(&worktree.path).args(DURABLE).args(["update-ref", "-m", note, "HEAD", head]).run()?;
    write_index(repo, git_dir, index)?;
    repo.git.writing(repo.common_dir()).args(["update-ref", "-d", &reference, &kept]).run().map(drop)
}

/// Writes an index as it was, with the time of its last change, by which git knows for which files it has to look at the content.
fn write_index(repo: &Repo, git_dir: &Path, kept: &str) -> Result<(), GitError> {
    let gix = repo.gix();
    let tree = super::repo::tree(&gix, kept)?;
    let entry = tree.lookup_entry_by_path("index").map_err(GitError::read("the index that was kept"))?;
    let Some(entry) = entry else { return Ok(()) };
    let content = entry.object().map_err(GitError::read("the index that was kept"))?.detach().data;
    let said = here_at(repo, git_dir).args(["log", "-1", "--format=%B", kept]).line()?;
    let modified = said.strip_prefix("index-modified: ").and_then(|nanos| nanos.trim().parse::<u64>().ok());
    let lock = git_dir.join("index.lock");
    let mut file = File::options().write(true).create_new(true).open(&lock).map_err(GitError::io("create", &lock))?;
    let written = file.write_all(&content).and_then(|()| match modified {
        Some(nanos) => file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)),
        None => Ok(()),
    });
    let placed = written.and_then(|()| fs::rename(&lock, git_dir.join("index")));
    placed.inspect_err(|_| drop(fs::remove_file(&lock))).map_err(GitError::io("write", git_dir.join("index")))
}

/// Concludes what is under way in a worktree, if all of it is resolved: a merge becomes a commit of all that is there, the others
/// go on with git until they are over or conflict again.
///
/// # Errors
/// When the folder is no worktree, or git fails; doing it again goes on.
pub fn conclude(repo: &Repo, worktree: &Worktree, message: &str, litter: &[String]) -> Result<Concluded, GitError> {
    loop {
        let Some(now) = under_way(repo, worktree)? else { return Ok(Concluded::Done) };
        if !now.unresolved.is_empty() {
            return Ok(Concluded::Unresolved(now));
        }
        let command = match now.operation {
            Operation::Merge => {
                let found = snapshot(repo, worktree, litter)?;
                let mut parents = vec![found.head.as_str()];
                for theirs in &found.merging {
                    // A process that was killed had made the commit already.
                    if repo.merge_base(&found.head, theirs)?.as_ref() != Some(theirs) {
                        parents.push(theirs);
                    }
                }
                let is_made = parents.len() == 1 && found.tree == found.head_tree;
                let commit =
                    if is_made { found.head.clone() } else { commit_tree(repo, &found.tree, &parents, message)? };
                here(repo, worktree).args(["reset", "--quiet", "--mixed", &commit]).run()?;
                continue;
            }
            Operation::Rebase => "rebase",
            Operation::CherryPick => "cherry-pick",
            Operation::Revert => "revert",
            Operation::Unknown => {
                here(repo, worktree).args(["add", "--update"]).run()?;
                return Ok(Concluded::Done);
            }
        };
        here(repo, worktree).args(["add", "--update"]).run()?;
        match here(repo, worktree).args([command, "--continue"]).run() {
            Ok(_) => {}
            Err(GitError::Failed { stderr, .. }) => {
                return Ok(match under_way(repo, worktree)? {
                    Some(next) if !next.unresolved.is_empty() => Concluded::Unresolved(next),
                    Some(_) | None => Concluded::Refused(format!("the {command} does not go on: {}", why(&stderr))),
                });
            }
            Err(error) => return Err(error),
        }
    }
}

/// Lets what was kept from before a merge go, once a commit has the edits of then. What it has not goes into the trash.
///
/// # Errors
/// When a ref cannot be read or written.
pub fn settle(repo: &Repo, ticket: TicketId, at: Timestamp, head: Option<&str>) -> Result<(), GitError> {
    let reference = format!("{FOLDER}{ticket}");
    let Some(kept) = repo.commit_at(&reference)? else { return Ok(()) };
    let committed = repo.parents_of(&kept)?.into_iter().nth(1);
    let is_in = match (&committed, head) {
        (Some(committed), Some(head)) => repo.merge_base(committed, head)?.as_ref() == Some(committed),
        (None, _) | (_, None) => false,
    };
    if !is_in {
        let trash = free_in_trash(repo, ticket, at)?;
        let args = ["update-ref", "-m", "draft: before a merge", &trash, &kept];
        repo.git.writing(repo.common_dir()).args(DURABLE).args(args).run()?;
    }
    repo.git.writing(repo.common_dir()).args(["update-ref", "-d", &reference, &kept]).run().map(drop)
}

/// Returns a name in the trash for a moment, which may have seen another one go there.
fn free_in_trash(repo: &Repo, ticket: TicketId, at: Timestamp) -> Result<String, GitError> {
    let mut moment = at.0;
    loop {
        let name = format!("{}{ticket}/{moment}", trash::FOLDER);
        if repo.commit_at(&name)?.is_none() {
            return Ok(name);
        }
        moment += 1;
    }
}

/// Says whether something is kept from before a merge.
///
/// # Errors
/// When the ref cannot be read.
pub fn is_begun(repo: &Repo, ticket: TicketId) -> Result<bool, GitError> {
    Ok(repo.commit_at(&format!("{FOLDER}{ticket}"))?.is_some())
}

fn git_dir(repo: &Repo, worktree: &Worktree) -> Result<PathBuf, GitError> {
    let dir = &worktree.path;
    let place = Place::of(dir).ok().filter(|place| place.is_linked(dir, repo));
    place.map(|place| place.git_dir).ok_or_else(|| GitError::NotARepository { path: dir.clone() })
}

/// Says whether an index is there that surely has no unmerged file.
fn is_merged(repo: &Repo, git_dir: &Path) -> bool {
    let index = read_index(repo, &git_dir.join("index"));
    index.is_some_and(|index| index.entries().iter().all(|entry| entry.stage() == Stage::Unconflicted))
}

fn here<'a>(repo: &'a Repo, worktree: &'a Worktree) -> Call<'a> {
    here_at(repo, &worktree.path)
}

fn here_at<'a>(repo: &'a Repo, dir: &'a Path) -> Call<'a> {
    repo.git.writing(dir).within(LONG).args(ALONE.map(OsStr::new))
}
