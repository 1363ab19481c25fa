//! Cells of the matrix of landings: what the user has in the way, is at, or has set for whoever commits.

use std::fs;
use std::path::Path;

use super::land_cells::{ADD, Cell, EDIT, End, PLAIN, git};
use super::testing::{Sandbox, executable, write};

/// The last commit of the target is about `a.txt`.
fn with_history(sandbox: &Sandbox, dir: &Path) {
    write(dir, "a.txt", "the user's\n");
    sandbox.commit(dir, "the user's own");
}

/// Brings a command of the user's into its middle: it stops at a conflict on `a.txt`.
fn stopped(sandbox: &Sandbox, dir: &Path, command: &str) {
    git(sandbox, dir, "checkout -q -b other HEAD^");
    write(dir, "a.txt", "other\n");
    sandbox.commit(dir, "other");
    git(sandbox, dir, "checkout -q main");
    sandbox.git.writing(dir).args(command.split(' ')).run_to(&[1]).unwrap();
}

/// What users may be at.
pub(super) const CELLS: &[Cell] = &[
    // What is in the way.
    Cell {
        name: "an ignored file in the way",
        repository: PLAIN,
        change: |sandbox, dir| {
            write(dir, "build.log", "theirs\n");
            git(sandbox, dir, "add -f build.log");
        },
        user: |_, dir| write(dir, "build.log", "mine, ignored\n"),
        end: End::Refused("build.log"),
    },
    Cell {
        name: "an ignored folder in the way of a file",
        repository: PLAIN,
        change: |sandbox, dir| {
            write(dir, "target", "theirs\n");
            git(sandbox, dir, "add -f target");
        },
        user: |_, dir| write(dir, "target/debug/mine", "mine, ignored\n"),
        end: End::Refused("target/debug/mine"),
    },
    Cell {
        name: "an ignored file in the way of a folder",
        repository: PLAIN,
        change: |sandbox, dir| {
            write(dir, "x.log/deep.txt", "theirs\n");
            git(sandbox, dir, "add -f x.log/deep.txt");
        },
        user: |_, dir| write(dir, "x.log", "mine, ignored\n"),
        end: End::Refused("x.log"),
    },
    Cell {
        name: "a folder that became a file, with an ignored file in it",
        repository: PLAIN,
        change: |_, dir| {
            fs::remove_dir_all(dir.join("src")).unwrap();
            write(dir, "src", "a file now\n");
        },
        user: |_, dir| write(dir, "src/mine.log", "mine, ignored\n"),
        end: End::Refused("src/mine.log"),
    },
    Cell {
        name: "a folder that goes, with an ignored file in it",
        repository: PLAIN,
        change: |_, dir| fs::remove_dir_all(dir.join("src")).unwrap(),
        user: |_, dir| write(dir, "src/mine.log", "mine, ignored\n"),
        end: End::Follows,
    },
    Cell {
        name: "a new file with a name of two lines in the way",
        repository: PLAIN,
        change: |_, dir| write(dir, "two\nlines", "theirs\n"),
        user: |_, dir| write(dir, "two\nlines", "mine\n"),
        end: End::Refused("two?lines"),
    },
    Cell {
        name: "a repository of the user's own in the way",
        repository: PLAIN,
        change: |_, dir| write(dir, "tool/x.txt", "theirs\n"),
        user: |sandbox, dir| {
            git(sandbox, dir, "init -q tool");
            write(dir, "tool/x.txt", "mine\n");
        },
        end: End::Refused("tool"),
    },
    Cell {
        name: "a file in the index in the way",
        repository: PLAIN,
        change: ADD,
        user: |sandbox, dir| {
            write(dir, "new/deep/file.txt", "mine\n");
            git(sandbox, dir, "add new");
        },
        end: End::Refused("new/deep/file.txt"),
    },
    Cell {
        name: "a file that the user has deleted",
        repository: PLAIN,
        change: EDIT,
        user: |_, dir| fs::remove_file(dir.join("a.txt")).unwrap(),
        end: End::Refused("a.txt"),
    },
    // Marks in the index.
    Cell {
        name: "a file that is assumed to be unchanged, elsewhere",
        repository: PLAIN,
        change: EDIT,
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --assume-unchanged src/b.txt");
            write(dir, "src/b.txt", "mine\n");
        },
        end: End::Follows,
    },
    Cell {
        name: "a file that is assumed to be unchanged and is not",
        repository: PLAIN,
        change: EDIT,
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --assume-unchanged a.txt");
            write(dir, "a.txt", "mine\n");
        },
        end: End::Refused("a.txt"),
    },
    Cell {
        name: "a file that git is told to leave alone, elsewhere",
        repository: PLAIN,
        change: EDIT,
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --skip-worktree src/b.txt");
            write(dir, "src/b.txt", "mine\n");
        },
        end: End::Follows,
    },
    Cell {
        name: "a file that git is told to leave alone and the change is about",
        repository: PLAIN,
        change: EDIT,
        user: |sandbox, dir| {
            git(sandbox, dir, "update-index --skip-worktree a.txt");
            write(dir, "a.txt", "mine\n");
        },
        end: End::Refused("a.txt"),
    },
    Cell {
        name: "a file that was only touched",
        repository: PLAIN,
        change: EDIT,
        user: |_, dir| {
            let same = fs::read(dir.join("a.txt")).unwrap();
            fs::remove_file(dir.join("a.txt")).unwrap();
            write(dir, "a.txt", same);
        },
        end: End::Follows,
    },
    // What the user is at.
    Cell {
        name: "a merge of the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "merge other"),
        end: End::Refused("a merge of main is under way"),
    },
    Cell {
        name: "a rebase of the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "rebase other"),
        end: End::Refused("a rebase of main is under way"),
    },
    Cell {
        name: "a rebase of another branch under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| {
            git(sandbox, dir, "checkout -q -b mine");
            stopped(sandbox, dir, "rebase other mine");
        },
        end: End::Aside,
    },
    Cell {
        name: "a cherry-pick onto the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "cherry-pick other"),
        end: End::Refused("a cherry-pick of main is under way"),
    },
    Cell {
        name: "a revert on the target under way",
        repository: with_history,
        change: ADD,
        user: |sandbox, dir| stopped(sandbox, dir, "revert --no-edit other"),
        end: End::Refused("a revert of main is under way"),
    },
    Cell {
        name: "a bisection that began on the target",
        repository: PLAIN,
        change: ADD,
        user: |sandbox, dir| {
            git(sandbox, dir, "bisect start");
            git(sandbox, dir, "bisect bad");
        },
        end: End::Refused("a bisection of main is under way"),
    },
    Cell {
        name: "a branch without a commit",
        repository: PLAIN,
        change: ADD,
        user: |sandbox, dir| git(sandbox, dir, "checkout -q --orphan fresh"),
        end: End::Aside,
    },
    // Who makes the commit.
    Cell {
        name: "a hook that forbids each commit",
        repository: |_, dir| {
            for hook in ["pre-commit", "pre-merge-commit", "pre-rebase"] {
                let text = "#!/bin/sh\necho 'no TODO please' >&2\nexit 1\n";
                executable(&dir.join(".git/hooks").join(hook), text);
            }
        },
        change: ADD,
        user: PLAIN,
        end: End::NotMade("no TODO please"),
    },
    Cell {
        name: "a hook that forbids references to move",
        repository: PLAIN,
        change: ADD,
        user: |_, dir| {
            let text =
                "#!/bin/sh\n[ \"$1\" = prepared ] && grep -q refs/heads/main && { echo frozen >&2; exit 1; }\nexit 0\n";
            executable(&dir.join(".git/hooks/reference-transaction"), text);
        },
        end: End::Refused("frozen"),
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
        user: PLAIN,
        end: End::Follows,
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
        end: End::Follows,
    },
];
