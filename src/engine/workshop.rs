//! What every job works with: folders, the repository, the table of agents, and the configuration as it is now.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::config::in_force::{InForce, Keeper};
use crate::config::yolo::{Yolo, is_open, yolo};
use crate::config::{self, Files, Loaded};
use crate::domain::autopilot::Autopilot;
use crate::domain::board::About;
use crate::domain::policy::Policy;
use crate::domain::rule::Trust;
use crate::domain::rule_recheck::Recheck;
use crate::domain::ticket::Worktree;
use crate::executor::table::Table;
use crate::git::still::Still;
use crate::git::{Git, Repo};
use crate::store::Readers;

use super::error::EngineError;

/// Where Draft keeps things.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The folder of everything.
    pub data_dir: PathBuf,
    /// The user's own configuration file.
    pub user_config: PathBuf,
}

impl Paths {
    /// Returns the database.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("draft.db")
    }

    /// Returns the user's settings for a board.
    pub fn board_config(&self, about: &About) -> PathBuf {
        self.data_dir.join("boards").join(format!("{}.yaml", about.id.0))
    }

    /// Returns the folder of all runs.
    pub fn runs(&self) -> PathBuf {
        self.data_dir.join("runs")
    }

    /// Returns the folder of all worktrees.
    pub fn worktrees(&self) -> PathBuf {
        self.data_dir.join("worktrees")
    }

    /// Returns the folder of a board's worktrees.
    pub fn worktrees_of(&self, about: &About) -> PathBuf {
        let id = about.id.0.simple().to_string();
        let name: String = about.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        self.worktrees().join(format!("{name}-{}", &id[id.len() - 8..]))
    }

    /// Returns the folder in which landings are prepared, a folder for each board.
    pub fn landings(&self) -> PathBuf {
        self.data_dir.join("landings")
    }

    /// Returns the folder in which a board's landings are prepared, a folder for each job.
    pub fn landings_of(&self, about: &About) -> PathBuf {
        self.landings().join(about.id.to_string())
    }

    /// Returns the folder of the tasks that were handed over to people, a file for each job.
    pub fn handovers(&self) -> PathBuf {
        self.data_dir.join("handovers")
    }

    /// Returns the folder of Draft's own log.
    pub fn logs(&self) -> PathBuf {
        self.data_dir.join("logs")
    }
}

/// How many jobs at once do work that blocks. Threads beyond that would not be faster on any machine, and each leaves a
/// part of the heap that is not given back.
#[derive(Debug)]
pub struct Gates {
    /// For what is short: reading, settings, snapshots.
    pub(super) steps: Semaphore,
    /// For making worktrees, which may take as long as a hook and the network do; nobody else waits for that.
    pub(super) makings: Semaphore,
    /// For reading what agents print as fast as they can: the screen and the agents need the other cores.
    pub(super) hearings: Semaphore,
}

impl Default for Gates {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            steps: Semaphore::new((2 * cores).max(4)),
            makings: Semaphore::new((2 * cores).max(8)),
            hearings: Semaphore::new((cores / 2).max(1)),
        }
    }
}

/// What every job works with.
#[derive(Debug)]
pub struct Workshop {
    /// Where things are.
    pub paths: Paths,
    /// What reads the database, for threads that may wait.
    pub readers: Readers,
    /// How many jobs do work that blocks at once.
    pub gates: Gates,
    /// The board.
    pub about: About,
    /// The git program.
    pub git: Git,
    /// The board's repository.
    pub repo: Repo,
    /// This very program, to be started again as a supervisor and as the demo agent.
    pub draft_program: PathBuf,
    /// Where programs are looked for.
    pub path_env: OsString,
    /// The settings, read again when they change.
    pub kept: Keeper,
    /// How many jobs run at once, when a flag says so and not the configuration.
    pub max_parallel: Option<u32>,
    /// What worktrees were like when they were looked at.
    pub still: Still,
    /// Whether the engine stays, and may begin what nobody asked for: checks of what waits.
    pub looks_ahead: bool,
}

impl Workshop {
    /// Returns the settings that are in force: those of the files as they are now, or the last good ones that this process
    /// saw.
    ///
    /// # Errors
    /// All errors of both files at once, when there were no good ones yet.
    pub fn settings(&self) -> Result<Arc<Loaded>, EngineError> {
        let InForce { settings, problem } = self.in_force();
        settings.ok_or_else(|| problem.map_or_else(Default::default, |errors| (*errors).clone()).into())
    }

    /// Returns the settings that are in force, and what is wrong with the files as they are now.
    pub fn in_force(&self) -> InForce {
        self.kept.see(config::read(&self.config_files()))
    }

    /// Returns the files in which settings are.
    pub fn config_files(&self) -> Files {
        Files {
            user: Some(self.paths.user_config.clone()),
            repo: Some(self.repo_config()),
            board: Some(self.paths.board_config(&self.about)),
        }
    }

    /// Returns the agents that are in force: those that Draft brings, and those of the settings.
    ///
    /// # Errors
    /// When the settings cannot be read, or with everything that is wrong with their agents.
    pub fn agents(&self) -> Result<Table, EngineError> {
        Ok(Table::of(&*self.settings()?)?)
    }

