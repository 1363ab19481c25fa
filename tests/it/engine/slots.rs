//! Slots: as many jobs as allowed run at once and never more, and checks of finished work go first.

use super::Yard;
use crate::support::until;

#[test]
fn as_many_jobs_as_allowed_run_at_once_and_never_more() {
    let yard = Yard::new();
    yard.settings("  max_parallel_jobs: 3\n");
    let script = "[[run echo + >> @slots]] [[until @go]] [[write a.txt a]] [[run echo - >> @slots]]";
    yard.tickets(&[script; 8]);
    let engine = yard.engine(&[]);
    until("three run", || yard.journal("slots").len() == 3);
    yard.give("go");
    engine.wait().ok();
    let (mut running, mut most) = (0, 0);
    for sign in yard.journal("slots") {
        running += if sign == "+" { 1 } else { -1 };
        most = most.max(running);
    }
    assert_eq!((running, most), (0, 3));
    yard.assert_tidy(8);
}

#[test]
fn the_check_of_finished_work_goes_before_new_work() {
    let yard = Yard::new();
    let check = yard.script("sh -c 'echo check >> @order'");
    yard.checks(&[&check]);
    yard.world.draft(&["trust"]).ok();
    yard.tickets(&["[[run echo agent >> @order]] [[write a.txt a]]"; 3]);
    yard.run(&["--max-parallel", "1"]).ok();
    assert_eq!(yard.journal("order"), ["agent", "check", "agent", "check", "agent", "check"]);
}
