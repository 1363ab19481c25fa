//! `draft init`: looks at a repository and the machine, and makes an explained `draft.yaml` of what it finds. Nothing of the
//! repository is run, and nothing that stands in its files gets into the text: rules only ask whether something is there.

mod checks;
mod glimpse;
mod node;
mod python;
mod text;

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::config::{self, FILE_NAME, Files, Loaded, Origin, SourceFile, Sources};
use crate::engine::find_program;
use crate::executor::row::{Executor, Program};
use crate::executor::table::{Table, locate};
use crate::git::{Git, Repo, copies};

use super::error::AppError;
use super::open::{ConfigFiles, Options, config_files};

use checks::Proposal;
use glimpse::Glimpse;

/// Files of a checkout that programs often need and git often ignores.
const NEEDED: [&str; 8] = [
    ".env",
    ".env.local",
    ".env.development",
    ".env.test",
    ".envrc",
    "local.properties",
    "config/master.key",
    "config/local.yaml",
];

/// A `draft.yaml` that is not written yet.
#[derive(Debug)]
pub struct Plan {
    /// Where it belongs.
    pub file: PathBuf,
    /// What it says.
    pub text: String,
    /// What all settings mean with it.
    pub loaded: Loaded,
    /// The agent that works when a ticket names none, if it is installed.
    pub agent: Option<String>,
    /// The agents that are installed, the one that is part of Draft left out.
    pub agents: Vec<String>,
    /// Commands that check every change.
    pub checks: Vec<Found>,
    /// Checks that are only there as comments, each with why.
    pub left_out: Vec<Found>,
    /// Commands that would make a worktree ready; they are there as comments.
    pub setup: Vec<Found>,
    /// Files that worktrees may need and git does not have; they are there as comments.
    pub copy: Vec<String>,
}

/// A command, and what speaks for it or against it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The command as people type it.
    pub command: String,
    /// What was found.
    pub why: String,
}

/// What was found in a repository and on the machine.
#[derive(Debug)]
struct Findings<'a> {
    agents: Vec<&'a Executor>,
    known: &'a Table,
    /// The agent that the other files ask for, and whether somebody wrote that.
    preferred: (&'a str, Origin),
    checks: Vec<Proposal>,
    setup: Vec<Proposal>,
    copy: Vec<String>,
    submodules: bool,
    list: bool,
    odd: Vec<String>,
}

/// Looks at a repository, and makes nothing.
///
/// # Errors
/// When there is no usable git or repository, or the user's own settings are wrong.
pub fn plan(options: &Options) -> Result<Plan, AppError> {
    let path_env = std::env::var_os("PATH").unwrap_or_default();
    let git = Git::find(&path_env).map_err(AppError::Git)?;
    let repo = Repo::discover(&git, &options.repo).map_err(AppError::NoRepository)?;
    let ConfigFiles { files, .. } = config_files(options)?;
    let others = config::read(&Files { repo: None, ..files })?;
    let settings = config::load(&others)?;
    let table = Table::of(&settings).unwrap_or_else(|_| Table::builtin());
    let draft_program = PathBuf::from("draft");
    let is_there =
        |agent: &&Executor| agent.program != Program::Draft && locate(agent, &path_env, &draft_program).is_some();
    let root = repo.root();
    let has = |program: &str| find_program(program, root, &path_env).is_some();
    let seen = Glimpse::of(root);
    let (checks, setup) = checks::find(&seen, &has);
    let findings = Findings {
        agents: table.iter().filter(is_there).collect(),
        known: &table,
        preferred: (
            &settings.config.execute_config.preferred_executor,
            settings.origin("execute_config.preferred_executor"),
        ),
        checks,
        setup,
        copy: needed(&repo)?,
        submodules: seen.has(".gitmodules"),
        list: seen.has(copies::LIST),
        odd: seen.odd().to_vec(),
    };
    finish(root.join(FILE_NAME), &findings, others)
}

/// Returns the files that programs often need, that are there, and that git ignores.
fn needed(repo: &Repo) -> Result<Vec<String>, AppError> {
    let is_file = |name: &&str| repo.root().join(name).symlink_metadata().is_ok_and(|meta| meta.is_file());
    let there: Vec<PathBuf> = NEEDED.into_iter().filter(is_file).map(PathBuf::from).collect();
    let ignored = copies::ignored_in_checkout(repo, &there).map_err(AppError::Git)?;
    Ok(ignored.into_iter().map(|path| path.to_string_lossy().into_owned()).collect())
}

fn finish(file: PathBuf, findings: &Findings<'_>, others: Sources) -> Result<Plan, AppError> {
    let text = text::write(findings);
    let source = SourceFile { path: file.clone(), bytes: text.clone().into_bytes() };
    let loaded = config::load(&Sources { repo: Some(source), ..others })?;
    let found = |proposal: &Proposal| Found {
        command: proposal.command.clone(),
        why: proposal.doubt.clone().unwrap_or_else(|| proposal.why.clone()),
    };
    let (left_out, checks): (Vec<_>, Vec<_>) = findings.checks.iter().partition(|check| check.doubt.is_some());
    let preferred = &loaded.config.execute_config.preferred_executor;
    let agents: Vec<String> = findings.agents.iter().map(|agent| agent.name.clone()).collect();
    Ok(Plan {
        agent: agents.iter().find(|name| *name == preferred).cloned(),
        agents,
        checks: checks.into_iter().map(found).collect(),
        left_out: left_out.into_iter().map(found).collect(),
        setup: findings.setup.iter().map(found).collect(),
        copy: findings.copy.clone(),
        file,
        text,
        loaded,
    })
}

impl Plan {
    /// Says whether something stands where the file belongs, be it a link that leads nowhere.
    pub fn is_taken(&self) -> bool {
        self.file.symlink_metadata().is_ok()
    }

    /// Writes the file; says whether it did, which it does not where something has that name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<bool, AppError> {
        match config::create(&self.file, &self.text) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(source) => Err(AppError::Io { action: "write", path: self.file.clone(), source }),
        }
    }
}

impl<'a> Findings<'a> {
    /// Returns the agent that is to work when a ticket names none: the one that the user's own files ask for, else the first
    /// that is installed and works by itself, else the first that is installed.
    fn choice(&self) -> Option<&'a str> {
        let (name, origin) = self.preferred;
        if origin != Origin::BuiltIn {
            return Some(name);
        }
        let alone = self.agents.iter().find(|agent| !agent.interactive);
        alone.or(self.agents.first()).map(|agent| agent.name.as_str())
    }
}

#[cfg(test)]
mod tests;
