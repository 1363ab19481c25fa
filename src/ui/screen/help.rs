//! The help: every key of the table, filtered as one types.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::ui::keys::{Action, Context, KeyTable, Row};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{scroll, text};
use crate::ui::words;

use super::bars;
use super::layout::{put, split_bottom, split_top};

/// The width of the keys.
const KEYS: usize = 18;

/// What was typed, and how far it is scrolled.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::ui) struct Help {
    filter: String,
    scroll: usize,
}

impl Help {
    /// Takes a key; says whether the help stays.
    pub(in crate::ui) fn key(&mut self, action: Option<Action>, event: KeyEvent, size: Size) -> bool {
        match (action, event.code) {
            (Some(Action::Back), _) => return false,
            (Some(Action::Down), _) => self.scroll_by(1, size),
            (Some(Action::Up), _) => self.scroll_by(-1, size),
            (_, KeyCode::Backspace) => {
                self.filter.pop();
                self.scroll = 0;
            }
            (_, KeyCode::Char(c)) if (event.modifiers - KeyModifiers::SHIFT).is_empty() && !c.is_control() => {
                self.filter.push(c);
                self.scroll = 0;
            }
            _ => {}
        }
        true
    }

    fn scroll_by(&mut self, by: isize, size: Size) {
        let height = content(size).height.saturating_sub(2);
        self.scroll = scroll::scrolled(self.scroll, by, rows(&self.filter).len(), usize::from(height));
    }
}

/// A line of the help.
enum Shown {
    Heading(Context),
    Row(&'static Row),
    Gap,
}

/// Returns the lines that hold what was typed, in their keys, their sentence or the name of their context.
fn rows(filter: &str) -> Vec<Shown> {
    let wanted = filter.trim().to_lowercase();
    let mut shown = Vec::new();
    for context in Context::ALL {
        let rows = KeyTable::built_in().rows(*context).iter().filter(|row| {
            let keys = row.keys.iter().any(|keys| keys.to_string() == filter.trim());
            keys || row.help.to_lowercase().contains(&wanted) || context.as_str().contains(&wanted)
        });
        let rows: Vec<Shown> = rows.map(Shown::Row).collect();
        if rows.is_empty() {
            continue;
        }
        if !shown.is_empty() {
            shown.push(Shown::Gap);
        }
        shown.push(Shown::Heading(*context));
        shown.extend(rows);
    }
    shown
}

fn heading(context: Context) -> &'static str {
    match context {
        Context::Board => "On the board",
        Context::Log => "In the log",
        Context::Ticket => "In a ticket",
        Context::Form => "In the form of a new ticket",
        Context::Dialog => "When something is asked",
        Context::Help => "In this help",
    }
}

fn content(size: Size) -> Size {
    Size { width: size.width.saturating_sub(8).min(96), height: size.height.saturating_sub(4) }
}

/// Draws the help over what is there.
pub(in crate::ui) fn draw(model: &Model, help: &Help, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let popup = Popup { title: "Keys", footer: "", content: content(model.size) };
    let (top, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    let (filter, body) = split_top(top, 1);
    let typed = if help.filter.is_empty() { "type to filter".to_owned() } else { format!("/ {}", help.filter) };
    let role = if help.filter.is_empty() { Role::Dim } else { Role::Match };
    let typed = words::cut(&model.theme, &typed, usize::from(filter.width));
    put(filter, &Line::styled(typed, theme.style(role)), buffer);
    let rows = rows(&help.filter);
    let offset = help.scroll.min(scroll::last_offset(rows.len(), usize::from(body.height)));
    for (place, row) in body.rows().zip(rows.iter().skip(offset)) {
        let width = usize::from(place.width).saturating_sub(1);
        buffer.set_line(place.x, place.y, &line(model, row, width), place.width);
    }
    scroll::bar(body, offset, rows.len(), theme, buffer);
    if rows.is_empty() {
        let said = words::cut(&model.theme, "No key does that.", usize::from(body.width));
        put(body, &Line::styled(said, theme.style(Role::Dim)), buffer);
    }
    bars::draw_keys(model, Context::Help, keys, buffer);
}

fn line(model: &Model, shown: &Shown, width: usize) -> Line<'static> {
    let theme = &model.theme;
    match shown {
        Shown::Gap => Line::default(),
        Shown::Heading(context) => Line::styled(heading(*context), theme.style(Role::Title)),
        Shown::Row(row) => {
            let keys: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
            let keys_width = KEYS.min(width / 2);
            Line::from(vec![
                Span::styled(text::pad(&keys.join(" "), keys_width, text::Side::Left), theme.style(Role::Key)),
                Span::raw(" "),
                Span::raw(words::cut(&model.theme, &row.help, width.saturating_sub(keys_width + 1)).into_owned()),
            ])
        }
    }
}
