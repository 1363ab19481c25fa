//! A page of a log: as many rows as fit, entries with their time and sign or raw lines with their colours.

use std::ops::Range;

use chrono::FixedOffset;
use ratatui::text::Line;

use super::ansi::{self, AnsiState, Colors};
use super::strip::Strip;
use super::{entry, search};
use crate::domain::log::{Entry, EntryKind, LogRows};
use crate::domain::log_find::Words;
use crate::domain::time::Timestamp;
use crate::ui::theme::{Role, Theme};

/// Whether times stand before entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Times {
    /// In this zone, where the log knows them and there is room.
    Shown(FixedOffset),
    /// Not at all.
    Hidden,
}

/// What is done with what is longer than wide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// It goes on in the next line.
    Wrap,
    /// It is cut; this many columns at the left are out of sight.
    Cut(usize),
}

/// What is found in a log and shown as such.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks<'a> {
    /// Words that are marked wherever they are.
    pub words: Option<&'a Words>,
    /// The row that somebody went to, counted in the rows that are given; it is never folded.
    pub current: Option<usize>,
}

/// How much of what an agent did is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tools {
    /// As of what it says.
    Shown,
    /// One line each.
    Folded,
}

/// How a log is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout<'a> {
    /// Columns.
    pub width: usize,
    /// Times before entries.
    pub times: Times,
    /// What is done with long lines.
    pub overflow: Overflow,
    /// The most lines of one entry before the rest is folded away; 0 for no folding.
    pub fold: usize,
    /// How tool calls, commands, edits and thoughts are shown.
    pub tools: Tools,
    /// What was found.
    pub marks: Marks<'a>,
}

impl<'a> Layout<'a> {
    /// Returns the plain layout: all lines in that width, wrapped, without times.
    pub fn plain(width: usize) -> Self {
        Self {
            width,
            times: Times::Hidden,
            overflow: Overflow::Wrap,
            fold: 0,
            tools: Tools::Shown,
            marks: Marks::default(),
        }
    }

    /// Returns the layout of one row: the one that somebody went to is open.
    fn of_row(self, row: usize) -> Self {
        if self.marks.current == Some(row) {
            return Self { fold: OPEN, tools: Tools::Shown, ..self };
        }
        Self { marks: Marks { current: None, ..self.marks }, ..self }
    }

    /// Shows what was found in one line.
    pub(super) fn mark(&self, strip: Strip, theme: &Theme) -> Strip {
        let Some(words) = self.marks.words else { return strip };
        let role = if self.marks.current.is_some() { Role::Match } else { Role::Marked };
        search::mark(strip, words, theme.style(role))
    }
}

/// The most lines of an entry that somebody went to.
const OPEN: usize = 2_000;

/// From which side a page is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// This row stands at the top, without so many of its lines.
    Top {
        /// The row.
        row: usize,
        /// The lines of it that are above the page.
        skip: usize,
    },
    /// The last row stands at the bottom: the log is followed.
    Last,
}

/// Lines to draw and where they are from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// At most as many as the page is high.
    pub lines: Vec<Line<'static>>,
    /// For each line the row that it belongs to, counted in the rows that were given.
    pub rows: Vec<usize>,
    /// The rows of which every line is on the page.
    pub whole: Range<usize>,
}

/// Lays out the rows that fit into `height` lines, from one of them down or from the last one up.
pub fn page(rows: &LogRows, layout: Layout, height: usize, edge: Edge, theme: &Theme) -> Page {
    let mut page = Page::default();
    if height == 0 {
        return page;
    }
    let laid = laid_out(rows, layout, height, edge, theme);
    for (row, lines) in &laid {
        page.rows.extend(std::iter::repeat_n(*row, lines.len()));
    }
    page.whole = laid.first().map_or(0, |(row, _)| *row)..laid.last().map_or(0, |(row, _)| row + 1);
    page.lines = laid.into_iter().flat_map(|(_, lines)| lines).collect();
    if let Edge::Top { skip, .. } = edge {
        page.cut_top(skip);
    }
    let surplus = page.lines.len().saturating_sub(height);
    if surplus > 0 {
        match edge {
            Edge::Top { .. } => {
                page.lines.truncate(height);
                page.rows.truncate(height);
                page.whole.end -= 1;
            }
            Edge::Last => page.cut_top(surplus),
        }
    }
    page
}

impl Page {
    fn cut_top(&mut self, lines: usize) {
        let lines = lines.min(self.lines.len());
        if lines > 0 {
            self.lines.drain(..lines);
            self.rows.drain(..lines);
            self.whole.start += 1;
        }
    }
}

