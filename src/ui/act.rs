//! What a person does to a ticket or to the board: which command goes out, which question is asked first, and what is
//! said when it cannot be.

use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::JobKind;
use crate::domain::state::{State, StateName, legal_moves};
use crate::domain::ticket::Ticket;

use super::keys::Action;
use super::model::{Model, NoticeKind};
use super::msg::{Effect, Existing, Role, StopAgents};
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
    /// Accepts proposed tickets, and takes back abandoned ones.
    pub(super) fn accept(&mut self) -> Vec<Effect> {
        self.each(Action::Accept, |_, ticket| moving(ticket.id, StateName::Planned))
    }

    /// Lets agents work on tickets; asks first whether the repository's commands may run.
    pub(super) fn run(&mut self) -> Vec<Effect> {
        let (commands, unsent) = self.commands(Action::Run, |_, ticket| offers::run(ticket.id));
        self.unsent = unsent;
        self.start(commands)
    }

    /// Gives commands to the engine: one that starts something, with a way back when there is no trust; others together, and
    /// what is marked too, since the mark of what is refused comes back.
    pub(super) fn go(&mut self, mut commands: Vec<Command>) -> Vec<Effect> {
        let is_alone = commands.len() == 1 && self.unsent.is_empty() && self.desk.marks.is_empty();
        match commands.pop() {
            Some(command) if is_alone && !is_undoable(&command) => self.want(command),
            last => {
                commands.extend(last);
                self.send(commands)
            }
        }
    }

    /// Asks the engine for something.
    pub(super) fn want(&mut self, command: Command) -> Vec<Effect> {
        self.wanted = Some(command.clone());
        vec![Effect::Do(command)]
    }

    /// Asks the engine for something that runs the repository's commands; asks first whether they may run.
    pub(super) fn with_trust(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        if self.settings.trusted {
            return self.go(commands);
        }
        if let Some(problem) = self.settings.problem.clone() {
            self.say(NoticeKind::Failed, problem);
            return vec![Effect::LookAround];
        }
        self.ask_for_trust(commands)
    }

    /// Asks whether the repository's commands may run; the file may be newer than what is known of it.
    pub(super) fn ask_for_trust(&mut self, then: Vec<Command>) -> Vec<Effect> {
        self.ask(Question::Trust { then });
        vec![Effect::LookAround]
    }

    /// Asks whether to stop the jobs of tickets.
    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        let (tickets, unsent) = self.possible(Action::Cancel);
        self.unsent = unsent;
        self.ask(Question::Cancel { tickets })
    }

    /// Moves tickets to the nearest state that way that the table allows.
    pub(super) fn move_along(&mut self, way: Way) -> Vec<Effect> {
        let action = match way {
            Way::Back => Action::MoveBack,
            Way::On => Action::MoveOn,
        };
        if self.targets().as_slice() == self.selected().as_slice() {
            let to = self.selected_ticket().and_then(|ticket| along(ticket.state.name(), way));
            return to.map_or_else(Vec::new, |to| self.move_to(to));
        }
        let (commands, unsent) = self.commands(action, |_, ticket| match along(ticket.state.name(), way) {
            Some(StateName::Executing) => offers::run(ticket.id),
            to => moving(ticket.id, to.unwrap_or(ticket.state.name())),
        });
        self.unsent = unsent;
        self.move_all(commands)
    }

    /// Moves tickets. Asks first where some are given up, and whatever is asked before agents start.
    fn move_all(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        let tickets: Vec<TicketId> = commands.iter().filter_map(abandons).collect();
        if tickets.is_empty() {
            return self.start_all(commands);
        }
        self.ask(Question::Abandon { tickets, then: commands })
    }

    fn start_all(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        let starts = commands.iter().any(|command| matches!(command, Command::Run { .. }));
        if starts { self.start(commands) } else { self.go(commands) }
    }

    /// Lets agents work on tickets. Asks first where one is done: nothing is left to do there, unless somebody wants more.
    fn start(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        let tickets = commands.iter().filter_map(|command| self.board.find(command.ticket()?));
        let tickets: Vec<TicketId> = tickets.filter(|one| one.state == State::Done).map(|one| one.id).collect();
        if tickets.is_empty() {
            return self.with_leave(commands);
        }
        self.ask(Question::RunAnew { tickets, then: commands })
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
            StateName::Executing => self.start(vec![offers::run(id)]),
            StateName::Verifying => self.verify(),
            StateName::Proposed
            | StateName::Planned
            | StateName::NeedsHuman
            | StateName::Blocked
            | StateName::Done
            | StateName::Abandoned => self.move_all(vec![moving(id, to)]),
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
            StateName::Executing => self.why_not_on(Action::Run, ticket),
            StateName::Verifying => self.why_not_on(Action::Verify, ticket),
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
        Some(format!("{} stays where it is while it has a job ({}); {stop} stops that.", ticket.number, job.what()))
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
        let form = self.kept_form.take().unwrap_or_else(|| Box::new(Form::new(&self.board, &self.theme)));
        self.over = Some(Overlay::Form(form));
        Vec::new()
    }

    /// Carries out what a question was about.
    pub(super) fn agreed(&mut self, question: Question) -> Vec<Effect> {
        match question {
            Question::Quit => vec![Effect::Quit { stop_agents: StopAgents::No }],
            Question::Cancel { tickets } => {
                self.go(tickets.into_iter().map(|id| Command::Cancel { ticket: TicketRef::Id(id) }).collect())
            }
            Question::Abandon { then, .. } => self.start_all(then),
            Question::RunAnew { then, .. } => self.with_leave(then),
            Question::Remove { tickets } => {
                self.go(tickets.into_iter().map(|id| Command::Remove { ticket: TicketRef::Id(id) }).collect())
            }
            Question::Approve { ticket, revision } => self.approved(ticket, revision, true),
            Question::RemoveGoal { goal, at } => self.removed_goal(goal, at),
            Question::Switch { to } => self.switch(to),
            Question::Overwrite { text, path } => {
                vec![Effect::SaveLog { text, path, existing: Existing::Replaced }]
            }
            Question::Offer { ticket, errand } => {
                vec![Effect::Do(Command::PullRequest { ticket: TicketRef::Id(ticket), errand })]
            }
            Question::TakeOver { ticket } => self.with_trust(vec![Command::Resume { ticket: TicketRef::Id(ticket) }]),
            Question::Trust { then } => {
                let trust = self.settings.content.clone().map(|content| Effect::Trust { content });
                trust.into_iter().chain(self.go(then)).collect()
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
        if running.total() == 0 {
            return "Nothing runs any more, so leaving stops nothing.".to_owned();
        }
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

/// Returns the ticket that a command gives up.
fn abandons(command: &Command) -> Option<TicketId> {
    match command {
        Command::Move { ticket: TicketRef::Id(id), to: StateName::Abandoned, .. } => Some(*id),
        _ => None,
    }
}

/// Says whether a command is one of those that are kept to be undone.
fn is_undoable(command: &Command) -> bool {
    matches!(command, Command::Move { .. } | Command::Edit { .. } | Command::Place { .. } | Command::Remove { .. })
}

fn moving(ticket: TicketId, to: StateName) -> Command {
    Command::Move { ticket: TicketRef::Id(ticket), to, reason: None }
}

fn legal_in_words(from: StateName) -> String {
    let legal: Vec<String> = legal_moves(from).map(|to| to.title().to_lowercase()).collect();
    legal.join(" or ")
}
