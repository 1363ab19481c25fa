//! Values that are written back, and all that must stay as it was.

use proptest::prelude::*;
use serde_json::json;

use super::super::{SourceFile, Sources, load};
use super::*;

#[track_caller]
fn edited(text: &str, path: &str, value: Value, expected: &str) {
    assert_eq!(set(text, path, &value).as_deref(), Ok(expected));
}

#[test]
fn a_value_is_replaced_and_what_stands_around_it_stays() {
    let text = "# head\nexecute_config:   # section\n  timeout:  60   # one minute\n\n  retries: 2\n# end\n";
    edited(
        text,
        "execute_config.timeout",
        json!(90),
        "# head\nexecute_config:   # section\n  timeout:  90   # one minute\n\n  retries: 2\n# end\n",
    );
    edited("a: 'it''s # no' # yes\r\nb: 1\r\n", "a", json!("x: y"), "a: \"x: y\" # yes\r\nb: 1\r\n");
    edited("\u{feff}a: 1\n", "a", json!(2), "\u{feff}a: 2\n");
    edited("a:\nb: 1", "a", json!(true), "a: true\nb: 1");
    edited("a: ~\nb: 1", "a", json!(null), "a: null\nb: 1");
}

#[test]
fn lists_are_replaced_however_they_are_written() {
    for list in ["[a, \"b]\"]", "\n  - a\n  # more\n  - b", "\n- a\n- b", "[\n  a, # x ]\n  b\n  ]"] {
        edited(&format!("k: {list}\nz: 1\n"), "k", json!(["c d"]), "k: [c d]\nz: 1\n");
    }
    let long = json!(["cargo clippy --all-targets -- -D warnings", "cargo test --all-features", "make docs && make"]);
    edited(
        "s:\n  k: []\n",
        "s.k",
        long,
        "s:\n  k:\n    - cargo clippy --all-targets -- -D warnings\n    - cargo test --all-features\n    - \"make docs && make\"\n",
    );
    edited("k: |\n  a\n  b\nz: 1\n", "k", json!("c"), "k: c\nz: 1\n");
    edited("k: a\n  b\nz: 1\n", "k", json!("c"), "k: c\nz: 1\n");
}

#[test]
fn what_is_not_there_yet_gets_a_line_of_its_own_in_its_section() {
    edited("", "a.b.c", json!(1), "a:\n  b:\n    c: 1\n");
    edited("# only this", "a", json!(1), "# only this\na: 1\n");
    edited("a:\n    b: 1 # x\n\n# of z\nz: 1\n", "a.c", json!([]), "a:\n    b: 1 # x\n    c: []\n\n# of z\nz: 1\n");
    edited("a:\n  # b: 1\nz: 1\n", "a.b", json!(2), "a:\n  b: 2\n  # b: 1\nz: 1\n");
    edited("a: {b: 1}\n", "a.c.d", json!("x"), "a: {c: {d: x}, b: 1}\n");
    edited("a: {}\n", "a.b", json!(1), "a: {b: 1}\n");
    edited("a:\n  b:\n    c: 1", "d", json!(1), "a:\n  b:\n    c: 1\nd: 1\n");
}

#[test]
fn a_key_is_taken_away_with_its_lines_and_nothing_else() {
    for (text, path, expected) in [
        ("a: 1\n# of b\nb:\n  - x\n  - y\nc: 1\n", "b", "a: 1\n# of b\nc: 1\n"),
        ("s:\n  a: 1 # x\n  b: 2\n", "s.a", "s:\n  b: 2\n"),
        ("s: {a: 1, b: [2]}\n", "s.a", "s: {b: [2]}\n"),
        ("s: {a: 1, b: [2]}\n", "s.b", "s: {a: 1}\n"),
        ("s:\n  a: 1\n", "s.a", "s:\n"),
        ("a: 1\n", "b.c", "a: 1\n"),
        ("a: 1", "a", ""),
    ] {
        assert_eq!(unset(text, path).as_deref(), Ok(expected), "{text:?} {path}");
    }
}

