//! What the engine does for tickets outside jobs: a worktree that nobody needs any more goes into the trash, and comes back
//! from it. What is due is derived from the board, so a crash in between loses nothing.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::domain::board::Board;
use crate::domain::change::{CleanUp, Merging, Restore};
use crate::domain::cleanup::Cleaned;
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::resolve::Resolving;
use crate::domain::state::StateName;
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::land::Scratch;
use crate::git::trash::{self, Binned, Fate, Owner};
use crate::git::{conflict, worktree};
use crate::run::census::Census;
use crate::run::worn;

use super::actor::now;
use super::error::EngineError;
use super::handle::Handle;
use super::jobs::{self, Bench};
use super::tidy::{tidy, worn_runs};
use super::workshop::Workshop;

/// The chores that are being done, at most one for each ticket.
pub(super) struct Chores {
    handle: Handle,
    tasks: JoinSet<()>,
    /// The task that works for each ticket.
    busy: HashMap<TicketId, task::Id>,
}

impl Chores {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, tasks: JoinSet::new(), busy: HashMap::new() }
    }

    /// Begins to remove the worktree of a ticket that holds one and needs none.
    pub(super) fn clean_if_due(&mut self, board: &Board, ticket: &Ticket) {
        let Some(worktree) = &ticket.worktree else { return };
        let is_due = !ticket.needs_worktree() && board.active_job(ticket.id).is_none();
        if is_due && !self.is_busy(ticket.id) {
            let owner = owner(ticket);
            // What cleans up belongs to the job that worked in it last.
            let last = board.newest_job(ticket.id).cloned();
            let bench = last.map(|job| self.handle.bench(job, ticket.clone(), CancellationToken::new()));
            let task = self.tasks.spawn(clean(self.handle.clone(), bench, owner, worktree.clone(), String::new()));
            self.busy.insert(ticket.id, task.id());
        }
    }

    /// Begins to clean up after a ticket, as the rules allowed.
    pub(super) fn clean_up(&mut self, board: &Board, due: CleanUp) {
        let name = TicketRef::Id(due.ticket);
        let Some(ticket) = board.find_removed(name).or_else(|| board.find(name)) else { return };
        if self.is_busy(ticket.id) {
            return;
        }
        let task = match (due.what, &ticket.worktree) {
            (Cleaned::Worktree, Some(worktree)) => {
                let owner = owner(ticket);
                let last = board.newest_job(ticket.id).cloned();
                let bench = last.map(|job| self.handle.bench(job, ticket.clone(), CancellationToken::new()));
                self.tasks.spawn(clean(self.handle.clone(), bench, owner, worktree.clone(), due.why))
            }
            (Cleaned::Worktree, None) => return,
            (Cleaned::Output, _) => self.tasks.spawn(clean_output(self.handle.clone(), board.clone(), ticket.id)),
        };
        self.busy.insert(ticket.id, task.id());
    }

    /// Begins to look for what nobody needs any more.
    pub(super) fn tidy(&mut self) {
        self.tasks.spawn(tidy(self.handle.clone()));
    }

    /// Begins to remove what landings left that are over: an engine that was killed could not.
    pub(super) fn clear_landings(&mut self, board: &Board) {
        let active: HashSet<String> = board.active_jobs().map(|job| job.id.to_string()).collect();
        self.tasks.spawn(clear_landings(self.handle.clone(), active));
    }

    /// Begins to bring a worktree back.
    pub(super) fn restore(&mut self, wanted: Restore) {
        let ticket = wanted.ticket;
        if !self.is_busy(ticket) {
            let task = self.tasks.spawn(restore(self.handle.clone(), wanted));
            self.busy.insert(ticket, task.id());
        }
    }

    /// Begins a merge in a ticket's worktree, or gives it up.
    pub(super) fn merge(&mut self, board: &Board, id: TicketId, merging: Merging) {
        if self.is_busy(id) {
            // Whoever asked waits for an answer.
            let reason = "something else is done with its worktree right now; ask again".to_owned();
            let fact = Fact::Resolving { ticket: id, what: Resolving::Refused { reason } };
            let handle = self.handle.clone();
            self.tasks.spawn(async move {
                tell(&handle, fact).await;
            });
        } else if let Some(ticket) = board.ticket(id) {
            let task = self.tasks.spawn(merge(self.handle.clone(), ticket.clone(), merging));
            self.busy.insert(id, task.id());
        }
    }

    /// Waits for the next chore to end; for ever when there is none.
    pub(super) async fn ended(&mut self) {
        let ended = match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => task,
            Some(Err(error)) => {
                tracing::error!(%error, "a chore broke");
                error.id()
            }
            None => std::future::pending().await,
        };
        self.busy.retain(|_, task| *task != ended);
    }

    /// Says whether something is done for this ticket right now; no job of it starts meanwhile.
    pub(super) fn is_busy(&self, ticket: TicketId) -> bool {
        self.busy.contains_key(&ticket)
    }

    /// Says whether there is nothing to wait for.
    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Ends what is not done yet; the next engine finds it due again.
    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// How long an engine that is told to stop waits for its chores.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Whose a worktree is; what becomes of its branch is known when it goes.
