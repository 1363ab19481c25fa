//! The heart: which command or fact leads to which steps. Pure, and the only place where a ticket's next state is chosen.

use serde_json::{Value, json};

use super::autonomy::SERVICE;
use super::board::Board;
use super::change::{CleanUp, Merging, Restore, Save, Steps};
use super::checklist::Required;
use super::command::{Command, RefusalCode, Refused};
use super::event::{Actor, EventKind, NewEvent};
use super::fact::Fact;
use super::id::{JobId, TicketId, TicketRef};
use super::job::{Job, JobKind};
use super::rule_revert::Traced;
use super::state::{Blocked, State, StateName, legal_moves, may_move};
use super::ticket::Ticket;
use super::time::Timestamp;
use super::waiting::freed_by;
use super::{
    rule_again, rule_checklist, rule_cleanup, rule_commands, rule_conflict, rule_edit, rule_facts, rule_goal,
    rule_import, rule_land, rule_pull, rule_recheck, rule_revert, rule_review,
};

/// What is to be decided, with everything that the rules may not find out themselves.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Now.
    pub at: Timestamp,
    /// Who wants it, or who learned it.
    pub actor: Actor,
    /// A fresh identity for the one job that a decision may create.
    pub fresh: JobId,
    /// What is known of the world outside the board.
    pub known: Known,
    /// What is wanted or was learned.
    pub what: What,
}

/// A wish or a fact.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// Somebody wants something.
    Command(Command),
    /// Something was learned.
    Fact(Fact),
}

/// What the engine looked up before asking for a decision, since the rules do no I/O.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The repository's commands are trusted by the user, or it has none.
    pub checks: Trust,
    /// Whether the ticket's change is on its target branch already.
    pub landed: Landed,
    /// The limit that the ticket's jobs have reached, if they have: jobs of the kind that a command asks for, or execute jobs where
    /// the end of a job was learned.
    pub limit: Option<Limit>,
    /// What is left of the landing that is to be taken back.
    pub traced: Traced,
    /// Whether the landing that is asked for waits for its checklist.
    pub checklist: Required,
}

impl Known {
    /// Returns what is known where nobody looked at more than the trust.
    pub fn only(checks: Trust) -> Self {
        Self { checks, landed: Landed::No, limit: None, traced: Traced::Unknown, checklist: Required::No }
    }
}

/// A limit on how many jobs a ticket may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// So many of one kind within an hour.
    Hour(u32),
    /// So many execute jobs within a day.
    Day(u32),
}

impl Limit {
    /// Returns what a ticket has had, in words, and the setting that says so.
    pub(super) fn told(self) -> (String, &'static str) {
        match self {
            Self::Hour(most) => (format!("{most} jobs of this kind within an hour"), "execute_config.jobs_per_hour"),
            Self::Day(most) => (format!("{most} execute jobs within a day"), "execute_config.jobs_per_day"),
        }
    }
}

/// Whether a repository's commands may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// The user trusts them in their present form, or there are none.
    Given,
    /// The user was not asked yet, or they changed since.
    Missing,
}

/// Whether a ticket's change is on its target branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Landed {
    /// It is: merging it would change nothing.
    Yes,
    /// It is not, or nobody looked.
    No,
}

