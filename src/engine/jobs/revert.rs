//! The execute job that no agent does: git takes a landed change back. The commit is made in a work tree of its own, as a landing is, and
//! only then the ticket gets its worktree, which starts with that commit: nothing that is half done can ever be in it.

use crate::config::Config;
use crate::domain::fact::Fact;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::landing::Intent;
use crate::domain::outcome::Executed;
use crate::domain::rule::Known;
use crate::domain::rule_revert::Traced;
use crate::domain::ticket::{Usage, Worktree};
use crate::git::land::{Combined, Scratch};
use crate::git::revert::{self, Left};

use super::super::error::EngineError;
use super::super::handle::Handle;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::land::{clear_scratch, scratch_of};
use super::place;
use super::resume::danger;
use super::scripts::{Scripts, set_up};

/// Works on such a job until its end is stored.
pub(super) async fn take_back(bench: &Bench, landing: &Intent) -> Result<(), EngineError> {
    let fact = match do_it(bench, landing).await? {
        Ok(outcome) => executed(bench, outcome),
        Err(fact) => fact,
    };
    clear_scratch(bench).await;
    bench.learn(fact, Vec::new()).await
}

fn executed(bench: &Bench, outcome: Executed) -> Fact {
    Fact::Executed {
        job: bench.job.id,
        outcome,
        end: None,
        usage: Usage::default(),
        session: None,
        outside: Vec::new(),
    }
}

/// Returns what came of it, or the fact that ends the job early.
async fn do_it(bench: &Bench, landing: &Intent) -> Result<Result<Executed, Fact>, EngineError> {
    if bench.stop.is_cancelled() {
        return Ok(Err(bench.stopped()));
    }
    let config = bench.blocking(|shop| shop.settings()).await?.config.clone();
    let worktree = match worktree(bench, &config, landing).await? {
        Ok(worktree) => worktree,
        Err(outcome) => return Ok(Ok(outcome)),
    };
    if let Some(reason) = danger(bench, worktree.clone()).await? {
        return Ok(Ok(Executed::Unsafe { reason }));
    }
    match set_up(bench, &config, &worktree).await? {
        Scripts::Done => {}
        Scripts::Failed(reason) => return Ok(Ok(Executed::Failed { reason })),
        Scripts::Stopped => return Ok(Err(bench.stopped())),
        Scripts::Lost(reason) => return Ok(Err(bench.lost(reason))),
    }
    let snapshot = bench.snapshot(&worktree).await?;
    if !snapshot.changed() {
        let reason = format!("nothing of it is left on {}", landing.branch);
        return Ok(Ok(Executed::Failed { reason }));
    }
    Ok(Ok(Executed::Changed { revision: bench.keep(worktree, snapshot).await? }))
}

/// Returns the ticket's worktree with the change taken back in it, or why there is none.
async fn worktree(bench: &Bench, config: &Config, landing: &Intent) -> Result<Result<Worktree, Executed>, EngineError> {
    // An engine that was killed made it, and nothing but this job ran in it.
    if let Some(known) = bench.ticket.worktree.clone() {
        return Ok(Ok(place::ensure(bench, config, Some(&known)).await?));
    }
    let (landing, message, scratch) = (landing.clone(), message(bench, landing), scratch_of(bench));
    let made = bench.making(move |shop| {
        let base = shop.repo.commit_of(&landing.branch)?;
        let branch = landing.branch.clone();
        match revert::forecast(&shop.repo, &landing, &base)? {
            Left::Clean(_) => {}
            Left::NotThere => {
                let reason = format!("{branch} does not have its commits any more");
                return Ok(Err(Executed::Failed { reason }));
            }
            Left::Nothing => {
                return Ok(Err(Executed::Failed { reason: format!("nothing of it is left on {branch}") }));
            }
            Left::Conflicts(files) => return Ok(Err(Executed::Conflict { branch, files })),
        }
        let scratch = Scratch::at(&shop.repo, &scratch, &base)?;
        Ok(match revert::take_back(&shop.repo, &scratch, &landing, &message)? {
            Combined::Made { commit, .. } => Ok((commit, base)),
            Combined::Conflicts(files) => Err(Executed::Conflict { branch, files }),
            Combined::Refused(reason) => Err(Executed::Failed { reason: format!("the commit was not made: {reason}") }),
        })
    });
    Ok(match made.await? {
        Ok((commit, base)) => Ok(place::ensure_on_top(bench, config, &commit, &base).await?),
        Err(outcome) => Err(outcome),
    })
}

/// What the commit says: the subject of git's own, and where it comes from.
fn message(bench: &Bench, landing: &Intent) -> String {
    let ticket = &bench.ticket;
    let what = match landing.from.get(..12).zip(landing.to.get(..12)) {
        Some((from, to)) => format!("{from}..{to}"),
        None => landing.to.clone(),
    };
    format!(
        "{}\n\nThis takes back {what} of {}.\n\nDraft-Ticket: {} ({})\n",
        ticket.title, landing.branch, ticket.number, ticket.id
    )
}

/// Looks up what is left of the landing of a ticket that somebody wants to take back.
pub(in super::super) async fn look_up_revert(handle: &Handle, ticket: TicketRef) -> Result<Known, EngineError> {
    let id = handle.look(move |board| board.find(ticket).map(|ticket| ticket.id)).await?;
    handle
        .blocking(move |shop| {
            let traced = match id {
                Some(id) => traced(shop, id)?,
                None => Traced::Nothing,
            };
            Ok(Known { traced, ..Known::only(shop.trust()?) })
        })
        .await
}

fn traced(shop: &Workshop, ticket: TicketId) -> Result<Traced, EngineError> {
    Ok(match left_of(shop, ticket)? {
        None => Traced::Nothing,
        Some((landing, Left::NotThere)) => Traced::Gone(landing),
        Some((landing, Left::Nothing)) => Traced::Undone(landing),
        Some((landing, Left::Clean(_) | Left::Conflicts(_))) => Traced::There(landing),
    })
}

/// Looks up the newest landing of a ticket, and what is left of it on its target; nothing where none is known.
pub(in super::super) fn left_of(shop: &Workshop, ticket: TicketId) -> Result<Option<(Intent, Left)>, EngineError> {
    let events = shop.readers.read(|reader| reader.detail(ticket))?.map(|detail| detail.events).unwrap_or_default();
    let Some(landing) = events.iter().rev().find_map(|event| Intent::told(&event.event)) else { return Ok(None) };
    let Ok(tip) = shop.repo.commit_of(&landing.branch) else { return Ok(Some((landing, Left::NotThere))) };
    let left = revert::forecast(&shop.repo, &landing, &tip)?;
    Ok(Some((landing, left)))
}
