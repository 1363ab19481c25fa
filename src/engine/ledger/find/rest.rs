//! What killed programs left beside the large things: copies, locks, unfinished backups, refs, and commands that wait.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::domain::id::{BoardId, TicketId};
use crate::git::leftovers::{self, Rest};
use crate::git::{Repo, owners};
use crate::store::Reader;

use super::super::super::lock::BoardLock;
use super::super::stray::{Remedy, Subject};
use super::super::{Survey, find::grouped};
use super::{Seen, changed, is_old, settled};

pub(super) fn find(seen: &Seen<'_>, survey: &mut Survey) {
    refs(seen, survey);
    in_worktrees(seen, survey);
    in_data_dir(seen, survey);
    for shelf in seen.inventory.boards.iter().filter(|shelf| shelf.pending > 0 && !seen.has_engine(shelf.about.id)) {
        let (name, count) = (seen.called(&shelf.about), shelf.pending);
        let noun = if count == 1 { "command waits" } else { "commands wait" };
        let message = format!("{count} {noun} for the engine of board {name}, and it has none");
        let advice = "the next engine answers them: open the board with `draft`, or use `draft run`".to_owned();
        survey.found(Subject::Commands, shelf.about.id.to_string(), (message, advice), Remedy::Nothing);
    }
    for (about, why) in &seen.unopened {
        let message = format!("the repository of board {} cannot be opened: {why}", seen.called(about));
        let advice = format!("bring {} back; until then its tickets wait", about.repo_root.display());
        survey.found(Subject::Boards, about.id.to_string(), (message, advice), Remedy::Nothing);
    }
}

/// Refs of tickets that are not there. They hold work, so they are moved out of the way and never deleted.
fn refs(seen: &Seen<'_>, survey: &mut Survey) {
    for repo in &seen.repos {
        survey.counts.trash += repo.kept.trash.len();
        let mut elsewhere = None;
        for (ticket, names) in grouped(repo.kept.of_tickets.iter().map(|(ticket, name)| (*ticket, name))) {
            if seen.ticket(ticket).is_some() {
                survey.counts.refs += names.len();
                continue;
            }
            let elsewhere = elsewhere.get_or_insert_with(|| Elsewhere::of(seen, &repo.repo));
            if elsewhere.tickets.contains(&ticket) {
                continue;
            }
            let root = repo.repo.root().display();
            let (count, first) = (names.len(), names.first().map_or("", |name| name.as_str()));
            let noun = if count == 1 { "ref keeps" } else { "refs keep" };
            let message =
                format!("{count} {noun} revisions of a ticket that is not in the database, in {root}: {first}");
            let (advice, remedy) = match &elsewhere.unread {
                None => {
                    let remedy = Remedy::TrashRefs { repo: repo.repo.root().to_owned(), ticket };
                    ("`draft doctor --fix` puts them into the trash".to_owned(), remedy)
                }
                Some(why) => (format!("they may be of another data directory, so they stay: {why}"), Remedy::Nothing),
            };
            survey.found(Subject::Refs, format!("{root}: {ticket}"), (message, advice), remedy);
        }
    }
}

/// What other data directories know that have boards of the same repository.
#[derive(Default)]
struct Elsewhere {
    tickets: HashSet<TicketId>,
    /// Why one of them could not be asked.
    unread: Option<String>,
}

impl Elsewhere {
    fn of(seen: &Seen<'_>, repo: &Repo) -> Self {
        let own = seen.grounds.paths.database();
        let mut elsewhere = Self::default();
        let noted = owners::noted(repo).unwrap_or_else(|error| {
            elsewhere.unread = Some(error.to_string());
            Vec::new()
        });
        let databases = noted.iter().filter_map(|folder| Some(folder.join(own.file_name()?)));
        // One that was removed or went elsewhere notes itself when it is used again.
        for database in databases.filter(|one| one.exists() && settled(one) != settled(&own)) {
            match Reader::open(&database).and_then(|reader| reader.inventory()) {
                Ok(inventory) => {
                    let tickets = inventory.boards.iter().flat_map(|shelf| &shelf.tickets);
                    elsewhere.tickets.extend(tickets.map(|ticket| ticket.id));
                }
                Err(error) => elsewhere.unread = Some(error.to_string()),
            }
        }
        elsewhere
    }
}

/// Copies of indexes and locks in git's own folders of the worktrees that tickets hold.
fn in_worktrees(seen: &Seen<'_>, survey: &mut Survey) {
    for (_, ticket) in seen.tickets() {
        let Some(worktree) = &ticket.worktree else { continue };
        for rest in leftovers::rests(&worktree.path) {
            let which = rest.path().display().to_string();
            let label = seen.label(ticket.id);
            let message = match &rest {
                Rest::Snapshot(_) => format!("a look at the worktree of {label} was cut short and left {which}"),
                Rest::IndexLock { since, .. } => {
                    let is_busy = seen.has_active_job(ticket.id) || !seen.census.inside(&worktree.path).is_empty();
                    if is_busy || !is_old(Some(*since)) {
                        continue;
                    }
                    format!("a git that was killed left the worktree of {label} locked: {which}")
                }
            };
            let words = (message, "`draft doctor --fix` removes it".to_owned());
            let remedy = Remedy::RemoveRest { worktree: worktree.path.clone(), rest };
            survey.found(Subject::Leftovers, which, words, remedy);
        }
    }
}

/// Locks of boards that are not there, and backups that were cut short.
fn in_data_dir(seen: &Seen<'_>, survey: &mut Survey) {
    for entry in fs::read_dir(&seen.grounds.paths.data_dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let which = path.display().to_string();
        if let Some(board) = BoardLock::board_of(name) {
            if !is_board(seen, board) && !BoardLock::is_held(&seen.grounds.paths.data_dir, board) {
                let words = (format!("{which} is the lock of no board"), "`draft doctor --fix` removes it".to_owned());
                survey.found(Subject::Leftovers, which, words, Remedy::RemoveLock(board));
            }
        } else if is_unfinished(name) && is_old(changed(&path)) && !is_maker_alive(name) {
            let message = format!("{which} is a copy of the database that was cut short");
            let words = (message, "`draft doctor --fix` removes it".to_owned());
            survey.found(Subject::Leftovers, which, words, Remedy::RemoveFile(path));
        }
    }
}

fn is_board(seen: &Seen<'_>, board: BoardId) -> bool {
    seen.inventory.boards.iter().any(|shelf| shelf.about.id == board)
}

/// Says whether it is called like a copy of the database that is not whole: `draft.db.v<N>.<process>.part`.
fn is_unfinished(name: &str) -> bool {
    name.starts_with("draft.db.v") && name.ends_with(".part")
}

fn is_maker_alive(name: &str) -> bool {
    let pid = name.strip_suffix(".part").and_then(|name| name.rsplit('.').next());
    pid.is_some_and(|pid| !pid.is_empty() && Path::new("/proc").join(pid).exists())
}
