//! `draft pr`: a ticket's pull request on the host of the remote.

mod comments;

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{self, Door, News};
use crate::domain::board::Board;
use crate::domain::command::Command;
use crate::domain::detail::Detail;
use crate::domain::event::Actor;
use crate::domain::id::{JobId, TicketId, TicketRef};
use crate::domain::job::{Job, JobStatus};
use crate::domain::landing::Strategy;
use crate::domain::pull_request::{BODY_MAX, Errand, PullRequest, Remark};
use crate::domain::rule::{Input, Known, Trust, What, decide};
use crate::domain::state::State;
use crate::domain::ticket::Ticket;
use crate::engine::{Working, Workshop, host};
use crate::git::host::{Host, HostError};
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, filed, job, json as wire, session};

#[derive(Debug, Subcommand)]
pub(super) enum PrCommand {
    /// Push the newest revision of a ticket and open a pull request for it
    Create(CreateArgs),
    /// Push the newest revision of a ticket to the branch of its pull request
    Push(PushArgs),
    /// Show a ticket's pull request as its host told it last: state, checks, reviews and comments
    Show(OneArgs),
    /// Comment on a ticket's pull request
    Comment(CommentArgs),
    /// List the comments on a ticket's pull request, and take some into its review
    Comments(comments::CommentsArgs),
    /// Have the host merge a ticket's pull request: the approved revision and nothing else
    Merge(MergeArgs),
    /// Ask the host now how a ticket's pull request stands
    Refresh(OneArgs),
    /// List the pull requests of the board's tickets
    List,
}

