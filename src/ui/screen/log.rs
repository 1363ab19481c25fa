//! The log of the selected ticket: under or beside the board, over the whole screen, or as a tab of the ticket. It holds
//! the rows that are in sight and asks for others.

use std::ops::Range;

use chrono::FixedOffset;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::domain::id::TicketId;
use crate::domain::log::{Counted, LogPage, LogPlace, LogRequest, LogRows, LogView, Way};
use crate::domain::log_filter::LogFilter;
use crate::ui::keys::Action;
use crate::ui::model::{Model, NoticeKind};
use crate::ui::theme::Role;
use crate::ui::widget::log::{self, Edge, Marks, Overflow, Times, Tools};
use crate::ui::widget::popup::frame;
use crate::ui::widget::text;
use crate::ui::words;

use super::layout::inner;
use super::log_runs::Runs;
use super::log_search::Search;
use super::log_title;

/// How much of the screen the log gets at first, and how far that can be changed, in per cent.
const SHARE: u16 = 35;
const SHARES: std::ops::RangeInclusive<u16> = 15..=85;
const SHARE_STEP: u16 = 5;
/// From this width on there is a margin.
const MARGIN_FROM: u16 = 60;
/// The most lines of one entry before the rest is folded away.
const FOLD: usize = 12;

/// Whether the log is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shown {
    /// Where the screen is high enough.
    ByItself,
    /// Yes.
    Yes,
    /// No.
    No,
}

/// Where the log stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stand {
    Under,
    Beside,
}

/// How the log is shown, and the rows of it that are known.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) struct LogPane {
    shown: Shown,
    stand: Stand,
    zoomed: bool,
    focused: bool,
    share: u16,
    look: Look,
    view: LogView,
    place: LogPlace,
    /// How many rows there were when somebody scrolled away from the end.
    paused_at: Option<u64>,
    ticket: Option<TicketId>,
    pub(super) runs: Runs,
    pub(super) search: Search,
    pub(super) filter: LogFilter,
    page: Option<Box<LogPage>>,
}

/// How rows are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Look {
    wraps: bool,
    times: bool,
    tools: Tools,
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            shown: Shown::ByItself,
            stand: Stand::Under,
            zoomed: false,
            focused: false,
            share: SHARE,
            look: Look { wraps: true, times: true, tools: Tools::Shown },
            view: LogView::Pretty,
            place: LogPlace::End,
            paused_at: None,
            ticket: None,
            runs: Runs::default(),
            search: Search::default(),
            filter: LogFilter::default(),
            page: None,
        }
    }
}

impl LogPane {
    /// Says whether it is shown, where `high` says that the screen is high enough to show it unasked.
    pub(in crate::ui) fn is_shown(&self, high: bool) -> bool {
        match self.shown {
            Shown::ByItself => high,
            Shown::Yes => true,
            Shown::No => false,
        }
    }

    /// Says whether it fills the screen.
    pub(in crate::ui) fn is_zoomed(&self) -> bool {
        self.zoomed
    }

    /// Says whether it stands beside the board.
    pub(in crate::ui) fn is_beside(&self) -> bool {
        self.stand == Stand::Beside
    }

    /// Says whether it has the keys.
    pub(in crate::ui) fn has_focus(&self) -> bool {
        self.focused || self.zoomed
    }

    /// Returns how much of the screen it gets, in per cent.
    pub(in crate::ui) fn share(&self) -> u16 {
        self.share
    }

    /// Gives the keys back to the board.
    pub(in crate::ui) fn leave(&mut self) {
        (self.focused, self.zoomed) = (false, false);
    }

    /// Turns to another ticket, whose newest rows are wanted first.
    pub(in crate::ui) fn turn_to(&mut self, ticket: Option<TicketId>) {
        if ticket != self.ticket {
            self.ticket = ticket;
            // What was looked for and hidden was about that ticket.
            (self.runs, self.search, self.filter) = (Runs::default(), Search::default(), LogFilter::default());
            self.start_anew();
        }
    }

