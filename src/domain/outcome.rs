//! From what an agent or a check did to what it means. An agent's word alone proves nothing.

use std::path::PathBuf;

use super::autonomy::Examined;
use super::outlook::ConflictFile;
use super::revision::Revision;
use super::run::RunEnd;
use super::ticket::Usage;

/// What an agent's output says about its work, as its reader gathered it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// The agent's name for its session.
    pub session: Option<String>,
    /// What it used so far.
    pub usage: Usage,
    /// The agent's own verdict in its final event; nothing when no such event came.
    pub ok: Option<bool>,
    /// Whether this agent always prints a final event when it ends by itself.
    pub promises_end: bool,
    /// The last thing that it said.
    pub said: Option<String>,
    /// Its newest error.
    pub error: Option<String>,
    /// Actions that it was not allowed to do.
    pub denied: Vec<String>,
    /// Files outside its worktree that it says it wrote.
    pub outside: Vec<String>,
    /// What it asks the person, when it ended with a question.
    pub question: Option<String>,
    /// It tries to reach its model again, and says so.
    pub retrying: Option<String>,
}

/// What came of an execute job.
#[derive(Clone, PartialEq, Debug)]
pub enum Executed {
    /// It left a change, kept as this revision.
    Changed {
        /// The revision.
        revision: Revision,
    },
    /// It ended well and changed nothing.
    Unchanged {
        /// What it said.
        said: Option<String>,
    },
    /// It changed nothing and asks the person something.
    Asked {
        /// The question.
        question: String,
    },
    /// It changed nothing because it was not allowed to do what it tried, or because it may not start.
    Refused {
        /// What was refused.
        reason: String,
    },
    /// Draft would not start it: its worktree is not safe to run in.
    Unsafe {
        /// What is wrong with it.
        reason: String,
    },
    /// A person is to do the work in an interactive program.
    HandedOver {
        /// What to do.
        reason: String,
        /// Where the task is written down.
        prompt_file: PathBuf,
    },
    /// What it was to take back and what came to the target since do not go apart.
    Conflict {
        /// The target.
        branch: String,
        /// The files, each with what kind of conflict it is.
        files: Vec<ConflictFile>,
    },
    /// It failed.
    Failed {
        /// How.
        reason: String,
    },
}

/// What came of a verify job.
#[derive(Clone, PartialEq, Debug)]
pub enum Verified {
    /// Every check passed; zero when none is configured.
    Passed {
        /// How many.
        checks: u32,
        /// What was found of the change, where it may be approved without a person.
        examined: Option<Box<Examined>>,
    },
    /// A check failed.
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        end: RunEnd,
        /// How often a change may go back to its agent, as it is set now.
        rework_attempts: u32,
    },
    /// What is in the worktree became something else meanwhile, so that nothing is proven of it. It is checked again.
    Overtaken {
        /// What changed.
        reason: String,
    },
    /// A check may not run: not trusted, not on the list of allowed commands, or it never ends on what it began on.
    Refused {
        /// Why.
        reason: String,
    },
}

/// What came of a resume job.
#[derive(Clone, PartialEq, Debug)]
pub enum Resumed {
    /// The worktree holds something else than the newest revision; it is kept as this one.
    Edited {
        /// The revision.
        revision: Revision,
    },
    /// The worktree holds exactly the newest revision.
    Same {
        /// Its number.
        revision: u32,
    },
    /// The worktree holds what the ticket started from.
    Unchanged,
    /// Draft would not look at it: its worktree is not safe.
    Unsafe {
        /// What is wrong with it.
        reason: String,
    },
}

/// What an agent's run came to, before its change is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Its change is worth a revision.
    Changed,
    /// Nothing changed.
    Unchanged,
    /// It asks.
    Asked(String),
    /// It was not allowed to work.
    Refused(String),
    /// It failed.
    Failed(String),
    /// Somebody stopped it.
    Stopped,
    /// No one saw how it ended.
    Lost,
}

/// Judges an agent's run by how it ended, what its output reports and whether the tree differs from its base.
///
/// Exit code 0 alone proves nothing: refused edits, model errors and cut streams end with 0 too. So success takes a
/// clean exit, no final event that says otherwise, the final event where the agent promises one, and a change.
pub fn judge(end: &RunEnd, report: &Report, changed: bool) -> Verdict {
    let code = match end {
        RunEnd::Stopped => return Verdict::Stopped,
        RunEnd::Lost => return Verdict::Lost,
        RunEnd::TimedOut
        | RunEnd::Silent
        | RunEnd::TooMuchOutput
        | RunEnd::NotStarted { .. }
        | RunEnd::Signaled { .. } => {
            let error = report.error.as_ref().filter(|_| report.ok == Some(false));
            return Verdict::Failed(match (&report.retrying, error) {
                // Whoever waits for a model that does not answer has another problem than one that works slowly.
                (Some(trying), _) => format!("the agent {end}; its model could not be reached: {}", first_line(trying)),
                // Some take long to end after they gave up.
                (None, Some(error)) => format!("the agent {end}; it said that it failed: {}", first_line(error)),
                (None, None) => format!("the agent {end}"),
            });
        }
        RunEnd::Exited { code } => *code,
    };
    if code != 0 || report.ok == Some(false) {
        let why = report.error.as_deref().or(report.said.as_deref());
        return Verdict::Failed(match (code, why) {
            (0, Some(why)) => format!("the agent says that it failed: {}", first_line(why)),
            (0, None) => "the agent says that it failed".to_owned(),
            (_, Some(why)) => format!("the agent {end}: {}", first_line(why)),
            (_, None) => format!("the agent {end}"),
        });
    }
    if report.promises_end && report.ok.is_none() {
        return Verdict::Failed("the agent's output stops before its final event, so it did not finish".to_owned());
    }
    match (changed, first_and_count(&report.denied), &report.question) {
        (true, _, _) => Verdict::Changed,
        (false, Some(denied), _) => Verdict::Refused(format!("the agent was not allowed to: {denied}")),
        (false, None, Some(question)) => Verdict::Asked(question.clone()),
        (false, None, None) => Verdict::Unchanged,
    }
}

