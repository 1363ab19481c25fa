//! One agent CLI as a row of the table says it, and what a row may not say. `assets/executors.yaml` explains each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decode::Dialect;
use super::template;
use crate::config::Origin;
use crate::domain::state::words;
use crate::domain::ticket::Usage;

/// One agent CLI.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Executor {
    /// What people type.
    pub name: String,
    /// What they may type too: older names, and those of what it replaced.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What people read; its name where a row of the user's says nothing.
    #[serde(default)]
    pub display: String,
    /// What to start.
    pub program: Program,
    /// Arguments that print the version.
    #[serde(default)]
    pub version: Vec<String>,
    /// What to do when it is missing.
    #[serde(default)]
    pub install: String,
    /// The version that was seen at work; nothing where the row follows the program's documentation alone.
    #[serde(default)]
    pub seen: Option<String>,
    /// What else people should know before they choose it.
    #[serde(default)]
    pub note: Option<String>,
    /// How it is told whether somebody is signed in.
    #[serde(default)]
    pub login: Login,
    /// A person works in it; Draft only hands over.
    #[serde(default)]
    pub interactive: bool,
    /// How its output is read.
    #[serde(default = "plain")]
    pub dialect: Dialect,
    /// How it gets the prompt.
    pub prompt: PromptBy,
    /// Who names its session.
    #[serde(default = "nobody")]
    pub session: SessionBy,
    /// What its token counts cover.
    #[serde(default = "one_run")]
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
    /// Memory that it and what it starts take at their most, in MiB; 0 is not known.
    #[serde(default)]
    pub memory: u32,
    /// The model that it is asked to use when nobody asks for another one; nothing leaves the choice to it.
    #[serde(default)]
    pub default_model: Option<String>,
    /// Arguments that are always added in place of `{extra}`.
    #[serde(default)]
    pub extra: Vec<String>,
    /// Longest time of one attempt, in seconds, in place of the setting for all agents.
    #[serde(default)]
    pub timeout: Option<u64>,
    /// The agent of which it is a profile.
    #[serde(skip)]
    pub profile_of: Option<String>,
    /// Who brought the row.
    #[serde(skip, default = "built_in")]
    pub source: Origin,
}

fn built_in() -> Origin {
    Origin::BuiltIn
}

fn plain() -> Dialect {
    Dialect::Text
}

fn nobody() -> SessionBy {
    SessionBy::None
}

fn one_run() -> UsageSpan {
    UsageSpan::Run
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
#[serde(untagged, expecting = "expected the name of a program, or a list of names")]
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

/// How it is told whether somebody is signed in. No value of a variable and no content of a file is ever read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Variables that sign somebody in when they are set.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Files that are there when somebody is signed in; `~/` is the home folder.
    #[serde(default)]
    pub files: Vec<String>,
    /// Arguments that make the program say it: it ends with 0 when somebody is signed in.
    #[serde(default)]
    pub status: Vec<String>,
}

/// The two ways to let an agent work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// It may do everything without asking.
    pub everything: Grant,
    /// The least permission with which it can still edit files; nothing, written `none`, where it can only be allowed
    /// everything.
    #[serde(deserialize_with = "grant_or_none", serialize_with = "write_grant_or_none")]
    pub edits: Option<Grant>,
}

/// How an agent is told what it may do.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "GrantForm", into = "GrantForm")]
pub struct Grant {
    /// Arguments.
    pub args: Vec<String>,
    /// Variables that are added to its environment.
    pub set: BTreeMap<String, String>,
}

