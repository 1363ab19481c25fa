//! Errors of the command line: what failed, why, what to do next; and the exit codes.

use std::process::ExitCode;

use serde_json::json;

use crate::app::AppError;
use crate::domain::command::Refused;
use crate::engine::{AskError, EngineError};
use crate::git::GitError;
use crate::store::StoreError;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done as asked.
    Done,
    /// The work was done, but the answer is no.
    AnswerIsNo,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::AnswerIsNo => Self::from(1),
        }
    }
}

/// Whose fault it is; this decides the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// Wrong use, bad values, bad configuration: exit code 2.
    Use,
    /// Something is missing or broken here: exit code 3.
    Environment,
}

/// An error as it is printed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    kind: ErrorCode,
    /// For programs.
    code: String,
    /// What failed and why.
    message: String,
    /// What to do next; may be empty.
    hint: String,
}

impl CliError {
    /// Returns an error by wrong use.
    pub fn wrong_use(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: ErrorCode::Use, code: code.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// Returns an error of the surroundings.
    pub fn environment(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: ErrorCode::Environment, code: code.to_owned(), message: message.into(), hint: hint.into() }
    }

    /// Prints it on standard error and returns the exit code.
    pub fn report(&self, as_json: bool) -> ExitCode {
        if as_json {
            let error = json!({ "code": self.code, "message": self.message, "hint": self.hint });
            note!("{}", json!({ "error": error }));
        } else {
            note!("draft: {}", self.message);
            if !self.hint.is_empty() {
                note!("{}", self.hint);
            }
        }
        ExitCode::from(match self.kind {
            ErrorCode::Use => 2,
            ErrorCode::Environment => 3,
        })
    }
}

/// Prints what the argument parser says; help and version are no errors.
pub(super) fn wrong_use(error: &clap::Error, as_json: bool) -> ExitCode {
    if as_json && error.use_stderr() {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return CliError::wrong_use("usage", first, "`draft --help` lists commands and flags.").report(true);
    }
    // Nothing can be done about an output that is gone.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        Self::wrong_use(refused.code.as_str(), refused.message, refused.hint)
    }
}

impl From<AskError> for CliError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refused) => refused.into(),
            AskError::Failed(error) => error.into(),
        }
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refused) => refused.into(),
            EngineError::Config(errors) => Self::wrong_use("bad_configuration", errors.to_string(), ""),
            EngineError::Store(error) => error.into(),
            EngineError::Git(error @ GitError::NotInTrash { .. }) => {
                Self::wrong_use("not_in_trash", error.to_string(), "")
            }
            EngineError::Git(error) => Self::environment("git", error.to_string(), ""),
            other => Self::environment("failed", other.to_string(), ""),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::environment("database", error.to_string(), "")
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Engine(error) => error.into(),
            AppError::Store(error) => error.into(),
            AppError::Ask(error) => error.into(),
            AppError::Config(errors) => Self::wrong_use("bad_configuration", errors.to_string(), ""),
            AppError::NoRepository(error) => {
                let hint = "Go into a git repository, name one with --repo, or try `draft demo`.";
                Self::environment("no_repository", error.to_string(), hint)
            }
            AppError::NoSuchBoard { .. } => Self::wrong_use("unknown_board", error.to_string(), ""),
            AppError::Git(error) => Self::environment("git", error.to_string(), ""),
            AppError::NoHome => Self::environment(
                "no_home",
                error.to_string(),
                "Set HOME, or name a folder with --data-dir or DRAFT_DATA_DIR.",
            ),
            AppError::Io { .. } | AppError::Terminal(_) => Self::environment("io", error.to_string(), ""),
        }
    }
}
