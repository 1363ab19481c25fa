//! Where `g` goes: the goals, the boards, the queue and the figures, each a list over the screen, with more about the row
//! that is marked below it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};

use crate::domain::glance::Tally;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{scroll, text};

use super::layout::{put, split_bottom, split_top};
use super::{Overlay, bars, boards, columns, dashboard, goals, queue};

/// The largest that it gets.
const LARGEST: Size = Size { width: 112, height: 32 };
/// The least rows for what is said about the marked row.
const LEAST_DETAILS: u16 = 3;

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Place {
    /// The goals of the board.
    Goals,
    /// All boards of the data directory.
    Boards,
    /// What runs, and what waits for its turn.
    Queue,
    /// How many tickets are how, and what they cost.
    Dashboard,
}

impl Place {
    /// Returns what has the keys there.
    pub(in crate::ui) fn context(self) -> Context {
        match self {
            Self::Goals => Context::Goals,
            Self::Boards => Context::Boards,
            Self::Queue => Context::Queue,
            Self::Dashboard => Context::Dashboard,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Goals => "Goals",
            Self::Boards => "Boards",
            Self::Queue => "What runs and what waits",
            Self::Dashboard => "How things stand",
        }
    }

    /// Returns how many rows are kept for what is said about a row, so that the list stands still while the mark moves.
    fn detail_rows(self) -> u16 {
        match self {
            Self::Goals => 13,
            Self::Boards => 10,
            Self::Queue => 7,
            Self::Dashboard => 0,
        }
    }
}

/// A list, and which of its rows is marked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) struct PlaceList {
    pub(in crate::ui) place: Place,
    /// The row; rows may have gone since.
    pub(super) at: usize,
}

/// What a list shows.
pub(super) struct Listed {
    /// Its rows, without the sign of the one that is marked.
    pub(super) rows: Vec<Line<'static>>,
    /// What is said about the marked one.
    pub(super) details: Vec<Line<'static>>,
    /// What is said in place of rows where there are none.
    pub(super) none: String,
}

/// Where the parts are.
struct Parts {
    /// All but the keys.
    body: Rect,
    list: Rect,
    /// The row of the list that is drawn first.
    first: usize,
    details: Rect,
    keys: Rect,
}

impl Model {
    /// Opens a list, with its first row marked, or that of the board that is open.
    pub(in crate::ui) fn open_place(&mut self, place: Place) -> Vec<Effect> {
        self.show_place(place, if place == Place::Boards { self.own_row() } else { 0 });
        if place == Place::Boards { vec![Effect::LoadBoards] } else { Vec::new() }
    }

    /// Shows a list again, with that row marked.
    pub(super) fn show_place(&mut self, place: Place, at: usize) {
        self.over = Some(Overlay::Place(PlaceList { place, at }));
    }

    /// Takes a key while a list is open. `list` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn key_in_place(&mut self, list: PlaceList, action: Option<Action>) -> Vec<Effect> {
        let last = self.in_place(list).rows.len().saturating_sub(1);
        let page = usize::from(self.size.height / 4).max(1);
        let list = PlaceList { at: list.at.min(last), ..list };
        let at = match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Choose) => return self.choose_in_place(list),
            Some(Action::NewGoal) => return self.new_goal(list.at),
            Some(Action::EditGoal) => return self.edit_goal(list.at),
            Some(Action::RemoveGoal) => return self.remove_goal(list.at),
            Some(Action::Down) => list.at + 1,
            Some(Action::Up) => list.at.saturating_sub(1),
            Some(Action::HalfDown) => list.at + page,
            Some(Action::HalfUp) => list.at.saturating_sub(page),
            Some(Action::Top) => 0,
            Some(Action::Bottom) => last,
            _ => list.at,
        };
        self.show_place(list.place, at.min(last));
        Vec::new()
    }

    fn choose_in_place(&mut self, list: PlaceList) -> Vec<Effect> {
        match list.place {
            Place::Goals => self.choose_goal(list.at),
            Place::Boards => self.choose_board(list.at),
            Place::Queue => self.choose_in_queue(list.at),
            Place::Dashboard => self.choose_figure(list.at),
        }
    }

    /// Marks the row that is drawn there; the marked one is chosen.
    pub(in crate::ui) fn click_in_place(&mut self, list: PlaceList, at: Position) -> Vec<Effect> {
        let listed = self.in_place(list);
        let parts = parts(self, list, &listed);
        let row = parts.first + usize::from(at.y.saturating_sub(parts.list.y));
        if !parts.list.contains(at) || row >= listed.rows.len() {
            self.show_place(list.place, list.at);
        } else if row == list.at {
            return self.choose_in_place(list);
        } else {
            self.show_place(list.place, row);
        }
        Vec::new()
    }

    fn in_place(&self, list: PlaceList) -> Listed {
        let width = usize::from(popup(list, 0).inside(self.over_area()).width.saturating_sub(2));
        match list.place {
            Place::Goals => goals::listed(self, list.at, width),
            Place::Boards => boards::listed(self, list.at, width),
            Place::Queue => queue::listed(self, list.at, width),
            Place::Dashboard => dashboard::listed(self, width),
        }
    }

    /// Says whether a list is looked at in which there is nothing to choose.
    pub(in crate::ui) fn has_no_choice(&self) -> bool {
        match self.over {
            Some(Overlay::Place(list)) if list.place == Place::Dashboard => self.counts_no_tickets(list.at),
            Some(Overlay::Place(list)) => self.in_place(list).rows.is_empty(),
            _ => false,
        }
    }

    /// Leaves whatever is shown in place of the board.
    pub(super) fn go_to_board(&mut self) {
        self.ticket = None;
        self.close_grid();
        self.log.leave();
    }
}

