//! A board is killed with -9 at each point of making a worktree; the next one makes the same worktree, and nothing of the
//! first try is left.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Repo;
use super::testing::{Sandbox, executable, sealed_git, until, write};
use super::worktree::{Created, Origin, Plan, create};
use crate::domain::ticket::Worktree;

/// Tells a test of this file that it is to make the worktree, and in which sandbox.
const ELSEWHERE: &str = "DRAFT_TEST_SANDBOX";

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kill {
    /// The board alone; a git that it started goes on.
    Board,
    /// All, as when the machine loses its power.
    All,
}

/// A git that is the real one but where one line of shell is in its way. `$here` is the sandbox, `$real` the real git.
fn git_with(sandbox: &Sandbox, line: &str) {
    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file()).unwrap();
    let (here, real) = (sandbox.dir().display(), real.display());
    script(
        &sandbox.dir().join("bin/git"),
        &format!(
            "here={here} real={real}\nstop() {{ echo >$here/reached; exec sleep 1000; }}\necho $$ >$here/pid\n{line}\nexec $real \"$@\""
        ),
    );
}

fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    executable(path, &format!("#!/bin/sh\n{text}\n"));
}

/// Makes the worktree `1-x` in a process of its own that is killed when it, or its git, has stopped somewhere.
fn killed(sandbox: &Sandbox, existing: Option<&Worktree>, kill: Kill) {
    let mut board = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git::worktree_kill_tests::a_board_that_is_going_to_be_killed"])
        .env(ELSEWHERE, sandbox.dir())
        .env("DRAFT_TEST_EXISTING", serde_json::to_string(&existing).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    until("it is reached", || sandbox.dir().join("reached").exists());
    board.kill().unwrap();
    board.wait().unwrap();
    if kill == Kill::All {
        let pid = std::fs::read_to_string(sandbox.dir().join("pid")).unwrap();
        // The last git may have ended before.
        let _ = kill_process_group(Pid::from_raw(pid.trim().parse().unwrap()).unwrap(), Signal::KILL);
    }
    std::fs::remove_file(sandbox.dir().join("reached")).unwrap();
}

#[test]
fn a_board_that_is_going_to_be_killed() {
    let Some(dir) = std::env::var_os(ELSEWHERE).map(PathBuf::from) else { return };
    let mut path: OsString = dir.join("bin").into();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let repo = Repo::discover(&sealed_git(&dir, &path), &dir.join("repo")).unwrap();
    let existing: Option<Worktree> = serde_json::from_str(&std::env::var("DRAFT_TEST_EXISTING").unwrap()).unwrap();
    let _made = make(&repo, &dir.join("worktrees/1-x"), existing.as_ref());
    std::fs::write(dir.join("reached"), "").unwrap();
    std::thread::park();
}

fn make(repo: &Repo, path: &Path, existing: Option<&Worktree>) -> Created {
    create(repo, &Plan { path, branch: "draft/1-x", base_branch: "main", existing, on_top: None }).unwrap()
}

/// Makes it again, for good.
fn again(sandbox: &Sandbox, existing: Option<&Worktree>) -> Created {
    let made = make(&sandbox.repo(), &sandbox.worktrees().join("1-x"), existing);
    made.recorded().unwrap();
    made
}

fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().map(|entries| entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>());
    let mut names: Vec<_> =
        entries.unwrap_or_default().iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// One worktree `1-x` on a branch `draft/1-x`, whole and untouched, and nothing else.
#[track_caller]
fn assert_whole(sandbox: &Sandbox, worktree: &Worktree) {
    assert_eq!((worktree.path.as_path(), worktree.branch.as_str()), (&*sandbox.worktrees().join("1-x"), "draft/1-x"));
    assert_eq!(sandbox.run(&worktree.path, "status --porcelain --branch"), "## draft/1-x");
    assert_eq!(sandbox.run(&worktree.path, "ls-files").lines().count(), names_in(sandbox));
    assert_eq!(names(&sandbox.worktrees()), ["1-x"]);
    assert_eq!(names(&sandbox.main().join(".git/worktrees")), ["1-x"]);
    assert!(!sandbox.main().join(".git/worktrees/1-x/locked").exists());
    assert_eq!(sandbox.run(&sandbox.main(), "branch --list draft/* --format %(refname:short)"), "draft/1-x");
    assert_eq!(sandbox.run(&sandbox.main(), "worktree list").lines().count(), 2);
}

fn names_in(sandbox: &Sandbox) -> usize {
    sandbox.run(&sandbox.main(), "ls-files").lines().count()
}

/// A repository whose checkout passes through a filter and is followed by a hook; each stops the first time if asked to.
fn slow_repository(line_of_filter: &str, line_of_hook: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "slow.txt filter=slow\n");
    sandbox.write("slow.txt", "slow\n");
    sandbox.commit(&sandbox.main(), "slow");
    let (filter, here) = (sandbox.dir().join("filter"), sandbox.dir().display().to_string());
    let stop = format!(
        "here={here}\nstop() {{ [ -e $here/stopped ] || {{ echo >$here/stopped; echo >$here/reached; exec sleep 1000; }}; }}\n"
    );
    script(&filter, &format!("{stop}{line_of_filter}\nexec cat"));
    script(
        &sandbox.main().join(".git/hooks/post-checkout"),
        &format!("{stop}{line_of_hook}\necho ran >>$here/hook.log"),
    );
    sandbox.args(&sandbox.main(), ["config", "filter.slow.smudge", filter.to_str().unwrap()]);
    sandbox
}

