//! Landing with real git: what comes onto the target, and that nothing of the user's own is touched.

use std::fs;
use std::path::PathBuf;

use super::land::*;
use super::testing::{Sandbox, executable, write};
use crate::domain::landing::{Intent, Strategy};
use crate::domain::outlook::ConflictFile;

/// A repository with a ticket's worktree, whose branch has two commits.
struct Place {
    sandbox: Sandbox,
    base: String,
    head: String,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        write(&worktree.path, "new.txt", "1\n");
        sandbox.commit(&worktree.path, "first");
        write(&worktree.path, "a.txt", "one\n2\nthree\n");
        let head = sandbox.commit(&worktree.path, "second");
        Self { sandbox, base: worktree.base, head }
    }

    fn scratch(&self) -> PathBuf {
        self.sandbox.dir().join("landings/1")
    }

    fn target(&self) -> String {
        self.sandbox.run(&self.sandbox.main(), "rev-parse refs/heads/main")
    }

    fn change(&self) -> Change<'_> {
        Change { base: &self.base, head: &self.head, message: "A title (#1)\n\nMore.\n\nDraft-Ticket: 1\n" }
    }

    /// Combines the change with the target and moves it.
    fn land(&self, strategy: Strategy) -> (Combined, Option<Moved>) {
        let repo = self.sandbox.repo();
        let from = self.target();
        let scratch = Scratch::at(&repo, &self.scratch(), &from).unwrap();
        let combined = scratch.combine(strategy, self.change()).unwrap();
        scratch.clear().unwrap();
        assert!(!self.scratch().exists());
        let list = self.sandbox.run(&self.sandbox.main(), "worktree list");
        assert!(!list.contains("landings"), "{list}");
        let Combined::Made { commit, .. } = &combined else { return (combined, None) };
        let intent = Intent { branch: "main".into(), from, to: commit.clone() };
        let moved = move_target(&repo, &intent, "draft: #1 landed").unwrap();
        (combined, Some(moved))
    }

    fn log(&self) -> Vec<String> {
        let said = self.sandbox.run(&self.sandbox.main(), "log --format=%s refs/heads/main");
        said.lines().map(str::to_owned).collect()
    }
}

#[test]
fn each_strategy_brings_the_change_in_its_own_way() {
    for (strategy, subjects) in [
        (Strategy::Squash, &["A title (#1)", "meanwhile", "start"][..]),
        (Strategy::Merge, &["A title (#1)", "meanwhile", "second", "first", "start"]),
        (Strategy::Rebase, &["second", "first", "meanwhile", "start"]),
    ] {
        let place = Place::new();
        place.sandbox.write("other.txt", "o\n");
        place.sandbox.commit(&place.sandbox.main(), "meanwhile");
        let (combined, moved) = place.land(strategy);
        assert!(matches!(combined, Combined::Made { .. }), "{strategy}: {combined:?}");
        assert_eq!(moved, Some(Moved::Done), "{strategy}");
        let mut log = place.log();
        let mut wanted: Vec<String> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        // Commits of the same second have no order of their own.
        log.sort();
        wanted.sort();
        assert_eq!(log, wanted, "{strategy}");
        assert_eq!(fs::read_to_string(place.sandbox.main().join("new.txt")).unwrap(), "1\n", "{strategy}");
        let status = place.sandbox.run(&place.sandbox.main(), "status --porcelain");
        assert_eq!(status, "", "{strategy}");
    }
}

#[test]
fn a_message_keeps_its_trailers_and_lines_that_begin_with_a_hash() {
    let place = Place::new();
    place.land(Strategy::Squash);
    let message = place.sandbox.run(&place.sandbox.main(), "log -1 --format=%B");
    assert_eq!(message.trim_end(), "A title (#1)\n\nMore.\n\nDraft-Ticket: 1");
}

