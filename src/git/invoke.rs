//! The one place where git is started: clean environment, own process group, time limit, all output collected.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid};

use super::GitError;
use super::complaint::understood;
use super::locks::PATIENCE;
use super::program::{Environment, Git};

/// Enough for all that does not touch thousands of files, hooks or the network.
const LIMIT: Duration = Duration::from_secs(60);
/// For what may: a checkout of a large repository, its hooks, large-file downloads.
pub(super) const LONG: Duration = Duration::from_mins(30);
/// Makes what git writes outlive a power cut, since a row of the store will name it. Git's own default leaves out loose
/// objects; in a batch it costs a millisecond, and for thousands of files twice the time.
pub(super) const DURABLE: [&str; 4] =
    ["-c", "core.fsync=committed,loose-object,reference", "-c", "core.fsyncMethod=batch"];
/// How long git may tidy up (its lock files) when it is stopped.
const GRACE: Duration = Duration::from_secs(2);
/// How long to listen after git ended, when a child of a hook keeps its output open.
const DRAIN: Duration = Duration::from_millis(200);
/// How much may still lie in a pipe when its writer has ended, in bytes; no pipe is larger, unless root made it so.
const PIPE: usize = 1 << 20;
/// How long to wait before a lock is tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How much of what git says goes into an error, in bytes.
const CUT: usize = 2000;

/// One call of git that is being put together.
pub(super) struct Call<'a> {
    git: &'a Git,
    /// A hook that is run in place of git.
    hook: Option<&'a Path>,
    dir: &'a Path,
    args: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    input: Option<Vec<u8>>,
    /// A file whose lock lasts until git ends too, even if this process is killed before.
    lock: Option<&'a File>,
    limit: Duration,
    /// How long to wait for a lock in its way.
    patience: Duration,
}

/// What a call gave.
pub(super) struct Output {
    /// The exit code.
    pub(super) code: i32,
    /// What it printed.
    pub(super) stdout: Vec<u8>,
}

impl Git {
    /// Begins a call that only reads: it never takes a lock just to refresh an index.
    pub(super) fn reading<'a>(&'a self, dir: &'a Path) -> Call<'a> {
        let mut call = self.writing(dir);
        call.variables.push(("GIT_OPTIONAL_LOCKS", "0".into()));
        call
    }

    /// Begins a call that changes something.
    pub(super) fn writing<'a>(&'a self, dir: &'a Path) -> Call<'a> {
        Call {
            git: self,
            hook: None,
            dir,
            args: Vec::new(),
            variables: Vec::new(),
            input: None,
            lock: None,
            limit: LIMIT,
            patience: PATIENCE,
        }
    }

    /// Begins a run of a hook. `git hook run` would do, but tells it `GIT_DIR`, which breaks what it does elsewhere.
    pub(super) fn hook<'a>(&'a self, dir: &'a Path, hook: &'a Path) -> Call<'a> {
        Call { hook: Some(hook), ..self.writing(dir) }
    }
}

impl<'a> Call<'a> {
    /// Adds arguments.
    pub(super) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable for this call.
    pub(super) fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Gives bytes on standard input, which is empty otherwise.
    pub(super) fn input(mut self, input: Vec<u8>) -> Self {
        self.input = Some(input);
        self
    }

