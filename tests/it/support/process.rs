//! Which processes belong to a world: those that carry its mark in their environment, or work in its folder.

use std::fmt;
use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal};

/// The variable that every program of a world inherits.
pub(crate) const MARK: &str = "DRAFT_TEST_WORLD";

/// A process that lives, or did a moment ago.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) command: String,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.pid, self.command)
    }
}

impl Process {
    /// Sends it a signal; one that is gone meanwhile is fine.
    pub(crate) fn signal(&self, signal: Signal) {
        signal_pid(self.pid, signal);
    }
}

/// Sends a signal; a process that is gone meanwhile is fine.
pub(super) fn signal_pid(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Returns the living processes that carry `mark`, or whose working folder is below `folder`. A zombie has neither.
pub(super) fn living(mark: &str, folder: &Path) -> Vec<Process> {
    let needle = format!("{MARK}={mark}");
    let mut living = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let proc = entry.path();
        // Each of these fails when the process ends meanwhile or belongs to somebody else: then it is not ours.
        let environ = fs::read(proc.join("environ")).unwrap_or_default();
        let marked = environ.split(|byte| *byte == 0).any(|variable| variable == needle.as_bytes());
        let inside = fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        if marked || inside {
            let command = fs::read(proc.join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
            living.push(Process { pid, command });
        }
    }
    living.sort_by_key(|process| process.pid);
    living
}
