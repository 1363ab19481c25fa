//! What a person does to tickets on a board in a real terminal: edits, also in an editor, and deletions that are undone.

use super::{WIDE, leave, state};
use crate::support::pty::Pty;
use crate::support::{World, demo_world, until};

fn board_with(world: &World, variables: &[&str]) -> Pty {
    let program = [variables, &[env!("CARGO_BIN_EXE_draft")]].concat();
    let pty = world.in_terminal(WIDE, "env", &program);
    pty.until_shows("? help");
    pty
}

fn shown(world: &World, ticket: &str) -> serde_json::Value {
    world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
}

#[test]
fn a_ticket_is_edited_in_its_form_and_in_an_editor() {
    let world = demo_world();
    world.install("my-editor", r#"case "$2" in *.md) echo "written by $1" >>"$2" ;; esac"#);
    world.draft(&["ticket", "add", "Say hello", "--description", "first line"]).ok();
    let pty = board_with(&world, &["EDITOR=my-editor 'the editor'"]);
    pty.keys("e");
    pty.until("the form is whole", |screen| screen.contains("Edit #1") && screen.contains("first line"));
    pty.keys(" loudly<a-e>");
    pty.until_shows("written by the editor");
    pty.keys("<a-enter>");
    until("it is stored", || {
        let ticket = shown(&world, "1");
        ticket["title"] == "Say hello loudly" && ticket["description"] == "first line\nwritten by the editor"
    });
    pty.until("the board is back", |screen| screen.contains("loudly") && !screen.contains("Edit #1"));
    pty.keys("E");
    until("it is written once more", || {
        shown(&world, "1")["description"] == "first line\nwritten by the editor\nwritten by the editor"
    });
    pty.keys("u");
    pty.until_shows("undone: description of #1");
    pty.keys("u");
    pty.until_shows("undone: title, description of #1");
    let ticket = shown(&world, "1");
    assert_eq!((ticket["title"].as_str(), ticket["description"].as_str()), (Some("Say hello"), Some("first line")));
    leave(&world, pty);
}

#[test]
fn an_editor_that_fails_or_is_not_set_loses_nothing_and_says_so() {
    let world = demo_world();
    world.install("my-editor", r#"echo half >>"$1"; exit 3"#);
    world.draft(&["ticket", "add", "Say hello", "--description", "first line"]).ok();
    let pty = board_with(&world, &["VISUAL=my-editor"]);
    pty.keys("E");
    pty.until("it says so", |screen| screen.contains("ended with code 3") && screen.contains("what you wrote is in"));
    assert_eq!(shown(&world, "1")["description"], "first line");
    leave(&world, pty);
    let pty = board_with(&world, &["VISUAL="]);
    pty.keys("E");
    pty.until_shows("no editor is set");
    leave(&world, pty);
}

#[test]
fn a_ticket_that_was_deleted_comes_back_with_its_worktree() {
    let world = demo_world();
    let script = "[[write hello.txt hi\\n]][[say finished]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "--trust"]).ok();
    let worktree = shown(&world, "1")["worktree"].as_str().unwrap().to_owned();
    let pty = board_with(&world, &[]);
    pty.until_shows("Review 1");
    pty.keys("D");
    pty.until_shows("goes into the trash");
    pty.keys("<enter>");
    pty.until("Enter deletes nothing", |screen| screen.contains("Review 1") && !screen.contains("Delete this"));
    pty.keys("D");
    pty.until_shows("Delete this ticket?");
    pty.keys("y");
    until("the worktree is in the trash", || !std::path::Path::new(&worktree).exists());
    pty.keys("u");
    pty.until_shows("Review 1");
    until("the worktree is back", || std::path::Path::new(&worktree).join("hello.txt").exists());
    until("the ticket has it", || shown(&world, "1")["worktree"].as_str() == Some(&worktree));
    assert_eq!(state(&world, "1"), "needs_human");
    leave(&world, pty);
}
