//! The settings as typed values: a struct for each section, with the names of the file, and what holds when nobody says.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::autonomy::AutonomyConfig;
use super::cleanup::CleanupConfig;
use super::later::Later;
use super::merge::MergeConfig;

/// All settings that have an effect, with the names that they have in the files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// How agents are run.
    pub execute_config: ExecuteConfig,
    /// How changes are checked.
    pub verify_config: VerifyConfig,
    /// How worktrees are made ready.
    pub workspace_config: WorkspaceConfig,
    /// What is removed when nobody needs it any more.
    pub cleanup_config: CleanupConfig,
    /// How changes land.
    pub merge_config: MergeConfig,
    /// Where pull requests are.
    pub git_host_config: GitHostConfig,
    /// What may happen without a person.
    pub autonomy_config: AutonomyConfig,
    /// What is done without being asked.
    pub planner_config: PlannerConfig,
    /// How the board meets the person.
    pub ui: UiConfig,
    /// Ways to run an agent, by the names under which tickets ask for them.
    pub executor_profiles: BTreeMap<String, ExecutorProfile>,
    /// Rows for the table of agents, by name, as the file has them; the table checks them.
    pub executors: BTreeMap<String, Value>,
    /// What nothing uses yet.
    pub later: Later,
}

/// Where pull requests are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GitHostConfig {
    /// What kind of host it is; `auto` goes by the remote's address.
    pub provider: String,
    /// The remote.
    pub remote: String,
    /// Machines that are GitHub beside `github.com`.
    pub github_hosts: Vec<String>,
    /// Machines that are GitLab beside `gitlab.com`.
    pub gitlab_hosts: Vec<String>,
    /// How long to wait between two looks at a pull request that is open.
    pub poll_interval: Duration,
}

impl Default for GitHostConfig {
    fn default() -> Self {
        Self {
            provider: "auto".to_owned(),
            remote: "origin".to_owned(),
            github_hosts: Vec::new(),
            gitlab_hosts: Vec::new(),
            poll_interval: Duration::from_mins(5),
        }
    }
}

/// How the board meets the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UiConfig {
    /// Whether the mouse is the board's.
    pub mouse: bool,
    /// How a person who looks elsewhere is told that a ticket needs one; one of the ways of the table.
    pub notify: String,
    /// The program for the way `command`, as one would type it.
    pub notify_command: Option<String>,
}

/// The ways to tell a person who looks elsewhere.
pub(super) const NOTIFY: &[&str] = &["off", "bell", "osc9", "osc777", "osc99", "command"];

impl Default for UiConfig {
    fn default() -> Self {
        Self { mouse: true, notify: "bell".to_owned(), notify_command: None }
    }
}

/// A command as a file has it: a line of text, or a map that says more.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandSpec {
    /// The text.
    pub run: String,
    /// Whether `sh -c` runs it, so that pipes, `&&` and variables mean something.
    pub shell: bool,
    /// Longest time; nothing leaves it to the section.
    pub timeout: Option<Duration>,
}

/// What is run, as a person would type it.
impl fmt::Display for CommandSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.shell {
            return f.write_str(&self.run);
        }
        match shlex::try_quote(&self.run) {
            Ok(quoted) => write!(f, "sh -c {quoted}"),
            // It has a zero byte, and is refused where it would run.
            Err(_) => write!(f, "sh -c {:?}", self.run),
        }
    }
}

impl From<&str> for CommandSpec {
    fn from(run: &str) -> Self {
        Self { run: run.to_owned(), ..Self::default() }
    }
}

/// A way to run an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutorProfile {
    /// The agent.
    pub executor_type: String,
    /// Longest time of one attempt; nothing leaves it to `execute_config.timeout`.
    pub timeout: Option<Duration>,
    /// Arguments beside those of the agent's row.
    pub extra_flags: Vec<String>,
    /// The model; nothing leaves it to `execute_config.executor_model`.
    pub model: Option<String>,
    /// Variables of its environment.
    pub env: BTreeMap<String, String>,
}

impl Default for ExecutorProfile {
    fn default() -> Self {
        Self {
            executor_type: "claude".to_owned(),
            timeout: None,
            extra_flags: Vec::new(),
            model: None,
            env: BTreeMap::new(),
        }
    }
}

