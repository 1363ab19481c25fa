//! Copies with real git: what a worktree needs comes, and nothing that could become part of a change or lead out of it.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::GitError;
use super::copies::{Copied, LIST, Skipped, Why, copy_at_most, copy_in};
use super::testing::{Sandbox, odd_name, write};
use super::tree::snapshot;

fn copies(sandbox: &Sandbox, patterns: &[&str]) -> (PathBuf, Copied) {
    let worktree = sandbox.worktrees().join("1-x");
    if !worktree.exists() {
        sandbox.worktree("1-x");
    }
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let copied = copy_in(&sandbox.repo(), &worktree, &patterns).unwrap();
    (worktree, copied)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A repository that ignores `.env*`, `secrets/` and `*.log`.
fn ignoring() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", ".env*\nsecrets/\n*.log\n");
    sandbox.commit(&sandbox.main(), "ignore");
    sandbox
}

fn skipped(path: &str, why: Why) -> Skipped {
    Skipped { path: path.into(), why }
}

#[test]
fn ignored_files_that_patterns_name_come_with_their_folders_modes_and_times() {
    let sandbox = ignoring();
    sandbox.write(".env", "A=1\n");
    sandbox.write("src/.env.local", "B=2\n");
    sandbox.write("secrets/deep/key", "k");
    sandbox.write("noise.log", "n");
    let key = sandbox.main().join("secrets/deep/key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o400)).unwrap();
    std::fs::set_permissions(key.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let before = sandbox.checkout();
    let (worktree, copied) = copies(&sandbox, &[".env*", "/secrets/"]);
    assert_eq!(copied, Copied { files: 3, bytes: 9, kept: 0, skipped: Vec::new() });
    assert_eq!(read(&worktree.join("src/.env.local")), "B=2\n");
    let (there, here) = (worktree.join("secrets/deep/key").metadata().unwrap(), key.metadata().unwrap());
    assert_eq!((there.mode() & 0o777, there.modified().unwrap()), (0o400, here.modified().unwrap()));
    assert_eq!(worktree.join("secrets/deep").metadata().unwrap().mode() & 0o777, 0o700);
    assert!(!worktree.join("noise.log").exists());
    assert_eq!(sandbox.checkout(), before);
    let beside: Vec<_> = std::fs::read_dir(sandbox.worktrees()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(beside, ["1-x"]);
}

#[test]
fn the_repositorys_own_list_counts_too_and_the_settings_have_the_last_word() {
    let sandbox = ignoring();
    sandbox.write(LIST, "# what runs need\n.env*\n\n!.env.example\n");
    for name in [".env", ".env.example", ".env.prod", "x.log"] {
        sandbox.write(name, name);
    }
    let (worktree, copied) = copies(&sandbox, &["!.env.prod", "x.log"]);
    assert_eq!(copied.files, 2);
    assert!(worktree.join(".env").exists() && worktree.join("x.log").exists());
}

#[test]
fn without_patterns_nothing_is_looked_at() {
    let sandbox = ignoring();
    sandbox.write(".env", "A=1\n");
    sandbox.write(LIST, "# nothing yet\n\n");
    assert_eq!(copies(&sandbox, &["", " "]).1, Copied::default());
}

#[test]
fn a_file_that_git_does_not_ignore_in_the_worktree_is_named_and_never_part_of_the_change() {
    let sandbox = ignoring();
    sandbox.write(".env", "A=1\n");
    sandbox.write("local.properties", "sdk=/opt\n");
    // Ignored in the checkout alone: the worktree has the committed `.gitignore`.
    sandbox.write(".gitignore", ".env*\nlocal.ini\n");
    sandbox.write("local.ini", "i");
    let worktree = sandbox.worktree("1-x").worktree;
    let (path, copied) = copies(&sandbox, &[".env", "local.*"]);
    assert_eq!(copied.files, 1);
    assert_eq!(copied.skipped, [skipped("local.ini", Why::NotIgnored), skipped("local.properties", Why::NotIgnored)]);
    assert!(!path.join("local.properties").exists());
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
    // Ignored by the user alone, for all worktrees of the repository.
    sandbox.write(".git/info/exclude", "local.*\n");
    assert_eq!(copies(&sandbox, &["local.*"]).1.files, 2);
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
}

#[test]
fn nothing_in_the_worktree_is_overwritten_and_a_second_time_brings_what_is_missing() {
    let sandbox = ignoring();
    sandbox.write(".env", "theirs\n");
    sandbox.write(".env.b", "b\n");
    let (worktree, copied) = copies(&sandbox, &[".env*"]);
    assert_eq!((copied.files, copied.kept), (2, 0));
    write(&worktree, ".env", "the agent's\n");
    std::fs::remove_file(worktree.join(".env.b")).unwrap();
    // What a crash in the middle of a file leaves.
    write(&sandbox.worktrees(), ".1-x.copying", "hal");
    let (_, copied) = copies(&sandbox, &[".env*"]);
    assert_eq!((copied.files, copied.kept), (1, 1));
    assert_eq!((read(&worktree.join(".env")), read(&worktree.join(".env.b"))), ("the agent's\n".into(), "b\n".into()));
    assert!(!sandbox.worktrees().join(".1-x.copying").exists());
}

#[test]
fn links_stay_links_and_no_link_is_followed_in_or_out() {
    let sandbox = ignoring();
    write(sandbox.dir(), "outside/secret", "s");
    symlink(sandbox.dir().join("outside/secret"), sandbox.main().join(".env")).unwrap();
    symlink(sandbox.dir().join("outside"), sandbox.main().join("secrets")).unwrap();
    let (worktree, copied) = copies(&sandbox, &[".env", "secrets/", "secrets"]);
    assert_eq!(std::fs::read_link(worktree.join(".env")).unwrap(), sandbox.dir().join("outside/secret"));
    // `secrets/` is a pattern for folders, and this is a link.
    assert_eq!(copied.skipped, [skipped("secrets", Why::NotIgnored)]);

    // In the worktree, a link leads out where a folder would have to be.
    let sandbox = ignoring();
    sandbox.write("config/.env", "A=1\n");
    let worktree = sandbox.worktree("1-x").worktree.path;
    std::fs::create_dir(sandbox.dir().join("outside")).unwrap();
    symlink(sandbox.dir().join("outside"), worktree.join("config")).unwrap();
    assert_eq!(copies(&sandbox, &[".env"]).1.skipped, [skipped("config/.env", Why::InTheWay)]);
    assert_eq!(sandbox.dir().join("outside").read_dir().unwrap().count(), 0);
}

#[test]
fn tracked_files_repositories_and_git_itself_are_not_copied() {
    let sandbox = ignoring();
    sandbox.write(".env.tracked", "t\n");
    sandbox.run(&sandbox.main(), "add -f .env.tracked");
    sandbox.run(&sandbox.main(), "init -q secrets/inner");
    sandbox.write("secrets/inner/file", "f");
    sandbox.write("secrets/key", "k");
    let (worktree, copied) = copies(&sandbox, &["*"]);
    assert_eq!(copied.skipped, [skipped("secrets/inner/", Why::Repository)]);
    assert_eq!(copied.files, 1);
    assert!(worktree.join("secrets/key").exists() && !worktree.join("secrets/inner").exists());
    assert!(!worktree.join(".env.tracked").exists());
}

#[test]
fn names_of_any_bytes_are_copied_also_from_a_linked_worktree() {
    let sandbox = ignoring();
    let linked = sandbox.dir().join("linked");
    sandbox.args(&sandbox.main(), ["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let name = odd_name(".env \n\"");
    std::fs::write(linked.join(&name), "odd").unwrap();
    let repo = super::Repo::discover(&sandbox.git, &linked).unwrap();
    let worktree = sandbox.worktree("1-x").worktree.path;
    assert_eq!(copy_in(&repo, &worktree, &[".env*".to_owned()]).unwrap().files, 1);
    assert_eq!(read(&worktree.join(&name)), "odd");
}

#[test]
fn a_pattern_that_names_far_too_much_is_refused_before_anything_is_copied() {
    let sandbox = ignoring();
    for name in ["a", "b", "c"] {
        sandbox.write(&format!("secrets/{name}"), name);
    }
    let worktree = sandbox.worktree("1-x").worktree.path;
    let error = copy_at_most(2, &sandbox.repo(), &worktree, &["secrets/".to_owned()]).unwrap_err();
    assert!(matches!(error, GitError::TooManyCopies { found: 3, most: 2, .. }), "{error}");
    assert!(!worktree.join("secrets").exists());
}
