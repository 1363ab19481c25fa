//! `draft demo`: a sample repository with real bugs, a board with a goal and tickets, and the built-in demo agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::app::{self, AppError, Door, Opened, Options};
use crate::config::trust::trust_content;
use crate::demo::sample::{self, DemoError, Sample};
use crate::domain::board::Board;
use crate::domain::command::{AgentChoice, Command, NewTicket};
use crate::domain::goal::Goal;
use crate::domain::id::{GoalId, TicketId, TicketRef};
use crate::domain::ticket::{Priority, Ticket, Title};
use crate::engine::{Working, Workshop};
use crate::git::Git;

use super::error::{CliError, Exit};
use super::out::Out;
use super::run::{Means, Report, Wanted, run_wanted};
use super::stored::Stored;
use super::{Global, list, session};

/// How many of the demo's jobs run at once, so that there is something to see.
const PARALLEL: u32 = 3;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where to make it [default: a new folder among the temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Run all of it without the board and print a summary; so also where there is no terminal
    #[arg(long)]
    headless: bool,
}

pub(super) fn demo(global: &Global, args: &DemoArgs, out: &mut Out) -> Result<Exit, CliError> {
    // One that is too old would leave half a demo.
    Git::find(&std::env::var_os("PATH").unwrap_or_default()).map_err(AppError::Git)?;
    let dir = folder(args.dir.as_deref())?;
    let repo = dir.join("repo");
    let sample = sample::make(&repo)?;
    let options = Options {
        repo,
        board: global.board.clone(),
        // A world of its own, so that nobody's real boards see it.
        data_dir: Some(global.data_dir.clone().unwrap_or_else(|| dir.join("data"))),
        max_parallel: Some(PARALLEL),
        looks_ahead: false,
    };
    let opened = app::open(&options)?;
    app::start_log(&opened.workshop.paths, global.verbose);
    let workshop = Arc::clone(&opened.workshop);
    let opened = prepared(opened, &sample, &options)?;
    if args.headless || !session::has_terminal() {
        run_all(global, opened, out)?;
        print_summary(global, &dir, &workshop, out)?;
    } else {
        session::board_of(&Global { data_dir: options.data_dir.clone(), ..global.clone() }, opened)?;
        if !global.quiet {
            out.line(format_args!("The demo is in {}. To open it again:", dir.display()))?;
            out.line(format_args!("  {}", again(&workshop)))?;
        }
    }
    Ok(Exit::Done)
}

/// Runs every planned ticket.
fn run_all(global: &Global, opened: Opened, out: &mut Out) -> Result<(), CliError> {
    let report = Report::of(&opened.workshop, false, global.quiet || global.json);
    let means = Means::of(&opened.workshop);
    session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        // Blocked tickets are part of the show, so the answer of the run is not the answer of the demo.
        let ran = run_wanted(&mut door, Wanted::Tickets(Vec::new(), AgentChoice::default()), means, report, out).await;
        door.close().await?;
        ran
    })?;
    Ok(())
}

/// Returns the command line that opens the demo's board again.
fn again(workshop: &Workshop) -> String {
    let quoted = |path: &Path| {
        let path = path.to_string_lossy();
        shlex::try_quote(&path).map_or_else(|_| path.to_string(), std::borrow::Cow::into_owned)
    };
    format!("draft --repo {} --data-dir {}", quoted(workshop.repo.root()), quoted(&workshop.paths.data_dir))
}

/// Returns the folder that everything goes into.
fn folder(wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let failed = |dir: &Path, error: std::io::Error| {
        let message = format!("could not make {}: {error}", dir.display());
        CliError::environment("io", message, "Name another folder with --dir.")
    };
    match wanted {
        Some(dir) => {
            let made = std::fs::create_dir_all(dir).and_then(|()| dir.canonicalize());
            made.map_err(|error| failed(dir, error))
        }
        None => {
            let made = tempfile::Builder::new().prefix("draft-demo-").tempdir();
            Ok(made.map_err(|error| failed(&std::env::temp_dir(), error))?.keep())
        }
    }
}

/// Trusts what Draft itself wrote, and files the sample's goal and tickets unless they are there.
fn prepared(opened: Opened, sample: &Sample, options: &Options) -> Result<Opened, CliError> {
    let board = session::stored_board(&opened.workshop)?;
    let content = trust_content(&*opened.workshop.settings()?);
    session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        if let Some(content) = content {
            door.trust(content).await?;
        }
        let done = fill(&mut door, &board, sample).await;
        door.close().await?;
        done
    })?;
    Ok(app::open(options)?)
}

async fn fill(door: &mut Door, board: &Board, sample: &Sample) -> Result<(), CliError> {
    if !board.is_empty() {
        return Ok(());
    }
    let (wanted, description) = (title(&sample.goal_title)?, sample.goal_description.clone());
    let now = chrono::Utc::now().into();
    let goal = Goal::new(GoalId(uuid::Uuid::now_v7()), board.about.id, wanted, description, now);
    let ids: Vec<TicketId> = sample.tickets.iter().map(|_| TicketId(uuid::Uuid::now_v7())).collect();
    let mut tickets = Vec::with_capacity(ids.len());
    for (one, id) in sample.tickets.iter().zip(&ids) {
        tickets.push(NewTicket {
            id: *id,
            title: title(&one.title)?,
            description: one.description.clone(),
            priority: Priority::try_from(one.priority).ok(),
            goal: Some(goal.id),
            base_branch: None,
            after: one.after.iter().filter_map(|place| ids.get(*place)).map(|id| TicketRef::Id(*id)).collect(),
            accepted: one.accepted,
            agent: None,
            model: None,
            verify: one.verify.clone(),
        });
    }
    door.ask(Command::AddGoal(goal)).await?;
    Ok(door.ask(Command::AddTickets(tickets)).await?)
}

fn title(text: &str) -> Result<Title, CliError> {
    Title::new(text).map_err(|error| CliError::environment("failed", error.to_string(), ""))
}

fn print_summary(global: &Global, dir: &Path, workshop: &Workshop, out: &mut Out) -> Result<(), CliError> {
    let stored = Stored::load(workshop)?;
    let tickets: Vec<&Ticket> = stored.board.tickets().collect();
    if global.json {
        let mut summary = stored.list_json(&tickets);
        for (name, path) in [
            ("dir", dir),
            ("repo", workshop.repo.root()),
            ("data_dir", &workshop.paths.data_dir),
            ("runs", &workshop.paths.runs()),
        ] {
            summary[name] = path.to_string_lossy().into();
        }
        return out.json(&summary);
    }
    out.line("")?;
    list::table(&stored.board, &tickets, stored.mode, None).iter().try_for_each(|line| out.line(line))?;
    out.line(format_args!("\nEverything is in {}. Look at it with", dir.display()))?;
    out.line(format_args!("  {}", again(workshop)))
}

impl From<DemoError> for CliError {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Occupied(_) => Self::wrong_use("occupied", error.to_string(), ""),
            DemoError::Disk { .. } | DemoError::NoGit(_) | DemoError::Git { .. } => {
                Self::environment("demo", error.to_string(), "")
            }
        }
    }
}
