//! Tool calls that wait for their results, and what is shown of either: edits, commands, and all the rest.

use std::collections::VecDeque;

use serde_json::Value;

use super::Scene;
use super::shape::{glance, plain};
use crate::domain::log::{Entry, EntryKind};

/// Most calls that are remembered, and most bytes of a command: a bound on what an odd agent can make us keep.
const CALLS_MAX: usize = 64;
const COMMAND_MAX: usize = 16 << 10;

/// A call that waits for its result.
#[derive(Clone, Debug)]
pub(super) struct Call {
    id: String,
    pub(super) tool: String,
    pub(super) action: Action,
}

/// What a call does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Changes a file.
    Edit { path: String, size: EditSize },
    /// Runs a command.
    Command { command: String },
    /// Anything else; the path of the file, if it is about one.
    Other { path: Option<String>, text: String },
}

/// How many lines an edit brings and takes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct EditSize {
    pub(super) added: usize,
    pub(super) removed: usize,
}

impl Call {
    /// Understands a call by the names that Claude Code and the agents that print its dialect give to tools.
    pub(super) fn new(id: &str, tool: &str, input: &Value, scene: &Scene<'_>) -> Self {
        let text = |keys: &[&str]| keys.iter().find_map(|key| input[*key].as_str());
        let path = text(&["file_path", "notebook_path", "path"]).map(|path| scene.paths.short(path));
        let action = match (tool, path, input["command"].as_str()) {
            (
                "Edit" | "MultiEdit" | "Write" | "NotebookEdit" | "edit" | "write_file" | "edit_file" | "create_file",
                Some(path),
                _,
            ) => Action::Edit { path, size: EditSize::of_input(input) },
            ("Bash" | "PowerShell" | "run_shell_command" | "shell", _, Some(command)) => {
                let command = &command[..command.floor_char_boundary(COMMAND_MAX)];
                Action::Command { command: command.to_owned() }
            }
            (_, path, _) => {
                let told = text(&["command", "pattern", "query", "url", "description", "skill", "prompt"]);
                let text = match (told, &path) {
                    (Some(told), _) => glance(told),
                    (None, Some(path)) => path.clone(),
                    (None, None) if input.as_object().is_none_or(serde_json::Map::is_empty) => String::new(),
                    (None, None) => glance(&input.to_string()),
                };
                Action::Other { path, text }
            }
        };
        Self { id: id.to_owned(), tool: tool.to_owned(), action }
    }

    /// Returns what the call does in a few words: `Write notes.md`.
    pub(super) fn describe(&self) -> String {
        let what = match &self.action {
            Action::Edit { path, .. } => path.clone(),
            Action::Command { command } => glance(command),
            Action::Other { text, .. } => text.clone(),
        };
        format!("{} {what}", self.tool).trim_end().to_owned()
    }

    /// Returns the file that it is about.
    pub(super) fn path(&self) -> Option<String> {
        match &self.action {
            Action::Edit { path, .. } => Some(path.clone()),
            Action::Other { path, .. } => path.clone(),
            Action::Command { .. } => None,
        }
    }

    /// Shows that the call begins. An edit is over at once and shown when it is.
    pub(super) fn show_start(&self, scene: &mut Scene<'_>) {
        let (path, text) = match &self.action {
            Action::Edit { .. } => return,
            Action::Command { command } => (None, glance(command)),
            Action::Other { path, text } => (path.clone(), text.clone()),
        };
        scene.add(Entry { tool: Some(self.tool.clone()), path, ..Entry::new(EntryKind::ToolCall, text) });
    }
}

impl EditSize {
    /// Counts the lines that an edit asks for, for results that do not say what was changed.
    fn of_input(input: &Value) -> Self {
        let lines = |edit: &Value, keys: [&str; 2]| keys.iter().filter_map(|key| edit[*key].as_str()).map(count).sum();
        let of = |edit: &Value| Self {
            added: lines(edit, ["new_string", "content"]) + edit["new_source"].as_str().map_or(0, count),
            removed: lines(edit, ["old_string", "old_source"]),
        };
        match input["edits"].as_array() {
            Some(edits) => edits.iter().map(of).fold(Self::default(), |sum, size| Self {
                added: sum.added + size.added,
                removed: sum.removed + size.removed,
            }),
            None => of(input),
        }
    }

    /// Counts the lines of a structured patch; nothing when it has none, as for a new file.
    pub(super) fn of_patch(patch: &Value) -> Option<Self> {
        let hunks = patch.as_array().filter(|hunks| !hunks.is_empty())?;
        let lines = || hunks.iter().filter_map(|hunk| hunk["lines"].as_array()).flatten().filter_map(Value::as_str);
        let starting = |mark| lines().filter(|line| line.starts_with(mark)).count();
        Some(Self { added: starting('+'), removed: starting('-') })
    }
}

fn count(text: &str) -> usize {
    text.lines().count()
}

/// Returns the entry for an edit that happened: `created`, `edited` or `deleted`, with its size where that is known.
pub(super) fn edited(tool: Option<&str>, path: String, done: &str, size: Option<EditSize>) -> Entry {
    let text = match size {
        Some(EditSize { added, removed }) => format!("{done}, +{added} -{removed}"),
        None => done.to_owned(),
    };
    Entry { tool: tool.map(str::to_owned), path: Some(path), ok: Some(true), ..Entry::new(EntryKind::Edit, text) }
}

/// Shows that a command ended, then what it printed.
pub(super) fn command_ended(
    tool: &str,
    command: &str,
    code: Option<i32>,
    ok: bool,
    output: &str,
    scene: &mut Scene<'_>,
) {
    scene.add(Entry {
        tool: Some(tool.to_owned()),
        exit_code: code,
        ok: Some(ok),
        ..Entry::new(EntryKind::Command, command)
    });
    if !output.trim().is_empty() {
        let tool = Some(tool.to_owned());
        scene.add(Entry { tool, ok: Some(ok), ..Entry::new(EntryKind::ToolResult, output.trim_end()) });
    }
}

/// The calls that wait for their results, oldest first.
#[derive(Clone, Default, Debug)]
pub(super) struct Calls(VecDeque<Call>);

impl Calls {
    pub(super) fn push(&mut self, call: Call) {
        if self.0.len() == CALLS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Call> {
        self.0.iter().find(|call| call.id == id)
    }

    pub(super) fn take(&mut self, id: &str) -> Option<Call> {
        let at = self.0.iter().position(|call| call.id == id)?;
        self.0.remove(at)
    }
}

/// Returns the text of a tool's result: a text, or the texts of its blocks.
pub(super) fn result_text(content: &Value) -> String {
    match content {
        Value::Null => String::new(),
        Value::Array(blocks) => {
            let texts = blocks.iter().map(|block| match (block["text"].as_str(), block["type"].as_str()) {
                (Some(text), _) => text.to_owned(),
                (None, Some(kind)) => format!("[{kind}]"),
                (None, None) => plain(block),
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => plain(content),
    }
}
