//! Small boards, tickets and jobs for the tests of the domain.

use uuid::Uuid;

use super::board::{About, Board};
use super::change::Change;
use super::event::Actor;
use super::id::{BoardId, JobId, TicketId, TicketNumber};
use super::job::{Job, JobKind};
use super::pull_request::{HostChecks, Provider, PullRequest, PullState, Seen};
use super::revision::{ChangeSize, Revision, RevisionStatus};
use super::rule::{Input, Known, Trust, What};
use super::state::State;
use super::ticket::{Ticket, Title, Usage};
use super::time::Timestamp;

/// An empty board.
pub(super) fn board() -> Board {
    Board::new(About {
        id: BoardId(Uuid::from_u128(1)),
        name: "sample".into(),
        repo_root: "/repo".into(),
        base_branch: "main".into(),
        created_at: Timestamp(0),
    })
}

/// A board with these tickets, numbered from 1.
pub(super) fn board_of(states: &[State]) -> Board {
    let mut board = board();
    for (number, state) in (1..).zip(states) {
        board.apply(&Change::Ticket(Ticket { state: *state, ..ticket(number) }));
    }
    board
}

/// The identity of the ticket with that number.
pub(super) fn id(number: u32) -> TicketId {
    TicketId(Uuid::from_u128(number.into()))
}

/// A planned ticket.
pub(super) fn ticket(number: u32) -> Ticket {
    Ticket {
        id: id(number),
        number: TicketNumber(number),
        board: BoardId(Uuid::from_u128(1)),
        goal: None,
        title: Title::new("a ticket").unwrap(),
        state: State::Planned,
        reason: String::new(),
        priority: None,
        hand_order: None,
        pull_request: None,
        blocked_by: Vec::new(),
        verify: Vec::new(),
        agent: None,
        model: None,
        base_branch: None,
        message: None,
        worktree: None,
        usage: Usage::default(),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        reverts: None,
        landed: None,
        removed_at: None,
    }
}

/// A queued job of a ticket. Its identity is its moment, so a later one is newer.
pub(super) fn job(ticket: u32, kind: JobKind, at: i64) -> Job {
    let identity = u128::from(ticket) + (u128::try_from(at).unwrap() << 80);
    Job::queued(JobId(Uuid::from_u128(identity)), id(ticket), kind, Timestamp(at))
}

/// An open revision of a ticket.
pub(super) fn revision(ticket: u32, number: u32) -> Revision {
    Revision {
        ticket: id(ticket),
        number,
        job: JobId(Uuid::from_u128(number.into())),
        status: RevisionStatus::Open,
        base: "0".repeat(40),
        tree: "1".repeat(40),
        head: "2".repeat(40),
        size: ChangeSize::default(),
        at: Timestamp(0),
        ticks: Vec::new(),
    }
}

/// A pull request that is open on GitHub with the first revision of [`revision`].
pub(crate) fn pull_request(number: u64) -> PullRequest {
    PullRequest {
        revision: 1,
        pushed: "2".repeat(40),
        provider: Provider::GitHub,
        host: "github.com".to_owned(),
        seen: Seen {
            number,
            url: format!("https://github.com/acme/shop/pull/{number}"),
            state: PullState::Open,
            draft: false,
            branch: "draft/1-x".to_owned(),
            base: "main".to_owned(),
            head: "2".repeat(40),
            checks: HostChecks { passed: 3, failed: 0, pending: 0 },
            review: None,
            merge_commit: None,
            created_at: Some(Timestamp(0)),
            merged_at: None,
        },
        comments: 0,
        looked_at: Timestamp(0),
        tried_at: Timestamp(0),
        error: None,
    }
}

/// Something to be decided by a person with everything in place.
pub(super) fn input(what: What) -> Input {
    Input {
        at: Timestamp(1000),
        actor: Actor::human(),
        fresh: JobId(Uuid::from_u128(1000 << 80)),
        known: Known::only(Trust::Given),
        what,
    }
}
