//! The columns of the board, the tabs in place of them on narrow screens, and the plain list on the smallest.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use crate::domain::id::TicketId;
use crate::domain::state::StateName;
use crate::domain::ticket::Ticket;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::text;
use crate::ui::words;

use super::card;
use super::layout::{self, Column, Layout, Shape, inner, put};

/// Returns the name of a column, shorter than the state's where people say less.
pub(in crate::ui) fn name(state: StateName) -> &'static str {
    match state {
        StateName::NeedsHuman => "Review",
        StateName::Proposed
        | StateName::Planned
        | StateName::Executing
        | StateName::Verifying
        | StateName::Blocked
        | StateName::Done
        | StateName::Abandoned => state.title(),
    }
}

/// Draws everything between header and footer but the log.
pub(in crate::ui) fn draw(model: &Model, layout: &Layout, buffer: &mut Buffer) {
    if let Some(area) = layout.list {
        draw_list(model, area, buffer);
    }
    if let Some(area) = layout.tabs {
        draw_tabs(model, area, buffer);
    }
    for column in &layout.columns {
        match column.shape {
            Shape::Open => draw_open(model, *column, buffer),
            Shape::Stripe => draw_stripe(model, *column, buffer),
        }
    }
}

fn border_role(model: &Model, state: StateName) -> Role {
    if let Some(may_drop) = model.mouse.drops_on(state) {
        return if may_drop { Role::Ok } else { Role::Bad };
    }
    if model.current_column() == Some(state) && !model.log.has_focus() { Role::Focus } else { Role::Border }
}

fn heading_role(state: StateName, count: usize) -> Role {
    if count == 0 { Role::Dim } else { Role::of_state(state) }
}

/// Returns the style of a heading in a frame, which would else be as dim as the frame.
fn heading_style(model: &Model, state: StateName, count: usize) -> Style {
    let role = heading_role(state, count);
    let style = model.theme.style(role);
    if role == Role::Dim { style } else { style.remove_modifier(Modifier::DIM) }
}

fn draw_open(model: &Model, column: Column, buffer: &mut Buffer) {
    let theme = &model.theme;
    let ids = model.index.column(column.state);
    let border = theme.style(border_role(model, column.state));
    let room = usize::from(column.area.width.saturating_sub(4));
    let title = words::cut(&model.theme, &format!("{} {}", name(column.state), model.index.count(column.state)), room)
        .into_owned();
    Block::bordered()
        .border_set(theme.glyphs.border)
        .border_style(border)
        .title(Span::styled(format!(" {title} "), heading_style(model, column.state, model.index.count(column.state))))
        .render(column.area, buffer);
    let top = model.desk.top(column.state);
    let mut rest = inner(column.area);
    let mut shown = top;
    for id in ids.iter().skip(top) {
        if rest.height == 0 {
            break;
        }
        let used = card::draw(model, *id, rest, buffer);
        shown += usize::from(used < rest.height || card::height(model, *id, rest.width) <= usize::from(used));
        rest = layout::split_top(rest, used.saturating_add(1)).1;
    }
    draw_more(model, column.area, top, model.index.count(column.state).saturating_sub(shown), buffer);
}

/// Says in the frame how many cards are out of sight, above and below.
fn draw_more(model: &Model, area: Rect, above: usize, below: usize, buffer: &mut Buffer) {
    let glyphs = &model.theme.glyphs;
    for (sign, count, y) in [(glyphs.up, above, area.y), (glyphs.down, below, area.bottom().saturating_sub(1))] {
        let label = format!(" {sign}{count} ");
        let width = u16::try_from(text::width(&label)).unwrap_or(u16::MAX);
        let taken = if y == area.y { 16 } else { 2 };
        if count > 0 && area.width > width.saturating_add(taken) {
            let x = area.right() - width - 1;
            buffer.set_string(x, y, label, model.theme.style(Role::Dim));
        }
    }
}

fn draw_stripe(model: &Model, column: Column, buffer: &mut Buffer) {
    let count = model.index.count(column.state);
    let style = model.theme.style(heading_role(column.state, count));
    let letters = name(column.state).chars().map(|c| format!(" {c}"));
    let down = std::iter::once(format!("{count:^3}")).chain(letters);
    for (row, said) in column.area.rows().zip(down) {
        buffer.set_stringn(row.x, row.y, said, usize::from(row.width), style);
    }
}

