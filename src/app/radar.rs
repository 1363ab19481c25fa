//! Looks ahead for the screen: whether changes that wait go together with their targets, and which of those in flight will
//! collide. It looks when the board changes, when a target moves, and slowly otherwise.
//!
//! What it finds follows from git and the board alone, so nothing of it is stored. It works in a thread of low priority, and for
//! a quarter of the time at most.

mod lookout;
mod refs;

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc as news, oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::domain::board::Board;
use crate::domain::outlook::{Flight, Outlook, Radar, flight, in_flight};
use crate::domain::ticket::Ticket;
use crate::engine::Workshop;
use crate::ui::Msg;

use super::error::AppError;
use super::service::Told;
use lookout::{Looked, Next};
use refs::Refs;

pub use lookout::Lookout;

/// How long one look may take; then the screen hears what it found.
const SLICE: Duration = Duration::from_millis(500);
/// How many times as long as a look the pause after it is.
const REST: u32 = 3;
/// The longest such pause: where others have the processors, a look takes long and costs little.
const REST_MAX: Duration = Duration::from_secs(2);
/// How long to wait after something changed: what comes together is looked at together.
const GATHER: Duration = Duration::from_millis(150);
/// When to look although nothing was heard of.
const HEARTBEAT: Duration = Duration::from_secs(60);
/// How long the thread has to end.
const ENDING: Duration = Duration::from_millis(300);
/// How much nicer than the board the thread and what it starts are: more than agents, and not so much that it never comes to
/// an end beside them.
const NICE: i32 = 10;

/// Looks at a whole board at once, however long it takes.
///
/// # Errors
/// When there is no place to try things out.
pub fn look_ahead(workshop: &Arc<Workshop>, board: &Board) -> Result<Radar, AppError> {
    let far = Instant::now() + Duration::from_hours(1);
    let looked = Lookout::new(Arc::clone(workshop)).look(&in_flight(board), wants_pairs(workshop), far);
    Ok(looked.map_err(AppError::Git)?.radar)
}

/// Looks at what is to be expected of one ticket's landing; nothing where it has no change that waits for a person.
///
/// # Errors
/// As [`look_ahead`].
pub fn outlook(workshop: &Arc<Workshop>, board: &Board, ticket: &Ticket) -> Result<Option<Outlook>, AppError> {
    let Some(flight) = flight(board, ticket) else { return Ok(None) };
    let far = Instant::now() + Duration::from_hours(1);
    let looked = Lookout::new(Arc::clone(workshop)).look(&[flight], false, far);
    Ok(looked.map_err(AppError::Git)?.radar.outlooks.remove(&ticket.id))
}

/// Says whether the settings want changes in flight to be compared; not where they cannot be read.
fn wants_pairs(workshop: &Workshop) -> bool {
    workshop.settings().is_ok_and(|loaded| loaded.config.merge_config.radar)
}

/// What the thread is asked, and where its answer goes.
type Question = (Vec<Flight>, oneshot::Sender<Option<Looked>>);

/// Tells the screen what is found, until nobody says any more what is in flight.
pub(super) async fn follow(
    workshop: Arc<Workshop>,
    mut flights: watch::Receiver<Vec<Flight>>,
    told: news::Sender<Told>,
) {
    let mut refs = Refs::of(workshop.repo.common_dir());
    let (ask, questions) = mpsc::channel();
    let (ended, over) = oneshot::channel();
    let at_work = thread::Builder::new().name("radar".to_owned()).spawn(move || {
        answer(workshop, &questions);
        let _ = ended.send(());
    });
    if let Err(error) = at_work {
        tracing::warn!(%error, "nobody looks ahead: there is no thread for it");
        return;
    }
    let mut last = Radar::default();
    loop {
        refs.heard();
        let wanted = flights.borrow_and_update().clone();
        refs.watch(&wanted.iter().map(|flight| flight.target.clone()).collect::<BTreeSet<_>>());
        let is_idle = wanted.is_empty();
        let (reply, answer) = oneshot::channel();
        let begun = Instant::now();
        if ask.send((wanted, reply)).is_err() {
            break;
        }
        let Ok(looked) = answer.await else { break };
        // Nothing in flight is nothing to look at, until something is.
        let mut pause = if is_idle { Duration::MAX } else { HEARTBEAT };
        if let Some(Looked { radar, next }) = looked {
            if radar != last {
                last = radar.clone();
                if told.send(Told::Msg(Box::new(Msg::Radar(Box::new(radar))))).await.is_err() {
                    break;
                }
            }
            match next {
                Some(Next::More) => pause = (begun.elapsed() * REST).min(REST_MAX),
                Some(Next::In(due)) => pause = due.min(HEARTBEAT),
                None => {}
            }
        }
        let rested = begun.elapsed() * REST;
        tokio::select! {
            changed = flights.changed() => {
                if changed.is_err() {
                    break;
                }
                sleep(GATHER.max(rested.min(REST_MAX))).await;
            }
            () = refs.moved() => sleep(GATHER).await,
            () = sleep(pause) => {}
        }
    }
    drop(ask);
    let _ = timeout(ENDING, over).await;
}

/// Answers until nobody asks any more.
fn answer(workshop: Arc<Workshop>, questions: &mpsc::Receiver<Question>) {
    // On Linux this is the thread's alone, and what it starts inherits it.
    let own = rustix::process::getpriority_process(None).unwrap_or(0);
    if let Err(error) = rustix::process::setpriority_process(None, own.saturating_add(NICE).min(19)) {
        tracing::debug!(%error, "the radar has the priority of everybody else");
    }
    let mut lookout = Lookout::new(Arc::clone(&workshop));
    while let Ok((flights, reply)) = questions.recv() {
        let looked = lookout.look(&flights, wants_pairs(&workshop), Instant::now() + SLICE);
        let looked = looked.inspect_err(|error| tracing::warn!(%error, "there is no place to look ahead")).ok();
        let _ = reply.send(looked);
    }
}
