//! All that is Linux's alone: processes as `/proc` shows them, file descriptors that stand for processes, sessions.

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};

use super::spec::{MARK_VARIABLE, Mark};

/// How long an empty environment is looked at again, when its process may be in the middle of exec.
const EXEC_TAKES: Duration = Duration::from_millis(100);
/// The kernel's flag of its own threads in `/proc/PID/stat`.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// A process that cannot be mistaken for a later one with the same number (until the machine starts again).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(super) struct Process {
    /// Its number.
    pub(super) pid: i32,
    /// When it was started, in the kernel's ticks since the machine was.
    pub(super) started: u64,
}

/// What `/proc` says about a process that is not dead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The process.
    pub(super) process: Process,
    /// Its parent's number.
    pub(super) parent: i32,
    /// A thread of the kernel, which is nobody's program.
    pub(super) is_kernel: bool,
}

impl Process {
    /// Returns the living process with this number.
    pub(super) fn of(pid: i32) -> Option<Self> {
        stat(pid).map(|seen| seen.process)
    }

    /// Opens a descriptor that stands for this process, and for no later one; nothing when it is gone.
    pub(super) fn open(self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        let pidfd = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Looked up after opening: had the number been given away before, the start differs.
        Ok((Self::of(self.pid) == Some(self)).then_some(pidfd))
    }

    /// Sends a signal to this process, and to no later one. One that is gone needs none.
    pub(super) fn signal(self, signal: Signal) -> io::Result<()> {
        let Some(pidfd) = self.open()? else { return Ok(()) };
        match rustix::process::pidfd_send_signal(&pidfd, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Says whether it has this mark in the environment that it was started with.
    pub(super) fn has_mark(self, mark: Mark) -> bool {
        let read = |name| fs::read(format!("/proc/{}/{name}", self.pid));
        // Another user's process cannot be read; it is not ours to stop either.
        let Ok(mut environment) = read("environ") else { return false };
        // In the middle of exec it has none, and no arguments either; on a busy machine that takes a while.
        let patience = Instant::now() + EXEC_TAKES;
        while environment.is_empty() && read("cmdline").is_ok_and(|arguments| arguments.is_empty()) {
            if Instant::now() >= patience || Self::of(self.pid) != Some(self) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
            let Ok(found) = read("environ") else { return false };
            environment = found;
        }
        let mark = mark.to_string();
        environment
            .split(|byte| *byte == 0)
            .filter_map(|variable| variable.strip_prefix(MARK_VARIABLE.as_bytes())?.strip_prefix(b"="))
            .any(|marks| marks.split(|byte| *byte == b' ').any(|one| one == mark.as_bytes()))
    }
}

/// Returns all processes that are not dead.
pub(super) fn processes() -> Vec<Seen> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(stat).collect()
}

/// Returns the process that runs this code.
pub(super) fn this_process() -> Option<Process> {
    Process::of(rustix::process::getpid().as_raw_pid())
}

/// Returns a text that is another one each time the machine starts; empty where the system does not tell.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// How much further back in the queue for a processor than what started it a program stands, in steps of `nice`.
const BACK: i32 = 5;

/// Lets a program that was just started, and all that it will start, go last where processors are short: whoever looks on has
/// to see it at once, and the program has all day.
pub(super) fn step_back(pid: i32) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    // It may be over already.
    if let Ok(now) = rustix::process::getpriority_process(Some(pid)) {
        let _ = rustix::process::setpriority_process(Some(pid), now + BACK);
    }
}

/// Makes this process the leader of a session of its own and the parent of orphans among its descendants. Says whether it is
/// the latter: then it has a child as long as any descendant lives.
pub(super) fn detach() -> bool {
    // Whoever leads a group already (started by hand from a shell) cannot lead a session; it works without.
    let _ = rustix::process::setsid();
    // Without it orphans are still found by the mark.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).is_ok()
}

/// Waits until one of the descriptors has something to say, or the time is over, or a signal came. Says for each
/// whether it has.
pub(super) fn wait_for(descriptors: &[BorrowedFd<'_>], time: Duration) -> Vec<bool> {
    let mut asked: Vec<_> = descriptors.iter().map(|one| PollFd::new(one, PollFlags::IN)).collect();
    let time = Timespec::try_from(time).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
    match poll(&mut asked, Some(&time)) {
        Ok(_) => asked.iter().map(|one| !one.revents().is_empty()).collect(),
        Err(_) => vec![false; descriptors.len()],
    }
}

/// Reads a process; nothing if it is gone, or dead and only waits to be waited for.
fn stat(pid: i32) -> Option<Seen> {
    let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets, and may hold anything, brackets too.
    let after_name = memchr::memrchr(b')', &line)? + 1;
    let mut fields = line.get(after_name..)?.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
    let state = fields.next()?;
    let mut number = |skip: usize| std::str::from_utf8(fields.nth(skip)?.trim_ascii()).ok()?.parse::<u64>().ok();
    let parent = i32::try_from(number(0)?).ok()?;
    // Fields are counted from 1 in proc(5): state is 3, parent 4, flags 9, threads 20, start 22. Some in between may be negative.
    let is_kernel = number(4)? & KERNEL_THREAD != 0;
    let threads = number(10)?;
    let started = number(1)?;
    // One whose first thread ended looks dead, and lives as long as the others do.
    if state == b"X" || state == b"Z" && threads <= 1 {
        return None;
    }
    Some(Seen { process: Process { pid, started }, parent, is_kernel })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};

    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_process_is_found_with_its_parent_and_its_mark_until_it_is_gone() {
        let (inner, outer) = (Mark(Uuid::from_u128(11)), Mark(Uuid::from_u128(12)));
        let mut child = Command::new("cat")
            .env(MARK_VARIABLE, format!("{outer} {inner}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process::of(child.id().try_into().unwrap()).unwrap();
        let parent = rustix::process::getpid().as_raw_pid();
        assert!(processes().iter().any(|seen| seen.process == process && seen.parent == parent));
        // It has it from the end of its exec on, which may still be going on.
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !process.has_mark(inner) {
            assert!(std::time::Instant::now() < deadline, "it never had its mark");
        }
        assert!(process.has_mark(outer) && !process.has_mark(Mark(Uuid::from_u128(1))));
        assert!(process.open().unwrap().is_some());
        assert!(Process { started: process.started + 1, ..process }.open().unwrap().is_none(), "a reused number");

        process.signal(Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(process.open().unwrap().is_none() && !process.has_mark(inner));
        process.signal(Signal::KILL).unwrap();
    }

    #[test]
    fn a_program_stands_behind_what_started_it() {
        let own = rustix::process::getpriority_process(None).unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        step_back(pid);
        let now = rustix::process::getpriority_process(Pid::from_raw(pid)).unwrap();
        assert_eq!(now, (own + BACK).min(19));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_descriptor_of_a_process_wakes_when_it_ends() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pidfd = Process::of(child.id().try_into().unwrap()).unwrap().open().unwrap().unwrap();
        assert_eq!(wait_for(&[pidfd.as_fd()], Duration::ZERO), [false]);
        drop(child.stdin.take());
        assert_eq!(wait_for(&[pidfd.as_fd()], Duration::from_secs(60)), [true]);
        child.wait().unwrap();
    }
}
