//! Draft: a terminal kanban board that gets tickets done by coding agents and proves that they are done.
//!
//! A pure core decides, one engine acts, one thread writes, and the screen is a function of a model. `ARCHITECTURE.md`
//! draws the layers; each module's first lines say what it is for.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod executor;
pub mod git;
pub mod run;
pub mod store;
pub mod ui;
