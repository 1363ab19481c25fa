//! The form of a ticket, a new one or one that is there: what is typed, which field has the keys, and what is wrong
//! with it.

use crossterm::event::KeyEvent;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use crate::domain::board::Board;
use crate::domain::command::Edit;
use crate::domain::id::{GoalId, TicketId};
use crate::domain::ticket::{Priority, Ticket};
use crate::ui::keys::Action;
use crate::ui::msg::Filing;
use crate::ui::theme::Theme;

use super::typing::{self, Lines, area};

/// The fields, in the order in which Tab goes through them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Title,
    Description,
    Priority,
    After,
    Agent,
    Model,
    Goal,
    Verify,
    Accept,
}

/// The priorities to choose from; nothing is one of them, and so is the one that a ticket has already.
const PRIORITIES: [&str; 4] = ["P0", "P1", "P2", "P3"];

/// What is typed and chosen.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Form {
    /// The ticket as it was when its form was opened; nothing for a new one.
    pub(super) before: Option<Box<Before>>,
    /// The fields that it has.
    pub(super) fields: Vec<Field>,
    pub(super) focus: Field,
    pub(super) title: TextArea<'static>,
    pub(super) description: TextArea<'static>,
    pub(super) priority: Option<Priority>,
    pub(super) after: TextArea<'static>,
    pub(super) agent: Option<String>,
    pub(super) model: TextArea<'static>,
    pub(super) goal: Option<GoalId>,
    pub(super) verify: TextArea<'static>,
    pub(super) accepted: bool,
    pub(super) errors: Vec<(Field, String)>,
}

/// What a ticket was.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Before {
    pub(super) ticket: Ticket,
    /// What the form showed of its title, of what it waits for, and of its checks.
    pub(super) title: String,
    pub(super) after: String,
    pub(super) verify: String,
    /// Its description as the form shows it; nothing until it is loaded, and nobody can type there before.
    pub(super) description: Option<String>,
    /// Its description as it is.
    pub(super) stored: String,
}

/// What came of a key.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) enum Outcome {
    /// The form goes on.
    Open,
    /// It is put aside.
    Aside,
    /// This ticket is to be filed.
    File(Filing),
    /// These fields of the ticket are to be changed; none when nothing was.
    Edit(TicketId, Vec<Edit>),
    /// The description is to be written in the person's own editor.
    Editor(String),
}

impl Form {
    /// Returns an empty form.
    pub(in crate::ui) fn new(board: &Board, theme: &Theme) -> Self {
        let lines = || {
            let mut lines = area(theme);
            lines.set_wrap_mode(WrapMode::WordOrGlyph);
            lines
        };
        Self {
            before: None,
            fields: fields(!board.goals().is_empty(), true),
            focus: Field::Title,
            title: area(theme),
            description: lines(),
            priority: None,
            after: area(theme),
            agent: None,
            model: area(theme),
            goal: None,
            verify: lines(),
            accepted: false,
            errors: Vec::new(),
        }
    }

    /// Returns the form of a ticket. Its description comes later, with [`Form::fill`].
    pub(in crate::ui) fn of(ticket: &Ticket, board: &Board, theme: &Theme) -> Self {
        let mut form = Self::new(board, theme);
        form.fields = fields(ticket.goal.is_some() || !board.goals().is_empty(), false);
        type_in(&mut form.title, ticket.title.as_str());
        type_in(&mut form.after, &blockers(ticket, board));
        type_in(&mut form.model, ticket.model.as_deref().unwrap_or_default());
        type_in(&mut form.verify, &ticket.verify.join("\n"));
        form.priority = ticket.priority;
        form.agent.clone_from(&ticket.agent);
        form.goal = ticket.goal;
        form.before = Some(Box::new(Before {
            ticket: ticket.clone(),
            title: form.title.lines().join(" "),
            after: text(&form.after),
            verify: text(&form.verify),
            description: None,
            stored: String::new(),
        }));
        form
    }

    /// Returns the ticket that it is about; nothing for a new one.
    pub(in crate::ui) fn ticket(&self) -> Option<TicketId> {
        self.before.as_ref().map(|before| before.ticket.id)
    }

    /// Takes over the description of the ticket, the first time.
    pub(in crate::ui) fn fill(&mut self, description: &str) {
        let Some(before) = self.before.as_mut().filter(|before| before.description.is_none()) else { return };
        type_in(&mut self.description, description);
        description.clone_into(&mut before.stored);
        before.description = Some(text(&self.description));
    }

    /// Returns the description as it was stored, once it is loaded.
    pub(in crate::ui) fn stored_description(&self) -> Option<&str> {
        self.before.as_ref().filter(|before| before.description.is_some()).map(|before| before.stored.as_str())
    }

    /// Takes over a description that was written elsewhere.
    pub(in crate::ui) fn describe(&mut self, description: &str) {
        if !self.is_loading() {
            self.description.select_all();
            self.description.cut();
            type_in(&mut self.description, description);
            self.focus = Field::Description;
            self.forgive();
        }
    }

