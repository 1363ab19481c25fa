//! A page of a log: as many rows as fit, entries with their time and sign or raw lines with their colours.

use std::ops::Range;

use chrono::FixedOffset;
use ratatui::text::Line;

use super::ansi::{self, AnsiState, Colors};
use super::entry;
use crate::domain::log::{Entry, EntryKind, LogRows};
use crate::domain::time::Timestamp;
use crate::ui::theme::Theme;

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

/// How a log is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// Times before entries.
    pub times: Times,
    /// What is done with long lines.
    pub overflow: Overflow,
    /// The most lines of one entry before the rest is folded away; 0 for no folding.
    pub fold: usize,
}

/// From which side a page is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// The first row stands at the top.
    First,
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

/// Lays out the rows that fit into `height` lines, from the first one down or from the last one up.
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
    let surplus = page.lines.len().saturating_sub(height);
    if surplus > 0 {
        match edge {
            Edge::First => {
                page.lines.truncate(height);
                page.rows.truncate(height);
                page.whole.end -= 1;
            }
            Edge::Last => {
                page.lines.drain(..surplus);
                page.rows.drain(..surplus);
                page.whole.start += 1;
            }
        }
    }
    page
}

type Laid = (usize, Vec<Line<'static>>);

/// Lays rows out until they fill the height; each comes with its number.
fn laid_out(rows: &LogRows, layout: Layout, height: usize, edge: Edge, theme: &Theme) -> Vec<Laid> {
    let mut laid = match (rows, edge) {
        (LogRows::Pretty(entries), Edge::First) => {
            until_full(0..entries.len(), height, |n| entry_lines(entries, n, layout, theme))
        }
        (LogRows::Pretty(entries), Edge::Last) => {
            until_full((0..entries.len()).rev(), height, |n| entry_lines(entries, n, layout, theme))
        }
        (LogRows::Raw(raw), Edge::First) => {
            let mut state = AnsiState::new(colors(theme));
            until_full(0..raw.len(), height, |n| raw_lines(&raw[n], &mut state, layout))
        }
        // Colours carry on from line to line, so these are read from the first one on.
        (LogRows::Raw(raw), Edge::Last) => {
            let mut state = AnsiState::new(colors(theme));
            let mut all: Vec<_> = raw.iter().map(|line| raw_lines(line, &mut state, layout)).collect();
            until_full((0..raw.len()).rev(), height, |n| std::mem::take(&mut all[n]))
        }
    };
    match edge {
        Edge::First => {}
        Edge::Last => laid.reverse(),
    }
    laid
}

/// Lays an entry out. A call that the next entry repeats with its end takes no room: one line says both.
fn entry_lines(entries: &[(Option<Timestamp>, Entry)], n: usize, layout: Layout, theme: &Theme) -> Vec<Line<'static>> {
    let (at, entry) = &entries[n];
    if entries.get(n + 1).is_some_and(|(_, next)| repeats(entry, next)) {
        return Vec::new();
    }
    entry::lines(*at, entry, layout, theme)
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

fn raw_lines(raw: &str, state: &mut AnsiState, layout: Layout) -> Vec<Line<'static>> {
    let strip = ansi::print(raw, state);
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

    fn layout(width: usize) -> Layout {
        Layout { width, times: Times::Hidden, overflow: Overflow::Wrap, fold: 3 }
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
        let first = page(&rows, layout(20), 4, Edge::First, &Theme::plain());
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
        for edge in [Edge::First, Edge::Last] {
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
        let plain = page(&rows, layout(9), 9, Edge::First, &Theme::plain()).lines;
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
                width: width.into(),
                times: Times::Shown(FixedOffset::east_opt(0).unwrap()),
                overflow: if cut { Overflow::Cut(2) } else { Overflow::Wrap },
                fold: 2,
            };
            let edge = if last { Edge::Last } else { Edge::First };
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
