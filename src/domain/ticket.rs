//! A ticket: what is to be done, where it stands, and the worktree that it holds.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::id::{BoardId, GoalId, TicketId, TicketNumber};
use super::pull_request::PullRequest;
use super::state::State;
use super::time::Timestamp;

/// Longest title, in characters.
pub const TITLE_MAX: usize = 255;
/// How many checks of its own a ticket may have; more are refused.
pub const VERIFY_MAX: usize = 5;
/// Longest check of a ticket, in characters.
pub const VERIFY_LENGTH_MAX: usize = 500;

/// What the board knows of every ticket. The description is long and seldom needed, so it is loaded with the details.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// Its identity.
    pub id: TicketId,
    /// Its number on the board.
    pub number: TicketNumber,
    /// The board that it is on.
    pub board: BoardId,
    /// The goal that it serves.
    pub goal: Option<GoalId>,
    /// One line that says what is to be done.
    pub title: Title,
    /// Where it is.
    pub state: State,
    /// Why it is there, for people; empty when nobody said.
    pub reason: String,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Its place in the column when somebody ordered it by hand; smaller is higher.
    pub hand_order: Option<i64>,
    /// The tickets that must be done before it may run.
    pub blocked_by: Vec<TicketId>,
    /// Checks of its own, in place of the repository's.
    pub verify: Vec<String>,
    /// The agent that it asks for.
    pub agent: Option<String>,
    /// The model that it asks for.
    pub model: Option<String>,
    /// The branch from which it starts and on which it is to land, where that is not the board's.
    pub base_branch: Option<String>,
    /// What somebody wants to tell its agent when the job ends that runs now.
    pub message: Option<Message>,
    /// The worktree that was made for it.
    pub worktree: Option<Worktree>,
    /// The pull request that was opened for it last.
    #[serde(default)]
    pub pull_request: Option<Box<PullRequest>>,
    /// The ticket whose landed change it takes back.
    #[serde(default)]
    pub reverts: Option<TicketId>,
    /// The newest of its revisions that came to its target.
    #[serde(default)]
    pub landed: Option<u32>,
    /// What its agents used so far.
    pub usage: Usage,
    /// When it was filed.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// When somebody removed it; it is not on the board any more and can come back.
    #[serde(default)]
    pub removed_at: Option<Timestamp>,
}

impl Ticket {
    /// Says whether the ticket still needs the worktree that it may have.
    pub fn needs_worktree(&self) -> bool {
        self.removed_at.is_none() && self.state.name().keeps_worktree()
    }
}

/// A title: one line of 1 to 255 characters without control characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Title(String);

/// Why a text is no title.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTitle {
    /// Nothing but white space.
    #[error("a title cannot be empty")]
    Empty,
    /// Over 255 characters.
    #[error("a title has at most {TITLE_MAX} characters, this one has {0}")]
    TooLong(usize),
}

