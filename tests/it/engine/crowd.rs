//! Many landings at once on a target that others move too: each commit of the target is green, and every ticket says what became
//! of it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Shown, Yard};
use crate::support::running::Running;
use crate::support::until_within;

/// The check: two files may not be there together.
const CHECK: &str = "sh -c 'test ! -e red-a.txt -o ! -e red-b.txt'";
/// How many commits others make meanwhile.
const OTHERS: usize = 4;
/// How long all of it may take on a busy machine.
const LONG: Duration = Duration::from_secs(240);

/// What the tickets do: most have files of their own, two conflict, two are green alone and red together, two do the same.
fn scripts() -> Vec<String> {
    let mut all: Vec<String> = (1..=6).map(|n| format!("[[write own-{n}.txt {n}\\n]]")).collect();
    all.extend(["[[write both.txt one\\n]]", "[[write both.txt two\\n]]"].map(str::to_owned));
    all.extend(["[[write red-a.txt a\\n]]", "[[write red-b.txt b\\n]]"].map(str::to_owned));
    all.extend(["[[write same.txt same\\n]]", "[[write same.txt same\\n]]"].map(str::to_owned));
    all
}

/// Makes a commit in the user's checkout each time the target has moved, as somebody does who works there too.
fn work_beside(yard: &Yard, is_over: &AtomicBool) -> usize {
    let reference = yard.world.repo().join(".git/refs/heads/main");
    let tip = || fs::read_to_string(&reference).unwrap_or_default();
    let mut seen = tip();
    for made in 0..OTHERS {
        until_within(LONG, "the target has moved, or all is over", || tip() != seen || is_over.load(Ordering::Relaxed));
        if is_over.load(Ordering::Relaxed) {
            return made;
        }
        let name = format!("others-{made}.txt");
        yard.world.write(&name, "others\n");
        // A landing may hold git's locks for a moment; who meets that tries again.
        let commit = format!("git add {name} && git commit --quiet -m 'by others {made}' -- {name}");
        until_within(LONG, "others can commit", || {
            let done = yard.world.start(yard.world.command("sh").args(["-c", &commit])).wait();
            done.status.success()
        });
        seen = tip();
    }
    OTHERS
}

#[test]
fn twelve_tickets_that_land_at_once_on_a_moving_target_all_say_what_became_of_them() {
    let yard = Yard::with_checks(&[CHECK]);
    let scripts = scripts();
    yard.tickets(&scripts);
    yard.run(&["--max-parallel", "4"]).ok();
    let numbers: Vec<usize> = (1..=scripts.len()).collect();
    for number in &numbers {
        yard.world.draft(&["review", &number.to_string(), "--approve"]).ok();
    }
    let is_over = AtomicBool::new(false);
    let others = std::thread::scope(|scope| {
        let beside = scope.spawn(|| work_beside(&yard, &is_over));
        let mut merges: Vec<_> =
            numbers.iter().map(|number| yard.world.draft_in_background(&["merge", &number.to_string()])).collect();
        until_within(LONG, "all landings are over", || {
            let over = merges.iter_mut().all(Running::has_ended);
            is_over.store(over, Ordering::Relaxed);
            over
        });
        beside.join().unwrap()
    });
    // One that others outran five times in a row says so, and lands when it is told to again.
    let all: Vec<Shown> = numbers.iter().map(|number| yard.show(*number)).collect();
    for shown in all.iter().filter(|shown| shown.reason().contains("land it again")) {
        let _ = yard.world.draft(&["merge", &shown.value["number"].to_string()]);
    }

    let all: Vec<Shown> = numbers.iter().map(|number| yard.show(*number)).collect();
    let done = all.iter().filter(|shown| shown.state() == "done").count();
    for shown in &all {
        let (state, reason) = (shown.state(), shown.reason());
        let is_told = match state.as_str() {
            "done" => reason.contains("landed on main as") || reason.contains("main has its change already"),
            "needs_human (conflict)" => reason == "conflicts with main: both.txt",
            "needs_human (landing)" => reason.contains("exited with code 1 on the result of the merge together with"),
            _ => false,
        };
        assert!(is_told, "{state}: {reason}");
    }
    assert_eq!(done, scripts.len() - 2, "one of each two that do not go together lands");
    // Each landed ticket is one commit, but the one whose change was there already.
    let log = yard.world.git(&["log", "--first-parent", "--format=%H", "main"]);
    let commits: Vec<&str> = log.lines().collect();
    assert_eq!(commits.len(), 2 + others + done - 1, "{}", yard.world.git(&["log", "--oneline"]));
    for commit in commits {
        let files = yard.world.git(&["ls-tree", "--name-only", commit]);
        let has = |name: &str| files.lines().any(|file| file == name);
        assert!(!has("red-a.txt") || !has("red-b.txt"), "{commit} is red: {files}");
    }
    let boards = fs::read_dir(yard.world.data().join("landings")).into_iter().flatten();
    let left = boards.flat_map(|board| fs::read_dir(board.unwrap().path()).unwrap()).count();
    assert_eq!(left, 0, "no work tree of a landing is left");
    // Those that did not land keep their worktree and branch, and all others went.
    yard.assert_tidy(2);
}
