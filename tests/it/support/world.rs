//! A sealed world for one test: its own home, data, repository and programs, and nothing of it left afterwards.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use tempfile::TempDir;

use super::process::{self, MARK, Process};
use super::pty::{Pty, Size};
use super::running::{Outcome, Running};
use super::wait::{PATIENCE, wait_for};

/// Programs that every world has, where the machine has them. Agents that happen to be installed are not among them.
const PROGRAMS: &str = "sh bash git env cat cp mv rm mkdir rmdir ls ln sleep kill printf echo true false test head tail \
    tee wc sed grep sort uniq cut tr touch chmod date dd seq basename dirname pwd readlink uname id ps setsid nohup yes \
    tty stty find xargs mktemp mkfifo sync timeout diff cmp awk od";

/// A temporary folder with everything that Draft could look at, and an environment that points nowhere else.
pub(crate) struct World {
    folder: PathBuf,
    mark: String,
    outputs: AtomicU32,
    temp: Option<TempDir>,
}

impl World {
    /// Makes a world whose repository has one commit on `main`.
    pub(crate) fn new() -> Self {
        let world = Self::bare();
        world.write("README.md", "# A sample\n");
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.commit("first");
        world
    }

    /// Makes a world whose `repo` folder is empty and no repository.
    pub(crate) fn bare() -> Self {
        let temp = tempfile::Builder::new().prefix("draft-test-").tempdir().unwrap();
        let folder = temp.path().canonicalize().unwrap();
        let mark = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for name in ["home", "data", "config", "cache", "state", "runtime", "bin", "repo", "tmp"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        // XDG asks that nobody else can read the runtime folder; some programs refuse another one. Draft makes its own
        // folder like this.
        for name in ["runtime", "data"] {
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let world = Self { folder, mark, outputs: AtomicU32::new(0), temp: Some(temp) };
        for program in PROGRAMS.split_whitespace() {
            let _ = world.borrow(program);
        }
        world
    }

    /// Returns the folder of everything.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the repository.
    pub(crate) fn repo(&self) -> PathBuf {
        self.folder.join("repo")
    }

    /// Returns Draft's data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns the home directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Writes a file of the repository, with the folders above it.
    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file of the repository.
    #[track_caller]
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.repo().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Commits everything in the repository and returns the commit.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the repository and returns what it printed, without the last line end.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.run("git", args).ok().text().trim_end_matches('\n').to_owned()
    }

    /// Makes a program of the machine available; says whether the machine has it.
    #[must_use = "the machine may not have it: say so and skip"]
    pub(crate) fn borrow(&self, program: &str) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
        found.is_some_and(|file| symlink(file, self.folder.join("bin").join(program)).is_ok())
    }

    /// Puts a shell script on the world's path, such as a stand-in for an agent's command.
    pub(crate) fn install(&self, name: &str, script: &str) {
        let file = self.folder.join("bin").join(name);
        // What is there may be a link to the machine's own program, which must never be written through.
        if file.symlink_metadata().is_ok() {
            fs::remove_file(&file).unwrap();
        }
        executable(&file, &format!("#!/bin/sh\n{script}\n"));
    }

    /// Returns the whole environment of a program of this world.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let folder = |name: &str| self.folder.join(name).into_os_string();
        let text = |text: &str| OsString::from(text);
        let pairs = [
            ("HOME", folder("home")),
            ("DRAFT_DATA_DIR", folder("data")),
            ("XDG_DATA_HOME", folder("home/.local/share")),
            ("XDG_CONFIG_HOME", folder("config")),
            ("XDG_CACHE_HOME", folder("cache")),
            ("XDG_STATE_HOME", folder("state")),
            ("XDG_RUNTIME_DIR", folder("runtime")),
            ("TMPDIR", folder("tmp")),
            ("PATH", folder("bin")),
            ("SHELL", text("/bin/sh")),
            ("USER", text("tester")),
            ("LANG", text("C.UTF-8")),
            ("TZ", text("UTC")),
            ("TERM", text("xterm-256color")),
            ("GIT_CONFIG_NOSYSTEM", text("1")),
            ("GIT_AUTHOR_NAME", text("Tester")),
            ("GIT_AUTHOR_EMAIL", text("tester@example.com")),
            ("GIT_COMMITTER_NAME", text("Tester")),
            ("GIT_COMMITTER_EMAIL", text("tester@example.com")),
            (MARK, text(&self.mark)),
        ];
        pairs.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    /// Returns a command in the repository with the world's environment and no input.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(self.find(program.as_ref()));
        command.current_dir(self.repo()).env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    /// Looks a bare name up in the world's own path: the parent's would decide otherwise.
    fn find(&self, program: &OsStr) -> OsString {
        let ours = self.folder.join("bin").join(program);
        if ours.exists() { ours.into_os_string() } else { program.to_owned() }
    }

