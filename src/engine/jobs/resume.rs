//! The resume job: what a person did in a ticket's worktree is kept as a revision, so that it can be checked.

use crate::domain::fact::Fact;
use crate::domain::outcome::Resumed;
use crate::domain::ticket::Worktree;
use crate::git::conflict::{self, Concluded};
use crate::git::worktree;

use super::super::chores::about_merge;
use super::super::error::EngineError;
use super::bench::Bench;

/// Works on a resume job until its end is stored.
pub(super) async fn resume(bench: &Bench) -> Result<(), EngineError> {
    let job = bench.job.id;
    if bench.stop.is_cancelled() {
        return bench.learn(bench.stopped(), Vec::new()).await;
    }
    let outcome = look(bench).await?;
    bench.learn(Fact::Resumed { job, outcome }, Vec::new()).await
}

async fn look(bench: &Bench) -> Result<Resumed, EngineError> {
    let worktree = bench.ticket.worktree.clone().ok_or(EngineError::NoWorktree(bench.ticket.number))?;
    if let Some(reason) = danger(bench, worktree.clone()).await? {
        return Ok(Resumed::Unsafe { reason });
    }
    if let Some(reason) = conclude(bench, worktree.clone()).await? {
        return Ok(Resumed::Unsafe { reason });
    }
    let newest = bench.newest_revision().await?;
    // A killed engine may have kept it already, under this very job.
    if let Some(kept) = newest.as_ref().filter(|newest| newest.job == bench.job.id) {
        return Ok(Resumed::Edited { revision: kept.clone() });
    }
    let snapshot = bench.snapshot(&worktree).await?;
    match newest {
        Some(newest) if newest.tree == snapshot.tree => Ok(Resumed::Same { revision: newest.number }),
        // What undoes an earlier revision altogether is an edit too.
        None if !snapshot.changed() => Ok(Resumed::Unchanged),
        Some(_) | None => Ok(Resumed::Edited { revision: bench.keep(worktree, snapshot).await? }),
    }
}

/// Concludes a merge or the like that a person has resolved in the worktree. Returns what is in the way of that.
async fn conclude(bench: &Bench, worktree: Worktree) -> Result<Option<String>, EngineError> {
    let message = about_merge(&bench.ticket, &worktree, "merged with");
    let number = bench.ticket.number.0;
    let concluded =
        bench.making(move |shop| Ok(conflict::conclude(&shop.repo, &worktree, &message, &shop.litter())?)).await?;
    Ok(match concluded {
        Concluded::Done => None,
        Concluded::Refused(reason) => Some(reason),
        Concluded::Unresolved(now) => {
            let hint =
                format!("resolve them there (`git add` what is right as it is), or `draft conflict {number} abort`");
            Some(format!("{}; {hint}", now.in_words()))
        }
    })
}

/// Returns what is wrong with a worktree in which something is to run, in words.
pub(super) async fn danger(bench: &Bench, worktree: Worktree) -> Result<Option<String>, EngineError> {
    let found = bench.blocking(move |shop| {
        Ok(worktree::validate(&shop.repo, &shop.paths.worktrees(), &worktree).err().map(|danger| danger.to_string()))
    });
    found.await
}
