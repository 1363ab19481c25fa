//! Turns values of a file into values of the settings, each checked for its type and its limits.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::keys::{Kind, join};
use super::nearest::nearest;
use super::problem::Problem;
use super::tree::{Node, Value};
use crate::domain::branch_template::BranchTemplate;

/// The number of the value that is wrong, and how.
pub(super) type Wrong = (usize, Problem);

/// Takes over a single value; keys with entries of their own are walked elsewhere.
pub(super) fn take<S>(kind: &Kind<S>, path: &str, node: &Node, settings: &mut S) -> Result<(), Wrong> {
    let expected = kind.expected();
    match kind {
        Kind::Seconds { least, most, at } => {
            *at(settings) = Duration::from_secs(whole(path, node, *least..=*most, &expected)?);
        }
        Kind::OptionalSeconds { least, most, at } => {
            *at(settings) = match node.value {
                Value::Null => None,
                _ => Some(Duration::from_secs(whole(path, node, *least..=*most, &expected)?)),
            };
        }
        Kind::Count { least, most, at } => {
            let number = whole(path, node, u64::from(*least)..=u64::from(*most), &expected)?;
            *at(settings) = u32::try_from(number).unwrap_or(*most);
        }
        Kind::Bytes { least, most, at } => *at(settings) = whole(path, node, *least..=*most, &expected)?,
        Kind::Switch { at } => {
            let Value::Switch(on) = node.value else {
                return Err(wrong_type(path, node, &expected, Takes::Else));
            };
            *at(settings) = on;
        }
        Kind::Lines { at } => *at(settings) = text(path, node, &expected, Takes::Lines)?,
        Kind::Text { at } => *at(settings) = no_flag(path, node, text(path, node, &expected, Takes::Text)?)?,
        Kind::Word { words, at } => {
            let word = text(path, node, &expected, Takes::Text)?;
            if !words.contains(&word.as_str()) {
                let near = nearest(&word, words.iter().copied()).map(str::to_owned);
                let problem = Problem::NoSuchWord { path: path.to_owned(), expected, found: word, nearest: near };
                return Err((node.number, problem));
            }
            *at(settings) = word;
        }
        Kind::Url { at } => {
            let url = text(path, node, &expected, Takes::Text)?;
            let has_host = |scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
            if !has_host("https://") && !has_host("http://") || url.contains(char::is_whitespace) {
                return Err(wrong_type(path, node, &expected, Takes::Text));
            }
            *at(settings) = url;
        }
        Kind::BranchTemplate { at } => {
            let template = text(path, node, &expected, Takes::Text)?;
            if let Err(why) = template.parse::<BranchTemplate>() {
                return Err((node.number, Problem::BadTemplate { path: path.to_owned(), why }));
            }
            *at(settings) = template;
        }
        Kind::OptionalText { at } => {
            *at(settings) = match node.value {
                Value::Null => None,
                _ => Some(no_flag(path, node, text(path, node, &expected, Takes::Text)?)?),
            };
        }
        Kind::Texts { at } => *at(settings) = texts(path, node)?,
        Kind::Flags { .. }
        | Kind::Commands { .. }
        | Kind::Webhooks { .. }
        | Kind::Variables { .. }
        | Kind::Profiles { .. }
        | Kind::Rows { .. }
        | Kind::Old { .. } => {}
    }
    Ok(())
}

/// Refuses what becomes a word of a command line and would be taken for a flag there.
fn no_flag(path: &str, node: &Node, text: String) -> Result<String, Wrong> {
    if text.starts_with('-') {
        return Err((node.number, Problem::LooksLikeFlag { path: path.to_owned() }));
    }
    Ok(text)
}

/// Returns a list of lines of text.
pub(super) fn texts(path: &str, node: &Node) -> Result<Vec<String>, Wrong> {
    let expected = "a list of texts";
    list(path, node, expected)?.iter().map(|node| line(path, node, expected)).collect()
}

/// Returns the entries of a list.
pub(super) fn list<'n>(path: &str, node: &'n Node, expected: &str) -> Result<&'n [Node], Wrong> {
    match &node.value {
        Value::List(list) => Ok(list),
        _ => Err(wrong_type(path, node, expected, Takes::List)),
    }
}

