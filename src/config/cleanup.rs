//! What is removed when nobody needs it any more, and when.

use crate::domain::cleanup::{DAY, Limits};

/// What is removed when it is old.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CleanupConfig {
    /// Whether a worktree goes when its change has landed.
    pub auto_cleanup_on_merge: bool,
    /// Age at which a worktree that nobody uses goes, in days.
    pub worktree_ttl_days: u32,
    /// Age at which evidence goes, in days.
    pub evidence_ttl_days: u32,
    /// Most worktrees at once.
    pub max_worktrees: u32,
}

impl Default for CleanupConfig {
    fn default() -> Self {
        Self { auto_cleanup_on_merge: true, worktree_ttl_days: 14, evidence_ttl_days: 30, max_worktrees: 50 }
    }
}

impl CleanupConfig {
    /// Returns how long things stay, and how many.
    pub fn limits(&self) -> Limits {
        Limits {
            worktree: DAY * self.worktree_ttl_days,
            worktrees: usize::try_from(self.max_worktrees).unwrap_or(usize::MAX),
            output: DAY * self.evidence_ttl_days,
        }
    }
}
