//! `draft demo` without a board: all of it runs, and nothing but the summary is printed.

use std::path::Path;

use serde_json::json;

use super::{assert_stable, error_of};
use crate::support::World;

/// Runs the demo, and returns what `ticket list` says of its board afterwards.
fn list_of(world: &World, dir: &Path) -> String {
    let repo = dir.join("repo");
    world.draft(&["ticket", "list", "--repo", repo.to_str().unwrap()]).ok().text()
}

#[test]
fn the_demo_runs_without_a_board_and_prints_one_object() {
    let world = World::bare();
    let outcome = world.draft(&["demo", "--headless", "--json", "--dir", "the demo"]).ok();
    assert_eq!(outcome.text().lines().count(), 1);
    assert_eq!(outcome.complaint(), "");
    let summary = outcome.json();
    let dir = world.repo().join("the demo");
    for (name, path) in [("dir", &dir), ("repo", &dir.join("repo")), ("data_dir", &world.data())] {
        assert_eq!(summary[name], json!(path), "{name}");
    }
    let listing = list_of(&world, &dir);
    assert_stable(&world, "the_demo", &listing);
    assert_eq!(summary["tickets"].as_array().unwrap().len(), listing.lines().count());
    world.assert_nothing_left();
}

#[test]
fn without_a_terminal_the_demo_runs_as_if_headless_and_says_how_to_look_at_it() {
    let world = World::bare();
    let said = world.draft(&["demo", "--dir", "the demo"]).ok().text();
    let dir = world.repo().join("the demo");
    assert!(said.contains("#1 execute started\n"), "{said}");
    assert!(said.contains(&list_of(&world, &dir)), "{said}");
    let again = format!("draft --repo '{}/repo' --data-dir {}\n", dir.display(), world.data().display());
    assert!(said.ends_with(&again), "{said}");
    world.assert_nothing_left();
}

#[test]
fn the_demo_touches_no_folder_that_holds_something_else() {
    let world = World::bare();
    world.write("full/repo/file.txt", "mine");
    let refused = world.draft(&["demo", "--dir", "full", "--json"]).exits(2);
    let (code, message, _) = error_of(&refused);
    assert_eq!(code, "occupied");
    assert!(message.contains("is not empty"), "{message}");
    assert_eq!(world.read("full/repo/file.txt"), "mine");
}