    /// Goes to the end of another log, or of the same one with other rows.
    pub(super) fn start_anew(&mut self) {
        (self.place, self.page, self.paused_at) = (LogPlace::End, None, None);
        self.search.forget_place();
    }

    /// Goes to a place of the log.
    pub(super) fn go_to(&mut self, place: LogPlace) {
        if place == LogPlace::End {
            self.paused_at = None;
        } else if self.place == LogPlace::End {
            self.paused_at = self.page.as_ref().filter(|page| page.counted == Counted::Yes).map(|page| page.total);
        }
        self.place = place;
    }

    /// Returns how many rows came since somebody scrolled away from the end, where that is known.
    pub(super) fn new_rows(&self) -> Option<u64> {
        let page = self.page.as_ref().filter(|page| page.counted == Counted::Yes)?;
        page.total.checked_sub(self.paused_at?)
    }

    /// Returns the rows that are known.
    pub(super) fn page(&self) -> Option<&LogPage> {
        self.page.as_deref()
    }

    /// Returns which rows are wanted.
    pub(super) fn place(&self) -> LogPlace {
        self.place
    }

    /// Returns how it is shown.
    pub(super) fn view(&self) -> LogView {
        self.view
    }

    /// Returns the zone in which it shows times, if it does.
    pub(super) fn zone_of_times(&self, zone: FixedOffset) -> Option<FixedOffset> {
        self.look.times.then_some(zone)
    }

    /// Gives it so much of the screen, in per cent, within limits.
    pub(in crate::ui) fn resize(&mut self, share: u16) {
        self.share = share.clamp(*SHARES.start(), *SHARES.end());
    }
}

/// How far a log is scrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scroll {
    Up(u64),
    Down(u64),
    Start,
    End,
}

impl Model {
    /// Returns where the log is drawn now.
    pub(in crate::ui) fn log_area(&self) -> Option<Rect> {
        match &self.ticket {
            Some(screen) => screen.log_area(self),
            None if self.shows_grid() => None,
            None => self.layout().log,
        }
    }

    /// Returns the rows that are wanted now.
    pub(in crate::ui) fn wanted_log(&self) -> Option<LogRequest> {
        let ticket = self.selected()?;
        self.board.newest_job(ticket)?;
        let rows = text_area(self.log_area()?).height;
        let LogPane { view, place, .. } = self.log;
        let (run, filter) = (self.log.runs.chosen(), self.log.filter.clone());
        let sought = self.log.search.sought().cloned();
        (rows > 0).then_some(LogRequest { ticket, run, view, place, rows, filter, sought })
    }

    /// Takes over rows, unless others are wanted by now.
    pub(in crate::ui) fn take_page(&mut self, page: Box<LogPage>) {
        if self.asked_for_cell(&page.request) {
            return self.take_cell(page);
        }
        if self.asked_log() != Some(&page.request) || self.log.page.as_ref() == Some(&page) {
            return;
        }
        self.log.search.take(&page);
        self.log.page = Some(page);
        self.dirty = true;
    }