/// Returns a line of text.
pub(super) fn line(path: &str, node: &Node, expected: &str) -> Result<String, Wrong> {
    text(path, node, expected, Takes::List)
}

/// Returns a line of text that may be empty.
pub(super) fn plain_text(path: &str, node: &Node) -> Result<String, Wrong> {
    match &node.value {
        Value::Text(text) if text.is_empty() => Ok(String::new()),
        _ => text(path, node, "a text", Takes::Text),
    }
}

/// Returns any value as JSON.
pub(super) fn json(path: &str, node: &Node) -> Result<serde_json::Value, Wrong> {
    Ok(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Switch(on) => (*on).into(),
        Value::Whole(number) => {
            let number = serde_json::Number::from_i128(*number);
            number.ok_or_else(|| (node.number, Problem::NoNumber { path: path.to_owned() }))?.into()
        }
        Value::Real(number) => {
            let number = serde_json::Number::from_f64(*number);
            number.ok_or_else(|| (node.number, Problem::NoNumber { path: path.to_owned() }))?.into()
        }
        Value::Text(text) => text.clone().into(),
        Value::List(list) => list.iter().map(|node| json(path, node)).collect::<Result<_, _>>()?,
        Value::Map(map) => {
            let mut names = BTreeSet::new();
            let entries = map.iter().map(|(key, value)| {
                let Value::Text(name) = &key.value else {
                    return Err((key.number, Problem::KeyNotText { found: key.value.describe() }));
                };
                let path = join(path, name);
                if !names.insert(name) {
                    return Err((key.number, Problem::Twice { path, first: None }));
                }
                Ok((name.clone(), json(&path, value)?))
            });
            serde_json::Value::Object(entries.collect::<Result<_, _>>()?)
        }
    })
}

fn whole(path: &str, node: &Node, range: RangeInclusive<u64>, expected: &str) -> Result<u64, Wrong> {
    let Value::Whole(number) = node.value else {
        return Err(wrong_type(path, node, expected, Takes::Else));
    };
    match u64::try_from(number) {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) | Err(_) => {
            let (path, expected) = (path.to_owned(), expected.to_owned());
            Err((node.number, Problem::OutOfRange { path, expected, found: number.to_string() }))
        }
    }
}

/// What a key takes, as far as that helps to mend a value of another type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Text,
    /// Text with line ends in it.
    Lines,
    List,
    Else,
}

fn text(path: &str, node: &Node, expected: &str, takes: Takes) -> Result<String, Wrong> {
    let Value::Text(text) = &node.value else {
        return Err(wrong_type(path, node, expected, takes));
    };
    if text.trim().is_empty() || text.chars().any(|c| c.is_control() && !(takes == Takes::Lines && c == '\n')) {
        return Err((node.number, Problem::BadText { path: path.to_owned() }));
    }
    if text.contains(is_unseen) {
        return Err((node.number, Problem::Unseen { path: path.to_owned() }));
    }
    Ok(text.clone())
}

/// Says whether a character makes people read another text than a program does.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn wrong_type(path: &str, node: &Node, expected: &str, takes: Takes) -> Wrong {
    let mend = match (&node.value, takes) {
        (Value::Null, Takes::List) => "; write [] for none, or delete the line for the default",
        (Value::Null, _) => "; delete the line for the default",
        (Value::Text(_), Takes::List) => "; write it as a list: [\"…\"]",
        (Value::Switch(_) | Value::Whole(_) | Value::Real(_), Takes::Text | Takes::Lines | Takes::List) => {
            "; put it in quotes"
        }
        (Value::Switch(_) | Value::Whole(_) | Value::Real(_), Takes::Else)
        | (Value::Text(_), Takes::Text | Takes::Lines | Takes::Else)
        | (Value::List(_) | Value::Map(_), _) => "",
    };
    let problem =
        Problem::WrongType { path: path.to_owned(), expected: expected.to_owned(), found: node.value.describe(), mend };
    (node.number, problem)
}
