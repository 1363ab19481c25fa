//! Which actions would do something now, and why the others would not. Keys, palette, mouse and bottom line ask here, so
//! they say the same.

use uuid::Uuid;

use crate::domain::command::{AgentChoice, Command};
use crate::domain::event::Actor;
use crate::domain::id::{JobId, TicketId, TicketRef};
use crate::domain::rule::{Input, Known, Landed, Trust, What, decide};
use crate::domain::state::State;
use crate::domain::ticket::Ticket;

use super::act::Way;
use super::keys::{Action, Context};
use super::model::Model;
use super::screen::Overlay;

impl Model {
    /// Returns the key of an action of the board, as messages name it.
    pub(super) fn key_of(&self, action: Action) -> String {
        self.keys.shown(Context::Board, action)
    }

    /// Says whether the bottom line offers an action: it is possible, and people are likely to want it.
    pub(super) fn offers(&self, action: Action) -> bool {
        let likely = match action {
            Action::Tell => self.has_agent(),
            Action::Verify => self.may_check(),
            Action::Resume => self.may_take_over(),
            Action::NextChoice => matches!(&self.over, Some(Overlay::Form(form)) if form.is_at_choice()),
            Action::StopAgents => self.may_stop_agents(),
            Action::Diff => self.selected().is_some_and(|id| self.board.revision(id).is_some()),
            Action::NextFile | Action::NextHunk | Action::ToggleFold => self.reads_diff(),
            Action::SearchLog => self.reads_log(),
            _ => true, // what is possible is likely, if nothing above says otherwise
        };
        likely && self.why_not(action).is_none()
    }

    /// Returns why an action would do nothing now, as a sentence for people; nothing for one that is possible.
    ///
    /// An action that is not named here is always possible.
    pub(super) fn why_not(&self, action: Action) -> Option<String> {
        match action {
            Action::Open | Action::Diff | Action::ToggleLog | Action::FocusLog => self.ticket_or_why().err(),
            Action::Accept => self.why_no_ticket_or(|ticket| {
                (ticket.state != State::Proposed).then(|| {
                    let state = ticket.state.name().title().to_lowercase();
                    format!("{} is {state} already; only a proposed ticket is accepted.", ticket.number)
                })
            }),
            Action::Run => self.why_no_ticket_or(|ticket| self.why_not_run(ticket)),
            Action::Cancel => self.why_no_ticket_or(|ticket| {
                let idle = self.board.active_job(ticket.id).is_none();
                idle.then(|| format!("{} has no job to stop.", ticket.number))
            }),
            Action::Verify => {
                self.why_no_ticket_or(|ticket| self.why_refused(Command::Verify { ticket: TicketRef::Id(ticket.id) }))
            }
            Action::Resume => {
                self.why_no_ticket_or(|ticket| self.why_refused(Command::Resume { ticket: TicketRef::Id(ticket.id) }))
            }
            Action::Tell => self.why_no_ticket_or(|ticket| {
                (ticket.state == State::Abandoned).then(|| {
                    let back = self.key_of(Action::MoveBack);
                    format!("{} is abandoned, so no agent will read a message; {back} takes it back.", ticket.number)
                })
            }),
            Action::HandOver => self.why_no_ticket_or(|ticket| self.why_no_visit(ticket)),
            Action::MoveBack => self.why_no_ticket_or(|ticket| self.why_not_along(ticket, Way::Back)),
            Action::MoveOn => self.why_no_ticket_or(|ticket| self.why_not_along(ticket, Way::On)),
            Action::NextMatch | Action::PreviousMatch => self.why_no_match(),
            Action::NextNeedingYou => {
                let shown = |id| self.index.row(&self.board, id).is_some();
                match self.index.needing_you() {
                    0 => Some("nothing needs you now.".to_owned()),
                    _ if self.index.all_needing_you().any(shown) => None,
                    _ => {
                        let back = self.key_of(Action::Back);
                        Some(format!("nothing that the filter shows needs you; {back} shows all again."))
                    }
                }
            }
            _ => None,
        }
    }

    fn why_not_run(&self, ticket: &Ticket) -> Option<String> {
        if ticket.state == State::Proposed {
            let (accept, run) = (self.key_of(Action::Accept), self.key_of(Action::Run));
            return Some(format!("{} is only proposed: {accept} accepts it, then {run} runs it.", ticket.number));
        }
        self.why_refused(run(ticket.id))
    }

    /// Asks the rules about a command, as far as they can tell without looking at the repository.
    fn why_refused(&self, command: Command) -> Option<String> {
        let known = Known { checks: Trust::Given, landed: Landed::No, limit: None };
        let (actor, fresh) = (Actor::human(), JobId(Uuid::nil()));
        let input = Input { at: self.now, actor, fresh, known, what: What::Command(command) };
        let refused = decide(&self.board, &input).err()?;
        Some(format!("{}. {}", refused.message.trim_end_matches('.'), refused.hint).trim_end().to_owned())
    }

    fn why_no_ticket_or(&self, why: impl FnOnce(&Ticket) -> Option<String>) -> Option<String> {
        match self.ticket_or_why() {
            Ok(ticket) => why(ticket),
            Err(none) => Some(none),
        }
    }

    fn ticket_or_why(&self) -> Result<&Ticket, String> {
        self.selected_ticket()
            .ok_or_else(|| format!("there is no ticket here; {} files one.", self.key_of(Action::NewTicket)))
    }
}

/// Returns the command that lets an agent of the board's choice work on a ticket.
pub(super) fn run(ticket: TicketId) -> Command {
    Command::Run { ticket: TicketRef::Id(ticket), choice: AgentChoice::default() }
}
