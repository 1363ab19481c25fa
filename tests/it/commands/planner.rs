//! `draft planner` and `draft run --autopilot`: what the board does by itself, and what everything waits for.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{assert_stable, error_of, planned, pretty};
use crate::support::{World, demo_world, demo_world_with, until};

const HELLO: &str = "[[write hello.txt hi\\n]]";

fn mode(world: &World) -> Value {
    world.draft(&["planner", "status", "--json"]).ok().json()["mode"].clone()
}

/// Returns the tickets of the events of that kind.
fn tickets(events: &[Value], event: &str, kind: &str) -> Vec<u64> {
    let of = |one: &&Value| one["event"] == event && (kind.is_empty() || one["kind"] == kind);
    let mut numbers: Vec<u64> = events.iter().filter(of).map(|one| one["ticket"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn the_mode_is_kept_and_every_ticket_that_waits_says_what_for() {
    let world = demo_world();
    planned(&world, "First", HELLO);
    world.draft(&["ticket", "add", "Second", "--state", "planned", "--after", "1"]).ok();
    planned(&world, "Third", HELLO);
    world.draft(&["trust"]).ok();
    world.draft(&["ticket", "move", "3", "executing"]).ok();
    assert_stable(&world, "planner_off", &world.draft(&["planner", "status"]).ok().text());
    assert_stable(&world, "planner_on", &pretty(&world.draft(&["planner", "start", "--json"]).ok().json()));
    assert_eq!(mode(&world), "on");
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["waits_for"], "waits for a free slot");
    assert_eq!(world.draft(&["planner", "pause"]).ok().text().lines().next(), Some("autopilot  off"));
    assert_eq!(world.draft(&["planner", "finish", "--quiet"]).ok().text(), "");
    assert_eq!(mode(&world), "finish");
    assert_eq!(world.draft(&["planner", "stop", "--json"]).exits(2).text(), "");
}

#[test]
fn the_settings_say_what_the_board_does_until_somebody_says_otherwise() {
    let world = demo_world();
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", format!("{settings}planner_config:\n  features:\n    auto_execute: true\n"));
    assert_eq!(mode(&world), "on");
    world.draft(&["planner", "pause"]).ok();
    assert_eq!(mode(&world), "off");
}

#[test]
fn an_autopilot_runs_what_is_planned_also_meanwhile_and_is_off_afterwards() {
    let world = demo_world();
    let go = world.folder().join("go");
    planned(&world, "Waits for a file", &format!("[[until {}]]{HELLO}", go.display()));
    world.draft(&["ticket", "add", "Blocked", "--state", "planned", "--after", "1"]).ok();
    world.draft(&["ticket", "add", "Only proposed"]).ok();
    let run = world.draft_in_background(&["run", "--autopilot", "--trust", "--json"]);
    run.until_printed(r#""event":"started""#);
    planned(&world, "Comes later", HELLO);
    until("the later one is done", || tickets(&lines(&run.stdout()), "finished", "verify") == [4]);
    fs::write(&go, "").unwrap();
    let events = run.wait().ok().json_lines();
    assert_eq!(tickets(&events, "finished", "verify"), [1, 4]);
    assert_eq!(tickets(&events, "waiting", ""), [2]);
    let waiting = events.iter().find(|one| one["event"] == "waiting").unwrap();
    assert_eq!([&waiting["waits_for"], &waiting["blocked_by"]], [&json!("waits for #1"), &json!([1])]);
    let modes: Vec<_> = events.iter().filter(|one| one["event"] == "autopilot").map(|one| &one["mode"]).collect();
    assert_eq!(modes, ["on", "off"]);
    assert_eq!(events.last().unwrap()["event"], "idle");
    assert_eq!(mode(&world), "off");
    let shown = world.draft(&["ticket", "show", "4", "--json"]).ok().json();
    let reasons: Vec<_> =
        shown["events"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert!(reasons.iter().any(|reason| reason.starts_with("picked by the autopilot: ")), "{reasons:?}");
    world.assert_nothing_left();
}

/// Returns the whole lines of what was printed so far.
fn lines(printed: &str) -> Vec<Value> {
    printed
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_autopilot_runs_nothing_that_is_not_trusted() {
    let world = demo_world();
    planned(&world, "Say hello", HELLO);
    assert_eq!(error_of(&world.draft(&["run", "--autopilot", "--json"]).exits(2)).0, "not_trusted");
    assert_eq!(mode(&world), "off");
    assert_eq!(error_of(&world.draft(&["run", "1", "--autopilot", "--json"]).exits(2)).0, "usage");
}

#[test]
fn an_autopilot_that_may_not_run_a_ticket_says_why_and_ends() {
    let world = demo_world();
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", settings.replace("  stop_grace: 1\n", "  stop_grace: 1\n  jobs_per_hour: 1\n"));
    planned(&world, "Say hello", HELLO);
    world.draft(&["run", "--autopilot", "--trust", "--quiet"]).ok();
    world.draft(&["ticket", "move", "1", "planned"]).ok();
    let events = world.draft(&["run", "--autopilot", "--json"]).ok().json_lines();
    let waiting = events.iter().find(|one| one["event"] == "waiting").unwrap();
    assert!(waiting["waits_for"].as_str().unwrap().starts_with("cannot run: #1 has had 1 jobs"), "{waiting}");
    assert_eq!(events.last().unwrap(), &json!({ "event": "idle", "tickets": [] }));
}

#[test]
fn an_autopilot_is_off_after_its_run_is_ended_from_outside() {
    for signal in [Signal::TERM, Signal::HUP] {
        let world = demo_world();
        planned(&world, "Say hello", "[[hang]]");
        let run = world.draft_in_background(&["run", "--autopilot", "--trust"]);
        run.until_printed("#1 execute started");
        run.signal(signal);
        let ended = run.wait().exits(3);
        assert!(ended.complaint().contains("somebody ended this run"), "{ended:?}");
        assert_eq!(mode(&world), "off");
        world.draft(&["cancel", "1"]).ok();
        world.assert_nothing_left();
    }
}

#[test]
fn an_interrupt_lets_the_autopilot_finish_what_runs_with_its_checks() {
    let world = demo_world();
    let go = world.folder().join("go");
    planned(&world, "Waits for a file", &format!("[[until {}]]{HELLO}", go.display()));
    planned(&world, "Never starts", HELLO);
    let run = world.draft_in_background(&["run", "--autopilot", "--trust", "--max-parallel", "1"]);
    run.until_printed("#1 planned → executing");
    run.signal(Signal::INT);
    run.until_printed("autopilot finish");
    fs::write(&go, "").unwrap();
    let said = run.wait().ok().text();
    assert!(said.contains("#1 verifying → needs_human") && !said.contains("#2 execute started"), "{said}");
    assert_eq!(mode(&world), "off");
    world.assert_nothing_left();
}

#[test]
fn a_job_that_the_machine_has_no_room_for_says_so() {
    let world = demo_world();
    let settings = world.read("draft.yaml");
    world.write(
        "draft.yaml",
        settings.replace("  stop_grace: 1\n", "  stop_grace: 1\n  min_free_memory: 10000000000000\n"),
    );
    planned(&world, "Say hello", HELLO);
    let run = world.draft_in_background(&["run", "--trust", "--json"]);
    run.until_printed(r#""event":"held""#);
    let held = lines(&run.stdout()).into_iter().find(|one| one["event"] == "held").unwrap();
    assert!(held["reason"].as_str().unwrap().starts_with("waits for memory: "), "{held}");
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["waits_for"], held["reason"]);
    assert!(world.draft(&["ticket", "list"]).ok().text().contains("waits for memory: "));
    run.signal(Signal::INT);
    run.wait().exits(1);
}

#[test]
fn a_change_that_goes_back_to_its_agent_is_told() {
    let world = demo_world_with(&["test -f never.txt"]);
    planned(&world, "Say hello", HELLO);
    let events = world.draft(&["run", "--trust", "--json"]).exits(1).json_lines();
    let rework = events.iter().find(|one| one["event"] == "rework").unwrap();
    assert_eq!([&rework["ticket"], &rework["attempt"], &rework["of"]], [&json!(1), &json!(1), &json!(1)]);
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    let reworks: Vec<_> = shown["jobs"].as_array().unwrap().iter().map(|job| &job["rework"]).collect();
    assert_eq!(reworks, [0, 0, 1, 1]);
}

#[test]
fn another_try_of_an_agent_is_told_with_its_number() {
    let world = demo_world();
    let settings = world.read("draft.yaml");
    let quick = "  stop_grace: 1\n  retries: 2\n  retry_delay: 0\n";
    world.write("draft.yaml", settings.replace("  stop_grace: 1\n", quick));
    planned(&world, "Say hello", "[[say API Error: 429 rate_limit]][[fail 1]]");
    let events = world.draft(&["run", "--trust", "--json"]).exits(1).json_lines();
    let tries: Vec<_> = events.iter().filter(|one| one["event"] == "retry").collect();
    let numbers: Vec<_> = tries.iter().map(|one| (&one["attempt"], &one["of"])).collect();
    assert_eq!(numbers, [(&json!(2), &json!(3)), (&json!(3), &json!(3))]);
    assert!(tries.iter().all(|one| one["reason"].as_str().unwrap().contains("429 rate_limit")), "{tries:?}");
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["jobs"][0]["attempt"], 3);
    assert!(world.draft(&["ticket", "show", "1"]).ok().text().contains("failed, attempt 3"));
}

#[test]
fn a_check_that_may_not_run_is_refused_before_its_agent_works() {
    let world = demo_world();
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", settings.replace("test -f hello.txt", "forbidden --now"));
    planned(&world, "Say hello", HELLO);
    let said = world.draft(&["run", "--trust"]).exits(1).text();
    assert!(said.contains("#1 executing → ") && said.contains("forbidden"), "{said}");
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!([&shown["why"], &shown["jobs"][0]["runs"]], [&json!("refused"), &json!([])]);
}

#[test]
fn a_ticket_can_start_from_another_branch() {
    let world = demo_world();
    world.git(&["branch", "release"]);
    let add = ["ticket", "add", "Backport", "--base-branch", "release", "--state", "planned", "--description", HELLO];
    assert_eq!(world.draft(&[&add[..], &["--json"]].concat()).ok().json()["base_branch"], "release");
    assert!(world.draft(&["ticket", "show", "1"]).ok().text().contains("base branch  release\n"));
}