    /// Lets it share the lock of a file, as its standard input: a git that outlives this process goes on to hold it.
    pub(super) fn sharing(mut self, lock: &'a File) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Gives it more or less time than a minute.
    pub(super) fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Lets it wait for no lock, where there is another way.
    pub(super) fn without_patience(mut self) -> Self {
        self.patience = Duration::ZERO;
        self
    }

    /// Runs it and returns what it printed.
    pub(super) fn run(self) -> Result<Vec<u8>, GitError> {
        self.run_to(&[]).map(|output| output.stdout)
    }

    /// Runs it and returns the one line that it printed.
    pub(super) fn line(self) -> Result<String, GitError> {
        let command = self.command_line();
        let said = self.run()?;
        match std::str::from_utf8(&said).ok().and_then(|text| text.lines().next()) {
            Some(line) if !line.is_empty() => Ok(line.to_owned()),
            Some(_) | None => Err(GitError::Strange { command, said: cut(&said) }),
        }
    }

    /// Runs it where, besides 0, these exit codes are answers and not failures. What changes nothing when a lock is in its
    /// way waits for that lock, a short while.
    pub(super) fn run_to(mut self, answers: &[i32]) -> Result<Output, GitError> {
        let input = self.input.take();
        let begin = Instant::now();
        loop {
            match self.run_once(input.clone(), answers) {
                Err(GitError::Locked { .. }) if self.is_patient() && begin.elapsed() < self.patience => {
                    thread::sleep(LOOK_AGAIN);
                }
                answer => return answer,
            }
        }
    }

    /// Says whether it takes all its locks before it changes anything.
    fn is_patient(&self) -> bool {
        self.args.iter().any(|arg| arg == "update-ref" || arg == "read-tree")
    }

    fn run_once(&self, input: Option<Vec<u8>>, answers: &[i32]) -> Result<Output, GitError> {
        let mut child = self.start(input.is_some())?;
        let heard = match listen(&mut child, input) {
            Ok(heard) => heard,
            Err(source) => {
                let _ = end(&mut child, None);
                return Err(self.not_started(source));
            }
        };
        let (collected, in_time) = collect(&heard, Instant::now() + self.limit);
        if !in_time {
            // It is stopped, so how it ended does not matter.
            let _ = end(&mut child, Some(&heard));
            return Err(GitError::TimedOut {
                command: self.command_line(),
                dir: self.dir.to_owned(),
                limit: self.limit,
            });
        }
        let status = child.wait().map_err(|source| self.not_started(source))?;
        self.answer(status, collected, answers)
    }

    fn answer(&self, status: ExitStatus, collected: Collected, answers: &[i32]) -> Result<Output, GitError> {
        match status.code() {
            Some(code) if code == 0 || answers.contains(&code) => Ok(Output { code, stdout: collected.out }),
            code => {
                let (command, dir, stderr) = (self.command_line(), self.dir.to_owned(), cut(&collected.err));
                let understood = understood(&command, self.dir, &stderr);
                Err(understood.unwrap_or(GitError::Failed { command, dir, code, stderr }))
            }
        }
    }

    fn start(&self, with_input: bool) -> Result<Child, GitError> {
        let stdin = match self.lock {
            Some(lock) => lock.try_clone().map_err(|source| self.not_started(source))?.into(),
            None if with_input => Stdio::piped(),
            None => Stdio::null(),
        };
        let mut command = Command::new(self.hook.unwrap_or(&self.git.program));
        match self.hook {
            Some(_) => command.current_dir(self.dir),
            None => command.arg("-C").arg(self.dir),
        };
        match &self.git.environment {
            Environment::Inherited => {
                // GIT_DIR, GIT_INDEX_FILE and the like are set where Draft is started by a hook or an alias.
                for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
                    command.env_remove(name);
                }
            }
            Environment::Given(variables) => {
                command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
            }
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(&self.args)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command.spawn().map_err(|source| self.not_started(source))
    }

    fn not_started(&self, source: std::io::Error) -> GitError {
        GitError::Start { command: self.command_line(), dir: self.dir.to_owned(), source }
    }

    /// The command as people would type it, for messages.
    fn command_line(&self) -> String {
        let mut line = self.hook.map_or_else(|| "git".to_owned(), |hook| hook.display().to_string());
        for arg in &self.args {
            line.push(' ');
            line.push_str(&arg.to_string_lossy());
        }
        cut(line.as_bytes())
    }
}

/// Returns the start of what a program said as one that may be shown: no control characters but line ends.
pub(super) fn cut(said: &[u8]) -> String {
    let more = said.len() > CUT;
    let text = String::from_utf8_lossy(&said[..said.len().min(CUT)]);
    let mut text: String = text.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    if more {
        text.push('…');
    }
    text
}

/// What the threads around a child report.
enum Heard {
    Out(Vec<u8>),
    Err(Vec<u8>),
    Closed,
    Exited,
}

#[derive(Default)]
struct Collected {
    out: Vec<u8>,
    err: Vec<u8>,
}

/// Starts the threads that read, write and wait; each ends when the child does.
fn listen(child: &mut Child, input: Option<Vec<u8>>) -> std::io::Result<Receiver<Heard>> {
    let (say, heard) = sync_channel(8);
    let process = Arc::new(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?);
    if let Some(pipe) = child.stdout.take() {
        read_from(pipe, Arc::clone(&process), say.clone(), Heard::Out)?;
    }
    if let Some(pipe) = child.stderr.take() {
        read_from(pipe, process, say.clone(), Heard::Err)?;
    }
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // A program that ends without reading everything says why itself.
        spawn("git-input", move || drop(pipe.write_all(&input)))?;
    }
    let pid = Pid::from_child(child);
    spawn("git-wait", move || {
        // It stays a zombie, so that its id cannot become another process's before it is stopped.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
        // Nobody listens any more when the call was given up.
        let _ = say.send(Heard::Exited);
    })?;
    Ok(heard)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name(name.to_owned()).stack_size(128 * 1024).spawn(work).map(drop)
}

