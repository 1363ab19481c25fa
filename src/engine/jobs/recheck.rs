//! The recheck job: what would be on the target after a landing is checked in a work tree of its own, and the target stays as it is.
//! Somebody may ask for the landing meanwhile; then it goes on as one.

use crate::domain::fact::Fact;
use crate::domain::landing::Landing;
use crate::git::land::{self, Forecast, Scratch};
use crate::git::tree::is_contained;

use super::super::error::EngineError;
use super::super::workshop::Workshop;
use super::bench::Bench;
use super::land::{Plan, check, clear_scratch, land as land_it, plan};
use super::verify::{Ran, finish_what_runs};

/// Works on a recheck until its end is stored, or that of the landing that it became.
pub(super) async fn recheck(bench: &Bench) -> Result<(), EngineError> {
    let fact = match finish_what_runs(bench, Ran::Elsewhere).await? {
        Ok(_) => look(bench).await?,
        Err(fact) => fact,
    };
    clear_scratch(bench).await;
    match bench.learn(fact, Vec::new()).await {
        // Nothing was stored: what was to be checked only is to land by now.
        Err(EngineError::Refused(refused)) => {
            let id = bench.job.id;
            match bench.look(move |board| board.job(id).filter(|job| job.lands()).cloned()).await? {
                Some(job) => land_it(&bench.of(job)).await,
                None => Err(EngineError::Refused(refused)),
            }
        }
        told => told,
    }
}

/// Finds out what the checks say; what proves it is stored.
async fn look(bench: &Bench) -> Result<Fact, EngineError> {
    let job = bench.job.id;
    let over = |outcome: Landing| Ok(Fact::Landed { job, outcome });
    let config = bench.blocking(|shop| shop.settings()).await?.config.clone();
    let Some(revision) = bench.newest_revision().await? else {
        return over(Landing::Refused { reason: "its change is not there any more".to_owned() });
    };
    let plan = plan(bench, &config, revision).await?;
    let branch = plan.branch.clone();
    let wanted = plan.clone();
    let (from, tree) = match bench.making(move |shop| make_ready(shop, &wanted)).await? {
        Ok(made) => made,
        Err(outcome) => return over(outcome),
    };
    let mut records = Vec::new();
    let early = check(bench, &config, &plan, (&from, &tree), &mut records).await?;
    bench.record(records).await?;
    early.map_or_else(|| over(Landing::Green { branch }), Ok)
}

/// Puts into a work tree what would be on the target, without the user's hooks, signature and name: nobody sees that commit. Returns
/// where the target is and the tree; or what makes the checks needless.
fn make_ready(shop: &Workshop, plan: &Plan) -> Result<Result<(String, String), Landing>, EngineError> {
    let (repo, branch, head) = (&shop.repo, plan.branch.clone(), &plan.revision.head);
    let from = repo.commit_of(&branch)?;
    if is_contained(repo, &branch, head)? {
        return Ok(Err(Landing::Already { branch }));
    }
    match land::forecast(repo, &from, head)? {
        Forecast::Conflicts(files) => Ok(Err(Landing::Conflict { branch, files })),
        Forecast::Clean(tree) => {
            Scratch::holding(repo, &plan.scratch, &from, &tree)?;
            Ok(Ok((from, tree)))
        }
    }
}
