//! What stands in the frame of a log, and in the log itself where there is nothing to show.

use crate::domain::dependencies::Readiness;
use crate::domain::id::TicketId;
use crate::domain::job::{Job, JobStatus};
use crate::domain::log::{Counted, LogPage, LogPlace, LogView};
use crate::domain::run::{Run, RunKind};
use crate::domain::state::State;
use crate::domain::ticket::Ticket;
use crate::ui::keys::Action;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::format;
use crate::ui::words;

use super::log_filter;
use super::log_runs::Looked;

/// Returns the title at the left: whose log it is, what ran, and how it stands.
pub(super) fn left(model: &Model, page: Option<&LogPage>) -> String {
    let Some(ticket) = model.selected_ticket() else { return "log".to_owned() };
    let Some(looked) = model.looked_at() else { return format!("{} {}", ticket.number, ticket.title) };
    let mut parts = of(model, &looked, page);
    parts[0] = format!("{} {}", ticket.number, parts[0]);
    // That something is hidden is said also where all of it is.
    parts.extend(log_filter::said(&model.log.filter, &model.theme));
    parts.join(&format!(" {} ", model.theme.glyphs.dot))
}

/// Returns what runs for a ticket, and how it stands.
pub(super) fn of_newest(model: &Model, ticket: TicketId, page: Option<&LogPage>) -> String {
    let parts = model.newest_of(ticket, page).map_or_else(Vec::new, |looked| of(model, &looked, page));
    parts.join(&format!(" {} ", model.theme.glyphs.dot))
}

/// Returns what ran, who did it, how it stands and how much it printed.
fn of(model: &Model, looked: &Looked, page: Option<&LogPage>) -> Vec<String> {
    let mut parts = vec![what(looked)];
    parts.extend(who(looked));
    parts.extend(standing(model, looked));
    if let Some(page) = page.filter(|page| page.total > 0) {
        let (one, many) = noun(page.request.view, looked.run);
        parts.push(format!("{}{}", about(page), format::counted(page.total, one, many)));
    }
    parts.extend(afterwards(model, looked));
    parts
}

/// Returns how the job after the one whose log is shown stands, where nothing has run of it: a landing without checks, for one.
fn afterwards(model: &Model, looked: &Looked) -> Option<String> {
    let is_followed = model.log.runs.chosen() != looked.run.map(|run| run.id);
    let newest = model.board.newest_job(looked.job.ticket).filter(|job| job.id != looked.job.id)?;
    let has_run = model.board.runs(newest.id).next().is_some();
    (is_followed && !has_run).then(|| format!("then {} {}", newest.what(), job_standing(model, newest)))
}

/// Returns the sign before a number of rows that is only a guess.
fn about(page: &LogPage) -> &'static str {
    match page.counted {
        Counted::Yes => "",
        Counted::Guessed => "~",
    }
}

fn what(looked: &Looked) -> String {
    match looked.run.map(|run| run.kind) {
        Some(RunKind::Check) => match looked.job.steps {
            Some(steps) => format!("check {}/{steps}", looked.nth),
            None => format!("check {}", looked.nth),
        },
        Some(RunKind::Setup) => counted("set-up", looked),
        Some(RunKind::Cleanup) => counted("clean-up", looked),
        Some(RunKind::Execute) | None => looked.job.what().to_owned(),
    }
}

/// Returns the place among the job's runs of the same kind: how many there will be is known once they are over.
fn counted(name: &str, looked: &Looked) -> String {
    if looked.all { format!("{name} {}/{}", looked.nth, looked.of) } else { format!("{name} {}", looked.nth) }
}

