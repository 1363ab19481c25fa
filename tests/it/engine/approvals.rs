//! Kill -9 in the middle of an automatic approval and of the landing that follows: the change is approved once, counted once, and lands
//! once, without a person.

use std::fs;

use rustix::process::Signal;

use super::steps::guard_git;
use super::{Yard, is_alive, pid_in};
use crate::support::until;

fn yard() -> Yard {
    let yard = Yard::with_checks(&["sh -c 'test -e README.md'"]);
    yard.world.draft(&["goal", "add", "Greetings", "--autonomy", "on", "--max-auto-approvals", "1000"]).ok();
    yard.world.draft(&["goal", "edit", "Greetings", "--auto-approve-revisions", "on", "--auto-merge", "on"]).ok();
    guard_git(&yard);
    yard
}

/// Files the next ticket; the calls of git are counted from then on, and the one with that number stops.
fn next(yard: &Yard, ticket: usize, (number, place): (usize, &str)) {
    let _ = fs::remove_file(yard.sign("plan"));
    let (title, script) = (format!("Make {ticket}"), format!("[[write made-{ticket}.txt made\\n]] [[say made]]"));
    let file = ["ticket", "add", &title, "--description", &script, "--state", "planned", "--goal", "Greetings"];
    yard.world.draft(&file).ok();
    for sign in ["calls", "stopped", "release"] {
        let _ = fs::remove_file(yard.sign(sign));
    }
    fs::write(yard.sign("plan"), format!("{number} {place}")).unwrap();
}

fn assert_landed(yard: &Yard, ticket: usize, when: &str) {
    let _ = fs::remove_file(yard.sign("plan"));
    let shown = yard.show(ticket);
    assert_eq!(shown.state(), "done", "{when}: {:#}", shown.value);
    let reviews = shown.value["reviews"].as_array().unwrap();
    assert_eq!((reviews.len(), reviews[0]["author"].as_str()), (1, Some("system")), "{when}: {reviews:#?}");
    let goal = yard.world.draft(&["goal", "status", "Greetings", "--json"]).ok().json();
    assert_eq!(goal["auto_approval_count"], ticket, "each approval counts once: {when}");
    let title = format!("Make {ticket}");
    let landed = yard.world.git(&["log", "--format=%s", "main"]).lines().filter(|subject| *subject == title).count();
    assert_eq!(landed, 1, "{when}");
    yard.assert_tidy(0);
}

#[test]
fn a_change_that_needs_no_person_lands_once_wherever_its_engine_is_killed() {
    let yard = yard();
    next(&yard, 1, (0, "Never"));
    yard.run(&[]).ok();
    let calls = yard.journal("calls");
    assert_landed(&yard, 1, "undisturbed");
    // Up to its check it is a job like any other.
    let mut ticket = 1;
    for (index, call) in calls.iter().enumerate().skip(calls.len() / 3).step_by(3) {
        ticket += 1;
        let place = ["Before", "After"][ticket % 2];
        let when = format!("killed {place} call {} `{call}`", index + 1);
        next(&yard, ticket, (index + 1, place));
        let engine = yard.engine(&[]);
        let git = pid_in(&yard.sign("stopped"));
        engine.kill_9();
        fs::write(yard.sign("plan"), "0 Never").unwrap();
        until(&format!("git is gone: {when}"), || {
            let left = yard.world.processes();
            left.iter().filter(|one| !one.command.contains("supervise")).for_each(|one| one.signal(Signal::KILL));
            !is_alive(git)
        });
        let _ = yard.run(&[]);
        assert_landed(&yard, ticket, &when);
    }
}
