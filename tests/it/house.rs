//! The house itself: that a world is sealed, that its terminal is a terminal, and that nothing survives it.

use std::process::Command;

use rustix::process::Signal;

use crate::support::{Size, World, until, until_some};

#[test]
fn a_world_has_a_repository_with_a_commit() {
    let world = World::new();
    world.write("src/a.txt", "one\n");
    world.commit("second");
    assert_eq!(world.git(&["log", "--format=%s %an", "main"]), "second Tester\nfirst Tester");
    assert_eq!(world.read("src/a.txt"), "one\n");
}

#[test]
fn a_program_of_a_world_sees_nothing_of_the_machine_around_it() {
    let world = World::bare();
    world.install("an-agent", "echo works in $(pwd)");
    let seen = world.run("env", &[]).ok().text();
    let folder = world.folder().to_str().unwrap();
    for line in seen.lines().filter(|line| line.contains('/')) {
        let (name, value) = line.split_once('=').unwrap();
        assert!(value.starts_with(folder) || name == "SHELL", "{line}");
    }
    for (name, value) in [("HOME", world.home()), ("DRAFT_DATA_DIR", world.data())] {
        assert!(seen.contains(&format!("{name}={}\n", value.display())), "{name}");
    }
    assert_eq!(world.run("an-agent", &[]).ok().text(), format!("works in {}\n", world.repo().display()));
    assert_eq!(world.run("sh", &["-c", "command -v claude"]).exits(127).text(), "");
}

#[test]
fn draft_starts_in_each_of_the_ways_in_which_tests_start_it() {
    let world = World::new();
    world.draft(&["--version"]).ok();
    world.draft_in_background(&["--version"]).wait().ok();
    let mut pty = world.draft_in_terminal(Size::new(80, 24), &["--version"]);
    assert!(pty.wait_exit().success(), "{}", pty.screen());
    pty.assert_restored();
    assert_eq!(world.git(&["status", "--porcelain"]), "", "a question changes nothing");
    world.assert_nothing_left();
}

#[test]
fn a_result_is_whole_and_says_everything_when_it_is_not_as_demanded() {
    let world = World::bare();
    let outcome = world.run("sh", &["-c", r#"printf '{"a":1}\n{"a":2}\n'; echo oh >&2; exit 3"#]).exits(3);
    assert_eq!(outcome.json_lines()[1]["a"], 2);
    assert_eq!(outcome.complaint(), "oh\n");
    assert_eq!(world.run("echo", &["[1]"]).ok().json()[0], 1);
    let refused = std::panic::catch_unwind(move || outcome.ok());
    let message = *refused.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("oh\n") && message.contains("sh -c printf"), "{message}");
}

#[test]
fn a_program_in_the_background_can_be_watched_signaled_and_killed() {
    let world = World::bare();
    let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let polite = world.start(world.command("sh").args(["-c", script]));
    polite.until_printed("ready");
    polite.signal(Signal::TERM);
    assert_eq!(polite.wait().exits(7).text(), "ready\nbye\n");
    let killed = world.start(world.command("sh").args(["-c", script]));
    killed.until_printed("ready");
    assert_eq!(killed.kill_9().status.code(), None);
    world.assert_nothing_left();
}

#[test]
fn processes_are_found_by_mark_or_by_folder_and_do_not_outlive_their_world() {
    let world = World::bare();
    // One hides from its parent and group but keeps the mark, one throws the mark away but stays in the folder.
    world.run("sh", &["-c", "setsid sleep 1000 & (cd / && setsid sleep 1001) & env -i /bin/sleep 1002 &"]).ok();
    let processes = until_some("three are there", || {
        let processes = world.processes();
        (processes.iter().filter(|process| process.command.contains("sleep 100")).count() == 3).then_some(processes)
    });
    drop(world);
    for process in processes {
        until("it is gone", || {
            let alive = Command::new("kill").args(["-0", &process.pid.to_string()]).output().unwrap().status.success();
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid)).unwrap_or_default();
            !alive || stat.contains(") Z ")
        });
    }
}

#[test]
fn a_terminal_shows_what_a_program_draws_and_takes_keys() {
    let world = World::bare();
    let script =
        r#"stty size; printf '\033]2;a title\007'; printf 'name? '; read name; echo "hello $name"; read -r k; exit 4"#;
    let mut pty = world.in_terminal(Size::new(60, 12), "sh", &["-c", script]);
    pty.until("the size and the question are shown", |screen| screen.starts_with("12 60\nname?"));
    assert_eq!(pty.title(), "a title");
    pty.keys("Ada<lt>3<enter>");
    pty.until_shows("hello Ada<3");
    pty.keys("<enter>");
    assert_eq!(pty.wait_exit().exit_code(), 4);
    pty.assert_restored();
    assert!(pty.screen().contains("hello Ada<3"), "what was shown stays readable");
    world.assert_nothing_left();
}

#[test]
fn a_terminal_tells_its_program_of_a_new_size() {
    let world = World::bare();
    let script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done";
    let mut pty = world.in_terminal(Size::new(80, 24), "sh", &["-c", script]);
    pty.until_shows("ready");
    pty.resize(Size::new(40, 10));
    pty.until_shows("10 40");
    pty.kill_9();
    world.assert_nothing_left();
}

#[test]
fn a_terminal_answers_when_it_is_asked() {
    let world = World::bare();
    let script = r"stty -icanon -echo; printf 'ab\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c; stty icanon echo";
    let mut pty = world.in_terminal(Size::new(80, 24), "sh", &["-c", script]);
    pty.until("the answer came", |screen| screen.contains("033   [   1   ;   3   R"));
    pty.wait_exit();
}

#[test]
fn a_paste_comes_in_brackets_where_the_program_asked_for_them() {
    let world = World::bare();
    let script = r"stty -icanon -echo; printf 'plain\n'; dd bs=1 count=2 2>/dev/null | od -An -c; printf '\033[?2004hbrackets\n'
        dd bs=1 count=14 2>/dev/null | od -An -c; printf '\033[?2004l'; stty icanon echo";
    let mut pty = world.in_terminal(Size::new(80, 24), "sh", &["-c", script]);
    pty.until_shows("plain");
    pty.paste("hi");
    pty.until_shows("brackets");
    pty.paste("hi");
    pty.wait_exit();
    pty.assert_restored();
    assert!(pty.screen().contains("033   [   2   0   0   ~   h   i 033   [   2   0   1   ~"), "{}", pty.screen());
    assert!(pty.bytes().windows(8).any(|bytes| bytes == b"\x1b[?2004h"));
}

#[test]
fn a_terminal_that_is_left_in_disorder_is_noticed() {
    let world = World::bare();
    let script = r"printf '\033[?1049h\033[?25l\033[?2004h\033[?1003h\033[?1004h\033[>1u'; stty -echo";
    let mut pty = world.in_terminal(Size::new(80, 24), "sh", &["-c", script]);
    pty.wait_exit();
    let check = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pty.assert_restored()));
    let message = *check.unwrap_err().downcast::<String>().unwrap();
    for what in ["alternate screen", "cursor", "bracketed paste", "mouse", "focus", "keyboard", "echo"] {
        assert!(message.contains(what), "{what} is missing: {message}");
    }
}

#[test]
fn waiting_in_vain_for_a_closed_terminal_fails_at_once_and_shows_the_screen() {
    let world = World::bare();
    let mut pty = world.in_terminal(Size::new(30, 3), "echo", &["only this"]);
    pty.wait_exit();
    let wait = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pty.until_shows("more")));
    let message = *wait.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("shows `more`") && message.contains("│only this"), "{message}");
}
