//! The place where a job works: its ticket's worktree, which is made, brought back or found, gets its ports, and is made ready.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};

use crate::config::Config;
use crate::domain::branch_template::slug;
use crate::domain::fact::Fact;
use crate::domain::revision::{Revision, revision_ref};
use crate::domain::state::StateName;
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::worktree::{Created, Origin};
use crate::git::{refill, trash, worktree};
use crate::store::Reader;

use super::super::error::EngineError;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::furnish::{branch_of, furnish};

/// Returns the ticket's worktree: the one that it has, or a new one, which is stored before anything runs in it.
///
/// `known` is the one that it has by now: the job itself may have made it.
pub(super) async fn ensure(bench: &Bench, config: &Config, known: Option<&Worktree>) -> Result<Worktree, EngineError> {
    ensure_from(bench, config, known, None).await
}

/// Returns a worktree of the ticket that starts at a commit which was made on top of another, one of its base branch.
pub(super) async fn ensure_on_top(
    bench: &Bench,
    config: &Config,
    commit: &str,
    base: &str,
) -> Result<Worktree, EngineError> {
    ensure_from(bench, config, None, Some((commit.to_owned(), base.to_owned()))).await
}

async fn ensure_from(
    bench: &Bench,
    config: &Config,
    known: Option<&Worktree>,
    on_top: Option<(String, String)>,
) -> Result<Worktree, EngineError> {
    let ticket = Ticket { worktree: known.cloned(), ..bench.ticket.clone() };
    let branch = branch_of(&ticket, config)?;
    // One that is not there any more comes back as its newest revision was.
    let newest = if known.is_some() { bench.newest_revision().await? } else { None };
    let on_top = on_top.or_else(|| newest.as_ref().map(|newest| (newest.head.clone(), newest.base.clone())));
    let repo = bench.stoppable_repo();
    let made = bench
        .making(move |shop| {
            if let Some(restored) = restored(shop, &ticket)? {
                return Ok(restored);
            }
            let folder = format!("{}-{}", ticket.number.0, slug(ticket.title.as_str()));
            let plan = worktree::Plan {
                path: &shop.worktrees().join(folder),
                branch: &branch,
                base_branch: ticket.base_branch.as_deref().unwrap_or(&shop.about.base_branch),
                existing: ticket.worktree.as_ref(),
                on_top: on_top.as_ref().map(|(commit, base)| (commit.as_str(), base.as_str())),
            };
            Ok(worktree::create(&repo, &plan)?)
        })
        .await?;
    if let Some(error) = &made.hook_failed {
        tracing::warn!(ticket = %bench.ticket.number, %error, "the post-checkout hook failed");
    }
    let mut worktree = made.worktree.clone();
    // Held until the ports are stored, so that no other board takes the same ones.
    let mut turn = None;
    if worktree.port.is_none() && config.workspace_config.ports > 0 {
        let (ports, base) = (config.workspace_config.ports, config.workspace_config.port_base);
        let (file, port) = bench.blocking(move |shop| free_ports(shop, ports, base)).await?;
        turn = Some(file);
        worktree.port = port;
    }
    let came_from = match newest.filter(|_| made.origin != Origin::Kept) {
        Some(newest) => Some(came_from(bench, &worktree, newest).await?),
        None => None,
    };
    if let Some(reference) = came_from {
        let fact = Fact::WorktreeRestored { ticket: bench.ticket.id, worktree: worktree.clone(), reference };
        bench.learn(fact, Vec::new()).await?;
    } else if known != Some(&worktree) {
        bench.learn(Fact::WorktreeMade { job: bench.job.id, worktree: worktree.clone() }, Vec::new()).await?;
    }
    drop(turn);
    let (ready, config) = (worktree.clone(), config.clone());
    bench
        .making(move |shop| {
            made.recorded()?;
            furnish(shop, &ready, &config)
        })
        .await?;
    Ok(worktree)
}

/// Returns from where a worktree came back: from the newest revision, or from its branch alone, which went another way since.
async fn came_from(bench: &Bench, worktree: &Worktree, newest: Revision) -> Result<String, EngineError> {
    let branch = worktree.branch.clone();
    bench
        .blocking(move |shop| {
            let tip = shop.repo.commit_of(&branch)?;
            let holds_it = refill::together(&shop.repo, &tip, &newest.head)?.is_some();
            Ok(if holds_it { revision_ref(newest.ticket, newest.number) } else { branch })
        })
        .await
}

/// Brings back the worktree of a ticket that was abandoned, or that nobody touched for long, and that is wanted again, so that its
/// work goes on where it was. One whose change landed starts anew.
fn restored(shop: &Workshop, ticket: &Ticket) -> Result<Option<Created>, EngineError> {
    if ticket.worktree.is_some() {
        return Ok(None);
    }
    let newest = trash::newest_of(&shop.repo, ticket.id)?;
    let Some(kept) = newest.filter(|one| one.state != StateName::Done) else { return Ok(None) };
    Ok(Some(trash::restore(&shop.repo, &kept)?))
}

/// Returns the first port of a block that no worktree has and nobody listens on, and the lock under which it is free; no
/// port when all are taken.
fn free_ports(shop: &Workshop, ports: u32, base: u32) -> Result<(File, Option<u16>), EngineError> {
    let path = shop.paths.data_dir.join("ports.lock");
    let open = || {
        let file = File::options().write(true).create(true).truncate(false).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    let file = open().map_err(|source| EngineError::Read { path: path.clone(), source })?;
    let taken = shop.readers.read(Reader::ports)?;
    Ok((file, first_free(ports, base, &taken, is_free)))
}

fn first_free(ports: u32, base: u32, taken: &[u16], is_free: impl Fn(u16) -> bool) -> Option<u16> {
    let overlaps = |first: u32| taken.iter().any(|other| first.abs_diff(u32::from(*other)) < ports);
    let blocks = (base..).step_by(usize::try_from(ports).ok()?).take_while(|first| first + ports - 1 <= 65_535);
    let free = |first: &u32| {
        !overlaps(*first) && (*first..first + ports).filter_map(|port| u16::try_from(port).ok()).all(&is_free)
    };
    blocks.into_iter().find(free).and_then(|first| u16::try_from(first).ok())
}

/// Says whether nobody listens on a port of this machine.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_ports_overlaps_no_other_and_nobody_listens_in_it() {
        assert_eq!(first_free(10, 20_000, &[], |_| true), Some(20_000));
        assert_eq!(first_free(10, 20_000, &[20_000, 20_015], |_| true), Some(20_030), "20015 reaches into 20020");
        assert_eq!(first_free(10, 20_000, &[], |port| port != 20_009), Some(20_010));
        assert_eq!(first_free(10, 65_500, &[65_500, 65_510, 65_520], |_| true), None);
    }

    #[test]
    fn a_port_with_a_listener_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
