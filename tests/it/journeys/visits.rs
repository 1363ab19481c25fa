//! A shell and an agent's own session in a ticket's worktree: they get the terminal whole, and the board comes back.

use rustix::process::Signal;

use super::{Gate, WIDE, gated, leave, state};
use crate::support::pty::Pty;
use crate::support::{World, demo_world, until};

/// A world with a ticket whose change waits for its review, in which nothing runs.
fn reviewed() -> World {
    let world = demo_world();
    let script = "[[write hello.txt hi\\n]][[say finished]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "--trust"]).ok();
    world
}

/// Opens the board in an environment that also has these variables, and waits until its first ticket waits for a review.
fn board_with(world: &World, variables: &[&str]) -> Pty {
    let program = [&["PS1=shell> "], variables, &[env!("CARGO_BIN_EXE_draft")]].concat();
    let pty = world.in_terminal(WIDE, "env", &program);
    pty.until("there is something to visit", |screen| screen.contains("Review 1") && screen.contains("! shell"));
    pty
}

/// Opens a shell in the worktree of the ticket under the cursor.
fn enter(pty: &Pty) {
    pty.keys("!");
    pty.until("the shell has the terminal", |screen| {
        screen.contains("draft: a shell in the worktree of #1") && screen.trim_end().ends_with("shell>")
    });
}

#[test]
fn what_is_edited_in_a_shell_is_taken_over_and_checked_while_agents_work_on() {
    let world = reviewed();
    let gate = Gate::new(&world, "go");
    gated(&world, "Another", &gate);
    let pty = board_with(&world, &[]);
    pty.keys("h");
    pty.until_shows("x run");
    pty.keys("x");
    pty.until_shows("begun");
    pty.keys("<tab>");
    pty.until_shows("! shell");
    enter(&pty);
    // Keys that are signals are the shell's own affair, and so are its jobs.
    pty.keys("sleep 1000<enter>");
    until("it sleeps", || world.processes().iter().any(|process| process.command.contains("sleep 1000")));
    pty.keys("<c-c>");
    until("it is interrupted", || !world.processes().iter().any(|process| process.command.contains("sleep 1000")));
    pty.keys("sleep 2000<enter>");
    until("it sleeps", || world.processes().iter().any(|process| process.command.contains("sleep 2000")));
    pty.keys("<c-z>");
    pty.until("the shell says so", |screen| {
        screen.to_lowercase().contains("stopped") && screen.trim_end().ends_with("shell>")
    });
    pty.keys("fg<enter>");
    pty.until("it is in the foreground again", |screen| screen.trim_end().ends_with("sleep 2000"));
    pty.keys("<c-c>");
    until("it is gone", || !world.processes().iter().any(|process| process.command.contains("sleep 2000")));
    pty.keys("echo more >more.txt; echo in $DRAFT_BRANCH<enter>");
    pty.until_shows("in draft/1-");
    // The board goes on behind it.
    gate.open();
    until("the agent's work is done and checked", || state(&world, "2") == "needs_human");
    pty.keys("exit<enter>");
    pty.until("the board asks", |screen| screen.contains("Take over what you did?") && screen.contains("Review 2"));
    pty.keys("y");
    pty.until_shows("Review 2");
    until("there is another revision", || {
        let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
        shown["revisions"].as_array().unwrap().len() == 2 && shown["state"] == "needs_human"
    });
    assert!(world.draft(&["diff", "1"]).ok().text().contains("more.txt"));
    leave(&world, pty);
}

#[test]
fn a_shell_that_is_killed_in_a_wild_mode_leaves_a_board_that_is_whole() {
    let world = reviewed();
    let pty = board_with(&world, &[]);
    enter(&pty);
    pty.keys("stty -echo raw; printf '\\033[?1000h\\033[?1h\\033[?25l'; kill -9 $$<enter>");
    pty.until("the board is back", |screen| screen.contains("Take over what you did?") && screen.contains("Review 1"));
    pty.keys("n");
    pty.until_shows("s take over");
    pty.keys("!");
    pty.until("the second shell has the terminal", |screen| {
        screen.matches("draft: a shell").count() == 2 && screen.trim_end().ends_with("shell>")
    });
    pty.keys("echo once more<enter>");
    pty.until("it echoes again", |screen| screen.contains("\nonce more"));
    pty.keys("exit<enter>");
    pty.until_shows("Take over what you did?");
    pty.keys("<enter>");
    pty.until("nobody asks any more", |screen| screen.contains("Review 1") && !screen.contains("Take over"));
    leave(&world, pty);
}

#[test]
fn a_shell_that_cannot_start_is_told_and_nothing_else_happens() {
    let world = reviewed();
    let pty = board_with(&world, &["SHELL=/no/such/shell"]);
    pty.keys("!");
    pty.until_shows("cannot start /no/such/shell");
    pty.until("the board is whole", |screen| screen.contains("Review 1") && !screen.contains("Take over"));
    leave(&world, pty);
}

#[test]
fn a_board_that_must_leave_takes_its_shell_along() {
    let world = reviewed();
    let mut pty = board_with(&world, &[]);
    enter(&pty);
    pty.signal(Signal::TERM);
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    world.assert_nothing_left();
}

#[test]
fn an_agents_own_session_can_be_gone_on_with_by_hand() {
    let world = demo_world();
    world.install(
        "claude",
        r#"case "$*" in
*stream-json*)
    cat >prompt.txt; echo hi >hello.txt
    echo '{"type":"system","subtype":"init","session_id":"s-1"}'
    echo '{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"s-1"}' ;;
*) echo "opened with $*"; read -r line; echo "$line" >by-hand.txt ;;
esac"#,
    );
    let settings = world.read("draft.yaml").replace("preferred_executor: demo", "preferred_executor: claude");
    world.write("draft.yaml", settings);
    world.draft(&["ticket", "add", "Say hello", "--state", "planned"]).ok();
    world.draft(&["run", "--trust"]).ok();
    let pty = board_with(&world, &[]);
    pty.keys("!");
    pty.until_shows("claude's own session");
    pty.keys("2");
    pty.until_shows("opened with --resume s-1");
    pty.keys("words of mine<enter>");
    pty.until_shows("Take over what you did?");
    pty.keys("y");
    until("it is checked again", || {
        let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
        shown["revisions"].as_array().unwrap().len() == 2 && shown["state"] == "needs_human"
    });
    assert!(world.draft(&["diff", "1"]).ok().text().contains("words of mine"));
    leave(&world, pty);
}
