//! A program that has the terminal for a while: the foreground with its keys and its signals is its own, and comes back
//! however it ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, PipeReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal as Blocked};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpgrp, kill_process_group, waitpid};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};
use tokio::sync::oneshot;

use crate::git::MISLEADING;

/// Between two looks at a program that stopped itself and was told to go on.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a program has to end when the board must leave.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Call {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    /// Where it starts.
    pub(super) folder: PathBuf,
    /// Variables to add to its environment.
    pub(super) set: BTreeMap<String, String>,
    /// Variables to take out of its environment.
    pub(super) drop: Vec<String>,
}

/// A program that has the terminal. Dropping it ends the program, and the terminal comes back.
#[derive(Debug)]
pub(super) struct Guest {
    group: Pid,
    over: oneshot::Receiver<io::Result<WaitStatus>>,
    host: JoinHandle<()>,
}

impl Guest {
    /// Starts a program in a process group of its own and gives it the foreground, so that `^C` and `^Z` are its own.
    /// Nobody else may read the terminal meanwhile. Standard input is the terminal, unless there is something to `read`.
    ///
    /// # Errors
    /// When there is no terminal, or the program cannot be started; then the terminal is as before.
    pub(super) fn start(call: &Call, read: Option<PipeReader>) -> io::Result<Self> {
        let foreground = Foreground::of_this_process()?;
        let mut command = Command::new(&call.program);
        command.args(&call.args).current_dir(&call.folder).env("PWD", &call.folder).envs(&call.set);
        for name in MISLEADING.into_iter().chain(call.drop.iter().map(String::as_str)) {
            command.env_remove(name);
        }
        if let Some(read) = read {
            command.stdin(Stdio::from(read));
        } else if !io::stdin().is_terminal() {
            command.stdin(Stdio::from(foreground.terminal.try_clone()?));
        }
        let child = command.process_group(0).spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL)?;
        foreground.give_to(group);
        let (told, over) = oneshot::channel();
        let host = thread::spawn(move || {
            let ended = foreground.host(group);
            // A board that is gone needs no news.
            let _ = told.send(ended);
        });
        Ok(Self { group, over, host })
    }

    /// Waits until the program is over and the terminal is back. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When nobody can tell how it ended.
    pub(super) async fn over(&mut self) -> io::Result<WaitStatus> {
        (&mut self.over).await.unwrap_or_else(|_| Err(io::Error::other("nobody waited for it")))
    }

    fn is_over_within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while !self.host.is_finished() && Instant::now() < deadline {
            thread::sleep(PAUSE);
        }
        self.host.is_finished()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.is_over_within(Duration::ZERO) {
            return;
        }
        // As when its terminal had gone; it may be stopped, and then it hears nothing.
        let _ = kill_process_group(self.group, Signal::HUP);
        let _ = kill_process_group(self.group, Signal::CONT);
        if !self.is_over_within(PATIENCE) {
            let _ = kill_process_group(self.group, Signal::KILL);
            self.is_over_within(PATIENCE);
        }
    }
}

/// The terminal as this process has it.
struct Foreground {
    terminal: File,
    /// Our own group, if it has the foreground to give.
    ours: Option<Pid>,
    modes: Termios,
}

impl Foreground {
    fn of_this_process() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let ours = tcgetpgrp(&terminal).ok().filter(|group| *group == getpgrp());
        let modes = tcgetattr(&terminal)?;
        Ok(Self { terminal, ours, modes })
    }

    /// Gives the foreground away. A program that looked for it too early has stopped, and is told to go on.
    fn give_to(&self, group: Pid) {
        if self.ours.is_some() {
            // A terminal that is gone says so to all by a signal.
            let _ = tcsetpgrp(&self.terminal, group);
        }
        let _ = kill_process_group(group, Signal::CONT);
    }

    /// Waits for the end of a program, and takes the foreground back. One that stops goes on at once: there is no shell
    /// here that could bring it back later.
    fn host(self, group: Pid) -> io::Result<WaitStatus> {
        // Whoever takes the foreground from the background is stopped by this signal, unless its thread does not hear it.
        let mut deaf = SigSet::empty();
        deaf.add(Blocked::SIGTTOU);
        let blocked = deaf.thread_block();
        let ended = loop {
            match waitpid(Some(group), WaitOptions::UNTRACED) {
                Ok(Some((_, status))) if status.stopped() => {
                    thread::sleep(PAUSE);
                    self.give_to(group);
                }
                Ok(Some((_, status))) => break Ok(status),
                Ok(None) | Err(Errno::INTR) => {}
                Err(error) => break Err(error.into()),
            }
        };
        if let Some(ours) = self.ours.filter(|_| blocked.is_ok()) {
            let _ = tcsetpgrp(&self.terminal, ours);
        }
        // Whatever it did to the terminal is undone, and keys that nobody read were meant for it.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.modes);
        ended
    }
}
