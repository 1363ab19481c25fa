//! Conflicts: foretold before anybody lands anything, resolved in the worktree or given up, and sent back to the agent.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{error_of, planned};
use crate::support::{World, demo_world, demo_world_with};

/// A board whose first ticket has a change of `hello.txt` that waits for a review, and conflicts with `main` by now.
fn in_conflict() -> World {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.draft(&["run", "--trust"]).ok();
    world.write("hello.txt", "hey\n");
    world.write("more.txt", "m\n");
    world.commit("meanwhile");
    world
}

#[track_caller]
fn shown(world: &World) -> Value {
    world.draft(&["ticket", "show", "1", "--json"]).ok().json()
}

fn worktree(world: &World) -> PathBuf {
    PathBuf::from(shown(world)["worktree"].as_str().unwrap())
}

#[test]
fn what_waits_is_told_to_conflict_once_its_target_moves_and_not_before() {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.draft(&["run", "--trust"]).ok();
    let objects = world.git(&["count-objects"]);
    let landing = &shown(&world)["landing"];
    assert_eq!(
        (&landing["forecast"], &landing["behind"], &landing["target"]),
        (&"clean".into(), &0.into(), &"main".into())
    );
    world.write("more.txt", "m\n");
    world.commit("elsewhere");
    let landing = &shown(&world)["landing"];
    assert_eq!((&landing["forecast"], &landing["behind"]), (&"clean".into(), &1.into()));
    world.write("hello.txt", "hey\n");
    world.commit("the same file");
    let landing = shown(&world)["landing"].clone();
    assert_eq!((&landing["forecast"], &landing["behind"]), (&"conflicts".into(), &2.into()));
    assert_eq!(landing["files"], json!([{ "path": "hello.txt", "kind": "add/add" }]));
    let all = world.draft(&["conflicts", "--json"]).ok().json();
    assert_eq!((&all["landings"][0]["ticket"], &all["collisions"]), (&1.into(), &json!([])));
    let text = world.draft(&["conflicts"]).ok().text();
    assert_eq!(
        text,
        "#1 Say hello  conflicts with main, which went on by 2 commits, in 1 file\n    hello.txt (add/add)\n"
    );
    let found = |query: &str| {
        let list = world.draft(&["ticket", "list", "--query", query, "--json"]).ok().json();
        list["tickets"].as_array().unwrap().iter().map(|ticket| ticket["number"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!((found("conflict:yes"), found("conflict:none")), (vec!["1".to_owned()], Vec::new()));
    // Nothing that was tried out is left: what came are the two commits.
    let count = |said: &str| said.split(' ').next().unwrap().parse::<u32>().unwrap();
    assert_eq!(count(&world.git(&["count-objects"])), count(&objects) + 6);
}

#[test]
fn two_changes_in_flight_are_told_to_collide_with_what_nobody_committed() {
    let world = demo_world_with(&["test -e README.md"]);
    for (title, word) in [("Say hi", "hi"), ("Say hey", "hey")] {
        planned(&world, title, &format!("[[write hello.txt {word}\\n]][[say done]]"));
    }
    planned(&world, "Another file", "[[write other.txt o\\n]][[say done]]");
    world.draft(&["run", "--trust"]).ok();
    let all = world.draft(&["conflicts", "--json"]).ok().json();
    let pair = json!([{ "tickets": [1, 2], "files": [{ "path": "hello.txt", "kind": "add/add" }] }]);
    assert_eq!(all["collisions"], pair);
    assert!(all["landings"].as_array().unwrap().iter().all(|one| one["forecast"] == "clean"), "{all}");
    // An edit in a worktree counts at once.
    let third = world.draft(&["ticket", "show", "3", "--json"]).ok().json();
    let third = PathBuf::from(third["worktree"].as_str().unwrap());
    std::fs::write(third.join("hello.txt"), "third\n").unwrap();
    let all = world.draft(&["conflicts", "--json"]).ok().json();
    assert_eq!(all["collisions"].as_array().unwrap().len(), 3, "{all}");
    // Somebody who does not want to know is not told.
    world.write("draft.yaml", format!("{}\nmerge_config:\n  radar: false\n", world.read("draft.yaml")));
    assert_eq!(world.draft(&["conflicts", "--json"]).ok().json()["collisions"], json!([]));
}

#[test]
fn a_conflict_is_resolved_in_the_worktree_and_lands() {
    let world = in_conflict();
    let tree = worktree(&world);
    let started = world.draft(&["conflict", "1", "start", "--json"]).ok().json();
    assert_eq!(started["files"], json!([{ "path": "hello.txt", "kind": "add/add" }]));
    assert!(std::fs::read_to_string(tree.join("hello.txt")).unwrap().contains("<<<<<<< HEAD"));
    let status = world.draft(&["conflict", "1", "--json"]).ok().json();
    assert_eq!((&status["operation"], &status["kept"]), (&"merge".into(), &true.into()));

    let (code, message, _) = error_of(&world.draft(&["conflict", "1", "continue", "--json"]).exits(2));
    assert_eq!(code, "unresolved");
    assert!(message.contains("hello.txt"), "{message}");
    // Whoever takes it over without asking first is told the same, and the ticket stays.
    world.draft(&["resume", "1", "--wait"]).ok();
    let ticket = shown(&world);
    assert_eq!(ticket["revisions"].as_array().unwrap().len(), 1);
    let reason = ticket["jobs"].as_array().unwrap().last().unwrap()["reason"].as_str().unwrap();
    assert!(reason.contains("is not resolved: hello.txt (add/add)"), "{reason}");

    std::fs::write(tree.join("hello.txt"), "hi and hey\n").unwrap();
    world.draft(&["conflict", "1", "continue", "--wait"]).ok();
    let ticket = shown(&world);
    let revision = ticket["revisions"].as_array().unwrap().last().unwrap();
    assert_eq!(revision["number"], 2);
    assert_eq!(revision["base"], world.git(&["rev-parse", "main"]).as_str(), "it is against the target as it is now");
    assert_eq!(revision["files"], 1, "what came from the target is not its change");
    assert_eq!(ticket["landing"]["forecast"], "clean");
    let diff = world.draft(&["diff", "1"]).ok().text();
    assert!(diff.contains("hi and hey") && !diff.contains("more.txt"), "{diff}");
    world.draft(&["review", "1", "--approve"]).ok();
    world.draft(&["merge", "1"]).ok();
    assert_eq!(world.read("hello.txt"), "hi and hey\n");
    assert_eq!(world.git(&["for-each-ref", "refs/draft/conflict"]), "");
    world.assert_accounted_for();
}

#[test]
fn giving_up_puts_the_worktree_back_also_after_a_kill_in_between() {
    let world = in_conflict();
    let tree = worktree(&world);
    std::fs::write(tree.join("mine.txt"), "not committed\n").unwrap();
    let here = |args: &[&str]| world.git(&[&["-C", tree.to_str().unwrap()], args].concat());
    let state = || (here(&["rev-parse", "HEAD"]), here(&["status", "--porcelain", "-uall"]), here(&["diff", "HEAD"]));
    let before = state();
    // It dies when everything is kept and nothing is merged.
    let real = std::fs::read_link(world.folder().join("bin/git")).unwrap();
    let dies = format!("case \"$*\" in *--no-commit*) kill -9 $PPID; exit 1;; esac\nexec {} \"$@\"", real.display());
    world.install("git", &dies);
    let _ = world.draft_in_background(&["conflict", "1", "start"]).wait();
    world.install("git", &format!("exec {} \"$@\"", real.display()));
    let status = world.draft(&["conflict", "1", "status", "--json"]).ok().json();
    assert_eq!((&status["operation"], &status["kept"]), (&Value::Null, &true.into()));

    world.draft(&["conflict", "1", "start"]).ok();
    std::fs::write(tree.join("hello.txt"), "half\n").unwrap();
    world.draft(&["conflict", "1", "abort"]).ok();
    assert_eq!(state(), before);
    let (_, message, _) = error_of(&world.draft(&["conflict", "1", "abort", "--json"]).exits(2));
    assert!(message.contains("nothing is under way"), "{message}");
    world.assert_accounted_for();
}

#[test]
fn a_merge_that_somebody_began_by_hand_is_seen() {
    let world = in_conflict();
    let tree = worktree(&world);
    let tree = tree.to_str().unwrap();
    world.git(&["-C", tree, "add", "--all"]);
    world.git(&["-C", tree, "commit", "--quiet", "-m", "mine"]);
    world.run("git", &["-C", tree, "rebase", "main"]).exits(1);
    let status = world.draft(&["conflict", "1", "--json"]).ok().json();
    assert_eq!((&status["operation"], &status["kept"]), (&"rebase".into(), &false.into()));
    world.draft(&["conflict", "1", "abort"]).ok();
    assert_eq!(world.draft(&["conflict", "1", "--json"]).ok().json()["operation"], Value::Null);
}

#[test]
fn a_conflict_goes_back_to_the_agent_with_its_files() {
    let world = in_conflict();
    world.draft(&["conflict", "1", "send"]).ok();
    world.draft(&["run"]).ok();
    let ticket = shown(&world);
    let job = ticket["jobs"].as_array().unwrap().iter().rfind(|job| job["kind"] == "execute").unwrap();
    let told = job["message"].as_str().unwrap();
    assert!(told.contains("- `hello.txt` (add/add)") && told.contains("git merge main"), "{told}");
    // A change that goes together with its target is not sent back.
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]");
    world.draft(&["run", "--trust"]).ok();
    let (code, message, _) = error_of(&world.draft(&["conflict", "1", "send", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("bad_value", "#1 does not conflict with main"));
}

#[test]
fn an_agent_that_merges_its_target_has_only_its_own_change_in_the_next_revision() {
    let world = in_conflict();
    let tree = worktree(&world);
    let tree = tree.to_str().unwrap();
    // What an agent does that was sent back: it commits, merges and resolves, and commits nothing of the merge.
    world.git(&["-C", tree, "add", "--all"]);
    world.git(&["-C", tree, "commit", "--quiet", "-m", "mine"]);
    world.run("git", &["-C", tree, "merge", "main"]).exits(1);
    std::fs::write(PathBuf::from(tree).join("hello.txt"), "both\n").unwrap();
    world.git(&["-C", tree, "add", "--all"]);
    world.draft(&["resume", "1", "--wait"]).ok();
    let ticket = shown(&world);
    let revision = ticket["revisions"].as_array().unwrap().last().unwrap();
    assert_eq!(revision["base"], world.git(&["rev-parse", "main"]).as_str());
    assert_eq!((&revision["files"], &ticket["landing"]["forecast"]), (&1.into(), &"clean".into()));
}
