//! `draft diff`: the change of a ticket, as files and hunks.

use std::io::IsTerminal;

use clap::Args;

use crate::app::AppError;
use crate::domain::diff::{Content, FileChange, FileDiff, total_size};
use crate::domain::revision::Revision;
use crate::git::{diff, exact_patch};
use crate::ui::widget::format::counted;
use crate::ui::widget::text::visible;

use super::error::{CliError, Exit};
use super::out::Out;
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

pub(super) fn diff(global: &Global, args: &DiffArgs, out: &mut Out) -> Result<Exit, CliError> {
    let opened = session::opened(global)?;
    let board = session::stored_board(&opened.workshop)?;
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
    let failed = |error| CliError::from(AppError::Git(error));
    let files = diff::between(&opened.workshop.repo, &revision.base, &revision.tree).map_err(failed)?;
    if global.json {
        out.json(&wire::diff(ticket, revision, &files))?;
    } else if args.stat {
        files.iter().try_for_each(|file| out.line(stat(file)))?;
        let size = total_size(&files);
        let count = counted(size.files.into(), "file", "files");
        out.line(format_args!("{count}, +{} −{}", size.insertions, size.deletions))?;
    } else if std::io::stdout().is_terminal() {
        diff::patch_text(&files).lines().try_for_each(|line| out.line(visible(line)))?;
    } else {
        // As it is, so that it can be applied.
        let patch = exact_patch(&opened.workshop.repo, &revision.base, &revision.tree).map_err(failed)?;
        out.bytes(&patch)?;
    }
    Ok(Exit::Done)
}

/// One line about a file: how large its change is, its name, and what lines cannot show.
fn stat(file: &FileDiff) -> String {
    let size = file.size();
    let sizes = |old: &u64, new: &u64| format!("{old} → {new} bytes");
    let content = match &file.content {
        Content::Text(_) => None,
        Content::Binary { old_size, new_size } => Some(format!("binary, {}", sizes(old_size, new_size))),
        Content::TooLarge { old_size, new_size } => {
            Some(format!("too large to compare, {}", sizes(old_size, new_size)))
        }
        Content::Submodule { .. } => Some("submodule".to_owned()),
    };
    let change = match file.change {
        FileChange::Added => Some("new".to_owned()),
        FileChange::Deleted => Some("deleted".to_owned()),
        FileChange::Renamed => file.old_path.as_ref().map(|old| format!("was {}", visible(old))),
        FileChange::Modified => None,
    };
    let mode = file.modes.filter(|_| file.change == FileChange::Modified);
    let mode = mode.map(|(old, new)| format!("mode {old:o} → {new:o}"));
    let notes: Vec<String> = [change, content, mode].into_iter().flatten().collect();
    let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
    let (more, less) = (format!("+{}", size.insertions), format!("−{}", size.deletions));
    format!("{more:>6} {less:>6}  {}{notes}", visible(&file.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_has_no_lines_is_told_in_words() {
        let file = FileDiff {
            change: FileChange::Modified,
            path: "tool.sh".into(),
            old_path: None,
            modes: Some((0o100_644, 0o100_755)),
            content: Content::Text(Vec::new()),
        };
        assert_eq!(stat(&file), "    +0     −0  tool.sh  (mode 100644 → 100755)");
        let content = Content::Binary { old_size: 0, new_size: 12 };
        let image = FileDiff { change: FileChange::Added, path: "a.png".into(), modes: None, content, ..file.clone() };
        assert_eq!(stat(&image), "    +0     −0  a.png  (new; binary, 0 → 12 bytes)");
        let moved = FileDiff { change: FileChange::Renamed, old_path: Some("old.sh".into()), modes: None, ..file };
        assert_eq!(stat(&moved), "    +0     −0  tool.sh  (was old.sh)");
    }
}
