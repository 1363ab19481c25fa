//! What a person did to tickets, one or many at once: what is said when some of it was refused, and how it is undone.

use std::collections::BTreeSet;

use crate::domain::change::Change;
use crate::domain::command::{Command, Edit, Refused};
use crate::domain::detail::Detail;
use crate::domain::event::EventKind;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::ticket::Ticket;
use crate::domain::undo::Act;

use super::keys::Action;
use super::model::{Model, NoticeKind};
use super::msg::Effect;
use super::offers::Impossible;
use super::screen::{Form, Overlay};
use super::words;

/// What was sent to the engine and is not answered yet.
#[derive(Debug)]
pub(super) enum Sent {
    /// Something that a person did.
    Deed {
        /// How each command is undone, where it can be.
        acts: Vec<Option<Act>>,
        /// For each command the ticket that it is about, if that was marked.
        marked: Vec<Option<TicketId>>,
        /// What was not even sent, and why.
        unsent: Vec<Impossible>,
        /// The form that gave it.
        form: Option<Box<Form>>,
    },
    /// What undoes this.
    Undo(Vec<Act>),
    /// What does this again.
    Redo(Vec<Act>),
    /// A worktree that is to come back.
    Restore,
}

/// What is undone or done again as soon as the description is known that it would replace.
#[derive(Debug)]
pub(super) enum Again {
    Undo(Vec<Act>),
    Redo(Vec<Act>),
}

/// A key that came too fast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hasty {
    Undo,
    Redo,
}

impl Again {
    fn acts(&self) -> &[Act] {
        match self {
            Self::Undo(acts) | Self::Redo(acts) => acts,
        }
    }
}

impl Model {
    /// Returns the tickets that a key is about: the marked ones, else the selected one.
    pub(super) fn targets(&self) -> Vec<TicketId> {
        if self.ticket.is_some() || self.grid.is_some() || self.desk.marks.is_empty() {
            return self.selected().into_iter().collect();
        }
        self.desk.marks.iter().copied().collect()
    }

    /// Gives a command for each ticket that an action is about; those for which it is not possible are counted.
    pub(super) fn each(&mut self, action: Action, command: impl Fn(&Self, &Ticket) -> Command) -> Vec<Effect> {
        let (commands, unsent) = self.commands(action, command);
        self.unsent = unsent;
        self.send(commands)
    }

    /// Returns the commands for the tickets that an action is about, and those for which there is none.
    pub(super) fn commands(
        &self,
        action: Action,
        command: impl Fn(&Self, &Ticket) -> Command,
    ) -> (Vec<Command>, Vec<Impossible>) {
        let (tickets, unsent) = self.possible(action);
        let tickets = tickets.into_iter().filter_map(|id| self.board.ticket(id));
        (tickets.map(|ticket| command(self, ticket)).collect(), unsent)
    }

    /// Gives these commands to the engine; each is done or refused by itself. What is refused stays marked, or was never
    /// asked and keeps its mark.
    pub(super) fn send(&mut self, commands: Vec<Command>) -> Vec<Effect> {
        let ticket =
            |command: &Command| command.ticket().and_then(|name| self.board.find(name)).map(|ticket| ticket.id);
        let tickets: Vec<Option<TicketId>> = commands.iter().map(ticket).collect();
        let marked = tickets.into_iter().map(|id| id.filter(|id| self.desk.unmark_one(*id))).collect();
        self.send_about(commands, marked)
    }

    /// Gives these commands to the engine, of which each is about a ticket that was marked or about another one.
    pub(super) fn send_about(&mut self, commands: Vec<Command>, marked: Vec<Option<TicketId>>) -> Vec<Effect> {
        let acts: Vec<Option<Act>> = commands.iter().map(|command| Act::of(&self.board, command, None)).collect();
        for act in acts.iter().flatten() {
            self.wanted_worktrees.remove(&act.ticket());
        }
        let unsent = std::mem::take(&mut self.unsent);
        self.sent.push_back(Sent::Deed { acts, marked, unsent, form: None });
        vec![Effect::DoAll(commands)]
    }

    /// Changes fields of a ticket. `description` is the one that is replaced, where it is; a refusal gives the form back.
    pub(super) fn send_edit(
        &mut self,
        ticket: TicketId,
        edits: Vec<Edit>,
        description: Option<&str>,
        form: Box<Form>,
    ) -> Vec<Effect> {
        let command = Command::Edit { ticket: TicketRef::Id(ticket), edits };
        let act = Act::of(&self.board, &command, description);
        self.sent.push_back(Sent::Deed { acts: vec![act], marked: Vec::new(), unsent: Vec::new(), form: Some(form) });
        vec![Effect::DoAll(vec![command])]
    }

    /// Takes the answers to what was sent first.
    pub(super) fn done(&mut self, answers: Vec<Result<(), Refused>>) -> Vec<Effect> {
        let mut effects = self.take_answers(&answers);
        effects.extend(self.catch_up());
        effects
    }

