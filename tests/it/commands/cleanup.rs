//! `draft cleanup`, `draft trash` and `draft trash empty`: what nobody needs goes, nothing that somebody works on does, and what
//! went comes back byte for byte.

use std::fs;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde_json::Value;

use super::error_of;
use crate::support::{World, demo_world};

const DAY: i64 = 24 * 3600 * 1000;

/// Files a ticket whose agent leaves a change that its check does not let pass, so that it is blocked with a worktree.
fn blocked(world: &World, title: &str) -> String {
    let script = "[[write made.txt made\\n]][[say done]]";
    let filed =
        world.draft(&["ticket", "add", title, "--description", script, "--verify", "test -f nope.txt", "--json"]).ok();
    let number = filed.json()["number"].to_string();
    world.draft(&["ticket", "move", &number, "planned"]).ok();
    world.draft(&["run", &number, "--trust"]).exits(1);
    number
}

#[track_caller]
fn shown(world: &World, ticket: &str) -> Value {
    world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
}

fn database(world: &World) -> Connection {
    Connection::open(world.data().join("draft.db")).unwrap()
}

/// Makes a ticket, its worktree and its runs older.
fn age(world: &World, ticket: &str, days: i64) {
    let db = database(world);
    let number: u32 = ticket.parse().unwrap();
    db.execute("UPDATE tickets SET updated_at = updated_at - ?2 WHERE number = ?1", (number, days * DAY)).unwrap();
    let of = "SELECT jobs.id FROM jobs JOIN tickets ON tickets.id = jobs.ticket_id WHERE tickets.number = ?1";
    let sql = format!("UPDATE runs SET finished_at = finished_at - ?2 WHERE job_id IN ({of})");
    db.execute(&sql, (number, days * DAY)).unwrap();
    if let Some(worktree) = shown(world, ticket)["worktree"].as_str() {
        let then = SystemTime::now() - Duration::from_millis(u64::try_from(days * DAY).unwrap());
        let mut open = vec![std::path::PathBuf::from(worktree)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            fs::File::open(&path).unwrap().set_modified(then).unwrap();
        }
    }
}

