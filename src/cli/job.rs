//! `draft cancel`, `verify` and `resume`: one job of a ticket is stopped, or one of that kind is asked for.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::app::{self, AppError, Door, News};
use crate::domain::board::Board;
use crate::domain::command::{Command, RefusalCode};
use crate::domain::id::{JobId, TicketId, TicketRef};
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::landing::Strategy;
use crate::domain::run::Run;
use crate::domain::state::State;
use crate::domain::ticket::Ticket;
use crate::engine::{AskError, Working, Workshop};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::run::is_fine;
use super::{Global, json as wire, session};

#[derive(Debug, Args)]
pub(super) struct CancelArgs {
    /// The ticket's number or UUID
    id: String,
}

#[derive(Debug, Args)]
pub(super) struct AgainArgs {
    /// The ticket's number or UUID
    id: String,
    /// Run the job, or one of its kind that the ticket has already, if nobody else does, and wait until the ticket has come to
    /// rest; Ctrl-C ends the waiting and not the job
    #[arg(long)]
    wait: bool,
}

impl AgainArgs {
    /// Returns the arguments for a ticket.
    pub(super) fn of(id: &str, wait: bool) -> Self {
        Self { id: id.to_owned(), wait }
    }
}

/// What one of these commands is about.
pub(super) struct Asked<'a> {
    pub(super) ticket: TicketId,
    pub(super) command: Command,
    /// Says whether a job that the ticket has already is what is asked for, so that it is waited for.
    pub(super) is_wanted: &'a dyn Fn(&Ticket, &Job) -> bool,
    /// What this process does, if it is the engine, once it was not refused.
    pub(super) working: Working,
    /// Says whether there is nothing left to wait for, about the ticket and the job that the command made or stops.
    pub(super) is_over: &'a dyn Fn(&Board, TicketId, JobId) -> bool,
}

/// What came of it.
struct Came {
    job: JobId,
    /// Whether this process was the engine in the end, so that nobody works on jobs now.
    was_engine: bool,
}

/// Stops the job of a ticket and waits until all its processes are gone, whoever is the engine.
pub(super) fn cancel(global: &Global, args: &CancelArgs, out: &mut Out) -> Result<Exit, CliError> {
    let name = session::ticket_ref(&args.id)?;
    let is_over = |board: &Board, _, job| !board.job(job).is_some_and(|job| job.status.is_active());
    let done = carry_out(global, name, |ticket| Asked {
        ticket,
        command: Command::Cancel { ticket: TicketRef::Id(ticket) },
        is_wanted: &never,
        working: Working::CommandsOnly,
        is_over: &is_over,
    })?;
    let was_canceled = done.job.status == JobStatus::Canceled;
    done.print(global, out)?;
    Ok(if was_canceled { Exit::Done } else { Exit::AnswerIsNo })
}

/// Asks for the checks to run again.
pub(super) fn verify(global: &Global, args: &AgainArgs, out: &mut Out) -> Result<Exit, CliError> {
    // A blocked ticket is resumed first, which leads to its checks.
    let is_wanted = |ticket: &Ticket, job: &Job| match job.kind {
        JobKind::Verify => true,
        JobKind::Resume => matches!(ticket.state, State::Blocked { .. } | State::Executing { .. }),
        JobKind::Execute | JobKind::Land | JobKind::PullRequest => false,
    };
    again(global, args, |ticket| Command::Verify { ticket }, &is_wanted, out)
}

/// Asks for what a person did in the worktree to be taken over.
pub(super) fn resume(global: &Global, args: &AgainArgs, out: &mut Out) -> Result<Exit, CliError> {
    again(global, args, |ticket| Command::Resume { ticket }, &|_, job| job.kind == JobKind::Resume, out)
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The ticket's number or UUID
    id: String,
    /// How [default: one commit, or what `merge_config` says]
    #[arg(long, value_name = "squash|merge|rebase")]
    strategy: Option<Strategy>,
    /// Only ask for it, and leave it to the board or to `draft run`
    #[arg(long)]
    no_wait: bool,
}

/// Brings an approved change to its target, and waits until it is there or it is said why not. A landing that waits or runs
/// already is the one.
pub(super) fn merge(global: &Global, args: &MergeArgs, out: &mut Out) -> Result<Exit, CliError> {
    let name = session::ticket_ref(&args.id)?;
    let at_once = |_: &Board, _, _| true;
    let is_over = |board: &Board, _, job| !board.job(job).is_some_and(|job| job.status.is_active());
    let is_wanted = |_: &Ticket, job: &Job| job.lands() && (args.strategy.is_none() || job.strategy == args.strategy);
    let done = carry_out(global, name, |ticket| Asked {
        ticket,
        command: Command::Land { ticket: TicketRef::Id(ticket), strategy: args.strategy },
        is_wanted: if args.no_wait { &never } else { &is_wanted },
        working: if args.no_wait { Working::CommandsOnly } else { Working::JobsOf(ticket) },
        is_over: if args.no_wait { &at_once } else { &is_over },
    })?;
    let has_landed = done.ticket.state == State::Done;
    done.print(global, out)?;
    Ok(if has_landed || args.no_wait { Exit::Done } else { Exit::AnswerIsNo })
}

