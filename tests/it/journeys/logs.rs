//! The log of an agent that floods: searched, filtered and followed while more of it comes. And what of logs goes elsewhere,
//! and all that run at once.

use std::fs;

use super::{Gate, WIDE, board, gated, leave, scripted};
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
    pty.until("all of it is shown", |screen| screen.contains("follow ▼") && !screen.contains("hidden"));
    pty.keys("<esc>");
    pty.until("the search is over", |screen| screen.contains("follow ▼") && !screen.contains("/needle"));
    pty.keys("k");
    pty.until("it does not follow", |screen| !screen.contains("follow ▼") && screen.contains("─ pretty"));
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

#[test]
fn a_log_is_copied_saved_and_read_in_a_pager() {
    let world = demo_world();
    scripted(&world, "Say it", "[[say one thing]][[lines 3000]][[write hello.txt hi\\n]][[say the last word]]");
    world.draft(&["run", "--trust"]).ok();
    let pager = "PAGER=tr a-z A-Z; read -r line </dev/tty";
    let pty = world.in_terminal(WIDE, "env", &[pager, env!("CARGO_BIN_EXE_draft")]);
    pty.until_shows("Review 1");
    pty.keys("z");
    pty.until_shows("It printed nothing");
    pty.keys("J");
    pty.until("the list is there", |screen| screen.contains("What ran for #1") && screen.contains("execute"));
    pty.keys("G<enter>");
    pty.until_shows("the last word");
    pty.keys("gg");
    pty.until_shows("one thing");
    pty.keys("/");
    pty.until_shows("enter keep");
    pty.keys("one thing");
    pty.until_shows("1/1");
    pty.keys("<enter>");
    pty.keys("y");
    pty.until_shows("copied: one thing");

    // A file that is there stays, unless somebody says otherwise.
    let file = world.folder().join("saved.log");
    fs::write(&file, "mine").unwrap();
    pty.keys("W");
    pty.until("it asks where", |screen| {
        screen.contains("Save the log of #1") && screen.contains("draft-1-execute.log")
    });
    pty.keys(&format!("<c-u>{}<enter>", file.display()));
    pty.until_shows("Overwrite this file?");
    pty.keys("<enter>");
    pty.until("nobody asks any more", |screen| !screen.contains("Overwrite"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    pty.keys("W");
    pty.until_shows("Save the log of #1");
    pty.keys(&format!("<c-u>{}<enter>", file.display()));
    pty.until_shows("Overwrite this file?");
    pty.keys("y");
    pty.until_shows("saved: ");
    let saved = fs::read_to_string(&file).unwrap();
    assert!(saved.contains("one thing") && saved.contains("the last word"), "{saved}");
    assert!(saved.lines().count() > 3_000, "{}", saved.lines().count());
    // The raw log is saved byte by byte.
    pty.keys("p");
    pty.until_shows(" raw ");
    pty.keys("W");
    pty.until_shows("Exactly the bytes");
    pty.keys(&format!("<c-u>{}<enter>", world.folder().join("raw.log").display()));
    pty.until_shows("saved: ");
    let raw = fs::read(world.folder().join("raw.log")).unwrap();
    let printed = world.draft(&["log", "1", "--raw", "--run", "1", "--job", &first_job(&world)]).ok().stdout;
    assert_eq!(raw, printed);
    pty.keys("W");
    pty.until_shows("Exactly the bytes");
    pty.keys("<c-u>/no/such/folder/x<enter>");
    pty.until_shows("there is no folder /no/such/folder");

    // All of it is read elsewhere, and the board comes back without a question.
    pty.keys("p");
    pty.until_shows(" pretty ");
    pty.keys("P");
    pty.until_shows("THE LAST WORD");
    pty.keys("<enter>");
    pty.until("the board is back", |screen| screen.contains("follow") && !screen.contains("THE LAST"));
    assert!(!pty.screen().contains("Take over"), "{}", pty.screen());
    pty.keys("<esc>");
    pty.until("the search is over", |screen| !screen.contains("/one thing"));
    pty.keys("<esc>");
    pty.until_shows("Review 1");
    leave(&world, pty);
}

/// Returns the first job of the first ticket: its agent's.
fn first_job(world: &crate::support::World) -> String {
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    shown["jobs"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_pager_that_is_not_there_is_told() {
    let world = demo_world();
    scripted(&world, "Say it", "[[say one thing]][[write hello.txt hi\\n]]");
    world.draft(&["run", "--trust"]).ok();
    let pty = world.in_terminal(WIDE, "env", &["PAGER=/no/such/pager -x", env!("CARGO_BIN_EXE_draft")]);
    pty.until_shows("Review 1");
    pty.keys("z");
    pty.until_shows("follow");
    pty.keys("P");
    pty.until_shows("your pager was not found; PAGER says which it is");
    pty.keys("<esc>");
    pty.until_shows("Review 1");
    leave(&world, pty);
}

#[test]
fn an_agents_log_stays_where_nothing_runs_after_it() {
    let world = demo_world();
    world.write("draft.yaml", "execute_config:\n  preferred_executor: demo\nverify_config:\n  commands: []\n");
    world.commit("no checks");
    scripted(&world, "Say it", "[[say one thing]][[write hello.txt hi\\n]]");
    world.draft(&["run", "--trust"]).ok();
    let pty = board(&world);
    pty.until_shows("Review 1");
    pty.keys("z");
    pty.until("the agent's log", |screen| screen.contains("one thing") && screen.contains("then verify succeeded"));
    pty.keys("<lt>");
    pty.until_shows("this is the only run of the ticket");
    pty.keys("J");
    pty.until_shows("What ran for #1");
    pty.keys("<enter>");
    pty.until("the same log", |screen| screen.contains("one thing") && !screen.contains("What ran for"));
    pty.keys("<esc>");
    pty.until_shows("Review 1");
    leave(&world, pty);
}

#[test]
fn all_running_logs_are_looked_at_at_once() {
    let world = demo_world();
    let (first, second) = (Gate::new(&world, "first"), Gate::new(&world, "second"));
    let script = format!(
        "[[say hello from one]]{}[[say more from one]][[until {}]]",
        first.wait(),
        world.folder().join("end").display()
    );
    scripted(&world, "One", &script);
    gated(&world, "Two", &second);
    world.draft(&["trust"]).ok();
    let pty = board(&world);
    pty.keys("x");
    pty.until_shows("Executing 1");
    pty.keys("<tab>");
    pty.keys("hhhhhhx");
    pty.until_shows("Executing 2");
    pty.keys("gl");
    pty.until("both are there", |screen| screen.contains("hello from one") && screen.contains("begun"));
    // What comes is seen at once.
    first.open();
    pty.until_shows("more from one");
    pty.keys("G<enter>");
    pty.until("it is the log of the second", |screen| {
        screen.contains("2 Log") && screen.contains("begun") && !screen.contains("from one")
    });
    pty.keys("<esc>");
    pty.until("both are there again", |screen| screen.contains("more from one") && screen.contains("begun"));
    second.open();
    pty.until("the second is over", |screen| screen.contains("more from one") && !screen.contains("begun"));
    Gate::new(&world, "end").open();
    pty.until_shows("Nothing runs any more");
    pty.keys("<esc>");
    pty.until("the board is back", |screen| screen.contains("Blocked 1") && screen.contains("Review 1"));
    leave(&world, pty);
}
