//! `draft ticket`: file, import, list, show and move.

use std::io::Read;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{self, Door};
use crate::domain::board::Board;
use crate::domain::command::{Command, NewTicket};
use crate::domain::dependencies::Readiness;
use crate::domain::id::{GoalId, TicketId, TicketRef};
use crate::domain::state::{StateName, UnknownWord};
use crate::domain::ticket::{Priority, Ticket, Title};
use crate::engine::Working;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::{Global, json as wire, session};

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
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// One line that says what is to be done
    title: String,
    /// More about it in Markdown; - reads it from standard input
    #[arg(long)]
    description: Option<String>,
    /// P0 (most urgent) to P3, or 0 to 100 (most urgent)
    #[arg(long)]
    priority: Option<String>,
    /// The goal that it serves
    #[arg(long, value_name = "ID")]
    goal: Option<String>,
    /// A ticket that must be done first; may be given several times
    #[arg(long, value_name = "ID")]
    after: Vec<String>,
    /// proposed or planned
    #[arg(long, default_value = "proposed")]
    state: String,
    /// The agent that is to do it
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The model that the agent is to use
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// A check of its own, in place of the repository's; up to 5
    #[arg(long, value_name = "CMD")]
    verify: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only tickets in this state; may be given several times
    #[arg(long, value_name = "STATE")]
    state: Vec<String>,
    /// Only tickets whose title has these words
    #[arg(long, value_name = "WORDS")]
    query: Option<String>,
}

/// A ticket in an imported file: the fields of `ticket add`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Imported {
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    priority: Option<Value>,
    #[serde(default)]
    goal: Option<String>,
    #[serde(default)]
    after: Vec<Value>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    verify: Vec<String>,
}

pub(super) fn ticket(global: &Global, command: TicketCommand) -> Result<Exit, CliError> {
    match command {
        TicketCommand::Add(args) => add(global, args),
        TicketCommand::Import { file } => import(global, &file),
        TicketCommand::List(args) => list(global, &args),
        TicketCommand::Show { id } => show(global, &id),
        TicketCommand::Move { id, state, reason } => move_ticket(global, &id, &state, reason),
    }
}

fn add(global: &Global, args: AddArgs) -> Result<Exit, CliError> {
    let description = match args.description.as_deref() {
        Some("-") => read_stdin()?,
        Some(text) => text.to_owned(),
        None => String::new(),
    };
    let filed = Imported {
        title: args.title,
        description,
        priority: args.priority.map(Value::from),
        goal: args.goal,
        after: args.after.into_iter().map(Value::from).collect(),
        state: Some(args.state),
        agent: args.agent,
        model: args.model,
        verify: args.verify,
    };
    let new = new_ticket(filed)?;
    let id = new.id;
    let board = file(global, vec![new])?;
    let Some(ticket) = board.ticket(id) else { return Ok(Exit::Done) };
    if global.json {
        say!("{}", wire::ticket(&board, ticket, None));
    } else if !global.quiet {
        say!("{} {}  {}", ticket.number, ticket.state.name(), visible(ticket.title.as_str()));
    }
    Ok(Exit::Done)
}

fn import(global: &Global, file_name: &str) -> Result<Exit, CliError> {
    let text = if file_name == "-" {
        read_stdin()?
    } else {
        std::fs::read_to_string(file_name).map_err(|error| {
            CliError::wrong_use("unreadable_file", format!("could not read {file_name}: {error}"), "")
        })?
    };
    let new = parse_import(&text)?.into_iter().map(new_ticket).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<TicketId> = new.iter().map(|one| one.id).collect();
    let board = file(global, new)?;
    let tickets: Vec<&Ticket> = ids.iter().filter_map(|id| board.ticket(*id)).collect();
    if global.json {
        say!("{}", tickets_json(&board, &tickets));
    } else if !global.quiet {
        let plural = if tickets.len() == 1 { "ticket" } else { "tickets" };
        say!("filed {} {plural}", tickets.len());
    }
    Ok(Exit::Done)
}

/// Reads a JSON array, or one object a line.
fn parse_import(text: &str) -> Result<Vec<Imported>, CliError> {
    let bad = |place: String, error: serde_json::Error| {
        let hint = "Give a JSON array of tickets, or one object a line, with the fields of `draft ticket add`.";
        CliError::wrong_use("bad_import", format!("{place}: {error}"), hint)
    };
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| bad("the array of tickets".to_owned(), error));
    }
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| serde_json::from_str(line).map_err(|error| bad(format!("line {}", index + 1), error)))
        .collect()
}

