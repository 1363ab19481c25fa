//! What the screen says about the surroundings: agents found, checks configured, trust.

use crate::config;
use crate::domain::rule::Trust;
use crate::engine::Workshop;
use crate::executor::table::locate;
use crate::ui::{Role, Settings};

/// Looks at the surroundings as they are now; it blocks. With a configuration that is wrong it says so in place of checks.
pub(super) fn look(workshop: &Workshop, role: Role) -> Settings {
    let found = |executor: &&crate::executor::table::Executor| {
        locate(executor, &workshop.path_env, &workshop.draft_program).is_some()
    };
    let agents = workshop.table.iter().filter(found).map(|executor| executor.name.clone()).collect();
    match workshop.settings() {
        Ok(loaded) => Settings {
            agents,
            checks: loaded.config.verify_config.commands.clone(),
            trusted: workshop.trust_of(&loaded).is_ok_and(|trust| trust == Trust::Given),
            would_run: config::trust::describe(&loaded),
            max_parallel: workshop.slots_of(Some(&loaded)),
            role,
        },
        Err(error) => Settings {
            agents,
            checks: Vec::new(),
            trusted: false,
            would_run: vec![format!("{} cannot be used: {error}", config::FILE_NAME)],
            max_parallel: workshop.slots_of(None),
            role,
        },
    }
}
