//! Many at once: processes and threads that make worktrees of one repository at the same time, each of them whole.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::testing::{Sandbox, sealed_git};
use super::worktree::{Plan, create};
use super::{GitError, Repo};

/// Tells a test of this file that it is one of the crowd: the sandbox, and which of them.
const ELSEWHERE: &str = "DRAFT_TEST_CROWD";
const WHO: &str = "DRAFT_TEST_CROWD_WHO";
const PROCESSES: usize = 8;
const EACH: usize = 5;

fn make_some(repo: &Repo, worktrees: &Path, who: &str) -> Result<(), GitError> {
    for n in 0..EACH {
        let (path, branch) = (worktrees.join(format!("{who}-{n}")), format!("draft/{who}-{n}"));
        create(repo, &Plan { path: &path, branch: &branch, base_branch: "main", existing: None, on_top: None })?
            .recorded()?;
    }
    Ok(())
}

#[test]
fn one_of_a_crowd() {
    let Some(dir) = std::env::var_os(ELSEWHERE).map(PathBuf::from) else { return };
    let git = sealed_git(&dir, &std::env::var_os("PATH").unwrap());
    let repo = Repo::discover(&git, &dir.join("repo")).unwrap();
    make_some(&repo, &dir.join("worktrees"), &std::env::var(WHO).unwrap()).unwrap();
}

#[test]
fn eight_processes_make_worktrees_at_once_and_none_fails() {
    let sandbox = Sandbox::new();
    let start = |who: usize| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "git::crowd_tests::one_of_a_crowd"])
            .env(ELSEWHERE, sandbox.dir())
            .env(WHO, who.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let crowd: Vec<_> = (0..PROCESSES).map(start).collect();
    for one in crowd {
        let output = one.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_all_whole(&sandbox, PROCESSES * EACH);
}

#[test]
fn a_crowd_of_threads_beside_a_git_of_the_users_makes_all_of_its_worktrees() {
    let sandbox = Sandbox::new();
    let repo = sandbox.repo();
    std::thread::scope(|scope| {
        for who in 0..4 {
            let (repo, sandbox) = (&repo, &sandbox);
            scope.spawn(move || make_some(repo, &sandbox.worktrees(), &who.to_string()).unwrap());
        }
        // Somebody who takes no turns. Git itself is known to fail now and then when it meets another; that is theirs.
        for n in 0..EACH {
            let path = sandbox.dir().join(format!("theirs-{n}"));
            let _ = sandbox.git.writing(&sandbox.main()).args(["worktree", "add", "-q", "--detach"]).args([path]).run();
        }
    });
    assert_all_whole(&sandbox, 4 * EACH);
}

#[track_caller]
fn assert_all_whole(sandbox: &Sandbox, wanted: usize) {
    let folders: Vec<_> = sandbox.worktrees().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), wanted);
    for folder in folders {
        assert_eq!(sandbox.run(&folder, "status --porcelain"), "", "{}", folder.display());
        assert!(folder.join("src/b.txt").exists(), "{}", folder.display());
    }
    let branches = sandbox.run(&sandbox.main(), "branch --list draft/* --format %(refname:short)");
    assert_eq!(branches.lines().count(), wanted);
}
