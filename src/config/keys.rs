//! Every key of a configuration file: a row each with its type, range, who may set it, and whether it can make
//! something run.

use std::time::Duration;

use serde_json::{Value, json};

use super::Config;

/// A key, and what is known of it.
#[derive(Debug)]
pub struct Key {
    /// Its full name, such as `execute_config.timeout`.
    pub path: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Its type, range and place.
    pub(super) kind: Kind,
    /// Who may set it.
    pub(super) who: Who,
    /// Whether a repository's value needs the user's trust.
    pub(super) runs: Runs,
}

/// The type of a value, its limits, and where in the settings it is kept.
#[derive(Debug)]
pub(super) enum Kind {
    /// Whole seconds.
    Seconds { least: u64, most: u64, at: fn(&mut Config) -> &mut Duration },
    /// A small number.
    Count { least: u32, most: u32, at: fn(&mut Config) -> &mut u32 },
    /// A size.
    Bytes { least: u64, most: u64, at: fn(&mut Config) -> &mut u64 },
    /// On or off.
    Switch { at: fn(&mut Config) -> &mut bool },
    /// A line of text.
    Text { at: fn(&mut Config) -> &mut String },
    /// A template for the names of branches.
    BranchTemplate { at: fn(&mut Config) -> &mut String },
    /// A line of text, or nothing.
    OptionalText { at: fn(&mut Config) -> &mut Option<String> },
    /// Lines of text.
    Texts { at: fn(&mut Config) -> &mut Vec<String> },
    /// Known, without effect: any value is taken and a warning says this.
    Unused { note: &'static str },
}

/// Who may set a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// The user and the repository.
    Anybody,
    /// The user alone: it gives agents more room.
    User,
}

/// Whether a key can cause something to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Runs {
    /// A repository's value needs the user's trust.
    Something,
    /// It is harmless.
    Nothing,
}

/// Longest time that can be set: a week.
const WEEK: u64 = 7 * 24 * 3600;

