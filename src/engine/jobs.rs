//! What jobs do, a file for each kind. A job is made of runs; each step first looks at what is already true.

mod bench;
mod execute;
mod listener;
mod prompt;
mod supervise;
mod verify;

pub(super) use bench::Bench;

use crate::domain::job::JobKind;

use super::error::EngineError;

/// Works on a job until it is over and its end is stored.
pub(super) async fn work(bench: Bench) -> Result<(), EngineError> {
    match bench.job.kind {
        JobKind::Execute => execute::execute(bench).await,
        JobKind::Verify => verify::verify(bench).await,
        JobKind::Resume | JobKind::Land => Err(EngineError::NoSuchJob(bench.job.kind)),
    }
}
