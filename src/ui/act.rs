//! What a person does to a ticket or to the board: which command goes out, which question is asked first, and what is
//! said when it cannot be.

use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::JobKind;
use crate::domain::state::{StateName, legal_moves};
use crate::domain::ticket::Ticket;

use super::keys::Action;
use super::model::{Model, NoticeKind};
use super::msg::{Effect, Role, StopAgents};
use super::offers;
use super::screen::dialog::{Dialog, Question};
use super::screen::{Form, Overlay};
use super::words;

/// Which way a ticket goes along the columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// To a state before its own.
    Back,
    /// To a state after its own.
    On,
}

impl Model {
    /// Accepts the selected ticket.
    pub(super) fn accept(&mut self) -> Vec<Effect> {
        self.selected().map(|id| moving(id, StateName::Planned)).into_iter().collect()
    }

    /// Lets an agent work on the selected ticket; asks first whether the repository's commands may run.
    pub(super) fn run(&mut self) -> Vec<Effect> {
        match self.selected() {
            Some(id) => self.with_leave(offers::run(id)),
            None => Vec::new(),
        }
    }

    /// Asks the engine for something.
    pub(super) fn want(&mut self, command: Command) -> Vec<Effect> {
        self.wanted = Some(command.clone());
        vec![Effect::Do(command)]
    }

    /// Asks the engine for something that runs the repository's commands; asks first whether they may run.
    pub(super) fn with_trust(&mut self, command: Command) -> Vec<Effect> {
        if self.settings.trusted {
            return self.want(command);
        }
        if let Some(problem) = self.settings.problem.clone() {
            self.say(NoticeKind::Failed, problem);
            return vec![Effect::LookAround];
        }
        self.ask_for_trust(command)
    }

    /// Asks whether the repository's commands may run; the file may be newer than what is known of it.
    pub(super) fn ask_for_trust(&mut self, then: Command) -> Vec<Effect> {
        self.ask(Question::Trust { then });
        vec![Effect::LookAround]
    }

