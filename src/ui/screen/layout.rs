//! Where the parts of the board's screen are. `update` asks so that the cursor stays in sight, `view` so that it draws
//! there; both get the same answer.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::domain::state::StateName;
use crate::ui::index::Index;
use crate::ui::model::Model;

use super::bars;
use super::log::LogPane;

/// Below this many columns not all of the board's columns are open.
const WIDE: u16 = 100;
/// Below this many columns one of the board's columns is open.
const NARROW: u16 = 80;
/// How many of the board's columns are open in between.
const SOME: usize = 3;
/// Below this size there is only a plain list.
const SMALLEST: Size = Size { width: 40, height: 10 };
/// From this height on the log is shown if nobody said otherwise.
const LOG_BY_ITSELF: u16 = 30;
/// The width of a column that is not open.
const STRIPE: u16 = 3;
/// The least height that board and log need each.
const LEAST: u16 = 4;

/// How a column is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Shape {
    /// With its cards.
    Open,
    /// Only its name and number, one below the other.
    Stripe,
}

/// One column and its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) struct Column {
    pub(in crate::ui) state: StateName,
    pub(in crate::ui) area: Rect,
    pub(in crate::ui) shape: Shape,
}

/// The places of all parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ui) struct Layout {
    pub(in crate::ui) header: Rect,
    /// The names of all columns, where only one is open.
    pub(in crate::ui) tabs: Option<Rect>,
    /// Everything between header and footer but the log.
    pub(in crate::ui) body: Rect,
    pub(in crate::ui) columns: Vec<Column>,
    /// The plain list that is drawn in place of columns where there is no room for them.
    pub(in crate::ui) list: Option<Rect>,
    pub(in crate::ui) log: Option<Rect>,
    pub(in crate::ui) footer: Rect,
}

/// What the places depend on.
#[derive(Clone, Copy)]
pub(in crate::ui) struct Wish<'a> {
    pub(in crate::ui) size: Size,
    pub(in crate::ui) index: &'a Index,
    pub(in crate::ui) log: &'a LogPane,
    /// Whether abandoned tickets are shown.
    pub(in crate::ui) abandoned: bool,
    /// The column with the cursor.
    pub(in crate::ui) current: Option<StateName>,
    /// Which of the columns with tickets is the first open one, where not all are.
    pub(in crate::ui) first_open: usize,
    /// How many lines the bottom line has.
    pub(in crate::ui) footer: u16,
}

/// Returns the states whose columns are shown.
pub(in crate::ui) fn shown(abandoned: bool) -> impl DoubleEndedIterator<Item = StateName> + Clone {
    StateName::ALL.iter().copied().filter(move |state| abandoned || *state != StateName::Abandoned)
}

impl Layout {
    /// Returns the places.
    pub(in crate::ui) fn of(wish: Wish) -> Self {
        let all = Rect::from(wish.size);
        let (header, rest) = split_top(all, 1);
        let (rest, footer) = split_bottom(rest, wish.footer.min(rest.height / 2));
        let mut layout = Self { header, tabs: None, body: rest, columns: Vec::new(), list: None, log: None, footer };
        if wish.log.is_zoomed() {
            layout.log = Some(rest);
            layout.body = Rect::ZERO;
            return layout;
        }
        if wish.size.width < SMALLEST.width || wish.size.height < SMALLEST.height {
            layout.list = Some(rest);
            return layout;
        }
        if wish.log.is_shown(wish.size.height >= LOG_BY_ITSELF) {
            (layout.body, layout.log) = split_log(rest, wish.log);
        }
        if layout.body.width < NARROW {
            let (tabs, body) = split_top(layout.body, 1);
            layout.tabs = Some(tabs);
            let state = wish.current.unwrap_or(StateName::Proposed);
            layout.columns = vec![Column { state, area: body, shape: Shape::Open }];
        } else {
            layout.columns = columns(layout.body, wish);
        }
        layout
    }

    /// Returns the open column of that state.
    pub(in crate::ui) fn open(&self, state: StateName) -> Option<Rect> {
        self.columns
            .iter()
            .find(|column| column.state == state && column.shape == Shape::Open)
            .map(|column| column.area)
    }
}

