//! Changes one value in the text of a file and leaves every other byte as it is: comments, order, quotes, blank lines.
//!
//! It edits text by what stands in the lines, and YAML allows more than it knows. So it reads its own result, and gives it
//! only when that means what was asked for and nothing else.

use serde_json::Value;

use super::problem::{Place, Problem};
use super::tree::{self, Node};
use super::values;

/// Why a text was not changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotEdited {
    /// It cannot be read as it is.
    #[error("{}{problem}", place.map(|place| format!("{place}: ")).unwrap_or_default())]
    Unreadable {
        /// Where, when that is known.
        place: Option<Place>,
        /// Why.
        problem: Problem,
    },
    /// It is written in a way that cannot be changed safely.
    #[error("`{0}` is written there in a way that cannot be changed safely; change it in an editor")]
    TooClever(String),
    /// What leads to it is no map.
    #[error("`{0}` cannot be set there, since something above it is no map; change it in an editor")]
    NoMap(String),
}

/// Returns the text with that value for that key.
///
/// # Errors
/// When the text cannot be read, or not be changed safely.
pub fn set(text: &str, path: &str, value: &Value) -> Result<String, NotEdited> {
    change(text, path, Some(value))
}

/// Returns the text without that key; the same text when it is not there.
///
/// # Errors
/// When the text cannot be read, or not be changed safely.
pub fn unset(text: &str, path: &str) -> Result<String, NotEdited> {
    change(text, path, None)
}

fn change(text: &str, path: &str, value: Option<&Value>) -> Result<String, NotEdited> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let root = read(body)?;
    let mut wanted = meaning(&root)?;
    let names: Vec<&str> = path.split('.').collect();
    if !put(&mut wanted, &names, value) {
        return Err(NotEdited::NoMap(path.to_owned()));
    }
    let too_clever = || NotEdited::TooClever(path.to_owned());
    let edited = Editor { text: body, newline: if body.contains("\r\n") { "\r\n" } else { "\n" } };
    let edited = edited.change(&root, &names, value).ok_or_else(too_clever)?;
    let means = read(&edited).and_then(|root| meaning(&root)).map_err(|_| too_clever())?;
    if same(&means, &wanted) { Ok(format!("{mark}{edited}")) } else { Err(too_clever()) }
}

fn read(text: &str) -> Result<Node, NotEdited> {
    tree::parse(text.as_bytes()).map_err(|(place, problem)| NotEdited::Unreadable { place, problem })
}

fn meaning(root: &Node) -> Result<Value, NotEdited> {
    values::json("the file", root).map_err(|(_, problem)| NotEdited::Unreadable { place: None, problem })
}

/// Puts a value where the names lead, or takes it away; false where something on the way is no map.
fn put(at: &mut Value, names: &[&str], value: Option<&Value>) -> bool {
    let [name, rest @ ..] = names else { return false };
    if at.is_null() {
        *at = Value::Object(serde_json::Map::new());
    }
    let Value::Object(map) = at else { return false };
    match (rest, value) {
        ([], Some(value)) => drop(map.insert((*name).to_owned(), value.clone())),
        ([], None) => drop(map.remove(*name)),
        (_, None) if !map.contains_key(*name) => {}
        _ => return put(map.entry(*name).or_insert(Value::Null), rest, value),
    }
    true
}

/// Says whether two files mean the same; a section without a key is one whose keys are all commented out.
fn same(a: &Value, b: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys());
            names.into_iter().all(|name| same(a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null)))
        }
        _ => a == b || is_empty(a) && is_empty(b),
    }
}

struct Editor<'a> {
    text: &'a str,
    newline: &'static str,
}

/// Where an entry of a map stands, as offsets.
struct Entry {
    /// Its key.
    key: usize,
    /// Behind the colon.
    colon: usize,
    /// Where its value begins, when it has one that can be seen.
    value: Option<usize>,
    /// Behind its last byte that is no blank and no comment.
    end: usize,
}

