//! The model against the store: the same random calls go to a board in memory and to SQLite, and both end alike.

use proptest::prelude::*;

use super::samples::{
    BOARD, Place, about, event, evidence, goal, job, job_id, place, revision, run, ticket, ticket_id,
};
use super::{Reader, StoreError, Writer, open};
use crate::domain::board::Board;
use crate::domain::change::{Change, Save};
use crate::domain::goal::Goal;
use crate::domain::job::{Job, JobStatus};
use crate::domain::revision::{Revision, RevisionStatus};
use crate::domain::run::{Run, RunEnd};
use crate::domain::sight::Sight;
use crate::domain::state::{Blocked, NeedsHuman, State, StateName};
use crate::domain::ticket::{Ticket, Usage};

/// How many tickets there may be. Few, so that calls meet.
const TICKETS: u32 = 4;
/// How many jobs there may be.
const JOBS: u32 = 8;

/// A save by small numbers; much of what comes out is refused, and that is meant.
#[derive(Clone, Debug)]
enum Idea {
    Goal(u32, bool),
    New { ticket: u32, blocker: Option<u32> },
    Move { ticket: u32, to: State, knows: bool },
    NewJob { job: u32, ticket: u32, earlier: bool },
    JobTo { job: u32, status: JobStatus, knows: bool },
    Run { job: u32, n: u32, over: bool },
    Evidence { job: u32, n: u32 },
    Revision { ticket: u32, job: u32, number: u32, status: RevisionStatus },
    Event(u32),
}

fn ideas() -> impl Strategy<Value = Idea> {
    let ticket = 1..=TICKETS;
    let job = 1..=JOBS;
    let knows = prop::bool::weighted(0.9);
    prop_oneof![
        1 => (1..3_u32, any::<bool>()).prop_map(|(n, removed)| Idea::Goal(n, removed)),
        4 => (ticket.clone(), prop::option::of(ticket.clone())).prop_map(|(ticket, blocker)| Idea::New { ticket, blocker }),
        6 => (ticket.clone(), states(), knows).prop_map(|(ticket, to, knows)| Idea::Move { ticket, to, knows }),
        5 => (job.clone(), ticket.clone(), any::<bool>())
            .prop_map(|(job, ticket, earlier)| Idea::NewJob { job, ticket, earlier }),
        5 => (job.clone(), prop::sample::select(JobStatus::ALL), knows)
            .prop_map(|(job, status, knows)| Idea::JobTo { job, status, knows }),
        5 => (job.clone(), 1..4_u32, any::<bool>()).prop_map(|(job, n, over)| Idea::Run { job, n, over }),
        2 => (job.clone(), 1..4_u32).prop_map(|(job, n)| Idea::Evidence { job, n }),
        4 => (ticket.clone(), job, 1..4_u32, prop::sample::select(RevisionStatus::ALL))
            .prop_map(|(ticket, job, number, status)| Idea::Revision { ticket, job, number, status }),
        2 => ticket.prop_map(Idea::Event),
    ]
}

fn states() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Proposed),
        Just(State::Planned),
        (1..=JOBS).prop_map(|job| State::Executing { job: job_id(job) }),
        (1..=JOBS).prop_map(|job| State::Verifying { job: job_id(job) }),
        prop::sample::select(NeedsHuman::ALL).prop_map(|why| State::NeedsHuman { why }),
        prop::sample::select(Blocked::ALL).prop_map(|why| State::Blocked { why }),
        Just(State::Done),
        Just(State::Abandoned),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Save(Vec<Idea>),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        9 => prop::collection::vec(ideas(), 1..4).prop_map(Step::Save),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..30)
}

