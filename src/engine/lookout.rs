//! Asks hosts how pull requests stand: each one that is open now and then, one after the other, and at once where somebody
//! asks. While none is open nothing is asked.
//!
//! A host that does not answer is asked less and less often, up to an hour; one that wants to be left alone is left alone
//! for all its pull requests. When is derived from what is stored, so a new engine goes on where the last one was.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::pending;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::domain::board::Board;
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::TicketId;
use crate::domain::pull_request::PullRequest;
use crate::domain::rule_pull::is_watched;
use crate::domain::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::git::host::HostError;

use super::actor::now;
use super::error::EngineError;
use super::handle::{Handle, Working};
use super::host::host;
use super::workshop::Workshop;

/// Longest pause between two looks at a host that does not answer.
const LONGEST: Duration = Duration::from_secs(3600);
/// How often a host that wants to be asked less has failed, so to speak.
const LIMITED: u32 = 3;

/// Looks at pull requests for one board.
pub(super) struct Lookout {
    handle: Handle,
    /// How long to wait between two looks at one.
    every: Duration,
    /// The tickets that have one.
    known: HashSet<TicketId>,
    /// Those whose look somebody asked for, in order.
    asked: VecDeque<TicketId>,
    /// At most one.
    looking: Option<(TicketId, JoinHandle<Answer>)>,
    /// How often in a row each host did not answer for a ticket.
    failures: HashMap<TicketId, u32>,
    /// Nobody is asked before, unless a person wants it.
    quiet_until: Option<Instant>,
    /// When it is time for the next look.
    due: Option<Instant>,
}

/// What a look gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Told,
    Failed,
    Limited,
}

impl Lookout {
    pub(super) fn new(handle: Handle) -> Self {
        Self {
            handle,
            every: Duration::from_mins(5),
            known: HashSet::new(),
            asked: VecDeque::new(),
            looking: None,
            failures: HashMap::new(),
            quiet_until: None,
            due: None,
        }
    }

    /// Learns whether a ticket has a pull request.
    pub(super) fn know(&mut self, ticket: &Ticket) {
        if ticket.pull_request.is_some() {
            self.known.insert(ticket.id);
        } else {
            self.known.remove(&ticket.id);
        }
    }

    /// Looks as often as this from now on.
    pub(super) fn every(&mut self, every: Duration) {
        self.every = every;
    }

    /// Looks at a ticket's pull request as soon as nothing else is looked at.
    pub(super) fn ask(&mut self, ticket: TicketId) {
        if !self.asked.contains(&ticket) {
            self.asked.push_back(ticket);
        }
    }

    /// Begins what is due, if nothing is being looked at.
    pub(super) fn consider(&mut self, board: &Board, mode: Working) {
        self.due = None;
        if self.looking.is_some() {
            return;
        }
        while let Some(ticket) = self.asked.pop_front() {
            if let Some(pull) = board.ticket(ticket).and_then(|ticket| ticket.pull_request.as_deref()) {
                return self.begin(ticket, pull);
            }
        }
        if mode != Working::Jobs || self.known.is_empty() {
            return;
        }
        let at = Instant::now();
        let quiet = self.quiet_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(at));
        let watched = self.known.iter().filter_map(|id| board.ticket(*id)).filter(|ticket| is_watched(board, ticket));
        let waits = watched.filter_map(|ticket| {
            let pull = ticket.pull_request.as_deref()?;
            let failures = self.failures.get(&ticket.id).copied().unwrap_or(0);
            Some((wait(pull, ticket.id, self.every, failures, now()).max(quiet), ticket.id))
        });
        let Some((wait, next)) = waits.min() else { return };
        match board.ticket(next).and_then(|ticket| ticket.pull_request.as_deref()) {
            Some(pull) if wait.is_zero() => self.begin(next, pull),
            Some(_) | None => self.due = Some(at + wait),
        }
    }

    fn begin(&mut self, ticket: TicketId, pull: &PullRequest) {
        let (handle, number) = (self.handle.clone(), pull.seen.number);
        self.looking = Some((ticket, tokio::spawn(look(handle, ticket, number))));
    }

    /// Waits until a look is over or the next one is due; for ever when there is none.
    pub(super) async fn news(&mut self) {
        let Some((ticket, looking)) = &mut self.looking else {
            return match self.due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            };
        };
        let (ticket, answer) = (*ticket, looking.await);
        self.looking = None;
        let failures = self.failures.entry(ticket).or_default();
        match answer {
            Ok(Answer::Told) => {
                self.failures.remove(&ticket);
                self.quiet_until = None;
            }
            Ok(Answer::Failed) => *failures = failures.saturating_add(1),
            Ok(Answer::Limited) => {
                *failures = failures.saturating_add(1).max(LIMITED);
                self.quiet_until = Some(Instant::now() + pause(self.every, *failures));
            }
            Err(error) => {
                tracing::error!(%error, "a look at a pull request broke");
                *failures = failures.saturating_add(1);
            }
        }
    }

    /// Ends what is not over yet; the next engine looks again.
    pub(super) fn stop(self) {
        if let Some((_, looking)) = self.looking {
            looking.abort();
        }
    }
}

