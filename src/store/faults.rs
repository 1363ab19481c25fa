//! What goes wrong around a database, on purpose: each gives its own error, and nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{Fault, StoreError};
use super::migrate::{self, STEPS, beside};
use super::open::{existing, to_write};
use super::samples::{BOARD, Place, new_ticket, place, ticket, ticket_id};
use super::{Limits, Reader, Write, Writer, open, writer};
use crate::domain::change::Save;
use crate::domain::ticket::Ticket;

/// Tells a test that runs in another process where the database is.
const ELSEWHERE: &str = "DRAFT_TEST_DATABASE";

const SHORT: Limits = Limits { busy: Duration::from_millis(50), max_pages: None };

fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A ticket of about a megabyte.
fn large(n: u32) -> Save {
    Save::NewTicket { ticket: ticket(n), description: "x".repeat(1 << 20) }
}

fn numbers(place: &Place) -> Vec<u32> {
    place.read().tickets().map(|ticket| ticket.number.0).collect()
}

#[test]
fn the_database_and_its_folder_are_private() {
    let place = place();
    let _writer = place.board();
    assert_eq!(mode(place.path.parent().unwrap()), 0o700);
    for file in [place.path.clone(), beside(&place.path, "-wal"), beside(&place.path, "-shm")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn two_first_starts_at_once_both_succeed() {
    for _ in 0..10 {
        let place = place();
        thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&place.path).map(drop))).collect();
            for start in starts {
                start.join().unwrap().unwrap();
            }
        });
    }
}

/// Runs a test of this file again in a process of its own, which finds the path of the database in its environment.
fn in_another_process(test: &str, path: &Path) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("store::faults::{test}"), "--nocapture"])
        .env(ELSEWHERE, path)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn another_process_that_comes_and_goes_takes_nothing_from_one_that_writes() {
    if let Some(path) = std::env::var_os(ELSEWHERE) {
        drop(open(Path::new(&path)).unwrap());
        return;
    }
    let place = place();
    let writer = place.board();
    let _reader = place.reader();
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    in_another_process("another_process_that_comes_and_goes_takes_nothing_from_one_that_writes", &place.path);
    assert!(beside(&place.path, "-wal").exists(), "the write-ahead file was taken away");
    writer.commit_blocking(vec![new_ticket(2)]).unwrap();
    assert_eq!(numbers(&place), [1, 2]);
}

#[test]
fn first_starts_of_several_processes_at_once_all_succeed() {
    if let Some(path) = std::env::var_os(ELSEWHERE) {
        drop(open(Path::new(&path)).unwrap());
        return;
    }
    let place = place();
    thread::scope(|scope| {
        let test = "first_starts_of_several_processes_at_once_all_succeed";
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| in_another_process(test, &place.path))).collect();
        starts.into_iter().for_each(|start| start.join().unwrap());
    });
    let names = fs::read_dir(place.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| !name.to_string_lossy().starts_with("draft.db")).collect();
    assert_eq!(names, [""; 0], "something else is left");
    assert!(place.reader().boards().is_ok());
}

