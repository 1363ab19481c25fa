//! Kill -9 of the board and of supervisors in the middle of runs: no run is lost, no byte is missing, nothing starts twice.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::{Shown, Yard, is_alive, pid_in};
use crate::support::{Size, until};

/// How an agent of these tests ends, and when.
#[derive(Clone, Copy)]
struct End {
    directive: &'static str,
    when: When,
    state: &'static str,
    reason: &'static str,
    status: &'static str,
    code: Option<i32>,
    signal: Option<i32>,
}

#[derive(Clone, Copy, PartialEq)]
enum When {
    /// While no engine lives.
    Alone,
    /// After the next engine took it back.
    TakenBack,
}

const ENDS: [End; 4] = [
    End {
        directive: "[[say fine]]",
        when: When::TakenBack,
        state: "needs_human (review)",
        reason: "no checks are configured",
        status: "succeeded",
        code: Some(0),
        signal: None,
    },
    End {
        directive: "[[exit 3]]",
        when: When::Alone,
        state: "blocked (failed)",
        reason: "exited with code 3",
        status: "failed",
        code: Some(3),
        signal: None,
    },
    End {
        directive: "[[run kill -9 $PPID]]",
        when: When::Alone,
        state: "blocked (failed)",
        reason: "was ended by signal 9",
        status: "failed",
        code: None,
        signal: Some(9),
    },
    End {
        directive: "[[fail 7]]",
        when: When::TakenBack,
        state: "blocked (failed)",
        reason: "exited with code 7",
        status: "failed",
        code: Some(7),
        signal: None,
    },
];

/// A script that journals its start, prints what no text reader likes, and goes on when it is told to.
fn script(n: usize, end: &End) -> String {
    let when = match end.when {
        When::Alone => "alone",
        When::TakenBack => "back",
    };
    format!(
        "[[run echo {n} >> @starts; echo $PPID > @pid-{n}]] [[say first {n}]] [[half]] [[binary]] [[escape]] \
         [[write made-{n}.txt {n}]] [[touch @ready-{n}]] [[until @alone]] [[say nobody watches]] [[binary]] \
         [[lines 50]] [[touch @went-on-{n}]] [[until @{when}]] [[say last]] [[half]] {}",
        end.directive
    )
}

/// Files that many tickets, has them run by an engine, and waits until all are in their middle.
fn in_the_middle(yard: &Yard, count: usize) -> Vec<(usize, End)> {
    let ends: Vec<(usize, End)> = (1..=count).map(|n| (n, ENDS[(n - 1) % ENDS.len()])).collect();
    yard.tickets(&ends.iter().map(|(n, end)| script(*n, end)).collect::<Vec<_>>());
    ends
}

fn await_all(yard: &Yard, ends: &[(usize, End)], sign: &str) -> Vec<i32> {
    ends.iter()
        .map(|(n, _)| {
            yard.await_sign(&format!("{sign}-{n}"));
            pid_in(&yard.sign(&format!("pid-{n}")))
        })
        .collect()
}

/// What follows a kill: all agents live and go on, some end while nobody watches, the rest when they were taken back.
fn go_on_alone(yard: &Yard, ends: &[(usize, End)], pids: &[i32]) {
    for pid in pids {
        assert!(is_alive(*pid), "an agent died with its board");
    }
    yard.give("alone");
    await_all(yard, ends, "went-on");
    yard.await_ended(ends.iter().filter(|(_, end)| end.when == When::Alone).count());
}

fn assert_all_right(yard: &Yard, ends: &[(usize, End)]) {
    let shown: Vec<Shown> = ends.iter().map(|(n, _)| yard.show(*n)).collect();
    for (shown, (_, end)) in shown.iter().zip(ends) {
        shown.assert(end.state, end.reason).assert_executed(end.status, end.code, end.signal);
        let is_good = end.code == Some(0);
        assert_eq!(shown.revisions().len(), usize::from(is_good), "{:#}", shown.value);
        assert_eq!(shown.jobs("verify").len(), usize::from(is_good));
    }
    let mut starts: Vec<usize> = yard.journal("starts").iter().map(|line| line.parse().unwrap()).collect();
    starts.sort_unstable();
    assert_eq!(starts, ends.iter().map(|(n, _)| *n).collect::<Vec<_>>(), "each agent was started once");
    yard.assert_tidy(ends.len());
}

fn assert_whole_outputs(yard: &Yard, ends: &[(usize, End)]) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (n, _) in ends {
        let kept = yard.show(*n).assert_whole_output(yard);
        for part in [every_byte.as_slice(), b"half a character: \xe2\x82\n", b"\x1b[2J\x1b[H\x1b[31mred"] {
            assert!(kept.windows(part.len()).any(|window| window == part), "{}", part.escape_ascii());
        }
    }
}

