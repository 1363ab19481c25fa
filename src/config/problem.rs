//! What can be wrong in a configuration file, where, and how to mend it.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use super::FILE_BYTES_MAX;
use crate::domain::branch_template::TemplateError;

/// A place in a file, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Where in it, when that is known.
    pub place: Option<Place>,
    /// What.
    pub problem: Problem,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(place) = self.place {
            write!(f, "{place}:")?;
        }
        f.write_str(" ")?;
        // A file may name its keys as it likes.
        self.problem
            .to_string()
            .chars()
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
    }
}

/// Everything that is wrong, one a line, in the order of files and lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            let end = if n == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
        }
        Ok(())
    }
}

/// What is wrong, with what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// The system does not let it be read.
    #[error("could not be read: {0}")]
    Unreadable(String),
    /// A folder, a pipe or the like.
    #[error("is no regular file; move it away or write the settings into a file of that name")]
    NotAFile,
    /// Over [`FILE_BYTES_MAX`].
    #[error("is larger than {} KiB; settings are a page of text, so this is perhaps another file", FILE_BYTES_MAX / 1024)]
    TooLarge,
    /// Bytes that are no text.
    #[error("is not UTF-8 text here; save the file as UTF-8")]
    NotUtf8,
    /// A byte that is not for people.
    #[error("has a control character here, which is not for people to see; delete it")]
    Control,
    /// A text that hides how it is read.
    #[error("`{path}` has characters that cannot be seen or that turn the direction of text; delete them")]
    Unseen {
        /// The key.
        path: String,
    },
    /// No YAML.
    #[error("is not valid YAML: {0}")]
    Syntax(String),
    /// A tag such as `!include`, or a directive such as `%TAG`.
    #[error("YAML tags such as `!name` and lines that begin with `%` mean nothing here; write the plain value")]
    Tag,
    /// Too many levels.
    #[error("is nested more than {} levels deep here; no setting is", super::tree::DEPTH_MAX)]
    TooDeep,
    /// Too many values, perhaps by aliases of aliases.
    #[error("has more than {} values, aliases counted each time; write out what is needed", super::tree::NODES_MAX)]
    TooMany,
    /// More brackets than any settings need.
    #[error("has more than {} opening brackets; write lists and maps a line an entry", super::tree::BRACKETS_MAX)]
    TooManyBrackets,
    /// Another thing where a map is needed.
    #[error("{what} should be a map of settings, but this is {found}")]
    NotAMap {
        /// A section, or the whole file.
        what: String,
        /// What it is.
        found: String,
    },
    /// A key that is no text.
    #[error("a key should be a word, but this is {found}")]
    KeyNotText {
        /// What it is.
        found: String,
    },
    /// No such key.
    #[error("there is no setting `{path}`{}", hint(.nearest.as_ref()))]
    UnknownKey {
        /// Its full name.
        path: String,
        /// The one that was perhaps meant.
        nearest: Option<String>,
    },
    /// The same key again.
    #[error("`{path}` was set already{}; keep one of the two", at(.first.as_ref()))]
    Twice {
        /// Its full name.
        path: String,
        /// Where it stands first.
        first: Option<Place>,
    },
    /// A value of another type.
    #[error("`{path}` should be {expected}, but this is {found}{mend}")]
    WrongType {
        /// The key.
        path: String,
        /// What it takes.
        expected: String,
        /// What stands there.
        found: String,
        /// What to do, when that can be said.
        mend: &'static str,
    },
    /// A number beyond its limits.
    #[error("`{path}` should be {expected}, but this is {found}")]
    OutOfRange {
        /// The key.
        path: String,
        /// What it takes.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A template that would give no names of branches, or the same one twice.
    #[error("`{path}`: {why}")]
    BadTemplate {
        /// The setting.
        path: String,
        /// What is wrong.
        why: TemplateError,
    },
    /// Keys that cannot be an action's.
    #[error("`{path}`: {why}")]
    BadKeys {
        /// The part of the screen and the action.
        path: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A row of the table of agents, or a profile, that cannot be.
    #[error("`{path}`: {why}")]
    BadAgent {
        /// Its full name.
        path: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A text that is empty or has control characters.
    #[error("`{path}` has a text that is empty or more than one line; give one line that says something")]
    BadText {
        /// The key.
        path: String,
    },
    /// The rest of a long list of mistakes.
    #[error("has {0} more mistakes; mend these first")]
    More(usize),
    /// Another word than those there are.
    #[error("`{path}` should be {expected}, but this is {found:?}{}", word_hint(.nearest.as_ref()))]
    NoSuchWord {
        /// The key.
        path: String,
        /// What it takes.
        expected: String,
        /// What stands there.
        found: String,
        /// The one that was perhaps meant.
        nearest: Option<String>,
    },
    /// An entry of a list without what it cannot be without.
    #[error("`{path}` lacks `{key}`; add it, or delete the entry")]
    Missing {
        /// The entry.
        path: String,
        /// What it lacks.
        key: &'static str,
    },
    /// A text that a program would take for a flag.
    #[error("`{path}` begins with `-`, so a program would take it for a flag; write a name")]
    LooksLikeFlag {
        /// The key.
        path: String,
    },
    /// Several values for a setting that has one.
    #[error("`{path}` takes one value; put it in quotes if it has spaces")]
    OneValue {
        /// The key.
        path: String,
    },
    /// A name that has no effect.
    #[error("`{path}` {note}")]
    OldName {
        /// The name.
        path: String,
        /// What to know or do about it.
        note: &'static str,
    },
    /// A name that could mean something to a path, a shell or a terminal.
    #[error(
        "`{path}`: a name here is made of letters, digits, `-` and `_`, begins with a letter or a digit, and has at most \
         {} characters",
        super::names::NAME_BYTES_MAX
    )]
    BadName {
        /// Its full name.
        path: String,
    },
    /// A variable that cannot be set.
    #[error("`{path}`: a variable's name is made of letters, digits and `_`, and does not begin with a digit")]
    BadVariable {
        /// Its full name.
        path: String,
    },
    /// A variable that Draft sets.
    #[error("`{path}`: variables that begin with `DRAFT_` are Draft's own; choose another name")]
    OwnVariable {
        /// Its full name.
        path: String,
    },
    /// What a repository could use to give itself more room.
    #[error(
        "`{path}` must not have `{what}` in a repository's file, since it can decide what other programs load, where keys \
         go or what agents may do; if you want it, set it in your own file and delete it here"
    )]
    Widens {
        /// The key.
        path: String,
        /// The variable or argument.
        what: String,
    },
    /// A number that is none, or too large.
    #[error("`{path}` has a number that is too large or none; write one with fewer digits")]
    NoNumber {
        /// The key.
        path: String,
    },
    /// A key that a repository may not decide.
    #[error("`{path}` is yours to decide and not a repository's; set it in your own file and delete it here")]
    UserOnly {
        /// The key.
        path: String,
    },
}

fn hint(nearest: Option<&String>) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => "; delete it, or see Draft's own `draft.yaml` for all that there are".to_owned(),
    }
}

fn word_hint(nearest: Option<&String>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

fn at(place: Option<&Place>) -> String {
    place.map(|place| format!(" in line {}", place.line)).unwrap_or_default()
}

/// A key that is known and has no effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Warning {
    /// The file.
    pub file: PathBuf,
    /// Where in it, when that is known.
    pub place: Option<Place>,
    /// The key.
    pub path: String,
    /// What to know or do about it.
    pub note: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(place) = self.place {
            write!(f, "{place}:")?;
        }
        write!(f, " `{}` {}", self.path, self.note)
    }
}