/// Reads a pipe until all that the child wrote is read, however late this thread gets its turn: what a child wrote lies in
/// the pipe when it has ended. Somebody else who keeps the pipe open is listened to for a moment only.
fn read_from(
    mut pipe: impl Read + AsFd + Send + 'static,
    process: Arc<OwnedFd>,
    say: SyncSender<Heard>,
    wrap: fn(Vec<u8>) -> Heard,
) -> std::io::Result<()> {
    spawn("git-output", move || {
        let mut buffer = vec![0; 64 * 1024];
        let mut exited: Option<(Instant, usize)> = None;
        loop {
            let until = exited.map(|(at, _)| at + DRAIN);
            if exited.is_some_and(|(at, left)| left == 0 && at.elapsed() >= DRAIN) {
                break;
            }
            match ready(&pipe, &process, until) {
                Ready::Nothing => break,
                Ready::Exited => exited = Some((Instant::now(), PIPE)),
                Ready::Pipe => match pipe.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(length) => {
                        exited = exited.map(|(at, left)| (at, left.saturating_sub(length)));
                        if say.send(wrap(buffer[..length].to_vec())).is_err() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                },
            }
        }
        // Nobody listens any more when the call was given up.
        let _ = say.send(Heard::Closed);
    })
}

/// What a thread that reads a pipe woke up for.
enum Ready {
    /// There is something to read, or the end.
    Pipe,
    /// The child has ended, and nothing lies in the pipe.
    Exited,
    /// The time is over.
    Nothing,
}

/// Waits for the pipe and for the child, or, once the child has ended, for the pipe until then.
fn ready(pipe: &impl AsFd, process: &OwnedFd, until: Option<Instant>) -> Ready {
    let mut asked = [PollFd::new(pipe, PollFlags::IN), PollFd::new(process, PollFlags::IN)];
    let count = if until.is_some() { 1 } else { 2 };
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let time = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut asked[..count], time.as_ref()) {
            Err(Errno::INTR) => {}
            Err(_) | Ok(0) => return Ready::Nothing,
            Ok(_) if asked[0].revents().is_empty() => return Ready::Exited,
            Ok(_) => return Ready::Pipe,
        }
    }
}

