//! A landing from its forecast to its end, as the engine makes it, for tests.

use super::land::*;
use super::testing::Sandbox;
use super::{GitError, Repo};
use crate::domain::landing::{Intent, Strategy};

/// What came of it.
#[derive(Debug)]
pub(super) enum Landed {
    /// No commit was made: why.
    NotMade(String),
    /// There is one, and this came of moving the target to it.
    Made { from: String, commit: String, moved: Moved },
}

/// Lands a change on a branch that nobody has moved since it was made.
pub(super) fn land(
    sandbox: &Sandbox,
    repo: &Repo,
    branch: &str,
    strategy: Strategy,
    (base, head): (&str, &str),
    cell: &str,
) -> Landed {
    let wanted = repo.tree_of(head).unwrap();
    let from = repo.commit_of(branch).unwrap();
    assert_eq!(forecast(repo, &from, head).unwrap(), Forecast::Clean(wanted.clone()), "{cell}");
    let before = sandbox.run(repo.root(), "worktree list");
    let path = sandbox.dir().join("landing");
    let combined = Scratch::at(repo, &path, &from)
        .and_then(|scratch| scratch.combine(strategy, Change { base, head, message: "landed\n" }));
    Scratch::left(repo, &path).clear().unwrap();
    assert_eq!(sandbox.run(repo.root(), "worktree list"), before, "{cell}: nothing is left");
    let (commit, tree) = match combined {
        Ok(Combined::Made { commit, tree }) => (commit, tree),
        Ok(Combined::Refused(reason)) => return Landed::NotMade(reason),
        Err(error @ GitError::Filter { .. }) => return Landed::NotMade(error.to_string()),
        other => panic!("{cell}: {other:?}"),
    };
    assert_eq!(tree, wanted, "{cell}");
    let intent = Intent { branch: branch.into(), from: from.clone(), to: commit.clone() };
    let moved = move_target(repo, &intent, "note").unwrap();
    let at = repo.commit_of(branch).unwrap();
    assert_eq!(&at, if moved == Moved::Done { &commit } else { &from }, "{cell}");
    Landed::Made { from, commit, moved }
}

/// Says whether somebody wants what takes minutes: `DRAFT_TEST_LARGE=1`.
pub(super) fn is_large() -> bool {
    std::env::var_os("DRAFT_TEST_LARGE").is_some()
}

/// Pairs each of these with a way to land, one after the other; with every way where there is time for it.
pub(super) fn in_turn<T>(all: &[T]) -> Vec<(&T, Strategy)> {
    let ways = || Strategy::ALL.iter().copied().enumerate();
    let is_taken = |n: usize, way: usize| is_large() || n % Strategy::ALL.len() == way;
    let each = all.iter().enumerate().flat_map(|(n, one)| ways().map(move |(way, strategy)| (n, way, one, strategy)));
    each.filter(|(n, way, ..)| is_taken(*n, *way)).map(|(_, _, one, strategy)| (one, strategy)).collect()
}
