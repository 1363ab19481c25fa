//! Submodules with real git: filled without network from the user's checkout, snapshotted, and never lost.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::GitError;
use super::submodules::fill;
use super::testing::{Sandbox, executable, write};
use super::trash::{Binned, Fate, Owner, bin, list, restore};
use super::tree::{Inner, keep_revision, snapshot};
use super::worktree::{Plan, create, validate};
use crate::domain::id::TicketId;
use crate::domain::state::StateName;
use crate::domain::ticket::Worktree;
use crate::domain::time::Timestamp;

const OWNER: Owner = Owner { ticket: TicketId(Uuid::from_u128(7)), state: StateName::Abandoned, branch: Fate::Goes };
const LIB: &str = "vendor/lib";
const NESTED: &str = "vendor/lib/nested";

/// A repository with a submodule `vendor/lib` that has a submodule `nested` itself, both checked out, and with remotes that
/// are gone by now.
fn with_submodules() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["inner", "lib"] {
        let dir = sandbox.dir().join(name);
        std::fs::create_dir(&dir).unwrap();
        sandbox.run(&dir, "init -q");
        write(&dir, "file.txt", name);
        sandbox.commit(&dir, name);
    }
    add(&sandbox, &sandbox.dir().join("lib"), "inner", "nested");
    add(&sandbox, &sandbox.main(), "lib", LIB);
    sandbox.run(&sandbox.main(), "submodule --quiet update --init --recursive");
    for name in ["inner", "lib"] {
        std::fs::rename(sandbox.dir().join(name), sandbox.dir().join(format!("{name}.gone"))).unwrap();
    }
    sandbox.run(&sandbox.main(), "config --global protocol.file.allow user");
    sandbox
}

fn add(sandbox: &Sandbox, to: &Path, name: &str, path: &str) {
    let url = sandbox.dir().join(name);
    sandbox.args(to, ["submodule", "--quiet", "add", url.to_str().unwrap(), path]);
    sandbox.commit(to, "submodule");
}

fn filled(sandbox: &Sandbox) -> Worktree {
    let worktree = sandbox.worktree("1-x").worktree;
    let all = fill(&sandbox.repo(), &worktree.path).unwrap();
    assert_eq!(all, [worktree.path.join(LIB), worktree.path.join(NESTED)]);
    worktree
}

fn bin_it(sandbox: &Sandbox, worktree: &Worktree) -> Binned {
    bin(&sandbox.repo(), worktree, OWNER, Timestamp(1), &[]).unwrap()
}

fn restore_it(sandbox: &Sandbox) -> Worktree {
    let repo = sandbox.repo();
    let made = restore(&repo, &list(&repo).unwrap()[0]).unwrap();
    made.recorded().unwrap();
    fill(&repo, &made.worktree.path).unwrap();
    made.worktree
}

/// Commits a new file in a submodule.
fn commit_in(sandbox: &Sandbox, folder: &Path) -> String {
    write(folder, "new.txt", "n\n");
    sandbox.commit(folder, "inside")
}

#[test]
fn submodules_of_the_users_checkout_are_there_without_any_network() {
    let sandbox = with_submodules();
    let before = sandbox.checkout();
    let config = std::fs::read(sandbox.main().join(".git/config")).unwrap();
    let worktree = filled(&sandbox);
    for (path, content) in [(LIB, "lib"), (NESTED, "inner")] {
        let here = worktree.path.join(path);
        assert_eq!(std::fs::read_to_string(here.join("file.txt")).unwrap(), content);
        for question in ["rev-parse HEAD", "config remote.origin.url", "rev-parse origin/main"] {
            assert_eq!(sandbox.run(&here, question), sandbox.run(&sandbox.main().join(path), question), "{question}");
        }
        let alternates = sandbox.run(&here, "rev-parse --git-path objects/info/alternates");
        assert!(!here.join(alternates).exists(), "it lives without the user's checkout");
    }
    assert_eq!(sandbox.run(&worktree.path, "status --porcelain --ignore-submodules=none"), "");
    assert_eq!(sandbox.run(&worktree.path, "submodule status --recursive").lines().count(), 2);
    assert_eq!(fill(&sandbox.repo(), &worktree.path).unwrap(), [] as [PathBuf; 0]);
    assert_eq!(sandbox.checkout(), before);
    assert_eq!(std::fs::read(sandbox.main().join(".git/config")).unwrap(), config);
    assert_eq!(validate(&sandbox.repo(), &sandbox.worktrees(), &worktree), Ok(()));
}

