//! A board as a file: what people filed and what became of it, without anything of this machine. The format has a version.
//!
//! Tickets name each other by number and goals by their place in the file, so that a board can be read into another one,
//! beside what is there.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::board::Board;
use super::event::{Actor, ActorKind, Event, EventKind};
use super::id::{GoalId, TicketId, TicketNumber};
use super::state::{Blocked, State, StateName};
use super::ticket::{Priority, Ticket, Title};
use super::time::Timestamp;

/// The word that tells such a file from others.
pub const FORMAT: &str = "draft-board";
/// The newest version of the format, which is the one that is written. A field more is a new version.
pub const VERSION: u32 = 1;

/// A board as it is written into a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the format.
    pub version: u32,
    /// The name of the board that it was written from, for people.
    pub board: String,
    /// The goals, oldest first. Tickets name them by their place, counted from 1.
    pub goals: Vec<ArchivedGoal>,
    /// The tickets, by number.
    pub tickets: Vec<ArchivedTicket>,
}

/// A goal in a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedGoal {
    /// One line that says what is wanted.
    pub title: Title,
    /// More about it; Markdown.
    pub description: String,
    /// When it was set.
    #[serde(with = "moment")]
    pub created_at: Timestamp,
    /// When it changed last.
    #[serde(with = "moment")]
    pub updated_at: Timestamp,
}

/// A ticket in a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedTicket {
    /// Its number.
    pub number: TicketNumber,
    /// The goal that it serves, by its place.
    pub goal: Option<u32>,
    /// One line that says what is to be done.
    pub title: Title,
    /// More about it; Markdown.
    pub description: String,
    /// Where it is: `proposed`, `planned`, `blocked`, `done` or `abandoned`. One that was at work or in review is `planned`, since
    /// its change stays behind.
    pub state: StateName,
    /// Why it is blocked.
    pub why: Option<Blocked>,
    /// Why it is there, where a person said so.
    pub reason: String,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Its place in the column when somebody ordered it by hand; smaller is higher.
    pub order: Option<i64>,
    /// The numbers of the tickets that it waits for.
    pub after: Vec<TicketNumber>,
    /// Checks of its own.
    pub verify: Vec<String>,
    /// The agent that it asks for.
    pub agent: Option<String>,
    /// The model that it asks for.
    pub model: Option<String>,
    /// The branch from which it starts, where that is not the board's.
    pub base_branch: Option<String>,
    /// When it was filed.
    #[serde(with = "moment")]
    pub created_at: Timestamp,
    /// When it changed last.
    #[serde(with = "moment")]
    pub updated_at: Timestamp,
    /// What happened to it, oldest first.
    pub history: Vec<ArchivedEvent>,
}

/// An event in a file. Facts for programs are left out: they name jobs and paths that stay behind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchivedEvent {
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The state before.
    pub from: Option<StateName>,
    /// The state after.
    pub to: Option<StateName>,
    /// Who.
    pub actor: Actor,
    /// Why, where a person said so: what Draft and agents say can hold output and paths of this machine.
    pub reason: String,
}

/// Why a text is no archive that can be read.
#[derive(Debug, thiserror::Error)]
pub enum BadArchive {
    /// It is no JSON, or has not the fields of an archive.
    #[error("it is no board that was exported: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is something else.
    #[error("it is no board that was exported: its format is `{0}` and not `{FORMAT}`")]
    Foreign(String),
    /// A newer Draft wrote it.
    #[error("its version is {0}, and this Draft reads versions up to {VERSION}")]
    Newer(u32),
}

impl Archive {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is not of this format, of a newer version, or not whole.
    pub fn read(text: &str) -> Result<Self, BadArchive> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.format != FORMAT {
            return Err(BadArchive::Foreign(head.format));
        }
        if head.version > VERSION {
            return Err(BadArchive::Newer(head.version));
        }
        Ok(serde_json::from_str(text)?)
    }

    /// Returns what is on a board. Removed tickets and goals are left out, and links to them.
    pub fn of(
        board: &Board,
        descriptions: &HashMap<TicketId, String>,
        history: &HashMap<TicketId, Vec<Event>>,
    ) -> Self {
        let goals = board.goals();
        let places: HashMap<GoalId, u32> = (1..).zip(&goals).map(|(place, goal)| (goal.id, place)).collect();
        let archived = |goal: &super::goal::Goal| ArchivedGoal {
            title: goal.title.clone(),
            description: goal.description.clone(),
            created_at: goal.created_at,
            updated_at: goal.updated_at,
        };
        let number = |id: &TicketId| board.ticket(*id).map(|ticket| ticket.number);
        let tickets = board.tickets().map(|ticket| ArchivedTicket {
            goal: ticket.goal.and_then(|id| places.get(&id).copied()),
            description: descriptions.get(&ticket.id).cloned().unwrap_or_default(),
            after: ticket.blocked_by.iter().filter_map(number).collect(),
            ..ArchivedTicket::of(ticket, history.get(&ticket.id).map_or(&[], Vec::as_slice))
        });
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            board: board.about.name.clone(),
            goals: goals.iter().map(|goal| archived(goal)).collect(),
            tickets: tickets.collect(),
        }
    }
}

