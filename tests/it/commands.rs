//! The commands as scripts and people use them: what they print, as text and as JSON, and how they end.

mod agents;
mod archive;
mod autonomy;
mod bad_input;
mod boards;
mod checklist;
mod cleanup;
mod config;
mod conflicts;
mod demo;
mod doctor;
mod edits;
mod errors;
mod goals;
mod init;
mod jobs;
mod merge;
mod output;
mod places;
mod planner;
mod pull_requests;
mod remotes;
mod revert;
mod review;
mod runs;
mod tickets;
mod watch;

use serde_json::Value;

use crate::support::World;
use crate::support::running::Outcome;

const DRAFT: &str = env!("CARGO_BIN_EXE_draft");

/// Compares a text with its snapshot, with identities, times, commits and the world's folder as words.
#[track_caller]
fn assert_stable(world: &World, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.add_filter(&world.folder().to_str().unwrap().replace('.', r"\."), "[WORLD]");
    for (pattern, word) in [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[UUID]"),
        (r"worktrees/repo-[0-9a-f]{8}", "worktrees/repo-[BOARD]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[TIME]"),
        (r"\b[0-9a-f]{40}\b", "[OID]"),
        (r"\b[0-9a-f]{12}\b", "[SHORT]"),
        (r#"("(?:duration_ms|tokens|cost_usd)": )[0-9.]+"#, "$1[NUMBER]"),
        (r#"("bytes": )\d+"#, "$1[NUMBER]"),
        (r"\b\d[\d.]* k?B\b", "[SIZE]"),
        (r"in (\d+ms|\d+\.\ds)", "in [TIME]"),
        (r"used( +).* tokens · \S+", "used$1[TOKENS]"),
    ] {
        settings.add_filter(pattern, word);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// Returns what is promised of an error: its code, message and hint.
#[track_caller]
fn error_of(outcome: &Outcome) -> (String, String, String) {
    let value: Value = serde_json::from_slice(&outcome.stderr).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let fields = value["error"].as_object().unwrap();
    assert_eq!(fields.len(), 3, "{fields:?}");
    let text = |name: &str| fields[name].as_str().unwrap().to_owned();
    (text("code"), text("message"), text("hint"))
}

/// Files a ticket that is planned, with a script for the demo agent.
#[track_caller]
fn planned(world: &World, title: &str, script: &str) {
    world.draft(&["ticket", "add", title, "--description", script, "--state", "planned"]).ok();
}
