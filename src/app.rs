//! Wires the parts: opens a board's parts, carries effects to the engine and the readers, and carries changes back.

mod agents;
mod board;
mod board_removal;
mod boards;
mod detail;
mod doctor;
mod door;
mod entries;
mod error;
mod guest;
mod init;
mod keyboard;
mod leave;
mod locale;
mod log_text;
#[cfg(test)]
mod log_text_tests;
mod logs;
#[cfg(test)]
mod logs_tests;
mod news;
mod open;
mod pages;
mod radar;
mod screen;
mod service;
mod settings;
mod sieve;
mod sift;
#[cfg(test)]
mod sift_tests;
mod source;
mod surroundings;
mod trace;

pub use agents::{Seen, SignedIn, Survey, Version, agents_here, survey};
pub use board::{Color, run_board};
pub use board_removal::{bring_back_board, bring_back_worktrees, remove_board, removed_boards};
pub use boards::boards_here;
pub use detail::load_detail;
pub use doctor::{Check, Health, Mending, examine};
pub use door::Door;
pub use error::AppError;
pub use init::{Found, Plan, plan};
pub use locale::glyphs;
pub use logs::{Log, dialect_of};
pub use news::{News, Watcher};
pub use open::{ConfigFiles, Opened, Options, board_here, config_files, open};
pub use radar::{Lookout, look_ahead, outlook};
pub use trace::start_log;
