//! What happens without being asked, and what is held back.

use serde_json::json;

use super::Yard;
use crate::support::until;

#[test]
fn the_autopilot_runs_planned_tickets_in_order_and_says_why() {
    let yard = Yard::new();
    yard.config("execute_config: {}\n");
    let ticket = |n: u32, priority: u32, after: &[u32]| {
        json!({ "title": format!("Ticket {n}"), "state": "planned", "priority": priority, "after": after,
                "description": yard.script(&format!("[[run echo {n} >> @order]] [[write a.txt a]]")) })
    };
    yard.import(&[ticket(1, 10, &[]), ticket(2, 90, &[]), ticket(3, 90, &[1]), ticket(4, 50, &[])]);
    yard.run(&["--autopilot"]).ok();
    assert_eq!(yard.journal("order"), ["2", "4", "1"]);
    yard.show(3).assert("planned", "");
    let told = yard.show(2).value["events"].to_string();
    assert!(told.contains("picked by the autopilot: P0") && told.contains("\"actor\":\"planner\""), "{told}");
    yard.assert_tidy(3);
}

#[test]
fn a_queued_ticket_takes_no_slot_from_the_one_that_it_waits_for() {
    let yard = Yard::new();
    yard.config("execute_config: {max_parallel_jobs: 1}\n");
    yard.tickets(&["[[write a.txt a]]", "[[write b.txt b]]"]);
    yard.world.draft(&["ticket", "move", "2", "executing"]).ok();
    yard.world.draft(&["ticket", "edit", "2", "--after", "1"]).ok();
    let said = yard.run(&["--autopilot"]).ok().text();
    assert!(said.contains("#2 queued: waits for #1\n"), "{said}");
    yard.show(1).assert("needs_human (review)", "");
    let said = yard.run(&["2"]).ok().text();
    assert_eq!(said, "#2 queued: waits for #1\nidle: there was nothing to run\n");
}

#[test]
fn an_agent_waits_for_memory_and_says_so() {
    let yard = Yard::new();
    yard.config("execute_config: {min_free_memory: 10000000000000}\n");
    yard.tickets(&["[[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    until("the job says what it waits for", || {
        let shown = yard.show(1);
        shown
            .jobs("execute")
            .iter()
            .any(|job| job["reason"].as_str().is_some_and(|why| why.starts_with("waits for memory: ")))
    });
    yard.show(1).assert("planned", "");
    yard.config("execute_config: {}\n");
    engine.wait().ok();
    yard.show(1).assert("needs_human (review)", "");
}

#[test]
fn a_ticket_that_had_too_many_jobs_is_refused() {
    let yard = Yard::new();
    yard.config("execute_config: {jobs_per_hour: 2}\n");
    yard.tickets(&["[[say nothing]]"]);
    for _ in 0..2 {
        yard.run(&["1"]).exits(1);
    }
    let refused = yard.run(&["1"]).exits(2);
    assert!(refused.complaint().contains("2 jobs of this kind within an hour"), "{refused:?}");
    assert_eq!(yard.show(1).jobs("execute").len(), 2);
}

#[test]
fn checks_send_nothing_back_to_an_agent_that_had_too_many_jobs() {
    let yard = Yard::new();
    yard.checks(&["sh -c 'exit 1'"]);
    yard.world.draft(&["trust"]).ok();
    yard.config("execute_config: {jobs_per_hour: 2}\nverify_config: {rework_attempts: 5}\n");
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&["1"]).exits(1);
    let shown = yard.show(1);
    shown.assert(
        "blocked (failed)",
        "exited with code 1; it does not go back to its agent, which has had 2 jobs of this kind within an hour",
    );
    assert_eq!(shown.jobs("execute").len(), 2);
}
