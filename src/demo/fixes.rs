//! What the sample repository's tickets are, and what the demo agent does about each: read from `fixes.yaml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;

/// The goal and the tickets of the sample repository.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixes {
    pub(super) goal: GoalRow,
    pub(super) tickets: Vec<Fix>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoalRow {
    pub(super) title: String,
    pub(super) description: String,
}

/// A ticket with what the agent knows of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fix {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) priority: u8,
    #[serde(default)]
    pub(super) after: Vec<String>,
    pub(super) accepted: bool,
    pub(super) verify: Vec<String>,
    /// What the agent does, in the order in which it is tried.
    pub(super) attempts: Vec<Attempt>,
}

/// One way to work on a ticket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attempt {
    /// A word that the prompt must have for this attempt: the answer to a question.
    #[serde(default)]
    pub(super) answer: Option<String>,
    pub(super) thinks: String,
    #[serde(default)]
    pub(super) reads: Vec<PathBuf>,
    #[serde(default)]
    pub(super) edits: Vec<Edit>,
    #[serde(default)]
    pub(super) deletes: Vec<PathBuf>,
    #[serde(default)]
    pub(super) runs: Vec<String>,
    pub(super) says: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    pub(super) path: PathBuf,
    pub(super) old: String,
    pub(super) new: String,
}

/// Returns the table, which is compiled in.
pub(super) fn known() -> &'static Fixes {
    static FIXES: LazyLock<Fixes> = LazyLock::new(|| {
        serde_yaml::from_str(include_str!("../../assets/demo/fixes.yaml")).expect("fixes.yaml is well-formed")
    });
    &FIXES
}

impl Fixes {
    /// Returns the ticket whose title is in this one.
    pub(super) fn find(&self, title: &str) -> Option<&Fix> {
        let title = title.to_lowercase();
        self.tickets.iter().find(|fix| title.contains(&fix.title.to_lowercase()))
    }
}

impl Fix {
    /// Says whether the files that the ticket is about are there: another repository may have a ticket of that name.
    pub(super) fn is_about(&self, dir: &Path) -> bool {
        self.attempts.iter().flat_map(|attempt| &attempt.reads).all(|path| dir.join(path).is_file())
    }

    /// Returns the first attempt that fits: its answer was given, and the files still hold what it replaces.
    pub(super) fn attempt(&self, prompt: &str, dir: &Path) -> Option<&Attempt> {
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
