//! A goal: what a group of tickets is for.

use serde::{Deserialize, Serialize};

use super::id::{BoardId, GoalId};
use super::ticket::Title;
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
        Self { id, board, title, description, created_at: at, updated_at: at, removed_at: None }
    }
}
