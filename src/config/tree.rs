//! A YAML file as a tree that keeps double keys and knows where everything stands.
//!
//! The parser tells places only in errors. So values are numbered in the order in which they are read, and the place of
//! number n is asked for by reading again and failing at n. That is exact, and happens only for a file with mistakes.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};

use super::FILE_BYTES_MAX;
use super::problem::{Place, Problem};

/// Deepest nesting.
pub(super) const DEPTH_MAX: usize = 32;
/// Most values of a file; each use of an alias counts.
pub(super) const NODES_MAX: usize = 10_000;

/// Most opening brackets of a file.
pub(super) const BRACKETS_MAX: usize = 1000;

/// A value with its number.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) number: usize,
    pub(super) value: Value,
}

/// A value as YAML has it.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Switch(bool),
    Whole(i128),
    Real(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// Returns what it is, in words, as much of it as fits into a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "empty".to_owned(),
            Self::Switch(on) => format!("the switch {on}"),
            Self::Whole(number) => format!("the number {number}"),
            Self::Real(number) => format!("the number {number}"),
            Self::Text(text) if text.chars().count() > 40 => {
                format!("the text {:?}…", text.chars().take(40).collect::<String>())
            }
            Self::Text(text) => format!("the text {text:?}"),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }
}

/// A problem of the file as a whole, with its place.
pub(super) type Refused = (Option<Place>, Problem);

/// Reads a file. Nothing at all, or nothing but comments, is an empty value.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, Refused> {
    let text = text(bytes)?;
    forbid_what_is_unseen(text)?;
    forbid_what_is_slow(text)?;
    let reading = Reading::default();
    let result = reading.read(text);
    result.map_err(|error| (place_of(&error), reading.trouble.take().unwrap_or_else(|| syntax(&error))))
}

/// A file with control characters is another file, or is to look like what it is not.
fn forbid_what_is_unseen(text: &str) -> Result<(), Refused> {
    let unseen = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    match text.char_indices().find(|(_, c)| unseen(*c)) {
        Some((at, _)) => Err((Some(place_in(text, at)), Problem::Control)),
        None => Ok(()),
    }
}

/// The parser takes time with the square of the depth of brackets and of the number of directives, so that a file of a
/// few kilobytes could keep Draft from starting.
fn forbid_what_is_slow(text: &str) -> Result<(), Refused> {
    if let Some((at, _)) = text.match_indices(['[', '{']).nth(BRACKETS_MAX) {
        return Err((Some(place_in(text, at)), Problem::TooManyBrackets));
    }
    match text.lines().position(|line| line.starts_with('%')) {
        Some(line) => Err((Some(Place { line: line + 1, column: 1 }), Problem::Tag)),
        None => Ok(()),
    }
}

/// Returns where the value of that number stands.
pub(super) fn locate(bytes: &[u8], number: usize) -> Option<Place> {
    let reading = Reading { stop_at: Some(number), ..Reading::default() };
    reading.read(text(bytes).ok()?).err().as_ref().and_then(place_of)
}

fn text(bytes: &[u8]) -> Result<&str, Refused> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err((None, Problem::TooLarge));
    }
    str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        (Some(place_in(&good, good.len())), Problem::NotUtf8)
    })
}

/// Returns the place of a byte of the text.
fn place_in(text: &str, at: usize) -> Place {
    let before = &text[..at];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
    Place { line, column: 1 + before[start..].chars().count() }
}

fn place_of(error: &serde_yaml::Error) -> Option<Place> {
    error.location().map(|location| Place { line: location.line(), column: location.column() })
}

/// The parser's message without the place, which is told beside it.
fn syntax(error: &serde_yaml::Error) -> Problem {
    let message = error.to_string();
    let end = message.find(" at line ").unwrap_or(message.len());
    Problem::Syntax(message[..end].to_owned())
}

/// One pass over a file.
#[derive(Default)]
struct Reading {
    count: Cell<usize>,
    stop_at: Option<usize>,
    /// Why the pass was given up, unless the parser did so.
    trouble: Cell<Option<Problem>>,
}

impl Reading {
    fn read(&self, text: &str) -> Result<Node, serde_yaml::Error> {
        Seed { reading: self, depth: 0 }.deserialize(serde_yaml::Deserializer::from_str(text))
    }

    fn give_up<E: serde::de::Error>(&self, problem: Problem) -> E {
        let error = E::custom(&problem);
        self.trouble.set(Some(problem));
        error
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    reading: &'a Reading,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let number = self.reading.count.get();
        self.reading.count.set(number + 1);
        let value = deserializer.deserialize_any(NodeVisitor { seed: self, number })?;
        Ok(Node { number, value })
    }
}

struct NodeVisitor<'a> {
    seed: Seed<'a>,
    number: usize,
}

