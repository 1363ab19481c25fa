//! `draft review`: what a person says about a ticket's change, and what they decide.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use crate::app::{self, AppError};
use crate::domain::command::{Command, RefusalCode, Reviewing};
use crate::domain::diff::FileDiff;
use crate::domain::id::{CommentId, TicketId, TicketRef};
use crate::domain::review::{Lines, NewComment, Side, Spot, Verdict};
use crate::domain::revision::Revision;
use crate::engine::Workshop;
use crate::git::diff;
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
use super::{Global, json as wire, pr, session, stored};

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// The ticket's number or UUID
    id: String,
    /// The change may land
    #[arg(long, conflicts_with = "request_changes")]
    approve: bool,
    /// The change needs more work: its agent starts on it with what is said here
    #[arg(long)]
    request_changes: bool,
    /// What is to be said about all of it
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
    /// A comment on a line, on lines (`src/a.rs:12-14:TEXT`) or on a whole file (`src/a.rs::TEXT`)
    #[arg(long, value_name = "FILE:LINE:TEXT")]
    comment: Vec<String>,
    /// Say that this comment is dealt with
    #[arg(long, value_name = "COMMENT")]
    resolve: Vec<Uuid>,
    /// The revision that was read; refused when there is a newer one [default: the newest]
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// With --request-changes: leave it to somebody else to start the agent
    #[arg(long, requires = "request_changes")]
    no_run: bool,
    /// With --approve: although comments are not resolved
    #[arg(long, requires = "approve")]
    anyway: bool,
    /// With --approve: open a pull request for it, and wait until it is open
    #[arg(long, requires = "approve")]
    pr: bool,
}

pub(super) fn review(global: &Global, args: &ReviewArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let workshop = Arc::clone(&opened.workshop);
    let board = session::stored_board(&workshop)?;
    let ticket = session::find(&board, &args.id)?.id;
    if args.pr {
        pr::require_host(&workshop)?;
    }
    let newest = board.revision(ticket).cloned();
    let comments = match (&newest, args.comment.as_slice()) {
        (_, []) | (None, _) => Vec::new(),
        (Some(revision), said) => comments(&workshop, revision, said)?,
    };
    let commands = commands(args, ticket, newest.map_or(1, |revision| revision.number), comments)?;
    stored::carry_out(opened, commands)?;
    if args.pr {
        return pr::open(global, &args.id, out);
    }
    print(global, &workshop, &args.id, out)?;
    Ok(Exit::Done)
}

/// Returns what is to be asked, in order.
fn commands(
    args: &ReviewArgs,
    ticket: TicketId,
    newest: u32,
    comments: Vec<NewComment>,
) -> Result<Vec<Command>, CliError> {
    let ticket = TicketRef::Id(ticket);
    let resolved = args.resolve.iter().map(|id| Command::Resolve { ticket, comment: CommentId(*id), resolved: true });
    let mut commands: Vec<Command> = resolved.collect();
    let verdict = match (args.approve, args.request_changes) {
        (true, _) => Some(Verdict::Approve),
        (false, true) => Some(Verdict::RequestChanges),
        (false, false) => None,
    };
    match verdict {
        Some(verdict) => commands.push(Command::Review {
            ticket,
            review: Reviewing {
                revision: args.revision,
                verdict,
                summary: args.message.clone(),
                comments,
                run: !args.no_run,
                anyway: args.anyway,
            },
        }),
        None if !args.message.is_empty() => {
            let hint = "Add --approve or --request-changes, or say it with --comment.";
            return Err(CliError::wrong_use("usage", "a message goes with a decision", hint));
        }
        None if !comments.is_empty() => {
            commands.push(Command::Comment { ticket, revision: args.revision.unwrap_or(newest), comments });
        }
        None if commands.is_empty() => {
            let hint = "Give --approve, --request-changes, --comment or --resolve; `draft diff` shows the change.";
            return Err(CliError::wrong_use("usage", "nothing is said about the change", hint));
        }
        None => {}
    }
    Ok(commands)
}

/// Reads the comments and looks their lines up in the change.
fn comments(workshop: &Workshop, revision: &Revision, said: &[String]) -> Result<Vec<NewComment>, CliError> {
    let failed = |error| CliError::from(AppError::Git(error));
    let files = diff::between(&workshop.repo, &revision.base, &revision.tree).map_err(failed)?;
    said.iter().map(|said| comment(workshop, &files, revision, said)).collect()
}

