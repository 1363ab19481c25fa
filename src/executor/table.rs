//! The table of agents: `assets/executors.yaml` as typed rows, checked, and found by name or on `PATH`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::row::{Executor, Program};
use crate::config::nearest::nearest;

const BUILTIN: &str = include_str!("../../assets/executors.yaml");

/// A table of agents that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTable {
    /// It is not YAML, a key is unknown, missing or of the wrong kind.
    #[error("the table of agents could not be read: {0}")]
    Syntax(#[from] serde_yaml::Error),
    /// A row is wrong or contradicts itself.
    #[error("agent `{name}`: {problem}")]
    Row {
        /// The row.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl BadTable {
    fn row(name: &str, problem: impl ToString) -> Self {
        Self::Row { name: name.to_owned(), problem: problem.to_string() }
    }
}

/// No agent has that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no agent is called `{name}`{}; known are {}", suggestion(.nearest.as_deref()), .known.join(", "))]
pub struct UnknownExecutor {
    /// The name.
    pub name: String,
    /// The name that was perhaps meant.
    pub nearest: Option<String>,
    /// Every name.
    pub known: Vec<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

/// The agents that are known, in the order in which people see them. It is shared when it is cloned: each step of a job asks
/// for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table(Arc<Vec<Executor>>);

impl Table {
    /// Returns the agents that Draft brings.
    ///
    /// # Panics
    /// Never: a test reads the same file.
    pub fn builtin() -> Self {
        static READ: LazyLock<Table> =
            LazyLock::new(|| Table::parse(BUILTIN).expect("the built-in table is read by a test"));
        READ.clone()
    }

    /// Reads and checks a table.
    ///
    /// # Errors
    /// When it is not YAML of that shape, or a row contradicts itself.
    pub fn parse(yaml: &str) -> Result<Self, BadTable> {
        Self(Arc::default()).with(serde_yaml::from_str(yaml)?)
    }

    /// Adds rows; one with a known name takes the place of the other.
    ///
    /// # Errors
    /// When a row contradicts itself, or two of the new ones have the same name.
    pub fn with(self, rows: Vec<Executor>) -> Result<Self, BadTable> {
        for (i, row) in rows.iter().enumerate() {
            if rows[..i].iter().any(|other| other.name == row.name) {
                return Err(BadTable::row(&row.name, "the name is there twice"));
            }
            if let Some(problem) = row.problem() {
                return Err(BadTable::row(&row.name, problem));
            }
        }
        Ok(self.laid_over(rows))
    }

    /// Adds rows that are right; one with a known name takes the place of the other.
    pub(super) fn laid_over(mut self, rows: Vec<Executor>) -> Self {
        for row in rows {
            let all = Arc::make_mut(&mut self.0);
            match all.iter_mut().find(|old| old.name == row.name) {
                Some(old) => *old = row,
                None => all.push(row),
            }
        }
        self
    }

    /// Returns the agent with that name, or else the one that has it among its other names.
    ///
    /// # Errors
    /// When there is none; the error names those that look like it.
    pub fn find(&self, name: &str) -> Result<&Executor, UnknownExecutor> {
        let named = self.0.iter().find(|row| row.name == name);
        named.or_else(|| self.0.iter().find(|row| row.is_called(name))).ok_or_else(|| {
            let every = self.0.iter().flat_map(|row| std::iter::once(&row.name).chain(&row.aliases));
            let nearest = nearest(name, every.map(String::as_str)).map(str::to_owned);
            let known = self.0.iter().map(|row| row.name.clone()).collect();
            UnknownExecutor { name: name.to_owned(), nearest, known }
        })
    }

    /// Returns every agent.
    pub fn iter(&self) -> impl Iterator<Item = &Executor> {
        self.0.iter()
    }

    /// Returns the agents that are installed.
    pub fn installed<'a>(&'a self, path_env: &OsStr, self_program: &Path) -> impl Iterator<Item = &'a Executor> {
        self.0.iter().filter(move |row| locate(row, path_env, self_program).is_some())
    }

    /// Says that an agent is missing, how it is had, and which others could do its work. Nothing takes its place unasked.
    pub fn missing(&self, executor: &Executor, path_env: &OsStr, self_program: &Path) -> String {
        let there =
            self.installed(path_env, self_program).filter(|row| !row.interactive && row.program != Program::Draft);
        let there: Vec<&str> = there.map(|row| row.name.as_str()).collect();
        let others = match there.as_slice() {
            [] => "No other agent is installed".to_owned(),
            names => format!("Or choose one that is installed: {}", names.join(", ")),
        };
        let mut reason =
            format!("{} is not installed: there is no {} on PATH.", executor.display, executor.looked_for());
        if !executor.install.is_empty() {
            reason.push_str(&format!(" To install it: {}.", executor.install));
        }
        format!("{reason} {others}.")
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

#[cfg(test)]
mod tests;
