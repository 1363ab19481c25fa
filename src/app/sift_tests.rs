//! A search finds exactly the rows that a naive search finds, and a filter lets exactly those through that a naive one does.

use proptest::prelude::*;
use uuid::Uuid;

use super::logs::{Log, Rows};
use super::logs_tests::{Written, line};
use crate::domain::id::TicketId;
use crate::domain::log::{Entry, EntryKind, LogPlace, LogRequest, LogRows, LogView, Way};
use crate::domain::log_filter::{LogFilter, Part};
use crate::domain::log_find::{Sought, Words};
use crate::executor::decode::Dialect;
use crate::ui::widget::{ansi, entry};

fn request(view: LogView, place: LogPlace) -> LogRequest {
    let ticket = TicketId(Uuid::nil());
    LogRequest { ticket, run: None, view, place, rows: 9, filter: LogFilter::default(), sought: None }
}

fn whole(log: &mut Log, request: &LogRequest) -> Rows {
    loop {
        let rows = log.look(request).unwrap();
        if !rows.behind {
            return rows;
        }
    }
}

/// A row in the simplest form: the stream and what is shown.
#[derive(Clone, PartialEq, Debug)]
enum Plain {
    Line(String),
    Entry(Entry),
}

impl Plain {
    fn has(&self, words: &Words) -> bool {
        match self {
            Self::Line(line) => words.are_in(&ansi::shown(line)),
            Self::Entry(said) => entry::has_words(said, words),
        }
    }

    fn is_of(&self, filter: &LogFilter) -> bool {
        match self {
            Self::Line(_) => true,
            Self::Entry(entry) => filter.shows(Part::of(entry.kind)),
        }
    }
}

fn plain(rows: LogRows) -> Vec<Plain> {
    match rows {
        LogRows::Raw(lines) => lines.into_iter().map(Plain::Line).collect(),
        LogRows::Pretty(entries) => entries.into_iter().map(|(_, entry)| Plain::Entry(entry)).collect(),
    }
}

/// All rows of a log that is over, with the stream that each is from.
fn all(written: &Written, view: LogView) -> Vec<(Part, Plain)> {
    let rows = match view {
        LogView::Raw => plain(LogRows::Raw(written.naive_raw())),
        LogView::Pretty => plain(LogRows::Pretty(written.naive().into_iter().map(|entry| (None, entry)).collect())),
    };
    let below = written.complaints().min(match view {
        LogView::Raw => usize::MAX,
        LogView::Pretty => 200,
    });
    let above = rows.len() - below;
    let part = |n| if n < above { Part::Stdout } else { Part::Stderr };
    rows.into_iter().enumerate().map(|(n, row)| (part(n), row)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]
    #[test]
    fn any_search_in_any_filter_finds_what_a_naive_one_finds(
        dialect in prop::sample::select(vec![Dialect::Claude, Dialect::Text]),
        view in prop::sample::select(vec![LogView::Raw, LogView::Pretty]),
        said in prop::collection::vec(line(), 0..60),
        complained in prop::collection::vec(line(), 0..9),
        hidden in prop::collection::btree_set(prop::sample::select(Part::ALL), 0..3),
        only in prop::sample::select(vec!["", "", "1", "plain"]),
        words in prop::sample::select(vec!["say", "PLAIN", "2", "l", "zzz"]),
        from in 0_u64..70,
        way in prop::sample::select(vec![Way::Here, Way::Down, Way::Up]),
    ) {
        let written = Written::new(dialect);
        written.say("stdout", said.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes());
        written.say("stderr", complained.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes());
        written.end();
        let words = Words::new(words).unwrap();
        let filter = LogFilter { hidden, words: Words::new(only) };
        let everything = all(&written, view);
        let shown: Vec<Plain> = everything
            .iter()
            .filter(|(part, row)| filter.shows(*part) && row.is_of(&filter))
            .filter(|(_, row)| filter.words.as_ref().is_none_or(|words| row.has(words)))
            .map(|(_, row)| row.clone())
            .collect();
        let hits: Vec<u64> = (0..).zip(&shown).filter(|(_, row)| row.has(&words)).map(|(n, _)| n).collect();

        let mut log = written.log();
        let filtered = LogRequest { filter, ..request(view, LogPlace::End) };
        let rows = whole(&mut log, &filtered);
        prop_assert_eq!(rows.total, shown.len() as u64);
        prop_assert_eq!(rows.hidden, (everything.len() - shown.len()) as u64);
        prop_assert_eq!(plain(rows.rows), &shown[shown.len().saturating_sub(9)..]);

        let place = LogPlace::Found { from, way, top: 0 };
        let rows = whole(&mut log, &LogRequest { place, sought: Some(Sought::Words(words)), ..filtered });
        let found = rows.found.unwrap();
        prop_assert_eq!(found.total, hits.len() as u64);
        let expected = match way {
            Way::Here => hits.iter().position(|hit| *hit >= from).or((!hits.is_empty()).then_some(0)),
            Way::Down => hits.iter().position(|hit| *hit > from).or((!hits.is_empty()).then_some(0)),
            Way::Up => hits.iter().rposition(|hit| *hit < from).or(hits.len().checked_sub(1)),
        };
        prop_assert_eq!(found.row, expected.map(|nth| (hits[nth], nth as u64 + 1)));
        if let Some((row, _)) = found.row {
            let at = usize::try_from(row - rows.first).unwrap();
            prop_assert_eq!(&plain(rows.rows)[at], &shown[usize::try_from(row).unwrap()]);
        }
    }
}

