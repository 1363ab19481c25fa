//! What passes is proven only of a tree that was there all along, and only in a place where all of it ran.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{Shown, Yard};
use crate::support::until;

/// A check that says that it runs, waits until it may go on, and passes whatever is there.
const WAITS: &str = "sh -c 'echo 1 >> @ran; touch @began; until test -e @go; do sleep 0.01; done'";
const WANTS: &str = "sh -c 'grep -q fixed a.txt'";

fn yard(checks: &[&str]) -> Yard {
    let yard = Yard::new();
    let checks: Vec<String> = checks.iter().map(|check| yard.script(check)).collect();
    yard.checks(&checks.iter().map(String::as_str).collect::<Vec<_>>());
    yard.world.draft(&["trust"]).ok();
    yard
}

/// Returns the commands that passed on the tree of a revision.
fn passed_on(shown: &Shown, revision: u64) -> Vec<String> {
    let revision = shown.revisions().iter().find(|one| one["number"] == revision).unwrap();
    let on_it = shown.evidence().iter().filter(|one| one["tree"] == revision["tree"] && one["exit_code"] == 0);
    on_it.map(|one| one["command"].as_str().unwrap().to_owned()).collect()
}

fn said(shown: &Shown, text: &str) -> bool {
    let events = shown.value["events"].as_array().unwrap();
    events.iter().any(|event| event["reason"].as_str().is_some_and(|reason| reason.contains(text)))
}

fn assert_checked_again(yard: &Yard) {
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "all 2 checks passed");
    assert_eq!(yard.journal("ran").len(), 2, "all of it runs again: {:#}", shown.value);
    assert_eq!(passed_on(&shown, 1), [""; 0], "nothing is proven of what was there before");
    assert_eq!(passed_on(&shown, 2).len(), 2);
    assert!(said(&shown, "a.txt changed while"), "{:#}", shown.value["events"]);
    yard.assert_tidy(1);
}

