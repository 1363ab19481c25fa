//! `draft ticket show` as people read it.

use std::path::Path;

use crate::domain::board::Board;
use crate::domain::detail::Detail;
use crate::domain::state::{StateName, legal_moves};
use crate::domain::ticket::{Priority, Ticket};
use crate::ui::widget::format::took;
use crate::ui::widget::text::visible;

/// Prints everything about a ticket.
pub(super) fn print(board: &Board, ticket: &Ticket, detail: &Detail, runs_dir: &Path) {
    say!("{} {}", ticket.number, visible(ticket.title.as_str()));
    let why = ticket.state.why().map(|why| format!(" ({why})")).unwrap_or_default();
    field("state", &format!("{}{why}", ticket.state.name()));
    field("reason", &ticket.reason);
    field(
        "priority",
        &ticket.priority.map(|one| format!("{} ({})", Priority::bucket(one), one.value())).unwrap_or_default(),
    );
    let blockers: Vec<String> = ticket
        .blocked_by
        .iter()
        .filter_map(|id| board.ticket(*id))
        .map(|blocker| format!("{} ({})", blocker.number, blocker.state.name()))
        .collect();
    field("waits for", &blockers.join(", "));
    field("agent", ticket.agent.as_deref().unwrap_or_default());
    field("model", ticket.model.as_deref().unwrap_or_default());
    if let Some(worktree) = &ticket.worktree {
        field("branch", &format!("{} from {}", worktree.branch, worktree.base_branch));
        field("worktree", &worktree.path.to_string_lossy());
    }
    if ticket.usage.tokens() > 0 {
        let cost = ticket.usage.cost_usd().map(|usd| format!(", ${usd:.2}")).unwrap_or_default();
        field("used", &format!("{} tokens{cost}", ticket.usage.tokens()));
    }
    let moves: Vec<&str> = legal_moves(ticket.state.name()).map(StateName::as_str).collect();
    field("can move to", &moves.join(", "));
    if !detail.description.trim().is_empty() {
        say!();
        detail.description.lines().for_each(|line| say!("  {}", visible(line)));
    }
    print_lists(detail, runs_dir);
}

fn field(name: &str, value: &str) {
    if !value.is_empty() {
        say!("  {name:<12} {}", visible(&value.replace('\n', " ")));
    }
}

fn print_lists(detail: &Detail, runs_dir: &Path) {
    if !detail.revisions.is_empty() {
        say!("\nrevisions");
    }
    for revision in &detail.revisions {
        let (size, head) = (revision.size, revision.head.get(..12).unwrap_or(&revision.head));
        say!(
            "  {} {} {head}  {} files +{} −{}",
            revision.number,
            revision.status,
            size.files,
            size.insertions,
            size.deletions
        );
    }
    if !detail.evidence.is_empty() {
        say!("\nevidence");
    }
    for evidence in &detail.evidence {
        let took = took(std::time::Duration::from_millis(evidence.duration_ms));
        say!("  {}  {} in {took}", visible(&evidence.command), evidence.end);
        say!("      {}", runs_dir.join(&evidence.folder).display());
    }
    say!("\nhistory");
    for event in &detail.events {
        let one = &event.event;
        let step = match (one.from, one.to) {
            (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
            _ => one.kind.to_string(),
        };
        let reason = if one.reason.is_empty() { String::new() } else { format!("  {}", visible(&one.reason)) };
        say!("  {}  {:<15}  {step}{reason}", one.at, one.actor);
    }
}
