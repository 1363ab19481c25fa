//! What `draft run` and `draft watch` print: a line or an object for each step; of a run, the last one when there is nothing
//! left to do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::News;
use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::dependencies::Readiness;
use crate::domain::event::{Event, EventKind};
use crate::domain::goal::Goal;
use crate::domain::id::{JobId, TicketId, TicketNumber, TicketRef};
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::run::{Run, RunEnd, RunKind};
use crate::domain::state::{NeedsHuman, State, StateName};
use crate::domain::ticket::Ticket;
use crate::domain::waiting::{held_by, waits_for};
use crate::engine::Workshop;
use crate::ui::widget::text::visible;

use super::super::error::{CliError, Exit};
use super::super::out::Out;
use super::super::session;

/// Whose progress is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Manner {
    /// That of jobs, for whoever waits for them.
    Run,
    /// Everything that happens on the board, with the time.
    Watch,
    /// Everything, in words.
    WatchPlainly,
}

/// How progress is printed.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Report {
    pub(in super::super) json: bool,
    pub(in super::super) quiet: bool,
    pub(in super::super) manner: Manner,
    limits: Limits,
    /// What the settings say about the autopilot.
    pub(in super::super) configured: Autopilot,
}

impl Report {
    /// Reports on a board as its settings are now. Settings that cannot be read stop nobody from following what runs.
    pub(in super::super) fn of(workshop: &Workshop, json: bool, quiet: bool) -> Self {
        let config = workshop.settings().map(|loaded| loaded.config.clone()).unwrap_or_default();
        let limits = Limits {
            tries: config.execute_config.retries.saturating_add(1),
            rework: config.verify_config.rework_attempts,
        };
        Self { json, quiet, manner: Manner::Run, limits, configured: workshop.configured_autopilot() }
    }
}

/// How often things are tried, as the settings have it now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    tries: u32,
    rework: u32,
}

/// The board as it was told so far, and what was printed of it.
pub(in super::super) struct Progress<'a> {
    pub(super) board: Board,
    report: Report,
    out: &'a mut Out,
    /// The tickets that this call ran or saw running.
    ran: BTreeSet<TicketId>,
    /// The newest event that was told; some things are told twice when an engine takes another one's place.
    told: i64,
    /// The jobs whose end was told.
    over: BTreeSet<JobId>,
}

impl<'a> Progress<'a> {
    pub(in super::super) fn new(
        board: Board,
        report: Report,
        wanted: impl IntoIterator<Item = TicketId>,
        out: &'a mut Out,
    ) -> Self {
        Self { board, report, out, ran: wanted.into_iter().collect(), told: 0, over: BTreeSet::new() }
    }

    /// Tells what the engine took before anybody watched, or took back.
    pub(super) fn begin(&mut self) -> Result<(), CliError> {
        let running: Vec<Job> =
            self.board.active_jobs().filter(|job| job.status == JobStatus::Running).cloned().collect();
        running.iter().try_for_each(|job| self.started(job))
    }

    /// Tells what became true.
    pub(in super::super) fn learn(&mut self, news: News) -> Result<(), CliError> {
        match news {
            News::Changed(changes) => changes.iter().try_for_each(|change| self.learn_change(change)),
            News::Reloaded(board) => self.compare(*board),
        }
    }

    /// Tells what is different on a board that was loaded anew.
    fn compare(&mut self, now: Board) -> Result<(), CliError> {
        for ticket in now.tickets() {
            let before = self.board.ticket(ticket.id).map(|known| known.state.name());
            if let Some(before) = before.filter(|before| *before != ticket.state.name()) {
                let (from, to) = (before.as_str(), ticket.state.name().as_str());
                self.moved(ticket.number, from, to, &ticket.reason, &ticket.updated_at.to_string())?;
            }
            if let Some(job) = now.newest_job(ticket.id) {
                self.learn_job(job)?;
            }
        }
        self.board = now;
        Ok(())
    }

