//! What the whole screen shows and does: pictures, keys, and laws that hold for everything.

mod again;
mod autonomy;
mod checklist;
mod diff;
mod edit;
mod finding;
mod keys;
mod leave;
mod log;
mod log_out;
mod mouse;
mod outlook;
mod pictures;
mod places;
mod properties;
mod sight;
