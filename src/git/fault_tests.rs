//! What people, other programs and disks do to worktrees, with real git: mended, gone on with, or told; never lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use uuid::Uuid;

use super::testing::{Sandbox, sealed_git, write};
use super::trash::{Binned, Fate, Owner, bin};
use super::tree::snapshot;
use super::worktree::{Created, Origin, Plan, create, validate};
use super::{GitError, Repo};
use crate::domain::id::TicketId;
use crate::domain::state::StateName;
use crate::domain::ticket::Worktree;
use crate::domain::time::Timestamp;

fn again(repo: &Repo, existing: &Worktree) -> Result<Created, GitError> {
    let Worktree { path, branch, base_branch, .. } = existing;
    let made = create(repo, &Plan { path, branch, base_branch, existing: Some(existing), on_top: None })?;
    made.recorded()?;
    Ok(made)
}

/// A worktree with a commit and an edit, and the commit.
fn with_work() -> (Sandbox, Worktree, String) {
    let sandbox = Sandbox::new();
    let worktree = sandbox.worktree("1-x").worktree;
    write(&worktree.path, "committed.txt", "c\n");
    let commit = sandbox.commit(&worktree.path, "work");
    write(&worktree.path, "a.txt", "edited\n");
    (sandbox, worktree, commit)
}

/// The same worktree, with the same commit and edit.
#[track_caller]
fn assert_kept(sandbox: &Sandbox, made: &Created, worktree: &Worktree, commit: &str) {
    assert_eq!((made.origin, &made.worktree), (Origin::Kept, worktree));
    assert_eq!(sandbox.run(&worktree.path, "rev-parse HEAD draft/1-x"), format!("{commit}\n{commit}"));
    assert_eq!(sandbox.run(&worktree.path, "status --porcelain"), " M a.txt");
}

#[test]
fn a_repository_that_was_moved_finds_its_worktrees_again() {
    let (sandbox, worktree, commit) = with_work();
    let moved = sandbox.dir().join("moved");
    std::fs::rename(sandbox.main(), &moved).unwrap();
    let repo = Repo::discover(&sandbox.git, &moved).unwrap();
    assert_kept(&sandbox, &again(&repo, &worktree).unwrap(), &worktree, &commit);
    assert_eq!(validate(&repo, &sandbox.worktrees(), &worktree), Ok(()));
    assert_eq!(sandbox.run(&moved, "worktree list").lines().count(), 2);
}

#[test]
fn a_broken_or_missing_link_of_a_worktree_is_written_again() {
    for content in [Some(""), Some("gitdir: /nowhere\n"), Some("\0garbage"), None] {
        let (sandbox, worktree, commit) = with_work();
        let link = worktree.path.join(".git");
        match content {
            Some(content) => std::fs::write(&link, content).unwrap(),
            None => std::fs::remove_file(&link).unwrap(),
        }
        assert_kept(&sandbox, &again(&sandbox.repo(), &worktree).unwrap(), &worktree, &commit);
        assert_eq!(sandbox.run(&sandbox.main(), "worktree list").lines().count(), 2);
    }
}

#[test]
fn a_worktree_with_a_broken_link_is_removed_with_all_it_holds_kept() {
    let (sandbox, worktree, _) = with_work();
    std::fs::write(worktree.path.join(".git"), "").unwrap();
    let owner = Owner { ticket: TicketId(Uuid::from_u128(7)), state: StateName::Abandoned, branch: Fate::Goes };
    let Binned::Gone(kept) = bin(&sandbox.repo(), &worktree, owner, Timestamp(1), &[]).unwrap() else {
        panic!("it was there")
    };
    assert_eq!(sandbox.run(&sandbox.main(), &format!("show {kept}:a.txt")), "edited");
    assert!(!worktree.path.exists());
}