    /// Asks whether to stop the job of the selected ticket.
    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        match self.selected() {
            Some(ticket) => self.ask(Question::Cancel { ticket }),
            None => Vec::new(),
        }
    }

    /// Moves the selected ticket to the nearest state that way that the table allows.
    pub(super) fn move_along(&mut self, way: Way) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return Vec::new() };
        match along(ticket.state.name(), way) {
            Some(to) => self.move_to(to),
            None => Vec::new(),
        }
    }

    /// Returns why a ticket goes no state further that way.
    pub(super) fn why_not_along(&self, ticket: &Ticket, way: Way) -> Option<String> {
        let from = ticket.state.name();
        match along(from, way) {
            Some(to) => self.why_not_to(ticket, to),
            None => self.why_stuck(ticket).or_else(|| {
                let way = match way {
                    Way::Back => "back",
                    Way::On => "on",
                };
                let (number, state) = (ticket.number, from.title().to_lowercase());
                Some(format!("{number} is {state} and cannot go {way}; it can go to {}.", legal_in_words(from)))
            }),
        }
    }

    /// Moves the selected ticket to a state, where that is possible.
    pub(super) fn move_to(&mut self, to: StateName) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return Vec::new() };
        let id = ticket.id;
        if let Some(why) = self.why_not_to(ticket, to) {
            return self.refuse(why);
        }
        match to {
            StateName::Executing => self.run(),
            StateName::Verifying => self.verify(),
            StateName::Abandoned => self.ask(Question::Abandon { ticket: id }),
            StateName::Proposed | StateName::Planned | StateName::NeedsHuman | StateName::Blocked | StateName::Done => {
                vec![moving(id, to)]
            }
        }
    }

    /// Returns why a person cannot move a ticket to that state.
    pub(super) fn why_not_to(&self, ticket: &Ticket, to: StateName) -> Option<String> {
        let from = ticket.state.name();
        let stuck = self.why_stuck(ticket);
        if stuck.is_some() {
            return stuck;
        }
        if !legal_moves(from).any(|legal| legal == to) {
            let (number, state) = (ticket.number, from.title().to_lowercase());
            let to = to.title().to_lowercase();
            return Some(format!("{number} is {state} and cannot go to {to}, only to {}.", legal_in_words(from)));
        }
        match to {
            StateName::Executing => self.why_not(Action::Run),
            StateName::Verifying => self.why_not(Action::Verify),
            StateName::Proposed
            | StateName::Planned
            | StateName::NeedsHuman
            | StateName::Blocked
            | StateName::Done
            | StateName::Abandoned => None,
        }
    }

    /// Returns why a ticket that has a job stays where it is.
    fn why_stuck(&self, ticket: &Ticket) -> Option<String> {
        let job = self.board.active_job(ticket.id)?;
        let stop = self.key_of(Action::Cancel);
        Some(format!("{} stays where it is while it has a job ({}); {stop} stops that.", ticket.number, job.kind))
    }

    /// Leaves the board, and asks first when something runs that the answer matters to.
    pub(super) fn quit(&mut self) -> Vec<Effect> {
        if self.settings.role == Role::Watcher || self.index.running().total() == 0 {
            return vec![Effect::Quit { stop_agents: StopAgents::No }];
        }
        self.ask(Question::Quit)
    }

    /// Opens the form of a new ticket, with what was put aside.
    pub(super) fn new_ticket(&mut self) -> Vec<Effect> {
        let form = self.kept_form.take().unwrap_or_else(|| Box::new(Form::new(&self.theme)));
        self.over = Some(Overlay::Form(form));
        Vec::new()
    }

    /// Carries out what a question was about.
    pub(super) fn agreed(&mut self, question: Question) -> Vec<Effect> {
        match question {
            Question::Quit => vec![Effect::Quit { stop_agents: StopAgents::No }],
            Question::Cancel { ticket } => vec![Effect::Do(Command::Cancel { ticket: TicketRef::Id(ticket) })],
            Question::Abandon { ticket } => vec![moving(ticket, StateName::Abandoned)],
            Question::TakeOver { ticket } => self.with_trust(Command::Resume { ticket: TicketRef::Id(ticket) }),
            Question::Trust { then } => {
                let trust = self.settings.content.clone().map(|content| Effect::Trust { content });
                trust.into_iter().chain(self.want(then)).collect()
            }
        }
    }

    /// Says whether there are agents that could be stopped.
    pub(super) fn may_stop_agents(&self) -> bool {
        self.index.running().agents > 0
    }

    /// Says what goes on after the board is left.
    pub(super) fn what_goes_on(&self) -> String {
        let running = self.index.running();
        let checks = self.index.running_tickets().filter_map(|id| self.board.active_job(id));
        let checks = checks.filter(|job| job.kind == JobKind::Verify).count();
        let (number, noun, then) = match (running.agents, checks) {
            (0, 0) => (running.others, "job", "what comes next waits"),
            (0, checks) => (checks, "run of checks", "what comes next waits"),
            (agents, _) => (agents, "agent", "checks wait"),
        };
        let verb = if number == 1 { "keeps" } else { "keep" };
        format!("{} {verb} running; {then} until Draft runs again.", words::count(number, noun))
    }

    pub(super) fn ask(&mut self, question: Question) -> Vec<Effect> {
        self.over = Some(Overlay::Dialog(Dialog::new(question)));
        Vec::new()
    }

    pub(super) fn refuse(&mut self, text: String) -> Vec<Effect> {
        self.say(NoticeKind::Refused, text);
        Vec::new()
    }
}

/// Returns the nearest state that way that the table allows and that a person can bring about.
pub(super) fn along(from: StateName, way: Way) -> Option<StateName> {
    let mut legal = legal_moves(from).filter(|to| *to != StateName::Verifying);
    match way {
        Way::Back => legal.filter(|to| *to < from).last(),
        Way::On => legal.find(|to| *to > from),
    }
}

fn moving(ticket: TicketId, to: StateName) -> Effect {
    Effect::Do(Command::Move { ticket: TicketRef::Id(ticket), to, reason: None })
}

fn legal_in_words(from: StateName) -> String {
    let legal: Vec<String> = legal_moves(from).map(|to| to.title().to_lowercase()).collect();
    legal.join(" or ")
}
