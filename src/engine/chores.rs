//! What the engine does for tickets outside jobs: a worktree that nobody needs any more goes into the trash, and comes back
//! from it. What is due is derived from the board, so a crash in between loses nothing.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::domain::board::Board;
use crate::domain::change::{Merging, Restore};
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::TicketId;
use crate::domain::resolve::Resolving;
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::land::Scratch;
use crate::git::trash::{self, Binned, Owner};
use crate::git::{conflict, worktree};

use super::actor::now;
use super::handle::Handle;
use super::jobs::{self, Bench};

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
            let owner = Owner { ticket: ticket.id, state: ticket.state.name() };
            // What cleans up belongs to the job that worked in it last.
            let last = board.newest_job(ticket.id).cloned();
            let bench = last.map(|job| self.handle.bench(job, ticket.clone(), CancellationToken::new()));
            let task = self.tasks.spawn(clean(self.handle.clone(), bench, owner, worktree.clone()));
            self.busy.insert(ticket.id, task.id());
        }
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

async fn clean(handle: Handle, bench: Option<Bench>, owner: Owner, worktree: Worktree) {
    let ticket = owner.ticket;
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
        Ok(Binned::Gone(reference)) => Fact::WorktreeRemoved { ticket, reference: Some(reference) },
        Ok(Binned::Nothing) => Fact::WorktreeRemoved { ticket, reference: None },
        Ok(Binned::Holds(held)) => {
            let paths: Vec<String> = held.iter().map(|one| one.path.to_string_lossy().into_owned()).collect();
            let reason = format!("its worktree holds what git cannot keep, so it stays: {}", paths.join(", "));
            Fact::WorktreeStays { ticket, reason }
        }
        Err(error) => Fact::WorktreeStays { ticket, reason: format!("its worktree could not be removed: {error}") },
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
