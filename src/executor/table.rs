//! The table of agents: `assets/executors.yaml` as typed rows, checked, and found by name or on `PATH`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::decode::Dialect;
use super::template;
use crate::domain::state::words;
use crate::domain::ticket::Usage;

const BUILTIN: &str = include_str!("../../assets/executors.yaml");

/// One agent CLI, as a row of the table says it. The file explains each key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Executor {
    /// What people type.
    pub name: String,
    /// What people read.
    pub display: String,
    /// What to start.
    pub program: Program,
    /// Arguments that print the version.
    #[serde(default)]
    pub version: Vec<String>,
    /// What to do when it is missing.
    pub install: String,
    /// A person works in it; Draft only hands over.
    #[serde(default)]
    pub interactive: bool,
    /// How its output is read.
    pub dialect: Dialect,
    /// How it gets the prompt.
    pub prompt: PromptBy,
    /// Who names its session.
    pub session: SessionBy,
    /// What its token counts cover.
    pub usage: UsageSpan,
    /// The command line of a first run, without the program.
    pub start: Vec<String>,
    /// The command line that goes on in a session; nothing where that cannot be done.
    #[serde(default)]
    pub resume: Option<Vec<String>>,
    /// What `{approve}` becomes.
    pub approve: Approval,
    /// What `{model}` becomes when a model is asked for; empty when it takes none.
    #[serde(default)]
    pub model: Vec<String>,
    /// Variables that are added to its environment.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Variables that are taken out of its environment.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Files of its own that are no part of a change, as gitignore patterns.
    #[serde(default)]
    pub litter: Vec<String>,
    /// Arguments that open the session for a person; empty where that cannot be done.
    #[serde(default)]
    pub takeover: Vec<String>,
}

/// What to start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Words", into = "Words")]
pub enum Program {
    /// Draft itself, written `self`.
    Draft,
    /// The first of these that is on `PATH`.
    Named(Vec<String>),
}

/// A word or a list of words, as people write a program.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl From<Words> for Program {
    fn from(words: Words) -> Self {
        match words {
            Words::One(word) if word == "self" => Self::Draft,
            Words::One(word) => Self::Named(vec![word]),
            Words::Many(words) => Self::Named(words),
        }
    }
}

impl From<Program> for Words {
    fn from(program: Program) -> Self {
        match program {
            Program::Draft => Self::One("self".to_owned()),
            Program::Named(names) => Self::Many(names),
        }
    }
}

/// Arguments for the two ways to let an agent work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// It may do everything without asking.
    pub everything: Vec<String>,
    /// The least permission with which it can still edit files.
    pub edits: Vec<String>,
}

words! {
    /// How an agent gets its prompt.
    PromptBy, "way to hand over a prompt" {
        /// On standard input, which is then closed.
        Stdin = "stdin",
        /// As an argument, or as a file that the argument names when it is too long.
        Argument = "argument",
        /// As a file whose name is an argument.
        File = "file",
    }
}

words! {
    /// Who names an agent's session.
    SessionBy, "way to name a session" {
        /// Draft does, when it starts the agent.
        Chosen = "chosen",
        /// The agent does, and says so in its output.
        Reported = "reported",
        /// It has none.
        None = "none",
    }
}

words! {
    /// What an agent's token counts cover.
    UsageSpan, "span of token counts" {
        /// One run.
        Run = "run",
        /// Every run of the session: what the runs before it used must be taken off.
        Session = "session",
    }
}

impl UsageSpan {
    /// Returns what one run used, from what it reported and what the runs before it in its session reported at last.
    pub fn of_run(self, reported: Usage, before: Usage) -> Usage {
        match self {
            Self::Run => reported,
            Self::Session => Usage {
                input_tokens: reported.input_tokens.saturating_sub(before.input_tokens),
                output_tokens: reported.output_tokens.saturating_sub(before.output_tokens),
                cost_micros: reported.cost_micros.map(|cost| cost.saturating_sub(before.cost_micros.unwrap_or(0))),
            },
        }
    }
}

impl Executor {
    /// Says whether a session of this agent can be gone on with.
    pub fn can_resume(&self) -> bool {
        self.resume.is_some()
    }

    /// Returns the program's name as people would type it.
    pub fn program_name(&self) -> &str {
        match &self.program {
            Program::Draft => "draft",
            Program::Named(names) => names.first().map_or(self.name.as_str(), String::as_str),
        }
    }
}

