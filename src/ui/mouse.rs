//! The mouse: what is under it, and what a click, a wheel or a drag there means. It does nothing that keys cannot do.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::domain::id::TicketId;
use crate::domain::state::StateName;
use crate::domain::time::Timestamp;

use super::keys::{Action, Context};
use super::model::{Model, Notice, NoticeKind};
use super::msg::Effect;
use super::screen::ticket::{self, Tab};
use super::screen::{Overlay, bars, columns, grid};
use super::words;

/// Two clicks within this time are one double click.
const DOUBLE: Duration = Duration::from_millis(500);
/// How many rows the wheel scrolls at once.
const ROWS: usize = 3;

/// What the buttons do right now.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Mouse {
    grip: Option<Grip>,
    /// The last click, and when it was.
    clicked: Option<(Target, Timestamp)>,
}

/// What is held by the button.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Grip {
    /// A ticket from this column, the other column that it is over, with whether it may go there, and whether it is
    /// opened where it was taken: by the second click of two, unless it is dragged first.
    Card { ticket: TicketId, from: StateName, over: Option<(StateName, bool)>, opens: bool },
    /// The frame between board and log.
    Divider,
}

/// What can be under the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Card(TicketId),
    /// A cell of all running logs.
    Cell(TicketId),
    Column(StateName),
    Tab(Tab),
    Key(Action),
    Log,
    /// The text of the ticket that is open.
    Page,
    Divider,
    Nothing,
}

/// Up or down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    Up,
    Down,
}

impl Mouse {
    /// Says whether the ticket that is dragged may be dropped on a column, while it is over it.
    pub(super) fn drops_on(&self, state: StateName) -> Option<bool> {
        match self.grip {
            Some(Grip::Card { over: Some((over, may)), .. }) if over == state => Some(may),
            Some(Grip::Card { .. } | Grip::Divider) | None => None,
        }
    }
}

