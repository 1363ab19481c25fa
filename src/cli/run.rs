//! `draft run`: the engine without the board, with a line for each step.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{AppError, Door, News, Watcher};
use crate::config::trust::trust_content;
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::command::{Command, RefusalCode, Refused};
use crate::domain::dependencies::Readiness;
use crate::domain::event::{Actor, EventKind};
use crate::domain::id::{JobId, TicketId, TicketRef};
use crate::domain::job::{Job, JobStatus};
use crate::domain::rule::{Input, Known, Landed, Trust, What, decide};
use crate::domain::run::{Run, RunEnd, RunKind};
use crate::domain::state::{NeedsHuman, State, StateName};
use crate::domain::ticket::Ticket;
use crate::engine::{AskError, Working};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Tickets by number or UUID [default: every planned one]
    ids: Vec<String>,
    /// When to stop
    #[arg(long, value_enum, default_value_t = Until::Idle, value_name = "WHEN")]
    until: Until,
    /// How many jobs run at once [default: `execute_config.max_parallel_jobs`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_parallel: Option<u32>,
    /// Trust what the repository's draft.yaml would run, in its present form
    #[arg(long)]
    trust: bool,
}

/// When a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Until {
    /// When nothing is queued or running.
    Idle,
}

pub(super) fn run(global: &Global, args: &RunArgs, out: &mut Out) -> Result<Exit, CliError> {
    let Until::Idle = args.until;
    let mut options = session::options(global);
    options.max_parallel = args.max_parallel;
    let opened = crate::app::open(&options)?;
    crate::app::start_log(&opened.workshop.paths, global.verbose);
    let names = args.ids.iter().map(|id| session::ticket_ref(id)).collect::<Result<Vec<_>, _>>()?;
    let report = Report { json: global.json, quiet: global.quiet };
    let content = if args.trust { trust_content(&opened.workshop.settings()?) } else { None };
    let work = async {
        let mut door = Door::open(opened, Working::Jobs).await?;
        if let Some(content) = content {
            door.trust(content).await?;
        }
        let done = run_tickets(&mut door, &names, report, out).await;
        door.close().await?;
        done
    };
    session::runtime()?.block_on(work)
}

/// Runs tickets and waits until nothing is queued or running; none named means every planned one.
pub(super) async fn run_tickets(
    door: &mut Door,
    names: &[TicketRef],
    report: Report,
    out: &mut Out,
) -> Result<Exit, CliError> {
    let interrupts = signal(SignalKind::interrupt())
        .map_err(|error| CliError::environment("io", format!("could not listen for Ctrl-C: {error}"), ""))?;
    let (board, watcher) = door.watch().await?;
    let wanted = wanted(&board, names)?;
    let mut progress = Progress { board, report, ran: wanted.iter().copied().collect(), out };
    let asked = if names.is_empty() { Asked::AsPlanned } else { Asked::ByName };
    for ticket in wanted {
        progress.ask(door, ticket, asked).await?;
    }
    progress.watch(door, watcher, interrupts).await?;
    progress.idle()
}

/// Returns the tickets that are to run. One that was named and may not run is refused before anything starts; none named
/// means every planned one.
fn wanted(board: &Board, names: &[TicketRef]) -> Result<Vec<TicketId>, CliError> {
    if names.is_empty() {
        return Ok(board.column(StateName::Planned).into_iter().map(|ticket| ticket.id).collect());
    }
    names.iter().map(|name| may_run(board, *name)).collect()
}

/// Asks the rules beforehand. Whether the commands are trusted is for the engine to look up, and concerns all tickets.
fn may_run(board: &Board, name: TicketRef) -> Result<TicketId, CliError> {
    let ticket = session::find(board, &name.to_string())?;
    if board.active_job(ticket.id).is_none() {
        let input = Input {
            at: chrono::Utc::now().into(),
            actor: Actor::human(),
            fresh: JobId(uuid::Uuid::now_v7()),
            known: Known { checks: Trust::Given, landed: Landed::No, limit: None },
            what: What::Command(Command::Run { ticket: name }),
        };
        decide(board, &input)?;
    }
    Ok(ticket.id)
}

/// Why a ticket is to run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Somebody named it, so it runs from any state from which it may.
    ByName,
    /// It is planned, as long as it is.
    AsPlanned,
}

/// Says whether another process asked for the same before: then its job is waited for, or was over already.
fn was_faster(refused: &Refused, asked: Asked) -> bool {
    refused.code == RefusalCode::Busy || asked == Asked::AsPlanned && refused.code == RefusalCode::IllegalMove
}

