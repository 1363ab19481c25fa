//! The user's own keys over the built-in ones: only what differs, checked, so that nobody can lock themselves in.

use std::path::Path;

use crossterm::event::{KeyCode, KeyModifiers};

use crate::config::bindings::{self, Binding, Word};
use crate::config::nearest::nearest;
use crate::config::{ConfigError, ConfigErrors, Problem};

use super::{Action, Context, KeyTable, Keys};

/// The name of the file, beside the user's configuration.
pub const FILE_NAME: &str = "keys.yaml";

/// What must keep a key wherever it has one.
const KEPT: [Action; 4] = [Action::Quit, Action::Help, Action::Back, Action::Decline];

impl KeyTable {
    /// Returns the built-in table with the user's own keys.
    ///
    /// # Errors
    /// Everything that is wrong with the file; then it counts for nothing.
    pub fn with_own(bytes: &[u8], file: &Path) -> Result<Self, ConfigErrors> {
        let error = |place, problem| ConfigError { file: file.to_owned(), place, problem };
        let rows = bindings::read(bytes).map_err(|(place, problem)| ConfigErrors(vec![error(place, problem)]))?;
        let mut table = Self::built_in().clone();
        let mut errors = Vec::new();
        for row in &rows {
            for (word, problem) in table.rebind(row) {
                errors.push(error(word.place(bytes), problem));
            }
        }
        // A key that is right in its row may still mean something else too.
        if errors.is_empty() {
            let wrong = rows.iter().filter_map(|row| table.conflict(row));
            errors.extend(wrong.map(|(word, problem)| error(word.place(bytes), problem)));
        }
        if errors.is_empty() { Ok(table) } else { Err(ConfigErrors(errors)) }
    }

    /// Gives an action its keys, and returns what is wrong about that.
    fn rebind<'a>(&mut self, Binding { context, action, keys }: &'a Binding) -> Vec<(&'a Word, Problem)> {
        let Ok(known) = context.text.parse::<Context>() else {
            let words = Context::ALL.iter().map(|context| context.as_str());
            return vec![(context, no_such_word(&context.text, "a part of the screen", &context.text, words))];
        };
        let rows = self.0.entry(known).or_default();
        let Some(row) = rows.iter().position(|row| row.action.as_str() == action.text) else {
            let words = rows.iter().map(|row| row.action.as_str());
            let (path, expected) = (format!("{known}.{}", action.text), format!("an action of {known}"));
            return vec![(action, no_such_word(&path, &expected, &action.text, words))];
        };
        let mut problems = Vec::new();
        let mut read = Vec::new();
        let path = format!("{known}.{}", action.text);
        for word in keys {
            match word.text.parse::<Keys>() {
                Ok(keys) if takes_text(known) && is_typed(&keys) => {
                    let why = format!(
                        "{} would take a letter from what is typed there; use one with <c-…> or <a-…>",
                        word.text
                    );
                    problems.push((word, Problem::BadKeys { path: path.clone(), why }));
                }
                Ok(keys) => read.push(keys),
                Err(error) => problems.push((word, Problem::BadKeys { path: path.clone(), why: error.to_string() })),
            }
        }
        if read.is_empty() && problems.is_empty() && KEPT.contains(&rows[row].action) {
            let why = "needs a key, or there would be no way out".to_owned();
            problems.push((action, Problem::BadKeys { path, why }));
        }
        rows[row].keys = read;
        problems
    }

    /// Returns the first of its keys that another action of the context has too, or begins with.
    fn conflict<'a>(&self, Binding { context, action, keys }: &'a Binding) -> Option<(&'a Word, Problem)> {
        let known = context.text.parse().ok()?;
        let others = || self.rows(known).iter().filter(|row| row.action.as_str() != action.text);
        keys.iter().find_map(|word| {
            let mine: Keys = word.text.parse().ok()?;
            let (other, theirs) = others().find_map(|row| {
                let same = |keys: &&Keys| {
                    keys.as_slice().starts_with(mine.as_slice()) || mine.as_slice().starts_with(keys.as_slice())
                };
                Some((row.action, row.keys.iter().find(same)?))
            })?;
            let why =
                format!("{mine} is in the way of {theirs}, which means `{other}` there; give one of them another key");
            Some((word, Problem::BadKeys { path: format!("{known}.{}", action.text), why }))
        })
    }
}

