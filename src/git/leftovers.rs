//! What Draft made in a repository, told by content: worktrees below a folder, branches whose own history says so, refs of
//! tickets, notes of worktrees in the making, and what a killed git or a killed snapshot left. Looking changes nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::interrupted::is_nothing_or_empty;
use super::making::{Making, Note};
use super::registered::{self, Registered, same_place, settled};
use super::tree::{INDEX_PREFIX, discard};
use super::validate::Place;
use super::{GitError, Repo};
use crate::domain::id::TicketId;

/// Where everything of Draft's is kept.
pub(super) const REFS: &str = "refs/draft/";
/// How the history of a branch begins that Draft made: this, its name, and from where.
pub(super) const MADE: &str = "draft: made";

/// A worktree that the repository knows of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    /// The folder, links resolved.
    pub path: PathBuf,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// The commit that is checked out.
    pub head: Option<String>,
    /// Somebody asked to keep it, or git was killed while it made it.
    pub locked: bool,
    /// Its folder is there.
    pub is_there: bool,
}

impl Linked {
    fn of(repo: &Repo, known: Registered) -> Self {
        let (is_there, head) = (known.path.join(".git").exists(), known.commit(repo));
        Self { path: settled(&known.path), branch: known.branch, head, locked: known.locked, is_there }
    }
}

/// Returns all worktrees that the repository knows of, the main one first.
///
/// # Errors
/// When git fails.
pub fn worktrees(repo: &Repo) -> Result<Vec<Linked>, GitError> {
    Ok(registered::list(repo)?.into_iter().map(|known| Linked::of(repo, known)).collect())
}

/// A branch that Draft made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnBranch {
    /// Its name.
    pub name: String,
    /// The commit that it is at.
    pub tip: String,
}

/// Returns the branches that Draft made under the names that they have now: the oldest entry of a branch's own history
/// says so. One that somebody renamed or copied is theirs, and one whose history is gone is nobody's to judge.
///
/// # Errors
/// When the refs cannot be read.
pub fn branches(repo: &Repo) -> Result<Vec<OwnBranch>, GitError> {
    let gix = repo.gix();
    let references = gix.references().map_err(GitError::read("the refs"))?;
    let mut own = Vec::new();
    for branch in references.local_branches().map_err(GitError::read("the branches"))? {
        let mut branch = branch.map_err(GitError::read("a branch"))?;
        let Some(name) = super::repo::short_branch(branch.name().as_bstr()) else { continue };
        if !is_own(&branch, &name) {
            continue;
        }
        let tip = branch.peel_to_commit().map_err(GitError::read(&name))?.id.to_string();
        own.push(OwnBranch { name, tip });
    }
    Ok(own)
}

fn is_own(branch: &gix::Reference<'_>, name: &str) -> bool {
    let mut log = branch.log_iter();
    // A history that is not there or cannot be read proves nothing.
    let oldest = log.all().ok().flatten().and_then(|mut entries| entries.next()?.ok());
    oldest.is_some_and(|entry| {
        let rest = entry.message.strip_prefix(format!("{MADE} {name} ").as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"from "))
    })
}

/// Returns what a branch's history begins with.
pub(super) fn made(name: &str, from: &str) -> String {
    format!("{MADE} {name} from {from}")
}

/// What Draft keeps in a repository.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// The refs of tickets, by ticket and name. Those of the trash are not among them.
    pub of_tickets: Vec<(TicketId, String)>,
    /// The refs of the trash: of a ticket's worktree, or a commit that only a forgotten worktree had.
    pub trash: Vec<(Option<TicketId>, String)>,
}

/// Returns the refs below `refs/draft/`. One that is named after no ticket is left out.
///
/// # Errors
/// When git fails.
pub fn kept(repo: &Repo) -> Result<Kept, GitError> {
    let said = repo.git.reading(repo.common_dir()).args(["for-each-ref", "--format=%(refname)", REFS]).run()?;
    let mut kept = Kept::default();
    for name in String::from_utf8_lossy(&said).lines() {
        let ticket = name.split('/').find_map(|part| part.parse::<TicketId>().ok());
        match (name.strip_prefix(REFS).and_then(|rest| rest.split('/').next()), ticket) {
            (Some("trash"), ticket) => kept.trash.push((ticket, name.to_owned())),
            (_, Some(ticket)) => kept.of_tickets.push((ticket, name.to_owned())),
            (_, None) => {}
        }
    }
    Ok(kept)
}

/// The commit of a branch; nothing where there is no such branch.
///
/// # Errors
/// When it cannot be read.
pub fn tip(repo: &Repo, branch: &str) -> Result<Option<String>, GitError> {
    repo.commit_at(&format!("refs/heads/{branch}"))
}

/// Returns from where a worktree of this commit most likely started: where it left a branch.
///
/// # Errors
/// When git fails.
pub fn start_of(repo: &Repo, branch: &str, head: &str) -> Result<String, GitError> {
    let Ok(base) = repo.commit_of(branch) else { return Ok(head.to_owned()) };
    let found = repo.git.reading(repo.common_dir()).args(["merge-base", &base, head]).run_to(&[1])?;
    let text = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    Ok(if text.is_empty() { head.to_owned() } else { text })
}

