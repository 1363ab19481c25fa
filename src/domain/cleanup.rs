//! Which worktrees nobody needs any more, because nobody came back to them or there are too many. Pure: what was seen on the disk
//! comes in, and nothing that somebody works on ever comes out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::board::Board;
use super::id::TicketId;
use super::state::{StateName, words};
use super::ticket::Ticket;
use super::time::Timestamp;

words! {
    /// What of a ticket is cleaned up.
    Cleaned, "thing to clean up" {
        /// Its worktree; it can come back from the trash.
        Worktree = "worktree",
        /// What its runs printed; that is gone for good, and how they ended stays.
        Output = "output",
    }
}

/// How long things stay, and how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long a worktree stays that nobody uses.
    pub worktree: Duration,
    /// How many worktrees a board may have.
    pub worktrees: usize,
    /// How long the output of a ticket stays that has ended.
    pub output: Duration,
}

/// A worktree as it was seen on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Whose it is.
    pub ticket: TicketId,
    /// When something in it was written last; nothing where there was no time to find out.
    pub written: Option<Timestamp>,
    /// A process is in it: a shell, an editor, an agent.
    pub in_use: bool,
}

/// Something that is to go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Due {
    /// Whose it is.
    pub ticket: TicketId,
    /// Since when nobody touched it.
    pub since: Timestamp,
    /// Why it goes, for people.
    pub why: String,
}

/// Says why nothing of a ticket is cleaned up now, in words that follow its number; nothing where it may be.
pub fn protected(board: &Board, ticket: &Ticket) -> Option<String> {
    if let Some(job) = board.active_job(ticket.id) {
        return Some(format!("has a job ({})", job.kind));
    }
    let state = ticket.state.name();
    match state {
        StateName::Executing | StateName::Verifying | StateName::NeedsHuman if ticket.removed_at.is_none() => {
            Some(format!("is {state}"))
        }
        StateName::Executing
        | StateName::Verifying
        | StateName::NeedsHuman
        | StateName::Proposed
        | StateName::Planned
        | StateName::Blocked
        | StateName::Done
        | StateName::Abandoned => None,
    }
}

/// Says whether a ticket is at its end, so that what its runs printed is history.
pub fn has_ended(ticket: &Ticket) -> bool {
    !ticket.needs_worktree()
}

/// Returns the worktrees that are to go, the one that nobody touched longest first. A clock that went back makes nothing older.
pub fn worktrees(board: &Board, seen: &[Seen], limits: Limits, now: Timestamp) -> Vec<Due> {
    let known = |one: &Seen| board.ticket(one.ticket).filter(|ticket| ticket.worktree.is_some());
    let count = seen.iter().filter(|one| known(one).is_some()).count();
    let mut idle: Vec<(Timestamp, TicketId)> = seen
        .iter()
        .filter(|one| !one.in_use)
        .filter_map(|one| Some((known(one)?, one.written?)))
        .filter(|(ticket, _)| protected(board, ticket).is_none())
        .map(|(ticket, written)| (written.max(ticket.updated_at), ticket.id))
        .collect();
    idle.sort_unstable();
    let mut over = count.saturating_sub(limits.worktrees);
    let mut due = Vec::new();
    for (since, ticket) in idle {
        let why = if now.since(since) >= limits.worktree {
            format!("nobody touched it for {}", days(limits.worktree))
        } else if over > 0 {
            format!("there are more than {} worktrees, and nobody touched it for longer than others", limits.worktrees)
        } else {
            continue;
        };
        over = over.saturating_sub(1);
        due.push(Due { ticket, since, why });
    }
    due
}

