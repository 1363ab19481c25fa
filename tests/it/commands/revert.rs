//! `draft revert`: what landed is taken back by a ticket of its own, or it is said why not and nothing is filed.

use serde_json::Value;

use super::error_of;
use crate::support::{World, demo_world};

/// Runs a ticket with that script, approves its change and lands it.
fn landed(world: &World, title: &str, script: &str, strategy: &str) -> String {
    let filed = world.draft(&["ticket", "add", title, "--description", script, "--state", "planned", "--json"]).ok();
    let number = filed.json()["number"].to_string();
    world.draft(&["run", &number, "--trust"]).ok();
    world.draft(&["review", &number, "--approve"]).ok();
    world.draft(&["merge", &number, "--strategy", strategy]).ok();
    number
}

#[track_caller]
fn shown(world: &World, ticket: &str) -> Value {
    world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
}

#[test]
fn what_landed_in_each_way_is_taken_back_reviewed_and_landed_and_the_history_says_so_both_ways() {
    let world = demo_world();
    // What the check wants stays there when a change goes.
    world.write("hello.txt", "hi\n");
    world.commit("what the check wants");
    for (n, strategy) in ["squash", "merge", "rebase"].into_iter().enumerate() {
        let script = "[[write one.txt 1\\n]][[commit one]][[write two.txt 2\\n]][[commit two]][[say done]]";
        let tree = world.git(&["rev-parse", "HEAD^{tree}"]);
        let number = landed(&world, "Say hello", script, strategy);
        assert_eq!(world.read("two.txt"), "2\n");
        let text = world.draft(&["revert", &number]).ok().text();
        let back = (2 * n + 2).to_string();
        assert!(text.contains(&format!("#{back} is needs_human (review)")), "{text}");
        let ticket = shown(&world, &back);
        assert_eq!(ticket["title"], format!("Revert #{number}: Say hello"));
        assert_eq!((ticket["reverts"].to_string(), ticket["why"].as_str()), (number.clone(), Some("review")));
        assert_eq!(shown(&world, &number)["reverted_by"].to_string(), back);
        let job = &ticket["jobs"][0];
        assert_eq!(
            (&job["kind"], &job["status"], &job["agent"]),
            (&"execute".into(), &"succeeded".into(), &Value::Null)
        );
        assert_eq!(ticket["revisions"].as_array().unwrap().len(), 1, "{strategy}: one revision");
        assert_eq!(ticket["jobs"][1]["kind"], "verify");
        assert_eq!(world.read("two.txt"), "2\n", "nothing is on the target yet");

        let (code, ..) = error_of(&world.draft(&["revert", &number, "--json"]).exits(2));
        assert_eq!(code, "already_reverted");
        world.draft(&["review", &back, "--approve"]).ok();
        world.draft(&["merge", &back]).ok();
        assert_eq!(world.git(&["rev-parse", "HEAD^{tree}"]), tree, "{strategy}");
        let (code, message, _) = error_of(&world.draft(&["revert", &number, "--json"]).exits(2));
        assert_eq!(code, "already_reverted", "{message}");
    }
    world.assert_accounted_for();
    world.assert_nothing_left();
}

#[test]
fn a_revert_can_be_reverted() {
    let world = demo_world();
    // What the repository's check wants stays there when a change goes.
    world.write("hello.txt", "hi\n");
    world.commit("what the check wants");
    let number = landed(&world, "Say hello", "[[write other.txt hi\\n]][[say done]]", "squash");
    // Its own check says that the change is there, so it is none of the ticket that takes it back.
    world.draft(&["ticket", "edit", &number, "--verify", "test -f other.txt"]).ok();
    world.draft(&["revert", &number]).ok();
    world.draft(&["review", "2", "--approve"]).ok();
    world.draft(&["merge", "2"]).ok();
    assert!(!world.repo().join("other.txt").exists());
    world.draft(&["revert", "2"]).ok();
    world.draft(&["review", "3", "--approve"]).ok();
    world.draft(&["merge", "3"]).ok();
    assert_eq!(world.read("other.txt"), "hi\n");
    world.draft(&["revert", &number, "--no-wait"]).ok();
    assert_eq!(shown(&world, "4")["reverts"].to_string(), number);
}

#[test]
fn what_later_changes_build_on_stops_with_the_files_and_nothing_half_done() {
    let world = demo_world();
    let number = landed(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]", "squash");
    world.write("hello.txt", "hi, world\n");
    world.commit("later");
    let text = world.draft(&["revert", &number]).exits(1).text();
    assert!(text.contains("#2 is needs_human (conflict): later changes to main build on it: hello.txt ("), "{text}");
    let ticket = shown(&world, "2");
    assert_eq!((&ticket["why"], &ticket["worktree"]), (&"conflict".into(), &Value::Null));
    assert!(ticket["description"].as_str().unwrap().contains("git diff "), "{ticket:#}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(world.git(&["branch", "--format=%(refname:short)"]), "main");
    world.assert_nothing_left();

    // An agent takes over, with what is to go as its task.
    world.draft(&["ticket", "edit", "2", "--description", "[[write hello.txt hello\\n]][[say done]]"]).ok();
    world.draft(&["run", "2"]).ok();
    assert_eq!(shown(&world, "2")["why"], "review");
}

#[test]
fn what_did_not_land_here_or_is_gone_is_not_taken_back() {
    let world = demo_world();
    let script = "[[write hello.txt hi\\n]][[say done]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    let (code, message, _) = error_of(&world.draft(&["revert", "1", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("not_landed", "#1 is planned, so nothing of it is on its target"));
    world.draft(&["run", "--trust"]).ok();
    let revision = shown(&world, "1")["revisions"][0]["head"].as_str().unwrap().to_owned();
    world.git(&["merge", "--quiet", &revision]);
    world.draft(&["ticket", "move", "1", "done"]).ok();
    let (code, message, _) = error_of(&world.draft(&["revert", "1", "--json"]).exits(2));
    assert_eq!(code, "not_landed");
    assert!(message.contains("no landing of #1 is known"), "{message}");

    let number = landed(&world, "Say more", "[[write more.txt hi\\n]][[say done]]", "squash");
    world.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let (code, message, _) = error_of(&world.draft(&["revert", &number, "--json"]).exits(2));
    assert_eq!(code, "not_landed");
    assert!(message.starts_with("main does not have "), "{message}");
    assert_eq!(world.draft(&["ticket", "list", "--json"]).ok().json()["tickets"].as_array().unwrap().len(), 2);
}

#[test]
fn what_landed_stays_done_after_a_run_that_changes_nothing_and_can_still_be_taken_back() {
    let world = demo_world();
    let number = landed(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]", "squash");
    let text = world.draft(&["run", &number]).ok().text();
    let ticket = shown(&world, &number);
    let reason = ticket["reason"].as_str().unwrap();
    assert_eq!(
        (&ticket["state"], reason),
        (&"done".into(), "done as before: the agent changed nothing; it says: done"),
        "{text}"
    );
    world.draft(&["ticket", "edit", &number, "--description", "[[write hello.txt bye\\n]][[say done]]"]).ok();
    world.draft(&["run", &number]).ok();
    assert_eq!(shown(&world, &number)["state"], "needs_human", "a new revision is reviewed");
    // The repository's check wants the file that goes.
    world.draft(&["revert", &number]).exits(1);
    let back = shown(&world, "2");
    assert_eq!((back["reverts"].to_string(), back["revisions"].as_array().unwrap().len()), (number, 1));
}
