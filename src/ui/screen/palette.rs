//! The palette: everything that can be done now, and every ticket, found by a few letters of its name.

use crossterm::event::KeyEvent;
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;
use ratatui_textarea::TextArea;

use crate::domain::id::TicketId;
use crate::domain::state::StateName;
use crate::ui::keys::{Action, Context, Keys, Row};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{scroll, text};
use crate::ui::words;

use super::layout::{put, split_bottom, split_top};
use super::ticket::TicketScreen;
use super::typing::{self, Lines};
use super::{Overlay, bars, columns};

/// The widest and highest that it gets, without its frame.
const BEST: Size = Size { width: 92, height: 18 };
/// The most that is found; nobody reads further.
const MOST: usize = 200;
/// How many choices are remembered.
const REMEMBERED: usize = 8;
/// The columns for the name of an action.
const NAMES: usize = 18;

/// What can be chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Found {
    /// To do this.
    Action(Action),
    /// To go to this ticket.
    Ticket(TicketId),
}

/// What is typed, and what is found.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Palette {
    input: TextArea<'static>,
    /// What had the keys, and so what actions mean.
    context: Context,
    found: Vec<Found>,
    at: usize,
    scroll: usize,
}

impl Palette {
    fn text(&self) -> String {
        self.input.lines().join(" ").trim().to_owned()
    }

    fn go(&mut self, by: isize, rows: usize) {
        self.at = self.at.saturating_add_signed(by).min(self.found.len().saturating_sub(1));
        self.scroll = scroll::follow(self.scroll, self.at, self.found.len(), rows, 0);
    }
}

impl Model {
    /// Opens the palette for what has the keys.
    pub(in crate::ui) fn open_palette(&mut self, context: Context) -> Vec<Effect> {
        let input = typing::area(&self.theme);
        let mut palette = Palette { input, context, found: Vec::new(), at: 0, scroll: 0 };
        self.find_in_palette(&mut palette);
        self.over = Some(Overlay::Palette(Box::new(palette)));
        Vec::new()
    }