#[derive(Debug, Args)]
pub(super) struct OneArgs {
    /// The ticket's number or UUID
    id: String,
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The ticket's number or UUID
    id: String,
    /// Its title [default: the ticket's]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Its text; - reads it from standard input [default: the ticket's description]
    #[arg(long, value_name = "TEXT|-")]
    body: Option<String>,
    /// The branch into which it is to be merged, as the remote has it [default: the one from which the ticket started]
    #[arg(long, value_name = "BRANCH")]
    base: Option<String>,
    /// Mark it as not ready yet
    #[arg(long)]
    draft: bool,
    /// Only ask for it, and leave it to the board or to `draft run`
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub(super) struct PushArgs {
    /// The ticket's number or UUID
    id: String,
    /// Only ask for it, and leave it to the board or to `draft run`
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Args)]
pub(super) struct CommentArgs {
    /// The ticket's number or UUID
    id: String,
    /// What to say; - reads it from standard input
    #[arg(value_name = "TEXT|-")]
    text: String,
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

pub(super) fn pr(global: &Global, command: PrCommand, out: &mut Out) -> Result<Exit, CliError> {
    match command {
        PrCommand::Create(args) => {
            let CreateArgs { id, title, body, base, draft, no_wait } = args;
            let body = body.map(filed::text).transpose()?;
            deal(global, &id, Errand::Open { title, body, base, draft }, no_wait, out)
        }
        PrCommand::Push(args) => deal(global, &args.id, Errand::Push, args.no_wait, out),
        PrCommand::Show(args) => show(global, &args.id, out),
        PrCommand::Comment(args) => comment(global, args, out),
        PrCommand::Comments(args) => comments::comments(global, &args, out),
        PrCommand::Merge(args) => deal(global, &args.id, Errand::Merge { strategy: args.strategy }, args.no_wait, out),
        PrCommand::Refresh(args) => refresh(global, &args.id, out),
        PrCommand::List => list(global, out),
    }
}

/// Opens a pull request for a ticket, as `draft review --approve --pr` does.
pub(super) fn open(global: &Global, id: &str, out: &mut Out) -> Result<Exit, CliError> {
    let errand = Errand::Open { title: None, body: None, base: None, draft: false };
    deal(global, id, errand, false, out)
}

/// Makes sure that a host can be asked, before anything is decided that would need it.
pub(super) fn require_host(workshop: &Workshop) -> Result<(), CliError> {
    with_host(workshop, |host| host.require_login())
}

/// Has a job deal with a ticket's pull request, and waits for its end.
fn deal(global: &Global, id: &str, errand: Errand, no_wait: bool, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let found = session::find(&board, id)?;
    let ticket = found.id;
    let same = errand.clone();
    let is_wanted = move |_: &Ticket, job: &Job| !no_wait && job.errand.as_ref() == Some(&same);
    let is_under_way = board.active_job(ticket).is_some_and(|job| is_wanted(found, job));
    let merges = matches!(errand, Errand::Merge { .. });
    let command = Command::PullRequest { ticket: TicketRef::Id(ticket), errand };
    // What the board says no to needs no program, and what lacks its program needs no job.
    if !is_under_way {
        would_be(&board, command.clone())?;
    }
    require_host(&opened.workshop)?;
    drop(opened);
    let at_once = |_: &Board, _, _| true;
    let is_over = |board: &Board, _, job: JobId| !board.job(job).is_some_and(|job| job.status.is_active());
    let done = job::carry_out(global, TicketRef::Id(ticket), |ticket| job::Asked {
        ticket,
        command,
        is_wanted: &is_wanted,
        working: if no_wait { Working::CommandsOnly } else { Working::JobsOf(ticket) },
        is_over: if no_wait { &at_once } else { &is_over },
    })?;
    let is_well = match done.job.status {
        JobStatus::Succeeded => !merges || done.ticket.state == State::Done,
        JobStatus::Queued | JobStatus::Running => no_wait,
        JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => false,
    };
    if global.json {
        let mut value = done.json();
        value["pull_request"] = wire::pull_request(&done.ticket);
        out.json(&value)?;
    } else {
        done.print(global, out)?;
        if let Some(pull) = done.ticket.pull_request.as_deref().filter(|_| is_well && !global.quiet) {
            out.line(visible(&pull.seen.url))?;
        }
    }
    Ok(if is_well { Exit::Done } else { Exit::AnswerIsNo })
}

/// Says what the board would refuse.
fn would_be(board: &Board, command: Command) -> Result<(), CliError> {
    let input = Input {
        at: chrono::Utc::now().into(),
        actor: Actor::human(),
        fresh: JobId(Uuid::now_v7()),
        known: Known::only(Trust::Given),
        what: What::Command(command),
    };
    decide(board, &input).map(drop).map_err(CliError::from)
}

fn with_host<T>(workshop: &Workshop, ask: impl FnOnce(&Host<'_>) -> Result<T, HostError>) -> Result<T, CliError> {
    let settings = workshop.settings()?;
    let asked = host(workshop, &workshop.repo, &settings.config).and_then(|host| ask(&host));
    asked.map_err(|error| {
        let code = if error.is_about_setup() { "no_host" } else { "host" };
        CliError::environment(code, error.to_string(), "`draft doctor` says what this needs.")
    })
}

fn pull_of(ticket: &Ticket) -> Result<&PullRequest, CliError> {
    ticket.pull_request.as_deref().ok_or_else(|| {
        let message = format!("{} has no pull request", ticket.number);
        let hint = format!("`draft pr create {}` opens one.", ticket.number.0);
        CliError::wrong_use("no_pull_request", message, hint)
    })
}

fn show(global: &Global, id: &str, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    print(global, &opened.workshop, id, out)?;
    Ok(Exit::Done)
}

fn print(global: &Global, workshop: &Workshop, id: &str, out: &mut Out) -> Result<(), CliError> {
    let board = session::stored_board(workshop)?;
    let ticket = session::find(&board, id)?;
    let pull = pull_of(ticket)?;
    let detail: Detail = app::load_detail(workshop, ticket.id)?.ok_or_else(|| session::gone(ticket))?;
    if global.json {
        let mut value = wire::pull_request(ticket);
        value["ticket"] = json!(ticket.number);
        value["comments"] = detail.remarks.iter().map(wire::remark).collect();
        return out.json(&value);
    }
    for line in lines(ticket, pull, &detail.remarks) {
        out.line(visible(&line))?;
    }
    Ok(())
}

/// Returns a pull request for people.
fn lines(ticket: &Ticket, pull: &PullRequest, remarks: &[Remark]) -> Vec<String> {
    let seen = &pull.seen;
    let draft = if seen.draft { ", draft" } else { "" };
    let mut lines = vec![
        format!("{}  {}  {}{draft}", ticket.number, pull.place(), seen.state),
        format!("   {}", seen.url),
        format!("   {} → {}, revision {} as {}", seen.branch, seen.base, pull.revision, short(&pull.pushed)),
    ];
    if pull.has_moved() {
        lines.push(format!("   its branch is at {} by now, which Draft did not push", short(&seen.head)));
    }
    if let Some(commit) = &seen.merge_commit {
        let at = seen.merged_at.map(|at| format!(" at {at}")).unwrap_or_default();
        lines.push(format!("   merged as {}{at}", short(commit)));
    }
    if seen.checks.total() > 0 {
        let checks = seen.checks;
        lines.push(format!(
            "   checks: {} passed, {} failed, {} not over",
            checks.passed, checks.failed, checks.pending
        ));
    }
    lines.extend(seen.review.map(|review| format!("   review: {}", review.as_str().replace('_', " "))));
    lines.extend(remarks.iter().flat_map(remark_lines));
    lines.push(format!("   looked at {}", pull.looked_at));
    lines.extend(pull.error.as_ref().map(|error| format!("   tried at {}: {error}", pull.tried_at)));
    lines
}

/// Returns a comment for people: who, when and about what, then what.
fn remark_lines(remark: &Remark) -> Vec<String> {
    let place = remark.path.as_ref().map(|path| match remark.line {
        Some(line) => format!(" on {path}:{line}"),
        None => format!(" on {path}"),
    });
    let resolved = if remark.resolved { ", resolved" } else { "" };
    let head = format!("   {}  {}{}{resolved}", remark.at, remark.author, place.unwrap_or_default());
    std::iter::once(head).chain(remark.body.lines().map(|line| format!("      {line}"))).collect()
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn comment(global: &Global, args: CommentArgs, out: &mut Out) -> Result<Exit, CliError> {
    let text = filed::text(args.text)?;
    let length = text.trim().chars().count();
    if length == 0 || length > BODY_MAX {
        let message = format!("a comment has 1 to {BODY_MAX} characters, this one has {length}");
        return Err(CliError::wrong_use("bad_value", message, "Say it in that many."));
    }
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let number = pull_of(session::find(&board, &args.id)?)?.seen.number;
    with_host(&opened.workshop, |host| host.comment(number, text.trim()))?;
    drop(opened);
    // It is there; that it is seen here too is one more question.
    refresh(global, &args.id, out)?;
    Ok(Exit::Done)
}

/// Has the host asked, and waits for its answer.
fn refresh(global: &Global, id: &str, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let workshop = Arc::clone(&opened.workshop);
    let board = session::stored_board(&workshop)?;
    let ticket = session::find(&board, id)?;
    let (of, before) = (ticket.id, pull_of(ticket)?.tried_at);
    let looked = session::runtime()?.block_on(async {
        let mut door = Door::open(opened, Working::CommandsOnly).await?;
        let looked = look(&mut door, of, &|pull: &PullRequest| pull.tried_at > before).await;
        door.close().await?;
        looked
    })?;
    print(global, &workshop, id, out)?;
    Ok(if looked.error.is_none() { Exit::Done } else { Exit::AnswerIsNo })
}

async fn look(door: &mut Door, of: TicketId, is_over: &dyn Fn(&PullRequest) -> bool) -> Result<PullRequest, CliError> {
    door.ask(Command::LookAtHost { ticket: TicketRef::Id(of) }).await?;
    let (mut board, mut watcher) = door.watch().await?;
    loop {
        if let Some(pull) = board.ticket(of).and_then(|ticket| ticket.pull_request.as_deref())
            && is_over(pull)
        {
            return Ok(pull.clone());
        }
        tokio::select! {
            news = watcher.next() => match news? {
                News::Changed(changes) => changes.iter().for_each(|change| board.apply(change)),
                News::Reloaded(loaded) => board = *loaded,
            },
            taken = door.take_over() => {
                taken?;
                // Whoever was asked is gone, and nobody looks any more.
                door.ask(Command::LookAtHost { ticket: TicketRef::Id(of) }).await?;
                (board, watcher) = door.watch().await?;
            }
        }
    }
}

fn list(global: &Global, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
    let with: Vec<(&Ticket, &PullRequest)> =
        board.tickets().filter_map(|ticket| Some((ticket, ticket.pull_request.as_deref()?))).collect();
    if global.json {
        let one = |(ticket, _): &(&Ticket, &PullRequest)| {
            let mut value = wire::pull_request(ticket);
            value["ticket"] = json!(ticket.number);
            value
        };
        out.json(&json!({ "pull_requests": with.iter().map(one).collect::<Vec<Value>>() }))?;
        return Ok(Exit::Done);
    }
    for (ticket, pull) in with {
        let seen = &pull.seen;
        let checks = if seen.checks.total() > 0 {
            format!("  checks {}/{}", seen.checks.passed, seen.checks.total())
        } else {
            String::new()
        };
        let error = pull.error.as_ref().map(|error| format!("  not reached since {}: {error}", pull.looked_at));
        let line = format!(
            "{}  {}  {}{checks}  {}{}",
            ticket.number,
            pull.label(),
            seen.state,
            seen.url,
            error.unwrap_or_default()
        );
        out.line(visible(&line.replace('\n', " ")))?;
    }
    Ok(Exit::Done)
}