/// Returns how long to wait between two looks after so many failures.
fn pause(every: Duration, failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(16));
    every.saturating_mul(factor).min(LONGEST.max(every))
}

/// Returns how long to wait before a pull request is looked at. Those of a board are spread a little, so that they do not
/// all come together.
fn wait(pull: &PullRequest, ticket: TicketId, every: Duration, failures: u32, now: Timestamp) -> Duration {
    if pull.tried_at > now {
        // The clock went back.
        return Duration::ZERO;
    }
    let [.., spread] = *ticket.0.as_bytes();
    let pause = pause(every, failures);
    let pause = pause + (pause / 10).mul_f64(f64::from(spread) / 255.0);
    pause.saturating_sub(now.since(pull.tried_at))
}

/// Looks at a pull request and tells what was seen.
async fn look(handle: Handle, ticket: TicketId, number: u64) -> Answer {
    let began = now();
    let (tell, told) = oneshot::channel();
    let workshop = std::sync::Arc::clone(handle.workshop());
    // A thread of its own: a host may take long, and an engine that ends need not wait for one that only reads.
    let spawned = std::thread::Builder::new().name("host".to_owned()).spawn(move || {
        // Nobody listens any more when the engine ended.
        let _ = tell.send(ask(&workshop, number));
    });
    let asked = match spawned {
        Ok(_) => told.await.unwrap_or_else(|_| Err(Trouble::Other("an internal error".to_owned()))),
        Err(error) => Err(Trouble::Other(format!("no thread could be started: {error}"))),
    };
    let (fact, answer) = match asked {
        Ok((seen, remarks)) => (Fact::HostSeen { ticket, began, seen: Box::new(seen), remarks }, Answer::Told),
        Err(Trouble::Limited(reason)) => (Fact::HostUnseen { ticket, reason }, Answer::Limited),
        Err(Trouble::Other(reason)) => (Fact::HostUnseen { ticket, reason }, Answer::Failed),
    };
    if let Err(error) = handle.learn(fact, Who::system("pull_request_poller")).await {
        tracing::warn!(%error, "what a host said could not be stored");
        return Answer::Failed;
    }
    answer
}

enum Trouble {
    Limited(String),
    Other(String),
}

impl From<HostError> for Trouble {
    fn from(error: HostError) -> Self {
        match error {
            HostError::RateLimited { .. } => Self::Limited(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Self::Other(error.to_string())
    }
}

type Said = (crate::domain::pull_request::Seen, Vec<crate::domain::pull_request::Remark>);

fn ask(shop: &Workshop, number: u64) -> Result<Said, Trouble> {
    let settings = shop.settings()?;
    let host = host(shop, &shop.repo, &settings.config)?;
    Ok((host.see(number)?, host.remarks(number)?))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::sample;

    const EVERY: Duration = Duration::from_secs(300);

    #[test]
    fn a_host_that_does_not_answer_is_asked_less_often_up_to_an_hour() {
        let pauses: Vec<u64> = (0..6).map(|failures| pause(EVERY, failures).as_secs()).collect();
        assert_eq!(pauses, [300, 600, 1200, 2400, 3600, 3600]);
        assert_eq!(pause(Duration::from_secs(7200), 3).as_secs(), 7200, "never more often than is set");
        assert_eq!(pause(EVERY, u32::MAX).as_secs(), 3600);
    }

    #[test]
    fn the_next_look_follows_from_the_last_one_and_is_spread_by_ticket() {
        let pull = sample::pull_request(12);
        let (first, last) = (TicketId(Uuid::from_u128(0)), TicketId(Uuid::from_u128(255)));
        let after = |seconds: i64| Timestamp(pull.tried_at.0 + seconds * 1000);
        assert_eq!(wait(&pull, first, EVERY, 0, after(0)).as_secs(), 300);
        assert_eq!(wait(&pull, last, EVERY, 0, after(0)).as_secs(), 330);
        assert_eq!(wait(&pull, first, EVERY, 0, after(299)).as_secs(), 1);
        assert!(wait(&pull, first, EVERY, 0, after(301)).is_zero());
        assert!(wait(&pull, first, EVERY, 0, after(-9000)).is_zero(), "the clock went back");
    }
}
