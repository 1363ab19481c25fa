//! Standard output of the commands. A reader who has gone, as in `draft log 1 | head`, is no error; a full disk is.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};

use serde_json::Value;

use crate::ui::widget::text::{self, visible, width};

use super::error::CliError;

/// The least columns for what stands beside how a line begins.
const LEAST: usize = 24;

/// Where results go. What a command does is done to its end, whether or not anybody still reads what it prints.
#[derive(Debug)]
pub(super) struct Out {
    stdout: BufWriter<Stdout>,
    gone: bool,
}

impl Out {
    pub(super) fn new() -> Self {
        Self { stdout: BufWriter::new(io::stdout()), gone: false }
    }

    /// Prints a line.
    pub(super) fn line(&mut self, text: impl Display) -> Result<(), CliError> {
        self.attempt(|stdout| writeln!(stdout, "{text}"))
    }

    /// Prints a JSON value as one line that does nothing to a terminal.
    pub(super) fn json(&mut self, value: &Value) -> Result<(), CliError> {
        self.line(harmless(&value.to_string()))
    }

    /// Prints a JSON value as people can read it too, in lines that do nothing to a terminal.
    pub(super) fn pretty(&mut self, value: &Value) -> Result<(), CliError> {
        self.line(harmless(&format!("{value:#}")))
    }

    /// Prints bytes exactly.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.attempt(|stdout| stdout.write_all(bytes))
    }

    /// Hands on what was printed so far.
    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        self.attempt(Write::flush)
    }

    /// Says whether nobody reads any more.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    fn attempt(&mut self, print: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>) -> Result<(), CliError> {
        if self.gone {
            return Ok(());
        }
        match print(&mut self.stdout) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            printed => printed.map_err(|error| {
                CliError::environment(
                    "io",
                    format!("could not print the result: {error}"),
                    "What was asked for is done; `draft ticket list` shows how things stand.",
                )
            }),
        }
    }
}

/// Escapes what JSON allows and a terminal obeys: C1 controls, and marks that change the direction of text. They can only
/// stand inside strings.
fn harmless(json: &str) -> Cow<'_, str> {
    let acts = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if acts(c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns what is said as lines of a terminal with so many columns, each below where the first one begins to say it.
pub(super) fn hanging(first: &str, said: &str, columns: Option<usize>) -> Vec<String> {
    let said = visible(said);
    let Some(columns) = columns else { return vec![format!("{first}{said}")] };
    let below = width(first);
    let wrapped = text::wrap(&said, columns.saturating_sub(below).max(LEAST));
    let begin = |n| if n == 0 { first.to_owned() } else { " ".repeat(below) };
    wrapped.into_iter().enumerate().map(|(n, line)| format!("{}{line}", begin(n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_acts_on_a_terminal_is_escaped_and_means_the_same() {
        let value = serde_json::json!({ "a": "\u{9b}31m \u{202e}x\u{7f} grüße 日本 \u{1b}[0m" });
        let text = value.to_string();
        let escaped = harmless(&text);
        assert!(escaped.contains(r"\u009b31m \u202ex\u007f grüße 日本 \u001b[0m"), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }

    #[test]
    fn what_is_longer_than_the_terminal_goes_on_below_where_it_began() {
        let said = "not installed: npm install -g it, then run it once";
        assert_eq!(
            hanging("– claude  ", said, Some(40)),
            ["– claude  not installed: npm install -g", "          it, then run it once"]
        );
        assert_eq!(hanging("– claude  ", said, None), [format!("– claude  {said}")]);
        assert!(hanging("– claude  ", said, Some(1)).iter().all(|line| width(line) <= 10 + LEAST));
    }
}
