//! What is known of a key of a configuration file: its type, range and place, who may set it, and whether it can make
//! something run. The rows themselves are in `table`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::later::Webhook;
use super::table::PROFILE;
use super::{CommandSpec, Config, ExecutorProfile, SECRET};

/// A key of the settings `S`, and what is known of it.
#[derive(Debug)]
pub struct Key<S: 'static = Config> {
    /// Its name: from the root such as `execute_config.timeout`, or within the entry of a map such as `timeout`.
    pub path: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Its type, range and place.
    pub(super) kind: Kind<S>,
    /// Who may set it.
    pub(super) who: Who,
    /// Whether a repository's value needs the user's trust.
    pub(super) runs: Runs,
    /// Whether it has an effect.
    pub(super) used: Used,
}

/// The type of a value, its limits, and where in the settings it is kept.
#[derive(Debug)]
pub(super) enum Kind<S: 'static> {
    /// Whole seconds.
    Seconds { least: u64, most: u64, at: fn(&mut S) -> &mut Duration },
    /// Whole seconds, or nothing.
    OptionalSeconds { least: u64, most: u64, at: fn(&mut S) -> &mut Option<Duration> },
    /// A small number.
    Count { least: u32, most: u32, at: fn(&mut S) -> &mut u32 },
    /// A size.
    Bytes { least: u64, most: u64, at: fn(&mut S) -> &mut u64 },
    /// On or off.
    Switch { at: fn(&mut S) -> &mut bool },
    /// A line of text.
    Text { at: fn(&mut S) -> &mut String },
    /// Text of several lines.
    Lines { at: fn(&mut S) -> &mut String },
    /// A template for the names of branches.
    BranchTemplate { at: fn(&mut S) -> &mut String },
    /// A line of text, or nothing.
    OptionalText { at: fn(&mut S) -> &mut Option<String> },
    /// One of these words.
    Word { words: &'static [&'static str], at: fn(&mut S) -> &mut String },
    /// The address of a web server.
    Url { at: fn(&mut S) -> &mut String },
    /// Commands, each a line of text or a map.
    Commands { at: fn(&mut S) -> &mut Vec<CommandSpec> },
    /// Whom to tell what happens.
    Webhooks { at: fn(&mut S) -> &mut Vec<Webhook> },
    /// Lines of text.
    Texts { at: fn(&mut S) -> &mut Vec<String> },
    /// Arguments for an agent.
    Flags { at: fn(&mut S) -> &mut Vec<String> },
    /// Variables of an environment, by name.
    Variables { at: fn(&mut S) -> &mut BTreeMap<String, String> },
    /// Ways to run an agent, by name.
    Profiles { at: fn(&mut S) -> &mut BTreeMap<String, ExecutorProfile> },
    /// Rows for the table of agents, by name.
    Rows { at: fn(&mut S) -> &mut BTreeMap<String, Value> },
    /// A name without effect: any value is taken and a warning says this.
    Old { note: &'static str },
}

/// Who may set a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// The user and the repository.
    Anybody,
    /// The user alone: it gives agents more room.
    User,
}

/// Whether a key can cause something to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Runs {
    /// A repository's value needs the user's trust.
    Something,
    /// It is harmless.
    Nothing,
}

/// Whether a key has an effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Used {
    /// It has.
    Now,
    /// It is checked, and nothing uses it yet.
    Later,
}

/// A single value: that of a key, or of an entry of a key that holds a map.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Leaf {
    /// Its full name.
    pub(super) path: String,
    /// What it does.
    pub(super) about: &'static str,
    /// Its value.
    pub(super) value: Value,
    /// Whether a repository's value needs the user's trust.
    pub(super) runs: Runs,
    /// Whether it has an effect.
    pub(super) used: Used,
}

impl<S> Key<S> {
    pub(super) const fn new(path: &'static str, about: &'static str, kind: Kind<S>) -> Self {
        Self { path, about, kind, who: Who::Anybody, runs: Runs::Nothing, used: Used::Now }
    }

    pub(super) const fn user(self) -> Self {
        Self { who: Who::User, ..self }
    }

    pub(super) const fn runs(self) -> Self {
        Self { runs: Runs::Something, ..self }
    }

    pub(super) const fn later(self) -> Self {
        Self { used: Used::Later, ..self }
    }

