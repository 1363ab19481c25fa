//! Filters and sparse patterns with real git: what the user's checkout has set holds in a ticket's worktree too.

use std::path::{Path, PathBuf};

use super::GitError;
use super::testing::{Sandbox, executable, files, sealed_git, write};
use super::tree::snapshot;

/// Stands in for git-lfs: keeps contents in the home folder, and only their names in the repository. What is a pointer already
/// stays one.
const LFS: &str = r#"#!/bin/sh
store=$HOME/lfs
mkdir -p "$store"
case $1 in
clean)
    cat >"$store/new"
    head -c 8 "$store/new" | grep -q '^version' && exec cat "$store/new"
    id=$(sha256sum <"$store/new" | cut -d' ' -f1)
    mv "$store/new" "$store/$id"
    printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\n' "$id" ;;
smudge)
    id=$(sed -n 's/^oid sha256://p')
    cat "$store/$id" ;;
esac
"#;

/// A repository with `large.bin` in LFS, of which git only knows that `git-lfs` is to be found in the search path.
fn with_lfs() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let mut path = sandbox.dir().join("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    sandbox.git = sealed_git(sandbox.dir(), &path);
    install_lfs(&sandbox);
    let main = sandbox.main();
    for (key, value) in [("clean", "git-lfs clean -- %f"), ("smudge", "git-lfs smudge -- %f"), ("required", "true")] {
        sandbox.args(&main, ["config", "--global", &format!("filter.lfs.{key}"), value]);
    }
    sandbox.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    sandbox.write("large.bin", b"\0large");
    sandbox.commit(&main, "large");
    assert!(sandbox.run(&main, "show HEAD:large.bin").starts_with("version https://git-lfs"));
    sandbox
}

/// Writes the stand-in into the folder `bin` and returns it.
pub(super) fn install_lfs(sandbox: &Sandbox) -> PathBuf {
    let program = sandbox.dir().join("bin/git-lfs");
    std::fs::create_dir_all(sandbox.dir().join("bin")).unwrap();
    executable(&program, LFS);
    program
}

#[test]
fn large_files_are_whole_in_a_worktree_and_names_in_a_change() {
    let sandbox = with_lfs();
    let worktree = sandbox.worktree("1-x").worktree;
    assert_eq!(std::fs::read(worktree.path.join("large.bin")).unwrap(), b"\0large");
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
    write(&worktree.path, "large.bin", b"\0larger");
    let found = snapshot(&sandbox.repo(), &worktree, &[]).unwrap();
    assert!(sandbox.run(&worktree.path, &format!("show {}:large.bin", found.tree)).starts_with("version https://git"));
}

#[test]
fn a_missing_git_lfs_is_told_and_leaves_no_broken_worktree() {
    let sandbox = with_lfs();
    std::fs::remove_file(sandbox.dir().join("bin/git-lfs")).unwrap();
    let error = sandbox.try_worktree("1-x").unwrap_err();
    let GitError::Filter { filter, file, .. } = &error else { panic!("{error}") };
    assert_eq!((filter.as_str(), file.as_deref()), ("lfs", Some("large.bin")));
    assert!(error.to_string().contains("install git-lfs, then run `git lfs install`"), "{error}");
    assert!(!sandbox.worktrees().join("1-x").exists());
    assert_eq!(sandbox.run(&sandbox.main(), "branch --list draft/*"), "");
    assert_eq!(sandbox.run(&sandbox.main(), "worktree list").lines().count(), 1);
    install_lfs(&sandbox);
    assert_eq!(sandbox.worktree("1-x").worktree.branch, "draft/1-x");
}

/// A checkout that has only the folder `src` and the files at the top.
fn sparse(more: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in ["src/deep", "docs", "big/assets"] {
        sandbox.write(&format!("{folder}/file.txt"), folder);
    }
    sandbox.commit(&sandbox.main(), "folders");
    sandbox.run(&sandbox.main(), &format!("sparse-checkout set {more}"));
    sandbox
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).keys().map(|path| path.strip_prefix(folder).unwrap().display().to_string()).collect()
}

#[test]
fn sparse_checkouts_of_all_kinds_are_inherited() {
    for kind in ["--cone src", "--cone --sparse-index src", "--no-cone /* !/*/ /src/"] {
        let sandbox = sparse(kind);
        let worktree = sandbox.worktree("1-x").worktree;
        let found = names(&worktree.path);
        assert_eq!(found, [".gitignore", "a.txt", "src/b.txt", "src/deep/file.txt"], "{kind}");
        assert_eq!(found, names(&sandbox.main()), "{kind}");
        assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed(), "{kind}");

        // What an agent writes outside of the patterns counts, and what is not there is not deleted.
        write(&worktree.path, "docs/new.txt", "n\n");
        write(&worktree.path, "big/assets/file.txt", "edited\n");
        let found = snapshot(&sandbox.repo(), &worktree, &[]).unwrap();
        let changes = format!("diff-tree -r --name-status {} {}", found.base_tree, found.tree);
        assert_eq!(sandbox.run(&worktree.path, &changes), "M\tbig/assets/file.txt\nA\tdocs/new.txt", "{kind}");
    }
}

#[test]
fn a_worktree_may_have_other_patterns_than_the_users_checkout() {
    let sandbox = sparse("--cone src");
    let worktree = sandbox.worktree("1-x").worktree;
    sandbox.run(&worktree.path, "sparse-checkout add docs");
    assert!(worktree.path.join("docs/file.txt").exists() && !sandbox.main().join("docs").exists());
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
}