#[test]
fn changes_of_the_user_stay_and_those_in_the_way_are_named() {
    let place = Place::new();
    let main = place.sandbox.main();
    place.sandbox.write("src/b.txt", "mine\n");
    place.sandbox.write("untracked.txt", "mine too\n");
    place.sandbox.run(&main, "add src/b.txt");
    let (_, moved) = place.land(Strategy::Squash);
    assert_eq!(moved, Some(Moved::Done));
    assert_eq!(place.sandbox.run(&main, "status --porcelain"), "M  src/b.txt\n?? untracked.txt");
    assert_eq!(place.sandbox.run(&main, "stash list"), "");

    let place = Place::new();
    place.sandbox.write("a.txt", "mine\n");
    place.sandbox.write("new.txt", "mine\n");
    let before = place.sandbox.checkout();
    let (_, moved) = place.land(Strategy::Squash);
    let Some(Moved::Refused(reason)) = moved else { panic!("{moved:?}") };
    assert!(reason.contains("a.txt") && reason.contains("new.txt"), "{reason}");
    assert_eq!(place.sandbox.checkout(), before);
    assert_eq!(place.log(), ["start"]);
}

#[test]
fn a_target_that_is_not_checked_out_moves_by_itself() {
    for other in ["checkout -q -b elsewhere", "checkout -q --detach"] {
        let place = Place::new();
        place.sandbox.run(&place.sandbox.main(), other);
        place.sandbox.write("a.txt", "mine\n");
        let before = place.sandbox.checkout();
        let (_, moved) = place.land(Strategy::Squash);
        assert_eq!(moved, Some(Moved::Done), "{other}");
        assert_eq!(place.sandbox.checkout(), before, "{other}");
        assert_eq!(place.log()[0], "A title (#1)");
    }
}

#[test]
fn a_target_that_is_checked_out_elsewhere_follows_there() {
    let place = Place::new();
    let main = place.sandbox.main();
    place.sandbox.run(&main, "checkout -q --detach");
    let there = place.sandbox.dir().join("there");
    place.sandbox.args(&main, ["worktree", "add", "-q", there.to_str().unwrap(), "main"]);
    let (_, moved) = place.land(Strategy::Merge);
    assert_eq!(moved, Some(Moved::Done));
    assert_eq!(fs::read_to_string(there.join("new.txt")).unwrap(), "1\n");
}

#[test]
fn what_is_under_way_in_the_checkout_is_left_alone() {
    let place = Place::new();
    let main = place.sandbox.main();
    place.sandbox.run(&main, "checkout -q -b other");
    place.sandbox.write("a.txt", "other\n");
    place.sandbox.commit(&main, "other");
    place.sandbox.run(&main, "checkout -q main");
    place.sandbox.write("a.txt", "mine\n");
    place.sandbox.commit(&main, "mine");
    place.sandbox.git.writing(&main).args(["rebase", "other"]).run_to(&[1]).unwrap();
    let before = place.sandbox.checkout();
    let intent = Intent { branch: "main".into(), from: place.target(), to: place.head.clone() };
    let moved = move_target(&place.sandbox.repo(), &intent, "note").unwrap();
    assert!(matches!(&moved, Moved::Refused(reason) if reason.contains("a rebase of main")), "{moved:?}");
    assert_eq!(place.sandbox.checkout(), before);
}

#[test]
fn a_target_that_somebody_moved_is_not_overwritten() {
    for way in ["", "checkout -q --detach"] {
        let place = Place::new();
        if !way.is_empty() {
            place.sandbox.run(&place.sandbox.main(), way);
        }
        let intent = Intent { branch: "main".into(), from: place.head.clone(), to: place.head.clone() };
        assert_eq!(move_target(&place.sandbox.repo(), &intent, "note").unwrap(), Moved::Elsewhere);
    }
}