    /// Does what a key means for a log; says nothing when it means nothing there.
    pub(in crate::ui) fn act_on_log(&mut self, action: Action) -> bool {
        let page = self.log_area().map_or(0, |area| u64::from(text_area(area).height));
        match action {
            Action::Down => self.scroll_log(Scroll::Down(1)),
            Action::Up => self.scroll_log(Scroll::Up(1)),
            Action::HalfDown => self.scroll_log(Scroll::Down((page / 2).max(1))),
            Action::HalfUp => self.scroll_log(Scroll::Up((page / 2).max(1))),
            Action::PageDown => self.scroll_log(Scroll::Down(page.max(1))),
            Action::PageUp => self.scroll_log(Scroll::Up(page.max(1))),
            Action::Top => self.scroll_log(Scroll::Start),
            Action::Bottom => self.scroll_log(Scroll::End),
            Action::ToggleRaw => {
                // Rows of the two views have different numbers, so the place is lost.
                self.log.view = match self.log.view {
                    LogView::Pretty => LogView::Raw,
                    LogView::Raw => LogView::Pretty,
                };
                self.log.start_anew();
            }
            Action::SearchLog => self.search_log(),
            Action::NextMatch => self.seek(Way::Down),
            Action::PreviousMatch => self.seek(Way::Up),
            Action::NextError => self.seek_error(Way::Down),
            Action::PreviousError => self.seek_error(Way::Up),
            Action::FilterLog => self.filter_log(),
            Action::ListRuns => self.list_runs(),
            Action::ToggleWrap => self.log.look.wraps = !self.log.look.wraps,
            Action::ToggleTimes => self.toggle_times(),
            Action::FoldTools => {
                self.log.look.tools = match self.log.look.tools {
                    Tools::Shown => Tools::Folded,
                    Tools::Folded => Tools::Shown,
                }
            }
            Action::OlderRun => self.go_to_older_run(),
            Action::NewerRun => self.go_to_newer_run(),
            Action::ToggleLog => {
                let shown = self.layout().log.is_some();
                self.log.shown = if shown { Shown::No } else { Shown::Yes };
                self.log.leave();
            }
            Action::FocusLog => {
                self.log.shown = Shown::Yes;
                self.log.focused = true;
            }
            Action::ZoomLog => self.log.zoomed = !self.log.zoomed,
            Action::ToggleBeside => {
                self.log.shown = Shown::Yes;
                self.log.stand = match self.log.stand {
                    Stand::Under => Stand::Beside,
                    Stand::Beside => Stand::Under,
                };
            }
            Action::Back => {
                if !self.end_search() {
                    self.log.leave();
                }
            }
            Action::GrowLog => self.log.resize(self.log.share + SHARE_STEP),
            Action::ShrinkLog => self.log.resize(self.log.share.saturating_sub(SHARE_STEP)),
            _ => return false,
        }
        true
    }

    /// Shows or hides times, and says so where there are none to show.
    fn toggle_times(&mut self) {
        self.log.look.times = !self.log.look.times;
        let missing = match self.log.page().map(|page| &page.rows) {
            Some(LogRows::Raw(_)) => "lines as they were written have no times; p shows the readable log",
            Some(LogRows::Pretty(entries)) if !entries.is_empty() && entries.iter().all(|(at, _)| at.is_none()) => {
                "nobody noted when these entries were written"
            }
            Some(LogRows::Pretty(_)) | None => return,
        };
        if self.log.look.times {
            self.say(NoticeKind::News, missing);
        }
    }

    fn scroll_log(&mut self, scroll: Scroll) {
        let (Some(page), Some(area)) = (&self.log.page, self.log_area()) else { return };
        let area = text_area(area);
        let first = self.first_row(page, area);
        let place = match scroll {
            Scroll::Start => LogPlace::From(0),
            Scroll::End => LogPlace::End,
            // All of it is in sight already: it goes on being followed.
            Scroll::Up(_) if first == 0 && self.log.place == LogPlace::End => LogPlace::End,
            Scroll::Up(by) => LogPlace::From(first.saturating_sub(by)),
            Scroll::Down(by) => {
                let from = first.saturating_add(by);
                let at_end = self.log.place == LogPlace::End;
                if at_end || self.fits(page, from, area) {
                    LogPlace::End
                } else {
                    LogPlace::From(from.min(page.total.saturating_sub(1)))
                }
            }
        };
        self.log.go_to(place);
    }

    /// Returns the number of the first row in sight.
    fn first_row(&self, page: &LogPage, area: Rect) -> u64 {
        match self.edge(page, area) {
            Edge::Top { row, .. } => page.first + row as u64,
            Edge::Last => page.first + self.laid_out(page, area, Edge::Last).whole.start as u64,
        }
    }

