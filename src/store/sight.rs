//! Reads what is seen of a large board first, by indexes alone: as long as the screen is high, whatever the board holds.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::error::Fault;
use super::{boards, goals, jobs, reviews, revisions, runs, tickets};
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::id::{BoardId, TicketId};
use crate::domain::sight::{Rest, Sight};
use crate::domain::state::{Blocked, NeedsHuman, State, StateName};
use crate::domain::ticket::Ticket;

/// Returns the first tickets of each column, as many as asked for, with all that belongs to what is seen of them, and how
/// much else there is. [`Sight::board`] says which tickets come along.
pub(super) fn first(db: &Connection, id: BoardId, first: usize) -> Result<Option<Sight>, Fault> {
    let Some(about) = boards::by_id(db, id)? else { return Ok(None) };
    let mut board = Board::new(about);
    goals::since(db, id, 0)?.into_iter().map(Change::Goal).for_each(|goal| board.take(goal));
    let mut wanted: Vec<Ticket> = Vec::new();
    for state in StateName::ALL {
        wanted.extend(tickets::first_of(db, id, *state, first)?);
    }
    let mut more: Vec<TicketId> = jobs::active(db, id)?.into_iter().map(|job| job.ticket).collect();
    more.extend(tickets::waiting_for_abandoned(db, id)?);
    take(db, &mut board, wanted)?;
    let more = some(db, &board, id, more)?;
    take(db, &mut board, more)?;
    let blockers: Vec<TicketId> = board.tickets().flat_map(|ticket| ticket.blocked_by.clone()).collect();
    let blockers = some(db, &board, id, blockers)?;
    take(db, &mut board, blockers)?;
    boards::autopilot_since(db, id, 0)?.into_iter().for_each(|mode| board.take(Change::Autopilot(mode)));
    let rest = rest(db, id, &board, first)?;
    Ok(Some(Sight { board, rest }))
}

/// Returns those of the tickets that are on the board of the database and not in `board` yet.
fn some(db: &Connection, board: &Board, id: BoardId, wanted: Vec<TicketId>) -> Result<Vec<Ticket>, Fault> {
    let missing: BTreeSet<TicketId> = wanted.into_iter().filter(|id| board.ticket(*id).is_none()).collect();
    let found: Result<Vec<Option<Ticket>>, Fault> =
        missing.into_iter().map(|ticket| tickets::one(db, id, ticket)).collect();
    Ok(found?.into_iter().flatten().collect())
}

/// Puts tickets into `board`, with what belongs to them.
fn take(db: &Connection, board: &mut Board, wanted: Vec<Ticket>) -> Result<(), Fault> {
    for ticket in wanted {
        let id = ticket.id;
        board.take(Change::Ticket(Ticket { blocked_by: tickets::blockers_of(db, id)?, ..ticket }));
        if let Some(job) = jobs::newest_of(db, id)? {
            let runs = runs::of_job(db, job.id)?;
            board.take(Change::Job(job));
            runs.into_iter().for_each(|run| board.take(Change::Run(run)));
        }
        revisions::newest_of(db, id)?.into_iter().for_each(|revision| board.take(Change::Revision(revision)));
        reviews::comments_of(db, id)?.into_iter().for_each(|comment| board.take(Change::Comment(comment)));
    }
    Ok(())
}

/// Counts what is not in `board`.
fn rest(db: &Connection, id: BoardId, board: &Board, first: usize) -> Result<Rest, Fault> {
    let mut rest = Rest { first: Some(first), ..Rest::default() };
    for (state, all) in tickets::count(db, id)? {
        rest.missing[state as usize] = all;
    }
    // Those that need a person by their state alone, apart from the few reasons that need none.
    let asks = |state: StateName| matches!(state, StateName::NeedsHuman | StateName::Blocked);
    rest.needing_you =
        StateName::ALL.iter().filter(|state| asks(**state)).map(|state| rest.missing[*state as usize]).sum();
    let quiet = NeedsHuman::ALL.iter().map(|why| State::NeedsHuman { why: *why });
    let quiet = quiet.chain(Blocked::ALL.iter().map(|why| State::Blocked { why: *why }));
    for state in quiet.filter(|state| !state.asks_for_a_person()) {
        rest.needing_you -= tickets::count_in(db, id, state)?;
    }
    for ticket in board.tickets() {
        rest.missing[ticket.state.name() as usize] -= 1;
        rest.needing_you -= u32::from(ticket.state.asks_for_a_person());
    }
    Ok(rest)
}
