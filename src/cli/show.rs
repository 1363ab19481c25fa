//! `draft ticket show` as people read it.

use std::path::Path;
use std::time::Duration;

use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::detail::Detail;
use crate::domain::event::Event;
use crate::domain::evidence::Evidence;
use crate::domain::job::Job;
use crate::domain::outcome::first_line;
use crate::domain::outlook::Outlook;
use crate::domain::pull_request::PullRequest;
use crate::domain::review::Comment;
use crate::domain::revision::Revision;
use crate::domain::rule_revert::taken_back_by;
use crate::domain::state::{StateName, legal_moves};
use crate::domain::ticket::{Priority, Ticket};
use crate::domain::waiting::waits_for;
use crate::engine::ledger::{DiskUse, Holds};
use crate::ui::widget::format::{bytes, counted, took, usage};
use crate::ui::widget::text::visible;

use super::error::CliError;
use super::out::Out;

/// Prints everything about a ticket.
pub(super) fn print(
    board: &Board,
    ticket: &Ticket,
    (mode, outlook): (Autopilot, Option<&Outlook>),
    detail: &Detail,
    holds: &Holds,
    runs_dir: &Path,
    out: &mut Out,
) -> Result<(), CliError> {
    out.line(format_args!("{} {}", ticket.number, visible(ticket.title.as_str())))?;
    for (name, value) in fields(board, ticket, mode) {
        if !value.is_empty() {
            out.line(format_args!("  {name:<12} {}", visible(&value.replace('\n', " "))))?;
        }
    }
    let description: Vec<String> = detail.description.trim_end().lines().map(plain).collect();
    let landing = outlook.map(super::conflicts::in_full).unwrap_or_default();
    let lists = [
        ("landing", landing),
        ("description", description),
        ("jobs", detail.jobs.iter().map(job).collect()),
        ("revisions", detail.revisions.iter().map(revision).collect()),
        ("comments", detail.comments.iter().map(comment).collect()),
        ("evidence", detail.evidence.iter().flat_map(|one| evidence(one, runs_dir)).collect()),
        ("holds", held(holds)),
        ("history", detail.events.iter().map(event).collect()),
    ];
    for (heading, lines) in lists {
        if !lines.is_empty() {
            out.line(format_args!("\n{heading}"))?;
            lines.iter().try_for_each(|line| out.line(format!("  {line}").trim_end()))?;
        }
    }
    Ok(())
}

