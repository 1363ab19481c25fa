//! What the sample repository's tickets are, and what the demo agent does about each: read from `fixes.yaml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

/// The goal and the tickets of the sample repository.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixes {
    pub(crate) goal: GoalRow,
    pub(crate) tickets: Vec<Fix>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoalRow {
    pub(crate) title: String,
    pub(crate) description: String,
}

/// A ticket with what the agent knows of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fix {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) priority: u8,
    #[serde(default)]
    pub(crate) after: Vec<String>,
    pub(crate) accepted: bool,
    pub(crate) verify: Vec<String>,
    /// What the agent does, in the order in which it is tried.
    pub(crate) attempts: Vec<Attempt>,
}

/// One way to work on a ticket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempt {
    /// A word that the prompt must have for this attempt: the answer to a question.
    #[serde(default)]
    pub(crate) answer: Option<String>,
    pub(crate) thinks: String,
    #[serde(default)]
    pub(crate) reads: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) edits: Vec<Edit>,
    #[serde(default)]
    pub(crate) deletes: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) runs: Vec<String>,
    pub(crate) says: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    pub(crate) path: PathBuf,
    pub(crate) old: String,
    pub(crate) new: String,
}

/// Returns the table, which is compiled in.
pub(crate) fn known() -> &'static Fixes {
    static FIXES: LazyLock<Fixes> = LazyLock::new(|| {
        serde_yaml::from_str(include_str!("../../assets/demo/fixes.yaml")).expect("fixes.yaml is well-formed")
    });
    &FIXES
}

impl Fixes {
    /// Returns the ticket whose title is in this one.
    pub(crate) fn find(&self, title: &str) -> Option<&Fix> {
        let title = title.to_lowercase();
        self.tickets.iter().find(|fix| title.contains(&fix.title.to_lowercase()))
    }
}

impl Fix {
    /// Returns the first attempt that fits: its answer was given, and the files still hold what it replaces.
    pub(crate) fn attempt(&self, prompt: &str, dir: &Path) -> Option<&Attempt> {
        // The question itself names the answers, and an earlier turn may be quoted in the prompt.
        let asked = self.attempts.iter().filter(|attempt| attempt.is_question());
        let prompt = asked.fold(prompt.to_owned(), |prompt, question| prompt.replace(question.says.trim(), ""));
        self.attempts.iter().find(|attempt| {
            attempt.answer.as_ref().is_none_or(|word| prompt.contains(word.as_str()))
                && attempt.edits.iter().all(|edit| edit.fits(dir))
        })
    }
}

impl Attempt {
    fn is_question(&self) -> bool {
        self.edits.is_empty() && self.says.trim_end().ends_with('?')
    }
}

impl Edit {
    fn fits(&self, dir: &Path) -> bool {
        fs::read_to_string(dir.join(&self.path)).is_ok_and(|text| text.contains(&self.old))
    }
}
