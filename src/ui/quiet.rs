//! How long running agents have been silent: no byte of output since when, as far as this screen has seen.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::change::Change;
use crate::domain::id::JobId;
use crate::domain::job::JobStatus;
use crate::domain::time::Timestamp;

/// Below this an agent only thinks.
const SILENT: Duration = Duration::from_secs(120);

/// When each running job was heard last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Quiet(HashMap<JobId, Heard>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Heard {
    bytes: u64,
    at: Timestamp,
}

impl Quiet {
    /// Takes note of a change that is learned at that time.
    pub(super) fn hear(&mut self, change: &Change, now: Timestamp) {
        match change {
            Change::Live { job, live } => {
                let heard = self.0.entry(*job).or_insert(Heard { bytes: live.output_bytes, at: now });
                if heard.bytes != live.output_bytes {
                    *heard = Heard { bytes: live.output_bytes, at: now };
                }
            }
            Change::Job(job) if job.status != JobStatus::Running => {
                self.0.remove(&job.id);
            }
            Change::Job(_)
            | Change::Goal(_)
            | Change::Ticket(_)
            | Change::Run(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Event(_)
            | Change::Autopilot(_) => {}
        }
    }

    /// Returns for how long a job has been silent, when that is long.
    pub(super) fn of(&self, job: JobId, now: Timestamp) -> Option<Duration> {
        let heard = self.0.get(&job)?;
        Some(now.since(heard.at)).filter(|silent| *silent >= SILENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Live;
    use crate::domain::job::Job;
    use crate::ui::testing::{NOW, changes, job_id};

    fn live(bytes: u64) -> Change {
        Change::Live { job: job_id(1), live: Live { output_bytes: bytes, ..Live::default() } }
    }

    fn later(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds * 1_000)
    }

    #[test]
    fn an_agent_is_silent_from_its_last_byte_on_and_not_after_its_end() {
        let mut quiet = Quiet::default();
        quiet.hear(&live(10), NOW);
        quiet.hear(&live(20), later(60));
        quiet.hear(&live(20), later(170));
        assert_eq!(quiet.of(job_id(1), later(179)), None);
        assert_eq!(quiet.of(job_id(1), later(185)), Some(Duration::from_secs(125)));
        let Some(Change::Job(job)) = changes(1, "executing").into_iter().find(|it| matches!(it, Change::Job(_))) else {
            panic!("there is a job");
        };
        quiet.hear(&Change::Job(job.clone()), later(190));
        assert!(quiet.of(job.id, later(190)).is_some());
        quiet.hear(&Change::Job(Job { status: JobStatus::Failed, ..job.clone() }), later(190));
        assert_eq!(quiet.of(job.id, later(999)), None);
    }
}
