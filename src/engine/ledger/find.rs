//! One look at everything, and what in it nothing accounts for.
//!
//! The order makes what is being made right now no stray: the disk and the repositories first, the database last. What
//! an engine makes is either noted under a lock when it is seen, or in the database when that is read.

mod landings;
mod processes;
mod rest;
mod runs;
mod worktrees;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::domain::board::About;
use crate::domain::id::{BoardId, JobId, TicketId};
use crate::domain::ticket::Ticket;
use crate::git::Repo;
use crate::git::leftovers::{self, Kept, Linked, Noted, OwnBranch};
use crate::run::census::Census;
use crate::run::shelf::{self, Shelved};
use crate::store::{Inventory, Reader, StoreError};

use super::super::lock::BoardLock;
use super::stray::{Remedy, Stray, Subject};
use super::{BoardState, EngineState, Grounds, Survey};

/// What is younger may be in use by a process that holds no lock on it.
const YOUNG: Duration = Duration::from_secs(60);

/// Looks once.
pub(super) fn look(grounds: &Grounds) -> Result<Survey, StoreError> {
    let seen = Seen::take(grounds)?;
    let mut survey = Survey { boards: seen.boards.clone(), ..Survey::default() };
    processes::find(&seen, &mut survey);
    runs::find(&seen, &mut survey);
    worktrees::find(&seen, &mut survey);
    rest::find(&seen, &mut survey);
    landings::find(&seen, &mut survey);
    Ok(survey)
}

impl Survey {
    fn found(&mut self, subject: Subject, which: impl Into<String>, words: (String, String), remedy: Remedy) {
        let (message, advice) = words;
        self.strays.push(Stray { subject, which: which.into(), message, advice, remedy });
    }
}

/// Everything as it was seen.
struct Seen<'a> {
    grounds: &'a Grounds,
    shelved: Vec<Shelved>,
    census: Census,
    repos: Vec<RepoSeen>,
    unopened: Unopened,
    /// The folders in which worktrees of boards lie.
    board_folders: Vec<PathBuf>,
    notes: Vec<Noted>,
    inventory: Inventory,
    /// Where in the inventory each ticket is: its board and its place there.
    places: HashMap<TicketId, (usize, usize)>,
    /// The tickets that have a job which is queued or running.
    active: HashSet<TicketId>,
    boards: Vec<BoardState>,
}

/// The boards whose repository cannot be opened, and why.
type Unopened = Vec<(About, String)>;

/// What was seen in a repository.
struct RepoSeen {
    repo: Repo,
    boards: Vec<BoardId>,
    worktrees: Vec<Linked>,
    branches: Vec<OwnBranch>,
    kept: Kept,
}

impl<'a> Seen<'a> {
    fn take(grounds: &'a Grounds) -> Result<Self, StoreError> {
        let shelved = shelf::list(&grounds.paths.runs());
        // After the folders: a process that lives now and whose run was over before is one that should not.
        let census = Census::take();
        let (repos, unopened) = repositories(grounds)?;
        let board_folders = folders(&grounds.paths.worktrees());
        let notes = board_folders.iter().flat_map(|folder| leftovers::notes(folder)).collect();
        let inventory = inventory(grounds)?;
        let boards = inventory.boards.iter().map(|shelf| {
            let held = BoardLock::is_held(&grounds.paths.data_dir, shelf.about.id);
            let engine = if held { EngineState::Runs(shelf.engine) } else { EngineState::None };
            let all = inventory.boards.iter().map(|shelf| &shelf.about);
            BoardState { called: called(&shelf.about, all), about: shelf.about.clone(), engine }
        });
        let boards = boards.collect();
        let places = places(&inventory);
        let active = inventory.jobs.values().filter(|row| row.status.is_active()).map(|row| row.ticket).collect();
        Ok(Self { grounds, shelved, census, repos, unopened, board_folders, notes, inventory, places, active, boards })
    }

    /// Returns every ticket with its board.
    fn tickets(&self) -> impl Iterator<Item = (&About, &Ticket)> {
        let boards = self.inventory.boards.iter();
        boards.flat_map(|shelf| shelf.tickets.iter().map(|ticket| (&shelf.about, ticket)))
    }

    fn ticket(&self, id: TicketId) -> Option<(&About, &Ticket)> {
        let (board, place) = self.places.get(&id)?;
        let shelf = self.inventory.boards.get(*board)?;
        Some((&shelf.about, shelf.tickets.get(*place)?))
    }

