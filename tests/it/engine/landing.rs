//! Kill -9 between the steps of a landing: afterwards the change is on its target and that is recorded, or it is not and that
//! is recorded. Nothing lands twice, and nothing is left.

use std::fs;

use rustix::process::Signal;

use super::steps::guard_git;
use super::{Yard, is_alive, pid_in};
use crate::support::until;

/// A yard with a check that every change passes.
fn yard() -> Yard {
    let yard = Yard::new();
    let check = yard.script("sh -c 'test -e README.md'");
    yard.checks(&[&check]);
    yard.world.write("README.md", "read me\n");
    yard.world.commit("a file that the check wants");
    yard.world.draft(&["trust"]).ok();
    // The target follows a remote, so that a landing fetches first and pushes afterwards.
    let remote = remote(&yard);
    yard.world.git(&["init", "--quiet", "--bare", "--initial-branch=main", &remote]);
    yard.world.git(&["remote", "add", "origin", &remote]);
    yard.world.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    yard.world.git(&["clone", "--quiet", &remote, &colleague(&yard)]);
    let file = yard.world.folder().join("config/draft/config.yaml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{settings}merge_config:\n  push_after_merge: true\n")).unwrap();
    guard_git(&yard);
    yard
}

fn remote(yard: &Yard) -> String {
    yard.world.folder().join("remote.git").to_str().unwrap().to_owned()
}

fn colleague(yard: &Yard) -> String {
    yard.world.folder().join("colleague").to_str().unwrap().to_owned()
}

/// Brings the next ticket to its approval, and the target's remote a commit further, so that the result of the merge is another tree.
fn approved(yard: &Yard, ticket: usize) {
    let _ = fs::remove_file(yard.sign("plan"));
    let script = format!("[[write made-{ticket}.txt made\\n]] [[say made]]");
    let title = format!("Make {ticket}");
    let description = yard.script(&script);
    yard.world.draft(&["ticket", "add", &title, "--description", &description, "--state", "planned"]).ok();
    yard.run(&[]).ok();
    yard.world.draft(&["review", &ticket.to_string(), "--approve"]).ok();
    let there = colleague(yard);
    let git = |args: &[&str]| yard.world.git(&[&["-C", there.as_str()], args].concat());
    git(&["pull", "--quiet", "--ff-only"]);
    fs::write(format!("{there}/meanwhile-{ticket}.txt"), "moved\n").unwrap();
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "meanwhile"]);
    git(&["push", "--quiet"]);
    for sign in ["calls", "stopped", "release"] {
        let _ = fs::remove_file(yard.sign(sign));
    }
}

fn plan(yard: &Yard, number: usize, place: &str) {
    fs::write(yard.sign("plan"), format!("{number} {place}")).unwrap();
}

/// How often a ticket's change is on the target.
fn landed(yard: &Yard, ticket: usize) -> usize {
    let title = format!("Make {ticket}");
    yard.world.git(&["log", "--format=%s", "main"]).lines().filter(|subject| *subject == title).count()
}

fn assert_landed(yard: &Yard, ticket: usize, when: &str) {
    let _ = fs::remove_file(yard.sign("plan"));
    let state = yard.show(ticket).state();
    // What was killed before anything was intended waits for its person again.
    if state != "done" {
        assert_eq!(landed(yard, ticket), 0, "{when}: {state}");
        yard.world.draft(&["merge", &ticket.to_string()]).ok();
    }
    let shown = yard.show(ticket);
    assert_eq!(shown.state(), "done", "{when}: {:#}", shown.value);
    assert_eq!(landed(yard, ticket), 1, "{when}");
    assert!(yard.world.repo().join(format!("made-{ticket}.txt")).exists(), "the checkout follows: {when}");
    assert_eq!(yard.world.git(&["rev-parse", "main"]), yard.world.git(&["rev-parse", "HEAD"]), "{when}");
    let there = yard.world.git(&["-C", &remote(yard), "rev-parse", "main"]);
    assert_eq!(yard.world.git(&["rev-parse", "main"]), there, "it was pushed: {when}");
    assert_eq!(yard.world.git(&["for-each-ref", "refs/draft/fetched"]), "", "{when}");
    let boards = fs::read_dir(yard.world.data().join("landings")).into_iter().flatten();
    let left = boards.flat_map(|board| fs::read_dir(board.unwrap().path()).unwrap()).count();
    assert_eq!(left, 0, "no work tree of a landing is left: {when}");
    yard.assert_tidy(0);
}

/// Kills landings at every `step`-th call of git from `first` on, in turn before it, after it, and with git going on.
fn kill_at_calls(first: usize, step: usize) {
    let yard = yard();
    approved(&yard, 1);
    plan(&yard, 0, "Never");
    yard.world.draft(&["merge", "1"]).ok();
    let calls = yard.journal("calls");
    assert_landed(&yard, 1, "undisturbed");
    assert!(calls.len() > 10, "{calls:#?}");
    assert!(calls.iter().any(|call| call.contains("update-ref -m draft: #1 landed --stdin")), "{calls:#?}");
    let mut ticket = 1;
    for (index, call) in calls.iter().enumerate().skip(first).step_by(step) {
        ticket += 1;
        let place = if (index / step).is_multiple_of(2) { "Before" } else { "After" };
        let goes_on = (index / step) % 4 > 1;
        let when = format!("killed {place} call {} `{call}`, and git goes on: {goes_on}", index + 1);
        approved(&yard, ticket);
        plan(&yard, index + 1, place);
        let merging = yard.world.draft_in_background(&["merge", &ticket.to_string()]);
        let git = pid_in(&yard.sign("stopped"));
        merging.kill_9();
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
        assert_landed(&yard, ticket, &when);
    }
}

#[test]
fn a_landing_ends_right_wherever_its_engine_is_killed() {
    kill_at_calls(0, 2);
}

#[test]
fn a_landing_ends_right_wherever_its_engine_is_killed_the_other_half() {
    kill_at_calls(1, 2);
}
