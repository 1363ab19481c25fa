//! The engine under fire: real processes, real repositories and the demo agent; killed, stopped, crowded and misled.

mod again;
mod agents;
mod approvals;
mod autopilot;
mod cancel;
mod checks;
mod cleanup;
mod crowd;
mod damage;
mod kill;
mod landing;
mod limits;
mod others;
mod outcomes;
mod permissions;
mod places;
mod proven;
mod recheck;
mod revert;
mod several;
mod slots;
mod space;
mod steps;
mod stop;
mod strays;
mod traps;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::running::{Outcome, Running};
use crate::support::{World, until, until_some};

/// A world whose tickets are done by the demo agent, with a folder in which agents and tests leave each other signs.
pub(crate) struct Yard {
    pub(crate) world: World,
}

impl Yard {
    /// Makes one without checks.
    pub(crate) fn new() -> Self {
        let world = World::new();
        let yard = Self { world };
        fs::create_dir(yard.signs()).unwrap();
        yard.settings("");
        yard
    }

    /// Makes one whose repository has these checks, which are trusted.
    pub(crate) fn with_checks(checks: &[&str]) -> Self {
        let yard = Self::new();
        yard.checks(checks);
        yard.world.draft(&["trust"]).ok();
        yard
    }

    /// Writes the repository's file with these checks; shell scripts may be among them.
    pub(crate) fn checks(&self, checks: &[&str]) {
        let file = json!({ "verify_config": { "commands": checks, "extra_allowed_commands": ["sh"] } });
        // JSON is YAML.
        self.world.write("draft.yaml", file.to_string());
        self.world.commit("checks");
    }

    /// Writes the user's file; the demo agent is the preferred one.
    pub(crate) fn settings(&self, execute: &str) {
        let folder = self.world.folder().join("config/draft");
        fs::create_dir_all(&folder).unwrap();
        // Most tests look at what one agent and one round of checks lead to.
        let verify = "verify_config:\n  rework_attempts: 0\n";
        let text = format!("execute_config:\n  preferred_executor: demo\n  stop_grace: 1\n{execute}{verify}");
        fs::write(folder.join("config.yaml"), text).unwrap();
    }

    /// Writes the user's file as it is given, for the demo agent.
    fn config(&self, text: &str) {
        let file = self.world.folder().join("config/draft/config.yaml");
        let common = "preferred_executor: demo, stop_grace: 1, retry_delay: 0";
        fs::write(file, text.replace("execute_config: {", &format!("execute_config: {{{common}, "))).unwrap();
    }

    fn signs(&self) -> PathBuf {
        self.world.folder().join("signs")
    }

    /// Returns the path of a sign.
    pub(crate) fn sign(&self, name: &str) -> PathBuf {
        self.signs().join(name)
    }

    /// Gives a sign.
    pub(crate) fn give(&self, name: &str) {
        fs::write(self.sign(name), "").unwrap();
    }

    /// Waits for a sign.
    #[track_caller]
    pub(crate) fn await_sign(&self, name: &str) {
        until(&format!("there is a sign `{name}`"), || self.sign(name).exists());
    }

