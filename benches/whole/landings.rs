//! Twenty approved changes of four agents that land at once, while others commit to the same branch; beside a script that does the
//! same with git alone, one after the other. Afterwards each commit of the target passes the check, each ticket says what became
//! of it, and nothing is left.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use draft_board::domain::state::State;

use crate::place::Place;
use crate::say;

const TICKETS: u32 = 20;
const AT_ONCE: u32 = 4;
/// How many commits others make meanwhile.
const OTHERS: u32 = 8;
const AGENT: &str = "lines=3,ms=20,edit=2";
/// Fails on a tree that has what the fifth and the tenth ticket made; and as every check, it takes its time.
const CHECK: &str = "sh -c 'test ! -e made-5.txt -o ! -e made-10.txt'";

/// The least that it costs: a work tree, a merge, a commit, the check and a fast-forward for each.
fn floor() -> f64 {
    let place = Place::new();
    for n in 1..=TICKETS {
        let (branch, dir) = (format!("ticket-{n}"), place.path(&format!("worktree-{n}")).display().to_string());
        place.git(&["worktree", "add", "--quiet", "-b", &branch, &dir, "main"]);
        std::fs::write(place.path(&format!("worktree-{n}/made-{n}.txt")), "made\n").expect("a file");
        place.git(&["-C", &dir, "add", "--all"]);
        place.git(&["-C", &dir, "commit", "--quiet", "--message", &branch]);
    }
    let begin = Instant::now();
    for n in 1..=TICKETS {
        let (branch, dir) = (format!("ticket-{n}"), place.path("landing").display().to_string());
        place.git(&["worktree", "add", "--quiet", "--detach", &dir, "main"]);
        place.git(&["-C", &dir, "merge", "--quiet", "--squash", &branch]);
        place.git(&["-C", &dir, "commit", "--quiet", "--message", &branch]);
        let mut check = std::process::Command::new("sh");
        check.args(["-c", "test ! -e made-5.txt -o ! -e made-10.txt"]).current_dir(place.path("landing"));
        if check.status().expect("it starts").success() {
            place.git(&["branch", "--force", "landed", &place.said(&["-C", &dir, "rev-parse", "HEAD"])]);
            place.git(&["merge", "--quiet", "--ff-only", "landed"]);
        }
        place.git(&["worktree", "remove", "--force", &dir]);
    }
    begin.elapsed().as_secs_f64()
}

/// What it costs with Draft, whose landings are all asked for at once.
fn draft() -> f64 {
    let place = Place::new();
    let config = "execute_config:\n  max_parallel_jobs: 4\nverify_config:\n  extra_allowed_commands: [sh]\n  rework_attempts: 0\n";
    std::fs::write(place.path("home/draft/config.yaml"), config).expect("the configuration");
    place.file(TICKETS, "claude", &[CHECK]);
    let ended = place.start(AGENT, &["--quiet", "run", "--max-parallel", &AT_ONCE.to_string()]).wait();
    assert!(ended.expect("it ends").success(), "not all tickets wait for review");
    for n in 1..=TICKETS {
        place.draft(&["--quiet", "review", &n.to_string(), "--approve"]);
    }
    let (is_over, made) = (AtomicBool::new(false), AtomicU32::new(0));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| work_beside(&place, &is_over, &made));
        let start = |n: u32| place.start(AGENT, &["--quiet", "merge", &n.to_string()]);
        let all: Vec<_> = (1..=TICKETS).map(start).collect();
        for mut landing in all {
            landing.wait().expect("it ends");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let took = begin.elapsed().as_secs_f64();
    look_at(&place, made.load(Ordering::Relaxed));
    took
}

/// Commits to the target each time that it has moved, as somebody does who works there too.
fn work_beside(place: &Place, is_over: &AtomicBool, made: &AtomicU32) {
    let tip = || place.said(&["rev-parse", "main"]);
    let mut seen = tip();
    while !is_over.load(Ordering::Relaxed) && made.load(Ordering::Relaxed) < OTHERS {
        if tip() == seen {
            std::thread::sleep(std::time::Duration::from_millis(5));
            continue;
        }
        let n = made.fetch_add(1, Ordering::Relaxed) + 1;
        std::fs::write(place.path(&format!("repo/others-{n}.txt")), "others\n").expect("a file");
        let commit = format!("git add others-{n}.txt && git commit --quiet --message others -- others-{n}.txt");
        // A landing may hold git's locks at that moment; who meets them tries again.
        while !place.shell(&commit) {}
        seen = tip();
    }
}

/// Looks that all is right, whatever came first.
fn look_at(place: &Place, others: u32) {
    let (reader, id) = place.reader();
    let (board, _) = reader.board(id).expect("it can be read").expect("a board");
    let done = board.tickets().filter(|ticket| matches!(ticket.state, State::Done)).count();
    for ticket in board.tickets().filter(|ticket| !matches!(ticket.state, State::Done)) {
        println!("    {}: {}", ticket.number, ticket.reason);
    }
    let log = place.said(&["log", "--first-parent", "--format=%H", "main"]);
    for commit in log.lines() {
        let files = place.said(&["ls-tree", "--name-only", commit]);
        let has = |name: &str| files.lines().any(|file| file == name);
        assert!(!has("made-5.txt") || !has("made-10.txt"), "{commit} is red");
    }
    assert_eq!(log.lines().count(), 1 + done + others as usize, "each landed ticket is one commit");
    assert_eq!(place.said(&["status", "--porcelain"]), "", "the checkout follows");
    println!("    {done} of {TICKETS} landed, beside {others} commits of others; each commit passes the check");
}

pub(crate) fn measure(rounds: usize) {
    let all: Vec<(f64, f64)> = (0..rounds).map(|_| (floor(), draft())).collect();
    say("git and check alone, one after the other", "s", &all.iter().map(|(floor, _)| *floor).collect::<Vec<_>>());
    say("draft", "s", &all.iter().map(|(_, draft)| *draft).collect::<Vec<_>>());
    say("draft / alone", "times", &all.iter().map(|(floor, draft)| draft / floor).collect::<Vec<_>>());
}
