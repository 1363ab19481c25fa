//! `draft demo`: a sample repository with real bugs, a board with a goal and tickets, and the built-in demo agent.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::app::{self, Door, Opened, Options};
use crate::demo::sample::{self, DemoError, Sample};
use crate::domain::board::Board;
use crate::domain::command::{Command, NewTicket};
use crate::domain::goal::Goal;
use crate::domain::id::{GoalId, TicketId, TicketRef};
use crate::domain::ticket::{Priority, Title};
use crate::engine::Working;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::run::{Report, run_tickets};
use super::{Global, session};

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

pub(super) fn demo(global: &Global, args: &DemoArgs) -> Result<Exit, CliError> {
    let dir = folder(args.dir.as_deref())?;
    let repo = dir.join("repo");
    let sample = sample::make(&repo)?;
    let options = Options {
        repo: repo.clone(),
        board: global.board.clone(),
        // A world of its own, so that nobody's real boards see it.
        data_dir: Some(global.data_dir.clone().unwrap_or_else(|| dir.join("data"))),
        max_parallel: Some(PARALLEL),
    };
    let opened = app::open(&options)?;
    app::start_log(&opened.workshop.paths, global.verbose);
    let headless = args.headless || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal();
    if !headless {
        let opened = prepared(opened, &sample, &options)?;
        let exit = session::board_of(global, opened)?;
        say!(
            "The demo is in {}: `draft --repo {} --data-dir {}` opens it again.",
            dir.display(),
            repo.display(),
            dir.join("data").display()
        );
        return Ok(exit);
    }
    let runs = opened.workshop.paths.runs();
    let opened = prepared(opened, &sample, &options)?;
    let reader = opened.reader()?;
    let id = opened.workshop.about.id;
    session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::Jobs).await?;
        // Blocked tickets are part of the show, so the answer of the run is not the answer of the demo.
        let ran = run_tickets(&mut door, &[], Report { json: false, quiet: global.quiet || global.json }).await;
        door.close().await?;
        ran
    })?;
    let board = reader.board(id)?.map(|(board, _)| board);
    let board = board.ok_or_else(|| CliError::environment("database", "the demo's board is gone", ""))?;
    print_summary(global, &board, &dir, &runs);
    Ok(Exit::Done)
}

/// Returns the folder that everything goes into.
fn folder(wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let failed = |error: std::io::Error| CliError::environment("io", format!("could not make a folder: {error}"), "");
    match wanted {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(failed)?;
            dir.canonicalize().map_err(failed)
        }
        None => Ok(tempfile::Builder::new().prefix("draft-demo-").tempdir().map_err(failed)?.keep()),
    }
}

/// Trusts what Draft itself wrote, and files the sample's goal and tickets unless they are there.
fn prepared(opened: Opened, sample: &Sample, options: &Options) -> Result<Opened, CliError> {
    let board = session::stored_board(&opened)?;
    session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let done = fill(&mut door, &board, sample).await;
        door.close().await?;
        done
    })?;
    Ok(app::open(options)?)
}

async fn fill(door: &mut Door, board: &Board, sample: &Sample) -> Result<(), CliError> {
    door.trust().await?;
    if !board.is_empty() {
        return Ok(());
    }
    let goal = Goal {
        id: GoalId(uuid::Uuid::now_v7()),
        board: board.about.id,
        title: title(&sample.goal_title)?,
        description: sample.goal_description.clone(),
        created_at: chrono::Utc::now().into(),
    };
    let ids: Vec<TicketId> = sample.tickets.iter().map(|_| TicketId(uuid::Uuid::now_v7())).collect();
    let mut tickets = Vec::with_capacity(ids.len());
    for (one, id) in sample.tickets.iter().zip(&ids) {
        tickets.push(NewTicket {
            id: *id,
            title: title(&one.title)?,
            description: one.description.clone(),
            priority: Priority::try_from(one.priority).ok(),
            goal: Some(goal.id),
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

fn print_summary(global: &Global, board: &Board, dir: &Path, runs: &Path) {
    if global.json {
        let tickets: Vec<Value> = board.tickets().map(|ticket| super::json::ticket(board, ticket, None)).collect();
        say!("{}", json!({ "dir": dir, "repo": board.about.repo_root, "runs": runs, "tickets": tickets }));
        return;
    }
    say!();
    for ticket in board.tickets() {
        let why = ticket.state.why().map(|why| format!(" ({why})")).unwrap_or_default();
        say!(
            "{:>4}  {:<24} {}",
            ticket.number,
            format!("{}{why}", ticket.state.name()),
            visible(ticket.title.as_str())
        );
        if !ticket.reason.is_empty() {
            say!("      {}", visible(&ticket.reason.replace('\n', " ")));
        }
    }
    let repo = board.about.repo_root.display();
    say!("\nEverything is in {}. Look at it with", dir.display());
    say!("  draft --repo {repo} --data-dir {}", dir.join("data").display());
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