#[test]
fn a_worktree_that_nobody_touched_goes_into_the_trash_and_comes_back_byte_for_byte() {
    let world = demo_world();
    let number = blocked(&world, "Old");
    let young = blocked(&world, "Young");
    let before = shown(&world, &number);
    let worktree = std::path::PathBuf::from(before["worktree"].as_str().unwrap());
    fs::write(worktree.join("edited.bin"), b"\0\xff not committed").unwrap();
    fs::write(worktree.join("README.md"), "edited\n").unwrap();
    age(&world, &number, 15);

    let dry = world.draft(&["cleanup", "--dry-run", "--json"]).ok().json();
    assert_eq!(dry["items"].as_array().unwrap().len(), 1, "{dry:#}");
    let item = &dry["items"][0];
    assert_eq!((item["what"].as_str(), item["ticket"].to_string()), (Some("worktree"), number.clone()));
    assert_eq!(item["why"], "nobody touched it for 14 days");
    assert!(item["bytes"].as_u64().unwrap() > 0 && worktree.exists(), "that was only a look");

    let text = world.draft(&["cleanup"]).ok().text();
    assert!(
        text.contains("gone: its worktree was removed, since nobody touched it for 14 days; `draft restore "),
        "{text}"
    );
    let after = shown(&world, &number);
    assert_eq!((&after["worktree"], &after["state"]), (&Value::Null, &"blocked".into()));
    assert!(!worktree.exists() && shown(&world, &young)["worktree"].is_string());
    let last = after["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["kind"], &last["actor"]), (&"worktree_cleaned".into(), &"system".into()));
    assert!(world.draft(&["cleanup"]).ok().text().contains("nothing to clean up"));
    world.assert_accounted_for();

    // It is work of an open ticket, so no emptying takes it.
    let listed = world.draft(&["trash", "--json"]).ok().json();
    let kept = &listed["trash"][0];
    let names =
        world.git(&["diff", "--name-only", kept["base"].as_str().unwrap(), kept["reference"].as_str().unwrap()]);
    assert_eq!(
        (&kept["until"], names.as_str()),
        (&Value::Null, "README.md\nedited.bin\nmade.txt\nnotes/old.md"),
        "{listed:#}"
    );
    world.draft(&["trash", "empty", "--yes"]).ok();
    world.draft(&["restore", &number]).ok();
    assert_eq!(fs::read(worktree.join("edited.bin")).unwrap(), b"\0\xff not committed");
    assert_eq!(fs::read_to_string(worktree.join("README.md")).unwrap(), "edited\n");
    assert_eq!(fs::read_to_string(worktree.join("made.txt")).unwrap(), "made\n");
    world.assert_accounted_for();
}

#[test]
fn the_next_run_goes_on_where_a_worktree_was_that_was_cleaned_up() {
    let world = demo_world();
    let number = blocked(&world, "Old");
    age(&world, &number, 15);
    world.draft(&["cleanup"]).ok();
    world
        .draft(&[
            "ticket",
            "edit",
            &number,
            "--description",
            "[[write more.txt m\\n]][[say done]]",
            "--verify",
            "test -f made.txt",
        ])
        .ok();
    world.draft(&["run", &number]).ok();
    let diff = world.draft(&["diff", &number]).ok().text();
    assert!(diff.contains("made.txt") && diff.contains("more.txt"), "{diff}");
}

#[test]
fn what_waits_for_a_person_stays_however_old_it_is_and_too_many_are_made_fewer() {
    let world = demo_world();
    world.draft(&["config", "set", "cleanup_config.max_worktrees", "1"]).ok();
    let numbers: Vec<String> = ["One", "Two", "Three"].iter().map(|title| blocked(&world, title)).collect();
    let script = "[[write hello.txt hi\\n]][[say done]]";
    world.draft(&["ticket", "add", "Waits", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "4", "--trust"]).ok();
    age(&world, "4", 100);
    age(&world, &numbers[1], 3);
    let plan = world.draft(&["cleanup", "--json"]).ok().json();
    let gone: Vec<String> = plan["items"].as_array().unwrap().iter().map(|item| item["ticket"].to_string()).collect();
    assert_eq!(gone, [numbers[1].as_str(), &numbers[0], &numbers[2]], "the one that waits stays: {plan:#}");
    assert_eq!(shown(&world, "4")["why"], "review");
    assert!(shown(&world, "4")["worktree"].is_string());
}

#[test]
fn output_of_a_ticket_goes_that_is_at_its_end_and_its_log_says_when() {
    let world = demo_world();
    let number = blocked(&world, "Old");
    age(&world, &number, 31);
    let dry = world.draft(&["cleanup", "--dry-run", "--json"]).ok().json();
    assert!(dry["items"].as_array().unwrap().iter().all(|item| item["what"] != "output"), "it is open: {dry:#}");
    world.draft(&["ticket", "move", &number, "abandoned"]).ok();
    let done = world.draft(&["cleanup", "--json"]).ok().json();
    let what: Vec<&str> = done["items"].as_array().unwrap().iter().filter_map(|item| item["what"].as_str()).collect();
    assert_eq!(what, ["output"], "{done:#}");
    let ticket = shown(&world, &number);
    assert!(ticket["evidence"].as_array().unwrap().len() >= 2, "how it ended stays: {ticket:#}");
    let last = ticket["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["payload"]["action"], "output_cleaned");
    let log = world.draft(&["log", &number, "--job", ticket["jobs"][0]["id"].as_str().unwrap()]).ok().text();
    assert!(log.contains("was cleaned up at 20") && !log.contains("done"), "{log}");
    assert!(world.draft(&["cleanup"]).ok().text().contains("nothing to clean up"));
    world.assert_accounted_for();
}

#[test]
fn a_worktree_and_a_branch_stay_where_the_settings_say_so() {
    let world = demo_world();
    world.draft(&["config", "set", "merge_config.delete_branch_after_merge", "false"]).ok();
    let script = "[[write hello.txt hi\\n]][[say done]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "1", "--trust"]).ok();
    let branch = shown(&world, "1")["branch"].as_str().unwrap().to_owned();
    world.draft(&["review", "1", "--approve"]).ok();
    world.draft(&["merge", "1"]).ok();
    assert_eq!(shown(&world, "1")["worktree"], Value::Null);
    assert!(world.git(&["branch", "--format=%(refname:short)"]).lines().any(|one| one == branch));
    // It is yours now, so nobody calls it a stray.
    world.assert_accounted_for();

    world.draft(&["config", "set", "cleanup_config.auto_cleanup_on_merge", "false"]).ok();
    world
        .draft(&[
            "ticket",
            "add",
            "Say more",
            "--description",
            "[[write more.txt m\\n]][[say done]]",
            "--state",
            "planned",
        ])
        .ok();
    world.draft(&["run", "2"]).ok();
    world.draft(&["review", "2", "--approve"]).ok();
    world.draft(&["merge", "2"]).ok();
    assert!(shown(&world, "2")["worktree"].is_string(), "it stays until it is old");
    age(&world, "2", 15);
    world.draft(&["cleanup"]).ok();
    assert_eq!(shown(&world, "2")["worktree"], Value::Null);
}

#[test]
fn nothing_lands_on_a_protected_branch_where_the_settings_say_so() {
    let world = demo_world();
    world.draft(&["config", "set", "merge_config.land_on_protected", "false"]).ok();
    let script = "[[write hello.txt hi\\n]][[say done]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "1", "--trust"]).ok();
    world.draft(&["review", "1", "--approve"]).ok();
    let text = world.draft(&["merge", "1"]).exits(1).text();
    assert!(text.contains("main is protected, and nothing may land on it"), "{text}");
    world.draft(&["config", "set", "merge_config.protected_branches", "production"]).ok();
    world.draft(&["merge", "1"]).ok();
}

#[test]
fn emptying_the_trash_names_what_would_be_lost_first() {
    let world = demo_world();
    let number = blocked(&world, "Given up");
    world.draft(&["ticket", "move", &number, "abandoned"]).ok();
    let (code, message, _) = error_of(&world.draft(&["trash", "empty", "--json"]).exits(2));
    assert_eq!(code, "confirmation");
    assert!(message.contains("#1 Given up: less than an hour ago"), "{message}");
    assert!(world.draft(&["trash", "empty", "--older-than", "1", "--yes"]).ok().text().contains("nothing to remove"));
    world.draft(&["trash", "empty", "--yes"]).ok();
    assert!(world.draft(&["trash"]).ok().text().contains("The trash is empty"));
    assert_eq!(world.git(&["for-each-ref", "refs/draft/trash"]), "");
}
