//! Tickets and what belongs to them in JSON, exactly as scripts rely on it.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::detail::Detail;
use crate::domain::diff::{Content, DiffLine, FileDiff, total_size};
use crate::domain::evidence::Evidence;
use crate::domain::goal::{Goal, Progress};
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::Job;
use crate::domain::pull_request::Remark;
use crate::domain::review::{Comment, Review};
use crate::domain::revision::Revision;
use crate::domain::rule_revert::taken_back_by;
use crate::domain::run::{Run, RunEnd};
use crate::domain::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::domain::waiting::waits_for;
use crate::engine::ledger::{DiskUse, Holds};

use super::autonomy;

/// Returns a ticket as lists show it.
pub(super) fn ticket(board: &Board, ticket: &Ticket, mode: Autopilot, description: &str) -> Value {
    let blockers: Vec<u32> =
        ticket.blocked_by.iter().filter_map(|id| board.ticket(*id)).map(|blocker| blocker.number.0).collect();
    let worktree = ticket.worktree.as_ref();
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("id", json!(ticket.id));
    set("number", json!(ticket.number));
    set("title", json!(ticket.title));
    set("description", json!(description));
    set("state", json!(ticket.state.name()));
    set("why", json!(ticket.state.why()));
    set("reason", json!(ticket.reason));
    set("priority", json!(ticket.priority));
    set("goal", json!(board.goal_of(ticket).map(|goal| goal.id)));
    set("board", json!(board.about.name));
    set("blocked_by", json!(blockers));
    set("reverts", json!(number_of(board, ticket.reverts)));
    set("reverted_by", json!(taken_back_by(board, ticket.id).map(|back| back.number.0)));
    set("verify", json!(ticket.verify));
    set("agent", json!(ticket.agent));
    set("model", json!(ticket.model));
    set("branch", json!(worktree.map(|tree| &tree.branch)));
    set("base_branch", json!(base_branch(board, ticket)));
    set("worktree", json!(worktree.filter(|tree| tree.path.is_dir()).map(|tree| tree.path.to_string_lossy())));
    set("port", json!(worktree.and_then(|tree| tree.port)));
    set("message", json!(ticket.message.as_ref().map(|message| &message.text)));
    set("waits_for", json!(waits_for(board, ticket, mode)));
    set("job", json!(board.active_job(ticket.id).map(|job| json!({ "kind": job.kind, "status": job.status }))));
    set("pull_request", pull_request(ticket));
    set("tokens", json!(ticket.usage.tokens()));
    set("cost_usd", json!(ticket.usage.cost_usd()));
    set("created_at", json!(ticket.created_at.to_string()));
    set("updated_at", json!(ticket.updated_at.to_string()));
    set("removed_at", json!(ticket.removed_at.map(|at| at.to_string())));
    Value::Object(fields)
}

/// Returns a ticket's pull request as its host told it last; null where it has none.
pub(super) fn pull_request(ticket: &Ticket) -> Value {
    let Some(pull) = ticket.pull_request.as_deref() else { return Value::Null };
    let seen = &pull.seen;
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "number": seen.number, "url": seen.url, "state": seen.state, "provider": pull.provider, "host": pull.host,
        "draft": seen.draft, "branch": seen.branch, "base": seen.base, "head": seen.head, "pushed": pull.pushed,
        "revision": pull.revision, "checks": seen.checks, "review": seen.review, "comment_count": pull.comments,
        "merge_commit": seen.merge_commit, "created_at": at(seen.created_at), "merged_at": at(seen.merged_at),
        "looked_at": pull.looked_at.to_string(), "tried_at": pull.tried_at.to_string(), "error": pull.error,
    })
}

/// Returns a comment on a pull request.
pub(super) fn remark(remark: &Remark) -> Value {
    json!({
        "author": remark.author, "body": remark.body, "path": remark.path, "line": remark.line,
        "at": remark.at.to_string(), "resolved": remark.resolved,
    })
}

/// Returns the number of a ticket, also of one that was removed.
fn number_of(board: &Board, ticket: Option<TicketId>) -> Option<u32> {
    let name = TicketRef::Id(ticket?);
    board.find(name).or_else(|| board.find_removed(name)).map(|ticket| ticket.number.0)
}

