//! A repository and a data folder of their own, with the agent on the path.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use draft_board::domain::board::Board;
use draft_board::domain::id::BoardId;
use draft_board::store::Reader;
use tempfile::TempDir;

use crate::agent;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// Makes a repository of ten files on `main`, and an agent of each name.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for name in ["repo", "home/draft", "bin"] {
            std::fs::create_dir_all(place.path(name)).expect("a folder");
        }
        let config = "verify_config:\n  extra_allowed_commands: [\"true\"]\n";
        std::fs::write(place.path("home/draft/config.yaml"), config).expect("the configuration");
        let this = std::env::current_exe().expect("this program");
        agent::NAMES.iter().for_each(|name| symlink(&this, place.path("bin").join(name)).expect("a link"));
        for n in 0..10 {
            std::fs::write(place.path("repo").join(format!("file-{n}.txt")), "some text\n".repeat(40)).expect("a file");
        }
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        place.git(&["add", "--all"]);
        place.git(&["commit", "--quiet", "--message", "first"]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("data").join("draft.db")
    }

    /// Returns the program that is measured.
    pub(crate) fn program(&self) -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_draft"))
    }

    /// Returns the whole environment of a program in a terminal, with agents that do this.
    pub(crate) fn environment(&self, does: &str) -> Vec<(String, String)> {
        let command = self.command(self.program());
        let set = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
        let more = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), (agent::VARIABLE, does)];
        set.chain(more).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.current_dir(self.path("repo")).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("HOME", self.path("home")).env("DRAFT_DATA_DIR", self.path("data"));
        command.env("XDG_CONFIG_HOME", self.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Bench").env(format!("GIT_{who}_EMAIL"), "bench@localhost");
        }
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command
    }

    /// Runs git in the repository.
    pub(crate) fn git(&self, args: &[&str]) {
        let ended = self.command("git").args(args).stderr(Stdio::null()).status().expect("git starts");
        assert!(ended.success(), "git {args:?}");
    }

    /// Runs git in the repository and returns what it printed.
    pub(crate) fn said(&self, args: &[&str]) -> String {
        let ended = self.command("git").args(args).stdout(Stdio::piped()).output().expect("git starts");
        assert!(ended.status.success(), "git {args:?}");
        String::from_utf8_lossy(&ended.stdout).trim().to_owned()
    }

    /// Runs a line of shell in the repository; says whether it ended well.
    pub(crate) fn shell(&self, line: &str) -> bool {
        self.command("sh").args(["-c", line]).stderr(Stdio::null()).status().expect("sh starts").success()
    }

    /// Runs git in the repository with an index of its own, and returns the line that it printed.
    pub(crate) fn git_with_index(&self, index: &Path, args: &[&str]) -> String {
        let mut command = self.command("git");
        let ended =
            command.args(args).env("GIT_INDEX_FILE", index).stdout(Stdio::piped()).output().expect("git starts");
        assert!(ended.status.success(), "git {args:?}");
        String::from_utf8_lossy(&ended.stdout).trim().to_owned()
    }

    /// Returns a command of the agent that does this.
    pub(crate) fn agent(&self, name: &str, does: &str) -> Command {
        let mut command = self.command(self.path("bin").join(name));
        command.env(agent::VARIABLE, does);
        command
    }

    /// Runs Draft to its end.
    pub(crate) fn draft(&self, args: &[&str]) {
        let ended = self.start("", args).wait().expect("it ends");
        assert!(ended.success(), "draft {args:?}");
    }

    /// Starts Draft, with agents that do this.
    pub(crate) fn start(&self, does: &str, args: &[&str]) -> Child {
        let mut command = self.command(self.program());
        command.args(args).env(agent::VARIABLE, does).spawn().expect("draft starts")
    }

    /// Files so many planned tickets for an agent.
    pub(crate) fn file(&self, count: u32, agent: &str, verify: &[&str]) {
        let ticket = |n| {
            serde_json::json!({
                "title": format!("Trivial ticket {n}"), "state": "planned", "agent": agent, "verify": verify,
            })
        };
        let all: Vec<_> = (1..=count).map(ticket).collect();
        let file = self.path("tickets.json");
        std::fs::write(&file, serde_json::Value::from(all).to_string()).expect("a file");
        self.draft(&["--quiet", "ticket", "import", &file.display().to_string()]);
    }

    /// Lets the agents end that wait for this.
    pub(crate) fn tell_over(&self, n: u32) {
        std::fs::write(self.path("home").join(format!("over-{n}")), "").expect("a file");
    }

    /// Opens the database to read.
    pub(crate) fn reader(&self) -> (Reader, BoardId) {
        let reader = Reader::open(&self.database()).expect("a database");
        let board = reader.boards().expect("it can be read").first().expect("a board").id;
        (reader, board)
    }

    /// Waits until the stored board is so, looking every two milliseconds.
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&Board) -> bool) {
        let (reader, id) = self.reader();
        wait_for(what, || reader.board(id).expect("it can be read").is_some_and(|(board, _)| is_so(&board)));
    }

    /// Returns the standard output of all runs of agents.
    pub(crate) fn outputs(&self) -> Vec<PathBuf> {
        let jobs = std::fs::read_dir(self.path("data").join("runs")).expect("runs");
        let output = |job: PathBuf| job.join("1-execute").join("stdout");
        jobs.map(|job| output(job.expect("a run").path())).filter(|path| path.exists()).collect()
    }
}

/// Waits until something is so.
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what} does not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns how many whole lines with a number of their own, counted from 0, a file has.
pub(crate) fn numbered_lines(path: &Path) -> u64 {
    let text = std::fs::read(path).expect("the output");
    let mut next = 0;
    for line in text.split(|byte| *byte == b'\n').filter(|line| line.len() + 1 == agent::LINE) {
        let number = format!("L{next:09} ");
        next += u64::from(line.windows(number.len()).any(|part| part == number.as_bytes()));
    }
    next
}
