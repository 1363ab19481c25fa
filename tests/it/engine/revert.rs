//! Kill -9 between the steps of taking a change back: afterwards the ticket has all of it in one revision, or it is as if
//! nothing had been done yet.

use std::fs;

use rustix::process::Signal;

use super::steps::guard_git;
use super::{Yard, is_alive, pid_in};
use crate::support::until;

/// A yard with a change that landed.
fn landed() -> Yard {
    let yard = Yard::new();
    let description = yard.script("[[write made.txt made\\n]] [[say made]]");
    yard.world.draft(&["trust"]).ok();
    yard.world.draft(&["ticket", "add", "Make", "--description", &description, "--state", "planned"]).ok();
    yard.run(&[]).ok();
    yard.world.draft(&["review", "1", "--approve"]).ok();
    yard.world.draft(&["merge", "1"]).ok();
    guard_git(&yard);
    yard
}

fn plan(yard: &Yard, number: usize, place: &str) {
    fs::write(yard.sign("plan"), format!("{number} {place}")).unwrap();
}

/// One revision that takes out what landed, and the target as it was; then it is given up, for the next round.
fn assert_taken_back(yard: &Yard, ticket: usize, when: &str) {
    let shown = yard.show(ticket);
    assert_eq!(shown.state(), "needs_human (review)", "{when}: {:#}", shown.value);
    let revisions = shown.value["revisions"].as_array().unwrap();
    assert_eq!(revisions.len(), 1, "{when}");
    let head = revisions[0]["head"].as_str().unwrap();
    assert_eq!(yard.world.git(&["diff", "--name-status", "main", head]), "D\tmade.txt", "{when}");
    assert_eq!(yard.world.git(&["rev-list", "--count", &format!("main..{head}")]), "1", "{when}");
    let worktree = shown.value["worktree"].as_str().unwrap();
    assert_eq!(yard.world.git(&["-C", worktree, "status", "--porcelain"]), "", "{when}");
    let boards = fs::read_dir(yard.world.data().join("landings")).into_iter().flatten();
    let left = boards.flat_map(|board| fs::read_dir(board.unwrap().path()).unwrap()).count();
    assert_eq!(left, 0, "no work tree is left: {when}");
    yard.world.draft(&["ticket", "move", &ticket.to_string(), "abandoned"]).ok();
    yard.assert_tidy(0);
}

#[test]
fn taking_back_ends_right_wherever_its_engine_is_killed() {
    let yard = landed();
    plan(&yard, 0, "Never");
    yard.world.draft(&["revert", "1"]).ok();
    let calls = yard.journal("calls");
    assert_taken_back(&yard, 2, "undisturbed");
    let first = calls.iter().position(|call| call.contains("worktree add")).unwrap();
    assert!(calls.iter().any(|call| call.contains("revert --no-commit")), "{calls:#?}");
    let mut ticket = 2;
    for (index, call) in calls.iter().enumerate().skip(first) {
        ticket += 1;
        let place = if index.is_multiple_of(2) { "Before" } else { "After" };
        let goes_on = index % 4 > 1;
        let when = format!("killed {place} call {} `{call}`, and git goes on: {goes_on}", index + 1);
        for sign in ["calls", "stopped", "release"] {
            let _ = fs::remove_file(yard.sign(sign));
        }
        plan(&yard, index + 1, place);
        let reverting = yard.world.draft_in_background(&["revert", "1"]);
        let git = pid_in(&yard.sign("stopped"));
        reverting.kill_9();
        plan(&yard, 0, "Never");
        if goes_on {
            yard.give("release");
        } else {
            until(&format!("git is gone: {when}"), || {
                let left = yard.world.processes();
                left.iter().filter(|one| !one.command.contains("supervise")).for_each(|one| one.signal(Signal::KILL));
                !is_alive(git)
            });
        }
        let _ = yard.run(&[]);
        assert_taken_back(&yard, ticket, &when);
    }
}