#[test]
fn what_cannot_be_changed_safely_is_left_alone() {
    for (text, path) in [("a: &x 1\nb: *x\n", "a"), ("? a\n: 1\n", "a"), ("--- {a: 1}\n...\n", "b.c")] {
        let done = set(text, path, &json!(5));
        assert!(matches!(done, Err(NotEdited::TooClever(_)) | Ok(_)), "{done:?}");
        if let Ok(done) = done {
            assert!(done.contains('5'), "{done}");
        }
    }
    assert!(matches!(set("a: &x 1\nb: *x\n", "a", &json!(5)), Err(NotEdited::TooClever(_))));
    assert_eq!(set("a: 1\n", "a.b", &json!(1)), Err(NotEdited::NoMap("a.b".into())));
    assert!(matches!(set("a: [", "a", &json!(1)), Err(NotEdited::Unreadable { .. })));
}

/// Keys with a value that is not their default.
const CHANGES: &[(&str, &str)] = &[
    ("execute_config.timeout", "7"),
    ("execute_config.executor_model", "\"4.5\""),
    ("verify_config.commands", "[\"make\", {\"run\": \"a | b\", \"shell\": true}]"),
    ("workspace_config.copy", "[\"*.env\", \"# no: comment\"]"),
    ("workspace_config.branch_template", "\"x/{number}: #\""),
    ("planner_config.features.auto_execute", "true"),
    ("executor_profiles.fast.env.RUST_LOG", "\"'debug'\""),
    ("executors.mine", "{\"program\": \"x\", \"start\": [\"-p\", \"{prompt}\"]}"),
    ("merge_config.default_strategy", "\"rebase\""),
    ("merge_config.recheck", "\"all\""),
];

#[test]
fn every_setting_of_the_annotated_file_can_be_set_and_no_comment_is_lost() {
    let text = include_str!("../../draft.yaml");
    let comments = |text: &str| text.lines().filter(|line| line.trim_start().starts_with('#')).count();
    for (path, value) in CHANGES {
        let done = set(text, path, &serde_json::from_str(value).unwrap()).unwrap_or_else(|why| panic!("{path}: {why}"));
        assert_eq!(comments(&done), comments(text), "{path}");
        let gone = done.lines().collect::<Vec<_>>();
        let lost = text.lines().filter(|line| !gone.contains(line)).count();
        assert!(lost <= 1, "{path}: {lost} lines changed");
        let back = unset(&done, path).unwrap_or_else(|why| panic!("{path}: {why}"));
        assert_eq!(comments(&back), comments(text), "{path}");
    }
}

proptest! {
    #[test]
    fn whatever_the_file_the_result_means_what_was_asked_or_nothing_is_done(
        text in "((execute_config|verify_config|timeout|commands|x):( |\n  |\n)|- |a|'|\"|\n|# c\n|[\\[\\]{},]|é){0,25}",
        at in 0..CHANGES.len(),
    ) {
        let (path, value) = CHANGES[at];
        let value: Value = serde_json::from_str(value).unwrap();
        if let Ok(done) = set(&text, path, &value) {
            let pointer = format!("/{}", path.replace('.', "/"));
            let means = meaning(&read(&done).unwrap()).unwrap();
            prop_assert_eq!(means.pointer(&pointer), Some(&value), "{}", done);
        }
        let _ = unset(&text, path);
    }

    #[test]
    fn any_text_is_written_so_that_it_is_read_back(text in "\\PC{0,30}") {
        let done = set("execute_config:\n  executor_model: x # c\n", "execute_config.executor_model", &json!(text));
        if let Ok(done) = done {
            prop_assert!(done.ends_with(" # c\n"), "{}", done);
        }
        let user = Some(SourceFile { path: "x".into(), bytes: word(&text).into() });
        let _ = load(&Sources { user, ..Sources::default() });
    }
}
