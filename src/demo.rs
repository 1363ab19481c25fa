//! The built-in demo agent and the sample repository: Draft can be tried, and tested, without any account or network.
//!
//! The agent is a program of its own behind the hidden command `draft demo-agent`. It speaks the same output dialect as
//! a real agent and really edits files, but it cannot program: it follows a script in its prompt, or knows the tickets
//! of the sample repository by heart, or says honestly that it can do neither.

pub mod agent;
mod fixes;
mod perform;
mod program;
pub mod sample;
mod script;
mod stream;