#[test]
fn a_kill_at_any_call_of_git_leaves_nothing_that_the_next_try_does_not_finish() {
    let half = "admin=$here/repo/.git/worktrees/1-x; printf 'initializing\\n' >$admin/locked";
    for (point, line) in [
        ("before the branch", "case \"$*\" in *update-ref*) stop;; esac".to_owned()),
        ("before the registration", "case \"$*\" in *worktree\\ add*) stop;; esac".to_owned()),
        (
            "the registration has begun",
            format!("case \"$*\" in *worktree\\ add*) mkdir -p $here/repo/.git/worktrees/1-x; {half}; stop;; esac"),
        ),
        (
            "the registration has no head yet",
            format!(
                "case \"$*\" in *worktree\\ add*) $real \"$@\"; {half}; rm $admin/HEAD $admin/commondir; stop;; esac"
            ),
        ),
        (
            "the registration is half done",
            format!("case \"$*\" in *worktree\\ add*) $real \"$@\"; {half}; stop;; esac"),
        ),
        ("after the registration", "case \"$*\" in *worktree\\ add*) $real \"$@\"; stop;; esac".to_owned()),
        ("before the checkout", "case \"$*\" in *reset*) stop;; esac".to_owned()),
        ("after the checkout", "case \"$*\" in *reset*) $real \"$@\"; stop;; esac".to_owned()),
        ("before it is recorded", String::new()),
    ] {
        let sandbox = slow_repository("", "");
        let before = sandbox.checkout();
        git_with(&sandbox, &line);
        killed(&sandbox, None, Kill::All);
        let made = again(&sandbox, None);
        assert_eq!(made.origin, Origin::New, "{point}");
        assert_whole(&sandbox, &made.worktree);
        assert_eq!(std::fs::read_to_string(sandbox.dir().join("hook.log")).unwrap(), "ran\n");
        assert_eq!(sandbox.checkout(), before);
    }
}

#[test]
fn a_kill_in_the_middle_of_the_checkout_or_of_the_hook_is_finished_too() {
    for (filter, hook) in [("stop", ""), ("", "stop")] {
        let sandbox = slow_repository(filter, hook);
        git_with(&sandbox, "");
        killed(&sandbox, None, Kill::All);
        let worktree = again(&sandbox, None).worktree;
        assert_whole(&sandbox, &worktree);
        assert_eq!(std::fs::read_to_string(sandbox.dir().join("hook.log")).unwrap(), "ran\n");
    }
}

#[test]
fn a_branch_that_an_orphaned_git_makes_just_then_is_the_one_that_was_wanted() {
    let mut sandbox = slow_repository("", "");
    let before = sandbox.checkout();
    git_with(&sandbox, "case \"$*\" in *update-ref*) stop;; esac");
    killed(&sandbox, None, Kill::All);
    assert_eq!(sandbox.run(&sandbox.main(), "branch --list draft/*"), "");
    // The next board has looked, and then the git of the killed one goes on before it can make the branch itself.
    git_with(&sandbox, "case \"$*\" in *update-ref*) $real \"$@\" && echo >$here/met;; esac");
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(sandbox.dir().join("bin")).chain(std::env::split_paths(&path));
    sandbox.git = sealed_git(sandbox.dir(), &std::env::join_paths(folders).unwrap());
    let made = again(&sandbox, None);
    assert!(sandbox.dir().join("met").exists());
    assert_eq!(made.origin, Origin::New);
    assert_whole(&sandbox, &made.worktree);
    assert_eq!(sandbox.checkout(), before);
}

