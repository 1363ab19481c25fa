//! The states of a ticket, why it is there, and the table of moves between them.

use serde::{Deserialize, Serialize};

use super::id::JobId;

/// Where a ticket is. A state carries what only it has, so nonsense cannot be written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody or some rule suggested it; nobody accepted it yet.
    Proposed,
    /// Accepted; it may run. A queued ticket and one that waits for a blocker are here too.
    Planned,
    /// An agent works on it.
    Executing {
        /// The execute job that runs.
        job: JobId,
    },
    /// The agent left a change; the repository's checks decide about it.
    Verifying {
        /// The verify job, queued or running.
        job: JobId,
    },
    /// A person must look.
    NeedsHuman {
        /// What for.
        why: NeedsHuman,
    },
    /// Something went wrong.
    Blocked {
        /// What.
        why: Blocked,
    },
    /// Its change is on the target, or it never needed one.
    Done,
    /// Given up; it can be reactivated.
    Abandoned,
}

impl State {
    /// Returns the state without what it carries.
    pub fn name(self) -> StateName {
        match self {
            Self::Proposed => StateName::Proposed,
            Self::Planned => StateName::Planned,
            Self::Executing { .. } => StateName::Executing,
            Self::Verifying { .. } => StateName::Verifying,
            Self::NeedsHuman { .. } => StateName::NeedsHuman,
            Self::Blocked { .. } => StateName::Blocked,
            Self::Done => StateName::Done,
            Self::Abandoned => StateName::Abandoned,
        }
    }

    /// Returns the job that holds the ticket in this state.
    pub fn job(self) -> Option<JobId> {
        match self {
            Self::Executing { job } | Self::Verifying { job } => Some(job),
            Self::Proposed
            | Self::Planned
            | Self::NeedsHuman { .. }
            | Self::Blocked { .. }
            | Self::Done
            | Self::Abandoned => None,
        }
    }

    /// Says whether a person must act on a ticket in this state, as long as it has no job.
    pub fn asks_for_a_person(self) -> bool {
        match self {
            Self::NeedsHuman { why } => match why {
                NeedsHuman::Review
                | NeedsHuman::Question
                | NeedsHuman::Handover
                | NeedsHuman::Landing
                | NeedsHuman::Conflict
                | NeedsHuman::Refused => true,
                NeedsHuman::Approved => false,
            },
            Self::Blocked { .. } => true,
            Self::Proposed
            | Self::Planned
            | Self::Executing { .. }
            | Self::Verifying { .. }
            | Self::Done
            | Self::Abandoned => false,
        }
    }

    /// Returns the word for why the ticket is here, as scripts read it.
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::NeedsHuman { why } => Some(why.as_str()),
            Self::Blocked { why } => Some(why.as_str()),
            Self::Proposed
            | Self::Planned
            | Self::Executing { .. }
            | Self::Verifying { .. }
            | Self::Done
            | Self::Abandoned => None,
        }
    }
}

/// The text is not one of the words that are known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is not a {what}; known are {known}")]
pub struct UnknownWord {
    /// What was read.
    pub text: String,
    /// What was expected, in words.
    pub what: &'static str,
    /// The words that would do, separated by commas.
    pub known: String,
}

/// Declares an enum whose variants are words in JSON, SQL and YAML, from one list.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order in which people see them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word for it, as stored and printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::state::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::domain::state::UnknownWord {
                        text: text.to_owned(),
                        what: $what,
                        known: [$($word),+].join(", "),
                    }),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The eight states by name; this is also the order of the board's columns.
    StateName, "state" {
        /// Suggested.
        Proposed = "proposed",
        /// Accepted.
        Planned = "planned",
        /// An agent works.
        Executing = "executing",
        /// Checks run.
        Verifying = "verifying",
        /// A person must look.
        NeedsHuman = "needs_human",
        /// A problem.
        Blocked = "blocked",
        /// Landed, or nothing to land.
        Done = "done",
        /// Given up.
        Abandoned = "abandoned",
    }
}

impl StateName {
    /// Says whether a ticket in this state keeps its worktree; that of others goes into the trash.
    pub fn keeps_worktree(self) -> bool {
        match self {
            Self::Proposed | Self::Planned | Self::Executing | Self::Verifying | Self::NeedsHuman | Self::Blocked => {
                true
            }
            Self::Done | Self::Abandoned => false,
        }
    }

    /// Returns the heading of its column.
    pub fn title(self) -> &'static str {
        match self {
            Self::Proposed => "Proposed",
            Self::Planned => "Planned",
            Self::Executing => "Executing",
            Self::Verifying => "Verifying",
            Self::NeedsHuman => "Needs Human",
            Self::Blocked => "Blocked",
            Self::Done => "Done",
            Self::Abandoned => "Abandoned",
        }
    }
}

