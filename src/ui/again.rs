//! What a person does to a ticket that has worked before, and to the board as a whole: checks again, edits taken over, a
//! word to its agent, a visit to its worktree, and what the autopilot is for.

use crate::domain::autopilot::Autopilot;
use crate::domain::command::Command;
use crate::domain::detail::Detail;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::state::State;
use crate::domain::ticket::Ticket;

use super::keys::Action;
use super::model::{Model, NoticeKind};
use super::msg::{Effect, Guest, Visit};
use super::screen::Overlay;
use super::screen::choice::{Choice, Choosing};
use super::screen::dialog::Question;
use super::screen::tell::{self, Tell};
use super::words;

impl Model {
    /// Returns the mode of the autopilot that is in force.
    pub(super) fn autopilot(&self) -> Autopilot {
        self.board.autopilot().unwrap_or(self.settings.autopilot)
    }

    /// Says whether what the selected ticket's worktree holds could be checked, or taken over first.
    pub(super) fn may_check(&self) -> bool {
        self.selected_ticket().is_some_and(|ticket| self.is_at_rest(ticket))
    }

    /// Says whether there may be edits of a person to take over.
    pub(super) fn may_take_over(&self) -> bool {
        self.may_check() && self.selected().is_some_and(|id| self.visited.contains(&id))
    }

    /// Says whether an agent has worked on the selected ticket that somebody could want to tell something.
    pub(super) fn has_agent(&self) -> bool {
        self.selected_ticket().is_some_and(|ticket| match ticket.state {
            State::Executing { .. } | State::Verifying { .. } | State::NeedsHuman { .. } | State::Blocked { .. } => {
                true
            }
            State::Proposed | State::Planned | State::Done | State::Abandoned => false,
        })
    }

    /// Says whether a ticket has work in a worktree that waits for a person.
    fn is_at_rest(&self, ticket: &Ticket) -> bool {
        let waits = matches!(ticket.state, State::NeedsHuman { .. } | State::Blocked { .. });
        waits && ticket.worktree.is_some() && self.board.active_job(ticket.id).is_none()
    }

    /// Runs the checks of the selected ticket again. They would be refused without trust after everything else was done,
    /// so trust comes first.
    pub(super) fn verify(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.with_trust(vec![Command::Verify { ticket: TicketRef::Id(ticket) }])
    }

    /// Takes over what a person did in the worktree of the selected ticket.
    pub(super) fn take_over(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.with_trust(vec![Command::Resume { ticket: TicketRef::Id(ticket) }])
    }

    /// Offers the modes of the autopilot.
    pub(super) fn choose_autopilot(&mut self) -> Vec<Effect> {
        self.over = Some(Overlay::Choice(Choice::new(Choosing::Autopilot, self)));
        // What holds by the settings may have changed.
        vec![Effect::LookAround]
    }

    /// Sets the mode of the autopilot. What it runs needs trust, and one question now is better than a reason on each card.
    pub(super) fn set_autopilot(&mut self, mode: Autopilot) -> Vec<Effect> {
        let command = Command::SetAutopilot(mode);
        match mode {
            Autopilot::On => self.with_leave(vec![command]),
            Autopilot::Off | Autopilot::Finish => self.want(command),
        }
    }