#[test]
fn submodules_that_the_user_does_not_have_stay_empty() {
    let sandbox = with_submodules();
    sandbox.run(&sandbox.main(), "submodule --quiet deinit -f vendor/lib");
    let worktree = sandbox.worktree("1-x").worktree;
    assert_eq!(fill(&sandbox.repo(), &worktree.path).unwrap(), [] as [PathBuf; 0]);
    assert_eq!(worktree.path.join(LIB).read_dir().unwrap().count(), 0);
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
    assert!(matches!(bin_it(&sandbox, &worktree), Binned::Gone(_)));
}

#[test]
fn a_commit_that_the_user_has_not_fetched_comes_from_the_remote_or_says_what_failed() {
    let sandbox = with_submodules();
    let lib = sandbox.dir().join("lib");
    std::fs::rename(sandbox.dir().join("lib.gone"), &lib).unwrap();
    let commit = commit_in(&sandbox, &lib);
    let main = sandbox.main();
    sandbox.args(&main, ["update-index", "--cacheinfo", &format!("160000,{commit},{LIB}")]);
    sandbox.args(&main, ["commit", "-q", "-m", "newer"]);
    let worktree = sandbox.worktree("1-x").worktree;

    // Git does not take a submodule from a folder unless the user allows it.
    let error = fill(&sandbox.repo(), &worktree.path).unwrap_err();
    assert!(matches!(&error, GitError::Submodule { path, .. } if path.ends_with(LIB)), "{error}");
    assert!(error.to_string().contains("transport 'file' not allowed"), "{error}");
    assert_eq!(worktree.path.join(LIB).read_dir().unwrap().count(), 0, "nothing half-made stays");

    sandbox.run(&main, "config --global protocol.file.allow always");
    fill(&sandbox.repo(), &worktree.path).unwrap();
    assert_eq!(sandbox.run(&worktree.path.join(LIB), "rev-parse HEAD"), commit);
    assert_eq!(std::fs::read_to_string(worktree.path.join(NESTED).join("file.txt")).unwrap(), "inner");
}

#[test]
fn what_a_killed_process_had_begun_is_begun_again() {
    let sandbox = with_submodules();
    let worktree = sandbox.worktree("1-x").worktree;
    let git_dir = sandbox.main().join(".git/worktrees/1-x");
    // What is there in the middle of a clone.
    write(&git_dir, "draft-submodule", "vendor/lib\0vendor/lib\n");
    write(&git_dir, "modules/vendor/lib/HEAD", "ref: refs/heads/main\n");
    write(&git_dir, "modules/vendor/lib/objects/tmp_pack", "hal");
    write(&worktree.path, "vendor/lib/.git", "gitdir: ../..");
    write(&worktree.path, "vendor/lib/file.txt", "");
    assert_eq!(fill(&sandbox.repo(), &worktree.path).unwrap().len(), 2);
    assert_eq!(sandbox.run(&worktree.path, "status --porcelain --ignore-submodules=none"), "");
}

#[test]
fn a_commit_in_a_submodule_is_a_change_that_is_kept_removed_and_comes_back() {
    let sandbox = with_submodules();
    let worktree = filled(&sandbox);
    let nested = commit_in(&sandbox, &worktree.path.join(NESTED));
    let lib = commit_in(&sandbox, &worktree.path.join(LIB));
    let found = snapshot(&sandbox.repo(), &worktree, &[]).unwrap();
    assert!(found.changed());
    assert_eq!(found.left_out[0].what, Inner::SubmoduleCommit);

    // A revision is nothing without them.
    keep_revision(&sandbox.repo(), &worktree, &found, "refs/draft/revisions/1", "r").unwrap();
    let modules = sandbox.main().join(".git/modules/vendor/lib");
    for (git_dir, commit) in [(modules.clone(), &lib), (modules.join("modules/nested"), &nested)] {
        let kept = sandbox.run(&git_dir, "for-each-ref --format=%(objectname) refs/draft/revisions/1");
        assert!(kept.lines().any(|line| line == commit), "{kept}");
    }

    assert!(matches!(bin_it(&sandbox, &worktree), Binned::Gone(_)));
    assert!(!worktree.path.exists() && !sandbox.main().join(".git/worktrees/1-x").exists());
    let restored = restore_it(&sandbox);
    assert_eq!(sandbox.run(&restored.path.join(LIB), "rev-parse HEAD"), lib);
    assert_eq!(sandbox.run(&restored.path.join(NESTED), "rev-parse HEAD"), nested);
    assert_eq!(sandbox.run(&restored.path, "status --porcelain"), " M vendor/lib");
    assert_eq!(snapshot(&sandbox.repo(), &restored, &[]).unwrap().tree, found.tree);
}

