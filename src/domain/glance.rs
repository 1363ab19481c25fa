//! What is to be seen of a board from elsewhere, and how many tickets are in which state.

use std::fmt;

use super::board::{About, Board};
use super::job::JobStatus;
use super::state::StateName;
use super::ticket::Ticket;

/// A board as somebody sees it who works on another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glance {
    /// Its name and its repository.
    pub about: About,
    /// How its tickets are.
    pub tickets: Tally,
    /// How many goals it has.
    pub goals: usize,
    /// How many of its jobs run.
    pub running: usize,
    /// Whether its repository's folder is still there.
    pub exists: bool,
    /// The process that is its engine now; nothing while nobody is.
    pub engine: Option<u32>,
}

impl Glance {
    /// Returns what is to be seen of a board.
    pub fn of(board: &Board, exists: bool, engine: Option<u32>) -> Self {
        Self {
            about: board.about.clone(),
            tickets: Tally::of(board.tickets()),
            goals: board.goals().len(),
            running: board.active_jobs().filter(|job| job.status == JobStatus::Running).count(),
            exists,
            engine,
        }
    }
}

/// How many tickets there are in each state that has any, in the order of the board.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally(pub Vec<(StateName, usize)>);

impl Tally {
    /// Counts these tickets.
    pub fn of<'a>(tickets: impl IntoIterator<Item = &'a Ticket>) -> Self {
        let mut counts: Vec<(StateName, usize)> = StateName::ALL.iter().map(|state| (*state, 0)).collect();
        for ticket in tickets {
            let state = ticket.state.name();
            counts.iter_mut().filter(|(of, _)| *of == state).for_each(|(_, count)| *count += 1);
        }
        counts.retain(|(_, count)| *count > 0);
        Self(counts)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no tickets");
        }
        let words: Vec<String> = self.0.iter().map(|(state, count)| format!("{count} {state}")).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample;
    use crate::domain::state::State;

    #[test]
    fn tickets_are_counted_in_the_order_of_the_board() {
        let board = sample::board_of(&[State::Done, State::Proposed, State::Done]);
        assert_eq!(Tally::of(board.tickets()).to_string(), "1 proposed, 2 done");
        assert_eq!(Tally::default().to_string(), "no tickets");
    }
}
