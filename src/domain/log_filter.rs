//! Which rows of a log are shown: by where they come from, by what they are, and by words.

use std::collections::BTreeSet;

use super::log::EntryKind;
use super::log_find::Words;
use super::state::words;

words! {
    /// A part of a log that can be hidden.
    Part, "part of a log" {
        /// Everything that came through standard output.
        Stdout = "stdout",
        /// Everything that came through standard error.
        Stderr = "stderr",
        /// What the agent says.
        Assistant = "assistant",
        /// What it thinks.
        Thinking = "thinking",
        /// The tools that it uses, and what they answer.
        Tool = "tool",
        /// Its edits.
        Edit = "edit",
        /// Its commands.
        Command = "command",
        /// What went wrong, and what was tried again.
        Error = "error",
        /// Everything else: plain lines, sessions, usage, how it ended.
        Other = "other",
    }
}

impl Part {
    /// Returns the part that entries of a kind belong to.
    pub fn of(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Assistant => Self::Assistant,
            EntryKind::Thinking => Self::Thinking,
            EntryKind::ToolCall | EntryKind::ToolResult => Self::Tool,
            EntryKind::Edit => Self::Edit,
            EntryKind::Command => Self::Command,
            EntryKind::Error | EntryKind::Retry => Self::Error,
            EntryKind::Session | EntryKind::Usage | EntryKind::End | EntryKind::System | EntryKind::Text => Self::Other,
        }
    }

    /// Says whether it is a stream, which both views know; the rest only the readable one can tell apart.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Stdout | Self::Stderr)
    }
}

/// Which rows are shown. The default shows all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogFilter {
    /// What is hidden.
    pub hidden: BTreeSet<Part>,
    /// Only rows with these words are shown.
    pub words: Option<Words>,
}

impl LogFilter {
    /// Says whether everything is shown.
    pub fn is_open(&self) -> bool {
        self.hidden.is_empty() && self.words.is_none()
    }

    /// Says whether a part is shown.
    pub fn shows(&self, part: Part) -> bool {
        !self.hidden.contains(&part)
    }

    /// Shows a part that is hidden, and hides one that is shown.
    pub fn toggle(&mut self, part: Part) {
        if !self.hidden.remove(&part) {
            self.hidden.insert(part);
        }
    }
}
