//! What is seen of a large board first: a part of it that is enough for the first picture, and how much is not loaded yet.

use super::board::Board;
use super::state::StateName;

/// A part of a board. What is in it is right and whole; tickets are missing.
#[derive(Clone, PartialEq, Debug)]
pub struct Sight {
    /// The first tickets of each column, every ticket with a job, all that these wait for, and those that wait for an
    /// abandoned one.
    pub board: Board,
    /// What is not in it.
    pub rest: Rest,
}

/// How many tickets of a board are not loaded yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rest {
    /// How many of each column are loaded without a gap, from the first on; nothing where all are.
    pub first: Option<usize>,
    /// How many are missing in each column, in the order of [`StateName::ALL`].
    pub missing: [u32; StateName::ALL.len()],
    /// How many of the missing ones need a person.
    pub needing_you: u32,
}

impl Rest {
    /// Says whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns how many tickets of a column are missing.
    pub fn missing(&self, state: StateName) -> usize {
        self.missing[state as usize] as usize
    }
}

#[cfg(test)]
impl Sight {
    /// Returns what is to be seen of a board first, with so many tickets of each column: what the store loads, in the words of
    /// the domain.
    pub(crate) fn of(board: &Board, first: usize) -> Self {
        use std::collections::BTreeSet;

        use super::change::Change;
        use super::dependencies::Readiness;
        use super::id::TicketId;

        let mut wanted: BTreeSet<TicketId> = BTreeSet::new();
        for state in StateName::ALL {
            wanted.extend(board.column(*state).into_iter().take(first).map(|ticket| ticket.id));
        }
        wanted.extend(board.active_jobs().map(|job| job.ticket).filter(|id| board.ticket(*id).is_some()));
        let dead = board.tickets().filter(|ticket| {
            ticket.state.name() == StateName::Planned && matches!(board.readiness(ticket), Readiness::Dead(_))
        });
        wanted.extend(dead.map(|ticket| ticket.id));
        let blockers = wanted.iter().filter_map(|id| board.ticket(*id)).flat_map(|ticket| ticket.blocked_by.clone());
        wanted.extend(blockers.filter(|id| board.ticket(*id).is_some()).collect::<Vec<_>>());

        let mut part = Board::new(board.about.clone());
        board.goals().into_iter().chain(board.removed_goals()).for_each(|goal| part.take(Change::Goal(goal.clone())));
        for id in &wanted {
            board.ticket(*id).into_iter().for_each(|ticket| part.take(Change::Ticket(ticket.clone())));
            if let Some(job) = board.newest_job(*id) {
                part.take(Change::Job(job.clone()));
                board.runs(job.id).for_each(|run| part.take(Change::Run(run.clone())));
            }
            board.revision(*id).into_iter().for_each(|revision| part.take(Change::Revision(revision.clone())));
            board.comments(*id).for_each(|comment| part.take(Change::Comment(comment.clone())));
        }
        board.autopilot().into_iter().for_each(|mode| part.take(Change::Autopilot(mode)));
        let mut rest = Rest { first: Some(first), ..Rest::default() };
        for ticket in board.tickets().filter(|ticket| !wanted.contains(&ticket.id)) {
            rest.missing[ticket.state.name() as usize] += 1;
            rest.needing_you += u32::from(board.needs_you(ticket));
        }
        Self { board: part, rest }
    }
}