words! {
    /// Why a ticket waits for a person.
    NeedsHuman, "reason to need a person" {
        /// A verified change is there to be reviewed.
        Review = "review",
        /// The agent asked something and changed nothing.
        Question = "question",
        /// An interactive agent, or a person, is to do the work by hand.
        Handover = "handover",
        /// Approved and waiting to be landed.
        Approved = "approved",
        /// The landing failed.
        Landing = "landing",
        /// The change conflicts with the target.
        Conflict = "conflict",
        /// Something was not allowed: automatic approval, or an action of the agent.
        Refused = "refused",
    }
}

words! {
    /// What blocks a ticket.
    Blocked, "reason to be blocked" {
        /// The agent or a check failed, or nothing was changed.
        Failed = "failed",
        /// A person stopped it; it is never picked again by itself.
        Canceled = "canceled",
        /// The job ended and nobody saw how.
        Lost = "lost",
        /// Draft would not run it: an unsafe worktree, a command that is not trusted or not allowed.
        Refused = "refused",
        /// A ticket that it waits for was abandoned.
        Dependency = "dependency",
    }
}

/// A move that is allowed, and what usually causes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    /// Where the ticket is.
    pub from: StateName,
    /// Where it may go.
    pub to: StateName,
    /// The typical cause, for help and documentation.
    pub cause: &'static str,
}

/// Every allowed move. All others are refused.
pub const MOVES: [Move; 24] = {
    use StateName::{Abandoned, Blocked, Done, Executing, NeedsHuman, Planned, Proposed, Verifying};
    const fn row(from: StateName, to: StateName, cause: &'static str) -> Move {
        Move { from, to, cause }
    }
    [
        row(Proposed, Planned, "somebody accepts it"),
        row(Proposed, Abandoned, "somebody gives it up"),
        row(Planned, Proposed, "somebody sends it back"),
        row(Planned, Executing, "its job starts"),
        row(Planned, Blocked, "its blocker was abandoned, or its job was canceled"),
        row(Planned, Abandoned, "somebody gives it up"),
        row(Executing, Verifying, "the agent left a change"),
        row(Executing, NeedsHuman, "the agent asked, was refused, or a person is to do it"),
        row(Executing, Blocked, "the agent failed, changed nothing, was stopped or lost"),
        row(Executing, Done, "it ran again after its landing and left no new revision"),
        row(Verifying, Executing, "rework"),
        row(Verifying, NeedsHuman, "every check passed"),
        row(Verifying, Blocked, "a check failed, was stopped or lost"),
        row(Verifying, Done, "every check passed and the goal's rules approve"),
        row(NeedsHuman, Executing, "it runs again, with feedback or an answer"),
        row(NeedsHuman, Planned, "somebody plans it again"),
        row(NeedsHuman, Verifying, "it is resumed after a person's edits, or checked again"),
        row(NeedsHuman, Done, "its change is on the target, or there is none"),
        row(NeedsHuman, Abandoned, "somebody gives it up"),
        row(Blocked, Planned, "somebody plans it again, or its blocker came back"),
        row(Blocked, Executing, "retry"),
        row(Blocked, Abandoned, "somebody gives it up"),
        row(Done, Executing, "more changes are asked for"),
        row(Abandoned, Planned, "somebody reactivates it"),
    ]
};

/// Says whether the table has that move.
pub fn may_move(from: StateName, to: StateName) -> bool {
    MOVES.iter().any(|row| row.from == from && row.to == to)
}

/// Returns where a ticket in that state may go, in the order of the columns.
pub fn legal_moves(from: StateName) -> impl Iterator<Item = StateName> {
    StateName::ALL.iter().copied().filter(move |to| may_move(from, *to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_move_twice_and_none_onto_itself() {
        for (i, row) in MOVES.iter().enumerate() {
            assert_ne!(row.from, row.to);
            assert!(MOVES[i + 1..].iter().all(|other| (other.from, other.to) != (row.from, row.to)));
        }
    }

    #[test]
    fn moves_that_would_skip_work_are_refused() {
        use StateName::*;
        for (from, to) in
            [(Blocked, Done), (Planned, Done), (Done, Planned), (NeedsHuman, Blocked), (Proposed, Executing)]
        {
            assert!(!may_move(from, to), "{from} → {to}");
        }
    }

    #[test]
    fn every_state_can_be_reached_and_left() {
        for state in StateName::ALL {
            assert!(*state == StateName::Proposed || MOVES.iter().any(|row| row.to == *state));
            assert!(legal_moves(*state).next().is_some());
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
    }
}
