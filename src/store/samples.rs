//! Made-up values and a database in a temporary folder, for the tests of the store.

use std::path::PathBuf;

use tempfile::TempDir;
use uuid::Uuid;

use super::{Reader, Write, Writer};
use crate::domain::autonomy::Autonomy;
use crate::domain::board::{About, Board};
use crate::domain::change::Save;
use crate::domain::event::{Actor, EventKind, NewEvent};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::goal::Goal;
use crate::domain::id::{BoardId, EvidenceId, GoalId, JobId, TicketId, TicketNumber};
use crate::domain::job::{Job, JobKind};
use crate::domain::revision::{ChangeSize, Revision, RevisionStatus};
use crate::domain::run::{Run, RunEnd, RunId, RunKind};
use crate::domain::state::State;
use crate::domain::ticket::{Ticket, Title, Usage};
use crate::domain::time::Timestamp;

/// A folder that goes with the test, and the place of a database in it.
pub(super) struct Place {
    pub(super) folder: TempDir,
    pub(super) path: PathBuf,
}

pub(super) fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data").join("draft.db");
    Place { folder, path }
}

impl Place {
    /// Opens the database with one board on it.
    pub(super) fn board(&self) -> Writer {
        let writer = super::open(&self.path).unwrap();
        writer.write_blocking(Write::Board(about())).unwrap();
        writer
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.path).unwrap()
    }

    pub(super) fn read(&self) -> Board {
        self.reader().board(BOARD).unwrap().unwrap().0
    }
}

pub(super) const BOARD: BoardId = BoardId(Uuid::from_u128(1));

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp(1_800_000_000_000 + seconds * 1000)
}

pub(super) fn about() -> About {
    let repo_root = "/home/u/projects/calculator".into();
    About { id: BOARD, name: "calculator".into(), repo_root, base_branch: "main".into(), created_at: at(0) }
}

pub(super) fn goal(n: u32) -> Goal {
    let id = GoalId(Uuid::from_u128(u128::from(n)));
    let new = Goal::new(id, BOARD, Title::new("Safe arithmetic").unwrap(), "…".into(), at(1));
    let autonomy = Autonomy {
        enabled: n.is_multiple_of(2),
        auto_approve_revisions: true,
        auto_approve_followups: true,
        max_auto_approvals: n.checked_sub(1),
        auto_approval_count: n,
        ..Autonomy::default()
    };
    Goal { autonomy, budget_micros: Some(2_500_000), ..new }
}

pub(super) fn ticket_id(n: u32) -> TicketId {
    TicketId(Uuid::from_u128(0x7_0000 + u128::from(n)))
}

pub(super) fn ticket(n: u32) -> Ticket {
    Ticket {
        id: ticket_id(n),
        number: TicketNumber(n),
        board: BOARD,
        goal: None,
        title: Title::new(&format!("Ticket {n}")).unwrap(),
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
        created_at: at(2),
        updated_at: at(2),
        reverts: None,
        landed: None,
        removed_at: None,
    }
}

pub(super) fn new_ticket(n: u32) -> Save {
    Save::NewTicket { ticket: ticket(n), description: format!("What ticket {n} is about.") }
}

pub(super) fn job_id(n: u32) -> JobId {
    JobId(Uuid::from_u128(0x9_0000 + u128::from(n)))
}

pub(super) fn job(n: u32, ticket: u32) -> Job {
    Job::queued(job_id(n), ticket_id(ticket), JobKind::Execute, at(10 + i64::from(n)))
}

pub(super) fn run(job: u32, n: u32) -> Run {
    Run {
        id: RunId { job: job_id(job), n },
        kind: RunKind::Check,
        command: "cargo test".into(),
        started_at: at(20),
        finished_at: None,
        end: None,
    }
}

pub(super) fn evidence(n: u32, ticket: u32, run: RunId) -> Evidence {
    Evidence {
        id: EvidenceId(Uuid::from_u128(0xe_0000 + u128::from(n))),
        ticket: ticket_id(ticket),
        run,
        folder: format!("{}/{}-check", run.job, run.n),
        kind: EvidenceKind::Check,
        command: "cargo test".into(),
        end: RunEnd::Exited { code: 0 },
        duration_ms: 1_250,
        tree: Some("4b825dc642cb6eb9a060e54bf8d69288fbee4904".into()),
        surroundings: Some("d".repeat(40)),
        at: at(30),
    }
}

pub(super) fn revision(ticket: u32, number: u32, job: u32) -> Revision {
    Revision {
        ticket: ticket_id(ticket),
        number,
        job: job_id(job),
        status: RevisionStatus::Open,
        base: "b".repeat(40),
        tree: "7".repeat(40),
        head: "c".repeat(40),
        size: ChangeSize { files: 2, insertions: 30, deletions: 4 },
        at: at(40),
        ticks: Vec::new(),
    }
}

pub(super) fn event(ticket: u32) -> NewEvent {
    NewEvent {
        ticket: ticket_id(ticket),
        at: at(50),
        kind: EventKind::Comment,
        from: None,
        to: None,
        actor: Actor::human(),
        reason: "looks odd".into(),
        payload: serde_json::json!({ "line": 3, "why": ["ü", null] }),
    }
}
