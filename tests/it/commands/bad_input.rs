//! Odd places, odd names and full or locked disks: every command says what is wrong, and none panics or writes in part.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use super::{DRAFT, error_of};
use crate::support::World;
use crate::support::running::Outcome;

/// One call of every command that wants a board, with nothing that is there.
const COMMANDS: &[&str] = &[
    "ticket list",
    "ticket add A",
    "ticket show 1",
    "ticket edit 1 --title x",
    "ticket move 1 planned",
    "ticket place 1 --above 2",
    "ticket remove 1",
    "ticket tell 1 hello",
    "goal list",
    "goal add A",
    "goal show A",
    "goal edit A --title x",
    "goal remove A",
    "run",
    "verify 1",
    "resume 1",
    "cancel 1",
    "planner status",
    "log 1",
    "diff 1",
    "trash",
    "restore 1",
    "watch",
    "export",
    "import missing.json",
];

fn words(command: &str) -> Vec<&str> {
    command.split(' ').chain(["--json"]).collect()
}

#[track_caller]
fn assert_whole(command: &str, outcome: &Outcome) -> (String, String) {
    assert!(!outcome.complaint().contains("panicked"), "{command}: {outcome:?}");
    assert_eq!(outcome.text(), "", "{command}");
    let (code, message, _) = error_of(outcome);
    assert!(!message.is_empty(), "{command}");
    (code, message)
}

#[test]
fn every_command_says_what_kind_of_place_this_is() {
    for (make, says) in [
        (&[][..], "is not in a git repository"),
        (&["init", "--quiet"], "has no commit yet"),
        (&["init", "--quiet", "--bare"], "is a bare repository"),
    ] {
        let world = World::bare();
        if !make.is_empty() {
            world.git(make);
        }
        for command in COMMANDS.iter().filter(|command| !command.starts_with("import")) {
            let (code, message) = assert_whole(command, &world.draft(&words(command)).exits(3));
            assert!(code == "no_repository" && message.contains(says), "{command}: {code}: {message}");
        }
        assert!(!world.data().join("draft.db").exists());
    }
}

#[test]
fn every_command_names_what_is_not_there() {
    let world = World::new();
    for command in COMMANDS.iter().filter(|command| command.contains(" 1") || command.contains("goal show A")) {
        let (code, message) = assert_whole(command, &world.draft(&words(command)).exits(2));
        let known = ["unknown_ticket", "unknown_goal", "not_in_trash"].contains(&code.as_str());
        assert!(known && (message.contains("#1") || message.contains('`')), "{command}: {code}: {message}");
    }
}

#[test]
fn a_repository_may_have_any_name() {
    let world = World::new();
    for name in [&b"with blank"[..], b"with\nline end", b"not utf-8 \xff\xfe", b"-dash", b"\xe2\x80\xae turned"] {
        let odd = world.folder().join(OsStr::from_bytes(name));
        fs::create_dir(&odd).unwrap();
        let draft = |args: &[&str]| {
            let mut command = world.command(DRAFT);
            world.start(command.args(args).current_dir(&odd)).wait()
        };
        let git = |args: &[&str]| {
            let mut command = world.command("git");
            world.start(command.args(args).current_dir(&odd)).wait().ok();
        };
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
        draft(&["ticket", "add", "First"]).ok();
        let text = draft(&["ticket", "show", "1"]).ok();
        assert!(text.text().contains("First"));
        let listed = draft(&["board", "list"]).ok().text();
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!listed.contains(acts) && listed.lines().count() % 2 == 0, "{listed:?}");
        assert_eq!(draft(&["export", "--json"]).ok().json()["tickets"][0]["title"], "First");
    }
}

#[test]
fn arguments_that_are_not_utf_8_are_refused_or_are_paths() {
    let world = World::new();
    let odd = OsStr::from_bytes(b"odd \xff");
    let mut command = world.command(DRAFT);
    let refused = world.start(command.args(["ticket", "add"]).arg(odd)).wait().exits(2);
    assert!(refused.complaint().contains("invalid UTF-8"), "{refused:?}");
    let mut command = world.command(DRAFT);
    let missing = world.start(command.args(["import"]).arg(odd)).wait().exits(2);
    assert!(missing.complaint().starts_with("draft: could not read odd \u{fffd}: "), "{missing:?}");
    let mut command = world.command(DRAFT);
    world.start(command.args(["export"]).arg(odd)).wait().ok();
    assert!(world.repo().join(odd).exists());
}

#[test]
fn a_data_folder_that_cannot_be_written_is_said() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    // Root writes everywhere, so a file stands where a folder is needed, and a folder where the database is.
    let refused = world.draft(&["ticket", "list", "--json", "--data-dir", "/proc/draft"]).exits(3);
    let (code, message) = assert_whole("ticket list", &refused);
    assert!(code == "io" && message.contains("could not make the folder /proc/draft"), "{code}: {message}");
    fs::create_dir_all(world.folder().join("other/draft.db")).unwrap();
    let refused = world.draft(&["ticket", "list", "--json", "--data-dir", "../other"]).exits(3);
    assert_eq!(assert_whole("ticket list", &refused).0, "database");
    if rustix::process::geteuid().is_root() {
        return;
    }
    fs::set_permissions(world.data(), fs::Permissions::from_mode(0o500)).unwrap();
    let refused = world.draft(&["ticket", "add", "B", "--json"]).exits(3);
    assert!(["io", "database"].contains(&assert_whole("ticket add", &refused).0.as_str()));
    fs::set_permissions(world.data(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_disk_that_is_full_is_said_and_nothing_is_lost() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    let long = "x".repeat(1 << 20);
    world.write("long.txt", &long);
    // No file may grow beyond this, as on a disk without room. The signal for it is ignored, as there.
    let limited = |args: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 64; '{DRAFT}' {args}");
        world.run("bash", &["-c", &script])
    };
    let refused = limited("ticket add Second --description - --json <long.txt").exits(3);
    let (code, message) = assert_whole("ticket add", &refused);
    assert!(code == "failed" && message.contains("it could not be saved"), "{code}: {message}");
    let titles = |world: &World| {
        let listing = world.draft(&["ticket", "list", "--json"]).ok().json();
        listing["tickets"].as_array().unwrap().iter().map(|one| one["title"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(titles(&world), ["First"]);
    world.draft(&["ticket", "edit", "1", "--description", &"y".repeat(100_000)]).ok();
    let refused = limited("export board.json --json").exits(3);
    let (code, message) = assert_whole("export", &refused);
    assert!(code == "io" && message.contains("could not write board.json"), "{code}: {message}");
    assert!(!world.repo().join("board.json").exists() && fs::read_dir(world.repo()).unwrap().count() == 3);
    world.draft(&["ticket", "add", "Second"]).ok();
    assert_eq!(titles(&world), ["First", "Second"]);
}
