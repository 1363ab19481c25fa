//! Pure drawing: values and a size in, text with styles out. Nothing here keeps state between two frames.
//!
//! Every text from outside passes [`text::visible`] or [`ansi`] on its way, so that no agent and no repository can
//! steer the terminal.

pub mod ansi;
mod changed;
pub mod diff;
pub mod diff_split;
pub mod entry;
pub mod field;
pub mod format;
mod inline;
pub mod log;
pub mod markdown;
pub mod plain;
pub mod popup;
pub mod scroll;
pub mod search;
mod sgr;
pub mod strip;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
