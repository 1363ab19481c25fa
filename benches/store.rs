//! What the store costs: loading a board of 10,000 tickets, and commits one after another and 64 at a time, each beside a
//! bare SQLite loop on the same disk that is as durable.

#[path = "support/ticket.rs"]
mod ticket;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use draft_board::domain::board::About;
use draft_board::domain::change::Save;
use draft_board::domain::event::{Actor, EventKind, NewEvent};
use draft_board::domain::id::{BoardId, JobId};
use draft_board::domain::job::{Job, JobKind, JobStatus};
use draft_board::domain::state::{NeedsHuman, State};
use draft_board::domain::ticket::{Ticket, Usage};
use draft_board::domain::time::Timestamp;
use draft_board::store::{Limits, Reader, Write, Writer};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use ticket::{filed, worktree};

const BOARD: BoardId = BoardId(Uuid::from_u128(1));
const TICKETS: u32 = 10_000;
/// Callers that write at the same time.
const CALLERS: u32 = 64;

fn one(n: u32) -> Ticket {
    let state = match n % 4 {
        0 => State::Proposed,
        1 => State::Planned,
        2 => State::NeedsHuman { why: NeedsHuman::Review },
        _ => State::Done,
    };
    Ticket {
        reason: "revision 1: +30 −4".into(),
        worktree: matches!(state, State::NeedsHuman { .. }).then(|| worktree(n)),
        usage: Usage { input_tokens: 1_000, output_tokens: 200, cost_micros: Some(12_000) },
        ..filed(BOARD, n, state)
    }
}

fn job(ticket: &Ticket) -> Job {
    let at = Timestamp(1_800_000_050_000 + i64::from(ticket.number.0));
    let id = JobId(Uuid::from_u128(0x9_0000_0000 + u128::from(ticket.number.0)));
    Job { status: JobStatus::Succeeded, finished_at: Some(at), ..Job::queued(id, ticket.id, JobKind::Verify, at) }
}

/// A database with so many tickets; half of them have had a job.
fn database(tickets: u32) -> (TempDir, Writer) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let writer = Writer::open(&folder.path().join("draft.db"), Limits::default()).expect("a database");
    let about = About {
        id: BOARD,
        name: "calculator".into(),
        repo_root: "/home/u/projects/calculator".into(),
        base_branch: "main".into(),
        created_at: Timestamp(0),
    };
    writer.write_blocking(Write::Board(about)).expect("a board");
    let mut saves = Vec::new();
    for ticket in (1..=tickets).map(one) {
        let description = "What is to be done, and how it is seen that it is done.\n".repeat(20);
        if matches!(ticket.state, State::NeedsHuman { .. } | State::Done) {
            saves.push(Save::Job { job: job(&ticket), was: None });
        }
        saves.insert(saves.len().saturating_sub(1), Save::NewTicket { ticket, description });
    }
    // A job names its ticket, so tickets come first.
    saves.sort_by_key(|save| matches!(save, Save::Job { .. }));
    writer.commit_blocking(saves).expect("tickets");
    (folder, writer)
}

/// What a move of a ticket writes: the ticket and an event.
fn a_move(ticket: &Ticket, n: u64) -> Vec<Save> {
    let state = ticket.state.name();
    let moved = Ticket { reason: format!("move {n}"), ..ticket.clone() };
    let event = NewEvent {
        ticket: ticket.id,
        at: Timestamp(1_800_000_200_000),
        kind: EventKind::Comment,
        from: Some(state),
        to: Some(state),
        actor: Actor::human(),
        reason: format!("move {n}"),
        payload: serde_json::json!({}),
    };
    vec![Save::Event(event), Save::Ticket { ticket: moved, was: state }]
}

fn load(c: &mut Criterion) {
    let (folder, writer) = database(TICKETS);
    let path = folder.path().join("draft.db");
    c.bench_function("open and load a board of 10,000 tickets", |b| {
        b.iter(|| Reader::open(&path).expect("a database").board(BOARD).expect("it can be read"));
    });
    let reader = Reader::open(&path).expect("a database");
    c.bench_function("load a board of 10,000 tickets", |b| b.iter(|| reader.board(BOARD).expect("it can be read")));
    c.bench_function("open a reader", |b| b.iter(|| Reader::open(&path).expect("a database")));
    drop(writer);
}

/// The floor: a row into a bare table, as durable, one commit each.
fn bare(folder: &Path) -> Connection {
    let db = Connection::open(folder.join("bare.db")).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)",
    )
    .expect("a table");
    db
}

fn commits(c: &mut Criterion) {
    let mut group = c.benchmark_group("commits");
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(4)).sample_size(20);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = bare(folder.path());
    let text = "x".repeat(200);
    group.bench_function("floor: bare SQLite", |b| {
        b.iter(|| db.execute("INSERT INTO rows (text) VALUES (?1)", [&text]).expect("a row"));
    });
    for tickets in [100, TICKETS] {
        let (_folder, writer) = database(tickets);
        let subject = one(1);
        let mut n = 0;
        group.bench_function(format!("one after another, {tickets} tickets"), |b| {
            b.iter(|| {
                n += 1;
                writer.commit_blocking(a_move(&subject, n)).expect("it is stored")
            });
        });
        let writer = Arc::new(writer);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        group.bench_function(format!("64 at a time, {tickets} tickets"), |b| {
            b.iter_custom(|count| runtime.block_on(at_once(&writer, count)));
        });
    }
    group.bench_function("floor: bare SQLite, again", |b| {
        b.iter(|| db.execute("INSERT INTO rows (text) VALUES (?1)", [&text]).expect("a row"));
    });
    group.finish();
}

/// Lets the callers write `count` moves together.
async fn at_once(writer: &Arc<Writer>, count: u64) -> Duration {
    let begin = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let writer = Arc::clone(writer);
        let moves = count / u64::from(CALLERS) + u64::from(u64::from(caller) < count % u64::from(CALLERS));
        callers.spawn(async move {
            let subject = one(caller + 1);
            for n in 0..moves {
                writer.commit(a_move(&subject, n)).await.expect("it is stored");
            }
        });
    }
    callers.join_all().await;
    begin.elapsed()
}

criterion_group!(benches, load, commits);
criterion_main!(benches);