    /// Opens the place for a message to the agent of the selected ticket.
    pub(super) fn tell(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return Vec::new() };
        let kept = self.kept_message.as_ref().filter(|(of, _)| *of == ticket.id).map(|(_, text)| text.as_str());
        let waiting = ticket.message.as_ref().map(|message| message.text.as_str());
        let tell = Tell::new(ticket.id, kept.or(waiting).unwrap_or_default(), &self.theme);
        self.over = Some(Overlay::Tell(Box::new(tell)));
        Vec::new()
    }

    /// Does what came of a key in a message.
    pub(super) fn told(&mut self, tell: Box<Tell>, outcome: tell::Outcome) -> Vec<Effect> {
        let ticket = tell.ticket;
        match outcome {
            tell::Outcome::Open => {
                self.over = Some(Overlay::Tell(tell));
                Vec::new()
            }
            tell::Outcome::Aside(text) => {
                let known = self.board.ticket(ticket).and_then(|ticket| ticket.message.as_ref());
                if known.map_or("", |message| message.text.as_str()) == text {
                    self.kept_message = None;
                } else {
                    self.kept_message = Some((ticket, text));
                    let tell = self.key_of(Action::Tell);
                    self.say(NoticeKind::News, format!("the message is put aside; {tell} goes on with it"));
                }
                Vec::new()
            }
            tell::Outcome::Send(text) => {
                let text = Some(text).filter(|text| !text.trim().is_empty());
                let waits = self.board.ticket(ticket).is_some_and(|ticket| ticket.message.is_some());
                if text.is_none() && !waits {
                    self.kept_message = None;
                    return self.refuse("an empty message tells nothing.".to_owned());
                }
                // Kept until it is there, so that a refusal loses nothing.
                self.kept_message = text.clone().map(|text| (ticket, text));
                self.want(Command::Tell { ticket: TicketRef::Id(ticket), text })
            }
        }
    }

    /// Gives the terminal to a shell or to the agent's own session, as soon as it is known whether there is one.
    pub(super) fn visit(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected() else { return Vec::new() };
        self.wanted_visit = Some(id);
        vec![Effect::LoadDetail(id)]
    }

    /// Returns why the terminal cannot be given to a program in the ticket's worktree.
    pub(super) fn why_no_visit(&self, ticket: &Ticket) -> Option<String> {
        let number = ticket.number;
        let (cancel, tell) = (self.key_of(Action::Cancel), self.key_of(Action::Tell));
        if let Some(job) = self.board.active_job(ticket.id) {
            return Some(match (job.status, job.kind) {
                (JobStatus::Queued, kind) => {
                    format!("{number}'s {kind} job may start at any moment; {cancel} takes it out of the queue first.")
                }
                (_, JobKind::Execute) => {
                    format!("an agent works in {number}'s worktree; {cancel} stops it, {tell} tells it something.")
                }
                (_, kind @ (JobKind::Verify | JobKind::Resume | JobKind::Land | JobKind::PullRequest)) => {
                    format!("{number}'s {kind} job works in its worktree; wait for its end, or {cancel} stops it.")
                }
            });
        }
        ticket.worktree.is_none().then(|| match ticket.state {
            State::Done | State::Abandoned => format!("{number} has no worktree any more."),
            State::Proposed
            | State::Planned
            | State::Executing { .. }
            | State::Verifying { .. }
            | State::NeedsHuman { .. }
            | State::Blocked { .. } => format!("{number} has no worktree yet: it gets one when it runs."),
        })
    }

    /// Goes on with a visit once the jobs of the ticket are known.
    pub(super) fn prepare_visit(&mut self, detail: &Detail) -> Vec<Effect> {
        if self.wanted_visit != Some(detail.ticket) || self.over.is_some() {
            return Vec::new();
        }
        self.wanted_visit = None;
        match self.session_of(detail) {
            Some((agent, session)) => {
                let choosing = Choosing::Visit { ticket: detail.ticket, agent, session };
                self.over = Some(Overlay::Choice(Choice::new(choosing, self)));
                self.dirty = true;
                Vec::new()
            }
            None => self.start_visit(detail.ticket, Guest::Shell),
        }
    }

    /// Returns the newest session of an agent that a person can open.
    fn session_of(&self, detail: &Detail) -> Option<(String, String)> {
        let newest = detail.jobs.iter().rev().find(|job| job.kind == JobKind::Execute && job.agent.is_some())?;
        let agent = newest.agent.clone().filter(|agent| self.settings.takeovers.contains(agent))?;
        Some((agent, newest.session.clone()?))
    }

    /// Gives the terminal away, if that can still be.
    pub(super) fn start_visit(&mut self, id: TicketId, program: Guest) -> Vec<Effect> {
        let Some(ticket) = self.board.ticket(id) else { return Vec::new() };
        let (why, number) = (self.why_no_visit(ticket), ticket.number);
        let folder = ticket.worktree.as_ref().map(|worktree| worktree.path.clone());
        match (why, folder) {
            (Some(why), _) => self.refuse(why),
            (None, None) => Vec::new(),
            (None, Some(folder)) => {
                let what = match &program {
                    Guest::Shell => "a shell".to_owned(),
                    Guest::Editor => "your editor".to_owned(),
                    Guest::Session { agent, .. } => format!("{agent}'s session"),
                };
                let greeting = format!("draft: {what} in the worktree of {number}; the board comes back when it ends");
                vec![Effect::HandOver(Visit { ticket: id, folder, program, greeting })]
            }
        }
    }

    /// The board has the terminal again: asks whether what was done in the worktree is to be taken over.
    pub(super) fn returned(&mut self, id: TicketId, trouble: Option<String>) -> Vec<Effect> {
        self.dirty = true;
        if let Some(trouble) = trouble {
            self.say(NoticeKind::Failed, trouble);
        }
        let Some(ticket) = self.board.ticket(id) else { return Vec::new() };
        let rests = self.is_at_rest(ticket);
        self.visited.insert(id);
        if rests && self.over.is_none() {
            return self.ask(Question::TakeOver { ticket: id });
        }
        let number = words::number(&self.board, id);
        self.say(NoticeKind::News, format!("back from the worktree of {number}"));
        Vec::new()
    }
}
