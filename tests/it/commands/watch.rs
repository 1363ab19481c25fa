//! `draft watch`: what is there, then what changes, whoever changes it, until it is interrupted or nobody reads.

use rustix::process::Signal;
use serde_json::Value;

use super::{DRAFT, planned};
use crate::support::{World, demo_world, until};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_happens_is_told_to_programs_with_and_without_an_engine() {
    let world = demo_world();
    planned(&world, "Say hello", "[[write hello.txt hi]]");
    let watch = world.draft_in_background(&["watch", "--json"]);
    watch.until_printed("watching");
    world.draft(&["ticket", "add", "Second"]).ok();
    world.draft(&["goal", "add", "Greet"]).ok();
    watch.until_printed("\"goal\"");
    world.draft(&["run", "1", "--trust"]).ok();
    watch.until_printed("needs_human");
    world.draft(&["ticket", "remove", "2"]).ok();
    watch.until_printed("removed");
    watch.signal(Signal::INT);
    let told = lines(&watch.wait().ok().text());
    let events: Vec<&str> = told.iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events[..4], ["board", "ticket", "watching", "created"]);
    assert_eq!((&told[1]["ticket"], &told[1]["fields"]["title"]), (&1.into(), &"Say hello".into()));
    assert_eq!(
        (&told[3]["ticket"], &told[3]["title"], &told[3]["actor"]),
        (&2.into(), &"Second".into(), &"human".into())
    );
    assert_eq!(
        (&told[4]["event"], &told[4]["became"], &told[4]["title"]),
        (&"goal".into(), &"set".into(), &"Greet".into())
    );
    for event in ["started", "state_changed", "check", "finished", "updated"] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    assert_eq!(events.iter().filter(|event| **event == "started").count(), 2, "each once: {events:?}");
    world.assert_nothing_left();
}

#[test]
fn people_read_lines_with_times_and_screen_readers_words() {
    let world = World::new();
    world.draft(&["ticket", "add", "First \u{1b}[31m"]).ok();
    let watch = world.draft_in_background(&["watch"]);
    let plain = world.draft_in_background(&["watch", "--plain"]);
    for one in [&watch, &plain] {
        until("it watches", || one.stderr().contains("watching; press Ctrl-C to end"));
    }
    world.draft(&["ticket", "move", "1", "planned", "--reason", "it is time"]).ok();
    plain.until_printed("time");
    watch.until_printed("time");
    for one in [&watch, &plain] {
        one.signal(Signal::INT);
    }
    let (watch, plain) = (watch.wait().ok().text(), plain.wait().ok().text());
    let there = "board repo: 1 ticket, autopilot off\n#1  proposed  First  [31m\n";
    assert_eq!(plain, format!("{there}#1 proposed to planned: it is time\n"));
    let last = watch.strip_prefix(there).unwrap();
    assert!(last[2..3] == *":" && last.ends_with("  #1 proposed → planned: it is time\n"), "{watch}");
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    let script = format!("set -o pipefail; '{DRAFT}' watch --quiet --json | head -n 1");
    let told = world.run("bash", &["-c", &script]).ok();
    assert_eq!(lines(&told.text())[0]["event"], "board");
    world.assert_nothing_left();
}
