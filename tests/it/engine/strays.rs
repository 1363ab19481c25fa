//! What nothing accounts for: real strays made by hand, each found by what it is, and mended or left as is safe.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Yard, is_alive, pid_in};
use crate::support::doctor::Check;
use crate::support::running::Running;
use crate::support::until;

const WORK: &str = "[[append kept.txt committed]] [[commit agent]] [[append loose.txt not committed]]";

/// A yard with one ticket on which an agent has worked.
fn worked() -> Yard {
    let yard = Yard::new();
    yard.tickets(&[WORK]);
    yard.run(&[]).ok();
    yard.world.assert_accounted_for();
    yard
}

/// A yard whose one agent has left a daemon and hangs, with its engine.
fn hanging() -> (Yard, Running) {
    let yard = Yard::new();
    yard.tickets(&["[[run echo $PPID > @pid]] [[daemon 600]] [[say kept]] [[touch @ready]] [[hang]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    yard.world.assert_accounted_for();
    (yard, engine)
}

/// Demands that there is one stray, of that kind, whose message has those words.
#[track_caller]
fn only(strays: &[Check], name: &str, words: &str) -> Check {
    let [stray] = strays else { panic!("not one stray: {strays:#?}") };
    assert!(stray.name == name && stray.message.contains(words), "not about {name} `{words}`: {stray:#?}");
    assert!(!stray.fix.is_empty() || stray.mended == Some(true), "it does not say what to do: {stray:#?}");
    stray.clone()
}

/// Demands one stray, has it mended, and demands that nothing is left.
#[track_caller]
fn mended(yard: &Yard, name: &str, words: &str) -> Check {
    only(&yard.world.strays(), name, words);
    let check = only(&yard.world.mend(), name, words);
    assert_eq!(check.mended, Some(true), "{check:#?}");
    yard.world.assert_accounted_for();
    check
}

/// Demands one stray that is told, and left as it is.
#[track_caller]
fn told(yard: &Yard, name: &str, words: &str) -> Check {
    let check = only(&yard.world.strays(), name, words);
    assert_eq!(only(&yard.world.mend(), name, words).mended, None);
    assert_eq!(yard.world.strays(), std::slice::from_ref(&check));
    check
}

fn run_folder(yard: &Yard, n: usize) -> PathBuf {
    yard.show(n).runs("execute")[0]["path"].as_str().unwrap().into()
}

fn board_folder(yard: &Yard) -> PathBuf {
    yard.show(1).worktree().parent().unwrap().to_owned()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    until("it is dead", || !is_alive(pid));
}

/// Makes a file or folder look old.
fn age(path: &Path) {
    File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(600)).unwrap();
}

fn git_dir(yard: &Yard) -> PathBuf {
    yard.world.repo().join(".git/worktrees").join(yard.show(1).worktree().file_name().unwrap())
}

#[test]
fn a_process_that_outlived_its_run_is_found_by_its_mark_and_stopped() {
    let yard = worked();
    let spec: Value = serde_json::from_slice(&fs::read(run_folder(&yard, 1).join("spec.json")).unwrap()).unwrap();
    let mut command = yard.world.command("sh");
    command.args(["-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"]);
    let stray = yard.world.start(command.env("DRAFT_RUN_MARK", spec["mark"].as_str().unwrap()));
    stray.until_printed("ready");
    let innocent = yard.world.start(yard.world.command("sleep").arg("600").env("DRAFT_TICKET", "1"));
    mended(&yard, "processes", "run 1 of #1 is over");
    assert!(stray.wait().status.success(), "it was asked politely");
    assert!(is_alive(innocent.pid()));
}

#[test]
fn a_run_whose_supervisor_was_killed_waits_for_the_next_engine_and_is_told() {
    let (yard, engine) = hanging();
    let agent = pid_in(&yard.sign("pid"));
    engine.kill_9();
    yard.world.assert_accounted_for();
    yard.supervisors().into_values().for_each(kill);
    let check = told(&yard, "runs", "run 1 of #1 has lost its supervisor");
    assert!(check.fix.contains("draft run"), "{check:#?}");
    assert!(is_alive(agent), "the doctor leaves to the engine what is the engine's");
    yard.run(&[]).exits(1);
    assert!(!is_alive(agent));
    yard.world.assert_accounted_for();
}

#[test]
fn a_supervisor_whose_folder_was_deleted_is_found_by_the_lock_that_it_holds_and_stops_its_run() {
    let (yard, engine) = hanging();
    let agent = pid_in(&yard.sign("pid"));
    engine.kill_9();
    let folder = run_folder(&yard, 1);
    // One that goes on would see it by itself.
    for supervisor in yard.supervisors().into_values() {
        kill_process(Pid::from_raw(supervisor).unwrap(), Signal::STOP).unwrap();
    }
    fs::remove_dir_all(folder).unwrap();
    let strays = yard.world.strays();
    let names: Vec<&str> = strays.iter().map(|stray| stray.name.as_str()).collect();
    assert_eq!(names, ["supervisors", "runs"], "{strays:#?}");
    let after = yard.world.mend();
    assert_eq!(after[0].mended, Some(true), "{after:#?}");
    assert!(!is_alive(agent));
    yard.run(&[]).exits(1);
    yard.show(1).assert("blocked (lost)", "");
    yard.world.assert_accounted_for();
    yard.world.assert_nothing_left();
}

#[test]
fn processes_of_a_run_that_was_deleted_are_stopped_once_their_ticket_has_nothing_to_do() {
    let (yard, engine) = hanging();
    let agent = pid_in(&yard.sign("pid"));
    engine.kill_9();
    let folder = run_folder(&yard, 1);
    yard.supervisors().into_values().for_each(kill);
    fs::remove_dir_all(folder).unwrap();
    let found = yard.world.strays();
    assert!(found[0].message.contains("whose folder is gone") && found[0].fix.contains("kill"), "{found:#?}");
    yard.world.mend();
    assert!(is_alive(agent), "its ticket still has a job, so nothing proves that it is over");
    yard.run(&[]).exits(1);
    assert!(!is_alive(agent), "the next engine knows its mark without its folder");
    yard.world.assert_accounted_for();

    let ticket = yard.show(1).id().to_owned();
    let mut command = yard.world.command("sleep");
    command.arg("600").env("DRAFT_RUN_MARK", "01a20b66-cf23-74a3-840d-52b3348bb96c").env("DRAFT_TICKET_ID", ticket);
    let stray = yard.world.start(&mut command);
    until("it is seen", || !yard.world.strays().is_empty());
    mended(&yard, "processes", "it is of a run of #1 whose folder is gone");
    assert_eq!(stray.wait().status.code(), None, "a signal ended it");
    yard.world.assert_nothing_left();
}

#[test]
fn a_run_folder_that_no_row_is_of_is_kept_if_it_holds_output_and_removed_if_it_does_not() {
    let yard = worked();
    let (from, root) = (run_folder(&yard, 1), yard.world.data().join("runs"));
    let copy = root.join("01a20b66-cf23-74a3-840d-52b3348bb96c/1-execute");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    yard.world.run("cp", &["-r", from.to_str().unwrap(), copy.to_str().unwrap()]).ok();
    let kept = fs::read(copy.join("stdout")).unwrap();
    told(&yard, "runs", "bytes of output, and no run in the database is its");
    assert_eq!(fs::read(copy.join("stdout")).unwrap(), kept);

    fs::write(copy.join("stdout"), "").unwrap();
    fs::write(copy.join("stderr"), "").unwrap();
    mended(&yard, "runs", "is not running, and no run in the database is its");
    assert!(!copy.parent().unwrap().exists(), "the folder of its job went with it");
}

#[test]
fn a_half_made_run_folder_is_removed_once_it_is_old_and_a_deleted_one_is_told() {
    let yard = worked();
    let folder = run_folder(&yard, 1);
    let half_made = folder.parent().unwrap().join(".new-abc");
    fs::create_dir(&half_made).unwrap();
    fs::write(half_made.join("spec.json"), "{").unwrap();
    yard.world.assert_accounted_for();
    age(&half_made);
    mended(&yard, "runs", "half made");
    fs::remove_dir_all(folder).unwrap();
    told(&yard, "runs", "the output of a run of #1 is gone");
}

#[test]
fn a_worktree_that_no_ticket_holds_goes_into_the_trash_with_all_that_it_holds() {
    let yard = worked();
    let planted = board_folder(&yard).join("planted");
    let path = planted.to_str().unwrap();
    yard.world.git(&["worktree", "add", "--quiet", "-b", "mine", path]);
    fs::write(planted.join("precious.txt"), "precious").unwrap();

    let mut inside = yard.world.command("sleep");
    let inside = yard.world.start(inside.arg("600").current_dir(&planted));
    until("somebody is in it", || fs::read_link(format!("/proc/{}/cwd", inside.pid())).is_ok_and(|cwd| cwd == planted));
    told(&yard, "worktrees", &format!("processes are in it: {}", inside.pid()));
    inside.kill_9();

    let check = mended(&yard, "worktrees", "no ticket holds the worktree");
    assert!(!planted.exists());
    let reference = check.message.split([' ', '`']).find(|word| word.starts_with("refs/draft/trash/")).unwrap();
    assert_eq!(yard.world.git(&["show", &format!("{reference}:precious.txt")]), "precious");
    assert_eq!(yard.world.git(&["branch", "--list", "mine"]).trim(), "mine", "a branch that Draft did not make stays");
}

#[test]
fn a_locked_worktree_stays_and_a_registration_without_a_folder_is_forgotten() {
    let yard = worked();
    let planted = board_folder(&yard).join("planted");
    let path = planted.to_str().unwrap();
    yard.world.git(&["worktree", "add", "--quiet", "--detach", path]);
    yard.world.git(&["worktree", "lock", path]);
    told(&yard, "worktrees", "it is locked");
    yard.world.git(&["worktree", "unlock", path]);
    fs::remove_dir_all(&planted).unwrap();
    mended(&yard, "worktrees", "its folder is gone");
    assert!(!yard.world.git(&["worktree", "list"]).contains("planted"));
}

#[test]
fn folders_that_git_does_not_know_are_told_and_only_empty_ones_removed() {
    let yard = worked();
    let folder = board_folder(&yard).join("9-left");
    fs::create_dir(&folder).unwrap();
    mended(&yard, "worktrees", "is empty");
    assert!(!folder.exists());
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("work.txt"), "work").unwrap();
    told(&yard, "worktrees", "holds files, and git does not know it");
    assert_eq!(fs::read_to_string(folder.join("work.txt")).unwrap(), "work");
}

