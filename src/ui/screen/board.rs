//! The board's screen: where the cursor is, which part of each column is in sight, and how keys move both.

use ratatui::layout::Rect;

use crate::domain::dependencies::Readiness;
use crate::domain::id::TicketId;
use crate::domain::state::StateName;
use crate::ui::index::{COLUMNS, place};
use crate::ui::model::Model;

use super::layout::{self, Layout, Wish, inner};
use super::marks::Marks;
use super::{bars, card};

/// Where the cursor is and what is in sight.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::ui) struct BoardScreen {
    /// The ticket under the cursor; there is one whenever a ticket is shown.
    pub(in crate::ui) cursor: Option<TicketId>,
    /// Where the cursor was last, for when its ticket is gone.
    last: (usize, usize),
    /// The first card in sight of each column.
    tops: [usize; COLUMNS],
    /// The first open one of the columns with tickets.
    first_open: usize,
    /// The tickets that are marked.
    pub(in crate::ui) marks: Marks,
    /// Whether abandoned tickets are shown.
    pub(in crate::ui) abandoned: bool,
}

impl BoardScreen {
    /// Returns the first card in sight of a column.
    pub(in crate::ui) fn top(&self, state: StateName) -> usize {
        self.tops[place(state)]
    }
}

/// How far the cursor goes in its column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Step {
    /// So many cards up.
    Up(usize),
    /// So many cards down.
    Down(usize),
    /// To the first card.
    First,
    /// To the last card.
    Last,
}

