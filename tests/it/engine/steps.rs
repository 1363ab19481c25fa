//! Kill -9 between the steps of a job: at every call of git, before and after it, and where an agent or a check waits.
//!
//! A `git` of the test's own stands before the real one and stops at the call that the test names, so a step is found
//! without sleeping. Killed there, an engine has done everything before the step and nothing after it.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::{Yard, is_alive, pid_in};
use crate::support::until;

/// Where in a call of git the engine is killed.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    /// Git has not begun. It dies with the engine.
    Before,
    /// Git has done its work, and the engine has not heard of it.
    After,
}

/// What the killed engine's git does meanwhile.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Orphan {
    /// It dies too, as when the power fails.
    Dies,
    /// It goes on while the next engine works already.
    GoesOn,
}

/// Stands before git: counts the calls that an engine makes, and stops in the one that the test names.
pub(super) fn guard_git(yard: &Yard) {
    let git = fs::canonicalize(yard.world.folder().join("bin/git")).unwrap();
    let script = format!(
        r#"signs={signs}
[ -e "$signs/plan" ] || exec {git} "$@"
echo "$*" >> "$signs/calls"
read number place < "$signs/plan"
[ "$(wc -l < "$signs/calls")" -eq "$number" ] || exec {git} "$@"
stop() {{ echo $$ > "$signs/stopped"; until [ -e "$signs/release" ]; do sleep 0.01; done; }}
[ "$place" = After ] || stop
{git} "$@"
code=$?
[ "$place" = Before ] || stop
exit $code"#,
        signs = yard.signs().display(),
        git = git.display(),
    );
    yard.world.install("git", &script);
}

/// A yard with checks, whose agents and checks journal their starts in files of their tickets.
pub(super) fn checked_yard() -> Yard {
    let yard = Yard::new();
    let check = yard.script("sh -c 'echo check >> @starts-$DRAFT_TICKET; test -e made.txt'");
    yard.checks(&[&check]);
    yard.world.draft(&["trust"]).ok();
    guard_git(&yard);
    yard
}

/// Files the next ticket; from then on the calls of git are counted, and the one with that number stops.
pub(super) fn next_ticket(yard: &Yard, number: usize, place: &str) {
    let _ = fs::remove_file(yard.sign("plan"));
    let script = "[[run echo agent >> @starts-$DRAFT_TICKET]] [[write made.txt made\\n]] [[say made]]";
    yard.tickets(&[script]);
    for sign in ["calls", "stopped", "release"] {
        let _ = fs::remove_file(yard.sign(sign));
    }
    fs::write(yard.sign("plan"), format!("{number} {place}")).unwrap();
}

/// Looks that a ticket and all around it is as if nobody had been killed.
fn assert_done(yard: &Yard, ticket: usize, when: &str) {
    let _ = fs::remove_file(yard.sign("plan"));
    let shown = yard.show(ticket);
    assert_eq!(shown.state(), "needs_human (review)", "{when}: {:#}", shown.value);
    shown.assert("needs_human (review)", "its check passed").assert_executed("succeeded", Some(0), None);
    assert_eq!(yard.journal(&format!("starts-{ticket}")), ["agent", "check"], "each was started once: {when}");
    assert_eq!(shown.evidence().len(), 2, "{when}");
    assert_eq!(shown.revisions().len(), 1, "{when}");
    let folder = format!("refs/draft/revisions/{}", shown.id());
    let refs = yard.world.git(&["for-each-ref", "--format=%(refname) %(objectname)", &folder]);
    assert_eq!(refs, format!("{folder}/1 {}", shown.revisions()[0]["head"].as_str().unwrap()), "{when}");
    let worktree = shown.worktree();
    assert_eq!(worktree.file_name().unwrap().to_str().unwrap(), format!("{ticket}-ticket-1"), "{when}");
    let status = yard.world.git(&["-C", worktree.to_str().unwrap(), "status", "--porcelain"]);
    assert_eq!(status, "?? made.txt", "{when}");
    let beside: Vec<_> = fs::read_dir(worktree.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), ticket, "only worktrees are left: {when}: {beside:?}");
    yard.assert_tidy(ticket);
}

