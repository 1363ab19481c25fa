//! The nouns and rules of Draft: what tickets, jobs and runs are, and which commands and facts lead to which steps.
//!
//! Nothing here reads a clock, a file, the environment or a random number; those come in as values. The value types
//! that the screen draws (log entries, hunks, evidence) live here too, so that no screen needs a process or a database.

pub mod archive;
pub mod autonomy;
pub mod autopilot;
pub mod board;
pub mod branch_template;
pub mod change;
pub mod checklist;
pub mod cleanup;
pub mod command;
pub mod dependencies;
pub mod detail;
pub mod diff;
pub mod event;
pub mod evidence;
pub mod fact;
pub mod follow;
pub mod gates;
pub mod glance;
pub mod goal;
pub mod id;
pub mod job;
pub mod landing;
pub mod log;
pub mod log_filter;
pub mod log_find;
pub mod money;
pub mod outcome;
pub mod outlook;
pub mod pick;
pub mod policy;
pub mod proof;
pub mod pull_request;
pub mod query;
mod remark;
pub mod resolve;
pub mod review;
pub mod revision;
pub mod rollback;
pub mod rule;
mod rule_again;
mod rule_autonomy;
mod rule_checklist;
mod rule_cleanup;
mod rule_commands;
mod rule_conflict;
mod rule_edit;
mod rule_end;
mod rule_facts;
mod rule_goal;
pub mod rule_import;
mod rule_land;
pub mod rule_pull;
pub mod rule_recheck;
pub mod rule_revert;
mod rule_review;
pub mod run;
pub mod sensitive;
pub mod sight;
pub mod state;
pub mod ticket;
pub mod time;
pub mod touched;
pub mod transient;
pub mod undo;
pub mod waiting;

#[cfg(test)]
mod rule_properties;
#[cfg(test)]
mod rule_rails;
#[cfg(test)]
mod rule_walk;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod sample_rails;
