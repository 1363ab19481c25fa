//! Marks on several tickets, so that one key acts on all of them.

use std::collections::BTreeSet;

use crate::domain::id::TicketId;
use crate::ui::model::Model;

use super::board::BoardScreen;

/// The tickets that are marked, and the range that grows as the cursor goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::ui) struct Marks {
    tickets: BTreeSet<TicketId>,
    range: Option<Range>,
}

/// Where a range began, and what was marked before.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Range {
    from: TicketId,
    before: BTreeSet<TicketId>,
}

impl Marks {
    /// Says whether nothing is marked.
    pub(in crate::ui) fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Returns how many are marked.
    pub(in crate::ui) fn len(&self) -> usize {
        self.tickets.len()
    }

    /// Says whether a ticket is marked.
    pub(in crate::ui) fn contains(&self, id: TicketId) -> bool {
        self.tickets.contains(&id)
    }

    /// Returns the marked tickets, oldest first.
    pub(in crate::ui) fn iter(&self) -> impl Iterator<Item = &TicketId> {
        self.tickets.iter()
    }
}

impl BoardScreen {
    /// Takes all marks away.
    pub(in crate::ui) fn unmark(&mut self) {
        self.marks = Marks::default();
    }

    /// Takes the mark of a ticket away, and ends the range; says whether it was marked.
    pub(in crate::ui) fn unmark_one(&mut self, id: TicketId) -> bool {
        self.marks.range = None;
        self.marks.tickets.remove(&id)
    }

    /// Marks tickets again that were marked before.
    pub(in crate::ui) fn mark_again(&mut self, tickets: impl IntoIterator<Item = TicketId>) {
        self.marks.tickets.extend(tickets);
    }
}

impl Model {
    /// Marks the ticket under the cursor, or takes its mark away.
    pub(in crate::ui) fn mark(&mut self) {
        let Some(id) = self.desk.cursor else { return };
        let marks = &mut self.desk.marks;
        marks.range = None;
        if !marks.tickets.remove(&id) {
            marks.tickets.insert(id);
        }
    }

    /// Begins a range at the cursor, or ends it there; what is marked stays marked.
    pub(in crate::ui) fn mark_range(&mut self) {
        let Some(id) = self.desk.cursor else { return };
        let marks = &mut self.desk.marks;
        marks.range = match marks.range.take() {
            Some(_) => None,
            None => Some(Range { from: id, before: marks.tickets.clone() }),
        };
        marks.tickets.insert(id);
    }

    /// Lets the range reach to the cursor, and forgets marks of tickets that are gone.
    pub(in crate::ui) fn settle_marks(&mut self) {
        if let (Some(range), Some(to)) = (&self.desk.marks.range, self.desk.cursor) {
            let state = |id: TicketId| self.board.ticket(id).map(|ticket| ticket.state.name());
            let row = |id: TicketId| self.index.row(&self.board, id);
            let mut tickets = range.before.clone();
            tickets.insert(range.from);
            if let (Some(column), Some(from), Some(row)) = (state(range.from), row(range.from), row(to))
                && state(to) == Some(column)
            {
                let span = from.min(row)..=from.max(row);
                tickets.extend(self.index.column(column).get(span).into_iter().flatten());
            }
            self.desk.marks.tickets = tickets;
        }
        let board = &self.board;
        self.desk.marks.tickets.retain(|id| board.ticket(*id).is_some());
        if self.desk.marks.tickets.is_empty() {
            self.desk.marks.range = None;
        }
    }
}
