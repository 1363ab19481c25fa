//! Cells of the matrix of landings: repositories of all sorts and changes to them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::filter_tests::install_lfs;
use super::testing::{Sandbox, executable, odd_name, write};

pub(super) type Make = fn(&Sandbox, &Path);

/// How a cell ends.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// It lands, and the user's checkout follows.
    Follows,
    /// It lands, and the user's checkout is about something else.
    Aside,
    /// The target does not move, and the reason says this.
    Refused(&'static str),
    /// No commit is made, and the reason says this.
    NotMade(&'static str),
}

pub(super) struct Cell {
    pub(super) name: &'static str,
    /// What the repository is, before the ticket's worktree is made.
    pub(super) repository: Make,
    /// What the agent does.
    pub(super) change: Make,
    /// What the user does before it lands.
    pub(super) user: Make,
    pub(super) end: End,
}

const PLAIN: Make = |_, _| {};
const EDIT: Make = |_, dir| write(dir, "a.txt", "one\n2\nthree\n");
pub(super) const ADD: Make = |_, dir| write(dir, "new/deep/file.txt", "new\n");

/// What most cells are: an edit that lands, in a repository with nothing odd about it, while its user is at nothing.
pub(super) const CELL: Cell = Cell { name: "", repository: PLAIN, change: EDIT, user: PLAIN, end: End::Follows };

pub(super) fn git(sandbox: &Sandbox, dir: &Path, args: &str) {
    sandbox.run(dir, args);
}

/// A submodule `sub` in the user's checkout, from a repository with two commits.
fn with_submodule(sandbox: &Sandbox, dir: &Path) {
    let lib = sandbox.dir().join("lib");
    git(sandbox, sandbox.dir(), "init -q lib");
    write(&lib, "lib.txt", "1\n");
    sandbox.commit(&lib, "first");
    sandbox.args(dir, ["submodule", "--quiet", "add", lib.to_str().unwrap(), "sub"]);
    sandbox.commit(dir, "a submodule");
    write(&lib, "lib.txt", "2\n");
    sandbox.commit(&lib, "second");
}

fn pointer(sandbox: &Sandbox, dir: &Path) {
    let newest = sandbox.run(&sandbox.dir().join("lib"), "rev-parse HEAD");
    git(sandbox, dir, &format!("update-index --cacheinfo 160000,{newest},sub"));
}

/// A filter that turns letters, and back: what lies in the repository is not what lies in the work tree.
fn with_filter(sandbox: &Sandbox, dir: &Path) {
    for way in ["clean", "smudge"] {
        sandbox.args(dir, ["config", &format!("filter.lfs.{way}"), "tr a-zA-Z n-za-mN-ZA-M"]);
    }
    git(sandbox, dir, "config filter.lfs.required true");
    write(dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    write(dir, "large.bin", "a large file");
    sandbox.commit(dir, "large files");
}

/// What git has of a large file: something that names it.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";

/// Who makes large files of their pointers.
#[derive(PartialEq)]
enum Smudge {
    Nobody,
    Lfs,
    /// They are fetched by hand.
    Skipped,
}

fn with_pointers(sandbox: &Sandbox, dir: &Path, smudge: Smudge) {
    write(dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    if smudge == Smudge::Nobody {
        write(dir, "large.bin", POINTER);
    } else {
        let lfs = install_lfs(sandbox).display().to_string();
        let out = if smudge == Smudge::Lfs { format!("{lfs} smudge") } else { "cat".to_owned() };
        for (key, value) in [("clean", format!("{lfs} clean")), ("smudge", out), ("required", "true".to_owned())] {
            sandbox.args(dir, ["config", &format!("filter.lfs.{key}"), &value]);
        }
        write(dir, "large.bin", b"\0large");
    }
    sandbox.commit(dir, "large files");
    fs::remove_file(dir.join("large.bin")).unwrap();
    git(sandbox, dir, "checkout -q -- large.bin");
}

/// The user's repository is a clone of another one.
fn cloned(sandbox: &Sandbox, dir: &Path, how: &str) {
    let origin = sandbox.dir().join("origin");
    fs::rename(dir, &origin).unwrap();
    git(sandbox, &origin, "config uploadpack.allowFilter true");
    for n in 0..3 {
        write(&origin, "a.txt", format!("one\ntwo\nthree\n{n}\n"));
        sandbox.commit(&origin, "more");
    }
    let url = format!("file://{}", origin.display());
    let args = ["clone", "-q"].into_iter().chain(how.split(' ')).chain([url.as_str(), dir.to_str().unwrap()]);
    sandbox.args(sandbox.dir(), args);
}

/// Repositories and changes of all sorts.
pub(super) const CELLS: &[Cell] = &[
    // Submodules.
    Cell { name: "a submodule's commit", repository: with_submodule, change: pointer, ..CELL },
    Cell {
        name: "a submodule's commit while the user's one has edits",
        repository: with_submodule,
        change: pointer,
        user: |_, dir| write(dir, "sub/lib.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "an edit while a submodule of the user has edits and a commit",
        repository: with_submodule,
        user: |sandbox, dir| {
            write(dir, "sub/own.txt", "mine\n");
            sandbox.commit(&dir.join("sub"), "mine");
            write(dir, "sub/lib.txt", "mine too\n");
        },
        ..CELL
    },
    Cell {
        name: "a new submodule",
        repository: with_submodule,
        change: |sandbox, dir| {
            let lib = sandbox.dir().join("lib");
            sandbox.args(dir, ["submodule", "--quiet", "add", "--name", "more", lib.to_str().unwrap(), "deep/more"]);
        },
        ..CELL
    },
    Cell {
        name: "a submodule that goes while the user's one has edits",
        repository: with_submodule,
        change: |sandbox, dir| git(sandbox, dir, "rm -q sub"),
        user: |_, dir| write(dir, "sub/lib.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "a submodule's commit with submodule.recurse",
        repository: |sandbox, dir| {
            with_submodule(sandbox, dir);
            git(sandbox, dir, "config submodule.recurse true");
        },
        change: pointer,
        user: |_, dir| write(dir, "sub/lib.txt", "mine\n"),
        ..CELL
    },
    // A part of the files.
    Cell {
        name: "an edit and a new file outside of a cone",
        repository: |sandbox, dir| {
            write(dir, "docs/a.md", "a\n");
            sandbox.commit(dir, "docs");
            git(sandbox, dir, "sparse-checkout set --cone src");
        },
        change: |_, dir| {
            write(dir, "a.txt", "1\n");
            write(dir, "src/c.txt", "c\n");
        },
        ..CELL
    },
    Cell {
        name: "a sparse index",
        repository: |sandbox, dir| {
            write(dir, "docs/a.md", "a\n");
            sandbox.commit(dir, "docs");
            git(sandbox, dir, "sparse-checkout set --cone --sparse-index src");
        },
        change: |sandbox, dir| {
            git(sandbox, dir, "sparse-checkout disable");
            write(dir, "docs/a.md", "changed\n");
        },
        user: |_, dir| write(dir, "src/mine.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "patterns without a cone",
        repository: |sandbox, dir| {
            write(dir, "docs/a.md", "a\n");
            sandbox.commit(dir, "docs");
            git(sandbox, dir, "sparse-checkout set --no-cone /* !/docs/");
        },
        ..CELL
    },
    // Filters, line ends, modes, links, cases.
    Cell {
        name: "a filtered file",
        repository: with_filter,
        change: |_, dir| write(dir, "large.bin", "a larger file"),
        ..CELL
    },
    Cell {
        name: "an edit while a filtered file of the user has changed",
        repository: with_filter,
        user: |_, dir| write(dir, "large.bin", "mine"),
        ..CELL
    },
    Cell {
        name: "a filtered file that the user has changed too",
        repository: with_filter,
        change: |_, dir| write(dir, "large.bin", "a larger file"),
        user: |_, dir| write(dir, "large.bin", "mine"),
        end: End::Refused("large.bin"),
    },
    // Large files elsewhere, of which git has pointers.
    Cell {
        name: "pointers without the filter that reads them",
        repository: |sandbox, dir| with_pointers(sandbox, dir, Smudge::Nobody),
        change: |_, dir| write(dir, "large.bin", POINTER.replace("sha256:0", "sha256:1")),
        user: |_, dir| write(dir, "src/b.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "a large file behind its filter",
        repository: |sandbox, dir| with_pointers(sandbox, dir, Smudge::Lfs),
        change: |_, dir| write(dir, "large.bin", b"\0larger"),
        user: |_, dir| write(dir, "src/b.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "a large file behind its filter that the user has changed too",
        repository: |sandbox, dir| with_pointers(sandbox, dir, Smudge::Lfs),
        change: |_, dir| write(dir, "large.bin", b"\0larger"),
        user: |_, dir| write(dir, "large.bin", b"\0mine"),
        end: End::Refused("large.bin"),
    },
    Cell {
        name: "a large file where the user has pointers only",
        repository: |sandbox, dir| with_pointers(sandbox, dir, Smudge::Skipped),
        change: |_, dir| write(dir, "large.bin", b"\0larger"),
        ..CELL
    },
    Cell {
        name: "a filter that makes no files any more",
        repository: |sandbox, dir| with_pointers(sandbox, dir, Smudge::Lfs),
        user: |sandbox, dir| git(sandbox, dir, "config filter.lfs.smudge git-lfs-that-is-gone"),
        end: End::NotMade("install git-lfs"),
        ..CELL
    },
    Cell {
        name: "core.autocrlf",
        repository: |sandbox, dir| {
            git(sandbox, dir, "config core.autocrlf true");
            write(dir, "win.txt", "one\r\ntwo\r\n");
            sandbox.commit(dir, "line ends");
        },
        change: |_, dir| write(dir, "win.txt", "one\r\n2\r\n"),
        user: |_, dir| write(dir, "mine.txt", "mine\r\n"),
        ..CELL
    },
    Cell {
        name: "core.autocrlf input and attributes that come with the change",
        repository: |sandbox, dir| git(sandbox, dir, "config core.autocrlf input"),
        change: |_, dir| {
            write(dir, ".gitattributes", "* text=auto eol=crlf\n");
            write(dir, "a.txt", "one\r\n2\r\n");
        },
        ..CELL
    },
    Cell {
        name: "a mode without core.fileMode",
        repository: |sandbox, dir| git(sandbox, dir, "config core.fileMode false"),
        change: |sandbox, dir| git(sandbox, dir, "update-index --chmod=+x a.txt"),
        user: |_, dir| fs::set_permissions(dir.join("src/b.txt"), Permissions::from_mode(0o755)).unwrap(),
        ..CELL
    },
    Cell {
        name: "a link without core.symlinks",
        repository: |sandbox, dir| git(sandbox, dir, "config core.symlinks false"),
        change: |_, dir| symlink("a.txt", dir.join("link")).unwrap(),
        ..CELL
    },
    Cell {
        name: "a link that became a file",
        repository: |sandbox, dir| {
            symlink("a.txt", dir.join("link")).unwrap();
            sandbox.commit(dir, "a link");
        },
        change: |_, dir| {
            fs::remove_file(dir.join("link")).unwrap();
            write(dir, "link", "a file now\n");
        },
        ..CELL
    },
    Cell {
        name: "a rename of case only with core.ignoreCase",
        repository: |sandbox, dir| git(sandbox, dir, "config core.ignoreCase true"),
        change: |sandbox, dir| git(sandbox, dir, "mv a.txt A.txt"),
        user: |_, dir| write(dir, "src/b.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "names of all sorts",
        change: |_, dir| {
            for name in [
                "with space.txt",
                "new\nline.txt",
                "-dash",
                "\"quoted\"",
                "tab\t.txt",
                "e\u{301}",
                "\u{e9}",
                ":(glob)x",
            ] {
                write(dir, name, "n\n");
            }
            fs::write(dir.join(odd_name("odd")), "o\n").unwrap();
        },
        user: |_, dir| fs::write(dir.join(odd_name("mine \n")), "mine\n").unwrap(),
        ..CELL
    },
    Cell {
        name: "a large file",
        change: |_, dir| fs::File::create(dir.join("large")).unwrap().set_len(5 << 20).unwrap(),
        ..CELL
    },
    Cell {
        name: "many files",
        change: |_, dir| (0..600).for_each(|n| write(dir, &format!("many/{n}.txt"), "m\n")),
        ..CELL
    },
    // How git keeps it all.
    Cell {
        name: "a split index with an untracked cache, in its fourth version",
        repository: |sandbox, dir| {
            git(sandbox, dir, "config core.splitIndex true");
            git(sandbox, dir, "config core.untrackedCache true");
            git(sandbox, dir, "update-index --index-version 4 --split-index --untracked-cache");
        },
        change: ADD,
        user: |_, dir| write(dir, "src/mine.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "a monitor of the file system",
        repository: |sandbox, dir| {
            executable(&dir.join(".git/hooks/monitor"), "#!/bin/sh\nprintf 'token\\0/\\0'\n");
            git(sandbox, dir, "config core.fsmonitor .git/hooks/monitor");
            git(sandbox, dir, "update-index --fsmonitor");
        },
        change: ADD,
        user: |_, dir| write(dir, "src/b.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "packed refs and objects",
        repository: |sandbox, dir| git(sandbox, dir, "gc -q"),
        change: ADD,
        user: |sandbox, dir| git(sandbox, dir, "pack-refs --all"),
        ..CELL
    },
    Cell {
        name: "settings of the work tree's own",
        repository: |sandbox, dir| {
            git(sandbox, dir, "config extensions.worktreeConfig true");
            git(sandbox, dir, "config --worktree core.whitespace trailing-space");
        },
        change: ADD,
        ..CELL
    },
    Cell { name: "a shallow clone", repository: |sandbox, dir| cloned(sandbox, dir, "--depth 1"), ..CELL },
    Cell {
        name: "a partial clone",
        repository: |sandbox, dir| cloned(sandbox, dir, "--filter=blob:none"),
        user: |_, dir| write(dir, "src/b.txt", "mine\n"),
        ..CELL
    },
    Cell {
        name: "settings that change how git merges, commits and rebases",
        repository: |sandbox, dir| {
            for set in [
                "merge.ff only",
                "merge.autoStash true",
                "merge.log true",
                "rebase.autoStash true",
                "rebase.updateRefs true",
                "rebase.autoSquash true",
                "commit.cleanup strip",
                "commit.verbose true",
                "pull.rebase true",
                "core.commentChar ;",
                "status.showUntrackedFiles no",
                "diff.noprefix true",
                "core.quotePath false",
            ] {
                git(sandbox, dir, &format!("config {set}"));
            }
        },
        user: |_, dir| write(dir, "src/b.txt", "mine\n"),
        ..CELL
    },
];

/// What takes its time.
pub(super) const LARGE: &[Cell] = &[
    Cell { name: "a file of 100 MB", change: |_, dir| hundred_megabytes(dir, "large"), ..CELL },
    Cell {
        name: "a target with a file of 100 MB, and another one of the user's",
        repository: |sandbox, dir| {
            hundred_megabytes(dir, "large");
            sandbox.commit(dir, "a large file");
        },
        user: |_, dir| hundred_megabytes(dir, "mine.bin"),
        ..CELL
    },
    Cell {
        name: "a target with a file of 100 MB that the change and the user have changed",
        repository: |sandbox, dir| {
            hundred_megabytes(dir, "large");
            sandbox.commit(dir, "a large file");
        },
        change: |_, dir| write(dir, "large", "small\n"),
        user: |_, dir| write(dir, "large", "mine\n"),
        end: End::Refused("large"),
    },
    Cell {
        name: "100,000 files, of which the change and the user have changed some",
        repository: hundred_thousand_files,
        change: |_, dir| (0..50).for_each(|n| write(dir, &format!("many/{n}/7.txt"), "changed\n")),
        user: |_, dir| (50..100).for_each(|n| write(dir, &format!("many/{n}/7.txt"), "mine\n")),
        ..CELL
    },
    Cell {
        name: "a folder of 100,000 files that goes",
        repository: hundred_thousand_files,
        change: |_, dir| fs::remove_dir_all(dir.join("many")).unwrap(),
        ..CELL
    },
    Cell {
        name: "a folder of 100,000 files that goes, and the user has changed one",
        repository: hundred_thousand_files,
        change: |_, dir| fs::remove_dir_all(dir.join("many")).unwrap(),
        user: |_, dir| write(dir, "many/999/99.txt", "mine\n"),
        end: End::Refused("many/999/99.txt"),
    },
];

fn hundred_megabytes(dir: &Path, name: &str) {
    fs::File::create(dir.join(name)).unwrap().set_len(100 << 20).unwrap();
}

/// A commit with a thousand folders of a hundred files each.
fn hundred_thousand_files(sandbox: &Sandbox, dir: &Path) {
    let mut text = "commit refs/heads/main\ncommitter T <t@localhost> 1700000000 +0000\ndata 5\nmany\n\n".to_owned();
    text.push_str("from refs/heads/main^0\n");
    for n in 0..100_000 {
        let content = format!("file {n}\n");
        let name = format!("many/{}/{}.txt", n / 100, n % 100);
        text.push_str(&format!("M 100644 inline {name}\ndata {}\n{content}\n", content.len()));
    }
    sandbox.git.writing(dir).args(["fast-import", "--quiet"]).input(text.into_bytes()).run().unwrap();
    git(sandbox, dir, "reset -q --hard");
}
