//! `draft init`: what it writes for a repository, that it never overwrites, and that what it wrote is trusted as it is.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{error_of, planned};
use crate::support::World;

/// Makes a repository that `make` tests, on a machine with `make` and Codex.
fn made() -> World {
    let world = World::new();
    world.install("make", "test -f hello.txt");
    world.install("codex", "echo codex 1");
    world.write("Makefile", "test:\n\ttest -f hello.txt\n");
    world.write(".gitignore", ".env\n");
    world.write(".env", "SECRET=1\n");
    world.commit("a makefile");
    world
}

#[test]
fn what_is_written_is_right_trusted_and_runs_at_once() {
    let world = made();
    let told = world.draft(&["init", "--json"]).ok().json();
    assert_eq!((told["written"].as_bool(), told["agent"].as_str()), (Some(true), Some("codex")));
    assert_eq!((told["checks"][0]["command"].as_str(), told["copy"][0].as_str()), (Some("make test"), Some(".env")));
    let text = world.read("draft.yaml");
    assert_eq!(told["content"], *text);
    assert!(!text.contains("SECRET"), "{text}");
    let mode = world.repo().join("draft.yaml").metadata().unwrap().permissions().mode();
    assert_ne!(mode & 0o044, 0, "a file to commit is to be read like the others: {mode:o}");
    assert_eq!(world.draft(&["config", "check", "--json"]).ok().json()["ok"], true);
    assert!(world.draft(&["trust", "--show"]).ok().text().ends_with("This is trusted.\n"));
    world.commit("settings");
    world
        .draft(&[
            "ticket",
            "add",
            "Say hello",
            "--description",
            "[[write hello.txt hi]]",
            "--state",
            "planned",
            "--agent",
            "demo",
        ])
        .ok();
    world.draft(&["run"]).ok();
    let ticket = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!(ticket["state"], "needs_human", "{ticket:#}");
    // What somebody changes is asked about.
    world.write("draft.yaml", text.replace("- make test", "- make test again"));
    assert!(world.draft(&["trust", "--show"]).ok().text().ends_with("This is not trusted.\n"));
    world.assert_nothing_left();
}

#[test]
fn what_is_there_is_never_overwritten_and_a_link_is_not_followed() {
    let world = made();
    world.write("draft.yaml", "# mine\n");
    let (code, message, hint) = error_of(&world.draft(&["init", "--json"]).exits(2));
    assert_eq!(code, "exists");
    assert!(message.contains("draft.yaml is there already") && hint.contains("--print"), "{message} {hint}");
    assert_eq!(world.read("draft.yaml"), "# mine\n");
    assert!(world.draft(&["init", "--print"]).ok().text().contains("    - make test\n"));
    std::fs::remove_file(world.repo().join("draft.yaml")).unwrap();
    let outside = world.home().join("elsewhere");
    symlink(&outside, world.repo().join("draft.yaml")).unwrap();
    world.draft(&["init"]).exits(2);
    assert!(!outside.exists());
    assert!(!world.data().join("draft.db").exists(), "a refusal makes no board");
}

#[test]
fn printing_writes_nothing_and_runs_nothing_of_the_repository() {
    let world = World::new();
    for program in ["npm", "uv", "python"] {
        world.install(program, "touch \"$HOME/ran\"");
    }
    world.write("package.json", r#"{"scripts": {"test": "touch ran"}, "dependencies": {"x": "1"}}"#);
    world.write("pyproject.toml", "[tool.pytest]\n");
    world.write("uv.lock", "");
    world.write("gradlew", "#!/bin/sh\ntouch ran\n");
    world.commit("much");
    let text = world.draft(&["init", "--print"]).ok().text();
    for line in
        ["    - npm test\n", "    - uv run python -m pytest\n", "  extra_allowed_commands:\n", "  #   - npm install\n"]
    {
        let line = line.replace("  #   -", "    # -");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.contains("    # `./gradlew` cannot be executed here.\n    # - ./gradlew test\n"), "{text}");
    assert!(text.contains("No coding agent is installed here."), "{text}");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert!(!world.home().join("ran").exists() && !world.data().join("draft.db").exists());
}

#[test]
fn the_users_own_settings_are_looked_at_first() {
    let world = made();
    let own = world.folder().join("config/draft/config.yaml");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "execute_config: {preferred_executor: demo}\n").unwrap();
    world.draft(&["init"]).ok();
    assert!(world.read("draft.yaml").contains("# preferred_executor: demo\n"));
    planned(&world, "Say hello", "[[write hello.txt hi]]");
    world.draft(&["run"]).ok();
    let other = made();
    std::fs::create_dir_all(other.folder().join("config/draft")).unwrap();
    std::fs::write(other.folder().join("config/draft/config.yaml"), "execute_config: {timeout: soon}\n").unwrap();
    assert_eq!(error_of(&other.draft(&["init", "--json"]).exits(2)).0, "bad_configuration");
    assert!(!other.repo().join("draft.yaml").exists());
}
