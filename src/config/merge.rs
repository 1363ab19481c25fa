//! How changes land on their targets.

use crate::domain::landing::Strategy;
use crate::domain::rule_recheck::Recheck;

/// What a landed commit says where nobody wants it otherwise.
const MESSAGE: &str = "{title}\n\n{description}\n\nDraft-Ticket: #{number} ({id})";

/// The branches that nobody wants deleted.
const PROTECTED: [&str; 5] = ["main", "master", "develop", "production", "staging"];

/// How changes land.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MergeConfig {
    /// How, when nobody says and changes are not made one commit each: `merge`, `rebase` or `squash`.
    pub default_strategy: String,
    /// Whether the target is brought up to date with the remote branch that it follows first.
    pub pull_before_merge: bool,
    /// Whether a change stays where it is when that fails.
    pub require_pull_success: bool,
    /// Whether the branch goes afterwards.
    pub delete_branch_after_merge: bool,
    /// Whether the target is pushed to the remote branch that it follows afterwards.
    pub push_after_merge: bool,
    /// Whether the change becomes one commit, unless another way is asked for.
    pub squash_merge: bool,
    /// Whether the checks run on the result where the target went on meanwhile.
    pub check_divergence: bool,
    /// Whether nothing lands before its checklist is done.
    pub require_checklist: bool,
    /// Whether the board looks ahead which changes in flight will get in each other's way.
    pub radar: bool,
    /// Which changes that wait are checked again when their target moves: `off`, `approved` or `all`.
    pub recheck: String,
    /// Branches that are never deleted, in whatever letters.
    pub protected_branches: Vec<String>,
    /// Whether changes may land on these.
    pub land_on_protected: bool,
    /// What the commit says, with `{title}`, `{number}`, `{id}`, `{description}`, `{revision}` and `{agent}`.
    pub message: String,
}

impl Default for MergeConfig {
    fn default() -> Self {
        Self {
            default_strategy: "merge".to_owned(),
            pull_before_merge: true,
            require_pull_success: true,
            delete_branch_after_merge: true,
            push_after_merge: false,
            squash_merge: true,
            check_divergence: true,
            require_checklist: false,
            radar: true,
            recheck: Recheck::Approved.as_str().to_owned(),
            protected_branches: PROTECTED.map(str::to_owned).to_vec(),
            land_on_protected: true,
            message: MESSAGE.to_owned(),
        }
    }
}

impl MergeConfig {
    /// Says whether a branch is never deleted.
    pub fn is_protected(&self, branch: &str) -> bool {
        self.protected_branches.iter().any(|name| name.eq_ignore_ascii_case(branch))
    }

    /// Returns which changes that wait are checked again when their target moves.
    pub fn rechecked(&self) -> Recheck {
        match self.check_divergence {
            true => self.recheck.parse().unwrap_or(Recheck::Approved),
            false => Recheck::Off,
        }
    }

    /// Returns the strategy: the one that was asked for by name, else one commit where that is wanted, else the default.
    pub fn strategy(&self, asked: Option<Strategy>) -> Strategy {
        let configured = || self.default_strategy.parse().unwrap_or(Strategy::Merge);
        asked.unwrap_or_else(|| if self.squash_merge { Strategy::Squash } else { configured() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_checked_again_where_landings_do_not_do_so_either() {
        let config = MergeConfig::default();
        assert_eq!(config.rechecked(), Recheck::Approved);
        assert_eq!(MergeConfig { recheck: "all".into(), ..config.clone() }.rechecked(), Recheck::All);
        assert_eq!(MergeConfig { check_divergence: false, ..config }.rechecked(), Recheck::Off);
    }

    #[test]
    fn a_branch_is_protected_by_its_name_in_whatever_letters() {
        let config = MergeConfig::default();
        assert!(["main", "Master", "STAGING"].iter().all(|name| config.is_protected(name)));
        assert!(["mainline", "draft/main", ""].iter().all(|name| !config.is_protected(name)));
    }

    #[test]
    fn one_commit_is_made_unless_another_way_is_asked_for_by_name() {
        let config = MergeConfig { default_strategy: "rebase".into(), ..MergeConfig::default() };
        assert_eq!(config.strategy(None), Strategy::Squash);
        assert_eq!(config.strategy(Some(Strategy::Merge)), Strategy::Merge);
        assert_eq!(MergeConfig { squash_merge: false, ..config }.strategy(None), Strategy::Rebase);
    }
}
