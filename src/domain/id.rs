//! Identities: UUIDs with a type each, and the number by which people call a ticket.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// Identifies a board: one project bound to one repository.
    BoardId,
    /// Identifies a goal, which groups tickets.
    GoalId,
    /// Identifies a ticket for ever; refs and folders are named by it.
    TicketId,
    /// Identifies a job: one piece of work on a ticket, made of runs.
    JobId,
    /// Identifies a piece of evidence.
    EvidenceId,
    /// Identifies a comment on a revision.
    CommentId,
}

/// The number of a ticket on its board, counted from 1; this is what people say and type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketNumber(pub u32);

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// How somebody names a ticket: `12`, `#12` or its full UUID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketRef {
    /// By its number on the board.
    Number(TicketNumber),
    /// By its UUID.
    Id(TicketId),
}

impl fmt::Display for TicketRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// The text names no ticket: it is neither a number nor a UUID.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is neither a ticket number like 12 or #12 nor a full UUID")]
pub struct BadTicketRef(pub String);

impl FromStr for TicketRef {
    type Err = BadTicketRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        if let Ok(number) = digits.parse::<u32>()
            && !digits.starts_with('+')
        {
            return Ok(Self::Number(TicketNumber(number)));
        }
        text.parse().map(Self::Id).map_err(|_| BadTicketRef(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_named_by_number_with_or_without_sign_or_by_uuid() {
        assert_eq!("12".parse(), Ok(TicketRef::Number(TicketNumber(12))));
        assert_eq!("#12".parse(), Ok(TicketRef::Number(TicketNumber(12))));
        let uuid = "01a20b66-cf23-74a3-840d-52b3348bb96c";
        assert_eq!(uuid.parse(), Ok(TicketRef::Id(uuid.parse().unwrap())));
        for bad in ["", "#", "twelve", "-1", "#+1", "1.5", "01a20b66"] {
            assert!(bad.parse::<TicketRef>().is_err(), "{bad}");
        }
    }
}
