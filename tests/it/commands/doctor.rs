//! `draft doctor`: what it says of a world that is well, and of each thing that is not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::doctor::Check;
use crate::support::{Size, World, demo_world};

#[track_caller]
fn of<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no check `{name}`: {checks:#?}"))
}

#[track_caller]
fn assert_check(checks: &[Check], name: &str, status: &str, words: &str) {
    let check = of(checks, name);
    assert!(check.status == status && check.message.contains(words), "not {status} with `{words}`: {check:#?}");
    assert!(status == "ok" || !check.fix.is_empty(), "it does not say what to do: {check:#?}");
}

#[test]
fn a_world_that_is_well_has_no_complaints_and_is_left_as_it_is() {
    let world = demo_world();
    world.draft(&["trust"]).ok();
    world.draft(&["ticket", "add", "First", "--state", "planned", "--description", "[[write hello.txt hi]]"]).ok();
    world.draft(&["run"]).ok();
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(0));
    // How large the machine is, is not the world's.
    let of_the_machine = ["open files", "watches", "memory", "disk"];
    let bad: Vec<&Check> =
        checks.iter().filter(|one| one.status != "ok" && !of_the_machine.contains(&one.name.as_str())).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    for (name, words) in [
        ("git", " at "),
        ("shell", "moves a branch that is checked out"),
        ("agent demo", "built in"),
        ("agent claude", "not installed"),
        ("terminal", "the board needs one"),
        ("data directory", "yours alone"),
        ("database", "whole, schema "),
        ("repository", "tickets start from main"),
        ("identity", "Tester <tester@example.com>"),
        ("configuration", "no mistakes"),
        ("trust", "you trust it"),
        ("engine", "none runs"),
        ("processes", "no stray"),
        ("supervisors", "0 supervisors"),
        ("runs", "2 runs"),
        ("worktrees", "1 worktree,"),
        ("branches", "1 branch of"),
        ("refs", "1 ref keeps"),
        ("leftovers", "no lock"),
    ] {
        assert_check(&checks, name, "ok", words);
    }
    let text = world.draft(&["doctor"]).ok().text();
    assert!(text.contains("✓ ok       database: whole, schema "), "{text}");
    assert!(text.contains(" are not installed: ") && text.contains("claude, "), "{text}");
    assert_eq!(text.matches("not installed").count(), 1, "{text}");
    assert!(text.contains("→ `draft agents` says how to get one"), "{text}");
    assert_eq!(world.doctor(&["--fix"]).0.iter().filter(|check| check.mended.is_some()).count(), 0);
}

#[test]
fn outside_a_repository_it_looks_at_all_else_and_makes_nothing() {
    let world = World::bare();
    fs::remove_dir(world.data()).unwrap();
    let (checks, code) = world.doctor(&["--fix"]);
    assert_eq!(code, Some(0));
    assert_check(&checks, "repository", "ok", "was left out");
    assert_check(&checks, "data directory", "ok", "not there yet");
    assert!(!checks.iter().any(|check| ["identity", "trust", "database"].contains(&check.name.as_str())));
    assert!(!world.data().exists(), "a look makes nothing");
    let world = World::new();
    world.doctor(&[]);
    assert_eq!(fs::read_dir(world.data()).unwrap().count(), 0, "no board, no lock, no log");
}

#[test]
fn without_git_or_with_an_old_one_it_says_which_is_needed() {
    let world = World::new();
    world.install("git", "echo git version 2.30.1");
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(1));
    assert_check(&checks, "git", "error", "is git 2.30.1, but Draft needs 2.38.0");
    fs::remove_file(world.folder().join("bin/git")).unwrap();
    assert_check(&world.doctor(&[]).0, "git", "error", "could not find `git`");
}

#[test]
fn what_the_shell_lacks_for_a_landing_is_named() {
    let world = World::new();
    for program in ["mkfifo", "rm"] {
        fs::remove_file(world.folder().join("bin").join(program)).unwrap();
    }
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(0));
    assert_check(&checks, "shell", "warning", "not found: mkfifo, rm; so nothing lands");
}

