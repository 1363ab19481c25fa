//! The table of goals.

use rusqlite::{Connection, Row, named_params};

use super::error::Fault;
use super::rows::{Columns, Count};
use crate::domain::autonomy::Autonomy;
use crate::domain::goal::Goal;
use crate::domain::id::BoardId;

fn read(row: &Row<'_>) -> rusqlite::Result<Goal> {
    let mut columns = Columns::of(row);
    Ok(Goal {
        id: columns.next()?,
        board: columns.next()?,
        title: columns.next()?,
        description: columns.next()?,
        autonomy: Autonomy {
            enabled: columns.next()?,
            auto_approve_tickets: columns.next()?,
            auto_approve_revisions: columns.next()?,
            auto_merge: columns.next()?,
            auto_approve_followups: columns.next()?,
            max_auto_approvals: columns.next()?,
            auto_approval_count: columns.next()?,
        },
        budget_micros: columns.next::<Option<Count>>()?.map(|count| count.0),
        created_at: columns.next()?,
        updated_at: columns.next()?,
        removed_at: columns.next()?,
    })
}

pub(super) fn save(db: &Connection, goal: &Goal, changed: i64) -> Result<(), Fault> {
    let autonomy = &goal.autonomy;
    db.prepare_cached(
        "INSERT INTO goals (
             id, board_id, title, description, autonomy_enabled, auto_approve_tickets, auto_approve_revisions, auto_merge,
             auto_approve_followups, max_auto_approvals, auto_approval_count, budget_micros, created_at, updated_at,
             removed_at, changed
         ) VALUES (
             :id, :board, :title, :description, :enabled, :tickets, :revisions, :merge, :followups, :most, :count, :budget,
             :created_at, :updated_at, :removed_at, :changed
         ) ON CONFLICT (id) DO UPDATE SET board_id = excluded.board_id, title = excluded.title,
             description = excluded.description, autonomy_enabled = excluded.autonomy_enabled,
             auto_approve_tickets = excluded.auto_approve_tickets,
             auto_approve_revisions = excluded.auto_approve_revisions, auto_merge = excluded.auto_merge,
             auto_approve_followups = excluded.auto_approve_followups,
             max_auto_approvals = excluded.max_auto_approvals, auto_approval_count = excluded.auto_approval_count,
             budget_micros = excluded.budget_micros, created_at = excluded.created_at,
             updated_at = excluded.updated_at, removed_at = excluded.removed_at, changed = excluded.changed",
    )?
    .execute(named_params! {
        ":id": goal.id,
        ":board": goal.board,
        ":title": goal.title,
        ":description": goal.description,
        ":enabled": autonomy.enabled,
        ":tickets": autonomy.auto_approve_tickets,
        ":revisions": autonomy.auto_approve_revisions,
        ":merge": autonomy.auto_merge,
        ":followups": autonomy.auto_approve_followups,
        ":most": autonomy.max_auto_approvals,
        ":count": autonomy.auto_approval_count,
        ":budget": goal.budget_micros.map(Count),
        ":created_at": goal.created_at,
        ":updated_at": goal.updated_at,
        ":removed_at": goal.removed_at,
        ":changed": changed,
    })?;
    Ok(())
}

/// Returns the board's goals that changed after `since`.
pub(super) fn since(db: &Connection, board: BoardId, since: i64) -> Result<Vec<Goal>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT id, board_id, title, description, autonomy_enabled, auto_approve_tickets, auto_approve_revisions,
             auto_merge, auto_approve_followups, max_auto_approvals, auto_approval_count, budget_micros, created_at,
             updated_at, removed_at
         FROM goals INDEXED BY goals_by_change WHERE changed > :since AND board_id = :board ORDER BY changed",
    )?;
    Ok(query.query_map(named_params! { ":board": board, ":since": since }, read)?.collect::<Result<_, _>>()?)
}
