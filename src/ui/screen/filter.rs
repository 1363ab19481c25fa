//! The filter of the board: the line in which it is typed, what it comes to, and how it is taken away.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;
use ratatui_textarea::{CursorMove, TextArea};

use crate::domain::query::{BadQuery, Query};
use crate::ui::keys::{Action, Context};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::text;
use crate::ui::words;

use super::board::{Side, Step};
use super::layout::{put, shown, split_top};
use super::typing::{self, Lines};
use super::{Overlay, bars};

/// How many lines it takes at the bottom while it is typed.
pub(in crate::ui) const LINES: u16 = 2;
/// The most columns of the filter in the header.
const IN_HEADER: usize = 30;
/// What can be typed.
const HINT: &str =
    "state:blocked agent:codex goal:auth needs:me branch:fix conflict:yes p0 waiting queued running -not \"words\" #12";

/// The line in which it is typed.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Filter {
    input: TextArea<'static>,
    error: Option<BadQuery>,
}

impl Filter {
    /// Takes pasted text.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        typing::pasted(&mut self.input, Lines::One, pasted);
    }

    fn text(&self) -> String {
        self.input.lines().join(" ")
    }
}

impl Model {
    /// Opens the line, with the filter that is in force.
    pub(in crate::ui) fn open_filter(&mut self) -> Vec<Effect> {
        let mut input = typing::area(&self.theme);
        input.insert_str(&self.filter);
        input.move_cursor(CursorMove::End);
        self.over = Some(Overlay::Filter(Box::new(Filter { input, error: None })));
        Vec::new()
    }

    /// Takes a key while the filter is typed: the board narrows at once.
    pub(in crate::ui) fn key_in_filter(
        &mut self,
        mut filter: Box<Filter>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        match action {
            Some(Action::Keep) if filter.error.is_none() => return Vec::new(),
            Some(Action::Back) => {
                self.clear_filter();
                return Vec::new();
            }
            Some(Action::Down) => self.step(Step::Down(1)),
            Some(Action::Up) => self.step(Step::Up(1)),
            Some(Action::Left) => self.step_aside(Side::Left),
            Some(Action::Right) => self.step_aside(Side::Right),
            _ => typing::typed(&mut filter.input, Lines::One, event),
        }
        self.over = Some(Overlay::Filter(filter));
        self.refilter();
        Vec::new()
    }

    /// Shows what the line says, if that is a filter; else what was one stays in force.
    pub(in crate::ui) fn refilter(&mut self) {
        let Some(Overlay::Filter(filter)) = &mut self.over else { return };
        let typed = filter.text();
        match Query::parse(&typed) {
            Ok(query) => {
                filter.error = None;
                self.filter = typed.trim().to_owned();
                if query != *self.index.filter() {
                    self.index.sift(&self.board, query);
                }
            }
            Err(error) => filter.error = Some(error),
        }
    }

    /// Goes to the board and shows only the tickets of a filter.
    pub(super) fn show_tickets(&mut self, filter: String) {
        match Query::parse(&filter) {
            Ok(query) => {
                self.go_to_board();
                self.index.sift(&self.board, query);
                self.filter = filter;
            }
            Err(error) => self.say(NoticeKind::Refused, error.to_string()),
        }
    }

    /// Shows every ticket again.
    pub(in crate::ui) fn clear_filter(&mut self) {
        if !self.filter.is_empty() {
            self.filter.clear();
            self.index.sift(&self.board, Query::default());
        }
    }
}

/// Returns how many tickets are shown, and of how many.
fn counts(model: &Model) -> (usize, usize) {
    let states = || shown(model.desk.abandoned);
    (states().map(|state| model.index.column(state).len()).sum(), states().map(|state| model.index.total(state)).sum())
}

/// Returns what the header says of a filter.
pub(in crate::ui) fn said(model: &Model) -> Option<String> {
    if model.filter.is_empty() {
        return None;
    }
    let (found, total) = counts(model);
    Some(format!("filter {} {found} of {total}", words::cut(&model.theme, &model.filter, IN_HEADER)))
}

/// Says that there is nothing to be seen, where a filter is the reason.
pub(in crate::ui) fn draw_nothing_found(model: &Model, area: Rect, buffer: &mut Buffer) {
    if model.filter.is_empty() || counts(model).0 > 0 {
        return;
    }
    let back = model.keys.shown(Context::Board, Action::Back);
    let said = format!("No ticket is {}; {back} shows all again.", model.filter);
    let said = words::cut(&model.theme, &said, usize::from(area.width.saturating_sub(2)));
    let width = u16::try_from(text::width(&said)).unwrap_or(area.width).min(area.width);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + area.height / 2, width, height: 1 };
    put(place, &Line::styled(said, model.theme.style(Role::Warn)), buffer);
}

/// Draws the line, and above it what can be typed or what is wrong.
pub(in crate::ui) fn draw(model: &Model, filter: &Filter, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let (above, line) = split_top(area, area.height.saturating_sub(1));
    let (role, said) = match &filter.error {
        Some(error) => (Role::Bad, format!("{} {error}", theme.glyphs.bad)),
        None => (Role::Dim, HINT.to_owned()),
    };
    let said = words::cut(theme, &said, usize::from(above.width.saturating_sub(2)));
    put(above, &Line::from(vec![Span::raw(" "), Span::styled(said, theme.style(role))]), buffer);
    let (found, total) = counts(model);
    let counted = format!(" {found} of {total} ");
    let width = u16::try_from(text::width(&counted)).unwrap_or(0);
    let keys = Rect { x: line.x + line.width / 2, width: line.width - line.width / 2, ..line };
    let keys = Rect { width: keys.width.saturating_sub(width), ..keys };
    put(line, &Line::styled(" /", theme.style(Role::Key)), buffer);
    let typed = Rect { x: line.x.saturating_add(2), width: (line.width / 2).saturating_sub(3), ..line };
    (&filter.input).render(typed.intersection(buffer.area), buffer);
    bars::draw_keys(model, Context::Filter, keys, buffer);
    let place = Rect { x: keys.right(), width, ..line };
    put(place, &Line::styled(counted, theme.style(Role::Match)), buffer);
}
