//! The verify job: each check is a supervised run of its own; the first that fails ends it.

use crate::config::allow::{self, CheckCommand};
use crate::config::{CommandSpec, Config};
use crate::domain::autonomy::{Examined, autonomy_of};
use crate::domain::change::Save;
use crate::domain::evidence::Evidence;
use crate::domain::fact::Fact;
use crate::domain::job::JobKind;
use crate::domain::outcome::{Verified, first_and_count};
use crate::domain::revision::Revision;
use crate::domain::rule::Trust;
use crate::domain::run::{Run, RunEnd, RunKind};
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::copies_sum;
use crate::git::diff::touched;

use super::super::error::EngineError;
use super::super::rails;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::command::{plan, program};
use super::gates::run_gates;
use super::resume::danger;
use super::scripts::missing;
use super::supervise::{Nobody, begin, how_it_was_lost, proof, proof_in, see_through, take_back};
use super::surroundings;

/// Why nothing of the repository's runs whose trust is gone.
pub(super) const UNTRUSTED: &str =
    "this repository's commands are not trusted any more: `draft trust --show` shows what would run";

/// Works on a verify job until its end is stored.
pub(super) async fn verify(bench: &Bench) -> Result<(), EngineError> {
    let job = bench.job.id;
    // A check that may live is brought to its end whatever the configuration says by now.
    let runs = match finish_what_runs(bench, Ran::OnRevision).await? {
        Ok(runs) => runs,
        Err(fact) => return bench.learn(fact, Vec::new()).await,
    };
    let config = bench.blocking(|shop| shop.settings()).await?.config.clone();
    let refused = |reason: String| Fact::Verified { job, outcome: Verified::Refused { reason } };
    let worktree = match safe_worktree(bench).await? {
        Ok(worktree) => worktree,
        Err(reason) => return bench.learn(refused(reason), Vec::new()).await,
    };
    let checks = match checks(bench, &config).await? {
        Ok(checks) => checks,
        Err(reason) => return bench.learn(refused(reason), Vec::new()).await,
    };
    let count = u32::try_from(checks.len()).unwrap_or(u32::MAX);
    if bench.job.steps != Some(count) {
        bench.learn(Fact::Counted { job, checks: count }, Vec::new()).await?;
    }
    let tree = if runs.is_empty() { checked_tree(bench, worktree.clone()).await? } else { newest_tree(bench).await? };
    if !runs.is_empty() && bench.held(&worktree).await? != tree {
        let reason = overtaken(bench, &worktree, &tree, "while its checks ran").await?;
        return bench.learn(again(bench, reason).await?, Vec::new()).await;
    }
    let next = runs.iter().map(|run| run.id.n).max().unwrap_or(0) + 1;
    let known = proven(bench, runs, &tree).await?;
    let round = Round { worktree: &worktree, checks: &checks, tree: &tree, held: &tree, next };
    let (early, records) = run_checks(bench, &config, round, known.clone()).await?;
    let (fact, records) = match early {
        Some(Fact::Verified { outcome: Verified::Overtaken { reason }, .. }) => (again(bench, reason).await?, records),
        Some(fact) => (fact, records),
        None => passed(bench, &config, (round, &known), records).await?,
    };
    bench.learn(fact, records).await
}

/// Returns what follows when a change became another one under its checks: it is checked again, unless that happens each time.
async fn again(bench: &Bench, reason: String) -> Result<Fact, EngineError> {
    let id = bench.ticket.id;
    let read =
        move |shop: &Workshop| Ok(shop.readers.read(|reader| Ok((reader.revisions(id)?, reader.jobs_of(id)?)))?);
    let (mut revisions, jobs) = bench.blocking(read).await?;
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    // The job that checks again keeps what it finds as a revision of its own.
    let is_by_checks = |one: &&Revision| jobs.iter().any(|job| job.id == one.job && job.kind == JobKind::Verify);
    let outcome = if revisions.iter().take_while(is_by_checks).count() < AGAIN {
        Verified::Overtaken { reason }
    } else {
        let hint = "let git ignore what checks leave, or have them only look";
        let reason = format!(
            "{reason}, as before, so nothing is proven of it; {hint}, then `draft resume {}` goes on",
            bench.ticket.number.0
        );
        Verified::Refused { reason }
    };
    Ok(Fact::Verified { job: bench.job.id, outcome })
}

