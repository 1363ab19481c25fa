//! `draft agents read`: how an agent's output is read, from a file or from standard input, and what would come of it.

use std::fs;

use serde_json::json;

use super::{DRAFT, error_of};
use crate::support::World;

const STREAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/streams/claude-2.1.330.jsonl");

#[test]
fn an_output_is_read_entry_by_entry_and_judged() {
    // Not even a repository is needed.
    let world = World::bare();
    let lines = world.draft(&["agents", "read", "claude", STREAM, "--json"]).ok().json_lines();
    let (last, entries) = lines.split_last().unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], *kinds.last().unwrap()), ("session", "end"), "{kinds:?}");
    let command = entries.iter().find(|entry| entry["kind"] == "command").unwrap();
    assert_eq!((&command["text"], &command["exit_code"]), (&json!("git status --short"), &json!(0)));
    let edit = entries.iter().find(|entry| entry["kind"] == "edit").unwrap();
    assert_eq!(edit["path"], "AGENT_NOTE.md", "shown against the agent's own folder");
    assert!(entries.iter().any(|entry| entry["kind"] == "usage" && entry["tokens"].as_u64() > Some(0)));
    assert!(entries.iter().all(|entry| entry["report"].is_null()));
    assert_eq!(last["kind"], "system");
    assert_eq!((&last["report"]["ok"], &last["report"]["promises_end"]), (&json!(true), &json!(true)));
    assert_eq!(last["report"]["with_change"], "the change is kept and checked");

    let text = world.draft(&["agents", "read", "claude", STREAM]).ok().text();
    assert!(text.contains("\ncommand     git status --short [exit 0]\n"), "{text}");
    assert!(text.contains("\nverdict     it says that it finished\n"), "{text}");
}

#[test]
fn what_comes_through_a_pipe_is_shown_at_once_and_what_was_cut_is_no_success() {
    let world = World::bare();
    let text = fs::read_to_string(STREAM).unwrap();
    world.write("cut.jsonl", text.lines().take(3).collect::<Vec<_>>().join("\n"));
    let script = format!("cat cut.jsonl | '{DRAFT}' agents read claude -");
    let shown = world.run("bash", &["-c", &script]).ok().text();
    assert!(shown.starts_with("session "), "{shown}");
    assert!(shown.contains("the agent's output stops before its final event"), "{shown}");

    // The writer waits until it was heard.
    let script = format!(
        "touch shown; (echo first; until grep -q first shown; do :; done; echo second) | \
         '{DRAFT}' agents read text >>shown; cat shown"
    );
    let shown = world.run("bash", &["-c", &script]).ok().text();
    assert!(shown.starts_with("first\nsecond\n"), "{shown}");
}

#[test]
fn standard_error_and_the_exit_code_are_judged_too() {
    let world = World::bare();
    world.write("out", "");
    world.write("err", "warning: old\n\u{1b}[31merror: no such model\u{1b}[0m\n");
    let args = ["agents", "read", "text", "out", "--stderr", "err", "--exit-code", "1"];
    let shown = world.draft(&args).ok().text();
    assert!(shown.contains("error: no such model") && !shown.contains('\u{1b}'), "{shown}");
    let judged = world.draft(&[&args[..], &["--json"]].concat()).ok().json_lines();
    let report = &judged.last().unwrap()["report"];
    assert_eq!(report["exit_code"], 1);
    assert_eq!(report["with_change"], report["without_change"], "a failed agent's change is not kept");
}

#[test]
fn an_unknown_agent_and_a_missing_file_are_told() {
    let world = World::bare();
    let (code, message, hint) = error_of(&world.draft(&["agents", "read", "claud", "--json"]).exits(2));
    assert_eq!(code, "unknown_agent");
    assert!(message.contains("did you mean `claude`?") && hint.contains("text"), "{message} {hint}");
    for path in ["missing", "."] {
        let (code, message, _) = error_of(&world.draft(&["agents", "read", "claude", path, "--json"]).exits(2));
        assert!(code == "io" && message.starts_with(&format!("could not read {path}: ")), "{message}");
    }
    assert!(!world.data().join("draft.db").exists(), "nothing is kept of it");
}
