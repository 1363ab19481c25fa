//! The land job: the change is combined with its target in a work tree of its own, checked there, and then the target
//! moves. What the target is to become is stored before it moves, so that after a crash the branch itself says whether it
//! did.

use std::path::PathBuf;

use crate::config::Config;
use crate::config::allow::CheckCommand;
use crate::domain::change::Save;
use crate::domain::fact::Fact;
use crate::domain::landing::{About, Intent, Landing, Strategy, message};
use crate::domain::outcome::Verified;
use crate::domain::revision::Revision;
use crate::domain::ticket::Worktree;
use crate::git::land::{self, Change, Combined, Forecast, Moved, Scratch};
use crate::git::tree::is_contained;
use crate::git::{GitError, Repo, copies_sum};

use super::super::error::EngineError;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::command::program;
use super::furnish::furnish;
use super::gates::before_landing;
use super::scripts::{Scripts, set_up};
use super::surroundings;
use super::verify::{Ran, Round, checks, finish_what_runs, run_checks};

/// How often a landing begins anew because its target moved meanwhile.
const TRIES: u32 = 5;
/// How many commits that came to the target meanwhile are named when checks fail on the result.
const BESIDE: usize = 5;

/// What is to land where.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) revision: Revision,
    pub(super) branch: String,
    strategy: Strategy,
    message: String,
    pub(super) scratch: PathBuf,
}

/// How far one try came.
enum Tried {
    /// The job is over.
    Over(Landing),
    /// The job is over for another reason than the change.
    Ended(Fact),
    /// The target moved meanwhile.
    Again,
}

/// Works on a land job until its end is stored.
pub(super) async fn land(bench: &Bench) -> Result<(), EngineError> {
    if let Err(fact) = finish_what_runs(bench, Ran::Elsewhere).await? {
        return over(bench, fact, Vec::new()).await;
    }
    let config = bench.blocking(|shop| shop.settings()).await?.config.clone();
    if let Some(intent) = bench.job.intent.clone()
        && is_done(bench, &intent).await?
    {
        let warnings = push(bench, &config, &intent.branch).await?.into_iter().collect();
        let outcome = Landing::Landed { intent, warnings };
        return over(bench, Fact::Landed { job: bench.job.id, outcome }, Vec::new()).await;
    }
    let Some(revision) = bench.newest_revision().await? else {
        let reason = "its change is not there any more".to_owned();
        return over(bench, refused(bench, reason), Vec::new()).await;
    };
    let plan = plan(bench, &config, revision).await?;
    if config.merge_config.is_protected(&plan.branch) && !config.merge_config.land_on_protected {
        let hint = "`merge_config.land_on_protected: true` lets changes land there";
        let reason = format!("{} is protected, and nothing may land on it; {hint}", plan.branch);
        return over(bench, refused(bench, reason), Vec::new()).await;
    }
    let mut warnings = match bring_up_to_date(bench, &config, &plan).await? {
        Ok(warnings) => warnings,
        Err(reason) => return over(bench, refused(bench, reason), Vec::new()).await,
    };
    let mut records = Vec::new();
    for _ in 0..TRIES {
        if bench.stop.is_cancelled() {
            return over(bench, bench.stopped(), records).await;
        }
        match try_once(bench, &config, &plan, &mut records).await? {
            Tried::Again => {}
            Tried::Ended(fact) => return over(bench, fact, records).await,
            Tried::Over(Landing::Landed { intent, .. }) => {
                warnings.extend(push(bench, &config, &plan.branch).await?);
                let outcome = Landing::Landed { intent, warnings };
                return over(bench, Fact::Landed { job: bench.job.id, outcome }, records).await;
            }
            Tried::Over(outcome) => return over(bench, Fact::Landed { job: bench.job.id, outcome }, records).await,
        }
    }
    let reason = format!("{} moved {TRIES} times while the change was made ready; land it again", plan.branch);
    over(bench, refused(bench, reason), records).await
}

fn refused(bench: &Bench, reason: String) -> Fact {
    Fact::Landed { job: bench.job.id, outcome: Landing::Refused { reason } }
}