/// Says which files of a worktree are not any more as in a tree, and when that came about.
async fn overtaken(bench: &Bench, worktree: &Worktree, tree: &str, when: &str) -> Result<String, EngineError> {
    let (now, tree) = (bench.held(worktree).await?, tree.to_owned());
    let touched = bench.blocking(move |shop| Ok(touched(&shop.repo, &tree, &now)?)).await?;
    let paths: Vec<String> = touched.into_iter().map(|file| file.path).collect();
    // Whoever changed it may have taken that back by now.
    let files = first_and_count(&paths).unwrap_or_else(|| "its worktree".to_owned());
    Ok(format!("{files} changed {when}"))
}

/// Returns the runs that say something about a tree: those under which it stayed what the worktree held.
async fn proven(bench: &Bench, mut runs: Vec<Run>, tree: &str) -> Result<Vec<Run>, EngineError> {
    if !runs.is_empty() {
        let ticket = bench.ticket.id;
        let evidence = bench.blocking(move |shop| Ok(shop.readers.read(|reader| reader.evidence_of(ticket))?)).await?;
        runs.retain(|run| evidence.iter().any(|one| one.run == run.id && one.tree.as_deref() == Some(tree)));
    }
    Ok(runs)
}

/// Returns the fact that the checks passed, with what the rails say where nobody may be needed, after the gates for that.
async fn passed(
    bench: &Bench,
    config: &Config,
    (round, before): (Round<'_>, &[Run]),
    records: Vec<Save>,
) -> Result<(Fact, Vec<Save>), EngineError> {
    let checks = u32::try_from(round.checks.len()).unwrap_or(u32::MAX);
    let fact = |examined| Fact::Verified { job: bench.job.id, outcome: Verified::Passed { checks, examined } };
    let Some((ticket, revision)) = cared_for(bench).await? else { return Ok((fact(None), records)) };
    match run_gates(bench, config, (round, before), records).await? {
        Ok(records) => {
            let examined = examine(bench, ticket, revision, &records).await?;
            Ok((fact(Some(examined)), records))
        }
        Err(ended) => Ok(ended),
    }
}

/// How often in a row a change that became another one under its checks is checked again.
const AGAIN: usize = 2;

/// On what a check ran that an earlier engine began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ran {
    /// On the newest revision.
    OnRevision,
    /// On something that nobody knows any more, so that it proves nothing.
    Elsewhere,
}

/// Brings the check to its end that an earlier engine began, and returns all runs of this job; or the fact that ends it.
pub(super) async fn finish_what_runs(bench: &Bench, ran: Ran) -> Result<Result<Vec<Run>, Fact>, EngineError> {
    let mut known = bench.known_runs().await?;
    for run in known.iter_mut().filter(|run| run.end.is_none()) {
        let ended = see_through(bench, take_back(bench, run), &mut Nobody).await?;
        let tree = match ran {
            Ran::OnRevision => newest_if_held(bench).await?,
            Ran::Elsewhere => None,
        };
        bench.record(proof(bench, &ended, tree)).await?;
        match &ended.record.end {
            RunEnd::Stopped if bench.stop.is_cancelled() => return Ok(Err(bench.stopped())),
            RunEnd::Lost => return Ok(Err(bench.lost(how_it_was_lost(bench, &ended.run)))),
            RunEnd::Exited { .. }
            | RunEnd::Signaled { .. }
            | RunEnd::TimedOut
            | RunEnd::Silent
            | RunEnd::TooMuchOutput
            | RunEnd::Stopped
            | RunEnd::NotStarted { .. } => *run = ended.run,
        }
    }
    Ok(Ok(known))
}

/// Returns the worktree to check in, or why nothing may run there.
async fn safe_worktree(bench: &Bench) -> Result<Result<Worktree, String>, EngineError> {
    let Some(worktree) = bench.ticket.worktree.clone() else {
        return Ok(Err("it has no worktree to check".to_owned()));
    };
    Ok(match danger(bench, worktree.clone()).await? {
        Some(reason) => Err(reason),
        None => Ok(worktree),
    })
}