impl Model {
    /// Takes in what the mouse did.
    pub(super) fn mouse(&mut self, event: MouseEvent, at: Timestamp) -> Vec<Effect> {
        let place = Position::new(event.column, event.row);
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.press(place, at),
            MouseEventKind::Drag(MouseButton::Left) => self.drag(place),
            MouseEventKind::Up(MouseButton::Left) => self.release(),
            MouseEventKind::ScrollUp => self.wheel(place, Turn::Up),
            MouseEventKind::ScrollDown => self.wheel(place, Turn::Down),
            MouseEventKind::Down(MouseButton::Right | MouseButton::Middle)
            | MouseEventKind::Drag(MouseButton::Right | MouseButton::Middle)
            | MouseEventKind::Up(MouseButton::Right | MouseButton::Middle)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => Vec::new(),
        }
    }

    fn press(&mut self, place: Position, at: Timestamp) -> Vec<Effect> {
        self.dirty = true;
        if let Some(Overlay::Palette(palette)) = self.over.take_if(|over| matches!(over, Overlay::Palette(_))) {
            return self.click_in_palette(palette, place);
        }
        if let Some(Overlay::Place(list)) = self.over {
            self.over = None;
            return self.click_in_place(list, place);
        }
        if !self.is_in_sight() {
            return Vec::new();
        }
        let target = self.target(place);
        let double = self.mouse.clicked.take().is_some_and(|(last, then)| last == target && at.since(then) < DOUBLE);
        if !double {
            self.mouse.clicked = Some((target, at));
        }
        self.notice = None;
        match target {
            Target::Card(ticket) => {
                self.desk.cursor = Some(ticket);
                self.log.leave();
                let from = self.current_column();
                self.mouse.grip = from.map(|from| Grip::Card { ticket, from, over: None, opens: double });
            }
            Target::Cell(ticket) => {
                if let Some(grid) = &mut self.grid {
                    grid.at = Some(ticket);
                }
                if double {
                    return self.act(Context::Grid, Action::Open);
                }
            }
            Target::Column(state) => {
                if let Some(first) = self.index.column(state).get(self.desk.top(state)) {
                    self.desk.cursor = Some(*first);
                }
                self.log.leave();
            }
            Target::Tab(tab) => {
                if let Some(screen) = &mut self.ticket {
                    screen.turn(tab);
                }
            }
            Target::Key(action) => return self.act(self.context(), action),
            Target::Log if self.ticket.is_none() => {
                self.act_on_log(Action::FocusLog);
            }
            Target::Divider => self.mouse.grip = Some(Grip::Divider),
            Target::Log | Target::Page | Target::Nothing => {}
        }
        Vec::new()
    }

    fn drag(&mut self, place: Position) -> Vec<Effect> {
        match self.mouse.grip {
            Some(Grip::Card { ticket, from, over, opens }) => {
                if opens && self.target(place) != Target::Card(ticket) {
                    self.mouse.grip = Some(Grip::Card { ticket, from, over, opens: false });
                }
                let state = self.column_at(place).filter(|state| *state != from);
                if over.map(|(state, _)| state) != state {
                    self.drag_over(ticket, from, state);
                }
            }
            Some(Grip::Divider) => self.divide_at(place),
            None => {}
        }
        Vec::new()
    }

    fn drag_over(&mut self, id: TicketId, from: StateName, state: Option<StateName>) {
        self.dirty = true;
        self.notice = None;
        let Some(ticket) = self.board.ticket(id) else { return };
        let why_not = state.and_then(|state| self.why_not_to(ticket, state));
        let over = state.map(|state| (state, why_not.is_none()));
        self.mouse.grip = Some(Grip::Card { ticket: id, from, over, opens: false });
        let text = match (&why_not, state) {
            (Some(why), _) => why.clone(),
            (None, Some(state)) => {
                let (number, glyphs) = (words::number(&self.board, id), &self.theme.glyphs);
                format!("{number} {} {}", glyphs.arrow, columns::name(state))
            }
            (None, None) => return,
        };
        let kind = if why_not.is_some() { NoticeKind::Refused } else { NoticeKind::News };
        self.notice = Some(Notice { kind, text });
    }

    fn divide_at(&mut self, place: Position) {
        let layout = self.layout();
        let Some(log) = layout.log else { return };
        let (all, rest) = if self.log.is_beside() {
            (layout.body.width + log.width, log.right().saturating_sub(place.x))
        } else {
            (layout.body.height + log.height, log.bottom().saturating_sub(place.y))
        };
        // Upwards, since the layout rounds it downwards again.
        let share = (u32::from(rest) * 100).div_ceil(u32::from(all.max(1)));
        self.log.resize(u16::try_from(share).unwrap_or(u16::MAX));
        self.dirty = true;
    }

    fn release(&mut self) -> Vec<Effect> {
        match self.mouse.grip.take() {
            Some(Grip::Card { ticket, over: Some((state, _)), .. }) => {
                self.dirty = true;
                self.notice = None;
                if self.board.ticket(ticket).is_none() {
                    return Vec::new();
                }
                self.desk.cursor = Some(ticket);
                self.move_to(state)
            }
            Some(Grip::Card { ticket, opens: true, .. }) if self.is_in_sight() && self.selected() == Some(ticket) => {
                self.over = None;
                self.act(Context::Board, Action::Open)
            }
            Some(Grip::Card { over: None, .. } | Grip::Divider) | None => Vec::new(),
        }
    }

    /// Says whether clicks are for what the screen shows: it is in sight while the filter is typed; whatever else lies
    /// over it has the mouse too.
    fn is_in_sight(&self) -> bool {
        matches!(self.over, None | Some(Overlay::Filter(_)))
    }

    fn wheel(&mut self, place: Position, turn: Turn) -> Vec<Effect> {
        self.dirty = true;
        let action = match turn {
            Turn::Up => Action::Up,
            Turn::Down => Action::Down,
        };
        match &self.over {
            Some(
                Overlay::Choice(_)
                | Overlay::Runs(_)
                | Overlay::Checklist(_)
                | Overlay::Place(_)
                | Overlay::Dialog(_)
                | Overlay::Help(_)
                | Overlay::Palette(_),
            ) => {
                let none = KeyEvent::new(KeyCode::Null, KeyModifiers::NONE);
                return self.give(self.context(), Some(action), none);
            }
            Some(
                Overlay::Form(_)
                | Overlay::GoalForm(_)
                | Overlay::Tell(_)
                | Overlay::Remark(_)
                | Overlay::RunWith(_)
                | Overlay::Save(_),
            ) => return Vec::new(),
            Some(Overlay::LogFilter(_)) => return Vec::new(),
            Some(Overlay::Filter(_) | Overlay::Find(_)) | None => {}
        }
        match self.target(place) {
            Target::Log | Target::Divider if self.ticket.is_none() => {
                (0..ROWS).for_each(|_| {
                    self.act_on_log(action);
                });
            }
            Target::Log | Target::Page => (0..ROWS).for_each(|_| {
                self.act_on_ticket(action);
            }),
            Target::Card(_) | Target::Column(_) => match self.column_at(place) {
                Some(state) => self.scroll_column(state, if turn == Turn::Up { -1 } else { 1 }),
                None => {
                    self.act_on_board(action);
                }
            },
            Target::Cell(_) | Target::Tab(_) | Target::Key(_) | Target::Divider | Target::Nothing => {}
        }
        Vec::new()
    }

    /// Returns the column that is there.
    fn column_at(&self, place: Position) -> Option<StateName> {
        if self.ticket.is_some() || self.grid.is_some() {
            return None;
        }
        let layout = self.layout();
        let tab = layout.tabs.filter(|area| area.contains(place)).and_then(|area| self.column_tab_at(area, place));
        tab.or_else(|| layout.columns.iter().find(|column| column.area.contains(place)).map(|column| column.state))
    }

    fn column_tab_at(&self, area: Rect, place: Position) -> Option<StateName> {
        let mut x = area.x;
        columns::tabs(self, area.width).into_iter().find_map(|(state, label)| {
            let from = x;
            x = x.saturating_add(u16::try_from(super::widget::text::width(&label)).unwrap_or(u16::MAX));
            (from..x).contains(&place.x).then_some(state)
        })
    }

    fn target(&self, place: Position) -> Target {
        if let Some(screen) = &self.ticket {
            return match (ticket::tab_at(self, screen, place), self.key_at(ticket::footer(self), place)) {
                (Some(tab), _) => Target::Tab(tab),
                (None, Some(action)) => Target::Key(action),
                (None, None) if screen.log_area(self).is_some_and(|area| area.contains(place)) => Target::Log,
                (None, None) => Target::Page,
            };
        }
        if self.shows_grid() {
            return match (self.key_at(grid::footer(self), place), self.cell_at(place)) {
                (Some(action), _) => Target::Key(action),
                (None, Some(ticket)) => Target::Cell(ticket),
                (None, None) => Target::Nothing,
            };
        }
        let layout = self.layout();
        if let Some(action) = self.key_at(layout.footer, place) {
            return Target::Key(action);
        }
        if let Some(log) = layout.log.filter(|log| log.contains(place)) {
            let edge = if self.log.is_beside() { place.x == log.x } else { place.y == log.y };
            return if edge && !self.log.is_zoomed() { Target::Divider } else { Target::Log };
        }
        if let Some(area) = layout.list {
            let rows = columns::list_rows(self, area);
            let found = rows.iter().find(|(row, _, _)| row.contains(place));
            return found.map_or(Target::Nothing, |(_, _, id)| Target::Card(*id));
        }
        let Some(state) = self.column_at(place) else { return Target::Nothing };
        let on_tab = layout.tabs.is_some_and(|area| area.contains(place));
        let card = if on_tab { None } else { self.card_at(state, place.y) };
        card.map_or(Target::Column(state), Target::Card)
    }

    /// Returns what the key does whose word is drawn there in the bottom line.
    fn key_at(&self, footer: Rect, place: Position) -> Option<Action> {
        let area = bars::keys_place(self, footer);
        if self.over.is_some() || !area.contains(place) {
            return None;
        }
        let mut x = area.x;
        bars::offered(self, self.context(), area.width).iter().find_map(|offer| {
            let from = x;
            x = x.saturating_add(u16::try_from(bars::offer_width(offer)).unwrap_or(u16::MAX));
            (from..x).contains(&place.x).then_some(offer.0)
        })
    }
}
