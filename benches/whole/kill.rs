//! From the start of a board until all is right again that a killed one left: two agents that ended while nobody lived, and
//! two that still run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use draft_board::domain::board::Board;
use draft_board::domain::state::State;

use crate::place::{Place, numbered_lines, wait_for};
use crate::processes::tree;
use crate::say;

fn count(board: &Board, is_so: fn(&State) -> bool) -> usize {
    board.tickets().filter(|ticket| is_so(&ticket.state)).count()
}

fn executing(state: &State) -> bool {
    matches!(state, State::Executing { .. })
}

fn ended(state: &State) -> bool {
    matches!(state, State::NeedsHuman { .. })
}

/// Returns the time in milliseconds until all is right, and the lines that are missing in the end.
fn once() -> (f64, f64) {
    let place = Place::new();
    place.file(4, "claude", &[]);
    // A chatty one and a quiet one that end while nobody lives, and two such that go on.
    let does = "lines=1000000,rate=200,until=1;lines=0,until=1;lines=1000000,rate=200,until=2;lines=0,until=2";
    let run = ["--quiet", "run", "--max-parallel", "4"];
    let mut engine = place.start(does, &run);
    place.wait("the agents", |board| count(board, executing) == 4);
    wait_for("their processes", || tree(engine.id(), &[]).len() == 1 + 2 * 4);
    std::thread::sleep(Duration::from_secs(1));
    engine.kill().and_then(|()| engine.wait()).expect("it can be killed");
    place.tell_over(1);
    let records = || place.outputs().iter().filter(|path| path.with_file_name("exit.json").exists()).count();
    wait_for("the end of two", || records() == 2);
    let begin = Instant::now();
    let mut engine = place.start("", &run);
    place.wait("what is right", |board| count(board, ended) == 2 && count(board, executing) == 2);
    let took = begin.elapsed().as_secs_f64() * 1000.0;
    place.tell_over(2);
    assert!(engine.wait().expect("it ends").success(), "not all tickets wait for review");
    let lost = |path: &PathBuf| {
        let spec = std::fs::read_to_string(path.with_file_name("spec.json")).expect("what was to run");
        let spec: serde_json::Value = serde_json::from_str(&spec).expect("it can be read");
        let folder = PathBuf::from(spec["cwd"].as_str().expect("a folder"));
        let said = std::fs::read_to_string(folder.join("said.txt")).expect("what the agent counted");
        said.parse::<u64>().expect("a number") - numbered_lines(path)
    };
    (took, place.outputs().iter().map(lost).sum::<u64>() as f64)
}

pub(crate) fn measure(rounds: usize) {
    let all: Vec<(f64, f64)> = (0..rounds).map(|_| once()).collect();
    say("from exec until all is right", "ms", &all.iter().map(|(took, _)| *took).collect::<Vec<_>>());
    say("lines lost", "", &all.iter().map(|(_, lost)| *lost).collect::<Vec<_>>());
}