/// Returns the top of the page on which one row is well in sight: with what is around it, and with the first line in which
/// there are the words where it is higher than the page.
pub fn around(rows: &LogRows, layout: Layout, height: usize, row: usize, theme: &Theme) -> Edge {
    let lines_of = |row: usize| match rows {
        LogRows::Pretty(entries) if row < entries.len() => entry_lines(entries, row, layout, theme),
        LogRows::Raw(raw) if row < raw.len() => {
            raw_lines(&raw[row], &mut AnsiState::new(colors(theme)), layout.of_row(row), theme)
        }
        LogRows::Pretty(_) | LogRows::Raw(_) => Vec::new(),
    };
    let own = lines_of(row);
    let has_words = |line: &Line| layout.marks.words.is_some_and(|words| words.are_in(&line.to_string()));
    let wanted = if own.len() > height { own.iter().position(has_words).unwrap_or(0) } else { 0 };
    let mut above =
        (height / 3).min(height.saturating_sub(own.len().min(height))).max(height / 3 * usize::from(wanted > 0));
    if wanted >= above {
        return Edge::Top { row, skip: wanted - above };
    }
    above -= wanted;
    for row in (0..row).rev() {
        let lines = lines_of(row).len();
        if lines >= above {
            return Edge::Top { row, skip: lines - above };
        }
        above -= lines;
    }
    Edge::Top { row: 0, skip: 0 }
}

type Laid = (usize, Vec<Line<'static>>);

/// Lays rows out until they fill the height; each comes with its number.
fn laid_out(rows: &LogRows, layout: Layout, height: usize, edge: Edge, theme: &Theme) -> Vec<Laid> {
    match (rows, edge) {
        (LogRows::Pretty(entries), Edge::Top { row, skip }) => {
            until_full(row..entries.len(), height + skip, |n| entry_lines(entries, n, layout, theme))
        }
        (LogRows::Pretty(entries), Edge::Last) => {
            let mut laid = until_full((0..entries.len()).rev(), height, |n| entry_lines(entries, n, layout, theme));
            laid.reverse();
            laid
        }
        // Colours carry on from line to line, so these are read from the first one on.
        (LogRows::Raw(raw), edge) => {
            let mut state = AnsiState::new(colors(theme));
            let lines = raw.iter().enumerate();
            let mut all: Vec<_> = lines.map(|(n, line)| raw_lines(line, &mut state, layout.of_row(n), theme)).collect();
            match edge {
                Edge::Top { row, skip } => until_full(row..raw.len(), height + skip, |n| std::mem::take(&mut all[n])),
                Edge::Last => {
                    let mut laid = until_full((0..raw.len()).rev(), height, |n| std::mem::take(&mut all[n]));
                    laid.reverse();
                    laid
                }
            }
        }
    }
}

/// Lays an entry out. A call that the next entry repeats with its end takes no room: one line says both.
fn entry_lines(entries: &[(Option<Timestamp>, Entry)], n: usize, layout: Layout, theme: &Theme) -> Vec<Line<'static>> {
    let (at, entry) = &entries[n];
    if entries.get(n + 1).is_some_and(|(_, next)| repeats(entry, next)) {
        return Vec::new();
    }
    entry::lines(*at, entry, layout.of_row(n), theme)
}

fn repeats(call: &Entry, end: &Entry) -> bool {
    call.kind == EntryKind::ToolCall
        && end.kind == EntryKind::Command
        && !call.text.is_empty()
        && end.text.lines().next() == Some(call.text.as_str())
}

fn until_full(
    numbers: impl Iterator<Item = usize>,
    height: usize,
    mut lines: impl FnMut(usize) -> Vec<Line<'static>>,
) -> Vec<Laid> {
    let mut used = 0;
    let mut laid = Vec::new();
    for n in numbers {
        if used >= height {
            break;
        }
        let lines = lines(n);
        used += lines.len();
        laid.push((n, lines));
    }
    laid
}

pub(super) fn colors(theme: &Theme) -> Colors {
    if theme.has_color() { Colors::Keep } else { Colors::Drop }
}

