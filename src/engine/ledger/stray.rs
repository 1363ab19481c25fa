//! A stray: something of Draft's that nothing accounts for, what to do about it, and what is safe to be done for you.

use std::path::PathBuf;

use crate::domain::id::{BoardId, TicketId};
use crate::domain::ticket::Worktree;
use crate::git::leftovers::{Noted, Rest};
use crate::run::Mark;
use crate::run::census::Supervisor;

/// Something that nothing accounts for.
#[derive(Clone, PartialEq, Debug)]
pub struct Stray {
    /// What kind of thing it is.
    pub subject: Subject,
    /// Which one: a path, a ref, a mark.
    pub which: String,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it, for people.
    pub advice: String,
    /// What is safe to be done about it.
    pub remedy: Remedy,
}

impl Stray {
    /// Says whether it is about the same thing, and would be mended in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        let way = |stray: &Self| std::mem::discriminant(&stray.remedy);
        self.subject == other.subject && self.which == other.which && way(self) == way(other)
    }
}

crate::domain::state::words! {
    /// What a stray is.
    Subject, "kind of stray" {
        /// A process of a run.
        Processes = "processes",
        /// A process that supervises a run.
        Supervisors = "supervisors",
        /// A folder or a row of a run.
        Runs = "runs",
        /// A worktree, or what lies where worktrees do.
        Worktrees = "worktrees",
        /// A branch that Draft made.
        Branches = "branches",
        /// A ref that keeps something of a ticket.
        Refs = "refs",
        /// A lock, a note or a copy that a killed process left.
        Leftovers = "leftovers",
        /// A command that waits for an engine.
        Commands = "commands",
        /// A board whose repository is not there.
        Boards = "boards",
    }
}

/// What is safe to be done about a stray. None of it deletes work.
#[derive(Clone, PartialEq, Debug)]
pub enum Remedy {
    /// Nothing: it may hold work, or the next engine does it.
    Nothing,
    /// Stop the processes with this mark: their run is over.
    StopProcesses(Mark),
    /// Have a supervisor whose folder is gone stop its run.
    StopSupervisor(Supervisor),
    /// Stop what is left of a run whose job is over, and write down that it is lost.
    Settle(PathBuf),
    /// Remove a run's folder that holds no output.
    RemoveRun(PathBuf),
    /// Remove an empty folder.
    RemoveEmpty(PathBuf),
    /// Remove a file that holds nothing.
    RemoveFile(PathBuf),
    /// Put a worktree or a branch into the trash.
    Trash {
        /// The repository.
        repo: PathBuf,
        /// What goes; of a branch without a worktree the folder is not there.
        worktree: Worktree,
    },
    /// Put the refs of a ticket into the trash.
    TrashRefs {
        /// The repository.
        repo: PathBuf,
        /// The ticket.
        ticket: TicketId,
    },
    /// Forget a worktree whose folder is gone.
    Forget {
        /// The repository.
        repo: PathBuf,
        /// The folder.
        path: PathBuf,
    },
    /// Remove a work tree in which something was made ready for a branch.
    ClearLanding {
        /// The repository.
        repo: PathBuf,
        /// The work tree.
        path: PathBuf,
    },
    /// Remove the note beside a worktree in the making.
    RemoveNote(Noted),
    /// Remove what a killed program left in git's own folder of a worktree.
    RemoveRest {
        /// The worktree.
        worktree: PathBuf,
        /// What is left there.
        rest: Rest,
    },
    /// Remove the lock file of a board that is not there.
    RemoveLock(BoardId),
}

impl Remedy {
    /// Says whether there is one.
    pub fn is_some(&self) -> bool {
        *self != Self::Nothing
    }
}
