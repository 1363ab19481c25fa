//! A goal: what a group of tickets is for.

use serde::{Deserialize, Serialize};

use super::autonomy::Autonomy;
use super::id::{BoardId, GoalId};
use super::state::{State, words};
use super::ticket::{Ticket, Title};
use super::time::Timestamp;

/// What a group of tickets is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Goal {
    /// Its identity.
    pub id: GoalId,
    /// The board that it is on.
    pub board: BoardId,
    /// One line that says what is wanted.
    pub title: Title,
    /// More about it.
    pub description: String,
    /// What may happen for it without a person.
    #[serde(default)]
    pub autonomy: Autonomy,
    /// What its tickets may cost, in millionths of a US dollar; nothing and zero set no limit.
    #[serde(default)]
    pub budget_micros: Option<u64>,
    /// When it was set.
    pub created_at: Timestamp,
    /// When it changed last.
    #[serde(default)]
    pub updated_at: Timestamp,
    /// When somebody removed it; it is not on the board any more and can come back.
    #[serde(default)]
    pub removed_at: Option<Timestamp>,
}

impl Goal {
    /// Returns a new goal.
    pub fn new(id: GoalId, board: BoardId, title: Title, description: String, at: Timestamp) -> Self {
        let autonomy = Autonomy::default();
        Self {
            id,
            board,
            title,
            description,
            autonomy,
            budget_micros: None,
            created_at: at,
            updated_at: at,
            removed_at: None,
        }
    }
}

words! {
    /// Where a goal stands, by its tickets.
    GoalStatus, "goal status" {
        /// It has no tickets.
        NotStarted = "not_started",
        /// One of them is blocked.
        Blocked = "blocked",
        /// One of them is at work or checked.
        InProgress = "in_progress",
        /// All of them are done.
        ReadyForMerge = "ready_for_merge",
        /// None of that.
        ReadyToExecute = "ready_to_execute",
    }
}

/// How far a goal's tickets are. Abandoned ones do not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Where it stands.
    pub status: GoalStatus,
    /// Its tickets.
    pub total: usize,
    /// Those that are done.
    pub done: usize,
}

impl Progress {
    /// Returns how far these tickets are.
    pub fn of<'a>(tickets: impl IntoIterator<Item = &'a Ticket>) -> Self {
        let (mut total, mut done, mut blocked, mut at_work) = (0, 0, 0, 0);
        for ticket in tickets {
            match ticket.state {
                State::Abandoned => continue,
                State::Done => done += 1,
                State::Blocked { .. } => blocked += 1,
                State::Executing { .. } | State::Verifying { .. } => at_work += 1,
                State::Proposed | State::Planned | State::NeedsHuman { .. } => {}
            }
            total += 1;
        }
        let status = match (total, blocked, at_work) {
            (0, ..) => GoalStatus::NotStarted,
            (_, 1.., _) => GoalStatus::Blocked,
            (_, _, 1..) => GoalStatus::InProgress,
            _ if done == total => GoalStatus::ReadyForMerge,
            _ => GoalStatus::ReadyToExecute,
        };
        Self { status, total, done }
    }

    /// Returns the share that is done, in whole percent.
    pub fn percent(self) -> usize {
        (self.done * 100).checked_div(self.total).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample;
    use crate::domain::state::Blocked;

    #[test]
    fn abandoned_tickets_keep_no_goal_from_its_end() {
        let of = |states: &[State]| {
            let progress = Progress::of(sample::board_of(states).tickets());
            (progress.status, progress.done, progress.total, progress.percent())
        };
        let blocked = State::Blocked { why: Blocked::Failed };
        assert_eq!(of(&[]), (GoalStatus::NotStarted, 0, 0, 0));
        assert_eq!(of(&[State::Abandoned]), (GoalStatus::NotStarted, 0, 0, 0));
        assert_eq!(of(&[State::Done, State::Abandoned]), (GoalStatus::ReadyForMerge, 1, 1, 100));
        assert_eq!(of(&[State::Done, State::Planned, State::Proposed]), (GoalStatus::ReadyToExecute, 1, 3, 33));
        assert_eq!(of(&[State::Done, blocked]), (GoalStatus::Blocked, 1, 2, 50));
    }
}
