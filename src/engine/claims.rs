//! Memory that agents are going to take: they were let start, and what they need does not show in what is free yet.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::change::Change;
use crate::domain::id::JobId;
use crate::domain::run::RunKind;

/// How long after its start an agent may still be growing.
const GROWS: Duration = Duration::from_mins(1);
/// What an agent takes of which nobody knows it.
const UNKNOWN: u64 = 256 << 20;

/// What was promised to jobs and is not seen to be taken yet.
#[derive(Debug, Default)]
pub(super) struct Claims(HashMap<JobId, Claim>);

#[derive(Debug)]
struct Claim {
    bytes: u64,
    /// When its agent started; set-up commands may take any time before.
    started: Option<Instant>,
}

impl Claims {
    /// Promises memory to a job whose agent takes so much, where that is known.
    pub(super) fn promise(&mut self, job: JobId, takes: u64) {
        let bytes = if takes == 0 { UNKNOWN } else { takes };
        self.0.insert(job, Claim { bytes, started: None });
    }

    /// Hears what became true: an agent that started grows for a while, and a job that is over takes nothing.
    pub(super) fn hear(&mut self, changes: &[Change], now: Instant) {
        for change in changes {
            match change {
                Change::Run(run) if run.kind == RunKind::Execute => {
                    if let Some(claim) = self.0.get_mut(&run.id.job) {
                        claim.started.get_or_insert(now);
                    }
                }
                Change::Job(job) if !job.status.is_active() => drop(self.0.remove(&job.id)),
                Change::Run(_)
                | Change::Job(_)
                | Change::Ticket(_)
                | Change::Goal(_)
                | Change::Revision(_)
                | Change::Comment(_)
                | Change::Review(_)
                | Change::Evidence(_)
                | Change::Event(_)
                | Change::Autopilot(_)
                | Change::Live { .. } => {}
            }
        }
    }

    /// Returns what is promised and may not be taken yet, in bytes.
    pub(super) fn outstanding(&mut self, now: Instant) -> u64 {
        self.0.retain(|_, claim| claim.started.is_none_or(|started| now.duration_since(started) < GROWS));
        self.0.values().fold(0, |sum, claim| sum.saturating_add(claim.bytes))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::TicketId;
    use crate::domain::job::{Job, JobKind, JobStatus};
    use crate::domain::run::{Run, RunId};
    use crate::domain::time::Timestamp;

    #[test]
    fn memory_is_promised_until_its_agent_has_grown_or_its_job_is_over() {
        let mut claims = Claims::default();
        let job =
            |n| Job::queued(JobId(Uuid::from_u128(n)), TicketId(Uuid::from_u128(n)), JobKind::Execute, Timestamp(0));
        let (first, second) = (job(1), job(2));
        let now = Instant::now();
        claims.promise(first.id, 100);
        claims.promise(second.id, 0);
        let run = |kind| Run {
            id: RunId { job: first.id, n: 1 },
            kind,
            command: String::new(),
            started_at: Timestamp(0),
            finished_at: None,
            end: None,
        };
        claims.hear(&[Change::Run(run(RunKind::Setup))], now);
        assert_eq!(claims.outstanding(now + 9 * GROWS), 100 + UNKNOWN, "its set-up takes long");
        claims.hear(&[Change::Run(run(RunKind::Execute))], now);
        assert_eq!(claims.outstanding(now + GROWS / 2), 100 + UNKNOWN);
        assert_eq!(claims.outstanding(now + GROWS), UNKNOWN);
        claims.hear(&[Change::Job(Job { status: JobStatus::Failed, ..second })], now);
        assert_eq!(claims.outstanding(now), 0);
    }
}