    /// Takes a key in the palette.
    pub(in crate::ui) fn key_in_palette(
        &mut self,
        mut palette: Box<Palette>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        let rows = usize::from(list(self).height);
        let page = rows.max(1).cast_signed();
        match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Choose) => {
                return match palette.found.get(palette.at) {
                    Some(found) => self.choose_found(palette.context, *found),
                    None => self.refuse(format!("nothing is called \"{}\".", palette.text())),
                };
            }
            Some(Action::Down) => palette.go(1, rows),
            Some(Action::Up) => palette.go(-1, rows),
            Some(Action::PageDown) => palette.go(page, rows),
            Some(Action::PageUp) => palette.go(-page, rows),
            _ => {
                let before = palette.text();
                typing::typed(&mut palette.input, Lines::One, event);
                if palette.text() != before {
                    self.find_in_palette(&mut palette);
                }
            }
        }
        self.over = Some(Overlay::Palette(palette));
        Vec::new()
    }

    /// Chooses what is drawn there.
    pub(in crate::ui) fn click_in_palette(&mut self, palette: Box<Palette>, at: Position) -> Vec<Effect> {
        let list = list(self);
        let row = usize::from(at.y.saturating_sub(list.y)) + palette.scroll;
        match palette.found.get(row).filter(|_| list.contains(at)) {
            Some(found) => self.choose_found(palette.context, *found),
            None => {
                self.over = Some(Overlay::Palette(palette));
                Vec::new()
            }
        }
    }

    /// Takes pasted text in the palette.
    pub(in crate::ui) fn paste_into_palette(&mut self, pasted: &str) {
        if let Some(Overlay::Palette(mut palette)) = self.over.take() {
            typing::pasted(&mut palette.input, Lines::One, pasted);
            self.find_in_palette(&mut palette);
            self.over = Some(Overlay::Palette(palette));
        }
    }

    fn choose_found(&mut self, context: Context, found: Found) -> Vec<Effect> {
        self.recent.retain(|other| *other != found);
        self.recent.insert(0, found);
        self.recent.truncate(REMEMBERED);
        match found {
            Found::Action(action) => self.act(context, action),
            Found::Ticket(id) => self.go_to(id),
        }
    }

    /// Goes to a ticket, wherever it is: the cursor on the board, or the ticket that is open.
    pub(in crate::ui) fn go_to(&mut self, id: TicketId) -> Vec<Effect> {
        let Some(ticket) = self.board.ticket(id) else { return Vec::new() };
        self.desk.abandoned |= ticket.state.name() == StateName::Abandoned;
        if self.index.row(&self.board, id).is_none() {
            self.clear_filter();
        }
        self.desk.cursor = Some(id);
        if self.ticket.is_none() {
            self.grid = None;
        }
        if self.ticket.is_some() {
            self.ticket = Some(TicketScreen::new(id));
            return vec![Effect::LoadDetail(id)];
        }
        Vec::new()
    }

    fn find_in_palette(&self, palette: &mut Palette) {
        let typed = palette.text();
        palette.found =
            if typed.is_empty() { self.at_first(palette.context) } else { self.found(palette.context, &typed) };
        palette.found.truncate(MOST);
        (palette.at, palette.scroll) = (0, 0);
    }

    fn actions(&self, context: Context) -> impl Iterator<Item = &Row> {
        self.keys.rows(context).iter().filter(|row| row.action != Action::Palette)
    }

    /// Returns what is offered before anything is typed: what was chosen last, then what the bottom line offers, then the
    /// rest.
    fn at_first(&self, context: Context) -> Vec<Found> {
        let possible = |row: &&Row| self.why_not(row.action).is_none();
        let rows: Vec<&Row> = self.actions(context).filter(possible).collect();
        let is_there = |found: &&Found| match found {
            Found::Action(action) => rows.iter().any(|row| row.action == *action),
            Found::Ticket(id) => self.board.ticket(*id).is_some(),
        };
        let mut found: Vec<Found> = self.recent.iter().filter(is_there).copied().collect();
        let (labelled, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.label.is_some());
        let actions = labelled.into_iter().chain(others).map(|row| Found::Action(row.action));
        let tickets = self.board.tickets().map(|ticket| Found::Ticket(ticket.id));
        let rest: Vec<Found> = actions.chain(tickets).take(MOST).filter(|other| !found.contains(other)).collect();
        found.extend(rest);
        found
    }

    /// Returns what fits to the letters, the best first. What is not possible is only found by its whole name.
    fn found(&self, context: Context, typed: &str) -> Vec<Found> {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let letters = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let parts = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
        let mut score =
            |pattern: &Pattern, haystack: &str| pattern.score(Utf32Str::new(haystack, &mut buffer), &mut matcher);
        let mut hits: Vec<(u32, Found)> = Vec::new();
        for row in self.actions(context) {
            let name = name(row);
            let whole = name.eq_ignore_ascii_case(typed) || row.action.as_str().eq_ignore_ascii_case(typed);
            if !whole && self.why_not(row.action).is_some() {
                continue;
            }
            // A name counts more than a word of the sentence.
            let by_name = score(&letters, &name).map(|score| score * 2);
            let hit = if whole { Some(u32::MAX) } else { by_name.or_else(|| score(&parts, &row.help)) };
            hits.extend(hit.map(|score| (score, Found::Action(row.action))));
        }
        for ticket in self.board.tickets() {
            let number = ticket.number.to_string();
            let branch = ticket.worktree.as_ref().map_or("", |worktree| worktree.branch.as_str());
            let whole = typed.strip_prefix('#').unwrap_or(typed) == &number[1..];
            let hit = if whole {
                Some(u32::MAX)
            } else {
                score(&letters, &format!("{number} {}", ticket.title)).max(score(&letters, branch))
            };
            hits.extend(hit.map(|score| (score, Found::Ticket(ticket.id))));
        }
        // What was chosen lately comes first among equals; the sort keeps the order of the table and of the numbers.
        let age = |found: &Found| self.recent.iter().position(|other| other == found).unwrap_or(REMEMBERED);
        hits.sort_by_key(|(score, found)| (std::cmp::Reverse(*score), age(found)));
        hits.into_iter().map(|(_, found)| found).collect()
    }
}

