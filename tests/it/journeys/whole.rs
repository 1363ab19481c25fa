//! One ticket from a key press to a verified change, with a leave and a return in the middle.

use super::{Gate, WIDE, board, gated, leave, state};
use crate::support::{World, demo_world, demo_world_with};

#[test]
fn a_ticket_goes_from_a_key_press_to_its_evidence_and_survives_a_leave_on_its_way() {
    let world = demo_world_with(&["cat hello.txt"]);
    let (first, second) = (Gate::new(&world, "first"), Gate::new(&world, "second"));
    let mut pty = board(&world);
    pty.until_shows("This board is empty.");
    pty.until_shows("cat hello.txt");

    // A ticket, written by hand.
    pty.keys("n");
    pty.until_shows("New ticket");
    pty.keys("Say hello<tab>");
    pty.paste(&format!(
        "[[say I begin.]]{}[[say Halfway.]]{}[[write hello.txt hi\\n]][[say All done.]]",
        first.wait(),
        second.wait()
    ));
    pty.keys("<a-enter>");
    pty.until("the ticket is proposed", |screen| screen.contains("Proposed 1") && screen.contains("#1"));
    pty.keys("a");
    pty.until_shows("Planned 1");

    // A run needs the trust of the person, once.
    pty.keys("x");
    pty.until_shows("Trust this repository's commands?");
    pty.until_shows("cat hello.txt");
    pty.keys("y");
    pty.until("the agent's words are seen live", |screen| screen.contains("I begin."));
    pty.until_shows("Executing 1");
    first.open();
    pty.until_shows("Halfway.");

    // Leaving says what goes on, and it does.
    pty.keys("q");
    pty.until_shows("1 agent keeps running");
    pty.keys("<enter>");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    assert_eq!(state(&world, "1"), "executing");

    // Whoever comes back sees it go on, and end.
    let pty = board(&world);
    pty.until_shows("Halfway.");
    second.open();
    pty.until_shows("Review 1");
    pty.until("its check passed", |screen| screen.contains("! review ✓ 1/1"));

    // The ticket with all that proves it.
    pty.keys("<enter>");
    pty.until("the overview", |screen| screen.contains("needs human: review") && screen.contains("+1 −0"));
    pty.keys("3");
    pty.until("the change", |screen| screen.contains("added hello.txt") && screen.contains("+hi"));
    pty.keys("4");
    pty.until("the evidence", |screen| screen.contains("cat hello.txt") && screen.contains("exited with code 0"));
    pty.keys("6");
    pty.until("the history", |screen| screen.contains("verifying → needs human"));
    pty.keys("2");
    pty.until("the log of the check", |screen| screen.contains("#1 check 1/1") && screen.contains(" hi"));
    pty.keys("<esc>");
    pty.until_shows("Review 1");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    leave(&world, pty);
}

#[test]
fn a_board_that_is_killed_loses_nothing() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    gated(&world, "Say hello", &gate);
    world.draft(&["trust"]).ok();
    let mut pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("begun");
    pty.kill_9();
    assert!(!world.processes().is_empty(), "the agent goes on");
    let pty = board(&world);
    pty.until_shows("begun");
    gate.open();
    pty.until_shows("Review 1");
    leave(&world, pty);
    let raw = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!((&raw["jobs"][0]["exit_code"], &raw["jobs"][0]["status"]), (&0.into(), &"succeeded".into()));
}

#[test]
fn leaving_can_stop_the_agents_first() {
    let world = demo_world();
    gated(&world, "Never ends", &Gate::new(&world, "never"));
    world.draft(&["trust"]).ok();
    let mut pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("begun");
    pty.keys("q");
    pty.until_shows("stop the agents first");
    pty.keys("s");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    world.assert_nothing_left();
    assert_eq!(state(&world, "1"), "blocked");
    let ticket = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!((&ticket["why"], &ticket["jobs"][0]["status"]), (&"canceled".into(), &"canceled".into()));
}

#[test]
fn the_demo_opens_its_board_and_tells_how_to_come_back() {
    let world = World::bare();
    let mut pty = world.draft_in_terminal(WIDE, &["demo", "--dir", "demo"]);
    pty.until_shows("Planned");
    pty.until_shows("q quit");
    pty.keys("q");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    pty.until_shows("To open it again:");
    world.assert_nothing_left();
}
