//! What Draft made is found by content, what people made is not taken for it, and looking changes nothing.

use super::*;
use crate::git::testing::{Sandbox, until, write};
use crate::git::worktree::{Plan, create};

fn names(branches: &[OwnBranch]) -> Vec<&str> {
    branches.iter().map(|branch| branch.name.as_str()).collect()
}

#[test]
fn a_branch_is_drafts_by_its_own_history_and_not_by_its_name() {
    let sandbox = Sandbox::new();
    let main = sandbox.main();
    sandbox.worktree("1-made");
    sandbox.worktree("2-renamed");
    sandbox.run(&main, "branch draft/3-by-hand");
    sandbox.run(&sandbox.worktrees().join("2-renamed"), "branch -m feature/mine");
    assert_eq!(names(&branches(&sandbox.repo()).unwrap()), ["draft/1-made"]);
    sandbox.run(&main, "branch -c draft/1-made copy");
    assert_eq!(names(&branches(&sandbox.repo()).unwrap()), ["draft/1-made"]);
}

#[test]
fn a_branch_is_drafts_also_where_no_histories_are_written() {
    let sandbox = Sandbox::new();
    sandbox.run(&sandbox.main(), "config core.logAllRefUpdates false");
    sandbox.worktree("1-made");
    let found = branches(&sandbox.repo()).unwrap();
    assert_eq!(found, [OwnBranch { name: "draft/1-made".into(), tip: sandbox.repo().commit_of("main").unwrap() }]);
}

#[test]
fn worktrees_are_told_with_those_whose_folder_is_gone_and_can_be_forgotten_then() {
    let sandbox = Sandbox::new();
    let path = sandbox.worktree("1-x").worktree.path;
    let repo = sandbox.repo();
    let found = worktrees(&repo).unwrap();
    assert_eq!((found.len(), found[1].is_there, found[1].branch.as_deref()), (2, true, Some("draft/1-x")));
    assert_eq!(checked_out(&found), BTreeSet::from(["draft/1-x", "main"]));
    assert!(!forget(&repo, &path).unwrap(), "what is there is not forgotten");
    std::fs::remove_dir_all(&path).unwrap();
    assert!(!worktrees(&repo).unwrap()[1].is_there);
    assert!(forget(&repo, &path).unwrap());
    assert_eq!(worktrees(&repo).unwrap().len(), 1);
}

#[test]
fn refs_are_told_by_ticket_and_the_trash_apart() {
    let sandbox = Sandbox::new();
    let ticket = "01a20b66-cf23-74a3-840d-52b3348bb96c";
    let head = sandbox.repo().commit_of("main").unwrap();
    for name in ["revisions/T/1", "trash/T/5", "trash/heads/abc", "other"] {
        let name = format!("refs/draft/{}", name.replace('T', ticket));
        sandbox.args(&sandbox.main(), ["update-ref", &name, &head]);
    }
    let (kept, id) = (kept(&sandbox.repo()).unwrap(), ticket.parse().unwrap());
    assert_eq!(kept.of_tickets, [(id, format!("refs/draft/revisions/{ticket}/1"))]);
    assert_eq!(kept.trash.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), [Some(id), None]);
}

#[test]
fn a_note_says_what_is_made_and_whether_somebody_does() {
    let sandbox = Sandbox::new();
    let wanted = sandbox.worktrees().join("1-x");
    let plan = Plan { path: &wanted, branch: "draft/1-x", base_branch: "main", existing: None, on_top: None };
    let made = create(&sandbox.repo(), &plan).unwrap();
    let one = || notes(&sandbox.worktrees()).pop().unwrap();
    assert_eq!((one().path, one().branch.as_deref(), one().is_held), (wanted.clone(), Some("draft/1-x"), true));
    assert!(!remove_note(&one()).unwrap());
    assert_eq!(holding(&wanted, || Ok::<_, GitError>(())).unwrap(), None);
    drop(made);
    until("nobody makes it", || !one().is_held);
    assert!(remove_note(&one()).unwrap());
    assert_eq!(notes(&sandbox.worktrees()), []);
    assert_eq!(holding(&wanted, || Ok::<_, GitError>(1)).unwrap(), Some(1));
    assert_eq!(notes(&sandbox.worktrees()), []);
}

#[test]
fn what_killed_programs_left_is_found_and_what_is_in_use_is_not() {
    let sandbox = Sandbox::new();
    let path = sandbox.worktree("1-x").worktree.path;
    assert_eq!(rests(&path), []);
    let git_dir = sandbox.main().canonicalize().unwrap().join(".git/worktrees/1-x");
    let (index, lock) = (git_dir.join("draft-index-abc"), git_dir.join("index.lock"));
    std::fs::create_dir(&index).unwrap();
    std::fs::write(&lock, "").unwrap();
    let in_use = File::open(&index).unwrap();
    in_use.lock().unwrap();
    assert_eq!(rests(&path).iter().map(Rest::path).collect::<Vec<_>>(), [lock.as_path()]);
    drop(in_use);
    until("both are free", || rests(&path).len() == 2);
    let found = rests(&path);
    found.iter().for_each(|rest| remove_rest(rest).unwrap());
    assert_eq!(rests(&path), []);
}

#[test]
fn a_folder_that_no_repository_knows_is_told_by_what_it_holds() {
    let sandbox = Sandbox::new();
    let path = sandbox.worktrees().join("x");
    assert_eq!(unknown(&path), None);
    std::fs::create_dir_all(&path).unwrap();
    assert_eq!(unknown(&path), Some(Unknown::Empty));
    write(&path, "a.txt", "work");
    assert_eq!(unknown(&path), Some(Unknown::Files));
    sandbox.run(&path, "init -q");
    assert_eq!(unknown(&path), Some(Unknown::Elsewhere(path.canonicalize().unwrap().join(".git"))));
}

#[test]
fn where_a_worktree_started_is_where_it_left_the_branch() {
    let sandbox = Sandbox::new();
    let start = sandbox.repo().commit_of("main").unwrap();
    let path = sandbox.worktree("1-x").worktree.path;
    write(&path, "new.txt", "n\n");
    let head = sandbox.commit(&path, "work");
    sandbox.commit(&sandbox.main(), "meanwhile");
    assert_eq!(start_of(&sandbox.repo(), "main", &head).unwrap(), start);
    assert_eq!(start_of(&sandbox.repo(), "gone", &head).unwrap(), head);
}