/// Removes what was made on the way, and tells how the job ended.
async fn over(bench: &Bench, fact: Fact, records: Vec<Save>) -> Result<(), EngineError> {
    clear_scratch(bench).await;
    bench.learn(fact, records).await
}

/// Removes the work tree in which something was made ready.
pub(super) async fn clear_scratch(bench: &Bench) {
    let path = scratch_of(bench);
    let cleared = bench.making(move |shop| {
        shop.still.forget(&path);
        Ok(Scratch::left(&shop.repo, &path).clear()?)
    });
    let cleared = cleared.await;
    if let Err(error) = cleared {
        tracing::warn!(job = %bench.job.id, %error, "the work tree of a landing could not be removed");
    }
}

/// Returns where a job makes ready what is to come onto a branch.
pub(super) fn scratch_of(bench: &Bench) -> PathBuf {
    bench.shop.paths.landings_of(&bench.shop.about).join(bench.job.id.to_string())
}

/// Says whether the target has what was to be put there, though nobody lived to say so. Where it is still as it was, what had
/// been decided is done now: a machine that lost its power may have left the user's files half way.
async fn is_done(bench: &Bench, intent: &Intent) -> Result<bool, EngineError> {
    let (intent, note) = (intent.clone(), note(bench));
    bench
        .making(move |shop| {
            let is_undone = shop.repo.commit_of(&intent.branch)? == intent.from;
            if is_undone && land::move_target(&shop.repo, &intent, &note)? == Moved::Done {
                return Ok(true);
            }
            // The git of an engine that was killed may have gone on, and been faster.
            let now = shop.repo.commit_of(&intent.branch)?;
            Ok(now == intent.to || land::is_ancestor(&shop.repo, &intent.to, &now)?)
        })
        .await
}

/// What the target's history says of the landing.
fn note(bench: &Bench) -> String {
    format!("draft: {} landed", bench.ticket.number)
}

pub(super) async fn plan(bench: &Bench, config: &Config, revision: Revision) -> Result<Plan, EngineError> {
    let ticket = bench.ticket.clone();
    let branch = match (&ticket.worktree, &ticket.base_branch) {
        (Some(worktree), _) => worktree.base_branch.clone(),
        (None, Some(branch)) => branch.clone(),
        (None, None) => bench.shop.about.base_branch.clone(),
    };
    let (template, job) = (config.merge_config.message.clone(), revision.job);
    let number = revision.number;
    let said = bench.blocking(move |shop| {
        let (description, jobs) = shop
            .readers
            .read(|reader| Ok((reader.description(ticket.id)?.unwrap_or_default(), reader.jobs_of(ticket.id)?)))?;
        let agent = jobs.into_iter().find(|one| one.id == job).and_then(|one| one.agent).unwrap_or_default();
        Ok(message(
            &template,
            About {
                title: ticket.title.as_str(),
                number: ticket.number.0,
                id: ticket.id,
                description: &description,
                revision: number,
                agent: &agent,
            },
        ))
    });
    Ok(Plan {
        revision,
        branch,
        strategy: config.merge_config.strategy(bench.job.strategy),
        message: said.await?,
        scratch: scratch_of(bench),
    })
}

/// Brings the target up to date with the remote branch that it follows. Returns what went not as it should, or why the landing
/// cannot go on.
async fn bring_up_to_date(
    bench: &Bench,
    config: &Config,
    plan: &Plan,
) -> Result<Result<Vec<String>, String>, EngineError> {
    if !config.merge_config.pull_before_merge {
        return Ok(Ok(Vec::new()));
    }
    let branch = plan.branch.clone();
    let trouble = bench.making(move |shop| Ok(pull(shop, &branch)?)).await?;
    let Some(trouble) = trouble else { return Ok(Ok(Vec::new())) };
    let said = format!("{} could not be brought up to date: {trouble}", plan.branch);
    if config.merge_config.require_pull_success {
        let hint = "`merge_config.require_pull_success: false` lands it all the same";
        return Ok(Err(format!("{said}; {hint}")));
    }
    Ok(Ok(vec![said]))
}