    /// Returns the values of this key: one, or those of the entries of a map; none for a key that has no effect.
    pub(super) fn leaves(&self, prefix: &str, settings: &mut S) -> Vec<Leaf> {
        let path = join(prefix, self.path);
        let entry = |path, value| Leaf { path, about: self.about, value, runs: self.runs, used: self.used };
        let value = match &self.kind {
            Kind::Seconds { at, .. } => json!(at(settings).as_secs()),
            Kind::OptionalSeconds { at, .. } => json!(at(settings).map(|time| time.as_secs())),
            Kind::Count { at, .. } => json!(at(settings)),
            Kind::Bytes { at, .. } => json!(at(settings)),
            Kind::Switch { at } => json!(at(settings)),
            Kind::Text { at }
            | Kind::Lines { at }
            | Kind::BranchTemplate { at }
            | Kind::Word { at, .. }
            | Kind::Url { at } => {
                json!(at(settings))
            }
            Kind::Commands { at } => at(settings).iter().map(command).collect(),
            Kind::Webhooks { at } => at(settings).iter().map(webhook).collect(),
            Kind::OptionalText { at } => json!(at(settings)),
            Kind::Texts { at } | Kind::Flags { at } => json!(at(settings)),
            Kind::Variables { at } => {
                return at(settings).iter().map(|(name, text)| entry(join(&path, name), json!(text))).collect();
            }
            Kind::Rows { at } => {
                return at(settings).iter().map(|(name, row)| entry(join(&path, name), row.clone())).collect();
            }
            Kind::Profiles { at } => {
                let profiles = at(settings).iter_mut().flat_map(|(name, profile)| {
                    let prefix = join(&path, name);
                    PROFILE.iter().flat_map(|key| key.leaves(&prefix, profile)).collect::<Vec<_>>()
                });
                return profiles.collect();
            }
            Kind::Old { .. } => return Vec::new(),
        };
        vec![entry(path, value)]
    }
}

impl<S> Kind<S> {
    /// Returns what it takes, in words.
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Seconds { least, most, .. } => format!("a whole number of seconds from {least} to {most}"),
            Self::OptionalSeconds { least, most, .. } => {
                format!("a whole number of seconds from {least} to {most}, or null")
            }
            Self::Count { least, most, .. } => format!("a whole number from {least} to {most}"),
            Self::Bytes { least, most, .. } => format!("a whole number of bytes from {least} to {most}"),
            Self::Switch { .. } => "true or false".to_owned(),
            Self::Lines { .. } => "a text of one or more lines".to_owned(),
            Self::Text { .. } | Self::BranchTemplate { .. } => "a text".to_owned(),
            Self::OptionalText { .. } => "a text or null".to_owned(),
            Self::Word { words, .. } => format!("one of {}", words.join(", ")),
            Self::Url { .. } => "an address that begins with https:// or http://".to_owned(),
            Self::Texts { .. } | Self::Flags { .. } => "a list of texts".to_owned(),
            Self::Commands { .. } => {
                "a list of commands, each a text or a map of `run`, `shell` and `timeout`".to_owned()
            }
            Self::Webhooks { .. } => "a list of maps of `url`, `events` and `secret`".to_owned(),
            Self::Variables { .. } => "a map of variables".to_owned(),
            Self::Profiles { .. } => "a map of profiles by name".to_owned(),
            Self::Rows { .. } => "a map of agents by name".to_owned(),
            Self::Old { .. } => "nothing".to_owned(),
        }
    }
}

fn command(command: &CommandSpec) -> Value {
    match (command.shell, command.timeout) {
        (false, None) => json!(command.run),
        (shell, None) => json!({ "run": command.run, "shell": shell }),
        (shell, Some(time)) => json!({ "run": command.run, "shell": shell, "timeout": time.as_secs() }),
    }
}

/// A secret is nobody's to see: it is said that there is one.
fn webhook(hook: &Webhook) -> Value {
    let secret = hook.secret.as_ref().map(|_| SECRET);
    json!({ "url": hook.url, "events": hook.events, "secret": secret })
}

/// Returns the full name of what stands in a section; the file itself is the section without a name.
pub(super) fn join(section: &str, name: &str) -> String {
    match (section, name) {
        ("", name) => name.to_owned(),
        (section, "") => section.to_owned(),
        (section, name) => format!("{section}.{name}"),
    }
}

/// Returns the row of a key.
pub(super) fn find<S>(table: &'static [Key<S>], path: &str) -> Option<&'static Key<S>> {
    table.iter().find(|key| key.path == path)
}

/// Says whether keys begin with this name and a dot.
pub(super) fn is_section<S>(table: &[Key<S>], path: &str) -> bool {
    table.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Returns the names that can stand directly in a section; the file itself is the section without a name.
pub(super) fn names_in<S>(table: &'static [Key<S>], section: &str) -> impl Iterator<Item = &'static str> {
    table.iter().filter_map(move |key| {
        let rest = match section {
            "" => key.path,
            section => key.path.strip_prefix(section)?.strip_prefix('.')?,
        };
        rest.split('.').next()
    })
}
