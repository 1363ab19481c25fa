//! What whole processes cost, beside the least that the machine allows: `cargo bench --bench whole -- WHAT [ROUNDS]`.
//!
//! - `tickets`: fifty trivial tickets at eight at once, beside git and the agent alone
//! - `flood`: an agent's 1,000,000 lines, beside `agent | cat > file`
//! - `kill`: from the start of a board until all is right again that a killed one left
//! - `quiet`: what 100 agents that say nothing cost
//! - `landings`: twenty changes that land at once on a branch that others move, beside git alone
//! - `board`: what a person feels of the board, and what it costs while nothing happens
//! - `others`: how soon one process sees what another one did
//!
//! Each prints its figures as median (least to most). The machine's other work shows in all of them, so ratios of one round
//! are what counts. The agent is this very program under another name; `DRAFT_BENCH_AGENT` says what it does.

mod agent;
mod board;
mod flood;
mod kill;
mod landings;
mod others;
mod place;
mod processes;
mod quiet;
mod tickets;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if agent::is_called(&args[0]) {
        return agent::main();
    }
    // Other than `cargo bench`, nobody wants to wait for this.
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let words: Vec<&str> = args[1..].iter().map(String::as_str).filter(|arg| *arg != "--bench").collect();
    let rounds = words.get(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    match words.first() {
        Some(&"tickets") => tickets::measure(rounds),
        Some(&"flood") => flood::measure(rounds),
        Some(&"kill") => kill::measure(rounds),
        Some(&"quiet") => quiet::measure(rounds),
        Some(&"board") => board::measure(rounds, words.get(2).copied()),
        Some(&"landings") => landings::measure(rounds),
        Some(&"others") => others::measure(rounds),
        Some(_) | None => {
            println!("say what: tickets, landings, flood, kill, quiet, board or others, and perhaps how many rounds")
        }
    }
}

/// Prints median, least and most of a figure of all rounds.
fn say(name: &str, unit: &str, rounds: &[f64]) {
    let mut all = rounds.to_vec();
    all.sort_by(f64::total_cmp);
    let (least, median, most) = (all[0], all[all.len() / 2], all[all.len() - 1]);
    println!("{name:52} {median:9.3} {unit}   ({least:.3} to {most:.3})");
}
