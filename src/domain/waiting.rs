//! What a ticket waits for, in words: every ticket that does not move says why.

use super::autopilot::Autopilot;
use super::board::Board;
use super::dependencies::Readiness;
use super::id::TicketNumber;
use super::job::{JobKind, JobStatus};
use super::state::{State, StateName};
use super::ticket::Ticket;

/// Returns what a ticket waits for; nothing for one that is at work, waits for a person, or is over. `autopilot` is the mode
/// that is in force.
pub fn waits_for(board: &Board, ticket: &Ticket, autopilot: Autopilot) -> Option<String> {
    let queued = board.active_job(ticket.id).filter(|job| job.status == JobStatus::Queued);
    if let Some(job) = queued {
        return Some(match board.readiness(ticket) {
            Readiness::Waits(blockers) | Readiness::Dead(blockers) if job.kind == JobKind::Execute => {
                format!("queued: waits for {}", list(&blockers))
            }
            Readiness::Ready | Readiness::Waits(_) | Readiness::Dead(_) if job.reason.is_empty() => {
                "queued: waits for a free slot".to_owned()
            }
            Readiness::Ready | Readiness::Waits(_) | Readiness::Dead(_) => job.reason.clone(),
        });
    }
    if ticket.state.name() != StateName::Planned {
        return None;
    }
    Some(match (board.readiness(ticket), autopilot) {
        (Readiness::Dead(blockers), _) => format!("waits for {}, abandoned", list(&blockers)),
        (Readiness::Waits(blockers), _) => format!("waits for {}", list(&blockers)),
        (Readiness::Ready, Autopilot::On) if ticket.reason.is_empty() => "waits for a free slot".to_owned(),
        (Readiness::Ready, Autopilot::On) => ticket.reason.clone(),
        (Readiness::Ready, Autopilot::Off | Autopilot::Finish) => "waits for you to run it".to_owned(),
    })
}

/// Returns what the reason of a queued job says that it waits for, without the figures.
pub fn held_by(reason: &str) -> &str {
    reason.split_once(':').map_or(reason, |(what, _)| what)
}

/// Returns the tickets that become ready when this one is done.
pub fn freed_by<'a>(board: &'a Board, done: &Ticket) -> Vec<&'a Ticket> {
    let waits_for_others = |ticket: &Ticket| {
        let others = ticket.blocked_by.iter().filter(|id| **id != done.id).filter_map(|id| board.ticket(*id));
        others.into_iter().any(|other| other.state != State::Done)
    };
    board
        .tickets()
        .filter(|ticket| ticket.blocked_by.contains(&done.id) && !waits_for_others(ticket))
        .filter(|ticket| matches!(ticket.state.name(), StateName::Planned | StateName::Blocked))
        .collect()
}

fn list(numbers: &[TicketNumber]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::Change;
    use crate::domain::job::Job;
    use crate::domain::sample;

    fn of(board: &Board, number: u32, autopilot: Autopilot) -> Option<String> {
        waits_for(board, board.ticket(sample::id(number)).unwrap(), autopilot)
    }

    #[test]
    fn every_planned_ticket_says_what_it_waits_for() {
        let mut board = sample::board_of(&[State::Proposed, State::Planned, State::Planned, State::Done]);
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(2) }));
        assert_eq!(of(&board, 1, Autopilot::On), None);
        assert_eq!(of(&board, 2, Autopilot::On).unwrap(), "waits for #1");
        assert_eq!(of(&board, 3, Autopilot::On).unwrap(), "waits for a free slot");
        assert_eq!(of(&board, 3, Autopilot::Off).unwrap(), "waits for you to run it");
        assert_eq!(of(&board, 4, Autopilot::On), None);
    }

    #[test]
    fn a_queued_job_says_what_holds_it_up() {
        let mut board = sample::board_of(&[State::Planned]);
        let job = sample::job(1, JobKind::Execute, 1);
        board.apply(&Change::Job(job.clone()));
        assert_eq!(of(&board, 1, Autopilot::Off).unwrap(), "queued: waits for a free slot");
        board.apply(&Change::Job(Job { reason: "300 MB of memory are free, 1 GB is wanted".into(), ..job }));
        assert_eq!(of(&board, 1, Autopilot::Off).unwrap(), "300 MB of memory are free, 1 GB is wanted");
        board.apply(&Change::Ticket(sample::ticket(2)));
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(2)], ..sample::ticket(1) }));
        assert_eq!(of(&board, 1, Autopilot::Off).unwrap(), "queued: waits for #2", "whatever it waited for before");
    }

    #[test]
    fn only_the_last_blocker_frees_a_ticket() {
        let mut board = sample::board_of(&[State::Done, State::Planned, State::Planned, State::Planned]);
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(3) }));
        board.apply(&Change::Ticket(Ticket { blocked_by: vec![sample::id(1), sample::id(2)], ..sample::ticket(4) }));
        let freed = freed_by(&board, board.ticket(sample::id(1)).unwrap());
        assert_eq!(freed.iter().map(|ticket| ticket.number.0).collect::<Vec<_>>(), [3]);
    }
}
