//! Every key of a configuration file, a row each; `maps` has those of what stands below a name or in a list.

use super::Config;
use super::autonomy::{AT_A_GATE, PROFILES};
use super::keys::{Key, Kind};
use super::settings::NOTIFY;

mod maps;

pub(super) use maps::{COMMAND, PROFILE, WEBHOOK};

/// Longest time that can be set: a week.
const WEEK: u64 = 7 * 24 * 3600;

/// The whole table.
pub const KEYS: &[Key] = &[
    key(
        "execute_config.timeout",
        "longest time of one attempt, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.execute_config.timeout },
    ),
    key(
        "execute_config.preferred_executor",
        "the agent that works when a ticket names none",
        Kind::Text { at: |config| &mut config.execute_config.preferred_executor },
    ),
    key(
        "execute_config.executor_model",
        "the model for the agent; null leaves the choice to it",
        Kind::OptionalText { at: |config| &mut config.execute_config.executor_model },
    ),
    key(
        "execute_config.max_parallel_jobs",
        "how many jobs run at once",
        Kind::Count { least: 1, most: 1000, at: |config| &mut config.execute_config.max_parallel_jobs },
    ),
    key(
        "execute_config.yolo_mode",
        "whether agents may act without asking, in the folders of the list",
        Kind::Switch { at: |config| &mut config.execute_config.yolo_mode },
    )
    .user(),
    key(
        "execute_config.yolo_allowlist",
        "the folders where yolo_mode holds",
        Kind::Texts { at: |config| &mut config.execute_config.yolo_allowlist },
    )
    .user(),
    key(
        "execute_config.idle_timeout",
        "longest silence of an agent, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.execute_config.idle_timeout },
    ),
    key(
        "execute_config.max_output_bytes",
        "most output of one run, in bytes",
        Kind::Bytes { least: 4096, most: 1 << 40, at: |config| &mut config.execute_config.max_output_bytes },
    ),
    key(
        "execute_config.stop_grace",
        "time between the polite and the hard stop, in seconds",
        Kind::Seconds { least: 0, most: 3600, at: |config| &mut config.execute_config.stop_grace },
    ),
    key(
        "execute_config.retries",
        "how often an agent is started again after a failure that may pass",
        Kind::Count { least: 0, most: 20, at: |config| &mut config.execute_config.retries },
    ),
    key(
        "execute_config.retry_delay",
        "pause before the first of these, in seconds; each further one is twice as long",
        Kind::Seconds { least: 0, most: 3600, at: |config| &mut config.execute_config.retry_delay },
    ),
    key(
        "execute_config.jobs_per_hour",
        "how many jobs of one kind a ticket may have within an hour",
        Kind::Count { least: 1, most: 100_000, at: |config| &mut config.execute_config.jobs_per_hour },
    ),
    key(
        "execute_config.jobs_per_day",
        "how many execute jobs a ticket may have within a day",
        Kind::Count { least: 1, most: 100_000, at: |config| &mut config.execute_config.jobs_per_day },
    ),
    key(
        "execute_config.min_free_memory",
        "memory that must be free before an agent starts, in bytes",
        Kind::Bytes { least: 0, most: 1 << 44, at: |config| &mut config.execute_config.min_free_memory },
    ),
    key(
        "execute_config.min_free_disk",
        "room that must be free on the disk before an agent starts, in bytes",
        Kind::Bytes { least: 0, most: 1 << 50, at: |config| &mut config.execute_config.min_free_disk },
    ),
    key(
        "verify_config.commands",
        "the checks that every change must pass, in order",
        Kind::Commands { at: |config| &mut config.verify_config.commands },
    )
    .runs(),
    key(
        "verify_config.extra_allowed_commands",
        "programs that checks may use beside the built-in list",
        Kind::Texts { at: |config| &mut config.verify_config.extra_allowed_commands },
    )
    .runs(),
    key(
        "verify_config.timeout",
        "longest time of one check, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.verify_config.timeout },
    ),
    key(
        "verify_config.rework_attempts",
        "how often a change that fails goes back to its agent before a person must look",
        Kind::Count { least: 0, most: 20, at: |config| &mut config.verify_config.rework_attempts },
    ),
    key(
        "workspace_config.copy",
        "files of your checkout that git does not have and a worktree needs, as gitignore patterns",
        Kind::Texts { at: |config| &mut config.workspace_config.copy },
    ),
    key(
        "workspace_config.setup",
        "commands that make a new worktree ready, in order",
        Kind::Commands { at: |config| &mut config.workspace_config.setup },
    )
    .runs(),
    key(
        "workspace_config.cleanup",
        "commands that run before a worktree is removed",
        Kind::Commands { at: |config| &mut config.workspace_config.cleanup },
    )
    .runs(),
    key(
        "workspace_config.script_timeout",
        "longest time of one of these commands, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.workspace_config.script_timeout },
    ),
    key(
        "workspace_config.submodules",
        "whether submodules that your checkout has are checked out too",
        Kind::Switch { at: |config| &mut config.workspace_config.submodules },
    ),
    key(
        "workspace_config.branch_template",
        "how branches are named",
        Kind::BranchTemplate { at: |config| &mut config.workspace_config.branch_template },
    ),
    key(
        "workspace_config.ports",
        "how many ports each worktree gets for itself; 0 is none",
        Kind::Count { least: 0, most: 1000, at: |config| &mut config.workspace_config.ports },
    ),
    key(
        "workspace_config.port_base",
        "the first port that is given out",
        Kind::Count { least: 1024, most: 60_000, at: |config| &mut config.workspace_config.port_base },
    ),
    key(
        "workspace_config.trash_days",
        "how long what was removed can come back, in days",
        Kind::Count { least: 1, most: 3650, at: |config| &mut config.workspace_config.trash_days },
    ),
    key(
        "cleanup_config.auto_cleanup_on_merge",
        "whether a worktree goes when its change has landed",
        Kind::Switch { at: |config| &mut config.cleanup_config.auto_cleanup_on_merge },
    ),
    key(
        "cleanup_config.worktree_ttl_days",
        "age at which a worktree goes into the trash that nobody touched, in days",
        Kind::Count { least: 1, most: 3650, at: |config| &mut config.cleanup_config.worktree_ttl_days },
    ),
    key(
        "cleanup_config.evidence_ttl_days",
        "age at which the output of a ticket goes that is done, abandoned or removed, in days",
        Kind::Count { least: 1, most: 3650, at: |config| &mut config.cleanup_config.evidence_ttl_days },
    ),
    key(
        "cleanup_config.max_worktrees",
        "most worktrees of a board; beyond it those go that nobody touched longest",
        Kind::Count { least: 1, most: 10_000, at: |config| &mut config.cleanup_config.max_worktrees },
    ),
    key(
        "merge_config.default_strategy",
        "how changes land where nobody says and `squash_merge` is off",
        Kind::Word { words: &["merge", "rebase", "squash"], at: |config| &mut config.merge_config.default_strategy },
    ),
    key(
        "merge_config.pull_before_merge",
        "whether the target is brought up to date with the remote branch that it follows first",
        Kind::Switch { at: |config| &mut config.merge_config.pull_before_merge },
    ),
    key(
        "merge_config.require_pull_success",
        "whether a change stays where it is when that fails",
        Kind::Switch { at: |config| &mut config.merge_config.require_pull_success },
    ),
    key(
        "merge_config.delete_branch_after_merge",
        "whether the branch goes afterwards",
        Kind::Switch { at: |config| &mut config.merge_config.delete_branch_after_merge },
    ),
    key(
        "merge_config.protected_branches",
        "branches that are never deleted, whoever made them",
        Kind::Texts { at: |config| &mut config.merge_config.protected_branches },
    ),
    key(
        "merge_config.land_on_protected",
        "whether changes may land on these",
        Kind::Switch { at: |config| &mut config.merge_config.land_on_protected },
    ),
    key(
        "merge_config.push_after_merge",
        "whether the target is pushed to the remote branch that it follows afterwards",
        Kind::Switch { at: |config| &mut config.merge_config.push_after_merge },
    ),
    key(
        "merge_config.squash_merge",
        "whether the change becomes one commit, unless another way is asked for",
        Kind::Switch { at: |config| &mut config.merge_config.squash_merge },
    ),
    key(
        "merge_config.check_divergence",
        "whether the checks run on the result where the target went on meanwhile",
        Kind::Switch { at: |config| &mut config.merge_config.check_divergence },
    ),
    key(
        "merge_config.require_checklist",
        "whether nothing lands before its checklist is done: checks passed, budget left, the three required boxes ticked",
        Kind::Switch { at: |config| &mut config.merge_config.require_checklist },
    ),
    key(
        "merge_config.radar",
        "whether the board looks ahead which changes in flight will get in each other's way",
        Kind::Switch { at: |config| &mut config.merge_config.radar },
    ),
    key(
        "merge_config.recheck",
        "which changes that wait are checked again, while nothing else is to do, when their target moves",
        Kind::Word { words: &["off", "approved", "all"], at: |config| &mut config.merge_config.recheck },
    ),
    key(
        "merge_config.message",
        "what the commit says; `{title}`, `{number}`, `{id}`, `{description}`, `{revision}` and `{agent}` are filled in",
        Kind::Lines { at: |config| &mut config.merge_config.message },
    ),
    key(
        "git_host_config.provider",
        "where pull requests are: on what the remote's address names, or on this kind of host",
        Kind::Word { words: &["auto", "github", "gitlab"], at: |config| &mut config.git_host_config.provider },
    )
    .user(),
    key(
        "git_host_config.remote",
        "the remote to which changes are pushed for a pull request",
        Kind::Text { at: |config| &mut config.git_host_config.remote },
    )
    .user(),
    key(
        "git_host_config.github_hosts",
        "machines that are GitHub beside github.com",
        Kind::Texts { at: |config| &mut config.git_host_config.github_hosts },
    )
    .user(),
    key(
        "git_host_config.gitlab_hosts",
        "machines that are GitLab beside gitlab.com",
        Kind::Texts { at: |config| &mut config.git_host_config.gitlab_hosts },
    )
    .user(),
    key(
        "git_host_config.poll_interval",
        "time between two looks at a pull request that is open, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.git_host_config.poll_interval },
    )
    .user(),
    key(
        "autonomy_config.max_diff_lines",
        "most lines of a change that is approved without a person",
        Kind::Count { least: 0, most: 1_000_000, at: |config| &mut config.autonomy_config.max_diff_lines },
    )
    .runs(),
    key(
        "autonomy_config.sensitive_file_patterns",
        "files that a person must look at, as gitignore patterns; none means the built-in ones",
        Kind::Texts { at: |config| &mut config.autonomy_config.sensitive_file_patterns },
    )
    .runs(),
    key(
        "autonomy_config.require_verification_pass",
        "whether the checks of such a change must have passed on exactly it",
        Kind::Switch { at: |config| &mut config.autonomy_config.require_verification_pass },
    )
    .runs(),
    key(
        "autonomy_config.profile",
        "how strict the gates before automatic approvals and landings are",
        Kind::Word { words: PROFILES, at: |config| &mut config.autonomy_config.profile },
    )
    .user(),
    at_gate(
        "autonomy_config.gates.tests_passed",
        "what follows where a check failed or did not run; `profile` leaves it to the profile, here and below",
        |config| &mut config.autonomy_config.gates.tests_passed,
    ),
    at_gate("autonomy_config.gates.diff_size_threshold", "what follows where a change is large", |config| {
        &mut config.autonomy_config.gates.diff_size_threshold
    }),
    at_gate("autonomy_config.gates.no_sensitive_files", "what follows at a sensitive name of a file", |config| {
        &mut config.autonomy_config.gates.no_sensitive_files
    }),
    at_gate("autonomy_config.gates.cost_budget", "what follows where a budget is nearly spent", |config| {
        &mut config.autonomy_config.gates.cost_budget
    }),
    at_gate("autonomy_config.gates.custom", "what follows where one of `custom_gates` did not pass", |config| {
        &mut config.autonomy_config.gates.custom
    }),
    key(
        "autonomy_config.custom_gates",
        "commands that must pass, beside the checks, before something is approved or lands without a person",
        Kind::Commands { at: |config| &mut config.autonomy_config.custom_gates },
    )
    .runs(),
    key(
        "autonomy_config.enabled",
        "whether changes of tickets without a goal are approved when they pass; a goal says it for its own",
        Kind::Switch { at: |config| &mut config.autonomy_config.enabled },
    )
    .user(),
    key(
        "autonomy_config.auto_merge",
        "whether approved changes of tickets without a goal land at once",
        Kind::Switch { at: |config| &mut config.autonomy_config.auto_merge },
    )
    .user(),
    key(
        "autonomy_config.max_auto_approvals",
        "most changes of the whole board that are approved without a person within a day",
        Kind::Count { least: 0, most: 100_000, at: |config| &mut config.autonomy_config.max_auto_approvals },
    )
    .user(),
    key(
        "planner_config.features.auto_execute",
        "whether planned tickets run without being asked",
        Kind::Switch { at: |config| &mut config.planner_config.auto_execute },
    )
    .runs(),
    key(
        "planner_config.model",
        "the model that plans: cli/ and an agent, or the name of a model",
        Kind::Text { at: |config| &mut config.later.planner.model },
    )
    .later()
    .runs(),
    key(
        "planner_config.agent_path",
        "the program of the agent that plans",
        Kind::Text { at: |config| &mut config.later.planner.agent_path },
    )
    .later()
    .runs(),
    key(
        "planner_config.timeout",
        "longest time of one question, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.later.planner.timeout },
    )
    .later(),
    key(
        "planner_config.max_tokens_reflection",
        "longest answer about a ticket that ended, in tokens",
        Kind::Count { least: 1, most: 1_000_000, at: |config| &mut config.later.planner.max_tokens_reflection },
    )
    .later(),
    key(
        "planner_config.max_tokens_followup",
        "longest answer about a ticket that follows, in tokens",
        Kind::Count { least: 1, most: 1_000_000, at: |config| &mut config.later.planner.max_tokens_followup },
    )
    .later(),
    key(
        "planner_config.max_followups_per_ticket",
        "most tickets that follow from one",
        Kind::Count { least: 0, most: 1000, at: |config| &mut config.later.planner.max_followups_per_ticket },
    )
    .later(),
    key(
        "planner_config.max_followups_per_tick",
        "most tickets that follow at once",
        Kind::Count { least: 0, most: 1000, at: |config| &mut config.later.planner.max_followups_per_tick },
    )
    .later(),
    key(
        "planner_config.skip_followup_reasons",
        "reasons from which no ticket follows",
        Kind::Texts { at: |config| &mut config.later.planner.skip_followup_reasons },
    )
    .later(),
    key(
        "planner_config.features.propose_followups",
        "whether tickets are proposed that follow from others",
        Kind::Switch { at: |config| &mut config.later.planner.propose_followups },
    )
    .later(),
    key(
        "planner_config.features.generate_reflections",
        "whether what was learned from a ticket is written down",
        Kind::Switch { at: |config| &mut config.later.planner.generate_reflections },
    )
    .later(),
    key(
        "planner_config.features.validate_tickets",
        "whether tickets are looked at before they are proposed",
        Kind::Switch { at: |config| &mut config.later.planner.validate_tickets },
    )
    .later(),
    key(
        "planner_config.udar.enabled",
        "whether tickets are made from goals in several steps",
        Kind::Switch { at: |config| &mut config.later.udar.enabled },
    )
    .later(),
    key(
        "planner_config.udar.enable_incremental_replanning",
        "whether plans change while work goes on",
        Kind::Switch { at: |config| &mut config.later.udar.enable_incremental_replanning },
    )
    .later(),
    key(
        "planner_config.udar.enable_llm_validation",
        "whether a model looks at a plan",
        Kind::Switch { at: |config| &mut config.later.udar.enable_llm_validation },
    )
    .later(),
    key(
        "planner_config.udar.max_self_correction_iterations",
        "how often a plan may be mended",
        Kind::Count { least: 0, most: 100, at: |config| &mut config.later.udar.max_self_correction_iterations },
    )
    .later(),
    key(
        "planner_config.udar.replan_batch_size",
        "how many ended tickets lead to a new plan",
        Kind::Count { least: 1, most: 1000, at: |config| &mut config.later.udar.replan_batch_size },
    )
    .later(),
    key(
        "planner_config.udar.replan_significance_threshold",
        "how many changed files matter to a plan",
        Kind::Count { least: 0, most: 100_000, at: |config| &mut config.later.udar.replan_significance_threshold },
    )
    .later(),
    key(
        "planner_config.udar.replan_max_frequency_minutes",
        "least time between two plans, in minutes",
        Kind::Count { least: 0, most: 10_080, at: |config| &mut config.later.udar.replan_max_frequency_minutes },
    )
    .later(),
    key(
        "planner_config.udar.fallback_to_legacy",
        "whether tickets are made in one step when several fail",
        Kind::Switch { at: |config| &mut config.later.udar.fallback_to_legacy },
    )
    .later(),
    key(
        "planner_config.udar.timeout_seconds",
        "longest time of a plan, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.later.udar.timeout_seconds },
    )
    .later(),
    key(
        "planner_config.udar.enable_cost_tracking",
        "whether the cost of plans is counted",
        Kind::Switch { at: |config| &mut config.later.udar.enable_cost_tracking },
    )
    .later(),
    key(
        "planner_config.udar.max_retries_on_error",
        "how often a plan is tried again",
        Kind::Count { least: 0, most: 20, at: |config| &mut config.later.udar.max_retries_on_error },
    )
    .later(),
    key("ui.mouse", "whether the mouse is the board's", Kind::Switch { at: |config| &mut config.ui.mouse }).user(),
    key(
        "ui.notify",
        "how you are told, when you look elsewhere, that a ticket needs you",
        Kind::Word { words: NOTIFY, at: |config| &mut config.ui.notify },
    )
    .user(),
    key(
        "ui.notify_command",
        "the program for `command`, which gets the message as its last argument",
        Kind::OptionalText { at: |config| &mut config.ui.notify_command },
    )
    .user(),
    key(
        "executor_profiles",
        "ways to run an agent, by the names under which tickets ask for them",
        Kind::Profiles { at: |config| &mut config.executor_profiles },
    ),
    key(
        "executors",
        "agents beside the built-in ones, by name, each a row as in `docs/agents.md`",
        Kind::Rows { at: |config| &mut config.executors },
    )
    .runs(),
    key(
        "team_config.enabled",
        "whether several agents work on one ticket",
        Kind::Switch { at: |config| &mut config.later.team_config.enabled },
    )
    .later(),
    key(
        "team_config.default_executor",
        "the agent of a member when nobody names one",
        Kind::Text { at: |config| &mut config.later.team_config.default_executor },
    )
    .later(),
    key(
        "team_config.orchestrator_timeout",
        "longest time of the agent that leads, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.later.team_config.orchestrator_timeout },
    )
    .later(),
    key(
        "team_config.worker_timeout",
        "longest time of a member, in seconds",
        Kind::Seconds { least: 1, most: WEEK, at: |config| &mut config.later.team_config.worker_timeout },
    )
    .later(),
    key(
        "team_config.message_check_interval",
        "time between two looks at the messages, in seconds",
        Kind::Seconds { least: 1, most: 3600, at: |config| &mut config.later.team_config.message_check_interval },
    )
    .later(),
    key(
        "team_config.max_team_size",
        "most members",
        Kind::Count { least: 1, most: 100, at: |config| &mut config.later.team_config.max_team_size },
    )
    .later(),
    key(
        "team_config.completion_strategy",
        "when the work of a team is over",
        Kind::Text { at: |config| &mut config.later.team_config.completion_strategy },
    )
    .later(),
    key("webhooks", "whom to tell what happens", Kind::Webhooks { at: |config| &mut config.later.webhooks })
        .later()
        .user(),
    old("project.repo_root", "has no effect: Draft takes the repository in which it is started, or that of `--repo`"),
    old("verify_config.on_success", "has no effect: a change that passes always waits for a person"),
    old(
        "verify_config.on_failure",
        "has no effect: a change that fails goes back to its agent or is blocked, as `verify_config.rework_attempts` says",
    ),
    old("verify_commands", "is an old name and has no effect; write `verify_config.commands`"),
    old("auto_transition_on_success", "has never had an effect; delete it"),
    old("use_yolo", "is an old name and has no effect; write `execute_config.yolo_mode` into your own file"),
    old("executor", "is an old name and has no effect; write `execute_config.preferred_executor`"),
    old("max_retries", "is an old name and has no effect; write `execute_config.retries`"),
    old(
        "execute_config.use_yolo",
        "is an old name and has no effect; write `execute_config.yolo_mode` into your own file",
    ),
    old("execute_config.executor", "is an old name and has no effect; write `execute_config.preferred_executor`"),
    old("execute_config.max_retries", "is an old name and has no effect; write `execute_config.retries`"),
    old("merge_config.strategy", "is an old name and has no effect; write `merge_config.default_strategy`"),
    old(
        "merge_config.auto_delete_branch",
        "is an old name and has no effect; write `merge_config.delete_branch_after_merge`",
    ),
    old("merge_config.require_approval", "has no effect: a change always needs an approval before it lands"),
    old("planner_config.enabled", "is an old name and has no effect; write `planner_config.features.auto_execute`"),
    old(
        "planner_config.reflection_enabled",
        "is an old name and has no effect; write `planner_config.features.generate_reflections`",
    ),
];

const fn key(path: &'static str, about: &'static str, kind: Kind<Config>) -> Key {
    Key::new(path, about, kind)
}

const fn at_gate(path: &'static str, about: &'static str, at: fn(&mut Config) -> &mut String) -> Key {
    key(path, about, Kind::Word { words: AT_A_GATE, at }).user()
}

const fn old(path: &'static str, note: &'static str) -> Key {
    Key::new(path, note, Kind::Old { note })
}

#[cfg(test)]
mod tests;
