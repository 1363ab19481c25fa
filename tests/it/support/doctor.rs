//! What `draft doctor` says about a world.

use serde_json::Value;

use super::world::World;

/// The checks that tell what nothing accounts for.
const STRAYS: [&str; 9] =
    ["processes", "supervisors", "runs", "worktrees", "branches", "refs", "leftovers", "commands", "boards"];

/// A check of the doctor's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) fix: String,
    pub(crate) mended: Option<bool>,
}

impl World {
    /// Asks the doctor and returns all checks, with the exit code.
    #[track_caller]
    pub(crate) fn doctor(&self, args: &[&str]) -> (Vec<Check>, Option<i32>) {
        let outcome = self.draft(&[&["doctor", "--json"], args].concat());
        let text = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
        let said = outcome.json();
        let checks = said["checks"].as_array().unwrap().iter().map(|check| Check {
            name: text(check, "name"),
            status: text(check, "status"),
            message: text(check, "message"),
            fix: text(check, "fix"),
            mended: check["mended"].as_bool(),
        });
        (checks.collect(), outcome.status.code())
    }

    /// Returns what nothing accounts for.
    #[track_caller]
    pub(crate) fn strays(&self) -> Vec<Check> {
        let (checks, _) = self.doctor(&[]);
        let is_stray = |check: &Check| STRAYS.contains(&check.name.as_str()) && check.status != "ok";
        checks.into_iter().filter(is_stray).collect()
    }

    /// Demands that everything is accounted for: no process, lock, folder, branch, ref or row too many or too few.
    #[track_caller]
    pub(crate) fn assert_accounted_for(&self) {
        let strays = self.strays();
        assert!(strays.is_empty(), "{strays:#?}");
    }

    /// Has the doctor mend what is safe, and returns the strays that it tried to mend or found.
    #[track_caller]
    pub(crate) fn mend(&self) -> Vec<Check> {
        let (checks, _) = self.doctor(&["--fix"]);
        let concerns =
            |check: &Check| STRAYS.contains(&check.name.as_str()) && (check.status != "ok" || check.mended.is_some());
        checks.into_iter().filter(concerns).collect()
    }
}
