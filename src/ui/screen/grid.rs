//! All running logs at once: a cell for each ticket with how it stands and the last of what it prints.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget as _;

use crate::domain::id::TicketId;
use crate::domain::log::{LogPage, LogPlace, LogRequest, LogView};
use crate::domain::log_filter::LogFilter;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::log::{self, Edge, Layout};
use crate::ui::widget::popup::frame;
use crate::ui::widget::{format, text};
use crate::ui::words;

use super::layout::{inner, put, split_bottom, split_top};
use super::ticket::Tab;
use super::{bars, log_title};

/// The most cells at once; each is followed by itself.
const MOST: usize = 12;
/// The least size of a cell, frame included.
const LEAST: (u16, u16) = (38, 4);
/// A cell of these columns and rows shows as much of each; the shape of the grid comes near to that.
const GOOD: (u16, u16) = (80, 10);

/// What is known of all running logs.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::ui) struct Grid {
    /// The ticket with the cursor; nothing when nothing runs.
    pub(in crate::ui) at: Option<TicketId>,
    /// Its place among all that run, for when it is over.
    place: usize,
    pages: HashMap<TicketId, Box<LogPage>>,
}

/// One cell and its place.
type Cell = (TicketId, Rect);

impl Model {
    /// Shows all running logs, with the cursor on the selected ticket if it runs.
    pub(in crate::ui) fn open_grid(&mut self) -> Vec<Effect> {
        let at = self.selected();
        self.log.leave();
        let place = self.all_running().iter().position(|id| Some(*id) == at).unwrap_or(0);
        self.grid = Some(Grid { at, place, pages: HashMap::new() });
        Vec::new()
    }

    /// Gives the board its place back, with the cursor on the same ticket where it is shown.
    pub(in crate::ui) fn close_grid(&mut self) {
        let at = self.grid.take().and_then(|grid| grid.at);
        if let Some(id) = at.filter(|id| self.index.row(&self.board, *id).is_some()) {
            self.desk.cursor = Some(id);
        }
    }

    /// Says whether all running logs are in sight.
    pub(in crate::ui) fn shows_grid(&self) -> bool {
        self.grid.is_some() && self.ticket.is_none()
    }

    /// Opens the log of the ticket with the cursor.
    pub(in crate::ui) fn open_log(&mut self) -> Vec<Effect> {
        let effects = self.open_ticket();
        if let Some(screen) = &mut self.ticket {
            screen.turn(Tab::Log);
        }
        effects
    }

    /// Does what a key means for the grid; says nothing when it means nothing here.
    pub(in crate::ui) fn act_on_grid(&mut self, action: Action) -> bool {
        if action == Action::Back {
            self.close_grid();
            return true;
        }
        let all = self.all_running();
        let columns = columns(&self.cells()).max(1);
        let Some(grid) = &mut self.grid else { return false };
        let last = all.len().saturating_sub(1);
        grid.place = match action {
            Action::Left => grid.place.saturating_sub(1),
            Action::Right => grid.place + 1,
            Action::Up => grid.place.checked_sub(columns).unwrap_or(grid.place),
            // Below the last whole row there may be a shorter one.
            Action::Down if grid.place / columns < last / columns => grid.place + columns,
            Action::Down => grid.place,
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        }
        .min(last);
        grid.at = all.get(grid.place).copied();
        true
    }

    /// Keeps the cursor on a ticket that runs: one that is over leaves the next one in its place.
    pub(in crate::ui) fn settle_grid(&mut self) {
        let all = self.all_running();
        let Some(grid) = &mut self.grid else { return };
        match all.iter().position(|id| Some(*id) == grid.at) {
            Some(place) => grid.place = place,
            None => {
                grid.place = grid.place.min(all.len().saturating_sub(1));
                grid.at = all.get(grid.place).copied();
            }
        }
        grid.pages.retain(|id, _| all.contains(id));
    }

    /// Returns the rows that the cells in sight want.
    pub(in crate::ui) fn wanted_grid(&self) -> Vec<LogRequest> {
        if !self.shows_grid() {
            return Vec::new();
        }
        let request = |(ticket, area): (TicketId, Rect)| LogRequest {
            ticket,
            run: None,
            view: LogView::Pretty,
            place: LogPlace::End,
            rows: inner(area).height.max(1),
            filter: LogFilter::default(),
            sought: None,
        };
        self.cells().into_iter().map(request).collect()
    }

    /// Takes over the rows of a cell.
    pub(in crate::ui) fn take_cell(&mut self, page: Box<LogPage>) {
        if let Some(grid) = &mut self.grid
            && grid.pages.get(&page.request.ticket) != Some(&page)
        {
            grid.pages.insert(page.request.ticket, page);
            self.dirty = true;
        }
    }

    /// Returns the ticket whose cell is drawn there.
    pub(in crate::ui) fn cell_at(&self, at: Position) -> Option<TicketId> {
        self.cells().into_iter().find(|(_, area)| area.contains(at)).map(|(id, _)| id)
    }

    /// Returns all tickets whose jobs run, by their numbers.
    fn all_running(&self) -> Vec<TicketId> {
        let mut all: Vec<_> = self.index.running_tickets().filter_map(|id| self.board.ticket(id)).collect();
        all.sort_by_key(|ticket| ticket.number);
        all.into_iter().map(|ticket| ticket.id).collect()
    }

    /// Returns the cells in sight: those around the cursor where there is no room for all.
    fn cells(&self) -> Vec<Cell> {
        let Some(grid) = &self.grid else { return Vec::new() };
        let all = self.all_running();
        let body = places(self).body;
        let room = usize::from(body.width / LEAST.0).max(1) * usize::from(body.height / LEAST.1).max(1);
        let room = room.min(MOST);
        let page: Vec<TicketId> = all.chunks(room).nth(grid.place / room).unwrap_or_default().to_vec();
        // The last page has cells as large as the others.
        let areas = split(body, if all.len() > room { room } else { page.len() });
        page.into_iter().zip(areas).collect()
    }
}