#[test]
fn a_lock_of_another_process_is_an_error_after_the_wait_and_then_all_goes_on() {
    let place = place();
    drop(place.board());
    let writer = Writer::open(&place.path, SHORT).unwrap();
    let other = raw(&place.path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = writer.commit_blocking(vec![new_ticket(1)]);
    assert!(matches!(answer, Err(StoreError::Locked { .. })), "{answer:?}");
    assert_eq!(numbers(&place), [0; 0], "readers do not wait");
    other.execute_batch("ROLLBACK").unwrap();
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    assert_eq!(numbers(&place), [1]);
}

#[test]
fn a_full_disk_fails_the_call_that_does_not_fit_and_keeps_what_was_stored() {
    let place = place();
    drop(place.board());
    let mut db = to_write(&place.path, Limits { max_pages: Some(120), ..SHORT }).unwrap();
    let calls = [
        Write::Saves(vec![new_ticket(1)]),
        Write::Saves(vec![new_ticket(2), large(3)]),
        Write::Saves(vec![new_ticket(4)]),
    ];
    let answers = writer::settle(&mut db, &place.path, &calls);
    assert!(matches!(answers[..], [Ok(_), Err(StoreError::Full { .. }), Ok(_)]), "{answers:?}");
    assert_eq!(numbers(&place), [1, 4]);
    drop(db);
    let writer = open(&place.path).unwrap();
    writer.commit_blocking(vec![large(3)]).unwrap();
    assert_eq!(numbers(&place), [1, 3, 4], "once there is space, all goes on");
}

#[test]
fn after_a_kill_all_that_was_announced_is_there_and_half_a_commit_is_not() {
    let place = place();
    let writer = place.board();
    writer.commit_blocking(vec![new_ticket(1)]).unwrap();
    let log = beside(&place.path, "-wal");
    let announced = fs::metadata(&log).unwrap().len();
    writer.commit_blocking(vec![new_ticket(2)]).unwrap();
    let whole = fs::metadata(&log).unwrap().len();
    for (length, expected) in
        [(whole, vec![1, 2]), (whole - 1, vec![1]), (announced + 1, vec![1]), (announced, vec![1])]
    {
        // What a killed process leaves: the files as they are, and nobody to tidy them.
        let left = self::place();
        fs::create_dir(left.path.parent().unwrap()).unwrap();
        fs::copy(&place.path, &left.path).unwrap();
        let bytes = fs::read(&log).unwrap();
        fs::write(beside(&left.path, "-wal"), &bytes[..usize::try_from(length).unwrap()]).unwrap();
        let writer = open(&left.path).unwrap();
        assert_eq!(numbers(&left), expected);
        writer.commit_blocking(vec![new_ticket(3)]).unwrap();
        assert_eq!(numbers(&left).last(), Some(&3));
    }
}

#[test]
fn a_cut_file_is_called_damaged_and_stays_as_it_is() {
    let place = place();
    place.board().commit_blocking(vec![large(1)]).unwrap();
    let whole = fs::read(&place.path).unwrap();
    for length in [whole.len() / 2, whole.len() - 1, 4096] {
        fs::write(&place.path, &whole[..length]).unwrap();
        let reader = Reader::open(&place.path).map(drop);
        assert!(matches!(reader, Err(StoreError::Corrupt { .. })), "{length}: {reader:?}");
        let writer = open(&place.path).map(drop);
        assert!(matches!(writer, Err(StoreError::Corrupt { .. })), "{length}: {writer:?}");
        assert!(fs::read(&place.path).unwrap() == whole[..length], "{length}: the file was changed");
    }
}

#[test]
fn damaged_pages_are_an_error_and_never_a_wrong_answer() {
    let place = place();
    drop(place.board());
    let mut bytes = fs::read(&place.path).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&place.path, &bytes).unwrap();
    let boards = Reader::open(&place.path).and_then(|reader| reader.boards());
    assert!(matches!(boards, Err(StoreError::Corrupt { .. })), "{boards:?}");
    let writer = open(&place.path).and_then(|writer| writer.commit_blocking(vec![new_ticket(1)]));
    assert!(matches!(writer, Err(StoreError::Corrupt { .. })), "{writer:?}");
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let place = place();
    let text = place.folder.path().join("notes.txt");
    fs::write(&text, "dear diary, ".repeat(100)).unwrap();
    let other = place.folder.path().join("other.db");
    raw(&other).execute_batch("CREATE TABLE notes (line TEXT)").unwrap();
    for path in [text, other] {
        let before = fs::read(&path).unwrap();
        let answer = open(&path).map(drop);
        assert!(matches!(answer, Err(StoreError::NotOurs { .. })), "{answer:?}");
        assert!(fs::read(&path).unwrap() == before, "{} was changed", path.display());
    }
}

#[test]
fn a_newer_schema_is_refused_by_number() {
    let place = place();
    drop(place.board());
    raw(&place.path).pragma_update(None, "user_version", 99).unwrap();
    for answer in [open(&place.path).map(drop), Reader::open(&place.path).map(drop)] {
        assert!(matches!(answer, Err(StoreError::Newer { found: 99, .. })), "{answer:?}");
    }
}

#[test]
fn a_place_that_cannot_be_and_a_connection_that_may_not_write_have_errors_of_their_own() {
    for path in ["/proc/draft/draft.db", "/dev/null/draft.db"] {
        let answer = open(Path::new(path)).map(drop);
        assert!(matches!(answer, Err(StoreError::CannotOpen { .. })), "{answer:?}");
    }
    let place = place();
    let nothing = Reader::open(&place.path).map(drop);
    assert!(matches!(nothing, Err(StoreError::CannotOpen { .. })), "{nothing:?}");
    drop(place.board());
    // Tests may run as root, for whom no file is read-only; SQLite says the same for a read-only connection.
    let db = existing(&place.path, OpenFlags::SQLITE_OPEN_READ_ONLY, SHORT.busy).unwrap();
    let error = db.execute("DELETE FROM boards", []).unwrap_err();
    assert!(matches!(Fault::from(error).at(&place.path), StoreError::ReadOnly { .. }));
}