/// Returns a goal with how far its tickets are.
pub(super) fn goal(board: &Board, goal: &Goal) -> Value {
    let tickets: Vec<&Ticket> = board.tickets().filter(|ticket| ticket.goal == Some(goal.id)).collect();
    let mut states = Map::new();
    for ticket in &tickets {
        let name = ticket.state.name().as_str().to_owned();
        let count = states.get(&name).and_then(Value::as_u64).unwrap_or(0) + 1;
        states.insert(name, json!(count));
    }
    let far = Progress::of(tickets.iter().copied());
    let mut value = json!({
        "id": goal.id, "title": goal.title, "description": goal.description, "board": board.about.name,
        "progress": {
            "total": far.total, "done": far.done, "percent": far.percent(), "status": far.status, "states": states,
        },
        "created_at": goal.created_at.to_string(), "updated_at": goal.updated_at.to_string(),
        "removed_at": goal.removed_at.map(|at| at.to_string()),
    });
    autonomy::put(&mut value, board, goal);
    value
}

/// Returns the branch from which a ticket starts, or has started, and on which it is to land.
pub(super) fn base_branch<'a>(board: &'a Board, ticket: &'a Ticket) -> &'a str {
    let started = ticket.worktree.as_ref().map(|tree| &tree.base_branch);
    started.or(ticket.base_branch.as_ref()).unwrap_or(&board.about.base_branch)
}

/// Returns a ticket with everything about it.
pub(super) fn ticket_in_full(
    board: &Board,
    of: &Ticket,
    mode: Autopilot,
    detail: &Detail,
    holds: &Holds,
    runs_dir: &Path,
) -> Value {
    let mut value = ticket(board, of, mode, &detail.description);
    let jobs: Vec<Value> = detail
        .jobs
        .iter()
        .map(|one| {
            let runs: Vec<&Run> = detail.runs.iter().filter(|run| run.id.job == one.id).collect();
            job(one, &runs, runs_dir)
        })
        .collect();
    value["jobs"] = json!(jobs);
    value["revisions"] = detail.revisions.iter().map(|one| revision(one, &detail.comments)).collect();
    value["comments"] = detail.comments.iter().map(comment).collect();
    value["reviews"] = detail.reviews.iter().map(review).collect();
    value["evidence"] = json!(detail.evidence.iter().map(|one| evidence(one, runs_dir)).collect::<Vec<_>>());
    value["holds"] = self::holds(holds);
    value["events"] = detail
        .events
        .iter()
        .map(|one| {
            let event = &one.event;
            json!({
                "seq": one.seq, "at": event.at.to_string(), "kind": event.kind, "from": event.from, "to": event.to,
                "actor": event.actor.kind, "actor_name": event.actor.name, "reason": event.reason,
                "payload": event.payload,
            })
        })
        .collect();
    value
}

/// Returns what a ticket holds of the machine.
fn holds(holds: &Holds) -> Value {
    let disk = |disk: DiskUse| json!({ "bytes": disk.bytes, "is_whole": disk.is_whole });
    let worktree = holds
        .worktree
        .as_ref()
        .map(|one| json!({ "path": one.path.to_string_lossy(), "exists": one.exists, "disk": disk(one.disk) }));
    json!({
        "worktree": worktree,
        "branch": holds.branch.as_ref().map(|one| json!({ "name": one.name, "head": one.head })),
        "refs": holds.refs,
        "ports": holds.ports.map(|ports| json!({ "first": ports.first, "count": ports.count })),
        "runs": holds.runs.iter().map(|one| json!({
            "job": one.id.job, "n": one.id.n, "kind": one.kind, "path": one.path.to_string_lossy(),
            "disk": disk(one.disk), "supervisor": one.supervisor,
        })).collect::<Vec<_>>(),
        "processes": holds.processes.iter().map(|one| json!({
            "pid": one.pid, "command": one.command, "job": one.run.job, "run": one.run.n,
        })).collect::<Vec<_>>(),
        "disk": disk(holds.disk()),
    })
}

/// Returns a job with its runs.
pub(super) fn job(job: &Job, runs: &[&Run], runs_dir: &Path) -> Value {
    let path = |run: &Run| runs_dir.join(run.folder());
    json!({
        "id": job.id, "kind": job.kind, "status": job.status, "exit_code": job.exit_code, "signal": job.signal,
        "strategy": job.strategy, "recheck": job.recheck, "takes_back": job.takes_back, "attempt": job.attempt, "rework": job.rework, "message": job.message, "agent": job.agent, "model": job.model, "session": job.session, "reason": job.reason,
        "tokens": job.usage.tokens(), "cost_usd": job.usage.cost_usd(),
        "queued_at": job.queued_at.to_string(), "started_at": job.started_at.map(|at| at.to_string()),
        "finished_at": job.finished_at.map(|at| at.to_string()),
        "log_path": runs.last().map(|run| path(run).join("stdout").to_string_lossy().into_owned()),
        "runs": runs.iter().map(|run| json!({
            "n": run.id.n, "kind": run.kind, "command": run.command, "status": status(run),
            "exit_code": run.end.as_ref().and_then(RunEnd::code), "signal": run.end.as_ref().and_then(RunEnd::signal),
            "started_at": run.started_at.to_string(), "finished_at": run.finished_at.map(|at| at.to_string()),
            "path": path(run).to_string_lossy(),
        })).collect::<Vec<_>>(),
    })
}