    /// Returns the rows in sight, by number; nothing when no log is.
    pub(super) fn rows_in_sight(&self) -> Option<Range<u64>> {
        let (page, area) = (self.log.page()?, text_area(self.log_area()?));
        let rows = self.laid_out(page, area, self.edge(page, area)).rows;
        Some(page.first + *rows.first()? as u64..page.first + *rows.last()? as u64 + 1)
    }

    /// Returns from which side the page is drawn.
    fn edge(&self, page: &LogPage, area: Rect) -> Edge {
        match (page.request.place, self.current(page)) {
            (LogPlace::End, _) => Edge::Last,
            (LogPlace::Found { .. }, Some(row)) => {
                log::around(&page.rows, self.layout_of_log(page, area), usize::from(area.height), row, &self.theme)
            }
            (LogPlace::From(_) | LogPlace::Found { .. }, _) => Edge::Top { row: 0, skip: 0 },
        }
    }

    /// Returns the row that was found, counted in the rows of the page.
    fn current(&self, page: &LogPage) -> Option<usize> {
        let row = self.log.search.current()?.checked_sub(page.first)?;
        usize::try_from(row).ok().filter(|row| *row < page.rows.len())
    }

    /// Says whether everything from that row to the end is in sight at once, as far as the page knows.
    fn fits(&self, page: &LogPage, from: u64, area: Rect) -> bool {
        let known = page.first + page.rows.len() as u64 >= page.total;
        known && from >= page.first + self.laid_out(page, area, Edge::Last).whole.start as u64
    }

    fn laid_out(&self, page: &LogPage, area: Rect, edge: Edge) -> log::Page {
        log::page(&page.rows, self.layout_of_log(page, area), usize::from(area.height), edge, &self.theme)
    }

    fn layout_of_log(&self, page: &LogPage, area: Rect) -> log::Layout<'_> {
        let Look { wraps, times, tools } = self.log.look;
        log::Layout {
            width: usize::from(area.width),
            times: if times { Times::Shown(self.zone) } else { Times::Hidden },
            overflow: if wraps { Overflow::Wrap } else { Overflow::Cut(0) },
            fold: FOLD,
            tools,
            marks: Marks { words: self.log.search.words(), current: self.current(page) },
        }
    }
}

/// Returns the place of the rows: inside the frame, with a margin where there is room for one.
fn text_area(area: Rect) -> Rect {
    let inside = inner(area);
    let margin = u16::from(inside.width >= MARGIN_FROM);
    Rect { x: inside.x + margin, width: inside.width - 2 * margin, ..inside }
}

/// Draws the log with its frame.
pub(in crate::ui) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let role = if model.log.has_focus() || model.ticket.is_some() { Role::Focus } else { Role::Border };
    let page = model.log.page.as_deref();
    let right = log_title::right(model, page);
    let room = usize::from(area.width).saturating_sub(text::width(&right) + 8);
    let left = words::cut(&model.theme, &log_title::left(model, page), room).into_owned();
    let mut block = frame(&left, role, theme);
    if !right.is_empty() {
        block = block.title_top(Line::styled(format!(" {right} "), theme.style(Role::Dim)).right_aligned());
    }
    block.render(area, buffer);
    let area = text_area(area);
    match page {
        Some(page) if page.trouble.is_none() && !page.rows.is_empty() => draw_rows(model, page, area, buffer),
        other => {
            let (role, said) = log_title::nothing(model, other);
            for (row, line) in area.rows().zip(text::wrap(&said, usize::from(area.width))) {
                buffer.set_stringn(row.x, row.y, line, usize::from(row.width), theme.style(role));
            }
        }
    }
}

fn draw_rows(model: &Model, page: &LogPage, area: Rect, buffer: &mut Buffer) {
    let edge = model.edge(page, area);
    for (row, line) in area.rows().zip(&model.laid_out(page, area, edge).lines) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}
