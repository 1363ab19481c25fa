//! Asks for planned tickets to run without a person, while the autopilot is on. What it asks goes through the same rules as
//! what a person asks; a ticket that is refused says why, and is asked for again later.

use std::collections::HashSet;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::autopilot::{Choice, choose};
use crate::domain::board::Board;
use crate::domain::command::{Command, Request};
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::{TicketId, TicketRef};

use super::error::AskError;
use super::handle::Handle;

/// How long a refusal is taken to hold, if nothing is heard that may change it.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(30);

/// The autopilot of one board.
pub(super) struct Pilot {
    handle: Handle,
    /// At most one task, which asks for what was chosen last.
    asking: JoinSet<Vec<TicketId>>,
    /// Tickets that were refused since the last heartbeat.
    refused: HashSet<TicketId>,
}

impl Pilot {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, asking: JoinSet::new(), refused: HashSet::new() }
    }

    /// Says whether it may choose now; it does not while its last choice is being asked for.
    pub(super) fn is_free(&self) -> bool {
        self.asking.is_empty()
    }

    /// Chooses what is to run now, and begins to ask for it.
    pub(super) fn consider(&mut self, board: &Board, slots: usize) {
        let choices = choose(board, slots, |ticket| self.refused.contains(&ticket.id));
        if !choices.is_empty() {
            self.asking.spawn(ask(self.handle.clone(), choices));
        }
    }

    /// Waits until the last choice was asked for; for ever when there is none.
    pub(super) async fn asked(&mut self) {
        match self.asking.join_next().await {
            Some(Ok(refused)) => self.refused.extend(refused),
            Some(Err(error)) => tracing::error!(%error, "the autopilot broke"),
            None => std::future::pending().await,
        }
    }

    /// Forgets refusals: what they were for may be mended.
    pub(super) fn think_again(&mut self) {
        self.refused.clear();
    }
}

/// Asks for one ticket after the other and returns those that may not run.
async fn ask(handle: Handle, choices: Vec<Choice>) -> Vec<TicketId> {
    let mut refused = Vec::new();
    for Choice { ticket, reason } in choices {
        let command = Command::Pick { ticket: TicketRef::Id(ticket), reason };
        let why = match handle.ask(Request { actor: Who::planner(), command }).await {
            Ok(()) => continue,
            Err(AskError::Refused(refusal)) => refusal.message,
            Err(AskError::Failed(error)) => error.to_string(),
        };
        refused.push(ticket);
        // The board may have moved on since the choice; then there is nothing to tell.
        if let Err(error) = handle.learn(Fact::PassedOver { ticket, reason: why }, Who::planner()).await {
            tracing::debug!(%error, "a ticket that was passed over is not told so");
        }
    }
    refused
}