    fn take_answers(&mut self, answers: &[Result<(), Refused>]) -> Vec<Effect> {
        let refused = answers.iter().find_map(|answer| answer.as_ref().err()).cloned();
        match self.sent.pop_front() {
            Some(Sent::Deed { acts, marked, unsent, form }) => {
                let all = answers.len() + unsent.len();
                let count = answers.iter().filter(|answer| answer.is_err()).count() + unsent.len();
                let refused_ones = marked.into_iter().zip(answers).filter(|(_, answer)| answer.is_err());
                self.desk.mark_again(refused_ones.filter_map(|(ticket, _)| ticket));
                let done = acts.into_iter().zip(answers).filter(|(_, answer)| answer.is_ok());
                let acts: Vec<Act> = done.filter_map(|(act, _)| act).collect();
                let can_undo = !acts.is_empty();
                if !can_undo && refused.is_some() {
                    // What came before it is not what somebody wanted undone.
                    self.hasty.clear();
                }
                self.deeds.did(acts);
                let first = refused.as_ref().map(in_words).or_else(|| unsent.first().map(|one| one.why.clone()));
                let Some(first) = first else {
                    // Of one ticket the news tell; of many they would tell the last one's.
                    if all > 1 {
                        let back =
                            if can_undo { format!("; {} undoes it", self.key_of(Action::Undo)) } else { String::new() };
                        self.say(NoticeKind::Answer, format!("done for all {all} tickets{back}"));
                    }
                    return Vec::new();
                };
                let text = if all > 1 { format!("{count} of {all} refused: {first}") } else { first };
                self.say(NoticeKind::Refused, text);
                if let Some(form) = form.filter(|_| refused.is_some()) {
                    self.give_back(form);
                }
                Vec::new()
            }
            Some(Sent::Undo(acts)) => match refused {
                Some(refused) => self.not_again("undone", &acts, &in_words(&refused)),
                None => {
                    let text = format!("undone: {}; ^r does it again", said(&acts));
                    let effects = self.want_worktrees(&acts);
                    self.look_at(&acts);
                    self.deeds.undid(acts);
                    self.say(NoticeKind::Answer, text);
                    effects
                }
            },
            Some(Sent::Redo(acts)) => match refused {
                Some(refused) => self.not_again("done again", &acts, &in_words(&refused)),
                None => {
                    let text = format!("done again: {}", said(&acts));
                    self.look_at(&acts);
                    self.deeds.redid(acts);
                    self.say(NoticeKind::Answer, text);
                    Vec::new()
                }
            },
            Some(Sent::Restore) => {
                if let Some(refused) = refused {
                    self.say(NoticeKind::Refused, format!("the worktree does not come back: {}", in_words(&refused)));
                }
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Gives a form back whose edit was refused.
    fn give_back(&mut self, form: Box<Form>) {
        if self.over.is_none() {
            self.over = Some(Overlay::Form(form));
        } else {
            self.kept_edit = Some(form);
        }
    }

    /// Undoes what was done last.
    pub(super) fn undo(&mut self) -> Vec<Effect> {
        if self.awaits_answer() {
            self.hasty.push_back(Hasty::Undo);
            return Vec::new();
        }
        let Some(mut acts) = self.deeds.take_done() else { return Vec::new() };
        acts.iter_mut().for_each(|act| act.note(&self.board));
        self.again(Again::Undo(acts))
    }

    /// Does again what was undone last.
    pub(super) fn redo(&mut self) -> Vec<Effect> {
        if self.awaits_answer() {
            self.hasty.push_back(Hasty::Redo);
            return Vec::new();
        }
        self.deeds.take_undone().map_or_else(Vec::new, |acts| self.again(Again::Redo(acts)))
    }

    /// Says whether it is not known yet what was done or undone last.
    pub(super) fn awaits_answer(&self) -> bool {
        !self.sent.is_empty() || self.wanted_again.is_some()
    }

    fn again(&mut self, again: Again) -> Vec<Effect> {
        match again.acts().iter().find(|act| act.describes()).map(Act::ticket) {
            Some(ticket) => {
                self.wanted_again = Some(again);
                vec![Effect::LoadDetail(ticket)]
            }
            None => self.go_again(again, None),
        }
    }

    fn go_again(&mut self, again: Again, description: Option<&str>) -> Vec<Effect> {
        let commands: Result<Vec<Vec<Command>>, String> = match &again {
            Again::Undo(acts) => acts.iter().rev().map(|act| act.undo(&self.board, description)).collect(),
            Again::Redo(acts) => acts.iter().map(|act| act.redo(&self.board, description)).collect(),
        };
        let (what, sent, acts) = match again {
            Again::Undo(acts) => ("undone", Sent::Undo as fn(Vec<Act>) -> Sent, acts),
            Again::Redo(acts) => ("done again", Sent::Redo as fn(Vec<Act>) -> Sent, acts),
        };
        match commands {
            // The news of what was done or undone are still on their way.
            Err(_) if what == "undone" && !acts.iter().all(|act| act.is_seen(&self.board)) => {
                self.hasty.push_front(Hasty::Undo);
                self.deeds.redid(acts);
                Vec::new()
            }
            Err(_) if what != "undone" && !acts.iter().all(|act| act.is_seen_undone(&self.board)) => {
                self.hasty.push_front(Hasty::Redo);
                self.deeds.undid(acts);
                Vec::new()
            }
            Err(why) => self.not_again(what, &acts, &why),
            Ok(commands) => {
                self.sent.push_back(sent(acts));
                vec![Effect::DoAll(vec![together(commands.concat())])]
            }
        }
    }

    /// Undoes or does again what somebody wanted before it was known to be done or undone.
    pub(super) fn catch_up(&mut self) -> Vec<Effect> {
        if self.awaits_answer() {
            return Vec::new();
        }
        let is_seen = match self.hasty.front() {
            None => return Vec::new(),
            Some(Hasty::Undo) => self.deeds.last().is_none_or(|acts| acts.iter().all(|act| act.is_seen(&self.board))),
            Some(Hasty::Redo) => {
                let undone = self.deeds.last_undone();
                undone.is_none_or(|acts| acts.iter().all(|act| act.is_seen_undone(&self.board)))
            }
        };
        if !is_seen {
            return Vec::new();
        }
        match self.hasty.pop_front() {
            Some(Hasty::Undo) => self.undo(),
            Some(Hasty::Redo) => self.redo(),
            None => Vec::new(),
        }
    }

    /// Keeps what waited for details that do not come.
    pub(super) fn give_up_waiting(&mut self) {
        match self.wanted_again.take() {
            Some(Again::Undo(acts)) => self.deeds.redid(acts),
            Some(Again::Redo(acts)) => self.deeds.undid(acts),
            None => {}
        }
    }

    fn not_again(&mut self, what: &str, acts: &[Act], why: &str) -> Vec<Effect> {
        self.hasty.clear();
        self.refuse(format!("{} cannot be {what} any more: {}.", said(acts), why.trim_end_matches('.')))
    }

    /// Puts the cursor where something was undone.
    fn look_at(&mut self, acts: &[Act]) {
        if self.ticket.is_none()
            && let [act] = acts
            && self.board.ticket(act.ticket()).is_some()
        {
            self.desk.cursor = Some(act.ticket());
        }
    }

    /// Has the worktrees looked for that went into the trash by what was undone.
    fn want_worktrees(&mut self, acts: &[Act]) -> Vec<Effect> {
        let lost: BTreeSet<TicketId> = acts.iter().filter(|act| act.may_lose_worktree()).map(Act::ticket).collect();
        self.wanted_worktrees.extend(&lost);
        lost.into_iter().map(Effect::LoadDetail).collect()
    }

    /// Goes on with what waited for the details of a ticket.
    pub(super) fn detailed(&mut self, detail: &Detail) -> Vec<Effect> {
        let mut effects = self.describe(detail);
        if let Some(again) =
            self.wanted_again.take_if(|again| again.acts().iter().any(|act| act.ticket() == detail.ticket))
        {
            effects.extend(self.go_again(again, Some(&detail.description)));
        }
        if self.wanted_worktrees.contains(&detail.ticket) {
            effects.extend(self.restore(detail));
        }
        effects
    }

    /// Asks for the worktree of a ticket that came back, where it is in the trash. It may go there only later.
    fn restore(&mut self, detail: &Detail) -> Vec<Effect> {
        let newest = detail
            .events
            .iter()
            .rev()
            .map(|event| &event.event)
            .find(|event| matches!(event.kind, EventKind::WorktreeCleaned | EventKind::WorktreeRestored));
        let cleaned = newest.filter(|event| event.kind == EventKind::WorktreeCleaned);
        let Some(reference) = cleaned.and_then(|event| event.payload.get("reference")?.as_str()) else {
            return Vec::new();
        };
        self.wanted_worktrees.remove(&detail.ticket);
        self.sent.push_back(Sent::Restore);
        let command = Command::Restore { ticket: TicketRef::Id(detail.ticket), reference: reference.to_owned() };
        vec![Effect::DoAll(vec![command])]
    }

    /// Returns the tickets that came back and whose worktrees went into the trash only now.
    pub(super) fn late_worktrees(&self, changes: &[Change]) -> Vec<Effect> {
        let late = changes.iter().filter_map(|change| match change {
            Change::Event(event) if event.event.kind == EventKind::WorktreeCleaned => Some(event.event.ticket),
            _ => None,
        });
        late.filter(|id| self.wanted_worktrees.contains(id)).map(Effect::LoadDetail).collect()
    }
}

/// Returns one command that does all of these or none.
fn together(mut commands: Vec<Command>) -> Command {
    match commands.pop() {
        Some(only) if commands.is_empty() => only,
        last => {
            commands.extend(last);
            Command::Together(commands)
        }
    }
}

fn said(acts: &[Act]) -> String {
    match acts {
        [act] => act.in_words(),
        acts => words::count(acts.len(), "change"),
    }
}

fn in_words(refused: &Refused) -> String {
    format!("{}. {}", refused.message.trim_end_matches('.'), refused.hint).trim_end().to_owned()
}