#[test]
fn a_change_that_is_edited_under_its_checks_is_checked_again() {
    let yard = yard(&[WAITS, WANTS]);
    yard.tickets(&["[[write a.txt one\\n]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("began");
    fs::write(yard.show(1).worktree().join("a.txt"), "fixed\n").unwrap();
    yard.give("go");
    engine.wait().ok();
    assert_checked_again(&yard);
}

#[test]
fn one_that_is_edited_while_no_engine_lives_is_checked_again_too() {
    let yard = yard(&[WAITS, WANTS]);
    yard.tickets(&["[[write a.txt one\\n]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("began");
    drop(engine.kill_9());
    fs::write(yard.show(1).worktree().join("a.txt"), "fixed\n").unwrap();
    yard.give("go");
    yard.run(&[]).ok();
    assert_checked_again(&yard);
}

#[test]
fn what_a_check_writes_becomes_part_of_the_change_unless_it_writes_each_time() {
    let yard = yard(&["sh -c 'echo 1 >> @ran; sed -i s/one/fixed/ a.txt'", WANTS]);
    yard.tickets(&["[[write a.txt one\\n]]"]);
    yard.run(&[]).ok();
    assert_checked_again(&yard);
    let shown = yard.show(1);
    let head = shown.revisions().iter().find(|one| one["number"] == 2).unwrap()["head"].as_str().unwrap();
    assert_eq!(yard.world.git(&["show", &format!("{head}:a.txt")]), "fixed");

    yard.checks(&["sh -c 'echo more >> a.txt'"]);
    yard.tickets(&["[[write a.txt one\\n]]"]);
    yard.run(&["2", "--trust"]).exits(1);
    let shown = yard.show(2);
    shown.assert("blocked (refused)", "a.txt changed while `sh -c 'echo more >> a.txt'` ran, as before");
    shown.assert("blocked (refused)", "`draft resume 2` goes on");
    assert_eq!(shown.jobs("verify").len(), 3);
    assert!((1..=3).all(|revision| passed_on(&shown, revision).is_empty()));
    yard.checks(&["sh -c 'test -e a.txt'"]);
    yard.world.draft(&["resume", "2"]).ok();
    yard.run(&["2", "--trust"]).ok();
    yard.show(2).assert("needs_human (review)", "its check passed");
}

/// Brings the target a commit further, so that the result of a landing is another tree.
fn approved(yard: &Yard) {
    yard.tickets(&["[[write b.txt b\\n]]"]);
    yard.run(&[]).ok();
    yard.world.draft(&["review", "1", "--approve"]).ok();
    yard.world.write("meanwhile.txt", "moved\n");
    yard.world.commit("meanwhile");
}

#[test]
fn a_landing_whose_checks_build_on_each_other_runs_all_of_them_again() {
    let yard = yard(&["sh -c 'echo 1 >> @ran; touch built'", "sh check.sh"]);
    yard.world.write(".gitignore", "built\n");
    // It fails once on the result.
    let script = "case $PWD in */landings/*) test -e @failed || { touch @failed; exit 1; };; esac\ntest -e built\n";
    yard.world.write("check.sh", yard.script(script));
    yard.world.commit("a check");
    approved(&yard);
    yard.world.draft(&["merge", "1"]).exits(1);
    yard.show(1).assert("needs_human (landing)", "`sh check.sh` exited with code 1");
    yard.world.draft(&["merge", "1"]).ok();
    yard.show(1).assert("done", "landed on main as");
    assert_eq!(yard.journal("ran").len(), 3);
}

#[test]
fn a_check_that_edits_the_result_of_a_landing_proves_nothing_of_it() {
    let yard = yard(&["sh -c 'case $PWD in */landings/*) echo more >> b.txt;; esac'", "sh -c 'test -e b.txt'"]);
    approved(&yard);
    yard.world.draft(&["merge", "1"]).exits(1);
    let shown = yard.show(1);
    shown.assert("needs_human (landing)", "b.txt changed while");
    shown.assert("needs_human (landing)", "on the result of the merge");
    assert!(!yard.world.repo().join("b.txt").exists());
    assert_eq!(shown.value["landing"]["proof"]["checks"], "unknown");
}

#[test]
fn a_worktree_that_was_made_anew_is_set_up_anew_in_the_same_job() {
    let yard = Yard::new();
    let setup = json!(yard.script("sh -c 'echo setup >> @ran; touch ready.txt'"));
    yard.config(&format!("execute_config: {{retries: 1}}\nworkspace_config: {{setup: [{setup}]}}\n"));
    yard.world.write(".gitignore", "ready.txt\n");
    yard.world.commit("ignored");
    // It loses its own worktree as it fails, and works where it is there again.
    let script = "[[run test -e ready.txt && echo ready >> @ran; true]] [[run test -e @again || rm -rf $DRAFT_WORKTREE]] \
                  [[run cd / && mkdir -p @again]] [[say API Error: 429 rate_limit]] [[fail 1]]";
    yard.tickets(&[script]);
    yard.run(&[]).exits(1);
    assert_eq!(yard.journal("ran"), ["setup", "ready", "setup", "ready"]);
}

#[test]
fn a_landing_that_was_killed_and_lost_its_place_is_set_up_anew() {
    let yard = yard(&["sh check.sh"]);
    let wait =
        "test -e built && case $PWD in */landings/*) touch @began; until test -e @go; do sleep 0.01; done;; esac";
    yard.world.write("check.sh", yard.script(&format!("{wait}\ntest -e built\n")));
    yard.world.write(".gitignore", "built\n");
    yard.world.commit("a check");
    let setup = json!(yard.script("sh -c 'echo setup >> @ran; touch built'"));
    yard.config(&format!("execute_config: {{}}\nworkspace_config: {{setup: [{setup}]}}\n"));
    approved(&yard);
    let landing = yard.world.draft_in_background(&["merge", "1"]);
    yard.await_sign("began");
    drop(landing.kill_9());
    yard.give("go");
    until("the check is over", || yard.supervisors().is_empty());
    let left: Vec<PathBuf> =
        fs::read_dir(yard.world.data().join("landings")).unwrap().map(|one| one.unwrap().path()).collect();
    left.iter().for_each(|board| fs::remove_dir_all(board).unwrap());
    yard.run(&[]).ok();
    yard.show(1).assert("done", "landed on main as");
    assert_eq!(yard.journal("ran").len(), 3, "the worktree, and the landing twice");
}

/// A yard in which changes are approved and land, with this gate.
fn gated(gate: &str) -> Yard {
    let yard = Yard::new();
    let gate = json!([yard.script(gate)]);
    let file = json!({ "verify_config": { "commands": ["sh -c true"], "extra_allowed_commands": ["sh"] } });
    yard.world.write("draft.yaml", file.to_string());
    yard.world.commit("a check");
    yard.config(&format!("execute_config: {{}}\nautonomy_config: {{enabled: true, custom_gates: {gate}}}\n"));
    yard.world.draft(&["trust"]).ok();
    yard
}

#[test]
fn a_gate_outlives_a_killed_engine_and_counts_once() {
    let yard = gated("sh -c 'echo gate >> @ran; touch @began; until test -e @go; do sleep 0.01; done'");
    yard.tickets(&["[[write a.txt a\\n]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("began");
    drop(engine.kill_9());
    yard.give("go");
    yard.run(&[]).ok();
    let shown = yard.show(1);
    shown.assert("needs_human (approved)", "");
    assert_eq!(yard.journal("ran"), ["gate"]);
    assert_eq!((shown.runs("verify").len(), passed_on(&shown, 1).len()), (2, 2));
    yard.assert_tidy(1);
}

#[test]
fn a_gate_that_edits_what_it_looks_at_approves_nothing() {
    let yard = gated("sh -c 'echo more >> a.txt'");
    yard.tickets(&["[[write a.txt a\\n]]"]);
    yard.run(&[]).ok();
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "waits for you: the gate");
    assert_eq!(passed_on(&shown, 1), ["sh -c true"]);
}