/// Kills the engine at that call, lets the next one go on, and looks at the end.
fn killed_at(yard: &Yard, ticket: usize, number: usize, call: &str, place: Place, orphan: Orphan) {
    let when = format!("killed {place:?} call {number} `{call}`, and git {orphan:?}");
    next_ticket(yard, number, &format!("{place:?}"));
    let engine = yard.engine(&[]);
    let git = pid_in(&yard.sign("stopped"));
    engine.kill_9();
    fs::write(yard.sign("plan"), "0 Never").unwrap();
    match orphan {
        Orphan::Dies => {
            // What git itself started may live a moment longer than the one that waits.
            until(&format!("git is gone: {when}"), || {
                let left = yard.world.processes();
                left.iter().filter(|one| !one.command.contains("supervise")).for_each(|one| one.signal(Signal::KILL));
                !is_alive(git)
            });
            let _ = yard.run(&[]);
        }
        Orphan::GoesOn => {
            let next = yard.engine(&[]);
            // It may call no git before the orphan lets go of what it holds.
            until(&format!("the next engine has begun: {when}"), || {
                let boards = yard.world.draft(&["board", "list", "--json"]).ok().json();
                boards["boards"][0]["engine"] == next.pid()
            });
            yard.give("release");
            let _ = next.wait();
        }
    }
    assert_done(yard, ticket, &when);
}

/// Calls that change something, by a part of their command line.
const CHANGING: [&str; 3] = ["update-ref", "worktree add", "reset --hard"];

/// Kills engines at every `step`-th call from `first` on, in turn before and after it, and at those that change
/// something in every way.
fn kill_at_calls(first: usize, step: usize) {
    let yard = checked_yard();
    next_ticket(&yard, 0, "Never");
    yard.run(&[]).ok();
    assert_done(&yard, 1, "undisturbed");
    let calls = yard.journal("calls");
    assert!(calls.len() > 4 && CHANGING.iter().all(|part| calls.iter().any(|call| call.contains(part))), "{calls:#?}");
    let all = [
        (Place::After, Orphan::Dies),
        (Place::Before, Orphan::GoesOn),
        (Place::After, Orphan::GoesOn),
        (Place::Before, Orphan::Dies),
    ];
    let mut ticket = 1;
    for (index, call) in calls.iter().enumerate().skip(first).step_by(step) {
        let changes = CHANGING.iter().any(|part| call.contains(part));
        let places = if changes { &all[..] } else { &all[(index / step) % 4..][..1] };
        for (place, orphan) in places {
            ticket += 1;
            killed_at(&yard, ticket, index + 1, call, *place, *orphan);
        }
    }
}

#[test]
fn a_job_ends_right_wherever_its_engine_is_killed() {
    kill_at_calls(0, 2);
}

#[test]
fn a_job_ends_right_wherever_its_engine_is_killed_the_other_half() {
    kill_at_calls(1, 2);
}

#[test]
fn an_engine_that_is_killed_while_a_supervisor_is_held_up_finds_the_run_again() {
    let yard = checked_yard();
    yard.tickets(&["[[run echo agent >> @starts-1]] [[touch @ready]] [[until @go]] [[write made.txt made\\n]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    let supervisors = yard.supervisors();
    let (_, supervisor) = supervisors.first_key_value().unwrap();
    let supervisor = Pid::from_raw(*supervisor).unwrap();
    kill_process(supervisor, Signal::STOP).unwrap();
    engine.kill_9();
    let engine = yard.engine(&[]);
    yard.give("go");
    engine.until_printed("");
    kill_process(supervisor, Signal::CONT).unwrap();
    engine.wait().ok();
    assert_done(&yard, 1, "held up");
}

#[test]
fn a_job_that_was_only_queued_when_its_engine_was_killed_runs_once() {
    let yard = checked_yard();
    next_ticket(&yard, 0, "Never");
    // This process is an engine for one command: it queues the job and leaves it.
    yard.world.draft(&["ticket", "move", "1", "executing"]).ok();
    assert_eq!(yard.show(1).job("execute")["status"], "queued");
    yard.run(&[]).ok();
    assert_done(&yard, 1, "queued");
}
