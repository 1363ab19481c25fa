//! The demo agent from outside: scripts in, and what it prints, writes and commits.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::*;
use crate::demo::sample;

/// What a run printed, line by line, and its exit code.
struct Told {
    code: u8,
    bytes: Vec<u8>,
}

impl Told {
    fn events(&self) -> Vec<Value> {
        self.bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| line.starts_with(b"{"))
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }

    fn last(&self) -> Value {
        self.events().pop().expect("at least one event")
    }

    fn blocks(&self, kind: &str) -> Vec<Value> {
        let events = self.events();
        let contents = events.iter().filter_map(|event| event["message"]["content"].as_array());
        contents.flatten().filter(|block| block["type"] == kind).cloned().collect()
    }
}

fn work(dir: &Path, prompt: &str) -> Told {
    let work = Work {
        prompt: prompt.to_owned(),
        session: "s-1".to_owned(),
        dir: dir.to_owned(),
        program: "/bin/false".into(),
        pause: Pause::None,
    };
    let mut bytes = Vec::new();
    let code = work.run(&mut bytes).unwrap();
    Told { code, bytes }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_script_edits_files_in_order_and_ends_with_what_it_said_last() {
    let dir = folder();
    let prompt = "# Task: t\n[[think hm]][[write a/b.txt one\\n]] [[append a/b.txt two\\n]]\n[[edit a/b.txt one => 1]]\
                  [[write gone.txt x]][[delete gone.txt]][[say done]]";
    let told = work(dir.path(), prompt);
    assert_eq!(told.code, 0);
    assert_eq!(fs::read_to_string(dir.path().join("a/b.txt")).unwrap(), "1\ntwo\n");
    assert!(!dir.path().join("gone.txt").exists());
    let tools: Vec<_> = told.blocks("tool_use").iter().map(|block| block["name"].clone()).collect();
    assert_eq!(tools, ["Write", "Write", "Edit", "Write", "Bash"]);
    assert!(told.blocks("tool_result").iter().all(|block| block["is_error"] == false));
    assert_eq!(told.blocks("thinking")[0]["thinking"], "hm");
    let end = told.last();
    assert_eq!((&end["type"], &end["is_error"], &end["result"]), (&"result".into(), &false.into(), &"done".into()));
    assert!(end["usage"]["input_tokens"].as_u64().unwrap() > 0 && end["total_cost_usd"].as_f64().unwrap() < 0.1);
}

#[test]
fn every_event_names_the_session_and_the_first_says_where_it_works() {
    let dir = folder();
    let told = work(dir.path(), "[[say a]] [[run true]]");
    assert!(told.events().iter().all(|event| event["session_id"] == "s-1"));
    let init = &told.events()[0];
    assert_eq!((&init["type"], &init["subtype"]), (&"system".into(), &"init".into()));
    assert_eq!(init["cwd"].as_str(), dir.path().to_str());
    let told = work(dir.path(), "[[say a]] [[session other]]");
    assert_eq!(told.events()[0]["session_id"], "other");
}

#[test]
fn a_command_is_real_and_shows_its_exit_code() {
    let told = work(folder().path(), "[[run echo out; echo err >&2; exit 3]] [[run pwd]]");
    let results = told.blocks("tool_result");
    assert_eq!(results[0]["content"], "Exit code 3\nout\nerr");
    assert_eq!(results[0]["is_error"], true);
    assert_eq!(told.code, 0, "a command that fails is not the agent's failure");
}

#[test]
fn a_commit_has_an_identity_of_its_own() {
    let dir = folder();
    let told =
        work(dir.path(), "[[run git init -q]][[write a.txt x]][[commit it's there]][[run git log --format=%an/%s]]");
    assert_eq!(told.blocks("tool_result")[3]["content"], "Draft demo agent/it's there");
}

#[test]
fn a_script_that_cannot_be_followed_fails_and_says_why() {
    let dir = folder();
    for (prompt, why) in [
        ("[[edit missing.txt a => b]]", "could not read"),
        ("[[write a.txt x]][[edit a.txt absent => b]]", "is not in"),
        ("[[delete missing.txt]]", "could not delete"),
        ("[[say x]][[typo]]", "there is no directive `typo`"),
        ("[[wait soon]]", "[[wait SECONDS]]"),
    ] {
        let told = work(dir.path(), prompt);
        let end = told.last();
        assert_eq!((told.code, &end["is_error"]), (1, &true.into()), "{prompt}");
        assert!(end["result"].as_str().unwrap().contains(why), "{prompt}: {end}");
    }
}

#[test]
fn failures_and_exits_have_the_code_that_was_asked_for() {
    let dir = folder();
    let failed = work(dir.path(), "[[say the model is gone]] [[fail 7]] [[write after.txt x]]");
    assert_eq!((failed.code, failed.last()["result"].as_str().unwrap()), (7, "the model is gone"));
    assert_eq!(failed.last()["subtype"], "error_during_execution");
    let gone = work(dir.path(), "[[say bye]] [[exit 5]]");
    assert_eq!((gone.code, gone.last()["type"].as_str().unwrap()), (5, "assistant"));
    assert!(!dir.path().join("after.txt").exists());
}

#[test]
fn questions_refusals_and_retries_look_like_a_real_agents() {
    let dir = folder();
    assert_eq!(work(dir.path(), "[[ask Which one]]").last()["result"], "Which one?");
    let denied = work(dir.path(), "[[denied Write]]").last();
    assert_eq!((&denied["is_error"], &denied["permission_denials"][0]["tool_name"]), (&false.into(), &"Write".into()));
    let told = work(dir.path(), "[[retry 3]]");
    let attempts: Vec<_> = told.events().iter().filter_map(|event| event["attempt"].as_u64()).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "none of them changes anything");
}