#[test]
fn a_checkout_that_outlives_its_board_is_waited_for() {
    let log = "echo begin >>$here/filter.log; [ -e $here/stopped ] || { echo >$here/stopped; echo >$here/reached
        while [ ! -e $here/go ]; do sleep 0.01; done; }; echo end >>$here/filter.log";
    let sandbox = slow_repository(log, "");
    git_with(&sandbox, "");
    killed(&sandbox, None, Kill::Board);
    std::thread::scope(|scope| {
        let next = scope.spawn(|| again(&sandbox, None));
        std::fs::write(sandbox.dir().join("go"), "").unwrap();
        assert_whole(&sandbox, &next.join().unwrap().worktree);
    });
    let said = std::fs::read_to_string(sandbox.dir().join("filter.log")).unwrap();
    assert!(said.starts_with("begin\nend\n"), "both wrote files at once: {said}");
}

#[test]
fn a_restored_worktree_whose_files_were_not_all_there_is_never_taken_for_a_whole_one() {
    let sandbox = slow_repository("", "");
    let worktree = again(&sandbox, None).worktree;
    write(&worktree.path, "new.txt", "n\n");
    let commit = sandbox.commit(&worktree.path, "work");
    std::fs::remove_dir_all(&worktree.path).unwrap();
    git_with(&sandbox, "case \"$*\" in *reset*) stop;; esac");
    killed(&sandbox, Some(&worktree), Kill::All);

    let restored = again(&sandbox, Some(&worktree));
    assert_eq!((restored.origin, &restored.worktree), (Origin::Restored, &worktree));
    assert_eq!(sandbox.run(&worktree.path, "status --porcelain"), "");
    assert_eq!(sandbox.run(&worktree.path, "rev-parse HEAD"), commit);
    assert!(worktree.path.join("new.txt").exists());
}

#[test]
fn a_worktree_that_the_ticket_has_is_kept_if_only_the_note_was_left() {
    let sandbox = slow_repository("", "");
    git_with(&sandbox, "");
    killed(&sandbox, None, Kill::All);
    let path = sandbox.worktrees().join("1-x");
    let worktree = make(&sandbox.repo(), &path, None).worktree;
    let same = again(&sandbox, Some(&worktree));
    assert_eq!(same.worktree, worktree);
    assert_whole(&sandbox, &worktree);
    assert_eq!(again(&sandbox, Some(&worktree)).origin, Origin::Kept);
}

#[test]
fn what_may_be_somebodys_work_is_left_alone_and_other_names_are_taken() {
    // A commit on the branch.
    let sandbox = slow_repository("", "");
    git_with(&sandbox, "case \"$*\" in *reset*) $real \"$@\"; stop;; esac");
    killed(&sandbox, None, Kill::All);
    let path = sandbox.worktrees().join("1-x");
    write(&path, "new.txt", "n\n");
    let commit = sandbox.commit(&path, "work");
    let made = again(&sandbox, None).worktree;
    assert_eq!((made.path.clone(), made.branch.as_str()), (sandbox.worktrees().join("1-x-2"), "draft/1-x-2"));
    assert_eq!(sandbox.run(&path, "rev-parse HEAD"), commit);
    assert_eq!(names(&sandbox.worktrees()), ["1-x", "1-x-2"]);

    // A file that the commit does not have, where files were still missing; a registration that somebody locked; another
    // branch in its place.
    for deed in ["echo n >new.txt", "git worktree lock .", "git checkout -q -b mine"] {
        let sandbox = slow_repository("", "");
        git_with(&sandbox, "case \"$*\" in *reset*) stop;; esac");
        killed(&sandbox, None, Kill::All);
        let path = sandbox.worktrees().join("1-x");
        let done = Command::new("sh").args(["-c", deed]).current_dir(&path).output().unwrap();
        assert!(done.status.success(), "{deed}: {done:?}");
        let before = names(&path);
        let made = again(&sandbox, None).worktree;
        assert_eq!(made.path, sandbox.worktrees().join("1-x-2"), "{deed}");
        assert_eq!(names(&path), before, "{deed}");
    }
}