#[test]
fn a_folder_that_is_something_else_by_now_is_left_alone() {
    // Another repository in its place, or files that have nothing to do with it.
    for deed in ["git init -q", "echo hello >letter.txt"] {
        let (sandbox, worktree, commit) = with_work();
        std::fs::remove_dir_all(&worktree.path).unwrap();
        std::fs::create_dir(&worktree.path).unwrap();
        let done = Command::new("sh").args(["-c", deed]).current_dir(&worktree.path).status().unwrap();
        assert!(done.success());
        let made = again(&sandbox.repo(), &worktree).unwrap().worktree;
        assert_eq!(made.path, sandbox.worktrees().join("1-x-2"), "{deed}");
        assert_eq!(sandbox.run(&made.path, "rev-parse HEAD"), commit, "{deed}");
        assert_eq!(worktree.path.read_dir().unwrap().count(), 1, "{deed}");
    }
}

#[test]
fn a_branch_that_was_deleted_under_its_worktree_is_there_again_where_it_was() {
    let (sandbox, worktree, commit) = with_work();
    sandbox.run(&sandbox.main(), "update-ref -d refs/heads/draft/1-x");
    assert_kept(&sandbox, &again(&sandbox.repo(), &worktree).unwrap(), &worktree, &commit);
    let history = sandbox.run(&sandbox.main(), "reflog show --format=%gs draft/1-x");
    assert!(history.starts_with("draft: made draft/1-x from "), "{history}");
    // Also without a log.
    sandbox.run(&sandbox.main(), "update-ref -d refs/heads/draft/1-x");
    std::fs::remove_file(sandbox.main().join(".git/worktrees/1-x/logs/HEAD")).unwrap();
    again(&sandbox.repo(), &worktree).unwrap();
    assert_eq!(sandbox.run(&worktree.path, "rev-parse HEAD"), worktree.base);
    assert!(snapshot(&sandbox.repo(), &worktree, &[]).unwrap().changed(), "its files are what they were");
}

#[test]
fn a_ticket_goes_on_when_its_base_branch_is_gone_and_a_new_one_is_told_what_there_is() {
    let (sandbox, worktree, commit) = with_work();
    sandbox.run(&sandbox.main(), "branch -m main trunk");
    assert_kept(&sandbox, &again(&sandbox.repo(), &worktree).unwrap(), &worktree, &commit);
    std::fs::remove_dir_all(&worktree.path).unwrap();
    assert_eq!(again(&sandbox.repo(), &worktree).unwrap().origin, Origin::Restored);
    let error = sandbox.try_worktree("2-y").unwrap_err().to_string();
    assert!(error.contains("there is no branch `main`") && error.ends_with("there is trunk"), "{error}");
}

#[test]
fn a_lock_of_the_repository_stops_no_worktree_and_is_never_removed() {
    let sandbox = Sandbox::new();
    let lock = |name: &str| sandbox.main().join(".git").join(name);
    for name in ["index.lock", "HEAD.lock", "config.lock", "refs/heads/main.lock"] {
        write(&sandbox.main().join(".git"), name, "");
    }
    let worktree = sandbox.worktree("1-x").worktree;
    assert!(snapshot(&sandbox.repo(), &worktree, &[]).is_ok());
    assert!(["index.lock", "HEAD.lock", "config.lock"].iter().all(|name| lock(name).exists()));
    let error = sandbox.git.writing(&sandbox.main()).args(["add", "-A"]).run().unwrap_err();
    let GitError::Locked { lock: told, holder: None } = &error else { panic!("{error}") };
    assert_eq!(told.canonicalize().unwrap(), lock("index.lock").canonicalize().unwrap());
    assert!(error.to_string().contains("if no git works there, remove it"), "{error}");
}

#[test]
fn a_branch_name_that_another_git_has_locked_is_not_taken() {
    let sandbox = Sandbox::new();
    write(&sandbox.main().join(".git"), "refs/heads/draft/1-x.lock", "");
    let worktree = sandbox.worktree("1-x").worktree;
    assert_eq!(worktree.branch, "draft/1-x-2");
    assert!(sandbox.main().join(".git/refs/heads/draft/1-x.lock").exists());
}

