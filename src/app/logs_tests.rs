//! Any rows of a log, however it grew, are those of a naive decoding of the whole of it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::logs::{Log, Rows};
use crate::domain::log::{Counted, Entry, EntryKind, LogPlace, LogRows, LogView};
use crate::executor::decode::{Dialect, Reader};
use crate::run::folder::Folder;

/// The folder of a run that is written by hand.
pub(super) struct Written {
    folder: TempDir,
    dialect: Dialect,
}

impl Written {
    pub(super) fn new(dialect: Dialect) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("stdout"), "").unwrap();
        fs::write(folder.path().join("stderr"), "").unwrap();
        Self { folder, dialect }
    }

    pub(super) fn say(&self, stream: &str, bytes: &[u8]) {
        let file = OpenOptions::new().append(true).open(self.folder.path().join(stream));
        file.unwrap().write_all(bytes).unwrap();
    }

    pub(super) fn begin_again(&self, bytes: &[u8]) {
        fs::write(self.folder.path().join("stdout"), bytes).unwrap();
    }

    pub(super) fn complaints(&self) -> usize {
        lines(&self.read("stderr")).len()
    }

    pub(super) fn end(&self) {
        fs::write(self.folder.path().join("exit.json"), "{}").unwrap();
    }

    pub(super) fn log(&self) -> Log {
        Log::new(Folder::open(self.folder.path()).unwrap(), self.dialect, Path::new("/w"))
    }

    fn read(&self, stream: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(stream)).unwrap()
    }

    /// All rows of the pretty view, read in the simplest way.
    pub(super) fn naive(&self) -> Vec<Entry> {
        let mut reader = Reader::new(self.dialect, Path::new("/w"));
        let mut entries = Vec::new();
        reader.feed(&self.read("stdout"), &mut entries);
        if self.folder.path().join("exit.json").exists() {
            reader.finish(&mut entries);
        }
        let complaints = lines(&self.read("stderr"));
        let last = complaints.len().saturating_sub(200);
        entries.extend(complaints[last..].iter().map(|line| Entry::new(EntryKind::Text, line.as_str())));
        entries
    }

    pub(super) fn naive_raw(&self) -> Vec<String> {
        let mut all = lines(&self.read("stdout"));
        all.extend(lines(&self.read("stderr")));
        all
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> =
        bytes.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into()).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Compares a page with what it must be.
#[track_caller]
fn assert_page<T: PartialEq + std::fmt::Debug>(
    rows: &[T],
    (first, total): (u64, u64),
    all: &[T],
    place: LogPlace,
    count: usize,
) {
    let last_page = all.len().saturating_sub(count);
    let expected = match place {
        LogPlace::End => last_page,
        LogPlace::From(first) | LogPlace::Found { top: first, .. } => usize::try_from(first).unwrap().min(last_page),
    };
    assert_eq!(total, all.len() as u64, "{place:?} {count}");
    assert_eq!(rows, &all[expected..all.len().min(expected + count)], "{place:?} {count}");
    assert_eq!(first, expected as u64, "{place:?} {count}");
}

#[track_caller]
fn assert_rows(written: &Written, log: &mut Log, place: LogPlace, count: u16) {
    let page = whole(log, LogView::Pretty, place, count);
    let LogRows::Pretty(rows) = page.rows else { panic!("pretty was asked for") };
    let rows: Vec<Entry> = rows.into_iter().map(|(_, entry)| entry).collect();
    assert_page(&rows, (page.first, page.total), &written.naive(), place, count.into());
    let page = whole(log, LogView::Raw, place, count);
    let LogRows::Raw(rows) = page.rows else { panic!("raw was asked for") };
    assert_page(&rows, (page.first, page.total), &written.naive_raw(), place, count.into());
}

/// A line as one of the dialects prints it.
pub(super) fn line() -> impl Strategy<Value = String> {
    let said = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"I say N"}]}}"#;
    let call = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"N","name":"Bash","input":{"command":"ls N"}},{"type":"text","text":"two of one line"}]}}"#;
    let result = r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"N","content":"done"}]}}"#;
    let item = r#"{"type":"item.completed","item":{"id":"N","type":"agent_message","text":"hello N"}}"#;
    let templates =
        [said, call, result, item, "plain N", "", "\r 10%\r 20% N\r", "Applied edit to /w/a-N.rs", "{\"half"];
    (prop::sample::select(templates.to_vec()), 0..5_u8).prop_map(|(text, n)| text.replace('N', &n.to_string()))
}