#[test]
fn messages_say_what_to_do() {
    let path = Path::new("/d/draft.db").to_owned();
    insta::assert_snapshot!(
        [
            StoreError::Conflict { what: "ticket #3".into(), why: "it is done and not planned any more".into() },
            StoreError::Locked { path: path.clone() },
            StoreError::Full { path: path.clone() },
            StoreError::ReadOnly { path: path.clone() },
            StoreError::CannotOpen { path: path.clone(), why: "not a directory".into() },
            StoreError::Corrupt { path: path.clone(), why: "database disk image is malformed".into() },
            StoreError::NotOurs { path: path.clone() },
            StoreError::Newer { path: path.clone(), found: 3, known: 1 },
            StoreError::Older { path: path.clone(), found: 1, known: 2 },
            StoreError::Backup { path, why: "database or disk is full".into() },
        ]
        .map(|error| error.to_string())
        .join("\n")
    );
}

#[test]
fn the_schema_is_the_one_that_was_reviewed() {
    let place = place();
    drop(open(&place.path).unwrap());
    let db = raw(&place.path);
    let mut query = db
        .prepare(
            "SELECT tables.name || '.' || columns.name || ' ' || columns.type ||
                 iif(columns.\"notnull\", ' NOT NULL', '') || iif(columns.pk > 0, ' PRIMARY KEY', '')
             FROM pragma_table_list AS tables JOIN pragma_table_info(tables.name) AS columns
             WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' AND tables.strict
             UNION ALL
             SELECT type || ' ' || name FROM sqlite_schema WHERE type <> 'table' AND name NOT LIKE 'sqlite_%'
             ORDER BY 1",
        )
        .unwrap();
    let lines: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// The steps that there are, and some more.
fn known_and(more: &[&'static str]) -> Vec<&'static str> {
    STEPS.iter().chain(more).copied().collect()
}

#[test]
fn a_file_of_the_first_schema_ends_with_the_newest() {
    let place = place();
    fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    let mut db = Connection::open(&place.path).unwrap();
    migrate::migrate(&mut db, &place.path, &STEPS[..1]).unwrap();
    drop(db);
    let schema = |path: &Path| -> Vec<String> {
        let db = raw(path);
        let mut query = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    drop(open(&place.path).unwrap());
    let new = self::place();
    drop(open(&new.path).unwrap());
    assert_eq!(schema(&place.path), schema(&new.path));
}

#[test]
fn an_older_file_is_copied_and_then_brought_up_to_date_step_by_step() {
    let place = place();
    place.board().commit_blocking(vec![new_ticket(1)]).unwrap();
    let mut db = raw(&place.path);
    let steps = known_and(&["ALTER TABLE boards ADD COLUMN note TEXT", "UPDATE boards SET note = 'kept'"]);
    migrate::migrate(&mut db, &place.path, &steps).unwrap();
    let note: String = db.query_row("SELECT note FROM boards", [], |row| row.get(0)).unwrap();
    assert_eq!(note, "kept");
    drop(db);

    let backup = beside(&place.path, &format!(".v{}.bak", migrate::known(STEPS)));
    assert_eq!(mode(&backup), 0o600);
    let (old, _) = Reader::open(&backup).unwrap().board(BOARD).unwrap().unwrap();
    assert_eq!(old.ticket(ticket_id(1)), Some(&ticket(1)));
    assert_eq!(fs::read_dir(place.path.parent().unwrap()).unwrap().count(), 2, "nothing else is left");
    let (newer, newest) = (migrate::known(&steps), migrate::known(STEPS));
    assert!(
        matches!(open(&place.path), Err(StoreError::Newer { found, known, .. }) if (found, known) == (newer, newest))
    );
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let place = place();
    place.board().commit_blocking(vec![new_ticket(1)]).unwrap();
    let mut db = raw(&place.path);
    let steps = known_and(&["ALTER TABLE boards ADD COLUMN note TEXT; UPDATE nowhere SET note = ''"]);
    assert!(migrate::migrate(&mut db, &place.path, &steps).is_err());
    drop(db);
    let writer = open(&place.path).unwrap();
    let again = Ticket { reason: "again".into(), ..ticket(1) };
    writer.commit_blocking(vec![Save::Ticket { was: again.state.name(), ticket: again.clone() }]).unwrap();
    assert_eq!(place.read().ticket(again.id), Some(&again));
}

#[test]
fn without_a_copy_no_step_is_done() {
    let place = place();
    drop(place.board());
    fs::create_dir(beside(&place.path, &format!(".v{}.bak", migrate::known(STEPS)))).unwrap();
    let mut db = raw(&place.path);
    let answer = migrate::migrate(&mut db, &place.path, &known_and(&["DROP TABLE trusts"]));
    assert!(matches!(answer, Err(StoreError::Backup { .. })), "{answer:?}");
    assert!(place.reader().boards().is_ok());
}
