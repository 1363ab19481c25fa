//! A change is read, commented on, sent back, approved and landed from the keyboard.

use super::{board, leave, state};
use crate::support::demo_world;

#[test]
fn a_change_is_commented_on_sent_back_approved_and_landed() {
    let world = demo_world();
    let script = "[[write hello.txt hello\\nworld\\n]][[say done]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "--trust"]).ok();
    let pty = board(&world);
    pty.until_shows("! review");
    pty.keys("d");
    pty.until("the change", |screen| screen.contains("added hello.txt") && screen.contains("+world"));

    // The demo agent does what a comment says, as a real one would.
    pty.keys("]cjj");
    pty.keys("c");
    pty.until_shows("Comment on hello.txt:2");
    pty.paste("Louder. [[write hello.txt HELLO\\n]]");
    pty.keys("<enter>");
    pty.until("it stands below its line", |screen| screen.contains("│ you") && screen.contains("Louder."));
    pty.keys("R");
    pty.until_shows("1 open comment");
    pty.paste("Nearly.");
    pty.keys("<enter>");
    pty.until("the agent did it", |screen| screen.contains("revision 2") && screen.contains("+HELLO"));
    pty.until("its line is gone", |screen| screen.contains("its line is gone (line 2): world"));
    pty.until_shows("needs human: review");

    // What is open is asked about; then it is resolved, approved and landed.
    pty.keys("a");
    pty.until_shows("Approve it all the same?");
    pty.keys("<enter>");
    pty.until("nothing was approved", |screen| !screen.contains("Approve it all the same?"));
    pty.keys("ggr");
    pty.until("what is dealt with stays, and says so", |screen| screen.contains("world  ✓ resolved"));
    pty.keys("a");
    pty.until_shows("revision 2, approved");
    pty.keys("m");
    pty.until_shows("done");
    assert_eq!(state(&world, "1"), "done");
    assert_eq!(world.read("hello.txt"), "HELLO\n");
    pty.keys("<esc>");
    pty.until("the board", |screen| !screen.contains("1 Overview"));
    leave(&world, pty);
    world.assert_nothing_left();
}
