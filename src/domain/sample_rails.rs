//! Made-up changes and what is known of them, for the tests of what happens without a person.

use proptest::prelude::*;
use uuid::Uuid;

use super::autonomy::{AutonomyEdit, Ceiling, Checked, Dossier, Examined};
use super::board::Board;
use super::change::Change;
use super::command::Command;
use super::goal::Goal;
use super::id::{GoalId, TicketId};
use super::policy::Policy;
use super::rule::Trust;
use super::sample;
use super::ticket::Title;
use super::time::Timestamp;
use super::touched::{Differs, Touched};

/// The one goal.
pub(super) const GOAL: GoalId = GoalId(Uuid::from_u128(0x60a1));

/// Returns a board with nothing on it but a goal.
pub(super) fn board() -> Board {
    let mut board = sample::board();
    let title = Title::new("a goal").unwrap();
    board.apply(&Change::Goal(Goal::new(GOAL, board.about.id, title, String::new(), Timestamp(0))));
    board
}

/// Edits of what may happen, most of them towards more of it.
pub(super) fn edit() -> impl Strategy<Value = AutonomyEdit> {
    let switch = || prop_oneof![3 => Just(Some(true)), 1 => Just(Some(false)), 2 => Just(None)];
    let most = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Ceiling::Unlimited)),
        3 => (0_u32..4).prop_map(|most| Some(Ceiling::AtMost(most))),
    ];
    (switch(), switch(), switch(), switch(), switch(), most).prop_map(
        |(enabled, auto_approve_tickets, auto_approve_revisions, auto_merge, auto_approve_followups, most)| {
            AutonomyEdit {
                enabled,
                auto_approve_tickets,
                auto_approve_revisions,
                auto_merge,
                auto_approve_followups,
                max_auto_approvals: most,
            }
        },
    )
}

pub(super) fn allow(autonomy: AutonomyEdit) -> Command {
    Command::EditGoal { goal: GOAL, title: None, description: None, autonomy, budget: None }
}

/// Returns a text file that was edited.
pub(super) fn file(path: &str) -> Touched {
    Touched {
        path: path.into(),
        old_path: None,
        was: 0o100_644,
        is: 0o100_644,
        differs: Differs::Lines { added: 3, removed: 1 },
    }
}

/// Returns what is known of a change against which nothing speaks.
pub(super) fn dossier(revision: u32, tree: &str) -> Dossier {
    Dossier {
        revision,
        tree: tree.to_owned(),
        files: vec![file("src/a.rs")],
        commands: vec!["make test".into()],
        gates: Vec::new(),
        checked: vec![checked(tree, true)],
        policy: Policy::default(),
        trust: Trust::Given,
    }
}

pub(super) fn checked(tree: &str, passed: bool) -> Checked {
    Checked { command: "make test".into(), tree: Some(tree.to_owned()), passed }
}

/// Returns what somebody finds of a ticket's change, mostly nothing that speaks against it.
pub(super) fn found(board: &Board, ticket: TicketId, how: u8) -> Examined {
    let Some(newest) = board.revision(ticket) else { return Err("there is no change".into()) };
    let good = dossier(newest.number, &newest.tree);
    match how % 16 {
        0 => Err("the disk is gone".into()),
        1 => Ok(Dossier { files: vec![file(".env")], ..good }),
        2 => Ok(Dossier { revision: newest.number + 1, ..good }),
        3 => Ok(Dossier { checked: vec![checked(&newest.tree, false)], ..good }),
        4 => Ok(Dossier { trust: Trust::Missing, ..good }),
        5 | 6 => {
            let policy = Policy { without_goal: true, merge_without_goal: how & 16 != 0, ..Policy::default() };
            Ok(Dossier { policy, ..good })
        }
        7 | 8 => Ok(Dossier { policy: Policy { require_checklist: true, ..Policy::default() }, ..good }),
        _ => Ok(good),
    }
}