/// Returns what people call an action.
pub(in crate::ui) fn name(row: &Row) -> String {
    row.action.as_str().replace('_', " ")
}

fn popup() -> Popup<'static> {
    Popup { title: "Go to or do", footer: "", content: BEST }
}

/// Returns the place of what was found on this screen.
fn list(model: &Model) -> Rect {
    let mut nowhere = Buffer::empty(model.over_area());
    let inside = popup().draw(model.over_area(), &model.theme, &mut nowhere);
    split_top(split_bottom(inside, 1).0, 1).1
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let (rest, keys) = split_bottom(popup().draw(area, theme, buffer), 1);
    let (input, body) = split_top(rest, 1);
    put(input, &Line::styled(":", theme.style(Role::Key)), buffer);
    let typed = Rect { x: input.x.saturating_add(2), width: input.width.saturating_sub(2), ..input };
    (&palette.input).render(typed.intersection(buffer.area), buffer);
    // A gap, and the scrollbar.
    let width = usize::from(body.width.saturating_sub(2));
    for (n, (row, found)) in body.rows().zip(palette.found.iter().skip(palette.scroll)).enumerate() {
        let chosen = palette.scroll + n == palette.at;
        let line = line(model, palette.context, *found, width);
        let row = Rect { width: row.width.saturating_sub(2), ..row };
        buffer.set_line(row.x, row.y, &line, row.width);
        if chosen {
            buffer.set_style(row, theme.style(Role::Selected));
        }
    }
    scroll::bar(body, palette.scroll, palette.found.len(), theme, buffer);
    if palette.found.is_empty() {
        let said = words::cut(theme, "No ticket is called that, and nothing that can be done now.", width);
        put(body, &Line::styled(said, theme.style(Role::Dim)), buffer);
    }
    bars::draw_keys(model, Context::Palette, keys, buffer);
}

fn line(model: &Model, context: Context, found: Found, width: usize) -> Line<'static> {
    let theme = &model.theme;
    match found {
        Found::Action(action) => {
            let Some(row) = model.keys.rows(context).iter().find(|row| row.action == action) else {
                return Line::default();
            };
            let why_not = model.why_not(action);
            let keys = row.keys.first().map(Keys::shown).unwrap_or_default();
            let names = NAMES.min(width / 2);
            let name = text::pad(&words::cut(theme, &name(row), names), names, text::Side::Left);
            let (role, said) = match &why_not {
                Some(why) => (Role::Warn, format!("{} {why}", theme.glyphs.warn)),
                None => (Role::Dim, row.help.clone()),
            };
            let room = width.saturating_sub(names + text::width(&keys) + 2);
            let said = text::pad(&words::cut(theme, &said, room), room, text::Side::Left);
            let named = if why_not.is_some() { Role::Dim } else { Role::Text };
            Line::from(vec![
                Span::styled(name, theme.style(named)),
                Span::styled(format!(" {said} "), theme.style(role)),
                Span::styled(keys, theme.style(Role::Key)),
            ])
        }
        Found::Ticket(id) => {
            let Some(ticket) = model.board.ticket(id) else { return Line::default() };
            let state = columns::state_text(model, ticket);
            let room = width.saturating_sub(text::width(&state) + 1);
            let branch = ticket.worktree.as_ref().map(|worktree| format!("  {}", worktree.branch)).unwrap_or_default();
            let titled = format!("{} {}", ticket.number, ticket.title);
            let titled = words::cut(theme, &titled, room).into_owned();
            let branch = words::cut(theme, &branch, room.saturating_sub(text::width(&titled))).into_owned();
            let gap = room.saturating_sub(text::width(&titled) + text::width(&branch)) + 1;
            Line::from(vec![
                Span::styled(titled, theme.style(Role::Text)),
                Span::styled(branch, theme.style(Role::Link)),
                Span::raw(" ".repeat(gap)),
                Span::styled(state, theme.style(Role::of_state(ticket.state.name()))),
            ])
        }
    }
}
