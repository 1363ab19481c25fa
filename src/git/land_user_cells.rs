//! Cells of the matrix of landings: what the user has in the way or is at, and who has a say when the commit is made.

use std::fs;
use std::path::Path;

use super::land_cells::{ADD, CELL, Cell, End, git};
use super::testing::{Sandbox, executable, write};

/// The last commit of the target is about `a.txt`.
fn with_history(sandbox: &Sandbox, dir: &Path) {
    write(dir, "a.txt", "the user's\n");
    sandbox.commit(dir, "the user's own");
}

/// Brings a command of the user's into its middle on what that checkout gives: it stops at a conflict on `a.txt`.
fn stopped(sandbox: &Sandbox, dir: &Path, checkout: &str, command: &str) {
    git(sandbox, dir, "checkout -q -b other HEAD^");
    write(dir, "a.txt", "other\n");
    sandbox.commit(dir, "other");
    git(sandbox, dir, "format-patch -q -1 -o .git/patches");
    git(sandbox, dir, &format!("checkout -q {checkout}"));
    // `git am` ends with 128.
    sandbox.git.writing(dir).args(command.split(' ')).run_to(&[1, 128]).unwrap();
}

/// What users may have in the way and may be at. That is looked at when the target moves, and how the commit came to be has no say
/// in it.
pub(super) const CELLS: &[Cell] = &[
    // What is in the way.
    Cell {
        name: "an ignored file in the way",
        change: |sandbox, dir| {
            write(dir, "build.log", "theirs\n");
            git(sandbox, dir, "add -f build.log");
        },
        user: |_, dir| write(dir, "build.log", "mine, ignored\n"),
        end: End::Refused("build.log"),
        ..CELL
    },
    Cell {
        name: "an ignored folder in the way of a file",
        change: |sandbox, dir| {
            write(dir, "target", "theirs\n");
            git(sandbox, dir, "add -f target");
        },
        user: |_, dir| write(dir, "target/debug/mine", "mine, ignored\n"),
        end: End::Refused("target/debug/mine"),
        ..CELL
    },
    Cell {
        name: "an ignored file in the way of a folder",
        change: |sandbox, dir| {
            write(dir, "x.log/deep.txt", "theirs\n");
            git(sandbox, dir, "add -f x.log/deep.txt");
        },
        user: |_, dir| write(dir, "x.log", "mine, ignored\n"),
        end: End::Refused("x.log"),
        ..CELL
    },
    Cell {
        name: "a folder that became a file, with an ignored file in it",
        change: |_, dir| {
            fs::remove_dir_all(dir.join("src")).unwrap();
            write(dir, "src", "a file now\n");
        },
        user: |_, dir| write(dir, "src/mine.log", "mine, ignored\n"),
        end: End::Refused("src/mine.log"),
        ..CELL
    },
    Cell {
        name: "a folder that goes, with an ignored file in it",
        change: |_, dir| fs::remove_dir_all(dir.join("src")).unwrap(),
        user: |_, dir| write(dir, "src/mine.log", "mine, ignored\n"),
        ..CELL
    },
    Cell {
        name: "a new file with a name of two lines in the way",
        change: |_, dir| write(dir, "two\nlines", "theirs\n"),
        user: |_, dir| write(dir, "two\nlines", "mine\n"),
        end: End::Refused("two?lines"),
        ..CELL
    },
    Cell {
        name: "a repository of the user's own in the way",
        change: |_, dir| write(dir, "tool/x.txt", "theirs\n"),
        user: |sandbox, dir| {
            git(sandbox, dir, "init -q tool");
            write(dir, "tool/x.txt", "mine\n");
        },
        end: End::Refused("tool"),
        ..CELL
    },
    Cell {
        name: "a file in the index in the way",
        change: ADD,
        user: |sandbox, dir| {
            write(dir, "new/deep/file.txt", "mine\n");
            git(sandbox, dir, "add new");
        },
        end: End::Refused("new/deep/file.txt"),
        ..CELL
    },
    Cell {
        name: "a file that the user has deleted",
        user: |_, dir| fs::remove_file(dir.join("a.txt")).unwrap(),
        end: End::Refused("a.txt"),
        ..CELL
    },
    // Marks in the index.
    Cell {
        name: "a file that is assumed to be unchanged, elsewhere",
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --assume-unchanged src/b.txt");
            write(dir, "src/b.txt", "mine\n");
        },
        ..CELL
    },
    Cell {
        name: "a file that is assumed to be unchanged and is not",
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --assume-unchanged a.txt");
            write(dir, "a.txt", "mine\n");
        },
        end: End::Refused("a.txt"),
        ..CELL
    },
    Cell {
        name: "a file that git is told to leave alone, elsewhere",
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --skip-worktree src/b.txt");
            write(dir, "src/b.txt", "mine\n");
        },
        ..CELL
    },
    Cell {
        name: "a file that git is told to leave alone and the change is about",
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --skip-worktree a.txt");
            write(dir, "a.txt", "mine\n");
        },
        end: End::Refused("a.txt"),
        ..CELL
    },
    Cell {
        name: "a file that was only touched",
        user: |_, dir| {
            let same = fs::read(dir.join("a.txt")).unwrap();
            fs::remove_file(dir.join("a.txt")).unwrap();
            write(dir, "a.txt", same);
        },
        ..CELL
    },
    // What the user is at.
    Cell {
        name: "a merge of the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "main", "merge other"),
        end: End::Refused("a merge of main is under way"),
    },
    Cell {
        name: "a rebase of the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "main", "rebase other"),
        end: End::Refused("a rebase of main is under way"),
    },
    Cell {
        name: "a rebase of another branch under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "-b mine main", "rebase other"),
        end: End::Aside,
    },
    Cell {
        name: "a rebase of the target under way, as patches",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "main", "rebase --apply other"),
        end: End::Refused("a rebase of main is under way"),
    },
    Cell {
        name: "patches from mails onto the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "main", "am -q .git/patches/0001-other.patch"),
        end: End::Refused("a series of patches (`git am`) of main is under way"),
    },
    Cell {
        name: "a merge into another branch under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "-b mine main", "merge other"),
        end: End::Aside,
    },
    Cell {
        name: "a rebase of nobody's branch under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "--detach main", "rebase other"),
        end: End::Aside,
    },
    Cell {
        name: "a cherry-pick onto the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "main", "cherry-pick other"),
        end: End::Refused("a cherry-pick of main is under way"),
    },
    Cell {
        name: "a revert on the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "main", "revert --no-edit other"),
        end: End::Refused("a revert of main is under way"),
    },
    Cell {
        name: "a bisection that began on the target",
        change: ADD,
        user: |sandbox, dir| {
            git(sandbox, dir, "bisect start");
            git(sandbox, dir, "bisect bad");
        },
        end: End::Refused("a bisection of main is under way"),
        ..CELL
    },
    Cell {
        name: "a branch without a commit",
        change: ADD,
        user: |sandbox, dir| git(sandbox, dir, "checkout -q --orphan fresh"),
        end: End::Aside,
        ..CELL
    },
];