fn new_ticket(filed: Imported) -> Result<NewTicket, CliError> {
    let bad = |message: String| CliError::wrong_use("bad_value", message, "");
    let title = Title::new(&filed.title).map_err(|error| bad(error.to_string()))?;
    let in_ticket = |message: String| bad(format!("`{}`: {message}", visible(title.as_str())));
    let accepted = match filed.state.as_deref() {
        None | Some("proposed") => false,
        Some("planned") => true,
        Some(other) => return Err(in_ticket(format!("a new ticket is proposed or planned, not `{other}`"))),
    };
    let priority = match filed.priority {
        None | Some(Value::Null) => None,
        Some(value) => Some(plain(&value).parse::<Priority>().map_err(|error| in_ticket(error.to_string()))?),
    };
    let goal = match filed.goal {
        None => None,
        Some(text) => Some(text.parse::<GoalId>().map_err(|_| in_ticket(format!("`{text}` is no goal's UUID")))?),
    };
    let after: Result<Vec<TicketRef>, _> = filed.after.iter().map(|name| plain(name).parse::<TicketRef>()).collect();
    Ok(NewTicket {
        id: TicketId(uuid::Uuid::now_v7()),
        after: after.map_err(|error| in_ticket(error.to_string()))?,
        description: filed.description,
        agent: filed.agent,
        model: filed.model,
        verify: filed.verify,
        title,
        priority,
        goal,
        accepted,
    })
}

/// A number or a text as people would type it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read_stdin() -> Result<String, CliError> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        CliError::wrong_use("unreadable_file", format!("could not read standard input: {error}"), "")
    })?;
    Ok(text)
}

/// Files tickets and returns the board with them.
fn file(global: &Global, new: Vec<NewTicket>) -> Result<Board, CliError> {
    ask(global, Command::AddTickets(new))
}

/// Has one command carried out and returns the board after it.
fn ask(global: &Global, command: Command) -> Result<Board, CliError> {
    let opened = session::opened(global)?;
    let reader = opened.reader()?;
    let board = opened.workshop.about.id;
    session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let asked = door.ask(command).await;
        door.close().await?;
        asked
    })?;
    let loaded = reader.board(board)?;
    loaded.map(|(board, _)| board).ok_or_else(|| CliError::environment("database", "the board is gone", ""))
}

fn list(global: &Global, args: &ListArgs) -> Result<Exit, CliError> {
    let states = args
        .state
        .iter()
        .map(|text| text.parse::<StateName>())
        .collect::<Result<Vec<_>, UnknownWord>>()
        .map_err(|error| CliError::wrong_use("bad_value", error.to_string(), ""))?;
    let words: Vec<String> =
        args.query.iter().flat_map(|query| query.split_whitespace()).map(str::to_lowercase).collect();
    let board = session::stored_board(&session::opened(global)?)?;
    let matches = |ticket: &&Ticket| {
        let title = ticket.title.as_str().to_lowercase();
        (states.is_empty() || states.contains(&ticket.state.name())) && words.iter().all(|word| title.contains(word))
    };
    let tickets: Vec<&Ticket> = board.tickets().filter(matches).collect();
    if global.json {
        say!("{}", tickets_json(&board, &tickets));
        return Ok(Exit::Done);
    }
    for ticket in tickets {
        let priority = ticket.priority.map_or("  ", Priority::bucket);
        let state = ticket.state.name();
        say!(
            "{:>5}  {state:<11}  {priority}  {}{}",
            ticket.number,
            visible(ticket.title.as_str()),
            aside(&board, ticket)
        );
    }
    Ok(Exit::Done)
}

/// Why the ticket is where it is, in short.
fn aside(board: &Board, ticket: &Ticket) -> String {
    let list = |numbers: &[_]| numbers.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ");
    if let Some(job) = board.active_job(ticket.id) {
        return format!("  ({} {})", job.kind, job.status);
    }
    match (ticket.state.name(), board.readiness(ticket)) {
        (StateName::Planned, Readiness::Waits(blockers)) => format!("  (waits for {})", list(&blockers)),
        (StateName::Planned, Readiness::Dead(blockers)) => format!("  (waits for {}, abandoned)", list(&blockers)),
        _ if ticket.reason.is_empty() => String::new(),
        _ => format!("  ({})", visible(crate::domain::outcome::first_line(&ticket.reason).as_str())),
    }
}

fn tickets_json(board: &Board, tickets: &[&Ticket]) -> Value {
    json!({ "tickets": tickets.iter().map(|ticket| wire::ticket(board, ticket, None)).collect::<Vec<_>>() })
}

fn show(global: &Global, id: &str) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened)?;
    let ticket = session::find(&board, id)?;
    let detail = app::load_detail(&opened.workshop, ticket.id)?
        .ok_or_else(|| CliError::environment("database", format!("{} is gone", ticket.number), ""))?;
    if global.json {
        say!("{}", wire::ticket_in_full(&board, ticket, &detail, &opened.workshop.paths.runs()));
    } else {
        super::show::print(&board, ticket, &detail, &opened.workshop.paths.runs());
    }
    Ok(Exit::Done)
}

fn move_ticket(global: &Global, id: &str, state: &str, reason: Option<String>) -> Result<Exit, CliError> {
    let name = session::ticket_ref(id)?;
    let to: StateName =
        state.parse().map_err(|error: UnknownWord| CliError::wrong_use("bad_value", error.to_string(), ""))?;
    let board = ask(global, Command::Move { ticket: name, to, reason })?;
    let Some(ticket) = board.find(name) else { return Ok(Exit::Done) };
    if global.json {
        say!("{}", wire::ticket(&board, ticket, None));
    } else if !global.quiet {
        let queued =
            board.active_job(ticket.id).map(|job| format!(" ({} {})", job.kind, job.status)).unwrap_or_default();
        say!("{} {}{queued}", ticket.number, ticket.state.name());
    }
    Ok(Exit::Done)
}
