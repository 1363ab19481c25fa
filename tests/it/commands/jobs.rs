//! `draft cancel`, `verify`, `resume` and `ticket tell`, with an engine and without one.

use std::fs;

use serde_json::{Value, json};

use super::{error_of, planned};
use crate::support::running::Running;
use crate::support::{World, demo_world, demo_world_with, until};

/// What an agent does that leaves all kinds of processes and would never end.
const ENDLESS: &str = "[[daemon 600]][[fork 600]][[stubborn]][[write hello.txt hi]][[say begun]]";

fn show(world: &World, ticket: &str) -> Value {
    world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
}

/// Starts the endless agent on ticket 1 and waits until it is in its middle.
fn in_the_middle(world: &World) -> Running {
    let ready = world.folder().join("ready");
    planned(world, "Never ends", &format!("{ENDLESS}[[touch {}]][[hang]]", ready.display()));
    world.draft(&["trust"]).ok();
    let run = world.draft_in_background(&["run", "1"]);
    until("the agent is in its middle", || ready.exists());
    run
}

/// Runs a ticket until it waits for review.
fn reviewed(world: &World) {
    planned(world, "Say hello", "[[write hello.txt hi\\n]]");
    world.draft(&["run", "--trust", "--quiet"]).ok();
}

#[test]
fn with_no_engine_alive_a_cancel_stops_the_whole_tree_before_it_returns() {
    let world = demo_world();
    in_the_middle(&world).kill_9();
    assert!(!world.processes().is_empty(), "the agent outlives its engine");
    let canceled = world.draft(&["cancel", "1", "--json"]).ok().json();
    assert_eq!([&canceled["kind"], &canceled["status"]], [&json!("execute"), &json!("canceled")]);
    assert_eq!([&canceled["ticket"]["state"], &canceled["ticket"]["why"]], [&json!("blocked"), &json!("canceled")]);
    world.assert_nothing_left();
    let refused = world.draft(&["cancel", "1", "--json"]).exits(2);
    assert_eq!(error_of(&refused).0, "no_active_job");
    let shown = show(&world, "1");
    assert!(shown["worktree"].is_string(), "what the agent left is kept");
    assert_eq!(shown["jobs"][0]["runs"][0]["status"], "canceled");
}

#[test]
fn a_cancel_by_another_process_waits_until_the_tree_is_gone() {
    let world = demo_world();
    let run = in_the_middle(&world);
    let said = world.draft(&["cancel", "#1"]).ok().text();
    assert_eq!(said, "#1 execute canceled; #1 is blocked (canceled): its execute job was canceled\n");
    let said = run.wait().exits(1).text();
    assert!(said.ends_with("#1 execute canceled\n#1 executing → blocked: its execute job was canceled\nidle: 0 of 1 wait for review or are done\n"), "{said}");
    world.assert_nothing_left();
}

#[test]
fn a_cancel_that_is_in_flight_when_the_engine_dies_is_carried_out() {
    let world = demo_world();
    let run = in_the_middle(&world);
    // It lives and holds the lock, and answers nobody.
    run.signal(rustix::process::Signal::STOP);
    let cancel = world.draft_in_background(&["cancel", "1", "--json"]);
    let database = rusqlite::Connection::open(world.data().join("draft.db")).unwrap();
    let pending = "SELECT count(*) FROM commands WHERE answered_at IS NULL";
    until("the wish is stored", || database.query_row(pending, [], |row| row.get::<_, u32>(0)).unwrap() == 1);
    run.kill_9();
    assert_eq!(cancel.wait().ok().json()["status"], "canceled");
    world.assert_nothing_left();
}

#[test]
fn a_job_that_is_only_queued_is_canceled_at_once() {
    let world = demo_world();
    planned(&world, "Say hello", "");
    world.draft(&["trust"]).ok();
    let moved = world.draft(&["ticket", "move", "1", "executing"]).ok();
    assert_eq!(moved.text(), "#1 planned (execute queued)\n");
    assert!(moved.complaint().contains("Nobody works on it yet") && moved.complaint().contains("`draft run 1`"));
    let canceled = world.draft(&["cancel", "1"]).ok().text();
    assert_eq!(canceled, "#1 execute canceled; #1 is blocked (canceled): canceled before it started\n");
}

