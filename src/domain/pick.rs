//! Which queued jobs are to be taken next.

use std::cmp::Reverse;

use super::board::{Board, order};
use super::dependencies::Readiness;
use super::id::JobId;
use super::job::{JobKind, JobStatus};

/// Returns the queued jobs to take now, best first, so that no more than `slots` jobs run.
///
/// Checks of finished work go before new work, since they free a person's time and the slot soonest; then priority, hand
/// order and age of the tickets decide.
pub fn pick(board: &Board, slots: usize) -> Vec<JobId> {
    let running = board.active_jobs().filter(|job| job.status == JobStatus::Running).count();
    let mut queued: Vec<_> = board
        .active_jobs()
        .filter(|job| job.status == JobStatus::Queued)
        .filter_map(|job| board.ticket(job.ticket).map(|ticket| (job, ticket)))
        .filter(|(job, ticket)| job.kind != JobKind::Execute || board.readiness(ticket) == Readiness::Ready)
        .collect();
    queued.sort_by_key(|(job, ticket)| (Reverse(job.kind == JobKind::Verify), order(ticket)));
    queued.into_iter().take(slots.saturating_sub(running)).map(|(job, _)| job.id).collect()
}
