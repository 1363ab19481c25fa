//! `draft goal`: goals are set, listed, shown, edited and removed; a removed one comes back by `draft restore`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::Opened;
use crate::domain::autonomy::waits_because;
use crate::domain::board::Board;
use crate::domain::command::Command;
use crate::domain::goal::{Goal, Progress};
use crate::domain::id::GoalId;
use crate::domain::ticket::Ticket;
use crate::ui::widget::format::counted;
use crate::ui::widget::text::{Side, pad, visible, width};

use super::autonomy::{self, AutonomyArgs};
use super::error::{CliError, Exit};
use super::goal_name::{Named, find, find_among, several};
use super::out::Out;
use super::stored::{Stored, ask};
use super::{Global, filed, json as wire, list, session};

/// The widest column of titles; longer ones push the rest of their line to the right.
const TITLE: usize = 60;

#[derive(Debug, Subcommand)]
pub(super) enum GoalCommand {
    /// Set a goal
    Add(AddArgs),
    /// List goals, with how far their tickets are
    List,
    /// Show a goal with its tickets
    Show(NameArgs),
    /// Show how far a goal is, what may happen without you, and which tickets wait for you
    Status(NameArgs),
    /// Change a goal; what is not named stays as it is
    Edit(EditArgs),
    /// Remove a goal; its tickets stay, without a goal, and `draft restore` brings it back to them
    Remove(NameArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// One line that says what is wanted
    title: String,
    /// More about it in Markdown; - reads it from standard input
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    autonomy: AutonomyArgs,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// Its UUID, its title or a part of the title that is its own
    #[arg(value_name = "GOAL")]
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct EditArgs {
    #[command(flatten)]
    goal: NameArgs,
    /// One line that says what is wanted
    #[arg(long)]
    title: Option<String>,
    /// More about it in Markdown; - reads it from standard input, and an empty text takes it away
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    autonomy: AutonomyArgs,
}

pub(super) fn goal(global: &Global, command: GoalCommand, out: &mut Out) -> Result<Exit, CliError> {
    match command {
        GoalCommand::Add(args) => add(global, args, out)?,
        GoalCommand::List => list_all(global, out)?,
        GoalCommand::Show(args) => show(global, &args.name, out)?,
        GoalCommand::Status(args) => status(global, &args.name, out)?,
        GoalCommand::Edit(args) => edit(global, args, out)?,
        GoalCommand::Remove(args) => remove(global, &args.name, out)?,
    }
    Ok(Exit::Done)
}

fn add(global: &Global, args: AddArgs, out: &mut Out) -> Result<(), CliError> {
    let title = filed::title(&args.title)?;
    let (autonomy, budget) = args.autonomy.read()?;
    let description = args.description.map(filed::text).transpose()?.unwrap_or_default();
    let opened = session::opened(global)?;
    let id = GoalId(uuid::Uuid::now_v7());
    let new = Goal::new(id, opened.workshop.about.id, title, description, chrono::Utc::now().into());
    let budget_micros = budget.and_then(Into::into);
    let new = Goal { autonomy: new.autonomy.edited(autonomy), budget_micros, ..new };
    let stored = ask(opened, vec![Command::AddGoal(new)])?;
    print(global, &stored, id, "", out)
}

/// Prints a goal after a command, and what became of it.
fn print(global: &Global, stored: &Stored, id: GoalId, became: &str, out: &mut Out) -> Result<(), CliError> {
    let board = &stored.board;
    let goal = board.goal(id).or_else(|| board.removed_goal(id)).ok_or_else(|| {
        let message = format!("goal {id} is not in the database any more");
        CliError::environment("database", message, "`draft goal list` shows what is there.")
    })?;
    if global.json {
        out.json(&wire::goal(board, goal))
    } else if global.quiet {
        Ok(())
    } else {
        out.line(format_args!("{}  {}{became}", goal.id, visible(goal.title.as_str())))
    }
}

fn list_all(global: &Global, out: &mut Out) -> Result<(), CliError> {
    let board = session::stored_board(&session::opened(global)?.workshop)?;
    let goals = board.goals();
    if global.json {
        let goals: Vec<Value> = goals.into_iter().map(|goal| wire::goal(&board, goal)).collect();
        return out.json(&json!({ "goals": goals }));
    }
    if goals.is_empty() && !global.quiet {
        session::say("there are no goals yet; `draft goal add TITLE` sets one");
    }
    let rows: Vec<(String, String, GoalId)> = goals
        .into_iter()
        .map(|goal| (visible(goal.title.as_str()).into_owned(), progress(&tickets(&board, goal)), goal.id))
        .collect();
    let title = rows.iter().map(|row| width(&row.0)).max().unwrap_or(0).min(TITLE);
    let done = rows.iter().map(|row| width(&row.1)).max().unwrap_or(0);
    rows.iter().try_for_each(|(name, progress, id)| {
        out.line(format_args!(
            "{}  {}  {id}",
            pad(name, title.max(width(name)), Side::Left),
            pad(progress, done, Side::Left)
        ))
    })
}

fn tickets<'a>(board: &'a Board, goal: &Goal) -> Vec<&'a Ticket> {
    board.tickets().filter(|ticket| ticket.goal == Some(goal.id)).collect()
}