#[test]
fn a_worktree_deleted_by_hand_is_told_and_comes_back_with_the_next_run() {
    let yard = worked();
    let worktree = yard.show(1).worktree().to_owned();
    fs::remove_dir_all(&worktree).unwrap();
    told(&yard, "worktrees", "the worktree of #1 was deleted");
    yard.world.git(&["worktree", "prune"]);
    told(&yard, "worktrees", "the worktree of #1 was deleted");
    yard.run(&["1"]).ok();
    assert!(worktree.exists());
    yard.world.assert_accounted_for();

    fs::remove_dir_all(git_dir(&yard)).unwrap();
    let check = told(&yard, "worktrees", "git does not know the worktree of #1 any more");
    assert!(check.fix.contains("git worktree repair"), "{check:#?}");
    assert!(worktree.join("kept.txt").exists());
}

#[test]
fn what_a_lost_database_leaves_is_found_and_nothing_of_it_is_lost() {
    let yard = worked();
    let (worktree, folder) = (yard.show(1).worktree().to_owned(), run_folder(&yard, 1));
    yard.tickets(&[WORK]);
    yard.run(&[]).ok();
    let bare = yard.show(2).worktree().to_owned();
    yard.world.git(&["worktree", "remove", "--force", bare.to_str().unwrap()]);
    for name in ["draft.db", "draft.db-wal", "draft.db-shm"] {
        let _ = fs::remove_file(yard.world.data().join(name));
    }
    yard.world.draft(&["ticket", "list"]).ok();
    let before = yard.world.git(&["for-each-ref", "refs/draft/revisions"]);

    let strays = yard.world.strays();
    let count = |name: &str| strays.iter().filter(|stray| stray.name == name).count();
    let counts = ["worktrees", "branches", "refs", "runs", "leftovers"].map(count);
    assert_eq!(counts, [1, 1, 2, 2, 1], "{strays:#?}");
    let after = yard.world.mend();
    let of = |name: &str| after.iter().filter(|check| check.name == name).map(|check| check.mended).collect::<Vec<_>>();
    assert_eq!(of("worktrees"), [Some(true), Some(true)], "and the folder that is empty then: {after:#?}");
    assert_eq!(of("branches"), [Some(true)], "{after:#?}");
    assert_eq!(of("leftovers"), [Some(true)], "the lock of the board that was");
    assert!(!worktree.exists() && folder.join("stdout").exists());
    assert_eq!(yard.world.git(&["branch", "--list", "draft/*"]), "");
    assert_eq!(of("refs"), [Some(true), Some(true)], "{after:#?}");
    let revisions = || yard.world.git(&["for-each-ref", "refs/draft/revisions"]);
    assert_eq!(
        (yard.world.git(&["for-each-ref", "refs/draft/trash"]).lines().count(), revisions()),
        (4, String::new())
    );
    let left = yard.world.strays();
    assert!(left.iter().all(|stray| stray.name == "runs"), "{left:#?}");
    assert_eq!(left.len(), 2, "{left:#?}");
    // They come back under the names that they had.
    assert_eq!(
        yard.world.draft(&["trash"]).ok().text().matches("1 ref of a ticket that was in no database").count(),
        2
    );
    let trash = yard.world.draft(&["trash", "--json"]).ok().json();
    for one in trash["refs"].as_array().unwrap() {
        yard.world.draft(&["restore", one["reference"].as_str().unwrap()]).ok();
    }
    assert_eq!(revisions(), before);
}

