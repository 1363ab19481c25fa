//! `draft conflict`: dealing with the conflict of one ticket's change, by hand in its worktree or by its agent.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::app::{self, AppError, Door, News};
use crate::domain::change::Change;
use crate::domain::command::{Command, RefusalCode};
use crate::domain::event::NewEvent;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::outlook::{ConflictFile, Outlook};
use crate::domain::resolve::{Deed, UnderWay};
use crate::domain::ticket::Ticket;
use crate::engine::{Working, Workshop};
use crate::git::conflict;
use crate::ui::widget::text::visible;

use super::conflicts::{in_full, landing};
use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, job, session, stored};

#[derive(Debug, Args)]
pub(super) struct ConflictArgs {
    /// The ticket's number or UUID
    id: String,
    /// What is to be done
    #[arg(value_enum, default_value_t = What::Status)]
    what: What,
    /// With continue: run the job, if nobody else does, and wait until the ticket has come to rest
    #[arg(long)]
    wait: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum What {
    /// Show what conflicts, and what git has under way in the ticket's worktree
    Status,
    /// Merge the target into the ticket's worktree, for you to resolve there; what was there is kept
    Start,
    /// Take over what you resolved as a new revision, and check it; refused while something is not resolved
    Continue,
    /// Give up what git has under way there, and put the worktree back to what it was before
    Abort,
    /// Send the ticket back to its agent with the conflict
    Send,
}

pub(super) fn conflict(global: &Global, args: &ConflictArgs, out: &mut Out) -> Result<Exit, CliError> {
    match args.what {
        What::Status => status(global, &args.id, out),
        What::Start => deal(global, &args.id, &Deed::Start, out),
        What::Abort => deal(global, &args.id, &Deed::Abort, out),
        What::Continue => go_on(global, args, out),
        What::Send => send(global, &args.id, out),
    }
}

/// Returns what git has under way in a ticket's worktree.
fn under_way(workshop: &Workshop, ticket: &Ticket) -> Result<Option<UnderWay>, CliError> {
    let Some(worktree) = ticket.worktree.as_ref().filter(|worktree| worktree.path.is_dir()) else { return Ok(None) };
    Ok(conflict::under_way(&workshop.repo, worktree).map_err(AppError::Git)?)
}

fn status(global: &Global, id: &str, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let ticket = session::find(&board, id)?;
    let outlook = app::outlook(&opened.workshop, &board, ticket)?;
    let now = under_way(&opened.workshop, ticket)?;
    let begun = conflict::is_begun(&opened.workshop.repo, ticket.id).map_err(AppError::Git)?;
    let worktree = ticket.worktree.as_ref().map(|worktree| worktree.path.to_string_lossy().into_owned());
    if global.json {
        out.json(&json!({
            "ticket": ticket.number, "worktree": worktree, "landing": outlook.as_ref().map_or(Value::Null, landing),
            "operation": now.as_ref().map(|now| now.operation),
            "unresolved": now.as_ref().map(|now| &now.unresolved), "kept": begun,
        }))?;
        return Ok(Exit::Done);
    }
    out.line(format_args!("{} {}", ticket.number, visible(ticket.title.as_str())))?;
    for line in outlook.as_ref().map(in_full).unwrap_or_default() {
        out.line(format_args!("  {line}"))?;
    }
    match &now {
        Some(now) => out.line(format_args!("  {}", visible(&now.in_words())))?,
        None if begun => {
            out.line("  a merge in its worktree was begun and is not under way: start it again, or abort it")?
        }
        None => out.line("  nothing is under way in its worktree")?,
    }
    if let Some(worktree) = worktree.filter(|_| now.is_some()) {
        out.line(format_args!("  {}", visible(&worktree)))?;
    }
    Ok(Exit::Done)
}

/// Asks the engine for a merge in the worktree, or for its end, and waits for what comes of it.
fn deal(global: &Global, id: &str, deed: &Deed, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let ticket = session::find(&board, id)?.clone();
    let event = session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let came = ask(&mut door, ticket.id, deed.clone()).await;
        door.close().await?;
        came
    })?;
    if event.payload["action"] == "conflict_refused" {
        return Err(CliError::wrong_use(RefusalCode::Failed.as_str(), event.reason, "Nothing was changed."));
    }
    let worktree = ticket.worktree.as_ref().map(|worktree| worktree.path.to_string_lossy().into_owned());
    if global.json {
        let mut value = event.payload;
        value["ticket"] = json!(ticket.number);
        value["worktree"] = json!(worktree);
        out.json(&value)?;
        return Ok(Exit::Done);
    }
    if global.quiet {
        return Ok(Exit::Done);
    }
    out.line(format_args!("{} {}", ticket.number, visible(&event.reason)))?;
    let files: Vec<ConflictFile> = serde_json::from_value(event.payload["files"].clone()).unwrap_or_default();
    files.iter().try_for_each(|file| out.line(format_args!("    {} ({})", visible(&file.path), file.kind)))?;
    if *deed == Deed::Start {
        let number = ticket.number.0;
        out.line(format_args!("  cd {}", visible(&worktree.unwrap_or_default())))?;
        out.line(format_args!("  then `draft conflict {number} continue`, or `draft conflict {number} abort`"))?;
    }
    Ok(Exit::Done)
}

async fn ask(door: &mut Door, id: TicketId, deed: Deed) -> Result<NewEvent, CliError> {
    let (_, mut watcher) = door.watch().await?;
    door.ask(Command::Conflict { ticket: TicketRef::Id(id), deed }).await?;
    loop {
        let changes = match watcher.next().await? {
            News::Changed(changes) => changes,
            News::Reloaded(_) => {
                let hint = "`draft conflict ID` says what is under way.";
                return Err(CliError::environment("database", "too much happened at once to see the answer", hint));
            }
        };
        let about = changes.into_iter().find_map(|change| match change {
            Change::Event(event) => Some(event.event).filter(|event| event.ticket == id && is_answer(event)),
            _ => None,
        });
        if let Some(event) = about {
            return Ok(event);
        }
    }
}

fn is_answer(event: &NewEvent) -> bool {
    event.payload["action"].as_str().is_some_and(|action| action.starts_with("conflict_"))
}

fn go_on(global: &Global, args: &ConflictArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let ticket = session::find(&board, &args.id)?;
    if let Some(now) = under_way(&opened.workshop, ticket)?.filter(|now| !now.unresolved.is_empty()) {
        let hint = "Edit the files, and `git add` or `git rm` what is right as it is; then continue.";
        return Err(CliError::wrong_use("unresolved", format!("{}: {}", ticket.number, now.in_words()), hint));
    }
    drop(opened);
    job::resume(global, &job::AgainArgs::of(&args.id, args.wait), out)
}

fn send(global: &Global, id: &str, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let ticket = session::find(&board, id)?.clone();
    let (target, files) = match app::outlook(&opened.workshop, &board, &ticket)? {
        Some(Outlook { target, forecast, .. }) => (target, forecast.files().to_vec()),
        None => (crate::domain::outlook::target_of(&board, &ticket), Vec::new()),
    };
    let command =
        Command::Conflict { ticket: TicketRef::Id(ticket.id), deed: Deed::Send { target, files: files.clone() } };
    stored::carry_out(opened, vec![command])?;
    if global.json {
        out.json(&json!({ "ticket": ticket.number, "files": files }))?;
    } else if !global.quiet {
        out.line(format_args!("{} goes back to its agent with its conflict", ticket.number))?;
    }
    Ok(Exit::Done)
}
