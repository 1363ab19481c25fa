//! Engines, and what nothing accounts for: told a check each, and mended where that is safe and wanted.

use crate::engine::ledger::{self, Counts, EngineState, Grounds, Mended, Stray, Subject, Survey};
use crate::git::Git;
use crate::ui::widget::format::counted;

use super::{Check, Health, Mending, Patient};

pub(super) fn look(patient: &Patient, git: Option<&Git>) -> Vec<Check> {
    // Without git there is no telling what a worktree is, and without a data directory there is nothing.
    let Some(git) = git.filter(|_| patient.paths.data_dir.is_dir()) else { return Vec::new() };
    let litter = patient.table.iter().flat_map(|executor| executor.litter.iter().cloned()).collect();
    let grounds = Grounds { paths: patient.paths.clone(), git: git.clone(), litter };
    match ledger::survey(&grounds) {
        Ok(survey) => {
            let mut checks = engines(&survey);
            checks.extend(Subject::ALL.iter().flat_map(|subject| about(&grounds, &survey, *subject, patient.mending)));
            checks
        }
        Err(error) => {
            let message = format!("what is left over could not be looked for: {error}");
            vec![Check::error("leftovers", message, "mend the database first")]
        }
    }
}

fn engines(survey: &Survey) -> Vec<Check> {
    let one = |state: &ledger::BoardState| {
        let message = match state.engine {
            EngineState::None => format!("none runs for board {}", state.about.name),
            EngineState::Runs(None) => format!("one runs for board {}", state.about.name),
            EngineState::Runs(Some(row)) => {
                format!("process {} is that of board {} since {}", row.pid, state.about.name, row.since)
            }
        };
        Check::ok("engine", message)
    };
    survey.boards.iter().map(one).collect()
}

/// All strays of one kind, or that there are none.
fn about(grounds: &Grounds, survey: &Survey, subject: Subject, mending: Mending) -> Vec<Check> {
    let strays: Vec<&Stray> = survey.strays.iter().filter(|stray| stray.subject == subject).collect();
    if strays.is_empty() {
        return well(subject, survey.counts).map(|message| Check::ok(subject.as_str(), message)).into_iter().collect();
    }
    strays.into_iter().map(|stray| one(grounds, stray, mending)).collect()
}

fn one(grounds: &Grounds, stray: &Stray, mending: Mending) -> Check {
    let name = stray.subject.as_str();
    let check = Check::warning(name, &stray.message, &stray.advice);
    if mending == Mending::No || !stray.remedy.is_some() {
        return check;
    }
    match ledger::mend(grounds, stray, chrono::Utc::now().into()) {
        Mended::Done(what) => {
            Check { mended: Some(true), ..Check::new(name, Health::Ok, format!("{}: {what}", stray.message), "") }
        }
        Mended::Left(why) => {
            Check { mended: Some(false), message: format!("{}; left as it is: {why}", stray.message), ..check }
        }
    }
}

/// What is said where everything is accounted for; nothing where that needs no words.
fn well(subject: Subject, counts: Counts) -> Option<String> {
    let count = |number: usize, one: &str, many: &str| counted(number as u64, one, many);
    Some(match subject {
        Subject::Processes => {
            format!("{} of runs that go on, no stray", count(counts.processes, "process", "processes"))
        }
        Subject::Supervisors => format!("{}, no stray", count(counts.supervisors, "supervisor", "supervisors")),
        Subject::Runs => format!("{}, each with its folder", count(counts.runs, "run", "runs")),
        Subject::Worktrees => format!("{}, no stray", count(counts.worktrees, "worktree", "worktrees")),
        Subject::Branches => format!("{} of tickets, no stray", count(counts.branches, "branch", "branches")),
        Subject::Refs => {
            let kept = count(counts.refs, "ref keeps", "refs keep");
            format!("{kept} work of tickets, and {} in the trash", counts.trash)
        }
        Subject::Leftovers => "no lock, note or copy was left behind".to_owned(),
        Subject::Commands | Subject::Boards => return None,
    })
}
