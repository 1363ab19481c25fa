//! The board in a real terminal, from the first key to the last, and through everything that can happen on the way.

mod again;
mod conflicts;
mod edits;
mod faults;
mod finding;
mod leave;
mod logs;
mod places;
mod review;
mod settings;
mod terminals;
mod untrusted;
mod visits;
mod watch;
mod whole;

use std::fs;
use std::path::PathBuf;

use crate::support::pty::Pty;
use crate::support::{Size, World};

const WIDE: Size = Size::new(120, 40);

/// Starts the board and waits for its first frame.
#[track_caller]
fn board(world: &World) -> Pty {
    let pty = world.draft_in_terminal(WIDE, &[]);
    pty.until_shows("? help");
    pty
}

/// A file that an agent's script waits for.
struct Gate(PathBuf);

impl Gate {
    fn new(world: &World, name: &str) -> Self {
        Self(world.folder().join(name))
    }

    /// Returns the directive that waits for the gate.
    fn wait(&self) -> String {
        format!("[[until {}]]", self.0.display())
    }

    fn open(&self) {
        fs::write(&self.0, "").unwrap();
    }
}

/// Files a planned ticket whose agent says `begun`, waits for the gate, and leaves what the check looks for.
#[track_caller]
fn gated(world: &World, title: &str, gate: &Gate) {
    let script = format!("[[say begun]]{}[[write hello.txt hi\\n]][[say finished]]", gate.wait());
    scripted(world, title, &script);
}

/// Files a planned ticket whose agent does what the script says.
#[track_caller]
fn scripted(world: &World, title: &str, script: &str) {
    world.draft(&["ticket", "add", title, "--description", script, "--state", "planned"]).ok();
}

/// Returns a ticket's state, as the database has it.
#[track_caller]
fn state(world: &World, ticket: &str) -> String {
    let shown = world.draft(&["ticket", "show", ticket, "--json"]).ok().json();
    shown["state"].as_str().unwrap().to_owned()
}

/// Leaves a board on which nothing runs, and looks at what is left of it.
#[track_caller]
fn leave(world: &World, mut pty: Pty) {
    // It asks before it is left while it knows of a job, and hears of the last one's end a moment later than the store.
    let count =
        |screen: &str| screen.split(" running").next().and_then(|head| head.rsplit(' ').next().map(str::to_owned));
    let runs = |count: &str| count.contains('/') && !count.starts_with("0/");
    pty.until("it knows that nothing runs", |screen| !count(screen).is_some_and(|count| runs(&count)));
    pty.keys("q");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    world.assert_nothing_left();
}
