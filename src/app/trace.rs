//! Draft's own log: a file, never the terminal.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

use tracing_subscriber::EnvFilter;

use crate::engine::Paths;

/// Starts the log. `DRAFT_LOG` filters it; without it, `verbose` says how much is written. A log that cannot be written
/// keeps nobody from working.
pub fn start_log(paths: &Paths, verbose: u8) {
    let path = paths.logs().join("draft.log");
    let Ok(file) = OpenOptions::new().create(true).append(true).mode(0o600).open(path) else { return };
    let level = match verbose {
        0 => "warn,draft_board=info",
        1 => "info,draft_board=debug",
        _ => "debug,draft_board=trace",
    };
    let filter = EnvFilter::try_from_env("DRAFT_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // Somebody who started one already keeps it.
    let _ = tracing_subscriber::fmt().with_writer(file).with_ansi(false).with_env_filter(filter).try_init();
    tracing::debug!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "started");
}
