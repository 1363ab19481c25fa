//! What agents may do is asked before the first of them runs, kept for the person, and held to.

use std::fs;

use super::{board, leave};
use crate::support::World;

/// Makes a world with an agent that writes down with what it was started, and one planned ticket for it.
fn asked() -> World {
    let world = World::new();
    let calls = world.folder().join("calls");
    let well = r#"printf '{"type":"result","subtype":"success","is_error":false,"result":"Done."}\n'"#;
    world.install("claude", &format!("echo \"$@\" >> {}\nprintf x > a.txt\n{well}", calls.display()));
    world.draft(&["ticket", "add", "Say hello", "--state", "planned"]).ok();
    world
}

fn calls(world: &World) -> String {
    fs::read_to_string(world.folder().join("calls")).unwrap_or_default()
}

#[test]
fn everything_is_allowed_in_the_users_file_for_this_folder_and_asked_once() {
    let world = asked();
    let file = world.folder().join("config/draft/config.yaml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "# mine\nexecute_config:\n  timeout: 60 # seconds\n").unwrap();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("What may agents do in this repository?");
    pty.keys("2");
    pty.until_shows("Review 1");
    assert!(calls(&world).contains("--dangerously-skip-permissions"), "{}", calls(&world));
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.starts_with("# mine\nexecute_config:\n  timeout: 60 # seconds\n"), "{kept}");
    assert!(kept.contains("yolo_mode: true") && kept.contains(world.repo().to_str().unwrap()), "{kept}");
    pty.keys("x");
    pty.until("it runs again without a question, to its end", |_| {
        let shown = world.draft(&["--json", "ticket", "show", "1"]).ok().json();
        let jobs = shown["jobs"].as_array().unwrap();
        let runs = jobs.iter().filter(|job| job["kind"] == "execute").count();
        runs == 2 && jobs.iter().all(|job| !job["finished_at"].is_null())
    });
    assert_eq!(calls(&world).lines().count(), 2);
    leave(&world, pty);
    assert_eq!(world.git(&["status", "--porcelain"]), "", "nothing of it is in the repository");
}

#[test]
fn the_least_is_kept_for_this_board_alone() {
    let world = asked();
    let pty = board(&world);
    pty.until_shows("Planned 1");
    pty.keys("x");
    pty.until_shows("What may agents do in this repository?");
    pty.keys("<enter>");
    pty.until_shows("Review 1");
    leave(&world, pty);
    assert!(calls(&world).contains("--permission-mode acceptEdits"), "{}", calls(&world));
    assert!(!world.folder().join("config/draft/config.yaml").exists(), "other repositories are not concerned");
    let shown = world.draft(&["config", "show", "execute_config.yolo_mode"]).ok().text();
    assert!(shown.contains("false") && shown.contains("board"), "{shown}");
}

#[test]
fn a_run_in_a_terminal_says_what_agents_may_do_where_nobody_said_it() {
    let world = asked();
    let mut run = world.draft_in_terminal(super::WIDE, &["run"]);
    run.until_shows("what they are refused is said");
    assert!(run.wait_exit().success());
    world.draft(&["config", "set", "--on-board", "execute_config.yolo_mode", "false"]).ok();
    world.draft(&["ticket", "add", "Again", "--state", "planned"]).ok();
    let mut again = world.draft_in_terminal(super::WIDE, &["run"]);
    again.until_shows("idle:");
    assert!(again.wait_exit().success());
    assert!(!again.screen().contains("refused is said"), "{}", again.screen());
}