fn fields(board: &Board, ticket: &Ticket, mode: Autopilot) -> [(&'static str, String); 18] {
    let why = ticket.state.why().map(|why| format!(" ({why})")).unwrap_or_default();
    let blockers = ticket.blocked_by.iter().filter_map(|id| board.ticket(*id));
    let blockers: Vec<String> =
        blockers.map(|blocker| format!("{} ({})", blocker.number, blocker.state.name())).collect();
    let priority = ticket.priority.map(|one| format!("{} ({})", Priority::bucket(one), one.value()));
    let goal = ticket.goal.and_then(|id| board.goal(id)).map(|goal| goal.title.to_string());
    let worktree = ticket.worktree.as_ref();
    let moves: Vec<&str> = legal_moves(ticket.state.name()).map(StateName::as_str).collect();
    [
        ("state", format!("{}{why}", ticket.state.name())),
        ("reason", ticket.reason.clone()),
        ("priority", priority.unwrap_or_default()),
        ("goal", goal.unwrap_or_default()),
        ("after", blockers.join(", ")),
        ("takes back", ticket.reverts.and_then(|id| board.ticket(id)).map(other).unwrap_or_default()),
        ("taken back", taken_back_by(board, ticket.id).map(|back| format!("by {}", other(back))).unwrap_or_default()),
        ("waits for", waits_for(board, ticket, mode).as_deref().map(what).unwrap_or_default()),
        ("checks", ticket.verify.join("; ")),
        ("agent", ticket.agent.clone().unwrap_or_default()),
        ("model", ticket.model.clone().unwrap_or_default()),
        ("message", ticket.message.as_ref().map(|message| message.text.clone()).unwrap_or_default()),
        ("base branch", ticket.base_branch.clone().filter(|_| worktree.is_none()).unwrap_or_default()),
        ("branch", worktree.map(|tree| format!("{} from {}", tree.branch, tree.base_branch)).unwrap_or_default()),
        ("worktree", worktree.map(|tree| tree.path.to_string_lossy().into_owned()).unwrap_or_default()),
        ("pull request", ticket.pull_request.as_deref().map(pull_request).unwrap_or_default()),
        ("used", if ticket.usage.tokens() > 0 { usage(ticket.usage, "·") } else { String::new() }),
        ("can move to", moves.join(", ")),
    ]
}

fn pull_request(pull: &PullRequest) -> String {
    format!("{} on {}  {}  {}", pull.label(), pull.host, pull.seen.state, pull.seen.url)
}

/// Names another ticket.
fn other(ticket: &Ticket) -> String {
    format!("{} ({}) {}", ticket.number, ticket.state.name(), ticket.title)
}

/// Leaves out what the name of the field says already.
fn what(waits: &str) -> String {
    waits.strip_prefix("waits for ").unwrap_or(waits).to_owned()
}

fn plain(line: &str) -> String {
    visible(line).into_owned()
}

fn job(job: &Job) -> String {
    let agent = job.agent.as_deref().map(|agent| format!(" by {agent}")).unwrap_or_default();
    let reason = if job.reason.is_empty() { String::new() } else { format!("  {}", job.reason.replace('\n', " ")) };
    let tries = if job.attempt > 1 { format!(", attempt {}", job.attempt) } else { String::new() };
    let rework = job.rework.filter(|times| *times > 0).map(|times| format!(", rework {times}")).unwrap_or_default();
    let message = job.message.as_ref().map(|text| format!("  told: {}", first_line(text))).unwrap_or_default();
    let by_git = if job.takes_back.is_some() { " by git" } else { "" };
    plain(&format!("{}  {}{agent}{by_git}  {}{tries}{rework}{reason}{message}", job.id, job.what(), job.status))
}

fn revision(revision: &Revision) -> String {
    let (size, head) = (revision.size, revision.head.get(..12).unwrap_or(&revision.head));
    let files = counted(size.files.into(), "file", "files");
    format!("{}  {}  {head}  {files} +{} −{}", revision.number, revision.status, size.insertions, size.deletions)
}

fn comment(comment: &Comment) -> String {
    let spot = &comment.spot;
    let line = spot.lines.map(|(first, _)| format!(":{first}")).unwrap_or_default();
    let state = if comment.resolved { "resolved" } else { "open" };
    let body = comment.body.replace('\n', " ");
    plain(&format!("{}  revision {}  {}{line}  {state}  {body}", comment.id, comment.revision, spot.path))
}

fn evidence(evidence: &Evidence, runs_dir: &Path) -> [String; 2] {
    let took = took(Duration::from_millis(evidence.duration_ms));
    let folder = runs_dir.join(&evidence.folder);
    [plain(&format!("{}  {} in {took}", evidence.command, evidence.end)), plain(&format!("    {}", folder.display()))]
}

/// What it takes of the machine right now, a line for each kind of thing.
fn held(holds: &Holds) -> Vec<String> {
    let size = |disk: DiskUse| format!("{}{}", if disk.is_whole { "" } else { "at least " }, bytes(disk.bytes));
    let mut lines = Vec::new();
    if let Some(worktree) = &holds.worktree {
        let there = if worktree.exists { size(worktree.disk) } else { "deleted".to_owned() };
        lines.push(format!("worktree   {}  {there}", worktree.path.display()));
    }
    if let Some(branch) = &holds.branch {
        let head = branch.head.as_deref().map_or("gone", |head| head.get(..12).unwrap_or(head));
        lines.push(format!("branch     {}  {head}", branch.name));
    }
    lines.extend(holds.refs.iter().map(|name| format!("ref        {name}")));
    lines.extend(holds.ports.map(|ports| format!("ports      {} from {}", ports.count, ports.first)));
    if !holds.runs.is_empty() {
        let runs = holds.runs.iter().fold(DiskUse { bytes: 0, is_whole: true }, |sum, run| sum.and(run.disk));
        lines.push(format!("runs       {}  {}", counted(holds.runs.len() as u64, "folder", "folders"), size(runs)));
    }
    for run in &holds.runs {
        lines.extend(run.supervisor.map(|pid| format!("supervisor {pid} of run {}  {}", run.id.n, run.path.display())));
    }
    let processes = holds.processes.iter();
    lines.extend(processes.map(|one| format!("process    {} of run {}  {}", one.pid, one.run.n, one.command)));
    lines.iter().map(|line| plain(line)).collect()
}

fn event(event: &Event) -> String {
    let one = &event.event;
    let step = match (one.from, one.to) {
        (Some(from), Some(to)) if from != to => format!("{from} → {to}"),
        (_, _) => one.kind.to_string(),
    };
    let reason = if one.reason.is_empty() { String::new() } else { format!("  {}", one.reason.replace('\n', " ")) };
    plain(&format!("{}  {:<15}  {step}{reason}", one.at, one.actor))
}
