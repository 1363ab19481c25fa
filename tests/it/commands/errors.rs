//! What is said when something is wrong: what failed, why, what to do next, and the exit code that scripts rely on.

use std::fs;
use std::os::unix::fs::symlink;

use super::{DRAFT, error_of, planned};
use crate::support::running::Outcome;
use crate::support::{Size, World, demo_world};

/// Runs a listing with a changed environment.
fn list_with(world: &World, change: impl FnOnce(&mut std::process::Command)) -> Outcome {
    let mut command = world.command(DRAFT);
    command.args(["ticket", "list", "--json"]);
    change(&mut command);
    world.start(&mut command).wait()
}

#[track_caller]
fn assert_error(outcome: &Outcome, code: &str, says: &str) {
    let (found, message, _) = error_of(outcome);
    assert!(found == code && message.contains(says), "{found}: {message}");
    assert_eq!(outcome.text(), "");
}

#[test]
fn wrong_use_is_said_in_the_form_that_was_asked_for() {
    let world = World::new();
    for (args, says) in [
        (&["ticket", "list", "--nonsense"][..], "unexpected argument '--nonsense'"),
        (&["nonsense"], "unrecognized subcommand 'nonsense'"),
        (&["ticket"], "requires a subcommand"),
        (&["ticket", "add"], "required arguments were not provided: <TITLE>"),
        (&["run", "--max-parallel", "0"], "invalid value '0'"),
        (&["ticket", "list", "--color", "sometimes"], "[possible values: auto, always, never]"),
    ] {
        let text = world.draft(args).exits(2);
        assert_eq!(text.text(), "", "{args:?}");
        assert!(text.complaint().contains("error: ") || text.complaint().contains("Usage: "), "{text:?}");
        let json = world.draft(&[args, &["--json"]].concat()).exits(2);
        assert_error(&json, "usage", says);
        assert!(error_of(&json).2.contains("--help"), "{json:?}");
    }
    assert!(world.draft(&["--help", "--json"]).ok().text().contains("Exit codes"));
}

#[test]
fn an_error_for_people_says_what_and_what_next_in_lines() {
    let world = World::bare();
    let refused = world.draft(&["ticket", "list"]).exits(3);
    let expected = format!(
        "draft: {} is not in a git repository; go to one, or make one with `git init`\n\
         --repo names another repository; `draft demo` makes one to try Draft with.\n",
        world.repo().display()
    );
    assert_eq!(refused.complaint(), expected);
}

#[test]
fn a_place_without_a_usable_repository_is_told_apart() {
    let world = World::bare();
    let list = |args: &[&str]| world.draft(&[&["ticket", "list", "--json"], args].concat()).exits(3);
    assert_error(&list(&[]), "no_repository", "is not in a git repository");
    world.git(&["init", "--quiet", "empty"]);
    assert_error(&list(&["--repo", "empty"]), "no_repository", "has no commit yet");
    world.git(&["init", "--quiet", "--bare", "bare"]);
    assert_error(&list(&["--repo", "bare"]), "no_repository", "is a bare repository");
    assert_error(&list(&["--repo", "missing"]), "no_repository", "missing");
    assert!(!world.data().join("draft.db").exists(), "nothing is made for what is no repository");
}

#[test]
fn a_board_that_the_repository_does_not_have_is_refused() {
    let world = World::new();
    world.draft(&["ticket", "list", "--board", "mine"]).ok();
    let refused = world.draft(&["ticket", "list", "--board", "other", "--json"]).exits(2);
    assert_error(&refused, "unknown_board", "it has mine");
    assert_eq!(world.draft(&["ticket", "add", "A", "--json"]).ok().json()["board"], "mine");
}

#[test]
fn git_must_be_there_and_new_enough() {
    let world = World::new();
    let missing = list_with(&world, |command| {
        command.env("PATH", world.home());
    });
    assert_error(&missing.exits(3), "git", "could not find `git`");
    fs::remove_file(world.folder().join("bin/git")).unwrap();
    world.install("git", "echo git version 2.30.1");
    let old = world.draft(&["ticket", "list", "--json"]).exits(3);
    assert_error(&old, "git", "is git 2.30.1, but Draft needs 2.38");
}

#[test]
fn with_a_git_that_is_too_old_no_ticket_is_touched() {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi]]");
    let database = || {
        let reader = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
        (reader["state"].clone(), reader["events"].clone())
    };
    let before = database();
    let git = world.folder().join("bin/git");
    let whole = fs::read_link(&git).unwrap();
    world.install("git", "echo git version 2.30.1");
    for args in [
        &["run", "1", "--trust", "--json"][..],
        &["run", "--json"],
        &["demo", "--headless", "--dir", "../demo", "--json"],
    ] {
        assert_error(&world.draft(args).exits(3), "git", "is git 2.30.1, but Draft needs 2.38");
    }
    let mut pty = world.draft_in_terminal(Size::new(80, 24), &[]);
    assert_eq!(pty.wait_exit().exit_code(), 3);
    assert!(pty.screen().contains("2.30.1"), "{}", pty.screen());
    fs::remove_file(&git).unwrap();
    symlink(whole, &git).unwrap();
    assert_eq!(database(), before);
}

