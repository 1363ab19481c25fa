//! What a repository's file would make run, in a form that can be remembered as trusted and shown to people.

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::{Leaf, Runs, Used};
use super::{CommandSpec, Config, Loaded, Origin, leaves};

/// Returns everything in the repository's file that can cause something to run, as canonical JSON; nothing when there
/// is none. Equal texts mean equal consequences: order of keys, comments and layout do not matter, order of commands does.
pub fn trust_content(loaded: &Loaded) -> Option<String> {
    let content: BTreeMap<String, Value> = running(loaded).map(|leaf| (leaf.path, leaf.value)).collect();
    // A map of JSON values can always be written.
    if content.is_empty() { None } else { serde_json::to_string(&content).ok() }
}

/// Returns what the repository's file would make run, a line each, for people; empty when there is nothing to trust.
pub fn describe(loaded: &Loaded) -> Vec<String> {
    let mut lines = Vec::new();
    for Leaf { path, value, .. } in running(loaded) {
        let entries = match value {
            Value::Array(entries) => entries,
            single @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                vec![single]
            }
        };
        for entry in entries {
            lines.push(format!("{path}: {}", line(&entry)));
        }
    }
    lines
}

/// Returns an entry as people read it: a text is itself, and what a shell runs says so.
fn line(entry: &Value) -> String {
    let run = entry.get("run").and_then(Value::as_str);
    match (entry, run) {
        (Value::String(text), _) => text.clone(),
        (_, Some(run)) => {
            let shell = entry.get("shell") == Some(&Value::Bool(true));
            CommandSpec { run: run.to_owned(), shell, timeout: None }.to_string()
        }
        _ => entry.to_string(),
    }
}

/// The values that need trust and that the repository sets to something.
fn running(loaded: &Loaded) -> impl Iterator<Item = Leaf> {
    let set = leaves(&loaded.config).into_iter().filter(|leaf| loaded.origin(&leaf.path) == Origin::Repo);
    let running = set.filter(|leaf| leaf.runs == Runs::Something && leaf.used == Used::Now);
    let built_in = leaves(&Config::default());
    // Nothing is harmless where the built-in value is nothing too: a rail that is taken away is not.
    running.filter(move |leaf| {
        let has_rail = built_in.iter().any(|one| one.path == leaf.path && !is_nothing(&one.value));
        has_rail || !is_nothing(&leaf.value)
    })
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(on) => !on,
        Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, Sources, load};
    use super::*;

    fn from(user: &str, repo: &str) -> Loaded {
        let file = |text: &str| Some(SourceFile { path: "draft.yaml".into(), bytes: text.into() });
        load(&Sources { user: file(user), repo: file(repo), ..Sources::default() }).unwrap()
    }

    #[test]
    fn a_rail_that_a_repository_moves_or_takes_away_needs_trust() {
        for text in [
            "autonomy_config: {require_verification_pass: false}",
            "autonomy_config: {sensitive_file_patterns: []}",
            "autonomy_config: {max_diff_lines: 100000}",
        ] {
            assert!(trust_content(&from("", text)).is_some(), "{text}");
            assert_eq!(trust_content(&from(text, "")), None, "{text}");
        }
    }

    #[test]
    fn nothing_that_runs_needs_no_trust() {
        for repo in ["", "execute_config: {timeout: 5}", "verify_config: {commands: [], timeout: 3}"] {
            assert_eq!(trust_content(&from("", repo)), None);
            assert!(describe(&from("", repo)).is_empty());
        }
        let users = from("verify_config: {commands: [cargo test]}", "execute_config: {timeout: 5}");
        assert_eq!(trust_content(&users), None, "the user's own commands are the user's");
    }

    #[test]
    fn layout_does_not_matter_and_every_command_does() {
        let one = from("", "verify_config: {commands: [sh a.sh, make], extra_allowed_commands: [sh]}");
        let same = from(
            "",
            "# c\nverify_config:\n  extra_allowed_commands: ['sh']\n  timeout: 7\n  commands:\n  - sh a.sh\n  - \"make\"",
        );
        assert_eq!(trust_content(&one), trust_content(&same));
        let expected = r#"{"verify_config.commands":["sh a.sh","make"],"verify_config.extra_allowed_commands":["sh"]}"#;
        assert_eq!(trust_content(&one).as_deref(), Some(expected));
        let turned = from("", "verify_config: {commands: [make, sh a.sh], extra_allowed_commands: [sh]}");
        assert_ne!(trust_content(&one), trust_content(&turned));
    }

    #[test]
    fn people_see_a_line_for_each_command() {
        let loaded = from("", "verify_config: {commands: [make, 'make \"x\"'], extra_allowed_commands: [sh]}");
        assert_eq!(
            describe(&loaded),
            [
                "verify_config.commands: make",
                "verify_config.commands: make \"x\"",
                "verify_config.extra_allowed_commands: sh"
            ]
        );
    }
}
