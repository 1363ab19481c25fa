//! How keys are written: `j`, `G`, `gg`, `<c-u>`, `<a-enter>`, `<lt>`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

/// One key with its modifiers. Shift is part of a character and only kept for other keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Control, Alt and, for keys that are no characters, Shift.
    pub modifiers: KeyModifiers,
}

/// One key after the other.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Keys(Vec<Key>);

/// The text is no key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no key; write them like j, G, gg, <c-u>, <a-enter>, <tab> or <lt>")]
pub struct BadKeys(pub String);

const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("lt", KeyCode::Char('<')),
    ("gt", KeyCode::Char('>')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

const MODIFIERS: &[(&str, KeyModifiers)] =
    &[("c-", KeyModifiers::CONTROL), ("a-", KeyModifiers::ALT), ("s-", KeyModifiers::SHIFT)];

impl Key {
    /// Returns the key of an event, in the one form that the table knows.
    pub fn of(event: KeyEvent) -> Self {
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let (code, modifiers) = match event.code {
            // Terminals without the kitty protocol report Shift+Tab as a key of its own.
            KeyCode::BackTab => (KeyCode::Tab, event.modifiers | KeyModifiers::SHIFT),
            KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
                (KeyCode::Char(c.to_ascii_lowercase()), event.modifiers - KeyModifiers::SHIFT)
            }
            KeyCode::Char(c) => (KeyCode::Char(c), event.modifiers - KeyModifiers::SHIFT),
            code => (code, event.modifiers),
        };
        Self { code, modifiers: modifiers & known }
    }

    /// Returns an event that this key could come from.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl Keys {
    /// Returns the keys.
    pub fn as_slice(&self) -> &[Key] {
        &self.0
    }

    /// Returns the keys that were pressed one after the other.
    pub(in crate::ui) fn of(pressed: Vec<Key>) -> Self {
        Self(pressed)
    }

    /// Returns them as people write them: `enter`, `^u`, `shift-tab`, `<`.
    pub fn shown(&self) -> String {
        let written = self.to_string();
        let Some(name) = written.strip_prefix('<').and_then(|keys| keys.strip_suffix('>')) else { return written };
        match name {
            "lt" => "<".to_owned(),
            "gt" => ">".to_owned(),
            "pageup" => "pgup".to_owned(),
            "pagedown" => "pgdn".to_owned(),
            other => {
                let held = [("c-", "^"), ("s-", "shift-"), ("a-", "alt-")];
                let held =
                    held.iter().find_map(|(short, shown)| Some(format!("{shown}{}", other.strip_prefix(short)?)));
                held.unwrap_or_else(|| other.to_owned())
            }
        }
    }
}

impl FromStr for Keys {
    type Err = BadKeys;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadKeys(text.to_owned());
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (key, after) = match (first, rest.find('>')) {
                ('<', Some(end)) => (named(&rest[1..end]).ok_or_else(bad)?, &rest[end + 1..]),
                ('<', None) => return Err(bad()),
                (c, _) if c.is_control() || c == ' ' => return Err(bad()),
                (c, _) => (Key { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE }, &rest[c.len_utf8()..]),
            };
            keys.push(key);
            rest = after;
        }
        if keys.is_empty() { Err(bad()) } else { Ok(Self(keys)) }
    }
}

fn named(mut name: &str) -> Option<Key> {
    let mut modifiers = KeyModifiers::NONE;
    while let Some((prefix, modifier)) = MODIFIERS.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        modifiers |= *modifier;
        name = &name[prefix.len()..];
    }
    let mut chars = name.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) if modifiers != KeyModifiers::NONE => KeyCode::Char(c),
        _ => NAMES.iter().find(|(known, _)| *known == name)?.1,
    };
    let key = Key { code, modifiers };
    // `<c-U>` or `<s-x>` would never match an event.
    (Key::of(key.event()) == key).then_some(key)
}

impl TryFrom<String> for Keys {
    type Error = BadKeys;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, code)| *code == self.code).map(|(name, _)| *name);
        match (self.code, name) {
            (KeyCode::Char(c), None) if self.modifiers.is_empty() => return write!(f, "{c}"),
            _ => f.write_str("<")?,
        }
        for (prefix, modifier) in MODIFIERS {
            if self.modifiers.contains(*modifier) {
                f.write_str(prefix)?;
            }
        }
        match (self.code, name) {
            (_, Some(name)) => write!(f, "{name}>"),
            (KeyCode::Char(c), None) => write!(f, "{c}>"),
            (other, None) => write!(f, "{other}>"),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| key.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_key() -> impl Strategy<Value = Key> {
        let code = prop_oneof![
            (0..NAMES.len()).prop_map(|i| NAMES[i].1),
            any::<char>().prop_filter("printable", |c| !c.is_control()).prop_map(KeyCode::Char),
        ];
        (code, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(code, control, alt, shift)| {
            let mut modifiers = KeyModifiers::NONE;
            modifiers.set(KeyModifiers::CONTROL, control);
            modifiers.set(KeyModifiers::ALT, alt);
            modifiers.set(KeyModifiers::SHIFT, shift);
            Key::of(KeyEvent::new(code, modifiers))
        })
    }

    proptest! {
        #[test]
        fn keys_survive_print_and_parse(keys in prop::collection::vec(any_key(), 1..4)) {
            let keys = Keys(keys);
            let printed = keys.to_string();
            prop_assert_eq!(printed.parse(), Ok(keys), "{}", printed);
        }
    }

    #[test]
    fn events_and_notation_meet() {
        for (text, code, modifiers) in [
            ("j", KeyCode::Char('j'), KeyModifiers::NONE),
            ("G", KeyCode::Char('G'), KeyModifiers::SHIFT),
            ("<c-u>", KeyCode::Char('u'), KeyModifiers::CONTROL),
            ("<s-tab>", KeyCode::BackTab, KeyModifiers::SHIFT),
            ("<s-tab>", KeyCode::Tab, KeyModifiers::SHIFT),
            ("<a-enter>", KeyCode::Enter, KeyModifiers::ALT),
            ("|", KeyCode::Char('|'), KeyModifiers::NONE),
        ] {
            let keys: Keys = text.parse().unwrap();
            assert_eq!(keys.as_slice(), [Key::of(KeyEvent::new(code, modifiers))], "{text}");
        }
        for bad in ["", "<", "<nokey>", "<c-U>", "a b"] {
            assert!(bad.parse::<Keys>().is_err(), "{bad}");
        }
    }
}
