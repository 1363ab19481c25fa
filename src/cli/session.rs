//! What every command starts with: the options, a runtime, the open board, and the board full screen.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use crate::app::{self, AppError, Opened, Options};
use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::command::RefusalCode;
use crate::domain::id::{BadTicketRef, TicketId, TicketRef};
use crate::domain::ticket::Ticket;
use crate::engine::Workshop;
use crate::store::Reader;

use super::error::{CliError, Exit};
use super::{ColorWhen, Global};

/// Returns the options of the board that the flags name.
pub(super) fn options(global: &Global) -> Options {
    Options {
        repo: global.repo.clone().unwrap_or_else(|| PathBuf::from(".")),
        board: global.board.clone(),
        data_dir: global.data_dir.clone(),
        max_parallel: None,
        looks_ahead: false,
    }
}

/// Opens the board that the flags name, with a git that is new enough.
pub(super) fn opened(global: &Global) -> Result<Opened, CliError> {
    opened_with(global, &options(global))
}

/// Opens a board, with a git that is new enough.
pub(super) fn opened_with(global: &Global, options: &Options) -> Result<Opened, CliError> {
    let opened = open(global, options)?;
    opened.workshop.git.check().map_err(AppError::Git)?;
    Ok(opened)
}

/// Opens a board. Its git is not known to be new enough: asking takes longer than all the rest, and a board that is shown asks
/// meanwhile.
fn open(global: &Global, options: &Options) -> Result<Opened, CliError> {
    let opened = app::open(options)?;
    app::start_log(&opened.workshop.paths, global.verbose);
    Ok(opened)
}

/// Returns the board as it is stored.
pub(super) fn stored_board(workshop: &Workshop) -> Result<Board, CliError> {
    let about = &workshop.about;
    let loaded = Reader::open(&workshop.paths.database())?.board(about.id)?;
    loaded.map(|(board, _)| board).ok_or_else(|| {
        let message = format!("board {} is not in the database any more", about.name);
        CliError::environment("database", message, "Run the command again; it makes a new board.")
    })
}

/// Returns the mode of the autopilot that is in force.
pub(super) fn autopilot(workshop: &Workshop, board: &Board) -> Autopilot {
    board.autopilot().unwrap_or_else(|| workshop.configured_autopilot())
}

/// Returns a ticket that was just filed.
pub(super) fn filed(board: &Board, id: TicketId) -> Result<&Ticket, CliError> {
    board.ticket(id).ok_or_else(|| {
        let message = format!("ticket {id} was filed, but it is not on the board any more");
        CliError::environment("database", message, "`draft ticket list` shows what is there.")
    })
}

/// Says that a ticket is not there any more.
pub(super) fn gone(ticket: &Ticket) -> CliError {
    let message = format!("{} is not in the database any more", ticket.number);
    CliError::environment("database", message, "`draft ticket list` shows what is there.")
}

/// Says something beside the results. Nothing can be done if nobody hears it.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Reads how somebody names a ticket.
pub(super) fn ticket_ref(text: &str) -> Result<TicketRef, CliError> {
    text.parse().map_err(|error: BadTicketRef| {
        CliError::wrong_use("bad_value", error.to_string(), "`draft ticket list` shows the numbers.")
    })
}

/// Returns the ticket that somebody names.
pub(super) fn find<'a>(board: &'a Board, name: &str) -> Result<&'a Ticket, CliError> {
    let name = ticket_ref(name)?;
    board.find(name).ok_or_else(|| {
        if let Some(removed) = board.find_removed(name) {
            let message = format!("{} was removed from board {}", removed.number, board.about.name);
            let hint = format!("`draft restore {}` brings it back.", removed.number.0);
            return CliError::wrong_use(RefusalCode::UnknownTicket.as_str(), message, hint);
        }
        CliError::wrong_use(
            RefusalCode::UnknownTicket.as_str(),
            format!("there is no ticket {name} on board {}", board.about.name),
            "`draft ticket list` shows the tickets of this board.",
        )
    })
}

/// Returns the runtime that a command's tasks run on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::environment("io", format!("could not start threads: {error}"), ""))
}

/// Opens the board full screen.
pub(super) fn open_board(global: &Global) -> Result<Exit, CliError> {
    if !has_terminal() {
        let hint = "Use `draft ticket list`, `draft run` and the other commands where there is no terminal.";
        return Err(CliError::wrong_use("no_terminal", "the board needs a terminal", hint));
    }
    board_of(global, open(global, &Options { looks_ahead: true, ..options(global) })?)
}

/// Says whether the board can be shown and take keys.
pub(super) fn has_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}

/// Returns how wide the terminal is to which results go, where they go to one.
pub(super) fn columns() -> Option<usize> {
    let size = std::io::stdout().is_terminal().then(crossterm::terminal::size)?.ok();
    size.map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Shows an open board full screen, and after it every other one to which the person goes from there.
pub(super) fn board_of(global: &Global, mut opened: Opened) -> Result<Exit, CliError> {
    loop {
        let runtime = runtime()?;
        let shown = runtime.block_on(app::run_board(opened, color(global.color), app::glyphs()));
        // Somebody may still read a file for a screen that is gone; nobody waits for that.
        runtime.shutdown_background();
        let Some(repo) = shown? else { return Ok(Exit::Done) };
        let there = Global { repo: Some(repo), board: None, ..global.clone() };
        opened = open(&there, &Options { looks_ahead: true, ..options(&there) })?;
    }
}

/// Says whether to use colour: as asked, else where `NO_COLOR` is not set and the terminal is not a dumb one.
pub(super) fn color(when: ColorWhen) -> app::Color {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    match when {
        ColorWhen::Always => app::Color::Yes,
        ColorWhen::Never => app::Color::No,
        ColorWhen::Auto if no_color || dumb => app::Color::No,
        ColorWhen::Auto => app::Color::Yes,
    }
}
