//! Work trees in which something was made ready for a branch, by jobs that are over. Nothing in them is anybody's work.

use crate::domain::id::JobId;
use crate::git::leftovers::{self, Unknown};

use super::super::Survey;
use super::super::stray::{Remedy, Subject};
use super::{Seen, folders, settled};

pub(super) fn find(seen: &Seen<'_>, survey: &mut Survey) {
    for board in folders(&seen.grounds.paths.landings()) {
        let mut is_empty = true;
        for path in folders(&board) {
            is_empty = false;
            let job: Option<JobId> = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            if !job.is_some_and(|job| seen.is_active(job)) {
                left(seen, survey, &path, job);
            }
        }
        if is_empty && !seen.boards.iter().any(|state| board.ends_with(state.about.id.to_string())) {
            let which = board.display().to_string();
            let words = (format!("{which} is empty, and no board is its"), REMOVES.to_owned());
            survey.found(Subject::Leftovers, which, words, Remedy::RemoveEmpty(board));
        }
    }
}

const REMOVES: &str = "`draft doctor --fix` removes it; so does the next engine of its board";

/// One whose job is over, or unknown.
fn left(seen: &Seen<'_>, survey: &mut Survey, path: &std::path::Path, job: Option<JobId>) {
    let which = path.display().to_string();
    let whose = job.map_or_else(|| "no job".to_owned(), |job| seen.label_of_job(job));
    let message = format!("{which} was made ready for {whose}, and that job is over");
    let place = settled(path);
    let repo = seen.repos.iter().find(|repo| repo.worktrees.iter().any(|linked| linked.path == place));
    let (advice, remedy) = match (repo, leftovers::unknown(path)) {
        (Some(repo), _) => {
            let remedy = Remedy::ClearLanding { repo: repo.repo.root().to_owned(), path: path.to_owned() };
            (REMOVES.to_owned(), remedy)
        }
        (None, Some(Unknown::Empty)) => (REMOVES.to_owned(), Remedy::RemoveEmpty(path.to_owned())),
        (None, Some(Unknown::Files | Unknown::Elsewhere(_)) | None) => {
            let advice = "look at what it holds; no board's repository knows it, so Draft leaves it alone".to_owned();
            (advice, Remedy::Nothing)
        }
    };
    survey.found(Subject::Leftovers, which, (message, advice), remedy);
}
