//! Printing. The standard macros panic when nobody reads any more, as after `head`, or when the disk is full; here the
//! first is fine, also in the middle of a run, and the second is an error at the end.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// What went wrong first.
static TROUBLE: OnceLock<String> = OnceLock::new();

/// Prints to standard output.
pub(super) fn print(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            // Only the first reason counts.
            let _ = TROUBLE.set(error.to_string());
        }
        Ok(()) | Err(_) => {}
    }
}

/// Prints a line to standard error; where not even that can be written, nobody can be told.
pub(super) fn note(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says why something could not be printed, if anything could not.
pub(super) fn trouble() -> Option<&'static str> {
    TROUBLE.get().map(String::as_str)
}
