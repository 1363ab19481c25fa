//! Searching a log: what is looked for, what was found, and the line in which words are typed.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui_textarea::TextArea;

use crate::domain::log::{Found, LogPage, LogPlace, Way};
use crate::domain::log_find::{Sought, Words};
use crate::ui::keys::{Action, Context};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::theme::{Role, Theme};
use crate::ui::widget::{format, text};

use super::Overlay;
use super::bars;
use super::layout::{put, split_bottom};
use super::typing::{self, Lines};

/// What is looked for in the log, and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::ui) struct Search {
    sought: Option<Sought>,
    found: Option<Found>,
    progress: Option<u8>,
    /// The row that was gone to and which of them it is, counted from 1.
    current: Option<(u64, u64)>,
}

impl Search {
    /// Returns what is looked for.
    pub(super) fn sought(&self) -> Option<&Sought> {
        self.sought.as_ref()
    }

    /// Returns the words that are looked for.
    pub(super) fn words(&self) -> Option<&Words> {
        self.sought.as_ref().and_then(Sought::words)
    }

    /// Returns the row that was gone to.
    pub(super) fn current(&self) -> Option<u64> {
        self.current.map(|(row, _)| row)
    }

    /// Looks for something else, or for nothing.
    fn look_for(&mut self, sought: Option<Sought>) {
        if self.sought != sought {
            *self = Self { sought, ..Self::default() };
        }
    }

    /// Rows have other numbers from now on.
    pub(super) fn forget_place(&mut self) {
        *self = Self { sought: self.sought.take(), ..Self::default() };
    }

    /// Takes over what a page says was found.
    pub(super) fn take(&mut self, page: &LogPage) {
        if self.sought.is_some() {
            self.found = page.found;
            self.progress = page.progress;
            self.current = page.found.and_then(|found| found.row).or(self.current);
        }
    }

    /// Returns what is said about it: what is looked for, and how much of it was found.
    pub(super) fn said(&self, theme: &Theme) -> Option<String> {
        let what = match self.sought.as_ref()? {
            Sought::Words(words) => format!("/{}", text::truncate_with(words.text(), 24, theme.glyphs.ellipsis)),
            Sought::Errors => "errors".to_owned(),
        };
        Some(format!("{what} {}", self.count()))
    }

    /// Returns how much was found: `3/128`, and how far the search is while it is not over.
    fn count(&self) -> String {
        let total = self.found.map_or(0, |found| found.total);
        let count = match self.current {
            Some((_, nth)) => format!("{}/{}", format::count(nth), format::count(total)),
            None if total == 0 && self.progress.is_none() && self.found.is_some() => "not found".to_owned(),
            None => format::count(total),
        };
        match self.progress {
            Some(percent) => format!("{count} searching {percent}%"),
            None => count,
        }
    }
}

/// The line in which words are typed. The log follows as they are.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Find {
    input: TextArea<'static>,
    /// What was looked for and where the log stood before.
    before: (Option<Sought>, LogPlace),
    /// The row from which is looked.
    from: u64,
}

impl Find {
    /// Takes pasted text.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        typing::pasted(&mut self.input, Lines::One, pasted);
    }

    fn typed(&self) -> &str {
        self.input.lines().first().map_or("", String::as_str)
    }
}

impl Model {
    /// Opens the line in which words are typed.
    pub(super) fn search_log(&mut self) {
        let Some(rows) = self.rows_in_sight() else {
            self.say(NoticeKind::News, "there is nothing to search");
            return;
        };
        let input = typing::area(&self.theme);
        let before = (self.log.search.sought().cloned(), self.log.place());
        self.over = Some(Overlay::Find(Box::new(Find { input, before, from: rows.start })));
    }

