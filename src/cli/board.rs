//! `draft board add`, `list`, `remove` and `restore`: every board in the data directory, how its tickets are, and whether somebody
//! works on it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::app::{self, AppError, boards_here};
use crate::domain::board::About;
use crate::domain::glance::Tally;
use crate::ui::widget::format::counted;
use crate::ui::widget::text::{Side, pad, visible, width};

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session};

#[derive(Debug, Subcommand)]
pub(super) enum BoardCommand {
    /// Make the board of a repository, as opening it for the first time does; one that is there stays as it is
    Add(AddArgs),
    /// List all boards of this data directory; --board NAME then opens one from anywhere
    List,
    /// Take a board out: its worktrees go into the trash, and everything can come back
    Remove(NameArgs),
    /// Bring a board back that was removed, with its worktrees
    Restore(NameArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The repository, or a folder in it [default: the one around the current directory]
    path: Option<PathBuf>,
    /// What the board is to be called [default: as the repository's folder]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The board's name; where several have it, name the repository with --repo
    name: String,
}

pub(super) fn board(global: &Global, command: &BoardCommand, out: &mut Out) -> Result<Exit, CliError> {
    match command {
        BoardCommand::Add(args) => add(global, args, out)?,
        BoardCommand::List => list(global, out)?,
        BoardCommand::Remove(args) => remove(global, &args.name, out)?,
        BoardCommand::Restore(args) => restore(global, &args.name, out)?,
    }
    Ok(Exit::Done)
}

fn add(global: &Global, args: &AddArgs, out: &mut Out) -> Result<(), CliError> {
    // A whole path: with the current directory the name of another repository's board would mean that one.
    let repo = args.path.clone().or_else(|| global.repo.clone()).unwrap_or_else(|| PathBuf::from("."));
    let repo =
        std::path::absolute(&repo).map_err(|source| AppError::Io { action: "find", path: repo.clone(), source })?;
    let board = args.name.clone().or_else(|| global.board.clone());
    if board.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(CliError::wrong_use("bad_value", "a board has a name", "Leave --name out for that of the folder."));
    }
    let known = boards_here(&session::options(global))?;
    let opened = session::opened(&Global { repo: Some(repo), board, ..global.clone() })?;
    let about = &opened.workshop.about;
    let is_new = !known.iter().any(|one| one.about.id == about.id);
    if global.json {
        let mut value = described(about);
        value["added"] = json!(is_new);
        return out.json(&value);
    }
    if global.quiet {
        return Ok(());
    }
    let (name, root) = (visible(&about.name), about.repo_root.to_string_lossy());
    out.line(match is_new {
        true => {
            format!("{name} is the board of {}; tickets start from {}", visible(&root), visible(&about.base_branch))
        }
        false => format!("{name} is the board of {} already", visible(&root)),
    })
}

/// Returns what a board is for programs.
fn described(about: &About) -> Value {
    json!({
        "id": about.id, "name": about.name, "repository": about.repo_root.to_string_lossy(),
        "base_branch": about.base_branch, "created_at": about.created_at.to_string(),
    })
}

fn list(global: &Global, out: &mut Out) -> Result<(), CliError> {
    let boards = boards_here(&session::options(global))?;
    if global.json {
        let boards: Vec<Value> = boards
            .iter()
            .map(|one| {
                let mut value = described(&one.about);
                value["exists"] = json!(one.exists);
                value["tickets"] = json!(states(&one.tickets));
                value["goals"] = json!(one.goals);
                value["engine"] = json!(one.engine);
                value
            })
            .collect();
        return out.json(&json!({ "boards": boards }));
    }
    if boards.is_empty() && !global.quiet {
        session::say("there are no boards yet; `draft` in a repository makes one, and so does `draft board add`");
    }
    let names: Vec<String> = boards.iter().map(|one| visible(&one.about.name).into_owned()).collect();
    let column = names.iter().map(|name| width(name)).max().unwrap_or(0);
    for (one, name) in boards.iter().zip(&names) {
        let repository = one.about.repo_root.to_string_lossy();
        let gone = if one.exists { "" } else { "  (the folder is gone)" };
        let open = one.engine.map(|pid| format!("  open, process {pid}")).unwrap_or_default();
        out.line(format_args!("{}  {}{gone}{open}", pad(name, column, Side::Left), visible(&repository)))?;
        out.line(format_args!("{}  {}", " ".repeat(column), one.tickets))?;
    }
    Ok(())
}

fn remove(global: &Global, name: &str, out: &mut Out) -> Result<(), CliError> {
    let known = boards_here(&session::options(global))?;
    if !known.iter().any(|one| one.about.name == name) {
        return Err(unknown(name, known.iter().map(|one| one.about.name.as_str())));
    }
    let opened = session::opened(&Global { board: Some(name.to_owned()), ..global.clone() })?;
    let about = opened.workshop.about.clone();
    let gone = app::remove_board(&opened, chrono::Utc::now().into())?;
    if global.json {
        return out.json(&json!({ "id": about.id, "name": about.name, "removed": true, "worktrees_in_trash": gone }));
    }
    if global.quiet {
        return Ok(());
    }
    let count = counted(gone as u64, "worktree", "worktrees");
    out.line(format_args!(
        "{} is removed; {count} went into the trash of {}.",
        visible(name),
        about.repo_root.display()
    ))?;
    let runs = opened.workshop.paths.runs();
    out.line(format_args!(
        "Its tickets and their history stay in the database, what its runs printed in {},",
        runs.display()
    ))?;
    out.line(format_args!("its revisions in the repository. `draft board restore {}` brings it back.", visible(name)))
}

fn restore(global: &Global, name: &str, out: &mut Out) -> Result<(), CliError> {
    let options = session::options(global);
    let removed = app::removed_boards(&options)?;
    let is_here = |root: &std::path::Path| {
        global.repo.as_ref().is_none_or(|repo| repo.canonicalize().is_ok_and(|repo| repo.starts_with(root)))
    };
    let named: Vec<_> = removed.iter().filter(|(about, _)| about.name == name && is_here(&about.repo_root)).collect();
    let (about, at) = match named.as_slice() {
        [] => return Err(unknown(name, removed.iter().map(|(about, _)| about.name.as_str()))),
        [one] => *one,
        several => {
            let roots: Vec<String> = several.iter().map(|(about, _)| about.repo_root.display().to_string()).collect();
            let message = format!("several removed boards are called `{name}`: {}", roots.join(", "));
            return Err(CliError::wrong_use("ambiguous_board", message, "Name its repository with --repo."));
        }
    };
    app::bring_back_board(&options, about)?;
    let global_of = Global { board: None, repo: Some(about.repo_root.clone()), ..global.clone() };
    let opened = session::opened(&global_of)?;
    let back = app::bring_back_worktrees(&opened, *at, chrono::Utc::now().into())?;
    if global.json {
        return out.json(&json!({ "id": about.id, "name": about.name, "removed": false, "worktrees": back }));
    }
    if global.quiet {
        return Ok(());
    }
    let count = counted(back as u64, "worktree", "worktrees");
    out.line(format_args!("{} is back, with {count}.", visible(name)))
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> CliError {
    let known: Vec<&str> = known.collect();
    let hint = if known.is_empty() { "There is none.".to_owned() } else { format!("There are: {}.", known.join(", ")) };
    CliError::wrong_use("unknown_board", format!("there is no board `{name}`"), hint)
}

fn states(tickets: &Tally) -> Map<String, Value> {
    tickets.0.iter().map(|(state, count)| (state.as_str().to_owned(), json!(count))).collect()
}
