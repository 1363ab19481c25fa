//! Lays one file over the settings: walks its tree along the table of keys and gathers all that is wrong.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::keys::{self, Key, Kind, Who};
use super::nearest::nearest;
use super::problem::{ConfigError, Problem, Warning};
use super::tree::{self, Node, Value};
use super::{Loaded, Origin, SourceFile};
use crate::domain::branch_template::BranchTemplate;

/// Most mistakes of one file that are told; each costs another look at the file.
const ERRORS_MAX: usize = 20;

/// Takes over what the file sets, and returns what is wrong in it.
pub(super) fn lay_over(loaded: &mut Loaded, source: &SourceFile, origin: Origin) -> Vec<ConfigError> {
    let error = |place, problem| ConfigError { file: source.path.clone(), place, problem };
    let root = match tree::parse(&source.bytes) {
        Ok(root) => root,
        Err((place, problem)) => return vec![error(place, problem)],
    };
    let mut walk = Walk { loaded, source, origin, wrong: Vec::new() };
    walk.section("", &root);
    let wrong = std::mem::take(&mut walk.wrong);
    let more = wrong.len().saturating_sub(ERRORS_MAX);
    let located = wrong.into_iter().take(ERRORS_MAX);
    let located = located.map(|(number, problem)| error(tree::locate(&source.bytes, number), problem));
    located.chain((more > 0).then(|| error(None, Problem::More(more)))).collect()
}

struct Walk<'a> {
    loaded: &'a mut Loaded,
    source: &'a SourceFile,
    origin: Origin,
    /// The number of the value that is wrong, and how.
    wrong: Vec<(usize, Problem)>,
}

impl Walk<'_> {
    fn section(&mut self, path: &str, node: &Node) {
        let map = match &node.value {
            // A section whose keys are all commented out.
            Value::Null => return,
            Value::Map(map) => map,
            other @ (Value::Switch(_) | Value::Whole(_) | Value::Real(_) | Value::Text(_) | Value::List(_)) => {
                let what = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
                return self.wrong.push((node.number, Problem::NotAMap { what, found: other.describe() }));
            }
        };
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (key, value) in map {
            let Value::Text(name) = &key.value else {
                self.wrong.push((key.number, Problem::KeyNotText { found: key.value.describe() }));
                continue;
            };
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match seen.get(name.as_str()) {
                Some(first) => {
                    // Beyond the limit nobody reads it.
                    let told = self.wrong.len() < ERRORS_MAX;
                    let first = if told { tree::locate(&self.source.bytes, *first) } else { None };
                    self.wrong.push((key.number, Problem::Twice { path, first }));
                }
                None => {
                    seen.insert(name, key.number);
                    self.key(&path, key, value);
                }
            }
        }
    }

    fn key(&mut self, path: &str, key: &Node, value: &Node) {
        if let Some(row) = keys::find(path) {
            return self.set(row, key, value);
        }
        if keys::is_section(path) {
            return self.section(path, value);
        }
        self.wrong.push((key.number, Problem::UnknownKey { path: path.to_owned(), nearest: meant(path) }));
    }

    fn set(&mut self, row: &'static Key, key: &Node, value: &Node) {
        if row.who == Who::User && self.origin == Origin::Repo {
            return self.wrong.push((key.number, Problem::UserOnly { path: row.path.to_owned() }));
        }
        if let Kind::Unused { note } = row.kind {
            let place = tree::locate(&self.source.bytes, key.number);
            let file = self.source.path.clone();
            return self.loaded.warnings.push(Warning { file, place, path: row.path, note });
        }
        match self.take(row, value) {
            Ok(()) => {
                self.loaded.origins.insert(row.path, self.origin);
            }
            Err(wrong) => self.wrong.push(wrong),
        }
    }

    fn take(&mut self, row: &Key, node: &Node) -> Result<(), (usize, Problem)> {
        let config = &mut self.loaded.config;
        match &row.kind {
            Kind::Seconds { least, most, at } => {
                *at(config) = Duration::from_secs(whole(row, node, *least..=*most, " of seconds")?);
            }
            Kind::Count { least, most, at } => {
                let number = whole(row, node, u64::from(*least)..=u64::from(*most), "")?;
                *at(config) = u32::try_from(number).unwrap_or(*most);
            }
            Kind::Bytes { least, most, at } => *at(config) = whole(row, node, *least..=*most, " of bytes")?,
            Kind::Switch { at } => {
                let Value::Switch(on) = node.value else {
                    return Err(wrong_type(row, node, "true or false"));
                };
                *at(config) = on;
            }
            Kind::Text { at } => *at(config) = text(row, node, "a text")?,
            Kind::BranchTemplate { at } => {
                let template = text(row, node, "a text")?;
                if let Err(why) = template.parse::<BranchTemplate>() {
                    return Err((node.number, Problem::BadTemplate { path: row.path.to_owned(), why }));
                }
                *at(config) = template;
            }
            Kind::OptionalText { at } => {
                let empty = matches!(node.value, Value::Null);
                *at(config) = if empty { None } else { Some(text(row, node, "a text or null")?) };
            }
            Kind::Texts { at } => {
                let Value::List(list) = &node.value else {
                    return Err(wrong_type(row, node, "a list of texts"));
                };
                *at(config) = list.iter().map(|node| text(row, node, "a list of texts")).collect::<Result<_, _>>()?;
            }
            Kind::Unused { .. } => {}
        }
        Ok(())
    }
}

fn whole(row: &Key, node: &Node, range: RangeInclusive<u64>, unit: &str) -> Result<u64, (usize, Problem)> {
    let expected = format!("a whole number{unit} from {} to {}", range.start(), range.end());
    let Value::Whole(number) = node.value else {
        return Err(wrong_type(row, node, &expected));
    };
    match u64::try_from(number) {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) | Err(_) => {
            let path = row.path.to_owned();
            Err((node.number, Problem::OutOfRange { path, expected, found: number.to_string() }))
        }
    }
}

fn text(row: &Key, node: &Node, expected: &str) -> Result<String, (usize, Problem)> {
    let Value::Text(text) = &node.value else {
        return Err(wrong_type(row, node, expected));
    };
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err((node.number, Problem::BadText { path: row.path.to_owned() }));
    }
    Ok(text.clone())
}

fn wrong_type(row: &Key, node: &Node, expected: &str) -> (usize, Problem) {
    let texts = matches!(
        row.kind,
        Kind::Text { .. } | Kind::BranchTemplate { .. } | Kind::OptionalText { .. } | Kind::Texts { .. }
    );
    let list = matches!(row.kind, Kind::Texts { .. });
    let mend = match &node.value {
        Value::Null if list => "; write [] for none, or delete the line for the default",
        Value::Null => "; delete the line for the default",
        Value::Text(_) if list => "; write it as a list: [\"…\"]",
        Value::Switch(_) | Value::Whole(_) | Value::Real(_) if texts => "; put it in quotes",
        Value::Switch(_) | Value::Whole(_) | Value::Real(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => "",
    };
    let problem = Problem::WrongType {
        path: row.path.to_owned(),
        expected: expected.to_owned(),
        found: node.value.describe(),
        mend,
    };
    (node.number, problem)
}

/// Returns the full name that was perhaps meant: one of the same section, else a key of that name elsewhere.
fn meant(path: &str) -> Option<String> {
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    let full = |name: &str| if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    if let Some(near) = nearest(name, keys::names_in(section)) {
        return Some(full(near));
    }
    let elsewhere = keys::KEYS.iter().map(|key| key.path);
    elsewhere.into_iter().find(|known| known.rsplit('.').next() == Some(name)).map(str::to_owned)
}
