//! Worktrees and branches that no ticket holds, and worktrees that tickets hold and that are not there.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::domain::board::About;
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::leftovers::{self, Linked, Noted, Unknown};

use super::super::Survey;
use super::super::stray::{Remedy, Subject};
use super::{RepoSeen, Seen, folders, settled};

/// What is known about worktrees from the side of the tickets and of who makes them.
struct Known<'a> {
    /// Where worktrees lie, links resolved.
    root: PathBuf,
    /// What tickets hold, by place.
    held: HashMap<PathBuf, (&'a About, &'a Ticket)>,
    /// What is being made, or will be gone on with.
    making: HashSet<PathBuf>,
    /// The branches of these.
    branches_in_making: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(seen: &'a Seen<'_>) -> Self {
        let root = seen.grounds.paths.worktrees();
        let held = seen.tickets().filter_map(|(about, ticket)| {
            let worktree = ticket.worktree.as_ref()?;
            Some((settled(&worktree.path), (about, ticket)))
        });
        let busy = || seen.notes.iter().filter(|note| note.is_held || taken_up_by(seen, note).is_some());
        Self {
            root: settled(&root),
            held: held.collect(),
            making: busy().flat_map(|note| [note.path.clone(), settled(&note.wanted)]).collect(),
            branches_in_making: busy().filter_map(|note| note.branch.as_deref()).collect(),
        }
    }
}

pub(super) fn find(seen: &Seen<'_>, survey: &mut Survey) {
    let known = Known::of(seen);
    let mut registered = HashSet::new();
    for repo in &seen.repos {
        for linked in repo.worktrees.iter().filter(|linked| linked.path.starts_with(&known.root)) {
            registered.insert(linked.path.clone());
            match known.held.get(&linked.path) {
                Some(_) if linked.is_there => survey.counts.worktrees += 1,
                Some((_, ticket)) => missing(seen, survey, &known, ticket, &linked.path),
                None => unheld(seen, survey, &known, repo, linked),
            }
        }
        branches(seen, survey, &known, repo);
    }
    unregistered(seen, survey, &known, &registered);
    notes(seen, survey, &known);
}

/// Returns the ticket that goes on with what a note tells when it runs next.
fn taken_up_by<'a>(seen: &'a Seen<'_>, note: &Noted) -> Option<&'a Ticket> {
    let number = note.wanted.file_name()?.to_str()?.split('-').next()?.parse::<u32>().ok()?;
    let folder = settled(note.wanted.parent()?);
    let mut here = seen.tickets().filter(|(about, _)| settled(&seen.grounds.paths.worktrees_of(about)) == folder);
    let (_, ticket) = here.find(|(_, ticket)| ticket.number.0 == number)?;
    (ticket.worktree.is_none() && ticket.needs_worktree()).then_some(ticket)
}

/// A ticket holds it, and it is not there.
fn missing(seen: &Seen<'_>, survey: &mut Survey, known: &Known<'_>, ticket: &Ticket, path: &Path) {
    // What is done or abandoned gives its worktree back; that is the engine's chore and perhaps going on.
    if !ticket.needs_worktree() || known.making.contains(path) {
        return;
    }
    let label = seen.label(ticket.id);
    let message = format!("the worktree of {label} was deleted: {}", path.display());
    let advice =
        format!("the next run of {label} brings it back as its newest revision was; what was edited since is lost");
    survey.found(Subject::Worktrees, path.display().to_string(), (message, advice), Remedy::Nothing);
}

/// Git knows it, and no ticket holds it.
fn unheld(seen: &Seen<'_>, survey: &mut Survey, known: &Known<'_>, repo: &RepoSeen, linked: &Linked) {
    if known.making.contains(&linked.path) {
        return;
    }
    let which = linked.path.display().to_string();
    let root = repo.repo.root().to_owned();
    let inside = seen.census.inside(&linked.path);
    let found = format!("no ticket holds the worktree {which}");
    let (message, advice, remedy) = if linked.locked {
        let advice = format!("`git worktree unlock {which}` if nobody wants it locked, then `draft doctor --fix`");
        (format!("{found}, and it is locked"), advice, Remedy::Nothing)
    } else if !linked.is_there {
        let advice = "`draft doctor --fix` has git forget it".to_owned();
        (format!("{found}, and its folder is gone"), advice, Remedy::Forget { repo: root, path: linked.path.clone() })
    } else if !inside.is_empty() {
        let pids: Vec<String> = inside.iter().map(ToString::to_string).collect();
        let advice = "leave it or end them, then `draft doctor --fix`".to_owned();
        (format!("{found}, and processes are in it: {}", pids.join(", ")), advice, Remedy::Nothing)
    } else {
        let advice = "`draft doctor --fix` puts it into the trash with all that it holds".to_owned();
        // A branch that Draft did not make is somebody's, and stays.
        let is_own = |name: &&String| repo.branches.iter().any(|own| own.name == **name);
        let branch = linked.branch.as_ref().filter(is_own).cloned().unwrap_or_default();
        let worktree = trashed(seen, repo, linked.path.clone(), branch, linked.head.as_deref());
        (found, advice, Remedy::Trash { repo: root, worktree })
    };
    survey.found(Subject::Worktrees, which, (message, advice), remedy);
}

