//! All processes on this machine that belong to runs of Draft, at one moment. They are told by what they carry and hold,
//! never by their names: the mark in the environment, the lock of a run that is held open, the folder they are in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use uuid::Uuid;

use super::adopt::hunt_down;
use super::os::{self, Process, Seen};
use super::spec::{MARK_VARIABLE, Mark};
use super::tree::members;

/// Says in the environment of a run's processes whose ticket they work on.
pub const TICKET_VARIABLE: &str = "DRAFT_TICKET_ID";
/// What the system writes behind the name of an open file that was deleted.
const DELETED: &[u8] = b" (deleted)";
/// How long a supervisor has to stop its tree: the grace of its run, which nobody can read any more, and some seconds.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(30);

/// The processes of this machine at one moment, as far as they can be looked at.
#[derive(Clone, Debug)]
pub struct Census {
    all: Vec<Seen>,
    parents: BTreeMap<i32, i32>,
    marked: Vec<Marked>,
    supervisors: Vec<Supervisor>,
}

/// A process that carries a mark of Draft's in its environment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marked {
    /// Its number.
    pub pid: i32,
    /// Its command line, for people.
    pub command: String,
    /// The runs that it is inside of, the outermost first.
    pub marks: Vec<Mark>,
    /// The ticket of the innermost run, as its environment says.
    pub ticket: Option<Uuid>,
}

/// A process that supervises a run: it was started for a folder, and holds the lock in it open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Supervisor {
    process: Process,
    /// The folder of the run.
    pub folder: PathBuf,
    /// The folder, or the lock in it, was deleted; nobody can learn how the run ends.
    pub is_orphaned: bool,
}

impl Supervisor {
    /// Returns the number of its process.
    pub fn pid(&self) -> i32 {
        self.process.pid
    }

    /// Asks it to stop its run, politely and then hard, and waits until it has. Says whether it is gone.
    pub fn stop(&self) -> bool {
        let Ok(Some(open)) = self.process.open() else { return true };
        // One that somebody stopped in its tracks has to go on to do it.
        if self.process.signal(Signal::TERM).and_then(|()| self.process.signal(Signal::CONT)).is_err() {
            return false;
        }
        let give_up = Instant::now() + SUPERVISOR_PATIENCE;
        while Instant::now() < give_up {
            if os::wait_for(&[open.as_fd()], Duration::from_secs(1)) == [true] {
                return true;
            }
        }
        false
    }
}

impl Census {
    /// Looks at every process. The one that looks is not in it, nor is what it descends from.
    pub fn take() -> Self {
        let all = os::processes();
        let parents: BTreeMap<i32, i32> = all.iter().map(|seen| (seen.process.pid, seen.parent)).collect();
        let above: Vec<i32> = line(&parents, rustix::process::getpid().as_raw_pid()).collect();
        let others = || all.iter().map(|seen| seen.process).filter(|process| !above.contains(&process.pid));
        let marked = others().filter_map(marked).collect();
        let supervisors = others().filter_map(supervisor).collect();
        Self { parents, marked, supervisors, all }
    }

    /// Returns the processes that carry a mark.
    pub fn marked(&self) -> &[Marked] {
        &self.marked
    }

    /// Returns the supervisors that live.
    pub fn supervisors(&self) -> &[Supervisor] {
        &self.supervisors
    }

    /// Returns the supervisor from which a process descends.
    pub fn supervisor_of(&self, pid: i32) -> Option<&Supervisor> {
        line(&self.parents, pid).find_map(|pid| self.supervisors.iter().find(|one| one.pid() == pid))
    }

    /// Returns the processes of a run: those with its mark, what descends from them, and what descends from its
    /// supervisor, which is not among them. Each with its command line.
    pub fn of_run(&self, mark: Mark, supervisor: Option<i32>) -> Vec<(i32, String)> {
        let has_mark =
            |process: Process| self.marked.iter().any(|one| one.pid == process.pid && one.marks.contains(&mark));
        let found = members(&self.all, supervisor, has_mark);
        found.into_iter().map(|process| (process.pid, command_line(process.pid))).collect()
    }

    /// Returns the processes whose current folder is this one or lies in it.
    pub fn inside(&self, folder: &Path) -> Vec<i32> {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let is_inside = |pid: &i32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&folder));
        self.all.iter().map(|seen| seen.process.pid).filter(is_inside).collect()
    }
}

/// What came of stopping the processes of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// How many were asked to end.
    pub asked: usize,
    /// How many are still there, since not even SIGKILL ends them.
    pub left: usize,
}

