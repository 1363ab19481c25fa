//! From the start of a board until all is right again that a killed one left: two agents that ended while nobody lived, and
//! two that still run.

use std::time::Instant;

use draft_board::domain::board::Board;
use draft_board::domain::state::State;

use crate::place::{Place, wait_for};
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

/// Returns the time in milliseconds until the ended ones are known, and the lines that are missing in the end.
fn once() -> (f64, f64) {
    let place = Place::new();
    place.file(4, "claude", &[]);
    // Chatty ones that end soon and late, and quiet ones.
    let does = ["lines=40,rate=20,ms=0", "lines=0,ms=2000", "lines=200,rate=20,ms=0", "lines=0,ms=10000"];
    let mut engines = Vec::new();
    for (n, does) in does.into_iter().enumerate() {
        // Agents inherit what they do, so each gets an engine of its own, killed once it runs.
        let number = (n + 1).to_string();
        let mut engine = place.start(does, &["--quiet", "run", &number, "--max-parallel", "4"]);
        place.wait("the agent", |board| count(board, executing) == n + 1);
        wait_for("its process", || place.outputs().len() == n + 1);
        engine.kill().expect("it can be killed");
        engines.push(engine);
    }
    engines.iter_mut().for_each(|engine| drop(engine.wait()));
    let records = || place.outputs().iter().filter(|path| path.with_file_name("exit.json").exists()).count();
    wait_for("the end of the short ones", || records() == 2);
    let begin = Instant::now();
    let mut engine = place.start("", &["--quiet", "run", "--max-parallel", "4"]);
    place.wait("what is right", |board| count(board, ended) == 2 && count(board, executing) == 2);
    let took = begin.elapsed().as_secs_f64() * 1000.0;
    assert!(engine.wait().expect("it ends").success(), "not all tickets wait for review");
    let lines: usize =
        place.outputs().iter().map(|path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count())).sum();
    // Each agent of this kind ends with a line of its own.
    (took, (40 + 200 + 4) as f64 - lines as f64)
}

pub(crate) fn measure(rounds: usize) {
    let all: Vec<(f64, f64)> = (0..rounds).map(|_| once()).collect();
    say("from exec until all is right", "ms", &all.iter().map(|(took, _)| *took).collect::<Vec<_>>());
    say("lines lost", "", &all.iter().map(|(_, lost)| *lost).collect::<Vec<_>>());
}
