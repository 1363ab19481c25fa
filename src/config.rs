//! What the user's own files, `draft.yaml` and the built-in defaults mean together, checked, with each value's origin.
//!
//! Reading is apart from meaning: [`read`] touches the disk, [`load`] is pure. Keys are rows of one table in `keys`.

pub mod address;
pub mod allow;
pub mod autonomy;
pub mod bindings;
pub mod cleanup;
pub mod edit;
pub mod in_force;
mod keys;
pub mod later;
pub mod merge;
mod names;
pub mod nearest;
mod problem;
mod reference;
mod replace;
mod schema;
mod settings;
mod table;
mod tree;
pub mod trust;
mod values;
mod walk;
pub mod yolo;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use keys::Leaf;
pub use keys::{Key, Used};
pub use problem::{ConfigError, ConfigErrors, Place, Problem, Warning};
pub use reference::reference;
pub use replace::{create, replace};
pub use schema::schema;
pub use settings::{
    CommandSpec, Config, ExecuteConfig, ExecutorProfile, GitHostConfig, PlannerConfig, UiConfig, VerifyConfig,
    WorkspaceConfig,
};
pub use table::KEYS;

/// The name of the repository's file, at the root of the user's checkout.
pub const FILE_NAME: &str = "draft.yaml";
/// What is shown in the place of a secret.
const SECRET: &str = "(secret)";
/// Larger files are refused unread, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// Where a value comes from; a later one wins over an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// Nobody set it.
    BuiltIn,
    /// The user's own file.
    User,
    /// The repository's `draft.yaml`.
    Repo,
    /// The user's settings for one board.
    Board,
}

impl Origin {
    /// Returns it in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::User => "user",
            Self::Repo => "repository",
            Self::Board => "board",
        }
    }
}

/// A file as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// Where it is, for messages.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files that settings come from; one that is missing sets nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sources {
    /// The user's own file.
    pub user: Option<SourceFile>,
    /// The repository's file.
    pub repo: Option<SourceFile>,
    /// The user's own file for the board.
    pub board: Option<SourceFile>,
}

/// Where the files are, or would be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Files {
    /// The user's own.
    pub user: Option<PathBuf>,
    /// The repository's.
    pub repo: Option<PathBuf>,
    /// The user's own for the board.
    pub board: Option<PathBuf>,
}

impl Files {
    /// Returns those that can be, in the order in which they are laid over each other.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        [&self.user, &self.repo, &self.board].into_iter().filter_map(|file| file.as_deref())
    }
}

/// Settings that are in force, and what is worth saying about them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Keys that are known but have no effect.
    pub warnings: Vec<Warning>,
    origins: BTreeMap<String, Origin>,
    spots: BTreeMap<String, Spot>,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub place: Place,
}

/// One setting for people: what it is, its value, and where that comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// Its full name, such as `execute_config.timeout`.
    pub path: String,
    /// What it does.
    pub about: &'static str,
    /// Its value.
    pub value: Value,
    /// Where that comes from.
    pub origin: Origin,
    /// Whether it has an effect.
    pub used: Used,
}

impl Loaded {
    /// Returns where the value of a key comes from; one that nobody set, or that does not exist, is built in.
    pub fn origin(&self, path: &str) -> Origin {
        self.origins.get(path).copied().unwrap_or(Origin::BuiltIn)
    }

    /// Returns where a row of the table of agents stands, such as `executors.mine`.
    pub fn spot(&self, path: &str) -> Option<&Spot> {
        self.spots.get(path)
    }

    /// Returns every setting, in the order of the table.
    pub fn settings(&self) -> impl Iterator<Item = Setting> {
        leaves(&self.config).into_iter().map(|leaf| {
            let origin = self.origin(&leaf.path);
            // What a repository brings is nobody's secret, and is to be looked at.
            let is_secret = origin != Origin::Repo && names::is_secret(&leaf.path);
            let value = if is_secret { SECRET.into() } else { leaf.value };
            Setting { path: leaf.path, about: leaf.about, value, origin, used: leaf.used }
        })
    }
}

/// Returns every value, in the order of the table.
fn leaves(config: &Config) -> Vec<Leaf> {
    // The table leads to places that can be written, so it is a copy that is read.
    let mut config = config.clone();
    KEYS.iter().flat_map(|key| key.leaves("", &mut config)).collect()
}

/// Reads the files; one that does not exist is left out.
///
/// # Errors
/// When a file is there and cannot be read, or is no regular file.
pub fn read(files: &Files) -> Result<Sources, ConfigErrors> {
    let mut errors = Vec::new();
    let mut one = |path: &Option<PathBuf>| {
        let path = path.as_deref()?;
        read_file(path).unwrap_or_else(|problem| {
            errors.push(ConfigError { file: path.to_owned(), place: None, problem });
            None
        })
    };
    let sources = Sources { user: one(&files.user), repo: one(&files.repo), board: one(&files.board) };
    if errors.is_empty() { Ok(sources) } else { Err(ConfigErrors(errors)) }
}

fn read_file(path: &Path) -> Result<Option<SourceFile>, Problem> {
    let unreadable = |error: io::Error| Problem::Unreadable(error.to_string());
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // Opening a pipe would wait for its writer.
        Ok(_) => return Err(Problem::NotAFile),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Some(SourceFile { path: path.to_owned(), bytes }))
}

/// Lays the files over the built-in values: the user's first, then the repository's, then the board's. A list replaces a
/// list.
///
/// # Errors
/// Everything that is wrong in all files, at once; a file that is no YAML or is refused as a whole gives one error.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
    let mut loaded = Loaded::default();
    let mut errors = Vec::new();
    let layers = [(&sources.user, Origin::User), (&sources.repo, Origin::Repo), (&sources.board, Origin::Board)];
    for (source, origin) in layers {
        if let Some(source) = source {
            errors.extend(walk::lay_over(&mut loaded, source, origin));
        }
    }
    if errors.is_empty() { Ok(loaded) } else { Err(ConfigErrors(errors)) }
}

#[cfg(test)]
mod tests;