/// Returns the checks: the ticket's own, which a person typed, or the repository's, which must be trusted and allowed.
pub(super) async fn checks(bench: &Bench, config: &Config) -> Result<Result<Vec<CheckCommand>, String>, EngineError> {
    let is_own = !bench.ticket.verify.is_empty();
    if !is_own
        && !config.verify_config.commands.is_empty()
        && bench.blocking(|shop| shop.trust()).await? == Trust::Missing
    {
        return Ok(Err(UNTRUSTED.to_owned()));
    }
    Ok(checks_of(&bench.ticket.verify, config))
}

/// Returns the checks of a ticket, its own or else the repository's; or which of them is not allowed.
pub(in super::super) fn checks_of(own: &[String], config: &Config) -> Result<Vec<CheckCommand>, String> {
    let typed: Vec<CommandSpec> = own.iter().map(|text| text.as_str().into()).collect();
    let commands = if typed.is_empty() { &config.verify_config.commands } else { &typed };
    let parsed = commands.iter().map(|command| allow::check(command, &config.verify_config.extra_allowed_commands));
    parsed.collect::<Result<Vec<_>, _>>().map_err(|refused| refused.to_string())
}

/// Returns the tree that is about to be checked. Should it differ from the newest revision, since somebody edited it
/// meanwhile, it becomes a revision first: what is green is always what is reviewed.
async fn checked_tree(bench: &Bench, worktree: Worktree) -> Result<String, EngineError> {
    let newest = bench.newest_revision().await?.map(|newest| newest.tree);
    let place = worktree.clone();
    let still = bench.blocking(move |shop| Ok(shop.still.tree(&place))).await?;
    if let Some(tree) = still.filter(|tree| newest.as_ref() == Some(tree)) {
        return Ok(tree);
    }
    let snapshot = bench.snapshot(&worktree).await?;
    if newest.as_ref() == Some(&snapshot.tree) {
        return Ok(snapshot.tree);
    }
    let revision = bench.keep(worktree, snapshot).await?;
    let tree = revision.tree.clone();
    bench.record(vec![Save::Revision(revision)]).await?;
    Ok(tree)
}

/// Returns the tree that this job checks: that of the newest revision, since its first check has begun.
async fn newest_tree(bench: &Bench) -> Result<String, EngineError> {
    let newest = bench.newest_revision().await?;
    newest.map(|newest| newest.tree).ok_or(EngineError::NoWorktree(bench.ticket.number))
}

/// Returns the tree of the newest revision, if the worktree holds it right now.
async fn newest_if_held(bench: &Bench) -> Result<Option<String>, EngineError> {
    let Some(worktree) = bench.ticket.worktree.clone() else { return Ok(None) };
    let newest = newest_tree(bench).await?;
    // What cannot be looked at proves nothing.
    Ok(bench.held(&worktree).await.ok().filter(|held| *held == newest))
}

/// Checks that are to run, and on what.
#[derive(Clone, Copy)]
pub(super) struct Round<'a> {
    pub(super) worktree: &'a Worktree,
    pub(super) checks: &'a [CheckCommand],
    /// The tree that they are about.
    pub(super) tree: &'a str,
    /// What the worktree holds as they begin: that tree, and whatever made the worktree ready.
    pub(super) held: &'a str,
    /// The number of the next run.
    pub(super) next: u32,
}