    fn learn_change(&mut self, change: &Change) -> Result<(), CliError> {
        match change {
            Change::Job(job) => self.learn_job(job)?,
            Change::Run(run) => self.learn_run(run)?,
            Change::Event(event) => self.learn_event(event)?,
            Change::Autopilot(mode) => self.autopilot(*mode)?,
            Change::Goal(goal) => self.learn_goal(goal)?,
            Change::Ticket(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Live { .. } => {}
        }
        self.board.apply(change);
        Ok(())
    }

    fn learn_event(&mut self, event: &Event) -> Result<(), CliError> {
        if event.seq <= self.told {
            return Ok(());
        }
        self.told = event.seq;
        let event = &event.event;
        let removed = || self.board.find_removed(TicketRef::Id(event.ticket));
        let Some(ticket) = self.board.ticket(event.ticket).or_else(removed) else { return Ok(()) };
        let (number, title) = (ticket.number, ticket.title.as_str().to_owned());
        match (event.kind, event.from, event.to) {
            (EventKind::Transitioned, Some(from), Some(to)) => {
                self.moved(number, from.as_str(), to.as_str(), &event.reason, &event.at.to_string())
            }
            // The end of a job is told by the job.
            (EventKind::Transitioned, _, _) => Ok(()),
            (_, _, _) if self.report.manner == Manner::Run => Ok(()),
            (kind, _, _) => {
                let value = json!({
                    "event": kind, "ticket": number, "title": title, "reason": event.reason, "at": event.at.to_string(),
                    "actor": event.actor.kind, "actor_name": event.actor.name,
                });
                let words = kind.as_str().replace('_', " ");
                let said = if kind == EventKind::Created { &title } else { &event.reason };
                let said = if said.is_empty() { String::new() } else { format!(": {said}") };
                self.print(&value, &format!("{number} {words}{said}"))
            }
        }
    }

    fn learn_goal(&mut self, goal: &Goal) -> Result<(), CliError> {
        let known = self.board.goal(goal.id);
        if self.report.manner == Manner::Run || known == Some(goal) {
            return Ok(());
        }
        let became = match (goal.removed_at, known) {
            (Some(_), None) => return Ok(()),
            (Some(_), Some(_)) => "removed",
            (None, Some(_)) => "edited",
            (None, None) if self.board.removed_goal(goal.id).is_some() => "restored",
            (None, None) => "set",
        };
        let value = json!({ "event": "goal", "goal": goal.id, "became": became, "title": goal.title });
        self.print(&value, &format!("goal {became}: {}", goal.title))
    }

    fn moved(&mut self, number: TicketNumber, from: &str, to: &str, reason: &str, at: &str) -> Result<(), CliError> {
        let value = json!({
            "event": "state_changed", "ticket": number, "from": from, "to": to, "reason": reason, "at": at,
        });
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let arrow = match self.report.manner {
            Manner::Run | Manner::Watch => "→",
            Manner::WatchPlainly => "to",
        };
        self.print(&value, &format!("{number} {from} {arrow} {to}{because}"))
    }

    /// Tells that the autopilot has another mode.
    pub(super) fn autopilot(&mut self, mode: Autopilot) -> Result<(), CliError> {
        if self.board.autopilot() == Some(mode) {
            return Ok(());
        }
        self.board.apply(&Change::Autopilot(mode));
        self.print(&json!({ "event": "autopilot", "mode": mode }), &format!("autopilot {mode}"))
    }

    /// Takes in a job that waits for a slot.
    pub(super) fn queued(&mut self, job: Job) -> Result<(), CliError> {
        self.learn_change(&Change::Job(job))
    }

    fn learn_job(&mut self, job: &Job) -> Result<(), CliError> {
        let Some(number) = self.board.ticket(job.ticket).map(|ticket| ticket.number) else { return Ok(()) };
        let before = self.board.job(job.id).cloned();
        if before.as_ref() == Some(job) || self.over.contains(&job.id) {
            return Ok(());
        }
        self.ran.insert(job.ticket);
        if let (None, JobKind::Execute, Some(times @ 1..)) = (&before, job.kind, job.rework) {
            self.reworked(number, job, times)?;
        }
        let was = before.as_ref().map_or(JobStatus::Queued, |job| job.status);
        if was == JobStatus::Queued && job.started_at.is_some() {
            self.started(job)?;
        }
        let (known, attempt) = before.as_ref().map_or(("", 1), |job| (job.reason.as_str(), job.attempt));
        match job.status {
            // Other figures are no news.
            JobStatus::Queued if !job.reason.is_empty() && held_by(&job.reason) != held_by(known) => {
                self.held(number, job)
            }
            JobStatus::Running if job.attempt > attempt => self.retried(number, job),
            JobStatus::Queued | JobStatus::Running => Ok(()),
            JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost if was.is_active() => {
                self.finished(number, job)
            }
            JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => Ok(()),
        }
    }

    fn started(&mut self, job: &Job) -> Result<(), CliError> {
        let Some(number) = self.board.ticket(job.ticket).map(|ticket| ticket.number) else { return Ok(()) };
        self.ran.insert(job.ticket);
        let value = json!({ "event": "started", "ticket": number, "kind": job.kind, "job": job.id });
        self.print(&value, &format!("{number} {} started", job.what()))
    }

    fn held(&mut self, number: TicketNumber, job: &Job) -> Result<(), CliError> {
        let value = json!({ "event": "held", "ticket": number, "kind": job.kind, "job": job.id, "reason": job.reason });
        self.print(&value, &format!("{number} {} {}", job.what(), job.reason))
    }

    fn retried(&mut self, number: TicketNumber, job: &Job) -> Result<(), CliError> {
        let of = self.report.limits.tries;
        let value = json!({
            "event": "retry", "ticket": number, "kind": job.kind, "job": job.id, "attempt": job.attempt, "of": of,
            "reason": job.reason,
        });
        self.print(&value, &format!("{number} {} attempt {} of {of}: {}", job.kind, job.attempt, job.reason))
    }

    fn reworked(&mut self, number: TicketNumber, job: &Job, times: u32) -> Result<(), CliError> {
        let of = self.report.limits.rework;
        if !self.report.json {
            // The ticket's move has said so already.
            return Ok(());
        }
        let value = json!({ "event": "rework", "ticket": number, "job": job.id, "attempt": times, "of": of });
        self.print(&value, "")
    }

    fn finished(&mut self, number: TicketNumber, job: &Job) -> Result<(), CliError> {
        self.over.insert(job.id);
        let value = json!({
            "event": "finished", "ticket": number, "kind": job.kind, "job": job.id, "status": job.status,
            "exit_code": job.exit_code, "reason": job.reason,
        });
        self.print(&value, &format!("{number} {} {}", job.what(), job.status))
    }

    fn learn_run(&mut self, run: &Run) -> Result<(), CliError> {
        let (RunKind::Check, Some(end)) = (run.kind, &run.end) else { return Ok(()) };
        let is_told = self.board.runs(run.id.job).any(|known| known.id == run.id && known.end.is_some());
        let ticket = self.board.job(run.id.job).and_then(|job| self.board.ticket(job.ticket));
        let Some(number) = ticket.map(|ticket| ticket.number).filter(|_| !is_told) else { return Ok(()) };
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

    /// Tells that a ticket does not run since it waits for others.
    pub(super) fn waits(&mut self, id: TicketId) -> Result<(), CliError> {
        self.ran.remove(&id);
        let Some(ticket) = self.board.ticket(id) else { return Ok(()) };
        let mode = self.board.autopilot().unwrap_or(self.report.configured);
        let what = waits_for(&self.board, ticket, mode).unwrap_or_default();
        let blockers = match self.board.readiness(ticket) {
            Readiness::Ready => Vec::new(),
            Readiness::Waits(blockers) | Readiness::Dead(blockers) => blockers,
        };
        self.waiting(ticket.number, &blockers, &what)
    }

    /// Tells of every planned ticket that waits for others.
    pub(super) fn all_that_wait(&mut self) -> Result<(), CliError> {
        let planned = self.board.column(StateName::Planned).into_iter();
        let waiting: Vec<TicketId> =
            planned.filter(|ticket| self.board.readiness(ticket) != Readiness::Ready).map(|ticket| ticket.id).collect();
        waiting.into_iter().try_for_each(|id| self.waits(id))
    }

    /// Tells that the autopilot may not run a ticket.
    pub(super) fn refused(&mut self, id: TicketId, why: &str) -> Result<(), CliError> {
        let Some(number) = self.board.ticket(id).map(|ticket| ticket.number) else { return Ok(()) };
        self.waiting(number, &[], &format!("cannot run: {why}"))
    }

    fn waiting(&mut self, number: TicketNumber, blocked_by: &[TicketNumber], what: &str) -> Result<(), CliError> {
        let value = json!({ "event": "waiting", "ticket": number, "blocked_by": blocked_by, "waits_for": what });
        self.print(&value, &format!("{number} {what}"))
    }

    /// Prints the last line and says whether everything that ran is fine.
    pub(super) fn idle(&mut self) -> Result<Exit, CliError> {
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
            let time = match self.report.manner {
                Manner::Watch => chrono::Local::now().format("%H:%M:%S  ").to_string(),
                Manner::Run | Manner::WatchPlainly => String::new(),
            };
            self.out.line(format_args!("{time}{}", visible(&text.replace('\n', " "))))?;
        }
        self.out.flush()
    }

    /// Says something to the person, beside the results.
    pub(super) fn say(&self, text: &str) {
        if !self.report.json && !self.report.quiet {
            session::say(text);
        }
    }
}

/// Says whether a ticket that ran waits for review or is done.
pub(in super::super) fn is_fine(state: State) -> bool {
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
