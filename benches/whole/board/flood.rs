//! How soon a key and a line are seen while agents write as fast as they can, with the log pane open.

use std::time::{Duration, Instant};

use draft_board::domain::state::State;

use crate::agent;
use crate::place::Place;

use super::terminal::Terminal;
use super::{Counts, is_whole, judge, open};

/// Between an answer and the next key.
const PAUSE: Duration = Duration::from_millis(15);
/// Keys that are pressed while nothing happens.
const CALM: usize = 60;
/// What each agent of a flood writes.
const LINES: u64 = 1_000_000;

/// Shows or hides the column of abandoned tickets, which changes nothing that a log does. It is empty, so it is a stripe
/// at the right with its name from top to bottom.
fn key(terminal: &mut Terminal, shown: &mut bool) -> f64 {
    *shown = !*shown;
    let wanted = *shown;
    let stripe = |screen: &str| screen.lines().nth(2).is_some_and(|line| line.trim_end().ends_with(" A"));
    ms(terminal.press(b".", move |screen| stripe(screen) == wanted))
}

struct Flood {
    calm: Vec<f64>,
    keys: Vec<f64>,
    /// From the moment when the agent that is watched wrote its last line until it was on the screen.
    last_line: f64,
    seconds: f64,
}

fn flood(name: &str, agents: u32) -> Flood {
    let place = Place::new();
    place.file(agents, name, &[]);
    let config = place.path("home/draft/config.yaml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, format!("{text}execute_config:\n  max_parallel_jobs: 8\n")).expect("the configuration");
    let mut terminal = open(&place, &format!("lines={LINES},ms=0,clock=1"));
    terminal.until("the board", is_whole);
    let mut shown = false;
    let calm = (0..CALM).map(|_| rested(&mut terminal, &mut shown)).collect();
    place.draft(&["--quiet", "planner", "start"]);
    terminal.until("an agent", |screen| screen.contains("L0"));
    let begin = Instant::now();
    let (reader, board) = place.reader();
    let mut keys = Vec::new();
    let mut looked = Instant::now();
    loop {
        keys.push(rested(&mut terminal, &mut shown));
        if looked.elapsed() > Duration::from_millis(200) {
            looked = Instant::now();
            let (board, _) = reader.board(board).expect("it can be read").expect("a board");
            if board.tickets().all(|one| !matches!(one.state, State::Planned | State::Executing { .. })) {
                break;
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let (number, age) = *terminal.lines().last().expect("lines were seen");
    assert_eq!(number + 1, LINES, "the last line is on the screen");
    Flood { calm, keys, last_line: ms(age), seconds }
}

/// How long after it was written each line of an agent that says something now and then is on the screen.
fn trickle(name: &str) -> Vec<f64> {
    let place = Place::new();
    place.file(1, name, &[]);
    let terminal = open(&place, "lines=60,rate=7,ms=0,clock=1");
    terminal.until("the board", is_whole);
    place.draft(&["--quiet", "planner", "start"]);
    terminal.until("the last line", |screen| screen.contains("L000000059"));
    // What was there before the board knew of the run tells nothing.
    terminal.lines().iter().skip(10).map(|(_, age)| ms(*age)).collect()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn rested(terminal: &mut Terminal, shown: &mut bool) -> f64 {
    std::thread::sleep(PAUSE);
    key(terminal, shown)
}

pub(crate) fn measure(rounds: usize) {
    for name in agent::NAMES {
        println!("lines of one {name}, seven a second");
        let lines: Vec<f64> = (0..rounds).flat_map(|_| trickle(name)).collect();
        judge("  from a line to its place on the screen", "ms", &lines, Some((Counts::P95, 100.0)));
        for agents in [1, 8] {
            let all: Vec<Flood> = (0..rounds).map(|_| flood(name, agents)).collect();
            let of = |figure: fn(&Flood) -> &[f64]| all.iter().flat_map(figure).copied().collect::<Vec<f64>>();
            println!("a million lines of {agents} x {name}, log pane open");
            judge("  key to screen, calm", "ms", &of(|flood| &flood.calm), None);
            judge("  key to screen, in the flood", "ms", &of(|flood| &flood.keys), Some((Counts::P95, 16.0)));
            judge(
                "  from the last line to its place on the screen",
                "ms",
                &of(|flood| std::slice::from_ref(&flood.last_line)),
                Some((Counts::Most, 100.0)),
            );
            judge("  the flood took", "s", &of(|flood| std::slice::from_ref(&flood.seconds)), None);
        }
    }
}