/// How agents are run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecuteConfig {
    /// Longest time of one attempt.
    pub timeout: Duration,
    /// The agent that works when the ticket names none.
    pub preferred_executor: String,
    /// The model for the agent; nothing leaves the choice to the agent.
    pub executor_model: Option<String>,
    /// How many jobs run at once.
    pub max_parallel_jobs: u32,
    /// Whether agents may act without asking; it works together with the list of trusted paths.
    pub yolo_mode: bool,
    /// Where that is allowed: these folders and all below them.
    pub yolo_allowlist: Vec<String>,
    /// Longest silence before an agent is stopped.
    pub idle_timeout: Duration,
    /// Most output of one run before it is stopped, in bytes.
    pub max_output_bytes: u64,
    /// Time between the polite and the hard stop.
    pub stop_grace: Duration,
    /// How often an agent is started again after a failure that may pass.
    pub retries: u32,
    /// Pause before the first of these; each further one is twice as long.
    pub retry_delay: Duration,
    /// How many jobs of one kind a ticket may have within an hour.
    pub jobs_per_hour: u32,
    /// How many execute jobs a ticket may have within a day.
    pub jobs_per_day: u32,
    /// Memory that must be free before an agent starts, in bytes.
    pub min_free_memory: u64,
    /// Room that must be free on the disk before an agent starts, in bytes.
    pub min_free_disk: u64,
}

/// How changes are checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyConfig {
    /// The checks, run in order; the first failure ends them.
    pub commands: Vec<CommandSpec>,
    /// Programs that checks may use beside those of [`ALLOWED`](super::allow::ALLOWED).
    pub extra_allowed_commands: Vec<String>,
    /// Longest time of one check.
    pub timeout: Duration,
    /// How often a change that fails goes back to its agent before a person must look.
    pub rework_attempts: u32,
}

/// How worktrees are made ready for agents and checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkspaceConfig {
    /// Files of the user's checkout that git does not have and a worktree needs, as gitignore patterns.
    pub copy: Vec<String>,
    /// Commands that make a new worktree ready, run in order; the first failure blocks the ticket.
    pub setup: Vec<CommandSpec>,
    /// Commands that run before a worktree is removed; a failure does not keep it.
    pub cleanup: Vec<CommandSpec>,
    /// Longest time of one of these commands.
    pub script_timeout: Duration,
    /// Whether submodules that the user's checkout has are checked out too.
    pub submodules: bool,
    /// How branches are named.
    pub branch_template: String,
    /// How many ports each worktree gets for itself; 0 is none.
    pub ports: u32,
    /// The first port that is given out.
    pub port_base: u32,
    /// How long what was removed can come back, in days.
    pub trash_days: u32,
}

/// What is done without being asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PlannerConfig {
    /// Whether planned tickets are run without being asked, until somebody says otherwise on the board.
    pub auto_execute: bool,
}

impl Default for WorkspaceConfig {
    fn default() -> Self {
        Self {
            copy: Vec::new(),
            setup: Vec::new(),
            cleanup: Vec::new(),
            script_timeout: Duration::from_secs(600),
            submodules: true,
            branch_template: "draft/{number}-{slug}".to_owned(),
            ports: 10,
            port_base: 20_000,
            trash_days: 30,
        }
    }
}

impl Default for ExecuteConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(600),
            preferred_executor: "claude".to_owned(),
            executor_model: None,
            max_parallel_jobs: 1,
            yolo_mode: false,
            yolo_allowlist: Vec::new(),
            idle_timeout: Duration::from_secs(600),
            max_output_bytes: 1 << 30,
            stop_grace: Duration::from_secs(5),
            retries: 2,
            retry_delay: Duration::from_secs(5),
            jobs_per_hour: 10,
            jobs_per_day: 50,
            min_free_memory: 1 << 30,
            min_free_disk: 1 << 30,
        }
    }
}

impl Default for VerifyConfig {
    fn default() -> Self {
        Self {
            commands: Vec::new(),
            extra_allowed_commands: Vec::new(),
            timeout: Duration::from_secs(300),
            rework_attempts: 1,
        }
    }
}
