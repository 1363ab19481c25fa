//! Lays one file over the settings: walks its tree along the table of keys and gathers all that is wrong.

use std::collections::{BTreeMap, HashMap};

use super::keys::{self, Key, Kind, Used, Who, join};
use super::later::Webhook;
use super::nearest::nearest;
use super::problem::{ConfigError, Problem, Warning};
use super::table::{COMMAND, KEYS, PROFILE, WEBHOOK};
use super::tree::{self, Node, Value};
use super::values::{self, Wrong};
use super::{CommandSpec, ExecutorProfile, Loaded, Origin, SourceFile, Spot, names};

/// Most mistakes of one file that are told; each costs another look at the file.
const ERRORS_MAX: usize = 20;

/// Takes over what the file sets, and returns what is wrong in it.
pub(super) fn lay_over(loaded: &mut Loaded, source: &SourceFile, origin: Origin) -> Vec<ConfigError> {
    let error = |place, problem| ConfigError { file: source.path.clone(), place, problem };
    let root = match tree::parse(&source.bytes) {
        Ok(root) => root,
        Err((place, problem)) => return vec![error(place, problem)],
    };
    let Loaded { config, warnings, origins, spots } = loaded;
    let mut walk = Walk { source, origin, origins, warnings, spots, wrong: Vec::new() };
    walk.section(Here { table: KEYS, prefix: "", path: "" }, &root, config);
    let mut wrong = walk.wrong;
    // Keys that were given twice are seen before what is in their section.
    wrong.sort_by_key(|(number, _)| *number);
    let more = wrong.len().saturating_sub(ERRORS_MAX);
    let located = wrong.into_iter().take(ERRORS_MAX);
    let located = located.map(|(number, problem)| error(tree::locate(&source.bytes, number), problem));
    located.chain((more > 0).then(|| error(None, Problem::More(more)))).collect()
}

struct Walk<'a> {
    source: &'a SourceFile,
    origin: Origin,
    origins: &'a mut BTreeMap<String, Origin>,
    warnings: &'a mut Vec<Warning>,
    spots: &'a mut BTreeMap<String, Spot>,
    wrong: Vec<Wrong>,
}

/// A section: a table, the full name of what it describes, and the name of the section within that.
struct Here<'a, S: 'static> {
    table: &'static [Key<S>],
    prefix: &'a str,
    path: &'a str,
}