    /// Takes a key while words are typed.
    pub(in crate::ui) fn key_in_find(&mut self, mut find: Box<Find>, action: Option<Action>, event: KeyEvent) {
        match action {
            Some(Action::Choose) if !find.typed().is_empty() => return,
            Some(Action::Choose | Action::Back) => {
                let (sought, place) = find.before;
                self.log.search.look_for(sought);
                self.log.go_to(place);
                return;
            }
            Some(Action::NextMatch) => self.seek(Way::Down),
            Some(Action::PreviousMatch) => self.seek(Way::Up),
            _ => {
                typing::typed(&mut find.input, Lines::One, event);
                self.find_typed(&find);
            }
        }
        self.over = Some(Overlay::Find(find));
    }

    /// Looks for what is typed by now.
    pub(in crate::ui) fn find_typed(&mut self, find: &Find) {
        let words = Words::new(find.typed());
        let place = match words {
            Some(_) => LogPlace::Found { from: find.from, way: Way::Here, top: find.from },
            None => find.before.1,
        };
        self.log.search.look_for(words.map(Sought::Words));
        self.log.go_to(place);
    }

    /// Goes to the next row that has what is looked for.
    pub(super) fn seek(&mut self, way: Way) {
        if let Some(why) = self.why_no_match() {
            self.say(NoticeKind::News, why);
            return;
        }
        let Some(rows) = self.rows_in_sight() else { return };
        let current = self.log.search.current().filter(|row| rows.contains(row));
        let (from, way) = match (current, way) {
            (Some(row), way) => (row, way),
            // The first of those in sight is the next one as long as none was gone to.
            (None, Way::Down | Way::Here) => (rows.start, Way::Here),
            (None, Way::Up) => (rows.start, Way::Up),
        };
        self.log.go_to(LogPlace::Found { from, way, top: rows.start });
    }

    /// Returns why there is no next row to go to, if there is none.
    pub(in crate::ui) fn why_no_match(&self) -> Option<String> {
        self.log.search.sought().is_none().then(|| "nothing is looked for in the log; / looks for words.".to_owned())
    }

    /// Says whether a log has the keys.
    pub(in crate::ui) fn reads_log(&self) -> bool {
        match &self.ticket {
            Some(_) => self.log_area().is_some(),
            None => self.log.has_focus(),
        }
    }

    /// Goes to the next row that tells of something that went wrong.
    pub(super) fn seek_error(&mut self, way: Way) {
        self.log.search.look_for(Some(Sought::Errors));
        self.seek(way);
    }

    /// Ends the search, if there is one; the log stays where it is.
    pub(in crate::ui) fn end_search(&mut self) -> bool {
        let is_one = self.log.search.sought().is_some();
        if is_one {
            if let (LogPlace::Found { .. }, Some(rows)) = (self.log.place(), self.rows_in_sight()) {
                self.log.go_to(LogPlace::From(rows.start));
            }
            self.log.search.look_for(None);
        }
        is_one
    }
}

/// Draws the line over the last line of the screen.
pub(in crate::ui) fn draw(model: &Model, find: &Find, buffer: &mut Buffer) {
    let (_, row) = split_bottom(Rect::from(model.size), 1);
    let theme = &model.theme;
    buffer.set_stringn(row.x, row.y, " ".repeat(row.width.into()), row.width.into(), theme.style(Role::Text));
    let said = if find.typed().is_empty() { String::new() } else { model.log.search.count() };
    let width = usize::from(row.width).saturating_sub(text::width(&said) + 4);
    let typed = text::visible(find.typed());
    // The end is what one types at.
    let mut shown = typed.as_ref();
    while text::width(shown) + 1 > width {
        let Some(first) = shown.chars().next() else { break };
        shown = &shown[first.len_utf8()..];
    }
    let line = Line::from(vec![
        Span::styled(" /", theme.style(Role::Key)),
        Span::raw(shown.to_owned()),
        Span::styled(" ", theme.style(Role::Selected)),
        Span::styled(format!(" {said}  "), theme.style(Role::Dim)),
    ]);
    let used = u16::try_from(line.width()).unwrap_or(row.width).min(row.width);
    put(row, &line, buffer);
    bars::draw_keys(model, Context::Find, Rect { x: row.x + used, width: row.width - used, ..row }, buffer);
}
