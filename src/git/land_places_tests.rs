//! Repositories of all sorts, onto which a change lands, or is refused with the reason; and what is the user's own stays bit for
//! bit, but for the fast-forward.

use std::fs;
use std::time::Duration;

use super::Repo;
use super::land::*;
use super::land_cells::{CELLS, Cell, End, LARGE};
use super::land_testing::{Landed, in_turn, is_large, land};
use super::land_user_cells as user;
use super::own::Own;
use super::testing::{Sandbox, executable, write};
use super::worktree::{Plan, create};
use crate::domain::landing::{Intent, Strategy};

fn lands(cell: &Cell, strategy: Strategy) {
    let name = format!("{}, by {strategy}", cell.name);
    let sandbox = Sandbox::new();
    let main = sandbox.main();
    write(&main, "mine.txt", "tracked\n");
    sandbox.commit(&main, "a file that nobody's change is about");
    (cell.repository)(&sandbox, &main);
    fs::create_dir_all(main.join(".git/hooks")).unwrap();
    let worktree = sandbox.worktree("1-x").worktree;
    (cell.change)(&sandbox, &worktree.path);
    sandbox.run(&worktree.path, "add -A");
    let commit = ["commit", "-q", "--no-verify", "--allow-empty", "--no-gpg-sign", "-m", "the change"];
    sandbox.git.writing(&worktree.path).args(commit).run_to(&[1]).unwrap();
    let head = sandbox.run(&worktree.path, "rev-parse HEAD");
    (cell.user)(&sandbox, &main);

    let repo = sandbox.repo();
    let before = Own::of(&sandbox, &main);
    let landed = land(&sandbox, &repo, "main", strategy, (&worktree.base, &head), &name);
    let after = Own::of(&sandbox, &main);
    match (landed, cell.end) {
        (Landed::Made { from, commit, moved: Moved::Done }, End::Follows) => {
            before.assert_forwarded(&after, &sandbox, ("main", &from, &commit), &name);
            assert_eq!(sandbox.run(&main, "rev-parse HEAD"), commit, "{name}");
        }
        (Landed::Made { moved: Moved::Done, .. }, End::Aside) => before.assert_same(&after, "main", &name),
        (Landed::Made { moved: Moved::Refused(reason), .. }, End::Refused(wanted))
        | (Landed::NotMade(reason), End::NotMade(wanted)) => {
            assert!(reason.contains(wanted), "{name}: {reason}");
            before.assert_same(&after, "main", &name);
        }
        (other, _) => panic!("{name}: {other:?}"),
    }
}

/// All cells take their time, so each strategy, and each half of the cells, is a test of its own.
fn all(strategy: Strategy, half: usize) {
    let cells = CELLS.iter().chain(user::MAKERS).skip(half).step_by(2);
    none_fails(cells.map(|cell| (cell, strategy)));
}

