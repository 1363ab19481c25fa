//! A world whose tickets the demo agent works on, told by the ticket's own words what to do.

use super::world::World;

/// The check that every world of this kind has: the agent must have left `hello.txt`.
pub(crate) const CHECK: &str = "test -f hello.txt";

/// Makes a world with the demo agent, one check and room for four jobs, not trusted yet.
pub(crate) fn demo_world() -> World {
    demo_world_with(&[CHECK])
}

/// Makes the same with these checks; their programs are allowed.
pub(crate) fn demo_world_with(checks: &[&str]) -> World {
    let world = World::new();
    let commands: String = checks.iter().map(|check| format!("\n    - '{check}'")).collect();
    let settings = format!(
        "execute_config:\n  preferred_executor: demo\n  max_parallel_jobs: 4\n  stop_grace: 1\n\
         verify_config:\n  commands:{commands}\n  extra_allowed_commands: [test, sh, cat, sleep]\n"
    );
    world.write("draft.yaml", settings);
    world.commit("settings of Draft");
    world
}
