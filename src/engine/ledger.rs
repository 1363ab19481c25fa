//! The ledger: what each ticket holds of this machine, and what is there that nothing accounts for.
//!
//! Strays are told by what they carry and hold (a mark, a lock, a specification, a branch's own history) and never by
//! their names, and each is seen twice before anybody hears of it, since an engine may be making it right now. What
//! mends them deletes no work: a worktree or a branch goes through the trash, output stays.

mod disk;
mod find;
mod holds;
mod mend;
mod stray;

use std::thread;
use std::time::Duration;

use crate::domain::board::About;
use crate::git::Git;
use crate::store::{EngineRow, StoreError};

use super::workshop::Paths;

pub use disk::DiskUse;
pub use holds::{HeldBranch, HeldPorts, HeldProcess, HeldRun, HeldWorktree, Holds, holds};
pub use mend::{Mended, Mender};
pub use stray::{Remedy, Stray, Subject};

/// How long after the first look the second one is. What was being made in the first is whole or gone in the second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(400);

/// Where to look: everything of a data directory, and the repositories of its boards.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// The data directory.
    pub paths: Paths,
    /// The git program.
    pub git: Git,
    /// Patterns of what agents leave for themselves, which is never part of a change.
    pub litter: Vec<String>,
}

/// What is there at one moment.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// What nothing accounts for.
    pub strays: Vec<Stray>,
    /// The boards, and who is their engine.
    pub boards: Vec<BoardState>,
    /// How much there is that is accounted for.
    pub counts: Counts,
}

/// A board and its engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoardState {
    /// The board.
    pub about: About,
    /// How people call it: its name, with its repository where several boards have that name.
    pub called: String,
    /// Whether a process is its engine, and who says so.
    pub engine: EngineState,
}

/// Whether a board has an engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EngineState {
    /// A process holds the lock; the row says who it is.
    Runs(Option<EngineRow>),
    /// Nobody does.
    None,
}

/// How much is there and accounted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Processes with a mark of one of the runs that go on.
    pub processes: usize,
    /// Supervisors of runs of this data directory.
    pub supervisors: usize,
    /// Run folders.
    pub runs: usize,
    /// Worktrees that tickets hold.
    pub worktrees: usize,
    /// Branches that Draft made and tickets hold.
    pub branches: usize,
    /// Refs of tickets.
    pub refs: usize,
    /// What lies in the trash.
    pub trash: usize,
}

/// Looks at everything, twice where the first look finds something, and returns what both saw. It blocks, and it changes
/// nothing.
///
/// # Errors
/// When the database cannot be read.
pub fn survey(grounds: &Grounds) -> Result<Survey, StoreError> {
    let first = find::look(grounds)?;
    if first.strays.is_empty() {
        return Ok(first);
    }
    thread::sleep(BETWEEN_LOOKS);
    let mut second = find::look(grounds)?;
    second.strays.retain(|stray| first.strays.iter().any(|before| before.is_same(stray)));
    Ok(second)
}
