//! Full disks: each folder in turn has no room for what comes next, and jobs wait, go on when there is room and end right.
//!
//! A small file system in memory stands for the disk, so these need root; without it they say so and prove nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::statvfs;

use super::Yard;
use crate::support::until;

const SCRIPT: &str =
    "[[run echo one >> @starts]] [[write a.txt a]] [[run head -c 200000 /dev/urandom > b.bin]] [[say done]]";

/// A small disk in memory. Dropping it takes it away.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Puts a disk of this size in the place of a folder, with what is in the folder; nothing where that is not allowed.
    fn mount(path: &Path, size: &str) -> Option<Self> {
        let aside = path.with_extension("aside");
        fs::create_dir_all(path).unwrap();
        fs::rename(path, &aside).unwrap();
        fs::create_dir(path).unwrap();
        let mounted = sh(&format!("mount -t tmpfs -o mode=700,size={size} tmpfs {}", path.display()));
        if !mounted {
            fs::remove_dir(path).unwrap();
            fs::rename(&aside, path).unwrap();
            eprintln!("skipped: this needs to mount a file system, which only root may");
            return None;
        }
        let disk = Self { path: path.to_owned() };
        assert!(sh(&format!("cp -a {0}/. {1} && rm -r {0}", aside.display(), path.display())));
        Some(disk)
    }

    fn resize(&self, size: &str) {
        assert!(sh(&format!("mount -o remount,size={size} {}", self.path.display())));
    }

    fn is_full(&self) -> bool {
        statvfs(&self.path).unwrap().f_bavail == 0
    }

    /// Fills it to the last byte.
    fn fill(&self) -> PathBuf {
        let ballast = self.path.join("ballast");
        assert!(!sh(&format!("cat /dev/zero > {}", ballast.display())));
        assert!(self.is_full());
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        sh(&format!("umount -l {}", self.path.display()));
    }
}

/// Returns a yard whose jobs start on small disks too.
fn small_yard() -> Yard {
    let yard = Yard::new();
    yard.settings("  min_free_disk: 0\n");
    yard
}

fn sh(script: &str) -> bool {
    Command::new("sh").args(["-c", script]).output().unwrap().status.success()
}

/// Waits until a job waits for space.
#[track_caller]
fn await_trouble(yard: &Yard) {
    let log = yard.world.data().join("logs/draft.log");
    until("a job waits for space", || {
        fs::read_to_string(&log).is_ok_and(|text| text.contains("the task of a job failed"))
    });
}

#[track_caller]
fn assert_done(yard: &Yard) {
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    assert_eq!(shown.revisions().len(), 1, "{:#}", shown.value);
    assert_eq!(yard.journal("starts"), ["one"], "the agent was started once");
    yard.assert_tidy(1);
}

#[test]
fn a_worktree_a_run_or_a_revision_that_finds_no_space_waits_for_it() {
    // A page for each folder and file: a run has room for one more page than its folders take, and no more.
    for (place, small) in [("data/worktrees", "64k"), ("data/runs", "4k"), ("repo/.git/objects", "160k")] {
        let yard = Yard::new();
        yard.world.write("large.bin", [7; 100_000]);
        yard.world.commit("a large file");
        yard.tickets(&[SCRIPT]);
        let Some(disk) = Disk::mount(&yard.world.folder().join(place), small) else { return };
        let engine = yard.engine(&[]);
        await_trouble(&yard);
        assert_eq!(yard.show(1).job("execute")["status"], "running", "{place}");
        disk.resize("64m");
        engine.wait().ok();
        assert_done(&yard);
    }
}

#[test]
fn a_job_that_waits_for_space_can_be_canceled() {
    let yard = Yard::new();
    yard.world.write("large.bin", [7; 100_000]);
    yard.world.commit("a large file");
    yard.tickets(&[SCRIPT]);
    let Some(disk) = Disk::mount(&yard.world.folder().join("data/worktrees"), "64k") else { return };
    let engine = yard.engine(&[]);
    await_trouble(&yard);
    yard.cancel(1);
    engine.wait().exits(1);
    yard.show(1).assert("blocked (canceled)", "");
    assert_eq!(yard.journal("starts"), [""; 0]);
    disk.resize("64m");
    yard.world.draft(&["ticket", "move", "1", "planned"]).ok();
    yard.run(&[]).ok();
    yard.show(1).assert("needs_human (review)", "");
}