fn owner(ticket: &Ticket) -> Owner {
    Owner { ticket: ticket.id, state: ticket.state.name(), branch: Fate::Goes }
}

/// What the settings say about a worktree that is to go.
enum Wish {
    /// It stays: that is what somebody wants.
    Stays,
    /// Somebody is in it right now.
    InUse,
    Goes(Owner),
}

/// Looks whether a worktree may go, and what becomes of its branch. Without a reason it goes since its ticket is at its end.
fn wish(shop: &Workshop, owner: Owner, worktree: &Worktree, why: &str) -> Wish {
    // Where the files are wrong, what is built in holds: nothing stays for that alone.
    let config = shop.settings().map(|loaded| loaded.config.clone()).unwrap_or_default();
    let (merge, cleanup) = (&config.merge_config, &config.cleanup_config);
    let has_landed = owner.state == StateName::Done;
    if why.is_empty() && has_landed && !cleanup.auto_cleanup_on_merge {
        return Wish::Stays;
    }
    if !why.is_empty() && !Census::take().inside(&worktree.path).is_empty() {
        return Wish::InUse;
    }
    let stays = merge.is_protected(&worktree.branch) || (has_landed && !merge.delete_branch_after_merge);
    Wish::Goes(Owner { branch: if stays { Fate::Stays } else { Fate::Goes }, ..owner })
}

async fn clean(handle: Handle, bench: Option<Bench>, owner: Owner, worktree: Worktree, why: String) {
    let ticket = owner.ticket;
    let (place, reason) = (worktree.clone(), why.clone());
    let owner = match handle.blocking(move |shop| Ok(wish(shop, owner, &place, &reason))).await {
        Ok(Wish::Goes(owner)) => owner,
        Ok(Wish::Stays) => return,
        Ok(Wish::InUse) => {
            let reason = "its worktree stays: somebody is in it".to_owned();
            tell(&handle, Fact::WorktreeStays { ticket, reason }).await;
            return;
        }
        Err(error) => {
            let reason = format!("its worktree could not be removed: {error}");
            tell(&handle, Fact::WorktreeStays { ticket, reason }).await;
            return;
        }
    };
    let kept_branch = (owner.branch == Fate::Stays).then(|| worktree.branch.clone());
    if let Some(bench) = bench
        && let Err(error) = jobs::clean_up(&bench, &worktree).await
    {
        // The run has its log; a worktree that nobody needs goes all the same, and can come back.
        tracing::warn!(ticket = %bench.job.ticket, %error, "cleaning up after a worktree failed");
    }
    let binned = handle
        .blocking(move |shop| {
            let binned = trash::bin(&shop.repo, &worktree, owner, now(), &shop.litter())?;
            if !matches!(binned, Binned::Holds(_)) {
                // What was there before a merge that nobody ended goes where the rest went.
                conflict::settle(&shop.repo, ticket, now(), None)?;
            }
            Ok(binned)
        })
        .await;
    let fact = match binned {
        Ok(Binned::Gone(reference)) => Fact::WorktreeRemoved { ticket, reference: Some(reference), why, kept_branch },
        Ok(Binned::Nothing) => Fact::WorktreeRemoved { ticket, reference: None, why, kept_branch },
        Ok(Binned::Holds(held)) => {
            let paths: Vec<String> = held.iter().map(|one| one.path.to_string_lossy().into_owned()).collect();
            let reason = format!("its worktree holds what git cannot keep, so it stays: {}", paths.join(", "));
            Fact::WorktreeStays { ticket, reason }
        }
        Err(error) => Fact::WorktreeStays { ticket, reason: format!("its worktree could not be removed: {error}") },
    };
    tell(&handle, fact).await;
}

