//! What is proven of a tree: whether the checks of a ticket passed on it. Results are facts about a tree and a command, whichever ticket
//! they were made for.

use serde::Serialize;

use super::evidence::{Evidence, EvidenceKind};
use super::run::RunEnd;

/// What the checks say about what would be on a target after a landing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(tag = "checks", rename_all = "snake_case")]
pub enum Proof {
    /// There are none that would run.
    None,
    /// They passed on this very tree.
    Passed,
    /// Not all of them ran on it.
    #[default]
    Unknown,
    /// One did not pass on it.
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        end: RunEnd,
    },
}

impl Proof {
    /// Returns what is proven of a tree, given what ran on it, oldest first. What ran last counts.
    pub fn of<'a>(commands: impl IntoIterator<Item = &'a str>, results: &[Evidence]) -> Self {
        let mut proof = Self::None;
        for command in commands {
            let last = results.iter().rev().find(|one| one.kind == EvidenceKind::Check && one.command == command);
            match last.map(|one| &one.end) {
                Some(end) if end.is_success() && proof == Self::None => proof = Self::Passed,
                Some(end) if end.is_success() => {}
                Some(end) if says_something(end) => {
                    return Self::Failed { command: command.to_owned(), end: end.clone() };
                }
                Some(_) | None => proof = Self::Unknown,
            }
        }
        proof
    }
}

/// Says whether an end is about the work, and not about who stopped it or what was missing.
fn says_something(end: &RunEnd) -> bool {
    match end {
        RunEnd::Exited { .. } | RunEnd::Signaled { .. } | RunEnd::TimedOut | RunEnd::Silent | RunEnd::TooMuchOutput => {
            true
        }
        RunEnd::Stopped | RunEnd::NotStarted { .. } | RunEnd::Lost => false,
    }
}

/// Returns how long a ticket's checks took when each ran last, in milliseconds; nothing where one never ran.
pub fn cost<'a>(commands: impl IntoIterator<Item = &'a str>, evidence: &[Evidence]) -> Option<u64> {
    let last =
        |command: &str| evidence.iter().rev().find(|one| one.kind == EvidenceKind::Check && one.command == command);
    commands.into_iter().map(|command| Some(last(command)?.duration_ms)).sum()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::{EvidenceId, JobId};
    use crate::domain::run::RunId;
    use crate::domain::sample;
    use crate::domain::time::Timestamp;

    fn result(command: &str, end: RunEnd, duration_ms: u64) -> Evidence {
        let run = RunId { job: JobId(Uuid::from_u128(1)), n: 1 };
        Evidence {
            id: EvidenceId(Uuid::from_u128(1)),
            ticket: sample::id(1),
            run,
            folder: String::new(),
            kind: EvidenceKind::Check,
            command: command.to_owned(),
            end,
            duration_ms,
            tree: None,
            surroundings: None,
            at: Timestamp(1),
        }
    }

    #[test]
    fn a_tree_is_proven_by_the_last_result_of_every_check() {
        let (good, bad) = (RunEnd::Exited { code: 0 }, RunEnd::Exited { code: 1 });
        let failed = Proof::Failed { command: "b".into(), end: bad.clone() };
        for (results, expected) in [
            (vec![], Proof::Unknown),
            (vec![("a", &good)], Proof::Unknown),
            (vec![("a", &good), ("b", &good)], Proof::Passed),
            (vec![("b", &bad)], failed.clone()),
            (vec![("a", &good), ("b", &good), ("b", &bad)], failed),
            (vec![("a", &good), ("b", &bad), ("b", &good)], Proof::Passed),
            (vec![("a", &good), ("b", &RunEnd::Stopped)], Proof::Unknown),
        ] {
            let results: Vec<Evidence> = results.into_iter().map(|(name, end)| result(name, end.clone(), 1)).collect();
            assert_eq!(Proof::of(["a", "b"], &results), expected, "{results:?}");
        }
        assert_eq!(Proof::of([], &[]), Proof::None, "nothing is to be proven");
    }

    #[test]
    fn checks_cost_what_they_took_last() {
        let good = RunEnd::Exited { code: 0 };
        let evidence = [result("a", good.clone(), 5), result("b", good.clone(), 70), result("a", good, 3)];
        assert_eq!(cost(["a", "b"], &evidence), Some(73));
        assert_eq!(cost(["a", "c"], &evidence), None);
        assert_eq!(cost([], &evidence), Some(0));
    }
}
