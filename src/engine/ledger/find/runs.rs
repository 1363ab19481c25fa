//! Run folders without a row, rows without a folder, and runs that nobody sees to their end.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::domain::id::{JobId, TicketId};
use crate::domain::job::JobStatus;
use crate::domain::run::{Run, RunId};
use crate::run::shelf::{About, Shelved, Stage, What};

use super::super::stray::{Remedy, Subject};
use super::super::{Survey, find::grouped};
use super::{Seen, changed, is_old};

pub(super) fn find(seen: &Seen<'_>, survey: &mut Survey) {
    let rows: HashMap<RunId, &Run> = seen.inventory.runs.iter().map(|run| (run.id, run)).collect();
    let folders: HashSet<PathBuf> = rows.values().map(|run| seen.grounds.paths.runs().join(run.folder())).collect();
    for shelved in &seen.shelved {
        let which = shelved.path.display().to_string();
        match &shelved.what {
            What::HalfMade if is_old(changed(&shelved.path)) => {
                let message = format!("{which} was half made when its maker was killed; nothing was started in it");
                let advice = "`draft doctor --fix` removes it".to_owned();
                survey.found(Subject::Runs, which, (message, advice), Remedy::RemoveRun(shelved.path.clone()));
            }
            What::HalfMade => {}
            What::Unreadable(why) => {
                let whose = if folders.contains(&shelved.path) { "" } else { ", and no run in the database is its" };
                let message = format!("{which} cannot be read as a run: {why}{whose}");
                let advice = "look at what it holds; Draft leaves it alone".to_owned();
                survey.found(Subject::Runs, which, (message, advice), Remedy::Nothing);
            }
            // A copy of a folder has the same specification in another place, and is nobody's.
            What::Run(about) => match rows.get(&about.id).filter(|_| folders.contains(&shelved.path)) {
                Some(row) => recorded(seen, survey, shelved, about, row),
                None => unrecorded(seen, survey, shelved, about),
            },
        }
    }
    without_folder(seen, survey);
    without_engine(seen, survey);
}

fn recorded(seen: &Seen<'_>, survey: &mut Survey, shelved: &Shelved, about: &About, row: &Run) {
    survey.counts.runs += 1;
    let served = seen.inventory.jobs.get(&row.id.job).is_some_and(|job| seen.is_served(job.ticket));
    if row.end.is_some() || served || about.stage == Stage::Running {
        return;
    }
    let name = format!("run {} of {}", row.id.n, seen.label_of_job(row.id.job));
    let how = match about.stage {
        Stage::Over => "is over",
        Stage::Dead | Stage::Running => "has lost its supervisor",
        Stage::NeverStarted => "was never started",
    };
    let path = shelved.path.clone();
    let (message, advice, remedy) = if seen.is_active(row.id.job) {
        let advice = "the next engine settles it: open the board with `draft`, or use `draft run`";
        (format!("{name} {how}, and no engine has taken note of it"), advice, Remedy::Nothing)
    } else if about.stage == Stage::Over {
        return;
    } else {
        let advice = "`draft doctor --fix` stops what is left of it and writes down that it is lost";
        (format!("{name} {how}, and its job is over"), advice, Remedy::Settle(path.clone()))
    };
    survey.found(Subject::Runs, path.display().to_string(), (message, advice.to_owned()), remedy);
}

fn unrecorded(seen: &Seen<'_>, survey: &mut Survey, shelved: &Shelved, about: &About) {
    // The folder comes before the row, and an engine that finds it without one makes it anew.
    if seen.is_active(about.id.job) {
        return;
    }
    let which = shelved.path.display().to_string();
    let message = |what: &str| format!("{which} {what}, and no run in the database is its");
    let is_empty = about.output == 0 && seen.census.of_run(about.mark, None).is_empty();
    let (message, advice, remedy) = match about.stage {
        Stage::Running => (message("goes on"), "wait for its end, or stop it there".to_owned(), Remedy::Nothing),
        Stage::NeverStarted | Stage::Over if is_empty => {
            let advice = "`draft doctor --fix` removes it: it printed nothing".to_owned();
            (message("is not running"), advice, Remedy::RemoveRun(shelved.path.clone()))
        }
        Stage::NeverStarted | Stage::Over | Stage::Dead => {
            let what = format!("holds {} bytes of output", about.output);
            (message(&what), format!("Draft keeps it; `rm -r {which}` if nobody needs it"), Remedy::Nothing)
        }
    };
    survey.found(Subject::Runs, which, (message, advice), remedy);
}

fn without_folder(seen: &Seen<'_>, survey: &mut Survey) {
    let root = seen.grounds.paths.runs();
    let is_gone = |run: &&Run| !root.join(run.folder()).exists();
    let gone = seen.inventory.runs.iter().filter(is_gone);
    for (job, runs) in grouped(gone.map(|run| (run.id.job, run))) {
        let whose = seen.label_of_job(job);
        let folder = root.join(job.to_string());
        let (message, advice) = if runs.iter().any(|run| run.end.is_none()) && seen.is_active(job) {
            let advice = "the next engine finds it lost: open the board with `draft`, or use `draft run`";
            (format!("a run of {whose} has no end, and its folder is gone: {}", shown(&folder)), advice)
        } else {
            let noun = if runs.len() == 1 { "a run" } else { "runs" };
            let advice = "nothing can bring it back but a copy of the folder; what came of the job is stored";
            (format!("the output of {noun} of {whose} is gone: {}", shown(&folder)), advice)
        };
        survey.found(Subject::Runs, job.to_string(), (message, advice.to_owned()), Remedy::Nothing);
    }
}

/// Jobs that were taken and whose engine died before they had a run, or between two.
fn without_engine(seen: &Seen<'_>, survey: &mut Survey) {
    let mut idle: Vec<(JobId, TicketId)> = seen
        .inventory
        .jobs
        .iter()
        .filter(|(job, row)| {
            let goes_on = || seen.inventory.runs.iter().any(|run| run.id.job == **job && run.end.is_none());
            row.status == JobStatus::Running && !seen.is_served(row.ticket) && !goes_on()
        })
        .map(|(job, row)| (*job, row.ticket))
        .collect();
    idle.sort_unstable();
    for (job, ticket) in idle {
        let message = format!("a job of {} is under way, and no engine works on it", seen.label(ticket));
        let advice = "the next engine goes on with it: open the board with `draft`, or use `draft run`".to_owned();
        survey.found(Subject::Runs, job.to_string(), (message, advice), Remedy::Nothing);
    }
}

fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}
