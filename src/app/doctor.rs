//! `draft doctor`: looks at everything that Draft needs and at what it left behind, says how to mend it, and mends what is
//! safe when it is asked to. It makes nothing: neither the data directory nor a board.

mod agents;
mod data;
mod host;
mod machine;
mod repository;
mod strays;

use std::path::PathBuf;

use crate::config::{self, Loaded};
use crate::domain::state::words;
use crate::engine::Paths;
use crate::git::Git;

use super::open::{Options, folder, paths};

words! {
    /// How something is.
    Health, "health" {
        /// It is as it should be.
        Ok = "ok",
        /// Draft works, and this is worth a look.
        Warning = "warning",
        /// Draft, or a part of it, does not work like this.
        Error = "error",
    }
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What it is about.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// How it is, for people; several lines where several things are wrong.
    pub message: String,
    /// How to mend it, or what to do; empty where there is nothing to do.
    pub fix: String,
    /// Whether it was mended; nothing where nobody tried.
    pub mended: Option<bool>,
}

impl Check {
    fn new(name: &str, health: Health, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.to_owned(), health, message: message.into(), fix: fix.into(), mended: None }
    }

    fn ok(name: &str, message: impl Into<String>) -> Self {
        Self::new(name, Health::Ok, message, "")
    }

    fn warning(name: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name, Health::Warning, message, fix)
    }

    fn error(name: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(name, Health::Error, message, fix)
    }
}

/// Whether things are mended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mending {
    /// Only looks.
    No,
    /// Mends what is safe.
    WhatIsSafe,
}

/// What is looked at.
struct Patient {
    /// The repository's folder, or a folder in it.
    repo: PathBuf,
    paths: Paths,
    draft_program: PathBuf,
    path_env: std::ffi::OsString,
    mending: Mending,
}

/// Looks at everything, in the order in which people would.
pub async fn examine(options: &Options, mending: Mending) -> Vec<Check> {
    let path_env = std::env::var_os("PATH").unwrap_or_default();
    let git = Git::locate(&path_env).and_then(|git| Ok((git.check()?, git)));
    let mut checks = vec![match &git {
        Ok((version, git)) => Check::ok("git", format!("{version} at {}", git.program().display())),
        Err(error) => Check::error("git", error.to_string(), format!("install git {} or newer", crate::git::OLDEST)),
    }];
    let paths = match paths(options.data_dir.as_deref()) {
        Ok(paths) => paths,
        Err(error) => {
            let fix = "set HOME, or name a folder with --data-dir or DRAFT_DATA_DIR";
            checks.push(Check::error("data directory", error.to_string(), fix));
            return checks;
        }
    };
    let git = git.as_ref().ok().map(|(_, git)| git);
    let repo = match git.map(|git| folder(options, &paths, git)) {
        Some(Ok(folder)) => folder,
        Some(Err(error)) => {
            checks.push(Check::error("board", error.to_string(), "`draft board list` shows the boards"));
            return checks;
        }
        None => options.repo.clone(),
    };
    let patient = Patient {
        repo,
        paths,
        draft_program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("draft")),
        path_env,
        mending,
    };
    let surroundings = repository::Surroundings::find(&patient, git);
    let settings = settings(&patient, &surroundings);
    let loaded = settings.as_ref().ok();
    let trusted = surroundings.trusts(&patient, loaded);
    checks.extend(agents::look(&patient, loaded, trusted).await);
    checks.push(machine::shell(&patient.path_env));
    checks.push(machine::terminal());
    checks.extend(data::look(&patient, loaded));
    checks.extend(machine::limits(loaded));
    checks.extend(repository::look(&patient, &surroundings));
    checks.extend(repository::configuration(&patient, &surroundings, &settings));
    checks.extend(host::look(&patient, &surroundings, loaded));
    checks.extend(strays::look(&patient, git));
    checks
}

/// Reads the user's file, and the repository's where there is one.
fn settings(patient: &Patient, surroundings: &repository::Surroundings) -> Result<Loaded, config::ConfigErrors> {
    let files = config::Files {
        user: Some(patient.paths.user_config.clone()),
        repo: surroundings.repo().map(|repo| repo.root().join(config::FILE_NAME)),
        board: surroundings.board().map(|about| patient.paths.board_config(about)),
    };
    config::load(&config::read(&files)?)
}
