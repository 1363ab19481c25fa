//! Looking ahead with real git: what it finds, and that it leaves nothing behind.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::aside::Aside;
use super::forecast::{behind, of, paths, since, stamp};
use super::testing::{Sandbox, write};
use super::tree::snapshot;
use crate::domain::diff::{Content, DiffLine};
use crate::domain::id::{JobId, TicketId};
use crate::domain::outlook::{ConflictFile, Forecast};
use crate::domain::revision::{ChangeSize, Revision, RevisionStatus};
use crate::domain::time::Timestamp;

fn objects(sandbox: &Sandbox) -> String {
    sandbox.run(&sandbox.main(), "count-objects")
}

#[test]
fn a_change_is_foretold_and_the_repository_keeps_nothing_of_it() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "a.txt", "one\nmine\nthree\n");
    let repo = sandbox.repo();
    let before = objects(&sandbox);
    let aside = Aside::of(&repo).unwrap();
    let seen = aside.snapshot(&worktree, &[]).unwrap();
    let commit = aside.commit_of(&seen).unwrap();
    assert_eq!(aside.commit_of(&seen).unwrap(), commit, "the same has the same name");
    let target = repo.commit_of("main").unwrap();
    assert_eq!(of(&aside, &target, &commit).unwrap().0, Forecast::Clean);
    assert_eq!(of(&aside, &target, &target).unwrap().0, Forecast::Contained);
    assert_eq!(paths(aside.repo(), &seen.base, &commit).unwrap(), BTreeSet::from(["a.txt".to_owned()]));
    assert_eq!(objects(&sandbox), before);

    sandbox.write("a.txt", "one\nTWO\nthree\n");
    let target = sandbox.commit(&sandbox.main(), "meanwhile");
    let before = objects(&sandbox);
    let files = vec![ConflictFile { path: "a.txt".into(), kind: "content".into() }];
    assert_eq!(of(&aside, &target, &commit).unwrap(), (Forecast::Conflicts(files), None));
    assert_eq!(behind(aside.repo(), &commit, &target).unwrap(), 1);
    assert_eq!(objects(&sandbox), before);
    assert_eq!(snapshot(&repo, &worktree, &[]).unwrap().tree, seen.tree);
}

#[test]
fn what_the_attributes_say_about_merges_counts() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.txt merge=union\n");
    sandbox.commit(&sandbox.main(), "attributes");
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "a.txt", "one\ntwo\nmine\nthree\n");
    let head = sandbox.commit(&worktree.path, "mine");
    sandbox.write("a.txt", "one\ntwo\ntheirs\nthree\n");
    let target = sandbox.commit(&sandbox.main(), "meanwhile");
    let aside = Aside::of(&sandbox.repo()).unwrap();
    assert_eq!(of(&aside, &target, &head).unwrap().0, Forecast::Clean);
}

#[test]
fn a_worktree_that_changed_looks_different_at_a_glance() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    let repo = sandbox.repo();
    let known = BTreeSet::from(["src/b.txt".to_owned()]);
    let mut seen = vec![stamp(&repo, &worktree, &known, None)];
    assert_eq!(stamp(&repo, &worktree, &known, None), seen[0]);
    let mut differs = |what: &str| {
        let now = stamp(&repo, &worktree, &known, None);
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    };
    write(&worktree.path, "src/b.txt", "edited\n");
    differs("an edit");
    write(&worktree.path, "src/c.txt", "c\n");
    differs("a new file beside it");
    write(&worktree.path, "top.txt", "t\n");
    differs("a new file at the top");
    sandbox.commit(&worktree.path, "committed");
    differs("a commit");
}

#[test]
fn revisions_on_both_sides_of_a_merge_differ_by_what_the_ticket_changed() {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    let here = worktree.path.clone();
    let revision = |head: &str, base: &str| Revision {
        ticket: TicketId(Uuid::from_u128(1)),
        number: 1,
        job: JobId(Uuid::from_u128(1)),
        status: RevisionStatus::Open,
        base: base.to_owned(),
        tree: sandbox.run(&sandbox.main(), &format!("rev-parse {head}^{{tree}}")),
        head: head.to_owned(),
        size: ChangeSize::default(),
        at: Timestamp(0),
        ticks: Vec::new(),
    };
    write(&here, "a.txt", "one\nmine\nthree\n");
    write(&here, "same.txt", "s\n");
    let first = sandbox.commit(&here, "first");
    sandbox.write("a.txt", "one\nTWO\nthree\n");
    sandbox.write("other.txt", "o\n");
    let target = sandbox.commit(&sandbox.main(), "meanwhile");
    assert!(sandbox.git.writing(&here).args(["merge", "main"]).run().is_err());
    write(&here, "a.txt", "one\nboth\nthree\n");
    let second = sandbox.commit(&here, "merged");
    let (first, second) = (revision(&first, &worktree.base), revision(&second, &target));
    let files = since(&sandbox.repo(), &first, &second).unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a.txt"]);
    let Content::Text(hunks) = &files[0].content else { panic!("it is text") };
    let removed =
        |text: &str| hunks[0].lines.iter().any(|line| matches!(line, DiffLine::Removed(old) if old.starts_with(text)));
    assert!(removed("<<<<<<< ") && removed("mine") && removed("TWO"), "{hunks:?}");
}