#[test]
fn branches_that_people_made_or_took_over_are_theirs() {
    let yard = worked();
    yard.world.git(&["branch", "draft/7-by-hand"]);
    let branch = yard.show(1).value["branch"].as_str().unwrap().to_owned();
    yard.world.git(&["branch", "--copy", &branch, "my-copy"]);
    yard.world.assert_accounted_for();
}

#[test]
fn a_worktree_in_the_making_is_left_to_the_ticket_and_a_note_of_nobody_is_removed() {
    let yard = Yard::new();
    yard.tickets(&[WORK]);
    let git = yard.world.folder().join("bin/git").canonicalize().unwrap();
    let (git, reached) = (git.display(), yard.sign("reached"));
    let stop = format!("case \"$*\" in *reset\\ --hard*) echo >{}; exec sleep 1000;; esac", reached.display());
    yard.world.install("git", &format!("{stop}\nexec {git} \"$@\""));
    let engine = yard.engine(&[]);
    yard.await_sign("reached");
    yard.world.assert_accounted_for();
    engine.kill_9();
    yard.world.processes().iter().for_each(|git| git.signal(Signal::KILL));
    yard.world.assert_nothing_left();
    yard.world.install("git", &format!("exec {git} \"$@\""));
    told(&yard, "runs", "a job of #1 is under way, and no engine works on it");
    yard.run(&[]).ok();
    yard.show(1).assert("needs_human (review)", "");
    yard.world.assert_accounted_for();

    let note = board_folder(&yard).join(".77-nobody.making");
    fs::write(&note, "").unwrap();
    mended(&yard, "leftovers", "nobody makes it");
    assert!(!note.exists());
}