/// The whole table.
pub const KEYS: &[Key] = &[
    Key::new(
        "execute_config.timeout",
        "longest time of one attempt, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.execute_config.timeout },
    ),
    Key::new(
        "execute_config.preferred_executor",
        "the agent that works when a ticket names none",
        Kind::Text { at: |config| &mut config.execute_config.preferred_executor },
    ),
    Key::new(
        "execute_config.executor_model",
        "the model for the agent; null leaves the choice to it",
        Kind::OptionalText { at: |config| &mut config.execute_config.executor_model },
    ),
    Key::new(
        "execute_config.max_parallel_jobs",
        "how many jobs run at once",
        Kind::Count { least: 1, most: 1000, at: |config| &mut config.execute_config.max_parallel_jobs },
    ),
    Key::new(
        "execute_config.yolo_mode",
        "whether agents may act without asking, in the folders of the list",
        Kind::Switch { at: |config| &mut config.execute_config.yolo_mode },
    )
    .user(),
    Key::new(
        "execute_config.yolo_allowlist",
        "the folders where yolo_mode holds",
        Kind::Texts { at: |config| &mut config.execute_config.yolo_allowlist },
    )
    .user(),
    Key::new(
        "execute_config.idle_timeout",
        "longest silence of an agent, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.execute_config.idle_timeout },
    ),
    Key::new(
        "execute_config.max_output_bytes",
        "most output of one run, in bytes",
        Kind::Bytes { least: 4096, most: 1 << 40, at: |config| &mut config.execute_config.max_output_bytes },
    ),
    Key::new(
        "execute_config.stop_grace",
        "time between the polite and the hard stop, in seconds",
        Kind::Seconds { least: 0, most: 3600, at: |config| &mut config.execute_config.stop_grace },
    ),
    Key::new(
        "execute_config.retries",
        "how often an agent is started again after a failure that may pass",
        Kind::Count { least: 0, most: 20, at: |config| &mut config.execute_config.retries },
    ),
    Key::new(
        "execute_config.retry_delay",
        "pause before the first of these, in seconds; each further one is twice as long",
        Kind::Seconds { least: 0, most: 3600, at: |config| &mut config.execute_config.retry_delay },
    ),
    Key::new(
        "execute_config.jobs_per_hour",
        "how many jobs of one kind a ticket may have within an hour",
        Kind::Count { least: 1, most: 100_000, at: |config| &mut config.execute_config.jobs_per_hour },
    ),
    Key::new(
        "execute_config.jobs_per_day",
        "how many execute jobs a ticket may have within a day",
        Kind::Count { least: 1, most: 100_000, at: |config| &mut config.execute_config.jobs_per_day },
    ),
    Key::new(
        "execute_config.min_free_memory",
        "memory that must be free before an agent starts, in bytes",
        Kind::Bytes { least: 0, most: 1 << 44, at: |config| &mut config.execute_config.min_free_memory },
    ),
    Key::new(
        "execute_config.min_free_disk",
        "room that must be free on the disk before an agent starts, in bytes",
        Kind::Bytes { least: 0, most: 1 << 50, at: |config| &mut config.execute_config.min_free_disk },
    ),
    Key::new(
        "verify_config.commands",
        "the checks that every change must pass, in order",
        Kind::Texts { at: |config| &mut config.verify_config.commands },
    )
    .runs(),
    Key::new(
        "verify_config.extra_allowed_commands",
        "programs that checks may use beside the built-in list",
        Kind::Texts { at: |config| &mut config.verify_config.extra_allowed_commands },
    )
    .runs(),
    Key::new(
        "verify_config.timeout",
        "longest time of one check, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.verify_config.timeout },
    ),
    Key::new(
        "verify_config.rework_attempts",
        "how often a change that fails goes back to its agent before a person must look",
        Kind::Count { least: 0, most: 20, at: |config| &mut config.verify_config.rework_attempts },
    ),
    Key::new(
        "workspace_config.copy",
        "files of your checkout that git does not have and a worktree needs, as gitignore patterns",
        Kind::Texts { at: |config| &mut config.workspace_config.copy },
    ),
    Key::new(
        "workspace_config.setup",
        "commands that make a new worktree ready, in order",
        Kind::Texts { at: |config| &mut config.workspace_config.setup },
    )
    .runs(),
    Key::new(
        "workspace_config.cleanup",
        "commands that run before a worktree is removed",
        Kind::Texts { at: |config| &mut config.workspace_config.cleanup },
    )
    .runs(),
    Key::new(
        "workspace_config.script_timeout",
        "longest time of one of these commands, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.workspace_config.script_timeout },
    ),
    Key::new(
        "workspace_config.submodules",
        "whether submodules that your checkout has are checked out too",
        Kind::Switch { at: |config| &mut config.workspace_config.submodules },
    ),
    Key::new(
        "workspace_config.branch_template",
        "how branches are named",
        Kind::BranchTemplate { at: |config| &mut config.workspace_config.branch_template },
    ),
    Key::new(
        "workspace_config.ports",
        "how many ports each worktree gets for itself; 0 is none",
        Kind::Count { least: 0, most: 1000, at: |config| &mut config.workspace_config.ports },
    ),
    Key::new(
        "workspace_config.port_base",
        "the first port that is given out",
        Kind::Count { least: 1024, most: 60_000, at: |config| &mut config.workspace_config.port_base },
    ),
    Key::new(
        "planner_config.features.auto_execute",
        "whether planned tickets run without being asked",
        Kind::Switch { at: |config| &mut config.planner_config.auto_execute },
    )
    .runs(),
    later("project.repo_root"),
    unused("verify_config.on_success", "has no effect: a change that passes always waits for a person"),
    unused("verify_config.on_failure", "has no effect: a change that fails is always blocked"),
    later("workspace_config.trash_days"),
    later("cleanup_config.auto_cleanup_on_merge"),
    later("cleanup_config.worktree_ttl_days"),
    later("cleanup_config.evidence_ttl_days"),
    later("cleanup_config.max_worktrees"),
    later("merge_config.default_strategy"),
    later("merge_config.pull_before_merge"),
    later("merge_config.require_pull_success"),
    later("merge_config.delete_branch_after_merge"),
    later("merge_config.push_after_merge"),
    later("merge_config.squash_merge"),
    later("merge_config.check_divergence"),
    later("autonomy_config.max_diff_lines"),
    later("autonomy_config.sensitive_file_patterns"),
    later("autonomy_config.require_verification_pass"),
    later("planner_config.model"),
    later("planner_config.agent_path"),
    later("planner_config.timeout"),
    later("planner_config.max_tokens_reflection"),
    later("planner_config.max_tokens_followup"),
    later("planner_config.max_followups_per_ticket"),
    later("planner_config.max_followups_per_tick"),
    later("planner_config.skip_followup_reasons"),
    later("planner_config.features.propose_followups"),
    later("planner_config.features.generate_reflections"),
    later("planner_config.features.validate_tickets"),
    later("planner_config.udar.enabled"),
    later("planner_config.udar.enable_incremental_replanning"),
    later("planner_config.udar.enable_llm_validation"),
    later("planner_config.udar.max_self_correction_iterations"),
    later("planner_config.udar.replan_batch_size"),
    later("planner_config.udar.replan_significance_threshold"),
    later("planner_config.udar.replan_max_frequency_minutes"),
    later("planner_config.udar.fallback_to_legacy"),
    later("planner_config.udar.timeout_seconds"),
    later("planner_config.udar.enable_cost_tracking"),
    later("planner_config.udar.max_retries_on_error"),
    later("executor_profiles"),
    later("team_config"),
    later("webhooks"),
    unused("verify_commands", "is an old name and has no effect; write `verify_config.commands`"),
    unused("auto_transition_on_success", "has never had an effect; delete it"),
];