    /// Returns the agents as far as they can be told: those that Draft brings where the settings are wrong.
    pub fn known_agents(&self) -> Table {
        self.agents().unwrap_or_else(|_| Table::builtin())
    }

    /// Says whether the user trusts what the repository's file would run, in its present form.
    ///
    /// # Errors
    /// When the settings or the database cannot be read.
    pub fn trust(&self) -> Result<Trust, EngineError> {
        self.trust_of(&*self.settings()?)
    }

    /// Says whether the user trusts what these settings would run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trust_of(&self, settings: &Loaded) -> Result<Trust, EngineError> {
        let Some(content) = config::trust::trust_content(settings) else { return Ok(Trust::Given) };
        let trusted = self.readers.read(|reader| reader.trusted(self.repo.root()))?;
        Ok(if trusted.as_ref() == Some(&content) { Trust::Given } else { Trust::Missing })
    }

    /// Returns the number of jobs that may run at once.
    pub fn slots(&self) -> usize {
        match self.max_parallel {
            Some(_) => self.slots_of(None),
            None => self.slots_of(self.settings().ok().as_deref()),
        }
    }

    /// Returns the number of jobs that may run at once with these settings; one at a time where they cannot be read.
    pub fn slots_of(&self, settings: Option<&Loaded>) -> usize {
        let configured = settings.map_or(1, |loaded| loaded.config.execute_config.max_parallel_jobs);
        usize::try_from(self.max_parallel.unwrap_or(configured)).unwrap_or(1).max(1)
    }

    /// Returns what the settings say about the autopilot, which holds as long as nobody says anything on the board; off where
    /// they cannot be read.
    pub fn configured_autopilot(&self) -> Autopilot {
        let on = self.settings().is_ok_and(|loaded| loaded.config.planner_config.auto_execute);
        if on { Autopilot::On } else { Autopilot::Off }
    }

    /// Returns the rails that the settings set for what happens without a person; nothing where they cannot be read.
    pub(super) fn policy(&self) -> Option<Policy> {
        self.settings().ok().map(|loaded| loaded.config.autonomy_config.policy(&loaded.config.merge_config))
    }

    /// Returns which changes that wait are checked again when their target moves; none where the settings cannot be read, or nobody
    /// would wait for that.
    pub(super) fn rechecked(&self) -> Recheck {
        if !self.looks_ahead {
            return Recheck::Off;
        }
        self.settings().map_or(Recheck::Off, |loaded| loaded.config.merge_config.rechecked())
    }

    /// Returns how long to wait between two looks at a pull request; five minutes where the settings cannot be read.
    pub fn poll_interval(&self) -> Duration {
        self.settings().map_or(Duration::from_mins(5), |loaded| loaded.config.git_host_config.poll_interval)
    }

    /// Says whether agents may do everything without asking in this repository.
    pub fn yolo(&self, config: &config::Config) -> Yolo {
        let (root, trusted) = self.yolo_folders(config);
        yolo(config, &root, &trusted)
    }

    /// Says whether nobody said yet what agents may do here.
    pub fn is_leave_open(&self, loaded: &Loaded) -> bool {
        let (root, trusted) = self.yolo_folders(&loaded.config);
        is_open(loaded, &root, &trusted)
    }

    /// Returns the repository and the folders that the user trusts, with all links resolved.
    fn yolo_folders(&self, config: &config::Config) -> (PathBuf, Vec<PathBuf>) {
        let root = self.repo.root();
        // A folder that is not there trusts nothing.
        let trusted =
            config.execute_config.yolo_allowlist.iter().filter_map(|path| Path::new(path).canonicalize().ok());
        (root.canonicalize().unwrap_or_else(|_| root.to_owned()), trusted.collect())
    }

    /// Returns how many bytes of memory an agent takes, 0 where that is not known. Without a name it is the preferred one.
    pub(super) fn takes(&self, settings: &Loaded, agent: Option<&str>) -> u64 {
        let name = agent.unwrap_or(&settings.config.execute_config.preferred_executor);
        let agents = Table::of(settings).ok();
        let memory = agents.and_then(|agents| agents.find(name).ok().map(|row| row.memory)).unwrap_or(0);
        u64::from(memory) << 20
    }

    /// Returns the variables that tell a program in a ticket's worktree where it is and which ports are its own.
    pub fn variables(&self, config: &config::Config, worktree: &Worktree) -> BTreeMap<String, String> {
        super::jobs::command::surroundings(config, self, worktree)
    }

    /// Returns the patterns of what agents leave for themselves, which is never part of a change.
    pub fn litter(&self) -> Vec<String> {
        self.known_agents().iter().flat_map(|executor| executor.litter.iter().cloned()).collect()
    }

    /// Returns the folder of this board's worktrees.
    pub fn worktrees(&self) -> PathBuf {
        self.paths.worktrees_of(&self.about)
    }

    /// Returns the repository's own configuration file.
    pub fn repo_config(&self) -> PathBuf {
        self.repo.root().join(config::FILE_NAME)
    }
}