#[test]
fn commits_on_other_branches_of_a_submodule_are_kept_too() {
    let sandbox = with_submodules();
    let worktree = filled(&sandbox);
    let lib = worktree.path.join(LIB);
    sandbox.run(&lib, "checkout -q -b idea");
    let commit = commit_in(&sandbox, &lib);
    sandbox.run(&lib, "checkout -q --detach HEAD~1");
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
    assert!(matches!(bin_it(&sandbox, &worktree), Binned::Gone(_)));
    let kept = sandbox.run(&sandbox.main().join(".git/modules/vendor/lib"), "for-each-ref refs/draft/trash");
    assert!(kept.contains(&commit), "{kept}");
}

#[test]
fn what_cannot_be_kept_makes_a_worktree_stay() {
    // Edits inside.
    let sandbox = with_submodules();
    let worktree = filled(&sandbox);
    write(&worktree.path.join(NESTED), "file.txt", "edited");
    let Binned::Holds(held) = bin_it(&sandbox, &worktree) else { panic!("it holds edits") };
    assert_eq!((held[0].path.as_path(), held[0].what), (Path::new(LIB), Inner::SubmoduleEdits));
    sandbox.run(&worktree.path.join(NESTED), "checkout -q file.txt");

    // A submodule that the user's checkout does not have, whose remote does not have the commit either.
    let other = sandbox.dir().join("other");
    std::fs::create_dir(&other).unwrap();
    sandbox.run(&other, "init -q");
    sandbox.commit(&other, "other");
    sandbox.run(&sandbox.main(), "config --global protocol.file.allow always");
    sandbox.args(&worktree.path, ["submodule", "--quiet", "add", other.to_str().unwrap(), "other"]);
    sandbox.commit(&worktree.path, "a submodule of its own");
    let commit = commit_in(&sandbox, &worktree.path.join("other"));
    let Binned::Holds(held) = bin_it(&sandbox, &worktree) else { panic!("it holds a commit") };
    assert_eq!((held[0].path.as_path(), held[0].what), (Path::new("other"), Inner::SubmoduleCommit));
    sandbox.run(&worktree.path.join("other"), "checkout -q --detach HEAD~1");
    assert!(matches!(bin_it(&sandbox, &worktree), Binned::Holds(_)), "the logs still know it");

    sandbox.args(&worktree.path.join("other"), ["push", "-q", "origin", &format!("{commit}:refs/heads/pushed")]);
    assert!(matches!(bin_it(&sandbox, &worktree), Binned::Gone(_)));
}

#[test]
fn a_folder_deleted_by_hand_takes_no_commit_of_a_submodule_with_it() {
    let sandbox = with_submodules();
    let worktree = filled(&sandbox);
    let lib = commit_in(&sandbox, &worktree.path.join(LIB));
    sandbox.commit(&worktree.path, "newer library");
    std::fs::remove_dir_all(&worktree.path).unwrap();
    let Worktree { path, branch, base_branch, .. } = &worktree;
    let made =
        create(&sandbox.repo(), &Plan { path, branch, base_branch, existing: Some(&worktree), on_top: None }).unwrap();
    made.recorded().unwrap();
    assert_eq!(made.worktree, worktree);
    fill(&sandbox.repo(), path).unwrap();
    assert_eq!(sandbox.run(&path.join(LIB), "rev-parse HEAD"), lib);
}

#[test]
fn sparse_patterns_leave_out_submodules_too() {
    let sandbox = with_submodules();
    sandbox.run(&sandbox.main(), "sparse-checkout set --cone src");
    let worktree = sandbox.worktree("1-x").worktree;
    assert_eq!(fill(&sandbox.repo(), &worktree.path).unwrap(), [] as [PathBuf; 0]);
    assert!(!snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed());
}

#[test]
fn a_filter_in_a_submodule_that_fails_says_so() {
    let sandbox = with_submodules();
    let lib = sandbox.main().join(LIB);
    let filter = sandbox.dir().join("filter");
    executable(&filter, "#!/bin/sh\necho no luck >&2\nexit 1\n");
    write(&lib, ".gitattributes", "*.txt filter=broken\n");
    sandbox.commit(&lib, "filtered");
    sandbox.commit(&sandbox.main(), "newer");
    sandbox.args(&sandbox.main(), ["config", "--global", "filter.broken.smudge", filter.to_str().unwrap()]);
    sandbox.run(&sandbox.main(), "config --global filter.broken.required true");
    let worktree = sandbox.worktree("1-x").worktree;
    let error = fill(&sandbox.repo(), &worktree.path).unwrap_err().to_string();
    assert!(error.contains("vendor/lib") && error.contains("filter broken failed"), "{error}");
}
