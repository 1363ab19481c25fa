//! The rails that the settings set for what happens without a person.

use super::autonomy::Action;
use super::gates::Profile;
use super::sensitive;

/// What follows at each gate; nothing leaves it to the profile. What could loosen the gates themselves, and a budget that is wholly
/// spent, block whatever stands here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Actions {
    /// Where checks failed or did not run.
    pub tests: Option<Action>,
    /// Where a change is large.
    pub size: Option<Action>,
    /// Where the name of a file is sensitive.
    pub names: Option<Action>,
    /// Where a budget is nearly spent, or nobody knows what was.
    pub budget: Option<Action>,
    /// Where a gate of one's own failed or did not run.
    pub custom: Option<Action>,
}

/// The settings that are in force for what happens without a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Most added and removed lines of a change.
    pub max_diff_lines: u32,
    /// Files that a person must look at, as patterns; none means those that Draft brings.
    pub sensitive_file_patterns: Vec<String>,
    /// Whether the checks must have passed on exactly what is approved.
    pub require_verification_pass: bool,
    /// Which gates stand before an automatic approval and landing.
    pub profile: Profile,
    /// What follows at them, where that is not what the profile says.
    pub actions: Actions,
    /// Whether changes of tickets without a goal are approved.
    pub without_goal: bool,
    /// Whether those land at once.
    pub merge_without_goal: bool,
    /// Most changes of the whole board that are approved within a day.
    pub max_a_day: u32,
    /// Whether nothing lands before its checklist is done.
    pub require_checklist: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_diff_lines: 500,
            sensitive_file_patterns: sensitive::PATTERNS.iter().map(|pattern| (*pattern).to_owned()).collect(),
            require_verification_pass: true,
            profile: Profile::Default,
            actions: Actions::default(),
            without_goal: false,
            merge_without_goal: false,
            max_a_day: 50,
            require_checklist: false,
        }
    }
}
