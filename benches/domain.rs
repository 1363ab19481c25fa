//! What deciding costs on a board of 10,000 tickets of which 1,000 are queued.

use criterion::{Criterion, criterion_group, criterion_main};
use draft_board::domain::board::{About, Board};
use draft_board::domain::change::Change;
use draft_board::domain::command::{AgentChoice, Command};
use draft_board::domain::event::Actor;
use draft_board::domain::id::{BoardId, JobId, TicketId, TicketNumber, TicketRef};
use draft_board::domain::job::{Job, JobKind};
use draft_board::domain::pick::pick;
use draft_board::domain::rule::{Input, Known, Trust, What, decide};
use draft_board::domain::state::{State, StateName};
use draft_board::domain::ticket::{Ticket, Title, Usage};
use draft_board::domain::time::Timestamp;
use uuid::Uuid;

const TICKETS: u32 = 10_000;

fn id(n: u32) -> TicketId {
    TicketId(Uuid::from_u128(n.into()))
}

fn ticket(n: u32) -> Ticket {
    Ticket {
        id: id(n),
        number: TicketNumber(n),
        board: BoardId(Uuid::from_u128(1)),
        goal: None,
        title: Title::new(&format!("Ticket {n}")).expect("it is a title"),
        state: if n.is_multiple_of(3) { State::Done } else { State::Planned },
        reason: String::new(),
        priority: u8::try_from(n % 100).ok().and_then(|value| value.try_into().ok()),
        hand_order: None,
        pull_request: None,
        // Each waits for some before it, which are done or not.
        blocked_by: (1..4).filter(|k| n > k * 7).map(|k| id(n - k * 7)).collect(),
        verify: Vec::new(),
        agent: None,
        model: None,
        base_branch: None,
        message: None,
        worktree: None,
        usage: Usage::default(),
        created_at: Timestamp(n.into()),
        updated_at: Timestamp(n.into()),
        reverts: None,
        landed: None,
        removed_at: None,
    }
}

fn board() -> Board {
    let mut board = Board::new(About {
        id: BoardId(Uuid::from_u128(1)),
        name: "bench".into(),
        repo_root: "/repo".into(),
        base_branch: "main".into(),
        created_at: Timestamp(0),
    });
    for n in 1..=TICKETS {
        board.apply(&Change::Ticket(ticket(n)));
        if n % 10 == 1 {
            let job = JobId(Uuid::from_u128(u128::from(n) << 64));
            board.apply(&Change::Job(Job::queued(job, id(n), JobKind::Execute, Timestamp(n.into()))));
        }
    }
    board
}

fn input(command: Command) -> Input {
    Input {
        at: Timestamp(1_000_000),
        actor: Actor::human(),
        fresh: JobId(Uuid::from_u128(1 << 120)),
        known: Known::only(Trust::Given),
        what: What::Command(command),
    }
}

fn rules(c: &mut Criterion) {
    let board = board();
    let subject = TicketRef::Number(TicketNumber(5_000));
    let moved = input(Command::Move { ticket: subject, to: StateName::Proposed, reason: None });
    c.bench_function("decide a move", |b| b.iter(|| decide(&board, &moved)));
    let given_up = input(Command::Move { ticket: subject, to: StateName::Abandoned, reason: None });
    c.bench_function("decide to give one up that others wait for", |b| b.iter(|| decide(&board, &given_up)));
    let run = input(Command::Run { ticket: subject, choice: AgentChoice::default() });
    c.bench_function("decide a run", |b| b.iter(|| decide(&board, &run)));
    c.bench_function("pick from 1,000 queued", |b| b.iter(|| pick(&board, 4)));
    c.bench_function("copy the board", |b| b.iter(|| board.clone()));
}

criterion_group!(benches, rules);
criterion_main!(benches);