#[test]
fn checks_that_are_asked_for_with_no_engine_wait_for_one_and_say_so() {
    let world = demo_world();
    reviewed(&world);
    let queued = world.draft(&["verify", "1"]).ok();
    assert_eq!(queued.text(), "#1 verify queued\n");
    assert!(queued.complaint().contains("Nobody works on it yet"), "{queued:?}");
    assert_eq!(show(&world, "1")["waits_for"], "queued: waits for a free slot");
    assert_eq!(error_of(&world.draft(&["verify", "1", "--json"]).exits(2)).0, "job_active");
    world.draft(&["run", "1"]).ok();
    assert_eq!(show(&world, "1")["jobs"].as_array().unwrap().len(), 3);
    let quiet = world.draft(&["verify", "1", "--json"]).ok();
    assert_eq!(([&quiet.json()["status"], &quiet.json()["has_engine"]]), [&json!("queued"), &json!(false)]);
    assert_eq!(quiet.complaint(), "");
}

#[test]
fn whoever_waits_for_checks_is_the_engine_for_them_and_leaves_all_else_alone() {
    let world = demo_world();
    reviewed(&world);
    planned(&world, "Queued", "[[write hello.txt hi]]");
    world.draft(&["ticket", "move", "2", "executing"]).ok();
    world.draft(&["planner", "start"]).ok();
    planned(&world, "For the autopilot", "[[write hello.txt hi]]");
    let verified = world.draft(&["verify", "1", "--wait", "--json"]).ok().json();
    assert_eq!([&verified["kind"], &verified["status"]], [&json!("verify"), &json!("succeeded")]);
    assert_eq!(verified["runs"].as_array().unwrap().len(), 1);
    assert_eq!(show(&world, "2")["job"], json!({ "kind": "execute", "status": "queued" }));
    assert_eq!(show(&world, "3")["job"], json!(null));
    let worktree = show(&world, "1")["worktree"].as_str().unwrap().to_owned();
    fs::remove_file(format!("{worktree}/hello.txt")).unwrap();
    let said = world.draft(&["verify", "1", "--wait"]).exits(1).text();
    assert!(said.starts_with("#1 verify failed; #1 is blocked (failed): `test -f hello.txt` exited"), "{said}");
    world.assert_nothing_left();
}

#[test]
fn whoever_waits_for_checks_lets_the_engine_that_is_there_do_them() {
    let world = demo_world();
    let go = world.folder().join("go");
    reviewed(&world);
    planned(&world, "Waits for a file", &format!("[[until {}]][[write hello.txt hi]]", go.display()));
    let run = world.draft_in_background(&["run", "2"]);
    run.until_printed("#2 execute started");
    world.draft(&["verify", "1", "--wait"]).ok();
    assert!(run.stdout().contains("#1 verify started"), "{}", run.stdout());
    fs::write(&go, "").unwrap();
    run.wait().ok();
}

#[test]
fn checks_that_wait_already_are_those_that_are_waited_for() {
    let world = demo_world();
    reviewed(&world);
    world.draft(&["verify", "1"]).ok();
    let queued = show(&world, "1")["jobs"][2]["id"].clone();
    let verified = world.draft(&["verify", "1", "--wait", "--json"]).ok().json();
    assert_eq!([&verified["id"], &verified["status"]], [&queued, &json!("succeeded")]);
    assert_eq!(show(&world, "1")["jobs"].as_array().unwrap().len(), 3);
}

#[test]
fn checks_whose_engine_died_are_gone_on_with_by_whoever_waits_for_them() {
    let world = demo_world_with(&["sh check.sh"]);
    let [begun, go] = ["begun", "go"].map(|name| world.folder().join(name));
    let check = format!("touch {}\nuntil [ -e {} ]; do sleep 0.05; done\n", begun.display(), go.display());
    world.write("check.sh", check);
    world.commit("a check that waits");
    planned(&world, "Say hello", "[[write hello.txt hi\\n]]");
    let run = world.draft_in_background(&["run", "1", "--trust"]);
    until("its check is in its middle", || begun.exists());
    run.kill_9();
    let waiting = world.draft_in_background(&["verify", "1", "--wait", "--json"]);
    fs::write(&go, "").unwrap();
    let verified = waiting.wait().ok().json();
    assert_eq!([&verified["kind"], &verified["status"]], [&json!("verify"), &json!("succeeded")]);
    world.assert_nothing_left();
}