#[test]
fn agents_say_their_version_and_one_that_fails_or_hangs_is_told() {
    let world = World::new();
    let claude = |signed_in: u32| {
        world.install("claude", &format!("[ \"$1\" = auth ] && exit {signed_in}; echo '2.1.7 (Claude Code)'"));
    };
    claude(0);
    world.install("codex", "echo broken >&2; exit 3");
    world.install("aider", "exec sleep 600");
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(0));
    assert_check(&checks, "agent claude", "ok", "2.1.7 (Claude Code) at ");
    assert_check(&checks, "agent codex", "warning", "exit status: 3: broken");
    assert_check(&checks, "agent aider", "warning", "said nothing for 10 s");
    world.assert_nothing_left();
    fs::remove_file(world.folder().join("bin/aider")).unwrap();
    claude(1);
    assert_check(&world.doctor(&[]).0, "agent claude", "warning", "nobody is signed in (`claude auth status` says so)");
    fs::remove_file(world.folder().join("bin/claude")).unwrap();
    assert_check(&world.doctor(&[]).0, "agent claude", "warning", "tickets that name no agent ask for it");
}

#[test]
fn a_data_directory_that_others_can_read_is_made_yours_and_one_that_cannot_be_is_an_error() {
    let world = World::new();
    fs::set_permissions(world.data(), Permissions::from_mode(0o755)).unwrap();
    assert_check(&world.doctor(&[]).0, "data directory", "warning", "mode 755");
    let (checks, _) = world.doctor(&["--fix"]);
    assert_eq!(of(&checks, "data directory").mended, Some(true));
    assert_eq!(fs::metadata(world.data()).unwrap().permissions().mode() & 0o777, 0o700);

    fs::remove_dir(world.data()).unwrap();
    fs::write(world.data(), "a file").unwrap();
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(1));
    assert_check(&checks, "data directory", "error", "is no folder");
    // One that is not there yet is as good as the nearest folder above it.
    let (checks, code) = world.doctor(&["--data-dir", "../data/deep/er"]);
    assert_eq!(code, Some(1));
    assert_check(&checks, "data directory", "error", "data: it is no folder");
    let (checks, _) = world.doctor(&["--data-dir", "../new/er"]);
    assert_check(&checks, "data directory", "ok", "it is made on first use");
    assert!(!world.folder().join("new").exists(), "a look makes nothing");
}

#[test]
fn a_damaged_database_is_an_error_and_stays_as_it_is() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    let file = world.data().join("draft.db");
    let db = rusqlite::Connection::open(&file).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    let mut bytes = fs::read(&file).unwrap();
    let size = bytes.len();
    bytes[8192..size - 8192].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    let (checks, code) = world.doctor(&["--fix"]);
    assert_eq!(code, Some(1));
    assert_check(&checks, "database", "error", "damaged");
    assert_check(&checks, "leftovers", "error", "could not be looked for");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn mistakes_in_the_configuration_come_with_their_places_and_trust_is_asked_for() {
    let world = World::new();
    world.write("draft.yaml", "verify_config:\n  commands: [make test]\n");
    assert_check(&world.doctor(&[]).0, "trust", "warning", "you have not trusted its present form");
    world.write("draft.yaml", "verify_config:\n  comands: [make test]\nexecute_config:\n  timeout: soon\n");
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(1));
    let wrong: Vec<&str> =
        checks.iter().filter(|one| one.name == "configuration").map(|one| one.message.as_str()).collect();
    assert_eq!(wrong.len(), 2, "{checks:#?}");
    assert!(wrong[0].contains("draft.yaml:2:3:") && wrong[1].contains("draft.yaml:4:"), "{wrong:#?}");
}

#[test]
fn a_base_branch_that_is_gone_and_hooks_that_do_not_run_are_told() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    world.git(&["branch", "--move", "main", "trunk"]);
    world.write(".git/hooks/pre-commit", "#!/bin/sh\n");
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(1));
    assert_check(&checks, "repository", "error", "no branch `main`");
    assert_check(&checks, "hooks", "warning", "pre-commit");
}

#[test]
fn refs_that_draft_cannot_read_are_told_at_once_with_the_way_out() {
    let world = World::bare();
    if !world.run("git", &["init", "--quiet", "--ref-format=reftable"]).status.success() {
        eprintln!("skipped: this git has no reftable");
        return;
    }
    world.write("README.md", "# A sample\n");
    world.commit("first");
    let says =
        "as a reftable, which Draft cannot read yet; with git 2.48 or newer `git refs migrate --ref-format=files`";
    let (checks, code) = world.doctor(&[]);
    assert_eq!(code, Some(1));
    assert_check(&checks, "repository", "error", says);
    let refused = world.draft(&["ticket", "add", "First"]).exits(3);
    assert!(refused.complaint().contains(says), "{refused:?}");
    assert_eq!(fs::read_dir(world.data()).unwrap().count(), 0, "no board was made");
}

