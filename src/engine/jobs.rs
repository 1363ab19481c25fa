//! What jobs do, a file for each kind. A job is made of runs; each step first looks at what is already true.

mod agent;
mod bench;
pub(super) mod command;
mod execute;
mod furnish;
pub(super) mod gates;
mod land;
mod listener;
mod place;
mod prompt;
mod pull_request;
mod recheck;
mod resume;
mod revert;
mod scripts;
mod supervise;
mod surroundings;
pub(super) mod verify;

pub(super) use bench::Bench;
pub use command::find_program;
pub(super) use revert::{left_of, look_up_revert};

use std::time::Duration;

use crate::domain::change::Live;
use crate::domain::fact::Fact;
use crate::domain::job::JobKind;
use crate::domain::rule::Trust;
use crate::domain::ticket::Worktree;

use super::error::EngineError;
use scripts::Scripts;

/// How long to wait for space on the disk before a job goes on.
const PAUSE: Duration = Duration::from_secs(2);

/// Works on a job until it is over and its end is stored. An error that may pass leaves it as it is.
pub(super) async fn work(bench: Bench) -> Result<(), EngineError> {
    supervise::tidy(&bench).await?;
    let worked = match bench.job.kind {
        JobKind::Execute => execute::execute(&bench).await,
        JobKind::Verify => verify::verify(&bench).await,
        JobKind::Resume => resume::resume(&bench).await,
        JobKind::Land if bench.job.recheck => recheck::recheck(&bench).await,
        JobKind::Land => land::land(&bench).await,
        JobKind::PullRequest => pull_request::pull_request(&bench).await,
    };
    match worked {
        Err(error) if error.ends_a_job() => give_up(bench, error.to_string()).await,
        // What is done is on disk, and its code looks at that first: it can begin again.
        worked => worked,
    }
}

/// Runs the commands that clean up after a worktree which is about to be removed.
pub(super) async fn clean_up(bench: &Bench, worktree: &Worktree) -> Result<(), EngineError> {
    let settings = bench.blocking(|shop| shop.settings()).await?;
    if settings.config.workspace_config.cleanup.is_empty() || !worktree.path.exists() {
        return Ok(());
    }
    let config = settings.config.clone();
    if bench.blocking(move |shop| shop.trust_of(&settings)).await? == Trust::Missing {
        tracing::warn!(ticket = %bench.ticket.number, "the clean-up commands are not trusted any more, so none runs");
        return Ok(());
    }
    match scripts::clean_up(bench, &config, worktree).await? {
        Scripts::Done | Scripts::Stopped => {}
        Scripts::Failed(reason) | Scripts::Lost(reason) => {
            tracing::warn!(ticket = %bench.ticket.number, %reason, "cleaning up after a worktree failed");
        }
    }
    Ok(())
}

/// Works on a job again after something failed that passes, such as a full disk; whoever cancels it need not wait.
pub(super) async fn work_again(bench: Bench, trouble: String) -> Result<(), EngineError> {
    bench.live(Live { retrying: Some(trouble), ..Live::default() }).await;
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        () = bench.stop.cancelled() => {}
    }
    work(bench).await
}

/// Ends a job that Draft could not do. What it has running is stopped first: a ticket whose agent still writes must not
/// look as if it could be run again.
pub(super) async fn give_up(bench: Bench, reason: String) -> Result<(), EngineError> {
    tracing::error!(job = %bench.job.id, %reason, "a job broke");
    let records = supervise::stop_all(&bench).await;
    let used = execute::used(&bench).await;
    bench.learn(Fact::Broke { job: bench.job.id, reason, used }, records).await
}