impl<'a> NodeVisitor<'a> {
    /// The parser adds to an error the place of the value that is visited; so errors are made here.
    fn check<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.seed.reading.stop_at == Some(self.number) {
            return Err(E::custom("here"));
        }
        if self.number >= NODES_MAX {
            return Err(self.seed.reading.give_up(Problem::TooMany));
        }
        Ok(())
    }

    fn inner<E: serde::de::Error>(&self) -> Result<Seed<'a>, E> {
        self.check()?;
        if self.seed.depth >= DEPTH_MAX {
            return Err(self.seed.reading.give_up(Problem::TooDeep));
        }
        Ok(Seed { reading: self.seed.reading, depth: self.seed.depth + 1 })
    }
}

impl<'de> Visitor<'de> for NodeVisitor<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.check().map(|()| Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.check().map(|()| Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.check().map(|()| Value::Switch(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.check().map(|()| Value::Whole(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.check().map(|()| Value::Whole(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.check().map(|()| Value::Whole(value))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.check().map(|()| Value::Whole(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.check().map(|()| Value::Real(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.check().map(|()| Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let seed = self.inner()?;
        let mut list = Vec::new();
        while let Some(node) = access.next_element_seed(seed)? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let seed = self.inner()?;
        let mut map = Vec::new();
        while let Some(key) = access.next_key_seed(seed)? {
            map.push((key, access.next_value_seed(seed)?));
        }
        Ok(Value::Map(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.seed.reading.give_up(Problem::Tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Refused {
        parse(text.as_bytes()).unwrap_err()
    }

    fn place(line: usize, column: usize) -> Option<Place> {
        Some(Place { line, column })
    }

    #[test]
    fn nothing_and_comments_are_an_empty_value() {
        for text in ["", "# only a comment\n", "---\n", "~", "\u{feff}"] {
            assert!(matches!(parse(text.as_bytes()).unwrap().value, Value::Null), "{text:?}");
        }
    }

    #[test]
    fn every_value_and_key_can_be_located() {
        let text = "# head\na:\n  b: [1, two]\n  'é': {c: null}\n";
        let root = parse(text.as_bytes()).unwrap();
        let Value::Map(map) = root.value else { panic!("a map") };
        let Value::Map(inner) = &map[0].1.value else { panic!("a map") };
        let Value::List(list) = &inner[0].1.value else { panic!("a list") };
        let at = |node: &Node| locate(text.as_bytes(), node.number);
        assert_eq!(at(&map[0].0), place(2, 1));
        assert_eq!(at(&inner[0].0), place(3, 3));
        assert_eq!(at(&list[1]), place(3, 10));
        assert_eq!(at(&inner[1].0), place(4, 3));
        let Value::Map(innermost) = &inner[1].1.value else { panic!("a map") };
        assert_eq!(at(&innermost[0].1), place(4, 12));
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        let (at, problem) = refused("a: 1\n\tb: 2\n");
        assert!(matches!(problem, Problem::Syntax(_)), "{problem}");
        assert_eq!(at.map(|place| place.line), Some(2));
        assert!(matches!(refused("a: 1\n---\nb: 2\n").1, Problem::Syntax(_)));
        assert!(matches!(refused("a: *nowhere").1, Problem::Syntax(_)));
        assert_eq!(refused("a:\n  b: !include x\n"), (place(2, 6), Problem::Tag));
    }

    #[test]
    fn bombs_are_refused_quickly() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let refs = [format!("*a{}", n - 1).as_str(); 10].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
        }
        assert!(matches!(refused(&bomb).1, Problem::TooMany | Problem::Syntax(_)));
        assert_eq!(refused(&"- x\n".repeat(NODES_MAX)).1, Problem::TooMany);
        assert_eq!(refused(&"[".repeat(100_000)), (place(1, 1001), Problem::TooManyBrackets));
        assert_eq!(refused(&"{a: ".repeat(50_000)).1, Problem::TooManyBrackets);
        assert_eq!(refused(&"- ".repeat(5_000)).1, Problem::TooDeep);
        assert_eq!(refused("a: 1\n%TAG !x! y\n"), (place(2, 1), Problem::Tag));
        let nested = "[".repeat(DEPTH_MAX + 1) + &"]".repeat(DEPTH_MAX + 1);
        assert_eq!(refused(&nested).1, Problem::TooDeep);
        assert_eq!(parse(&vec![b' '; FILE_BYTES_MAX + 1]).unwrap_err().1, Problem::TooLarge);
        assert!(parse("&a [*a]".as_bytes()).is_err());
    }

    #[test]
    fn control_characters_are_refused_with_their_place() {
        for text in ["a: 1\nb: x\0y\n", "a: 1\nb: x\u{1b}[2J\n", "a: 1\nb: x\u{9b}31m\n"] {
            assert_eq!(refused(text), (place(2, 5), Problem::Control), "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_place() {
        assert_eq!(parse(b"a: 1\nb\xc3\xa9: \xff\n").unwrap_err(), (place(2, 5), Problem::NotUtf8));
    }
}