async fn clean_output(handle: Handle, board: Board, ticket: TicketId) {
    let cleaned = handle
        .blocking(move |shop| {
            let ttl = shop.settings()?.config.cleanup_config.limits().output;
            let all = worn_runs(shop, &board, ttl, now())?;
            let runs = all.into_iter().find(|(of, _)| *of == ticket).map(|(_, runs)| runs).unwrap_or_default();
            let (mut count, mut bytes) = (0, 0);
            for run in runs {
                let path = shop.paths.runs().join(run.folder());
                bytes += worn::clean(&path, now()).map_err(|source| EngineError::Remove { path, source })?;
                count += 1;
            }
            Ok((count, bytes))
        })
        .await;
    let fact = match cleaned {
        Ok((runs, bytes)) => Fact::OutputCleaned { ticket, runs, bytes },
        Err(error) => Fact::WorktreeStays { ticket, reason: format!("its output could not be cleaned up: {error}") },
    };
    tell(&handle, fact).await;
}

async fn clear_landings(handle: Handle, active: HashSet<String>) {
    let cleared = handle.blocking(move |shop| {
        let folder = shop.paths.landings_of(&shop.about);
        let left = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in left.filter(|entry| !active.contains(&*entry.file_name().to_string_lossy())) {
            Scratch::left(&shop.repo, &entry.path()).clear()?;
        }
        Ok(())
    });
    if let Err(error) = cleared.await {
        tracing::warn!(%error, "what a landing left could not be removed");
    }
}

async fn restore(handle: Handle, wanted: Restore) {
    let Restore { ticket, reference } = wanted;
    let name = reference.clone();
    let restored = handle
        .blocking(move |shop| {
            let found = trash::list(&shop.repo)?.into_iter().find(|one| one.reference == name && one.ticket == ticket);
            let missing = || crate::git::GitError::NotInTrash { reference: name };
            Ok(trash::restore(&shop.repo, &found.ok_or_else(missing)?)?)
        })
        .await;
    let fact = match &restored {
        Ok(made) => Fact::WorktreeRestored { ticket, worktree: made.worktree.clone(), reference },
        Err(error) => Fact::WorktreeStays { ticket, reason: format!("its worktree could not come back: {error}") },
    };
    if tell(&handle, fact).await == Told::Stored
        && let Ok(made) = restored
        && let Err(error) = handle.blocking(move |_| Ok(made.recorded()?)).await
    {
        tracing::warn!(%error, "a worktree came back, and the note beside it stays");
    }
}

/// What a commit says that keeps work in a ticket's worktree around a merge.
pub(super) fn about_merge(ticket: &Ticket, worktree: &Worktree, what: &str) -> String {
    format!("{}\n\nTicket {}, {what} {}.\n", ticket.title, ticket.number, worktree.base_branch)
}

async fn merge(handle: Handle, ticket: Ticket, merging: Merging) {
    let id = ticket.id;
    let done = handle.blocking(move |shop| {
        let Some(worktree) = &ticket.worktree else {
            return Ok(Resolving::Refused { reason: "it has no worktree".to_owned() });
        };
        if let Err(danger) = worktree::validate(&shop.repo, &shop.paths.worktrees(), worktree) {
            return Ok(Resolving::Refused { reason: danger.to_string() });
        }
        let message = about_merge(&ticket, worktree, "as it was before the merge with");
        let owner = conflict::Owner { ticket: ticket.id, state: ticket.state.name(), message: &message };
        Ok(match merging {
            Merging::Begin => conflict::start(&shop.repo, worktree, owner, now(), &shop.litter())?,
            Merging::GiveUp => conflict::abort(&shop.repo, worktree, owner, now())?,
        })
    });
    let what = done.await.unwrap_or_else(|error| Resolving::Refused { reason: error.to_string() });
    tell(&handle, Fact::Resolving { ticket: id, what }).await;
}

/// Whether what came of a chore is stored.
#[derive(PartialEq, Eq)]
enum Told {
    Stored,
    Lost,
}

/// Tells what came of a chore. One that cannot be told is found due again by the next engine.
async fn tell(handle: &Handle, fact: Fact) -> Told {
    match handle.learn(fact, Who::system("cleanup_service")).await {
        Ok(()) => Told::Stored,
        Err(error) => {
            tracing::warn!(%error, "what came of a chore could not be stored");
            Told::Lost
        }
    }
}
