//! Fifty trivial tickets at eight at once: a worktree, an agent of 50 ms, a revision, and the check `true`.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

use crate::place::Place;
use crate::say;

const TICKETS: u32 = 50;
const AT_ONCE: u32 = 8;
const AGENT: &str = "lines=3,ms=50";

/// The least that they cost: only what git, the agent and the check do. Some file systems look for a place for a new file
/// the longer the more were just deleted, so nothing is deleted before the end.
fn floor(places: &mut Vec<Place>) -> f64 {
    let place = Place::new();
    let (adding, left) = (Mutex::new(()), Mutex::new((1..=TICKETS).collect::<VecDeque<u32>>()));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(n) = left.lock().expect("nobody panicked").pop_front() else { return };
                    one(&place, &adding, n);
                }
            });
        }
    });
    let took = begin.elapsed().as_secs_f64();
    places.push(place);
    took
}

fn one(place: &Place, adding: &Mutex<()>, n: u32) {
    let folder = place.path(&format!("worktree-{n}"));
    let dir = folder.display().to_string();
    {
        // Git's own command is not safe beside itself.
        let _turn = adding.lock().expect("nobody panicked");
        place.git(&["worktree", "add", "--quiet", "--no-checkout", "-b", &format!("ticket-{n}"), &dir, "main"]);
    }
    place.git(&["-C", &dir, "reset", "--quiet", "--hard"]);
    assert!(place.agent("claude", AGENT).current_dir(&folder).status().expect("it starts").success());
    // A revision touches neither the branch nor the index of the worktree.
    let index = place.path(&format!("index-{n}"));
    let plumb = |args: &[&str]| place.git_with_index(&index, &[&["-C", dir.as_str()], args].concat());
    let own = place.path(&format!("repo/.git/worktrees/worktree-{n}/index"));
    std::fs::copy(own, &index).expect("the index of the worktree");
    plumb(&["add", "--all"]);
    let tree = plumb(&["write-tree"]);
    let commit = plumb(&["commit-tree", "-p", "HEAD", "-m", "revision", &tree]);
    plumb(&["update-ref", &format!("refs/revisions/{n}"), &commit]);
    assert!(std::process::Command::new("true").current_dir(&folder).status().expect("it starts").success());
}

/// What they cost with Draft, from its start to its end.
fn draft(places: &mut Vec<Place>) -> f64 {
    let place = Place::new();
    place.file(TICKETS, "claude", &["true"]);
    let begin = Instant::now();
    let ended = place.start(AGENT, &["--quiet", "run", "--max-parallel", &AT_ONCE.to_string()]).wait();
    let took = begin.elapsed().as_secs_f64();
    assert!(ended.expect("it ends").success(), "not all tickets wait for review");
    places.push(place);
    took
}

pub(crate) fn measure(rounds: usize) {
    let mut places = Vec::new();
    let all: Vec<(f64, f64)> = (0..rounds).map(|_| (floor(&mut places), draft(&mut places))).collect();
    say("git, agent and check alone", "s", &all.iter().map(|(floor, _)| *floor).collect::<Vec<_>>());
    say("draft", "s", &all.iter().map(|(_, draft)| *draft).collect::<Vec<_>>());
    say("draft / alone", "times", &all.iter().map(|(floor, draft)| draft / floor).collect::<Vec<_>>());
}