/// Returns why a branch could not follow its remote, if it could not.
fn pull(shop: &Workshop, branch: &str) -> Result<Option<String>, crate::git::GitError> {
    let repo = &shop.repo;
    let Some(up) = land::upstream(repo, branch) else { return Ok(None) };
    let theirs = match land::fetch(repo, &up) {
        Ok(theirs) => theirs,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let ours = repo.commit_of(branch)?;
    if ours == theirs || land::is_ancestor(repo, &theirs, &ours)? {
        return Ok(None);
    }
    if !land::is_ancestor(repo, &ours, &theirs)? {
        return Ok(Some(format!("it and {}/{} went different ways", up.remote, up.branch)));
    }
    let intent = Intent { branch: branch.to_owned(), from: ours, to: theirs };
    Ok(match land::move_target(repo, &intent, "draft: brought up to date")? {
        Moved::Done | Moved::Elsewhere => None,
        Moved::Refused(reason) => Some(reason),
    })
}

async fn push(bench: &Bench, config: &Config, branch: &str) -> Result<Option<String>, EngineError> {
    if !config.merge_config.push_after_merge {
        return Ok(None);
    }
    let branch = branch.to_owned();
    bench
        .making(move |shop| {
            let Some(up) = land::upstream(&shop.repo, &branch) else {
                return Ok(Some(format!("{branch} follows no remote branch, so nothing was pushed")));
            };
            Ok(land::push(&shop.repo, &branch, &up).err().map(|error| format!("it could not be pushed: {error}")))
        })
        .await
}

/// What was made ready to be put on the target, or why there is nothing.
enum Ready {
    Made { from: String, commit: String, tree: String },
    Over(Landing),
}

async fn try_once(bench: &Bench, config: &Config, plan: &Plan, records: &mut Vec<Save>) -> Result<Tried, EngineError> {
    let wanted = plan.clone();
    let repo = bench.stoppable_repo();
    let (from, commit, tree) = match bench.making(move |_| make_ready(&repo, &wanted)).await {
        Ok(Ready::Made { from, commit, tree }) => (from, commit, tree),
        Ok(Ready::Over(landing)) => return Ok(Tried::Over(landing)),
        Err(EngineError::Git(GitError::Stopped { .. })) => return Ok(Tried::Ended(bench.stopped())),
        Err(error) => return Err(error),
    };
    if let Some(fact) = check(bench, config, plan, (&from, &tree), records).await? {
        return Ok(Tried::Ended(fact));
    }
    if bench.stop.is_cancelled() {
        return Ok(Tried::Ended(bench.stopped()));
    }
    let intent = Intent { branch: plan.branch.clone(), from, to: commit };
    bench.learn(Fact::Intends { job: bench.job.id, intent: intent.clone() }, std::mem::take(records)).await?;
    let (moving, note) = (intent.clone(), note(bench));
    Ok(match bench.making(move |shop| Ok(land::move_target(&shop.repo, &moving, &note)?)).await? {
        Moved::Done => Tried::Over(Landing::Landed { intent, warnings: Vec::new() }),
        Moved::Elsewhere => Tried::Again,
        Moved::Refused(reason) => Tried::Over(Landing::Refused { reason }),
    })
}

/// Looks in memory whether the change goes together with the target, and makes the commit.
fn make_ready(repo: &Repo, plan: &Plan) -> Result<Ready, EngineError> {
    let branch = &plan.branch;
    let from = repo.commit_of(branch)?;
    if is_contained(repo, branch, &plan.revision.head)? {
        return Ok(Ready::Over(Landing::Already { branch: branch.clone() }));
    }
    let conflict = |files| Ok(Ready::Over(Landing::Conflict { branch: branch.clone(), files }));
    if let Forecast::Conflicts(files) = land::forecast(repo, &from, &plan.revision.head)? {
        return conflict(files);
    }
    let scratch = Scratch::at(repo, &plan.scratch, &from)?;
    let change = Change { base: &plan.revision.base, head: &plan.revision.head, message: &plan.message };
    match scratch.combine(plan.strategy, change)? {
        Combined::Made { commit, tree } => Ok(Ready::Made { from, commit, tree }),
        Combined::Conflicts(files) => {
            // What is left of a rebase that stopped is in the way of whatever comes next.
            scratch.clear()?;
            conflict(files)
        }
        Combined::Refused(reason) => {
            scratch.clear()?;
            Ok(Ready::Over(Landing::Refused { reason: format!("the commit was not made: {reason}") }))
        }
    }
}

/// Runs the checks on what would be on the target, unless all of them passed on the very same tree before. Returns the fact that
/// ends the job, unless all of them pass.
pub(super) async fn check(
    bench: &Bench,
    config: &Config,
    plan: &Plan,
    (from, tree): (&str, &str),
    records: &mut Vec<Save>,
) -> Result<Option<Fact>, EngineError> {
    if tree != plan.revision.tree && !config.merge_config.check_divergence {
        return Ok(None);
    }
    let job = bench.job.id;
    let refuse = |reason: String| Ok(Some(refused(bench, reason)));
    let all: Vec<CheckCommand> = match (checks(bench, config).await?, before_landing(bench, config).await?) {
        (Ok(checks), Ok(gates)) => checks.into_iter().chain(gates).collect(),
        (Err(reason), _) | (_, Err(reason)) => return refuse(reason),
    };
    let worktree = Worktree {
        path: plan.scratch.clone(),
        branch: plan.branch.clone(),
        base_branch: plan.branch.clone(),
        base: from.to_owned(),
        port: bench.ticket.worktree.as_ref().and_then(|worktree| worktree.port),
    };
    if are_proven(bench, config, (tree, &worktree), all.clone()).await? {
        return Ok(None);
    }
    let (place, settings) = (worktree.clone(), config.clone());
    bench.making(move |shop| furnish(shop, &place, &settings)).await?;
    match set_up(bench, config, &worktree).await? {
        Scripts::Done => {}
        Scripts::Failed(reason) => {
            return refuse(format!("the result could not be made ready to be checked: {reason}"));
        }
        Scripts::Stopped => return Ok(Some(bench.stopped())),
        Scripts::Lost(reason) => return Ok(Some(bench.lost(reason))),
    }
    let next = bench.known_runs().await?.iter().map(|run| run.id.n).max().unwrap_or(0) + 1;
    // What was just made ready may have files more than the tree.
    let held = bench.held(&worktree).await?;
    let round = Round { worktree: &worktree, checks: &all, tree, held: &held, next };
    let (early, proof) = run_checks(bench, config, round, Vec::new()).await?;
    records.extend(proof);
    Ok(match early {
        None => None,
        Some(Fact::Verified { outcome: Verified::Failed { command, end, .. }, .. }) => {
            let (base, target) = (plan.revision.base.clone(), from.to_owned());
            let beside = bench.blocking(move |shop| Ok(land::beside(&shop.repo, &base, &target, BESIDE)?)).await?;
            Some(Fact::Landed { job, outcome: Landing::Red { command, end, beside } })
        }
        Some(Fact::Verified { outcome: Verified::Refused { reason }, .. }) => Some(refused(bench, reason)),
        Some(Fact::Verified { outcome: Verified::Overtaken { reason }, .. }) => {
            let reason = format!("{reason} on the result of the merge, so nothing is proven of what would land");
            Some(refused(bench, reason))
        }
        Some(fact) => Some(fact),
    })
}

/// Says whether all of the checks passed on this tree before, in the surroundings that they would have now. Where one did not,
/// those before it may have made what it needs.
async fn are_proven(
    bench: &Bench,
    config: &Config,
    (tree, worktree): (&str, &Worktree),
    checks: Vec<CheckCommand>,
) -> Result<bool, EngineError> {
    let (tree, worktree, config) = (tree.to_owned(), worktree.clone(), config.clone());
    bench
        .blocking(move |shop| {
            let board = shop.about.id;
            let copied = copies_sum::sum(&shop.repo, &worktree.path, &config.workspace_config.copy)?;
            for check in checks {
                let Some(program) = program(&check, &worktree, shop) else { return Ok(false) };
                let now = surroundings::of_check(&config, &check, &program, &copied, std::env::vars_os());
                if !shop.readers.read(|reader| reader.has_passed(board, (&tree, &check.display, &now)))? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
}
