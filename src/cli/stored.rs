//! The board as it is stored, and having commands carried out on it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::{AppError, Door, Opened};
use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::command::Command;
use crate::domain::id::TicketId;
use crate::domain::ticket::Ticket;
use crate::engine::{Working, Workshop};
use crate::store::Reader;

use super::error::CliError;
use super::{json as wire, session};

/// The board after a command, and the descriptions, which lie outside it.
pub(super) struct Stored {
    pub(super) board: Board,
    pub(super) mode: Autopilot,
    descriptions: HashMap<TicketId, String>,
    /// Whether this process was the engine, so that nobody works on jobs now.
    pub(super) was_engine: bool,
}

impl Stored {
    pub(super) fn load(workshop: &Workshop) -> Result<Self, CliError> {
        let board = session::stored_board(workshop)?;
        let descriptions = Reader::open(&workshop.paths.database())?.descriptions(board.about.id)?;
        Ok(Self { mode: session::autopilot(workshop, &board), board, descriptions, was_engine: false })
    }

    pub(super) fn description(&self, ticket: TicketId) -> &str {
        self.descriptions.get(&ticket).map_or("", String::as_str)
    }

    pub(super) fn json(&self, ticket: &Ticket) -> Value {
        wire::ticket(&self.board, ticket, self.mode, self.description(ticket.id))
    }

    pub(super) fn list_json(&self, tickets: &[&Ticket]) -> Value {
        json!({ "tickets": tickets.iter().map(|ticket| self.json(ticket)).collect::<Vec<_>>() })
    }
}

/// Has commands carried out, one after the other, and returns the board after them. The first that is refused ends it.
pub(super) fn ask(opened: Opened, commands: Vec<Command>) -> Result<Stored, CliError> {
    let workshop = Arc::clone(&opened.workshop);
    let was_engine = carry_out(opened, commands)?;
    Ok(Stored { was_engine, ..Stored::load(&workshop)? })
}

/// Has commands carried out, one after the other, and says whether this process was the engine. The first that is refused
/// ends it.
pub(super) fn carry_out(opened: Opened, commands: Vec<Command>) -> Result<bool, CliError> {
    session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let asked = ask_all(&mut door, commands).await;
        let was_engine = door.is_engine();
        door.close().await?;
        Ok(asked.map(|()| was_engine)?)
    })
}

async fn ask_all(door: &mut Door, commands: Vec<Command>) -> Result<(), AppError> {
    for command in commands {
        door.ask(command).await?;
    }
    Ok(())
}
