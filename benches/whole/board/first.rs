//! From the start of the program to the last byte of its first whole frame.

use std::path::Path;

use crate::place::Place;

use super::filled::{Filled, fill};
use super::terminal::Terminal;
use super::{Counts, is_whole, judge, open};

/// As many tickets as a large board has.
const TICKETS: u32 = 10_000;

/// The floor: a program that does nothing but print a word.
fn echo(place: &Place) -> f64 {
    let terminal = Terminal::start(Path::new("/bin/echo"), &["q quit"], &place.path("repo"), &place.environment(""));
    ms(&terminal, "the word", is_whole)
}

fn board(place: &Place, tickets: u32) -> f64 {
    let terminal = open(place, "");
    let done = format!("Done {}", Filled::done_of(tickets));
    let took =
        ms(&terminal, "the first frame", move |screen| is_whole(screen) && (tickets == 0 || screen.contains(&done)));
    terminal.leave();
    took
}

fn ms(terminal: &Terminal, what: &str, is_so: impl FnMut(&str) -> bool + Send + 'static) -> f64 {
    (terminal.until(what, is_so) - terminal.begun()).as_secs_f64() * 1000.0
}

pub(crate) fn measure(rounds: usize) {
    let place = || {
        let place = Place::new();
        place.draft(&["--quiet", "ticket", "list"]);
        place
    };
    let (empty, large, worked) = (place(), place(), place());
    fill(&large, TICKETS, Filled::Filed);
    fill(&worked, TICKETS, Filled::Worked);
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        let round = [echo(&empty), board(&empty, 0), board(&large, TICKETS), board(&worked, TICKETS)];
        figures.iter_mut().zip(round).for_each(|(all, one)| all.push(one));
    }
    let [floor, none, many, jobs] = &figures;
    println!("from exec to the first whole frame");
    judge("  floor: echo", "ms", floor, None);
    judge("  no ticket", "ms", none, Some((Counts::Median, 15.0)));
    judge("  10,000 tickets", "ms", many, Some((Counts::Median, 25.0)));
    judge("  10,000 tickets, half with jobs and revisions", "ms", jobs, Some((Counts::Median, 25.0)));
}
