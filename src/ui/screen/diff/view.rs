//! How a change is drawn: which revision it is, its files at the left where there is room, and its lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::diff::{Change, FileChange, FileDiff, total_size};
use crate::domain::revision::RevisionStatus;
use crate::domain::state::State;
use crate::ui::model::Model;
use crate::ui::screen::layout::{put, split_top};
use crate::ui::screen::outlook;
use crate::ui::screen::ticket::{self, TicketScreen};
use crate::ui::theme::Role;
use crate::ui::widget::diff::{Layout, Row};
use crate::ui::widget::{diff_split, scroll, text};
use crate::ui::words;

use super::{DiffTab, said};

/// Below this width there is no list of files.
const LIST_FROM: u16 = 100;
/// Below this width the base of the change is not said.
const BASE_FROM: u16 = 70;
/// The widths of the list.
const LIST: std::ops::RangeInclusive<u16> = 24..=44;

/// Where the parts are.
struct Places {
    title: Rect,
    /// Empty where there is nothing to warn of.
    banner: Rect,
    list: Option<Rect>,
    lines: Rect,
}

impl Places {
    fn of(body: Rect, files: usize, banner: u16) -> Self {
        let (title, rest) = split_top(body, 1);
        let (banner, rest) = split_top(rest, banner);
        if body.width < LIST_FROM || files < 2 {
            return Self { title, banner, list: None, lines: rest };
        }
        let width = (rest.width / 4).clamp(*LIST.start(), *LIST.end());
        let lines = Rect { x: rest.x + width, width: rest.width - width, ..rest };
        Self { title, banner, list: Some(Rect { width, ..rest }), lines }
    }
}

/// Returns how many rows a conflict takes that is to be warned of.
fn banner_height(model: &Model, screen: &TicketScreen) -> u16 {
    u16::from(outlook::banner(model, screen.ticket).is_some())
}

/// Returns how many rows of the change can be in sight.
pub(super) fn height(model: &Model) -> usize {
    let banner = model.ticket.as_ref().map_or(0, |screen| banner_height(model, screen));
    usize::from(ticket::body(model).height.saturating_sub(1 + banner))
}

/// Returns how many columns the lines of the change have.
pub(super) fn columns(model: &Model) -> usize {
    let files = model.ticket.as_ref().map_or(0, |screen| screen.diff.files().len());
    usize::from(Places::of(ticket::body(model), files, 0).lines.width.saturating_sub(2))
}

/// Draws the change of the ticket.
pub(in crate::ui) fn draw(model: &Model, screen: &TicketScreen, area: Rect, buffer: &mut Buffer) {
    let tab = &screen.diff;
    let places = Places::of(area, tab.files().len(), banner_height(model, screen));
    match &tab.page {
        Some(page) if Some(page.request) == tab.asked => match &page.change {
            Ok(_) => {
                put(places.title, &title(model, screen, places.title.width), buffer);
                if let Some(banner) = outlook::banner(model, screen.ticket).filter(|_| places.banner.height > 0) {
                    let line = words::cut(&model.theme, &banner, usize::from(places.banner.width)).into_owned();
                    put(places.banner, &Line::styled(line, model.theme.style(Role::Bad)), buffer);
                }
                if let Some(list) = places.list {
                    draw_list(model, tab, list, buffer);
                }
                draw_lines(model, tab, places.lines, buffer);
            }
            Err(trouble) => say(model, Role::Bad, trouble, area, buffer),
        },
        Some(_) => say(model, Role::Dim, "Loading …", area, buffer),
        None if tab.asked.is_some() => say(model, Role::Dim, "Loading …", area, buffer),
        None => say(model, Role::Dim, nothing(model, screen), area, buffer),
    }
}

/// Says why there is no change.
fn nothing(model: &Model, screen: &TicketScreen) -> &'static str {
    match model.board.ticket(screen.ticket).map(|ticket| ticket.state) {
        Some(State::Executing { .. }) => "No change yet: what its agent edits becomes one when it ends.",
        Some(
            State::Proposed
            | State::Planned
            | State::Verifying { .. }
            | State::NeedsHuman { .. }
            | State::Blocked { .. }
            | State::Done
            | State::Abandoned,
        )
        | None => "No change: nothing that ran for this ticket has left one.",
    }
}

fn say(model: &Model, role: Role, said: &str, area: Rect, buffer: &mut Buffer) {
    let area = Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(2), ..split_top(area, 1).1 };
    for (row, line) in area.rows().zip(text::wrap(said, usize::from(area.width))) {
        buffer.set_string(row.x, row.y, line, model.theme.style(role));
    }
}