    /// Starts a command in the background.
    #[track_caller]
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        let n = self.outputs.fetch_add(1, Ordering::Relaxed);
        let [stdout, stderr] = ["out", "err"].map(|kind| self.folder.join(format!("tmp/output-{n}.{kind}")));
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start `{line}`: {error}"));
        Running::new(line, child, stdout, stderr)
    }

    /// Runs a program in the repository to its end.
    #[track_caller]
    #[must_use = "an outcome that nobody looks at hides a failure; call `ok` or `exits`"]
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Outcome {
        self.start(self.command(program).args(args)).wait()
    }

    /// Runs Draft in the repository to its end.
    #[track_caller]
    #[must_use = "an outcome that nobody looks at hides a failure; call `ok` or `exits`"]
    pub(crate) fn draft(&self, args: &[&str]) -> Outcome {
        self.draft_in_background(args).wait()
    }

    /// Starts Draft in the repository, without a terminal.
    #[track_caller]
    pub(crate) fn draft_in_background(&self, args: &[&str]) -> Running {
        self.start(self.command(env!("CARGO_BIN_EXE_draft")).args(args))
    }

    /// Starts Draft in the repository in a real terminal of that size.
    #[track_caller]
    pub(crate) fn draft_in_terminal(&self, size: Size, args: &[&str]) -> Pty {
        self.in_terminal(size, env!("CARGO_BIN_EXE_draft"), args)
    }

    /// Starts a program in the repository in a real terminal of that size.
    #[track_caller]
    pub(crate) fn in_terminal(&self, size: Size, program: &str, args: &[&str]) -> Pty {
        Pty::start(size, &self.find(program.as_ref()), args, &self.repo(), self.environment())
    }

    /// Returns the processes of this world that live.
    pub(crate) fn processes(&self) -> Vec<Process> {
        process::living(&self.mark, &self.folder)
    }

    /// Waits until no process of this world lives, and fails with those that do.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        if wait_for(|| self.processes().is_empty().then_some(())).is_none() {
            panic!("still there after {PATIENCE:?}: {:#?}", self.processes());
        }
    }

    /// Kills every process of this world; returns those that would not go.
    fn kill_everything(&self) -> Vec<Process> {
        let gone = wait_for(|| {
            let living = self.processes();
            living.iter().for_each(|process| process.signal(Signal::KILL));
            living.is_empty().then_some(())
        });
        if gone.is_some() { Vec::new() } else { self.processes() }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let left = self.kill_everything();
        if !std::thread::panicking() {
            assert!(left.is_empty(), "these could not be killed: {left:#?}");
            return;
        }
        // The world of a failed test is worth a look, and whoever asks for it can have it.
        match std::env::var_os("DRAFT_TEST_KEEP") {
            Some(_) => {
                self.temp.take().map(TempDir::keep);
                eprintln!("the world is kept in {}", self.folder.display());
            }
            None => eprintln!("set DRAFT_TEST_KEEP=1 to keep the world of a failed test"),
        }
    }
}

/// Writes a program. Another process opens the file: one that this process opens for writing may be inherited by what
/// another test starts at that moment, and a program that somebody has open for writing cannot be started.
fn executable(path: &Path, text: &str) {
    let mut shell = std::process::Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{}", path.display());
}
