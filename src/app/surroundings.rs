//! What the screen says about the surroundings: agents found, checks configured, trust.

use crate::config::allow::check;
use crate::config::in_force::InForce;
use crate::config::{self, UiConfig, VerifyConfig};
use crate::domain::autopilot::Autopilot;
use crate::domain::rule::Trust;
use crate::engine::Workshop;
use crate::executor::row::Executor;
use crate::git::Repo;
use crate::git::host::{self, HostError};
use crate::ui::{Role, Settings};

/// Looks at the surroundings as they are now; it blocks. With a configuration that is wrong it says so in place of checks.
pub(super) fn look(workshop: &Workshop, role: Role) -> Settings {
    let table = workshop.known_agents();
    let agents: Vec<&Executor> = table.installed(&workshop.path_env, &workshop.draft_program).collect();
    let same = table.iter().filter(|executor| executor.is_held_by_nothing());
    let indifferent = same.map(|executor| executor.name.clone()).collect();
    let is_there = |one: &&Executor| agents.iter().any(|agent| agent.name == one.name);
    let missing = table.iter().filter(|one| !is_there(one));
    let missing = missing.flat_map(|one| one.aliases.iter().chain([&one.name])).cloned().collect();
    let takeovers = agents.iter().filter(|executor| !executor.takeover.is_empty());
    let takeovers = takeovers.map(|executor| executor.name.clone()).collect();
    let agents = agents.into_iter().map(|executor| executor.name.clone()).collect();
    let InForce { settings, problem } = workshop.in_force();
    let problem = problem.map(|problem| problem.to_string());
    match settings {
        Some(loaded) => Settings {
            agents,
            checks: loaded.config.verify_config.commands.iter().map(ToString::to_string).collect(),
            trusted: workshop.trust_of(&loaded).is_ok_and(|trust| trust == Trust::Given),
            would_run: config::trust::describe(&loaded),
            content: config::trust::trust_content(&loaded),
            problem,
            warning: not_allowed(&loaded.config.verify_config),
            ui: loaded.config.ui.clone(),
            max_parallel: workshop.slots_of(Some(&loaded)),
            role,
            autopilot: if loaded.config.planner_config.auto_execute { Autopilot::On } else { Autopilot::Off },
            takeovers,
            leave_open: workshop.is_leave_open(&loaded),
            require_checklist: loaded.config.merge_config.require_checklist,
            remote: loaded.config.git_host_config.remote.clone(),
            no_remote: no_remote(&workshop.repo, &loaded.config.git_host_config.remote),
            preferred: loaded.config.execute_config.preferred_executor.clone(),
            missing,
            indifferent,
        },
        None => Settings {
            agents,
            checks: Vec::new(),
            trusted: false,
            would_run: Vec::new(),
            content: None,
            problem,
            warning: None,
            ui: UiConfig::default(),
            max_parallel: workshop.slots_of(None),
            role,
            autopilot: Autopilot::Off,
            takeovers,
            leave_open: false,
            require_checklist: false,
            remote: String::new(),
            no_remote: None,
            preferred: String::new(),
            missing,
            indifferent,
        },
    }
}

/// Says that a repository has no such remote, as the commands would.
fn no_remote(repo: &Repo, remote: &str) -> Option<String> {
    (!host::has_remote(repo, remote)).then(|| format!("{}.", HostError::NoRemote(remote.to_owned())))
}

/// Says which check could not run, so that nobody learns it only after an agent has done its work.
fn not_allowed(checks: &VerifyConfig) -> Option<String> {
    let extra = &checks.extra_allowed_commands;
    checks.commands.iter().find_map(|command| check(command, extra).err()).map(|error| error.to_string())
}
