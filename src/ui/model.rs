//! All that the screen knows, and what follows from it: which ticket is meant, what must be loaded, and whether
//! something has to be drawn.

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;

use chrono::FixedOffset;
use ratatui::layout::Size;

use crate::domain::board::Board;
use crate::domain::command::Command;
use crate::domain::glance::Glance;
use crate::domain::id::TicketId;
use crate::domain::job::JobStatus;
use crate::domain::log::LogRequest;
use crate::domain::outlook::Radar;
use crate::domain::ticket::{Ticket, Title};
use crate::domain::time::Timestamp;
use crate::domain::undo::Deeds;

use super::deeds::{Again, Hasty, Sent};
use super::edit::Writing;
use super::index::Index;
use super::keys::{Key, KeyTable};
use super::mouse::Mouse;
use super::msg::{Effect, Settings, Setup};
use super::offers::Impossible;
use super::quiet::Quiet;
use super::screen::board::BoardScreen;
use super::screen::log::LogPane;
use super::screen::palette::Found;
use super::screen::ticket::TicketScreen;
use super::screen::{Form, GoalForm, Grid, Overlay, Remark};
use super::theme::Theme;

/// The state of the screen. [`Model::update`] changes it, [`Model::view`] draws it.
#[derive(Debug)]
pub struct Model {
    pub(super) board: Board,
    pub(super) radar: Radar,
    pub(super) keys: KeyTable,
    pub(super) index: Index,
    pub(super) settings: Settings,
    pub(super) theme: Theme,
    pub(super) zone: FixedOffset,
    pub(super) runs: PathBuf,
    pub(super) now: Timestamp,
    pub(super) size: Size,
    pub(super) spent: Spent,
    pub(super) quiet: Quiet,
    pub(super) desk: BoardScreen,
    pub(super) log: LogPane,
    pub(super) ticket: Option<TicketScreen>,
    /// All running logs, where they are shown in place of the board.
    pub(super) grid: Option<Grid>,
    pub(super) over: Option<Overlay>,
    /// What was typed into a form that was put aside.
    pub(super) kept_form: Option<Box<Form>>,
    /// The form of a ticket that was put aside, or whose edit was refused.
    pub(super) kept_edit: Option<Box<Form>>,
    /// The ticket that was filed just now: the cursor goes there when it comes, and a refusal gives the form back.
    pub(super) sent_form: Option<(Title, Box<Form>)>,
    /// What was to be said about a change and was put aside.
    pub(super) kept_remark: Option<Box<Remark>>,
    /// The form of a goal that was put aside, or came to nothing.
    pub(super) kept_goal: Option<Box<GoalForm>>,
    /// The form of a goal that was sent and not heard of since.
    pub(super) sent_goal: Option<Box<GoalForm>>,
    /// The boards of the data directory, once they were looked for.
    pub(super) boards: Option<Vec<Glance>>,
    /// A message that was put aside, or sent and not heard of since.
    pub(super) kept_message: Option<(TicketId, String)>,
    /// What was asked of the engine last, to ask it again once there is trust.
    pub(super) wanted: Option<Command>,
    /// The ticket whose worktree is to be visited as soon as its jobs are known.
    pub(super) wanted_visit: Option<TicketId>,
    /// The ticket for which a pull request is wanted as soon as it is known whether there is a remote by now.
    pub(super) wanted_pull: Option<TicketId>,
    /// The ticket whose description is to be written elsewhere as soon as it is known.
    pub(super) wanted_text: Option<TicketId>,
    /// What a text is for that the person writes elsewhere.
    pub(super) writing: Option<Writing>,
    /// What was done on this board since it was opened.
    pub(super) deeds: Deeds,
    /// What was sent to the engine and is not answered yet, oldest first.
    pub(super) sent: VecDeque<Sent>,
    /// The tickets that something was meant for too and of which it is not asked; said with what is refused.
    pub(super) unsent: Vec<Impossible>,
    /// What somebody wanted undone or done again before it was known to be done or undone.
    pub(super) hasty: VecDeque<Hasty>,
    /// What is undone or done again as soon as a description is known.
    pub(super) wanted_again: Option<Again>,
    /// The tickets that came back and whose worktrees are to come back too.
    pub(super) wanted_worktrees: HashSet<TicketId>,
    /// The tickets whose worktrees a person was in and whose work was not taken over since.
    pub(super) visited: HashSet<TicketId>,
    /// The filter as it was typed.
    pub(super) filter: String,
    /// What was chosen in the palette, the newest first.
    pub(super) recent: Vec<Found>,
    pub(super) mouse: Mouse,
    /// Whether the terminal is the one that the person looks at, as far as it says so.
    pub(super) focused: bool,
    pub(super) notice: Option<Notice>,
    /// The keys of a sequence that is not whole yet.
    pub(super) pressed: Vec<Key>,
    pub(super) dirty: bool,
    asked: Asked,
}

