//! The log of the selected ticket: under or beside the board, over the whole screen, or as a tab of the ticket. It holds
//! the rows that are in sight and asks for others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::domain::id::TicketId;
use crate::domain::job::{Job, JobStatus};
use crate::domain::log::{LogPage, LogPlace, LogRequest, LogView};
use crate::ui::keys::Action;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::log::{self, Edge, Overflow, Times};
use crate::ui::widget::popup::frame;
use crate::ui::widget::{format, text};
use crate::ui::words;

use super::layout::inner;

/// How much of the screen the log gets at first, and how far that can be changed, in per cent.
const SHARE: u16 = 35;
const SHARES: std::ops::RangeInclusive<u16> = 15..=85;
const SHARE_STEP: u16 = 5;
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
    view: LogView,
    place: LogPlace,
    ticket: Option<TicketId>,
    page: Option<Box<LogPage>>,
}

impl Default for LogPane {
    fn default() -> Self {
        Self {
            shown: Shown::ByItself,
            stand: Stand::Under,
            zoomed: false,
            focused: false,
            share: SHARE,
            view: LogView::Pretty,
            place: LogPlace::End,
            ticket: None,
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
            self.place = LogPlace::End;
            self.page = None;
        }
    }

    fn resize(&mut self, share: u16) {
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
            None => self.layout().log,
        }
    }

    /// Returns the rows that are wanted now.
    pub(in crate::ui) fn wanted_log(&self) -> Option<LogRequest> {
        let ticket = self.selected()?;
        self.board.newest_job(ticket)?;
        let rows = inner(self.log_area()?).height;
        let LogPane { view, place, .. } = self.log;
        (rows > 0).then_some(LogRequest { ticket, run: None, view, place, rows })
    }

    /// Takes over rows, unless others are wanted by now.
    pub(in crate::ui) fn take_page(&mut self, page: Box<LogPage>) {
        if self.asked_log() != Some(&page.request) || self.log.page.as_ref() == Some(&page) {
            return;
        }
        self.log.page = Some(page);
        self.dirty = true;
    }

    /// Does what a key means for a log; says nothing when it means nothing there.
    pub(in crate::ui) fn act_on_log(&mut self, action: Action) -> bool {
        let page = self.log_area().map_or(0, |area| u64::from(inner(area).height));
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
                (self.log.place, self.log.page) = (LogPlace::End, None);
            }
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
            Action::GrowLog => self.log.resize(self.log.share + SHARE_STEP),
            Action::ShrinkLog => self.log.resize(self.log.share.saturating_sub(SHARE_STEP)),
            _ => return false,
        }
        true
    }

    fn scroll_log(&mut self, scroll: Scroll) {
        let (Some(page), Some(area)) = (&self.log.page, self.log_area()) else { return };
        let area = inner(area);
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
        self.log.place = place;
    }

    /// Returns the number of the first row in sight.
    fn first_row(&self, page: &LogPage, area: Rect) -> u64 {
        match page.request.place {
            LogPlace::From(_) => page.first,
            LogPlace::End => page.first + self.laid_out(page, area, Edge::Last).whole.start as u64,
        }
    }

    /// Says whether everything from that row to the end is in sight at once, as far as the page knows.
    fn fits(&self, page: &LogPage, from: u64, area: Rect) -> bool {
        let known = page.first + page.rows.len() as u64 >= page.total;
        known && from >= page.first + self.laid_out(page, area, Edge::Last).whole.start as u64
    }

    fn laid_out(&self, page: &LogPage, area: Rect, edge: Edge) -> log::Page {
        let layout = log::Layout {
            width: usize::from(area.width),
            times: Times::Shown(self.zone),
            overflow: Overflow::Wrap,
            fold: FOLD,
        };
        log::page(&page.rows, layout, usize::from(area.height), edge, &self.theme)
    }
}

