//! What jobs do, a file for each kind. A job is made of runs; each step first looks at what is already true.

mod bench;
mod execute;
mod listener;
mod prompt;
mod supervise;
mod verify;

pub(super) use bench::Bench;

use crate::domain::fact::Fact;
use crate::domain::job::JobKind;

use super::error::EngineError;

/// Works on a job until it is over and its end is stored.
pub(super) async fn work(bench: Bench) -> Result<(), EngineError> {
    let worked = match bench.job.kind {
        JobKind::Execute => execute::execute(&bench).await,
        JobKind::Verify => verify::verify(&bench).await,
        JobKind::Resume | JobKind::Land => Err(EngineError::NoSuchJob(bench.job.kind)),
    };
    match worked {
        Ok(()) | Err(EngineError::Stopped) => worked,
        Err(error) => give_up(bench, error.to_string()).await,
    }
}

/// Ends a job that Draft could not do. What it has running is stopped first: a ticket whose agent still writes must not
/// look as if it could be run again.
pub(super) async fn give_up(bench: Bench, reason: String) -> Result<(), EngineError> {
    tracing::error!(job = %bench.job.id, %reason, "a job broke");
    let records = supervise::stop_all(&bench).await;
    bench.learn(Fact::Broke { job: bench.job.id, reason }, records).await
}