#[test]
fn broken_output_is_broken_as_announced() {
    let dir = folder();
    let cut = work(dir.path(), "[[truncate]]");
    assert_eq!((cut.code, cut.bytes.ends_with(b"\n")), (0, false));
    assert!(std::str::from_utf8(&work(dir.path(), "[[half]]").bytes).is_err());
    assert!(work(dir.path(), "[[escape]]").bytes.windows(4).any(|four| four == b"\x1b[2J"));
    assert!(work(dir.path(), "[[binary]]").bytes.contains(&0));
    let flood = work(dir.path(), "[[lines 1000]] [[rate 3/1000]]");
    let lines: Vec<_> = flood.bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line[0] == b'L').collect();
    assert_eq!(lines.len(), 1003);
    assert!(lines.iter().all(|line| line.len() == 100));
    assert!(lines[999].starts_with(b"L000001000 "));
}

#[test]
fn something_done_once_is_not_done_by_the_next_attempt() {
    let dir = folder();
    let prompt = "[[once marker fail 3]] [[say second]]";
    assert_eq!(work(dir.path(), prompt).code, 3);
    assert_eq!(work(dir.path(), prompt).code, 0);
}

#[test]
fn a_ticket_that_it_does_not_know_gets_an_honest_note() {
    let dir = folder();
    let told = work(dir.path(), "# Task: Port it to Über-Rust!\n\nDo it.\n");
    let note = fs::read_to_string(dir.path().join("notes/port-it-to-ber-rust.md")).unwrap();
    assert!(note.starts_with("# Port it to Über-Rust!\n") && note.contains("cannot program"));
    assert!(told.last()["result"].as_str().unwrap().contains("cannot really program"));
}

#[test]
fn a_known_title_in_another_repository_gets_a_note_too() {
    let dir = folder();
    let title = &sample::sample().tickets[0].title;
    work(dir.path(), &prompt_for(title));
    assert!(dir.path().join("notes").is_dir());
}

#[test]
fn what_is_mended_already_is_left_alone() {
    let dir = folder();
    let repo = dir.path().join("s");
    let prompt = prompt_for(&sample::make(&repo).unwrap().tickets[0].title);
    work(&repo, &prompt);
    let before = files(&repo);
    assert!(work(&repo, &prompt).last()["result"].as_str().unwrap().contains("already"));
    assert_eq!(files(&repo), before);
}