/// Where the parts of the screen are.
struct Places {
    header: Rect,
    body: Rect,
    footer: Rect,
}

fn places(model: &Model) -> Places {
    let (header, rest) = split_top(Rect::from(model.size), 1);
    let (body, footer) = split_bottom(rest, bars::footer_height(model, rest.width).min(rest.height / 2));
    Places { header, body, footer }
}

/// Returns where the bottom of the screen is.
pub(in crate::ui) fn footer(model: &Model) -> Rect {
    places(model).footer
}

/// Divides an area into so many cells, row by row.
fn split(area: Rect, count: usize) -> Vec<Rect> {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    let most = (area.width / LEAST.0).clamp(1, count.max(1));
    let size = |columns: u16| (area.width / columns, area.height / count.div_ceil(columns).max(1));
    let fits = |columns: &u16| size(*columns).1 >= LEAST.1;
    let good = |columns: &u16| {
        let (width, height) = size(*columns);
        (u32::from(width) * u32::from(GOOD.1)).min(u32::from(height) * u32::from(GOOD.0))
    };
    let columns = (1..=most).filter(fits).max_by_key(good).unwrap_or(most);
    let rows = count.div_ceil(columns);
    let part =
        |whole: u16, n: u16, of: u16| u16::try_from(u32::from(whole) * u32::from(n) / u32::from(of)).unwrap_or(0);
    (0..count)
        .map(|n| {
            let (row, column) = (n / columns, n % columns);
            // The last row takes the whole width, however few it has.
            let of = if row + 1 == rows { count - row * columns } else { columns };
            let (left, right) = (part(area.width, column, of), part(area.width, column + 1, of));
            let (top, bottom) = (part(area.height, row, rows), part(area.height, row + 1, rows));
            Rect { x: area.x + left, y: area.y + top, width: right - left, height: bottom - top }
        })
        .collect()
}

/// Returns how many cells the first row has.
fn columns(cells: &[Cell]) -> usize {
    let Some((_, first)) = cells.first() else { return 0 };
    cells.iter().take_while(|(_, area)| area.y == first.y).count()
}

/// Draws the whole screen.
pub(in crate::ui) fn draw(model: &Model, grid: &Grid, buffer: &mut Buffer) {
    let Places { header, body, footer } = places(model);
    bars::draw_header(model, header, buffer);
    let cells = model.cells();
    if cells.is_empty() {
        let back = model.keys.shown(Context::Grid, Action::Back);
        let said = format!(" Nothing runs any more; {back} goes back to the board.");
        put(body, &Line::styled(said, model.theme.style(Role::Dim)), buffer);
    }
    let more = model.all_running().len().saturating_sub(cells.len());
    for (n, (id, area)) in cells.iter().enumerate() {
        let is_last = n + 1 == cells.len();
        draw_cell(model, grid, (*id, *area), if is_last { more } else { 0 }, buffer);
    }
    bars::draw_footer(model, Context::Grid, footer, buffer);
}

/// Draws one cell, which also says how many more there are than are in sight.
fn draw_cell(model: &Model, grid: &Grid, (id, area): Cell, more: usize, buffer: &mut Buffer) {
    let theme = &model.theme;
    let Some(ticket) = model.board.ticket(id) else { return };
    let is_here = grid.at == Some(id);
    let role = if is_here { Role::Focus } else { Role::Border };
    let sign = if is_here { format!("{} ", theme.glyphs.cursor) } else { String::new() };
    let room = usize::from(area.width).saturating_sub(6);
    let title = words::cut(theme, &format!("{sign}{} {}", ticket.number, ticket.title), room).into_owned();
    let mut block = frame(&title, role, theme);
    if more > 0 {
        let said = format!(" {} elsewhere ", format::counted(more as u64, "more log", "more logs"));
        block = block.title_bottom(Line::styled(said, theme.style(Role::Dim)).right_aligned());
    }
    block.render(area, buffer);
    let (head, body) = split_top(inner(area), 1);
    let page = grid.pages.get(&id).map(Box::as_ref);
    let state = log_title::of_newest(model, id, page);
    let state = text::truncate_with(&state, usize::from(head.width), theme.glyphs.ellipsis).into_owned();
    put(head, &Line::styled(state, theme.style(Role::of_state(ticket.state.name()))), buffer);
    let Some(page) = page else { return };
    if let Some(trouble) = &page.trouble {
        let lines = text::wrap(&format!("The log cannot be read: {trouble}"), usize::from(body.width));
        for (row, line) in body.rows().zip(lines) {
            buffer.set_stringn(row.x, row.y, line, usize::from(row.width), theme.style(Role::Bad));
        }
        return;
    }
    let layout = Layout::plain(usize::from(body.width));
    let lines = log::page(&page.rows, layout, usize::from(body.height), Edge::Last, theme).lines;
    for (row, line) in body.rows().zip(&lines) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_lie_beside_each_other_and_fill_the_area(width in 1_u16..300, height in 1_u16..100, count in 1_usize..=MOST) {
            let area = Rect::new(3, 1, width, height);
            let cells = split(area, count);
            prop_assert_eq!(cells.len(), count);
            let covered: u32 = cells.iter().map(|cell| cell.area()).sum();
            prop_assert_eq!(covered, area.area());
            for (n, cell) in cells.iter().enumerate() {
                prop_assert_eq!(cell.intersection(area), *cell);
                prop_assert!(cells[n + 1..].iter().all(|other| !cell.intersects(*other)));
            }
        }
    }
}
