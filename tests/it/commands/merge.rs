//! `draft merge`: an approved change comes to its target, or it is said why not and nothing changed.

use serde_json::Value;

use super::error_of;
use crate::support::{World, demo_world, demo_world_with, until};

/// Runs a ticket with that script and approves its change.
fn approved(world: &World, title: &str, script: &str) {
    let filed = world.draft(&["ticket", "add", title, "--description", script, "--state", "planned", "--json"]).ok();
    let number = filed.json()["number"].to_string();
    world.draft(&["run", &number, "--trust"]).ok();
    world.draft(&["review", &number, "--approve"]).ok();
}

#[track_caller]
fn shown(world: &World, ticket: &str) -> Value {
    world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
}

fn kinds(ticket: &Value) -> Vec<&str> {
    ticket["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[test]
fn an_approved_change_lands_as_one_commit_and_its_worktree_goes() {
    let world = demo_world();
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.write("README.md", "mine, not committed\n");
    let before = world.git(&["rev-parse", "HEAD"]);
    let text = world.draft(&["merge", "1"]).ok().text();
    assert!(text.contains("#1 is done: landed on main as "), "{text}");

    let ticket = shown(&world, "1");
    assert_eq!((&ticket["state"], &ticket["worktree"]), (&"done".into(), &Value::Null));
    assert!(kinds(&ticket).contains(&"merge_succeeded"), "{:?}", kinds(&ticket));
    assert_eq!(world.read("hello.txt"), "hi\n");
    assert_eq!(world.read("README.md"), "mine, not committed\n");
    assert_eq!(world.git(&["rev-parse", "HEAD^"]), before);
    let message = world.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("Say hello\n"), "{message}");
    assert!(message.contains(&format!("Draft-Ticket: #1 ({})", ticket["id"].as_str().unwrap())), "{message}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(world.git(&["branch", "--format=%(refname:short)"]), "main");
    assert_eq!(world.git(&["stash", "list"]), "");
    world.assert_accounted_for();
    world.assert_nothing_left();
}

#[test]
fn a_strategy_is_taken_by_its_name() {
    let world = demo_world();
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[commit my own words]][[say done]]");
    world.draft(&["merge", "1", "--strategy", "merge"]).ok();
    let subjects = world.git(&["log", "--format=%s"]);
    assert!(subjects.starts_with("Say hello\n") && subjects.contains("my own words"), "{subjects}");
    assert_eq!(world.git(&["rev-list", "--count", "--merges", "HEAD"]), "1");
    world.draft(&["merge", "1", "--strategy", "sqush"]).exits(2);
}

#[test]
fn a_landing_that_waits_already_is_waited_for_unless_it_is_another_one() {
    let world = demo_world();
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.draft(&["merge", "1", "--no-wait"]).ok();
    let other = ["merge", "1", "--strategy", "rebase", "--json"];
    assert_eq!(error_of(&world.draft(&other).exits(2)).0, "job_active");
    assert_eq!(shown(&world, "1")["job"]["status"], "queued");
    let text = world.draft(&["merge", "1"]).ok().text();
    assert!(text.contains("#1 is done: landed on main as "), "{text}");
}

#[test]
fn what_is_not_approved_does_not_land() {
    let world = demo_world();
    let script = "[[write hello.txt hi\\n]][[say done]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    let (code, ..) = error_of(&world.draft(&["merge", "1", "--json"]).exits(2));
    assert_eq!(code, "not_approved");
    world.draft(&["run", "--trust"]).ok();
    let (code, message, hint) = error_of(&world.draft(&["merge", "1", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("not_approved", "revision 1 of #1 is not approved yet"));
    assert!(hint.contains("draft review 1 --approve"), "{hint}");
}

#[test]
fn changes_of_the_user_in_the_way_are_named_and_left_alone() {
    let world = demo_world();
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.write("hello.txt", "mine\n");
    let before = world.git(&["rev-parse", "HEAD"]);
    let landed = world.draft(&["merge", "1", "--json"]).exits(1).json();
    assert_eq!((&landed["status"], &landed["ticket"]["why"]), (&"failed".into(), &"landing".into()));
    let reason = landed["ticket"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("hello.txt"), "{reason}");
    assert_eq!((world.read("hello.txt").as_str(), world.git(&["rev-parse", "HEAD"])), ("mine\n", before));
    // Once they are out of the way, it lands.
    world.git(&["clean", "-fdq"]);
    world.draft(&["merge", "1"]).ok();
    assert_eq!(world.read("hello.txt"), "hi\n");
}

#[test]
fn two_changes_that_are_green_alone_and_red_together_do_not_both_land() {
    let world = demo_world_with(&["test ! -e a.txt -o ! -e b.txt"]);
    approved(&world, "Make a", "[[write a.txt a\\n]][[say done]]");
    approved(&world, "Make b", "[[write b.txt b\\n]][[say done]]");
    world.draft(&["merge", "1"]).ok();
    let landed = world.draft(&["merge", "2", "--json"]).exits(1).json();
    let reason = landed["ticket"]["reason"].as_str().unwrap();
    assert!(reason.contains("`test ! -e a.txt -o ! -e b.txt` exited with code 1"), "{reason}");
    assert!(reason.contains("Make a"), "it names what landed meanwhile: {reason}");
    let ticket = shown(&world, "2");
    let evidence = ticket["evidence"].as_array().unwrap().last().unwrap();
    assert_eq!(evidence["exit_code"], 1);
    assert!(!world.repo().join("b.txt").exists());
    world.assert_accounted_for();
}

#[test]
fn a_result_is_not_remembered_for_other_content_of_a_copied_file() {
    let world = demo_world_with(&["sh -c \"grep -q good .env\""]);
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", format!("{settings}workspace_config:\n  copy: [.env]\n"));
    world.write(".gitignore", ".env\n");
    world.commit("an environment");
    world.write(".env", "good\n");
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.write(".env", "bad\n");
    let landed = world.draft(&["merge", "1", "--json"]).exits(1).json();
    let reason = landed["ticket"]["reason"].as_str().unwrap();
    assert!(reason.contains("exited with code 1"), "{reason}");
    // The very same tree in the very same surroundings needs no other check.
    world.write(".env", "good\n");
    world.draft(&["merge", "1"]).ok();
    let checks = shown(&world, "1")["evidence"].as_array().unwrap().len();
    assert_eq!(checks, 3, "the agent, its check, and the one that failed");
}

#[test]
fn a_landing_that_was_killed_is_gone_on_with_and_lands_once() {
    let world = demo_world_with(&["sh check.sh"]);
    // Only what is checked for a landing waits.
    let check = "case $PWD in */landings/*) : >$HOME/began; until test -e $HOME/go; do sleep 0.02; done;; esac\n";
    world.write("check.sh", check);
    world.commit("a check");
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.write("meanwhile.txt", "so that the result is another tree\n");
    world.commit("meanwhile");
    let merging = world.draft_in_background(&["merge", "1"]);
    until("the result is checked", || world.home().join("began").exists());
    merging.kill_9();
    std::fs::write(world.home().join("go"), "").unwrap();
    world.draft(&["run"]).ok();
    let ticket = shown(&world, "1");
    assert_eq!(ticket["state"], "done", "{}", ticket["reason"]);
    let subjects = world.git(&["log", "--format=%s", "-2"]);
    assert_eq!(subjects, "Say hello\nmeanwhile");
    let boards = std::fs::read_dir(world.data().join("landings")).unwrap();
    let left = boards.flat_map(|board| std::fs::read_dir(board.unwrap().path()).unwrap()).count();
    assert_eq!(left, 0, "no work tree of a landing is left");
    world.assert_accounted_for();
    world.assert_nothing_left();
}

#[test]
fn a_conflict_is_told_with_its_files() {
    let world = demo_world();
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.write("hello.txt", "hey\n");
    world.commit("hey");
    let landed = world.draft(&["merge", "1", "--json"]).exits(1).json();
    assert_eq!(landed["ticket"]["why"], "conflict");
    assert_eq!(landed["ticket"]["reason"], "conflicts with main: hello.txt");
    let ticket = shown(&world, "1");
    let failed = ticket["events"].as_array().unwrap().iter().find(|event| event["kind"] == "merge_failed").unwrap();
    assert_eq!(failed["payload"]["files"][0]["path"], "hello.txt");
    assert_eq!(world.read("hello.txt"), "hey\n");
}

#[test]
fn a_change_that_is_there_already_is_done_without_another_commit() {
    let world = demo_world();
    approved(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.write("hello.txt", "hi\n");
    world.commit("the same by hand");
    let before = world.git(&["rev-parse", "HEAD"]);
    let text = world.draft(&["merge", "1"]).ok().text();
    assert!(text.contains("main has its change already"), "{text}");
    assert_eq!(world.git(&["rev-parse", "HEAD"]), before);
}
