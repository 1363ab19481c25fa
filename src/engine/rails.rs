//! Looks at changes that may be approved or may land without a person, and hands what it finds to the rules, which decide.
//! A verify job does so before it ends; what waits already is looked at when something changed that matters to it.

use std::collections::HashMap;

use tokio::task::JoinSet;

use crate::domain::autonomy::{Basis, Dossier, Examined, SERVICE, is_due};
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::event::Actor as Who;
use crate::domain::evidence::Evidence;
use crate::domain::fact::Fact;
use crate::domain::id::TicketId;
use crate::domain::policy::Policy;
use crate::domain::revision::Revision;
use crate::domain::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::git::diff::touched;

use super::checklist;
use super::error::EngineError;
use super::handle::Handle;
use super::jobs::gates::gates_of;
use super::workshop::Workshop;

/// What a decision rests on; while it is the same, there is nothing to look at again.
type Ground = (Basis, Policy);

/// Looks at the waiting changes of one board.
pub(super) struct Rails {
    handle: Handle,
    /// The settings; nothing while they cannot be read, and then nothing happens by itself.
    policy: Option<Policy>,
    /// At most one task, which looks at one change after the other.
    looking: JoinSet<Vec<TicketId>>,
    /// On what grounds each change was looked at last.
    seen: HashMap<TicketId, Ground>,
    /// Whether something happened that may matter.
    is_stale: bool,
}

impl Rails {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, policy: None, looking: JoinSet::new(), seen: HashMap::new(), is_stale: true }
    }

    /// Takes over the settings as they are now; time may have passed too.
    pub(super) fn think_again(&mut self, policy: Option<Policy>) {
        self.policy = policy;
        self.is_stale = true;
    }

    /// Hears what became true.
    pub(super) fn hear(&mut self, changes: &[Change]) {
        self.is_stale |= changes.iter().any(|change| match change {
            Change::Goal(_)
            | Change::Ticket(_)
            | Change::Job(_)
            | Change::Revision(_)
            | Change::Comment(_)
            | Change::Review(_) => true,
            Change::Run(_) | Change::Evidence(_) | Change::Event(_) | Change::Autopilot(_) | Change::Live { .. } => {
                false
            }
        });
    }

    /// Begins to look at what waits and was not looked at on these grounds.
    pub(super) fn consider(&mut self, board: &Board, now: Timestamp) {
        let Some(policy) = self.policy.as_ref().filter(|_| self.is_stale && self.looking.is_empty()) else { return };
        self.is_stale = false;
        let may_be = policy.without_goal || board.goals().iter().any(|goal| goal.autonomy.cares_for_changes());
        if !may_be {
            self.seen.clear();
            return;
        }
        let mut seen = HashMap::new();
        let mut due = Vec::new();
        for ticket in board.tickets().filter(|ticket| is_due(board, ticket, policy)) {
            let Some(basis) = Basis::of(board, ticket, policy, now) else { continue };
            let ground = (basis, policy.clone());
            if self.seen.get(&ticket.id) != Some(&ground) {
                due.push(ticket.id);
            }
            seen.insert(ticket.id, ground);
        }
        self.seen = seen;
        if !due.is_empty() {
            self.looking.spawn(look_at(self.handle.clone(), due));
        }
    }

    /// Waits until all was looked at; for ever when there is nothing to look at.
    pub(super) async fn asked(&mut self) {
        match self.looking.join_next().await {
            // What could not be looked at is tried again at the next occasion.
            Some(Ok(failed)) => failed.iter().for_each(|ticket| drop(self.seen.remove(ticket))),
            Some(Err(error)) => tracing::error!(%error, "looking at changes broke"),
            None => std::future::pending().await,
        }
    }
}

/// Looks at one change after the other and tells what is found. Returns those that could not be looked at.
async fn look_at(handle: Handle, due: Vec<TicketId>) -> Vec<TicketId> {
    let mut failed = Vec::new();
    for id in due {
        let wanted = handle.look(move |board| Some((board.ticket(id)?.clone(), board.revision(id)?.clone()))).await;
        let Ok(Some((ticket, revision))) = wanted else { continue };
        let examined = handle.blocking(move |shop| Ok(examine(shop, &ticket, &revision, &[]))).await;
        let examined = examined.unwrap_or_else(|error| Err(error.to_string()));
        if examined.is_err() {
            failed.push(id);
        }
        // The board may have moved on meanwhile; the rules see to that.
        let fact = Fact::Examined { ticket: id, examined: Box::new(examined) };
        if let Err(error) = handle.learn(fact, Who::system(SERVICE)).await {
            tracing::debug!(%error, "what was found of a change is not told");
            failed.push(id);
        }
    }
    failed
}

/// Gathers everything that is known of a change, with evidence that is not stored yet; an error says what could not be read.
pub(super) fn examine(shop: &Workshop, ticket: &Ticket, revision: &Revision, fresh: &[Evidence]) -> Examined {
    let gathered = || -> Result<Examined, EngineError> {
        let settings = shop.settings()?;
        let ran = match checklist::ran(shop, ticket, &settings.config, fresh)? {
            Ok(ran) => ran,
            Err(refused) => return Ok(Err(refused)),
        };
        let gates = match gates_of(&settings.config) {
            Ok(gates) => gates.into_iter().map(|gate| gate.display).collect(),
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(Ok(Dossier {
            revision: revision.number,
            tree: revision.tree.clone(),
            files: touched(&shop.repo, &revision.base, &revision.tree)?,
            commands: ran.commands,
            gates,
            checked: ran.checked,
            policy: settings.config.autonomy_config.policy(&settings.config.merge_config),
            trust: shop.trust_of(&settings)?,
        }))
    };
    gathered().unwrap_or_else(|error| Err(error.to_string()))
}