/// As people write it: arguments alone, or with variables.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a list of arguments, or `args` and `set`")]
enum GrantForm {
    Args(Vec<String>),
    Full(FullGrant),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FullGrant {
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    set: BTreeMap<String, String>,
}

impl From<GrantForm> for Grant {
    fn from(form: GrantForm) -> Self {
        match form {
            GrantForm::Args(args) => Self { args, set: BTreeMap::new() },
            GrantForm::Full(FullGrant { args, set }) => Self { args, set },
        }
    }
}

impl From<Grant> for GrantForm {
    fn from(Grant { args, set }: Grant) -> Self {
        if set.is_empty() { Self::Args(args) } else { Self::Full(FullGrant { args, set }) }
    }
}

/// As people write it where there may be none.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a list of arguments, `args` and `set`, or none")]
enum EditsForm {
    Never(Never),
    Some(GrantForm),
}

#[derive(Serialize, Deserialize)]
enum Never {
    #[serde(rename = "none")]
    None,
}

fn grant_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Grant>, D::Error> {
    Ok(match EditsForm::deserialize(from)? {
        EditsForm::Never(Never::None) => None,
        EditsForm::Some(form) => Some(form.into()),
    })
}

fn write_grant_or_none<S: Serializer>(edits: &Option<Grant>, to: S) -> Result<S::Ok, S::Error> {
    let form = match edits {
        None => EditsForm::Never(Never::None),
        Some(grant) => EditsForm::Some(grant.clone().into()),
    };
    form.serialize(to)
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

    /// Returns the names of its program that are looked for, in words.
    pub fn looked_for(&self) -> String {
        let names = match &self.program {
            Program::Draft => vec!["draft".to_owned()],
            Program::Named(names) => names.clone(),
        };
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
    }

    /// Says whether it does the same, whatever it is allowed.
    pub fn is_held_by_nothing(&self) -> bool {
        self.approve.edits.as_ref() == Some(&self.approve.everything)
    }

    /// Says whether it answers to that name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Returns what is wrong with the row, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let mut names = std::iter::once(&self.name).chain(&self.aliases);
        if names.any(|name| name.is_empty() || !name.chars().all(good)) {
            return Some("a name has small letters, digits, `-` and `_` only".to_owned());
        }
        if let Program::Named(names) = &self.program
            && (names.is_empty()
                || names.iter().any(|name| name.is_empty() || (name.contains('/') && !name.starts_with('/'))))
        {
            return Some("`program` needs names to look for on PATH, or absolute paths".to_owned());
        }
        if !self.model.is_empty() && !self.model.iter().any(|arg| arg.contains("{model}")) {
            return Some("`model` needs `{model}`".to_owned());
        }
        let lines = std::iter::once(("start", &self.start)).chain(self.resume.iter().map(|line| ("resume", line)));
        for (key, line) in lines {
            if let Some(problem) = template::problem(line, self.prompt).or_else(|| self.lack(line)) {
                return Some(format!("`{key}` {problem}"));
            }
        }
        self.problem_with_sessions().or_else(|| self.problem_with_variables())
    }

    fn grants(&self) -> impl Iterator<Item = &Grant> {
        std::iter::once(&self.approve.everything).chain(&self.approve.edits)
    }

    /// Returns which of the row's arguments have no place in a command line.
    fn lack(&self, line: &[String]) -> Option<String> {
        let has = |name: &str| line.iter().any(|arg| arg == name);
        let lost = if self.grants().any(|grant| !grant.args.is_empty()) && !has("{approve}") {
            "{approve}"
        } else if !self.model.is_empty() && !has("{model}") {
            "{model}"
        } else if !self.extra.is_empty() && !has("{extra}") {
            "{extra}"
        } else {
            return None;
        };
        Some(format!("needs {lost}, since the row says what it becomes"))
    }

    fn problem_with_sessions(&self) -> Option<String> {
        let has_session = |line: &[String]| line.iter().any(|arg| arg.contains("{session}"));
        let wrong = if self.session == SessionBy::Chosen && !has_session(&self.start) {
            "`session: chosen` needs `{session}` in `start`"
        } else if self.session != SessionBy::Chosen && has_session(&self.start) {
            "`{session}` in `start` needs `session: chosen`"
        } else if self.resume.as_ref().is_some_and(|line| !has_session(line)) {
            "`resume` needs `{session}`"
        } else if self.session == SessionBy::None && (self.resume.is_some() || !self.takeover.is_empty()) {
            "`resume` and `takeover` need a session, but `session` says none"
        } else if self.model.is_empty() && self.default_model.is_some() {
            "`default_model` needs `model`, which says how it is asked for one"
        } else {
            return None;
        };
        Some(wrong.to_owned())
    }

    fn problem_with_variables(&self) -> Option<String> {
        let mut all = self.set.iter().chain(self.grants().flat_map(|grant| &grant.set));
        let bad = |text: &str| text.contains('\0');
        all.any(|(name, value)| name.is_empty() || name.contains('=') || bad(name) || bad(value))
            .then(|| "a variable's name must not be empty or hold `=`, and neither it nor its value a NUL".to_owned())
    }
}