fn raw_lines(raw: &str, state: &mut AnsiState, layout: Layout, theme: &Theme) -> Vec<Line<'static>> {
    let strip = layout.mark(ansi::print(raw, state), theme);
    match layout.overflow {
        Overflow::Wrap => strip.rows(layout.width),
        Overflow::Cut(offset) => vec![strip.window(offset, layout.width)],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::widget::testing::{assert_harmless, draw, picture_of};

    const FIRST: Edge = Edge::Top { row: 0, skip: 0 };

    fn layout(width: usize) -> Layout<'static> {
        Layout { fold: 3, ..Layout::plain(width) }
    }

    fn says(texts: &[&str]) -> LogRows {
        LogRows::Pretty(texts.iter().map(|text| (None, Entry::new(EntryKind::Assistant, *text))).collect())
    }

    fn texts(page: &Page) -> Vec<String> {
        page.lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_page_is_filled_from_its_edge_and_says_which_rows_are_whole() {
        let rows = says(&["one", "two\ntwo", "three\nthree"]);
        let first = page(&rows, layout(20), 4, FIRST, &Theme::plain());
        assert_eq!(texts(&first), ["● one", "● two", "  two", "● three"]);
        assert_eq!((first.rows, first.whole), (vec![0, 1, 1, 2], 0..2));
        let last = page(&rows, layout(20), 3, Edge::Last, &Theme::plain());
        assert_eq!(texts(&last), ["  two", "● three", "  three"]);
        assert_eq!((last.rows, last.whole), (vec![1, 2, 2], 2..3));
        assert_eq!(page(&rows, layout(20), 0, Edge::Last, &Theme::plain()), Page::default());
    }

    #[test]
    fn a_call_and_its_end_are_one_line() {
        let entry = |kind, text: &str| (None, Entry::new(kind, text));
        let rows = LogRows::Pretty(vec![
            entry(EntryKind::ToolCall, "ls"),
            entry(EntryKind::Command, "ls\na.txt"),
            entry(EntryKind::ToolCall, "make"),
        ]);
        for edge in [FIRST, Edge::Last] {
            let page = page(&rows, layout(20), 9, edge, &Theme::plain());
            assert_eq!(texts(&page), ["$ ls", "  a.txt", "⚙ make"]);
            assert_eq!(page.whole, 0..3);
        }
    }

    #[test]
    fn raw_lines_keep_their_colours_also_from_the_line_before() {
        let rows = LogRows::Raw(vec!["\x1b[31merror: no".into(), "still red\x1b[0m, not".into(), "\x1b[2Jx".into()]);
        let cut = Layout { overflow: Overflow::Cut(2), ..layout(9) };
        let lines = [layout(9), cut].map(|layout| page(&rows, layout, 9, Edge::Last, &Theme::color()).lines).concat();
        insta::assert_snapshot!(picture_of(&lines, 9));
        let plain = page(&rows, layout(9), 9, FIRST, &Theme::plain()).lines;
        assert!(plain.iter().flat_map(|line| &line.spans).all(|span| span.style.fg.is_none()));
    }

    fn any_entry() -> impl Strategy<Value = (Option<Timestamp>, Entry)> {
        let piece = proptest::sample::select(&[
            "word ",
            " ",
            "\n",
            "\t",
            "\r",
            "+2 ",
            "−3 ",
            "日本",
            "👩",
            "\u{1b}[31m",
            "\u{1b}[2J",
            "\u{9b}",
            "\u{202e}",
            "\u{8}",
            "long-long-word",
        ]);
        let text = proptest::collection::vec(piece.clone(), 0..20).prop_map(|pieces| pieces.concat());
        let kind = proptest::sample::select(EntryKind::ALL);
        let word = proptest::option::of(piece.prop_map(str::to_owned));
        (kind, text, word.clone(), word, any::<Option<i32>>(), any::<Option<bool>>()).prop_map(
            |(kind, text, tool, path, exit_code, ok)| {
                let entry = Entry { tool, path, exit_code, ok, ..Entry::new(kind, text) };
                (Some(Timestamp(0)), entry)
            },
        )
    }

    proptest! {
        #[test]
        fn any_log_fits_any_page_and_is_harmless(
            entries in proptest::collection::vec(any_entry(), 0..8), width in 0_u16..60, height in 0_usize..12, cut: bool, last: bool,
        ) {
            let layout = Layout {
                times: Times::Shown(FixedOffset::east_opt(0).unwrap()),
                overflow: if cut { Overflow::Cut(2) } else { Overflow::Wrap },
                fold: 2,
                ..Layout::plain(width.into())
            };
            let edge = if last { Edge::Last } else { FIRST };
            let count = entries.len();
            let page = page(&LogRows::Pretty(entries), layout, height, edge, &Theme::color());
            prop_assert!(page.lines.len() <= height);
            prop_assert_eq!(page.lines.len(), page.rows.len());
            prop_assert!(page.whole.end <= count);
            for line in &page.lines {
                prop_assert!(crate::ui::widget::text::width(&line.to_string()) <= usize::from(width), "{:?}", line);
                prop_assert!(!line.to_string().chars().any(char::is_control));
            }
            assert_harmless(&draw(&page.lines, 60, 12));
        }
    }
}
