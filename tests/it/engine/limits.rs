//! Limits on time, silence and output, as the settings say: the whole tree is stopped, and the ticket says why.

use super::Yard;

#[test]
fn an_agent_that_takes_too_long_talks_too_little_or_prints_too_much_is_stopped_and_its_ticket_says_why() {
    let yard = Yard::new();
    // The demo agent drips so that only the one limit is reached in each.
    yard.settings("  timeout: 3\n  idle_timeout: 1\n  max_output_bytes: 200000\n  max_parallel_jobs: 3\n");
    yard.tickets(&[
        "[[daemon 600]] [[stubborn]] [[rate 1000/4]]",
        "[[daemon 600]] [[say then nothing]] [[hang]]",
        "[[daemon 600]] [[lines 5000]] [[hang]]",
    ]);
    let outcome = yard.run(&[]).exits(1);
    assert!(outcome.text().contains("idle: 0 of 3"), "{outcome:?}");
    let ends = [
        ("ran out of time and was stopped", "L000000004 "),
        ("printed nothing for too long and was stopped", "then nothing"),
        ("printed too much and was stopped", "L000005000 "),
    ];
    for (n, (reason, printed)) in (1..).zip(ends) {
        let shown = yard.show(n);
        shown.assert("blocked (failed)", &format!("the agent {reason}")).assert_executed("failed", None, None);
        assert_eq!(shown.evidence()[0]["end"], reason);
        let output = String::from_utf8_lossy(&shown.stdout("execute")).into_owned();
        assert!(output.contains(printed), "all that it printed is kept: {}", output.len());
    }
    yard.assert_tidy(3);
}

#[test]
fn a_check_that_takes_too_long_is_stopped_with_all_that_it_started() {
    let yard = Yard::with_checks(&["sh -c 'setsid sleep 600 & echo started; sleep 600'"]);
    let file = yard.world.folder().join("config/draft/config.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}  timeout: 1\n")).unwrap();
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (failed)", "ran out of time and was stopped");
    assert_eq!(shown.stdout("verify"), b"started\n");
    yard.assert_tidy(1);
}
