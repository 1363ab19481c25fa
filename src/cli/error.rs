//! Errors of the command line: what failed, why, what to do next; and the exit codes.

use std::process::ExitCode;

use serde_json::json;

use crate::app::AppError;
use crate::config::ConfigErrors;
use crate::domain::command::{RefusalCode, Refused};
use crate::engine::{AskError, EngineError};
use crate::git::GitError;
use crate::store::StoreError;
use crate::ui::widget::text::visible;

use super::session;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done as asked.
    Done,
    /// The work was done, but the answer is no.
    AnswerIsNo,
    /// The answer is that the configuration is wrong.
    BadConfiguration,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::AnswerIsNo => Self::from(1),
            Exit::BadConfiguration => Self::from(2),
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

    /// Says what it is about.
    pub(super) fn about(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// Prints it on standard error and returns the exit code.
    pub fn report(&self, as_json: bool) -> ExitCode {
        let text = if as_json {
            let error = json!({ "code": self.code, "message": self.message, "hint": self.hint });
            json!({ "error": error }).to_string()
        } else {
            // Names of files and words of other programs may hold anything.
            let lines = self.message.lines().chain(self.hint.lines()).map(visible);
            format!("draft: {}", lines.collect::<Vec<_>>().join("\n"))
        };
        session::say(&text);
        ExitCode::from(match self.kind {
            ErrorCode::Use => 2,
            ErrorCode::Environment => 3,
        })
    }
}

/// Prints what the argument parser says; help and version are no errors.
pub(super) fn wrong_use(error: &clap::Error, as_json: bool) -> ExitCode {
    if as_json && error.use_stderr() {
        return CliError::wrong_use("usage", complaint(error), "`draft --help` lists commands and flags.").report(true);
    }
    // Nothing can be done about an output that is gone.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Returns what is wrong in one line; the parser says it in its first paragraph.
fn complaint(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ").trim_start_matches("error: ").to_owned()
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        // The engine of another process tells its failures like this.
        if refused.code == RefusalCode::Failed {
            return Self::environment(refused.code.as_str(), refused.message, refused.hint);
        }
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
            EngineError::Config(errors) => errors.into(),
            EngineError::Store(error) => error.into(),
            EngineError::Git(error @ GitError::NotInTrash { .. }) => {
                Self::wrong_use("not_in_trash", error.to_string(), "`draft trash` lists what can come back.")
            }
            EngineError::Git(error) => AppError::Git(error).into(),
            EngineError::Run(_)
            | EngineError::Executor(_)
            | EngineError::Read { .. }
            | EngineError::Write { .. }
            | EngineError::Remove { .. }
            | EngineError::NoBoard(_)
            | EngineError::NoWorktree(_)
            | EngineError::NotSaved(_)
            | EngineError::BranchTemplate(_)
            | EngineError::Stopped
            | EngineError::Replaced
            | EngineError::Panicked(_) => {
                let hint = "`logs/draft.log` in the data folder may say more.";
                Self::environment("failed", error.to_string(), hint)
            }
        }
    }
}

impl From<ConfigErrors> for CliError {
    fn from(errors: ConfigErrors) -> Self {
        Self::wrong_use("bad_configuration", errors.to_string(), "Mend these places, then try again.")
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
            AppError::Config(errors) => errors.into(),
            AppError::NoRepository(error) => {
                let hint = "--repo names another repository; `draft demo` makes one to try Draft with.";
                Self::environment("no_repository", error.to_string(), hint)
            }
            AppError::NoSuchBoard { .. } => {
                Self::wrong_use("unknown_board", error.to_string(), "Leave --board out, or name one of these.")
            }
            AppError::NoBoardNamed { .. } => Self::wrong_use(
                "unknown_board",
                error.to_string(),
                "`draft board list` shows the boards that there are.",
            ),
            AppError::SeveralBoards { .. } => {
                Self::wrong_use("ambiguous_board", error.to_string(), "Name its repository with --repo instead.")
            }
            AppError::BoardRemoved { ref name } => {
                let hint = format!("`draft board restore {name}` brings it back.");
                Self::wrong_use("board_removed", error.to_string(), hint)
            }
            AppError::BoardBusy { .. } => {
                Self::wrong_use("board_busy", error.to_string(), "End that first; nothing was removed.")
            }
            AppError::NotEdited { .. } => {
                Self::wrong_use("bad_configuration", error.to_string(), "`draft config check` says what is wrong.")
            }
            AppError::Git(error) => Self::environment("git", error.to_string(), ""),
            AppError::NoHome => Self::environment(
                "no_home",
                error.to_string(),
                "Set HOME, or name a folder with --data-dir or DRAFT_DATA_DIR.",
            ),
            AppError::Io { .. } | AppError::Lock(_) => Self::environment(
                "io",
                error.to_string(),
                "Everything is kept in one folder; --data-dir or DRAFT_DATA_DIR names another one.",
            ),
            AppError::Terminal(_) => Self::environment("terminal", error.to_string(), "The other commands need none."),
        }
    }
}
