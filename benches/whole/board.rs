//! What a person feels of the board: how soon it is there, how soon a key is seen while agents flood the log, how soon a line
//! is, and what a board costs that nobody looks at.

mod filled;
mod first;
mod flood;
mod idle;
mod terminal;

use crate::place::Place;

use terminal::Terminal;

/// Measures everything, or only `first`, `idle` or `flood`.
pub(crate) fn measure(rounds: usize, part: Option<&str>) {
    println!("{:52} {:>9} {:>9} {:>9} {:>9}   target", "", "least", "median", "p95", "most");
    let wanted = |name| part.is_none_or(|part| part == name);
    if wanted("first") {
        first::measure(rounds * 7);
    }
    if wanted("idle") {
        idle::measure(rounds);
    }
    if wanted("flood") {
        flood::measure(rounds);
    }
}

/// Opens a place's board, with agents that do this.
fn open(place: &Place, does: &str) -> Terminal {
    let environment = place.environment(does);
    Terminal::start(place.program(), &[], &place.path("repo"), &environment)
}

/// Says whether a screen is a whole board: its bottom line is what is drawn last.
fn is_whole(screen: &str) -> bool {
    screen.contains("q quit")
}

/// Which of the figures counts against the target.
#[derive(Clone, Copy)]
enum Counts {
    Median,
    P95,
    Most,
}

/// Prints the figures of all rounds beside what they are to be at most.
fn judge(name: &str, unit: &str, figures: &[f64], target: Option<(Counts, f64)>) {
    let mut all = figures.to_vec();
    all.sort_by(f64::total_cmp);
    let (least, median, most) = (all[0], all[all.len() / 2], all[all.len() - 1]);
    let p95 = all[(all.len() * 95 / 100).min(all.len() - 1)];
    let verdict = target.map_or_else(String::new, |(counts, target)| {
        let (figure, word) = match counts {
            Counts::Median => (median, "median"),
            Counts::P95 => (p95, "p95"),
            Counts::Most => (most, "most"),
        };
        let verdict = if figure <= target { "met" } else { "MISSED" };
        format!("{word} <= {target} {unit}: {verdict}")
    });
    println!("{name:52} {least:9.2} {median:9.2} {p95:9.2} {most:9.2} {unit} {verdict}");
}
