//! Agents and profiles of one's own, and the choice of an agent: what really runs, and what is refused with the reason.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::Yard;

/// An agent that leaves what it was given: its arguments, a variable and the prompt.
const LEAVES_ALL: &str = r#"printf '%s ' "$@" > args; printf '%s' "$COLOUR" > colour; cat > told.md; echo done"#;

const MINE: &str = "executors:\n  mine:\n    program: my-agent\n    prompt: stdin\n    start: [go, '{approve}', '{model}', '{extra}']\n    \
                    approve: {everything: [--all], edits: [--some]}\n    model: ['--model={model}']\n    set: {COLOUR: red}\n";

fn settings(yard: &Yard, text: &str) {
    let file = yard.world.folder().join("config/draft/config.yaml");
    let common = "execute_config: {preferred_executor: mine, executor_model: common, stop_grace: 1, retries: 0}\n";
    fs::write(file, format!("{common}{text}")).unwrap();
}

fn left(yard: &Yard, ticket: usize, file: &str) -> String {
    fs::read_to_string(yard.show(ticket).worktree().join(file)).unwrap()
}

#[test]
fn an_agent_of_ones_own_and_a_profile_of_it_run_as_they_say() {
    let yard = Yard::new();
    yard.world.install("my-agent", LEAVES_ALL);
    let profiles = "executor_profiles:\n  quick: {executor_type: mine, model: small, extra_flags: [--fast], env: {COLOUR: blue}}\n";
    settings(&yard, &format!("{MINE}{profiles}"));
    let ticket = |title: &str, agent: Option<&str>| json!({ "title": title, "state": "planned", "agent": agent });
    yard.import(&[
        ticket("One", None),
        ticket("Two", Some("quick")),
        ticket("Three", None),
        ticket("Four", Some("quick")),
    ]);
    yard.run(&["1", "2"]).ok();
    yard.run(&["3", "--profile", "quick", "--model", "huge"]).ok();
    yard.run(&["4", "--agent", "mine"]).ok();
    for (n, args, colour) in [
        (1, "go --some --model=common ", "red"),
        (2, "go --some --model=small --fast ", "blue"),
        (3, "go --some --model=huge --fast ", "blue"),
        (4, "go --some --model=common ", "red"),
    ] {
        assert_eq!((left(&yard, n, "args").as_str(), left(&yard, n, "colour").as_str()), (args, colour), "ticket {n}");
        yard.show(n).assert("needs_human (review)", "");
    }
    assert!(left(&yard, 1, "told.md").starts_with("# Task: One\n"));
    let shown = yard.show(3);
    assert_eq!(
        (&shown.jobs("execute")[0]["agent"], &shown.jobs("execute")[0]["model"]),
        (&json!("quick"), &json!("huge"))
    );
    let refused = String::from_utf8_lossy(&yard.run(&["1", "--agent", "quik"]).exits(2).stderr).into_owned();
    assert!(refused.contains("no agent is called `quik`, did you mean `quick`?"), "{refused}");
    yard.world.assert_nothing_left();
}

#[test]
fn a_profile_has_a_time_of_its_own() {
    let yard = Yard::new();
    yard.world.install("my-agent", "exec sleep 600");
    settings(&yard, &format!("{MINE}executor_profiles:\n  brief: {{executor_type: mine, timeout: 1}}\n"));
    yard.tickets(&["x"]);
    yard.run(&["--profile", "brief"]).exits(1);
    yard.show(1).assert("blocked (failed)", "ran out of time");
    yard.world.assert_nothing_left();
}

#[test]
fn a_missing_agent_is_told_with_what_could_be_chosen_and_nothing_takes_its_place() {
    let yard = Yard::new();
    yard.world.install("codex", LEAVES_ALL);
    settings(&yard, "");
    let file = yard.world.folder().join("config/draft/config.yaml");
    fs::write(file, "execute_config: {preferred_executor: claude}\n").unwrap();
    yard.tickets(&["x"]);
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("blocked (failed)", "Claude Code is not installed: there is no `claude` on PATH.");
    shown.assert("blocked (failed)", "npm install -g @anthropic-ai/claude-code");
    shown.assert("blocked (failed)", "Or choose one that is installed: codex.");
}

