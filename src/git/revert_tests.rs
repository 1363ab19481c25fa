//! Taking landings back with real git: each kind of them, with later changes on top and without.

use std::path::PathBuf;

use super::*;
use crate::domain::landing::Strategy;
use crate::git::land::{Change, Moved, move_target};
use crate::git::testing::{Sandbox, executable, files, write};

/// A repository onto whose main branch a change of two commits landed.
struct Place {
    sandbox: Sandbox,
    landing: Intent,
}

impl Place {
    fn landed(strategy: Strategy) -> Self {
        let sandbox = Sandbox::new();
        let worktree = sandbox.worktree("1-x").worktree;
        write(&worktree.path, "new.txt", "1\n");
        sandbox.commit(&worktree.path, "first");
        write(&worktree.path, "new.txt", "1\n2\n");
        write(&worktree.path, "a.txt", "one\n2\nthree\n");
        let head = sandbox.commit(&worktree.path, "second");
        sandbox.write("other.txt", "o\n");
        sandbox.commit(&sandbox.main(), "meanwhile");
        let repo = sandbox.repo();
        let from = repo.commit_of("main").unwrap();
        let scratch = Scratch::at(&repo, &sandbox.dir().join("landings/1"), &from).unwrap();
        let change = Change { base: &worktree.base, head: &head, message: "A title\n" };
        let Combined::Made { commit, .. } = scratch.combine(strategy, change).unwrap() else { panic!("it goes") };
        scratch.clear().unwrap();
        let landing = Intent { branch: "main".into(), from, to: commit };
        assert_eq!(move_target(&repo, &landing, "landed").unwrap(), Moved::Done);
        Self { sandbox, landing }
    }

    fn tip(&self) -> String {
        self.sandbox.repo().commit_of("main").unwrap()
    }

    fn forecast(&self) -> Left {
        forecast(&self.sandbox.repo(), &self.landing, &self.tip()).unwrap()
    }

    fn scratch(&self) -> PathBuf {
        self.sandbox.dir().join("landings/2")
    }

    fn take_back(&self) -> Combined {
        let repo = self.sandbox.repo();
        let scratch = Scratch::at(&repo, &self.scratch(), &self.tip()).unwrap();
        let made = take_back(&repo, &scratch, &self.landing, "Revert #1: A title\n\nMore.\n").unwrap();
        scratch.clear().unwrap();
        made
    }
}

#[test]
fn each_kind_of_landing_is_taken_back_whole_and_what_came_later_stays() {
    for strategy in [Strategy::Squash, Strategy::Merge, Strategy::Rebase] {
        let place = Place::landed(strategy);
        place.sandbox.write("later.txt", "l\n");
        place.sandbox.commit(&place.sandbox.main(), "later");
        let before = files(&place.sandbox.main());
        let Left::Clean(foreseen) = place.forecast() else { panic!("{strategy}: {:?}", place.forecast()) };
        let Combined::Made { commit, tree } = place.take_back() else { panic!("{strategy} goes back") };
        assert_eq!(tree, foreseen, "{strategy}");
        assert_eq!(place.sandbox.repo().parents_of(&commit).unwrap(), [place.tip()], "{strategy}: one commit");
        assert_eq!(files(&place.sandbox.main()), before, "{strategy}: the user's checkout is not touched");
        let show = |path: &str| place.sandbox.run(&place.sandbox.main(), &format!("show {commit}:{path}"));
        assert_eq!(
            [show("a.txt"), show("later.txt"), show("other.txt")],
            ["one\ntwo\nthree", "l", "o"].map(str::to_owned)
        );
        let names = place.sandbox.run(&place.sandbox.main(), &format!("ls-tree --name-only {commit}"));
        assert!(!names.contains("new.txt"), "{strategy}: {names}");
        let said = place.sandbox.run(&place.sandbox.main(), &format!("log -1 --format=%B {commit}"));
        assert!(said.starts_with("Revert #1: A title\n\nMore."), "{said}");
    }
}

#[test]
fn later_changes_of_the_same_lines_conflict_and_nothing_is_left() {
    for strategy in [Strategy::Squash, Strategy::Merge, Strategy::Rebase] {
        let place = Place::landed(strategy);
        place.sandbox.write("a.txt", "one\n2\nTHREE\n");
        place.sandbox.write("new.txt", "1\n2\n3\n");
        place.sandbox.commit(&place.sandbox.main(), "later");
        let Left::Conflicts(mut files) = place.forecast() else { panic!("{strategy}") };
        files.sort();
        let [edited, gone] = &files[..] else { panic!("{strategy}: {files:?}") };
        assert!(edited.path == "a.txt" && edited.kind.starts_with("content"), "{edited:?}");
        assert_eq!((gone.path.as_str(), gone.kind.as_str()), ("new.txt", "modify/delete"));
        assert!(matches!(place.take_back(), Combined::Conflicts(_)), "{strategy}");
        assert!(!place.scratch().exists());
        assert!(!place.sandbox.run(&place.sandbox.main(), "worktree list").contains("landings"));
    }
}

#[test]
fn what_was_taken_back_before_or_is_not_there_any_more_is_told_apart() {
    let place = Place::landed(Strategy::Squash);
    place.sandbox.run(&place.sandbox.main(), "revert --no-edit HEAD");
    assert_eq!(place.forecast(), Left::Nothing);
    assert!(matches!(place.take_back(), Combined::Refused(reason) if reason.contains("nothing left")));
    place.sandbox.run(&place.sandbox.main(), &format!("reset -q --hard {}", place.landing.from));
    assert_eq!(place.forecast(), Left::NotThere);
    let gone = Intent { to: "1".repeat(40), ..place.landing.clone() };
    assert_eq!(forecast(&place.sandbox.repo(), &gone, &place.tip()).unwrap(), Left::NotThere);
}

#[test]
fn a_hook_of_the_person_runs_and_may_refuse() {
    let place = Place::landed(Strategy::Squash);
    let hook = place.sandbox.main().join(".git/hooks/pre-commit");
    executable(&hook, "#!/bin/sh\necho no revert on a friday >&2\nexit 1\n");
    let Combined::Refused(reason) = place.take_back() else { panic!("the hook refuses") };
    assert!(reason.contains("no revert on a friday"), "{reason}");
}
