//! The target moves: what waits is checked again on the result, by an engine that has nothing else to do.

use std::fs;

use serde_json::json;

use super::{Shown, Yard};
use crate::support::pty::Pty;
use crate::support::{Size, until};

/// A check that says where it runs, passes unless two files are there together, and waits in work trees of landings until it may.
const CHECK: &str = "sh check.sh";

fn yard() -> Yard {
    let yard = Yard::with_checks(&[CHECK]);
    let script = "case $PWD in */landings/*) echo $PWD >> @ran; touch @began; until test -e @go; do sleep 0.02; done;; esac\n\
                  test ! -e a.txt -o ! -e b.txt\n";
    yard.world.write("check.sh", yard.script(script));
    yard.world.commit("a check");
    yard
}

/// Makes an approved change for each name, and then a commit on the target.
fn approved(yard: &Yard, names: &[&str]) {
    yard.tickets(&names.iter().map(|name| format!("[[write {name}.txt x]] [[say made]]")).collect::<Vec<_>>());
    yard.run(&[]).ok();
    for number in 1..=names.len() {
        yard.world.draft(&["review", &number.to_string(), "--approve"]).ok();
    }
    yard.world.write("meanwhile.txt", "moved\n");
    yard.world.commit("meanwhile");
}

fn board(yard: &Yard) -> Pty {
    yard.world.draft_in_terminal(Size::new(200, 50), &[])
}

fn checks(shown: &Shown) -> &str {
    shown.value["landing"]["proof"]["checks"].as_str().unwrap_or("nothing is known")
}

#[test]
fn a_recheck_survives_its_engine_and_the_landing_that_is_asked_for_meanwhile_takes_it_over() {
    let yard = yard();
    approved(&yard, &["a"]);
    assert_eq!(checks(&yard.show(1)), "unknown");
    let mut screen = board(&yard);
    yard.await_sign("began");
    screen.kill_9();
    fs::remove_file(yard.sign("began")).unwrap();
    assert_eq!(yard.show(1).job("land")["recheck"], true);
    yard.show(1).assert("needs_human (approved)", "");

    // The check that was begun goes on, and is gone on with.
    let screen = board(&yard);
    screen.until_shows("Ticket 1");
    let merging = yard.world.draft_in_background(&["merge", "1"]);
    until("the landing is asked for", || yard.show(1).job("land")["recheck"] == false);
    yard.give("go");
    merging.wait().ok();
    yard.show(1).assert("done", "landed on main as");
    screen.keys("q");
    assert_eq!(yard.world.git(&["log", "-1", "--format=%s"]), "Ticket 1");
    let left = fs::read_dir(yard.world.data().join("landings")).unwrap();
    assert_eq!(left.flat_map(|board| fs::read_dir(board.unwrap().path()).unwrap()).count(), 0);
}

#[test]
fn what_fails_on_the_moved_target_says_so_and_stays_where_it_is_and_what_is_stopped_is_not_begun_again() {
    let yard = yard();
    approved(&yard, &["a", "b"]);
    yard.give("go");
    yard.world.draft(&["merge", "1"]).ok();
    let before = yard.show(2);
    let screen = board(&yard);
    screen.until_shows("✗ on main");
    let shown = yard.show(2);
    let proof = &shown.value["landing"]["proof"];
    assert_eq!((&proof["checks"], &proof["command"]), (&json!("failed"), &json!(CHECK)));
    let beside = shown.value["landing"]["beside"].as_array().unwrap();
    assert!(beside[0].as_str().unwrap().ends_with("Ticket 1"), "it names what it fails together with: {beside:?}");
    assert_eq!((shown.state(), &shown.value["updated_at"]), (before.state(), &before.value["updated_at"]));
    let told = shown.value["events"].as_array().unwrap().iter().any(|event| {
        event["reason"]
            .as_str()
            .is_some_and(|said| said.contains("exited with code 1 on the result of the merge together with"))
    });
    assert!(told, "{:#}", shown.value["events"]);

    // The target moves on; what is checked then is stopped by its person, and nobody begins it again.
    fs::remove_file(yard.sign("go")).unwrap();
    fs::remove_file(yard.sign("began")).unwrap();
    yard.world.git(&["rm", "--quiet", "a.txt"]);
    yard.world.commit("without a");
    screen.keys("q");
    drop(screen);
    let screen = board(&yard);
    yard.await_sign("began");
    let ran = yard.journal("ran").len();
    yard.world.draft(&["cancel", "2"]).ok();
    until("it is stopped", || yard.show(2).jobs("land").iter().all(|job| job["status"] != "running"));
    let shown = yard.show(2);
    assert_eq!((checks(&shown), shown.state()), ("unknown", before.state()));
    assert_eq!(shown.jobs("land").last().unwrap()["status"], "canceled");
    screen.until_shows("to recheck");
    assert_eq!(yard.journal("ran").len(), ran);
    screen.keys("q");
}
