//! Keeps the domain in SQLite: the only SQL of the program, and the truth about tickets.
//!
//! - [`Writer`] owns the one connection that writes. A call is all or nothing, calls that wait share a commit, and what became
//!   true is told only once it is durable.
//! - [`Reader`] has a connection of its own, and each of its answers is of one moment.
//! - [`Feed`] tells that somebody wrote; the reader then says what changed since a number.
//! - [`ask`] hands a command to the process that is the board's engine.
//!
//! Each family of tables has a file with its SQL; `rows` says how values become columns, `migrate` how an older file
//! becomes a new one, and `error` what can go wrong and what a person can do about it.

mod ask;
mod boards;
mod commands;
mod error;
mod events;
mod evidence;
mod feed;
mod goals;
mod inventory;
mod jobs;
mod migrate;
mod open;
mod reader;
mod readers;
mod remarks;
mod reviews;
mod revisions;
mod rows;
mod runs;
mod save;
mod sight;
mod tickets;
mod writer;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use ask::ask;
pub use boards::EngineRow;
pub use commands::Pending;
pub use error::StoreError;
pub use feed::Feed;
pub use inventory::{Inventory, JobRow, Shelf};
pub use open::Limits;
pub use reader::Reader;
pub use readers::Readers;
pub use save::Write;
pub use writer::Writer;

/// Opens the database to write, makes it where there is none, and brings an older one up to date.
///
/// # Errors
/// When it cannot be opened, is not Draft's, newer, damaged, locked or read-only, or a migration failed.
pub fn open(path: &Path) -> Result<Writer, StoreError> {
    Writer::open(path, Limits::default())
}
