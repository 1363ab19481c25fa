//! What comes in to the screen (messages) and what goes out of it (effects), as plain data.

use std::path::PathBuf;

use chrono::FixedOffset;
use crossterm::event::{KeyEvent, MouseEvent};

use crate::config::UiConfig;
use crate::config::yolo::Leave;
use crate::domain::autonomy::Autonomy;
use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::checklist::Findings;
use crate::domain::command::{Command, NewTicket, Refused};
use crate::domain::detail::Detail;
use crate::domain::diff::{DiffPage, DiffRequest};
use crate::domain::glance::Glance;
use crate::domain::goal::Goal;
use crate::domain::id::{BoardId, CommentId, GoalId, TicketId, TicketRef};
use crate::domain::log::{LogPage, LogRequest};
use crate::domain::outlook::Radar;
use crate::domain::review::Spot;
use crate::domain::sight::Rest;
use crate::domain::ticket::{Priority, Title};
use crate::domain::time::Timestamp;

use super::keys::KeyTable;
use super::theme::Theme;

/// Something that happened, for [`Model::update`](super::Model::update).
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something, at this time.
    Mouse(MouseEvent, Timestamp),
    /// The terminal is the one that the person looks at, or is not any more.
    Focus(bool),
    /// The terminal has that many columns and rows now.
    Resize(u16, u16),
    /// These things became true.
    Changed(Vec<Change>),
    /// The whole board was read again.
    Reloaded(Box<Board>),
    /// The answer to [`Effect::LoadDetail`].
    Detail(Box<Detail>),
    /// The answer to [`Effect::LoadDiff`].
    Diff(Box<DiffPage>),
    /// The answer to [`Effect::LoadChecklist`].
    Checklist {
        /// The ticket.
        ticket: TicketId,
        /// What was found out, or why it could not be.
        found: Box<Result<Findings, String>>,
    },
    /// The answer to [`Effect::Watch`] and [`Effect::WatchAll`], sent again whenever the log grew.
    LogPage(Box<LogPage>),
    /// The answer to [`Effect::SaveLog`].
    Saved(Saved),
    /// The answer to [`Effect::LoadBoards`].
    Boards(Vec<Glance>),
    /// A command was refused.
    Refused(Refused),
    /// The answers to the [`Effect::DoAll`] that waits the longest for them.
    Done(Vec<Result<(), Refused>>),
    /// The answer to [`Effect::EditText`]: the text, or why there is none.
    Written(Result<String, String>),
    /// Something went wrong; the text says what and what to do.
    Failed(String),
    /// What is to be expected of changes that are not on their targets yet is another thing than before.
    Radar(Box<Radar>),
    /// What the header and the dialogs know of the surroundings changed.
    Settings(Box<Settings>),
    /// A program that had the terminal is over, and the board has it again.
    Returned {
        /// The ticket in whose worktree it ran.
        ticket: TicketId,
        /// How it ended, when that was not well.
        trouble: Option<String>,
    },
    /// A second is over; only sent while [`Effect::WakeEachSecond`] asks for it.
    Second(Timestamp),
}

