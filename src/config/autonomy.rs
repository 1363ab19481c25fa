//! What may happen without a person: the rails that hold on every board, and what holds for tickets without a goal.

use super::merge::MergeConfig;
use super::settings::CommandSpec;
use crate::domain::autonomy::Action;
use crate::domain::gates::Profile;
use crate::domain::policy::{Actions, Policy};

/// What may be approved and land without a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AutonomyConfig {
    /// Most lines of a change that is approved without a person.
    pub max_diff_lines: u32,
    /// Files that a person must look at; none means those that Draft brings.
    pub sensitive_file_patterns: Vec<String>,
    /// Whether the checks of such a change must have passed.
    pub require_verification_pass: bool,
    /// How strict the gates are; one of `default`, `strict` and `yolo`.
    pub profile: String,
    /// What follows at each gate.
    pub gates: GatesConfig,
    /// Commands that must pass, beside the checks, before something is approved or lands without a person.
    pub custom_gates: Vec<CommandSpec>,
    /// Whether changes of tickets without a goal are approved.
    pub enabled: bool,
    /// Whether those land at once.
    pub auto_merge: bool,
    /// Most changes of a board that are approved without a person within a day.
    pub max_auto_approvals: u32,
}

/// What follows at each gate: `block`, `pause` or `alert`, or `profile` where the profile says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GatesConfig {
    /// Where checks failed or did not run.
    pub tests_passed: String,
    /// Where a change is large.
    pub diff_size_threshold: String,
    /// Where the name of a file is sensitive.
    pub no_sensitive_files: String,
    /// Where a budget is nearly spent.
    pub cost_budget: String,
    /// Where a gate of one's own did not pass.
    pub custom: String,
}

/// What can follow at a gate; the first leaves it to the profile.
pub(super) const AT_A_GATE: &[&str] = &["profile", "block", "pause", "alert"];

impl Default for GatesConfig {
    fn default() -> Self {
        let profile = || "profile".to_owned();
        Self {
            tests_passed: profile(),
            diff_size_threshold: profile(),
            no_sensitive_files: profile(),
            cost_budget: profile(),
            custom: profile(),
        }
    }
}

impl GatesConfig {
    fn actions(&self) -> Actions {
        let action = |word: &str| word.parse::<Action>().ok();
        Actions {
            tests: action(&self.tests_passed),
            size: action(&self.diff_size_threshold),
            names: action(&self.no_sensitive_files),
            budget: action(&self.cost_budget),
            custom: action(&self.custom),
        }
    }
}

/// The names of the profiles.
pub(super) const PROFILES: &[&str] = &["default", "strict", "yolo"];

impl Default for AutonomyConfig {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            max_diff_lines: policy.max_diff_lines,
            sensitive_file_patterns: policy.sensitive_file_patterns,
            require_verification_pass: policy.require_verification_pass,
            profile: policy.profile.as_str().to_owned(),
            gates: GatesConfig::default(),
            custom_gates: Vec::new(),
            enabled: policy.without_goal,
            auto_merge: policy.merge_without_goal,
            max_auto_approvals: policy.max_a_day,
        }
    }
}

impl AutonomyConfig {
    /// Returns these settings, with those about landings, as rules need them. A profile that nobody knows is the strict one.
    pub fn policy(&self, merge: &MergeConfig) -> Policy {
        Policy {
            max_diff_lines: self.max_diff_lines,
            sensitive_file_patterns: self.sensitive_file_patterns.clone(),
            require_verification_pass: self.require_verification_pass,
            profile: self.profile.parse().unwrap_or(Profile::Strict),
            actions: self.gates.actions(),
            without_goal: self.enabled,
            merge_without_goal: self.auto_merge,
            max_a_day: self.max_auto_approvals,
            require_checklist: merge.require_checklist,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FILE_NAME;
    use crate::domain::sensitive::OWN;

    #[test]
    fn nothing_happens_without_a_person_until_somebody_wants_it() {
        let policy = AutonomyConfig::default().policy(&MergeConfig::default());
        assert_eq!(policy, Policy::default());
        assert!(!policy.without_goal && !policy.merge_without_goal);
    }

    #[test]
    fn every_profile_has_its_name_and_the_file_with_the_rails_is_guarded() {
        let names: Vec<&str> = Profile::ALL.iter().map(|profile| profile.as_str()).collect();
        assert_eq!(PROFILES, names);
        assert!(OWN.contains(&FILE_NAME));
    }
}
