//! What 100 agents that say nothing cost: the engine and its supervisors, without the agents.

use std::time::Duration;

use crate::place::{Place, wait_for};
use crate::processes::{cpu, memory, tree};
use crate::{agent, say};

const AGENTS: usize = 100;
const WINDOW: Duration = Duration::from_secs(20);

pub(crate) fn measure(rounds: usize) {
    let place = Place::new();
    place.file(100, "claude", &[]);
    let mut engine = place.start("lines=3,ms=3600000", &["--quiet", "run", "--max-parallel", "100"]);
    let with_agents = || tree(engine.id(), &[]).len();
    wait_for("the last agent", || with_agents() == 1 + 2 * AGENTS);
    // Supervisors look more seldom at what does not grow.
    std::thread::sleep(Duration::from_secs(10));
    let pids = tree(engine.id(), &agent::NAMES);
    let all: Vec<(f64, f64)> = (0..rounds).map(|_| (cpu(&pids, WINDOW), memory(&pids))).collect();
    println!("{} processes", pids.len());
    say("CPU of the engine and 100 supervisors", "% of a core", &all.iter().map(|(cpu, _)| *cpu).collect::<Vec<_>>());
    say("memory of them", "MB PSS", &all.iter().map(|(_, memory)| *memory).collect::<Vec<_>>());
    say("  of that the engine", "MB PSS", &[memory(&[engine.id()])]);
    say("CPU of the engine alone", "% of a core", &[cpu(&[engine.id()], WINDOW)]);
    engine.kill().expect("it can be killed");
    drop(engine.wait());
    // Supervisors outlive their engine, and a polite signal ends each with its agent.
    let supervisors = pids.iter().filter(|pid| **pid != engine.id());
    for pid in supervisors {
        drop(std::process::Command::new("kill").arg(pid.to_string()).status());
    }
    wait_for("the end of the agents", || {
        pids.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
    });
}