/// Runs the checks in order and returns the fact that ends the job early, if one does, and what proves how the last one
/// ended, which is not stored yet. A check that this job ran before is not run again; it is known by its command, since the
/// list may have changed while no engine lived. What passes while the worktree becomes another proves nothing.
pub(super) async fn run_checks(
    bench: &Bench,
    config: &Config,
    round: Round<'_>,
    mut known: Vec<Run>,
) -> Result<(Option<Fact>, Vec<Save>), EngineError> {
    let job = bench.job.id;
    let Round { worktree, checks, tree, held, mut next } = round;
    let mut records = Vec::new();
    // Before the first of them, since a check may write files of such names itself.
    let (place, patterns) = (worktree.path.clone(), config.workspace_config.copy.clone());
    let copied = bench.blocking(move |shop| Ok(copies_sum::sum(&shop.repo, &place, &patterns)?)).await?;
    for check in checks {
        if let Some(before) = known.iter().position(|run| run.command == check.display) {
            if let Some(fact) = failed(bench, config, check, &known.remove(before)) {
                return Ok((Some(fact), records));
            }
            continue;
        }
        if bench.stop.is_cancelled() {
            return Ok((Some(bench.stopped()), records));
        }
        let Some(program) = program(check, worktree, &bench.shop) else {
            let outcome = Verified::Refused { reason: missing(check) };
            return Ok((Some(Fact::Verified { job, outcome }), records));
        };
        if !records.is_empty() {
            bench.record(std::mem::take(&mut records)).await?;
        }
        let surroundings = surroundings::of_check(config, check, &program, &copied, std::env::vars_os());
        let begun = begin(bench, plan(config, &bench.shop, worktree, check, program, (next, RunKind::Check))).await?;
        next += 1;
        let ended = see_through(bench, begun, &mut Nobody).await?;
        let is_same = bench.held(worktree).await? == held;
        records = proof_in(bench, &ended, is_same.then(|| tree.to_owned()), Some(surroundings));
        if let Some(fact) = failed(bench, config, check, &ended.run) {
            return Ok((Some(fact), records));
        }
        if !is_same {
            let reason = overtaken(bench, worktree, held, &format!("while `{}` ran", check.display)).await?;
            return Ok((Some(Fact::Verified { job, outcome: Verified::Overtaken { reason } }), records));
        }
    }
    Ok((None, records))
}

/// Returns the fact that a check's end leads to, unless it passed.
fn failed(bench: &Bench, config: &Config, check: &CheckCommand, run: &Run) -> Option<Fact> {
    let end = run.end.clone()?;
    match end {
        RunEnd::Exited { code: 0 } => None,
        RunEnd::Stopped if bench.stop.is_cancelled() => Some(bench.stopped()),
        RunEnd::Lost => Some(bench.lost(how_it_was_lost(bench, run))),
        RunEnd::Exited { .. }
        | RunEnd::Signaled { .. }
        | RunEnd::TimedOut
        | RunEnd::Silent
        | RunEnd::TooMuchOutput
        | RunEnd::Stopped
        | RunEnd::NotStarted { .. } => {
            // What somebody stopped says nothing about the work, so the agent need not hear of it.
            let says_nothing = matches!(end, RunEnd::Stopped | RunEnd::NotStarted { .. });
            let rework_attempts = if says_nothing { 0 } else { config.verify_config.rework_attempts };
            let outcome = Verified::Failed { command: check.display.clone(), end, rework_attempts };
            Some(Fact::Verified { job: bench.job.id, outcome })
        }
    }
}

/// Returns the change whose checks passed, if it may be approved or land without a person.
async fn cared_for(bench: &Bench) -> Result<Option<(Ticket, Revision)>, EngineError> {
    let Some(policy) = bench.blocking(|shop| Ok(shop.policy())).await? else { return Ok(None) };
    let id = bench.ticket.id;
    let wanted = bench.look(move |board| {
        let ticket = board.ticket(id).filter(|ticket| autonomy_of(board, ticket, &policy).cares_for_changes())?;
        Some((ticket.clone(), board.revision(id)?.clone()))
    });
    wanted.await
}

/// Looks at a change whose checks passed. What proves the last check is not stored yet, so it comes along.
async fn examine(
    bench: &Bench,
    ticket: Ticket,
    revision: Revision,
    records: &[Save],
) -> Result<Box<Examined>, EngineError> {
    let fresh: Vec<Evidence> = records.iter().filter_map(evidence).cloned().collect();
    let examined = bench.blocking(move |shop| Ok(rails::examine(shop, &ticket, &revision, &fresh))).await;
    // Whatever goes wrong here, the change waits for a person.
    Ok(Box::new(examined.unwrap_or_else(|error| Err(error.to_string()))))
}

fn evidence(save: &Save) -> Option<&Evidence> {
    match save {
        Save::Evidence(evidence) => Some(evidence),
        Save::Goal(_)
        | Save::NewTicket { .. }
        | Save::Ticket { .. }
        | Save::Description { .. }
        | Save::Job { .. }
        | Save::Run(_)
        | Save::Revision(_)
        | Save::Ticks(_)
        | Save::Comment(_)
        | Save::Review(_)
        | Save::Remarks(_)
        | Save::Event(_)
        | Save::Autopilot(..) => None,
    }
}
