//! Several processes on one board: one is the engine, the others ask it, and take over when it dies.

use rustix::process::Signal;

use super::Yard;
use crate::support::{Size, until};

#[test]
fn commands_of_other_processes_are_carried_out_by_the_engine_that_runs() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&["--max-parallel", "2"]);
    yard.await_sign("ready");
    let description = yard.script("[[run echo two >> @starts]] [[write b.txt b]]");
    yard.world.draft(&["ticket", "add", "Ticket 2", "--description", &description]).ok();
    let refused = yard.world.draft(&["ticket", "move", "2", "done"]).exits(2);
    assert!(refused.complaint().contains("cannot move from proposed to done"), "{refused:?}");
    yard.world.draft(&["ticket", "move", "2", "planned"]).ok();
    // A second `draft run` asks the first and waits with it.
    let second = yard.engine(&["2"]);
    second.until_printed("#2 execute succeeded");
    assert_eq!(yard.journal("starts"), ["two"]);
    yard.give("go");
    engine.wait().ok();
    second.wait().ok();
    yard.assert_tidy(2);
}

#[test]
fn whoever_waits_for_a_killed_engine_becomes_the_engine_and_ends_its_jobs() {
    let yard = Yard::new();
    yard.tickets(&[
        "[[run echo one >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]]",
        "[[write b.txt b]]",
    ]);
    let first = yard.engine(&["1"]);
    yard.await_sign("ready");
    let second = yard.engine(&["--max-parallel", "2", "2"]);
    until("the second has asked", || yard.show(2).jobs("execute").len() == 1);
    first.kill_9();
    yard.give("go");
    second.wait().ok();
    assert_eq!(yard.journal("starts"), ["one"]);
    for n in [1, 2] {
        yard.show(n).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    }
    yard.assert_tidy(2);
}

#[test]
fn a_command_that_waits_for_an_engine_that_is_killed_is_carried_out_once() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    // It lives and holds the lock, and answers nobody.
    engine.signal(Signal::STOP);
    let mut asking: Vec<_> = (2..=4)
        .map(|n| yard.world.draft_in_background(&["ticket", "add", &format!("Ticket {n}"), "--state", "planned"]))
        .collect();
    until("all have asked", || waiting_commands(&yard) == 3);
    engine.kill_9();
    asking.drain(..).for_each(|one| drop(one.wait().ok()));
    let listed = yard.world.draft(&["ticket", "list", "--json"]).ok().json();
    let mut titles: Vec<_> =
        listed["tickets"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Ticket 1", "Ticket 2", "Ticket 3", "Ticket 4"]);
    yard.give("go");
    yard.run(&["1"]).ok();
    yard.world.assert_nothing_left();
}

/// Counts the commands that nobody answered yet.
pub(super) fn waiting_commands(yard: &Yard) -> usize {
    let database = rusqlite::Connection::open(yard.world.data().join("draft.db")).unwrap();
    let count = "SELECT count(*) FROM commands WHERE answered_at IS NULL";
    database.query_row(count, [], |row| row.get::<_, u32>(0)).unwrap() as usize
}

#[test]
fn two_that_run_all_planned_tickets_run_each_once() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo one >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    yard.tickets(&["[[run echo two >> @starts]] [[write b.txt b]]"]);
    // It lives and answers nobody, so both ask for the second ticket before anybody has it.
    engine.signal(Signal::STOP);
    let asking = [yard.engine(&[]), yard.engine(&[])];
    until("both have asked", || waiting_commands(&yard) == 2);
    engine.signal(Signal::CONT);
    yard.give("go");
    asking.into_iter().for_each(|one| drop(one.wait().ok()));
    engine.wait().ok();
    let mut starts = yard.journal("starts");
    starts.sort_unstable();
    assert_eq!(starts, ["one", "two"]);
    yard.assert_tidy(2);
}

#[test]
fn a_board_that_watched_becomes_the_engine_when_the_engine_is_killed() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo one >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("Ticket 1");
    engine.kill_9();
    yard.give("go");
    until("the board ends the job", || yard.show(1).state() == "needs_human (review)");
    yard.show(1).assert_executed("succeeded", Some(0), None);
    board.keys("q");
    assert!(board.wait_exit().success());
    assert_eq!(yard.journal("starts"), ["one"]);
    yard.assert_tidy(1);
}

#[test]
fn a_board_can_be_left_while_the_engine_of_another_process_does_not_answer_and_its_wish_is_kept() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&["1"]);
    yard.await_sign("ready");
    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("Ticket 1");
    // It lives and holds the lock, and answers nobody.
    engine.signal(Signal::STOP);
    board.keys("n");
    board.until_shows("Title");
    board.keys("Left behind<enter>");
    until("the wish is stored", || waiting_commands(&yard) == 1);
    board.keys("q");
    assert!(board.wait_exit().success());
    board.assert_restored();
    engine.signal(Signal::CONT);
    until("the wish is answered", || waiting_commands(&yard) == 0);
    assert!(yard.world.draft(&["ticket", "list"]).ok().text().contains("Left behind"));
    yard.give("go");
    engine.wait().ok();
}

#[test]
fn a_command_that_cannot_be_done_is_answered_all_the_same() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]", "[[write b.txt b]]"]);
    let engine = yard.engine(&["1"]);
    yard.await_sign("ready");
    yard.world.write("draft.yaml", "verify_config: {commands: [make]}");
    let refused = yard.world.draft(&["ticket", "move", "2", "executing"]).exits(2);
    assert!(refused.complaint().contains("draft trust"), "{refused:?}");
    std::fs::remove_file(yard.world.repo().join("draft.yaml")).unwrap();
    yard.give("go");
    engine.wait().ok();
}

#[test]
fn an_engine_whose_lock_was_deleted_keeps_it_or_gives_way_to_the_next_one() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo + >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]]", "[[write b.txt b]]"]);
    let first = yard.engine(&["1"]);
    yard.await_sign("ready");
    let lock = || {
        let files = std::fs::read_dir(yard.world.data()).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock"))
    };
    // It notices when it writes, and nobody else was there.
    std::fs::remove_file(lock().unwrap()).unwrap();
    assert!(yard.await_answer(yard.ask_to_cancel(2)).is_some());
    assert!(lock().is_some());
    std::fs::remove_file(lock().unwrap()).unwrap();
    let second = yard.engine(&["1"]);
    until("the second is the engine", || lock().is_some());
    yard.give("go");
    second.wait().ok();
    let ended = first.wait().exits(3);
    assert!(ended.complaint().contains("another Draft is the engine now"), "{ended:?}");
    yard.show(1).assert("needs_human (review)", "");
    assert_eq!(yard.journal("starts"), ["+"]);
    yard.assert_tidy(1);
}