#[test]
fn what_a_check_prints_waits_for_space_and_arrives_whole() {
    let yard = Yard::with_checks(&["sh -c 'seq 100000; echo end'"]);
    yard.tickets(&["[[run echo one >> @starts]] [[write a.txt a]]"]);
    let Some(disk) = Disk::mount(&yard.world.folder().join("data/runs"), "128k") else { return };
    let engine = yard.engine(&[]);
    until("the check fills the disk", || disk.is_full());
    assert_eq!(yard.show(1).job("verify")["status"], "running");
    disk.resize("64m");
    engine.wait().ok();
    let whole: String = (1..=100_000).map(|n| format!("{n}\n")).chain(["end\n".to_owned()]).collect();
    assert!(yard.show(1).stdout("verify") == whole.as_bytes(), "the output is not whole");
    assert_done(&yard);
}

#[test]
fn an_agent_that_ends_on_a_full_disk_has_its_true_end_once_there_is_room() {
    let yard = small_yard();
    yard.tickets(&[
        "[[run echo one >> @starts]] [[write a.txt a]] [[touch @ready]] [[until @go]] [[exit 3]]",
        "[[run echo two >> @starts]] [[write b.txt b]]",
    ]);
    let Some(disk) = Disk::mount(&yard.world.data(), "48m") else { return };
    let engine = yard.engine(&["--max-parallel", "1"]);
    yard.await_sign("ready");
    let ballast = disk.fill();
    yard.give("go");
    until("the agent is gone", || !yard.world.processes().iter().any(|one| one.command.contains("demo-agent")));
    assert_eq!(yard.supervisors().len(), 1, "its supervisor waits for space");
    // The next engine sees the same, and so does a board that only asks.
    drop(engine.kill_9());
    yard.show(1).assert("executing", "");
    fs::remove_file(ballast).unwrap();
    yard.run(&["--max-parallel", "1"]).exits(1);
    yard.show(1).assert("blocked (failed)", "exited with code 3").assert_executed("failed", Some(3), None);
    yard.show(2).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    assert_eq!(yard.journal("starts"), ["one", "two"]);
    yard.assert_tidy(2);
}

#[test]
fn a_database_without_space_ends_no_job_and_forgets_nothing() {
    let yard = small_yard();
    yard.tickets(&[
        "[[run echo one >> @starts]] [[write a.txt a]] [[touch @ready]] [[until @go]]",
        "[[run echo two >> @starts]] [[write b.txt b]]",
    ]);
    let Some(disk) = Disk::mount(&yard.world.data(), "48m") else { return };
    let engine = yard.engine(&["--max-parallel", "1"]);
    yard.await_sign("ready");
    let ballast = disk.fill();
    // Room for the record of the end, and not for what follows from it.
    assert!(sh(&format!("truncate -s -8192 {}", ballast.display())));
    yard.give("go");
    yard.await_ended(1);
    assert_eq!(yard.show(1).job("execute")["status"], "running");
    fs::remove_file(ballast).unwrap();
    engine.wait().ok();
    for n in [1, 2] {
        yard.show(n).assert("needs_human (review)", "").assert_executed("succeeded", Some(0), None);
    }
    assert_eq!(yard.journal("starts"), ["one", "two"]);
    yard.assert_tidy(2);
}

#[test]
fn a_data_folder_that_is_read_only_is_told_and_nothing_is_lost_by_it() {
    let yard = small_yard();
    yard.tickets(&["[[run echo one >> @starts]] [[touch @ready]] [[until @go]] [[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("ready");
    drop(engine.kill_9());
    let data = yard.world.data();
    let bound = sh(&format!("mount --bind {0} {0} && mount -o remount,ro,bind {0}", data.display()));
    if !bound {
        eprintln!("skipped: this needs to mount a file system, which only root may");
        return;
    }
    let bind = Disk { path: data };
    let refused = yard.run(&[]).exits(3);
    assert!(refused.complaint().contains("read-only") || refused.complaint().contains("Read-only"), "{refused:?}");
    drop(bind);
    yard.give("go");
    yard.run(&[]).ok();
    assert_done(&yard);
}
