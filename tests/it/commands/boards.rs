//! `draft board` and its commands, which board a folder belongs to, and `--board NAME` from anywhere.

use std::fs;

use serde_json::{Value, json};

use super::{DRAFT, error_of, planned};
use crate::support::running::Outcome;
use crate::support::{World, demo_world};

fn boards(world: &World) -> Vec<Value> {
    world.draft(&["board", "list", "--json"]).ok().json()["boards"].as_array().unwrap().clone()
}

/// Runs Draft in another folder of the world.
fn draft_in(world: &World, folder: &str, args: &[&str]) -> Outcome {
    let mut command = world.command(DRAFT);
    world.start(command.args(args).current_dir(world.folder().join(folder))).wait()
}

#[test]
fn all_boards_are_listed_with_their_tickets_and_whoever_works_on_them() {
    let world = demo_world();
    assert_eq!(boards(&world), Vec::<Value>::new());
    assert!(!world.data().join("draft.db").exists(), "a look makes nothing");
    planned(&world, "Take long", "[[sleep 600]]");
    world.draft(&["ticket", "add", "Other"]).ok();
    world.git(&["clone", "--quiet", ".", "../second"]);
    draft_in(&world, "second", &["ticket", "list"]).ok();
    let engine = world.draft_in_background(&["run", "--trust"]);
    engine.until_printed("started");
    let listed = boards(&world);
    assert_eq!(listed[0]["name"], "repo");
    assert_eq!(listed[0]["repository"], world.repo().to_str().unwrap());
    assert_eq!((&listed[0]["engine"], &listed[0]["exists"]), (&engine.pid().into(), &true.into()));
    let tickets = &listed[0]["tickets"];
    assert_eq!(tickets["proposed"], 1, "{tickets}");
    assert_eq!(
        (&listed[1]["name"], &listed[1]["tickets"], &listed[1]["engine"]),
        (&"second".into(), &json!({}), &Value::Null)
    );
    world.draft(&["cancel", "1"]).ok();
    engine.wait().exits(1);
    fs::remove_dir_all(world.folder().join("second")).unwrap();
    let text = draft_in(&world, "tmp", &["board", "list"]).ok().text();
    let expected = format!(
        "repo    {0}/repo\n        1 proposed, 1 blocked\nsecond  {0}/second  (the folder is gone)\n        no tickets\n",
        world.folder().display()
    );
    assert_eq!(text, expected);
}

#[test]
fn a_board_is_opened_by_its_name_from_anywhere() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    world.git(&["clone", "--quiet", ".", "../second"]);
    let first = |folder: &str| draft_in(&world, folder, &["ticket", "list", "--board", "repo"]).ok().text();
    assert!(first("tmp").contains("First"), "outside of any repository");
    assert!(first("second").contains("First"), "in another repository");
    assert!(first("repo").contains("First"), "in its own");
    let (code, message, hint) =
        error_of(&draft_in(&world, "tmp", &["ticket", "list", "--board", "other", "--json"]).exits(2));
    assert_eq!(code, "unknown_board");
    assert!(message.contains("there is no board `other`") && message.contains("known are repo"), "{message}");
    assert!(hint.contains("draft board list"), "{hint}");
    // A name that nobody has is that of a new board, where there is a repository without one.
    assert_eq!(
        draft_in(&world, "second", &["ticket", "add", "A", "--board", "other", "--json"]).ok().json()["board"],
        "other"
    );
    // One that several have is no name.
    world.git(&["clone", "--quiet", ".", "../third/repo"]);
    draft_in(&world, "third/repo", &["ticket", "list"]).ok();
    assert!(first("repo").contains("First"), "the repository around decides");
    let (code, message, _) =
        error_of(&draft_in(&world, "tmp", &["ticket", "list", "--board", "repo", "--json"]).exits(2));
    assert!(code == "ambiguous_board" && message.contains("third/repo"), "{code}: {message}");
    let fresh = World::bare();
    let (code, _, _) = error_of(&fresh.draft(&["ticket", "list", "--board", "x", "--json"]).exits(3));
    assert_eq!(code, "no_repository");
}