impl Step {
    /// Returns the row that is reached from `row`, when `last` is the last one.
    fn from(self, row: usize, last: usize) -> usize {
        match self {
            Self::Up(by) => row.saturating_sub(by),
            Self::Down(by) => row.saturating_add(by).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

/// Left or right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Side {
    /// To the left.
    Left,
    /// To the right.
    Right,
}

impl Model {
    /// Returns where the parts of the board's screen are.
    pub(in crate::ui) fn layout(&self) -> Layout {
        Layout::of(self.wish())
    }

    fn wish(&self) -> Wish<'_> {
        Wish {
            size: self.size,
            index: &self.index,
            log: &self.log,
            abandoned: self.desk.abandoned,
            current: self.current_column(),
            first_open: self.desk.first_open,
            footer: bars::footer_height(self, self.size.width),
        }
    }

    /// Returns the column with the cursor.
    pub(in crate::ui) fn current_column(&self) -> Option<StateName> {
        self.desk.cursor.and_then(|id| self.board.ticket(id)).map(|ticket| ticket.state.name())
    }

    /// Returns the row of the cursor in its column.
    pub(in crate::ui) fn current_row(&self) -> Option<usize> {
        self.index.row(&self.board, self.desk.cursor?)
    }

    /// Moves the cursor within its column.
    pub(in crate::ui) fn step(&mut self, step: Step) {
        if self.layout().list.is_some() {
            let all = self.in_order();
            let Some(row) = all.iter().position(|id| Some(*id) == self.desk.cursor) else { return };
            self.desk.cursor = Some(all[step.from(row, all.len() - 1)]);
            return;
        }
        let (Some(state), Some(row)) = (self.current_column(), self.current_row()) else { return };
        let column = self.index.column(state);
        self.desk.cursor = Some(column[step.from(row, column.len() - 1)]);
    }

    /// Returns every ticket that is shown, column by column.
    fn in_order(&self) -> Vec<TicketId> {
        layout::shown(self.desk.abandoned).flat_map(|state| self.index.column(state)).copied().collect()
    }

    /// Moves the cursor to the next column that has a ticket.
    pub(in crate::ui) fn step_aside(&mut self, side: Side) {
        let (Some(state), Some(row)) = (self.current_column(), self.current_row()) else { return };
        let filled = layout::shown(self.desk.abandoned).filter(|state| !self.index.column(*state).is_empty());
        let next = match side {
            Side::Left => filled.rev().find(|other| *other < state),
            Side::Right => filled.clone().find(|other| *other > state),
        };
        let Some(next) = next else { return };
        // The card at the same height, not of the same number: people look along a line.
        let seen = row.saturating_sub(self.desk.top(state));
        let column = self.index.column(next);
        self.desk.cursor = column.get((self.desk.top(next) + seen).min(column.len() - 1)).copied();
    }

    /// Returns how many cards make half a column.
    pub(in crate::ui) fn half_column(&self) -> usize {
        let height = self.current_column().and_then(|state| self.layout().open(state)).map_or(0, |area| area.height);
        usize::from(height / 2 / card::TYPICAL).max(1)
    }

    /// Moves the cursor to the next ticket that needs a person, column by column and around.
    pub(in crate::ui) fn step_to_next_needing_you(&mut self) {
        let all = self.in_order();
        let at = all.iter().position(|id| Some(*id) == self.desk.cursor).map_or(0, |at| at + 1);
        if let Some(next) = all[at..].iter().chain(&all[..at]).find(|id| self.index.needs_you(**id)) {
            self.desk.cursor = Some(*next);
        }
    }

    /// Returns the ticket that a person looks at first: one that needs somebody, or that runs, or that can be run.
    pub(in crate::ui) fn first_look(&self) -> Option<TicketId> {
        let all = self.in_order();
        let needs_you = all.iter().find(|id| self.index.needs_you(**id));
        let runs = || all.iter().find(|id| self.board.active_job(**id).is_some());
        let can_run = || {
            self.index.column(StateName::Planned).iter().find(|id| {
                self.board.ticket(**id).is_some_and(|ticket| self.board.readiness(ticket) == Readiness::Ready)
            })
        };
        needs_you.or_else(runs).or_else(can_run).copied()
    }

    /// Says whether the first picture is that of the whole board, although a part of it is not read yet.
    pub fn is_sure(&self) -> bool {
        let rest = self.index.rest();
        let Some(first) = rest.first else { return true };
        let layout = self.layout();
        // A card has two lines at least, and one is between cards.
        let heights = layout.columns.iter().map(|column| usize::from(inner(column.area).height));
        let at_once = heights.max().unwrap_or(0).div_ceil(3);
        if layout.list.is_some() || at_once > first {
            return false;
        }
        let state = |id: TicketId| self.board.ticket(id).map(|ticket| ticket.state.name());
        // Whether nothing that is not read stands above it, or is in sight below it.
        let has_place = |id: TicketId| {
            let is_whole = state(id).is_some_and(|state| rest.missing(state) == 0);
            is_whole || self.index.row(&self.board, id).is_some_and(|row| row + at_once <= first)
        };
        match self.first_look() {
            Some(id) if self.index.needs_you(id) => {
                let comes_first = state(id) < Some(StateName::Blocked) || rest.missing(StateName::NeedsHuman) == 0;
                has_place(id) && (comes_first || rest.needing_you == 0)
            }
            _ if rest.needing_you > 0 => false,
            Some(id) => has_place(id),
            None => rest.missing(StateName::Planned) == 0,
        }
    }

    /// Puts the cursor on a ticket that is shown, as near as can be to where it was.
    pub(in crate::ui) fn settle_cursor(&mut self) {
        let shown = |state: StateName| self.desk.abandoned || state != StateName::Abandoned;
        let place_of = |id| Some((self.board.ticket(id)?.state.name(), self.index.row(&self.board, id)?));
        if let Some((state, row)) = self.desk.cursor.and_then(place_of).filter(|(state, _)| shown(*state)) {
            self.desk.last = (place(state), row);
            return;
        }
        let (column, row) = self.desk.last;
        let mut filled: Vec<StateName> = layout::shown(self.desk.abandoned).collect();
        filled.retain(|state| !self.index.column(*state).is_empty());
        filled.sort_by_key(|state| place(*state).abs_diff(column));
        self.desk.cursor = filled.first().and_then(|state| {
            let column = self.index.column(*state);
            column.get(row.min(column.len() - 1)).copied()
        });
    }

    /// Scrolls so that the cursor is in sight and no room is wasted.
    pub(in crate::ui) fn settle_scroll(&mut self) {
        self.desk.first_open = layout::first_open(self.wish());
        let layout = self.layout();
        let current = self.current_column();
        let cursor = self.current_row();
        for column in layout.columns.iter().filter(|column| column.shape == layout::Shape::Open) {
            let row = cursor.filter(|_| current == Some(column.state));
            self.desk.tops[place(column.state)] = self.settled_top(column.state, column.area, row);
        }
    }

    /// Scrolls a column by so many cards; its cursor goes along so that it stays in sight.
    pub(in crate::ui) fn scroll_column(&mut self, state: StateName, by: isize) {
        let Some(area) = self.layout().open(state) else { return };
        let ids = self.index.column(state);
        let Some(last) = ids.len().checked_sub(1) else { return };
        let top = self.desk.top(state).saturating_add_signed(by).min(self.first_that_fits(ids, area, last));
        if let (true, Some(row)) = (self.current_column() == Some(state), self.current_row()) {
            let mut row = row.max(top);
            while row > top && self.first_that_fits(ids, area, row) > top {
                row -= 1;
            }
            self.desk.cursor = ids.get(row).copied();
        }
        self.desk.tops[place(state)] = top;
    }

    /// Returns the ticket whose card is drawn at that row of the screen.
    pub(in crate::ui) fn card_at(&self, state: StateName, y: u16) -> Option<TicketId> {
        let mut rest = inner(self.layout().open(state)?);
        for id in self.index.column(state).iter().skip(self.desk.top(state)) {
            let height = u16::try_from(card::height(self, *id, rest.width)).unwrap_or(u16::MAX).min(rest.height);
            if (rest.y..rest.y + height).contains(&y) {
                return Some(*id);
            }
            rest = layout::split_top(rest, height.saturating_add(1)).1;
        }
        None
    }

    fn settled_top(&self, state: StateName, area: Rect, row: Option<usize>) -> usize {
        let ids = self.index.column(state);
        let Some(last) = ids.len().checked_sub(1) else { return 0 };
        let mut top = self.desk.top(state).min(self.first_that_fits(ids, area, last));
        if let Some(row) = row {
            top = top.min(row).max(self.first_that_fits(ids, area, row));
        }
        top
    }

    /// Returns the first card that can be in sight together with all of `last`.
    fn first_that_fits(&self, ids: &[TicketId], area: Rect, last: usize) -> usize {
        let area = inner(area);
        let mut room = usize::from(area.height);
        let mut first = last;
        loop {
            let height = card::height(self, ids[first], area.width);
            let gap = usize::from(first != last);
            let Some(left) = room.checked_sub(height + gap) else {
                return if first == last { first } else { first + 1 };
            };
            room = left;
            if first == 0 {
                return 0;
            }
            first -= 1;
        }
    }
}
