//! A program in the background of a world, and what came of it.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};

use rustix::process::Signal;

use super::process::signal_pid;
use super::wait::{PATIENCE, wait_for};

/// A program in the background. Its output goes to files, so that it never waits for the test to read.
#[must_use = "a program that nobody waits for is killed at once"]
pub(crate) struct Running {
    command: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    pub(super) fn new(command: String, child: Child, stdout: PathBuf, stderr: PathBuf) -> Self {
        Self { command, child, stdout, stderr }
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Returns what it printed so far.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stdout).unwrap()).into_owned()
    }

    /// Returns what it complained about so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap()).into_owned()
    }

    /// Sends it, and only it, a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        signal_pid(self.pid(), signal);
    }

    /// Kills it with the signal that it cannot see, and waits until it is gone.
    pub(crate) fn kill_9(mut self) -> Outcome {
        self.signal(Signal::KILL);
        let status = self.child.wait().unwrap();
        self.outcome(status)
    }

    /// Says whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it printed that.
    #[track_caller]
    pub(crate) fn until_printed(&self, text: &str) {
        if wait_for(|| self.stdout().contains(text).then_some(())).is_none() {
            panic!("waited {PATIENCE:?} in vain until `{}` prints `{text}`\n{}", self.command, self.said());
        }
    }

    /// Waits until it ends.
    #[track_caller]
    #[must_use = "an outcome that nobody looks at hides a failure; call `ok` or `exits`"]
    pub(crate) fn wait(mut self) -> Outcome {
        match wait_for(|| self.child.try_wait().unwrap()) {
            Some(status) => self.outcome(status),
            None => panic!("waited {PATIENCE:?} in vain until `{}` ends\n{}", self.command, self.said()),
        }
    }

    fn outcome(&self, status: ExitStatus) -> Outcome {
        let (stdout, stderr) = (fs::read(&self.stdout).unwrap(), fs::read(&self.stderr).unwrap());
        Outcome { command: self.command.clone(), status, stdout, stderr }
    }

    fn said(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout(), self.stderr())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it ended already, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a program ended and what it printed.
pub(crate) struct Outcome {
    command: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Outcome {
    /// Returns what it printed.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns what it complained about.
    pub(crate) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Demands exit code 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// Demands that exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }

    /// Returns what it printed as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("not JSON: {error}\n{self:?}"))
    }

    /// Returns what it printed as one JSON value a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON: {error}: {line}\n{self:?}"))
        };
        self.text().lines().map(parse).collect()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (out, err) = (self.text(), self.complaint());
        write!(f, "`{}` ended with {}\n--- stdout\n{out}\n--- stderr\n{err}", self.command, self.status)
    }
}