#[test]
fn a_lock_that_goes_meanwhile_is_waited_for() {
    let sandbox = Sandbox::new();
    let lock = sandbox.main().join(".git/refs/heads/side.lock");
    std::fs::write(&lock, "").unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| sandbox.run(&sandbox.main(), "update-ref refs/heads/side main"));
        std::fs::remove_file(&lock).unwrap();
        call.join().unwrap();
    });
}

/// Tells a test of this file that it runs in a mount namespace of its own, and in which sandbox.
const ELSEWHERE: &str = "DRAFT_TEST_SMALL_DISK";

/// Runs a test of this file where the folder for worktrees is a disk of its own, mounted with these options. Where the
/// system does not let this user mount anything, nothing can be tested.
fn on_a_disk(options: &str, test: &str, sandbox: &Sandbox) {
    std::fs::create_dir_all(sandbox.worktrees()).unwrap();
    let script = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" || exit 77; shift 2; exec \"$@\"";
    let ended = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh", options])
        .arg(sandbox.worktrees())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(ELSEWHERE, sandbox.dir())
        .output();
    match ended {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("1 passed"), "{said}");
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let may_not = output.status.code() == Some(77) || said.contains("unshare");
            assert!(may_not, "{said}{}", String::from_utf8_lossy(&output.stdout));
        }
        // There is no such program.
        Err(_) => {}
    }
}

/// The sandbox of the process that asked for a disk.
fn elsewhere() -> Option<(Repo, PathBuf)> {
    let dir = std::env::var_os(ELSEWHERE).map(PathBuf::from)?;
    let git = sealed_git(&dir, &std::env::var_os("PATH").unwrap());
    Some((Repo::discover(&git, &dir.join("repo")).unwrap(), dir.join("worktrees")))
}

fn make(repo: &Repo, path: &Path) -> Result<Created, GitError> {
    let made = create(repo, &Plan { path, branch: "draft/1-x", base_branch: "main", existing: None, on_top: None })?;
    made.recorded()?;
    Ok(made)
}

fn with_a_large_file() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("large.bin", vec![b'x'; 1024 * 1024]);
    sandbox.commit(&sandbox.main(), "large");
    sandbox
}

#[test]
fn a_full_disk_leaves_nothing_behind_and_is_told() {
    on_a_disk("size=256k", "git::fault_tests::in_a_process_with_a_small_disk", &with_a_large_file());
}

#[test]
fn in_a_process_with_a_small_disk() {
    let Some((repo, worktrees)) = elsewhere() else { return };
    let path = worktrees.join("1-x");
    let error = make(&repo, &path).unwrap_err().to_string();
    assert!(error.contains("large.bin") || error.contains("No space left"), "{error}");
    assert!(!path.exists());
    assert_eq!(worktrees.read_dir().unwrap().count(), 0);
    assert!(!repo.has_ref("refs/heads/draft/1-x").unwrap());
    assert_eq!(super::registered::list(&repo).unwrap().len(), 1);
    let grown = Command::new("mount").args(["-o", "remount,size=4m"]).arg(&worktrees).status().unwrap();
    assert!(grown.success());
    assert!(make(&repo, &path).unwrap().worktree.path.join("large.bin").exists());
}

#[test]
fn a_disk_that_cannot_be_written_is_told() {
    on_a_disk("ro", "git::fault_tests::in_a_process_with_a_disk_that_cannot_be_written", &Sandbox::new());
}

#[test]
fn in_a_process_with_a_disk_that_cannot_be_written() {
    let Some((repo, worktrees)) = elsewhere() else { return };
    let error = make(&repo, &worktrees.join("1-x")).unwrap_err();
    assert!(error.to_string().contains("Read-only file system"), "{error}");
    assert!(!repo.has_ref("refs/heads/draft/1-x").unwrap());
    assert_eq!(super::registered::list(&repo).unwrap().len(), 1);
}