/// Returns which revision this is, how large it is, and in which file the cursor is.
fn title(model: &Model, screen: &TicketScreen, width: u16) -> Line<'static> {
    let (theme, tab) = (&model.theme, &screen.diff);
    let Some(Change { revision, files, .. }) = tab.change() else { return Line::default() };
    let since = tab.page.as_ref().and_then(|page| page.request.since);
    let newest = model.board.revision(screen.ticket).map_or(revision.number, |newest| newest.number);
    let which = if revision.number < newest {
        (Role::Warn, format!(" revision {} of {newest}, superseded", revision.number))
    } else {
        let status = match revision.status {
            RevisionStatus::Approved => ", approved",
            RevisionStatus::ChangesRequested => ", sent back",
            RevisionStatus::Open | RevisionStatus::Superseded => "",
        };
        (Role::Title, format!(" revision {}{status}", revision.number))
    };
    let size = total_size(files);
    let base: String = revision.base.chars().take(7).collect();
    let mut parts = vec![
        which,
        (Role::Text, format!("  {}", words::count(files.len(), "file"))),
        (Role::Added, format!("  +{}", size.insertions)),
        (Role::Removed, format!(" {}{}", theme.glyphs.minus, size.deletions)),
    ];
    if let Some(since) = since {
        parts.push((Role::Warn, format!("  since revision {since}")));
    } else if width >= BASE_FROM {
        parts.push((Role::Dim, format!("  from {base}")));
    }
    if let Some(at) = tab.file() {
        parts.push((Role::Dim, format!("  {}/{} ", at + 1, files.len())));
        let used: usize = parts.iter().map(|(_, said)| text::width(said)).sum();
        let room = usize::from(width).saturating_sub(used);
        parts.push((Role::Link, cut_left(model, &files[at].path, room)));
    }
    Line::from(parts.into_iter().map(|(role, said)| Span::styled(said, theme.style(role))).collect::<Vec<_>>())
}

/// Returns the end of a path where it is too long: the name of the file says most.
fn cut_left(model: &Model, path: &str, room: usize) -> String {
    let path = text::visible(path);
    if text::width(&path) <= room {
        return path.into_owned();
    }
    let sign = model.theme.glyphs.ellipsis;
    let Some(room) = room.checked_sub(text::width(sign)) else { return String::new() };
    let starts = path.char_indices().map(|(at, _)| at);
    let fits = starts.into_iter().find(|at| text::width(&path[*at..]) <= room).unwrap_or(path.len());
    format!("{sign}{}", &path[fits..])
}

fn draw_list(model: &Model, tab: &DiffTab, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let files = tab.files();
    let current = tab.file().unwrap_or(0);
    let height = usize::from(area.height);
    let top = scroll::centered(current, files.len(), height);
    for (row, (at, file)) in area.rows().zip(files.iter().enumerate().skip(top)) {
        let size = file.size();
        let mut counts = Vec::new();
        if size.insertions > 0 {
            counts.push((Role::Added, format!(" +{}", size.insertions)));
        }
        if size.deletions > 0 {
            counts.push((Role::Removed, format!(" {}{}", theme.glyphs.minus, size.deletions)));
        }
        let taken: usize = counts.iter().map(|(_, said)| text::width(said)).sum();
        let room = usize::from(row.width).saturating_sub(taken + 4);
        let cursor = if at == current { theme.glyphs.cursor } else { " " };
        let (letter, role) = letter(file);
        let name_role = match (at == current, tab.folded.contains(&at)) {
            (true, _) => Role::Title,
            (false, true) => Role::Dim,
            (false, false) => Role::Text,
        };
        let name = text::pad(&cut_left(model, &file.path, room), room, text::Side::Left);
        let mut spans = vec![
            Span::styled(cursor, theme.style(Role::Focus)),
            Span::styled(letter, theme.style(role)),
            Span::styled(format!(" {name}"), theme.style(name_role)),
        ];
        spans.extend(counts.into_iter().map(|(role, said)| Span::styled(said, theme.style(role))));
        buffer.set_line(row.x, row.y, &Line::from(spans), row.width);
    }
}

/// Returns what happened to a file, in a letter as git says it.
fn letter(file: &FileDiff) -> (&'static str, Role) {
    match file.change {
        FileChange::Added => ("A", Role::Added),
        FileChange::Deleted => ("D", Role::Removed),
        FileChange::Modified => ("M", Role::Warn),
        FileChange::Renamed => ("R", Role::Link),
    }
}

fn draw_lines(model: &Model, tab: &DiffTab, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    // A sign for the cursor at the left and the bar at the right.
    let width = usize::from(area.width.saturating_sub(2));
    let layout = Layout { width, offset: tab.left, digits: tab.digits };
    for (row, (at, shown)) in area.rows().zip(tab.rows.iter().enumerate().skip(tab.top)) {
        if tab.range.is_some_and(|from| (from.min(tab.cursor)..=from.max(tab.cursor)).contains(&at)) {
            buffer.set_string(row.x, row.y, theme.glyphs.cursor, theme.style(Role::Warn));
        }
        if at == tab.cursor {
            buffer.set_string(row.x, row.y, theme.glyphs.cursor, theme.style(Role::Focus));
        }
        let line = match (shown.row(), tab.change()) {
            (Some(Row::Said { at, line }), Some(change)) => match change.comments.get(at) {
                Some(comment) => said::line(model, comment, line, width),
                None => Line::default(),
            },
            _ => diff_split::line(tab.files(), *shown, layout, theme),
        };
        buffer.set_line(row.x.saturating_add(1), row.y, &line, row.width.saturating_sub(1));
    }
    scroll::bar(area, tab.top, tab.rows.len(), theme, buffer);
}