/// The status of a run in the words of jobs.
fn status(run: &Run) -> &'static str {
    match &run.end {
        None => "running",
        Some(RunEnd::Exited { code: 0 }) => "succeeded",
        Some(RunEnd::Stopped) => "canceled",
        Some(RunEnd::Lost) => "lost",
        Some(
            RunEnd::Exited { .. }
            | RunEnd::Signaled { .. }
            | RunEnd::TimedOut
            | RunEnd::Silent
            | RunEnd::TooMuchOutput
            | RunEnd::NotStarted { .. },
        ) => "failed",
    }
}

/// Returns a revision with the number of comments on it.
pub(super) fn revision(revision: &Revision, comments: &[Comment]) -> Value {
    let comments = comments.iter().filter(|comment| comment.revision == revision.number).count();
    json!({
        "number": revision.number, "status": revision.status, "base": revision.base, "head": revision.head,
        "tree": revision.tree, "files": revision.size.files, "insertions": revision.size.insertions,
        "deletions": revision.size.deletions, "comments": comments, "job": revision.job, "at": revision.at.to_string(),
    })
}

/// Returns a comment.
pub(super) fn comment(comment: &Comment) -> Value {
    let spot = &comment.spot;
    json!({
        "id": comment.id, "revision": comment.revision, "file_path": spot.path, "side": spot.side,
        "line": spot.lines.map(|(first, _)| first), "last_line": spot.lines.map(|(_, last)| last),
        "line_content": spot.quoted, "anchor": spot.anchor(), "body": comment.body, "author": comment.author.kind,
        "author_name": comment.author.name, "reply_to": comment.reply_to, "resolved": comment.resolved,
        "at": comment.at.to_string(),
    })
}

fn review(review: &Review) -> Value {
    json!({
        "revision": review.revision, "decision": review.verdict, "summary": review.summary,
        "author": review.author.kind, "at": review.at.to_string(),
    })
}

fn evidence(evidence: &Evidence, runs_dir: &Path) -> Value {
    let folder = runs_dir.join(&evidence.folder);
    json!({
        "id": evidence.id, "job": evidence.run.job, "run": evidence.run.n, "kind": evidence.kind,
        "command": evidence.command, "exit_code": evidence.end.code(), "signal": evidence.end.signal(),
        "end": evidence.end.to_string(), "duration_ms": evidence.duration_ms, "tree": evidence.tree,
        "at": evidence.at.to_string(),
        "stdout_path": folder.join("stdout").to_string_lossy(), "stderr_path": folder.join("stderr").to_string_lossy(),
    })
}

/// Returns a change with its hunks.
pub(super) fn diff(ticket: &Ticket, revision: &Revision, files: &[FileDiff]) -> Value {
    let size = total_size(files);
    json!({
        "ticket": ticket.number, "revision": revision.number, "base": revision.base, "head": revision.head,
        "insertions": size.insertions, "deletions": size.deletions,
        "files": files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn file(file: &FileDiff) -> Value {
    let size = file.size();
    let mut value = json!({
        "path": file.path, "old_path": file.old_path, "change": file.change, "insertions": size.insertions,
        "deletions": size.deletions,
        "old_mode": file.modes.map(|(old, _)| format!("{old:06o}")), "new_mode": file.modes.map(|(_, new)| format!("{new:06o}")),
    });
    match &file.content {
        Content::Text(hunks) => {
            value["hunks"] = hunks
                .iter()
                .map(|hunk| {
                    json!({
                        "old_start": hunk.old_start, "old_lines": hunk.old_lines, "new_start": hunk.new_start,
                        "new_lines": hunk.new_lines, "lines": hunk.lines.iter().map(line).collect::<Vec<_>>(),
                    })
                })
                .collect();
        }
        Content::Binary { old_size, new_size } => {
            value["binary"] = json!({ "old_size": old_size, "new_size": new_size });
        }
        Content::TooLarge { old_size, new_size } => {
            value["too_large"] = json!({ "old_size": old_size, "new_size": new_size });
        }
        Content::Submodule { old, new } => value["submodule"] = json!({ "old": old, "new": new }),
    }
    value
}

/// A line as a unified diff prints it.
fn line(line: &DiffLine) -> String {
    match line {
        DiffLine::Context(text) => format!(" {text}"),
        DiffLine::Added(text) => format!("+{text}"),
        DiffLine::Removed(text) => format!("-{text}"),
        DiffLine::NoNewline => "\\ No newline at end of file".to_owned(),
    }
}
