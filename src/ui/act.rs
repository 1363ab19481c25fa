//! What a person does to a ticket or to the board: which command goes out, which question is asked first, and what is
//! said when it cannot be.

use crate::domain::command::{AgentChoice, Command};
use crate::domain::dependencies::Readiness;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::JobKind;
use crate::domain::state::{State, StateName, legal_moves};

use super::model::{Model, NoticeKind};
use super::msg::{Effect, Role, StopAgents};
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
    /// Says whether the selected ticket can be accepted.
    pub(super) fn may_accept(&self) -> bool {
        self.selected_ticket().is_some_and(|ticket| ticket.state == State::Proposed)
    }

    /// Says whether an agent could work on the selected ticket, as far as its state goes.
    pub(super) fn may_run(&self) -> bool {
        self.selected_ticket().is_some_and(|ticket| {
            legal_moves(ticket.state.name()).any(|to| to == StateName::Executing)
                && self.board.active_job(ticket.id).is_none()
        })
    }

    /// Says whether there is a job to stop.
    pub(super) fn may_cancel(&self) -> bool {
        self.selected().is_some_and(|id| self.board.active_job(id).is_some())
    }

    /// Accepts the selected ticket.
    pub(super) fn accept(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return self.nothing_selected() };
        if ticket.state == State::Proposed {
            return vec![moving(ticket.id, StateName::Planned)];
        }
        let text = format!(
            "{} is {} already; only a proposed ticket is accepted.",
            ticket.number,
            ticket.state.name().title().to_lowercase()
        );
        self.refuse(text)
    }

    /// Lets an agent work on the selected ticket; asks first whether the repository's commands may run.
    pub(super) fn run(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return self.nothing_selected() };
        let id = ticket.id;
        if ticket.state == State::Proposed {
            let text = format!("{} is only proposed: a accepts it, then x runs it.", ticket.number);
            return self.refuse(text);
        }
        // What could not run anyway is refused by the rules, with their reason; nobody is asked for trust before that.
        let ready = self.board.readiness(ticket) == Readiness::Ready;
        if !ready || !self.may_run() {
            return self.want(running(id));
        }
        self.with_leave(running(id))
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
        let Some(ticket) = self.selected_ticket() else { return self.nothing_selected() };
        match self.board.active_job(ticket.id) {
            Some(_) => self.ask(Question::Cancel { ticket: ticket.id }),
            None => {
                let text = format!("{} has no job to stop.", ticket.number);
                self.refuse(text)
            }
        }
    }

    /// Moves the selected ticket to the nearest state that way that the table allows.
    pub(super) fn move_along(&mut self, way: Way) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return self.nothing_selected() };
        let (id, from) = (ticket.id, ticket.state.name());
        if let Some(job) = self.board.active_job(id) {
            let text = format!("{} stays where it is while it has a job ({}); c stops that.", ticket.number, job.kind);
            return self.refuse(text);
        }
        match along(from, way) {
            Some(StateName::Executing) => self.run(),
            Some(StateName::Abandoned) => self.ask(Question::Abandon { ticket: id }),
            Some(
                to @ (StateName::Proposed
                | StateName::Planned
                | StateName::Verifying
                | StateName::NeedsHuman
                | StateName::Blocked
                | StateName::Done),
            ) => vec![moving(id, to)],
            None => {
                let way = match way {
                    Way::Back => "back",
                    Way::On => "on",
                };
                let legal: Vec<String> = legal_moves(from).map(|to| to.title().to_lowercase()).collect();
                let text = format!(
                    "{} is {} and cannot go {way}; it can go to {}.",
                    words::number(&self.board, id),
                    from.title().to_lowercase(),
                    legal.join(" or ")
                );
                self.refuse(text)
            }
        }
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

    pub(super) fn nothing_selected(&mut self) -> Vec<Effect> {
        self.refuse("there is no ticket here; n files one.".to_owned())
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

fn running(ticket: TicketId) -> Command {
    Command::Run { ticket: TicketRef::Id(ticket), choice: AgentChoice::default() }
}
