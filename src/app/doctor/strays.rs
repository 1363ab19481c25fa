//! Engines, and what nothing accounts for: told a check each, and mended where that is safe and wanted.

use crate::engine::ledger::{self, Counts, EngineState, Grounds, Mended, Mender, Stray, Subject, Survey};
use crate::executor::table::Table;
use crate::git::Git;
use crate::ui::widget::format::counted;

use super::{Check, Health, Mending, Patient};

pub(super) fn look(patient: &Patient, git: Option<&Git>) -> Vec<Check> {
    // Without git there is no telling what a worktree is, and without a data directory there is nothing.
    let Some(git) = git.filter(|_| patient.paths.data_dir.is_dir()) else { return Vec::new() };
    let litter = Table::builtin().iter().flat_map(|executor| executor.litter.iter().cloned()).collect();
    let grounds = Grounds { paths: patient.paths.clone(), git: git.clone(), litter };
    match ledger::survey(&grounds) {
        Ok(survey) => {
            let mut checks = engines(&survey);
            let mut mender = (patient.mending == Mending::WhatIsSafe).then(|| Mender::new(&grounds));
            for subject in Subject::ALL {
                checks.extend(about(&survey, *subject, mender.as_mut()));
            }
            if checks.iter().any(|check| check.mended == Some(true)) {
                checks.extend(uncovered(&grounds, &survey));
            }
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
            EngineState::None => format!("none runs for board {}", state.called),
            EngineState::Runs(None) => format!("one runs for board {}", state.called),
            EngineState::Runs(Some(row)) => {
                format!("process {} is that of board {} since {}", row.pid, state.called, row.since)
            }
        };
        Check::ok("engine", message)
    };
    survey.boards.iter().map(one).collect()
}

/// All strays of one kind, or that there are none.
fn about(survey: &Survey, subject: Subject, mut mender: Option<&mut Mender<'_>>) -> Vec<Check> {
    let strays: Vec<&Stray> = survey.strays.iter().filter(|stray| stray.subject == subject).collect();
    if strays.is_empty() {
        return well(subject, survey.counts).map(|message| Check::ok(subject.as_str(), message)).into_iter().collect();
    }
    strays.into_iter().map(|stray| one(stray, mender.as_deref_mut())).collect()
}

/// Mends what only came to light when other things were mended: a folder that is empty now, for one.
fn uncovered(grounds: &Grounds, before: &Survey) -> Vec<Check> {
    let after = ledger::survey(grounds).map(|survey| survey.strays).unwrap_or_default();
    let is_new = |stray: &&Stray| !before.strays.iter().any(|known| known.is_same(stray));
    let mut mender = Mender::new(grounds);
    after.iter().filter(is_new).map(|stray| one(stray, Some(&mut mender))).collect()
}

fn one(stray: &Stray, mender: Option<&mut Mender<'_>>) -> Check {
    let name = stray.subject.as_str();
    let check = Check::warning(name, &stray.message, &stray.advice);
    let Some(mender) = mender.filter(|_| stray.remedy.is_some()) else { return check };
    match mender.mend(stray, chrono::Utc::now().into()) {
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
