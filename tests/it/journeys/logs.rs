//! The log of an agent that floods: searched, filtered and followed while more of it comes.

use super::{Gate, board, leave, scripted};
use crate::support::demo_world;

#[test]
fn a_flood_is_searched_filtered_and_followed_while_it_goes_on() {
    let world = demo_world();
    let (more, end) = (Gate::new(&world, "more"), Gate::new(&world, "end"));
    let script = format!(
        "[[say begun]][[lines 50000]][[say needle in the flood]][[stderr oops]]{}[[lines 300]]{}\
         [[write hello.txt hi\\n]][[say finished]]",
        more.wait(),
        end.wait()
    );
    scripted(&world, "Flood", &script);
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.keys("x");
    pty.until_shows("needle in the flood");
    pty.keys("z");
    pty.until_shows("G follow");

    // A word that is there once, from far away.
    pty.keys("gg");
    pty.until_shows("begun");
    pty.keys("/");
    pty.until_shows("enter keep");
    pty.keys("needle");
    pty.until("it is found", |screen| screen.contains("/needle") && screen.contains("1/1"));
    pty.until_shows("needle in the flood");
    pty.keys("<enter>");

    // Nothing else is shown, and how much is hidden is said.
    pty.keys("f");
    pty.until_shows("What of the log is shown");
    pty.keys("knee");
    pty.until("the panel says so", |screen| screen.contains("only with  nee"));
    pty.keys("<enter>");
    pty.until("the flood is hidden", |screen| screen.contains("hidden") && !screen.contains("begun"));
    pty.until_shows("needle in the flood");
    pty.keys("f");
    pty.until_shows("What of the log is shown");
    pty.keys("a<enter>");

    // Away from the end, what is new is counted; at the end, it is followed again.
    pty.until_shows("follow");
    pty.keys("<esc>");
    pty.until("the search is over", |screen| !screen.contains("/needle"));
    pty.keys("k");
    pty.until("it does not follow", |screen| !screen.contains("follow ▼"));
    more.open();
    pty.until_shows("new entries");
    pty.keys("G");
    pty.until_shows("follow ▼");
    end.open();
    pty.until_shows("needs human");

    // Everything that ran is in the list: the agent and its check.
    pty.keys("J");
    pty.until("the list is there", |screen| screen.contains("What ran for #1") && screen.contains("execute"));
    pty.keys("G<enter>");
    pty.until_shows("finished");
    pty.keys("<esc>");
    pty.until_shows("Review 1");
    leave(&world, pty);
}