/// Returns the frame around so many rows.
fn popup(list: PlaceList, rows: usize) -> Popup<'static> {
    // An empty row below the rows, and the keys.
    let rows = u16::try_from(rows.max(1)).unwrap_or(u16::MAX).saturating_add(2);
    let height = rows.saturating_add(list.place.detail_rows()).min(LARGEST.height);
    Popup { title: list.place.title(), footer: "", content: Size { height, ..LARGEST } }
}

fn parts(model: &Model, list: PlaceList, listed: &Listed) -> Parts {
    let (body, keys) = split_bottom(popup(list, listed.rows.len()).inside(model.over_area()), 1);
    let rows = u16::try_from(listed.rows.len().max(1)).unwrap_or(u16::MAX);
    let wanted = u16::try_from(listed.details.len()).unwrap_or(u16::MAX);
    // The list has two thirds where both want more than there is; a bit of details says nothing.
    let details = match body.height.saturating_sub(rows).max(body.height / 3).saturating_sub(1).min(wanted) {
        few if few < LEAST_DETAILS.min(wanted) => 0,
        height => height,
    };
    let (above, details) = split_bottom(body, details);
    let list_height = above.height.saturating_sub(u16::from(details.height > 0)).min(rows);
    let list_area = split_top(above, list_height).0;
    let shown = usize::from(list_area.height);
    let first = (list.at + 1).saturating_sub(shown).min(scroll::last_offset(listed.rows.len(), shown));
    // Details stand right below the list and an empty row.
    let details = Rect { y: list_area.bottom().saturating_add(u16::from(details.height > 0)), ..details };
    Parts { body, list: list_area, first, details, keys }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, list: PlaceList, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let mut listed = model.in_place(list);
    popup(list, listed.rows.len()).draw(area, theme, buffer);
    let list = PlaceList { at: list.at.min(listed.rows.len().saturating_sub(1)), ..list };
    let Parts { body, list: place, first, details, keys } = parts(model, list, &listed);
    bars::draw_keys(model, list.place.context(), keys, buffer);
    if listed.rows.is_empty() {
        for (row, line) in body.rows().zip(text::wrap(&listed.none, usize::from(body.width))) {
            put(row, &Line::styled(line, theme.style(Role::Dim)), buffer);
        }
        return;
    }
    let total = listed.rows.len();
    for (row, (n, line)) in place.rows().zip(listed.rows.drain(..).enumerate().skip(first)) {
        let is_marked = n == list.at;
        let sign = if is_marked { theme.glyphs.cursor } else { " " };
        let mut spans = vec![Span::styled(format!("{sign} "), theme.style(Role::Focus))];
        spans.extend(line.spans);
        put(row, &Line::from(spans), buffer);
        if is_marked {
            let text = Rect { x: row.x.saturating_add(2), width: row.width.saturating_sub(2), ..row };
            buffer.set_style(text, theme.style(Role::Title));
        }
    }
    let edge = Rect { width: place.width.saturating_add(1).min(area.right().saturating_sub(place.x)), ..place };
    scroll::bar(edge, first, total, theme, buffer);
    for (row, line) in details.rows().zip(&listed.details) {
        put(row, line, buffer);
    }
}

/// Returns how many tickets are in which state, in the words of the board.
pub(super) fn tally(tickets: &Tally) -> String {
    let words = tickets.0.iter().map(|(state, count)| format!("{count} {}", columns::name(*state).to_lowercase()));
    let words: Vec<String> = words.collect();
    if words.is_empty() { tickets.to_string() } else { words.join(", ") }
}

/// Returns a row: a name at the left, cut to what room is left, and facts at the right.
pub(super) fn row(model: &Model, name: &str, facts: &[(Role, String)], width: usize) -> Line<'static> {
    let theme = &model.theme;
    let taken: usize = facts.iter().map(|(_, fact)| text::width(fact) + 2).sum();
    let room = width.saturating_sub(taken);
    let name = text::pad(&text::truncate_with(name, room, theme.glyphs.ellipsis), room, text::Side::Left);
    let mut spans = vec![Span::styled(name, theme.style(Role::Text))];
    for (role, fact) in facts {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(text::visible(fact).into_owned(), theme.style(*role)));
    }
    Line::from(spans)
}