#[test]
fn who_is_refused_takes_no_job() {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi\\n]]");
    world.draft(&["trust"]).ok();
    world.draft(&["ticket", "move", "1", "executing"]).ok();
    for (args, code) in [
        (&["verify", "1", "--wait"][..], "job_active"),
        (&["resume", "1", "--wait"], "job_active"),
        (&["merge", "1"], "job_active"),
        (&["revert", "1"], "not_landed"),
        (&["run", "9"], "unknown_ticket"),
    ] {
        let refused = world.draft(&[args, &["--json"]].concat()).exits(2);
        assert_eq!(error_of(&refused).0, code, "{args:?}");
        assert_eq!(show(&world, "1")["job"], json!({ "kind": "execute", "status": "queued" }), "{args:?}");
    }
    world.assert_nothing_left();
}

#[test]
fn what_a_person_edited_is_taken_over_and_checked() {
    let world = demo_world();
    reviewed(&world);
    let nothing = world.draft(&["resume", "1", "--wait"]).ok().text();
    assert!(nothing.starts_with("#1 resume succeeded; #1 is needs_human (review)"), "{nothing}");
    let worktree = show(&world, "1")["worktree"].as_str().unwrap().to_owned();
    fs::write(format!("{worktree}/by-hand.txt"), "mine\n").unwrap();
    let resumed = world.draft(&["resume", "1", "--wait", "--json"]).ok().json();
    assert_eq!([&resumed["kind"], &resumed["status"]], [&json!("resume"), &json!("succeeded")]);
    assert_eq!([&resumed["ticket"]["state"], &resumed["ticket"]["why"]], [&json!("needs_human"), &json!("review")]);
    assert_eq!(show(&world, "1")["revisions"].as_array().unwrap().len(), 2);
    fs::remove_file(format!("{worktree}/hello.txt")).unwrap();
    let said = world.draft(&["resume", "1", "--wait"]).exits(1).text();
    assert!(said.contains("#1 is blocked (failed): `test -f hello.txt` exited with code 1"), "{said}");
    world.assert_nothing_left();
}

#[test]
fn what_cannot_be_checked_or_resumed_is_refused() {
    let world = demo_world();
    planned(&world, "Never ran", "");
    for command in ["verify", "resume"] {
        for (ticket, code) in [("1", "no_worktree"), ("7", "unknown_ticket"), ("x", "bad_value")] {
            let refused = world.draft(&[command, ticket, "--wait", "--json"]).exits(2);
            let (found, _, hint) = error_of(&refused);
            assert_eq!((found.as_str(), hint.is_empty()), (code, false), "{command} {ticket}");
        }
    }
    assert_eq!(error_of(&world.draft(&["cancel", "7", "--json"]).exits(2)).0, "unknown_ticket");
}

#[test]
fn a_message_waits_for_the_agent_and_can_be_taken_back() {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi]]");
    let told = world.draft(&["ticket", "tell", "1", "Be brief."]).ok();
    assert!(told.complaint().contains("is told the message when its job ends"), "{told:?}");
    assert_eq!(show(&world, "1")["message"], "Be brief.");
    assert!(world.draft(&["ticket", "show", "1"]).ok().text().contains("message      Be brief.\n"));
    assert_eq!(world.draft(&["ticket", "tell", "1", "--clear", "--json"]).ok().json()["message"], json!(null));
    for (args, code) in [
        (&["ticket", "tell", "1", "--clear"][..], "no_active_job"),
        (&["ticket", "tell", "1", " \n"], "bad_value"),
        (&["ticket", "tell", "1", &"x".repeat(20_001)], "bad_value"),
        (&["ticket", "tell", "1"], "usage"),
        (&["ticket", "tell", "1", "a", "--clear"], "usage"),
        (&["ticket", "tell", "9", "a"], "unknown_ticket"),
    ] {
        assert_eq!(error_of(&world.draft(&[args, &["--json"]].concat()).exits(2)).0, code, "{args:?}");
    }
}

#[test]
fn a_message_to_a_ticket_that_waits_for_somebody_is_told_at_once() {
    let world = demo_world();
    reviewed(&world);
    let script = format!("printf 'Say it louder.' | '{}' ticket tell 1 - --json", super::DRAFT);
    let told = world.run("sh", &["-c", &script]).ok().json();
    assert_eq!([&told["message"], &told["job"]["kind"]], [&json!("Say it louder."), &json!("execute")]);
    world.draft(&["run", "1", "--quiet"]).ok();
    let shown = show(&world, "1");
    let jobs = shown["jobs"].as_array().unwrap();
    let messages: Vec<_> = jobs.iter().filter(|job| job["kind"] == "execute").map(|job| &job["message"]).collect();
    assert_eq!(messages, [&json!(null), &json!("Say it louder.")]);
    assert_eq!(shown["message"], json!(null));
}