/// Turns an idea into a save, from what the model knows.
fn save(idea: &Idea, model: &Board, all_jobs: &[Job]) -> Save {
    match *idea {
        Idea::Goal(n, removed) => {
            let removed_at = removed.then(|| super::samples::at(60));
            Save::Goal(Goal { removed_at, updated_at: super::samples::at(60), ..goal(n) })
        }
        Idea::New { ticket: n, blocker } => {
            let blocked_by = blocker.map(ticket_id).into_iter().collect();
            Save::NewTicket { ticket: Ticket { blocked_by, ..ticket(n) }, description: "…".into() }
        }
        Idea::Move { ticket: n, to, knows } => {
            let known = model.ticket(ticket_id(n)).cloned().unwrap_or_else(|| ticket(n));
            let was = if knows { known.state.name() } else { StateName::Abandoned };
            let usage = known.usage + Usage { input_tokens: 7, output_tokens: 1, cost_micros: None };
            Save::Ticket { ticket: Ticket { state: to, usage, ..known }, was }
        }
        Idea::NewJob { job: n, ticket, earlier } => {
            let new = job(n, ticket);
            let queued_at = if earlier { super::samples::at(5) } else { new.queued_at };
            Save::Job { job: Job { queued_at, ..new }, was: None }
        }
        Idea::JobTo { job: n, status, knows } => {
            let known = all_jobs.iter().find(|job| job.id == job_id(n)).cloned().unwrap_or_else(|| job(n, 1));
            let was = if knows { known.status } else { JobStatus::Lost };
            Save::Job { job: Job { status, attempt: known.attempt + 1, ..known }, was: Some(was) }
        }
        Idea::Run { job, n, over } => {
            let end = over.then(|| RunEnd::Exited { code: n.cast_signed() - 1 });
            Save::Run(Run { end, ..run(job, n) })
        }
        Idea::Evidence { job, n } => {
            let ticket = all_jobs
                .iter()
                .find(|known| known.id == job_id(job))
                .map_or(1, |job| (1..=TICKETS).find(|n| ticket_id(*n) == job.ticket).unwrap_or(1));
            Save::Evidence(evidence(job * 10 + n, ticket, run(job, n).id))
        }
        Idea::Revision { ticket, job, number, status } => {
            Save::Revision(Revision { status, ..revision(ticket, number, job) })
        }
        Idea::Event(n) => Save::Event(event(n)),
    }
}

/// Both sides, and a second model that is kept up to date only by asking what changed.
struct Both {
    place: Place,
    writer: Option<Writer>,
    reader: Reader,
    model: Board,
    follower: Board,
    stands_at: u64,
}

impl Both {
    fn new() -> Self {
        let place = place();
        let writer = Some(place.board());
        let reader = place.reader();
        Self { place, writer, reader, model: Board::new(about()), follower: Board::new(about()), stands_at: 0 }
    }

    fn all_jobs(&self) -> Vec<Job> {
        let details = (1..=TICKETS).filter_map(|n| self.reader.detail(ticket_id(n)).unwrap());
        details.flat_map(|detail| detail.jobs).collect()
    }

    fn take(&mut self, ideas: &[Idea]) -> Result<(), TestCaseError> {
        let jobs = self.all_jobs();
        let saves: Vec<Save> = ideas.iter().map(|idea| save(idea, &self.model, &jobs)).collect();
        let before = self.reader.changes_since(BOARD, 0).unwrap();
        match self.writer.as_ref().unwrap().commit_blocking(saves) {
            Ok(changes) => {
                // Twice, since applying a change again is harmless.
                for change in changes.iter().chain(&changes) {
                    self.model.apply(change);
                }
            }
            Err(StoreError::Conflict { .. } | StoreError::Invalid { .. }) => {
                prop_assert_eq!(self.reader.changes_since(BOARD, 0).unwrap(), before);
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
        Ok(())
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        let (stored, stands_at) = self.reader.board(BOARD).unwrap().unwrap();
        prop_assert_eq!(&stored, &self.model);
        for first in [0, 1, 2] {
            prop_assert_eq!(self.reader.part(BOARD, first).unwrap().unwrap(), Sight::of(&stored, first));
        }
        let (now, changes) = self.reader.changes_since(BOARD, self.stands_at).unwrap();
        changes.iter().for_each(|change: &Change| self.follower.apply(change));
        prop_assert_eq!(&self.follower, &self.model);
        prop_assert_eq!(now, stands_at);
        self.stands_at = now;
        Ok(())
    }
}

proptest! {
    // Each case makes a database and commits dozens of times, so these are few; `PROPTEST_CASES` asks for more.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_board_in_memory_and_the_one_in_sqlite_stay_alike(steps in steps()) {
        let mut both = Both::new();
        for step in steps {
            match step {
                Step::Save(ideas) => both.take(&ideas)?,
                Step::Reopen => {
                    both.writer = None;
                    both.writer = Some(open(&both.place.path).unwrap());
                    both.reader = both.place.reader();
                }
            }
            both.compare()?;
        }
    }
}
