//! `draft ticket`: file, import, list, show and move; editing, placing and removing have files of their own.

use std::collections::HashSet;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::app::{self, AppError};
use crate::domain::command::Command;
use crate::domain::id::TicketId;
use crate::domain::query::Query;
use crate::domain::state::{StateName, UnknownWord};
use crate::domain::ticket::Ticket;
use crate::engine::ledger;
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::filed::{self, Filed};
use super::out::Out;
use super::stored::{Stored, ask};
use super::{Global, json as wire, list, session};

use fields::Fields;

mod edit;
mod fields;
mod place;
mod remove;

#[derive(Debug, Subcommand)]
pub(super) enum TicketCommand {
    /// File a ticket
    Add(AddArgs),
    /// File many tickets at once from a JSON array or one object a line, all or nothing
    Import {
        /// The file; - is standard input
        file: String,
    },
    /// List tickets
    List(ListArgs),
    /// Show everything about a ticket
    Show {
        /// Its number or UUID
        id: String,
    },
    /// Move a ticket; a refused move names the legal ones
    Move {
        /// Its number or UUID
        id: String,
        /// Where to: proposed, planned, executing, verifying, needs_human, blocked, done or abandoned
        state: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Change fields of a ticket
    Edit(edit::EditArgs),
    /// Put a ticket right above or below another one of its column that is as urgent
    Place(place::PlaceArgs),
    /// Take tickets off the board; they and their worktrees can come back
    Remove(remove::RemoveArgs),
    /// Tell a ticket's agent something: in the same session, when the job ends that runs now; at once where none runs
    Tell {
        /// Its number or UUID
        id: String,
        /// What it is told; - reads it from standard input
        #[arg(required_unless_present = "clear")]
        text: Option<String>,
        /// Take back what was not told yet
        #[arg(long, conflicts_with = "text")]
        clear: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// One line that says what is to be done
    title: String,
    /// proposed or planned
    #[arg(long, default_value = "proposed")]
    state: String,
    #[command(flatten)]
    fields: Fields,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only tickets in this state; may be given several times
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    /// Only tickets that are meant by this, such as `state:blocked agent:codex p0 -waiting "words of the title"`
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    query: Option<String>,
}

pub(super) fn ticket(global: &Global, command: TicketCommand, out: &mut Out) -> Result<Exit, CliError> {
    match command {
        TicketCommand::Add(args) => add(global, args, out)?,
        TicketCommand::Import { file } => import(global, &file, out)?,
        TicketCommand::List(args) => list(global, &args, out)?,
        TicketCommand::Show { id } => show(global, &id, out)?,
        TicketCommand::Move { id, state, reason } => move_ticket(global, &id, &state, reason, out)?,
        TicketCommand::Edit(args) => edit::edit(global, args, out)?,
        TicketCommand::Place(args) => place::place(global, &args, out)?,
        TicketCommand::Remove(args) => remove::remove(global, &args, out)?,
        TicketCommand::Tell { id, text, clear: _ } => tell(global, &id, text, out)?,
    }
    Ok(Exit::Done)
}

fn add(global: &Global, args: AddArgs, out: &mut Out) -> Result<(), CliError> {
    let fields = args.fields;
    let description = fields.description.map(filed::text).transpose()?.unwrap_or_default();
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let new = filed::checked(
        &opened.workshop,
        &board,
        Filed {
            title: args.title,
            description,
            priority: fields.priority.map(Value::from),
            goal: fields.goal,
            after: fields.after.into_iter().map(Value::from).collect(),
            state: Some(args.state),
            agent: fields.agent,
            model: fields.model,
            verify: fields.verify,
            base_branch: fields.base_branch,
        },
    )?;
    let id = new.id;
    let stored = ask(opened, vec![Command::AddTickets(vec![new])])?;
    let ticket = session::filed(&stored.board, id)?;
    if global.json {
        out.json(&stored.json(ticket))
    } else if !global.quiet {
        out.line(format_args!("{} {}  {}", ticket.number, ticket.state.name(), visible(ticket.title.as_str())))
    } else {
        Ok(())
    }
}

fn import(global: &Global, file_name: &str, out: &mut Out) -> Result<(), CliError> {
    let text = if file_name == "-" {
        filed::text(file_name.to_owned())?
    } else {
        std::fs::read_to_string(file_name).map_err(|error| {
            CliError::wrong_use("unreadable_file", format!("could not read {file_name}: {error}"), "Nothing was filed.")
        })?
    };
    let filed = filed::parse(&text)?;
    let opened = session::opened(global)?;
    let new = filed::all_checked(&opened.workshop, &session::stored_board(&opened.workshop)?, filed)?;
    let ids: Vec<TicketId> = new.iter().map(|one| one.id).collect();
    let stored = ask(opened, vec![Command::AddTickets(new)])?;
    let tickets = ids.iter().map(|id| session::filed(&stored.board, *id)).collect::<Result<Vec<_>, _>>()?;
    if global.json {
        out.json(&stored.list_json(&tickets))
    } else if !global.quiet {
        out.line(format_args!("filed {}", counted(tickets.len() as u64, "ticket", "tickets")))
    } else {
        Ok(())
    }
}

fn list(global: &Global, args: &ListArgs, out: &mut Out) -> Result<(), CliError> {
    let states = args
        .state
        .iter()
        .map(|text| text.parse::<StateName>())
        .collect::<Result<Vec<_>, UnknownWord>>()
        .map_err(|error| unknown_state(&error))?;
    let query = Query::parse(args.query.as_deref().unwrap_or_default()).map_err(|error| {
        let hint = "Words are looked for in the title; `state:`, `agent:`, `goal:`, `branch:`, `conflict:` and p0 to p3 say more.";
        CliError::wrong_use("bad_query", error.to_string(), hint)
    })?;
    let opened = session::opened(global)?;
    let stored = Stored::load(&opened.workshop)?;
    let conflicting = match query.asks_for_conflicts() {
        true => app::look_ahead(&opened.workshop, &stored.board)?.conflicting(),
        false => HashSet::new(),
    };
    let matches = |ticket: &&Ticket| {
        let is_in_state = states.is_empty() || states.contains(&ticket.state.name());
        is_in_state && query.matches(&stored.board, &conflicting, ticket)
    };
    let tickets: Vec<&Ticket> = stored.board.tickets().filter(matches).collect();
    if global.json {
        return out.json(&stored.list_json(&tickets));
    }
    if tickets.is_empty() && !global.quiet {
        session::say(if stored.board.is_empty() {
            "there are no tickets yet; `draft ticket add TITLE` files one"
        } else {
            "no ticket matches"
        });
    }
    list::table(&stored.board, &tickets, stored.mode, session::columns()).iter().try_for_each(|line| out.line(line))
}

fn unknown_state(error: &UnknownWord) -> CliError {
    CliError::wrong_use("bad_value", error.to_string(), "Spell the state as one of these words.")
}

fn show(global: &Global, id: &str, out: &mut Out) -> Result<(), CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let ticket = session::find(&board, id)?;
    let detail = app::load_detail(&opened.workshop, ticket.id)?.ok_or_else(|| session::gone(ticket))?;
    let holds = ledger::holds(&opened.workshop, ticket, &detail).map_err(AppError::Git)?;
    let runs = opened.workshop.paths.runs();
    let mode = session::autopilot(&opened.workshop, &board);
    let outlook = app::outlook(&opened.workshop, &board, ticket)?;
    if global.json {
        let mut value = wire::ticket_in_full(&board, ticket, mode, &detail, &holds, &runs);
        value["landing"] = outlook.as_ref().map_or(serde_json::Value::Null, super::conflicts::landing);
        out.json(&value)
    } else {
        super::show::print(&board, ticket, (mode, outlook.as_ref()), &detail, &holds, &runs, out)
    }
}

fn move_ticket(global: &Global, id: &str, state: &str, reason: Option<String>, out: &mut Out) -> Result<(), CliError> {
    let name = session::ticket_ref(id)?;
    let to: StateName = state.parse().map_err(|error| unknown_state(&error))?;
    let stored = ask(session::opened(global)?, vec![Command::Move { ticket: name, to, reason }])?;
    print_moved(global, &stored, id, out)
}

fn tell(global: &Global, id: &str, text: Option<String>, out: &mut Out) -> Result<(), CliError> {
    let ticket = session::ticket_ref(id)?;
    let text = text.map(filed::text).transpose()?;
    if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
        let hint = "Write what is to be said; --clear takes back what was not told yet.";
        return Err(CliError::wrong_use("bad_value", "the message is empty", hint));
    }
    let stored = ask(session::opened(global)?, vec![Command::Tell { ticket, text }])?;
    print_moved(global, &stored, id, out)
}

/// Prints where a ticket is after a command, and what is going on with it.
fn print_moved(global: &Global, stored: &Stored, id: &str, out: &mut Out) -> Result<(), CliError> {
    let ticket = session::find(&stored.board, id)?;
    if global.json {
        return out.json(&stored.json(ticket));
    }
    if global.quiet {
        return Ok(());
    }
    let active = stored.board.active_job(ticket.id);
    let job = active.map(|job| format!(" ({} {})", job.what(), job.status)).unwrap_or_default();
    out.line(format_args!("{} {}{job}", ticket.number, ticket.state.name()))?;
    if ticket.message.is_some() {
        session::say("Its agent is told the message when its job ends, or when it runs next.");
    }
    if active.is_some() && stored.was_engine {
        let number = ticket.number.0;
        session::say(&format!("Nobody works on it yet: the next board does, or `draft run {number}`."));
    }
    Ok(())
}
