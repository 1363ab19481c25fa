//! Kill -9 in the middle of a cleanup: the engine's own, when a ticket is given up, and that of `draft cleanup`. Afterwards the worktree
//! is in the trash, once, with all that it held.

use std::fs;

use rustix::process::Signal;

use super::steps::guard_git;
use super::{Yard, is_alive, pid_in};
use crate::support::until;

/// The agent leaves a change, and then says that it failed: such a ticket is blocked and keeps its worktree.
const SCRIPT: &str = "[[write made.txt made\\n]] [[exit 3]]";

fn yard() -> Yard {
    let yard = Yard::new();
    guard_git(&yard);
    yard
}

/// Makes the next ticket with a worktree that holds something that nobody committed.
fn blocked(yard: &Yard, ticket: usize) {
    let _ = fs::remove_file(yard.sign("plan"));
    yard.tickets(&[SCRIPT]);
    yard.run(&[&ticket.to_string()]).exits(1);
    assert!(yard.show(ticket).worktree().join("made.txt").exists());
    for sign in ["calls", "stopped", "release"] {
        let _ = fs::remove_file(yard.sign(sign));
    }
}

fn plan(yard: &Yard, number: usize, place: &str) {
    fs::write(yard.sign("plan"), format!("{number} {place}")).unwrap();
}

/// Runs a command whose process is killed at that call of git; what git it has goes on or dies with it.
fn killed(yard: &Yard, args: &[&str], (number, place): (usize, &str), goes_on: bool) {
    plan(yard, number, place);
    let running = yard.world.draft_in_background(args);
    let git = pid_in(&yard.sign("stopped"));
    running.kill_9();
    plan(yard, 0, "Never");
    if goes_on {
        yard.give("release");
        return;
    }
    until("git is gone", || {
        yard.world.processes().iter().for_each(|one| one.signal(Signal::KILL));
        !is_alive(git)
    });
}

/// Looks that the worktree of a ticket went, and that what it held is kept exactly once.
fn assert_gone(yard: &Yard, ticket: usize, state: &str, when: &str) {
    let _ = fs::remove_file(yard.sign("plan"));
    let shown = yard.show(ticket);
    assert_eq!(shown.state(), state, "{when}: {:#}", shown.value);
    assert!(shown.value["worktree"].is_null(), "{when}: {:#}", shown.value);
    let kept = yard.world.git(&["for-each-ref", "--format=%(refname)", &format!("refs/draft/trash/{}", shown.id())]);
    assert_eq!(kept.lines().count(), 1, "{when}: {kept}");
    assert_eq!(yard.world.git(&["show", &format!("{kept}:made.txt")]), "made", "{when}");
    yard.assert_tidy(0);
}

/// Kills a cleanup at every call of git, in turn before and after it, and with git going on or not. `begin` is the command that cleans up,
/// `again` what whoever comes next does.
fn kill_at_calls(begin: impl Fn(&Yard, usize) -> Vec<String>, state: &str, again: impl Fn(&Yard, usize)) {
    let yard = yard();
    blocked(&yard, 1);
    let args = begin(&yard, 1);
    plan(&yard, 0, "Never");
    yard.world.draft(&args.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    let calls = yard.journal("calls");
    assert_gone(&yard, 1, state, "undisturbed");
    assert!(calls.iter().any(|call| call.contains("update-ref")), "{calls:#?}");
    assert!(calls.iter().any(|call| call.contains("worktree remove")), "{calls:#?}");
    for (index, call) in calls.iter().enumerate() {
        let ticket = index + 2;
        let (place, goes_on) = (["Before", "After"][index % 2], index % 4 > 1);
        blocked(&yard, ticket);
        let args = begin(&yard, ticket);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        killed(&yard, &args, (index + 1, place), goes_on);
        again(&yard, ticket);
        let when = format!("killed {place} call {} `{call}`, and git goes on: {goes_on}", index + 1);
        assert_gone(&yard, ticket, state, &when);
    }
}

#[test]
fn a_ticket_that_is_given_up_gives_its_worktree_back_wherever_its_engine_is_killed() {
    let begin = |_: &Yard, ticket: usize| vec!["ticket".into(), "move".into(), ticket.to_string(), "abandoned".into()];
    kill_at_calls(begin, "abandoned", |yard, ticket| {
        // What was killed before it was stored was never answered.
        if yard.show(ticket).state() != "abandoned" {
            yard.world.draft(&["ticket", "move", &ticket.to_string(), "abandoned"]).ok();
        }
        let _ = yard.run(&[]);
    });
}

#[test]
fn draft_cleanup_ends_right_wherever_it_is_killed() {
    let begin = |yard: &Yard, ticket: usize| {
        let db = rusqlite::Connection::open(yard.world.data().join("draft.db")).unwrap();
        let number = u32::try_from(ticket).unwrap();
        db.execute("UPDATE tickets SET updated_at = updated_at - 2000000000 WHERE number = ?1", [number]).unwrap();
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2_000_000);
        let worktree = yard.show(ticket).worktree().to_owned();
        let files = fs::read_dir(&worktree).unwrap().map(|entry| entry.unwrap().path()).chain([worktree.clone()]);
        files.for_each(|path| fs::File::open(path).unwrap().set_modified(old).unwrap());
        vec!["cleanup".into()]
    };
    kill_at_calls(begin, "blocked (failed)", |yard, _| {
        yard.world.draft(&["cleanup"]).ok();
        // What the killed one began is told by the next engine.
        let _ = yard.run(&["--until", "idle"]);
    });
}