const fn later(path: &'static str) -> Key {
    unused(path, "is known, but not in use yet")
}

const fn unused(path: &'static str, note: &'static str) -> Key {
    Key::new(path, note, Kind::Unused { note })
}

impl Key {
    const fn new(path: &'static str, about: &'static str, kind: Kind) -> Self {
        Self { path, about, kind, who: Who::Anybody, runs: Runs::Nothing }
    }

    const fn user(self) -> Self {
        Self { who: Who::User, ..self }
    }

    const fn runs(self) -> Self {
        Self { runs: Runs::Something, ..self }
    }

    /// Returns the value of this key as JSON; nothing for one that has no effect.
    pub fn value(&self, config: &Config) -> Option<Value> {
        let mut config = config.clone();
        Some(match &self.kind {
            Kind::Seconds { at, .. } => json!(at(&mut config).as_secs()),
            Kind::Count { at, .. } => json!(at(&mut config)),
            Kind::Bytes { at, .. } => json!(at(&mut config)),
            Kind::Switch { at } => json!(at(&mut config)),
            Kind::Text { at } | Kind::BranchTemplate { at } => json!(at(&mut config)),
            Kind::OptionalText { at } => json!(at(&mut config)),
            Kind::Texts { at } => json!(at(&mut config)),
            Kind::Unused { .. } => return None,
        })
    }
}

/// Returns the row of a key.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Says whether keys begin with this name and a dot.
pub(super) fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Returns the names that can stand directly in a section; the file itself is the section without a name.
pub(super) fn names_in(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(move |key| {
        let rest = match section {
            "" => key.path,
            section => key.path.strip_prefix(section)?.strip_prefix('.')?,
        };
        rest.split('.').next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_in_the_table_twice_and_none_is_also_a_section() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(KEYS[i + 1..].iter().all(|other| other.path != key.path), "{}", key.path);
            assert!(!is_section(key.path), "{}", key.path);
        }
    }

    #[test]
    fn every_row_keeps_its_own_place_in_the_settings() {
        for key in KEYS {
            let mut config = Config::default();
            match &key.kind {
                Kind::Seconds { at, .. } => *at(&mut config) = Duration::from_secs(4242),
                Kind::Count { at, .. } => *at(&mut config) = 42,
                Kind::Bytes { at, .. } => *at(&mut config) = 4242,
                Kind::Switch { at } => {
                    let switch = at(&mut config);
                    *switch = !*switch;
                }
                Kind::Text { at } | Kind::BranchTemplate { at } => *at(&mut config) = "x".into(),
                Kind::OptionalText { at } => *at(&mut config) = Some("x".into()),
                Kind::Texts { at } => *at(&mut config) = vec!["x".into()],
                Kind::Unused { .. } => continue,
            }
            let changed: Vec<_> =
                KEYS.iter().filter(|other| other.value(&config) != other.value(&Config::default())).collect();
            assert_eq!(changed.iter().map(|key| key.path).collect::<Vec<_>>(), [key.path]);
        }
    }

    #[test]
    fn what_makes_something_run_or_gives_room_is_marked() {
        let marked = |row: fn(&&Key) -> bool| KEYS.iter().filter(row).map(|key| key.path).collect::<Vec<_>>();
        assert_eq!(
            marked(|key| key.runs == Runs::Something),
            [
                "verify_config.commands",
                "verify_config.extra_allowed_commands",
                "workspace_config.setup",
                "workspace_config.cleanup",
                "planner_config.features.auto_execute"
            ]
        );
        assert_eq!(marked(|key| key.who == Who::User), ["execute_config.yolo_mode", "execute_config.yolo_allowlist"]);
    }
}
