//! Removes a ticket's worktree and branch in such a way that they can come back.
//!
//! What the worktree holds is kept as a commit under `refs/draft/trash/<ticket>/<moment>` before anything goes. Ignored files
//! go for good: they can be made again.

use std::ffi::OsStr;
use std::path::Path;

use gix::bstr::ByteSlice;

use super::branch::with_suffixes;
use super::invoke::LONG;
use super::keep::commit_tree;
use super::leftovers::made;
use super::refill::fill;
use super::registered::{self, same_place};
use super::repo::open;
use super::tree::{Inner, LeftOut, Snapshot, snapshot};
use super::turn::Turn;
use super::validate::Place;
use super::worktree::{Created, Plan, create};
use super::{GitError, Repo, mend, modules};
use crate::domain::id::TicketId;
use crate::domain::revision::ChangeSize;
use crate::domain::state::StateName;
use crate::domain::ticket::Worktree;
use crate::domain::time::Timestamp;

pub(super) const FOLDER: &str = "refs/draft/trash/";

/// A worktree that was removed and can come back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trashed {
    /// The ref that keeps it.
    pub reference: String,
    /// The ticket that it was made for.
    pub ticket: TicketId,
    /// When it was removed.
    pub at: Timestamp,
    /// The state in which the ticket was then: an abandoned one may come back, a done one has landed.
    pub state: StateName,
    /// What the worktree was.
    pub worktree: Worktree,
}

/// Whose worktree it is, and where that ticket is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The ticket.
    pub ticket: TicketId,
    /// Its state.
    pub state: StateName,
    /// What becomes of the branch.
    pub branch: Fate,
}

/// What becomes of a branch whose worktree goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It goes too; the trash keeps it.
    Goes,
    /// It stays, and is the person's from now on.
    Stays,
}

/// What became of a wish to remove a worktree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binned {
    /// It is gone, and kept under this ref.
    Gone(String),
    /// There was nothing any more: neither folder nor branch.
    Nothing,
    /// It holds what no commit of this repository can hold, so it stays.
    Holds(Vec<LeftOut>),
}

/// Removes a worktree and its branch after keeping what they hold. Doing it again after a crash in between finishes it.
///
/// # Errors
/// When git fails; then nothing is removed that is not kept.
pub fn bin(
    repo: &Repo,
    worktree: &Worktree,
    owner: Owner,
    at: Timestamp,
    litter: &[String],
) -> Result<Binned, GitError> {
    let is_there = mend::is_there(repo, worktree)? || worktree.path.join(".git").exists();
    if let Ok(place) = Place::of(&worktree.path)
        && place.is_linked(&worktree.path, repo)
    {
        mend::branch(repo, worktree, &place.git_dir)?;
    }
    let tip = repo.commit_at(&heads(&worktree.branch))?;
    // An earlier try may have been killed, or nobody heard of its end.
    let earlier = earlier(repo, worktree, owner.ticket)?;
    if !is_there && (tip.is_none() || owner.branch == Fate::Stays) {
        if tip.is_some() {
            release(repo, &worktree.branch)?;
        }
        return Ok(earlier.map_or(Binned::Nothing, |(reference, _)| Binned::Gone(reference)));
    }
    if let (false, Some(tip), Some((reference, kept))) = (is_there, &tip, &earlier)
        && repo.parents_of(kept)?.contains(tip)
    {
        delete_branch(repo, worktree, tip)?;
        return Ok(Binned::Gone(reference.clone()));
    }
    let reference = format!("{FOLDER}{}/{}", owner.ticket, at.0);
    let held = if is_there {
        let found = snapshot(repo, worktree, litter)?;
        let left_out = left_out(repo, worktree, &found, &reference)?;
        if !left_out.is_empty() {
            return Ok(Binned::Holds(left_out));
        }
        Held { tree: found.tree, head: found.head }
    } else {
        let head = tip.clone().unwrap_or_else(|| worktree.base.clone());
        Held { tree: repo.tree_of(&head)?, head }
    };
    let parents = parents(&held, tip.as_deref());
    let reference = match earlier {
        Some((known, kept)) if repo.tree_of(&kept)? == held.tree && repo.parents_of(&kept)? == parents => known,
        Some(_) | None => {
            let commit = commit_tree(repo, &held.tree, &parents, &message(worktree, owner.state))?;
            keep(repo, worktree, &commit, &reference)?;
            reference
        }
    };
    remove(repo, worktree, is_there)?;
    match (tip, owner.branch) {
        (Some(tip), Fate::Goes) => delete_branch(repo, worktree, &tip)?,
        (Some(_), Fate::Stays) => release(repo, &worktree.branch)?,
        (None, _) => {}
    }
    Ok(Binned::Gone(reference))
}