/// All that fail are told.
fn none_fails<'a>(cells: impl IntoIterator<Item = (&'a Cell, Strategy)>) {
    let fails = |(cell, strategy): &(&Cell, Strategy)| std::panic::catch_unwind(|| lands(cell, *strategy)).is_err();
    let failed: Vec<String> =
        cells.into_iter().filter(fails).map(|(cell, strategy)| format!("{} by {strategy}", cell.name)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn whatever_its_user_is_at_a_change_lands_or_says_why_not() {
    none_fails(in_turn(user::CELLS));
}

/// Minutes: `DRAFT_TEST_LARGE=1` runs it. The bench `land` measures such landings.
#[test]
fn large_repositories_take_a_change_or_say_why_not() {
    if !is_large() {
        return;
    }
    none_fails(in_turn(LARGE));
}

#[test]
fn every_repository_takes_a_squashed_change_or_says_why_not() {
    all(Strategy::Squash, 0);
}

#[test]
fn every_repository_takes_a_squashed_change_or_says_why_not_the_other_half() {
    all(Strategy::Squash, 1);
}

#[test]
fn every_repository_takes_a_merged_change_or_says_why_not() {
    all(Strategy::Merge, 0);
}

#[test]
fn every_repository_takes_a_merged_change_or_says_why_not_the_other_half() {
    all(Strategy::Merge, 1);
}

#[test]
fn every_repository_takes_a_rebased_change_or_says_why_not() {
    all(Strategy::Rebase, 0);
}

#[test]
fn every_repository_takes_a_rebased_change_or_says_why_not_the_other_half() {
    all(Strategy::Rebase, 1);
}

/// A repository whose `main` can take a change; returns where it is to come from.
fn place() -> (Sandbox, Intent) {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "made.txt", "made\n");
    let to = sandbox.commit(&worktree.path, "the change");
    (sandbox, Intent { branch: "main".into(), from: worktree.base, to })
}

#[test]
fn a_target_with_folders_in_its_name_is_as_good_as_another() {
    let sandbox = Sandbox::new();
    let main = sandbox.main();
    sandbox.run(&main, "checkout -q -b release/1.x");
    let path = sandbox.worktrees().join("1-x");
    let plan = Plan { path: &path, branch: "draft/1-x", base_branch: "release/1.x", existing: None, on_top: None };
    let worktree = create(&sandbox.repo(), &plan).unwrap().worktree;
    write(&worktree.path, "made.txt", "made\n");
    let to = sandbox.commit(&worktree.path, "the change");
    let before = Own::of(&sandbox, &main);
    let intent = Intent { branch: "release/1.x".into(), from: worktree.base.clone(), to: to.clone() };
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Done);
    let moved = ("release/1.x", intent.from.as_str(), to.as_str());
    before.assert_forwarded(&Own::of(&sandbox, &main), &sandbox, moved, "a name with a slash");
}

#[test]
fn a_target_that_is_not_there_is_told() {
    let (sandbox, intent) = place();
    sandbox.run(&sandbox.main(), "checkout -q --detach");
    sandbox.run(&sandbox.main(), "branch -q -D main");
    let before = Own::of(&sandbox, &sandbox.main());
    assert_eq!(move_target(&sandbox.repo(), &intent, "note").unwrap(), Moved::Elsewhere);
    let error = sandbox.repo().commit_of("main").unwrap_err().to_string();
    assert!(error.contains("no branch `main`"), "{error}");
    before.assert_same(&Own::of(&sandbox, &sandbox.main()), "main", "no target");
}

#[test]
fn refs_in_tables_are_refused_in_words() {
    let sandbox = Sandbox::empty();
    let main = sandbox.main();
    let init = ["init", "-q", "--ref-format=reftable", main.to_str().unwrap()];
    if sandbox.git.writing(sandbox.dir()).args(init).run().is_err() {
        return; // This git does not have them yet.
    }
    sandbox.write("a.txt", "a\n");
    sandbox.commit(&main, "start");
    let before = Own::of(&sandbox, &main);
    let error = Repo::discover(&sandbox.git, &main).unwrap_err().to_string();
    assert!(error.contains("reftable") && error.contains("git refs migrate"), "{error}");
    before.assert_same(&Own::of(&sandbox, &main), "main", "reftable");
}

/// Combines a change of one new file with its target; `hook` is the name of a hook with that text.
fn combined(hook: (&str, &str), strategy: Strategy, patience: Duration) -> (Sandbox, Combined, bool) {
    let (sandbox, intent) = place();
    executable(&sandbox.main().join(".git/hooks").join(hook.0), &format!("#!/bin/sh\n{}\n", hook.1));
    let repo = sandbox.repo();
    let scratch = Scratch::at(&repo, &sandbox.dir().join("landing"), &intent.from).unwrap().with_patience(patience);
    let change = Change { base: &intent.from, head: &intent.to, message: "landed\n" };
    let combined = scratch.combine(strategy, change).unwrap();
    let is_clean = sandbox.run(scratch.path(), "status --porcelain").is_empty();
    scratch.clear().unwrap();
    (sandbox, combined, is_clean)
}