/// Returns who or what works: the agent, or the command of a check.
fn who(looked: &Looked) -> Vec<String> {
    match looked.run {
        Some(run) if run.kind != RunKind::Execute => vec![run.command.clone()],
        Some(_) | None => {
            let Job { agent, model, .. } = looked.job;
            let agent = [agent.as_deref(), model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let again = (looked.of > 1).then(|| format!("attempt {}", looked.nth));
            [Some(agent).filter(|agent| !agent.is_empty()), again].into_iter().flatten().collect()
        }
    }
}

fn standing(model: &Model, looked: &Looked) -> Vec<String> {
    let job = looked.job;
    match looked.run {
        Some(Run { end: Some(end), started_at, finished_at, .. }) => {
            let glyphs = &model.theme.glyphs;
            let sign = if end.is_success() { glyphs.ok } else { glyphs.bad };
            let took = finished_at.map(|finished| format::took(finished.since(*started_at)));
            std::iter::once(format!("{sign} {end}")).chain(took).collect()
        }
        // As on the card: from when the job began.
        Some(run) if run.kind == RunKind::Execute => {
            vec![format::duration(model.now.since(job.started_at.unwrap_or(run.started_at)))]
        }
        Some(run) => vec![format::duration(model.now.since(run.started_at))],
        None => vec![job_standing(model, job)],
    }
}

fn job_standing(model: &Model, job: &Job) -> String {
    match (job.status, job.started_at) {
        (JobStatus::Running, Some(start)) => format::duration(model.now.since(start)),
        (
            JobStatus::Queued
            | JobStatus::Running
            | JobStatus::Succeeded
            | JobStatus::Failed
            | JobStatus::Canceled
            | JobStatus::Lost,
            _,
        ) => job.status.to_string(),
    }
}

/// Returns what is counted. What a check prints has lines in either view.
fn noun(view: LogView, run: Option<&Run>) -> (&'static str, &'static str) {
    match view {
        LogView::Pretty if run.is_none_or(|run| run.kind == RunKind::Execute) => ("entry", "entries"),
        LogView::Pretty | LogView::Raw => ("line", "lines"),
    }
}

/// Returns the title at the right: which of the runs it is when not the newest, where it is scrolled, and the view.
pub(super) fn right(model: &Model, page: Option<&LogPage>) -> String {
    let Some(page) = page.filter(|page| page.total > 0 || page.hidden > 0) else { return String::new() };
    let glyphs = &model.theme.glyphs;
    let place = match model.log.place() {
        LogPlace::End => format!("follow {}", glyphs.down),
        LogPlace::From(_) | LogPlace::Found { .. } => match model.log.new_rows() {
            Some(new) if new > 0 => {
                let (one, many) = noun(page.request.view, model.looked_at().and_then(|looked| looked.run));
                let (one, many) = (format!("new {one}"), format!("new {many}"));
                format!("{} {}", format::counted(new, &one, &many), glyphs.new_below)
            }
            Some(_) | None => {
                let below = page.total.saturating_sub(page.first + page.rows.len() as u64);
                match below {
                    0 => "paused".to_owned(),
                    below => format!("{}{} more {}", about(page), format::count(below), glyphs.new_below),
                }
            }
        },
    };
    let found = model.log.search.said(&model.theme);
    let hidden = (!model.log.filter.is_open()).then(|| format!("{} hidden", format::count(page.hidden)));
    let run = model.log.runs.counted().map(|(place, count)| format!("run {place} of {count}"));
    let parts: Vec<String> =
        found.into_iter().chain(hidden).chain(run).chain([place, model.log.view().to_string()]).collect();
    parts.join(&format!(" {} ", glyphs.rule))
}

/// Returns what is said where there is nothing to show.
pub(super) fn nothing(model: &Model, page: Option<&LogPage>) -> (Role, String) {
    if let Some(trouble) = page.and_then(|page| page.trouble.as_ref()) {
        return (Role::Bad, format!("The log cannot be read: {trouble}"));
    }
    let Some(ticket) = model.selected_ticket() else { return (Role::Dim, String::new()) };
    let said = match model.looked_at() {
        None => format!("Nothing has run for this ticket yet. {}", first_step(model, ticket)),
        // It is being read.
        Some(_) if page.is_none() => String::new(),
        Some(_) if page.is_some_and(|page| page.hidden > 0) => {
            "Nothing of this log passes the filter; f shows what is hidden.".to_owned()
        }
        Some(Looked { run: Some(run), .. }) if run.end.is_some() => "It printed nothing.".to_owned(),
        Some(Looked { run: None, job, .. }) if !job.status.is_active() => {
            let why = words::sentence(&ticket.reason);
            format!("Nothing ran. {why}").trim_end().to_owned()
        }
        Some(_) => "No output yet.".to_owned(),
    };
    (Role::Dim, said)
}

/// Returns what a person can do so that something runs.
fn first_step(model: &Model, ticket: &Ticket) -> String {
    match (ticket.state, model.board.readiness(ticket)) {
        (State::Proposed, _) => {
            format!("{} accepts it, then {} runs it.", model.key_of(Action::Accept), model.key_of(Action::Run))
        }
        (State::Planned, Readiness::Ready) => format!("{} runs it.", model.key_of(Action::Run)),
        (State::Planned, Readiness::Waits(on)) => format!("It waits for {}.", words::numbers(&on)),
        (State::Planned, Readiness::Dead(on)) => format!("It waits for {}, which is given up.", words::numbers(&on)),
        (
            State::Executing { .. }
            | State::Verifying { .. }
            | State::NeedsHuman { .. }
            | State::Blocked { .. }
            | State::Done
            | State::Abandoned,
            _,
        ) => String::new(),
    }
}
