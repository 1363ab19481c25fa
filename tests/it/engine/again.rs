//! Working on a ticket again: after checks that failed, failures that may pass, a person's edits, a message.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Yard;

/// What a run was told on standard input.
fn prompt(run: &serde_json::Value) -> String {
    fs::read_to_string(Path::new(run["path"].as_str().unwrap()).join("prompt")).unwrap()
}

/// Does something that `draft` has a command for, or fails with what it says.
fn draft(yard: &Yard, args: &[&str]) {
    let _ = yard.world.draft(args).ok();
}

#[test]
fn a_change_that_fails_goes_back_to_its_agent_in_the_same_session_with_what_failed() {
    let yard = Yard::new();
    yard.config("execute_config: {}\nverify_config: {rework_attempts: 1}\n");
    // The check says what the demo agent is to do about it.
    yard.checks(&["sh -c 'test -e mended || { echo mend it: [[write mended yes]]; exit 3; }'"]);
    draft(&yard, &["trust"]);
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&[]).ok();
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "its check passed");
    assert_eq!(shown.revisions().len(), 2);
    let (executes, verifies) = (shown.jobs("execute"), shown.jobs("verify"));
    assert_eq!((executes.len(), verifies.len()), (2, 2));
    assert_eq!(executes[0]["session"], executes[1]["session"], "the same session goes on");
    let told = executes.iter().map(|job| prompt(&job["runs"][0])).find(|text| text.contains("check failed")).unwrap();
    assert!(told.contains("exited with code 3") && told.contains("    mend it: [[write mended yes]]"), "{told}");
    assert!(!told.contains("## Description"), "an agent that goes on knows its task: {told}");
    yard.assert_tidy(1);
}

#[test]
fn a_change_that_fails_again_is_blocked_and_without_rework_at_once() {
    for (attempts, jobs) in [(0, 1), (2, 3)] {
        let yard = Yard::new();
        yard.config(&format!("execute_config: {{}}\nverify_config: {{rework_attempts: {attempts}}}\n"));
        yard.checks(&["sh -c 'echo again: [[append tries x]]; exit 7'"]);
        draft(&yard, &["trust"]);
        yard.tickets(&["[[write a.txt a]]"]);
        yard.run(&[]).exits(1);
        let shown = yard.show(1);
        shown.assert("blocked (failed)", "exited with code 7");
        assert_eq!(shown.jobs("execute").len(), jobs, "{attempts} attempts");
        yard.assert_tidy(1);
    }
}

#[test]
fn an_agent_that_mends_nothing_is_blocked_with_its_words() {
    let yard = Yard::new();
    yard.config("execute_config: {}\nverify_config: {rework_attempts: 5}\n");
    yard.checks(&["sh -c 'echo [[say I see nothing wrong]]; exit 1'"]);
    draft(&yard, &["trust"]);
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    let reason = "exited with code 1; sent back for that, the agent changed nothing; it says: I see nothing wrong";
    shown.assert("blocked (failed)", reason);
    assert_eq!((shown.jobs("execute").len(), shown.revisions().len()), (2, 1));
}

#[test]
fn a_failure_that_may_pass_is_tried_again_as_another_run_of_the_same_job() {
    let yard = Yard::new();
    yard.config("execute_config: {retries: 2}\nverify_config: {rework_attempts: 0}\n");
    let limit = "[[say API Error: 429 rate_limit]] [[fail 1]]";
    yard.tickets(&[
        "[[once @one say API Error: 429 rate_limit]] [[once @two fail 1]] [[write a.txt a]]".to_owned(),
        limit.to_owned(),
        "[[say API Error: 401 invalid key]] [[fail 1]]".to_owned(),
    ]);
    yard.run(&[]).exits(1);
    let first = yard.show(1);
    first.assert("needs_human (review)", "");
    let job = first.job("execute");
    assert_eq!((&job["attempt"], &job["status"]), (&json!(2), &json!("succeeded")));
    let runs = job["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| &run["exit_code"]).collect::<Vec<_>>(), [1, 0]);
    assert!(
        prompt(&runs[1]).contains("429 rate_limit") && prompt(&runs[1]).contains("# Task:"),
        "{}",
        prompt(&runs[1])
    );
    let told = first.value["events"].to_string();
    assert!(told.contains("try 2 of 3 starts in 0 s"), "{told}");
    yard.show(2).assert("blocked (failed)", "429 rate_limit");
    assert_eq!(yard.show(2).runs("execute").len(), 3, "two further tries and no more");
    yard.show(3).assert("blocked (failed)", "401");
    assert_eq!(yard.show(3).runs("execute").len(), 1, "what no further try mends is not tried again");
    yard.assert_tidy(3);
}

#[test]
fn a_persons_edits_are_taken_over_and_checked_and_never_sent_to_an_agent() {
    let yard = Yard::new();
    yard.config("execute_config: {}\nverify_config: {rework_attempts: 3}\n");
    yard.checks(&["sh -c 'grep -q good a.txt'"]);
    draft(&yard, &["trust"]);
    yard.tickets(&["[[ask Which colour?]]", "[[write a.txt bad]]"]);
    yard.run(&["1"]).exits(1);
    yard.show(1).assert("needs_human (question)", "Which colour?");
    draft(&yard, &["resume", "1"]);
    yard.run(&["1"]).exits(1);
    yard.show(1).assert("needs_human (question)", "");
    assert_eq!(yard.show(1).job("resume")["status"], "succeeded");
    let reason = yard.show(1).job("resume")["reason"].clone();
    assert_eq!(reason, "nothing is changed in its worktree yet");

    fs::write(yard.show(1).worktree().join("a.txt"), "bad\n").unwrap();
    draft(&yard, &["resume", "1"]);
    yard.run(&["1"]).exits(1);
    yard.show(1).assert("blocked (failed)", "exited with code 1");
    assert_eq!(yard.show(1).jobs("execute").len(), 1, "nobody sends a person's edits to an agent");

    // It is blocked now, and mended by hand.
    fs::write(yard.show(1).worktree().join("a.txt"), "good\n").unwrap();
    draft(&yard, &["resume", "1"]);
    yard.run(&["1"]).ok();
    yard.show(1).assert("needs_human (review)", "its check passed");
    assert_eq!(yard.show(1).revisions().len(), 2);
    yard.assert_tidy(1);
}

#[test]
fn checks_run_again_on_request_whatever_state_they_left() {
    let yard = Yard::new();
    yard.checks(&[&yard.script("sh -c 'test -e @green'")]);
    draft(&yard, &["trust"]);
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&[]).exits(1);
    yard.show(1).assert("blocked (failed)", "exited with code 1");
    yard.give("green");
    draft(&yard, &["verify", "1"]);
    yard.run(&["1"]).ok();
    yard.show(1).assert("needs_human (review)", "its check passed");
    draft(&yard, &["verify", "1"]);
    yard.run(&["1"]).ok();
    yard.show(1).assert("needs_human (review)", "its check passed");
    let shown = yard.show(1);
    assert_eq!((shown.jobs("verify").len(), shown.revisions().len(), shown.jobs("execute").len()), (3, 1, 1));
    yard.assert_tidy(1);
}

