//! What becomes of a ticket's worktree when somebody, or a crash, was at it: nothing is lost, and the ticket goes on.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{World, until};

const COMMITS: &str = "[[append kept.txt once]] [[commit agent]] [[append loose.txt once]]";

/// A world with one ticket, planned and not run yet.
fn planned(script: &str) -> World {
    let world = World::new();
    world.write("draft.yaml", "execute_config:\n  preferred_executor: demo\n");
    world.commit("configure");
    world.draft(&["ticket", "add", "Leave something", "--state", "planned", "--description", script]).ok();
    world
}

/// A world with one ticket that an agent has worked on.
fn worked_on(script: &str) -> World {
    let world = planned(script);
    run(&world);
    world
}

fn run(world: &World) {
    world.draft(&["run", "1"]).ok();
}

fn show(world: &World) -> Value {
    world.draft(&["ticket", "show", "1", "--json"]).ok().json()
}

fn worktree(world: &World) -> PathBuf {
    show(world)["worktree"].as_str().expect("it has a worktree").into()
}

fn branch(world: &World) -> String {
    show(world)["branch"].as_str().expect("it has a branch").to_owned()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}

/// Moves the ticket to done, as a person who merged what was checked.
fn land(world: &World) {
    let revision = world.git(&["for-each-ref", "--format=%(objectname)", "refs/draft/revisions"]);
    world.git(&["merge", "--quiet", "--no-ff", "--message", "land", &revision]);
    world.draft(&["ticket", "move", "1", "done"]).ok();
}

#[test]
fn a_folder_deleted_by_hand_comes_back_on_its_branch() {
    let world = worked_on(COMMITS);
    let (folder, name) = (worktree(&world), branch(&world));
    fs::remove_dir_all(&folder).unwrap();
    run(&world);
    assert_eq!((worktree(&world), branch(&world)), (folder.clone(), name));
    assert_eq!(read(&folder, "kept.txt").matches("once").count(), 2, "its commits are there");
    world.assert_nothing_left();
}

#[test]
fn a_ticket_whose_branch_was_deleted_too_goes_on_from_its_newest_revision() {
    let world = worked_on(COMMITS);
    let (folder, name) = (worktree(&world), branch(&world));
    fs::remove_dir_all(&folder).unwrap();
    world.git(&["worktree", "prune"]);
    world.git(&["branch", "--quiet", "-D", &name]);
    run(&world);
    assert_eq!((worktree(&world), branch(&world)), (folder.clone(), name));
    for file in ["kept.txt", "loose.txt"] {
        assert_eq!(read(&folder, file).matches("once").count(), 2, "{file}");
    }
    world.assert_nothing_left();
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_stays_there_and_the_ticket_goes_on_from_it() {
    let world = worked_on(COMMITS);
    let (folder, name) = (worktree(&world), branch(&world));
    world.git(&["worktree", "remove", "--force", folder.to_str().unwrap()]);
    let mine = world.folder().join("mine");
    world.git(&["worktree", "add", "--quiet", mine.to_str().unwrap(), &name]);
    let tip = world.git(&["rev-parse", &name]);
    run(&world);
    assert_eq!(branch(&world), format!("{name}-2"));
    assert_eq!(read(&worktree(&world), "kept.txt").matches("once").count(), 2, "its commits are there");
    assert_eq!(world.git(&["rev-parse", &name]), tip);
    assert_eq!(world.git(&["-C", mine.to_str().unwrap(), "status", "--porcelain"]), "");
    world.assert_nothing_left();
}

#[test]
fn without_its_base_branch_a_ticket_with_a_worktree_goes_on_and_a_new_one_says_what_is_missing() {
    let world = worked_on(COMMITS);
    world.git(&["checkout", "--quiet", "-b", "trunk"]);
    world.git(&["branch", "--quiet", "-D", "main"]);
    run(&world);
    assert_eq!(read(&worktree(&world), "kept.txt").matches("once").count(), 2);

    world.draft(&["ticket", "add", "Another", "--state", "planned", "--description", COMMITS]).ok();
    let _ = world.draft(&["run", "2"]);
    let ticket = world.draft(&["ticket", "show", "2", "--json"]).ok().json();
    assert_eq!((&ticket["state"], &ticket["worktree"]), (&"blocked".into(), &Value::Null));
    assert!(ticket["reason"].as_str().unwrap().contains("there is no branch `main`"), "{ticket}");
    world.assert_nothing_left();
}

#[test]
fn a_ticket_that_was_done_and_runs_again_starts_from_the_target() {
    let world = worked_on(COMMITS);
    let before = world.git(&["rev-parse", &branch(&world)]);
    land(&world);
    let target = world.commit("somebody else's");
    run(&world);
    let folder = worktree(&world);
    let base = world.git(&["-C", folder.to_str().unwrap(), "merge-base", "HEAD", &target]);
    assert_eq!(base, target, "it starts from what is on the target now");
    assert_ne!(world.git(&["rev-parse", &branch(&world)]), before);
    assert_eq!(read(&folder, "kept.txt").matches("once").count(), 2);
    world.assert_nothing_left();
}

#[test]
fn a_worktree_of_a_done_ticket_that_cannot_be_removed_stays_and_the_next_one_has_another_name() {
    let world = worked_on(COMMITS);
    let (folder, name) = (worktree(&world), branch(&world));
    fs::create_dir_all(folder.join("inner")).unwrap();
    world.git(&["init", "--quiet", folder.join("inner").to_str().unwrap()]);
    fs::write(folder.join("inner/precious.txt"), "precious").unwrap();
    land(&world);
    assert!(folder.exists(), "it holds a repository of its own");
    run(&world);
    assert_eq!(branch(&world), format!("{name}-2"));
    assert_eq!(read(&folder, "inner/precious.txt"), "precious");
    assert!(show(&world).to_string().contains(folder.to_str().unwrap()), "its history says where the old one is");
    world.assert_nothing_left();
}

#[test]
fn a_board_that_is_killed_while_it_makes_a_worktree_makes_the_same_one_next_time() {
    let world = planned(COMMITS);
    let git = world.folder().join("bin/git").canonicalize().unwrap();
    let (git, reached) = (git.display(), world.folder().join("reached"));
    let stop = format!("case \"$*\" in *reset\\ --hard*) echo >{}; exec sleep 1000;; esac", reached.display());
    world.install("git", &format!("{stop}\nexec {git} \"$@\""));
    let board = world.draft_in_background(&["run", "1"]);
    until("git checks the files out", || reached.exists());
    let _ = board.kill_9();
    world.processes().iter().for_each(|git| git.signal(Signal::KILL));
    world.install("git", &format!("exec {git} \"$@\""));

    world.draft(&["run"]).ok();
    assert_eq!(branch(&world), "draft/1-leave-something");
    assert_eq!(worktree(&world).file_name().unwrap(), "1-leave-something");
    assert_eq!(read(&worktree(&world), "kept.txt").matches("once").count(), 1);
    assert_eq!(world.git(&["branch", "--list", "draft/*"]).lines().count(), 1);
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 2);
    let beside = worktree(&world).parent().unwrap().read_dir().unwrap().count();
    assert_eq!(beside, 1, "the worktree and nothing else");
    world.assert_nothing_left();
}

