//! Landing: bringing an approved change to the branch that it is meant for.

use serde::{Deserialize, Serialize};

use super::event::{EventKind, NewEvent};
use super::id::TicketId;
use super::outlook::ConflictFile;
use super::run::RunEnd;
use super::state::words;

words! {
    /// How a change is brought to its target.
    Strategy, "strategy" {
        /// One commit with all of it.
        Squash = "squash",
        /// The ticket's own commits, and a commit that joins them.
        Merge = "merge",
        /// The ticket's own commits, written anew on top of the target.
        Rebase = "rebase",
    }
}

/// What a landing is about to do to the target. It is stored before it is done: after a crash in between, the branch says
/// which of the two commits it is at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that it is at.
    pub from: String,
    /// The commit that it is to be at.
    pub to: String,
}

impl Intent {
    /// Returns what a landing did, as the history of its ticket tells; nothing for events that tell of none.
    pub fn told(event: &NewEvent) -> Option<Self> {
        if event.kind != EventKind::MergeSucceeded {
            return None;
        }
        let text = |field: &str| event.payload.get(field)?.as_str().map(str::to_owned);
        Some(Self { branch: text("branch")?, from: text("from")?, to: text("to")? })
    }
}

/// What came of a land job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Landing {
    /// The target has the change.
    Landed {
        /// What was done.
        intent: Intent,
        /// What went not as it should and hurt nothing: a pull or a push that failed.
        warnings: Vec<String>,
    },
    /// The target has it already; nothing was to be done.
    Already {
        /// The target.
        branch: String,
    },
    /// The checks pass on what would be on the target, and nobody asked for more.
    Green {
        /// The target.
        branch: String,
    },
    /// The change and what came to the target meanwhile do not go together.
    Conflict {
        /// The target.
        branch: String,
        /// The files, each with what kind of conflict it is.
        files: Vec<ConflictFile>,
    },
    /// The checks fail on what would be on the target.
    Red {
        /// The command.
        command: String,
        /// How it ended.
        end: RunEnd,
        /// What came to the target since the change was made, and could be why.
        beside: Vec<String>,
    },
    /// It cannot land here and now; nothing was changed.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

/// What a template of a commit's message can name.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The ticket's title.
    pub title: &'a str,
    /// Its number on the board.
    pub number: u32,
    /// Its identity.
    pub id: TicketId,
    /// More about it; may be empty.
    pub description: &'a str,
    /// The revision that lands.
    pub revision: u32,
    /// The agent that made it; may be empty.
    pub agent: &'a str,
}

/// Fills a template in. What is filled in is never read as a template; lines that say nothing go, and there is never more than one empty
/// line after another.
pub fn message(template: &str, about: About<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in template.lines() {
        let filled = fill(line, about);
        // A trailer without its value says nothing.
        let is_bare = filled.trim_end().ends_with(':') && filled != line;
        if !is_bare {
            lines.extend(filled.lines().map(|line| line.trim_end().to_owned()));
            if filled.is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    let text = lines.join("\n");
    let text = text.trim_matches('\n');
    let text = if text.is_empty() { about.title } else { text };
    format!("{text}\n")
}

fn fill(line: &str, about: About<'_>) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        match &rest[..end] {
            "{title}" => filled.push_str(about.title),
            "{number}" => filled.push_str(&about.number.to_string()),
            "{id}" => filled.push_str(&about.id.to_string()),
            "{description}" => filled.push_str(about.description.trim()),
            "{revision}" => filled.push_str(&about.revision.to_string()),
            "{agent}" => filled.push_str(about.agent),
            other => filled.push_str(other),
        }
        rest = &rest[end..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn about(description: &str) -> About<'_> {
        About {
            title: "Guard {number} sqrt",
            number: 7,
            id: TicketId(Uuid::from_u128(1)),
            description,
            revision: 2,
            agent: "",
        }
    }

    #[test]
    fn a_template_is_filled_in_once_and_what_says_nothing_goes() {
        let template = "{title}\n\n{description}\n\nDraft-Ticket: #{number}\nAssisted-by: {agent}\n{unknown} {";
        let said = message(template, about("More.\n\n\n- a list\n"));
        assert_eq!(said, "Guard {number} sqrt\n\nMore.\n\n- a list\n\nDraft-Ticket: #7\n{unknown} {\n");
        let said = message(template, about(""));
        assert_eq!(said, "Guard {number} sqrt\n\nDraft-Ticket: #7\n{unknown} {\n");
        assert_eq!(message("{description}", about("")), "Guard {number} sqrt\n");
    }
}
