//! Which tickets wait for which: a graph with any number of blockers for each ticket and no cycles.

use std::collections::{HashMap, HashSet};

use super::id::{TicketId, TicketNumber};
use super::state::{State, StateName};
use super::ticket::Ticket;

/// Whether a ticket may run as far as its blockers go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// Every blocker is done, or there is none.
    Ready,
    /// These blockers are not done yet.
    Waits(Vec<TicketNumber>),
    /// These blockers were abandoned, so it would wait for ever.
    Dead(Vec<TicketNumber>),
}

/// Says whether the ticket may run. A blocker that is not known any more holds nothing up.
pub fn readiness<'a>(ticket: &Ticket, find: impl Fn(TicketId) -> Option<&'a Ticket>) -> Readiness {
    let mut waits = Vec::new();
    let mut dead = Vec::new();
    for blocker in ticket.blocked_by.iter().filter_map(|id| find(*id)) {
        match blocker.state.name() {
            StateName::Done => {}
            StateName::Abandoned => dead.push(blocker.number),
            StateName::Proposed
            | StateName::Planned
            | StateName::Executing
            | StateName::Verifying
            | StateName::NeedsHuman
            | StateName::Blocked => waits.push(blocker.number),
        }
    }
    if !dead.is_empty() {
        Readiness::Dead(dead)
    } else if !waits.is_empty() {
        Readiness::Waits(waits)
    } else {
        Readiness::Ready
    }
}

/// Looks for a cycle in the graph `ticket → its blockers` and returns one: each waits for the next, the last for the first.
pub fn find_cycle(blockers: &HashMap<TicketId, Vec<TicketId>>) -> Option<Vec<TicketId>> {
    let mut starts: Vec<TicketId> = blockers.keys().copied().collect();
    starts.sort();
    let mut finished = HashSet::new();
    for start in starts {
        // Depth first with an explicit path, so that a chain of thousands needs no stack.
        let mut path: Vec<(TicketId, usize)> = vec![(start, 0)];
        let mut on_path = HashSet::from([start]);
        while let Some((at, next)) = path.last_mut() {
            if finished.contains(at) {
                on_path.remove(at);
                path.pop();
                continue;
            }
            match blockers.get(at).and_then(|list| list.get(*next)).copied() {
                Some(blocker) => {
                    *next += 1;
                    if on_path.contains(&blocker) {
                        let from = path.iter().position(|(id, _)| *id == blocker).unwrap_or(0);
                        return Some(path[from..].iter().map(|(id, _)| *id).collect());
                    }
                    if !finished.contains(&blocker) {
                        on_path.insert(blocker);
                        path.push((blocker, 0));
                    }
                }
                None => {
                    finished.insert(*at);
                }
            }
        }
    }
    None
}

/// Returns the planned tickets that wait for this one.
pub fn planned_dependents<'a>(
    of: TicketId,
    tickets: impl Iterator<Item = &'a Ticket>,
) -> impl Iterator<Item = &'a Ticket> {
    tickets.filter(move |ticket| ticket.state == State::Planned && ticket.blocked_by.contains(&of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::JobId;
    use crate::domain::sample;
    use crate::domain::state::{Blocked, NeedsHuman};
    use uuid::Uuid;

    fn id(n: u128) -> TicketId {
        TicketId(Uuid::from_u128(n))
    }

    fn graph(edges: &[(u128, u128)]) -> HashMap<TicketId, Vec<TicketId>> {
        let mut graph: HashMap<_, Vec<_>> = HashMap::new();
        for (from, to) in edges {
            graph.entry(id(*from)).or_default().push(id(*to));
        }
        graph
    }

    #[test]
    fn a_diamond_is_no_cycle() {
        assert_eq!(find_cycle(&graph(&[(1, 2), (1, 3), (2, 4), (3, 4)])), None);
    }

    #[test]
    fn a_cycle_is_named_in_the_order_of_waiting() {
        let cycle = find_cycle(&graph(&[(1, 2), (2, 3), (3, 4), (4, 2)])).unwrap();
        assert_eq!(cycle, vec![id(2), id(3), id(4)]);
        assert_eq!(find_cycle(&graph(&[(7, 7)])), Some(vec![id(7)]));
    }

    #[test]
    fn a_chain_of_ten_thousand_needs_no_stack() {
        let edges: Vec<_> = (1..10_000).map(|n| (n, n + 1)).collect();
        assert_eq!(find_cycle(&graph(&edges)), None);
    }

    #[test]
    fn a_ticket_is_ready_only_when_all_that_it_waits_for_is_done() {
        let job = JobId(Uuid::from_u128(9));
        let waits = |number| Readiness::Waits(vec![TicketNumber(number)]);
        for (state, expected) in [
            (State::Proposed, waits(1)),
            (State::Planned, waits(1)),
            (State::Executing { job }, waits(1)),
            (State::Verifying { job }, waits(1)),
            (State::NeedsHuman { why: NeedsHuman::Approved }, waits(1)),
            (State::Blocked { why: Blocked::Failed }, waits(1)),
            (State::Done, Readiness::Ready),
            (State::Abandoned, Readiness::Dead(vec![TicketNumber(1)])),
        ] {
            let board = sample::board_of(&[state, State::Done]);
            let ticket = Ticket { blocked_by: vec![sample::id(1), sample::id(2)], ..sample::ticket(3) };
            assert_eq!(readiness(&ticket, |id| board.ticket(id)), expected, "{state:?}");
        }
    }

    #[test]
    fn an_abandoned_blocker_outweighs_those_that_may_still_be_done() {
        let board = sample::board_of(&[State::Planned, State::Abandoned]);
        let ticket = Ticket { blocked_by: vec![sample::id(1), sample::id(2)], ..sample::ticket(3) };
        assert_eq!(readiness(&ticket, |id| board.ticket(id)), Readiness::Dead(vec![TicketNumber(2)]));
    }

    #[test]
    fn a_blocker_that_is_gone_holds_nothing_up() {
        let ticket = Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(2) };
        assert_eq!(readiness(&ticket, |_| None), Readiness::Ready);
    }

    #[test]
    fn only_planned_tickets_are_named_as_waiting() {
        let waiting = |number| Ticket { blocked_by: vec![sample::id(1)], ..sample::ticket(number) };
        let tickets =
            [sample::ticket(1), waiting(2), Ticket { state: State::Proposed, ..waiting(3) }, sample::ticket(4)];
        let found: Vec<TicketNumber> =
            planned_dependents(sample::id(1), tickets.iter()).map(|one| one.number).collect();
        assert_eq!(found, [TicketNumber(2)]);
    }
}
