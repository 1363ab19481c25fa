//! A conflict shows on the board by itself, and is dealt with from the keyboard.

use super::{board, leave};
use crate::support::demo_world;

#[test]
fn a_conflict_is_seen_when_the_target_moves_begun_and_given_up() {
    let world = demo_world();
    for title in ["Say hi", "Say hey"] {
        let script = format!("[[write hello.txt {title}\\n]][[say done]]");
        world.draft(&["ticket", "add", title, "--description", &script, "--state", "planned"]).ok();
    }
    world.draft(&["run", "--trust"]).ok();
    let pty = board(&world);
    pty.until("the two will collide", |screen| screen.contains("↯ #2") && screen.contains("↯ #1"));
    assert!(!pty.screen().contains("conflicts 1"));
    world.write("hello.txt", "mine\n");
    world.commit("meanwhile");
    pty.until_shows("conflicts 1");
    pty.keys("<enter>");
    pty.until("the ticket names the file", |screen| screen.contains("hello.txt (add/add)"));
    pty.keys("C");
    pty.until_shows("The conflict of #1");
    pty.keys("<enter>");
    pty.until_shows("main was merged into its worktree");
    let status = || world.draft(&["conflict", "1", "--json"]).ok().json();
    assert_eq!(status()["operation"], "merge");
    pty.keys("C");
    pty.until_shows("Give the merge up");
    pty.keys("jjj<enter>");
    pty.until_shows("was given up");
    assert_eq!(status()["operation"], serde_json::Value::Null);
    pty.keys("<esc>");
    pty.until("the board", |screen| !screen.contains("1 Overview"));
    leave(&world, pty);
    world.assert_nothing_left();
}