impl Title {
    /// Reads a title; control characters become blanks and outer white space goes.
    ///
    /// # Errors
    /// When nothing is left, or it is longer than 255 characters.
    pub fn new(text: &str) -> Result<Self, BadTitle> {
        // Most have none, and a large board has thousands of titles.
        let line = match text.contains(char::is_control) {
            true => Cow::Owned(text.replace(char::is_control, " ")),
            false => Cow::Borrowed(text),
        };
        let line = line.trim();
        match line.chars().count() {
            0 => Err(BadTitle::Empty),
            length if length > TITLE_MAX => Err(BadTitle::TooLong(length)),
            _ => Ok(Self(line.to_owned())),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Title {
    type Error = BadTitle;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How urgent a ticket is: 0 to 100, more is more urgent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

/// The priority is out of range or no such word.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no priority; give P0 (most urgent) to P3, or a number from 0 to 100 (most urgent)")]
pub struct BadPriority(pub String);

impl Priority {
    /// Returns the number, 0 to 100.
    pub fn value(self) -> u8 {
        self.0
    }

    /// Returns the bucket as short as cards show it: 80 and more is P0, 50 P1, 20 P2, else P3.
    pub fn bucket(self) -> &'static str {
        match self.0 {
            80.. => "P0",
            50.. => "P1",
            20.. => "P2",
            _ => "P3",
        }
    }

    /// Returns the bucket in words.
    pub fn label(self) -> &'static str {
        match self.0 {
            80.. => "High",
            50.. => "Medium",
            20.. => "Low",
            _ => "Very Low",
        }
    }
}

impl TryFrom<u8> for Priority {
    type Error = BadPriority;

    fn try_from(value: u8) -> Result<Self, Self::Error> {
        if value <= 100 { Ok(Self(value)) } else { Err(BadPriority(value.to_string())) }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// Reads `P0` to `P3` (as 90, 70, 40 and 10, the middle of each bucket) or a number.
impl std::str::FromStr for Priority {
    type Err = BadPriority;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadPriority(text.to_owned());
        match text.to_ascii_uppercase().as_str() {
            "P0" => Ok(Self(90)),
            "P1" => Ok(Self(70)),
            "P2" => Ok(Self(40)),
            "P3" => Ok(Self(10)),
            _ => text.parse::<u8>().map_err(|_| bad())?.try_into().map_err(|_| bad()),
        }
    }
}

/// How long a message waits for its agent before it is out of date.
pub const MESSAGE_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Longest message to an agent, in characters.
pub const MESSAGE_MAX: usize = 20_000;

/// A message that waits for a ticket's agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// What is said.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Message {
    /// Says whether it is still to be told.
    pub fn is_due(&self, now: Timestamp) -> bool {
        now.since(self.at) < MESSAGE_LIFE
    }
}

/// The worktree and branch that a ticket holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Worktree {
    /// The folder.
    pub path: PathBuf,
    /// The branch that was made for it, without `refs/heads/`.
    pub branch: String,
    /// The branch that it started from and is meant for.
    pub base_branch: String,
    /// The commit that it started from, in full hexadecimal.
    pub base: String,
    /// The first of the ports that are its own.
    pub port: Option<u16>,
}

/// What agents used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What the agent said that it cost, in millionths of a US dollar; unknown where no agent says it.
    pub cost_micros: Option<u64>,
}

impl Usage {
    /// Returns all tokens together.
    pub fn tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Returns the cost in US dollars.
    #[expect(clippy::cast_precision_loss, reason = "a cost beyond 2^52 millionths of a dollar is not met")]
    pub fn cost_usd(self) -> Option<f64> {
        self.cost_micros.map(|micros| micros as f64 / 1e6)
    }
}

impl std::ops::Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cost_micros: match (self.cost_micros, other.cost_micros) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_of_1_to_255_characters() {
        assert_eq!(
            Title::new("  Guard sqrt\nof negatives\u{1b}[31m ").unwrap().as_str(),
            "Guard sqrt of negatives [31m"
        );
        assert_eq!(Title::new(" \t\n"), Err(BadTitle::Empty));
        assert_eq!(Title::new(&"ü".repeat(255)).unwrap().as_str().chars().count(), 255);
        assert_eq!(Title::new(&"ü".repeat(256)), Err(BadTitle::TooLong(256)));
    }

    #[test]
    fn priorities_are_read_as_buckets_or_numbers() {
        for (text, value, bucket, label) in [
            ("P0", 90, "P0", "High"),
            ("p1", 70, "P1", "Medium"),
            ("P2", 40, "P2", "Low"),
            ("P3", 10, "P3", "Very Low"),
            ("80", 80, "P0", "High"),
            ("79", 79, "P1", "Medium"),
            ("50", 50, "P1", "Medium"),
            ("20", 20, "P2", "Low"),
            ("0", 0, "P3", "Very Low"),
            ("100", 100, "P0", "High"),
        ] {
            let priority: Priority = text.parse().unwrap();
            assert_eq!((priority.value(), priority.bucket(), priority.label()), (value, bucket, label), "{text}");
        }
        for bad in ["P4", "101", "-1", "", "high"] {
            assert!(bad.parse::<Priority>().is_err(), "{bad}");
        }
    }
}