#[test]
fn an_agent_that_cannot_be_held_to_edits_starts_only_where_everything_is_allowed() {
    let yard = Yard::new();
    yard.world.install("crush", LEAVES_ALL);
    settings(&yard, "");
    yard.tickets(&["x"]);
    yard.run(&["--agent", "crush"]).exits(1);
    let shown = yard.show(1);
    shown.assert("needs_human (refused)", "Crush cannot be held to editing files");
    assert!(shown.runs("execute").is_empty(), "it was not started: {:#}", shown.value);
    let allowed = format!("yolo_mode: true, yolo_allowlist: ['{}']", yard.world.repo().display());
    let file = yard.world.folder().join("config/draft/config.yaml");
    fs::write(file, format!("execute_config: {{preferred_executor: crush, {allowed}}}\n")).unwrap();
    yard.run(&["1"]).ok();
    assert_eq!(left(&yard, 1, "args"), "run --quiet ");
}

#[test]
fn an_agent_that_a_repository_brings_needs_trust_and_again_when_it_changes() {
    let yard = Yard::new();
    yard.world.install("my-agent", LEAVES_ALL);
    yard.world.install("other-agent", "touch \"$HOME/started\"; echo 1.0");
    let repo = |program: &str| {
        let row = MINE.replace("my-agent", program).replace("start:", "version: [--version]\n    start:");
        yard.world.write("draft.yaml", format!("execute_config: {{preferred_executor: mine}}\n{row}"));
        yard.world.commit("an agent");
    };
    fs::remove_file(yard.world.folder().join("config/draft/config.yaml")).unwrap();
    repo("other-agent");
    yard.tickets(&["x"]);
    yard.run(&[]).exits(2);
    let agents = yard.world.draft(&["agents", "--json"]).ok().json();
    let agents = agents["agents"].as_array().unwrap();
    let mine = agents.iter().find(|agent| agent["name"] == "mine").unwrap();
    assert_eq!(
        (&mine["source"], &mine["version"], &mine["installed"]),
        (&json!("repository"), &json!(null), &json!(true))
    );
    assert!(!yard.world.home().join("started").exists(), "it was started without trust");
    repo("my-agent");
    yard.world.draft(&["trust"]).ok();
    yard.run(&[]).ok();
    assert_eq!(left(&yard, 1, "args"), "go --some ");
}

#[test]
fn versions_are_asked_once_until_another_program_stands_there() {
    let yard = Yard::new();
    let bin = yard.world.folder().join("bin");
    let version =
        |n: u32| yard.world.install(&format!("claude-{n}"), &format!("echo x >> \"$HOME/asked\"; echo {n}.0"));
    version(1);
    version(2);
    let asked = || fs::read_to_string(yard.world.home().join("asked")).unwrap_or_default().lines().count();
    let said = || {
        let agents = yard.world.draft(&["agents", "--json"]).ok().json();
        let claude =
            agents["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == "claude").unwrap().clone();
        (claude["version"].as_str().map(str::to_owned), claude["logged_in"].clone(), claude["preferred"].clone())
    };
    symlink(bin.join("claude-1"), bin.join("claude")).unwrap();
    // It is asked for its version and whether somebody is signed in; the second time only for the latter.
    assert_eq!((said(), asked()), ((Some("1.0".into()), json!(true), json!(false)), 2));
    assert_eq!((said(), asked()), ((Some("1.0".into()), json!(true), json!(false)), 3));
    fs::remove_file(bin.join("claude")).unwrap();
    symlink(bin.join("claude-2"), bin.join("claude")).unwrap();
    assert_eq!((said().0, asked()), (Some("2.0".into()), 5));
}