/// Decides what a command or a fact leads to.
///
/// # Errors
/// A refusal says why nothing is done and what is possible instead; the board stays as it is.
pub fn decide(board: &Board, input: &Input) -> Result<Steps, Refused> {
    let mut decision = Decision { board, input, actor: input.actor.clone(), steps: Steps::default() };
    match &input.what {
        What::Command(Command::Together(commands)) => return together(board, input, commands),
        What::Command(Command::AddGoal(goal)) => rule_goal::add(&mut decision, goal)?,
        What::Command(Command::EditGoal { goal, title, description, autonomy, budget }) => {
            let edit =
                rule_goal::GoalEdit { title: title.as_ref(), description: description.as_ref(), autonomy, budget };
            rule_goal::edit(&mut decision, *goal, edit)?;
        }
        What::Command(Command::RemoveGoal { goal }) => rule_goal::remove(&mut decision, *goal)?,
        What::Command(Command::BringBackGoal { goal }) => rule_goal::bring_back(&mut decision, *goal)?,
        What::Command(Command::AddTickets(new)) => rule_commands::add_tickets(&mut decision, new)?,
        What::Command(Command::Import(import)) => rule_import::import(&mut decision, import)?,
        What::Command(Command::Move { ticket, to, reason }) => {
            rule_commands::move_ticket(&mut decision, *ticket, *to, reason.as_deref())?;
        }
        What::Command(Command::Edit { ticket, edits }) => rule_edit::edit(&mut decision, *ticket, edits)?,
        What::Command(Command::Place { ticket, place }) => rule_edit::place(&mut decision, *ticket, *place)?,
        What::Command(Command::Remove { ticket }) => rule_edit::remove(&mut decision, *ticket)?,
        What::Command(Command::BringBack { ticket }) => rule_edit::bring_back(&mut decision, *ticket)?,
        What::Command(Command::Run { ticket, choice }) => rule_commands::run_named(&mut decision, *ticket, "", choice)?,
        What::Command(Command::Pick { ticket, reason }) => rule_again::pick(&mut decision, *ticket, reason)?,
        What::Command(Command::Restore { ticket, reference }) => {
            rule_commands::restore(&mut decision, *ticket, reference)?;
        }
        What::Command(Command::Cancel { ticket }) => rule_commands::cancel(&mut decision, *ticket)?,
        What::Command(Command::Verify { ticket }) => rule_again::verify(&mut decision, *ticket)?,
        What::Command(Command::Resume { ticket }) => rule_again::resume(&mut decision, *ticket)?,
        What::Command(Command::Tell { ticket, text }) => rule_again::tell(&mut decision, *ticket, text.as_deref())?,
        What::Command(Command::Comment { ticket, revision, comments }) => {
            rule_review::add_comments(&mut decision, *ticket, *revision, comments)?;
        }
        What::Command(Command::Resolve { ticket, comment, resolved }) => {
            rule_review::resolve(&mut decision, *ticket, *comment, *resolved)?;
        }
        What::Command(Command::Review { ticket, review }) => rule_review::review(&mut decision, *ticket, review)?,
        What::Command(Command::Tick { ticket, revision, boxes }) => {
            rule_checklist::tick(&mut decision, *ticket, *revision, boxes)?;
        }
        What::Command(Command::Land { ticket, strategy }) => rule_land::land(&mut decision, *ticket, *strategy)?,
        What::Command(Command::Recheck { ticket }) => rule_recheck::recheck(&mut decision, *ticket)?,
        What::Command(Command::Conflict { ticket, deed }) => rule_conflict::deal(&mut decision, *ticket, deed)?,
        What::Command(Command::PullRequest { ticket, errand }) => rule_pull::ask(&mut decision, *ticket, errand)?,
        What::Command(Command::LookAtHost { ticket }) => rule_pull::look(&mut decision, *ticket)?,
        What::Command(Command::Revert { ticket, id }) => rule_revert::revert(&mut decision, *ticket, *id)?,
        What::Command(Command::CleanUp { ticket, what, why }) => {
            rule_cleanup::clean_up(&mut decision, *ticket, *what, why)?;
        }
        What::Command(Command::SetAutopilot(mode)) => {
            decision.save(Save::Autopilot(decision.board.about.id, *mode));
        }
        What::Fact(fact) => rule_facts::learn(&mut decision, fact)?,
    }
    Ok(decision.steps)
}

/// Decides each of several commands on what the ones before it lead to. One that is refused refuses all.
fn together(board: &Board, input: &Input, commands: &[Command]) -> Result<Steps, Refused> {
    let mut board = board.clone();
    let mut all = Steps::default();
    for command in commands {
        // Jobs need what was looked up for each of them, and a fresh identity.
        if command.job().is_some() || matches!(command, Command::Together(_) | Command::Revert { .. }) {
            let hint = "Ask for it by itself.";
            return Err(Refused::new(RefusalCode::BadValue, "this cannot be done together with something else", hint));
        }
        let input = Input { what: What::Command(command.clone()), ..input.clone() };
        let Steps { saves, stops, restores, merges, looks, cleanups } = decide(&board, &input)?;
        saves.iter().for_each(|save| board.foresee(save));
        all.saves.extend(saves);
        all.stops.extend(stops);
        all.restores.extend(restores);
        all.merges.extend(merges);
        all.looks.extend(looks);
        all.cleanups.extend(cleanups);
    }
    Ok(all)
}

/// A decision as it is made: the steps so far, and what they may be based on.
pub(super) struct Decision<'a> {
    pub(super) board: &'a Board,
    pub(super) input: &'a Input,
    /// In whose name its events are written.
    actor: Actor,
    steps: Steps,
}

impl<'a> Decision<'a> {
    pub(super) fn save(&mut self, save: Save) {
        self.steps.saves.push(save);
    }

    pub(super) fn stop(&mut self, job: JobId) {
        self.steps.stops.push(job);
    }

    pub(super) fn restore(&mut self, ticket: TicketId, reference: &str) {
        self.steps.restores.push(Restore { ticket, reference: reference.to_owned() });
    }

    pub(super) fn merge(&mut self, ticket: TicketId, merging: Merging) {
        self.steps.merges.push((ticket, merging));
    }

