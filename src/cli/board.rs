//! `draft board list`: every board in the data directory, how its tickets are, and whether somebody works on it.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::app::boards_here;
use crate::domain::board::Board;
use crate::domain::state::StateName;
use crate::ui::widget::text::{Side, pad, visible, width};

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session};

#[derive(Debug, Subcommand)]
pub(super) enum BoardCommand {
    /// List all boards of this data directory; --board NAME then opens one from anywhere
    List,
}

pub(super) fn board(global: &Global, command: &BoardCommand, out: &mut Out) -> Result<Exit, CliError> {
    match command {
        BoardCommand::List => list(global, out)?,
    }
    Ok(Exit::Done)
}

fn list(global: &Global, out: &mut Out) -> Result<(), CliError> {
    let boards = boards_here(&session::options(global))?;
    if global.json {
        let boards: Vec<Value> = boards
            .iter()
            .map(|one| {
                let about = &one.board.about;
                json!({
                    "id": about.id, "name": about.name, "repository": about.repo_root.to_string_lossy(),
                    "exists": one.exists, "base_branch": about.base_branch, "created_at": about.created_at.to_string(),
                    "tickets": states(&one.board), "goals": one.board.goals().len(), "engine": one.engine,
                })
            })
            .collect();
        return out.json(&json!({ "boards": boards }));
    }
    if boards.is_empty() && !global.quiet {
        session::say("there are no boards yet; `draft` in a repository makes one");
    }
    let names: Vec<String> = boards.iter().map(|one| visible(&one.board.about.name).into_owned()).collect();
    let column = names.iter().map(|name| width(name)).max().unwrap_or(0);
    for (one, name) in boards.iter().zip(&names) {
        let repository = one.board.about.repo_root.to_string_lossy();
        let gone = if one.exists { "" } else { "  (the folder is gone)" };
        let open = one.engine.map(|pid| format!("  open, process {pid}")).unwrap_or_default();
        out.line(format_args!("{}  {}{gone}{open}", pad(name, column, Side::Left), visible(&repository)))?;
        out.line(format_args!("{}  {}", " ".repeat(column), in_words(&one.board)))?;
    }
    Ok(())
}

/// Returns how many tickets are in each state that has any.
fn counts(board: &Board) -> impl Iterator<Item = (StateName, usize)> {
    StateName::ALL.iter().map(|state| (*state, board.column(*state).len())).filter(|(_, count)| *count > 0)
}

fn states(board: &Board) -> Map<String, Value> {
    counts(board).map(|(state, count)| (state.as_str().to_owned(), json!(count))).collect()
}

fn in_words(board: &Board) -> String {
    let words: Vec<String> = counts(board).map(|(state, count)| format!("{count} {state}")).collect();
    if words.is_empty() { "no tickets".to_owned() } else { words.join(", ") }
}
