//! What the screen asks of the board again and again, kept up to date with each change instead of computed per frame:
//! the order of the columns, what of them the filter shows, who needs a person, what runs, and who waits for whom.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::board::{Board, order};
use crate::domain::change::Change;
use crate::domain::id::TicketId;
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::query::Query;
use crate::domain::sight::Rest;
use crate::domain::state::StateName;
use crate::domain::ticket::Ticket;

/// How many columns there can be.
pub const COLUMNS: usize = StateName::ALL.len();

/// The cached answers. They are right as long as every change to the board goes through [`Index::apply`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Index {
    /// Which tickets are in the columns.
    filter: Query,
    /// Those that the radar found in a conflict.
    conflicting: HashSet<TicketId>,
    columns: [Vec<TicketId>; COLUMNS],
    /// How many tickets there are in each state, shown or not.
    totals: [usize; COLUMNS],
    needs_you: HashSet<TicketId>,
    running: HashMap<TicketId, JobKind>,
    dependents: HashMap<TicketId, BTreeSet<TicketId>>,
    /// What is not in the board, as long as it is not read whole.
    rest: Rest,
}

/// How many jobs run, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Running {
    /// Agents at work.
    pub agents: usize,
    /// Checks and everything else.
    pub others: usize,
}

impl Running {
    /// Returns all of them.
    pub fn total(self) -> usize {
        self.agents + self.others
    }
}

impl Index {
    /// Returns the answers for a board of which everything is shown.
    pub fn of(board: &Board) -> Self {
        Self::filtered(board, Query::default(), HashSet::new())
    }

    /// Returns the answers for a board that is not whole.
    pub fn of_part(board: &Board, rest: Rest) -> Self {
        Self { rest, ..Self::of(board) }
    }

    /// Returns the answers for a board of which the filter shows a part. `conflicting` are the tickets in a conflict.
    pub fn filtered(board: &Board, filter: Query, conflicting: HashSet<TicketId>) -> Self {
        let mut index = Self { conflicting, ..Self::default() };
        index.sift(board, filter);
        for ticket in board.tickets() {
            for blocker in &ticket.blocked_by {
                index.dependents.entry(*blocker).or_default().insert(ticket.id);
            }
            index.look_at(board, ticket.id);
        }
        index
    }

    /// Shows what another filter says.
    pub fn sift(&mut self, board: &Board, filter: Query) {
        let mut columns: [Vec<&Ticket>; COLUMNS] = Default::default();
        self.totals = [0; COLUMNS];
        for ticket in board.tickets() {
            let at = place(ticket.state.name());
            self.totals[at] += 1;
            if filter.matches(board, &self.conflicting, ticket) {
                columns[at].push(ticket);
            }
        }
        for (column, tickets) in self.columns.iter_mut().zip(&mut columns) {
            tickets.sort_by_key(|ticket| order(ticket));
            *column = tickets.iter().map(|ticket| ticket.id).collect();
        }
        self.filter = filter;
    }

    /// Takes over which tickets are in a conflict.
    pub fn foresee(&mut self, board: &Board, conflicting: HashSet<TicketId>) {
        let is_news = conflicting != self.conflicting;
        self.conflicting = conflicting;
        if is_news && self.filter.asks_for_conflicts() {
            self.sift(board, self.filter.clone());
        }
    }

    /// Returns the tickets in a conflict.
    pub fn conflicting(&self) -> &HashSet<TicketId> {
        &self.conflicting
    }

