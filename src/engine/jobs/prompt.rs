//! Gathers what an agent is told: the ticket, its goal, and the tickets around it.

use crate::domain::id::TicketId;
use crate::domain::state::State;
use crate::domain::ticket::Ticket;
use crate::executor::prompt::{Bundle, Dependency, Sibling};
use crate::store::Reader;

use super::super::error::EngineError;
use super::bench::Bench;

/// How many done tickets of the same goal are told of, oldest first.
const SIBLINGS_MAX: usize = 5;

/// Returns the prompt for the job's ticket.
pub(super) async fn of(bench: &Bench) -> Result<String, EngineError> {
    let ticket = bench.ticket.clone();
    bench
        .blocking(move |shop| {
            let reader = Reader::open(&shop.paths.database())?;
            let description = |id: TicketId| reader.description(id).map(Option::unwrap_or_default);
            let own = description(ticket.id)?;
            let Some((board, _)) = reader.board(shop.about.id)? else {
                return Err(EngineError::NoBoard(shop.about.name.clone()));
            };
            let done_with_it = |other: &&Ticket| {
                other.id != ticket.id
                    && ticket.goal.is_some()
                    && other.goal == ticket.goal
                    && other.state == State::Done
            };
            let mut siblings = Vec::new();
            for sibling in board.tickets().filter(done_with_it).take(SIBLINGS_MAX) {
                siblings.push((sibling.title.as_str(), description(sibling.id)?));
            }
            let blockers = ticket.blocked_by.iter().filter_map(|id| board.ticket(*id));
            let bundle = Bundle {
                title: ticket.title.as_str(),
                description: &own,
                goal: ticket.goal.and_then(|goal| board.goal(goal)).map(|goal| goal.title.as_str()),
                siblings: siblings.iter().map(|(title, text)| Sibling { title, description: text }).collect(),
                dependencies: blockers
                    .map(|blocker| Dependency { title: blocker.title.as_str(), state: blocker.state.name() })
                    .collect(),
                feedback: None,
                follow_up: None,
            };
            Ok(bundle.to_markdown())
        })
        .await
}