#[test]
fn the_title_is_the_first_heading_however_the_bundle_words_it() {
    for (prompt, expected) in [
        ("# Task: Guard sqrt\n\n## Description\nx", "Guard sqrt"),
        ("intro\n\n## TICKET : Guard: sqrt", "Guard: sqrt"),
        ("# Guard sqrt", "Guard sqrt"),
        ("# Fix: the rest", "Fix: the rest"),
        ("Guard sqrt\nmore", "Guard sqrt"),
        ("  \n", "untitled"),
    ] {
        assert_eq!(title(prompt), expected, "{prompt:?}");
    }
    assert_eq!(slug("…"), "note");
    assert_eq!(slug(&"word ".repeat(40)).len(), 59);
}

#[test]
fn each_ticket_of_the_sample_is_done_as_its_story_says() {
    let dir = folder();
    for ticket in sample::sample().tickets {
        let repo = dir.path().join(slug(&ticket.title));
        sample::make(&repo).unwrap();
        // What it waits for has landed before it starts.
        for earlier in &ticket.after {
            work(&repo, &prompt_for(&sample::sample().tickets[*earlier].title));
        }
        let prompt = prompt_for(&ticket.title);
        let before = files(&repo);
        let told = work(&repo, &prompt);
        assert_eq!(told.code, 0, "{}", told.last());
        match ticket.title.as_str() {
            "Round prices instead of cutting them" => {
                assert!(told.last()["result"].as_str().unwrap().ends_with('?'));
                assert_eq!(files(&repo), before, "a question changes nothing");
                let question = told.last()["result"].as_str().unwrap().to_owned();
                work(&repo, &format!("{prompt}\nYou asked: {question}\nAnswer: half-even, please"));
                assert!(fs::read_to_string(repo.join("lib/round.sh")).unwrap().contains("units % 2"));
            }
            "Survive a percentage of nothing" => {
                assert!(!passes(&repo, &ticket.verify), "the first attempt is wrong on purpose");
                work(&repo, &prompt);
            }
            _ => assert_ne!(files(&repo), before),
        }
        assert!(passes(&repo, &ticket.verify), "{}", ticket.title);
        assert!(passes(&repo, &["sh tests/syntax.sh".to_owned(), "sh tests/run.sh".to_owned()]), "{}", ticket.title);
    }
}

#[test]
fn the_sample_is_green_before_anything_is_mended_and_no_ticket_passes_its_checks_yet() {
    let dir = folder();
    let sample = sample::make(&dir.path().join("s")).unwrap();
    let repo = dir.path().join("s");
    assert!(passes(&repo, &["sh tests/syntax.sh".to_owned(), "sh tests/run.sh".to_owned()]));
    for ticket in &sample.tickets {
        assert!(!passes(&repo, &ticket.verify), "{}", ticket.title);
    }
}

#[test]
fn a_ticket_that_waits_fails_without_what_it_waits_for() {
    let dir = folder();
    let repo = dir.path().join("s");
    let sample = sample::make(&repo).unwrap();
    let ticket = sample.tickets.iter().find(|ticket| !ticket.after.is_empty()).unwrap();
    work(&repo, &prompt_for(&ticket.title));
    assert!(!passes(&repo, &ticket.verify));
}

fn prompt_for(title: &str) -> String {
    format!("# Task: {title}\n\n## Constraints\nKeep edits small.\n")
}

fn passes(repo: &Path, checks: &[String]) -> bool {
    checks.iter().all(|check| {
        let words = shlex::split(check).unwrap();
        Command::new(&words[0]).args(&words[1..]).current_dir(repo).output().unwrap().status.success()
    })
}