/// Returns the first open column so that the current one is open too, given which was the first before.
pub(in crate::ui) fn first_open(wish: Wish) -> usize {
    let filled: Vec<StateName> = shown(wish.abandoned).filter(|state| !wish.index.column(*state).is_empty()).collect();
    let most = filled.len().saturating_sub(SOME);
    match wish.current.and_then(|current| filled.iter().position(|state| *state == current)) {
        Some(at) => wish.first_open.clamp((at + 1).saturating_sub(SOME), at).min(most),
        None => wish.first_open.min(most),
    }
}

fn columns(body: Rect, wish: Wish) -> Vec<Column> {
    let most = if body.width < WIDE { SOME } else { usize::MAX };
    let first = if body.width < WIDE { first_open(wish) } else { 0 };
    let mut filled = 0;
    let shapes: Vec<(StateName, Shape)> = shown(wish.abandoned)
        .map(|state| {
            if wish.index.column(state).is_empty() {
                return (state, Shape::Stripe);
            }
            filled += 1;
            let open = (first..first.saturating_add(most)).contains(&(filled - 1));
            (state, if open { Shape::Open } else { Shape::Stripe })
        })
        .collect();
    let open = u16::try_from(shapes.iter().filter(|(_, shape)| *shape == Shape::Open).count()).unwrap_or(u16::MAX);
    let stripes = u16::try_from(shapes.len()).unwrap_or(u16::MAX) - open;
    let room = body.width.saturating_sub(stripes * STRIPE);
    let (each, mut spare) = (room / open.max(1), room % open.max(1));
    let mut x = body.x;
    let mut columns = Vec::with_capacity(shapes.len());
    for (state, shape) in shapes {
        let width = match shape {
            Shape::Stripe => STRIPE,
            Shape::Open if spare > 0 => {
                spare -= 1;
                each + 1
            }
            Shape::Open => each,
        };
        columns.push(Column { state, area: Rect { x, width, ..body }, shape });
        x += width;
    }
    columns
}

fn split_log(rest: Rect, log: &LogPane) -> (Rect, Option<Rect>) {
    let share = |whole: u16| u16::try_from(u32::from(whole) * u32::from(log.share()) / 100).unwrap_or(whole);
    if log.is_beside() && rest.width >= 2 * SMALLEST.width {
        let width = share(rest.width).clamp(SMALLEST.width / 2, rest.width - SMALLEST.width);
        let body = Rect { width: rest.width - width, ..rest };
        return (body, Some(Rect { x: body.right(), width, ..rest }));
    }
    if rest.height < 2 * LEAST {
        return (rest, None);
    }
    let height = share(rest.height).clamp(LEAST, rest.height - LEAST);
    let (body, log) = split_bottom(rest, height);
    (body, Some(log))
}

/// Draws a line into the first row of an area, if it has one.
pub(in crate::ui) fn put(area: Rect, line: &Line, buffer: &mut Buffer) {
    if let Some(row) = area.intersection(buffer.area).rows().next() {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

/// Returns the upper lines and the rest.
pub(in crate::ui) fn split_top(area: Rect, lines: u16) -> (Rect, Rect) {
    let lines = lines.min(area.height);
    (Rect { height: lines, ..area }, Rect { y: area.y + lines, height: area.height - lines, ..area })
}

/// Returns the rest and the lower lines.
pub(in crate::ui) fn split_bottom(area: Rect, lines: u16) -> (Rect, Rect) {
    let lines = lines.min(area.height);
    (Rect { height: area.height - lines, ..area }, Rect { y: area.y + area.height - lines, height: lines, ..area })
}

/// Returns the place for what lies over a screen of that size: between its first and its last line, where there is room.
pub(in crate::ui) fn over(size: Size) -> Rect {
    let all = Rect::from(size);
    if size.height <= SMALLEST.height + 2 {
        return all;
    }
    split_bottom(split_top(all, 1).1, 1).0
}

impl Model {
    /// Returns the place for what lies over the screen, above all that the bottom says.
    pub(in crate::ui) fn over_area(&self) -> Rect {
        let area = over(self.size);
        let said = bars::footer_height(self, self.size.width).saturating_sub(1);
        if area.height <= SMALLEST.height { area } else { split_bottom(area, said).0 }
    }
}

/// Returns what is inside a frame.
pub(in crate::ui) fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}