/// Something that the screen wants done.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Give this command to the engine; a refusal comes back as [`Msg::Refused`].
    Do(Command),
    /// Give these commands to the engine one after the other, whatever becomes of each; [`Msg::Done`] answers all of them
    /// together.
    DoAll(Vec<Command>),
    /// Let the person write a text in an editor of their own, which gets the terminal; [`Msg::Written`] comes when that
    /// is over.
    EditText {
        /// What is there already.
        text: String,
        /// What it is, for the name of the file: a word.
        name: String,
        /// What is said in the terminal before the editor has it; one line.
        greeting: String,
    },
    /// Put this into the clipboard of the person's terminal.
    Copy(String),
    /// Write a log into a file; [`Msg::Saved`] comes when that is over.
    SaveLog {
        /// The log.
        text: LogText,
        /// The file as the person typed it.
        path: String,
        /// What becomes of a file that is there.
        existing: Existing,
    },
    /// Give the terminal and a log to the person's own pager; [`Msg::Failed`] comes if that went badly.
    PageLog(LogText),
    /// File this ticket under a fresh identity; a refusal comes back as [`Msg::Refused`].
    File(Filing),
    /// Set this goal under a fresh identity; a refusal comes back as [`Msg::Refused`].
    AddGoal(GoalDraft),
    /// Load everything about this ticket.
    LoadDetail(TicketId),
    /// Look which boards there are.
    LoadBoards,
    /// Leave this board and open that of the repository in this folder; [`Msg::Failed`] comes where there is none.
    Switch(PathBuf),
    /// Say this about a revision, under a fresh identity; a refusal comes back as [`Msg::Refused`].
    Comment {
        /// The ticket.
        ticket: TicketId,
        /// The revision.
        revision: u32,
        /// What it is about.
        spot: Spot,
        /// What is said.
        body: String,
        /// The comment that it answers.
        reply_to: Option<CommentId>,
    },
    /// Load this change.
    LoadDiff(DiffRequest),
    /// Look up what the checklist of this ticket's newest revision says by itself.
    LoadChecklist(TicketId),
    /// Send these rows now and whenever they change, in place of those asked for before; nothing ends it.
    Watch(Option<LogRequest>),
    /// Send the rows of each of these now and whenever they change, as [`Msg::LogPage`], beside what is watched, and in place
    /// of those asked for before; there are few.
    WatchAll(Vec<LogRequest>),
    /// Trust the commands of the repository's `draft.yaml` that were shown. Effects after it come when that is done.
    Trust {
        /// What is trusted: the [`Settings::content`] of what was shown, and nothing that came after it.
        content: String,
    },
    /// Keep in the user's own file what agents may do in this repository. Effects after it come when that is done.
    Allow(Leave),
    /// Look at the surroundings again and send them as [`Msg::Settings`].
    LookAround,
    /// Give the terminal to a program in a ticket's worktree; [`Msg::Returned`] comes when it is over, and
    /// [`Msg::Failed`] when it could not start.
    HandOver(Visit),
    /// Stop this process until the shell brings it back; agents go on.
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Tell the person, who looks elsewhere, in the way of [`Settings::ui`]; one line.
    Notify(String),
    /// Send [`Msg::Second`] now and each second from now on, or no more.
    WakeEachSecond(bool),
    /// Leave the board.
    Quit {
        /// Whether running agents are stopped first.
        stop_agents: StopAgents,
    },
}

/// A log as text, all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogText {
    /// Which one, in which view and through which filter, from its start.
    pub request: LogRequest,
    /// The zone in which times stand before entries; nothing for none.
    pub times: Option<FixedOffset>,
    /// What becomes of control characters in lines as they were printed.
    pub controls: Controls,
}

/// What becomes of control characters in lines as they were printed; in what people read there are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Controls {
    /// Every byte stays as it is.
    Kept,
    /// They become visible, and colours go.
    Shown,
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// It stays, and nothing is written.
    Kept,
    /// The new one takes its place.
    Replaced,
}

/// How the saving of a log went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Saved {
    /// It is there.
    Done {
        /// The whole name of the file.
        path: String,
        /// How long it is.
        bytes: u64,
    },
    /// There is such a file already, and nothing was written.
    Exists {
        /// The log.
        text: Box<LogText>,
        /// The whole name of the file.
        path: String,
    },
    /// It failed; the text says what and why.
    Failed(String),
}

/// A program that gets the terminal for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// The ticket.
    pub ticket: TicketId,
    /// Its worktree, in which the program starts.
    pub folder: PathBuf,
    /// What starts.
    pub program: Guest,
    /// What is said in the terminal before the program has it; one line.
    pub greeting: String,
}

/// What gets the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Guest {
    /// The person's own shell.
    Shell,
    /// The person's own editor, with the worktree.
    Editor,
    /// An agent, in the session of its last job.
    Session {
        /// The agent's name.
        agent: String,
        /// What the agent calls the session.
        session: String,
    },
}

/// Whether agents are stopped when the board is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopAgents {
    /// They go on.
    No,
    /// They are stopped first.
    Yes,
}