/// What was asked of the world and goes on until it is asked differently.
#[derive(Clone, PartialEq, Debug, Default)]
struct Asked {
    log: Option<LogRequest>,
    grid: Vec<LogRequest>,
    ticking: bool,
}

/// What the bottom line says about what just happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Notice {
    pub(super) kind: NoticeKind,
    pub(super) text: String,
}

/// How important a notice is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoticeKind {
    /// Something happened; the next one takes its place.
    News,
    /// What a person asked for was done, or there was nothing to do; it stays until a key is pressed.
    Answer,
    /// Something was refused; it stays until a key is pressed.
    Refused,
    /// Something failed; it stays until a key is pressed.
    Failed,
}

/// What was spent today: what was known at the start, and what was added since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Spent {
    micros: Option<u64>,
    day: Timestamp,
}

impl Spent {
    /// Adds what a ticket's agents cost more than before.
    pub(super) fn add(&mut self, old: Option<&Ticket>, new: &Ticket) {
        if let Some(now) = new.usage.cost_micros {
            let before = old.and_then(|ticket| ticket.usage.cost_micros).unwrap_or(0);
            self.micros = Some(self.micros.unwrap_or(0).saturating_add(now.saturating_sub(before)));
        }
    }

    fn tick(&mut self, day: Timestamp) {
        if day > self.day {
            *self = Self { micros: self.micros.map(|_| 0), day };
        }
    }
}

impl Model {
    /// Returns the screen as it is at the start, and what it wants first.
    pub fn new(setup: Setup) -> (Self, Vec<Effect>) {
        let Setup { board, keys, now, size: (width, height), settings, spent_today, rest, theme, zone, runs } = setup;
        let mut model = Self {
            index: Index::of_part(&board, rest),
            board,
            radar: Radar::default(),
            keys,
            settings,
            theme,
            zone,
            runs,
            now,
            size: Size::new(width, height),
            spent: Spent { micros: spent_today, day: now.start_of_day(zone) },
            quiet: Quiet::default(),
            desk: BoardScreen::default(),
            log: LogPane::default(),
            ticket: None,
            grid: None,
            over: None,
            kept_form: None,
            kept_edit: None,
            sent_form: None,
            kept_remark: None,
            kept_goal: None,
            sent_goal: None,
            boards: None,
            kept_message: None,
            wanted: None,
            wanted_visit: None,
            wanted_pull: None,
            wanted_text: None,
            writing: None,
            deeds: Deeds::default(),
            sent: VecDeque::new(),
            unsent: Vec::new(),
            hasty: VecDeque::new(),
            wanted_again: None,
            wanted_worktrees: HashSet::new(),
            visited: HashSet::new(),
            filter: String::new(),
            recent: Vec::new(),
            mouse: Mouse::default(),
            focused: true,
            notice: None,
            pressed: Vec::new(),
            dirty: true,
            asked: Asked::default(),
        };
        model.desk.cursor = model.first_look();
        model.say_trouble();
        let effects = model.settle();
        (model, effects)
    }

