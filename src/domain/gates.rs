//! Gates before an automatic approval and landing, in three profiles.

use super::autonomy::{Action, Checked, Dossier, Objection, Rail};
use super::money::{Money, dollars};
use super::policy::Actions;
use super::sensitive;
use super::state::words;
use super::touched::Touched;

words! {
    /// How strict the gates are.
    Profile, "profile" {
        /// At most 50 files and 1000 lines, no file with a sensitive name, and a pause at four fifths of a budget.
        Default = "default",
        /// At most 20 files and 500 lines, and a pause at half of a budget.
        Strict = "strict",
        /// Only checks and a spent budget hold something up; the rest is told.
        Yolo = "yolo",
    }
}

/// The limits of a profile, each with what follows beyond it.
struct Limits {
    files: usize,
    lines: u64,
    size: Action,
    names: Action,
    /// The share of a budget, in percent, and what follows from it on; all of it always blocks.
    budget: (u64, Action),
}

impl Limits {
    /// Returns the limits with what somebody wants to follow instead.
    fn with(self, actions: &Actions) -> Self {
        let (percent, budget) = self.budget;
        Self {
            size: actions.size.unwrap_or(self.size),
            names: actions.names.unwrap_or(self.names),
            budget: (percent, actions.budget.unwrap_or(budget)),
            ..self
        }
    }
}

impl Profile {
    fn limits(self) -> Limits {
        match self {
            Self::Default => Limits {
                files: 50,
                lines: 1000,
                size: Action::Pause,
                names: Action::Block,
                budget: (80, Action::Pause),
            },
            Self::Strict => {
                Limits { files: 20, lines: 500, size: Action::Block, names: Action::Block, budget: (50, Action::Pause) }
            }
            Self::Yolo => Limits {
                files: 50,
                lines: 1000,
                size: Action::Alert,
                names: Action::Alert,
                budget: (80, Action::Alert),
            },
        }
    }
}

/// Returns how many lines a change adds and removes.
pub fn size(files: &[Touched]) -> (u64, u64) {
    files.iter().map(Touched::lines).fold((0, 0), |(added, removed), (more, less)| (added + more, removed + less))
}

/// Returns how many of these checks passed, going by the newest run of each on exactly this tree, and why the others prove
/// nothing.
pub fn proven(commands: &[String], checked: &[Checked], tree: &str) -> (usize, Vec<String>) {
    if commands.is_empty() {
        return (0, vec!["no checks are configured, so nothing is proven".to_owned()]);
    }
    let mut passed = 0;
    let mut open = Vec::new();
    for command in commands {
        let on_it = |one: &&Checked| one.command == *command && one.tree.as_deref() == Some(tree);
        match checked.iter().rev().find(on_it).map(|one| one.passed) {
            Some(true) => passed += 1,
            Some(false) => open.push(format!("`{command}` failed on this change")),
            None => open.push(format!("`{command}` did not run on this change")),
        }
    }
    (passed, open)
}

/// Objects unless each check passed; returns how many did.
pub(super) fn tests(found: &Dossier, objections: &mut Vec<Objection>) -> usize {
    let (passed, open) = proven(&found.commands, &found.checked, &found.tree);
    if found.commands.is_empty() || found.policy.require_verification_pass {
        let action = found.policy.actions.tests.unwrap_or(Action::Block);
        objections.extend(open.into_iter().map(|why| Objection::new(Rail::TestsPassed, action, why)));
    }
    passed
}

/// Objects unless each gate of one's own passed; one that did not run, or could not, counts like one that failed.
pub(super) fn custom(found: &Dossier, objections: &mut Vec<Objection>) {
    if found.gates.is_empty() {
        return;
    }
    let (_, open) = proven(&found.gates, &found.checked, &found.tree);
    let action = found.policy.actions.custom.unwrap_or(Action::Block);
    objections.extend(open.into_iter().map(|why| Objection::new(Rail::Custom, action, format!("the gate {why}"))));
}

/// Objects to what is beyond the limits of the profile in force.
pub(super) fn judge(found: &Dossier, money: &Money, objections: &mut Vec<Objection>) {
    let limits = found.policy.profile.limits().with(&found.policy.actions);
    let files = found.files.len();
    if files > limits.files {
        let why = format!("{files} files, and at most {} go on without you", limits.files);
        objections.push(Objection::new(Rail::DiffSize, limits.size, why));
    }
    let (added, removed) = size(&found.files);
    if added + removed > limits.lines {
        let why = format!("{} lines, and at most {} go on without you", added + removed, limits.lines);
        objections.push(Objection::new(Rail::DiffSize, limits.size, why));
    }
    sensitive::judge(found, limits.names, objections);
    objections.extend(budget(money, limits.budget));
}

/// Objects where the budget is nearly or wholly spent, or where nobody knows what was.
fn budget(money: &Money, (percent, action): (u64, Action)) -> Option<Objection> {
    let budget = money.budget.filter(|budget| *budget > 0)?;
    let share = u128::from(money.spent) * 100 / u128::from(budget);
    let spent = format!("{} of the goal's budget of {} are spent", dollars(money.spent), dollars(budget));
    if money.exceeded().is_some() {
        return Some(Objection::new(Rail::CostBudget, Action::Block, spent));
    }
    if share >= u128::from(percent) {
        return Some(Objection::new(Rail::CostBudget, action, spent));
    }
    let unknown = "the goal has a budget, and its agents do not say what they cost";
    money.is_unknown.then(|| Objection::new(Rail::CostBudget, action, unknown))
}