#[test]
fn a_worktree_can_run_with_files_that_git_ignores_submodules_and_a_branch_named_by_the_team() {
    let world = World::new();
    let library = world.folder().join("library");
    fs::create_dir(&library).unwrap();
    let in_library = |args: &[&str]| world.git(&[&["-C", library.to_str().unwrap()], args].concat());
    in_library(&["init", "--quiet"]);
    in_library(&["commit", "--quiet", "--allow-empty", "--message", "a library"]);
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    world.git(&[&add[..], &[library.to_str().unwrap(), "library"]].concat());
    world.write(".gitignore", ".env*\n");
    world.write(".worktreeinclude", ".env\n");
    world.write(
        "draft.yaml",
        "execute_config:\n  preferred_executor: demo\nworkspace_config:\n  copy: ['.env.local', 'notes.txt']\n  \
         branch_template: 'team/{slug}/{number}'\n",
    );
    world.commit("configure");
    for name in [".env", ".env.local", ".env.other", "notes.txt"] {
        world.write(name, name);
    }
    world.draft(&["ticket", "add", "Leave something", "--state", "planned", "--description", COMMITS]).ok();
    run(&world);
    let folder = worktree(&world);
    assert_eq!(folder.file_name().unwrap(), "1-leave-something");
    assert_eq!(branch(&world), "team/leave-something/1");
    assert_eq!((read(&folder, ".env").as_str(), read(&folder, ".env.local").as_str()), (".env", ".env.local"));
    assert!(!folder.join(".env.other").exists() && !folder.join("notes.txt").exists());
    assert!(folder.join("library/.git").exists());
    let revision = world.git(&["for-each-ref", "--format=%(objectname)", "refs/draft/revisions"]);
    let changed = world.git(&["diff", "--name-only", "main", &revision]);
    assert_eq!(changed, "kept.txt\nloose.txt", "nothing of it is the agent's change");

    world.draft(&["ticket", "move", "1", "abandoned"]).ok();
    assert!(!folder.exists());
    world.assert_nothing_left();
}
