//! Which actions would do something now, and why the others would not. Keys, palette, mouse and bottom line ask here, so
//! they say the same.

use uuid::Uuid;

use crate::domain::checklist::{Required, Tests};
use crate::domain::command::{AgentChoice, Command, RefusalCode, Refused};
use crate::domain::event::Actor;
use crate::domain::id::{JobId, TicketId, TicketRef};
use crate::domain::resolve::Deed;
use crate::domain::revision::RevisionStatus;
use crate::domain::rule::{Input, Known, Trust, What, decide};
use crate::domain::state::{NeedsHuman, State, StateName};
use crate::domain::ticket::{Priority, Ticket};
use crate::domain::undo::beside;

use super::act::Way;
use super::arrange::Neighbour;
use super::keys::{Action, Context};
use super::model::Model;
use super::screen::Overlay;

/// A ticket for which an action is not possible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Impossible {
    pub(super) ticket: TicketId,
    pub(super) why: String,
}

impl Model {
    /// Returns the key of an action of the board, as messages name it.
    pub(super) fn key_of(&self, action: Action) -> String {
        self.keys.shown(Context::Board, action)
    }

    /// Says whether the bottom line offers an action: it is possible, and people are likely to want it.
    pub(super) fn offers(&self, action: Action) -> bool {
        let likely = match action {
            Action::ToggleAbandoned => !self.index.column(StateName::Abandoned).is_empty(),
            Action::Tell => self.has_agent(),
            Action::Verify => self.may_check(),
            Action::Resume => self.may_take_over(),
            Action::NextChoice => match &self.over {
                Some(Overlay::Form(form)) => form.is_at_choice(),
                Some(Overlay::GoalForm(form)) => form.is_at_choice(),
                _ => false,
            },
            Action::StopAgents => self.may_stop_agents(),
            Action::Diff => self.selected().is_some_and(|id| self.board.revision(id).is_some()),
            Action::EditGoal | Action::RemoveGoal => !self.board.goals().is_empty(),
            Action::Choose => !self.has_no_choice(),
            Action::NextFile | Action::NextHunk | Action::ToggleFold => self.reads_diff(),
            Action::Comment => self.reads_diff() && self.is_open_revision(),
            Action::Resolve => self.has_open_comments(),
            Action::Approve | Action::RequestChanges => self.is_open_revision(),
            Action::Checklist => {
                self.settings.require_checklist && self.selected_ticket().is_some_and(waits_for_person)
            }
            Action::SearchLog | Action::FilterLog => self.reads_log(),
            Action::Conflict => self.selected().is_some_and(|id| self.has_conflict(id)),
            _ => true, // what is possible is likely, if nothing above says otherwise
        };
        likely && self.why_not(action).is_none()
    }

    /// Returns why an action would do nothing now, as a sentence for people; nothing for one that is possible.
    ///
    /// An action that is not named here is always possible.
    pub(super) fn why_not(&self, action: Action) -> Option<String> {
        match action {
            Action::Accept
            | Action::Run
            | Action::Cancel
            | Action::MoveBack
            | Action::MoveOn
            | Action::Remove
            | Action::Urgency0
            | Action::Urgency1
            | Action::Urgency2
            | Action::Urgency3 => self.why_on_none(action),
            Action::RunWith if self.settings.agents.is_empty() => {
                Some("no agent is installed; `draft agents` says what is looked for and where.".to_owned())
            }
            Action::Logs => (self.index.running().total() == 0)
                .then(|| format!("nothing runs now; {} runs a ticket.", self.key_of(Action::Run))),
            Action::NextMatch | Action::PreviousMatch => self.why_no_match(),
            Action::SaveLog | Action::PageLog => self.why_no_log(),
            Action::RunWith => self.why_on_none(action),
            Action::Open
            | Action::Diff
            | Action::ToggleLog
            | Action::FocusLog
            | Action::Edit
            | Action::Editor
            | Action::Copy
            | Action::Mark
            | Action::MarkRange
            | Action::Verify
            | Action::Resume
            | Action::Tell
            | Action::HandOver
            | Action::Land
            | Action::Checklist
            | Action::Conflict
            | Action::Pull
            | Action::Revert
            | Action::OpenFolder
            | Action::PlaceLower
            | Action::PlaceHigher => match self.ticket_or_why() {
                Ok(ticket) => self.why_not_on(action, ticket),
                Err(none) => Some(none),
            },
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
            Action::Undo => (!self.deeds.is_any_done() && !self.awaits_answer())
                .then(|| "there is nothing to undo: nothing was done on this board since it was opened.".to_owned()),
            Action::Redo => {
                let none = !self.deeds.is_any_undone() && !self.awaits_answer();
                none.then(|| "there is nothing to do again: nothing was undone.".to_owned())
            }
            _ => None,
        }
    }