/// Returns the first of several things, and how many more there are.
pub fn first_and_count(all: &[String]) -> Option<String> {
    let first = first_line(all.first()?);
    Some(if all.len() > 1 { format!("{first} (and {} more)", all.len() - 1) } else { first })
}

/// Returns the first line that has something on it, cut to 200 characters.
pub fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(200) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report { promises_end: true, ok: Some(true), ..Report::default() }
    }

    const CLEAN: RunEnd = RunEnd::Exited { code: 0 };

    #[test]
    fn a_clean_end_with_a_change_is_a_change() {
        assert_eq!(judge(&CLEAN, &report(), true), Verdict::Changed);
        let plain = Report::default();
        assert_eq!(judge(&CLEAN, &plain, true), Verdict::Changed, "a plain text agent has no final event");
    }

    #[test]
    fn exit_code_0_does_not_outweigh_what_the_agent_reports() {
        let failed = Report { ok: Some(false), error: Some("401 refused\nmore".into()), ..report() };
        assert_eq!(judge(&CLEAN, &failed, true), Verdict::Failed("the agent says that it failed: 401 refused".into()));
        let cut = Report { ok: None, ..report() };
        assert!(matches!(judge(&CLEAN, &cut, true), Verdict::Failed(_)));
    }

    #[test]
    fn without_a_change_the_reason_is_what_it_was_refused_or_asks() {
        assert_eq!(judge(&CLEAN, &report(), false), Verdict::Unchanged);
        let asked = Report { question: Some("Which one?".into()), ..report() };
        assert_eq!(judge(&CLEAN, &asked, false), Verdict::Asked("Which one?".into()));
        let denied = Report { denied: vec!["Write a.txt".into(), "Bash".into()], ..asked };
        assert_eq!(
            judge(&CLEAN, &denied, false),
            Verdict::Refused("the agent was not allowed to: Write a.txt (and 1 more)".into())
        );
        assert_eq!(judge(&CLEAN, &denied, true), Verdict::Changed);
    }

    #[test]
    fn an_agent_that_was_stopped_while_it_could_not_reach_its_model_is_said_to() {
        let retrying = Report { ok: None, retrying: Some("attempt 6 of 10, HTTP 429\nmore".into()), ..report() };
        let expected =
            "the agent ran out of time and was stopped; its model could not be reached: attempt 6 of 10, HTTP 429";
        assert_eq!(judge(&RunEnd::TimedOut, &retrying, true), Verdict::Failed(expected.into()));
        let working = Report { retrying: None, ..retrying };
        let expected = "the agent ran out of time and was stopped";
        assert_eq!(judge(&RunEnd::TimedOut, &working, true), Verdict::Failed(expected.into()));
    }

    #[test]
    fn an_agent_that_was_stopped_after_it_gave_up_is_blocked_with_its_error() {
        let gave_up = Report { ok: Some(false), error: Some("500 broken\nmore".into()), ..report() };
        let expected = "the agent ran out of time and was stopped; it said that it failed: 500 broken";
        assert_eq!(judge(&RunEnd::TimedOut, &gave_up, true), Verdict::Failed(expected.into()));
        let went_on = Report { ok: None, ..gave_up };
        let expected = "the agent ran out of time and was stopped";
        assert_eq!(judge(&RunEnd::TimedOut, &went_on, true), Verdict::Failed(expected.into()), "an error is no end");
    }

    #[test]
    fn every_other_end_is_no_success_whatever_was_reported() {
        for end in [
            RunEnd::Exited { code: 3 },
            RunEnd::Signaled { signal: 9 },
            RunEnd::TimedOut,
            RunEnd::Silent,
            RunEnd::TooMuchOutput,
            RunEnd::NotStarted { error: "not found".into() },
        ] {
            assert!(matches!(judge(&end, &report(), true), Verdict::Failed(_)), "{end:?}");
        }
        assert_eq!(judge(&RunEnd::Stopped, &report(), true), Verdict::Stopped);
        assert_eq!(judge(&RunEnd::Lost, &report(), true), Verdict::Lost);
    }

    proptest::proptest! {
        #[test]
        fn a_change_takes_a_clean_end_a_good_word_and_a_tree_that_differs(
            code in -2_i32..3,
            how in 0_usize..8,
            ok in proptest::option::of(proptest::bool::ANY),
            promises_end in proptest::bool::ANY,
            denied in proptest::collection::vec("[a-z]{0,3}", 0..3),
            question in proptest::option::of("[a-z?\n]{0,9}"),
            changed in proptest::bool::ANY,
        ) {
            let end = match how {
                0 => RunEnd::Signaled { signal: 15 },
                1 => RunEnd::TimedOut,
                2 => RunEnd::Stopped,
                3 => RunEnd::Lost,
                _ => RunEnd::Exited { code },
            };
            let report = Report { ok, promises_end, denied, question, ..Report::default() };
            let clean = end == CLEAN && ok != Some(false) && (ok.is_some() || !promises_end);
            assert_eq!(judge(&end, &report, changed) == Verdict::Changed, clean && changed);
            let harmless = matches!(judge(&end, &report, changed), Verdict::Unchanged | Verdict::Asked(_));
            assert!(!harmless || (clean && !changed));
        }
    }
}