    /// Says whether the description of the ticket is still on its way.
    pub(super) fn is_loading(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.description.is_none())
    }

    /// Says whether nothing was typed.
    pub(in crate::ui) fn is_blank(&self) -> bool {
        match &self.before {
            Some(before) => !self.differs(before),
            None => {
                let typed = [&self.title, &self.description, &self.after, &self.model, &self.verify];
                typed.iter().all(|input| input.is_empty())
            }
        }
    }

    /// Says whether the field with the keys offers choices.
    pub(in crate::ui) fn is_at_choice(&self) -> bool {
        match self.focus {
            Field::Priority | Field::Agent | Field::Goal | Field::Accept => true,
            Field::Title | Field::Description | Field::After | Field::Model | Field::Verify => false,
        }
    }

    /// Says whether the field with the keys takes more than one line.
    pub(super) fn takes_lines(&self) -> bool {
        self.focus == Field::Description || self.focus == Field::Verify
    }

    /// Takes a key: what the table says about it, or else as text.
    pub(in crate::ui) fn key(
        &mut self,
        action: Option<Action>,
        event: KeyEvent,
        agents: &[String],
        board: &Board,
    ) -> Outcome {
        match action {
            Some(Action::Back) => return Outcome::Aside,
            Some(Action::Save) if self.takes_lines() && event.modifiers.is_empty() => {
                if let Some(input) = self.input() {
                    input.insert_newline();
                }
                self.forgive();
            }
            Some(Action::Save) => return self.save(board),
            Some(Action::Editor) if !self.is_loading() => return Outcome::Editor(text(&self.description)),
            Some(Action::Editor) => {}
            Some(Action::NextField) => self.turn(1),
            Some(Action::PreviousField) => self.turn(self.fields.len() - 1),
            Some(Action::NextChoice) if self.is_at_choice() => self.choose(1, agents, board),
            Some(Action::PreviousChoice) if self.is_at_choice() => self.choose(usize::MAX, agents, board),
            _ => self.typed(event),
        }
        Outcome::Open
    }

    /// Takes pasted text without what could not be seen in it.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        let lines = self.lines();
        if let Some(input) = self.input() {
            typing::pasted(input, lines, pasted);
        }
        self.forgive();
    }

    fn typed(&mut self, event: KeyEvent) {
        let lines = self.lines();
        let Some(input) = self.input() else { return };
        typing::typed(input, lines, event);
        self.forgive();
    }

    fn lines(&self) -> Lines {
        if self.takes_lines() { Lines::Many } else { Lines::One }
    }

    /// What was wrong with the field may be right by now; saving says so again if not.
    fn forgive(&mut self) {
        let focus = self.focus;
        self.errors.retain(|(field, _)| *field != focus);
    }

    fn input(&mut self) -> Option<&mut TextArea<'static>> {
        match self.focus {
            Field::Title => Some(&mut self.title),
            Field::Description if self.is_loading() => None,
            Field::Description => Some(&mut self.description),
            Field::After => Some(&mut self.after),
            Field::Model => Some(&mut self.model),
            Field::Verify => Some(&mut self.verify),
            Field::Priority | Field::Agent | Field::Goal | Field::Accept => None,
        }
    }

    fn turn(&mut self, by: usize) {
        let at = self.fields.iter().position(|field| *field == self.focus).unwrap_or(0);
        self.focus = self.fields[(at + by) % self.fields.len()];
    }

    /// Goes `by` choices on; `usize::MAX` is one back.
    fn choose(&mut self, by: usize, agents: &[String], board: &Board) {
        match self.focus {
            Field::Priority => {
                let known = PRIORITIES.iter().filter_map(|name| name.parse().ok());
                let all = with(known, self.before.as_ref().and_then(|before| before.ticket.priority));
                self.priority = next(all, self.priority, by);
            }
            Field::Agent => {
                let all =
                    with(agents.iter().cloned(), self.before.as_ref().and_then(|before| before.ticket.agent.clone()));
                self.agent = next(all, self.agent.take(), by);
            }
            Field::Goal => {
                let goals = board.goals().into_iter().map(|goal| goal.id);
                self.goal = next(goals.collect(), self.goal, by);
            }
            Field::Accept => self.accepted = !self.accepted,
            Field::Title | Field::Description | Field::After | Field::Model | Field::Verify => {}
        }
        self.forgive();
    }
}

fn fields(goals: bool, is_new: bool) -> Vec<Field> {
    let mut fields = vec![Field::Title, Field::Description, Field::Priority, Field::After, Field::Agent, Field::Model];
    fields.extend(goals.then_some(Field::Goal));
    fields.push(Field::Verify);
    fields.extend(is_new.then_some(Field::Accept));
    fields
}

/// Puts text into an empty place, with the cursor at its end.
pub(super) fn type_in(input: &mut TextArea<'static>, said: &str) {
    input.insert_str(typing::clean(said));
    input.move_cursor(CursorMove::Bottom);
    input.move_cursor(CursorMove::End);
}

/// Returns what was typed, without what is empty at its end.
pub(super) fn text(input: &TextArea<'static>) -> String {
    input.lines().join("\n").trim_end().to_owned()
}

/// Returns what a ticket waits for, as people type it. Those that were removed hold nothing up.
fn blockers(ticket: &Ticket, board: &Board) -> String {
    let numbers = ticket.blocked_by.iter().filter_map(|id| board.ticket(*id)).map(|one| one.number.to_string());
    numbers.collect::<Vec<_>>().join(" ")
}

/// Returns the choices, with the one that is there already if it is none of them.
fn with<T: PartialEq>(known: impl Iterator<Item = T>, own: Option<T>) -> Vec<T> {
    let mut all: Vec<T> = known.collect();
    all.extend(own.filter(|own| !all.contains(own)).into_iter().collect::<Vec<_>>());
    all
}

/// Returns the choice that is `by` on from this one, where nothing is the first; `usize::MAX` is one back.
fn next<T: PartialEq + Clone>(all: Vec<T>, now: Option<T>, by: usize) -> Option<T> {
    let count = all.len() + 1;
    let at = now.and_then(|now| all.iter().position(|one| *one == now)).map_or(0, |at| at + 1);
    let to = if by == usize::MAX { (at + count - 1) % count } else { (at + by) % count };
    to.checked_sub(1).and_then(|to| all.into_iter().nth(to))
}
