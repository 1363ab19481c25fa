//! What an agent or a check printed, as people read it.

use serde::{Deserialize, Serialize};

use super::id::TicketId;
use super::job::Job;
use super::log_filter::LogFilter;
use super::log_find::Sought;
use super::run::{Run, RunId};
use super::state::words;
use super::ticket::Usage;
use super::time::Timestamp;

words! {
    /// What a log entry is.
    EntryKind, "log entry kind" {
        /// A session began; its name is in `session`.
        Session = "session",
        /// The agent says something.
        Assistant = "assistant",
        /// The agent thinks.
        Thinking = "thinking",
        /// The agent uses a tool.
        ToolCall = "tool_call",
        /// What the tool answered.
        ToolResult = "tool_result",
        /// The agent edited a file; its name is in `path`.
        Edit = "edit",
        /// The agent ran a command.
        Command = "command",
        /// Something went wrong.
        Error = "error",
        /// The agent tries to reach its model again.
        Retry = "retry",
        /// Tokens or cost.
        Usage = "usage",
        /// The agent's own end of its work; `ok` says how.
        End = "end",
        /// Something about the run that is none of the above, or is not known to the reader.
        System = "system",
        /// A plain line.
        Text = "text",
    }
}

/// One entry of a readable log. Its texts are untrusted: whoever draws them makes control characters harmless.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// What to read; it may have several lines.
    pub text: String,
    /// The tool's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The file, relative to the worktree where it lies in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The exit code of a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The agent's name for its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Whether it went well, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
}

impl Entry {
    /// Returns an entry that has only a text.
    pub fn new(kind: EntryKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), tool: None, path: None, exit_code: None, session: None, usage: None, ok: None }
    }
}

words! {
    /// How a log is shown.
    LogView, "log view" {
        /// As the agent's reader understands it.
        Pretty = "pretty",
        /// The bytes, line by line.
        Raw = "raw",
    }
}

/// Which part of a log is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogPlace {
    /// The last rows there are, and more as they come.
    End,
    /// The rows from this one on.
    From(u64),
    /// The rows around one in which there is what is sought.
    Found {
        /// The row from which it is looked for.
        from: u64,
        /// In which direction.
        way: Way,
        /// The first row to show while it is not found.
        top: u64,
    },
}

/// In which direction something is looked for; past the one end it goes on from the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// The row itself or one below.
    Here,
    /// A row below.
    Down,
    /// A row above.
    Up,
}

/// Asks for some rows of the newest run of a ticket, or of one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRequest {
    /// The ticket.
    pub ticket: TicketId,
    /// The run; nothing asks for the newest.
    pub run: Option<RunId>,
    /// How.
    pub view: LogView,
    /// From where.
    pub place: LogPlace,
    /// How many rows at the most.
    pub rows: u16,
    /// Which rows count; numbers of rows are of these alone.
    pub filter: LogFilter,
    /// What is looked for.
    pub sought: Option<Sought>,
}

/// Some rows of a log: the answer to a [`LogRequest`].
#[derive(Clone, PartialEq, Debug)]
pub struct LogPage {
    /// What was asked.
    pub request: LogRequest,
    /// The run that it is from; nothing when the ticket has none yet.
    pub run: Option<RunId>,
    /// What ran, where that was an earlier job than the ticket's newest, of which nothing has run.
    pub earlier: Option<Box<Ran>>,
    /// Number of the first row, counted from 0.
    pub first: u64,
    /// How many rows there are in all, as far as is known.
    pub total: u64,
    /// Whether that is a number or a guess.
    pub counted: Counted,
    /// The rows.
    pub rows: LogRows,
    /// How many rows the filter hides, as far as is known.
    pub hidden: u64,
    /// What the search found; nothing when nothing is sought.
    pub found: Option<Found>,
    /// How much of the log is searched and filtered, in per cent; nothing when all of it is.
    pub progress: Option<u8>,
    /// What keeps it from being read, if anything does.
    pub trouble: Option<String>,
}

impl LogPage {
    /// Returns a whole log that has only these rows.
    pub fn of(request: LogRequest, rows: LogRows) -> Self {
        Self {
            request,
            run: None,
            earlier: None,
            first: 0,
            total: rows.len() as u64,
            counted: Counted::Yes,
            rows,
            hidden: 0,
            found: None,
            progress: None,
            trouble: None,
        }
    }
}

/// A job with what has run of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Ran {
    /// The job.
    pub job: Job,
    /// Its runs, by number; the last one is looked at.
    pub runs: Vec<Run>,
}

/// Whether a number of rows is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// All were counted.
    Yes,
    /// It is as many as there are if those that nobody counted are as long as the others.
    Guessed,
}

/// What a search found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// How many rows have it, as far as is searched.
    pub total: u64,
    /// The row that was gone to, counted from 0, and which one of them it is, counted from 1.
    pub row: Option<(u64, u64)>,
}

/// Rows as they are drawn.
#[derive(Clone, PartialEq, Debug)]
pub enum LogRows {
    /// Entries with the time at which they were written, where the index knows it.
    Pretty(Vec<(Option<Timestamp>, Entry)>),
    /// Lines without their ends, with all their control characters; very long ones are cut.
    Raw(Vec<String>),
}

impl LogRows {
    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Pretty(entries) => entries.len(),
            Self::Raw(lines) => lines.len(),
        }
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
