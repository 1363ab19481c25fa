//! The help: every key of the table, filtered as one types.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::ui::keys::{Action, Context, KeyTable, Keys, Row};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{scroll, text};
use crate::ui::words;

use super::bars;
use super::layout::{over, put, split_bottom, split_top};

/// The longest filter, in bytes.
const LONGEST: usize = 40;
/// The width of the keys.
const KEYS: usize = 18;

/// Where it was opened, what was typed, and how far it is scrolled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ui) struct Help {
    from: Context,
    filter: String,
    scroll: usize,
}

impl Help {
    /// Returns the help as it is opened in that context, whose keys come first.
    pub(in crate::ui) fn of(from: Context) -> Self {
        Self { from, filter: String::new(), scroll: 0 }
    }

    /// Takes a key; says whether the help stays.
    pub(in crate::ui) fn key(&mut self, action: Option<Action>, event: KeyEvent, keys: &KeyTable, size: Size) -> bool {
        match (action, event.code) {
            (Some(Action::Back), _) => return false,
            (Some(Action::Down), _) => self.scroll_by(1, keys, size),
            (Some(Action::Up), _) => self.scroll_by(-1, keys, size),
            (Some(Action::HalfDown), _) => self.scroll_by(page(size) / 2, keys, size),
            (Some(Action::HalfUp), _) => self.scroll_by(-page(size) / 2, keys, size),
            (Some(Action::PageDown), _) => self.scroll_by(page(size), keys, size),
            (Some(Action::PageUp), _) => self.scroll_by(-page(size), keys, size),
            (Some(Action::Top), _) => self.scroll = 0,
            (Some(Action::Bottom), _) => self.scroll_by(isize::MAX, keys, size),
            (_, KeyCode::Backspace) => {
                self.filter.pop();
                self.scroll = 0;
            }
            (_, KeyCode::Char(_)) if self.filter.len() >= LONGEST => {}
            (_, KeyCode::Char(c)) if (event.modifiers - KeyModifiers::SHIFT).is_empty() && !c.is_control() => {
                self.filter.push(c);
                self.scroll = 0;
            }
            _ => {}
        }
        true
    }

    fn scroll_by(&mut self, by: isize, keys: &KeyTable, size: Size) {
        let total = self.lines(keys, text_width(content(size).width)).len();
        self.scroll = scroll::scrolled(self.scroll, by, total, usize::from(body_height(size)));
    }

    fn lines(&self, keys: &KeyTable, width: usize) -> Vec<Shown> {
        lines(keys, self.from, &self.filter, width)
    }
}

/// A line of the help.
enum Shown {
    Heading(Context),
    /// Keys and the first line of their sentence.
    Row(String, String),
    /// What follows of a sentence.
    Rest(String),
    Gap,
}

/// Returns the keys of a row as people write them.
fn keys_of(row: &Row) -> Vec<String> {
    row.keys.iter().map(Keys::shown).collect()
}

/// Returns the rows of the help that are in sight at once.
fn body_height(size: Size) -> u16 {
    // Without what is typed and the keys.
    content(size).height.saturating_sub(2)
}

/// Returns how far a page goes: a row less than is in sight, so that one sees where it goes on.
fn page(size: Size) -> isize {
    isize::try_from(body_height(size)).unwrap_or(1).saturating_sub(1).max(1)
}

/// Returns the lines that hold what was typed, in their keys, their sentence or the name of their context; those of the
/// first context come first.
fn lines(table: &KeyTable, from: Context, filter: &str, width: usize) -> Vec<Shown> {
    let wanted = filter.trim().to_lowercase();
    let mut shown = Vec::new();
    for context in std::iter::once(&from).chain(Context::ALL.iter().filter(|context| **context != from)) {
        let rows = table.rows(*context).iter().filter(|row| {
            let keys = keys_of(row).iter().any(|keys| keys == filter.trim());
            keys || row.help.to_lowercase().contains(&wanted) || context.heading().to_lowercase().contains(&wanted)
        });
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            continue;
        }
        if !shown.is_empty() {
            shown.push(Shown::Gap);
        }
        shown.push(Shown::Heading(*context));
        for row in rows {
            let mut sentence = text::wrap(&row.help, width.saturating_sub(keys_width(width) + 1)).into_iter();
            shown.push(Shown::Row(keys_of(row).join(" "), sentence.next().unwrap_or_default()));
            shown.extend(sentence.map(Shown::Rest));
        }
    }
    shown
}

fn keys_width(width: usize) -> usize {
    KEYS.min(width / 2)
}

/// Returns the columns for text beside the scrollbar and a gap.
fn text_width(width: u16) -> usize {
    usize::from(width.saturating_sub(2))
}

fn content(size: Size) -> Size {
    Size { width: size.width.saturating_sub(8).min(96), height: over(size).height.saturating_sub(2) }
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
    let width = text_width(body.width);
    let lines = help.lines(&model.keys, width);
    let offset = help.scroll.min(scroll::last_offset(lines.len(), usize::from(body.height)));
    for (place, shown) in body.rows().zip(lines.iter().skip(offset)) {
        buffer.set_line(place.x, place.y, &line(model, shown, width), place.width);
    }
    scroll::bar(body, offset, lines.len(), theme, buffer);
    if lines.is_empty() {
        let said = words::cut(&model.theme, "No key does that.", usize::from(body.width));
        put(body, &Line::styled(said, theme.style(Role::Dim)), buffer);
    }
    bars::draw_keys(model, Context::Help, keys, buffer);
}

fn line(model: &Model, shown: &Shown, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let keys_width = keys_width(width);
    let beside = |keys: &str, said: &str| {
        let keys = text::pad(&words::cut(theme, keys, keys_width), keys_width, text::Side::Left);
        Line::from(vec![Span::styled(keys, theme.style(Role::Key)), Span::raw(format!(" {said}"))])
    };
    match shown {
        Shown::Gap => Line::default(),
        Shown::Heading(context) => Line::styled(context.heading(), theme.style(Role::Title)),
        Shown::Row(keys, sentence) => beside(keys, sentence),
        Shown::Rest(sentence) => beside("", sentence),
    }
}