/// What happens to a run's output, or is asked of its log.
#[derive(Clone, Debug)]
enum Act {
    Say(Vec<String>, usize),
    Complain(Vec<String>),
    Look(LogPlace, u16),
}

fn act() -> impl Strategy<Value = Act> {
    let lines = || prop::collection::vec(line(), 1..40);
    let place = prop_oneof![Just(LogPlace::End), (0..200_u64).prop_map(LogPlace::From)];
    prop_oneof![
        (lines(), 0..30_usize).prop_map(|(lines, cut)| Act::Say(lines, cut)),
        lines().prop_map(Act::Complain),
        (place, 1..60_u16).prop_map(|(place, count)| Act::Look(place, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_rows_are_those_of_a_naive_decoding_however_the_log_grew(
        dialect in prop::sample::select(vec![Dialect::Claude, Dialect::Codex, Dialect::Text]),
        acts in prop::collection::vec(act(), 1..20),
        ends in any::<bool>(),
        place in prop_oneof![Just(LogPlace::End), (0..400_u64).prop_map(LogPlace::From)],
    ) {
        let written = Written::new(dialect);
        let mut log = written.log();
        let mut held_back = String::new();
        for act in acts {
            match act {
                // The end of it comes later, as when a line is half written.
                Act::Say(lines, cut) => {
                    let text = format!("{held_back}{}\n", lines.join("\n"));
                    let at = text.floor_char_boundary(text.len().saturating_sub(cut));
                    written.say("stdout", &text.as_bytes()[..at]);
                    held_back = text[at..].to_owned();
                }
                Act::Complain(lines) => written.say("stderr", format!("{}\n", lines.join("\n")).as_bytes()),
                Act::Look(place, count) => assert_rows(&written, &mut log, place, count),
            }
        }
        if ends {
            written.end();
        }
        assert_rows(&written, &mut log, place, 50);
        assert_rows(&written, &mut log, LogPlace::End, 50);
        assert_rows(&written, &mut written.log(), place, 50);
    }
}

/// So many lines of that dialect.
/// Returns the rows once all is read that is before them.
fn whole(log: &mut Log, view: LogView, place: LogPlace, count: u16) -> Rows {
    loop {
        let rows = log.rows(view, place, count).unwrap();
        if !rows.behind {
            return rows;
        }
    }
}

fn long(dialect: Dialect, count: usize) -> Written {
    let written = Written::new(dialect);
    let text: String = (0..count)
        .map(|n| {
            if dialect == Dialect::Text {
                return format!("line {n}\n");
            }
            format!(
                "{{\"type\":\"assistant\",\"message\":{{\"content\":[{{\"type\":\"text\",\"text\":\"line {n}\"}}]}}}}\n"
            )
        })
        .collect();
    written.say("stdout", text.as_bytes());
    written
}

#[test]
fn old_rows_of_a_long_log_are_found_again_also_where_they_meet_the_newest() {
    for dialect in [Dialect::Claude, Dialect::Text] {
        let written = long(dialect, 10_000);
        written.say("stdout", b"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"done\"}");
        written.end();
        let mut log = written.log();
        for first in [0, 1, 999, 1000, 1001, 5_903, 5_904, 5_905, 9_960, 9_999, 10_000, 50_000] {
            assert_rows(&written, &mut log, LogPlace::From(first), 50);
        }
        assert_rows(&written, &mut log, LogPlace::From(4_000), 6_500);
        assert_rows(&written, &mut log, LogPlace::End, 6_500);
    }
}

#[test]
fn rows_of_standard_error_come_below_at_most_two_hundred_in_the_pretty_view() {
    for dialect in [Dialect::Claude, Dialect::Text] {
        let written = long(dialect, 300);
        written.say("stderr", (0..500).map(|n| format!("error {n}\n")).collect::<String>().as_bytes());
        let mut log = written.log();
        for place in [0, 280, 299, 300, 301, 400, 460, 800].map(LogPlace::From) {
            assert_rows(&written, &mut log, place, 50);
        }
        for count in [0, 1, 199, 200, 201, 499, 501, 900] {
            assert_rows(&written, &mut log, LogPlace::End, count);
        }
    }
}

#[test]
fn a_file_that_shrank_is_read_anew() {
    for dialect in [Dialect::Claude, Dialect::Text] {
        let written = long(dialect, 3_000);
        let mut log = written.log();
        assert_rows(&written, &mut log, LogPlace::End, 50);
        let fresh = long(dialect, 20);
        fs::write(written.folder.path().join("stdout"), fresh.read("stdout")).unwrap();
        for place in [LogPlace::End, LogPlace::From(0), LogPlace::From(10)] {
            assert_rows(&written, &mut log, place, 15);
        }
    }
}

#[test]
fn each_row_has_the_time_at_which_its_line_was_written() {
    for dialect in [Dialect::Claude, Dialect::Text] {
        let written = long(dialect, 3);
        let first = written.read("stdout").iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let all = written.read("stdout").len();
        written.say("stderr", b"oops\n");
        fs::write(written.folder.path().join("index"), format!("1000 {first} 0\n2000 {all} 5\n")).unwrap();
        let page = whole(&mut written.log(), LogView::Pretty, LogPlace::End, 50);
        let LogRows::Pretty(rows) = page.rows else { panic!("pretty was asked for") };
        let times: Vec<_> = rows.iter().map(|(at, _)| at.unwrap().0).collect();
        assert_eq!(times, [1000, 2000, 2000, 2000]);
    }
}

#[test]
fn a_log_of_very_many_entries_keeps_little_of_them() {
    let written = long(Dialect::Claude, 0);
    // Each of them long, so that a bound on their number alone would not do.
    let text = "x".repeat(40_000);
    let line =
        format!("{{\"type\":\"assistant\",\"message\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}}}\n");
    written.say("stdout", line.repeat(600).as_bytes());
    let mut entries = super::entries::Entries::new(
        written.folder.path().join("stdout"),
        Reader::new(Dialect::Claude, Path::new("/w")),
    );
    while entries.read_on(false).unwrap() == super::entries::Progress::Behind {}
    assert_eq!(entries.total(), 600);
    assert!(entries.kept_bytes() <= 8 << 20, "{}", entries.kept_bytes());
    assert_eq!(entries.from(0, 2).unwrap().len(), 2);
    assert_eq!(entries.from(599, 2).unwrap().len(), 1);
}

#[test]
fn the_copies_of_the_reader_are_few_however_many_entries_there_are() {
    let written = long(Dialect::Claude, 20_000);
    let reader = Reader::new(Dialect::Claude, Path::new("/w"));
    let mut entries = super::entries::Entries::with_stride(written.folder.path().join("stdout"), reader, 10);
    while entries.read_on(false).unwrap() == super::entries::Progress::Behind {}
    assert!(entries.copies() <= 512, "{}", entries.copies());
    for first in [0, 9, 10, 4_999, 12_345, 15_000] {
        let found = entries.from(first, 1).unwrap();
        assert_eq!(found[0].1.text, format!("line {first}"));
    }
}

#[test]
fn a_large_log_is_read_in_slices_and_ends_up_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stdout");
    let line = format!("{{\"type\":\"system\",\"subtype\":\"note\",\"text\":\"{}\"}}\n", "x".repeat(900));
    std::fs::write(&path, line.repeat(6000)).unwrap();
    let mut entries = super::entries::Entries::new(path, Reader::new(Dialect::Claude, folder.path()));
    assert_eq!(entries.read_on(true).unwrap(), super::entries::Progress::Behind);
    let part = entries.total();
    assert!(part > 0 && part < 6000, "what was read so far can be shown: {part}");
    while entries.read_on(true).unwrap() == super::entries::Progress::Behind {}
    assert_eq!(entries.total(), 6000);
    assert_eq!(entries.read_on(true).unwrap(), super::entries::Progress::UpToDate);
}

#[test]
fn the_end_of_a_large_log_is_seen_before_all_of_it_is_read() {
    let written = long(Dialect::Claude, 20_000);
    let naive = written.naive();
    let mut log = written.log();
    let first = log.rows(LogView::Pretty, LogPlace::End, 9).unwrap();
    assert!(first.behind && first.counted == Counted::Guessed);
    let LogRows::Pretty(rows) = first.rows else { panic!("they are entries") };
    let seen: Vec<Entry> = rows.into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(seen, naive[naive.len() - 9..]);
    let whole = whole(&mut log, LogView::Pretty, LogPlace::End, 9);
    assert_eq!((whole.first + 9, whole.total, whole.counted), (whole.total, naive.len() as u64, Counted::Yes));
}
