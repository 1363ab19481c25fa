//! What `draft.yaml`, the user's own file and the built-in defaults mean together, checked, with each value's origin.
//!
//! Reading is apart from meaning: [`read`] touches the disk, [`load`] is pure. Keys are rows of one table in `keys`.

pub mod allow;
mod keys;
mod nearest;
mod problem;
mod tree;
pub mod trust;
mod walk;
pub mod yolo;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

pub use keys::{KEYS, Key};
pub use problem::{ConfigError, ConfigErrors, Place, Problem, Warning};

/// The name of the repository's file, at the root of the user's checkout.
pub const FILE_NAME: &str = "draft.yaml";
/// Larger files are refused unread, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// All settings that have an effect, with the names that they have in the files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// How agents are run.
    pub execute_config: ExecuteConfig,
    /// How changes are checked.
    pub verify_config: VerifyConfig,
    /// How worktrees are made ready.
    pub workspace_config: WorkspaceConfig,
    /// What is done without being asked.
    pub planner_config: PlannerConfig,
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
    pub commands: Vec<String>,
    /// Programs that checks may use beside those of [`allow::ALLOWED`].
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
    pub setup: Vec<String>,
    /// Commands that run before a worktree is removed; a failure does not keep it.
    pub cleanup: Vec<String>,
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

/// Where a value comes from; a later one wins over an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// Nobody set it.
    BuiltIn,
    /// The user's own file.
    User,
    /// The repository's `draft.yaml`.
    Repo,
}

impl Origin {
    /// Returns it in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::User => "user",
            Self::Repo => "repository",
        }
    }
}

/// A file as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// Where it is, for messages.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files that settings come from; one that is missing sets nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sources {
    /// The user's own file.
    pub user: Option<SourceFile>,
    /// The repository's file.
    pub repo: Option<SourceFile>,
}

/// Settings that are in force, and what is worth saying about them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Keys that are known but have no effect.
    pub warnings: Vec<Warning>,
    origins: BTreeMap<&'static str, Origin>,
}

/// One setting for people: what it is, its value, and where that comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// Its full name, such as `execute_config.timeout`.
    pub path: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its value.
    pub value: Value,
    /// Where that comes from.
    pub origin: Origin,
}

impl Loaded {
    /// Returns where the value of a key comes from; one that nobody set, or that does not exist, is built in.
    pub fn origin(&self, path: &str) -> Origin {
        self.origins.get(path).copied().unwrap_or(Origin::BuiltIn)
    }

    /// Returns every setting that has an effect, in the order of the table.
    pub fn settings(&self) -> impl Iterator<Item = Setting> {
        KEYS.iter().filter_map(|key| {
            let value = key.value(&self.config)?;
            Some(Setting { path: key.path, about: key.about, value, origin: self.origin(key.path) })
        })
    }
}

/// Reads the files; one that does not exist is left out.
///
/// # Errors
/// When a file is there and cannot be read, or is no regular file.
pub fn read(user: Option<&Path>, repo: Option<&Path>) -> Result<Sources, ConfigErrors> {
    let mut errors = Vec::new();
    let mut one = |path: Option<&Path>| {
        let path = path?;
        read_file(path).unwrap_or_else(|problem| {
            errors.push(ConfigError { file: path.to_owned(), place: None, problem });
            None
        })
    };
    let sources = Sources { user: one(user), repo: one(repo) };
    if errors.is_empty() { Ok(sources) } else { Err(ConfigErrors(errors)) }
}

fn read_file(path: &Path) -> Result<Option<SourceFile>, Problem> {
    let unreadable = |error: io::Error| Problem::Unreadable(error.to_string());
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // Opening a pipe would wait for its writer.
        Ok(_) => return Err(Problem::NotAFile),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Some(SourceFile { path: path.to_owned(), bytes }))
}

/// Lays the files over the built-in values: the user's first, then the repository's. A list replaces a list.
///
/// # Errors
/// Everything that is wrong in both files, at once; a file that is no YAML or is refused as a whole gives one error.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
    let mut loaded = Loaded::default();
    let mut errors = Vec::new();
    for (source, origin) in [(&sources.user, Origin::User), (&sources.repo, Origin::Repo)] {
        if let Some(source) = source {
            errors.extend(walk::lay_over(&mut loaded, source, origin));
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(ConfigErrors(errors)) }
}

/// Writes settings as a file that sets every one of them; read as the user's file it gives the same settings.
pub fn print(config: &Config) -> String {
    let mut sections = serde_json::Map::new();
    for key in KEYS {
        let Some(value) = key.value(config) else { continue };
        let (section, name) = key.path.split_once('.').unwrap_or(("", key.path));
        let section = sections.entry(section).or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(section) = section {
            section.insert(name.to_owned(), value);
        }
    }
    // Texts, numbers and lists of them are always YAML.
    serde_yaml::to_string(&sections).unwrap_or_default()
}

#[cfg(test)]
mod tests;