/// Collects until the child has ended and all its output is there; says whether it ended in time. Its output is waited for
/// as long as it takes: half of what git says is worse than nothing.
fn collect(heard: &Receiver<Heard>, deadline: Instant) -> (Collected, bool) {
    let mut collected = Collected::default();
    let mut open = 2;
    let mut exited = false;
    while open > 0 || !exited {
        let next = if exited {
            heard.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            heard.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        };
        match next {
            Ok(Heard::Out(bytes)) => collected.out.extend(bytes),
            Ok(Heard::Err(bytes)) => collected.err.extend(bytes),
            Ok(Heard::Closed) => open -= 1,
            Ok(Heard::Exited) => exited = true,
            Err(RecvTimeoutError::Timeout) => return (collected, false),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    (collected, true)
}

/// Stops the child's whole group: politely first where somebody listens, so that git removes its lock files.
fn end(child: &mut Child, heard: Option<&Receiver<Heard>>) -> std::io::Result<ExitStatus> {
    let group = Pid::from_child(child);
    if let Some(heard) = heard {
        // A group that is gone already is what was wanted.
        let _ = kill_process_group(group, Signal::TERM);
        collect(heard, Instant::now() + GRACE);
    }
    let _ = kill_process_group(group, Signal::KILL);
    child.wait()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Sandbox, executable};

    /// A git that runs a shell script, whatever it is asked.
    fn script(dir: &Path, text: &str) -> Git {
        let program = dir.join("git");
        executable(&program, &format!("#!/bin/sh\n[ \"$3\" = version ] && exec echo git version 9.9\n{text}\n"));
        Git::find(dir.as_os_str()).unwrap()
    }

    #[test]
    fn a_program_that_takes_too_long_is_stopped_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let marker = dir.path().join("tidied");
        let text = format!("trap 'echo >{}; exit' TERM\nsleep 1000 & wait", marker.display());
        let git = script(dir.path(), &text);
        let error = git.writing(dir.path()).args(["add"]).within(Duration::from_millis(100)).run().unwrap_err();
        assert!(matches!(&error, GitError::TimedOut { command, .. } if command == "git add"), "{error}");
        assert!(marker.exists(), "it could not tidy up");
    }

    #[test]
    fn a_program_that_ignores_the_polite_signal_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "trap '' TERM; echo; while :; do sleep 0.05; done"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir(dir.path())
            .spawn()
            .unwrap();
        let mut ready = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&end(&mut child, None).unwrap()), Some(9));
    }

    #[test]
    fn output_is_waited_for_however_late_its_reader_gets_its_turn() {
        let (say, heard) = sync_channel(8);
        let (done, ended) = sync_channel(1);
        say.send(Heard::Exited).unwrap();
        thread::spawn(move || done.send(collect(&heard, Instant::now()).0.out));
        assert!(ended.recv_timeout(DRAIN * 2).is_err(), "it waits for what was printed");
        for late in [Heard::Out(b"late".to_vec()), Heard::Closed, Heard::Closed] {
            say.send(late).unwrap();
        }
        assert_eq!(ended.recv().unwrap(), b"late");
    }

    #[test]
    fn a_child_that_keeps_the_output_open_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let git = script(dir.path(), "sleep 1000 & echo $!; exit 0");
        let begin = Instant::now();
        let pid = git.writing(dir.path()).line().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(30));
        Command::new("kill").arg(pid).status().unwrap();
    }

    #[test]
    fn much_input_and_output_at_once_do_not_block_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let git = script(dir.path(), "cat | tee /dev/stderr");
        let input = vec![b'x'; 4 * 1024 * 1024];
        let output = git.writing(dir.path()).input(input.clone()).run().unwrap();
        assert!(output == input);
        let unread = script(dir.path(), "exit 0").writing(dir.path()).input(input).run().unwrap();
        assert!(unread.is_empty());
    }

    #[test]
    fn a_failure_tells_command_place_code_and_what_was_said() {
        let dir = tempfile::tempdir().unwrap();
        let git = script(dir.path(), "printf '\\033[31mfatal: no\\n' >&2; exit 7");
        let error = git.writing(dir.path()).args(["add", "x"]).run().unwrap_err().to_string();
        assert_eq!(error, format!("`git add x` in {} failed (exit code 7): [31mfatal: no", dir.path().display()));
        assert_eq!(git.writing(dir.path()).run_to(&[7]).unwrap().code, 7);
        let killed = script(dir.path(), "kill -9 $$").writing(dir.path()).run().unwrap_err();
        assert!(matches!(killed, GitError::Failed { code: None, .. }));
    }

    #[test]
    fn what_is_said_is_cut() {
        let said = cut(&vec![b'x'; 10 * CUT]);
        assert_eq!((said.len(), said.ends_with('…')), (CUT + '…'.len_utf8(), true));
    }

    #[test]
    fn the_program_sees_a_clean_environment_and_no_input() {
        let sandbox = Sandbox::empty();
        let call = sandbox.git.reading(sandbox.dir()).args(["-c", "alias.e=!env; cat", "e"]);
        let said = String::from_utf8(call.run().unwrap()).unwrap();
        for line in
            ["GIT_EDITOR=true", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"]
        {
            assert!(said.lines().any(|found| found == line), "{line} in {said}");
        }
        let cargo = |line: &&str| line.starts_with("CARGO");
        assert_eq!(said.lines().find(cargo), None);
    }
}