    /// Applies a change to the board and to the answers.
    pub fn apply(&mut self, board: &mut Board, change: &Change) {
        match change {
            Change::Ticket(ticket) => self.apply_ticket(board, change, ticket),
            Change::Job(job) => {
                board.apply(change);
                self.look_at(board, job.ticket);
            }
            Change::Goal(_) => {
                board.apply(change);
                self.sift(board, self.filter.clone());
            }
            Change::Autopilot(_)
            | Change::Run(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Event(_)
            | Change::Live { .. } => board.apply(change),
        }
    }

    fn apply_ticket(&mut self, board: &mut Board, change: &Change, ticket: &Ticket) {
        if let Some(old) = board.ticket(ticket.id) {
            let from = place(old.state.name());
            if let Ok(at) = self.search(board, old) {
                self.columns[from].remove(at);
            }
            self.totals[from] -= 1;
            for blocker in &old.blocked_by {
                if let Entry::Occupied(mut waiting) = self.dependents.entry(*blocker) {
                    waiting.get_mut().remove(&ticket.id);
                    if waiting.get().is_empty() {
                        waiting.remove();
                    }
                }
            }
        }
        board.apply(change);
        // A ticket that was removed is not there any more.
        if board.ticket(ticket.id).is_some() {
            self.totals[place(ticket.state.name())] += 1;
            if let Err(at) = self.search(board, ticket) {
                self.columns[place(ticket.state.name())].insert(at, ticket.id);
            }
            for blocker in &ticket.blocked_by {
                self.dependents.entry(*blocker).or_default().insert(ticket.id);
            }
        }
        self.look_at(board, ticket.id);
        for dependent in self.dependents(ticket.id).collect::<Vec<_>>() {
            self.look_at(board, dependent);
        }
    }

    fn search(&self, board: &Board, ticket: &Ticket) -> Result<usize, usize> {
        let key = order(ticket);
        self.columns[place(ticket.state.name())]
            .binary_search_by(|id| board.ticket(*id).map_or(std::cmp::Ordering::Less, |other| order(other).cmp(&key)))
    }

    fn look_at(&mut self, board: &Board, id: TicketId) {
        let needs_you = board.ticket(id).is_some_and(|ticket| board.needs_you(ticket));
        if needs_you {
            self.needs_you.insert(id);
        } else {
            self.needs_you.remove(&id);
        }
        match board.newest_job(id) {
            Some(job) if job.status == JobStatus::Running && board.ticket(id).is_some() => {
                self.running.insert(id, job.kind);
            }
            Some(_) | None => {
                self.running.remove(&id);
            }
        }
        if let Some(ticket) = board.ticket(id) {
            let column = place(ticket.state.name());
            match (self.search(board, ticket), self.filter.matches(board, &self.conflicting, ticket)) {
                (Ok(at), false) => {
                    self.columns[column].remove(at);
                }
                (Err(at), true) => self.columns[column].insert(at, id),
                (Ok(_), true) | (Err(_), false) => {}
            }
        }
    }

    /// Returns which tickets are shown.
    pub fn filter(&self) -> &Query {
        &self.filter
    }

    /// Returns how many tickets there are in a state, shown or not.
    pub fn total(&self, state: StateName) -> usize {
        self.totals[place(state)] + self.rest.missing(state)
    }

    /// Returns what is not in the board yet.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Returns how many tickets a column shows.
    pub fn count(&self, state: StateName) -> usize {
        self.column(state).len() + self.rest.missing(state)
    }

    /// Returns the tickets of a column that are shown, as people see them.
    pub fn column(&self, state: StateName) -> &[TicketId] {
        &self.columns[place(state)]
    }

    /// Returns where a ticket is in its column, counted from 0.
    pub fn row(&self, board: &Board, id: TicketId) -> Option<usize> {
        self.search(board, board.ticket(id)?).ok()
    }

    /// Says whether a person must act on the ticket.
    pub fn needs_you(&self, id: TicketId) -> bool {
        self.needs_you.contains(&id)
    }

    /// Returns the tickets that wait for a person, in no order.
    pub fn all_needing_you(&self) -> impl Iterator<Item = TicketId> {
        self.needs_you.iter().copied()
    }

    /// Returns how many tickets wait for a person.
    pub fn needing_you(&self) -> usize {
        self.needs_you.len() + self.rest.needing_you as usize
    }

    /// Returns how many jobs run.
    pub fn running(&self) -> Running {
        let agents = self.running.values().filter(|kind| **kind == JobKind::Execute).count();
        Running { agents, others: self.running.len() - agents }
    }

    /// Returns the tickets whose jobs run, in no order.
    pub fn running_tickets(&self) -> impl Iterator<Item = TicketId> {
        self.running.keys().copied()
    }

    /// Returns the tickets that wait for this one, in no order.
    pub fn dependents(&self, id: TicketId) -> impl Iterator<Item = TicketId> {
        self.dependents.get(&id).into_iter().flatten().copied()
    }
}

/// Returns the place of a state among the columns.
pub fn place(state: StateName) -> usize {
    StateName::ALL.iter().position(|other| *other == state).unwrap_or_default()
}
