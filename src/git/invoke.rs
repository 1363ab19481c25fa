//! The one place where git is started: clean environment, own process group, time limit, all output collected.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::GitError;
use super::complaint::understood;
use super::locks::PATIENCE;
use super::program::{Environment, Git};
use super::talk::{Heard, Said, Talk};

/// Enough for all that does not touch thousands of files, hooks or the network.
const LIMIT: Duration = Duration::from_secs(60);
/// For what may: a checkout of a large repository, its hooks, large-file downloads.
pub(super) const LONG: Duration = Duration::from_mins(30);
/// Makes what git writes outlive a power cut, since a row of the store will name it. Git's own default leaves out loose
/// objects; in a batch it costs a millisecond, and for thousands of files twice the time.
pub(super) const DURABLE: [&str; 4] =
    ["-c", "core.fsync=committed,loose-object,reference", "-c", "core.fsyncMethod=batch"];
/// Sends what git writes to the disk without waiting until it is safe there. Whoever writes something durably afterwards makes
/// this durable too, which is what git's own batch relies on; for a few files it costs less, and leaves no folder to remove.
pub(super) const UNDER_WAY: [&str; 4] = ["-c", "core.fsync=loose-object", "-c", "core.fsyncMethod=writeout-only"];
/// What of git's variables is the person's own wish: who they are, where their settings are, and how remotes are reached.
const KEPT: [&str; 13] = [
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "GIT_SSL_CAINFO",
];
/// How long git may tidy up (its lock files) when it is stopped.
const GRACE: Duration = Duration::from_secs(2);
/// How often to look whether what it does is wanted still.
const LOOK_FOR_STOP: Duration = Duration::from_millis(100);
/// How long to wait before a lock is tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How much of what git says goes into an error, in bytes.
const CUT: usize = 2000;

/// One call of git that is being put together.
pub(super) struct Call<'a> {
    git: &'a Git,
    /// Another program that is run in place of git: a hook, or what asks the host of a remote.
    other: Option<&'a Path>,
    dir: &'a Path,
    args: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    input: Option<Vec<u8>>,
    /// A file whose lock lasts until git ends too, even if this process is killed before.
    lock: Option<&'a File>,
    limit: Duration,
    /// How long to wait for a lock in its way.
    patience: Duration,
    /// It takes all its locks before it changes anything, though its name does not say so.
    is_careful: bool,
    /// How many bytes it may print.
    most: usize,
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
            other: None,
            dir,
            args: Vec::new(),
            variables: Vec::new(),
            input: None,
            lock: None,
            limit: LIMIT,
            patience: PATIENCE,
            is_careful: false,
            most: usize::MAX,
        }
    }

    /// Begins a run of a hook. `git hook run` would do, but tells it `GIT_DIR`, which breaks what it does elsewhere.
    pub(super) fn hook<'a>(&'a self, dir: &'a Path, hook: &'a Path) -> Call<'a> {
        self.other(dir, hook)
    }

    /// Begins a run of another program, with the same care about its environment, its time and its output.
    pub(super) fn other<'a>(&'a self, dir: &'a Path, program: &'a Path) -> Call<'a> {
        Call { other: Some(program), ..self.writing(dir) }
    }
}

impl<'a> Call<'a> {
    /// Takes no more output than this.
    pub(super) fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

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

    /// Lets it wait for a lock in its way: it changes nothing before it has all.
    pub(super) fn patient(mut self) -> Self {
        self.is_careful = true;
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
        self.is_careful || self.args.iter().any(|arg| arg == "update-ref" || arg == "read-tree")
    }

    fn run_once(&self, input: Option<Vec<u8>>, answers: &[i32]) -> Result<Output, GitError> {
        let mut child = self.start(input.is_some())?;
        let mut talk = match Talk::with(&mut child, input) {
            Ok(talk) => talk.at_most(self.most),
            Err(source) => {
                let _ = end(&mut child, None);
                return Err(self.not_started(source));
            }
        };
        // One that is stopped did not do what it was asked, so how it ended does not matter.
        match self.hear_out(&mut talk) {
            Heard::Out => {}
            Heard::NotInTime => {
                let _ = end(&mut child, Some(&mut talk));
                let (command, dir) = (self.command_line(), self.dir.to_owned());
                return Err(match &self.git.stop {
                    Some(stop) if stop.is_wanted() => GitError::Stopped { command },
                    Some(_) | None => GitError::TimedOut { command, dir, limit: self.limit },
                });
            }
            Heard::TooMuch => {
                let _ = end(&mut child, None);
                let said = format!("more than {} bytes", self.most);
                return Err(GitError::Strange { command: self.command_line(), said });
            }
        }
        let status = child.wait().map_err(|source| self.not_started(source))?;
        self.answer(status, talk.said(), answers)
    }

    /// Listens until it has ended, its time is over, or nobody wants it any more.
    fn hear_out(&self, talk: &mut Talk) -> Heard {
        let deadline = Instant::now() + self.limit;
        let Some(stop) = &self.git.stop else { return talk.go_on(deadline) };
        loop {
            match talk.go_on(deadline.min(Instant::now() + LOOK_FOR_STOP)) {
                Heard::NotInTime if Instant::now() < deadline && !stop.is_wanted() => {}
                heard => return heard,
            }
        }
    }

    fn answer(&self, status: ExitStatus, said: Said, answers: &[i32]) -> Result<Output, GitError> {
        match status.code() {
            Some(code) if code == 0 || answers.contains(&code) => Ok(Output { code, stdout: said.out }),
            code => {
                let (command, dir, stderr) = (self.command_line(), self.dir.to_owned(), cut(&said.err));
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
        let mut command = Command::new(self.other.unwrap_or(&self.git.program));
        match self.other {
            Some(_) => command.current_dir(self.dir),
            None => command.arg("-C").arg(self.dir),
        };
        match &self.git.environment {
            Environment::Inherited => {
                // GIT_DIR, GIT_INDEX_FILE and the like are set where Draft is started by a hook or an alias.
                let is_foreign = |name: &OsStr| {
                    name.as_encoded_bytes().starts_with(b"GIT_") && !KEPT.iter().any(|kept| name == *kept)
                };
                for (name, _) in std::env::vars_os().filter(|(name, _)| is_foreign(name)) {
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
        let mut line = self.other.map_or_else(|| "git".to_owned(), |other| other.display().to_string());
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

/// Stops the child's whole group: politely first where somebody listens, so that git removes its lock files.
fn end(child: &mut Child, talk: Option<&mut Talk>) -> std::io::Result<ExitStatus> {
    let group = Pid::from_child(child);
    if let Some(talk) = talk {
        // A group that is gone already is what was wanted.
        let _ = kill_process_group(group, Signal::TERM);
        talk.go_on(Instant::now() + GRACE);
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
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&end(&mut child, None).unwrap()), Some(9));
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
