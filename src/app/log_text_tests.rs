//! A whole log as text has every row once, and a file takes the place of another only when somebody says so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::log_text::{save, write};
use super::logs_tests::Written;
use crate::domain::id::TicketId;
use crate::domain::log::{LogPlace, LogRequest, LogView};
use crate::domain::log_filter::LogFilter;
use crate::domain::log_find::Words;
use crate::executor::decode::Dialect;
use crate::ui::{Controls, Existing, LogText, Saved};

fn text(view: LogView, words: Option<&str>, controls: Controls) -> LogText {
    let filter = LogFilter { words: words.and_then(Words::new), ..LogFilter::default() };
    let ticket = TicketId(uuid::Uuid::nil());
    // Few rows at once, so that there are many pages.
    let request = LogRequest { ticket, run: None, view, place: LogPlace::From(0), rows: 7, filter, sought: None };
    LogText { request, times: None, controls }
}

fn written(log: &Written, text: &LogText) -> String {
    let mut out = Vec::new();
    write(&mut log.log(), text, &mut out, || true).unwrap();
    String::from_utf8(out).unwrap()
}

/// A check that printed so many lines, and some on standard error.
fn check(lines: usize) -> Written {
    let written = Written::new(Dialect::Text);
    for n in 0..lines {
        written.say("stdout", format!("\u{1b}[32mline {n}\u{1b}[0m\n").as_bytes());
    }
    written.say("stderr", b"oops\x07\n");
    written.end();
    written
}

#[test]
fn all_rows_are_written_once_whatever_a_page_holds() {
    for lines in [0, 1, 5, 6, 7, 13, 14, 100] {
        let log = check(lines);
        let readable: String = (0..lines).map(|n| format!("line {n}\n")).chain(["oops␇\n".to_owned()]).collect();
        for view in [LogView::Pretty, LogView::Raw] {
            assert_eq!(written(&log, &text(view, None, Controls::Shown)), readable, "{view}, {lines}");
        }
        let bytes: String =
            (0..lines).map(|n| format!("\u{1b}[32mline {n}\u{1b}[0m\n")).chain(["oops\u{7}\n".to_owned()]).collect();
        assert_eq!(written(&log, &text(LogView::Raw, None, Controls::Kept)), bytes, "{lines}");
        let filtered = written(&log, &text(LogView::Raw, Some("7"), Controls::Shown));
        let expected: Vec<_> = readable.lines().filter(|line| line.contains('7')).collect();
        assert_eq!(filtered.lines().collect::<Vec<_>>(), expected, "{lines}");
    }
}

#[test]
fn nothing_more_is_written_for_nobody() {
    let mut out = Vec::new();
    for controls in [Controls::Kept, Controls::Shown] {
        write(&mut check(9).log(), &text(LogView::Raw, None, controls), &mut out, || false).unwrap();
    }
    assert_eq!(out, b"");
}

#[test]
fn a_file_is_private_and_takes_the_place_of_another_only_when_somebody_says_so() {
    let (log, folder) = (check(3), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.log");
    let text = text(LogView::Pretty, None, Controls::Kept);
    let save_as = |path: &Path, existing| save(&mut log.log(), text.clone(), path, existing, || true);
    let Saved::Done { bytes, .. } = save_as(&path, Existing::Kept) else { panic!("it is saved") };
    assert_eq!(fs::read_to_string(&path).unwrap(), "line 0\nline 1\nline 2\noops␇\n");
    assert_eq!(
        (fs::metadata(&path).unwrap().len(), fs::metadata(&path).unwrap().permissions().mode() & 0o777),
        (bytes, 0o600)
    );
    fs::write(&path, "mine").unwrap();
    assert!(matches!(save_as(&path, Existing::Kept), Saved::Exists { .. }));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    // A link stays one.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(save_as(&link, Existing::Replaced), Saved::Done { .. }));
    assert!(link.is_symlink() && fs::read_to_string(&path).unwrap().starts_with("line 0"));
    for (odd, why) in [("", "that is no file"), ("no/such", "there is no folder")] {
        for existing in [Existing::Kept, Existing::Replaced] {
            let Saved::Failed(said) = save_as(&folder.path().join(odd), existing) else { panic!("{odd}") };
            assert!(said.contains(why), "{said}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
}
