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
        (job.recheck, Reverse(job.kind == JobKind::Verify), is_new_work, order(ticket))
    });
    queued.into_iter().map(|(job, _)| job).collect()
}

/// Returns the queued jobs to take now, best first, so that no more than `slots` jobs run.
///
/// Checks of finished work go before new work, since they free a person's time and the slot soonest, and so does what takes a
/// moment or was begun already; then priority, hand order and age of the tickets decide. What only looks ahead takes a slot that
/// nothing else wants, and holds up nobody.
pub fn pick(board: &Board, slots: usize) -> Vec<JobId> {
    pick_among(board, slots, |_| true)
}

/// The same for an engine that takes the jobs of these tickets only: nothing of theirs waits for the turn of another one, which
/// may be taken by nobody.
pub fn pick_among(board: &Board, slots: usize, takes: impl Fn(&Ticket) -> bool) -> Vec<JobId> {
    let running = board.active_jobs().filter(|job| holds_slot(job)).count();
    let queued = queue(board)
        .into_iter()
        .filter_map(|job| board.ticket(job.ticket).map(|ticket| (job, ticket)))
        .filter(|(_, ticket)| takes(ticket))
        .filter(|(job, ticket)| job.kind != JobKind::Execute || board.readiness(ticket) == Readiness::Ready)
        .filter(|(_, ticket)| may_start(board.autopilot().unwrap_or(Autopilot::Off), ticket));
    // Changes land one after the other: what lands next is checked on top of what landed before.
    let runs = |which: fn(&Job) -> bool| board.active_jobs().any(|job| which(job) && job.status == JobStatus::Running);
    let (mut landing, mut rechecking) = (runs(Job::lands), runs(|job| job.recheck));
    let in_turn = queued.filter(|(job, _)| match job {
        job if job.lands() => !std::mem::replace(&mut landing, true),
        job if job.recheck => !std::mem::replace(&mut rechecking, true),
        _ => true,
    });
    in_turn.take(slots.saturating_sub(running)).map(|(job, _)| job.id).collect()
}

/// Says whether a job keeps others from starting while it runs.
pub fn holds_slot(job: &Job) -> bool {
    job.status == JobStatus::Running && !job.recheck
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
    fn a_look_ahead_takes_what_nobody_else_wants_and_holds_up_nobody() {
        let mut board = sample::board();
        (1..=4).for_each(|number| board.apply(&Change::Ticket(sample::ticket(number))));
        let recheck = |number| Job { recheck: true, ..sample::job(number, JobKind::Land, i64::from(number)) };
        let (first, second) = (recheck(1), recheck(2));
        for job in [&first, &second] {
            board.apply(&Change::Job(job.clone()));
        }
        assert_eq!(pick(&board, 9), [first.id], "one at a time");
        let [execute, land] = [(3, JobKind::Execute), (4, JobKind::Land)].map(|(n, kind)| queue(&mut board, n, kind));
        assert_eq!(pick(&board, 2).len(), 2);
        assert!(!pick(&board, 2).contains(&first.id));
        assert_eq!(pick(&board, 3).last(), Some(&first.id));
        board.apply(&Change::Job(Job { status: JobStatus::Running, ..first }));
        let mut next = pick(&board, 2);
        next.sort();
        let mut expected = vec![execute, land];
        expected.sort();
        assert_eq!(next, expected, "while it runs, both slots are free");
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
