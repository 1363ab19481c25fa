//! `draft planner`: what the board does by itself, and what every ticket that waits waits for.

use std::sync::Arc;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::command::Command;
use crate::domain::job::{Job, JobStatus};
use crate::domain::ticket::Ticket;
use crate::domain::waiting::waits_for;
use crate::engine::{BoardLock, Workshop};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, session, stored};

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum PlannerCommand {
    /// Show the mode of the autopilot, what runs, and what every ticket that waits waits for
    Status,
    /// Turn the autopilot on: planned tickets run as soon as there is a slot
    Start,
    /// Turn the autopilot off: tickets run when somebody asks; what is queued or runs goes on
    Pause,
    /// Let what runs go on to its end, checks and rework included, and start nothing else; then the autopilot is off
    Finish,
}

pub(super) fn planner(global: &Global, command: PlannerCommand, out: &mut Out) -> Result<Exit, CliError> {
    let mode = match command {
        PlannerCommand::Status => None,
        PlannerCommand::Start => Some(Autopilot::On),
        PlannerCommand::Pause => Some(Autopilot::Off),
        PlannerCommand::Finish => Some(Autopilot::Finish),
    };
    let opened = session::opened(global)?;
    let workshop = Arc::clone(&opened.workshop);
    if let Some(mode) = mode {
        stored::carry_out(opened, vec![Command::SetAutopilot(mode)])?;
    }
    let status = Status::look(&workshop)?;
    if global.json {
        out.json(&status.json())?;
    } else if !global.quiet {
        status.lines().iter().try_for_each(|line| out.line(visible(line)))?;
    }
    Ok(Exit::Done)
}

/// What the board does by itself, at a moment.
struct Status {
    board: Board,
    mode: Autopilot,
    slots: usize,
    has_engine: bool,
}

impl Status {
    fn look(workshop: &Workshop) -> Result<Self, CliError> {
        let board = session::stored_board(workshop)?;
        Ok(Self {
            mode: session::autopilot(workshop, &board),
            slots: workshop.slots(),
            has_engine: BoardLock::is_held(&workshop.paths.data_dir, workshop.about.id),
            board,
        })
    }

    fn jobs(&self, status: JobStatus) -> impl Iterator<Item = (&Job, &Ticket)> {
        let jobs = self.board.active_jobs().filter(move |job| job.status == status);
        jobs.filter_map(|job| self.board.ticket(job.ticket).map(|ticket| (job, ticket)))
    }

    /// Returns the tickets that wait, with what for.
    fn waiting(&self) -> impl Iterator<Item = (&Ticket, String)> {
        self.board.tickets().filter_map(|ticket| Some((ticket, waits_for(&self.board, ticket, self.mode)?)))
    }

    fn json(&self) -> Value {
        let jobs = |status| -> Vec<Value> {
            self.jobs(status)
                .map(|(job, ticket)| json!({ "ticket": ticket.number, "kind": job.kind, "job": job.id }))
                .collect()
        };
        let waiting: Vec<Value> = self
            .waiting()
            .map(|(ticket, what)| json!({ "ticket": ticket.number, "title": ticket.title, "waits_for": what }))
            .collect();
        json!({
            "board": self.board.about.name, "mode": self.mode, "has_engine": self.has_engine, "slots": self.slots,
            "running": jobs(JobStatus::Running), "queued": jobs(JobStatus::Queued), "waiting": waiting,
        })
    }

    fn lines(&self) -> Vec<String> {
        let names = |status| -> String {
            let names: Vec<String> =
                self.jobs(status).map(|(job, ticket)| format!("{} {}", ticket.number, job.what())).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        let engine = if self.has_engine {
            "a board or a command works on jobs"
        } else {
            "none; nothing runs until a board is open or `draft run` works"
        };
        let mut lines = vec![
            format!("autopilot  {}", self.mode),
            format!("engine     {engine}"),
            format!("slots      {}", self.slots),
            format!("running    {}", names(JobStatus::Running)),
            format!("queued     {}", names(JobStatus::Queued)),
        ];
        lines.extend(self.waiting().map(|(ticket, what)| format!("{}  {what}  {}", ticket.number, ticket.title)));
        lines
    }
}
