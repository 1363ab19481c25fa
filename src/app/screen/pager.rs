//! A log in the person's own pager: which program that is, and what it gets to read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, PipeReader, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use crate::app::guest::Call;
use crate::app::log_text;
use crate::app::pages::{self, Target};
use crate::engine::Workshop;
use crate::ui::LogText;

/// What reads when no pager is set: colours could come through, and it waits for a key also at the end.
const USUAL: &str = "less -R";

/// Returns the call of the person's own pager.
///
/// # Errors
/// In words, that its name cannot be used.
pub(super) fn call(folder: PathBuf) -> Result<Call, String> {
    let set = std::env::var_os("PAGER").filter(|set| !set.is_empty()).unwrap_or_else(|| OsString::from(USUAL));
    let pager = set.into_string().map_err(|_| "the name of the pager in PAGER is not UTF-8".to_owned())?;
    // Words and quotes in the variable mean what they mean to a shell, as for git.
    let args = vec!["-c".to_owned(), pager];
    Ok(Call { program: "/bin/sh".into(), args, folder, set: BTreeMap::new(), drop: Vec::new() })
}

/// Begins to write a log into a pipe, and returns the other end of it. It ends with the log, or when nothing of `reading`
/// is left.
///
/// # Errors
/// When the system has no pipe.
pub(super) fn feed(
    workshop: &Arc<Workshop>,
    target: Target,
    text: LogText,
    reading: Weak<()>,
) -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    let workshop = Arc::clone(workshop);
    tokio::spawn(async move {
        let log = pages::open(&workshop, &target).await;
        let written = tokio::task::spawn_blocking(move || {
            let mut out = BufWriter::new(writer);
            let wanted = || reading.strong_count() > 0;
            let wrote = match log {
                Ok(mut log) => log_text::write(&mut log, &text, &mut out, wanted),
                Err(trouble) => writeln!(out, "The log cannot be read: {trouble}"),
            };
            wrote.and_then(|()| out.flush())
        });
        match written.await {
            // Who has read enough closes the pipe.
            Ok(Err(error)) if error.kind() != ErrorKind::BrokenPipe => {
                tracing::warn!(%error, "the pager's log ended early")
            }
            Ok(Ok(()) | Err(_)) => {}
            Err(error) => tracing::error!(%error, "an internal error while a pager read a log"),
        }
    });
    Ok(reader)
}
