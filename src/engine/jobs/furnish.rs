//! What a worktree needs before anything runs in it: its branch's name, its submodules, and files that git does not have.

use crate::config::Config;
use crate::domain::branch_template::{BranchFor, BranchTemplate};
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::copies::{self, Skipped};
use crate::git::submodules;

use super::super::error::EngineError;
use super::super::workshop::Workshop;

/// How many files that were not copied are named in the log.
const NAMED: usize = 5;

/// Returns the name of a ticket's branch, as the settings have it.
pub(super) fn branch_of(ticket: &Ticket, config: &Config) -> Result<String, EngineError> {
    let template: BranchTemplate = config.workspace_config.branch_template.parse()?;
    let title = ticket.title.as_str();
    let name = template.fill(BranchFor { number: ticket.number, title, ticket: ticket.id, goal: ticket.goal });
    // A branch that is never deleted is no ticket's own.
    Ok(if config.merge_config.is_protected(&name) { format!("draft/{name}") } else { name })
}

/// Brings submodules and files into a worktree. What is there stays as it is, so that it can be done before each run: a crash
/// in between, or what the user's checkout has since then, is made up for.
pub(super) fn furnish(shop: &Workshop, worktree: &Worktree, config: &Config) -> Result<(), EngineError> {
    let wanted = &config.workspace_config;
    if wanted.submodules {
        submodules::fill(&shop.repo, &worktree.path)?;
    }
    let copied = copies::copy_in(&shop.repo, &worktree.path, &wanted.copy)?;
    if copied.files > 0 {
        tracing::info!(path = %worktree.path.display(), files = copied.files, bytes = copied.bytes, "copied files");
    }
    for Skipped { path, why } in copied.skipped.iter().take(NAMED) {
        tracing::warn!(path = %path.display(), %why, "a file was not copied into the worktree");
    }
    if let Some(more) = copied.skipped.len().checked_sub(NAMED).filter(|more| *more > 0) {
        tracing::warn!(more, "further files were not copied into the worktree");
    }
    Ok(())
}