fn files(repo: &Path) -> String {
    let output = Command::new("git").args(["status", "--porcelain"]).current_dir(repo).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The test binary plays the program: a script in front of it turns `draft demo-agent ARGS` into the one test below.
fn spawn(dir: &Path, prompt: &str) -> Child {
    let stub = dir.join("draft");
    let me = std::env::current_exe().unwrap();
    let name = "demo::agent::tests::when_asked_to_the_test_binary_is_the_agent";
    let text = format!(
        "#!/bin/sh\nshift\nDRAFT_TEST_AGENT=\"$*\" exec '{}' --exact {name} --nocapture --test-threads=1\n",
        me.display()
    );
    // Another process opens it for writing: what other tests start now may inherit what this one has open, and such a
    // program cannot be started.
    let mut shell = Command::new("sh")
        .args(["-c", "cat >\"$0\" && chmod 755 \"$0\""])
        .arg(&stub)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
    let mut child = Command::new(&stub)
        .arg("demo-agent")
        .current_dir(dir)
        .env("DRAFT_TEST_PROGRAM", &stub)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(prompt.as_bytes()).unwrap();
    child
}

#[test]
fn when_asked_to_the_test_binary_is_the_agent() {
    let Ok(args) = std::env::var("DRAFT_TEST_AGENT") else { return };
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let options = Options::read(&args);
    if let Some(time) = options.daemon {
        program::live_apart(time);
        std::process::exit(0);
    }
    let mut prompt = String::new();
    io::stdin().read_to_string(&mut prompt).unwrap();
    let work = Work {
        prompt,
        session: "s-1".to_owned(),
        dir: std::env::current_dir().unwrap(),
        program: std::env::var_os("DRAFT_TEST_PROGRAM").unwrap().into(),
        pause: Pause::None,
    };
    std::process::exit(work.run(io::stdout()).unwrap().into());
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hanging_agent_dies_of_the_polite_signal_and_a_stubborn_one_only_of_the_hard_one() {
    use std::os::unix::process::ExitStatusExt;
    let dir = folder();
    let mut polite = spawn(dir.path(), "[[touch polite]] [[hang]]");
    wait_until("it hangs", || dir.path().join("polite").exists());
    signal(&polite, rustix::process::Signal::TERM);
    assert_eq!(polite.wait().unwrap().signal(), Some(15));

    let mut stubborn = spawn(dir.path(), "[[stubborn]] [[touch stubborn]] [[until go]] [[touch alive]] [[hang]]");
    wait_until("it is stubborn", || dir.path().join("stubborn").exists());
    signal(&stubborn, rustix::process::Signal::TERM);
    fs::write(dir.path().join("go"), "").unwrap();
    wait_until("it lives on", || dir.path().join("alive").exists());
    signal(&stubborn, rustix::process::Signal::KILL);
    assert_eq!(stubborn.wait().unwrap().signal(), Some(9));
}

#[test]
fn each_line_can_be_read_as_soon_as_it_is_printed() {
    let dir = folder();
    let mut child = spawn(dir.path(), "[[say first]] [[until go]] [[say second]]");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("first")), "the agent still waits here");
    fs::write(dir.path().join("go"), "").unwrap();
    assert!(lines.any(|line| line.contains("second")));
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_daemon_outlives_the_agent_in_a_session_of_its_own() {
    let dir = folder();
    let mut child = spawn(dir.path(), "[[daemon 30]] [[fork 30]] [[exit 4]]");
    assert_eq!(child.wait().unwrap().code(), Some(4));
    let agent = child.id().to_string();
    let mut found = Vec::new();
    wait_until("its daemon and its child are seen", || {
        found = descendants(dir.path());
        found.len() == 2 && found.iter().any(|(pid, session)| pid == session)
    });
    assert!(found.iter().any(|(pid, session)| pid != session && *pid != agent), "the child shares a session");
    for (pid, _) in found {
        let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
}

/// Returns pid and session of every live process that works in this folder.
fn descendants(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == dir) {
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
            found.push((entry.file_name().to_string_lossy().into_owned(), fields[3].to_owned()));
        }
    }
    found
}

#[test]
fn arguments_that_mean_nothing_here_are_passed_over() {
    let args = ["-p", "--model", "x", "--resume", "abc", "--verbose", "--fast"].map(str::to_owned);
    let expected = Options { session: Some("abc".into()), fast: true, daemon: None };
    assert_eq!(Options::read(&args), expected);
}
