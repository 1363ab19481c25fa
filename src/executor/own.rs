//! Agents of the user's own configuration: rows of `executors` laid over the table, and `executor_profiles`, which are agents
//! under names of their own.

use std::path::PathBuf;

use serde_json::Value;

use super::row::{Executor, Program};
use super::table::Table;
use crate::config::{ConfigError, ConfigErrors, ExecutorProfile, FILE_NAME, Loaded, Origin, Problem};

impl Table {
    /// Returns the agents that Draft brings, with those of a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with them, at once.
    pub fn of(loaded: &Loaded) -> Result<Self, ConfigErrors> {
        let mut wrong = Vec::new();
        let mut bad = |path: String, why: String| {
            let spot = loaded.spot(&path);
            wrong.push(ConfigError {
                file: spot.map_or_else(|| PathBuf::from(FILE_NAME), |spot| spot.file.clone()),
                place: spot.map(|spot| spot.place),
                problem: Problem::BadAgent { path, why },
            });
        };
        let builtin = Self::builtin();
        let mut rows = Vec::new();
        for (name, value) in &loaded.config.executors {
            let key = format!("executors.{name}");
            match own(&builtin, name, value, loaded.origin(&key)) {
                Ok(row) => rows.push(row),
                Err(problem) => bad(key, problem),
            }
        }
        let table = builtin.laid_over(rows);
        let mut profiles = Vec::new();
        for (name, profile) in &loaded.config.executor_profiles {
            let key = format!("executor_profiles.{name}");
            let source = source_of(loaded, &key, profile);
            match table.profile(name, profile, source) {
                Ok(row) => profiles.push(row),
                Err(problem) => bad(key, problem),
            }
        }
        if wrong.is_empty() { Ok(table.laid_over(profiles)) } else { Err(ConfigErrors(wrong)) }
    }

    /// Returns an agent under another name and with settings of its own.
    fn profile(&self, name: &str, profile: &ExecutorProfile, source: Origin) -> Result<Executor, String> {
        let base = self.find(&profile.executor_type).map_err(|unknown| format!("`executor_type`: {unknown}"))?;
        let mut set = base.set.clone();
        set.extend(profile.env.clone());
        let row = Executor {
            name: name.to_owned(),
            aliases: Vec::new(),
            display: format!("{} ({name})", base.display),
            default_model: profile.model.clone().or_else(|| base.default_model.clone()),
            extra: [base.extra.as_slice(), &profile.extra_flags].concat(),
            timeout: profile.timeout.map(|timeout| timeout.as_secs()).or(base.timeout),
            set,
            profile_of: Some(base.name.clone()),
            // Whoever brought a part of it may have brought what it does.
            source: both(source, base.source),
            ..base.clone()
        };
        row.problem().map_or(Ok(row), Err)
    }
}

/// Returns whose a profile is: one key of a repository's is enough to make it the repository's.
fn source_of(loaded: &Loaded, key: &str, profile: &ExecutorProfile) -> Origin {
    let parts = ["executor_type", "timeout", "extra_flags", "model", "env"];
    let parts = parts.iter().map(|part| loaded.origin(&format!("{key}.{part}")));
    let variables = profile.env.keys().map(|name| loaded.origin(&format!("{key}.env.{name}")));
    parts.chain(variables).fold(loaded.origin(key), both)
}

/// Returns whose two things are together; what a repository has a part in is its own.
fn both(one: Origin, other: Origin) -> Origin {
    if one == Origin::Repo || other == Origin::Repo { Origin::Repo } else { one.max(other) }
}

/// Reads a row of a configuration: whole, or like another one but for what it says itself.
fn own(table: &Table, name: &str, value: &Value, source: Origin) -> Result<Executor, String> {
    let Value::Object(said) = value else {
        return Err(
            "is a row of the table of agents: write keys such as `program`, `prompt`, `start` and `approve`".to_owned()
        );
    };
    let mut said = said.clone();
    let mut keys = match said.remove("like") {
        None => serde_json::Map::new(),
        Some(Value::String(other)) => like(table, &other)?,
        Some(_) => return Err("`like` is the name of another agent".to_owned()),
    };
    if said.contains_key("name") {
        return Err("`name` is the key of the row already; delete it here".to_owned());
    }
    keys.extend(said);
    keys.insert("name".to_owned(), name.into());
    let row: Executor = serde_json::from_value(Value::Object(keys)).map_err(|error| error.to_string())?;
    if row.program == Program::Draft && name != "demo" {
        return Err("`program: self` is for the demo agent only; name the program".to_owned());
    }
    let display = if row.display.is_empty() { row.name.clone() } else { row.display.clone() };
    let row = Executor { display, source, ..row };
    row.problem().map_or(Ok(row), Err)
}

/// Returns what a row takes over from another one: all but what it is called.
fn like(table: &Table, other: &str) -> Result<serde_json::Map<String, Value>, String> {
    let base = table.find(other).map_err(|unknown| format!("`like`: {unknown}"))?;
    let Ok(Value::Object(mut keys)) = serde_json::to_value(base) else {
        return Err(format!("`like: {other}` cannot be taken over; write the whole row"));
    };
    for what_it_is in ["aliases", "display", "seen", "note"] {
        keys.remove(what_it_is);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
