//! Where a target may be checked out, and what is under way there: in the work tree from which Draft looks, in another one, in
//! several or in none; with a repository of its own or a bare one beside its work trees.

use std::fs;
use std::path::{Path, PathBuf};

use super::Repo;
use super::land::Moved;
use super::land_testing::{Landed, in_turn, land};
use super::own::Own;
use super::testing::{Sandbox, write};
use super::worktree::{Plan, create};
use crate::domain::landing::Strategy;

/// How a landing ends.
#[derive(Clone, Copy)]
enum End {
    /// The files of the place follow.
    Follows,
    /// It lands, and no files follow.
    Aside,
    /// The target does not move, and the reason says this.
    Refused(&'static str),
}

struct Cell {
    name: &'static str,
    /// Makes the repository; returns the work tree from which Draft looks.
    repository: fn(&Sandbox) -> PathBuf,
    /// What happens in the place, the folder `there`, once the change is made.
    place: fn(&Sandbox, &Path),
    end: End,
}

/// The user's checkout, which is at no branch.
fn detached(sandbox: &Sandbox) -> PathBuf {
    sandbox.run(&sandbox.main(), "checkout -q --detach");
    sandbox.main()
}

/// A work tree of a bare repository.
fn bare(sandbox: &Sandbox) -> PathBuf {
    sandbox.run(sandbox.dir(), "clone -q --bare repo bare");
    sandbox.run(&sandbox.dir().join("bare"), "worktree add -q -b side ../tree main");
    sandbox.dir().join("tree")
}

/// The same, where only the repository's own folder is said to be bare.
fn bare_by_itself(sandbox: &Sandbox) -> PathBuf {
    let tree = bare(sandbox);
    let bare = sandbox.dir().join("bare");
    sandbox.run(&bare, "config extensions.worktreeConfig true");
    sandbox.run(&bare, "config --worktree core.bare true");
    sandbox.run(&bare, "config --unset core.bare");
    tree
}

/// Checks the target out in the place, with an edit of its user.
fn out(sandbox: &Sandbox, from: &Path) -> PathBuf {
    let there = sandbox.dir().join("there");
    sandbox.args(from, ["worktree", "add", "-q", "--force", there.to_str().unwrap(), "main"]);
    write(&there, "src/b.txt", "mine\n");
    there
}

/// The same, in the middle of a command that stops at a conflict.
fn stopped(sandbox: &Sandbox, from: &Path, command: &str) {
    let there = out(sandbox, from);
    sandbox.run(&there, "reset -q --hard");
    sandbox.run(&there, "checkout -q -b other HEAD^");
    write(&there, "a.txt", "other\n");
    sandbox.commit(&there, "other");
    sandbox.run(&there, "checkout -q main");
    sandbox.git.writing(&there).args(command.split(' ')).run_to(&[1]).unwrap();
}

const CELLS: [Cell; 12] = [
    Cell {
        name: "in another work tree",
        repository: detached,
        place: |sandbox, from| drop(out(sandbox, from)),
        end: End::Follows,
    },
    Cell {
        name: "in another work tree that is locked",
        repository: detached,
        place: |sandbox, from| {
            let there = out(sandbox, from);
            sandbox.args(from, ["worktree", "lock", there.to_str().unwrap()]);
        },
        end: End::Follows,
    },
    Cell {
        name: "in another work tree in the middle of a merge",
        repository: detached,
        place: |sandbox, from| stopped(sandbox, from, "merge other"),
        end: End::Refused("a merge of main is under way in"),
    },
    Cell {
        name: "in another work tree in the middle of a rebase",
        repository: detached,
        place: |sandbox, from| stopped(sandbox, from, "rebase other"),
        end: End::Refused("a rebase of main is under way in"),
    },
    Cell {
        name: "in another work tree with something in the way",
        repository: detached,
        place: |sandbox, from| write(&out(sandbox, from), "made.txt", "mine\n"),
        end: End::Refused("made.txt"),
    },
    Cell {
        name: "in another work tree that is gone",
        repository: detached,
        place: |sandbox, from| fs::remove_dir_all(out(sandbox, from)).unwrap(),
        end: End::Aside,
    },
    Cell {
        name: "twice",
        repository: Sandbox::main,
        place: |sandbox, from| drop(out(sandbox, from)),
        end: End::Refused("checked out twice"),
    },
    Cell { name: "nowhere, beside a bare repository", repository: bare, place: |_, _| {}, end: End::Aside },
    Cell {
        name: "nowhere, beside one that is bare by itself",
        repository: bare_by_itself,
        place: |_, _| {},
        end: End::Aside,
    },
    Cell {
        name: "in another work tree of a bare repository",
        repository: bare,
        place: |sandbox, from| drop(out(sandbox, from)),
        end: End::Follows,
    },
    Cell {
        name: "in another work tree of a repository that is bare by itself",
        repository: bare_by_itself,
        place: |sandbox, from| drop(out(sandbox, from)),
        end: End::Follows,
    },
    Cell {
        name: "in another work tree of a bare repository in the middle of a rebase",
        repository: bare,
        place: |sandbox, from| stopped(sandbox, from, "rebase other"),
        end: End::Refused("a rebase of main is under way in"),
    },
];

fn lands(cell: &Cell, strategy: Strategy) {
    let name = format!("{}, by {strategy}", cell.name);
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "the user's\n");
    sandbox.commit(&sandbox.main(), "the user's own");
    let from = (cell.repository)(&sandbox);
    let repo = Repo::discover(&sandbox.git, &from).unwrap();
    let path = sandbox.worktrees().join("1-x");
    let plan = Plan { path: &path, branch: "draft/1-x", base_branch: "main", existing: None, on_top: None };
    let worktree = create(&repo, &plan).unwrap().worktree;
    write(&worktree.path, "made.txt", "made\n");
    let head = sandbox.commit(&worktree.path, "the change");
    (cell.place)(&sandbox, &from);
    let there = Some(sandbox.dir().join("there")).filter(|there| there.exists());
    let own = || (Own::of(&sandbox, &from), there.as_deref().map(|there| Own::of(&sandbox, there)));

    let before = own();
    let landed = land(&sandbox, &repo, "main", strategy, (&worktree.base, &head), &name);
    let after = own();
    before.0.assert_same(&after.0, "main", &name);
    let places = before.1.zip(after.1);
    match (landed, cell.end, places) {
        (Landed::Made { from, commit, moved: Moved::Done }, End::Follows, Some((before, after))) => {
            before.assert_forwarded(&after, &sandbox, ("main", &from, &commit), &name);
            assert!(sandbox.dir().join("there/made.txt").exists(), "{name}");
        }
        (Landed::Made { moved: Moved::Done, .. }, End::Aside, None) => {}
        (Landed::Made { moved: Moved::Refused(reason), .. }, End::Refused(wanted), Some((before, after))) => {
            assert!(reason.contains(wanted), "{name}: {reason}");
            before.assert_same(&after, "main", &name);
        }
        (other, ..) => panic!("{name}: {other:?}"),
    }
}

#[test]
fn wherever_the_target_is_checked_out_its_files_follow_or_it_stays() {
    let fails = |(cell, strategy): &(&Cell, Strategy)| std::panic::catch_unwind(|| lands(cell, *strategy)).is_err();
    let failed: Vec<String> = in_turn(&CELLS)
        .into_iter()
        .filter(fails)
        .map(|(cell, strategy)| format!("{} by {strategy}", cell.name))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