#[test]
fn four_runs_outlive_a_killed_engine_and_are_taken_back_with_true_ends() {
    let yard = Yard::new();
    let ends = in_the_middle(&yard, 4);
    let engine = yard.engine(&["--max-parallel", "4"]);
    let pids = await_all(&yard, &ends, "ready");
    engine.kill_9();
    go_on_alone(&yard, &ends, &pids);

    let engine = yard.engine(&["--max-parallel", "4"]);
    engine.until_printed("#3 execute failed");
    yard.give("back");
    let outcome = engine.wait().exits(1);
    assert!(outcome.text().contains("idle: 1 of 4 wait for review or are done"), "{outcome:?}");
    assert_all_right(&yard, &ends);
    assert_whole_outputs(&yard, &ends);
}

#[test]
fn thirty_two_runs_outlive_a_killed_engine() {
    let yard = Yard::new();
    let ends = in_the_middle(&yard, 32);
    let engine = yard.engine(&["--max-parallel", "32"]);
    let pids = await_all(&yard, &ends, "ready");
    engine.kill_9();
    go_on_alone(&yard, &ends, &pids);

    yard.give("back");
    yard.run(&["--max-parallel", "32"]).exits(1);
    assert_all_right(&yard, &ends);
    assert_whole_outputs(&yard, &ends[..4]);
}

#[test]
fn four_runs_outlive_a_killed_board_and_the_next_board_takes_them_back() {
    let yard = Yard::new();
    yard.settings("  max_parallel_jobs: 4\n");
    let ends = in_the_middle(&yard, 4);
    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("Ticket 4");
    for (n, _) in &ends {
        yard.world.draft(&["ticket", "move", &n.to_string(), "executing"]).ok();
    }
    let pids = await_all(&yard, &ends, "ready");
    board.kill_9();
    go_on_alone(&yard, &ends, &pids);

    let mut board = yard.world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("Ticket 4");
    yard.give("back");
    until("all tickets have come to rest", || ends.iter().all(|(n, end)| yard.show(*n).state() == end.state));
    board.keys("q");
    assert!(board.wait_exit().success());
    board.assert_restored();
    assert_all_right(&yard, &ends);
    assert_whole_outputs(&yard, &ends);
}

/// Kills the supervisors of these tickets while the others go on.
fn kill_supervisors(count: usize, killed: &[usize]) {
    let yard = Yard::new();
    let script = |n: usize| {
        format!(
            "[[run echo {n} >> @starts; echo $PPID > @pid-{n}]] [[half]] [[binary]] [[daemon 600]] [[stubborn]] \
             [[touch @ready-{n}]] [[until @go]] [[write made.txt {n}]] [[say done]]"
        )
    };
    yard.tickets(&(1..=count).map(script).collect::<Vec<_>>());
    let engine = yard.engine(&["--max-parallel", &count.to_string()]);
    (1..=count).for_each(|n| yard.await_sign(&format!("ready-{n}")));
    let supervisors = yard.supervisors();
    assert_eq!(supervisors.len(), count);
    let mut before = Vec::new();
    for n in killed {
        let folder = yard.show(*n).runs("execute")[0]["path"].as_str().unwrap().to_owned();
        before.push(fs::read(Path::new(&folder).join("stdout")).unwrap());
        kill_process(Pid::from_raw(supervisors[Path::new(&folder)]).unwrap(), Signal::KILL).unwrap();
    }
    for n in killed {
        engine.until_printed(&format!("#{n} execute lost"));
        assert!(!is_alive(pid_in(&yard.sign(&format!("pid-{n}")))), "an agent outlived its lost job");
    }
    yard.give("go");
    assert!(engine.wait().exits(1).text().contains(&format!("idle: {} of {count}", count - killed.len())));
    for (n, before) in killed.iter().zip(before) {
        let shown = yard.show(*n);
        shown.assert("blocked (lost)", "no one saw how").assert_executed("lost", None, None);
        assert_eq!(shown.stdout("execute"), before, "all bytes are kept, and none is added");
    }
    for n in (1..=count).filter(|n| !killed.contains(n)) {
        yard.show(n).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    }
    assert_eq!(yard.journal("starts").len(), count, "each agent was started once");
    yard.assert_tidy(count);
}

#[test]
fn a_killed_supervisor_means_a_lost_job_and_no_other_run_notices() {
    kill_supervisors(4, &[2, 3]);
}

#[test]
fn thirty_two_killed_supervisors_leave_thirty_two_lost_jobs_and_no_process() {
    kill_supervisors(32, &(1..=32).collect::<Vec<_>>());
}

#[test]
fn an_engine_and_all_supervisors_killed_at_once_leave_lost_jobs_and_no_process() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo $PPID > @pid-1]] [[daemon 600]] [[say kept]] [[touch @ready]] [[hang]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    let supervisors = yard.supervisors();
    engine.kill_9();
    supervisors.values().for_each(|pid| kill_process(Pid::from_raw(*pid).unwrap(), Signal::KILL).unwrap());
    assert!(is_alive(pid_in(&yard.sign("pid-1"))), "the agent goes on, and nobody sees it");
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (lost)", "no one saw how").assert_executed("lost", None, None);
    assert!(String::from_utf8_lossy(&shown.stdout("execute")).contains("kept"));
    yard.assert_tidy(1);
}
