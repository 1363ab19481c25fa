//! What a board costs while nothing happens: as the engine, and as one that watches another process's engine.

use std::time::Duration;

use crate::place::Place;
use crate::processes::{Effort, effort, memory};

use super::filled::{Filled, fill};
use super::{Counts, is_whole, judge, open};

const WINDOW: Duration = Duration::from_secs(20);
/// What was begun at the start is over by then.
const SETTLED: Duration = Duration::from_secs(5);

pub(crate) fn measure(rounds: usize) {
    let place = Place::new();
    place.draft(&["--quiet", "ticket", "list"]);
    fill(&place, 100, Filled::Worked);
    let engine = open(&place, "");
    engine.until("the engine's board", is_whole);
    let watcher = open(&place, "");
    watcher.until("the other board", is_whole);
    std::thread::sleep(SETTLED);
    for (name, board) in [("engine", &engine), ("watcher", &watcher)] {
        let before = board.frames();
        let windows: Vec<Effort> = (0..rounds).map(|_| effort(board.pid(), WINDOW)).collect();
        let of = |figure: fn(&Effort) -> f64| windows.iter().map(figure).collect::<Vec<f64>>();
        println!("a board of 100 tickets that is {name}, idle");
        judge("  CPU", "% of a core", &of(|effort| effort.cpu), Some((Counts::Median, 0.1)));
        judge("  wake-ups", "/s", &of(|effort| effort.wakeups), Some((Counts::Median, 2.0)));
        judge(
            "  page faults of programs that it started",
            "",
            &of(|effort| effort.children),
            Some((Counts::Most, 0.0)),
        );
        judge("  frames", "", &[(board.frames() - before) as f64], Some((Counts::Most, 0.0)));
        judge("  memory", "MB PSS", &[memory(&[board.pid()])], Some((Counts::Most, 12.5)));
    }
    watcher.leave();
    engine.leave();
}
