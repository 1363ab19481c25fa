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
}
