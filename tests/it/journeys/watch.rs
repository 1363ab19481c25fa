//! A second board on the same repository, and the commands beside a board.

use super::{Gate, board, gated, leave};
use crate::support::{demo_world, until};

#[test]
fn a_second_board_sees_what_the_first_does_and_hands_over_what_is_asked_of_it() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    gated(&world, "Say hello", &gate);
    world.draft(&["trust"]).ok();
    let first = board(&world);
    first.until_shows("Planned 1");
    let second = board(&world);
    second.until_shows("Planned 1");
    second.until_shows("another");
    first.keys("x");
    for pty in [&first, &second] {
        pty.until_shows("Executing 1");
        pty.until_shows("begun");
    }
    second.keys("n");
    second.until_shows("New ticket");
    second.keys("From the second<enter>");
    for pty in [&second, &first] {
        pty.until("both show the new ticket", |screen| screen.contains("Proposed 1") && screen.contains("From the"));
    }
    world.draft(&["ticket", "add", "From a command"]).ok();
    for pty in [&second, &first] {
        pty.until_shows("Proposed 2");
    }
    gate.open();
    for pty in [&first, &second] {
        pty.until_shows("Review 1");
    }
    let mut second = second;
    second.keys("q");
    assert!(second.wait_exit().success());
    second.assert_restored();
    leave(&world, first);
}

#[test]
fn a_second_board_becomes_the_engine_when_the_first_one_dies() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    gated(&world, "Say hello", &gate);
    world.draft(&["trust"]).ok();
    let mut first = board(&world);
    let second = board(&world);
    second.until_shows("another");
    first.keys("x");
    second.until_shows("begun");
    first.kill_9();
    second.until("it is the engine now", |screen| !screen.contains("another"));
    gate.open();
    second.until_shows("Review 1");
    leave(&world, second);
}

#[test]
fn a_command_is_answered_by_the_board_that_is_open() {
    let world = demo_world();
    gated(&world, "Never ends", &Gate::new(&world, "never"));
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    let run = world.draft_in_background(&["run", "1"]);
    pty.until_shows("begun");
    world.draft(&["ticket", "move", "1", "planned"]).exits(2);
    pty.keys("c");
    pty.until_shows("Stop this job?");
    pty.keys("y");
    pty.until_shows("Blocked 1");
    let said = run.wait().exits(1).text();
    assert!(said.contains("#1 executing → blocked"), "{said}");
    until("the agent is gone", || world.processes().len() == 1);
    leave(&world, pty);
}
