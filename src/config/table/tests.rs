//! Laws over the rows of the table of settings.

use std::time::Duration;

use super::super::keys::{Leaf, Runs, Who, is_section};
use super::super::later::Webhook;
use super::super::{CommandSpec, ExecutorProfile};
use super::*;

fn values<S: Clone + Default>(table: &'static [Key<S>], settings: &S) -> Vec<Leaf> {
    table.iter().flat_map(|key| key.leaves("", &mut settings.clone())).collect()
}

fn no_key_is_twice<S>(table: &[Key<S>]) {
    for (i, key) in table.iter().enumerate() {
        assert!(table[i + 1..].iter().all(|other| other.path != key.path), "{}", key.path);
        assert!(!is_section(table, key.path), "{}", key.path);
    }
}

#[test]
fn no_key_is_in_a_table_twice_and_none_is_also_a_section() {
    no_key_is_twice(KEYS);
    no_key_is_twice(PROFILE);
    no_key_is_twice(COMMAND);
    no_key_is_twice(WEBHOOK);
}

fn every_row_keeps_its_own_place<S: Clone + Default>(table: &'static [Key<S>]) {
    for key in table {
        let mut settings = S::default();
        match &key.kind {
            Kind::Seconds { at, .. } => *at(&mut settings) = Duration::from_secs(4242),
            Kind::OptionalSeconds { at, .. } => *at(&mut settings) = Some(Duration::from_secs(4242)),
            Kind::Count { at, .. } => *at(&mut settings) = 42,
            Kind::Bytes { at, .. } => *at(&mut settings) = 4242,
            Kind::Switch { at } => {
                let switch = at(&mut settings);
                *switch = !*switch;
            }
            Kind::Text { at }
            | Kind::Lines { at }
            | Kind::BranchTemplate { at }
            | Kind::Word { at, .. }
            | Kind::Url { at } => {
                *at(&mut settings) = "x".into();
            }
            Kind::Commands { at } => at(&mut settings).push(CommandSpec::default()),
            Kind::Webhooks { at } => at(&mut settings).push(Webhook::default()),
            Kind::OptionalText { at } => *at(&mut settings) = Some("x".into()),
            Kind::Texts { at } | Kind::Flags { at } => *at(&mut settings) = vec!["x".into()],
            Kind::Variables { at } => drop(at(&mut settings).insert("X".into(), "x".into())),
            Kind::Profiles { at } => drop(at(&mut settings).insert("x".into(), ExecutorProfile::default())),
            Kind::Rows { at } => drop(at(&mut settings).insert("x".into(), "x".into())),
            Kind::Old { .. } => continue,
        }
        let before = values(table, &S::default());
        let changed = values(table, &settings).into_iter().filter(|leaf| !before.contains(leaf));
        let changed: Vec<_> = changed.map(|leaf| leaf.path).collect();
        assert!(!changed.is_empty(), "{}", key.path);
        assert!(changed.iter().all(|path| path.starts_with(key.path)), "{} is {changed:?}", key.path);
    }
}

#[test]
fn every_row_keeps_its_own_place_in_the_settings() {
    every_row_keeps_its_own_place(KEYS);
    every_row_keeps_its_own_place(PROFILE);
    every_row_keeps_its_own_place(COMMAND);
    every_row_keeps_its_own_place(WEBHOOK);
}

fn marked<S>(table: &[Key<S>], row: fn(&Key<S>) -> bool) -> Vec<&'static str> {
    table.iter().filter(|key| row(key)).map(|key| key.path).collect()
}

#[test]
fn what_makes_something_run_or_gives_room_is_marked() {
    assert_eq!(
        marked(KEYS, |key| key.runs == Runs::Something),
        [
            "verify_config.commands",
            "verify_config.extra_allowed_commands",
            "workspace_config.setup",
            "workspace_config.cleanup",
            "autonomy_config.max_diff_lines",
            "autonomy_config.sensitive_file_patterns",
            "autonomy_config.require_verification_pass",
            "autonomy_config.custom_gates",
            "planner_config.features.auto_execute",
            "planner_config.model",
            "planner_config.agent_path",
            "executors"
        ]
    );
    assert_eq!(marked(PROFILE, |key| key.runs == Runs::Something), ["extra_flags", "env"]);
    assert_eq!(
        marked(KEYS, |key| key.who == Who::User),
        [
            "execute_config.yolo_mode",
            "execute_config.yolo_allowlist",
            "git_host_config.provider",
            "git_host_config.remote",
            "git_host_config.github_hosts",
            "git_host_config.gitlab_hosts",
            "git_host_config.poll_interval",
            "autonomy_config.profile",
            "autonomy_config.gates.tests_passed",
            "autonomy_config.gates.diff_size_threshold",
            "autonomy_config.gates.no_sensitive_files",
            "autonomy_config.gates.cost_budget",
            "autonomy_config.gates.custom",
            "autonomy_config.enabled",
            "autonomy_config.auto_merge",
            "autonomy_config.max_auto_approvals",
            "ui.mouse",
            "ui.notify",
            "ui.notify_command",
            "webhooks"
        ]
    );
}
