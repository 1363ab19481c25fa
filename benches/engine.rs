//! How many moves of tickets the engine carries out in a second, durable and announced: one after another and from 64
//! callers, on a small board and on one of 10,000 tickets. They take turns with bare SQLite on the same disk, and the
//! ratios of each round are what counts: `cargo bench --bench engine [-- ROUNDS]`.

#[path = "support/bare.rs"]
mod bare;

use std::path::Path;
use std::process::Command as Program;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bare::Bare;
use draft_board::config::in_force::Keeper;
use draft_board::domain::board::About;
use draft_board::domain::command::{Command, NewTicket, Request};
use draft_board::domain::event::Actor;
use draft_board::domain::id::{BoardId, TicketId, TicketRef};
use draft_board::domain::state::StateName;
use draft_board::domain::ticket::Title;
use draft_board::domain::time::Timestamp;
use draft_board::engine::{BoardLock, Engine, Gates, Handle, Paths, Working, Workshop};
use draft_board::git::still::Still;
use draft_board::git::{Git, Repo};
use draft_board::store::{Readers, Write, open};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Callers that ask at the same time.
const CALLERS: u32 = 64;
/// A board with many tickets.
const MANY: u32 = 10_000;
/// How often each has its turn in a round.
const TURNS: u64 = 20;
/// Moves one after another in a turn.
const MOVES: u64 = 20;
/// Moves of all callers together in a turn.
const MOVES_AT_ONCE: u64 = 256;

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
        gates: Gates::default(),
        readers: Readers::of(&data_dir.join("draft.db")),
        paths: Paths { user_config: data_dir.join("config.yaml"), data_dir },
        about,
        git: program,
        repo,
        draft_program: "draft".into(),
        path_env,
        kept: Keeper::default(),
        max_parallel: None,
        still: Still::default(),
        looks_ahead: false,
    });
    let engine = runtime.block_on(async {
        let engine = Engine::start(workshop, lock, writer, Working::Jobs, None).await.expect("it starts");
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

/// Lets the callers make so many moves together, and returns how long they took.
async fn at_once(handle: &Handle, callers: u32, count: u64) -> Duration {
    let each = (count / u64::from(callers)).next_multiple_of(2);
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 1..=callers {
        tasks.spawn(moves(handle.clone(), caller, each));
    }
    tasks.join_all().await;
    begin.elapsed()
}

/// Moves a ticket so often in bare SQLite.
fn floor(bare: &mut Bare, count: u64) -> Duration {
    let begin = Instant::now();
    (0..count).for_each(|_| bare.move_ticket(1));
    begin.elapsed()
}

/// What one round showed, in moves a second.
struct Round {
    floor: f64,
    floor_many: f64,
    one: f64,
    one_many: f64,
    all: f64,
    all_many: f64,
}

/// Lets all take short turns, so that what else the machine does meets each of them.
fn round(runtime: &Runtime, bare: &mut [Bare; 2], few: &Engine, many: &Engine) -> Round {
    let [bare_few, bare_many] = bare;
    let run = |engine: &Engine, callers, count| runtime.block_on(at_once(engine.handle(), callers, count));
    let mut took = [Duration::ZERO; 6];
    for _ in 0..TURNS {
        took[0] += floor(bare_few, MOVES);
        took[1] += run(few, 1, MOVES);
        took[2] += floor(bare_many, MOVES);
        took[3] += run(many, 1, MOVES);
        took[4] += run(few, CALLERS, MOVES_AT_ONCE);
        took[5] += run(many, CALLERS, MOVES_AT_ONCE);
    }
    let a_second = |took: Duration, moves: u64| (moves * TURNS) as f64 / took.as_secs_f64();
    Round {
        floor: a_second(took[0], MOVES),
        one: a_second(took[1], MOVES),
        floor_many: a_second(took[2], MOVES),
        one_many: a_second(took[3], MOVES),
        all: a_second(took[4], MOVES_AT_ONCE),
        all_many: a_second(took[5], MOVES_AT_ONCE),
    }
}

/// Prints median, least and most of a figure of all rounds.
fn say(name: &str, rounds: &[Round], figure: impl Fn(&Round) -> f64) {
    let mut all: Vec<f64> = rounds.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    let (least, median, most) = (all[0], all[all.len() / 2], all[all.len() - 1]);
    println!("{name:52} {median:9.2}   ({least:.2} to {most:.2})");
}

fn main() {
    // Other than `cargo bench`, nobody wants to wait for this.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let rounds: usize = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(7);
    let runtime = Runtime::new().expect("a runtime");
    let (_few, few) = engine(&runtime, CALLERS);
    let (_many, many) = engine(&runtime, MANY);
    let folders = [tempfile::tempdir().expect("a temporary folder"), tempfile::tempdir().expect("a temporary folder")];
    let mut bare = [Bare::new(folders[0].path(), CALLERS), Bare::new(folders[1].path(), MANY)];
    let rounds: Vec<Round> = (0..rounds).map(|_| round(&runtime, &mut bare, &few, &many)).collect();
    println!("moves a second, median of {} rounds", rounds.len());
    say("bare SQLite, one after another", &rounds, |round| round.floor);
    say("bare SQLite with 10,000 tickets", &rounds, |round| round.floor_many);
    say("engine, one after another", &rounds, |round| round.one);
    say("engine with 10,000 tickets", &rounds, |round| round.one_many);
    say("engine, 64 callers", &rounds, |round| round.all);
    say("engine with 10,000 tickets, 64 callers", &rounds, |round| round.all_many);
    println!("ratios in one round");
    say("engine / bare SQLite", &rounds, |round| round.one / round.floor);
    say("the same with 10,000 tickets", &rounds, |round| round.one_many / round.floor_many);
    say("one after another, 10,000 tickets / 64", &rounds, |round| round.one_many / round.one);
    say("64 callers, 10,000 tickets / 64", &rounds, |round| round.all_many / round.all);
    runtime.block_on(async { (few.stop().await.expect("it stops"), many.stop().await.expect("it stops")) });
}
