//! `draft ticket place`: the order by hand of tickets that are as urgent as each other.

use clap::{ArgGroup, Args};

use crate::domain::command::{Command, Place};

use super::super::error::CliError;
use super::super::out::Out;
use super::super::stored::ask;
use super::super::{Global, session};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("where").required(true))]
pub(in super::super) struct PlaceArgs {
    /// Its number or UUID
    id: String,
    /// The ticket right above which it is to stand
    #[arg(long, value_name = "ID", group = "where")]
    above: Option<String>,
    /// The ticket right below which it is to stand
    #[arg(long, value_name = "ID", group = "where")]
    below: Option<String>,
}

pub(super) fn place(global: &Global, args: &PlaceArgs, out: &mut Out) -> Result<(), CliError> {
    let ticket = session::ticket_ref(&args.id)?;
    let above = args.above.as_deref().map(session::ticket_ref).transpose()?;
    let below = args.below.as_deref().map(session::ticket_ref).transpose()?;
    // The parser sees to it that there is one of them.
    let Some(place) = above.map(Place::Above).or(below.map(Place::Below)) else { return Ok(()) };
    let stored = ask(session::opened(global)?, vec![Command::Place { ticket, place }])?;
    let ticket = session::find(&stored.board, &args.id)?;
    if global.json {
        return out.json(&stored.json(ticket));
    }
    if global.quiet {
        return Ok(());
    }
    let column = stored.board.column(ticket.state.name());
    let at = column.iter().position(|other| other.id == ticket.id).map_or(0, |at| at + 1);
    out.line(format_args!("{} is {at} of {} in {}", ticket.number, column.len(), ticket.state.name()))
}
