//! A board that is open while its files are edited.

use super::{board, leave};
use crate::support::demo_world;

#[test]
fn an_open_board_follows_the_files_and_stays_with_the_last_good_ones() {
    let world = demo_world();
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.until_shows("○ autopilot off");
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", settings.replace("max_parallel_jobs: 4", "max_parallel_jobs: four"));
    pty.until_shows("max_parallel_jobs");
    pty.until_shows("but this is the text");
    pty.until_shows("✗ settings");
    world.write("draft.yaml", &settings);
    pty.until("all is well again", |screen| {
        screen.contains("draft.yaml can be used now") && !screen.contains("✗ settings")
    });
    world.draft(&["config", "set", "--user", "planner_config.features.auto_execute", "true"]).ok();
    pty.until_shows("● autopilot");
    leave(&world, pty);
}

#[test]
fn a_ticket_runs_while_a_file_is_wrong_and_with_what_it_said_before() {
    let world = demo_world();
    world.draft(&["trust"]).ok();
    world
        .draft(&["ticket", "add", "Say hello", "--description", "[[write hello.txt hi\\n]]", "--state", "planned"])
        .ok();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    world.write("draft.yaml", "verify_config: [\n");
    pty.until_shows("is not valid YAML");
    pty.keys("x");
    pty.until_shows("Review 1");
    leave(&world, pty);
}