fn again(
    global: &Global,
    args: &AgainArgs,
    command: impl Fn(TicketRef) -> Command,
    is_wanted: &dyn Fn(&Ticket, &Job) -> bool,
    out: &mut Out,
) -> Result<Exit, CliError> {
    let name = session::ticket_ref(&args.id)?;
    let at_once = |_: &Board, _, _| true;
    let at_rest = |board: &Board, ticket, _| board.active_job(ticket).is_none();
    let done = carry_out(global, name, |ticket| Asked {
        ticket,
        command: command(TicketRef::Id(ticket)),
        is_wanted: if args.wait { is_wanted } else { &never },
        working: if args.wait { Working::JobsOf(ticket) } else { Working::CommandsOnly },
        is_over: if args.wait { &at_rest } else { &at_once },
    })?;
    let is_fine = is_fine(done.ticket.state);
    if done.has_no_engine() && !global.json && !global.quiet {
        let number = done.ticket.number.0;
        session::say(&format!(
            "Nobody works on it yet: the next board does, or `draft run {number}`; with --wait this command does."
        ));
    }
    done.print(global, out)?;
    Ok(if is_fine || !args.wait { Exit::Done } else { Exit::AnswerIsNo })
}

/// How things stand after a command.
pub(super) struct Done {
    board: Board,
    pub(super) ticket: Ticket,
    pub(super) job: Job,
    runs: Vec<Run>,
    was_engine: bool,
    workshop: Arc<Workshop>,
}

/// No job that a ticket has already is what is asked for.
pub(super) fn never(_: &Ticket, _: &Job) -> bool {
    false
}

/// Has a command carried out and waits as long as it says.
pub(super) fn carry_out<'a>(
    global: &Global,
    name: TicketRef,
    asked: impl FnOnce(TicketId) -> Asked<'a>,
) -> Result<Done, CliError> {
    let opened = session::opened(global)?;
    let workshop = Arc::clone(&opened.workshop);
    let asked = asked(session::find(&session::stored_board(&workshop)?, &name.to_string())?.id);
    let ticket = asked.ticket;
    let came = session::runtime()?.block_on(async {
        // Asked first and worked after: whoever is refused takes no job that nobody would go on with.
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let came = ask_and_wait(&mut door, asked).await;
        door.close().await?;
        came
    })?;
    let board = session::stored_board(&workshop)?;
    let ticket = session::find(&board, &ticket.to_string())?.clone();
    let detail = app::load_detail(&workshop, ticket.id)?.ok_or_else(|| session::gone(&ticket))?;
    let job = detail.jobs.into_iter().find(|job| job.id == came.job).ok_or_else(|| session::gone(&ticket))?;
    let runs = detail.runs.into_iter().filter(|run| run.id.job == job.id).collect();
    Ok(Done { board, ticket, job, runs, was_engine: came.was_engine, workshop })
}

async fn ask_and_wait(door: &mut Door, asked: Asked<'_>) -> Result<Came, CliError> {
    let refused = match door.ask(asked.command).await {
        Err(AppError::Ask(AskError::Refused(refused))) if refused.code == RefusalCode::Busy => Some(refused),
        answer => answer.map(|()| None)?,
    };
    let (mut board, mut watcher) = door.watch().await?;
    if let Some(refused) = refused {
        let has = board.ticket(asked.ticket).zip(board.active_job(asked.ticket));
        if !has.is_some_and(|(ticket, job)| (asked.is_wanted)(ticket, job)) {
            return Err(refused.into());
        }
    }
    door.work(asked.working).await?;
    let job = board.newest_job(asked.ticket).map(|job| job.id).ok_or_else(|| {
        CliError::environment("database", "the job is not in the database any more", "`draft ticket show` tells more.")
    })?;
    while !(asked.is_over)(&board, asked.ticket, job) {
        tokio::select! {
            news = watcher.next() => match news? {
                News::Changed(changes) => changes.iter().for_each(|change| board.apply(change)),
                News::Reloaded(loaded) => board = *loaded,
            },
            taken = door.take_over() => {
                taken?;
                (board, watcher) = door.watch().await?;
            }
        }
    }
    Ok(Came { job, was_engine: door.is_engine() })
}

impl Done {
    /// Says whether a job waits, and nobody is there to work on it.
    fn has_no_engine(&self) -> bool {
        self.was_engine && self.board.active_job(self.ticket.id).is_some()
    }

    /// Returns the state in which the ticket is now.
    pub(super) fn state(&self) -> State {
        self.ticket.state
    }

    pub(super) fn json(&self) -> Value {
        let runs: Vec<&Run> = self.runs.iter().collect();
        let mut value = wire::job(&self.job, &runs, &self.workshop.paths.runs());
        let ticket = &self.ticket;
        value["ticket"] = json!({
            "id": ticket.id, "number": ticket.number, "state": ticket.state.name(), "why": ticket.state.why(),
            "reason": ticket.reason,
        });
        value["has_engine"] = json!(!self.has_no_engine());
        value
    }

    pub(super) fn print(&self, global: &Global, out: &mut Out) -> Result<(), CliError> {
        if global.json {
            return out.json(&self.json());
        }
        if global.quiet {
            return Ok(());
        }
        let ticket = &self.ticket;
        let job = format!("{} {} {}", ticket.number, self.job.what(), self.job.status);
        if self.job.status.is_active() {
            return out.line(job);
        }
        let why = ticket.state.why().map(|why| format!(" ({why})")).unwrap_or_default();
        let reason = if ticket.reason.is_empty() { String::new() } else { format!(": {}", ticket.reason) };
        let text = format!("{job}; {} is {}{why}{reason}", ticket.number, ticket.state.name());
        out.line(visible(&text.replace('\n', " ")))
    }
}