#[test]
fn an_interactive_agent_gets_the_task_written_down_and_the_person_takes_over() {
    let yard = Yard::new();
    yard.import(&[json!({ "title": "By hand", "state": "planned", "description": "Paint it.", "agent": "cursor" })]);
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("needs_human (handover)", "draft resume 1");
    let events = shown.value["events"].as_array().unwrap();
    let file = events.iter().find_map(|event| event["payload"]["prompt_file"].as_str()).unwrap();
    let task = fs::read_to_string(file).unwrap();
    assert!(task.contains("# Task: By hand") && task.contains("Paint it."), "{task}");
    fs::write(shown.worktree().join("a.txt"), "red\n").unwrap();
    yard.world.run("git", &["-C", shown.worktree().to_str().unwrap(), "add", "a.txt"]).ok();
    yard.world.run("git", &["-C", shown.worktree().to_str().unwrap(), "commit", "--quiet", "-m", "by hand"]).ok();
    draft(&yard, &["resume", "1"]);
    yard.run(&["1"]).ok();
    yard.show(1).assert("needs_human (review)", "no checks");
    assert_eq!(yard.show(1).revisions().len(), 1, "also what was committed counts");
    yard.assert_tidy(1);
}

#[test]
fn a_message_is_told_to_the_agent_when_its_job_ends_and_at_once_where_none_runs() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[ask Which colour?]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    draft(&yard, &["ticket", "tell", "1", "Old words"]);
    draft(&yard, &["ticket", "tell", "1", "Red. [[write red.txt red]]"]);
    yard.give("go");
    engine.wait().ok();
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "");
    let jobs = shown.jobs("execute");
    assert_eq!(jobs.len(), 2);
    assert_eq!(jobs[0]["session"], jobs[1]["session"]);
    let told: Vec<String> = jobs.iter().map(|job| prompt(&job["runs"][0])).collect();
    assert!(
        told.iter().any(|text| text.ends_with("this is new.\n\nRed. [[write red.txt red]]\n")),
        "the newest message alone is told: {told:?}"
    );

    draft(&yard, &["ticket", "tell", "1", "And blue. [[write blue.txt blue]]"]);
    yard.run(&["1"]).ok();
    assert_eq!(yard.show(1).revisions().len(), 2);
    draft(&yard, &["ticket", "tell", "1", "Is it nice? [[say Very.]]"]);
    yard.run(&["1"]).exits(1);
    yard.show(1).assert("needs_human (question)", "Very.");
    yard.assert_tidy(1);
}

#[test]
fn a_message_that_no_agent_was_started_for_is_told_by_the_next_run() {
    let yard = Yard::new();
    yard.config("execute_config: {}\nworkspace_config: {setup: ['false']}\n");
    yard.tickets(&["[[write a.txt a]]"]);
    draft(&yard, &["ticket", "tell", "1", "Mind the gap."]);
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (failed)", "its worktree could not be made ready");
    assert_eq!(shown.jobs("execute").len(), 1, "what failed would fail again, so nothing starts by itself");
    yard.config("execute_config: {}\n");
    yard.run(&["1"]).ok();
    let shown = yard.show(1);
    let told: Vec<String> = shown
        .jobs("execute")
        .iter()
        .flat_map(|job| job["runs"].as_array().unwrap())
        .filter(|run| run["kind"] == "execute")
        .map(prompt)
        .collect();
    assert!(told.len() == 1 && told[0].contains("Mind the gap."), "{told:?}");
    yard.assert_tidy(1);
}
