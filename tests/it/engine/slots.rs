//! Slots: as many jobs as allowed run at once and never more, and checks of finished work go first.

use super::Yard;
use crate::support::until;

impl Yard {
    /// Returns why a ticket's newest execute job still waits.
    fn held(&self, ticket: usize) -> String {
        self.show(ticket).jobs("execute").last().map_or("", |job| job["reason"].as_str().unwrap()).to_owned()
    }
}

#[test]
fn as_many_jobs_as_allowed_run_at_once_and_never_more() {
    let yard = Yard::new();
    yard.settings("  max_parallel_jobs: 3\n");
    let script = "[[run echo + >> @slots]] [[until @go]] [[write a.txt a]] [[run echo - >> @slots]]";
    yard.tickets(&[script; 8]);
    let engine = yard.engine(&[]);
    until("three run", || yard.journal("slots").len() == 3);
    yard.give("go");
    engine.wait().ok();
    let (mut running, mut most) = (0, 0);
    for sign in yard.journal("slots") {
        running += if sign == "+" { 1 } else { -1 };
        most = most.max(running);
    }
    assert_eq!((running, most), (0, 3));
    yard.assert_tidy(8);
}

#[test]
fn the_check_of_finished_work_goes_before_new_work() {
    let yard = Yard::new();
    let check = yard.script("sh -c 'echo check >> @order'");
    yard.checks(&[&check]);
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&["[[run echo agent >> @order]] [[write a.txt a]]"; 3]);
    yard.run(&["--max-parallel", "1"]).ok();
    assert_eq!(yard.journal("order"), ["agent", "check", "agent", "check", "agent", "check"]);
}

#[test]
fn a_job_that_the_machine_has_no_room_for_keeps_nothing_from_others_and_says_what_it_waits_for_now() {
    let yard = Yard::new();
    yard.config("execute_config: {max_parallel_jobs: 1}\n");
    yard.tickets(&["[[write a.txt a]]", "[[write b.txt b]]"]);
    yard.run(&["1"]).ok();
    yard.world.draft(&["review", "1", "--approve"]).ok();
    yard.world.draft(&["merge", "1"]).ok();
    yard.config("execute_config: {max_parallel_jobs: 1, min_free_disk: 1000000000000000}\n");
    yard.world.draft(&["ticket", "edit", "2", "--priority", "P0"]).ok();
    let engine = yard.engine(&["2"]);
    until("it waits for room on the disk", || yard.held(2).starts_with("waits for disk: "));
    yard.world.draft(&["revert", "1"]).ok();
    yard.show(3).assert("needs_human (review)", "");
    yard.config("execute_config: {max_parallel_jobs: 1, min_free_memory: 10000000000000}\n");
    // Whatever happens on the board has it look again.
    yard.world.draft(&["ticket", "edit", "1", "--priority", "P3"]).ok();
    until("it waits for memory", || yard.held(2).starts_with("waits for memory: "));
    yard.config("execute_config: {max_parallel_jobs: 1}\n");
    engine.wait().ok();
    yard.show(2).assert("needs_human (review)", "");
}

#[test]
fn agents_that_are_let_start_together_do_not_take_the_same_memory() {
    let yard = Yard::new();
    let free = draft_board::engine::free_memory().unwrap() >> 20;
    // Each alone has room, whatever else the machine does meanwhile, and two have not.
    let large = format!("executors: {{demo: {{like: demo, memory: {}}}}}\n", free * 3 / 5);
    yard.config(&format!("execute_config: {{max_parallel_jobs: 2}}\n{large}"));
    let script = "[[run echo + >> @slots]] [[until @go]] [[write a.txt a]]";
    yard.tickets(&[script; 2]);
    let engine = yard.engine(&[]);
    until("one starts", || yard.journal("slots").len() == 1);
    until("the other one says why it does not", || {
        let mut held = [1, 2].map(|ticket| yard.held(ticket));
        held.sort();
        held[0].is_empty() && held[1].contains("beside what agents that just started may take")
    });
    assert_eq!(yard.journal("slots").len(), 1);
    yard.give("go");
    engine.wait().ok();
    assert_eq!(yard.journal("slots").len(), 2);
}
