//! Standard output of the commands. A reader who has gone, as in `draft log 1 | head`, is no error; a full disk is.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};

use serde_json::Value;

use super::error::CliError;

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

    /// Prints a JSON value as one line.
    pub(super) fn json(&mut self, value: &Value) -> Result<(), CliError> {
        self.line(value)
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