/// Returns the ref and the commit that keep this very worktree already, if something does.
fn earlier(repo: &Repo, worktree: &Worktree, ticket: TicketId) -> Result<Option<(String, String)>, GitError> {
    let Some(kept) = newest_of(repo, ticket)? else { return Ok(None) };
    let place = |one: &Worktree| (one.path.clone(), one.branch.clone(), one.base.clone());
    if place(&kept.worktree) != place(worktree) {
        return Ok(None);
    }
    Ok(repo.commit_at(&kept.reference)?.map(|commit| (kept.reference, commit)))
}

/// Keeps the commits of submodules in those of the user's checkout, and returns what can be kept nowhere.
fn left_out(repo: &Repo, worktree: &Worktree, found: &Snapshot, reference: &str) -> Result<Vec<LeftOut>, GitError> {
    let unkept = modules::keep(repo, &found.git_dir, reference)?;
    let is_kept = |path: &Path| {
        let folder = worktree.path.join(path);
        // Where no repository is, there is nothing to lose.
        !folder.join(".git").exists()
            || open(&folder).is_ok_and(|store| {
                let git_dir = store.to_thread_local().git_dir().canonicalize().unwrap_or_default();
                modules::is_of(&found.git_dir, &git_dir) && !unkept.contains(&git_dir)
            })
    };
    let stays = |out: &&LeftOut| match out.what {
        Inner::SubmoduleCommit => !is_kept(&out.path),
        Inner::Repository | Inner::SubmoduleEdits => true,
    };
    let mut all: Vec<LeftOut> = found.left_out.iter().filter(stays).cloned().collect();
    if all.is_empty() {
        // Commits on branches that are not checked out there.
        let name = |module: &Path| module.strip_prefix(found.git_dir.join("modules")).unwrap_or(module).to_owned();
        all.extend(unkept.iter().map(|module| LeftOut { path: name(module), what: Inner::SubmoduleCommit }));
    }
    Ok(all)
}

/// What a worktree holds.
struct Held {
    tree: String,
    head: String,
}

