//! What happens to a worktree that nobody needs any more, and how it comes back.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::World;

const COMMITS: &str = "[[write kept.txt committed]] [[commit agent]] [[write loose.txt not committed]]";

/// A world with one ticket that an agent has worked on.
fn world(script: &str) -> World {
    let world = World::new();
    world.write("draft.yaml", "execute_config:\n  preferred_executor: demo\n");
    world.commit("configure");
    world.draft(&["ticket", "add", "Leave something", "--state", "planned", "--description", script]).ok();
    world.draft(&["run", "1"]).ok();
    world
}

fn show(world: &World) -> Value {
    world.draft(&["ticket", "show", "1", "--json"]).ok().json()
}

fn worktree(world: &World) -> PathBuf {
    show(world)["worktree"].as_str().expect("it has a worktree").into()
}

#[test]
fn an_abandoned_ticket_leaves_neither_worktree_nor_branch_and_both_come_back_whole() {
    let world = world(COMMITS);
    let folder = worktree(&world);
    let branch = show(&world)["branch"].as_str().unwrap().to_owned();
    world.draft(&["ticket", "move", "1", "abandoned"]).ok();
    assert!(!folder.exists());
    assert_eq!(world.git(&["branch", "--list", "draft/*"]), "");
    assert_eq!(show(&world)["worktree"], Value::Null);

    let trash = world.draft(&["trash", "--json"]).ok().json();
    assert_eq!((&trash["trash"][0]["ticket"], &trash["trash"][0]["branch"]), (&1.into(), &branch.as_str().into()));
    let refused = world.draft(&["restore", "1"]).exits(2);
    assert!(refused.complaint().contains("draft ticket move 1 planned"), "{}", refused.complaint());

    world.draft(&["ticket", "move", "1", "planned"]).ok();
    world.draft(&["restore", "1"]).ok();
    assert_eq!(worktree(&world), folder);
    assert_eq!(std::fs::read_to_string(folder.join("kept.txt")).unwrap(), "committed");
    let status = world.run("git", &["-C", folder.to_str().unwrap(), "status", "--porcelain"]).ok().text();
    assert_eq!(status, "?? loose.txt\n", "what was not committed is not committed");
    assert_eq!(world.draft(&["trash", "--json"]).ok().json()["trash"], serde_json::json!([]));
    assert_eq!(world.git(&["status", "--porcelain"]), "", "the user's checkout is as it was");
    world.assert_nothing_left();
}

#[test]
fn a_ticket_that_is_wanted_again_goes_on_where_it_was() {
    let world = world("[[append loose.txt again]]");
    let folder = worktree(&world);
    world.draft(&["ticket", "move", "1", "abandoned"]).ok();
    world.draft(&["ticket", "move", "1", "planned"]).ok();
    world.draft(&["run", "1"]).ok();
    assert_eq!(worktree(&world), folder);
    assert_eq!(std::fs::read_to_string(folder.join("loose.txt")).unwrap().matches("again").count(), 2);
    world.assert_nothing_left();
}

#[test]
fn a_clean_up_that_a_crash_cut_short_is_finished_by_the_next_engine() {
    let world = world(COMMITS);
    let folder = worktree(&world);
    // The move is stored, and the process dies before git can remove anything.
    let found = world.run("sh", &["-c", "command -v git"]).ok().text();
    let git = PathBuf::from(found.trim()).canonicalize().unwrap();
    let git = git.display();
    world.install(
        "git",
        &format!("case \"$*\" in *worktree\\ remove*) kill -9 $PPID; exit 1;; esac\nexec {git} \"$@\""),
    );
    let killed = world.draft(&["ticket", "move", "1", "abandoned"]);
    assert_eq!(killed.status.code(), None, "{}", killed.complaint());
    assert!(folder.exists());
    world.install("git", &format!("exec {git} \"$@\""));
    world.draft(&["run"]).ok();
    assert!(!folder.exists());
    assert_eq!(world.git(&["branch", "--list", "draft/*"]), "");
    world.assert_nothing_left();
}
