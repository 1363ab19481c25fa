//! What a ticket holds: its worktree and branch, the refs that keep its work, its runs and the processes of them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::domain::detail::Detail;
use crate::domain::run::{Run, RunId, RunKind};
use crate::domain::ticket::Ticket;
use crate::git::{GitError, leftovers};
use crate::run::census::Census;
use crate::run::shelf::{self, Stage, What};

use super::super::workshop::Workshop;
use super::disk::DiskUse;

/// How long all folders of a ticket may be counted; what is larger is told as at least so much.
const COUNTING: Duration = Duration::from_millis(500);

/// What a ticket holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Holds {
    /// Its worktree.
    pub worktree: Option<HeldWorktree>,
    /// Its branch.
    pub branch: Option<HeldBranch>,
    /// The refs that keep its revisions and what was removed of it.
    pub refs: Vec<String>,
    /// Its ports.
    pub ports: Option<HeldPorts>,
    /// Its runs, oldest first.
    pub runs: Vec<HeldRun>,
    /// The processes of its runs, supervisors not among them.
    pub processes: Vec<HeldProcess>,
}

/// A worktree that a ticket holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldWorktree {
    /// The folder.
    pub path: PathBuf,
    /// The folder is there.
    pub exists: bool,
    /// How much it takes.
    pub disk: DiskUse,
}

/// A branch that a ticket holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldBranch {
    /// Its name.
    pub name: String,
    /// The commit that it is at; nothing where it is gone.
    pub head: Option<String>,
}

/// The ports that are a ticket's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldPorts {
    /// The first of them.
    pub first: u16,
    /// How many there are, as the settings say now.
    pub count: u32,
}

/// A run of a ticket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldRun {
    /// The run.
    pub id: RunId,
    /// What it is for.
    pub kind: RunKind,
    /// Its folder.
    pub path: PathBuf,
    /// How much that takes.
    pub disk: DiskUse,
    /// The process that supervises it and holds its lock, while it lives.
    pub supervisor: Option<i32>,
}

/// A process of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldProcess {
    /// Its number.
    pub pid: i32,
    /// Its command line.
    pub command: String,
    /// The run.
    pub run: RunId,
}

impl Holds {
    /// Returns how much of the disk the worktree and the runs take together.
    pub fn disk(&self) -> DiskUse {
        let worktree = self.worktree.iter().map(|worktree| worktree.disk);
        let all = worktree.chain(self.runs.iter().map(|run| run.disk));
        all.fold(DiskUse { bytes: 0, is_whole: true }, DiskUse::and)
    }
}

/// Looks up what a ticket holds right now. It blocks: it looks at all processes, and counts folders for half a second
/// at most.
///
/// # Errors
/// When git fails.
pub fn holds(shop: &Workshop, ticket: &Ticket, detail: &Detail) -> Result<Holds, GitError> {
    let branch = match &ticket.worktree {
        Some(tree) => Some(HeldBranch { name: tree.branch.clone(), head: leftovers::tip(&shop.repo, &tree.branch)? }),
        None => None,
    };
    let kept = leftovers::kept(&shop.repo)?;
    let trash = kept.trash.into_iter().filter(|(of, _)| *of == Some(ticket.id)).map(|(_, name)| name);
    let of_ticket = kept.of_tickets.into_iter().filter(|(of, _)| *of == ticket.id).map(|(_, name)| name);
    let refs = of_ticket.chain(trash).collect();
    let until = Instant::now() + COUNTING;
    let (runs, processes) = runs(&shop.paths.runs(), &detail.runs, until);
    let worktree = ticket.worktree.as_ref().map(|tree| HeldWorktree {
        path: tree.path.clone(),
        exists: tree.path.is_dir(),
        disk: DiskUse::of(&tree.path, until),
    });
    // With settings that cannot be read the first is its own in any case.
    let count = || shop.settings().map_or(1, |loaded| loaded.config.workspace_config.ports);
    let first = ticket.worktree.as_ref().and_then(|tree| tree.port);
    let ports = first.map(|first| HeldPorts { first, count: count() });
    Ok(Holds { worktree, branch, refs, ports, runs, processes })
}

fn runs(root: &Path, runs: &[Run], until: Instant) -> (Vec<HeldRun>, Vec<HeldProcess>) {
    let census = Census::take();
    let mut held = Vec::with_capacity(runs.len());
    let mut processes = Vec::new();
    for run in runs {
        let path = root.join(run.folder());
        let Some(shelved) = shelf::look(&path) else { continue };
        let mut supervisor = None;
        if let What::Run(about) = &shelved.what {
            let its = census.supervisors().iter().find(|one| one.folder.ends_with(run.folder()));
            supervisor = its.filter(|_| about.stage == Stage::Running).map(crate::run::census::Supervisor::pid);
            let members = census.of_run(about.mark, supervisor);
            processes.extend(members.into_iter().map(|(pid, command)| HeldProcess { pid, command, run: run.id }));
        }
        let disk = DiskUse::of(&path, until);
        held.push(HeldRun { id: run.id, kind: run.kind, path, disk, supervisor });
    }
    (held, processes)
}
