//! `draft checklist`: what must be true before a change lands, the boxes that a person ticks, and how it is taken back.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::domain::checklist::{Checklist, Findings, Item, Standing, Subject, Tests};
use crate::domain::command::{Command, RefusalCode};
use crate::domain::id::TicketRef;
use crate::domain::state::State;
use crate::domain::ticket::{Ticket, Usage};
use crate::engine::find_out;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session, stored};

#[derive(Debug, Args)]
pub(super) struct ChecklistArgs {
    /// The ticket's number or UUID
    id: String,
    /// Tick these boxes: code_reviewed, no_sensitive_data, rollback_plan_understood, documentation_updated
    #[arg(long, value_name = "ITEM,…", value_delimiter = ',')]
    tick: Vec<Item>,
    /// Take the tick from these boxes
    #[arg(long, value_name = "ITEM,…", value_delimiter = ',')]
    untick: Vec<Item>,
    /// The revision that was read; refused when there is a newer one [default: the newest]
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
}

/// Ticks what is to be ticked, and shows the list. Where it is only asked for, the exit code says whether it is ready.
pub(super) fn checklist(global: &Global, args: &ChecklistArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let workshop = Arc::clone(&opened.workshop);
    let ticket = session::find(&session::stored_board(&workshop)?, &args.id)?.id;
    let boxes = boxes(args)?;
    let only_asks = boxes.is_empty();
    if !only_asks {
        let command = Command::Tick { ticket: TicketRef::Id(ticket), revision: args.revision, boxes };
        stored::carry_out(opened, vec![command])?;
    }
    let board = session::stored_board(&workshop)?;
    let ticket = session::find(&board, &ticket.to_string())?;
    let found = Subject::of(&board, ticket.id).map(|subject| find_out(&workshop, &subject)).transpose()?;
    let listed = found.and_then(|found| Some((Checklist::of(&board, ticket, found.tests.clone())?, found)));
    let Some((list, found)) = listed else {
        let message = format!("{} has no change yet, so there is no checklist", ticket.number);
        let hint = "A run that leaves a change makes a revision.";
        return Err(CliError::wrong_use(RefusalCode::UnknownRevision.as_str(), message, hint));
    };
    let is_ready = list.is_ready();
    if global.json {
        out.json(&as_json(ticket, &list, &found))?;
    } else if !global.quiet {
        lines(ticket, &list, &found).iter().try_for_each(|line| out.line(visible(line).trim_end()))?;
    }
    Ok(if is_ready || !only_asks { Exit::Done } else { Exit::AnswerIsNo })
}

/// Returns what is to become of which box.
fn boxes(args: &ChecklistArgs) -> Result<Vec<(Item, bool)>, CliError> {
    if let Some(both) = args.tick.iter().find(|item| args.untick.contains(item)) {
        let message = format!("`{both}` cannot be ticked and unticked at once");
        return Err(CliError::wrong_use("usage", message, "Give it to --tick or to --untick."));
    }
    let ticked = args.tick.iter().map(|item| (*item, true));
    Ok(ticked.chain(args.untick.iter().map(|item| (*item, false))).collect())
}

/// Returns the list as people read it.
fn lines(ticket: &Ticket, list: &Checklist, found: &Findings) -> Vec<String> {
    let ready = match (ticket.state == State::Done, list.is_ready(), found.is_required) {
        (true, true, _) => "done",
        (true, false, _) => "not done, though the ticket is",
        (false, true, _) => "ready to land",
        (false, false, true) => "not ready, and must be to land",
        (false, false, false) => "not ready",
    };
    let mut lines = vec![format!("{} checklist of revision {}: {ready}", ticket.number, list.revision)];
    lines.extend(list.rows().iter().map(|row| {
        let sign = match row.standing {
            Standing::Good => "ok",
            Standing::Bad => "no",
            Standing::Told => "",
        };
        format!("  {sign:<3} {:<25} {}", row.name, row.text)
    }));
    lines.extend(Item::ALL.iter().map(|item| {
        let sign = if list.tick(*item).is_some() { "[x]" } else { "[ ]" };
        let note = match list.tick(*item) {
            Some(tick) => format!(": {}, {}", tick.by, tick.at),
            None if item.is_required() => String::new(),
            None => " (optional)".to_owned(),
        };
        format!("  {sign} {:<25} {}{note}", item.as_str(), item.says())
    }));
    let plan = &found.plan;
    let because = if plan.because.is_empty() { String::new() } else { format!(" ({})", plan.because.join(", ")) };
    let who = if plan.requires_human { "a person must act" } else { "Draft does it" };
    lines.push(format!("  rollback: risk {}{because}, {}, {who}", plan.risk, plan.estimated_time()));
    for (n, step) in (1..).zip(&plan.steps) {
        lines.push(format!("    {n}. {}", step.text));
        lines.extend(step.files.iter().map(|file| format!("         {file}")));
        lines.extend(step.commands.iter().map(|command| format!("       $ {command}")));
    }
    lines
}

fn as_json(ticket: &Ticket, list: &Checklist, found: &Findings) -> Value {
    let usd = |micros: u64| Usage { cost_micros: Some(micros), ..Usage::default() }.cost_usd();
    let passed = match &list.tests {
        Tests::Passed(_) => Some(true),
        Tests::Open(_) => Some(false),
        Tests::Unknown => None,
    };
    let boxes = Item::ALL.iter().map(|item| {
        let tick = list.tick(*item);
        json!({
            "item": item, "required": item.is_required(), "ticked": tick.is_some(), "says": item.says(),
            "by": tick.map(|tick| tick.by.kind), "by_name": tick.and_then(|tick| tick.by.name.clone()),
            "at": tick.map(|tick| tick.at.to_string()),
        })
    });
    let plan = &found.plan;
    json!({
        "ticket": ticket.number, "revision": list.revision, "ready": list.is_ready(), "required": found.is_required,
        "open": list.open(), "all_tests_passed": passed, "total_files_changed": list.size.files,
        "total_lines_changed": list.lines(), "total_cost_usd": list.cost.map(usd),
        "budget_exceeded": list.money.exceeded().is_some(), "boxes": boxes.collect::<Vec<_>>(),
        "rollback_plan": {
            "steps": plan.steps, "risk_level": plan.risk, "because": plan.because,
            "estimated_time": plan.estimated_time(), "estimated_minutes": plan.minutes,
            "requires_human": plan.requires_human,
        },
    })
}