#[test]
fn what_a_hook_adds_lands_and_what_it_only_writes_is_not_checked() {
    let long = Duration::from_secs(60);
    let text = "echo formatted >made.txt; git add made.txt; echo more >>made.txt; echo junk >junk.txt";
    let (sandbox, made, is_clean) = combined(("pre-commit", text), Strategy::Squash, long);
    let Combined::Made { commit, .. } = made else { panic!("{made:?}") };
    assert_eq!(sandbox.run(&sandbox.main(), &format!("show {commit}:made.txt")), "formatted");
    assert!(is_clean, "what is checked is what lands");

    let text = "echo 'Reviewed-by: a hook' >>\"$1\"";
    for hook in ["prepare-commit-msg", "commit-msg"] {
        for strategy in [Strategy::Squash, Strategy::Merge] {
            let (sandbox, made, _) = combined((hook, text), strategy, long);
            let Combined::Made { commit, .. } = made else { panic!("{made:?}") };
            let message = sandbox.run(&sandbox.main(), &format!("log -1 --format=%B {commit}"));
            assert!(message.contains("Reviewed-by: a hook"), "{hook}, {strategy}: {message}");
        }
    }
}

#[test]
fn a_hook_that_hangs_is_stopped_and_told() {
    let (sandbox, made, _) = combined(("pre-commit", "sleep 1000"), Strategy::Squash, Duration::from_millis(500));
    assert!(matches!(&made, Combined::Refused(reason) if reason.contains("did not end within")), "{made:?}");
    assert_eq!(sandbox.run(&sandbox.main(), "worktree list").lines().count(), 2);
}

#[test]
fn what_lands_is_signed_in_every_way() {
    let (sandbox, intent) = place();
    let key = sandbox.dir().join("key");
    let make =
        std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    if !make.is_ok_and(|made| made.success()) {
        return; // There is no ssh here.
    }
    let main = sandbox.main();
    sandbox.run(&main, "config gpg.format ssh");
    sandbox.args(&main, ["config", "user.signingKey", key.to_str().unwrap()]);
    sandbox.run(&main, "config commit.gpgSign true");
    let repo = sandbox.repo();
    for strategy in Strategy::ALL {
        let scratch = Scratch::at(&repo, &sandbox.dir().join("landing"), &intent.from).unwrap();
        let change = Change { base: &intent.from, head: &intent.to, message: "landed\n" };
        let made = scratch.combine(*strategy, change).unwrap();
        scratch.clear().unwrap();
        let Combined::Made { commit, .. } = made else { panic!("{strategy}: {made:?}") };
        let commit = sandbox.run(&main, &format!("cat-file commit {commit}"));
        assert!(commit.contains("BEGIN SSH SIGNATURE"), "{strategy}: {commit}");
    }
}

#[test]
fn branches_of_the_user_at_commits_of_the_change_stay() {
    let (sandbox, intent) = place();
    let main = sandbox.main();
    sandbox.run(&main, "config rebase.updateRefs true");
    sandbox.run(&main, &format!("branch mine {}", intent.to));
    sandbox.write("meanwhile.txt", "m\n");
    let from = sandbox.commit(&main, "meanwhile");
    let before = Own::of(&sandbox, &main);
    let repo = sandbox.repo();
    let scratch = Scratch::at(&repo, &sandbox.dir().join("landing"), &from).unwrap();
    let change = Change { base: &intent.from, head: &intent.to, message: "landed\n" };
    assert!(matches!(scratch.combine(Strategy::Rebase, change).unwrap(), Combined::Made { .. }));
    scratch.clear().unwrap();
    before.assert_same(&Own::of(&sandbox, &main), "main", "rebase.updateRefs");
}