impl Editor<'_> {
    fn change(&self, node: &Node, names: &[&str], value: Option<&Value>) -> Option<String> {
        let [name, rest @ ..] = names else { return None };
        let tree::Value::Map(map) = &node.value else {
            // The file has nothing in it but comments.
            return Some(match value.map(|value| self.entry(names, value, 0)) {
                Some(entry) => format!("{}{entry}{}", self.ended(self.text), self.newline),
                None => self.text.to_owned(),
            });
        };
        let found = map.iter().position(|(key, _)| matches!(&key.value, tree::Value::Text(text) if text == name));
        let Some(at) = found else {
            return match value {
                Some(value) => self.insert(node, map, names, value),
                None => Some(self.text.to_owned()),
            };
        };
        let (key, inner) = &map[at];
        let flow = self.is_flow(node)?;
        let entry = self.locate(key, inner, flow)?;
        match (rest, value) {
            ([], Some(value)) => self.replace(&entry, value, flow),
            ([], None) => self.remove(&entry, flow),
            // A section whose keys are all commented out gets its first.
            (_, Some(value)) if matches!(inner.value, tree::Value::Null) && entry.value.is_none() => {
                let nested = self.entry(rest, value, self.indent(entry.key) + 2);
                Some(self.new_line(entry.colon, &nested))
            }
            (_, None) if matches!(inner.value, tree::Value::Null) => Some(self.text.to_owned()),
            _ => self.change(inner, rest, value),
        }
    }

    /// Writes an entry with all that leads to it, without a line break at its end.
    fn entry(&self, names: &[&str], value: &Value, indent: usize) -> String {
        let pad = " ".repeat(indent);
        match names {
            [] => String::new(),
            [name] => format!("{pad}{}:{}", word(name), self.block(value, indent)),
            [name, rest @ ..] => {
                format!("{pad}{}:{}{}", word(name), self.newline, self.entry(rest, value, indent + 2))
            }
        }
    }

    /// Writes a value behind the colon of a block entry.
    fn block(&self, value: &Value, indent: usize) -> String {
        let flow = flow(value);
        match value {
            Value::Array(entries) if flow.len() + indent > 80 => {
                let pad = " ".repeat(indent + 2);
                let lines = entries.iter().map(|entry| format!("{}{pad}- {}", self.newline, self::flow(entry)));
                lines.collect()
            }
            _ => format!(" {flow}"),
        }
    }

    /// Puts a new entry at the end of a map.
    fn insert(&self, node: &Node, map: &[(Node, Node)], names: &[&str], value: &Value) -> Option<String> {
        if self.is_flow(node)? {
            let open = self.offset(node)? + 1;
            let nested = names.iter().rev().fold(None, |inner: Option<String>, name| {
                let inner = inner.map_or_else(|| flow(value), |inner| format!("{{{inner}}}"));
                Some(format!("{}: {inner}", word(name)))
            })?;
            let comma = if map.is_empty() { "" } else { ", " };
            return Some(format!("{}{nested}{comma}{}", &self.text[..open], &self.text[open..]));
        }
        let (key, inner) = map.last()?;
        let last = self.locate(key, inner, false)?;
        let entry = self.entry(names, value, self.indent(self.offset(&map.first()?.0)?));
        Some(self.new_line(last.end, &entry))
    }

    /// Puts a line behind the one that has this byte.
    fn new_line(&self, at: usize, line: &str) -> String {
        let (head, tail) = self.text.split_at(self.line_end(at));
        let tail = if tail.is_empty() { self.newline } else { tail };
        format!("{}{line}{tail}", self.ended(head))
    }

    fn replace(&self, entry: &Entry, value: &Value, is_flow: bool) -> Option<String> {
        let tail = &self.text[entry.end..];
        let block = self.block(value, self.indent(entry.key));
        match entry.value {
            // What was between the colon and the value stays.
            Some(start) if is_flow || !block.contains('\n') => {
                Some(format!("{}{}{tail}", &self.text[..start], flow(value)))
            }
            _ => Some(format!("{}{block}{tail}", &self.text[..entry.colon])),
        }
    }

    fn remove(&self, entry: &Entry, is_flow: bool) -> Option<String> {
        if is_flow {
            let (head, tail) = (&self.text[..entry.key], &self.text[entry.end..]);
            let after = tail.trim_start();
            if let Some(after) = after.strip_prefix(',') {
                return Some(format!("{head}{}", after.trim_start_matches(' ')));
            }
            let head = head.trim_end();
            return Some(format!("{}{tail}", head.strip_suffix(',').unwrap_or(head)));
        }
        let start = self.line_start(entry.key);
        let end = self.line_end(entry.end);
        let tail = &self.text[end..];
        let tail = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix('\n')).unwrap_or(tail);
        Some(format!("{}{tail}", &self.text[..start]))
    }

    fn locate(&self, key: &Node, value: &Node, is_flow: bool) -> Option<Entry> {
        let at = self.offset(key)?;
        let key_end = match self.text[at..].chars().next()? {
            '"' | '\'' => self.scalar_end(at)?,
            _ => at + self.text[at..].find(':')?,
        };
        let colon = key_end + self.text[key_end..].find(':')? + 1;
        let rest = &self.text[colon..];
        let start = colon + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if is_flow {
            return Some(Entry { key: at, colon, value: Some(start), end: self.flow_end(start)? });
        }
        let in_line = !matches!(self.text[start..].chars().next(), None | Some('\n' | '\r' | '#'));
        let extent = self.extent(at);
        let end = match self.text[start..].chars().next() {
            _ if !in_line && matches!(value.value, tree::Value::Null) => colon,
            _ if !in_line => extent,
            Some('"' | '\'' | '[' | '{') => self.flow_end(start)?,
            // A text of several lines has all of them.
            Some('|' | '>') => extent,
            _ if extent > self.line_end(at) => extent,
            _ => self.plain_end(start),
        };
        Some(Entry { key: at, colon, value: in_line.then_some(start), end })
    }

    /// Returns where the value of a block entry ends at the latest: before the next line that is not further in.
    fn extent(&self, key: usize) -> usize {
        let indent = self.indent(key);
        let mut end = self.line_end(key);
        let mut at = end;
        while at < self.text.len() {
            let line = at + self.text[at..].find('\n').map_or(self.text.len() - at, |newline| newline + 1);
            let stop = self.line_end(line);
            let content = self.text[line..stop].trim_end();
            let inner = content.len() - content.trim_start_matches(' ').len();
            let trimmed = content.trim_start();
            let dash = inner == indent && (trimmed == "-" || trimmed.starts_with("- "));
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                if inner <= indent && !dash {
                    break;
                }
                end = line + content.len();
            }
            if stop >= self.text.len() || stop <= at {
                break;
            }
            at = stop;
        }
        end
    }

    fn plain_end(&self, start: usize) -> usize {
        let line = &self.text[start..self.line_end(start)];
        let end = line.find(" #").or_else(|| line.find("\t#")).unwrap_or(line.len());
        start + line[..end].trim_end().len()
    }

    /// Returns where a value ends that is quoted, in brackets, or plain within brackets.
    fn flow_end(&self, start: usize) -> Option<usize> {
        match self.text[start..].chars().next()? {
            '"' | '\'' => self.scalar_end(start),
            '[' | '{' => {
                let mut depth = 0_usize;
                let mut at = start;
                while at < self.text.len() {
                    let c = self.text[at..].chars().next()?;
                    let before = self.text[..at].chars().next_back();
                    let begins = before.is_none_or(|before| before.is_whitespace() || "[{,:".contains(before));
                    match c {
                        '"' | '\'' if begins => {
                            at = self.scalar_end(at)?;
                            continue;
                        }
                        '#' if begins => {
                            at = self.line_end(at);
                            continue;
                        }
                        '[' | '{' => depth += 1,
                        ']' | '}' => {
                            depth -= 1;
                            if depth == 0 {
                                return Some(at + 1);
                            }
                        }
                        _ => {}
                    }
                    at += c.len_utf8();
                }
                None
            }
            _ => {
                let rest = &self.text[start..];
                let end = rest.find([',', ']', '}', '\n', '\r']).unwrap_or(rest.len());
                Some(start + rest[..end].trim_end().len())
            }
        }
    }

    fn scalar_end(&self, start: usize) -> Option<usize> {
        let quote = self.text[start..].chars().next()?;
        let mut chars = self.text[start + 1..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && quote == '"' {
                chars.next();
            } else if c == quote {
                // Two single quotes are one that is meant.
                if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                    chars.next();
                } else {
                    return Some(start + 1 + at + 1);
                }
            }
        }
        None
    }

    fn is_flow(&self, node: &Node) -> Option<bool> {
        Some(self.text[self.offset(node)?..].starts_with('{'))
    }

    fn offset(&self, node: &Node) -> Option<usize> {
        let Place { line, column } = tree::locate(self.text.as_bytes(), node.number)?;
        let start = match line.checked_sub(2) {
            None => 0,
            Some(newlines) => self.text.match_indices('\n').nth(newlines)?.0 + 1,
        };
        let within = self.text[start..].char_indices().nth(column.checked_sub(1)?);
        Some(within.map_or(self.text.len(), |(at, _)| start + at))
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        if self.text[at..end].ends_with('\r') { end - 1 } else { end }
    }

    /// Returns how far a key is from the left.
    fn indent(&self, key: usize) -> usize {
        self.text[self.line_start(key)..key].chars().count()
    }

    /// Returns the text with a line break at its end, unless there is none to end.
    fn ended(&self, text: &str) -> String {
        let newline = if text.is_empty() || text.ends_with('\n') { "" } else { self.newline };
        format!("{text}{newline}")
    }
}

/// Writes a value in one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => word(text),
        Value::Array(entries) => format!("[{}]", entries.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{}: {}", word(name), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Writes a text, in quotes unless it means itself without them.
fn word(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '.');
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_./=+@".contains(c);
    let says_something_else = || {
        let read = tree::parse(text.as_bytes());
        !matches!(read.map(|node| node.value), Ok(tree::Value::Text(read)) if read == text)
    };
    if starts && text.chars().all(plain) && !text.ends_with(' ') && !says_something_else() {
        return text.to_owned();
    }
    // JSON's quotes are YAML's.
    Value::from(text).to_string()
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
