//! The autopilot: which planned tickets are to run without being asked, and why these.

use serde::{Deserialize, Serialize};

use super::board::{Board, order};
use super::dependencies::Readiness;
use super::id::TicketId;
use super::job::JobStatus;
use super::pick::{holds_slot, pick};
use super::state::{State, words};
use super::ticket::Ticket;

words! {
    /// What the board does by itself.
    Autopilot, "autopilot mode" {
        /// Planned tickets run as soon as there is a slot.
        On = "on",
        /// Tickets run when somebody asks.
        Off = "off",
        /// What runs goes on to its end, checks and rework included; nothing else starts.
        Finish = "finish",
    }
}

/// A ticket that is to run, and why it and not another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// The ticket.
    pub ticket: TicketId,
    /// Why, for its history.
    pub reason: String,
}

/// Returns the tickets that are to be asked for now, best first: as many as there are slots that no job has or could be given.
/// What waits for other tickets or for its turn keeps no slot, else those that it waits for might never get one. Those that
/// `passed_over` names were refused a moment ago and are left out.
pub fn choose(board: &Board, slots: usize, passed_over: impl Fn(&Ticket) -> bool) -> Vec<Choice> {
    let running = board.active_jobs().filter(|job| holds_slot(job)).count();
    let could_be =
        pick(board, usize::MAX).into_iter().filter_map(|id| board.job(id)).filter(|job| !job.recheck).count();
    let taken = running + could_be;
    let free = slots.saturating_sub(taken);
    if free == 0 {
        return Vec::new();
    }
    let mut ready: Vec<&Ticket> = board
        .tickets()
        .filter(|ticket| ticket.state == State::Planned)
        .filter(|ticket| board.active_job(ticket.id).is_none() && board.readiness(ticket) == Readiness::Ready)
        .filter(|ticket| !passed_over(ticket))
        .collect();
    let count = ready.len();
    ready.sort_by_key(|ticket| order(ticket));
    let chosen = ready.into_iter().take(free).enumerate();
    chosen
        .map(|(place, ticket)| Choice { ticket: ticket.id, reason: why(ticket, place, count, taken, slots) })
        .collect()
}

fn why(ticket: &Ticket, place: usize, ready: usize, taken: usize, slots: usize) -> String {
    let priority = ticket.priority.map_or_else(|| "no priority".to_owned(), |priority| priority.bucket().to_owned());
    let slot = taken + place + 1;
    format!("picked by the autopilot: {priority}, number {} of {ready} that may run; slot {slot} of {slots}", place + 1)
}

/// Says whether a queued job may start in that mode. What a ticket under way needs to come to its end always may.
pub fn may_start(mode: Autopilot, ticket: &Ticket) -> bool {
    match mode {
        Autopilot::On | Autopilot::Off => true,
        Autopilot::Finish => matches!(ticket.state, State::Executing { .. } | State::Verifying { .. }),
    }
}

/// Says whether nothing runs any more of what was to be finished.
pub fn is_finished(board: &Board) -> bool {
    board.active_jobs().all(|job| {
        let ticket = board.ticket(job.ticket);
        job.status == JobStatus::Queued && !ticket.is_some_and(|ticket| may_start(Autopilot::Finish, ticket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Change;
    use crate::domain::job::{Job, JobKind};
    use crate::domain::sample;
    use crate::domain::state::Blocked;
    use crate::domain::ticket::Priority;

    fn numbers(board: &Board, chosen: &[Choice]) -> Vec<u32> {
        chosen.iter().filter_map(|choice| board.ticket(choice.ticket)).map(|ticket| ticket.number.0).collect()
    }

    #[test]
    fn the_most_urgent_tickets_that_may_run_get_the_free_slots() {
        let mut board = sample::board_of(&[State::Planned, State::Planned, State::Planned, State::Proposed]);
        let urgent = Ticket { priority: Some(Priority::try_from(90).unwrap()), ..sample::ticket(3) };
        board.apply(&Change::Ticket(urgent));
        let chosen = choose(&board, 2, |_| false);
        assert_eq!(numbers(&board, &chosen), [3, 1]);
        assert_eq!(chosen[0].reason, "picked by the autopilot: P0, number 1 of 3 that may run; slot 1 of 2");
    }

    #[test]
    fn a_queued_job_holds_a_slot_already() {
        let mut board = sample::board_of(&[State::Planned, State::Planned]);
        board.apply(&Change::Job(sample::job(1, JobKind::Execute, 1)));
        assert_eq!(choose(&board, 1, |_| false), []);
        assert_eq!(numbers(&board, &choose(&board, 2, |_| false)), [2]);
    }

    #[test]
    fn a_job_that_could_not_start_holds_no_slot() {
        let mut board = sample::board_of(&[State::Planned; 4]);
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(2) }));
        board.apply(&Change::Job(sample::job(2, JobKind::Execute, 2)));
        assert_eq!(numbers(&board, &choose(&board, 1, |_| false)), [1], "what it waits for");
        let landing = Job { status: JobStatus::Running, ..sample::job(3, JobKind::Land, 3) };
        let recheck = Job { recheck: true, ..sample::job(1, JobKind::Land, 1) };
        for job in [landing, sample::job(4, JobKind::Land, 4), recheck] {
            board.apply(&Change::Job(job));
        }
        assert_eq!(choose(&board, 1, |_| false), []);
        board.apply(&Change::Ticket(sample::ticket(5)));
        assert_eq!(
            numbers(&board, &choose(&board, 2, |_| false)),
            [5],
            "landings take turns, and a recheck takes nothing"
        );
    }

    #[test]
    fn what_waits_was_canceled_or_was_refused_is_not_picked() {
        let mut board = sample::board_of(&[State::Blocked { why: Blocked::Canceled }, State::Planned, State::Planned]);
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(2) }));
        assert_eq!(numbers(&board, &choose(&board, 3, |_| false)), [3]);
        assert_eq!(choose(&board, 3, |ticket| ticket.number.0 == 3), []);
    }

    #[test]
    fn finishing_lets_only_tickets_under_way_go_on() {
        let mut board = sample::board_of(&[State::Planned]);
        let job = sample::job(1, JobKind::Execute, 1);
        board.apply(&Change::Job(job.clone()));
        assert!(is_finished(&board), "a queued ticket has not begun");
        let under_way = Ticket { state: State::Executing { job: job.id }, ..sample::ticket(1) };
        assert!(may_start(Autopilot::Finish, &under_way));
        board.apply(&Change::Ticket(under_way));
        assert!(!is_finished(&board));
    }
}