    /// Says whether the screen must be drawn, and takes it as drawn from now on.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// Says whether a part of the board was not read yet.
    pub fn is_part(&self) -> bool {
        !self.index.rest().is_empty()
    }

    /// Returns the board as the screen knows it.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Returns the ticket that the keys are about.
    pub fn selected(&self) -> Option<TicketId> {
        match (&self.ticket, &self.grid) {
            (Some(screen), _) => Some(screen.ticket),
            (None, Some(grid)) => grid.at,
            (None, None) => self.desk.cursor,
        }
    }

    /// Returns the ticket that the keys are about, whole.
    pub(super) fn selected_ticket(&self) -> Option<&Ticket> {
        self.board.ticket(self.selected()?)
    }

    /// Returns the request for rows of a log that was made last.
    pub(super) fn asked_log(&self) -> Option<&LogRequest> {
        self.asked.log.as_ref()
    }

    /// Says whether those rows were asked for as a part of all running logs.
    pub(super) fn asked_for_cell(&self, request: &LogRequest) -> bool {
        self.asked.grid.contains(request)
    }

    /// Says whether something on the screen shows a time that passes.
    pub(super) fn is_ticking(&self) -> bool {
        self.asked.ticking
    }

    /// Takes over the time. It also comes with changes, so that nothing seems to begin in the future.
    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.spent.tick(self.now.start_of_day(self.zone));
    }

    /// Returns what was spent today as far as it is known, in millionths of a dollar, with what runs now.
    pub(super) fn spent_today(&self) -> Option<u64> {
        let live = self.index.running_tickets().filter_map(|id| {
            let job = self.board.active_job(id).filter(|job| job.status == JobStatus::Running)?;
            self.board.live(job.id)?.usage.cost_micros
        });
        live.map(Some).chain([self.spent.micros]).flatten().reduce(u64::saturating_add)
    }

    /// Says something in the bottom line. News never hides what was refused or failed.
    pub(super) fn say(&mut self, kind: NoticeKind, text: impl Into<String>) {
        let serious = self.notice.as_ref().is_some_and(|notice| notice.kind != NoticeKind::News);
        if kind != NoticeKind::News || !serious {
            self.notice = Some(Notice { kind, text: text.into() });
            self.dirty = true;
        }
    }

    /// Says what is wrong with the configuration.
    pub(super) fn say_trouble(&mut self) {
        if let Some(problem) = self.settings.problem.clone() {
            self.say(NoticeKind::Failed, problem);
        } else if let Some(warning) = self.settings.warning.clone() {
            self.say(NoticeKind::Refused, warning);
        }
    }

    /// Makes the parts fit each other again and returns what must be asked of the world now.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        if self.ticket.as_ref().is_some_and(|screen| self.board.ticket(screen.ticket).is_none()) {
            self.ticket = None;
        }
        let has_list = |id| self.board.ticket(id).is_some() && self.board.revision(id).is_some();
        if self.shows_checklist_of().is_some_and(|ticket| !has_list(ticket)) {
            self.over = None;
        }
        self.settle_grid();
        self.settle_cursor();
        self.settle_marks();
        // Keys never go where nothing is seen.
        if self.log.has_focus() && self.layout().log.is_none() {
            self.log.leave();
        }
        self.settle_scroll();
        self.settle_diff();
        let mut effects = Vec::new();
        self.log.turn_to(self.selected());
        effects.extend(self.ask_for_runs());
        effects.extend(self.ask_for_diff());
        let log = self.wanted_log();
        if log != self.asked.log {
            self.asked.log.clone_from(&log);
            effects.push(Effect::Watch(log));
        }
        let grid = self.wanted_grid();
        if grid != self.asked.grid {
            self.asked.grid.clone_from(&grid);
            effects.push(Effect::WatchAll(grid));
        }
        let ticking = self.index.running().total() > 0;
        if ticking != self.asked.ticking {
            self.asked.ticking = ticking;
            effects.push(Effect::WakeEachSecond(ticking));
        }
        effects
    }
}
