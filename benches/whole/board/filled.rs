//! A large board, written straight into the store.

#[path = "../../support/ticket.rs"]
mod one;

use draft_board::domain::change::Save;
use draft_board::domain::id::{BoardId, JobId};
use draft_board::domain::job::{Job, JobKind, JobStatus};
use draft_board::domain::revision::{ChangeSize, Revision, RevisionStatus};
use draft_board::domain::run::{Run, RunEnd, RunId, RunKind};
use draft_board::domain::state::{Blocked, NeedsHuman, State};
use draft_board::domain::ticket::{Ticket, Usage};
use draft_board::domain::time::Timestamp;
use draft_board::store::{Limits, Writer};
use uuid::Uuid;

use crate::place::Place;

use one::{filed, worktree};

const BEGUN: i64 = 1_800_000_000_000;

/// What is known of the tickets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// They were filed.
    Filed,
    /// Those in review, blocked and done were worked on.
    Worked,
}

impl Filled {
    /// How many of so many tickets are done.
    pub(crate) fn done_of(tickets: u32) -> u32 {
        (1..=tickets).filter(|n| matches!(state(*n), State::Done)).count() as u32
    }
}

fn state(n: u32) -> State {
    match n % 5 {
        0 => State::Proposed,
        1 => State::Planned,
        2 => State::NeedsHuman { why: NeedsHuman::Review },
        3 => State::Blocked { why: Blocked::Failed },
        _ => State::Done,
    }
}

fn ticket(board: BoardId, n: u32, filled: Filled) -> Ticket {
    let state = state(n);
    let worked = filled == Filled::Worked && !matches!(state, State::Proposed | State::Planned);
    let usage = Usage { input_tokens: 41_000, output_tokens: 2_000, cost_micros: Some(120_000) };
    Ticket {
        reason: if worked { "revision 1: +30 −4".to_owned() } else { String::new() },
        worktree: (worked && !matches!(state, State::Done)).then(|| worktree(n)),
        usage: if worked { usage } else { Usage::default() },
        ..filed(board, n, state)
    }
}

fn work(ticket: &Ticket) -> [Save; 3] {
    let at = Timestamp(BEGUN + i64::from(ticket.number.0));
    let id = JobId(Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + u128::from(ticket.number.0)));
    let queued = Job::queued(id, ticket.id, JobKind::Execute, at);
    let job = Job { status: JobStatus::Succeeded, agent: Some("claude".into()), finished_at: Some(at), ..queued };
    let run = Run {
        id: RunId { job: id, n: 1 },
        kind: RunKind::Execute,
        command: "claude --print --output-format stream-json --verbose".into(),
        started_at: at,
        finished_at: Some(at),
        end: Some(RunEnd::Exited { code: 0 }),
    };
    let revision = Revision {
        ticket: ticket.id,
        number: 1,
        job: id,
        status: RevisionStatus::Open,
        base: "b".repeat(40),
        tree: "c".repeat(40),
        head: "d".repeat(40),
        size: ChangeSize { files: 2, insertions: 30, deletions: 4 },
        at,
        ticks: Vec::new(),
    };
    [Save::Job { job, was: None }, Save::Run(run), Save::Revision(revision)]
}

/// Puts so many tickets on a place's board.
pub(crate) fn fill(place: &Place, tickets: u32, filled: Filled) {
    let board = place.reader().1;
    let writer = Writer::open(&place.database(), Limits::default()).expect("a database");
    let description = "What is to be done, and how it is seen that it is done.\n".repeat(4);
    let tickets: Vec<Ticket> = (1..=tickets).map(|n| ticket(board, n, filled)).collect();
    let worked = tickets.iter().filter(|ticket| !ticket.reason.is_empty());
    let saves = worked.flat_map(work).collect::<Vec<_>>();
    let filed =
        tickets.iter().map(|ticket| Save::NewTicket { ticket: ticket.clone(), description: description.clone() });
    // A job names its ticket, so tickets come first.
    writer.commit_blocking(filed.chain(saves).collect()).expect("they are stored");
}
