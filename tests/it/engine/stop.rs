//! Cancelling, and leaving: what is stopped is gone with its whole tree, and what is left goes on.

use rustix::process::Signal;

use super::{Yard, is_alive, pid_in};
use crate::support::until;

#[test]
fn a_second_interrupt_cancels_what_runs_and_leaves_what_is_queued() {
    let yard = Yard::new();
    yard.tickets(&[
        "[[run echo $PPID > @pid]] [[daemon 600]] [[fork 600]] [[stubborn]] [[say work]] [[write a.txt a]] \
         [[touch @ready]] [[hang]]",
        "[[run echo two >> @starts]]",
    ]);
    let engine = yard.engine(&["--max-parallel", "1"]);
    yard.await_sign("ready");
    engine.signal(Signal::INT);
    until("the first is heard", || engine.stderr().contains("press Ctrl-C again"));
    assert!(is_alive(pid_in(&yard.sign("pid"))), "the first interrupt stops nothing");
    engine.signal(Signal::INT);
    engine.wait().exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (canceled)", "its execute job was canceled").assert_executed("canceled", None, None);
    assert_eq!(shown.runs("execute")[0]["status"], "canceled");
    assert!(shown.worktree().join("a.txt").exists(), "the work of a canceled agent is not deleted");
    assert_eq!(yard.show(2).job("execute")["status"], "queued");
    assert_eq!(yard.journal("starts"), [""; 0]);
    yard.assert_tidy(1);

    yard.run(&[]).exits(1);
    assert_eq!(yard.journal("starts"), ["two"], "what was queued runs next time");
    yard.show(1).assert("blocked (canceled)", "").assert_executed("canceled", None, None);
}

#[test]
fn a_first_interrupt_lets_what_runs_end_and_starts_nothing_more() {
    let yard = Yard::new();
    yard.tickets(&["[[touch @ready]] [[until @go]] [[write a.txt a]]", "[[run echo two >> @starts]]"]);
    let engine = yard.engine(&["--max-parallel", "1"]);
    yard.await_sign("ready");
    engine.signal(Signal::INT);
    until("it is heard", || engine.stderr().contains("press Ctrl-C again"));
    yard.give("go");
    engine.wait().exits(1);
    let shown = yard.show(1);
    shown.assert_executed("succeeded", Some(0), None);
    assert_eq!((shown.state().as_str(), &shown.job("verify")["status"]), ("verifying", &"queued".into()));
    assert_eq!(yard.journal("starts"), [""; 0]);
}

#[test]
fn a_terminated_engine_leaves_its_agents_running_and_the_next_one_takes_them_back() {
    let yard = Yard::new();
    yard.tickets(&["[[run echo one >> @starts; echo $PPID > @pid]] [[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    engine.signal(Signal::TERM);
    assert!(!engine.wait().status.success());
    assert!(is_alive(pid_in(&yard.sign("pid"))));
    yard.give("go");
    yard.run(&[]).ok();
    yard.show(1).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    assert_eq!(yard.journal("starts"), ["one"]);
    yard.assert_tidy(1);
}

#[test]
fn a_cancel_that_was_stored_is_carried_out_by_the_next_engine() {
    let yard = Yard::new();
    yard.tickets(&["[[daemon 600]] [[stubborn]] [[touch @ready]] [[hang]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    engine.signal(Signal::INT);
    until("the first is heard", || engine.stderr().contains("press Ctrl-C again"));
    engine.signal(Signal::INT);
    until("the second is heard", || engine.stderr().contains("canceling what runs"));
    // The agent ignores the polite signal, so it still lives, and whether its supervisor has heard of it does not matter.
    engine.kill_9();
    yard.run(&[]).exits(1);
    yard.show(1).assert("blocked (canceled)", "").assert_executed("canceled", None, None);
    yard.assert_tidy(1);
}
