//! What looking ahead costs with 50 tickets in flight on a repository of 100,000 files, in memory where the machine has a folder
//! for that: each step by itself, and whole looks. Five tickets have a worktree with all the files, the others a revision.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use draft_board::app::{Lookout, Options, open};
use draft_board::domain::id::{JobId, TicketId, TicketNumber};
use draft_board::domain::outlook::Flight;
use draft_board::domain::revision::{ChangeSize, Revision, RevisionStatus};
use draft_board::domain::ticket::Worktree;
use draft_board::domain::time::Timestamp;
use draft_board::git::aside::Aside;
use draft_board::git::forecast;
use uuid::Uuid;

const FILES: usize = 100_000;
const TICKETS: usize = 50;
const WORKTREES: usize = 5;
const ROUNDS: usize = 10;

fn main() {
    // As a test, it only has to start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let root = folder.path().join("repo");
    let heads = repository(&root);
    let options = Options {
        repo: root.clone(),
        board: None,
        data_dir: Some(folder.path().join("data")),
        max_parallel: None,
        looks_ahead: false,
    };
    let opened = open(&options).expect("a board");
    let workshop = Arc::clone(&opened.workshop);
    let base = said(&root, &["rev-parse", "main"]);
    let flights: Vec<Flight> = heads.iter().enumerate().map(|(n, head)| flight(&root, n, head, &base)).collect();

    let repo = &workshop.repo;
    let made = Instant::now();
    let aside = Aside::of(repo).expect("a place to try things out");
    println!("a place to try things out: {:.1?}", made.elapsed());
    step("a forecast that goes together", || forget(forecast::of(&aside, &base, &heads[0]).expect("it is foretold")));
    step("how far it is behind", || forget(forecast::behind(repo, &heads[0], &base).expect("it is counted")));
    step("two changes that conflict", || forget(aside.merge(&heads[0], &heads[10]).expect("they are merged")));
    step("the paths of a change", || forget(forecast::paths(repo, &base, &heads[0]).expect("they are read")));
    let worktree = flights[0].worktree.as_ref().expect("it has one");
    let known = forecast::paths(repo, &base, &heads[0]).expect("they are read");
    step("a glance at a worktree", || forget(forecast::stamp(repo, worktree, &known, None)));
    step("a whole look at a worktree", || forget(aside.snapshot(worktree, &[]).expect("it is looked at")));

    let mut lookout = Lookout::new(Arc::clone(&workshop));
    whole("everything for the first time", &mut lookout, &flights);
    whole("again, nothing changed", &mut lookout, &flights);
    std::fs::write(worktree.path.join(file_name(77)), "edited\n").expect("an edit");
    whole("one worktree was edited where nobody had edited before", &mut lookout, &flights);
    said(&root, &["commit", "--quiet", "--allow-empty", "-m", "elsewhere"]);
    whole("the target moved", &mut lookout, &flights);
}

/// Takes a result that nobody needs.
fn forget<T>(result: T) {
    drop(std::hint::black_box(result));
}

fn step(what: &str, mut run: impl FnMut()) {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .collect();
    took.sort();
    println!("{what}: {:.2?} (median {:.2?})", took[0], took[ROUNDS / 2]);
}

/// Looks until nothing is left to be found out, in slices as the board does it.
fn whole(what: &str, lookout: &mut Lookout, flights: &[Flight]) {
    let begin = Instant::now();
    let (mut slices, mut longest) = (0, Duration::ZERO);
    let radar = loop {
        let slice = Instant::now();
        let looked = lookout.look(flights, true, slice + Duration::from_millis(250)).expect("it looks");
        slices += 1;
        longest = longest.max(slice.elapsed());
        if !looked.has_more() {
            break looked.radar;
        }
    };
    let conflicts = radar.outlooks.values().filter(|outlook| !outlook.forecast.files().is_empty()).count();
    println!(
        "{what}: {:.1?} of work in {slices} slices, the longest {longest:.1?}; {conflicts} conflicts, {} collisions",
        begin.elapsed(),
        radar.collisions.len()
    );
}

fn flight(root: &Path, n: usize, head: &str, base: &str) -> Flight {
    let number = u32::try_from(n + 1).expect("there are few");
    let ticket = TicketId(Uuid::from_u128(u128::from(number)));
    let branch = format!("draft/{n}");
    let worktree = (n < WORKTREES).then(|| {
        let path = root.with_file_name(format!("worktree-{n}"));
        said(root, &["worktree", "add", "--quiet", path.to_str().expect("a text"), &branch]);
        Worktree { path, branch, base_branch: "main".into(), base: base.into(), port: None }
    });
    let revision = Revision {
        ticket,
        number: 1,
        job: JobId(Uuid::from_u128(u128::from(number))),
        status: RevisionStatus::Open,
        base: base.into(),
        tree: said(root, &["rev-parse", &format!("{head}^{{tree}}")]),
        head: head.into(),
        size: ChangeSize { files: 2, insertions: 2, deletions: 2 },
        at: Timestamp(0),
        ticks: Vec::new(),
    };
    Flight {
        checks: Vec::new(),
        ended: None,
        ticket,
        number: TicketNumber(number),
        target: "main".into(),
        worktree,
        revision: Some(revision),
        waits: true,
        works: None,
    }
}

fn file_name(n: usize) -> String {
    format!("src/d{:03}/f{n:06}.txt", n / 100)
}

/// A repository with so many files, and a branch for each ticket: ten groups whose changes meet in a file.
fn repository(root: &PathBuf) -> Vec<String> {
    std::fs::create_dir(root).expect("a folder");
    said(root, &["init", "--quiet", "--initial-branch=main"]);
    let who = "committer Bench <bench@localhost> 1700000000 +0000\ndata 1\nx\n";
    let mut text = format!("commit refs/heads/main\n{who}");
    let file = |text: &mut String, name: &str, content: &str| {
        // A string takes everything.
        let _ = write!(text, "M 100644 inline {name}\ndata {}\n{content}\n", content.len());
    };
    for n in 0..FILES {
        file(&mut text, &file_name(n), &format!("file {n}\n"));
    }
    for n in 0..TICKETS {
        let _ = write!(text, "commit refs/heads/draft/{n}\n{who}from refs/heads/main\n");
        file(&mut text, &file_name(n % 10), &format!("ticket {n}\n"));
        file(&mut text, &file_name(1_000 + n), &format!("ticket {n}\n"));
    }
    let mut import = Command::new("git");
    let mut import =
        import.current_dir(root).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().expect("git starts");
    import.stdin.take().expect("it is a pipe").write_all(text.as_bytes()).expect("git reads");
    assert!(import.wait().expect("it ends").success());
    said(root, &["config", "user.name", "Bench"]);
    said(root, &["config", "user.email", "bench@localhost"]);
    said(root, &["checkout", "--quiet", "--force", "main"]);
    (0..TICKETS).map(|n| said(root, &["rev-parse", &format!("draft/{n}")])).collect()
}

fn said(folder: &Path, args: &[&str]) -> String {
    let ended = Command::new("git").current_dir(folder).args(args).output().expect("git starts");
    assert!(ended.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).trim_end().to_owned()
}
