//! A made-up ticket, as long as real ones are.

use draft_board::domain::id::{BoardId, TicketId, TicketNumber};
use draft_board::domain::state::State;
use draft_board::domain::ticket::{Ticket, Title, Usage, Worktree};
use draft_board::domain::time::Timestamp;
use uuid::Uuid;

/// Returns a ticket in a state, as it was filed.
pub(crate) fn filed(board: BoardId, n: u32, state: State) -> Ticket {
    Ticket {
        id: TicketId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n))),
        number: TicketNumber(n),
        board,
        goal: None,
        title: Title::new(&format!("Guard the square root of negative number {n}")).expect("it is a title"),
        state,
        reason: String::new(),
        priority: u8::try_from(n % 100).ok().and_then(|value| value.try_into().ok()),
        hand_order: None,
        pull_request: None,
        blocked_by: Vec::new(),
        verify: Vec::new(),
        agent: None,
        model: None,
        base_branch: None,
        message: None,
        worktree: None,
        usage: Usage::default(),
        created_at: Timestamp(1_800_000_000_000),
        updated_at: Timestamp(1_800_000_000_000),
        reverts: None,
        landed: None,
        removed_at: None,
    }
}

/// Returns the worktree of a ticket.
pub(crate) fn worktree(n: u32) -> Worktree {
    Worktree {
        path: format!("/home/u/.local/share/draft/worktrees/calculator-0a1b2c3d/{n}-guard-sqrt-of-negatives").into(),
        branch: format!("draft/{n}-guard-sqrt-of-negatives"),
        base_branch: "main".into(),
        base: "b".repeat(40),
        port: None,
    }
}
