//! `draft diff`: the change of a ticket, as files and hunks.

use std::io::IsTerminal;

use clap::Args;

use crate::domain::diff::total_size;
use crate::domain::revision::Revision;
use crate::git::diff;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::{Global, json as wire, session};

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The ticket's number or UUID
    id: String,
    /// This revision [default: the newest]
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Only how large each file's change is
    #[arg(long)]
    stat: bool,
}

pub(super) fn diff(global: &Global, args: &DiffArgs) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened)?;
    let ticket = session::find(&board, &args.id)?;
    let revisions = opened.reader()?.revisions(ticket.id)?;
    let wanted = |one: &&Revision| args.revision.is_none_or(|number| one.number == number);
    let Some(revision) = revisions.iter().filter(wanted).max_by_key(|one| one.number) else {
        let message = match args.revision {
            Some(number) => format!("{} has no revision {number}", ticket.number),
            None => format!("{} has no change yet", ticket.number),
        };
        return Err(CliError::wrong_use("unknown_revision", message, "A run that leaves a change makes a revision."));
    };
    let files = diff::between(&opened.workshop.repo, &revision.base, &revision.tree)
        .map_err(|error| CliError::environment("git", error.to_string(), ""))?;
    if global.json {
        println!("{}", wire::diff(ticket, revision, &files));
        return Ok(Exit::Done);
    }
    if args.stat {
        for file in &files {
            let size = file.size();
            println!(
                "{:>6} {:>6}  {}",
                format!("+{}", size.insertions),
                format!("−{}", size.deletions),
                visible(&file.path)
            );
        }
        let size = total_size(&files);
        println!("{} files, +{} −{}", size.files, size.insertions, size.deletions);
        return Ok(Exit::Done);
    }
    let patch = diff::patch_text(&files);
    if std::io::stdout().is_terminal() {
        patch.lines().for_each(|line| println!("{}", visible(line)));
    } else {
        // As it is, so that it can be applied.
        print!("{patch}");
    }
    Ok(Exit::Done)
}