#[test]
fn locks_and_copies_that_killed_programs_left_are_removed() {
    let yard = worked();
    let (data, git_dir) = (yard.world.data(), git_dir(&yard));
    let lock = git_dir.join("index.lock");
    fs::write(&lock, "").unwrap();
    yard.world.assert_accounted_for();
    age(&lock);
    mended(&yard, "leftovers", "locked");
    fs::create_dir(git_dir.join("draft-index-abc")).unwrap();
    mended(&yard, "leftovers", "was cut short");
    fs::write(data.join("engine-01a20b66-cf23-74a3-840d-52b3348bb96c.lock"), "").unwrap();
    mended(&yard, "leftovers", "is the lock of no board");
    let part = data.join("draft.db.v1.999999999.part");
    fs::write(&part, "x").unwrap();
    age(&part);
    mended(&yard, "leftovers", "a copy of the database that was cut short");
    assert_eq!(
        fs::read_dir(&git_dir)
            .unwrap()
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().starts_with("draft-") || name == "index.lock"
            })
            .count(),
        0
    );
}

#[test]
fn a_command_that_nobody_answers_and_a_board_without_its_repository_are_told() {
    let (yard, engine) = hanging();
    engine.signal(Signal::STOP);
    let mut asker = yard.world.command(env!("CARGO_BIN_EXE_draft"));
    let asker = yard.world.start(asker.args(["ticket", "add", "Wanted"]).stdin(Stdio::null()));
    until("the command is left", || {
        let strays = yard.world.strays();
        assert_eq!(strays, [], "an engine that stands still is an engine");
        let list = yard.world.data().join("draft.db-wal");
        fs::read(list).is_ok_and(|bytes| bytes.windows(6).any(|window| window == b"Wanted"))
    });
    asker.kill_9();
    engine.kill_9();
    let strays = yard.world.strays();
    only(&strays, "commands", "1 command waits for the engine");

    let moved = yard.world.folder().join("moved");
    fs::rename(yard.world.repo(), &moved).unwrap();
    fs::create_dir(yard.world.repo()).unwrap();
    let strays = yard.world.strays();
    assert!(strays.iter().any(|stray| stray.name == "boards" && stray.fix.contains("bring")), "{strays:#?}");
}

