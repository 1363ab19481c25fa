//! What the whole screen shows and does: pictures, keys, and laws that hold for everything.

mod again;
mod diff;
mod keys;
mod leave;
mod pictures;
mod properties;
