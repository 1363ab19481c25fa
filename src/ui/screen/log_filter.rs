//! What of a log is shown: a panel with a mark for each part, and words that a row must have.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui_textarea::TextArea;

use crate::domain::log::LogView;
use crate::domain::log_filter::{LogFilter, Part};
use crate::domain::log_find::Words;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::theme::{Role, Theme};
use crate::ui::widget::popup::Popup;
use crate::ui::widget::text;

use super::Overlay;
use super::bars;
use super::layout::split_bottom;
use super::typing::{self, Lines};

/// The widest that it gets.
const WIDEST: u16 = 58;
/// What is held with a letter that is no text.
const HELD: KeyModifiers = KeyModifiers::CONTROL.union(KeyModifiers::ALT);
/// How wide the names are.
const NAMES: usize = 12;

/// What each part is, in the order of [`Part::ALL`].
fn sentence(part: Part) -> &'static str {
    match part {
        Part::Stdout => "what came through standard output",
        Part::Stderr => "what came through standard error",
        Part::Assistant => "what the agent says",
        Part::Thinking => "what it thinks",
        Part::Tool => "tools that it uses, and their answers",
        Part::Edit => "its edits",
        Part::Command => "its commands",
        Part::Error => "errors, and what was tried again",
        Part::Other => "everything else",
    }
}

/// The panel. What is marked there holds at once.
#[derive(Clone, Debug)]
pub(in crate::ui) struct FilterPanel {
    /// Which row has the keys: a part, or behind them the words.
    at: usize,
    words: TextArea<'static>,
}

impl FilterPanel {
    fn new(filter: &LogFilter, theme: &Theme) -> Self {
        let mut words = typing::area(theme);
        words.insert_str(filter.words.as_ref().map_or("", Words::text));
        Self { at: 0, words }
    }

    fn is_at_words(&self) -> bool {
        self.at == Part::ALL.len()
    }

    fn typed(&self) -> &str {
        self.words.lines().first().map_or("", String::as_str)
    }
}

impl Model {
    /// Opens the panel.
    pub(super) fn filter_log(&mut self) {
        let panel = FilterPanel::new(&self.log.filter, &self.theme);
        self.over = Some(Overlay::LogFilter(Box::new(panel)));
    }

    /// Takes a key while the panel is open.
    pub(in crate::ui) fn key_in_log_filter(
        &mut self,
        mut panel: Box<FilterPanel>,
        action: Option<Action>,
        event: KeyEvent,
    ) {
        let rows = Part::ALL.len() + 1;
        let is_text = matches!(event.code, KeyCode::Char(_)) && !event.modifiers.intersects(HELD);
        match action {
            _ if is_text && panel.is_at_words() => {
                typing::typed(&mut panel.words, Lines::One, event);
                self.words_typed(&panel);
            }
            Some(Action::Back | Action::Choose) => return,
            Some(Action::Down) => panel.at = (panel.at + 1) % rows,
            Some(Action::Up) => panel.at = (panel.at + rows - 1) % rows,
            Some(Action::ShowAll) => {
                panel.words = typing::area(&self.theme);
                self.show_only(LogFilter::default());
            }
            Some(Action::Toggle) if !panel.is_at_words() => {
                let mut filter = self.log.filter.clone();
                filter.toggle(Part::ALL[panel.at]);
                self.show_only(filter);
            }
            _ if panel.is_at_words() => {
                typing::typed(&mut panel.words, Lines::One, event);
                self.words_typed(&panel);
            }
            _ => {}
        }
        self.over = Some(Overlay::LogFilter(panel));
    }

    /// Takes pasted text.
    pub(in crate::ui) fn paste_in_log_filter(&mut self, panel: &mut FilterPanel, pasted: &str) {
        if panel.is_at_words() {
            typing::pasted(&mut panel.words, Lines::One, pasted);
            self.words_typed(panel);
        }
    }

    fn words_typed(&mut self, panel: &FilterPanel) {
        self.show_only(LogFilter { words: Words::new(panel.typed()), hidden: self.log.filter.hidden.clone() });
    }

    /// Shows these rows and no others from now on.
    fn show_only(&mut self, filter: LogFilter) {
        if filter != self.log.filter {
            self.log.filter = filter;
            self.log.start_anew();
        }
    }
}

/// Returns what the title of a log says about its filter.
pub(super) fn said(filter: &LogFilter, theme: &Theme) -> Option<String> {
    if filter.is_open() {
        return None;
    }
    let parts = filter.hidden.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(", ");
    let words = filter
        .words
        .as_ref()
        .map(|words| format!("only \u{201c}{}\u{201d}", text::truncate_with(words.text(), 20, theme.glyphs.ellipsis)));
    let without = Some(parts).filter(|parts| !parts.is_empty()).map(|parts| format!("without {parts}"));
    let said: Vec<String> = without.into_iter().chain(words).collect();
    Some(said.join(", "))
}

/// Draws the panel over what is there.
pub(in crate::ui) fn draw(model: &Model, panel: &FilterPanel, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let raw = model.log.view() == LogView::Raw;
    let mut lines: Vec<Line> = Vec::with_capacity(Part::ALL.len() + 1);
    for (n, part) in Part::ALL.iter().enumerate() {
        let mark = if model.log.filter.shows(*part) { "[x]" } else { "[ ]" };
        // Lines as they were written have streams, and nobody knows what they are.
        let means = if raw && !part.is_stream() { "only in the readable log (p)" } else { sentence(*part) };
        let role = if n == panel.at { Role::Title } else { Role::Text };
        lines.push(Line::from(vec![
            cursor(n == panel.at, theme),
            Span::styled(format!("{mark} {}", text::pad(part.as_str(), NAMES, text::Side::Left)), theme.style(role)),
            Span::styled(means, theme.style(Role::Dim)),
        ]));
    }
    lines.push(words_line(panel, theme));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let width = WIDEST.min(area.width.saturating_sub(4));
    let popup = Popup { title: "What of the log is shown", footer: "", content: Size { width, height } };
    let (body, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::LogFilter, keys, buffer);
    // The marked one stays in sight where there is little room.
    let first = (panel.at + 1).saturating_sub(usize::from(body.height));
    for (row, line) in body.rows().zip(lines.iter().skip(first)) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

fn cursor(is_here: bool, theme: &Theme) -> Span<'static> {
    Span::styled(format!("{} ", if is_here { theme.glyphs.cursor } else { " " }), theme.style(Role::Focus))
}

fn words_line(panel: &FilterPanel, theme: &Theme) -> Line<'static> {
    let here = panel.is_at_words();
    let role = if here { Role::Title } else { Role::Text };
    let mut spans = vec![
        cursor(here, theme),
        Span::styled("only with  ", theme.style(role)),
        Span::raw(text::visible(panel.typed()).into_owned()),
    ];
    if here {
        spans.push(Span::styled(" ", theme.style(Role::Selected)));
    } else if panel.typed().is_empty() {
        spans.push(Span::styled("any words", theme.style(Role::Dim)));
    }
    Line::from(spans)
}
