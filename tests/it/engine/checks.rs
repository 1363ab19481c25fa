//! Checks: in order until one fails, each a run of its own, only what is allowed and trusted, and nothing left of them.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Yard, is_alive, pid_in};
use crate::support::until;

const WORK: &str = "[[write a.txt a\\n]] [[say done]]";

#[test]
fn checks_run_in_order_until_one_fails_each_with_its_own_evidence() {
    let yard = Yard::new();
    let checks = ["first >> @order", "second >> @order; printf out; printf err >&2; exit 4", "third >> @order"];
    let checks = checks.map(|check| yard.script(&format!("sh -c 'echo {check}'")));
    yard.checks(&checks.each_ref().map(String::as_str));
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&[WORK]);
    let outcome = yard.run(&[]).exits(1);
    assert!(outcome.text().contains("exited with code 4"), "{outcome:?}");
    assert_eq!(yard.journal("order"), ["first", "second"]);
    let shown = yard.show(1);
    shown.assert("blocked (failed)", "exited with code 4");
    assert_eq!(shown.job("verify")["exit_code"], 4);
    let tree = &shown.revisions()[0]["tree"];
    let evidence: Vec<_> = shown.evidence().iter().filter(|one| one["tree"] == *tree).collect();
    assert_eq!(evidence.iter().map(|one| one["exit_code"].clone()).collect::<Vec<_>>(), [json!(0), json!(4)]);
    for (one, check) in evidence.iter().zip(&checks) {
        assert_eq!((&one["command"], &one["kind"]), (&json!(check), &json!("verify_stdout")));
        assert!(one["duration_ms"].is_u64() && one["at"].as_str().is_some_and(|at| at.starts_with("20")), "{one:#}");
    }
    let read = |key: &str| fs::read_to_string(evidence[1][key].as_str().unwrap()).unwrap();
    assert_eq!((read("stdout_path").as_str(), read("stderr_path").as_str()), ("out", "err"));
    yard.assert_tidy(1);
}

#[test]
fn what_a_check_prints_is_there_while_it_runs() {
    let yard = Yard::new();
    let check = yard.script("sh -c 'echo half way; until test -e @go; do sleep 0.01; done; echo done'");
    yard.checks(&[&check]);
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&[WORK]);
    let engine = yard.engine(&[]);
    let printed = || yard.run_folders().iter().find(|path| path.ends_with("1-check")).map(|path| path.join("stdout"));
    until("the check prints", || printed().is_some_and(|path| fs::read(path).unwrap() == b"half way\n"));
    assert_eq!(yard.world.draft(&["log", "1", "--raw", "--run", "1"]).ok().text(), "half way\n");
    yard.give("go");
    engine.wait().ok();
    assert_eq!(yard.show(1).stdout("verify"), b"half way\ndone\n");
}

#[test]
fn what_is_not_allowed_not_there_or_killed_blocks_with_the_reason() {
    let yard = Yard::new();
    let ticket = |title: &str, verify: &str| json!({ "title": title, "state": "planned", "description": WORK, "verify": [verify] });
    yard.checks(&[]);
    yard.world.draft(&["trust"]).ok();
    yard.import(&[
        ticket("forbidden", "rm -rf /"),
        ticket("missing", "cargo test"),
        ticket("killed", "sh -c 'kill -9 $$'"),
        ticket("a daemon", &yard.script("sh -c 'setsid sleep 600 > /dev/null & echo $! > @pid; echo started'")),
    ]);
    yard.run(&["--max-parallel", "4"]).exits(1);
    yard.show(1).assert("blocked (refused)", "rm");
    yard.show(2).assert("blocked (refused)", "there is no `cargo` here");
    let killed = yard.show(3);
    killed.assert("blocked (failed)", "was ended by signal 9");
    assert_eq!((&killed.job("verify")["exit_code"], &killed.job("verify")["signal"]), (&json!(null), &json!(9)));
    let daemon = yard.show(4);
    daemon.assert("needs_human (review)", "its check passed");
    assert!(!is_alive(pid_in(&yard.sign("pid"))), "what a check leaves running is stopped");
    assert_eq!(yard.show(1).runs("execute").len(), 0, "no agent works for a check that may not run");
    for n in 2..=4 {
        assert_eq!(yard.show(n).revisions().len(), 1, "the change is kept whatever became of its checks");
    }
    yard.assert_tidy(3);
}

#[test]
fn without_trust_nothing_runs_and_with_it_the_same_command_does() {
    let yard = Yard::new();
    let check = yard.script("sh -c 'echo check >> @starts'");
    yard.checks(&[&check]);
    yard.tickets(&["[[run echo agent >> @starts]] [[write a.txt a]]"]);
    let refused = yard.run(&["1"]).exits(2);
    assert!(refused.complaint().contains("not trusted"), "{refused:?}");
    assert_eq!((yard.journal("starts").len(), yard.show(1).state().as_str()), (0, "planned"));
    assert_eq!(yard.run_folders(), [""; 0].map(std::path::PathBuf::from));
    yard.run(&["--trust"]).ok();
    assert_eq!(yard.journal("starts"), ["agent", "check"]);

    let other = yard.script("sh -c 'echo other >> @starts'");
    yard.checks(&[&other]);
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&["2"]).exits(2);
    assert_eq!(yard.journal("starts"), ["agent", "check"], "another content needs trust of its own");
}

#[test]
fn a_check_outlives_a_killed_engine_and_is_not_run_again_even_when_the_list_has_changed() {
    let yard = Yard::new();
    let first = yard.script("sh -c 'echo first >> @starts; touch @ready; until test -e @go; do sleep 0.01; done'");
    let second = yard.script("sh -c 'echo second >> @starts'");
    let third = yard.script("sh -c 'echo third >> @starts'");
    yard.checks(&[&first, &second]);
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&[WORK]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    engine.kill_9();
    yard.checks(&[&third, &first]);
    yard.give("go");
    yard.run(&["--trust"]).ok();
    assert_eq!(yard.journal("starts"), ["first", "third"]);
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "all 2 checks passed");
    let commands: Vec<_> = shown.runs("verify").iter().map(|run| run["command"].as_str().unwrap()).collect();
    assert_eq!(commands, [&first, &third]);
    assert!(shown.runs("verify").iter().all(|run| run["exit_code"] == 0));
    yard.assert_tidy(1);
}

#[test]
fn runs_are_taken_back_whatever_the_settings_say_by_then() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo one >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]] [[exit 3]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    engine.kill_9();
    fs::write(yard.world.folder().join("config/draft/config.yaml"), "execute_config: [nonsense").unwrap();
    let engine = yard.engine(&[]);
    until("the next engine has the lock", || is_locked(&yard.world.data()));
    yard.give("go");
    let _ = engine.wait();
    yard.show(1).assert("blocked (failed)", "exited with code 3").assert_executed("failed", Some(3), None);
    assert_eq!(yard.journal("starts"), ["one"]);
    yard.assert_tidy(1);
}

/// Says whether somebody is the engine of the world's only board.
fn is_locked(data: &Path) -> bool {
    let locks = fs::read_dir(data).unwrap().flatten().map(|entry| entry.path());
    let mut locks = locks.filter(|path| path.extension().is_some_and(|extension| extension == "lock"));
    locks.any(|path| fs::File::open(path).unwrap().try_lock().is_err())
}