    /// Returns why an action would do nothing for any of the tickets that it is about.
    fn why_on_none(&self, action: Action) -> Option<String> {
        let (possible, impossible) = self.possible(action);
        match impossible.as_slice() {
            _ if !possible.is_empty() => None,
            [] => self.ticket_or_why().err(),
            [one] => Some(one.why.clone()),
            [first, ..] => Some(format!("none of {} tickets: {}", impossible.len(), first.why)),
        }
    }

    /// Returns the tickets that an action is about and for which it is possible, and the others with the reason.
    pub(super) fn possible(&self, action: Action) -> (Vec<TicketId>, Vec<Impossible>) {
        let mut impossible = Vec::new();
        let tickets = self.targets().into_iter().filter(|id| {
            let why = self.board.ticket(*id).and_then(|ticket| self.why_not_on(action, ticket));
            let is_possible = why.is_none();
            impossible.extend(why.map(|why| Impossible { ticket: *id, why }));
            is_possible
        });
        (tickets.collect(), impossible)
    }

    /// Returns why an action would do nothing for a ticket.
    pub(super) fn why_not_on(&self, action: Action, ticket: &Ticket) -> Option<String> {
        let number = ticket.number;
        match action {
            Action::Accept if matches!(ticket.state, State::NeedsHuman { why: NeedsHuman::Review }) => {
                let read = self.key_of(Action::Diff);
                Some(format!("{number} waits for review: {read} reads its change, where it is approved."))
            }
            Action::Accept => (!matches!(ticket.state, State::Proposed | State::Abandoned)).then(|| {
                let state = ticket.state.name().title().to_lowercase();
                format!("{number} is {state} already; only a proposed ticket is accepted.")
            }),
            Action::Run | Action::RunWith => self.why_not_run(ticket),
            Action::Cancel => {
                self.board.active_job(ticket.id).is_none().then(|| format!("{number} has no job to stop."))
            }
            Action::Remove => {
                let job = self.board.active_job(ticket.id)?;
                Some(format!("{number} has a job ({}); {} stops that first.", job.what(), self.key_of(Action::Cancel)))
            }
            Action::Land => {
                let newest = self.board.revision(ticket.id).map(|revision| revision.status);
                if newest == Some(RevisionStatus::Open) && matches!(ticket.state, State::NeedsHuman { .. }) {
                    let approve = self.keys.shown(Context::Diff, Action::Approve);
                    let read = self.key_of(Action::Diff);
                    return Some(format!(
                        "{number} is not approved yet; {read} reads its change, and {approve} there approves it."
                    ));
                }
                self.why_refused(Command::Land { ticket: TicketRef::Id(ticket.id), strategy: None })
            }
            Action::Checklist => self.why_no_checklist(ticket.id),
            Action::Conflict if ticket.worktree.is_none() => {
                Some(format!("{number} has no worktree, so there is no conflict to deal with."))
            }
            Action::Conflict => self.why_refused(abort(ticket.id)),
            Action::Pull => self.why_refused(self.about_pull(ticket)),
            Action::Revert => self.why_refused(Command::Revert { ticket: TicketRef::Id(ticket.id), id: None }),
            Action::Verify => self.why_refused(Command::Verify { ticket: TicketRef::Id(ticket.id) }),
            Action::Resume => self.why_refused(Command::Resume { ticket: TicketRef::Id(ticket.id) }),
            Action::Tell => (ticket.state == State::Abandoned).then(|| {
                let back = self.key_of(Action::MoveBack);
                format!("{number} is abandoned, so no agent will read a message; {back} takes it back.")
            }),
            Action::HandOver | Action::OpenFolder => self.why_no_visit(ticket),
            Action::MoveBack => self.why_not_along(ticket, Way::Back),
            Action::MoveOn => self.why_not_along(ticket, Way::On),
            Action::Urgency0 => why_no_urgency(ticket, "P0"),
            Action::Urgency1 => why_no_urgency(ticket, "P1"),
            Action::Urgency2 => why_no_urgency(ticket, "P2"),
            Action::Urgency3 => why_no_urgency(ticket, "P3"),
            Action::PlaceHigher => self.why_no_place(ticket, Neighbour::Above),
            Action::PlaceLower => self.why_no_place(ticket, Neighbour::Below),
            _ => None,
        }
    }