/// Says how many days that is.
pub fn days(span: Duration) -> String {
    match span.as_secs() / DAY.as_secs() {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::change::Change;
    use crate::domain::id::JobId;
    use crate::domain::job::JobKind;
    use crate::domain::sample;
    use crate::domain::state::{Blocked, NeedsHuman, State};
    use crate::domain::ticket::Worktree;

    const LIMITS: Limits = Limits { worktree: Duration::from_secs(14 * 24 * 3600), worktrees: 3, output: DAY };
    const NOW: Timestamp = Timestamp(100 * 24 * 3600 * 1000);

    fn days_ago(days: i64) -> Timestamp {
        Timestamp(NOW.0 - days * 24 * 3600 * 1000)
    }

    fn state(n: u8) -> State {
        let job = JobId(uuid::Uuid::from_u128(9));
        match n % 8 {
            0 => State::Proposed,
            1 => State::Planned,
            2 => State::Executing { job },
            3 => State::Verifying { job },
            4 => State::NeedsHuman { why: NeedsHuman::Review },
            5 => State::Blocked { why: Blocked::Failed },
            6 => State::Done,
            _ => State::Abandoned,
        }
    }

    fn with_worktree(number: u32, state: State, updated: Timestamp) -> Ticket {
        let worktree = Worktree {
            path: format!("/worktrees/{number}").into(),
            branch: format!("draft/{number}"),
            base_branch: "main".into(),
            base: "0".repeat(40),
            port: None,
        };
        Ticket { state, worktree: Some(worktree), updated_at: updated, ..sample::ticket(number) }
    }

    fn seen(number: u32, written: Timestamp) -> Seen {
        Seen { ticket: sample::id(number), written: Some(written), in_use: false }
    }

    #[test]
    fn a_worktree_goes_that_neither_its_ticket_nor_anybody_in_it_touched() {
        let mut board = sample::board();
        let (old, new) = (days_ago(15), days_ago(13));
        for (number, updated) in [(1, old), (2, new), (3, old)] {
            board.apply(&Change::Ticket(with_worktree(number, state(5), updated)));
        }
        let due = worktrees(&board, &[seen(1, old), seen(2, old), seen(3, new)], LIMITS, NOW);
        assert_eq!(due.iter().map(|due| due.ticket).collect::<Vec<_>>(), [sample::id(1)]);
        assert_eq!(due[0].why, "nobody touched it for 14 days");
        let unknown = Seen { written: None, ..seen(1, old) };
        assert_eq!(worktrees(&board, &[unknown], LIMITS, NOW), [], "what could not be looked at stays");
        let open = Seen { in_use: true, ..seen(1, old) };
        assert_eq!(worktrees(&board, &[open], LIMITS, NOW), [], "somebody is in it");
        assert_eq!(worktrees(&board, &[seen(1, old)], LIMITS, Timestamp(0)), [], "the clock went back");
    }

    #[test]
    fn of_too_many_those_go_that_nobody_touched_longest() {
        let mut board = sample::board();
        let all: Vec<Seen> = (1..=6).map(|number| seen(number, days_ago(i64::from(number)))).collect();
        for number in 1..=6 {
            board.apply(&Change::Ticket(with_worktree(number, state(if number == 6 { 4 } else { 5 }), Timestamp(0))));
        }
        let due: Vec<TicketId> = worktrees(&board, &all, LIMITS, NOW).iter().map(|due| due.ticket).collect();
        assert_eq!(due, [5, 4, 3].map(sample::id), "6 waits for its person");
    }

    proptest! {
        #[test]
        fn nothing_that_somebody_works_on_is_ever_due_and_nothing_is_due_twice(
            tickets in prop::collection::vec((any::<u8>(), 0_i64..40, 0_i64..40, any::<bool>(), any::<bool>(), any::<bool>()), 0..12),
            most in 0_usize..6,
            clock in -50_i64..50,
        ) {
            let mut board = sample::board();
            let mut all = Vec::new();
            for (n, (kind, updated, written, in_use, has_job, is_known)) in tickets.iter().enumerate() {
                let number = u32::try_from(n + 1).unwrap();
                board.apply(&Change::Ticket(with_worktree(number, state(*kind), days_ago(*updated))));
                if *has_job {
                    board.apply(&Change::Job(sample::job(number, JobKind::Execute, 1)));
                }
                let written = is_known.then(|| days_ago(*written));
                all.push(Seen { ticket: sample::id(number), written, in_use: *in_use });
            }
            let now = days_ago(-clock);
            let limits = Limits { worktrees: most, ..LIMITS };
            let due = worktrees(&board, &all, limits, now);
            for one in &due {
                let ticket = board.ticket(one.ticket).unwrap();
                let seen = all.iter().find(|seen| seen.ticket == one.ticket).unwrap();
                prop_assert!(protected(&board, ticket).is_none());
                prop_assert!(!matches!(ticket.state.name(), StateName::Executing | StateName::Verifying | StateName::NeedsHuman));
                prop_assert!(board.active_job(one.ticket).is_none() && !seen.in_use && seen.written.is_some());
                let is_old = now.since(one.since) >= limits.worktree;
                prop_assert!(is_old || all.len() > most, "{one:?}");
            }
            let mut ids: Vec<TicketId> = due.iter().map(|due| due.ticket).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), due.len());
            // What is left needs nothing more: doing it again finds nothing.
            for one in &due {
                let gone = Ticket { worktree: None, ..board.ticket(one.ticket).unwrap().clone() };
                board.apply(&Change::Ticket(gone));
            }
            prop_assert_eq!(worktrees(&board, &all, limits, now), []);
        }
    }
}
