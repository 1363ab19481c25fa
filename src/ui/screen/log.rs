//! The log of the selected ticket: under or beside the board, over the whole screen, or as a tab of the ticket. It holds
//! the rows that are in sight and asks for others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::domain::id::TicketId;
use crate::domain::log::{LogPage, LogPlace, LogRequest, LogView};
use crate::ui::keys::Action;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::log::{self, Edge, Overflow, Times};
use crate::ui::widget::popup::frame;
use crate::ui::widget::text;
use crate::ui::words;

use super::layout::inner;
use super::log_runs::Runs;
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
    view: LogView,
    place: LogPlace,
    ticket: Option<TicketId>,
    pub(super) runs: Runs,
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
            runs: Runs::default(),
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
            self.runs = Runs::default();
            self.start_anew();
        }
    }

    /// Goes to the end of another log.
    pub(super) fn start_anew(&mut self) {
        (self.place, self.page) = (LogPlace::End, None);
    }

    /// Returns which rows are wanted.
    pub(super) fn place(&self) -> LogPlace {
        self.place
    }

    /// Returns how it is shown.
    pub(super) fn view(&self) -> LogView {
        self.view
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
            None => self.layout().log,
        }
    }

    /// Returns the rows that are wanted now.
    pub(in crate::ui) fn wanted_log(&self) -> Option<LogRequest> {
        let ticket = self.selected()?;
        self.board.newest_job(ticket)?;
        let rows = text_area(self.log_area()?).height;
        let LogPane { view, place, .. } = self.log;
        (rows > 0).then_some(LogRequest { ticket, run: self.log.runs.chosen(), view, place, rows })
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
            Action::GrowLog => self.log.resize(self.log.share + SHARE_STEP),
            Action::ShrinkLog => self.log.resize(self.log.share.saturating_sub(SHARE_STEP)),
            _ => return false,
        }
        true
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
    let edge = match page.request.place {
        LogPlace::From(_) => Edge::First,
        LogPlace::End => Edge::Last,
    };
    for (row, line) in area.rows().zip(&model.laid_out(page, area, edge).lines) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}