fn no_such_word<'a>(path: &str, expected: &str, found: &str, words: impl Iterator<Item = &'a str> + Clone) -> Problem {
    let nearest = nearest(found, words.clone()).map(str::to_owned);
    // All of them would hide the one that was meant.
    let expected = match nearest {
        Some(_) => expected.to_owned(),
        None => format!("{expected} ({})", words.collect::<Vec<_>>().join(", ")),
    };
    Problem::NoSuchWord { path: path.to_owned(), expected, found: found.to_owned(), nearest }
}

/// Says whether letters are typed there.
fn takes_text(context: Context) -> bool {
    match context {
        Context::Form
        | Context::GoalForm
        | Context::RunWith
        | Context::Tell
        | Context::Filter
        | Context::Palette
        | Context::Find
        | Context::Save
        | Context::LogFilter
        | Context::Help => true,
        Context::Board
        | Context::Log
        | Context::Ticket
        | Context::Diff
        | Context::Grid
        | Context::Choice
        | Context::Runs
        | Context::Checklist
        | Context::Goals
        | Context::Boards
        | Context::Queue
        | Context::Dashboard
        | Context::Dialog
        | Context::Everywhere => false,
    }
}

fn is_typed(keys: &Keys) -> bool {
    keys.as_slice()
        .first()
        .is_some_and(|key| matches!(key.code, KeyCode::Char(_)) && (key.modifiers - KeyModifiers::SHIFT).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::keys::Found;

    fn read(text: &str) -> Result<KeyTable, String> {
        KeyTable::with_own(text.as_bytes(), Path::new("keys.yaml")).map_err(|errors| errors.to_string())
    }

    fn found(table: &KeyTable, context: Context, keys: &str) -> Found {
        table.find(context, keys.parse::<Keys>().unwrap().as_slice())
    }

    #[test]
    fn own_keys_take_the_place_of_the_built_in_ones_of_their_action() {
        let table = read("board:\n  accept: Z\n  run: [W, \"<a-r>\"]\n  overview:\nticket: {overview: 9}\n");
        assert!(table.unwrap_err().contains("keys.yaml:4:3: `board.overview` should be an action of board"));
        let table = read("board:\n  accept: Z\n  run: [W, \"<a-r>\"]\nticket: {overview: 9}\n").unwrap();
        assert_eq!(found(&table, Context::Board, "Z"), Found::Action(Action::Accept));
        assert_eq!(found(&table, Context::Board, "a"), Found::Nothing);
        assert_eq!(found(&table, Context::Board, "W"), Found::Action(Action::Run));
        assert_eq!(found(&table, Context::Board, "<a-r>"), Found::Action(Action::Run));
        assert_eq!(found(&table, Context::Ticket, "9"), Found::Action(Action::Overview));
        assert_eq!(found(&table, Context::Ticket, "a"), Found::Action(Action::Accept), "other parts stay as they are");
        assert_eq!(read("").unwrap(), *KeyTable::built_in());
    }

    #[test]
    fn two_actions_can_exchange_their_keys() {
        let table = read("board: {accept: x, run: a}").unwrap();
        assert_eq!(found(&table, Context::Board, "x"), Found::Action(Action::Accept));
        assert_eq!(found(&table, Context::Board, "a"), Found::Action(Action::Run));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_the_nearest_word() {
        for (text, said) in [
            ("zzzzzz: {accept: Z}", "keys.yaml:1:1: `zzzzzz` should be a part of the screen (board, log,"),
            ("bord: {accept: Z}", "keys.yaml:1:1: `bord` should be a part of the screen, but"),
            ("bord: {accept: Z}", "`board`"),
            ("board: {acept: Z}", "`accept`"),
            ("board:\n  accept: x", "keys.yaml:2:11: `board.accept`: x is in the way of x, which means `run` there"),
            ("board:\n  accept: g", "g is in the way of gg, which means `top` there"),
            ("board: {accept: \"<nokey>\"}", "`<nokey>` is no key; write them like"),
            ("board: {quit: []}", "`board.quit`: needs a key, or there would be no way out"),
            ("ticket: {back: null}", "`ticket.back`: needs a key"),
            ("form: {save: x}", "x would take a letter from what is typed there"),
            ("board: 3", "keys.yaml:1:8: `board` should be a map of settings, but this is the number 3"),
            ("board: {accept: {x: y}}", "should be keys in quotation marks"),
            ("board: [", "keys.yaml:"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        let both = read("board: {acept: Z, rum: Y}").unwrap_err();
        assert_eq!(both.lines().count(), 2, "{both}");
    }
}
