//! The user's own file of keys, as it is written: for contexts, actions and the keys that each gets. What the words mean is
//! the screen's to say.

use super::problem::{Place, Problem};
use super::tree::{self, Node, Refused, Value};

/// A word of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The word.
    pub text: String,
    number: usize,
}

impl Word {
    /// Returns where it stands in the file that was read.
    pub fn place(&self, bytes: &[u8]) -> Option<Place> {
        tree::locate(bytes, self.number)
    }
}

/// One line of the file: an action and the keys that it gets, none or several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// What has the keys then.
    pub context: Word,
    /// What they do.
    pub action: Word,
    /// The keys.
    pub keys: Vec<Word>,
}

/// Reads the file.
///
/// # Errors
/// When it is no YAML, or not a map of maps of keys; with the place of the first such mistake.
pub fn read(bytes: &[u8]) -> Result<Vec<Binding>, Refused> {
    let mut bindings = Vec::new();
    for (context, rows) in entries(bytes, tree::parse(bytes)?, "the file")? {
        for (action, keys) in entries(bytes, rows, &format!("`{}`", context.text))? {
            let path = format!("{}.{}", context.text, action.text);
            let keys = match keys.value {
                Value::Null => Vec::new(),
                Value::List(keys) => keys.into_iter().map(|key| word(bytes, key, &path)).collect::<Result<_, _>>()?,
                _ => vec![word(bytes, keys, &path)?],
            };
            bindings.push(Binding { context: context.clone(), action, keys });
        }
    }
    Ok(bindings)
}

fn entries(bytes: &[u8], node: Node, what: &str) -> Result<Vec<(Word, Node)>, Refused> {
    match node.value {
        Value::Null => Ok(Vec::new()),
        Value::Map(entries) => entries.into_iter().map(|(key, value)| Ok((word(bytes, key, what)?, value))).collect(),
        other => {
            let problem = Problem::NotAMap { what: what.to_owned(), found: other.describe() };
            Err((tree::locate(bytes, node.number), problem))
        }
    }
}

fn word(bytes: &[u8], node: Node, path: &str) -> Result<Word, Refused> {
    let text = match node.value {
        Value::Text(text) => text,
        // The keys 0 to 9 need no quotation marks.
        Value::Whole(number @ 0..=9) => number.to_string(),
        other => {
            let problem = Problem::WrongType {
                path: path.to_owned(),
                expected: "keys in quotation marks, or a list of them".to_owned(),
                found: other.describe(),
                mend: "; write them like \"x\", \"gg\" or \"<c-u>\"",
            };
            return Err((tree::locate(bytes, node.number), problem));
        }
    };
    Ok(Word { text, number: node.number })
}