    /// Returns the lines of a journal that agents and checks write.
    pub(crate) fn journal(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.sign(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Fills in the folder of signs for `@` in a script.
    pub(crate) fn script(&self, script: &str) -> String {
        script.replace('@', &format!("{}/", self.signs().display()))
    }

    /// Files accepted tickets `Ticket 1` and so on, one for each script, with `@` for the folder of signs.
    #[track_caller]
    pub(crate) fn tickets<S: AsRef<str>>(&self, scripts: &[S]) {
        let ticket = |(index, script): (usize, &S)| {
            json!({ "title": format!("Ticket {}", index + 1), "state": "planned",
                    "description": self.script(script.as_ref()) })
        };
        self.import(&scripts.iter().enumerate().map(ticket).collect::<Vec<_>>());
    }

    /// Files tickets with all their fields.
    #[track_caller]
    pub(crate) fn import(&self, tickets: &[Value]) {
        let file = self.sign("import.json");
        fs::write(&file, json!(tickets).to_string()).unwrap();
        self.world.draft(&["ticket", "import", file.to_str().unwrap()]).ok();
        fs::remove_file(file).unwrap();
    }

    /// Starts `draft run` with these arguments.
    #[track_caller]
    pub(crate) fn engine(&self, args: &[&str]) -> Running {
        let args: Vec<&str> = ["run"].into_iter().chain(args.iter().copied()).collect();
        self.world.draft_in_background(&args)
    }

    /// Runs the tickets to their end.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        self.engine(args).wait()
    }

    /// Returns everything about a ticket.
    #[track_caller]
    pub(crate) fn show(&self, number: usize) -> Shown {
        let value = self.world.draft(&["ticket", "show", &number.to_string(), "--json"]).ok().json();
        Shown { value, number }
    }

    /// Returns the folder of the newest run of a ticket once there is one, without asking Draft.
    #[track_caller]
    pub(crate) fn run_folders(&self) -> Vec<PathBuf> {
        let folders = |path: &Path| -> Vec<PathBuf> {
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
        };
        folders(&self.world.data().join("runs")).iter().flat_map(|job| folders(job)).collect()
    }

    /// Waits until that many runs have an exit record.
    #[track_caller]
    fn await_ended(&self, count: usize) {
        until(&format!("{count} runs are over"), || {
            self.run_folders().iter().filter(|folder| folder.join("exit.json").exists()).count() == count
        });
    }

    /// Returns the supervisors that live: the run's folder and the process.
    pub(crate) fn supervisors(&self) -> BTreeMap<PathBuf, i32> {
        let processes = self.world.processes().into_iter();
        processes
            .filter_map(|process| {
                let folder = process.command.split_once(" supervise ")?.1;
                Some((PathBuf::from(folder), process.pid))
            })
            .collect()
    }

    /// Demands that the user's checkout is as it was, that each ticket has one worktree, one branch and the refs of its
    /// revisions, that every run has an end, and that no process is left.
    #[track_caller]
    pub(crate) fn assert_tidy(&self, tickets: usize) {
        self.world.assert_nothing_left();
        self.world.assert_accounted_for();
        assert_eq!(self.world.git(&["status", "--porcelain"]), "", "the user's checkout is untouched");
        assert_eq!(self.world.git(&["branch", "--show-current"]), "main");
        let worktrees = self.world.git(&["worktree", "list", "--porcelain"]);
        let count = worktrees.lines().filter(|line| line.starts_with("worktree ")).count() - 1;
        assert_eq!(count, tickets, "one worktree for each ticket\n{worktrees}");
        let branches = self.world.git(&["for-each-ref", "--format=%(refname)", "refs/heads/draft"]);
        assert_eq!(branches.lines().count(), tickets, "one branch for each ticket\n{branches}");
        for folder in self.run_folders() {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!name.starts_with('.'), "a half-made folder was left: {}", folder.display());
            assert!(folder.join("exit.json").exists(), "a run has no end: {}", folder.display());
        }
    }
}

/// A ticket as `draft ticket show --json` prints it.
pub(crate) struct Shown {
    pub(crate) value: Value,
    number: usize,
}

impl Shown {
    /// Returns its state and why, such as `blocked (lost)`.
    pub(crate) fn state(&self) -> String {
        let state = self.value["state"].as_str().unwrap();
        self.value["why"].as_str().map_or_else(|| state.to_owned(), |why| format!("{state} ({why})"))
    }

    pub(crate) fn reason(&self) -> &str {
        self.value["reason"].as_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.value["id"].as_str().unwrap()
    }

    pub(crate) fn worktree(&self) -> &Path {
        Path::new(self.value["worktree"].as_str().unwrap())
    }

    /// Returns its jobs of that kind.
    pub(crate) fn jobs(&self, kind: &str) -> Vec<&Value> {
        self.value["jobs"].as_array().unwrap().iter().filter(|job| job["kind"] == kind).collect()
    }