#[test]
fn an_engine_that_runs_is_named_with_its_process() {
    let world = demo_world();
    world.draft(&["trust"]).ok();
    world.draft(&["ticket", "add", "First", "--state", "planned", "--description", "[[say here]] [[hang]]"]).ok();
    let engine = world.draft_in_background(&["run"]);
    engine.until_printed("started");
    let (checks, _) = world.doctor(&[]);
    assert_check(&checks, "engine", "ok", &format!("process {} is that of board", engine.pid()));
    engine.kill_9();
    assert_check(&world.doctor(&[]).0, "engine", "ok", "none runs");
}

#[test]
fn a_ticket_shows_what_it_holds_while_it_runs_and_afterwards() {
    let world = demo_world();
    world.draft(&["trust"]).ok();
    let script = "[[write hello.txt hi]] [[run touch ready; sleep 0.2]] [[until go]]";
    world.draft(&["ticket", "add", "First", "--state", "planned", "--description", script]).ok();
    let engine = world.draft_in_background(&["run"]);
    let holds = || world.draft(&["ticket", "show", "1", "--json"]).ok().json()["holds"].clone();
    let worktree = crate::support::until_some("its agent is at work", || {
        let path = holds()["worktree"]["path"].as_str()?.to_owned();
        std::path::Path::new(&path).join("ready").exists().then_some(path)
    });
    let now = holds();
    let (run, process) = (&now["runs"][0], &now["processes"][0]);
    assert!(run["supervisor"].as_i64().is_some() && process["pid"].as_i64().is_some(), "{now:#}");
    assert!(process["command"].as_str().unwrap().contains("demo-agent"), "{now:#}");
    assert_ne!(run["supervisor"], process["pid"]);
    let text = world.draft(&["ticket", "show", "1"]).ok().text();
    assert!(text.contains("\nholds\n  worktree   /") && text.contains("  supervisor "), "{text}");

    fs::write(std::path::Path::new(&worktree).join("go"), "").unwrap();
    engine.wait().ok();
    let then = holds();
    assert_eq!((&then["worktree"]["exists"], &then["worktree"]["path"]), (&true.into(), &worktree.as_str().into()));
    assert_eq!(then["branch"]["head"], world.git(&["rev-parse", "draft/1-first"]));
    assert_eq!((then["processes"].as_array().unwrap().len(), then["runs"].as_array().unwrap().len()), (0, 2));
    assert!(then["refs"][0].as_str().unwrap().starts_with("refs/draft/revisions/"));
    assert!(then["disk"]["bytes"].as_u64().unwrap() > 4096 && then["disk"]["is_whole"] == true, "{then:#}");
}

#[test]
fn a_terminal_that_is_too_small_is_told() {
    let world = World::new();
    for (size, says) in [
        (Size::new(39, 30), "39×30 is too small"),
        (Size::new(80, 9), "80×9 is too small"),
        (Size::new(80, 24), "80×24, xterm-256color"),
    ] {
        let mut pty = world.draft_in_terminal(size, &["doctor"]);
        pty.wait_exit();
        // It may have scrolled away.
        let told = String::from_utf8_lossy(&pty.bytes()).into_owned();
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn a_limit_on_processes_that_builds_exceed_is_told() {
    let world = World::new();
    let ask = |limit: &str| {
        let script = format!("ulimit -u {limit} && '{}' doctor --json", super::DRAFT);
        let said = world.run("bash", &["-c", &script]).ok().json();
        let checks = said["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "process limit").unwrap()
    };
    let low = ask("900");
    assert_eq!(low["status"], "warning", "{low}");
    assert!(low["message"].as_str().unwrap().contains("900 processes"), "{low}");
    assert!(low["fix"].as_str().unwrap().contains("ulimit -u 1024"), "{low}");
    assert_eq!(ask("2000")["status"], "ok");
}

#[test]
fn a_work_tree_that_a_killed_landing_left_is_said_to_be_one_and_removed() {
    let world = demo_world();
    world.draft(&["ticket", "list"]).ok();
    let boards = world.draft(&["board", "list", "--json"]).ok().json();
    let board = boards["boards"][0]["id"].as_str().unwrap();
    let left = world.data().join("landings").join(board).join("01900000-0000-7000-8000-000000000001");
    world.git(&["worktree", "add", "--quiet", "--detach", left.to_str().unwrap()]);
    let strays = world.strays();
    assert_eq!(strays.len(), 1, "{strays:#?}");
    assert!(strays[0].message.contains("and that job is over"), "{strays:#?}");
    let mended = world.mend();
    assert_eq!(mended.iter().map(|check| check.mended).collect::<Vec<_>>(), [Some(true)], "{mended:#?}");
    assert!(!left.exists());
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}
