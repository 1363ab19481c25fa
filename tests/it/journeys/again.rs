//! What leads tickets on from the keyboard: the autopilot, a word to an agent, checks again, a place in the queue.

use serde_json::Value;

use super::{Gate, board, gated, leave, state};
use crate::support::{World, demo_world, until};

const HELLO: &str = "[[write hello.txt hi\\n]][[say finished]]";

#[track_caller]
fn planned(world: &World, title: &str, script: &str) {
    world.draft(&["ticket", "add", title, "--description", script, "--state", "planned"]).ok();
}

/// Returns how the ticket's jobs of that kind ended, oldest first.
#[track_caller]
fn jobs(world: &World, ticket: &str, kind: &str) -> Vec<String> {
    let shown = world.draft(&["ticket", "show", ticket, "--json"]).ok().json();
    let jobs: Vec<Value> = shown["jobs"].as_array().unwrap().clone();
    let of_kind = jobs.iter().filter(|job| job["kind"] == kind);
    of_kind.map(|job| job["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_autopilot_brings_every_planned_ticket_to_its_review_and_says_why() {
    let world = demo_world();
    planned(&world, "Say hello", HELLO);
    planned(&world, "Say hello again", HELLO);
    let pty = board(&world);
    pty.until_shows("○ autopilot off");
    pty.until_shows("waits for you to run it");
    pty.keys("A");
    pty.until_shows("Finish what runs");
    pty.keys("<enter>");
    pty.until_shows("Trust this repository's commands?");
    pty.keys("y");
    pty.until_shows("● autopilot");
    pty.until_shows("Review 2");
    pty.keys("<enter>");
    pty.until_shows("1 Overview");
    pty.keys("6");
    pty.until_shows("picked by the autopilot");
    pty.keys("<esc>");
    pty.until_shows("Review 2");
    pty.keys("A");
    pty.until_shows("On (now)");
    pty.keys("3");
    pty.until_shows("○ autopilot off");
    leave(&world, pty);
}

#[test]
fn what_an_agent_is_told_while_it_works_leads_to_another_job() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    gated(&world, "Say hello", &gate);
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("begun");
    pty.keys("t");
    pty.until_shows("Its agent reads it when the work ends that it does now.");
    pty.paste("[[begin]]\n[[write more.txt more]][[say Told and done.]]");
    pty.keys("<enter>");
    pty.until_shows("✉");
    gate.open();
    pty.until("the checks ran on what came of it", |screen| screen.contains("Review 1") && !screen.contains('✉'));
    until("two agents worked", || jobs(&world, "1", "execute") == ["succeeded", "succeeded"]);
    assert!(world.draft(&["diff", "1"]).ok().text().contains("more.txt"), "the second did what was said");
    leave(&world, pty);
}

#[test]
fn a_job_that_is_queued_can_be_taken_out_of_the_queue() {
    let world = demo_world();
    let settings = world.read("draft.yaml").replace("max_parallel_jobs: 4", "max_parallel_jobs: 1");
    world.write("draft.yaml", settings);
    let gate = Gate::new(&world, "go");
    gated(&world, "First", &gate);
    planned(&world, "Second", HELLO);
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.until_shows("Planned 2");
    pty.keys("ggx");
    pty.until_shows("begun");
    pty.keys("<right><left>");
    pty.until_shows("#2 Second");
    pty.keys("x");
    pty.until("it is queued", |screen| screen.contains("queued: waits"));
    pty.keys("c");
    pty.until_shows("Its execute job leaves the queue.");
    pty.keys("y");
    pty.until_shows("Blocked 1");
    assert_eq!(jobs(&world, "2", "execute"), ["canceled"]);
    gate.open();
    pty.until_shows("Review 1");
    leave(&world, pty);
}

#[test]
fn the_checks_run_again_when_somebody_asks() {
    let world = demo_world();
    planned(&world, "Say hello", HELLO);
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("Review 1");
    pty.until_shows("V check");
    pty.keys("V");
    until("they ran twice", || jobs(&world, "1", "verify") == ["succeeded", "succeeded"]);
    pty.until_shows("Review 1");
    assert_eq!(state(&world, "1"), "needs_human");
    leave(&world, pty);
}