    fn why_no_place(&self, ticket: &Ticket, side: Neighbour) -> Option<String> {
        let (number, state) = (ticket.number, ticket.state.name());
        if self.neighbour(ticket, side).is_some() {
            return None;
        }
        let end = match side {
            Neighbour::Above => "first",
            Neighbour::Below => "last",
        };
        // A bucket has many numbers, and only those who set one by hand know of it.
        let bucket = ticket.priority.map(Priority::bucket);
        let shares_bucket = |other: &&Ticket| {
            other.priority != ticket.priority
                && other.priority.map(Priority::bucket) == bucket
                && other.state.name() == state
        };
        let urgent = match ticket.priority.filter(|_| self.board.tickets().any(|other| shares_bucket(&other))) {
            Some(priority) => format!("priority {}", priority.value()),
            None => bucket.unwrap_or("those without a priority").to_owned(),
        };
        let (above, below) = beside(&self.board, ticket);
        let is_hidden = match side {
            Neighbour::Above => above.is_some(),
            Neighbour::Below => below.is_some(),
        };
        if is_hidden {
            let back = self.key_of(Action::Back);
            return Some(format!("{number} is the {end} of {urgent} that the filter shows; {back} shows all again."));
        }
        Some(format!("{number} is the {end} of {urgent} here; the more urgent come first, and 0 to 3 change that."))
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
        let checklist = if self.settings.require_checklist { Required::Yes(Tests::Unknown) } else { Required::No };
        let known = Known { checklist, ..Known::only(Trust::Given) };
        let (actor, fresh) = (Actor::human(), JobId(Uuid::nil()));
        let input = Input { at: self.now, actor, fresh, known, what: What::Command(command) };
        let refused = decide(&self.board, &input).err()?;
        Some(self.refusal(&refused).trim_end().to_owned())
    }

    /// Returns a refusal in words; what a key does is said by its key.
    pub(super) fn refusal(&self, refused: &Refused) -> String {
        let hint = if refused.code == RefusalCode::ChecklistOpen {
            format!("{} shows it and ticks its boxes.", self.key_of(Action::Checklist))
        } else {
            refused.hint.clone()
        };
        format!("{}. {hint}", refused.message.trim_end_matches('.'))
    }

    fn ticket_or_why(&self) -> Result<&Ticket, String> {
        self.selected_ticket()
            .ok_or_else(|| format!("there is no ticket here; {} files one.", self.key_of(Action::NewTicket)))
    }
}

fn waits_for_person(ticket: &Ticket) -> bool {
    matches!(ticket.state, State::NeedsHuman { .. })
}

fn why_no_urgency(ticket: &Ticket, name: &str) -> Option<String> {
    (ticket.priority == name.parse().ok()).then(|| format!("{} is {name} already.", ticket.number))
}

/// Returns the command that gives up a merge in a ticket's worktree.
pub(super) fn abort(ticket: TicketId) -> Command {
    Command::Conflict { ticket: TicketRef::Id(ticket), deed: Deed::Abort }
}

/// Returns the command that lets an agent of the board's choice work on a ticket.
pub(super) fn run(ticket: TicketId) -> Command {
    Command::Run { ticket: TicketRef::Id(ticket), choice: AgentChoice::default() }
}
