//! `draft config`: what is wrong, what is in force, and one value changed in a file of which all else stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{assert_stable, error_of, planned};
use crate::support::{World, demo_world, demo_world_with};

/// Returns the user's own file.
fn own(world: &World) -> PathBuf {
    world.folder().join("config/draft/config.yaml")
}

fn write_own(world: &World, text: &str) {
    let file = own(world);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Returns the value and the origin of a setting.
#[track_caller]
fn shown(world: &World, key: &str) -> (Value, String) {
    let settings = world.draft(&["config", "show", key, "--json"]).ok().json();
    let setting = &settings["settings"][0];
    assert_eq!(setting["key"], key);
    (setting["value"].clone(), setting["origin"].as_str().unwrap().to_owned())
}

#[test]
fn a_check_says_all_that_is_wrong_in_all_files_and_makes_nothing() {
    let world = World::new();
    write_own(&world, "execute_config: {timeout: soon}\n");
    world.write("draft.yaml", "verify_config:\n  comands: [make]\nmerge_config: {strategy: squash}\n");
    let told = world.draft(&["config", "check"]).exits(2);
    assert_stable(&world, "config_check", &told.text());
    let json = world.draft(&["config", "check", "--json"]).exits(2).json();
    assert_eq!(json["ok"], false);
    let second = &json["errors"][1];
    assert_eq!((second["line"].as_u64(), second["column"].as_u64()), (Some(2), Some(3)));
    assert!(!world.data().join("draft.db").exists(), "a question makes no board");
    write_own(&world, "");
    world.write("draft.yaml", "merge_config: {strategy: squash, push_after_merge: true}\n");
    let told = world.draft(&["config", "check"]).ok();
    assert_stable(&world, "config_check_warnings", &told.text());
}

#[test]
fn what_is_in_force_is_shown_with_where_it_comes_from() {
    let world = World::new();
    write_own(
        &world,
        "execute_config: {timeout: 60, retries: 3}\nwebhooks: [{url: 'https://a', secret: hidden}]\n\
         executor_profiles: {fast: {env: {X_TOKEN: hidden}}}\n",
    );
    world.write("draft.yaml", "execute_config: {timeout: 30}\nexecutor_profiles: {fast: {model: small}}\n");
    world.draft(&["config", "set", "--on-board", "execute_config.stop_grace", "9"]).ok();
    assert_stable(&world, "config_show", &world.draft(&["config", "show", "--changed"]).ok().text());
    assert_eq!(shown(&world, "execute_config.timeout"), (json!(30), "repository".into()));
    assert_eq!(shown(&world, "execute_config.stop_grace"), (json!(9), "board".into()));
    assert_eq!(shown(&world, "workspace_config.ports"), (json!(10), "built-in".into()));
    let all = world.draft(&["config", "show", "--json"]).ok().text();
    assert!(!all.contains("hidden"));
    let (code, message, _) = error_of(&world.draft(&["config", "show", "execute_config.timout", "--json"]).exits(2));
    assert!(code == "bad_value" && message.contains("did you mean `execute_config.timeout`"), "{message}");
}

#[test]
fn a_value_is_set_and_deleted_and_everything_else_stays_as_it_was() {
    let world = World::new();
    let text = "# ours\nexecute_config:\n  timeout: 60 # a minute\n\n# end\n";
    world.write("draft.yaml", text);
    world.draft(&["config", "set", "execute_config.timeout", "90"]).ok();
    assert_eq!(world.read("draft.yaml"), text.replace("60", "90"));
    world.draft(&["config", "set", "execute_config.executor_model", "4.5"]).ok();
    world.draft(&["config", "set", "verify_config.commands", "cargo test", "{run: 'a | b', shell: true}"]).ok();
    assert_eq!(
        world.read("draft.yaml"),
        "# ours\nexecute_config:\n  timeout: 90 # a minute\n  executor_model: \"4.5\"\nverify_config:\n  commands: [cargo \
         test, {run: \"a | b\", shell: true}]\n\n# end\n"
    );
    world.draft(&["config", "unset", "verify_config"]).ok();
    world.draft(&["config", "unset", "execute_config.executor_model"]).ok();
    assert_eq!(world.read("draft.yaml"), text.replace("60", "90"));
    world.draft(&["config", "unset", "execute_config.retries"]).ok();
    assert_eq!(world.read("draft.yaml"), text.replace("60", "90"));
}

#[test]
fn what_would_be_wrong_is_refused_and_changes_nothing() {
    let world = World::new();
    world.write("draft.yaml", "execute_config: {timeout: 60}\n");
    for (args, says) in [
        (&["execute_config.timeout", "0"][..], "from 1 to 604800"),
        (&["execute_config.timeuot", "5"], "did you mean"),
        (&["execute_config.yolo_mode", "true"], "yours to decide"),
        (&["executor_profiles.fast.env.LD_PRELOAD", "x.so"], "set it in your own file"),
        (&["verify_commands", "x"], "verify_config.commands"),
    ] {
        let refused = world.draft(&[&["config", "set", "--json"], args].concat()).exits(2);
        let (_, message, _) = error_of(&refused);
        assert!(message.contains(says), "{args:?}: {message}");
        assert_eq!(world.read("draft.yaml"), "execute_config: {timeout: 60}\n");
    }
    world.draft(&["config", "set", "execute_config.yolo_mode", "true", "--user"]).ok();
    assert_eq!(fs::read_to_string(own(&world)).unwrap(), "execute_config:\n  yolo_mode: true\n");
}

#[test]
fn a_repository_without_a_commit_has_settings_too_and_other_folders_have_your_own() {
    let world = World::bare();
    world.draft(&["config", "set", "execute_config.retries", "1"]).exits(2);
    world.draft(&["config", "set", "execute_config.retries", "1", "--user"]).ok();
    world.git(&["init", "--quiet"]);
    world.draft(&["config", "set", "verify_config.commands", "make", "--", "-x"]).ok();
    assert_eq!(world.read("draft.yaml"), "verify_config:\n  commands: [make, \"-x\"]\n");
    assert_eq!(shown(&world, "execute_config.retries"), (json!(1), "user".into()));
}

#[test]
fn a_file_that_is_a_link_stays_one_and_keeps_its_permissions() {
    let world = World::new();
    let target = world.folder().join("dotfiles.yaml");
    fs::write(&target, "execute_config: {retries: 1}\n").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(own(&world).parent().unwrap()).unwrap();
    symlink(&target, own(&world)).unwrap();
    world.draft(&["config", "set", "--user", "execute_config.retries", "2"]).ok();
    assert!(own(&world).symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "execute_config: {retries: 2}\n");
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn who_sets_a_command_trusts_it_unless_what_was_there_is_not_trusted() {
    let world = World::new();
    let trusted = |world: &World| world.draft(&["trust", "--show", "--json"]).ok().json()["trusted"].clone();
    world.draft(&["config", "set", "verify_config.commands", "make"]).ok();
    assert_eq!(trusted(&world), true);
    world.write("draft.yaml", "verify_config: {commands: [make evil]}\n");
    world.draft(&["config", "set", "workspace_config.setup", "make deps"]).ok();
    assert_eq!(trusted(&world), false, "what somebody else wrote is still to be looked at");
}

#[test]
fn a_check_with_a_shell_runs_as_it_is_written_and_the_trust_shows_it() {
    let world = demo_world_with(&["true"]);
    let text = world.read("draft.yaml").replace(
        "    - 'true'",
        "    - {run: 'cat hello.txt | grep h && test -n \"$DRAFT_BRANCH\"', shell: true, timeout: 20}",
    );
    world.write("draft.yaml", text);
    let shown = world.draft(&["trust", "--show"]).ok().text();
    assert!(
        shown.contains(r#"verify_config.commands: sh -c 'cat hello.txt | grep h && test -n "$DRAFT_BRANCH"'"#),
        "{shown}"
    );
    planned(&world, "Say hello", "[[write hello.txt hi\\n]]");
    world.draft(&["run", "--trust"]).ok();
    let ticket = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!(ticket["state"], "needs_human", "{ticket}");
    let evidence = ticket["evidence"].as_array().unwrap();
    let ran =
        |one: &Value| one["command"].as_str().unwrap().starts_with("sh -c 'cat hello.txt") && one["exit_code"] == 0;
    assert!(evidence.iter().any(ran), "{evidence:?}");
}

#[test]
fn nothing_of_a_repository_runs_before_it_is_trusted() {
    let world = demo_world();
    let settings = world.read("draft.yaml");
    for more in [
        "executor_profiles: {demo: {env: {RUST_LOG: debug}}}\n",
        "executors: {demo2: {program: touch}}\n",
        "planner_config: {features: {auto_execute: true}}\n",
        "workspace_config: {setup: [touch ../ran]}\n",
    ] {
        world.write("draft.yaml", &settings);
        world.draft(&["trust"]).ok();
        world.write("draft.yaml", format!("{settings}{more}"));
        let trust = world.draft(&["trust", "--show", "--json"]).ok().json();
        assert_eq!(trust["trusted"], false, "{more}");
        assert_eq!(trust["would_run"].as_array().unwrap().len(), 6, "{trust}");
    }
    planned(&world, "Say hello", "[[write hello.txt hi\\n]]");
    world.draft(&["run"]).exits(2);
    assert!(!world.folder().join("ran").exists());
}

#[test]
fn the_schema_and_the_document_are_printed() {
    let world = World::bare();
    let schema = world.draft(&["config", "schema"]).ok().json();
    assert_eq!(schema["properties"]["execute_config"]["properties"]["timeout"]["default"], 600);
    let printed = world.draft(&["config", "reference"]).ok().text();
    assert_eq!(printed, include_str!("../../../docs/configuration.md"));
}

#[test]
fn a_check_reads_the_keys_too_and_a_board_is_named_from_anywhere() {
    let world = demo_world();
    world.draft(&["ticket", "list"]).ok();
    let keys = own(&world).with_file_name("keys.yaml");
    write_own(&world, "");
    fs::write(&keys, "board:\n  rum: [r]\n").unwrap();
    let told = world.draft(&["config", "check", "--json"]).exits(2).json();
    let error = &told["errors"][0];
    assert_eq!((error["file"].as_str(), &error["line"]), (keys.to_str(), &2.into()), "{told:#}");
    fs::write(&keys, "board:\n  run: [r]\n").unwrap();
    assert!(world.draft(&["config", "check"]).ok().text().contains("keys.yaml: no mistakes"));

    let settings = world.run(
        "env",
        &["-C", "/", super::DRAFT, "config", "show", "execute_config.preferred_executor", "--board", "repo"],
    );
    assert!(settings.ok().text().contains("demo"));
    let checks = world.run("env", &["-C", "/", super::DRAFT, "doctor", "--board", "repo"]);
    assert!(checks.text().contains("tickets start from main"), "{}", checks.text());
}