/// What a folder is that lies where worktrees do, and that no known repository calls its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// It is empty.
    Empty,
    /// A work tree of a repository elsewhere, whose shared folder this is.
    Elsewhere(PathBuf),
    /// It holds something, and git takes it for nothing.
    Files,
}

/// Says what such a folder is; nothing when it is not there.
pub fn unknown(path: &Path) -> Option<Unknown> {
    if path.symlink_metadata().ok()?.is_dir() && is_nothing_or_empty(path).ok()? {
        return Some(Unknown::Empty);
    }
    let place = Place::of(path).ok().filter(|place| place.top == settled(path));
    Some(place.map_or(Unknown::Files, |place| Unknown::Elsewhere(place.common_dir)))
}

/// A note beside a worktree in the making.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Noted {
    /// The note.
    pub note: PathBuf,
    /// The folder that was wanted.
    pub wanted: PathBuf,
    /// The folder that is made, links resolved; the wanted one or one with a suffix.
    pub path: PathBuf,
    /// The branch that is made or was made; nothing when it was not said yet.
    pub branch: Option<String>,
    /// Somebody makes it right now.
    pub is_held: bool,
}

/// Returns the notes in a folder of worktrees.
pub fn notes(folder: &Path) -> Vec<Noted> {
    Note::all_in(folder)
        .into_iter()
        .map(|note| Noted {
            path: settled(&note.worktree()),
            branch: note.intent.as_ref().map(|intent| intent.branch.clone()),
            note: note.path,
            wanted: note.wanted,
            is_held: note.is_held,
        })
        .collect()
}

/// Removes a note that nobody holds. Says whether it is gone.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_note(noted: &Noted) -> Result<bool, GitError> {
    match Making::try_hold(&noted.wanted)? {
        Some(making) => making.end().map(|()| true),
        None => Ok(false),
    }
}

/// Does something while nobody else can make a worktree of this name. Nothing when somebody does right now.
///
/// # Errors
/// When the note cannot be written, or what `work` says.
pub fn holding<T, E: From<GitError>>(wanted: &Path, work: impl FnOnce() -> Result<T, E>) -> Result<Option<T>, E> {
    let Some(making) = Making::try_hold(wanted)? else { return Ok(None) };
    let done = work();
    making.end()?;
    done.map(Some)
}

/// Forgets a worktree whose folder is gone. Says whether it is forgotten: not when the folder came back meanwhile.
///
/// # Errors
/// When git fails.
pub fn forget(repo: &Repo, path: &Path) -> Result<bool, GitError> {
    let _turn = super::turn::Turn::take(repo)?;
    let known = registered::list(repo)?;
    match known.iter().find(|known| same_place(&known.path, path)) {
        Some(known) if known.is_stale() => registered::forget(repo, known).map(|()| true),
        Some(_) => Ok(false),
        None => Ok(true),
    }
}

/// Something that a killed program left in git's own folder of a worktree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rest {
    /// The copy of an index with which a snapshot was taken.
    Snapshot(PathBuf),
    /// The lock of a worktree's index: no git can change that index until it goes.
    IndexLock {
        /// The lock.
        path: PathBuf,
        /// Since when it is there.
        since: SystemTime,
    },
}

impl Rest {
    /// Returns the file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Snapshot(path) | Self::IndexLock { path, .. } => path,
        }
    }
}

/// Returns what killed programs left in git's own folder of a worktree. A snapshot that is being taken is not among it.
pub fn rests(worktree: &Path) -> Vec<Rest> {
    let Ok(place) = Place::of(worktree) else { return Vec::new() };
    if place.top != settled(worktree) {
        return Vec::new();
    }
    let mut rests = Vec::new();
    for entry in place.git_dir.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_bytes().starts_with(INDEX_PREFIX.as_bytes()) && is_free(&path) {
            rests.push(Rest::Snapshot(path));
        } else if entry.file_name() == OsStr::new("index.lock")
            && let Ok(since) = entry.metadata().and_then(|meta| meta.modified())
        {
            rests.push(Rest::IndexLock { path, since });
        }
    }
    rests
}

/// Removes such a rest.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_rest(rest: &Rest) -> Result<(), GitError> {
    match rest {
        Rest::Snapshot(path) => discard(path).map(drop),
        Rest::IndexLock { path, .. } => match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(GitError::io("remove", path)(error)),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Says whether nobody holds the lock of a folder. One that is gone is not free either.
fn is_free(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|folder| folder.try_lock().is_ok())
}

/// Returns the branches that are checked out anywhere.
pub fn checked_out(worktrees: &[Linked]) -> BTreeSet<&str> {
    worktrees.iter().filter_map(|one| one.branch.as_deref()).collect()
}

#[cfg(test)]
#[path = "leftovers_tests.rs"]
mod tests;
