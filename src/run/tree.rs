//! All processes of a run, wherever they fled to, and how they are stopped: politely, then for good.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::os::{self, Process, Seen};
use super::spec::Mark;

/// How long processes that cannot be ignored away are waited for; one that sleeps in the kernel may not die at all.
const GIVE_UP: Duration = Duration::from_secs(10);

/// The processes of one run. Agents start commands in sessions of their own, so a process group is not enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    /// In the environment of all of them, unless they dropped it.
    pub(super) mark: Mark,
    /// The supervisor, where it lives: its descendants are the run's, and orphans become its children.
    pub(super) root: Option<i32>,
}

impl Tree {
    /// Returns all that live, without the root.
    pub(super) fn members(&self) -> Vec<Process> {
        let myself = os::this_process();
        let all = os::processes();
        // What was there before its supervisor is not of the run, and reading environments is dear.
        let since = self.root.and(myself).map_or(0, |supervisor| supervisor.started);
        members(&all, self.root, |process| process.started >= since && process.has_mark(self.mark))
            .into_iter()
            .filter(|process| Some(*process) != myself)
            .collect()
    }
}

/// Returns the processes that descend from the root, those with the mark, and what descends from these.
pub(super) fn members(all: &[Seen], root: Option<i32>, marked: impl Fn(Process) -> bool) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for seen in all {
        children.entry(seen.parent).or_default().push(seen.process);
    }
    let mut found = BTreeSet::new();
    let mut open: Vec<Process> =
        root.into_iter().flat_map(|root| children.get(&root).into_iter().flatten().copied()).collect();
    spread(&mut open, &children, &mut found);
    // Only what is not found yet needs its environment read.
    let programs = all.iter().filter(|seen| !seen.is_kernel).map(|seen| seen.process);
    open.extend(programs.filter(|process| !found.contains(process) && marked(*process)));
    spread(&mut open, &children, &mut found);
    found.into_iter().filter(|process| Some(process.pid) != root).collect()
}

fn spread(open: &mut Vec<Process>, children: &BTreeMap<i32, Vec<Process>>, found: &mut BTreeSet<Process>) {
    while let Some(process) = open.pop() {
        if found.insert(process) {
            open.extend(children.get(&process.pid).into_iter().flatten());
        }
    }
}

/// Stops a tree in rounds: each looks who is left and sends the signal that is due.
#[derive(Debug)]
pub(super) struct Hunt {
    tree: Tree,
    kill_from: Instant,
    give_up_at: Instant,
    asked: BTreeSet<Process>,
}

/// What a round of a [`Hunt`] found.
#[derive(Debug)]
pub(super) enum Round {
    /// Nobody.
    Gone,
    /// These, which have been sent a signal.
    Left(Vec<Process>),
    /// So many that even the last signal did not end.
    GaveUp(usize),
}

impl Hunt {
    /// Begins to stop a tree; its processes have `grace` to end by themselves after the polite signal.
    pub(super) fn new(tree: Tree, now: Instant, grace: Duration) -> Self {
        let kill_from = now + grace;
        Self { tree, kill_from, give_up_at: kill_from + GIVE_UP, asked: BTreeSet::new() }
    }

    /// Does one round.
    pub(super) fn round(&mut self, now: Instant) -> Round {
        let mut left = self.tree.members();
        if left.is_empty() {
            // One that was born and lost its parent while the list was read can be missing in it.
            left = self.tree.members();
        }
        if left.is_empty() {
            return Round::Gone;
        }
        if now >= self.give_up_at {
            return Round::GaveUp(left.len());
        }
        for process in &left {
            let first = self.asked.insert(*process);
            if now >= self.kill_from {
                let _ = process.signal(Signal::KILL); // whoever is still there is met again in the next round
            } else if first {
                let _ = process.signal(Signal::TERM); // the same
            }
        }
        Round::Left(left)
    }

    /// Returns when the next thing happens at the latest, if nobody ends before.
    pub(super) fn next_step(&self, now: Instant) -> Instant {
        let step = if now < self.kill_from { self.kill_from } else { self.give_up_at };
        step.min(now + Duration::from_millis(50))
    }

    /// Returns how many processes were sent a signal.
    pub(super) fn asked(&self) -> usize {
        self.asked.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pid: i32, parent: i32) -> Seen {
        Seen { process: Process { pid, started: 1 }, parent, is_kernel: false }
    }

    #[test]
    fn members_are_descendants_of_the_root_the_marked_and_theirs() {
        // 10 is the root, 11 its child, 12 a grandchild; 20 fled but has the mark, 21 is its child without mark.
        let all = [seen(1, 0), seen(10, 1), seen(11, 10), seen(12, 11), seen(20, 1), seen(21, 20), seen(30, 1)];
        let pids = |root, marked: &[i32]| -> Vec<i32> {
            members(&all, root, |process| marked.contains(&process.pid)).iter().map(|process| process.pid).collect()
        };
        assert_eq!(pids(Some(10), &[20]), [11, 12, 20, 21]);
        assert_eq!(pids(None, &[11, 20]), [11, 12, 20, 21]);
        assert_eq!(pids(None, &[]), [0; 0]);
        assert_eq!(pids(Some(10), &[10]), [11, 12], "the root is never a member");
    }
}