/// Who has a say when the commit is made.
pub(super) const MAKERS: &[Cell] = &[
    Cell {
        name: "a hook that forbids each commit",
        repository: |_, dir| {
            for hook in ["pre-commit", "pre-merge-commit", "pre-rebase"] {
                let text = "#!/bin/sh\necho 'no TODO please' >&2\nexit 1\n";
                executable(&dir.join(".git/hooks").join(hook), text);
            }
        },
        change: ADD,
        end: End::NotMade("no TODO please"),
        ..CELL
    },
    Cell {
        name: "a hook that forbids references to move",
        change: ADD,
        user: |_, dir| {
            let text =
                "#!/bin/sh\n[ \"$1\" = prepared ] && grep -q refs/heads/main && { echo frozen >&2; exit 1; }\nexit 0\n";
            executable(&dir.join(".git/hooks/reference-transaction"), text);
        },
        end: End::Refused("frozen"),
        ..CELL
    },
    Cell {
        name: "hooks elsewhere that fail after the deed",
        repository: |sandbox, dir| {
            fs::create_dir(sandbox.dir().join("hooks")).unwrap();
            for hook in ["post-commit", "post-merge", "post-checkout", "post-rewrite", "post-index-change"] {
                executable(&sandbox.dir().join("hooks").join(hook), "#!/bin/sh\necho 'too late' >&2\nexit 1\n");
            }
            sandbox.args(dir, ["config", "core.hooksPath", "../hooks"]);
        },
        change: ADD,
        ..CELL
    },
    Cell {
        name: "a signer that fails",
        repository: |sandbox, dir| {
            executable(&sandbox.dir().join("gpg"), "#!/bin/sh\necho 'no secret key' >&2\nexit 2\n");
            sandbox.args(dir, ["config", "gpg.program", sandbox.dir().join("gpg").to_str().unwrap()]);
        },
        change: ADD,
        user: |sandbox, dir| git(sandbox, dir, "config commit.gpgSign true"),
        end: End::NotMade("failed to sign"),
    },
    Cell {
        name: "a signer that works",
        repository: |sandbox, dir| {
            let text = "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n\
                        printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nAA==\\n-----END PGP SIGNATURE-----\\n'\n";
            executable(&sandbox.dir().join("gpg"), text);
            sandbox.args(dir, ["config", "gpg.program", sandbox.dir().join("gpg").to_str().unwrap()]);
        },
        change: ADD,
        user: |sandbox, dir| git(sandbox, dir, "config commit.gpgSign true"),
        ..CELL
    },
];