#[test]
fn while_eight_jobs_run_and_worktrees_come_and_go_nothing_is_called_stray() {
    let yard = Yard::with_checks(&["sh -c 'sleep 0.2'"]);
    let script =
        |n: usize| format!("[[touch @at-{n}]] [[lines 200]] [[write made.txt {n}]] [[commit {n}]] [[wait 0.5]]");
    yard.tickets(&(1..=16).map(script).collect::<Vec<_>>());
    let engine = yard.engine(&["--max-parallel", "8"]);
    yard.await_sign("at-1");
    let mut looks = 0;
    until("all of them are done", || {
        yard.world.assert_accounted_for();
        assert_eq!(yard.world.mend(), [], "nothing is mended that is not broken");
        if looks < 4 {
            // What is given up goes into the trash while the others go on.
            let _ = yard.world.draft(&["ticket", "move", &(16 - looks).to_string(), "abandoned"]);
        }
        looks += 1;
        engine.stdout().contains("idle:")
    });
    let _ = engine.wait();
    yard.world.assert_accounted_for();
    yard.world.assert_nothing_left();
    let broken = (1..=12).map(|n| yard.show(n).state()).filter(|state| state != "needs_human (review)").count();
    assert_eq!(broken, 0, "the doctor disturbed none of them");
}

#[test]
fn refs_of_a_ticket_that_another_data_directory_knows_or_may_know_stay_where_they_are() {
    let yard = worked();
    let refs = || yard.world.git(&["for-each-ref", "refs/draft/revisions"]);
    let before = refs();
    let other = yard.world.folder().join("other");
    fs::create_dir(&other).unwrap();
    let there = |args: &[&str]| {
        let mut command = yard.world.command(env!("CARGO_BIN_EXE_draft"));
        yard.world.start(command.args(args).env("DRAFT_DATA_DIR", &other)).wait()
    };
    drop(there(&["ticket", "list"]).ok());
    drop(there(&["doctor", "--fix"]));
    assert_eq!(refs(), before, "it knows the ticket");
    let database = yard.world.data().join("draft.db");
    fs::write(&database, "no database, and long enough to be looked at as one").unwrap();
    let said = there(&["doctor", "--fix", "--json"]);
    assert_eq!(refs(), before, "nobody knows what it knows");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("they may be of another data directory, so they stay"), "{said}");
    fs::remove_file(&database).unwrap();
    drop(there(&["doctor", "--fix"]));
    assert_eq!(refs(), "", "nobody knows it any more");
}
