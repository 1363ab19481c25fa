//! `draft export` and `draft import`: a board as a file that another board can take in.

use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::domain::archive::{Archive, ArchivedTicket, BadArchive};
use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::command::{Command, Import};
use crate::domain::event::Actor;
use crate::domain::id::{GoalId, JobId, TicketId, TicketNumber};
use crate::domain::rule::{Input, Known, Trust, What, decide};
use crate::domain::rule_import::numbers;
use crate::domain::state::StateName;
use crate::engine::Workshop;
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::stored::{Stored, ask};
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Where to write it; - is standard output [default: -]
    file: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "file")]
    force: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What `draft export` wrote; - is standard input
    file: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn export(global: &Global, args: &ExportArgs, out: &mut Out) -> Result<Exit, CliError> {
    let archive = archive(&session::opened(global)?.workshop)?;
    let Some(file) = args.file.as_deref().filter(|file| *file != Path::new("-")) else {
        let value = serde_json::to_value(&archive).unwrap_or(Value::Null);
        if global.json {
            out.json(&value)?
        } else {
            out.pretty(&value)?
        }
        return Ok(Exit::Done);
    };
    let mut text = serde_json::to_vec_pretty(&archive).unwrap_or_default();
    text.push(b'\n');
    write(file, &text, args.force)?;
    let (goals, tickets) = (archive.goals.len(), archive.tickets.len());
    if global.json {
        out.json(&json!({ "file": file.to_string_lossy(), "goals": goals, "tickets": tickets }))?;
    } else if !global.quiet {
        let counts = counts(goals, tickets);
        out.line(format_args!("exported {counts} to {}", visible(&file.to_string_lossy())))?;
    }
    Ok(Exit::Done)
}

/// Reads a board with all that lies outside of it in memory.
fn archive(workshop: &Workshop) -> Result<Archive, CliError> {
    let stored = Stored::load(workshop)?;
    let mut history = HashMap::new();
    let (mut descriptions, board) = (HashMap::new(), &stored.board);
    for ticket in board.tickets() {
        let read = |reader: &crate::store::Reader| reader.detail(ticket.id);
        if let Some(detail) = workshop.readers.read(read)? {
            descriptions.insert(ticket.id, detail.description);
            history.insert(ticket.id, detail.events);
        }
    }
    Ok(Archive::of(board, &descriptions, &history))
}

/// Writes a file that is whole or not there, readable by its owner only.
fn write(file: &Path, text: &[u8], force: bool) -> Result<(), CliError> {
    let failed = |error: &std::io::Error| {
        let message = format!("could not write {}: {error}", file.display());
        CliError::environment(
            "io",
            message,
            "Name a file in a folder that is there, that you may write to and that has space.",
        )
    };
    if !force && file.symlink_metadata().is_ok() {
        let message = format!("{} is there already", file.display());
        return Err(CliError::wrong_use(
            "file_exists",
            message,
            "Name another file, or give --force to write over it.",
        ));
    }
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let unfinished = PathBuf::from(name);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).and_then(|mut part| {
        part.write_all(text)?;
        part.sync_all()?;
        std::fs::rename(&unfinished, file)
    });
    written.map_err(|error| {
        // It may not be there, and the first error is the one that matters.
        let _ = std::fs::remove_file(&unfinished);
        failed(&error)
    })
}

pub(super) fn import(global: &Global, args: &ImportArgs, out: &mut Out) -> Result<Exit, CliError> {
    let archive = read(&args.file)?;
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let import = Import {
        goals: archive.goals.iter().map(|_| GoalId(uuid::Uuid::now_v7())).collect(),
        tickets: archive.tickets.iter().map(|_| TicketId(uuid::Uuid::now_v7())).collect(),
        archive: archive.clone(),
    };
    let ids = import.tickets.clone();
    say_unknown_agents(&opened.workshop, &archive);
    let command = Command::Import(Box::new(import));
    if args.dry_run {
        let steps = Input {
            at: chrono::Utc::now().into(),
            actor: Actor::human(),
            fresh: JobId(uuid::Uuid::now_v7()),
            known: Known::only(Trust::Given),
            what: What::Command(command),
        };
        decide(&board, &steps)?;
        let got = numbers(&board, &archive).unwrap_or_default();
        return tell(global, &board, &archive, &got, Done::Would, out);
    }
    let is_on = session::autopilot(&opened.workshop, &board) == Autopilot::On;
    let stored = ask(opened, vec![command])?;
    let got: Result<Vec<TicketNumber>, CliError> =
        ids.iter().map(|id| session::filed(&stored.board, *id).map(|ticket| ticket.number)).collect();
    tell(global, &stored.board, &archive, &got?, Done::Did { is_on }, out)
}

