//! What is seen of tickets that may go on without a person.

use uuid::Uuid;

use crate::domain::autonomy::Autonomy;
use crate::domain::change::Change;
use crate::domain::goal::Goal;
use crate::domain::id::GoalId;
use crate::domain::state::{NeedsHuman, State};
use crate::domain::ticket::Title;
use crate::ui::Msg;
use crate::ui::testing::{World, about, at};

#[test]
fn a_ticket_says_that_it_may_go_on_without_you_and_why_it_does_not() {
    let id = GoalId(Uuid::from_u128(7));
    let mut goal = Goal::new(id, about().id, Title::new("Safe arithmetic").unwrap(), String::new(), at(100));
    goal.autonomy = Autonomy { enabled: true, auto_approve_revisions: true, ..Autonomy::default() };
    let world = World::board("needs_human").size(200, 50).tell(Msg::Changed(vec![Change::Goal(goal)]));
    let world = world.with_ticket(1, |ticket| {
        ticket.goal = Some(id);
        ticket.reason = "all 3 checks passed; waits for you: touches `.env`".into();
    });
    let card = world.screen();
    assert!(card.contains("#1 P0 auto"), "{card}");
    assert!(card.contains("waits for you:") && card.contains("`.env`"), "{card}");
    let over = world.with_ticket(1, |ticket| ticket.state = State::Done);
    assert!(!over.screen().contains("auto "), "{}", over.screen());
    let world = over.with_ticket(1, |ticket| ticket.state = State::NeedsHuman { why: NeedsHuman::Review });
    let overview = world.keys("<enter>").screen();
    assert!(overview.contains("changes are approved; 0 approvals so far, no limit"), "{overview}");
    assert!(overview.contains("all 3 checks passed; waits for you: touches `.env`"), "{overview}");
}
