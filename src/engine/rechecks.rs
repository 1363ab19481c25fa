//! Has what waits to be landed checked again once its target moved, while nothing else is to do: the cheapest first, one at a time.
//!
//! What is due follows from git and from the results that are stored, so a crash forgets nothing. What was asked for once is not asked
//! for again on the same tree: somebody may have stopped it.

use std::collections::{HashMap, HashSet};

use tokio::task::JoinSet;

use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::command::{Command, Request};
use crate::domain::event::Actor as Who;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::JobStatus;
use crate::domain::outlook::target_of;
use crate::domain::pick::holds_slot;
use crate::domain::proof::{Proof, cost};
use crate::domain::rule_recheck::{Recheck, may_be_rechecked};
use crate::domain::ticket::Ticket;
use crate::git::aside::Aside;
use crate::git::forecast;

use super::error::{AskError, EngineError};
use super::handle::Handle;
use super::proof::{commands, of_tree};
use super::workshop::Workshop;

/// Chooses what is checked again on one board.
pub(super) struct Rechecks {
    handle: Handle,
    setting: Recheck,
    /// At most one task, which looks for the cheapest and asks for it.
    looking: JoinSet<Memory>,
    memory: Memory,
    /// Whether something happened that may matter.
    is_stale: bool,
}

/// What need not be found out twice.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// What comes of merging a change with a commit of its target; nothing where that needs no check.
    trees: HashMap<(String, String), Option<String>>,
    asked: HashSet<(TicketId, String)>,
}

/// A change that waits.
#[derive(Clone, Debug)]
struct Waiting {
    ticket: Ticket,
    head: String,
    target: String,
}

impl Rechecks {
    pub(super) fn new(handle: Handle) -> Self {
        let (looking, memory) = (JoinSet::new(), Memory::default());
        Self { handle, setting: Recheck::Off, looking, memory, is_stale: true }
    }

    /// Takes over the setting as it is now; targets may have moved too.
    pub(super) fn think_again(&mut self, setting: Recheck) {
        self.setting = setting;
        self.is_stale = true;
    }

    /// Hears what became true.
    pub(super) fn hear(&mut self, changes: &[Change]) {
        self.is_stale |= changes.iter().any(|change| match change {
            Change::Ticket(_) | Change::Job(_) | Change::Revision(_) => true,
            Change::Goal(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Run(_)
            | Change::Evidence(_)
            | Change::Event(_)
            | Change::Autopilot(_)
            | Change::Live { .. } => false,
        });
    }

    /// Begins to look for the cheapest check that is due, if there is room for it.
    pub(super) fn consider(&mut self, board: &Board) {
        if !self.is_stale || !self.looking.is_empty() || self.setting == Recheck::Off {
            return;
        }
        let is_wanted = board.active_jobs().any(|job| job.recheck || job.status == JobStatus::Queued);
        let running = board.active_jobs().filter(|job| holds_slot(job)).count();
        if is_wanted || running >= self.handle.workshop().slots() {
            return;
        }
        self.is_stale = false;
        let due = board.tickets().filter(|ticket| may_be_rechecked(board, ticket, self.setting));
        let waiting: Vec<Waiting> = due
            .filter_map(|ticket| {
                let head = board.revision(ticket.id)?.head.clone();
                Some(Waiting { ticket: ticket.clone(), head, target: target_of(board, ticket) })
            })
            .collect();
        if !waiting.is_empty() {
            self.looking.spawn(look_and_ask(self.handle.clone(), waiting, std::mem::take(&mut self.memory)));
        }
    }

    /// Waits until the last look is over; for ever when there is none.
    pub(super) async fn asked(&mut self) {
        match self.looking.join_next().await {
            Some(Ok(memory)) => self.memory = memory,
            Some(Err(error)) => tracing::error!(%error, "looking for what is to be checked again broke"),
            None => std::future::pending().await,
        }
    }
}

async fn look_and_ask(handle: Handle, waiting: Vec<Waiting>, memory: Memory) -> Memory {
    let before = memory.clone();
    let looked = handle.blocking(move |shop| {
        let mut memory = memory;
        let found = cheapest(shop, &waiting, &mut memory)?;
        Ok((found, memory))
    });
    let (found, mut memory) = match looked.await {
        Ok(looked) => looked,
        Err(error) => {
            tracing::debug!(%error, "what is to be checked again is not known");
            return before;
        }
    };
    let Some((ticket, tree)) = found else { return memory };
    memory.asked.insert((ticket, tree));
    let command = Command::Recheck { ticket: TicketRef::Id(ticket) };
    if let Err(error) = handle.ask(Request { actor: Who::system("recheck"), command }).await {
        // The board may have moved on since the look, or the commands are not trusted.
        let why = match error {
            AskError::Refused(refusal) => refusal.message,
            AskError::Failed(error) => error.to_string(),
        };
        tracing::debug!(why, "a change is not checked again");
    }
    memory
}

/// Returns the change whose checks take the least time of those whose result nobody knows, and the tree that they are to run on.
fn cheapest(
    shop: &Workshop,
    waiting: &[Waiting],
    memory: &mut Memory,
) -> Result<Option<(TicketId, String)>, EngineError> {
    let settings = shop.settings()?;
    let mut aside = None;
    let mut used = HashSet::new();
    let mut found = Vec::new();
    for one in waiting {
        let Ok(commands) = commands(&one.ticket.verify, &settings.config) else { continue };
        let Ok(tip) = shop.repo.commit_of(&one.target) else { continue };
        let key = (tip, one.head.clone());
        if !memory.trees.contains_key(&key) {
            let aside = match &mut aside {
                Some(aside) => aside,
                none => none.insert(Aside::of(&shop.repo)?),
            };
            memory.trees.insert(key.clone(), forecast::of(aside, &key.0, &key.1)?.1);
        }
        let tree = memory.trees.get(&key).cloned().flatten();
        used.insert(key);
        let Some(tree) = tree.filter(|tree| !memory.asked.contains(&(one.ticket.id, tree.clone()))) else { continue };
        if of_tree(shop, &commands, &tree)? == Proof::Unknown {
            let evidence = shop.readers.read(|reader| reader.evidence_of(one.ticket.id))?;
            let cost = cost(commands.iter().map(String::as_str), &evidence);
            found.push(((cost.is_none(), cost, one.ticket.number), one.ticket.id, tree));
        }
    }
    memory.trees.retain(|key, _| used.contains(key));
    Ok(found.into_iter().min_by_key(|(order, ..)| *order).map(|(_, ticket, tree)| (ticket, tree)))
}
