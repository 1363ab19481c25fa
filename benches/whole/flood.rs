//! One agent's 1,000,000 lines of 100 bytes, stored whole.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use draft_board::domain::state::State;

use crate::place::{Place, numbered_lines};
use crate::processes::peak;
use crate::{agent, say};

const LINES: u64 = 1_000_000;
const AGENT: &str = "lines=1000000,ms=0";

/// The time of `agent | cat > file`.
fn floor(name: &str) -> f64 {
    let place = Place::new();
    let file = std::fs::File::create(place.path("output")).expect("a file");
    let begin = Instant::now();
    let mut agent = place.agent(name, AGENT).stdout(Stdio::piped()).spawn().expect("it starts");
    let pipe = agent.stdout.take().expect("a pipe");
    let copied = Command::new("cat").stdin(pipe).stdout(file).status().expect("cat starts");
    assert!(copied.success() && agent.wait().expect("it ends").success());
    begin.elapsed().as_secs_f64()
}

struct Flood {
    /// Until all lines are in the file.
    stored: f64,
    /// How much more memory the engine had at most than with an agent of three lines, in MB.
    growth: f64,
    lost: u64,
}

fn draft(name: &str) -> Flood {
    let calm = run(name, "lines=3,ms=400").1;
    let (place, most) = run(name, AGENT);
    let outputs = place.outputs();
    let lost = LINES - numbered_lines(&outputs[0]);
    let spec = outputs[0].with_file_name("exit.json");
    let text = std::fs::read_to_string(spec).expect("how it ended");
    let record: serde_json::Value = serde_json::from_str(&text).expect("it can be read");
    let ms = |name: &str| record[name].as_i64().expect("a time");
    let stored = (ms("ended_at") - ms("started_at")) as f64 / 1000.0;
    Flood { stored, growth: most - calm, lost }
}

/// Runs one ticket and returns where, with the most memory that the engine had.
fn run(name: &str, does: &str) -> (Place, f64) {
    let place = Place::new();
    place.file(1, name, &[]);
    let mut engine = place.start(does, &["--quiet", "run"]);
    let most = watch(&mut engine);
    place.wait("the review", |board| board.tickets().all(|one| matches!(one.state, State::NeedsHuman { .. })));
    (place, most)
}

fn watch(engine: &mut Child) -> f64 {
    let mut most = 0.0;
    while engine.try_wait().expect("it can be asked").is_none() {
        most = peak(engine.id()).unwrap_or_default().max(most);
        std::thread::sleep(Duration::from_millis(5));
    }
    most
}

pub(crate) fn measure(rounds: usize) {
    for name in agent::NAMES {
        let all: Vec<(f64, Flood)> = (0..rounds).map(|_| (floor(name), draft(name))).collect();
        let of = |figure: fn(&(f64, Flood)) -> f64| all.iter().map(figure).collect::<Vec<f64>>();
        println!("output of {name}");
        say("  agent | cat > file", "s", &of(|(floor, _)| *floor));
        say("  draft, from the agent's start to its record", "s", &of(|(_, draft)| draft.stored));
        say("  draft / cat", "times", &of(|(floor, draft)| draft.stored / floor));
        say("  growth of the engine", "MB", &of(|(_, draft)| draft.growth));
        say("  lines lost", "", &of(|(_, draft)| draft.lost as f64));
    }
}