/// Returns the names of the columns for a line of that width, so that the open one is among them.
pub(in crate::ui) fn tabs(model: &Model, width: u16) -> Vec<(StateName, String)> {
    let current = model.current_column();
    let mut tabs: Vec<(StateName, String)> = layout::shown(model.desk.abandoned)
        .map(|state| (state, format!(" {} {} ", name(state), model.index.count(state))))
        .collect();
    let room = usize::from(width);
    let total = |tabs: &[(StateName, String)]| tabs.iter().map(|(_, label)| text::width(label)).sum::<usize>();
    if total(&tabs) > room {
        tabs.retain(|(state, _)| Some(*state) == current || !model.index.column(*state).is_empty());
    }
    // The columns around the current one, as many as there is room for.
    while total(&tabs) > room && tabs.len() > 1 {
        let at = tabs.iter().position(|(state, _)| Some(*state) == current).unwrap_or(0);
        tabs.remove(if at > tabs.len() / 2 { 0 } else { tabs.len() - 1 });
    }
    tabs
}

/// Draws the names of the columns in a line.
fn draw_tabs(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let current = model.current_column();
    let spans: Vec<Span> = tabs(model, area.width)
        .into_iter()
        .map(|(state, label)| {
            let role =
                if Some(state) == current { Role::Selected } else { heading_role(state, model.index.count(state)) };
            Span::styled(label, theme.style(role))
        })
        .collect();
    put(area, &Line::from(spans), buffer);
}

/// Returns the tickets of the plain list in an area, as many as there is room for around the cursor, with their rows.
pub(in crate::ui) fn list_rows(model: &Model, area: Rect) -> Vec<(Rect, StateName, TicketId)> {
    let columns: Vec<(StateName, &[TicketId])> =
        layout::shown(model.desk.abandoned).map(|state| (state, model.index.column(state))).collect();
    let before: usize =
        columns.iter().take_while(|(state, _)| Some(*state) != model.current_column()).map(|(_, ids)| ids.len()).sum();
    let cursor = before + model.current_row().unwrap_or(0);
    let total: usize = columns.iter().map(|(_, ids)| ids.len()).sum();
    let height = usize::from(area.height);
    let top = cursor.saturating_sub(height / 2).min(total.saturating_sub(height));
    let rows = columns.iter().flat_map(|(state, ids)| ids.iter().map(move |id| (*state, *id)));
    area.rows().zip(rows.skip(top)).map(|(row, (state, id))| (row, state, id)).collect()
}

/// Draws the plain list.
fn draw_list(model: &Model, area: Rect, buffer: &mut Buffer) {
    for (row, state, id) in list_rows(model, area) {
        draw_list_row(model, state, id, row, buffer);
    }
}

fn draw_list_row(model: &Model, state: StateName, id: TicketId, row: Rect, buffer: &mut Buffer) {
    let Some(ticket) = model.board.ticket(id) else { return };
    let theme = &model.theme;
    let sign = if model.desk.cursor == Some(id) { theme.glyphs.cursor } else { " " };
    let word = name(state).to_lowercase();
    let rest = format!(" {}", ticket.title);
    let used = text::width(sign) + text::width(&word) + 1;
    let mark = if model.desk.marks.contains(id) { theme.glyphs.mark } else { "" };
    let number = format!("{mark}{} ", ticket.number);
    let room = usize::from(row.width).saturating_sub(used + text::width(&number));
    let line = Line::from(vec![
        Span::styled(sign, theme.style(Role::Focus)),
        Span::styled(number, theme.style(Role::Dim)),
        Span::styled(word, theme.style(Role::of_state(state))),
        Span::styled(words::cut(&model.theme, &rest, room).into_owned(), theme.style(Role::Text)),
    ]);
    buffer.set_line(row.x, row.y, &line, row.width);
}

/// Returns the state of a ticket as a sign and words, with why it is there.
pub(in crate::ui) fn state_text(model: &Model, ticket: &Ticket) -> String {
    let glyphs = &model.theme.glyphs;
    let state = ticket.state.name();
    let sign = match state {
        StateName::Proposed => glyphs.question,
        StateName::Planned => glyphs.waiting,
        StateName::Executing | StateName::Verifying => glyphs.running,
        StateName::NeedsHuman => glyphs.warn,
        StateName::Blocked => glyphs.bad,
        StateName::Done => glyphs.ok,
        StateName::Abandoned => glyphs.minus,
    };
    let word = state.title().to_lowercase();
    match ticket.state.why() {
        Some(why) => format!("{sign} {word}: {why}"),
        None => format!("{sign} {word}"),
    }
}
