//! Where `g` goes: another board is opened without leaving Draft, and a goal is set on the way.

use super::{Gate, board, gated, leave};
use crate::support::demo_world;

#[test]
fn another_board_is_opened_while_an_agent_goes_on_whose_work_is_there_on_the_way_back() {
    let world = demo_world();
    let gate = Gate::new(&world, "go");
    gated(&world, "Say hello", &gate);
    world.draft(&["trust"]).ok();
    world.git(&["clone", "--quiet", ".", "../second"]);
    world.draft(&["--repo", "../second", "ticket", "add", "Elsewhere"]).ok();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("Executing 1");
    pty.keys("gb");
    pty.until_shows("● this one");
    pty.keys("j<enter>");
    pty.until_shows("1 agent keeps running");
    pty.keys("y");
    pty.until_shows("Elsewhere");
    gate.open();
    pty.keys("gon");
    pty.until_shows("New goal");
    pty.keys("Both<enter>");
    pty.until_shows("Both");
    pty.until_shows("no tickets");
    pty.keys("<esc>");
    pty.until("the goals are closed", |screen| !screen.contains("without you"));
    pty.keys("gb");
    pty.until_shows("● this one");
    pty.keys("k<enter>");
    pty.until_shows("Review 1");
    leave(&world, pty);
    let goals = world.draft(&["--repo", "../second", "goal", "list"]).ok().text();
    assert!(goals.starts_with("Both  no tickets"), "{goals}");
}