#[test]
fn a_board_is_taken_out_with_its_worktrees_and_comes_back_as_it_was() {
    let world = crate::support::demo_world();
    let script = "[[write hello.txt hi\\n]][[say done]]";
    world.draft(&["ticket", "add", "Say hello", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "1", "--trust"]).ok();
    let before = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    let worktree = std::path::PathBuf::from(before["worktree"].as_str().unwrap());
    std::fs::write(worktree.join("loose.txt"), "not committed\n").unwrap();
    world.draft(&["board", "remove", "nope"]).exits(2);

    let text = world.draft(&["board", "remove", "repo"]).ok().text();
    assert!(text.starts_with("repo is removed; 1 worktree went into the trash"), "{text}");
    assert!(!worktree.exists());
    assert_eq!(world.draft(&["board", "list", "--json"]).ok().json()["boards"], serde_json::json!([]));
    let refused = world.draft(&["ticket", "list"]).exits(2);
    assert!(refused.complaint().contains("draft board restore repo"), "{}", refused.complaint());
    world.assert_accounted_for();

    world.draft(&["board", "restore", "repo"]).ok();
    let after = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!((&after["worktree"], &after["why"]), (&before["worktree"], &"review".into()));
    assert_eq!(std::fs::read_to_string(worktree.join("loose.txt")).unwrap(), "not committed\n");
    world.draft(&["board", "restore", "repo"]).exits(2);
    world.assert_accounted_for();
}

#[test]
fn in_a_worktree_that_draft_made_its_board_is_opened_and_no_second_one() {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.draft(&["run", "1", "--trust"]).ok();
    let worktree = std::path::PathBuf::from(
        world.draft(&["ticket", "show", "1", "--json"]).ok().json()["worktree"].as_str().unwrap(),
    );
    fs::create_dir(worktree.join("deep")).unwrap();
    fs::write(worktree.join("hello.txt"), "hi there\n").unwrap();
    let inside = worktree.join("deep");
    let inside = inside.strip_prefix(world.folder()).unwrap().to_str().unwrap();
    let listed = |args: &[&str]| draft_in(&world, inside, &[&["ticket", "list"], args].concat()).ok().text();
    assert!(listed(&[]).contains("Say hello"));
    assert!(listed(&["--board", "repo"]).contains("Say hello"));
    let by_path = draft_in(&world, "tmp", &["ticket", "list", "--repo", worktree.to_str().unwrap()]).ok().text();
    assert!(by_path.contains("Say hello"), "{by_path}");
    draft_in(&world, inside, &["resume", "1", "--wait"]).ok();
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!(shown["revisions"][1]["number"], 2, "what was edited there is a revision");
    draft_in(&world, inside, &["config", "check"]).ok();
    let (checks, _) = world.doctor(&["--repo", worktree.to_str().unwrap()]);
    let repository = checks.iter().find(|check| check.name == "repository").unwrap();
    assert!(repository.message.contains(world.repo().to_str().unwrap()), "{repository:?}");
    assert_eq!(boards(&world).len(), 1, "no second board");
}

#[test]
fn a_board_is_added_once_and_named() {
    let world = World::new();
    world.git(&["clone", "--quiet", ".", "../second"]);
    let root = world.folder().join("second");
    let text = world.draft(&["board", "add", "../second"]).ok().text();
    assert_eq!(text, format!("second is the board of {}; tickets start from main\n", root.display()));
    let again = world.draft(&["repo", "add", "../second", "--json"]).ok().json();
    assert_eq!((&again["name"], &again["added"]), (&"second".into(), &false.into()));
    // The name of another repository's board is no reason to mean that one.
    let added = world.draft(&["board", "add", "--name", "second", "--json"]).ok().json();
    assert_eq!((&added["name"], &added["added"]), (&"second".into(), &true.into()));
    assert_eq!(added["repository"], world.repo().to_str().unwrap());
    let listed = world.draft(&["repo", "list", "--json"]).ok().json();
    assert_eq!(listed["boards"].as_array().unwrap().len(), 2);
    assert_eq!(error_of(&world.draft(&["board", "add", "--name", "third", "--json"]).exits(2)).0, "unknown_board");
    assert_eq!(error_of(&world.draft(&["board", "add", "--name", " ", "--json"]).exits(2)).0, "bad_value");
    assert_eq!(error_of(&world.draft(&["board", "add", "../tmp", "--json"]).exits(3)).0, "no_repository");
}