impl ArchivedTicket {
    /// Takes over what a ticket and its history say of it.
    fn of(ticket: &Ticket, history: &[Event]) -> Self {
        let (state, why) = match ticket.state {
            State::Proposed => (StateName::Proposed, None),
            State::Planned | State::Executing { .. } | State::Verifying { .. } | State::NeedsHuman { .. } => {
                (StateName::Planned, None)
            }
            State::Blocked { why } => (StateName::Blocked, Some(why)),
            State::Done => (StateName::Done, None),
            State::Abandoned => (StateName::Abandoned, None),
        };
        let history: Vec<ArchivedEvent> = history.iter().map(ArchivedEvent::of).collect();
        // Why it was at work or in review says nothing of one that is planned, and what no person said stays here.
        let is_told = state == ticket.state.name() && history.iter().any(|event| event.reason == ticket.reason);
        Self {
            number: ticket.number,
            goal: None,
            title: ticket.title.clone(),
            description: String::new(),
            state,
            why,
            reason: if is_told { ticket.reason.clone() } else { String::new() },
            priority: ticket.priority,
            order: ticket.hand_order,
            after: Vec::new(),
            verify: ticket.verify.clone(),
            agent: ticket.agent.clone(),
            model: ticket.model.clone(),
            base_branch: ticket.base_branch.clone(),
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
            history,
        }
    }

    /// Returns the state that it is to have; nothing where the file says what cannot be.
    pub fn to_state(&self) -> Option<State> {
        match (self.state, self.why) {
            (StateName::Proposed, None) => Some(State::Proposed),
            (StateName::Planned, None) => Some(State::Planned),
            (StateName::Blocked, Some(why)) => Some(State::Blocked { why }),
            (StateName::Done, None) => Some(State::Done),
            (StateName::Abandoned, None) => Some(State::Abandoned),
            (StateName::Proposed | StateName::Planned | StateName::Done | StateName::Abandoned, Some(_))
            | (StateName::Blocked, None)
            | (StateName::Executing | StateName::Verifying | StateName::NeedsHuman, _) => None,
        }
    }
}

impl ArchivedEvent {
    fn of(event: &Event) -> Self {
        let event = &event.event;
        Self {
            at: event.at,
            kind: event.kind,
            from: event.from,
            to: event.to,
            actor: event.actor.clone(),
            reason: match event.actor.kind {
                ActorKind::Human => event.reason.clone(),
                ActorKind::Planner | ActorKind::System | ActorKind::Executor => String::new(),
            },
        }
    }
}

/// Moments as people read them: RFC 3339, in UTC.
mod moment {
    use chrono::DateTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = DateTime::parse_from_rfc3339(&text);
        let moment = moment.map_err(|error| D::Error::custom(format!("`{text}` is no time: {error}")))?;
        Ok(Timestamp(moment.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_version_a_foreign_format_and_no_json_are_told_apart() {
        let read = |text: &str| Archive::read(text).unwrap_err().to_string();
        let newer = r#"{"format":"draft-board","version":2,"colour":"red"}"#;
        assert_eq!(read(newer), "its version is 2, and this Draft reads versions up to 1");
        assert!(read(r#"{"format":"trello","version":1}"#).contains("its format is `trello`"));
        assert!(read("[]").starts_with("it is no board that was exported: "));
        assert!(
            read(r#"{"format":"draft-board","version":1,"board":"a","goals":[]}"#).contains("missing field `tickets`")
        );
        let more = r#"{"format":"draft-board","version":1,"board":"a","goals":[],"tickets":[],"colour":"red"}"#;
        assert!(read(more).contains("unknown field `colour`"));
    }
}