/// Draws the log with its frame.
pub(in crate::ui) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let role = if model.log.has_focus() || model.ticket.is_some() { Role::Focus } else { Role::Border };
    let right = right_title(model);
    let room = usize::from(area.width).saturating_sub(text::width(&right) + 8);
    let left = words::cut(&model.theme, &left_title(model), room).into_owned();
    frame(&left, role, theme)
        .title_top(Line::styled(format!(" {right} "), theme.style(Role::Dim)).right_aligned())
        .render(area, buffer);
    let area = inner(area);
    match &model.log.page {
        Some(page) if page.trouble.is_none() && !page.rows.is_empty() => draw_rows(model, page, area, buffer),
        other => {
            let (role, said) = empty_text(model, other.as_deref());
            for (row, line) in area.rows().zip(text::wrap(&said, usize::from(area.width))) {
                buffer.set_stringn(row.x, row.y, line, usize::from(row.width), theme.style(role));
            }
        }
    }
}

fn draw_rows(model: &Model, page: &LogPage, area: Rect, buffer: &mut Buffer) {
    let edge = match page.request.place {
        LogPlace::From(_) => Edge::First,
        LogPlace::End => Edge::Last,
    };
    for (row, line) in area.rows().zip(&model.laid_out(page, area, edge).lines) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

fn empty_text(model: &Model, page: Option<&LogPage>) -> (Role, String) {
    if let Some(trouble) = page.and_then(|page| page.trouble.as_ref()) {
        return (Role::Bad, format!("The log cannot be read: {trouble}"));
    }
    match model.selected().map(|id| model.board.newest_job(id)) {
        Some(None) => (Role::Dim, "Nothing has run for this ticket yet.".to_owned()),
        Some(Some(_)) if page.is_some() => (Role::Dim, "No output yet.".to_owned()),
        Some(Some(_)) | None => (Role::Dim, String::new()),
    }
}

fn left_title(model: &Model) -> String {
    let Some(ticket) = model.selected_ticket() else { return "log".to_owned() };
    let dot = model.theme.glyphs.dot;
    let mut title = ticket.number.to_string();
    if let Some(job) = model.board.newest_job(ticket.id) {
        title.push_str(&format!(" {}", job.kind));
        for part in job_parts(model, job) {
            title.push_str(&format!(" {dot} {part}"));
        }
    }
    if let Some(page) = &model.log.page {
        let noun = match page.request.view {
            LogView::Pretty => ("entry", "entries"),
            LogView::Raw => ("line", "lines"),
        };
        title.push_str(&format!(" {dot} {}", format::counted(page.total, noun.0, noun.1)));
    }
    title
}

fn job_parts(model: &Model, job: &Job) -> Vec<String> {
    let mut parts = Vec::new();
    let agent = [job.agent.as_deref(), job.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if !agent.is_empty() {
        parts.push(agent);
        parts.push(format!("attempt {}", job.attempt));
    }
    match (job.status, job.started_at) {
        (JobStatus::Running, Some(start)) => parts.push(format::duration(model.now.since(start))),
        (JobStatus::Queued, _) => parts.push("queued".to_owned()),
        (JobStatus::Running | JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost, _) => {
            parts.push(job.status.to_string());
            if let (Some(start), Some(end)) = (job.started_at, job.finished_at) {
                parts.push(format::duration(end.since(start)));
            }
        }
    }
    parts
}

fn right_title(model: &Model) -> String {
    let glyphs = &model.theme.glyphs;
    let place = match (model.log.place, &model.log.page) {
        (LogPlace::End, _) => format!("follow {}", glyphs.down),
        (LogPlace::From(_), Some(page)) => {
            let below = page.total.saturating_sub(page.first + page.rows.len() as u64);
            format!("{} more {}", format::count(below), glyphs.new_below)
        }
        (LogPlace::From(_), None) => "paused".to_owned(),
    };
    format!("{place} {} {}", glyphs.rule, model.log.view)
}