/// How progress is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) json: bool,
    pub(super) quiet: bool,
}

struct Progress<'a> {
    board: Board,
    report: Report,
    out: &'a mut Out,
    /// The tickets that this call ran or saw running.
    ran: BTreeSet<TicketId>,
}

/// How often the person asked to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interrupted {
    Never,
    /// What runs may end; nothing more starts.
    Once,
    /// What runs was told to stop.
    Twice,
}

impl Progress<'_> {
    /// Asks for a ticket to run. One that waits for another is told and left alone.
    async fn ask(&mut self, door: &mut Door, ticket: TicketId, asked: Asked) -> Result<(), CliError> {
        let Some(known) = self.board.ticket(ticket) else { return Ok(()) };
        if self.board.active_job(ticket).is_some() {
            return Ok(());
        }
        if let Readiness::Waits(blockers) | Readiness::Dead(blockers) = self.board.readiness(known) {
            let names: Vec<String> = blockers.iter().map(ToString::to_string).collect();
            let text = format!("{} waits for {}", known.number, names.join(", "));
            let value = json!({ "event": "waiting", "ticket": known.number, "blocked_by": blockers });
            self.ran.remove(&ticket);
            return self.print(&value, &text);
        }
        let name = TicketRef::Id(ticket);
        let command = match asked {
            Asked::ByName => Command::Run { ticket: name },
            Asked::AsPlanned => Command::Pick { ticket: name, reason: String::new() },
        };
        match door.ask(command).await {
            Err(AppError::Ask(AskError::Refused(refused))) if was_faster(&refused, asked) => Ok(()),
            answer => Ok(answer?),
        }
    }

    /// Prints what happens until nothing is queued or running.
    async fn watch(&mut self, door: &mut Door, mut watcher: Watcher, mut interrupts: Signal) -> Result<(), CliError> {
        let mut interrupted = Interrupted::Never;
        // What the engine took before anybody watched, or took back.
        let running: Vec<Job> =
            self.board.active_jobs().filter(|job| job.status == JobStatus::Running).cloned().collect();
        running.iter().try_for_each(|job| self.started(job))?;
        // Whoever asked was answered after its job was stored, so an idle board here has nothing left to do.
        self.catch_up(door).await?;
        while self.is_busy(interrupted) {
            tokio::select! {
                news = watcher.next() => match news? {
                    News::Changed(changes) => changes.iter().try_for_each(|change| self.learn(change))?,
                    News::Reloaded(board) => self.board = *board,
                },
                Some(()) = interrupts.recv() => interrupted = self.interrupt(door, interrupted).await?,
                taken = door.take_over(Working::Jobs) => {
                    taken?;
                    let (board, new) = door.watch().await?;
                    (self.board, watcher) = (board, new);
                }
            }
        }
        Ok(())
    }

    /// Takes in the jobs that were queued since the board was loaded.
    async fn catch_up(&mut self, door: &mut Door) -> Result<(), CliError> {
        let (now, _) = door.watch().await?;
        let active: Vec<Job> = now.active_jobs().cloned().collect();
        for job in active {
            if self.board.job(job.id).is_none() {
                self.board.apply(&Change::Job(Job { status: JobStatus::Queued, ..job }));
            }
        }
        Ok(())
    }

    fn is_busy(&self, interrupted: Interrupted) -> bool {
        self.board.active_jobs().any(|job| match job.status {
            JobStatus::Running => true,
            JobStatus::Queued => interrupted == Interrupted::Never,
            JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => false,
        })
    }

    async fn interrupt(&mut self, door: &mut Door, before: Interrupted) -> Result<Interrupted, CliError> {
        match before {
            Interrupted::Never => {
                door.finish_what_runs().await?;
                self.say("running jobs may end, nothing more starts; press Ctrl-C again to cancel them");
                Ok(Interrupted::Once)
            }
            Interrupted::Once | Interrupted::Twice => {
                let running: Vec<TicketId> = self
                    .board
                    .active_jobs()
                    .filter(|job| job.status == JobStatus::Running)
                    .map(|job| job.ticket)
                    .collect();
                for ticket in running {
                    door.ask(Command::Cancel { ticket: TicketRef::Id(ticket) }).await?;
                }
                self.say("canceling what runs");
                Ok(Interrupted::Twice)
            }
        }
    }

    fn learn(&mut self, change: &Change) -> Result<(), CliError> {
        match change {
            Change::Job(job) => self.learn_job(job)?,
            Change::Run(run) => self.learn_run(run)?,
            Change::Event(event) if event.event.kind == EventKind::Transitioned => {
                let event = &event.event;
                let number = self.board.ticket(event.ticket).map(|ticket| ticket.number);
                if let (Some(number), Some(from), Some(to)) = (number, event.from, event.to) {
                    let reason = if event.reason.is_empty() { String::new() } else { format!(": {}", event.reason) };
                    let value = json!({
                        "event": "state_changed", "ticket": number, "from": from, "to": to,
                        "reason": event.reason, "at": event.at.to_string(),
                    });
                    self.print(&value, &format!("{number} {from} → {to}{reason}"))?;
                }
            }
            Change::Ticket(_)
            | Change::Goal(_)
            | Change::Event(_)
            | Change::Evidence(_)
            | Change::Revision(_)
            | Change::Autopilot(_)
            | Change::Live { .. } => {}
        }
        self.board.apply(change);
        Ok(())
    }

    fn learn_job(&mut self, job: &Job) -> Result<(), CliError> {
        let Some(ticket) = self.board.ticket(job.ticket) else { return Ok(()) };
        let number = ticket.number;
        let before = self.board.job(job.id).map(|known| known.status);
        if before == Some(job.status) {
            return Ok(());
        }
        self.ran.insert(job.ticket);
        if job.status == JobStatus::Running {
            return self.started(job);
        }
        if !job.status.is_active() {
            let value = json!({
                "event": "finished", "ticket": number, "kind": job.kind, "job": job.id, "status": job.status,
                "exit_code": job.exit_code, "reason": job.reason,
            });
            return self.print(&value, &format!("{number} {} {}", job.kind, job.status));
        }
        Ok(())
    }

    fn started(&mut self, job: &Job) -> Result<(), CliError> {
        let Some(number) = self.board.ticket(job.ticket).map(|ticket| ticket.number) else { return Ok(()) };
        self.ran.insert(job.ticket);
        let value = json!({ "event": "started", "ticket": number, "kind": job.kind, "job": job.id });
        self.print(&value, &format!("{number} {} started", job.kind))
    }

    fn learn_run(&mut self, run: &Run) -> Result<(), CliError> {
        let (RunKind::Check, Some(end)) = (run.kind, &run.end) else { return Ok(()) };
        let known = |id: JobId| self.board.job(id).and_then(|job| self.board.ticket(job.ticket));
        let Some(number) = known(run.id.job).map(|ticket| ticket.number) else { return Ok(()) };
        let value = json!({
            "event": "check", "ticket": number, "command": run.command, "exit_code": end.code(),
            "ok": end.is_success(), "end": end.to_string(), "job": run.id.job, "run": run.id.n,
        });
        let verdict = match end {
            RunEnd::Exited { code: 0 } => "passed".to_owned(),
            other => other.to_string(),
        };
        self.print(&value, &format!("{number} check `{}` {verdict}", run.command))
    }

    /// Prints the last line and says whether everything that ran is fine.
    fn idle(&mut self) -> Result<Exit, CliError> {
        let tickets: Vec<&Ticket> = self.ran.iter().filter_map(|id| self.board.ticket(*id)).collect();
        let list: Vec<Value> = tickets
            .iter()
            .map(|ticket| {
                json!({
                    "number": ticket.number, "state": ticket.state.name(), "why": ticket.state.why(),
                    "reason": ticket.reason,
                })
            })
            .collect();
        let fine = tickets.iter().filter(|ticket| is_fine(ticket.state)).count();
        let all = tickets.len();
        let text = match all {
            0 => "idle: there was nothing to run".to_owned(),
            _ => format!("idle: {fine} of {all} wait for review or are done"),
        };
        self.print(&json!({ "event": "idle", "tickets": list }), &text)?;
        Ok(if fine == all { Exit::Done } else { Exit::AnswerIsNo })
    }

    /// Prints a step at once. Nobody reading is no reason to leave the work alone.
    fn print(&mut self, value: &Value, text: &str) -> Result<(), CliError> {
        if self.report.json {
            self.out.json(value)?;
        } else if !self.report.quiet {
            self.out.line(visible(&text.replace('\n', " ")))?;
        }
        self.out.flush()
    }

    fn say(&self, text: &str) {
        if !self.report.json && !self.report.quiet {
            session::say(text);
        }
    }
}

/// Says whether a ticket that ran waits for review or is done.
fn is_fine(state: State) -> bool {
    match state {
        State::Done | State::NeedsHuman { why: NeedsHuman::Review | NeedsHuman::Approved } => true,
        State::Proposed
        | State::Planned
        | State::Executing { .. }
        | State::Verifying { .. }
        | State::NeedsHuman { .. }
        | State::Blocked { .. }
        | State::Abandoned => false,
    }
}