    /// Does something in the name of Draft itself, which nobody asked for right now.
    pub(super) fn by_itself<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.actor, Actor::system(SERVICE));
        let done = act(self);
        self.actor = before;
        done
    }

    pub(super) fn look(&mut self, ticket: TicketId) {
        self.steps.looks.push(ticket);
    }

    pub(super) fn clean_up(&mut self, due: CleanUp) {
        self.steps.cleanups.push(due);
    }

    /// Returns the ticket that a command names.
    pub(super) fn find(&self, name: TicketRef) -> Result<&'a Ticket, Refused> {
        self.board.find(name).ok_or_else(|| {
            if let Some(removed) = self.board.find_removed(name) {
                let message = format!("{} was removed from board {}", removed.number, self.board.about.name);
                let hint = format!("`draft restore {}` brings it back.", removed.number.0);
                return Refused::new(RefusalCode::UnknownTicket, message, hint);
            }
            Refused::new(
                RefusalCode::UnknownTicket,
                format!("there is no ticket {name} on board {}", self.board.about.name),
                "`draft ticket list` shows the tickets of this board.",
            )
        })
    }

    /// Returns a new job for a ticket. It is newer than the one before even when the clock went back meanwhile: a board
    /// that took it for an old one would let a second job start.
    pub(super) fn new_job(&self, ticket: TicketId, kind: JobKind) -> Job {
        let after_last = self.board.newest_job(ticket).map(|job| Timestamp(job.queued_at.0.saturating_add(1)));
        let at = after_last.map_or(self.input.at, |earliest| earliest.max(self.input.at));
        // What is proven of a change stays so while something else is done with it.
        let checked = if kind == JobKind::Verify { None } else { self.board.checks(ticket) };
        Job { checked, ..Job::queued(self.input.fresh, ticket, kind, at) }
    }

    /// Moves a ticket along the table and writes it into the history.
    pub(super) fn transition(
        &mut self,
        mut ticket: Ticket,
        to: State,
        reason: &str,
        payload: Value,
    ) -> Result<(), Refused> {
        let was = ticket.state.name();
        if !may_move(was, to.name()) {
            return Err(illegal(&ticket, to.name()));
        }
        ticket.state = to;
        if to == State::Done {
            ticket.landed = self.board.revision(ticket.id).map(|revision| revision.number);
        }
        reason.clone_into(&mut ticket.reason);
        ticket.updated_at = self.input.at;
        self.event(&ticket, EventKind::Transitioned, Some(was), Some(to.name()), reason, payload);
        self.save(Save::Ticket { ticket: ticket.clone(), was });
        if to == State::Done {
            self.free(&ticket, "is done")?;
        }
        Ok(())
    }

    /// Stores why a ticket is where it is, which differs from before although it stays there.
    pub(super) fn restate(&mut self, ticket: &Ticket, state: State, reason: &str) {
        let (was, at) = (ticket.state.name(), self.input.at);
        let ticket = Ticket { state, reason: reason.to_owned(), updated_at: at, ..ticket.clone() };
        self.save(Save::Ticket { ticket, was });
    }

    /// Tells the tickets that waited for one that holds them up no more. Their links stay.
    pub(super) fn free(&mut self, done: &Ticket, why: &str) -> Result<(), Refused> {
        let board = self.board;
        for waited in freed_by(board, done) {
            let reason = format!("nothing holds it up any more: {} {why}", done.number);
            let payload = json!({ "action": "unblocked", "blocker": done.id });
            let waits_aside = waited.state == State::Blocked { why: Blocked::Dependency };
            if waits_aside && board.active_job(waited.id).is_none() {
                self.transition(waited.clone(), State::Planned, &reason, payload)?;
            } else if waited.state == State::Planned {
                self.note(waited, EventKind::Comment, &reason, payload);
            }
        }
        Ok(())
    }

    /// Writes something into a ticket's history that does not move it.
    pub(super) fn note(&mut self, ticket: &Ticket, kind: EventKind, reason: &str, payload: Value) {
        let state = ticket.state.name();
        self.event(ticket, kind, Some(state), Some(state), reason, payload);
    }

    pub(super) fn event(
        &mut self,
        ticket: &Ticket,
        kind: EventKind,
        from: Option<StateName>,
        to: Option<StateName>,
        reason: &str,
        payload: Value,
    ) {
        self.save(Save::Event(NewEvent {
            ticket: ticket.id,
            at: self.input.at,
            kind,
            from,
            to,
            actor: self.actor.clone(),
            reason: reason.to_owned(),
            payload,
        }));
    }
}

/// The payload of an event that is about a job.
pub(super) fn about_job(job: JobId) -> Value {
    json!({ "job_id": job })
}

/// Refuses a move that the table does not have, naming the ones that it has.
pub(super) fn illegal(ticket: &Ticket, to: StateName) -> Refused {
    let from = ticket.state.name();
    let message = if from == to {
        format!("{} is {from} already", ticket.number)
    } else {
        format!("{} cannot move from {from} to {to}", ticket.number)
    };
    let legal: Vec<&str> = legal_moves(from).map(StateName::as_str).collect();
    Refused::new(RefusalCode::IllegalMove, message, format!("From {from} it can move to {}.", legal.join(", ")))
}