    /// Returns its only job of that kind.
    #[track_caller]
    fn job(&self, kind: &str) -> &Value {
        let jobs = self.jobs(kind);
        assert_eq!(jobs.len(), 1, "ticket {} has one {kind} job: {:#}", self.number, self.value);
        jobs[0]
    }

    /// Returns the runs of its only job of that kind.
    #[track_caller]
    pub(crate) fn runs(&self, kind: &str) -> &Vec<Value> {
        self.job(kind)["runs"].as_array().unwrap()
    }

    pub(crate) fn evidence(&self) -> &Vec<Value> {
        self.value["evidence"].as_array().unwrap()
    }

    fn revisions(&self) -> &Vec<Value> {
        self.value["revisions"].as_array().unwrap()
    }

    /// Returns what the first run of its only job of that kind wrote.
    #[track_caller]
    fn stdout(&self, kind: &str) -> Vec<u8> {
        fs::read(Path::new(self.runs(kind)[0]["path"].as_str().unwrap()).join("stdout")).unwrap()
    }

    /// Demands a state and a part of its reason.
    #[track_caller]
    pub(crate) fn assert(&self, state: &str, reason: &str) -> &Self {
        assert_eq!(self.state(), state, "ticket {}: {:#}", self.number, self.value);
        assert!(self.reason().contains(reason), "ticket {}: `{}` has no `{reason}`", self.number, self.reason());
        self
    }

    /// Demands that its only execute job ended like this: status, exit code, signal.
    #[track_caller]
    pub(crate) fn assert_executed(&self, status: &str, code: Option<i32>, signal: Option<i32>) -> &Self {
        let job = self.job("execute");
        let found = (&job["status"], &job["exit_code"], &job["signal"]);
        assert_eq!(found, (&json!(status), &json!(code), &json!(signal)), "ticket {}: {job:#}", self.number);
        let runs = self.runs("execute");
        assert_eq!(runs.len(), 1, "one run: {job:#}");
        let evidence = self.evidence().iter().filter(|one| one["job"] == job["id"]).count();
        assert_eq!(evidence, 1, "one piece of evidence: {:#}", self.value);
        self
    }

    /// Demands that its agent's output is exactly what the same agent prints when nothing of Draft is between: with the
    /// same prompt, session and folder. Call it last: the agent does its work again.
    #[track_caller]
    fn assert_whole_output(&self, yard: &Yard) -> Vec<u8> {
        let kept = self.stdout("execute");
        let job = self.job("execute")["id"].as_str().unwrap();
        let prompt = Path::new(self.runs("execute")[0]["path"].as_str().unwrap()).join("prompt");
        let mut again = yard.world.command(env!("CARGO_BIN_EXE_draft"));
        again.args(["demo-agent", "--session-id", job]).current_dir(self.worktree());
        let again = yard.world.start(again.stdin(fs::File::open(prompt).unwrap())).wait();
        let (kept_lines, lines) = (without_times(&kept), without_times(&again.stdout));
        for (n, (kept, line)) in kept_lines.iter().zip(&lines).enumerate() {
            let text = |line: &[u8]| line.escape_ascii().to_string();
            assert_eq!(text(kept), text(line), "line {n} of ticket {}", self.number);
        }
        assert_eq!(kept_lines.len(), lines.len(), "lines of ticket {}", self.number);
        kept
    }
}

/// Returns the lines, line ends included; how long the work took, which the last event says, is taken out.
pub(crate) fn without_times(output: &[u8]) -> Vec<Vec<u8>> {
    let key: &[u8] = b"\"duration_ms\":";
    let mut lines: Vec<Vec<u8>> = output.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for line in &mut lines {
        if let Some(at) = line.windows(key.len()).position(|window| window == key) {
            let from = at + key.len();
            let digits = line[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            line.drain(from..from + digits);
        }
    }
    lines
}

/// Returns the number in a file, once it is there.
#[track_caller]
pub(crate) fn pid_in(path: &Path) -> i32 {
    until_some(&format!("{} has a number", path.display()), || fs::read_to_string(path).ok()?.trim().parse().ok())
}

/// Says whether a process lives; a zombie does not.
pub(crate) fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])))
}