#[test]
fn a_usage_line_names_no_flag_that_nobody_needs() {
    let world = World::new();
    let said = world.draft(&["ticket", "add"]).exits(2).complaint();
    assert!(said.contains("Usage: draft ticket add <TITLE>") && !said.contains("--data-dir"), "{said}");
}

#[test]
fn a_demo_that_cannot_be_made_says_where() {
    let world = World::new();
    world.write("file", "");
    let (code, message, hint) =
        error_of(&world.draft(&["demo", "--headless", "--dir", "file/demo", "--json"]).exits(3));
    assert_eq!(code, "io");
    assert!(message.starts_with("could not make file/demo: ") && hint.contains("--dir"), "{message} {hint}");
}

#[test]
fn without_a_home_the_named_folder_is_enough() {
    let world = World::new();
    let outcome = list_with(&world, |command| {
        for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
            command.env_remove(name);
        }
    });
    outcome.ok();
}

#[test]
fn the_folder_of_everything_is_named_by_flag_before_variable_before_convention() {
    let world = World::new();
    world.draft(&["ticket", "list", "--data-dir", "../flag"]).ok();
    assert!(world.folder().join("flag/draft.db").exists() && !world.data().join("draft.db").exists());
    world.draft(&["ticket", "list"]).ok();
    assert!(world.data().join("draft.db").exists());
    let conventional = list_with(&world, |command| {
        command.env_remove("DRAFT_DATA_DIR");
    });
    conventional.ok();
    assert!(world.home().join(".local/share/draft/draft.db").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_said_with_what_to_do() {
    let world = World::new();
    fs::write(world.folder().join("file"), "").unwrap();
    let refused = world.draft(&["ticket", "list", "--data-dir", "../file/data", "--json"]).exits(3);
    assert_error(&refused, "io", "could not make the folder");
    assert!(error_of(&refused).2.contains("--data-dir"));
}

#[test]
fn a_damaged_a_foreign_and_a_newer_database_stay_as_they_are() {
    let world = World::new();
    world.draft(&["ticket", "add", "A"]).ok();
    let database = world.data().join("draft.db");
    assert!(!world.data().join("draft.db-wal").exists(), "the last one to close it writes back what lies beside it");
    let whole = fs::read(&database).unwrap();
    let newer = {
        let mut bytes = whole.clone();
        bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
        bytes
    };
    let mut damaged = whole.clone();
    damaged[4096..].fill(0xA5);
    for (bytes, says) in [
        (damaged, "is damaged"),
        (b"These are somebody's notes and no database, however long they are.".repeat(9), "is not a database of draft"),
        (newer, "a newer draft wrote it"),
    ] {
        fs::write(&database, &bytes).unwrap();
        assert_error(&world.draft(&["ticket", "list", "--json"]).exits(3), "database", says);
        assert!(fs::read(&database).unwrap() == bytes, "{says}: it was changed");
    }
    fs::write(&database, whole).unwrap();
    assert!(world.draft(&["ticket", "list"]).ok().text().contains("#1"));
}

#[test]
fn wrong_settings_are_said_all_at_once_with_their_places() {
    let world = World::new();
    world.write("draft.yaml", "execute_config:\n  timeout: soon\n  nonsense: 1\nverify_config:\n  commands: [make]\n");
    world.draft(&["ticket", "add", "A", "--state", "planned"]).ok();
    for command in [&["run"][..], &["trust"]] {
        let refused = world.draft(&[command, &["--json"]].concat()).exits(2);
        let (code, message, hint) = error_of(&refused);
        assert_eq!(code, "bad_configuration");
        for place in ["draft.yaml:2:12", "draft.yaml:3:3", "`execute_config.timeout`", "execute_config.nonsense"] {
            assert!(message.contains(place), "{place}: {message}");
        }
        assert!(!hint.is_empty());
    }
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["state"], "planned");
}

#[test]
fn the_board_needs_a_terminal() {
    let world = World::new();
    let refused = world.draft(&["--json"]).exits(2);
    assert_error(&refused, "no_terminal", "the board needs a terminal");
    assert!(!world.data().join("draft.db").exists());
    assert!(world.draft(&[]).exits(2).complaint().starts_with("draft: the board needs a terminal\nUse `draft ticket"));
}

#[test]
fn words_from_outside_do_nothing_to_the_terminal_also_in_errors() {
    let world = World::new();
    let odd = world.folder().join("odd \u{1b}[31m\nname");
    fs::create_dir(&odd).unwrap();
    symlink("/dev/null", odd.join("link")).unwrap();
    let refused = world.draft(&["ticket", "list", "--repo", odd.to_str().unwrap()]).exits(3);
    assert!(refused.complaint().contains("odd ␛[31m") && !refused.stderr.contains(&0x1b), "{refused:?}");
}
