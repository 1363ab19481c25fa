//! Every kind of change onto every kind of checkout: it lands, or it is refused with the reason; and what is the user's own
//! stays bit for bit, but for the fast-forward.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::land::Moved;
use super::land_testing::{Landed, land};
use super::own::Own;
use super::testing::{Sandbox, write};
use crate::domain::landing::Strategy;

type Make = fn(&Sandbox, &Path);

/// What a ticket's agent may have done, by name.
const CHANGES: [(&str, Make); 12] = [
    ("an edit", |_, dir| write(dir, "a.txt", "one\n2\nthree\n")),
    ("a new file in a new folder", |_, dir| write(dir, "new/deep/file.txt", "new\n")),
    ("a deletion", |_, dir| fs::remove_file(dir.join("a.txt")).unwrap()),
    ("a rename", |sandbox, dir| drop(sandbox.run(dir, "mv a.txt moved.txt"))),
    ("a rename of case only", |sandbox, dir| drop(sandbox.run(dir, "mv a.txt A.txt"))),
    ("a link", |_, dir| symlink("a.txt", dir.join("link")).unwrap()),
    ("a file that became a link", |_, dir| {
        fs::remove_file(dir.join("a.txt")).unwrap();
        symlink("src/b.txt", dir.join("a.txt")).unwrap();
    }),
    ("a folder that became a file", |_, dir| {
        fs::remove_dir_all(dir.join("src")).unwrap();
        write(dir, "src", "a file now\n");
    }),
    ("a mode", |_, dir| fs::set_permissions(dir.join("a.txt"), Permissions::from_mode(0o755)).unwrap()),
    ("bytes that are no text", |_, dir| write(dir, "blob.bin", [0_u8, 159, 146, 150])),
    ("line ends of Windows", |_, dir| write(dir, "win.txt", "one\r\ntwo\r\n")),
    ("attributes that change line ends", |_, dir| {
        write(dir, ".gitattributes", "*.bat text eol=crlf\n");
        write(dir, "run.bat", "echo\r\n");
    }),
];

/// How the user's checkout may be, by name, and whether the target is checked out in it.
const CHECKOUTS: [(&str, bool, Make); 9] = [
    ("clean", true, |_, _| {}),
    ("with edits elsewhere", true, |_, dir| write(dir, "mine.txt", "mine, tracked and edited\n")),
    ("with something in the index", true, |sandbox, dir| {
        write(dir, "mine.txt", "mine, in the index\n");
        sandbox.run(dir, "add mine.txt");
    }),
    ("with new files", true, |_, dir| write(dir, "untracked/file.txt", "mine\n")),
    ("with a stash", true, |sandbox, dir| {
        write(dir, "mine.txt", "put aside\n");
        sandbox.run(dir, "stash -q");
    }),
    ("on another branch", false, |sandbox, dir| drop(sandbox.run(dir, "checkout -q -b other"))),
    ("detached", false, |sandbox, dir| drop(sandbox.run(dir, "checkout -q --detach"))),
    ("on another branch in the middle of a merge", false, |sandbox, dir| {
        sandbox.run(dir, "checkout -q -b other");
        write(dir, "mine.txt", "theirs\n");
        sandbox.commit(dir, "theirs");
        sandbox.run(dir, "checkout -q -b yours main");
        write(dir, "mine.txt", "yours\n");
        sandbox.commit(dir, "yours");
        sandbox.git.writing(dir).args(["merge", "other"]).run_to(&[1]).unwrap();
    }),
    ("with a part of its files", true, |sandbox, dir| {
        sandbox.run(dir, "sparse-checkout set --no-cone /a.txt /src/ /mine.txt");
    }),
];

fn lands(change: (&str, Make), checkout: (&str, bool, Make), strategy: Strategy) {
    let cell = format!("{} onto a checkout {} by {strategy}", change.0, checkout.0);
    let sandbox = Sandbox::new();
    let main = sandbox.main();
    sandbox.write("mine.txt", "tracked\n");
    sandbox.commit(&main, "a file that nobody's change is about");
    let worktree = sandbox.worktree("1-x").worktree;
    change.1(&sandbox, &worktree.path);
    let head = sandbox.commit(&worktree.path, "the change");
    checkout.2(&sandbox, &main);
    let before = Own::of(&sandbox, &main);
    let landed = land(&sandbox, &sandbox.repo(), "main", strategy, (&worktree.base, &head), &cell);
    let Landed::Made { from, commit, moved: Moved::Done } = landed else { panic!("{cell}: {landed:?}") };
    let after = Own::of(&sandbox, &main);
    if checkout.1 {
        before.assert_forwarded(&after, &sandbox, ("main", &from, &commit), &cell);
    } else {
        before.assert_same(&after, "main", &cell);
    }
    let head = sandbox.run(&main, "rev-parse HEAD");
    assert_eq!(head == commit, checkout.1, "{cell}: only a checkout of the target follows");
}

#[test]
fn every_kind_of_change_lands_on_a_clean_checkout_and_beside_the_users_own_edits() {
    for change in CHANGES {
        for checkout in [CHECKOUTS[0], CHECKOUTS[1]] {
            lands(change, checkout, Strategy::Squash);
        }
    }
}

#[test]
fn a_change_lands_whatever_the_checkout_is_in_every_way() {
    for checkout in CHECKOUTS {
        // An edit and a new file in turn: what is done to them is the same.
        for (change, strategy) in CHANGES.into_iter().take(2).cycle().zip(Strategy::ALL) {
            lands(change, checkout, *strategy);
        }
    }
}
