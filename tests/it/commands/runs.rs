//! `draft run`, `trust`, `log` and `diff`, on tickets that the demo agent works on.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{assert_stable, error_of, planned, pretty};
use crate::support::{World, demo_world, demo_world_with, until};

/// What the demo agent is told in most tests: it leaves what the check looks for.
const HELLO: &str = "[[write hello.txt hi\\n]]";

/// Returns a JSON listing's newest job of a ticket.
fn newest_job(world: &World, ticket: &str) -> Value {
    let shown = world.draft(&["ticket", "show", ticket, "--json"]).ok().json();
    shown["jobs"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_repositorys_commands_run_only_after_they_were_trusted() {
    let world = demo_world();
    planned(&world, "Say hello", HELLO);
    let refused = world.draft(&["run", "--json"]).exits(2);
    let (code, _, hint) = error_of(&refused);
    assert_eq!(code, "not_trusted");
    assert!(hint.contains("draft trust"), "{hint}");
    assert_eq!(refused.text(), "");
    let state = |args: &[&str]| world.draft(&[&["trust", "--json"], args].concat()).ok().json();
    let would_run = json!(["verify_config.commands: test -f hello.txt", "verify_config.extra_allowed_commands: test"]);
    let shown = state(&["--show"]);
    assert_eq!([&shown["trusted"], &shown["repository"]], [&json!(false), &json!(world.repo())]);
    assert_eq!(shown["would_run"].as_array().unwrap()[..2], would_run.as_array().unwrap()[..]);
    assert_eq!(state(&[])["trusted"], true);
    assert_eq!(state(&["--show"])["trusted"], true);
    assert_eq!(state(&["--revoke"])["trusted"], false);
    world.draft(&["trust", "--show", "--revoke"]).exits(2);
    assert_stable(&world, "trust", &world.draft(&["trust"]).ok().text());
    world.draft(&["run"]).ok();
    world.write("draft.yaml", world.read("draft.yaml").replace("hello.txt", "other.txt"));
    assert_eq!(state(&["--show"])["trusted"], false, "what it would run differs now");
    world.assert_nothing_left();
}

#[test]
fn a_repository_that_runs_nothing_needs_no_trust() {
    let world = World::new();
    let said = world.draft(&["trust"]).ok().text();
    assert_eq!(said, format!("{}/draft.yaml would run nothing.\n", world.repo().display()));
    assert_eq!(world.draft(&["trust", "--json"]).ok().json()["trusted"], true);
}

#[test]
fn a_run_tells_each_step_and_ends_idle() {
    let world = demo_world_with(&["test -f hello.txt", "test -f other.txt"]);
    planned(&world, "Say both", "[[write hello.txt hi]][[write other.txt o]]");
    planned(&world, "Waits", HELLO);
    world.draft(&["ticket", "add", "Blocked by 1", "--after", "1", "--state", "planned"]).ok();
    let events = world.draft(&["run", "1", "--trust", "--json"]).ok().json_lines();
    assert_stable(&world, "run_events", &events.iter().map(pretty).collect::<Vec<_>>().join("\n"));
    let said = world.draft(&["run"]).exits(1).text();
    assert_stable(&world, "run_for_people", &said);
    assert_eq!(world.draft(&["run", "--quiet"]).ok().text(), "");
    assert_eq!(
        world.draft(&["run", "--json"]).ok().json_lines().last().unwrap(),
        &json!({"event":"idle","tickets":[]})
    );
    world.assert_nothing_left();
}

#[test]
fn a_run_ends_with_1_when_a_ticket_is_not_fine() {
    let world = demo_world();
    for (title, script) in [("Fails", "[[fail 3]]"), ("Changes nothing", "[[nothing]]"), ("Asks", "[[ask Which one?]]")]
    {
        planned(&world, title, script);
    }
    let events = world.draft(&["run", "--trust", "--json"]).exits(1).json_lines();
    let idle = events.last().unwrap();
    let ends: Vec<_> = idle["tickets"].as_array().unwrap().iter().map(|one| (&one["state"], &one["why"])).collect();
    let (blocked, failed) = (json!("blocked"), json!("failed"));
    assert_eq!(ends, [(&blocked, &failed), (&blocked, &failed), (&json!("needs_human"), &json!("question"))]);
    world.assert_nothing_left();
}

#[test]
fn nothing_starts_when_one_of_the_named_tickets_may_not_run() {
    let world = demo_world();
    planned(&world, "Fine", HELLO);
    world.draft(&["ticket", "add", "Only proposed"]).ok();
    world.draft(&["ticket", "add", "Waits", "--after", "1", "--state", "planned"]).ok();
    world.draft(&["trust"]).ok();
    for (name, code) in [("2", "illegal_move"), ("3", "waits_for_blocker"), ("9", "unknown_ticket")] {
        let refused = world.draft(&["run", "1", name, "--json"]).exits(2);
        assert_eq!(error_of(&refused).0, code);
        assert_eq!(refused.text(), "");
    }
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["jobs"], json!([]));
}

#[test]
fn the_first_interrupt_lets_running_jobs_end_and_the_second_stops_them() {
    let world = demo_world();
    let go = world.folder().join("go");
    planned(&world, "Waits for a file", &format!("[[say begun]][[until {}]]{HELLO}", go.display()));
    planned(&world, "Hangs", "[[say begun]][[hang]]");
    planned(&world, "Never starts", HELLO);
    world.draft(&["trust"]).ok();
    let one = world.draft_in_background(&["run", "--max-parallel", "1"]);
    one.until_printed("#1 planned → executing");
    one.signal(Signal::INT);
    until("the first interrupt is answered", || one.stderr().contains("nothing more starts"));
    fs::write(&go, "").unwrap();
    let said = one.wait().exits(1).text();
    assert!(said.contains("#1 executing → verifying") && !said.contains("#2 execute started"), "{said}");
    let two = world.draft_in_background(&["run", "2"]);
    two.until_printed("#2 execute started");
    two.signal(Signal::INT);
    until("the first interrupt is answered", || two.stderr().contains("nothing more starts"));
    two.signal(Signal::INT);
    let said = two.wait().exits(1).text();
    assert!(said.contains("#2 execute canceled"), "{said}");
    world.assert_nothing_left();
}

#[test]
fn a_run_that_waits_for_another_engine_takes_over_when_that_one_dies() {
    let world = demo_world();
    let go = world.folder().join("go");
    planned(&world, "Waits for a file", &format!("[[until {}]]{HELLO}", go.display()));
    let engine = world.draft_in_background(&["run", "1", "--trust"]);
    engine.until_printed("#1 planned → executing");
    let other = world.draft_in_background(&["run", "1"]);
    other.until_printed("#1 execute started");
    let log = world.data().join("logs/draft.log");
    let logged = |text: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
    let _ = engine.kill_9();
    until("the other one takes over", || logged("taking its place"));
    fs::write(&go, "").unwrap();
    let said = other.wait().ok().text();
    assert!(said.contains("#1 verifying → needs_human"), "{said}");
    world.assert_nothing_left();
}

#[test]
fn a_raw_log_is_byte_for_byte_what_was_printed() {
    let world = demo_world();
    planned(&world, "Strange output", &format!("[[binary]][[escape]][[stderr to\\nerr]][[half]]{HELLO}"));
    assert_eq!(error_of(&world.draft(&["log", "1", "--json"]).exits(2)).0, "no_log");
    world.draft(&["run", "--trust", "--quiet"]).ok();
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    let job = &shown["jobs"][0];
    let (id, run) = (job["id"].as_str().unwrap(), &job["runs"][0]);
    let file = |name: &str| fs::read(format!("{}/{name}", run["path"].as_str().unwrap())).unwrap();
    let raw = |args: &[&str]| world.draft(&[&["log", "1", "--raw", "--job", id], args].concat()).ok().stdout;
    assert!(file("stdout").contains(&0), "the output is strange indeed");
    assert_eq!(raw(&[]), file("stdout"));
    assert_eq!(raw(&["--stream", "stdout", "--run", "1"]), file("stdout"));
    assert_eq!(raw(&["--stream", "stderr"]), file("stderr"));
    assert_eq!(job["log_path"], json!(format!("{}/stdout", run["path"].as_str().unwrap())));
    let entries = world.draft(&["log", "1", "--json", "--job", id]).ok().json_lines();
    for entry in &entries {
        assert!(entry["kind"].is_string() && entry["text"].is_string() && entry["run"] == 1, "{entry}");
        assert!(entry["at"].is_string(), "{entry}");
    }
    assert!(entries.iter().any(|entry| entry["kind"] == "session" && entry["session"] == job["session"]));
    assert!(entries.iter().any(|entry| entry["tokens"].as_u64() > Some(0)));
    assert_eq!(error_of(&world.draft(&["log", "1", "--run", "9", "--json"]).exits(2)).0, "unknown_run");
    assert_eq!(error_of(&world.draft(&["log", "1", "--job", "9", "--json"]).exits(2)).0, "unknown_job");
}

#[test]
fn a_followed_log_goes_on_to_the_last_run_of_its_job() {
    let go = "until [ -e ../../../../go ]; do sleep 0.01; done";
    let world = demo_world_with(&["cat hello.txt", "sh wait.sh", "cat hello.txt"]);
    world.write("wait.sh", go);
    world.commit("a check that waits");
    planned(&world, "Say hello", HELLO);
    world.draft(&["trust"]).ok();
    let run = world.draft_in_background(&["run"]);
    run.until_printed("check `cat hello.txt` passed");
    let log = world.draft_in_background(&["log", "1", "--follow"]);
    log.until_printed("$ sh wait.sh");
    fs::write(world.folder().join("go"), "").unwrap();
    assert_eq!(log.wait().ok().text(), "$ cat hello.txt\nhi\n$ sh wait.sh\n$ cat hello.txt\nhi\n");
    run.wait().ok();
    assert_eq!(newest_job(&world, "1")["runs"].as_array().unwrap().len(), 3);
    assert_eq!(world.draft(&["log", "1", "--run", "1"]).ok().text(), "$ cat hello.txt\nhi\n");
    world.assert_nothing_left();
}

#[test]
fn a_followed_agent_is_seen_while_it_works() {
    let world = demo_world();
    let go = world.folder().join("go");
    planned(&world, "Talks", &format!("[[say one]][[until {}]][[say two]]{HELLO}", go.display()));
    let run = world.draft_in_background(&["run", "--trust"]);
    run.until_printed("#1 planned → executing");
    let log = world.draft_in_background(&["log", "1", "--follow"]);
    log.until_printed("one");
    assert!(!log.stdout().contains("two"));
    fs::write(&go, "").unwrap();
    let said = log.wait().ok().text();
    assert!(said.contains("two"), "{said}");
    run.wait().ok();
}

#[test]
fn a_diff_can_be_applied_and_measured() {
    let world = demo_world();
    world.write("old name.txt", "one\ntwo\nthree\n");
    world.commit("a file");
    let script = "[[write hello.txt hi]][[edit \"old name.txt\" two => 2]][[write \"a dir/grüße.txt\" g\\n]]";
    planned(&world, "Edits", &format!("{script}[[run printf 'a\\\\0b' > binary.bin]]"));
    assert_eq!(error_of(&world.draft(&["diff", "1", "--json"]).exits(2)).0, "unknown_revision");
    world.draft(&["run", "--trust", "--quiet"]).ok();
    let patch = world.draft(&["diff", "1"]).ok();
    let file = world.folder().join("change.patch");
    fs::write(&file, &patch.stdout).unwrap();
    world.git(&["apply", "--index", file.to_str().unwrap()]);
    let diff = world.draft(&["diff", "1", "--json", "--revision", "1"]).ok().json();
    let head = diff["head"].as_str().unwrap();
    assert_eq!(world.git(&["write-tree"]), world.git(&["rev-parse", &format!("{head}^{{tree}}")]));
    assert_stable(&world, "diff", &pretty(&diff));
    assert_stable(&world, "diff_stat", &world.draft(&["diff", "1", "--stat"]).ok().text());
    assert_eq!(error_of(&world.draft(&["diff", "1", "--revision", "2", "--json"]).exits(2)).0, "unknown_revision");
}