/// A ticket as the form gives it: a [`NewTicket`] that has no identity yet, since the screen knows no randomness.
#[derive(Clone, PartialEq, Debug)]
pub struct Filing {
    /// One line.
    pub title: Title,
    /// More about it; Markdown.
    pub description: String,
    /// How urgent.
    pub priority: Option<Priority>,
    /// The goal that it serves.
    pub goal: Option<GoalId>,
    /// What it waits for.
    pub after: Vec<TicketRef>,
    /// The agent that it asks for.
    pub agent: Option<String>,
    /// The model that it asks for.
    pub model: Option<String>,
    /// Checks of its own.
    pub verify: Vec<String>,
    /// Whether it is accepted at once.
    pub accepted: bool,
}

/// A goal as its form gives it, which has no identity yet.
#[derive(Clone, PartialEq, Debug)]
pub struct GoalDraft {
    /// One line that says what is wanted.
    pub title: Title,
    /// More about it; Markdown.
    pub description: String,
    /// What may happen for it without a person.
    pub autonomy: Autonomy,
    /// What its tickets may cost, in millionths of a US dollar.
    pub budget: Option<u64>,
}

impl GoalDraft {
    /// Returns the goal under that identity.
    pub fn into_goal(self, id: GoalId, board: BoardId, at: Timestamp) -> Goal {
        let Self { title, description, autonomy, budget } = self;
        Goal { autonomy, budget_micros: budget, ..Goal::new(id, board, title, description, at) }
    }
}

impl Filing {
    /// Returns the ticket under that identity.
    pub fn into_ticket(self, id: TicketId) -> NewTicket {
        NewTicket {
            id,
            title: self.title,
            description: self.description,
            priority: self.priority,
            goal: self.goal,
            after: self.after,
            accepted: self.accepted,
            agent: self.agent,
            model: self.model,
            verify: self.verify,
            base_branch: None,
        }
    }
}

/// What this process is to the board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It runs the jobs.
    Engine,
    /// Another process runs the jobs; this one looks on and hands over what is asked for.
    Watcher,
}

/// What the header, the dialogs and the first screen say about the surroundings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Names of the agents that are installed.
    pub agents: Vec<String>,
    /// The configured checks, as people would type them.
    pub checks: Vec<String>,
    /// Whether the repository's commands are trusted.
    pub trusted: bool,
    /// What the repository's file would run, a line each, when it is trusted.
    pub would_run: Vec<String>,
    /// The same in the form that trust is about; nothing when there is nothing to trust.
    pub content: Option<String>,
    /// Why the configuration cannot be used, when it cannot.
    pub problem: Option<String>,
    /// What about the configuration is going to fail, although it can be used.
    pub warning: Option<String>,
    /// How the board meets the person.
    pub ui: UiConfig,
    /// How many jobs run at once at the most.
    pub max_parallel: usize,
    /// What this process is.
    pub role: Role,
    /// The mode of the autopilot that holds while nobody said anything on the board.
    pub autopilot: Autopilot,
    /// Names of the agents whose sessions a person can open.
    pub takeovers: Vec<String>,
    /// Whether nobody said yet what agents may do in this repository.
    pub leave_open: bool,
    /// Whether nothing lands before its checklist is done.
    pub require_checklist: bool,
    /// The remote to which changes are pushed for a pull request.
    pub remote: String,
    /// That the repository has no such remote, in words, where it has none.
    pub no_remote: Option<String>,
    /// The agent that works when a ticket names none.
    pub preferred: String,
    /// Every name of the agents that are not installed.
    pub missing: Vec<String>,
    /// Names of the agents that may do the same whatever the user chose.
    pub indifferent: Vec<String>,
}

/// What a screen starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The board.
    pub board: Board,
    /// What the keys do.
    pub keys: KeyTable,
    /// The time.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The surroundings.
    pub settings: Settings,
    /// What was spent today before this start, in millionths of a US dollar; nothing when no agent said a cost.
    pub spent_today: Option<u64>,
    /// What is not in the board yet; nothing once it was read whole.
    pub rest: Rest,
    /// How it looks.
    pub theme: Theme,
    /// The zone in which times are shown.
    pub zone: FixedOffset,
    /// The folder of all runs, to name outputs by their whole paths.
    pub runs: PathBuf,
}
