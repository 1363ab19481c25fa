//! How soon one process sees what another one did: the engine a command, and a third process what came of it.

use std::time::{Duration, Instant};

use draft_board::domain::command::{Command, Request};
use draft_board::domain::event::Actor;
use draft_board::domain::id::{TicketNumber, TicketRef};
use draft_board::domain::state::{State, StateName};
use draft_board::domain::time::Timestamp;
use draft_board::store::{Feed, ask};
use tokio::time::timeout;

use crate::place::Place;
use crate::say;

const MOVES: usize = 300;

pub(crate) fn measure(_rounds: usize) {
    let place = Place::new();
    place.file(2, "claude", &[]);
    // An agent keeps the engine alive; the other ticket is moved.
    let mut engine = place.start("lines=0,ms=3600000", &["--quiet", "run", "1"]);
    place.wait("the agent", |board| board.tickets().any(|ticket| matches!(ticket.state, State::Executing { .. })));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut seen = runtime.block_on(moves(&place));
    seen.sort_by(f64::total_cmp);
    say("from a command to its news in another process", "ms", &seen);
    say("  of 100 such, the slowest but one", "ms", &[seen[seen.len() * 99 / 100 - 1]]);
    let stop =
        Request { actor: Actor::human(), command: Command::Cancel { ticket: TicketRef::Number(TicketNumber(1)) } };
    ask(&place.database(), place.reader().1, &stop, Timestamp(0)).expect("it is left there");
    drop(engine.wait());
}

/// Leaves commands in the database, at moments of every kind, and waits until what came of each is seen.
async fn moves(place: &Place) -> Vec<f64> {
    let (reader, board) = place.reader();
    let mut feed = Feed::new(&place.database()).expect("a database");
    let mut since = reader.board(board).expect("it can be read").expect("a board").1;
    let mut all = Vec::new();
    for n in 0..MOVES {
        tokio::time::sleep(Duration::from_millis((n as u64 * 37) % 150)).await;
        let to = if n % 2 == 0 { StateName::Proposed } else { StateName::Planned };
        let command = Command::Move { ticket: TicketRef::Number(TicketNumber(2)), to, reason: None };
        let begin = Instant::now();
        let request = Request { actor: Actor::human(), command };
        ask(&place.database(), board, &request, Timestamp(0)).expect("it is left there");
        loop {
            timeout(Duration::from_secs(30), feed.changed()).await.expect("in time").expect("it can be read");
            let (now, changes) = feed.reader().changes_since(board, since).expect("it can be read");
            since = now;
            if !changes.is_empty() {
                break;
            }
        }
        all.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    all
}