fn progress(tickets: &[&Ticket]) -> String {
    let Progress { total, done, .. } = Progress::of(tickets.iter().copied());
    if total == 0 { "no tickets".to_owned() } else { format!("{done} of {total} done") }
}

/// Prints what may happen without a person, and which tickets wait for one nevertheless.
fn without_you(board: &Board, goal: &Goal, tickets: &[&Ticket], out: &mut Out) -> Result<(), CliError> {
    autonomy::lines(board, goal).iter().try_for_each(|line| out.line(line))?;
    let waiting = tickets.iter().filter_map(|ticket| Some((ticket, waits_because(ticket)?)));
    waiting
        .into_iter()
        .try_for_each(|(ticket, why)| out.line(format_args!("  {} waits for you: {}", ticket.number, visible(why))))
}

fn status(global: &Global, name: &str, out: &mut Out) -> Result<(), CliError> {
    let board = session::stored_board(&session::opened(global)?.workshop)?;
    let goal = find(&board, name)?;
    let tickets = tickets(&board, goal);
    if global.json {
        let mut value = wire::goal(&board, goal);
        let waiting = tickets.iter().filter_map(|ticket| Some((ticket, waits_because(ticket)?)));
        value["waiting"] =
            waiting.map(|(ticket, why)| json!({ "number": ticket.number, "id": ticket.id, "why": why })).collect();
        return out.json(&value);
    }
    let far = Progress::of(tickets.iter().copied());
    let (status, percent) = (far.status.as_str().replace('_', " "), far.percent());
    out.line(format_args!("{}: {status}, {} ({percent}%)", visible(goal.title.as_str()), progress(&tickets)))?;
    without_you(&board, goal, &tickets, out)
}

fn show(global: &Global, name: &str, out: &mut Out) -> Result<(), CliError> {
    let stored = Stored::load(&session::opened(global)?.workshop)?;
    let board = &stored.board;
    let goal = find(board, name)?;
    let tickets = tickets(board, goal);
    if global.json {
        let mut value = wire::goal(board, goal);
        value["tickets"] = stored.list_json(&tickets)["tickets"].take();
        return out.json(&value);
    }
    out.line(visible(goal.title.as_str()))?;
    out.line(format_args!("{}, set {}  {}", progress(&tickets), goal.created_at, goal.id))?;
    if goal.autonomy.enabled || goal.budget_micros.is_some() {
        without_you(board, goal, &tickets, out)?;
    }
    if !goal.description.trim().is_empty() {
        out.line("")?;
        goal.description
            .lines()
            .try_for_each(|line| out.line(format_args!("  {}", visible(line)).to_string().trim_end()))?;
    }
    if !tickets.is_empty() {
        out.line("")?;
    }
    list::table(board, &tickets, stored.mode, None).iter().try_for_each(|line| out.line(line))
}

fn edit(global: &Global, args: EditArgs, out: &mut Out) -> Result<(), CliError> {
    let title = args.title.as_deref().map(filed::title).transpose()?;
    let description = args.description.map(filed::text).transpose()?;
    let (autonomy, budget) = args.autonomy.read()?;
    if title.is_none() && description.is_none() && args.autonomy.is_empty() {
        let hint = "Give a new --title or --description, or say what may happen without you, such as --autonomy on.";
        return Err(CliError::wrong_use("usage", "there is nothing to change", hint));
    }
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let before = find(&board, &args.goal.name)?;
    let goal = before.id;
    let stored = ask(opened, vec![Command::EditGoal { goal, title, description, autonomy, budget }])?;
    let is_same = stored.board.goal(goal) == Some(before);
    print(global, &stored, goal, if is_same { "  is like that already" } else { "" }, out)
}

fn remove(global: &Global, name: &str, out: &mut Out) -> Result<(), CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let goal = find(&board, name)?;
    let left = tickets(&board, goal).len() as u64;
    let stored = ask(opened, vec![Command::RemoveGoal { goal: goal.id }])?;
    let stay = match left {
        0 => String::new(),
        1 => ", its ticket stays without a goal".to_owned(),
        more => format!(", its {} stay without a goal", counted(more, "ticket", "tickets")),
    };
    print(global, &stored, goal.id, &format!("  removed{stay}"), out)?;
    if !global.json && !global.quiet {
        session::say(&format!("`draft restore {}` brings it back, and its tickets serve it again.", goal.id));
    }
    Ok(())
}

/// Brings back the goal of that name, for `draft restore`.
pub(super) fn restore(
    global: &Global,
    opened: Opened,
    board: &Board,
    name: &str,
    out: &mut Out,
) -> Result<Exit, CliError> {
    let goal = find_among(&board.removed_goals(), name).map_err(|named| match named {
        Named::Nothing => {
            let message = format!("there is no `{name}` in the trash");
            CliError::wrong_use("not_in_trash", message, "`draft trash` lists what can come back.")
        }
        Named::Several(goals) => several(name, &goals),
    })?;
    let stored = ask(opened, vec![Command::BringBackGoal { goal: goal.id }])?;
    print(global, &stored, goal.id, "  is back", out)?;
    Ok(Exit::Done)
}
