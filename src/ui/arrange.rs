//! What a person does to the tickets that are marked, or to the selected one, beyond running them: how urgent they are,
//! their place, taking them off the board, who runs them for once, and what is copied of them.

use crate::domain::command::{AgentChoice, Command, Edit, Place};
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::ticket::Ticket;

use super::keys::Action;
use super::model::{Model, NoticeKind};
use super::msg::Effect;
use super::screen::choice::{Choice, Choosing};
use super::screen::dialog::Question;
use super::screen::{Overlay, RunWith};

/// Which neighbour a ticket changes places with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Neighbour {
    /// The one above.
    Above,
    /// The one below.
    Below,
}

impl Model {
    /// Makes tickets so urgent.
    pub(super) fn set_priority(&mut self, action: Action, name: &str) -> Vec<Effect> {
        let priority = name.parse().ok();
        self.each(action, |_, ticket| {
            let edits = vec![Edit::Priority(priority)];
            Command::Edit { ticket: TicketRef::Id(ticket.id), edits }
        })
    }

    /// Puts the selected ticket a place higher or lower among those as urgent.
    pub(super) fn place(&mut self, to: Neighbour) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return Vec::new() };
        let name = TicketRef::Id(ticket.id);
        let place = self.neighbour(ticket, to).map(|other| match to {
            Neighbour::Above => Place::Above(TicketRef::Id(other)),
            Neighbour::Below => Place::Below(TicketRef::Id(other)),
        });
        place.map_or_else(Vec::new, |place| {
            // Marks are for other keys.
            self.send_about(vec![Command::Place { ticket: name, place }], Vec::new())
        })
    }

    /// Returns the ticket that is shown right above or below another one and is as urgent.
    pub(super) fn neighbour(&self, ticket: &Ticket, side: Neighbour) -> Option<TicketId> {
        let row = self.index.row(&self.board, ticket.id)?;
        let row = match side {
            Neighbour::Above => row.checked_sub(1)?,
            Neighbour::Below => row + 1,
        };
        let other = *self.index.column(ticket.state.name()).get(row)?;
        self.board.ticket(other).filter(|other| other.priority == ticket.priority).map(|other| other.id)
    }

    /// Asks whether to take tickets off the board.
    pub(super) fn remove(&mut self) -> Vec<Effect> {
        let (tickets, unsent) = self.possible(Action::Remove);
        self.unsent = unsent;
        self.ask(Question::Remove { tickets })
    }

    /// Offers the agents that could work on tickets for this once.
    pub(super) fn run_with(&mut self) -> Vec<Effect> {
        let (tickets, unsent) = self.possible(Action::RunWith);
        self.unsent = unsent;
        let own = tickets.first().and_then(|id| self.board.ticket(*id)?.agent.as_ref());
        let marked = own.unwrap_or(&self.settings.preferred);
        let with = RunWith::new(tickets, self.settings.agents.clone(), marked, &self.theme);
        self.over = Some(Overlay::RunWith(Box::new(with)));
        Vec::new()
    }

    /// Runs tickets with what was chosen for this once.
    pub(in crate::ui) fn run_chosen(&mut self, tickets: &[TicketId], choice: &AgentChoice) -> Vec<Effect> {
        let run = |id: &TicketId| Command::Run { ticket: TicketRef::Id(*id), choice: choice.clone() };
        self.with_leave(tickets.iter().map(run).collect())
    }

    /// Offers what can be copied of the selected ticket.
    pub(super) fn copy(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.over = Some(Overlay::Choice(Choice::new(Choosing::Copy { ticket }, self)));
        Vec::new()
    }

    /// Copies a text.
    pub(in crate::ui) fn copied(&mut self, text: String) -> Vec<Effect> {
        self.say(NoticeKind::Answer, format!("copied: {text}"));
        vec![Effect::Copy(text)]
    }
}
