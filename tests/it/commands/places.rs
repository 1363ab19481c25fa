//! Repositories in odd places and odd states are fine.

use std::fs;

use super::{DRAFT, planned};
use crate::support::{World, demo_world};

const HELLO: &str = "[[write hello.txt hi]]";

/// Runs the one planned ticket of a repository and returns what its worktree is based on.
fn run_in(world: &World, repo: &str) -> serde_json::Value {
    world.draft(&["ticket", "add", "Say hello", "--description", HELLO, "--state", "planned", "--repo", repo]).ok();
    world.draft(&["run", "--trust", "--repo", repo]).ok();
    world.draft(&["ticket", "show", "1", "--json", "--repo", repo]).ok().json()
}

#[test]
fn a_folder_deep_inside_a_repository_means_the_repository() {
    let world = demo_world();
    fs::create_dir_all(world.repo().join("deep/er")).unwrap();
    planned(&world, "From above", HELLO);
    let mut command = world.command(DRAFT);
    let listing = world.start(command.args(["ticket", "list"]).current_dir(world.repo().join("deep/er"))).wait().ok();
    assert!(listing.text().contains("From above"));
}

#[test]
fn blanks_and_line_ends_in_the_path_are_fine() {
    let world = demo_world();
    let odd = world.folder().join("a repo\nwith $odd \"name\"");
    fs::rename(world.repo(), &odd).unwrap();
    fs::create_dir(world.repo()).unwrap();
    assert_eq!(run_in(&world, odd.to_str().unwrap())["state"], "needs_human");
    world.assert_nothing_left();
}

#[test]
fn a_detached_head_starts_from_the_main_branch() {
    let world = demo_world();
    world.git(&["checkout", "--quiet", "--detach"]);
    let ticket = run_in(&world, ".");
    assert_eq!((&ticket["state"], &ticket["base_branch"]), (&"needs_human".into(), &"main".into()));
    assert_eq!(world.git(&["branch", "--show-current"]), "", "it stays detached");
}

#[test]
fn a_linked_worktree_is_a_repository_of_its_own_branch() {
    let world = demo_world();
    world.git(&["worktree", "add", "--quiet", "-b", "feature", "../linked"]);
    let linked = world.folder().join("linked");
    let ticket = run_in(&world, linked.to_str().unwrap());
    assert_eq!((&ticket["state"], &ticket["base_branch"]), (&"needs_human".into(), &"feature".into()));
    assert_eq!(world.git(&["-C", "../linked", "status", "--porcelain"]), "");
    world.assert_nothing_left();
}

#[test]
fn the_users_checkout_is_left_alone() {
    let world = demo_world();
    world.write("README.md", "changed and not committed\n");
    world.write("new.txt", "new\n");
    let before = (world.git(&["status", "--porcelain"]), world.git(&["rev-parse", "HEAD"]));
    run_in(&world, ".");
    assert_eq!((world.git(&["status", "--porcelain"]), world.git(&["rev-parse", "HEAD"])), before);
    assert_eq!(world.git(&["stash", "list"]), "");
}

#[test]
fn draft_writes_its_own_log_as_much_as_it_is_asked_to() {
    let world = World::new();
    let size = || fs::metadata(world.data().join("logs/draft.log")).map_or(0, |meta| meta.len());
    let mut quiet = world.command(DRAFT);
    world.start(quiet.args(["ticket", "add", "A", "-vv"]).env("DRAFT_LOG", "off")).wait().ok();
    assert_eq!(size(), 0, "the variable decides");
    let said = world.draft(&["ticket", "add", "B", "-vv"]).ok();
    assert!(size() > 0);
    assert_eq!(said.complaint(), "", "nothing of it on the terminal");
}
