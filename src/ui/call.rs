//! What calls a person who looks elsewhere: notifications in the words of terminals, and the title of the window.

use std::collections::HashSet;

use crate::config::UiConfig;
use crate::domain::id::TicketId;
use crate::domain::ticket::Ticket;

use super::model::Model;
use super::msg::Effect;
use super::widget::text;
use super::words;

/// How a terminal is asked to call its person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// The bell, which every terminal and multiplexer has.
    Bell,
    /// A notification as iTerm2, Windows Terminal, Ghostty and others know it.
    Osc9,
    /// As urxvt, foot and WezTerm know it.
    Osc777,
    /// As kitty knows it.
    Osc99,
}

impl Call {
    /// Reads the word of the setting; nothing for ways that are not the terminal's.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "bell" => Some(Self::Bell),
            "osc9" => Some(Self::Osc9),
            "osc777" => Some(Self::Osc777),
            "osc99" => Some(Self::Osc99),
            _ => None,
        }
    }

    /// Returns what is written for it. Nothing in the text can end the sequence or begin another one.
    pub fn sequence(self, said: &str) -> String {
        let said = text::visible(said);
        match self {
            Self::Bell => "\x07".to_owned(),
            Self::Osc9 => format!("\x1b]9;{said}\x07"),
            Self::Osc777 => format!("\x1b]777;notify;Draft;{}\x07", said.replace(';', ",")),
            Self::Osc99 => format!("\x1b]99;;{said}\x1b\\"),
        }
    }
}

impl Model {
    /// Returns how the board meets the person.
    pub fn ui_settings(&self) -> &UiConfig {
        &self.settings.ui
    }

    /// Says whether the mouse is to be the board's.
    pub fn wants_mouse(&self) -> bool {
        self.settings.ui.mouse
    }

    /// Returns the title of the terminal's window: how much needs the person, and how much runs.
    pub fn window_title(&self) -> String {
        let (waiting, running) = (self.index.needing_you(), self.index.running().total());
        let need = if waiting == 1 { "needs" } else { "need" };
        let run = if running == 1 { "runs" } else { "run" };
        match (waiting, running) {
            (0, 0) => format!("draft: {}", self.board.about.name),
            (0, _) => format!("draft: {running} {run}"),
            (_, 0) => format!("draft: {waiting} {need} you"),
            (_, _) => format!("draft: {waiting} {need} you, {running} {run}"),
        }
    }

    /// Calls the person for tickets that need one and did not before.
    pub(super) fn call(&self, needed: &HashSet<TicketId>) -> Option<Effect> {
        if self.focused {
            return None;
        }
        let new = self.index.all_needing_you().filter(|id| !needed.contains(id));
        let mut new: Vec<&Ticket> = new.filter_map(|id| self.board.ticket(id)).collect();
        new.sort_by_key(|ticket| ticket.number);
        let text = match new.as_slice() {
            [] => return None,
            [one] => {
                let why = one.state.why().unwrap_or("it waits for an abandoned ticket");
                format!("{} needs you ({why}): {}", one.number, one.title)
            }
            many => {
                let numbers: Vec<_> = many.iter().map(|ticket| ticket.number).collect();
                format!("{} tickets need you: {}", many.len(), words::numbers(&numbers))
            }
        };
        Some(Effect::Notify(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_sequence_or_begins_another_one() {
        for way in ["bell", "osc9", "osc777", "osc99"].map(|word| Call::of(word).unwrap()) {
            let sequence = way.sequence("a\u{7}b\u{1b}\\c\u{9c}d;e");
            let controls = sequence.chars().filter(|c| c.is_control()).count();
            assert!(controls <= 3, "{way:?}: {sequence:?}");
            let end = if way == Call::Osc99 { "\u{1b}\\" } else { "\u{7}" };
            assert!(sequence.ends_with(end), "{way:?}: {sequence:?}");
            assert_eq!(sequence.matches('\u{7}').count(), usize::from(way != Call::Osc99), "{way:?}");
        }
    }
}
