//! One supervised process tree: start it, take it back, follow it, stop it, and read its output and its end.
//!
//! The engine writes a [`Folder`], [`launch`] starts a supervisor for it, and from then on the folder alone tells the
//! truth: a held lock means that the run lives, an exit record says how it ended. The engine can die at any moment; the
//! agent writes on into its files, and [`adopt`] finds out later what became of it.

pub mod adopt;
pub mod census;
pub mod error;
pub mod folder;
pub mod follow;
pub mod growth;
pub mod launch;
mod line_index;
mod os;
mod output;
pub mod pager;
mod program;
pub mod record;
pub mod shelf;
mod signals;
pub mod spec;
pub mod supervise;
pub mod tail;
pub mod thin;
pub mod times;
mod tree;
pub mod worn;

pub use error::RunError;
pub use folder::{Folder, Lengths, Stream};
pub use record::ExitRecord;
pub use spec::{Limits, Mark, Output, Spec, Stdin};
