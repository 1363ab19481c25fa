//! What an agent leaves, and what becomes of its ticket: an agent's word and its exit code prove nothing.

use std::fs;

use serde_json::json;

use super::Yard;
use crate::support::until;

#[test]
fn every_way_of_ending_has_its_state_and_its_reason() {
    let cases = [
        ("[[say Nothing to do.]]", "blocked (failed)", "the agent changed nothing; it says: Nothing to do."),
        ("[[ask Which colour?]]", "needs_human (question)", "Which colour?"),
        ("[[denied Write]]", "needs_human (refused)", "Write"),
        (
            "[[write a.txt a]] [[say it broke]] [[fail 0]]",
            "blocked (failed)",
            "the agent says that it failed: it broke",
        ),
        ("[[write a.txt a]] [[truncate]]", "blocked (failed)", "stops before its final event"),
        ("[[write a.txt a]] [[exit 0]]", "blocked (failed)", "stops before its final event"),
        (
            "[[write a.txt a]] [[stderr the disk is on fire]] [[exit 9]]",
            "blocked (failed)",
            "code 9: the disk is on fire",
        ),
        ("[[write a.txt a]] [[commit work]]", "needs_human (review)", "no checks"),
        ("[[write a.txt a]] [[commit work]] [[write b.txt b]]", "needs_human (review)", "no checks"),
        ("[[delete README.md]]", "needs_human (review)", "no checks"),
        ("[[run head -c 3000000 /dev/urandom > big.bin]]", "needs_human (review)", "no checks"),
        (
            "[[write a.txt a]] [[commit work]] [[run git reset --quiet --hard HEAD~1]]",
            "blocked (failed)",
            "changed nothing",
        ),
    ];
    let yard = Yard::new();
    yard.tickets(&cases.map(|(script, _, _)| script));
    yard.run(&["--max-parallel", "4"]).exits(1);
    for (n, (script, state, reason)) in (1..).zip(cases) {
        let shown = yard.show(n);
        assert_eq!(shown.state(), state, "{script}: {}", shown.reason());
        shown.assert(state, reason);
        let revisions = shown.revisions().len();
        assert_eq!(revisions, usize::from(state == "needs_human (review)"), "{script}");
    }
    let files = |n: usize| -> String {
        let shown = yard.show(n);
        let revision = &shown.revisions()[0];
        let (base, head) = (revision["base"].as_str().unwrap(), revision["head"].as_str().unwrap());
        yard.world.git(&["diff", "--name-status", base, head])
    };
    assert_eq!(files(8), "A\ta.txt");
    assert_eq!(files(9), "A\ta.txt\nA\tb.txt");
    assert_eq!(files(10), "D\tREADME.md");
    assert_eq!(files(11), "A\tbig.bin");
    yard.assert_tidy(cases.len());
}

#[test]
fn a_flood_of_a_million_lines_is_kept_whole_and_holds_nobody_up() {
    let yard = Yard::new();
    yard.tickets(&["[[lines 1000000]] [[write a.txt a]]"]);
    yard.run(&[]).ok();
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    let output = shown.stdout("execute");
    let dots = [b" ".as_slice(), &[b'.'; 88]].concat();
    let mut next = 1;
    for line in output.split(|byte| *byte == b'\n').filter(|line| line.first() == Some(&b'L')) {
        let number = line[1..10].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        assert!(number == next && line.len() == 99 && line[10..] == dots, "line {next}");
        next += 1;
    }
    assert_eq!(next, 1_000_001);
}

#[test]
fn a_database_that_is_locked_for_long_ends_no_job() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo one >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    let mut database = rusqlite::Connection::open(yard.world.data().join("draft.db")).unwrap();
    let lock = database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    yard.give("go");
    let log = yard.world.data().join("logs/draft.log");
    until("the end of the agent cannot be saved", || {
        fs::read_to_string(&log).is_ok_and(|text| text.contains("could not be saved, trying again"))
    });
    lock.rollback().unwrap();
    engine.wait().ok();
    yard.show(1).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    assert_eq!(yard.journal("starts"), ["one"]);
    yard.assert_tidy(1);
}

#[test]
fn a_supervisor_that_cannot_be_started_is_a_run_that_was_not_started() {
    let yard = Yard::new();
    let script = "[[touch @ready]] [[until @go]] [[write a.txt a]]";
    let description = yard.script(script);
    yard.checks(&[]);
    yard.import(&[
        json!({ "title": "Ticket 1", "state": "planned", "description": description, "verify": ["sh -c true"] }),
    ]);
    let draft = yard.sign("draft");
    fs::copy(env!("CARGO_BIN_EXE_draft"), &draft).unwrap();
    let engine = yard.world.start(yard.world.command(&draft).args(["run", "--trust"]));
    yard.await_sign("ready");
    fs::remove_file(&draft).unwrap();
    yard.give("go");
    engine.wait().exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (failed)", "could not be started: could not start the supervisor");
    assert_eq!(shown.runs("verify")[0]["status"], "failed");
    yard.assert_tidy(1);
}