/// Whether an import was made.
#[derive(Clone, Copy)]
enum Done {
    Would,
    Did {
        /// Whether the autopilot runs what is planned.
        is_on: bool,
    },
}

fn tell(
    global: &Global,
    board: &Board,
    archive: &Archive,
    got: &[TicketNumber],
    done: Done,
    out: &mut Out,
) -> Result<Exit, CliError> {
    let is_dry = matches!(done, Done::Would);
    let pairs = || archive.tickets.iter().zip(got);
    if global.json {
        let tickets: Vec<Value> = pairs()
            .map(|(one, number)| {
                json!({ "from": one.number, "number": number, "title": one.title, "state": one.state, "why": one.why })
            })
            .collect();
        let goals: Vec<Value> = archive.goals.iter().map(|goal| json!({ "title": goal.title })).collect();
        out.json(&json!({ "dry_run": is_dry, "board": board.about.name, "goals": goals, "tickets": tickets }))?;
        return Ok(Exit::Done);
    }
    if global.quiet {
        return Ok(Exit::Done);
    }
    let counts = counts(archive.goals.len(), archive.tickets.len());
    let verb = if is_dry { "would import" } else { "imported" };
    out.line(format_args!("{verb} {counts} into board {}", visible(&board.about.name)))?;
    let renumbered: Vec<_> = pairs().filter(|(one, number)| one.number != **number).collect();
    if !renumbered.is_empty() {
        out.line("These numbers are taken here, so the tickets get others:")?;
    }
    for (one, number) in renumbered {
        out.line(format_args!("{:>6} → {number}  {}", one.number.to_string(), visible(one.title.as_str())))?;
    }
    if is_dry {
        session::say("Nothing was imported; leave --dry-run out to do it.");
    }
    let planned = archive.tickets.iter().any(|one| one.state == StateName::Planned);
    if planned && matches!(done, Done::Did { is_on: true }) {
        session::say("The autopilot is on, so the planned ones among them run; `draft planner pause` stops that.");
    }
    Ok(Exit::Done)
}

/// Says which agents the tickets ask for that are still to be done, and nobody here knows: the file may come from another machine.
fn say_unknown_agents(workshop: &Workshop, archive: &Archive) {
    // Wrong settings are said by whatever needs them.
    let Ok(table) = workshop.agents() else { return };
    let is_open = |one: &&ArchivedTicket| !matches!(one.state, StateName::Done | StateName::Abandoned);
    let mut unknown: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in archive.tickets.iter().filter(is_open) {
        if let Some(name) = one.agent.as_deref().filter(|name| table.find(name).is_err()) {
            unknown.entry(name).or_default().push(one.number.to_string());
        }
    }
    for (name, numbers) in unknown {
        let numbers = numbers.join(", ");
        let said = format!("No agent is called `{name}` here, and {numbers} in the file would have it do the work.");
        session::say(&format!("{} `draft agents` lists those there are.", visible(&said)));
    }
}

fn counts(goals: usize, tickets: usize) -> String {
    let tickets = counted(tickets as u64, "ticket", "tickets");
    if goals == 0 { tickets } else { format!("{} and {tickets}", counted(goals as u64, "goal", "goals")) }
}

fn read(file: &Path) -> Result<Archive, CliError> {
    let name = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|all| text = all)
    };
    read.map_err(|error| {
        let why =
            if error.kind() == ErrorKind::InvalidData { "it is not UTF-8 text".to_owned() } else { error.to_string() };
        CliError::wrong_use("unreadable_file", format!("could not read {name}: {why}"), "Nothing was imported.")
    })?;
    Archive::read(&text).map_err(|error| {
        let (code, hint) = match &error {
            BadArchive::Newer(_) => ("newer_format", "A newer Draft wrote it: update this one. Nothing was imported."),
            BadArchive::Unreadable(_) | BadArchive::Foreign(_) => {
                ("bad_import", "`draft export FILE` writes such a file; `draft ticket import` takes plain tickets. Nothing was imported.")
            }
        };
        CliError::wrong_use(code, format!("could not read {name}: {error}"), hint)
    })
}
