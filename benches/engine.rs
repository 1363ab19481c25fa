//! How many wishes the engine carries out in a second, durable and announced: one after another and from 64 callers, on a
//! small board and on one of 10,000 tickets, beside a bare SQLite loop on the same disk.

use std::path::Path;
use std::process::Command as Program;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use draft_board::domain::board::About;
use draft_board::domain::command::{Command, NewTicket, Request};
use draft_board::domain::event::Actor;
use draft_board::domain::id::{BoardId, TicketId, TicketRef};
use draft_board::domain::state::StateName;
use draft_board::domain::ticket::Title;
use draft_board::domain::time::Timestamp;
use draft_board::engine::{BoardLock, Engine, Handle, Paths, Working, Workshop};
use draft_board::executor::table::Table;
use draft_board::git::{Git, Repo};
use draft_board::store::{Write, open};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Callers that ask at the same time.
const CALLERS: u32 = 64;

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"];
    let ended = Program::new("git").current_dir(folder).args(identity).args(args).status().expect("git starts");
    assert!(ended.success(), "git {args:?}");
}

/// An engine of a board with so many tickets, in a folder of its own.
fn engine(runtime: &Runtime, tickets: u32) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (root, data_dir) = (folder.path().join("repo"), folder.path().join("data"));
    std::fs::create_dir_all(&root).expect("a folder");
    std::fs::create_dir_all(&data_dir).expect("a folder");
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    git(&root, &["commit", "--quiet", "--allow-empty", "--message", "start"]);
    let path_env = std::env::var_os("PATH").unwrap_or_default();
    let program = Git::find(&path_env).expect("git is there");
    let repo = Repo::discover(&program, &root).expect("a repository");
    let about = About {
        id: BoardId(Uuid::from_u128(1)),
        name: "bench".into(),
        repo_root: repo.root().to_owned(),
        base_branch: "main".into(),
        created_at: Timestamp(0),
    };
    let writer = open(&data_dir.join("draft.db")).expect("a database");
    writer.write_blocking(Write::Board(about.clone())).expect("a board");
    let lock = BoardLock::take(&data_dir, about.id).expect("nobody else has it");
    let workshop = Arc::new(Workshop {
        paths: Paths { user_config: data_dir.join("config.yaml"), data_dir },
        about,
        git: program,
        repo,
        table: Table::builtin(),
        draft_program: "draft".into(),
        path_env,
        max_parallel: None,
    });
    let engine = runtime.block_on(async {
        let engine = Engine::start(workshop, lock, writer, Working::CommandsOnly).await.expect("it starts");
        let all = Command::AddTickets((1..=tickets).map(new_ticket).collect());
        engine.handle().ask(request(all)).await.expect("they are filed");
        engine
    });
    (folder, engine)
}

fn new_ticket(n: u32) -> NewTicket {
    NewTicket {
        id: id(n),
        title: Title::new(&format!("Guard the square root of negative number {n}")).expect("it is a title"),
        description: "What is to be done, and how it is seen that it is done.\n".repeat(20),
        priority: None,
        goal: None,
        after: Vec::new(),
        accepted: true,
        agent: None,
        model: None,
        verify: Vec::new(),
        base_branch: None,
    }
}

fn id(n: u32) -> TicketId {
    TicketId(Uuid::from_u128(0x7_0000_0000 + u128::from(n)))
}

fn request(command: Command) -> Request {
    Request { actor: Actor::human(), command }
}

/// Moves a planned ticket back and forth, so many times, which must be even.
async fn moves(handle: Handle, ticket: u32, count: u64) {
    for n in 0..count {
        let to = if n % 2 == 0 { StateName::Proposed } else { StateName::Planned };
        let command = Command::Move { ticket: TicketRef::Id(id(ticket)), to, reason: None };
        handle.ask(request(command)).await.expect("it is moved");
    }
}

/// Returns how long the callers take for `count` moves together, about.
async fn at_once(handle: &Handle, callers: u32, count: u64) -> Duration {
    let each = (count / u64::from(callers)).next_multiple_of(2);
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 1..=callers {
        tasks.spawn(moves(handle.clone(), caller, each));
    }
    tasks.join_all().await;
    let done = each * u64::from(callers);
    Duration::from_secs_f64(begin.elapsed().as_secs_f64() / done as f64 * count as f64)
}

fn floor(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Connection::open(folder.path().join("bare.db")).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)",
    )
    .expect("a table");
    let text = "x".repeat(200);
    let mut group = c.benchmark_group("wishes");
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(4)).sample_size(20);
    group.bench_function("floor: bare SQLite", |b| {
        b.iter(|| db.execute("INSERT INTO rows (text) VALUES (?1)", [&text]).expect("a row"));
    });
    group.finish();
}

fn wishes(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = c.benchmark_group("wishes");
    group.throughput(Throughput::Elements(1)).measurement_time(Duration::from_secs(4)).sample_size(20);
    for tickets in [CALLERS, 10_000] {
        let (_folder, engine) = engine(&runtime, tickets);
        for callers in [1, CALLERS] {
            group.bench_function(format!("{callers} at a time, {tickets} tickets"), |b| {
                b.iter_custom(|count| runtime.block_on(at_once(engine.handle(), callers, count)));
            });
        }
        runtime.block_on(engine.stop()).expect("it stops");
    }
    group.finish();
}

criterion_group!(benches, floor, wishes);
criterion_main!(benches);