/// Stops every process that carries this mark, and what descends from these: politely, and after `grace` for good. The
/// caller has made sure that the run is over.
pub fn stop(mark: Mark, grace: Duration) -> Stopped {
    let (asked, left) = hunt_down(mark, grace);
    Stopped { asked, left }
}

/// Returns a process and all above it.
fn line(parents: &BTreeMap<i32, i32>, pid: i32) -> impl Iterator<Item = i32> {
    // A number given away anew in the middle could close a circle, so it ends in any case.
    std::iter::successors(Some(pid), |pid| parents.get(pid).copied().filter(|parent| *parent > 0)).take(4096)
}

fn marked(process: Process) -> Option<Marked> {
    // Another user's process cannot be read; it is not ours either.
    let environment = fs::read(format!("/proc/{}/environ", process.pid)).ok()?;
    let value = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    };
    let uuid = |text: &[u8]| Uuid::try_parse_ascii(text).ok();
    let marks: Vec<Mark> = value(MARK_VARIABLE)?.split(|byte| *byte == b' ').filter_map(uuid).map(Mark).collect();
    let ticket = value(TICKET_VARIABLE).and_then(uuid);
    (!marks.is_empty()).then(|| Marked { pid: process.pid, command: command_line(process.pid), marks, ticket })
}

fn command_line(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ").trim_end().to_owned()
}

fn supervisor(process: Process) -> Option<Supervisor> {
    let line = fs::read(format!("/proc/{}/cmdline", process.pid)).ok()?;
    let mut args = line.split(|byte| *byte == 0);
    if args.nth(1)? != b"supervise" {
        return None;
    }
    let named = Path::new(OsStr::from_bytes(args.next()?));
    let (job, run) = (named.parent()?.file_name()?, named.file_name()?);
    fs::read_dir(format!("/proc/{}/fd", process.pid)).ok()?.find_map(|entry| {
        let held = fs::read_link(entry.ok()?.path()).ok()?;
        let bytes = held.as_os_str().as_bytes();
        let (lock, is_orphaned) = match bytes.strip_suffix(DELETED) {
            Some(name) => (PathBuf::from(OsStr::from_bytes(name)), true),
            None => (held, false),
        };
        let folder = lock.parent().filter(|_| lock.file_name() == Some(OsStr::new("lock")))?;
        let is_its = folder.file_name() == Some(run) && folder.parent()?.file_name() == Some(job);
        is_its.then(|| Supervisor { process, folder: folder.to_owned(), is_orphaned })
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn started(marks: &str, ticket: &str, cwd: &Path) -> Child {
        Command::new("cat")
            .env(MARK_VARIABLE, marks)
            .env(TICKET_VARIABLE, ticket)
            .current_dir(cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Takes a census that is late enough to see a process after its exec.
    fn census_with(pid: i32) -> Census {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let census = Census::take();
            if census.marked().iter().any(|one| one.pid == pid && one.command == "cat") {
                return census;
            }
            assert!(Instant::now() < deadline, "it was never seen");
        }
    }

    #[test]
    fn a_process_is_found_by_its_marks_its_ticket_and_its_folder_and_stopped_by_its_mark() {
        let dir = tempfile::tempdir().unwrap();
        let (outer, inner, ticket) = (Mark(Uuid::now_v7()), Mark(Uuid::now_v7()), Uuid::now_v7());
        let mut child = started(&format!("{outer} {inner}"), &ticket.to_string(), dir.path());
        let pid = i32::try_from(child.id()).unwrap();
        let census = census_with(pid);
        let found = census.marked().iter().find(|one| one.pid == pid).unwrap();
        assert_eq!((&found.marks[..], found.ticket), (&[outer, inner][..], Some(ticket)));
        assert_eq!(census.inside(dir.path()), [pid]);
        assert_eq!(census.of_run(inner, None), [(pid, "cat".to_owned())]);
        assert_eq!(census.supervisor_of(pid), None);

        assert_eq!(stop(Mark(Uuid::now_v7()), Duration::ZERO), Stopped { asked: 0, left: 0 });
        assert!(child.try_wait().unwrap().is_none(), "another mark is not its");
        assert_eq!(stop(inner, Duration::from_secs(30)), Stopped { asked: 1, left: 0 });
        child.wait().unwrap();
    }

    #[test]
    fn who_looks_and_what_it_descends_from_is_no_stray() {
        let census = Census::take();
        let myself = rustix::process::getpid().as_raw_pid();
        assert!(census.marked().iter().all(|one| one.pid != myself));
        assert!(line(&census.parents, myself).all(|above| census.marked().iter().all(|one| one.pid != above)));
    }
}
