//! `draft pr comments`: the comments on a ticket's pull request, and those that a person wants in its review.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use crate::app::{self, AppError};
use crate::domain::board::Board;
use crate::domain::command::{Command, RefusalCode};
use crate::domain::id::{CommentId, TicketRef};
use crate::domain::pull_request::{PullRequest, Remark};
use crate::domain::review::NewComment;
use crate::domain::ticket::Ticket;
use crate::engine::Workshop;
use crate::git::diff;
use crate::ui::widget::text::visible;

use super::super::error::{CliError, Exit};
use super::super::out::Out;
use super::super::{Global, json as wire, session, stored};
use super::{pull_of, remark_lines};

#[derive(Debug, Args)]
pub(in crate::cli) struct CommentsArgs {
    /// The ticket's number or UUID
    id: String,
    /// Make comments on the newest revision of these, by the numbers that the list has, or of all that are not resolved and
    /// about a file. Its agent reads them, as quotations, when you request changes: take only what you would say yourself
    #[arg(long, value_name = "N,…|all", value_delimiter = ',')]
    to_review: Vec<String>,
}

pub(super) fn comments(global: &Global, args: &CommentsArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let workshop = Arc::clone(&opened.workshop);
    let board = session::stored_board(&workshop)?;
    let ticket = session::find(&board, &args.id)?;
    let pull = pull_of(ticket)?;
    let detail = app::load_detail(&workshop, ticket.id)?.ok_or_else(|| session::gone(ticket))?;
    if args.to_review.is_empty() {
        list(global, &board, ticket, &detail.remarks, out)?;
        return Ok(Exit::Done);
    }
    let chosen = choose(&board, ticket, &detail.remarks, &args.to_review)?;
    let new = as_comments(&workshop, &board, (ticket, pull), &chosen)?;
    let (revision, taken) = (board.revision(ticket.id).map_or(1, |newest| newest.number), ids(&new));
    if !new.is_empty() {
        let command = Command::Comment { ticket: TicketRef::Id(ticket.id), revision, comments: new };
        stored::carry_out(opened, vec![command])?;
    }
    if global.json {
        out.json(&json!({ "ticket": ticket.number, "revision": revision, "taken": taken }))?;
    } else if !global.quiet {
        let count = taken.len();
        let noun = if count == 1 { "comment" } else { "comments" };
        out.line(format_args!("{count} {noun} taken into the review of revision {revision} of {}", ticket.number))?;
    }
    Ok(Exit::Done)
}

fn ids(comments: &[NewComment]) -> Vec<CommentId> {
    comments.iter().map(|comment| comment.id).collect()
}

fn is_taken(board: &Board, ticket: &Ticket, remark: &Remark) -> bool {
    board.comment(ticket.id, remark.comment_id(ticket.id)).is_some()
}

fn list(global: &Global, board: &Board, ticket: &Ticket, remarks: &[Remark], out: &mut Out) -> Result<(), CliError> {
    let numbered = || (1..).zip(remarks);
    if global.json {
        let one = |(number, remark): (u32, &Remark)| {
            let mut value: Value = wire::remark(remark);
            value["number"] = number.into();
            value["taken"] = is_taken(board, ticket, remark).into();
            value
        };
        return out.json(&json!({ "ticket": ticket.number, "comments": numbered().map(one).collect::<Vec<Value>>() }));
    }
    for (number, remark) in numbered() {
        let taken = if is_taken(board, ticket, remark) { ", in the review" } else { "" };
        let mut lines = remark_lines(remark).into_iter();
        let first = lines.next().unwrap_or_default();
        out.line(visible(&format!("{number:>3}{first}{taken}")))?;
        for line in lines {
            out.line(visible(&line))?;
        }
    }
    Ok(())
}

/// Returns those that were named and are not in the review yet.
fn choose<'a>(
    board: &Board,
    ticket: &Ticket,
    remarks: &'a [Remark],
    named: &[String],
) -> Result<Vec<&'a Remark>, CliError> {
    let mut chosen: Vec<&Remark> = Vec::new();
    for name in named.iter().map(|name| name.trim()) {
        if name == "all" {
            chosen.extend(remarks.iter().filter(|remark| !remark.resolved && remark.path.is_some()));
            continue;
        }
        let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let Some(remark) = number.and_then(|at| remarks.get(at)) else {
            let message = format!("the pull request of {} has no comment {name}", ticket.number);
            let hint = format!("`draft pr comments {}` lists them.", ticket.number.0);
            return Err(CliError::wrong_use(RefusalCode::UnknownComment.as_str(), message, hint));
        };
        if remark.path.is_none() {
            let message = format!("comment {name} is about no file, so it has no place in a review");
            let hint = format!("Say it yourself: `draft review {} --request-changes --message TEXT`.", ticket.number.0);
            return Err(CliError::wrong_use(RefusalCode::BadValue.as_str(), message, hint));
        }
        chosen.push(remark);
    }
    chosen.retain(|remark| !is_taken(board, ticket, remark));
    chosen.sort_by_key(|remark| remark.comment_id(ticket.id));
    chosen.dedup_by_key(|remark| remark.comment_id(ticket.id));
    chosen.sort_by_key(|remark| remark.at);
    Ok(chosen)
}

fn as_comments(
    workshop: &Workshop,
    board: &Board,
    (ticket, pull): (&Ticket, &PullRequest),
    chosen: &[&Remark],
) -> Result<Vec<NewComment>, CliError> {
    // Without a revision the rules say no.
    let files = match board.revision(ticket.id) {
        Some(revision) => diff::between(&workshop.repo, &revision.base, &revision.tree)
            .map_err(|error| CliError::from(AppError::Git(error)))?,
        None => Vec::new(),
    };
    Ok(chosen.iter().filter_map(|remark| remark.to_comment(pull, ticket.id, &files)).collect())
}