    /// Returns a ticket's number, with its board's name where there are several.
    fn label(&self, id: TicketId) -> String {
        match self.ticket(id) {
            Some((about, ticket)) if self.inventory.boards.len() > 1 => {
                format!("{} of {}", ticket.number, self.called(about))
            }
            Some((_, ticket)) => ticket.number.to_string(),
            None => format!("ticket {id}"),
        }
    }

    /// Returns how people call a board: by its name, and where several have that, by its repository too.
    fn called(&self, about: &About) -> String {
        called(about, self.inventory.boards.iter().map(|shelf| &shelf.about))
    }

    /// Returns how people call the ticket of a job.
    fn label_of_job(&self, job: JobId) -> String {
        match self.inventory.jobs.get(&job) {
            Some(row) => self.label(row.ticket),
            None => format!("job {job}"),
        }
    }

    fn is_active(&self, job: JobId) -> bool {
        self.inventory.jobs.get(&job).is_some_and(|row| row.status.is_active())
    }

    fn has_active_job(&self, ticket: TicketId) -> bool {
        self.active.contains(&ticket)
    }

    fn has_engine(&self, board: BoardId) -> bool {
        self.boards.iter().any(|state| state.about.id == board && state.engine != EngineState::None)
    }

    /// Says whether the board of a ticket has an engine.
    fn is_served(&self, ticket: TicketId) -> bool {
        self.ticket(ticket).is_some_and(|(about, _)| self.has_engine(about.id))
    }
}

fn called<'a>(about: &About, mut all: impl Iterator<Item = &'a About>) -> String {
    match all.any(|other| other.name == about.name && other.id != about.id) {
        true => format!("{} ({})", about.name, about.repo_root.display()),
        false => about.name.clone(),
    }
}

fn places(inventory: &Inventory) -> HashMap<TicketId, (usize, usize)> {
    let boards = inventory.boards.iter().enumerate();
    boards
        .flat_map(|(board, shelf)| shelf.tickets.iter().enumerate().map(move |(place, one)| (one.id, (board, place))))
        .collect()
}

fn inventory(grounds: &Grounds) -> Result<Inventory, StoreError> {
    let database = grounds.paths.database();
    // Without one nothing was ever stored, and what lies around belongs to nobody.
    if database.exists() { Reader::open(&database)?.inventory() } else { Ok(Inventory::default()) }
}

fn repositories(grounds: &Grounds) -> Result<(Vec<RepoSeen>, Unopened), StoreError> {
    let mut opened: BTreeMap<PathBuf, RepoSeen> = BTreeMap::new();
    let mut unopened = Vec::new();
    for shelf in inventory(grounds)?.boards {
        let repo = match Repo::discover(&grounds.git, &shelf.about.repo_root) {
            Ok(repo) => repo,
            Err(error) => {
                unopened.push((shelf.about, error.to_string()));
                continue;
            }
        };
        if let Some(known) = opened.get_mut(repo.common_dir()) {
            known.boards.push(shelf.about.id);
            continue;
        }
        let seen = (leftovers::worktrees(&repo), leftovers::branches(&repo), leftovers::kept(&repo));
        match seen {
            (Ok(worktrees), Ok(branches), Ok(kept)) => {
                let boards = vec![shelf.about.id];
                let common = repo.common_dir().to_owned();
                opened.insert(common, RepoSeen { repo, boards, worktrees, branches, kept });
            }
            (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
                unopened.push((shelf.about, error.to_string()));
            }
        }
    }
    Ok((opened.into_values().collect(), unopened))
}

/// Returns the folders in a folder, sorted.
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let mut found: Vec<PathBuf> = entries.filter(is_folder).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Returns the path with links resolved, those of its parent where itself is missing.
fn settled(path: &Path) -> PathBuf {
    let beside = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

/// Says whether something was changed so long ago that nobody is at it.
fn is_old(since: Option<SystemTime>) -> bool {
    since.and_then(|since| since.elapsed().ok()).is_some_and(|age| age >= YOUNG)
}

/// Returns when a file or folder was changed.
fn changed(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().and_then(|data| data.modified()).ok()
}

/// Groups what was found by what it belongs to, in the order in which it was found first.
fn grouped<K: Eq + std::hash::Hash + Clone, V>(all: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in all {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