fn heads(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// What was checked out and, should that be another, the branch's tip.
fn parents<'a>(held: &'a Held, tip: Option<&'a str>) -> Vec<&'a str> {
    let mut parents = vec![held.head.as_str()];
    parents.extend(tip.filter(|tip| *tip != held.head));
    parents
}

fn keep(repo: &Repo, worktree: &Worktree, commit: &str, reference: &str) -> Result<(), GitError> {
    let reason = format!("draft: removed {}", worktree.branch);
    let none = "0".repeat(commit.len());
    let args = ["update-ref", "-m", &reason, reference, commit, &none];
    repo.git.writing(repo.common_dir()).args(args).run().map(drop)
}

pub(super) fn message(worktree: &Worktree, state: StateName) -> String {
    format!(
        "A worktree that Draft removed; `draft restore` brings it back.\n\nstate: {state}\nbranch: {}\nbase-branch: {}\nbase: {}\npath: {}\n",
        worktree.branch,
        worktree.base_branch,
        worktree.base,
        worktree.path.to_string_lossy().replace('\n', "?"),
    )
}

fn remove(repo: &Repo, worktree: &Worktree, is_there: bool) -> Result<(), GitError> {
    let _turn = Turn::take(repo)?;
    let known = registered::list(repo)?;
    match known.iter().find(|known| same_place(&known.path, &worktree.path)) {
        Some(known) if known.is_stale() => registered::forget(repo, known),
        // Its content was kept a moment ago; --force is for the edits that were kept with it.
        Some(_) if is_there => {
            let args = ["worktree", "remove", "--force", "--"].map(OsStr::new);
            repo.git.writing(repo.common_dir()).within(LONG).args(args).args([&worktree.path]).run().map(drop)
        }
        Some(_) | None => Ok(()),
    }
}

/// Deletes the branch if it is where it was kept, and nobody has it checked out.
fn delete_branch(repo: &Repo, worktree: &Worktree, tip: &str) -> Result<(), GitError> {
    let in_use = registered::list(repo)?.iter().any(|known| known.branch.as_deref() == Some(&worktree.branch));
    if in_use {
        return Ok(());
    }
    let args = ["update-ref", "-d", &heads(&worktree.branch), tip];
    repo.git.writing(repo.common_dir()).args(args).run().map(drop)
}

/// Makes a branch the person's: nothing says any more that Draft made it.
fn release(repo: &Repo, branch: &str) -> Result<(), GitError> {
    repo.git.writing(repo.common_dir()).args(["reflog", "expire", "--expire=all", &heads(branch)]).run().map(drop)
}

/// Removes something from the trash for good.
///
/// # Errors
/// When git fails.
pub fn forget(repo: &Repo, trashed: &Trashed) -> Result<(), GitError> {
    modules::forget(repo, &trashed.reference)?;
    repo.git.writing(repo.common_dir()).args(["update-ref", "-d", &trashed.reference]).run().map(drop)
}

/// Returns how much something in the trash differs from where its worktree started.
///
/// # Errors
/// When git fails.
pub fn size(repo: &Repo, trashed: &Trashed) -> Result<ChangeSize, GitError> {
    super::diff::size(repo, &trashed.worktree.base, &trashed.reference)
}

/// Returns everything that can come back, the newest first.
///
/// # Errors
/// When git fails.
pub fn list(repo: &Repo) -> Result<Vec<Trashed>, GitError> {
    below(repo, FOLDER)
}

/// Returns what was removed last of a ticket.
///
/// # Errors
/// When a ref cannot be read.
pub fn newest_of(repo: &Repo, ticket: TicketId) -> Result<Option<Trashed>, GitError> {
    Ok(below(repo, &format!("{FOLDER}{ticket}/"))?.into_iter().next())
}

/// Returns what refs below a folder keep, newest first.
fn below(repo: &Repo, folder: &str) -> Result<Vec<Trashed>, GitError> {
    let gix = repo.gix();
    let what = || GitError::read(folder);
    let references = gix.references().map_err(what())?;
    let mut all = Vec::new();
    for reference in references.prefixed(folder).map_err(what())? {
        let mut reference = reference.map_err(|error| what()(error))?;
        let name = reference.name().as_bstr().to_string();
        let commit = reference.peel_to_commit().map_err(GitError::read(&name))?;
        let message = commit.message_raw().map_err(GitError::read(&name))?;
        all.extend(read(&name, &message.to_str_lossy()));
    }
    all.sort_by_key(|one| std::cmp::Reverse((one.at, one.ticket)));
    Ok(all)
}

fn read(reference: &str, message: &str) -> Option<Trashed> {
    let (ticket, at) = reference.strip_prefix(FOLDER)?.split_once('/')?;
    let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(Trashed {
        reference: reference.to_owned(),
        ticket: ticket.parse().ok()?,
        at: Timestamp(at.parse().ok()?),
        state: field("state")?.parse().ok()?,
        worktree: Worktree {
            path: field("path")?.into(),
            branch: field("branch")?.to_owned(),
            base_branch: field("base-branch")?.to_owned(),
            base: field("base")?.to_owned(),
            port: None,
        },
    })
}

/// Brings a worktree back: its branch, its commits, and what was not committed as edits. Its ref goes then; until the ticket
/// has the worktree, the note beside it keeps it from being forgotten.
///
/// # Errors
/// When nothing is kept under that name, or git fails.
pub fn restore(repo: &Repo, trashed: &Trashed) -> Result<Created, GitError> {
    let kept = repo.commit_at(&trashed.reference)?;
    let kept = kept.ok_or_else(|| GitError::NotInTrash { reference: trashed.reference.clone() })?;
    let head = repo.parents_of(&kept)?.into_iter().next().unwrap_or_else(|| trashed.worktree.base.clone());
    let branch = branch_at(repo, &trashed.worktree.branch, &head)?;
    let wanted = Worktree { branch, ..trashed.worktree.clone() };
    let plan = Plan {
        path: &wanted.path,
        branch: &wanted.branch,
        base_branch: &wanted.base_branch,
        existing: Some(&wanted),
        on_top: None,
    };
    let made = create(repo, &plan)?;
    let tree = repo.tree_of(&kept)?;
    fill(repo, &made.worktree.path, &tree)?;
    repo.git.writing(repo.common_dir()).args(["update-ref", "-d", &trashed.reference, &kept]).run()?;
    Ok(made)
}

/// Makes the branch again at that commit, or finds it there; another one of its name gives it a suffix.
fn branch_at(repo: &Repo, wanted: &str, commit: &str) -> Result<String, GitError> {
    let none = "0".repeat(commit.len());
    for name in with_suffixes(wanted) {
        match repo.commit_at(&heads(&name))? {
            Some(found) if found == commit => return Ok(name),
            Some(_) => {}
            None => {
                let message = made(&name, "the trash");
                let args = ["update-ref", "--create-reflog", "-m", &message, &heads(&name), commit, &none];
                repo.git.writing(repo.common_dir()).args(args).run()?;
                return Ok(name);
            }
        }
    }
    Err(GitError::NoFreeName { wanted: wanted.to_owned() })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::git::testing::{Sandbox, files, write};

    const TICKET: TicketId = TicketId(Uuid::from_u128(7));
    const AT: Timestamp = Timestamp(1_700_000_000_000);

    fn restore_it(sandbox: &Sandbox) -> Worktree {
        let repo = sandbox.repo();
        let made = restore(&repo, &list(&repo).unwrap()[0]).unwrap();
        made.recorded().unwrap();
        made.worktree
    }

    fn bin_it(sandbox: &Sandbox, worktree: &Worktree) -> Binned {
        bin(
            &sandbox.repo(),
            worktree,
            Owner { ticket: TICKET, state: StateName::Abandoned, branch: Fate::Goes },
            AT,
            &[],
        )
        .unwrap()
    }

    #[test]
    fn what_was_removed_comes_back_with_commits_edits_and_new_files() {
        let sandbox = Sandbox::new();
        let before = sandbox.checkout();
        let worktree = sandbox.worktree("1-x").worktree;
        write(&worktree.path, "committed.txt", "c\n");
        let head = sandbox.commit(&worktree.path, "agent");
        write(&worktree.path, "a.txt", "edited\n");
        write(&worktree.path, "new/file.bin", b"\0\xff");
        std::fs::remove_file(worktree.path.join("src/b.txt")).unwrap();
        let held = files(&worktree.path);

        let Binned::Gone(reference) = bin_it(&sandbox, &worktree) else { panic!("it was there") };
        assert!(!worktree.path.exists());
        assert!(!sandbox.repo().has_ref("refs/heads/draft/1-x").unwrap());
        assert!(!sandbox.run(&sandbox.main(), "worktree list").contains("1-x"));
        let trash = list(&sandbox.repo()).unwrap();
        assert_eq!(
            trash,
            [Trashed { reference, ticket: TICKET, at: AT, state: StateName::Abandoned, worktree: worktree.clone() }]
        );

        let restored = restore_it(&sandbox);
        assert_eq!(restored, worktree);
        assert_eq!(files(&restored.path), held);
        assert_eq!(sandbox.run(&restored.path, "rev-parse HEAD"), head);
        assert_eq!(sandbox.run(&restored.path, "status --porcelain -uall"), " M a.txt\n D src/b.txt\n?? new/file.bin");
        assert_eq!(list(&sandbox.repo()).unwrap(), []);
        assert_eq!(sandbox.checkout(), before);
    }

    #[test]
    fn a_folder_that_is_gone_already_leaves_its_branch_to_be_kept() {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        write(&worktree.path, "committed.txt", "c\n");
        sandbox.commit(&worktree.path, "agent");
        std::fs::remove_dir_all(&worktree.path).unwrap();
        assert!(matches!(bin_it(&sandbox, &worktree), Binned::Gone(_)));
        assert!(!sandbox.repo().has_ref("refs/heads/draft/1-x").unwrap());
        let restored = restore_it(&sandbox);
        assert!(restored.path.join("committed.txt").exists());
        let owner = Owner { ticket: TICKET, state: StateName::Done, branch: Fate::Goes };
        let again = |at| bin(&sandbox.repo(), &restored, owner, Timestamp(at), &[]).unwrap();
        let gone = again(2);
        assert!(matches!(gone, Binned::Gone(_)));
        assert_eq!(again(3), gone, "whoever did not hear of it hears where it is");
    }

    #[test]
    fn a_removal_that_was_cut_short_is_finished_and_what_it_kept_is_kept_once() {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        let again = |at| {
            let owner = Owner { ticket: TICKET, state: StateName::Abandoned, branch: Fate::Goes };
            bin(&sandbox.repo(), &worktree, owner, Timestamp(at), &[]).unwrap()
        };
        write(&worktree.path, "new.txt", "new\n");
        let before = sandbox.run(&sandbox.main(), "rev-parse draft/1-x");
        let gone = bin_it(&sandbox, &worktree);
        assert_eq!(again(1), gone, "it was over, and nobody heard of it");
        sandbox.run(&sandbox.main(), &format!("branch draft/1-x {before}"));
        assert_eq!(again(2), gone, "the branch was still there");
        assert!(!sandbox.repo().has_ref("refs/heads/draft/1-x").unwrap());
        assert_eq!(list(&sandbox.repo()).unwrap().len(), 1);
        let restored = restore_it(&sandbox);
        assert_eq!(std::fs::read_to_string(restored.path.join("new.txt")).unwrap(), "new\n");

        // What differs from what was kept is kept too.
        sandbox.run(&restored.path, "add --all");
        let head = sandbox.commit(&restored.path, "more");
        std::fs::remove_dir_all(&restored.path).unwrap();
        let Binned::Gone(reference) = again(3) else { panic!("its branch was there") };
        assert_eq!(sandbox.run(&sandbox.main(), &format!("rev-parse {reference}^")), head);
    }

    #[test]
    fn a_branch_that_somebody_made_meanwhile_is_left_alone() {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        sandbox.commit(&worktree.path, "agent");
        bin_it(&sandbox, &worktree);
        sandbox.run(&sandbox.main(), "branch draft/1-x main");
        let restored = restore_it(&sandbox);
        assert_eq!(restored.branch, "draft/1-x-2");
    }

    #[test]
    fn a_worktree_with_a_repository_of_its_own_inside_stays() {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        sandbox.run(&worktree.path, "init -q inner");
        write(&worktree.path, "inner/precious.txt", "p\n");
        let Binned::Holds(held) = bin_it(&sandbox, &worktree) else { panic!("it holds a repository") };
        assert_eq!(held[0].what, Inner::Repository);
        assert!(worktree.path.join("inner/precious.txt").exists());
        assert_eq!(list(&sandbox.repo()).unwrap(), []);
    }
}
