//! What may happen for a goal without a person: the flags that say it, and how it is told.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::domain::autonomy::{AutonomyEdit, Ceiling};
use crate::domain::board::Board;
use crate::domain::goal::Goal;
use crate::domain::money::{self, Money};
use crate::domain::ticket::Usage;

use super::error::CliError;

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::On => true,
            Switch::Off => false,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What may happen without you")]
pub(super) struct AutonomyArgs {
    /// Whether any of what follows holds
    #[arg(long, value_enum)]
    autonomy: Option<Switch>,
    /// Whether tickets that the planner files start as planned
    #[arg(long, value_enum)]
    auto_approve_tickets: Option<Switch>,
    /// Whether a change is approved once its checks passed and no rail holds it up
    #[arg(long, value_enum)]
    auto_approve_revisions: Option<Switch>,
    /// Whether an approved change lands at once
    #[arg(long, value_enum)]
    auto_merge: Option<Switch>,
    /// Whether tickets that follow from others start as planned
    #[arg(long, value_enum)]
    auto_approve_followups: Option<Switch>,
    /// Most automatic approvals in all, or none for no limit
    #[arg(long, value_name = "N|none")]
    max_auto_approvals: Option<String>,
    /// What its tickets may cost in US dollars, or none for no limit; nothing goes on by itself beyond it
    #[arg(long, value_name = "USD|none")]
    budget: Option<String>,
}

impl AutonomyArgs {
    /// Says whether no flag is given.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            autonomy,
            auto_approve_tickets,
            auto_approve_revisions,
            auto_merge,
            auto_approve_followups,
            max_auto_approvals,
            budget,
        } = self;
        let switches = [autonomy, auto_approve_tickets, auto_approve_revisions, auto_merge, auto_approve_followups];
        switches.iter().all(|switch| switch.is_none()) && max_auto_approvals.is_none() && budget.is_none()
    }

    /// Returns what is wanted otherwise.
    pub(super) fn read(&self) -> Result<(AutonomyEdit, Option<Ceiling<u64>>), CliError> {
        let edit = AutonomyEdit {
            enabled: self.autonomy.map(Into::into),
            auto_approve_tickets: self.auto_approve_tickets.map(Into::into),
            auto_approve_revisions: self.auto_approve_revisions.map(Into::into),
            auto_merge: self.auto_merge.map(Into::into),
            auto_approve_followups: self.auto_approve_followups.map(Into::into),
            max_auto_approvals: self.max_auto_approvals.as_deref().map(ceiling).transpose()?,
        };
        Ok((edit, self.budget.as_deref().map(dollars).transpose()?))
    }
}

fn ceiling(text: &str) -> Result<Ceiling, CliError> {
    if text == "none" {
        return Ok(Ceiling::Unlimited);
    }
    text.parse().map(Ceiling::AtMost).map_err(|_| {
        let message = format!("`{text}` is no number of approvals");
        CliError::wrong_use("bad_value", message, "Give a whole number, or none for no limit.")
    })
}

fn dollars(text: &str) -> Result<Ceiling<u64>, CliError> {
    if text == "none" {
        return Ok(Ceiling::Unlimited);
    }
    money::read_dollars(text).map(Ceiling::AtMost).ok_or_else(|| {
        let message = format!("`{text}` is no amount in US dollars");
        CliError::wrong_use("bad_value", message, "Give an amount such as 5 or 2.50, or none for no limit.")
    })
}

/// Puts what may happen without a person into the JSON of a goal, with what it has used of that.
pub(super) fn put(value: &mut Value, board: &Board, goal: &Goal) {
    let autonomy = &goal.autonomy;
    let spent = Money::of_goal(board, goal).spent;
    let usd = |micros: u64| Usage { cost_micros: Some(micros), ..Usage::default() }.cost_usd();
    value["autonomy_enabled"] = json!(autonomy.enabled);
    value["auto_approve_tickets"] = json!(autonomy.auto_approve_tickets);
    value["auto_approve_revisions"] = json!(autonomy.auto_approve_revisions);
    value["auto_merge"] = json!(autonomy.auto_merge);
    value["auto_approve_followups"] = json!(autonomy.auto_approve_followups);
    value["max_auto_approvals"] = json!(autonomy.max_auto_approvals);
    value["auto_approval_count"] = json!(autonomy.auto_approval_count);
    value["budget_usd"] = json!(goal.budget_micros.map(usd));
    value["spent_usd"] = json!(usd(spent));
    value["budget_remaining_usd"] = json!(goal.budget_micros.map(|budget| usd(budget.saturating_sub(spent))));
}

/// Returns the settings of a goal as people read them, a line each.
pub(super) fn lines(board: &Board, goal: &Goal) -> Vec<String> {
    let mut lines = vec![format!("without you: {}", goal.autonomy)];
    if let Some(budget) = goal.budget_micros.filter(|budget| *budget > 0) {
        let Money { spent, is_unknown, .. } = Money::of_goal(board, goal);
        let more = if is_unknown { "; some agents do not say what they cost" } else { "" };
        lines.push(format!("budget: {} of {} spent{more}", money::dollars(spent), money::dollars(budget)));
    }
    lines
}
