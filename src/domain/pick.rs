//! Which queued jobs are to be taken next.

use std::cmp::Reverse;

use super::autopilot::{Autopilot, may_start};
use super::board::{Board, order};
use super::dependencies::Readiness;
use super::id::JobId;
use super::job::{Job, JobKind, JobStatus};
use super::state::State;
use super::ticket::Ticket;

/// Returns all queued jobs in the order in which their turn comes, also those whose tickets wait for others.
pub fn queue(board: &Board) -> Vec<&Job> {
    let queued = board.active_jobs().filter(|job| job.status == JobStatus::Queued);
    let mut queued: Vec<_> = queued.filter_map(|job| board.ticket(job.ticket).map(|ticket| (job, ticket))).collect();
    queued.sort_by_key(|(job, ticket)| {
        let is_new_work = job.kind == JobKind::Execute && !matches!(ticket.state, State::Executing { .. });
        (Reverse(job.kind == JobKind::Verify), is_new_work, order(ticket))
    });
    queued.into_iter().map(|(job, _)| job).collect()
}

/// Returns the queued jobs to take now, best first, so that no more than `slots` jobs run.
///
/// Checks of finished work go before new work, since they free a person's time and the slot soonest, and so does what takes a
/// moment or was begun already; then priority, hand order and age of the tickets decide.
pub fn pick(board: &Board, slots: usize) -> Vec<JobId> {
    pick_among(board, slots, |_| true)
}

/// The same for an engine that takes the jobs of these tickets only: nothing of theirs waits for the turn of another one, which
/// may be taken by nobody.
pub fn pick_among(board: &Board, slots: usize, takes: impl Fn(&Ticket) -> bool) -> Vec<JobId> {
    let running = board.active_jobs().filter(|job| job.status == JobStatus::Running).count();
    let queued = queue(board)
        .into_iter()
        .filter_map(|job| board.ticket(job.ticket).map(|ticket| (job, ticket)))
        .filter(|(_, ticket)| takes(ticket))
        .filter(|(job, ticket)| job.kind != JobKind::Execute || board.readiness(ticket) == Readiness::Ready)
        .filter(|(_, ticket)| may_start(board.autopilot().unwrap_or(Autopilot::Off), ticket));
    // Changes land one after the other: what lands next is checked on top of what landed before.
    let lands = |job: &Job| job.kind == JobKind::Land;
    let mut landing = board.active_jobs().any(|job| lands(job) && job.status == JobStatus::Running);
    let in_turn = queued.filter(|(job, _)| !lands(job) || !std::mem::replace(&mut landing, true));
    in_turn.take(slots.saturating_sub(running)).map(|(job, _)| job.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Change;
    use crate::domain::sample;
    use crate::domain::state::State;
    use crate::domain::ticket::Priority;

    fn queue(board: &mut Board, ticket: u32, kind: JobKind) -> JobId {
        let job = sample::job(ticket, kind, i64::from(ticket));
        board.apply(&Change::Job(job.clone()));
        job.id
    }

    #[test]
    fn checks_come_first_then_priority_then_hand_order_then_age() {
        let mut board = sample::board();
        let urgent = Some(Priority::try_from(90).unwrap());
        for ticket in [
            sample::ticket(1),
            sample::ticket(2),
            Ticket { hand_order: Some(5), ..sample::ticket(3) },
            Ticket { priority: urgent, ..sample::ticket(4) },
            Ticket { priority: urgent, hand_order: Some(1), ..sample::ticket(5) },
            sample::ticket(6),
        ] {
            board.apply(&Change::Ticket(ticket));
        }
        let mut jobs: Vec<JobId> = (1..=5).map(|ticket| queue(&mut board, ticket, JobKind::Execute)).collect();
        jobs.push(queue(&mut board, 6, JobKind::Verify));
        let order = [6, 5, 4, 3, 1, 2].map(|ticket| jobs[ticket - 1]);
        assert_eq!(pick(&board, 100), order);
        assert_eq!(pick(&board, 2), order[..2]);
        assert_eq!(pick(&board, 0), []);
    }

    #[test]
    fn landings_take_turns_among_those_that_an_engine_takes() {
        let mut board = sample::board_of(&[State::Planned; 2]);
        let [first, second] = [1, 2].map(|ticket| queue(&mut board, ticket, JobKind::Land));
        assert_eq!(pick(&board, 9), [first]);
        let only = |number: u32| move |ticket: &Ticket| ticket.id == sample::id(number);
        assert_eq!(pick_among(&board, 9, only(2)), [second]);
        let running = Job { status: JobStatus::Running, ..sample::job(1, JobKind::Land, 1) };
        board.apply(&Change::Job(running));
        assert_eq!(pick_among(&board, 9, only(2)), [], "one lands already");
    }

    #[test]
    fn running_jobs_take_slots() {
        let mut board = sample::board_of(&[State::Planned; 3]);
        let first = sample::job(1, JobKind::Execute, 1);
        board.apply(&Change::Job(Job { status: JobStatus::Running, ..first }));
        let second = queue(&mut board, 2, JobKind::Execute);
        queue(&mut board, 3, JobKind::Execute);
        assert_eq!(pick(&board, 2), [second]);
        assert_eq!(pick(&board, 1), [], "a limit that was lowered stops nothing that runs");
    }

    #[test]
    fn an_agent_waits_when_its_ticket_has_a_blocker_again_but_checks_do_not() {
        let mut board = sample::board_of(&[State::Planned]);
        for number in [2, 3] {
            board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(number) }));
        }
        queue(&mut board, 2, JobKind::Execute);
        let verify = queue(&mut board, 3, JobKind::Verify);
        assert_eq!(pick(&board, 9), [verify]);
    }
}
