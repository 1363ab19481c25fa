//! The repository around the current folder, and the configuration: what is wrong where, and whether it is trusted.

use crate::app::agents::is_trusted;
use crate::config::{self, ConfigErrors, Loaded};
use crate::domain::board::About;
use crate::git::{Git, GitError, Repo, setup};
use crate::store::Reader;
use crate::ui::widget::format::counted;

use super::{Check, Patient};

const REPOSITORY: &str = "repository";
const CONFIGURATION: &str = "configuration";

/// The repository, and its board if it has one.
pub(super) struct Surroundings {
    repo: Option<Result<Repo, GitError>>,
    board: Option<About>,
}

impl Surroundings {
    pub(super) fn find(patient: &Patient, git: Option<&Git>) -> Self {
        let repo = git.map(|git| Repo::discover(git, &patient.repo));
        let root = repo.as_ref().and_then(|repo| repo.as_ref().ok()).map(Repo::root);
        let board = root.and_then(|root| {
            // A database that cannot be read is a check of its own.
            Reader::open(&patient.paths.database()).ok()?.board_by_repo(root).ok()?
        });
        Self { repo, board }
    }

    pub(super) fn repo(&self) -> Option<&Repo> {
        self.repo.as_ref()?.as_ref().ok()
    }

    /// Says whether what the repository's file would run may run.
    pub(super) fn trusts(&self, patient: &Patient, loaded: Option<&Loaded>) -> bool {
        let (Some(repo), Some(loaded)) = (self.repo(), loaded) else { return true };
        is_trusted(&patient.paths.database(), repo.root(), loaded)
    }

    pub(super) fn board(&self) -> Option<&About> {
        self.board.as_ref()
    }
}

pub(super) fn look(patient: &Patient, surroundings: &Surroundings) -> Vec<Check> {
    match &surroundings.repo {
        None => Vec::new(),
        Some(Ok(repo)) => found(repo, surroundings.board.as_ref()),
        Some(Err(GitError::NotARepository { path })) => {
            let message = format!("{} is in none, so what is of a repository was left out", path.display());
            let fix = "go to one, or name one with --repo";
            vec![Check { fix: fix.to_owned(), ..Check::ok(REPOSITORY, message) }]
        }
        Some(Err(error)) => {
            let shown = patient.repo.display();
            vec![Check::error(
                REPOSITORY,
                error.to_string(),
                format!("mend what git says about {shown}, or use another"),
            )]
        }
    }
}

fn found(repo: &Repo, board: Option<&About>) -> Vec<Check> {
    let root = repo.root().display();
    let base = match board {
        Some(about) => repo.commit_of(&about.base_branch).map(|_| about.base_branch.clone()),
        None => repo.base_branch(),
    };
    let mut checks = vec![match base {
        Ok(base) => Check::ok(REPOSITORY, format!("{root}, tickets start from {base}")),
        Err(error) => {
            let fix = "make the branch again, or check out the one that tickets are to start from";
            Check::error(REPOSITORY, error.to_string(), fix)
        }
    }];
    let variables = setup::WHO.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    checks.push(match setup::identity(repo, variables.collect()) {
        Ok(who) => Check::ok("identity", format!("commits are made by {who}")),
        Err(_) => {
            let fix = "`git config --global user.name NAME` and `git config --global user.email ADDRESS`";
            Check::warning("identity", "git does not know who you are, so agents cannot commit", fix)
        }
    });
    checks.extend(hooks(repo));
    checks
}

fn hooks(repo: &Repo) -> Option<Check> {
    let hooks = setup::hooks(repo).ok()?;
    let names = |runs: bool| {
        let names = hooks.iter().filter(|hook| hook.runs == runs).map(|hook| hook.name);
        names.collect::<Vec<_>>().join(", ")
    };
    let (run, ignored) = (names(true), names(false));
    match (run.as_str(), ignored.as_str()) {
        ("", "") => None,
        (run, "") => Some(Check::ok("hooks", format!("{run} run in worktrees too"))),
        (_, ignored) => {
            let message = format!("git passes over these, since they may not be executed: {ignored}");
            let first = hooks.iter().find(|hook| !hook.runs)?;
            Some(Check::warning("hooks", message, format!("`chmod +x {}` if they are to run", first.path.display())))
        }
    }
}

pub(super) fn configuration(
    patient: &Patient,
    surroundings: &Surroundings,
    settings: &Result<Loaded, ConfigErrors>,
) -> Vec<Check> {
    let loaded = match settings {
        Ok(loaded) => loaded,
        Err(ConfigErrors(errors)) => {
            let one = |error: &config::ConfigError| {
                Check::error(CONFIGURATION, error.to_string(), "mend this place; until then no job starts")
            };
            return errors.iter().map(one).collect();
        }
    };
    let mut checks: Vec<Check> = loaded
        .warnings
        .iter()
        .map(|warning| Check::warning(CONFIGURATION, warning.to_string(), "delete the key, or leave it"))
        .collect();
    if checks.is_empty() {
        let set = loaded.settings().filter(|setting| setting.origin != config::Origin::BuiltIn).count();
        let count = counted(set as u64, "setting differs", "settings differ");
        checks.push(Check::ok(CONFIGURATION, format!("no mistakes; {count} from what is built in")));
    }
    checks.extend(surroundings.repo().and_then(|repo| trust(patient, repo, loaded)));
    checks
}

/// Whether what the repository's file would run is trusted.
fn trust(patient: &Patient, repo: &Repo, loaded: &Loaded) -> Option<Check> {
    config::trust::trust_content(loaded)?;
    let count = counted(config::trust::describe(loaded).len() as u64, "thing", "things");
    Some(if is_trusted(&patient.paths.database(), repo.root(), loaded) {
        Check::ok("trust", format!("the repository's file runs {count}, and you trust it as it is"))
    } else {
        let message = format!("the repository's file would run {count}, and you have not trusted its present form");
        Check::warning("trust", message, "`draft trust --show` shows it, `draft trust` trusts it")
    })
}