#[test]
fn conflicts_are_foretold_with_their_kind() {
    let place = Place::new();
    let main = place.sandbox.main();
    place.sandbox.write("a.txt", "one\nTWO\nthree\n");
    place.sandbox.write("new.txt", "mine\n");
    place.sandbox.commit(&main, "meanwhile");
    let forecast = forecast(&place.sandbox.repo(), &place.target(), &place.head).unwrap();
    let Forecast::Conflicts(mut files) = forecast else { panic!("{forecast:?}") };
    files.sort();
    let file = |path: &str, kind: &str| ConflictFile { path: path.into(), kind: kind.into() };
    assert_eq!(files, [file("a.txt", "content"), file("new.txt", "add/add")]);
    let (combined, _) = place.land(Strategy::Rebase);
    assert!(matches!(&combined, Combined::Conflicts(files) if !files.is_empty()), "{combined:?}");
}

#[test]
fn a_clean_forecast_is_the_tree_that_comes_of_it() {
    let place = Place::new();
    place.sandbox.write("other.txt", "o\n");
    place.sandbox.commit(&place.sandbox.main(), "meanwhile");
    let foretold = forecast(&place.sandbox.repo(), &place.target(), &place.head).unwrap();
    let (combined, _) = place.land(Strategy::Squash);
    let Combined::Made { tree, .. } = combined else { panic!("{combined:?}") };
    assert_eq!(foretold, Forecast::Clean(tree));
}

#[test]
fn a_hook_that_refuses_and_a_missing_identity_are_said() {
    let place = Place::new();
    executable(&place.sandbox.main().join(".git/hooks/pre-commit"), "#!/bin/sh\necho 'no TODO please' >&2\nexit 1\n");
    let (combined, _) = place.land(Strategy::Squash);
    assert!(matches!(&combined, Combined::Refused(reason) if reason.contains("no TODO please")), "{combined:?}");

    let place = Place::new();
    let config = fs::read_to_string(place.sandbox.dir().join("gitconfig")).unwrap();
    let config =
        config.replace("[user]\n\tname = Test\n\temail = test@localhost\n", "[user]\n\tuseConfigOnly = true\n");
    fs::write(place.sandbox.dir().join("gitconfig"), config).unwrap();
    let (combined, _) = place.land(Strategy::Squash);
    assert!(matches!(&combined, Combined::Refused(reason) if reason.contains("user.email")), "{combined:?}");
    assert_eq!(place.log(), ["start"]);
}

#[test]
fn a_scratch_that_a_kill_left_behind_is_made_anew() {
    let place = Place::new();
    let repo = place.sandbox.repo();
    let scratch = Scratch::at(&repo, &place.scratch(), &place.target()).unwrap();
    write(scratch.path(), "half.txt", "half\n");
    let again = Scratch::at(&repo, &place.scratch(), &place.target()).unwrap();
    assert!(!again.path().join("half.txt").exists());
    again.clear().unwrap();
}

#[test]
fn a_remote_is_asked_and_told_without_overwriting_it() {
    let place = Place::new();
    let main = place.sandbox.main();
    let remote = place.sandbox.dir().join("remote.git");
    place.sandbox.args(place.sandbox.dir(), ["init", "-q", "--bare", remote.to_str().unwrap()]);
    place.sandbox.args(&main, ["remote", "add", "origin", remote.to_str().unwrap()]);
    place.sandbox.run(&main, "push -q -u origin main");
    let repo = place.sandbox.repo();
    let up = upstream(&repo, "main").unwrap();
    assert_eq!((up.remote.as_str(), up.branch.as_str()), ("origin", "main"));
    assert_eq!(fetch(&repo, &up).unwrap(), place.target());
    place.land(Strategy::Squash);
    push(&repo, "main", &up).unwrap();
    assert_eq!(fetch(&repo, &up).unwrap(), place.target());
    assert!(is_ancestor(&repo, &place.base, &place.target()).unwrap());
    assert_eq!(beside(&repo, &place.base, &place.target(), 3).unwrap().len(), 1);
    assert_eq!(upstream(&repo, "elsewhere"), None);
}
