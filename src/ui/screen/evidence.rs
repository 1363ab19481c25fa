//! What ran for a ticket and how it ended, and the jobs that it belonged to.

use std::time::Duration;

use ratatui::text::Line;

use crate::domain::detail::Detail;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::job::{Job, JobStatus};
use crate::domain::run::Run;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::format;

use super::overview::Page;

/// Returns the lines of the evidence, newest first.
pub(super) fn lines(model: &Model, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    if detail.evidence.is_empty() {
        page.text(Role::Dim, "No evidence yet: it comes with every run of an agent and of a check.");
    }
    for evidence in detail.evidence.iter().rev() {
        piece(&mut page, model, evidence);
    }
    page.lines()
}

fn piece(page: &mut Page, model: &Model, evidence: &Evidence) {
    let what = match evidence.kind {
        EvidenceKind::Executor => "agent",
        EvidenceKind::Check => "check",
    };
    page.heading(what);
    let (role, sign) =
        if evidence.end.is_success() { (Role::Ok, model.theme.glyphs.ok) } else { (Role::Bad, model.theme.glyphs.bad) };
    page.fact("command", Role::Code, &evidence.command);
    let took = format::took(Duration::from_millis(evidence.duration_ms));
    page.fact("ended", role, &format!("{sign} {} after {took}", evidence.end));
    page.fact("at", Role::Dim, &format::date(evidence.at, model.zone));
    if let Some(tree) = &evidence.tree {
        page.fact("tree", Role::Dim, tree);
    }
    let folder = model.runs.join(&evidence.folder);
    page.fact("stdout", Role::Link, &folder.join("stdout").to_string_lossy());
    page.fact("stderr", Role::Link, &folder.join("stderr").to_string_lossy());
}

/// Returns the lines of the jobs and their runs, newest first.
pub(super) fn job_lines(model: &Model, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    if detail.jobs.is_empty() {
        page.text(Role::Dim, "No job yet: x lets an agent work on this ticket.");
    }
    for job in detail.jobs.iter().rev() {
        job_piece(&mut page, model, job);
        for run in detail.runs.iter().filter(|run| run.id.job == job.id) {
            run_piece(&mut page, model, run);
        }
    }
    page.lines()
}

fn job_piece(page: &mut Page, model: &Model, job: &Job) {
    let glyphs = &model.theme.glyphs;
    page.heading(&format!("{} job", job.what()));
    let (role, sign) = match job.status {
        JobStatus::Queued => (Role::Dim, glyphs.waiting),
        JobStatus::Running => (Role::Running, glyphs.running),
        JobStatus::Succeeded => (Role::Ok, glyphs.ok),
        JobStatus::Failed | JobStatus::Lost => (Role::Bad, glyphs.bad),
        JobStatus::Canceled => (Role::Warn, glyphs.warn),
    };
    page.fact("status", role, &format!("{sign} {}", job.status));
    if !job.reason.is_empty() {
        page.fact("reason", Role::Text, &job.reason);
    }
    let agent = [job.agent.as_deref(), job.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if !agent.is_empty() {
        page.fact("agent", Role::Agent, &format!("{agent}, attempt {}", job.attempt));
    }
    if let Some(session) = &job.session {
        page.fact("session", Role::Dim, session);
    }
    page.fact("queued", Role::Dim, &format::date(job.queued_at, model.zone));
    if let Some(start) = job.started_at {
        let end = job.finished_at.unwrap_or(model.now);
        page.fact("ran for", Role::Text, &format::duration(end.since(start)));
    }
    if job.usage.tokens() > 0 || job.usage.cost_micros.is_some() {
        page.fact("used", Role::Text, &format::usage(job.usage, glyphs.dot));
    }
}

fn run_piece(page: &mut Page, model: &Model, run: &Run) {
    let glyphs = &model.theme.glyphs;
    let (role, ended) = match &run.end {
        Some(end) if end.is_success() => (Role::Ok, format!("{} {end}", glyphs.ok)),
        Some(end) => (Role::Bad, format!("{} {end}", glyphs.bad)),
        None => (Role::Running, format!("{} running", glyphs.running)),
    };
    let name = format!("  {} {}", run.id.n, run.kind);
    page.fact(&name, Role::Code, &run.command);
    page.fact("", role, &ended);
}
