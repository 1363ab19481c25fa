//! The fields of a ticket that are given by flags, when it is filed and when it is changed.

use clap::Args;

use super::super::filed;

#[derive(Debug, Args)]
pub(in super::super) struct Fields {
    /// More about it in Markdown; - reads it from standard input
    #[arg(long)]
    pub(super) description: Option<String>,
    /// P0 (most urgent) to P3, or 0 to 100 (most urgent)
    #[arg(long)]
    pub(super) priority: Option<String>,
    /// The goal that it serves: its UUID, its title or a part of the title that is its own
    #[arg(long, value_name = "GOAL")]
    pub(super) goal: Option<String>,
    /// A ticket that must be done first; may be given several times, and these are then all
    #[arg(long, value_name = "ID")]
    pub(super) after: Vec<String>,
    /// The agent that is to do it
    #[arg(long, value_name = "NAME")]
    pub(super) agent: Option<String>,
    /// The model that the agent is to use
    #[arg(long, value_name = "NAME", value_parser = filed::model)]
    pub(super) model: Option<String>,
    /// A check of its own, in place of the repository's; up to 5, and these are then all
    #[arg(long, value_name = "CMD")]
    pub(super) verify: Vec<String>,
    /// The branch from which it starts and on which it is to land [default: the board's]; not once it has a worktree
    #[arg(long, value_name = "BRANCH")]
    pub(super) base_branch: Option<String>,
}