#[test]
fn a_search_goes_on_as_the_log_grows_and_begins_again_when_the_file_does() {
    let written = Written::new(Dialect::Text);
    written.say("stdout", "x\nneedle\n".repeat(3_000).as_bytes());
    let sought = Some(Sought::Words(Words::new("needle").unwrap()));
    for view in [LogView::Raw, LogView::Pretty] {
        let mut log = written.log();
        let last = LogPlace::Found { from: u64::MAX, way: Way::Up, top: 0 };
        let request = LogRequest { sought: sought.clone(), ..request(view, last) };
        let found = whole(&mut log, &request).found.unwrap();
        let before = found.total;
        let (row, nth) = found.row.unwrap();
        assert_eq!(nth, before);
        written.say("stdout", b"x\nneedle\nnee");
        assert_eq!(whole(&mut log, &request).found.unwrap().total, before + 1);
        written.say("stdout", b"dle\n");
        let found = whole(&mut log, &request).found.unwrap();
        assert_eq!((found.total, found.row), (before + 2, Some((row + 3, before + 2))));
    }
    let mut log = written.log();
    let request = LogRequest { sought, ..request(LogView::Raw, LogPlace::End) };
    whole(&mut log, &request);
    written.begin_again(b"only one needle\n");
    assert_eq!(whole(&mut log, &request).found.unwrap().total, 1);
}

#[test]
fn an_error_is_an_entry_that_failed_or_a_line_that_looks_like_it() {
    let written = Written::new(Dialect::Text);
    written.say("stdout", b"fine\n\x1b[31merror\x1b[0m: broken\n0 failed\nthread 'x' panicked at a.rs\n");
    written.end();
    for view in [LogView::Raw, LogView::Pretty] {
        let place = LogPlace::Found { from: 1, way: Way::Down, top: 0 };
        let request = LogRequest { sought: Some(Sought::Errors), ..request(view, place) };
        let found = whole(&mut written.log(), &request).found.unwrap();
        assert_eq!((found.total, found.row), (2, Some((3, 2))));
    }
    let failed = Entry { ok: Some(false), ..Entry::new(EntryKind::ToolResult, "no such file") };
    assert!(crate::domain::log_find::went_wrong(&failed));
}

#[test]
fn words_are_found_wherever_they_are_in_a_very_long_line() {
    let written = Written::new(Dialect::Text);
    let mut long = "x".repeat(200_000);
    // Across the end of what is kept, across the end of a part that is read at once, and in the middle of it.
    for (at, word) in [(16 * 1024 - 3, "kept"), (16 * 1024 + 64 * 1024 - 9, "border"), (150_000, "middle")] {
        long.replace_range(at..at + word.len(), word);
    }
    written.say("stdout", format!("short\n{long}\nshort\n").as_bytes());
    let mut log = written.log();
    let mut found = |words: &str| {
        let sought = Words::new(words).map(Sought::Words);
        let place = LogPlace::Found { from: 0, way: Way::Here, top: 0 };
        whole(&mut log, &LogRequest { sought, ..request(LogView::Raw, place) }).found.unwrap()
    };
    for word in ["kept", "border", "middle", "MIDDLE".to_lowercase().as_str()] {
        let found = found(word);
        assert_eq!((found.total, found.row), (1, Some((1, 1))), "{word}");
    }
    assert_eq!(found("nowhere").total, 0);
}