/// Returns a worktree as the trash wants it.
fn trashed(seen: &Seen<'_>, repo: &RepoSeen, path: PathBuf, branch: String, head: Option<&str>) -> Worktree {
    let board = seen.boards.iter().find(|state| repo.boards.contains(&state.about.id));
    let base_branch = board.map(|state| state.about.base_branch.clone()).unwrap_or_default();
    let head = head.unwrap_or_default();
    let base = leftovers::start_of(&repo.repo, &base_branch, head).unwrap_or_else(|_| head.to_owned());
    Worktree { path, branch, base_branch, base, port: None }
}

fn branches(seen: &Seen<'_>, survey: &mut Survey, known: &Known<'_>, repo: &RepoSeen) {
    let held: HashSet<&str> =
        seen.tickets().filter_map(|(_, ticket)| Some(ticket.worktree.as_ref()?.branch.as_str())).collect();
    let checked_out = leftovers::checked_out(&repo.worktrees);
    for branch in &repo.branches {
        let name = branch.name.as_str();
        if held.contains(name) {
            survey.counts.branches += 1;
            continue;
        }
        // Whoever has it checked out holds it.
        if checked_out.contains(name) || known.branches_in_making.contains(name) {
            continue;
        }
        let message = format!("no ticket holds the branch `{name}` that Draft made in {}", repo.repo.root().display());
        let advice = "`draft doctor --fix` puts it into the trash; `git branch -m` makes it yours".to_owned();
        let worktree = trashed(seen, repo, PathBuf::new(), name.to_owned(), Some(&branch.tip));
        let remedy = Remedy::Trash { repo: repo.repo.root().to_owned(), worktree };
        survey.found(Subject::Branches, format!("{}: {name}", repo.repo.root().display()), (message, advice), remedy);
    }
}

/// What lies where worktrees do, and git does not know.
fn unregistered(seen: &Seen<'_>, survey: &mut Survey, known: &Known<'_>, registered: &HashSet<PathBuf>) {
    let lost = known.held.iter().filter(|(path, (about, _))| {
        let is_open = seen.repos.iter().any(|repo| repo.boards.contains(&about.id));
        is_open && !registered.contains(*path) && path.starts_with(&known.root)
    });
    let mut lost: Vec<_> = lost.collect();
    lost.sort_by_key(|(_, (_, ticket))| ticket.number);
    for (path, (_, ticket)) in lost {
        if !path.exists() {
            missing(seen, survey, known, ticket, path);
        } else if ticket.needs_worktree() && !known.making.contains(path) {
            let (label, which) = (seen.label(ticket.id), path.display().to_string());
            let message = format!("git does not know the worktree of {label} any more: {which}");
            let advice =
                format!("`git worktree repair {which}` in the repository; else {label} gets a new one beside it");
            survey.found(Subject::Worktrees, which, (message, advice), Remedy::Nothing);
        }
    }
    let claimed: HashSet<PathBuf> =
        seen.boards.iter().map(|state| settled(&seen.grounds.paths.worktrees_of(&state.about))).collect();
    for folder in &seen.board_folders {
        if !claimed.contains(&settled(folder)) && leftovers::unknown(folder) == Some(Unknown::Empty) {
            empty(survey, folder);
        }
        for path in folders(folder).into_iter().map(|path| settled(&path)) {
            let is_known = registered.contains(&path) || known.held.contains_key(&path) || known.making.contains(&path);
            if !is_known {
                unknown(survey, &path);
            }
        }
    }
}

fn empty(survey: &mut Survey, folder: &Path) {
    let which = folder.display().to_string();
    let words = (format!("{which} is empty, and nothing holds it"), "`draft doctor --fix` removes it".to_owned());
    survey.found(Subject::Worktrees, which, words, Remedy::RemoveEmpty(folder.to_owned()));
}

fn unknown(survey: &mut Survey, path: &Path) {
    let which = path.display().to_string();
    let (message, advice) = match leftovers::unknown(path) {
        None => return,
        Some(Unknown::Empty) => return empty(survey, path),
        Some(Unknown::Files) => {
            let advice = "look at what it holds and move it away; Draft leaves it alone".to_owned();
            (format!("{which} holds files, and git does not know it"), advice)
        }
        Some(Unknown::Elsewhere(common)) => {
            let advice = "`git worktree remove` there if nobody needs it; Draft leaves it alone".to_owned();
            (format!("{which} belongs to {}, which no board is of", common.display()), advice)
        }
    };
    survey.found(Subject::Worktrees, which, (message, advice), Remedy::Nothing);
}

/// Notes of worktrees in the making that nobody makes.
fn notes(seen: &Seen<'_>, survey: &mut Survey, known: &Known<'_>) {
    for note in seen.notes.iter().filter(|note| !note.is_held) {
        let which = note.note.display().to_string();
        if let Some(ticket) = taken_up_by(seen, note) {
            // A job that is queued or running takes it up by itself.
            if !seen.has_active_job(ticket.id) {
                let label = seen.label(ticket.id);
                let message = format!("the worktree of {label} was being made when its maker was killed: {which}");
                let words = (message, format!("the next run of {label} goes on with it"));
                survey.found(Subject::Leftovers, which, words, Remedy::Nothing);
            }
            continue;
        }
        // The engine whose ticket has it by now may be about to remove it.
        let holder = known.held.get(&note.path).map(|(_, ticket)| ticket.id);
        if holder.is_some_and(|ticket| seen.is_served(ticket) && seen.has_active_job(ticket)) {
            continue;
        }
        let message = format!("{which} says that a worktree is being made, and nobody makes it");
        let words = (message, "`draft doctor --fix` removes it".to_owned());
        survey.found(Subject::Leftovers, which, words, Remedy::RemoveNote(note.clone()));
    }
}
