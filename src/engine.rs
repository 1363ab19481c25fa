//! Runs jobs: decides through the domain, writes through the store, works through git, executors and supervised runs.
//!
//! One engine serves a board at a time, owned by an operating-system lock, so that a killed one is replaced at once. Its
//! heart is the `actor`, which alone holds the board and the writer; jobs are tasks that tell it facts. A job's task can
//! be ended anywhere and started again: each step first looks at what is already true (a worktree, a run's folder, its exit
//! record), so recovery after a crash is nothing but running the same code again.

mod actor;
mod autopilot;
mod checklist;
mod chores;
mod claims;
mod error;
mod handle;
mod host;
mod jobs;
pub mod ledger;
mod limits;
mod lock;
mod lookout;
mod others;
mod proof;
mod rails;
mod rechecks;
pub mod tidy;
mod workshop;

pub use checklist::find_out;
pub use error::{AskError, EngineError};
pub use handle::{Engine, Handle, Snapshot, Working};
pub use host::{host, which};
pub use jobs::find_program;
pub use limits::{free_disk, free_memory};
pub use lock::{BoardLock, LockError, Queue};
pub use proof::proof_of;
pub use workshop::{Gates, Paths, Workshop};
