//! The tests that see Draft from outside: one binary, a file for each subject, and the house they share in `support`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod commands;
mod dependencies;
mod documentation;
mod engine;
mod house;
mod journeys;
mod layering;
mod printing;
mod run;
mod storm;
mod support;
mod trash;
mod worktrees;