fn comment(workshop: &Workshop, files: &[FileDiff], revision: &Revision, said: &str) -> Result<NewComment, CliError> {
    let bad = |message: String, hint: &str| CliError::wrong_use(RefusalCode::BadValue.as_str(), message, hint);
    let Some((path, lines, body)) = parse(said) else {
        let message = format!("`{said}` names no file and line");
        return Err(bad(message, "Write src/a.rs:12:TEXT, src/a.rs:12-14:TEXT, or src/a.rs::TEXT for the whole file."));
    };
    let Some(mut spot) = Spot::of(files, path, Side::New, lines) else {
        let message = format!("{path} is not part of revision {}", revision.number);
        let named: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        return Err(bad(message, &format!("The change has {}.", named.join(", "))));
    };
    if let Some((first, last)) = lines
        && let Some(all) = lines_of(workshop, revision, path)?
    {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        if first.max(last) > count {
            let count = counted(u64::from(count), "line", "lines");
            let message =
                format!("{path} has {count} in revision {}, and no line {}", revision.number, first.max(last));
            return Err(bad(message, &format!("Write {path}::TEXT to speak of the whole file.")));
        }
        // A line on which nothing changed is none of the change's own.
        if spot.quoted.is_empty() {
            spot.quoted = all.into_iter().nth(first as usize - 1).unwrap_or_default();
        }
    }
    Ok(NewComment { id: CommentId(Uuid::now_v7()), spot, body: body.to_owned(), reply_to: None })
}

/// Returns the lines of a file of the change, where the file is text.
fn lines_of(workshop: &Workshop, revision: &Revision, path: &str) -> Result<Option<Vec<String>>, CliError> {
    let read = diff::lines_of(&workshop.repo, &revision.tree, path);
    read.map_err(|error| CliError::from(AppError::Git(error)))
}

/// Splits `FILE:LINE:TEXT`, `FILE:FIRST-LAST:TEXT` or `FILE::TEXT`; a name may have colons.
fn parse(said: &str) -> Option<(&str, Option<Lines>, &str)> {
    said.match_indices(':').find_map(|(at, _)| {
        let (path, rest) = (&said[..at], &said[at + 1..]);
        let (lines, body) = rest.split_once(':')?;
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        let lines = match lines.split_once('-') {
            _ if lines.is_empty() => None,
            None => Some((number(lines)?, number(lines)?)),
            Some((first, last)) => Some((number(first)?, number(last)?)),
        };
        (!path.is_empty()).then_some((path, lines, body))
    })
}

fn print(global: &Global, workshop: &Workshop, id: &str, out: &mut Out) -> Result<(), CliError> {
    let board = session::stored_board(workshop)?;
    let ticket = session::find(&board, id)?;
    let detail = app::load_detail(workshop, ticket.id)?.ok_or_else(|| session::gone(ticket))?;
    let Some(revision) = detail.revisions.iter().max_by_key(|one| one.number) else { return Ok(()) };
    if global.json {
        let mut value = wire::revision(revision, &detail.comments);
        value["ticket"] = json!(ticket.number);
        let of_it = detail.comments.iter().filter(|comment| comment.revision == revision.number);
        value["review_comments"] = of_it.map(wire::comment).collect();
        return out.json(&value);
    }
    if global.quiet {
        return Ok(());
    }
    let open = board.open_comments(ticket.id).count();
    let unresolved = if open > 0 { format!(", {open} not resolved") } else { String::new() };
    out.line(format_args!("{} revision {} {}{unresolved}", ticket.number, revision.number, revision.status))?;
    if !ticket.reason.is_empty() {
        out.line(format_args!("   {}", visible(&ticket.reason)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_its_file_and_its_lines() {
        assert_eq!(parse("src/a.rs:12:why?"), Some(("src/a.rs", Some((12, 12)), "why?")));
        assert_eq!(parse("src/a.rs:12-14:why: this"), Some(("src/a.rs", Some((12, 14)), "why: this")));
        assert_eq!(parse("a.rs::all of it"), Some(("a.rs", None, "all of it")));
        assert_eq!(parse("a:b.rs:3:x"), Some(("a:b.rs", Some((3, 3)), "x")));
        for bad in ["a.rs", "a.rs:3", ":3:x", "a.rs:0:x", "a.rs:x:y"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
