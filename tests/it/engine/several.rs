//! Any number of processes on one board or one data directory: nothing runs twice, nobody misses anything, and who dies is
//! replaced at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::Yard;
use crate::support::running::Running;
use crate::support::until;

/// How long a dead engine's place may stay empty.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Counts the events of a run by ticket, kind of event and kind of job.
fn counted(events: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in events {
        let kind = one["kind"].as_str().or(one["to"].as_str()).unwrap_or_default();
        let key = format!("#{} {} {kind}", one["ticket"], one["event"].as_str().unwrap());
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

/// Starts as many processes as there are titles, at once, each of which files a ticket.
fn file_at_once(yard: &Yard, titles: &[String]) -> Vec<Running> {
    titles.iter().map(|title| yard.world.draft_in_background(&["ticket", "add", title, "--json"])).collect()
}

fn titles(yard: &Yard) -> Vec<String> {
    let listed = yard.world.draft(&["ticket", "list", "--json"]).ok().json();
    let titles = listed["tickets"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned());
    let mut titles: Vec<String> = titles.collect();
    titles.sort_unstable();
    titles
}

#[test]
fn an_engine_killed_amid_eight_jobs_is_replaced_at_once_and_what_was_asked_meanwhile_is_answered_once() {
    let yard = Yard::with_checks(&["sh -c 'test -f made.txt'"]);
    yard.settings("  max_parallel_jobs: 8\n");
    let script = |n| {
        format!("[[run echo {n} >> @starts]] [[touch @ready-{n}]] [[until @go]] [[write made.txt {n}]] [[say done]]")
    };
    yard.tickets(&(1..=8).map(script).collect::<Vec<_>>());
    let engine = yard.engine(&[]);
    (1..=8).for_each(|n| yard.await_sign(&format!("ready-{n}")));
    let second = yard.engine(&["--json"]);
    (1..=8).for_each(|n| second.until_printed(&format!(r#""kind":"execute","ticket":{n}}}"#)));
    // It lives and holds the lock, and answers nobody.
    engine.signal(Signal::STOP);
    let asked: Vec<String> = (1..=4).map(|n| format!("Asked {n}")).collect();
    let asking = file_at_once(&yard, &asked);
    until("all have asked", || super::others::waiting_commands(&yard) == asked.len());
    let killed = Instant::now();
    engine.kill_9();
    // They are answered by whoever took the dead one's place.
    asking.into_iter().for_each(|one| drop(one.wait().ok()));
    let replaced_after = killed.elapsed();
    assert!(replaced_after < 5 * AT_ONCE, "{replaced_after:?}");
    yard.give("go");
    let events = second.wait().ok().json_lines();
    let counts = counted(&events);
    for n in 1..=8 {
        for what in ["started execute", "finished execute", "started verify", "finished verify", "check "] {
            assert_eq!(counts.get(&format!("#{n} {what}")), Some(&1), "{what} of {n}: {counts:#?}");
        }
        for to in ["verifying", "needs_human"] {
            assert_eq!(counts.get(&format!("#{n} state_changed {to}")), Some(&1), "{to} of {n}: {counts:#?}");
        }
        yard.show(n).assert("needs_human (review)", "its check passed").assert_executed("succeeded", Some(0), None);
    }
    let mut starts = yard.journal("starts");
    starts.sort_unstable();
    assert_eq!(starts, ["1", "2", "3", "4", "5", "6", "7", "8"], "each agent was started once");
    let mut expected: Vec<String> = (1..=8).map(|n| format!("Ticket {n}")).chain(asked).collect();
    expected.sort_unstable();
    assert_eq!(titles(&yard), expected);
    yard.assert_tidy(8);
}

#[test]
fn whoever_waits_has_the_place_of_a_dead_engine_within_a_second() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    let second = yard.engine(&[]);
    second.until_printed("#1 execute started");
    let log = yard.world.data().join("logs/draft.log");
    let killed = Instant::now();
    engine.kill_9();
    until("its place is taken", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("taking a running job back"))
    });
    let taken_after = killed.elapsed();
    assert!(taken_after < AT_ONCE, "{taken_after:?}");
    yard.give("go");
    second.wait().ok();
    yard.assert_tidy(1);
}

#[test]
fn eight_processes_that_ask_at_once_are_all_answered_once() {
    let yard = Yard::new();
    let titles_of = |round: &str| (1..=8).map(|n| format!("{round} {n}")).collect::<Vec<_>>();
    let alone = titles_of("Alone");
    let filed = file_at_once(&yard, &alone).into_iter().map(|one| one.wait().ok().json()["number"].as_u64().unwrap());
    let mut numbers: Vec<u64> = filed.collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    yard.world
        .draft(&[
            "ticket",
            "add",
            "Runs",
            "--state",
            "planned",
            "--description",
            &yard.script("[[touch @ready]] [[until @go]] [[write a.txt a]]"),
        ])
        .ok();
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    let beside = titles_of("Beside");
    file_at_once(&yard, &beside).into_iter().for_each(|one| drop(one.wait().ok()));
    yard.give("go");
    engine.wait().ok();
    let mut expected: Vec<String> = alone.into_iter().chain(beside).chain(["Runs".to_owned()]).collect();
    expected.sort_unstable();
    assert_eq!(titles(&yard), expected);
    assert!(
        !yard.world.data().join("draft.db-wal").exists(),
        "the last process writes back what lies beside the database"
    );
}

#[test]
fn four_runs_of_the_same_tickets_start_each_agent_once_and_all_see_the_end() {
    let yard = Yard::new();
    yard.settings("  max_parallel_jobs: 3\n");
    yard.tickets(&(1..=6).map(|n| format!("[[run echo {n} >> @starts]] [[write a.txt {n}]]")).collect::<Vec<_>>());
    let runs = [
        yard.engine(&["--autopilot"]),
        yard.engine(&["--autopilot"]),
        yard.engine(&["--autopilot"]),
        yard.engine(&["--autopilot"]),
    ];
    runs.into_iter().for_each(|run| drop(run.wait().ok()));
    let mut starts = yard.journal("starts");
    starts.sort_unstable();
    assert_eq!(starts, ["1", "2", "3", "4", "5", "6"]);
    for n in 1..=6 {
        yard.show(n).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    }
    yard.assert_tidy(6);
}

#[test]
fn two_repositories_share_a_data_directory_and_nothing_else() {
    let yard = Yard::new();
    let other = yard.world.folder().join("other");
    let other = other.to_str().unwrap();
    yard.world.git(&["clone", "--quiet", ".", other]);
    let script = |name: &str| {
        yard.script(&format!(
            "[[run echo {name} >> @starts]] [[touch @ready-{name}]] [[until @go]] [[write {name}.txt a]]"
        ))
    };
    let add = |repo: &str, name: &str| {
        yard.world
            .draft(&["ticket", "add", name, "--state", "planned", "--description", &script(name), "--repo", repo])
            .ok();
    };
    add(".", "here");
    add(other, "there");
    // Both are engines at the same time, each of its own board.
    let here = yard.engine(&["--repo", "."]);
    let there = yard.engine(&["--repo", other]);
    yard.await_sign("ready-here");
    yard.await_sign("ready-there");
    here.kill_9();
    let next = yard.engine(&["--repo", "."]);
    next.until_printed("#1 execute started");
    yard.give("go");
    let (next, there) = (next.wait().ok().text(), there.wait().ok().text());
    for said in [&next, &there] {
        assert!(said.ends_with("idle: 1 of 1 wait for review or are done\n"), "{said}");
    }
    let mut starts = yard.journal("starts");
    starts.sort_unstable();
    assert_eq!(starts, ["here", "there"]);
    let listed = yard.world.draft(&["ticket", "list", "--repo", other]).ok().text();
    assert!(listed.contains("#1") && listed.contains("there") && !listed.contains("here.txt"), "{listed}");
    yard.world.assert_nothing_left();
}