impl Walk<'_> {
    fn section<S>(&mut self, here: Here<'_, S>, node: &Node, settings: &mut S) {
        for (name, key, value) in self.entries(&join(here.prefix, here.path), node) {
            let path = join(here.path, name);
            if let Some(row) = keys::find(here.table, &path) {
                self.set(row, here.prefix, (key, value), settings);
            } else if keys::is_section(here.table, &path) {
                self.section(Here { path: &path, ..here }, value, settings);
            } else {
                let nearest = meant(here.table, here.path, name).map(|near| join(here.prefix, &near));
                let path = join(here.prefix, &path);
                self.wrong.push((key.number, Problem::UnknownKey { path, nearest }));
            }
        }
    }

    /// Returns the entries of a map, each key once, and tells of all that are none.
    fn entries<'n>(&mut self, path: &str, node: &'n Node) -> Vec<(&'n str, &'n Node, &'n Node)> {
        let map = match &node.value {
            // A section whose keys are all commented out.
            Value::Null => return Vec::new(),
            Value::Map(map) => map,
            other @ (Value::Switch(_) | Value::Whole(_) | Value::Real(_) | Value::Text(_) | Value::List(_)) => {
                let what = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
                self.wrong.push((node.number, Problem::NotAMap { what, found: other.describe() }));
                return Vec::new();
            }
        };
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut entries = Vec::new();
        for (key, value) in map {
            let Value::Text(name) = &key.value else {
                self.wrong.push((key.number, Problem::KeyNotText { found: key.value.describe() }));
                continue;
            };
            match seen.get(name.as_str()) {
                Some(first) => {
                    // Beyond the limit nobody reads it.
                    let told = self.wrong.len() < ERRORS_MAX;
                    let first = if told { tree::locate(&self.source.bytes, *first) } else { None };
                    self.wrong.push((key.number, Problem::Twice { path: join(path, name), first }));
                }
                None => {
                    seen.insert(name, key.number);
                    entries.push((name.as_str(), key, value));
                }
            }
        }
        entries
    }

    fn set<S>(&mut self, row: &'static Key<S>, prefix: &str, entry: (&Node, &Node), settings: &mut S) {
        let (key, value) = entry;
        let path = join(prefix, row.path);
        if row.who == Who::User && self.origin == Origin::Repo {
            return self.wrong.push((key.number, Problem::UserOnly { path }));
        }
        if row.used == Used::Later {
            self.warn(key, path.clone(), "is known, but not in use yet");
        }
        match &row.kind {
            Kind::Old { note } => self.warn(key, path, note),
            Kind::Commands { at } => {
                let commands = self.list(&path, value, &row.kind.expected(), |walk, path, node| {
                    walk.command(path, node, &row.kind.expected())
                });
                self.keep(path, commands, at(settings));
            }
            Kind::Webhooks { at } => {
                let hooks = self.list(&path, value, &row.kind.expected(), Self::webhook);
                self.keep(path, hooks, at(settings));
            }
            Kind::Variables { at } => self.variables(&path, value, at(settings)),
            Kind::Profiles { at } => self.profiles(&path, value, at(settings)),
            Kind::Rows { at } => self.rows(&path, value, at(settings)),
            Kind::Flags { at } => {
                let repository = self.origin == Origin::Repo;
                let flags =
                    values::texts(&path, value).and_then(|flags| match flags.iter().find(|f| names::widens(f)) {
                        Some(flag) if repository => {
                            Err((value.number, Problem::Widens { path: path.clone(), what: flag.clone() }))
                        }
                        Some(_) | None => Ok(flags),
                    });
                self.keep(path, flags, at(settings));
            }
            single => match values::take(single, &path, value, settings) {
                Ok(()) => drop(self.origins.insert(path, self.origin)),
                Err(wrong) => self.wrong.push(wrong),
            },
        }
    }

    fn warn(&mut self, key: &Node, path: String, note: &'static str) {
        let place = tree::locate(&self.source.bytes, key.number);
        self.warnings.push(Warning { file: self.source.path.clone(), place, path, note });
    }

    /// Reads each entry of a list, whatever is wrong with the others.
    fn list<T>(
        &mut self,
        path: &str,
        node: &Node,
        expected: &str,
        mut read: impl FnMut(&mut Self, &str, &Node) -> Option<T>,
    ) -> Result<Vec<T>, Wrong> {
        let list = values::list(path, node, expected)?;
        let entries = list.iter().enumerate();
        Ok(entries.filter_map(|(n, node)| read(self, &format!("{path}[{n}]"), node)).collect())
    }

    fn command(&mut self, path: &str, node: &Node, expected: &str) -> Option<CommandSpec> {
        let mut command = CommandSpec::default();
        if matches!(node.value, Value::Map(_)) {
            self.section(Here { table: COMMAND, prefix: path, path: "" }, node, &mut command);
            self.demand(node, path, "run", &command.run)?;
        } else {
            match values::line(path, node, expected) {
                Ok(run) => command.run = run,
                Err(wrong) => self.wrong.push(wrong),
            }
        }
        Some(command)
    }

    fn webhook(&mut self, path: &str, node: &Node) -> Option<Webhook> {
        let mut hook = Webhook::default();
        self.section(Here { table: WEBHOOK, prefix: path, path: "" }, node, &mut hook);
        self.demand(node, path, "url", &hook.url)?;
        Some(hook)
    }

    /// Tells of an entry that lacks what it cannot be without.
    fn demand(&mut self, node: &Node, path: &str, key: &'static str, value: &str) -> Option<()> {
        if value.is_empty() {
            self.wrong.push((node.number, Problem::Missing { path: path.to_owned(), key }));
            return None;
        }
        Some(())
    }

    /// Keeps a value that is right, and tells of one that is wrong.
    fn keep<T>(&mut self, path: String, value: Result<T, Wrong>, at: &mut T) {
        match value {
            Ok(value) => {
                *at = value;
                self.origins.insert(path, self.origin);
            }
            Err(wrong) => self.wrong.push(wrong),
        }
    }

    fn variables(&mut self, path: &str, node: &Node, variables: &mut BTreeMap<String, String>) {
        for (name, key, value) in self.entries(path, node) {
            let path = join(path, name);
            if let Err(problem) = names::variable(&path, name, self.origin) {
                self.wrong.push((key.number, problem));
                continue;
            }
            let text = values::plain_text(&path, value);
            self.keep(path, text, variables.entry(name.to_owned()).or_default());
        }
    }

    /// Remembers where a thing stands that others check.
    fn note_spot(&mut self, path: &str, key: &Node) {
        if let Some(place) = tree::locate(&self.source.bytes, key.number) {
            self.spots.insert(path.to_owned(), Spot { file: self.source.path.clone(), place });
        }
    }

    fn profiles(&mut self, path: &str, node: &Node, profiles: &mut BTreeMap<String, ExecutorProfile>) {
        for (name, key, value) in self.entries(path, node) {
            let path = join(path, name);
            if !names::is_name(name) {
                self.wrong.push((key.number, Problem::BadName { path }));
                continue;
            }
            self.note_spot(&path, key);
            let profile = profiles.entry(name.to_owned()).or_default();
            self.section(Here { table: PROFILE, prefix: &path, path: "" }, value, profile);
        }
    }

    fn rows(&mut self, path: &str, node: &Node, rows: &mut BTreeMap<String, serde_json::Value>) {
        for (name, key, value) in self.entries(path, node) {
            let path = join(path, name);
            if !names::is_name(name) {
                self.wrong.push((key.number, Problem::BadName { path }));
                continue;
            }
            if !matches!(value.value, Value::Map(_)) {
                let problem = Problem::NotAMap { what: format!("`{path}`"), found: value.value.describe() };
                self.wrong.push((value.number, problem));
                continue;
            }
            self.note_spot(&path, key);
            let row = values::json(&path, value);
            self.keep(path, row, rows.entry(name.to_owned()).or_default());
        }
    }
}

/// Returns the full name that was perhaps meant: one of the same section, else a key of that name elsewhere.
pub(super) fn meant<S>(table: &'static [Key<S>], section: &str, name: &str) -> Option<String> {
    if let Some(near) = nearest(name, keys::names_in(table, section)) {
        return Some(join(section, near));
    }
    table.iter().map(|key| key.path).find(|known| known.rsplit('.').next() == Some(name)).map(str::to_owned)
}