/// A table of agents that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTable {
    /// It is not YAML, a key is unknown, missing or of the wrong kind.
    #[error("the table of agents could not be read: {0}")]
    Syntax(#[from] serde_yaml::Error),
    /// A row contradicts itself.
    #[error("agent `{name}`: {problem}")]
    Row {
        /// The row.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

/// No agent has that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no agent is called `{name}`{}; known are {}", suggestion(.nearest), .known.join(", "))]
pub struct UnknownExecutor {
    /// The name.
    pub name: String,
    /// Names that look like it, best first.
    pub nearest: Vec<String>,
    /// Every name.
    pub known: Vec<String>,
}

fn suggestion(nearest: &[String]) -> String {
    match nearest.first() {
        Some(name) => format!(", did you mean `{name}`?"),
        None => String::new(),
    }
}

/// The agents that are known, in the order in which people see them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table(Vec<Executor>);

impl Table {
    /// Returns the agents that Draft brings.
    ///
    /// # Panics
    /// Never: a test reads the same file.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in table is read by a test")
    }

    /// Reads and checks a table.
    ///
    /// # Errors
    /// When it is not YAML of that shape, or a row contradicts itself.
    pub fn parse(yaml: &str) -> Result<Self, BadTable> {
        Self(Vec::new()).with(serde_yaml::from_str(yaml)?)
    }

    /// Adds rows; one with a known name takes the place of the other.
    ///
    /// # Errors
    /// When a row contradicts itself, or two of the new ones have the same name.
    pub fn with(mut self, rows: Vec<Executor>) -> Result<Self, BadTable> {
        for (i, row) in rows.iter().enumerate() {
            let twice = rows[..i].iter().any(|other| other.name == row.name);
            let problem = if twice { Some("the name is there twice".to_owned()) } else { problem(row) };
            if let Some(problem) = problem {
                return Err(BadTable::Row { name: row.name.clone(), problem });
            }
        }
        for row in rows {
            match self.0.iter_mut().find(|old| old.name == row.name) {
                Some(old) => *old = row,
                None => self.0.push(row),
            }
        }
        Ok(self)
    }

    /// Returns the agent with that name.
    ///
    /// # Errors
    /// When there is none; the error names those that look like it.
    pub fn find(&self, name: &str) -> Result<&Executor, UnknownExecutor> {
        self.0.iter().find(|row| row.name == name).ok_or_else(|| {
            let known: Vec<String> = self.0.iter().map(|row| row.name.clone()).collect();
            UnknownExecutor { name: name.to_owned(), nearest: nearest(name, &known), known }
        })
    }

    /// Returns every agent.
    pub fn iter(&self) -> impl Iterator<Item = &Executor> {
        self.0.iter()
    }
}

/// Returns where the agent's program is, or nothing when it is not installed. Folders of `path_env` that are not
/// absolute are passed over: what they mean depends on the current folder, which may be a repository.
pub fn locate(executor: &Executor, path_env: &OsStr, self_program: &Path) -> Option<PathBuf> {
    let names = match &executor.program {
        Program::Draft => return Some(self_program.to_owned()),
        Program::Named(names) => names,
    };
    let folders: Vec<PathBuf> = std::env::split_paths(path_env).filter(|folder| folder.is_absolute()).collect();
    names.iter().find_map(|name| {
        let path = Path::new(name);
        if path.is_absolute() {
            return is_program(path).then(|| path.to_owned());
        }
        folders.iter().map(|folder| folder.join(name)).find(|candidate| is_program(candidate))
    })
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Returns what is wrong with a row, if anything is.
fn problem(row: &Executor) -> Option<String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if row.name.is_empty() || !row.name.chars().all(good) {
        return Some("a name has small letters, digits, `-` and `_` only".to_owned());
    }
    if let Program::Named(names) = &row.program
        && (names.is_empty()
            || names.iter().any(|name| name.is_empty() || (name.contains('/') && !name.starts_with('/'))))
    {
        return Some("`program` needs names to look for on PATH, or absolute paths".to_owned());
    }
    let lines = std::iter::once(("start", &row.start)).chain(row.resume.iter().map(|line| ("resume", line)));
    for (key, line) in lines {
        if let Some(problem) = template::problem(line, row.prompt) {
            return Some(format!("`{key}` {problem}"));
        }
    }
    let has_session = |line: &[String]| line.iter().any(|arg| arg.contains("{session}"));
    if row.session == SessionBy::Chosen && !has_session(&row.start) {
        return Some("`session: chosen` needs `{session}` in `start`".to_owned());
    }
    if row.session != SessionBy::Chosen && has_session(&row.start) {
        return Some("`{session}` in `start` needs `session: chosen`".to_owned());
    }
    if row.resume.as_ref().is_some_and(|line| !has_session(line)) {
        return Some("`resume` needs `{session}`".to_owned());
    }
    if !row.model.is_empty() && !row.model.iter().any(|arg| arg.contains("{model}")) {
        return Some("`model` needs `{model}`".to_owned());
    }
    None
}

/// Returns the names that look like the wanted one, best first.
fn nearest(wanted: &str, known: &[String]) -> Vec<String> {
    let limit = (wanted.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .map(|name| (if name.starts_with(wanted) && !wanted.is_empty() { 0 } else { distance(wanted, name) }, name))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort();
    near.into_iter().map(|(_, name)| name.clone()).collect()
}

/// Counts the letters to add, drop, change or swap with their neighbour to turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests;
