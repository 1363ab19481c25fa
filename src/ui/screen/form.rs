//! The form of a new ticket: what is typed, which field has the keys, and what is wrong with it.

use crossterm::event::KeyEvent;
use ratatui_textarea::{TextArea, WrapMode};

use crate::domain::board::Board;
use crate::domain::id::TicketRef;
use crate::domain::ticket::{Priority, Title};
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
    Accept,
}

impl Field {
    pub(super) const ALL: [Self; 6] =
        [Self::Title, Self::Description, Self::Priority, Self::After, Self::Agent, Self::Accept];
}

/// The priorities to choose from; nothing is one of them.
pub(super) const PRIORITIES: [Option<&str>; 5] = [None, Some("P0"), Some("P1"), Some("P2"), Some("P3")];

/// What is typed and chosen.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Form {
    pub(super) focus: Field,
    pub(super) title: TextArea<'static>,
    pub(super) description: TextArea<'static>,
    /// Index into [`PRIORITIES`].
    pub(super) priority: usize,
    pub(super) after: TextArea<'static>,
    pub(super) agent: Option<String>,
    pub(super) accepted: bool,
    pub(super) errors: Vec<(Field, String)>,
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
}

impl Form {
    /// Returns an empty form.
    pub(in crate::ui) fn new(theme: &Theme) -> Self {
        let mut description = area(theme);
        description.set_wrap_mode(WrapMode::WordOrGlyph);
        Self {
            focus: Field::Title,
            title: area(theme),
            description,
            priority: 0,
            after: area(theme),
            agent: None,
            accepted: false,
            errors: Vec::new(),
        }
    }

    /// Says whether nothing was typed.
    pub(in crate::ui) fn is_blank(&self) -> bool {
        self.title.is_empty() && self.description.is_empty() && self.after.is_empty()
    }

    /// Says whether the field with the keys offers choices.
    pub(in crate::ui) fn is_at_choice(&self) -> bool {
        match self.focus {
            Field::Priority | Field::Agent | Field::Accept => true,
            Field::Title | Field::Description | Field::After => false,
        }
    }

    /// Says whether the field with the keys takes more than one line.
    pub(super) fn takes_lines(&self) -> bool {
        self.focus == Field::Description
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
            Some(Action::Save) if self.focus == Field::Description && event.modifiers.is_empty() => {
                self.description.insert_newline();
            }
            Some(Action::Save) => return self.save(board),
            Some(Action::NextField) => self.turn(1),
            Some(Action::PreviousField) => self.turn(Field::ALL.len() - 1),
            Some(Action::NextChoice) if self.input().is_none() => self.choose(1, agents),
            Some(Action::PreviousChoice) if self.input().is_none() => self.choose(usize::MAX, agents),
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
            Field::Description => Some(&mut self.description),
            Field::After => Some(&mut self.after),
            Field::Priority | Field::Agent | Field::Accept => None,
        }
    }

    fn turn(&mut self, by: usize) {
        let at = Field::ALL.iter().position(|field| *field == self.focus).unwrap_or(0);
        self.focus = Field::ALL[(at + by) % Field::ALL.len()];
    }

    /// Goes `by` choices on; `usize::MAX` is one back.
    fn choose(&mut self, by: usize, agents: &[String]) {
        let next =
            |at: usize, count: usize| if by == usize::MAX { (at + count - 1) % count } else { (at + by) % count };
        match self.focus {
            Field::Priority => self.priority = next(self.priority, PRIORITIES.len()),
            Field::Agent => {
                let at = self.agent.as_ref().and_then(|name| agents.iter().position(|agent| agent == name));
                let to = next(at.map_or(0, |at| at + 1), agents.len() + 1);
                self.agent = to.checked_sub(1).and_then(|at| agents.get(at)).cloned();
            }
            Field::Accept => self.accepted = !self.accepted,
            Field::Title | Field::Description | Field::After => {}
        }
    }

    fn save(&mut self, board: &Board) -> Outcome {
        self.errors.clear();
        let title = Title::new(&self.title.lines().join(" "))
            .map_err(|error| self.errors.push((Field::Title, error.to_string())))
            .ok();
        let after = match after(&self.after.lines().join(" "), board) {
            Ok(after) => Some(after),
            Err(error) => {
                self.errors.push((Field::After, error));
                None
            }
        };
        if let Some((field, _)) = self.errors.first() {
            self.focus = *field;
        }
        let (Some(title), Some(after)) = (title, after) else { return Outcome::Open };
        Outcome::File(Filing {
            title,
            description: self.description.lines().join("\n").trim_end().to_owned(),
            priority: PRIORITIES[self.priority].and_then(|text| text.parse::<Priority>().ok()),
            after,
            agent: self.agent.clone(),
            accepted: self.accepted,
        })
    }
}

fn after(typed: &str, board: &Board) -> Result<Vec<TicketRef>, String> {
    let mut after = Vec::new();
    for word in typed.split([' ', ',']).filter(|word| !word.is_empty()) {
        let name: TicketRef = word.parse().map_err(|error: crate::domain::id::BadTicketRef| error.to_string())?;
        let ticket = board.find(name).ok_or_else(|| format!("there is no ticket {name} on this board"))?;
        after.push(TicketRef::Id(ticket.id));
    }
    Ok(after)
}
