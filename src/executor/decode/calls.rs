//! Tool calls that wait for their results, and what is shown of either: edits, commands, questions, and all the rest.

use std::collections::VecDeque;

use serde_json::Value;

use super::Scene;
use super::edits::{Done, EditSize, Edited, of_input, of_patch_text};
use super::shape::{clip, glance, plain};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::outcome::first_line;

/// Most calls that are remembered, and most bytes of a command and of a name: bounds on what an odd agent can make us keep.
const CALLS_MAX: usize = 64;
const COMMAND_MAX: usize = 16 << 10;
const ID_MAX: usize = 256;

/// The names of tools, in small letters and without `_` and `-`: those that change a file,
const EDIT_TOOLS: [&str; 20] = [
    "edit",
    "multiedit",
    "write",
    "notebookedit",
    "editnotebook",
    "writefile",
    "editfile",
    "createfile",
    "create",
    "replace",
    "strreplace",
    "strreplaceeditor",
    "strreplacebasededittool",
    "searchreplace",
    "insert",
    "writetofile",
    "replaceinfile",
    "editor",
    "texteditor",
    "strreplacefile",
];
/// those that take a patch of several files,
const PATCH_TOOLS: [&str; 3] = ["applypatch", "patch", "applydiff"];
/// those that run a command,
const COMMAND_TOOLS: [&str; 12] = [
    "bash",
    "powershell",
    "shell",
    "localshell",
    "runshellcommand",
    "execute",
    "executecommand",
    "runcommand",
    "runcommands",
    "runinterminal",
    "terminal",
    "exec",
];
/// those that keep a list of what is to be done,
const PLAN_TOOLS: [&str; 5] = ["todowrite", "writetodos", "updatetodo", "updateplan", "settodolist"];
/// and those that ask the person.
const QUESTION_TOOLS: [&str; 5] = ["askuserquestion", "askuser", "question", "askfollowupquestion", "askquestion"];

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
    /// Changes files, at least one.
    Edit { files: Vec<Edited> },
    /// Runs a command.
    Command { command: String },
    /// Asks the person.
    Ask { question: String },
    /// Anything else; the path of the file, if it is about one.
    Other { path: Option<String>, text: String },
}

/// What came of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome<'a> {
    /// Whether it went well; nothing when that is not told.
    pub(super) ok: Option<bool>,
    /// What a command exited with.
    pub(super) code: Option<i32>,
    /// What the tool answered, or the command printed.
    pub(super) text: &'a str,
    /// What was done to the file, where the result says more than the call.
    pub(super) done: Option<Done>,
    /// How much of it was changed, likewise, and the lines.
    pub(super) size: Option<EditSize>,
    pub(super) diff: Option<&'a str>,
}

impl<'a> Outcome<'a> {
    /// Returns an outcome that says nothing but whether the call went well, and its answer.
    pub(super) fn new(ok: bool, text: &'a str) -> Self {
        Self { ok: Some(ok), code: None, text, done: None, size: None, diff: None }
    }
}

impl Call {
    /// Understands a call by the names that agents give to tools and to their inputs.
    pub(super) fn new(id: &str, tool: &str, input: &Value, scene: &Scene<'_>) -> Self {
        // Some agents hand on what the model wrote: JSON in a text.
        let parsed = input.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).filter(Value::is_object);
        let input = parsed.as_ref().unwrap_or(input);
        Self { id: cut(id).to_owned(), tool: cut(tool).to_owned(), action: Action::new(tool, input, scene) }
    }

    /// Returns what the call does in a few words: `Write notes.md`.
    pub(super) fn describe(&self) -> String {
        let what = match &self.action {
            Action::Edit { files } => files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(", "),
            Action::Command { command } => glance(command),
            Action::Ask { question } => glance(question),
            Action::Other { text, .. } => text.clone(),
        };
        format!("{} {what}", self.tool).trim_end().to_owned()
    }

    /// Returns the file that it is about.
    pub(super) fn path(&self) -> Option<String> {
        match &self.action {
            Action::Edit { files } => files.first().map(|file| file.path.clone()),
            Action::Other { path, .. } => path.clone(),
            Action::Command { .. } | Action::Ask { .. } => None,
        }
    }

    /// Shows that the call begins. An edit is over at once and shown when it is.
    pub(super) fn show_start(&self, scene: &mut Scene<'_>) {
        let (path, text) = match &self.action {
            Action::Edit { .. } => return,
            Action::Command { command } => (None, glance(command)),
            Action::Ask { question } => (None, question.clone()),
            Action::Other { path, text } => (path.clone(), text.clone()),
        };
        scene.add(Entry { tool: Some(self.tool.clone()), path, ..Entry::new(EntryKind::ToolCall, text) });
    }

    /// Shows what came of the call.
    pub(super) fn show_end(self, outcome: Outcome<'_>, scene: &mut Scene<'_>) {
        let ok = outcome.ok;
        match self.action {
            Action::Edit { files } if ok != Some(false) => {
                let only = files.len() == 1;
                for file in files {
                    let done = outcome.done.filter(|_| only);
                    let size = outcome.size.filter(|_| only);
                    let told = match (file.done, size) {
                        (Done::Written, Some(_)) => Done::Edited,
                        (told, _) => told,
                    };
                    let file = Edited { done: done.unwrap_or(told), size: size.unwrap_or(file.size), ..file };
                    let lines = outcome.diff.filter(|_| only);
                    let text = [file.text().as_str()].into_iter().chain(lines).collect::<Vec<_>>().join("\n");
                    scene.add(Entry { ok, ..edited(Some(&self.tool), file.path, &text) });
                }
            }
            Action::Command { command } => command_ended(&self.tool, &command, outcome, scene),
            Action::Ask { question } if ok == Some(false) => {
                // Nobody is there to answer, so this is what the person is to be asked.
                *scene.asked = Some(question);
                result(Some(self.tool), None, outcome, scene);
            }
            // The call showed the list.
            Action::Other { .. } if ok == Some(true) && PLAN_TOOLS.contains(&plain_name(&self.tool).as_str()) => {}
            Action::Edit { .. } | Action::Ask { .. } | Action::Other { .. } => {
                let path = self.path();
                result(Some(self.tool), path, outcome, scene);
            }
        }
    }

    /// Notes and shows that the call was not allowed. A question that nobody may answer is no refusal.
    pub(super) fn show_denial(self, why: &str, scene: &mut Scene<'_>) {
        if let Action::Ask { .. } = &self.action {
            return self.show_end(Outcome::new(false, why), scene);
        }
        scene.denied(first_line(&self.describe()));
        let path = self.path();
        scene.add(Entry { tool: Some(self.tool), path, ..Entry::new(EntryKind::Error, why) });
    }
}

impl Action {
    fn new(tool: &str, input: &Value, scene: &Scene<'_>) -> Self {
        let text = |keys: &[&str]| keys.iter().find_map(|key| input[*key].as_str());
        let name = plain_name(tool);
        let is = |names: &[&str]| names.contains(&name.as_str());
        let path = text(&["file_path", "filePath", "notebook_path", "absolute_path", "path"]);
        let path = path.map(|path| scene.paths.short(path));
        // One tool may both edit and show, and says which in `command`.
        if is(&EDIT_TOOLS)
            && text(&["command"]) != Some("view")
            && let Some(path) = path
        {
            return Self::Edit { files: vec![of_input(path, input)] };
        }
        if is(&PATCH_TOOLS) {
            let patch = input.as_str().or_else(|| text(&["patchText", "patch_text", "patch", "input", "diff"]));
            let files = patch.map(|patch| of_patch_text(patch, scene)).unwrap_or_default();
            if !files.is_empty() {
                return Self::Edit { files };
            }
        }
        if is(&COMMAND_TOOLS)
            && let Some(command) = command(input)
        {
            return Self::Command { command };
        }
        if is(&QUESTION_TOOLS)
            && let Some(question) = asked(input)
        {
            return Self::Ask { question };
        }
        if let Some(list) = plan(input) {
            return Self::Other { path: None, text: list };
        }
        let told = text(&["command", "pattern", "query", "url", "description", "skill", "prompt"]);
        let text = match (told, &path) {
            (Some(told), _) => glance(told),
            (None, Some(path)) => path.clone(),
            (None, None) if input.as_object().is_some_and(serde_json::Map::is_empty) || input.is_null() => {
                String::new()
            }
            (None, None) => glance(&plain(input)),
        };
        Self::Other { path, text }
    }
}

fn plain_name(tool: &str) -> String {
    tool.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Returns the list of what is to be done that a call brings: `[x] look around`.
fn plan(input: &Value) -> Option<String> {
    let items = ["todos", "plan"].iter().find_map(|key| input[*key].as_array())?.iter().map(|item| {
        let text = ["content", "step", "description", "text", "title"].iter().find_map(|key| item[*key].as_str());
        let mark = match item["status"].as_str() {
            Some("completed" | "done") => 'x',
            Some("in_progress") => '>',
            Some(_) | None => ' ',
        };
        Some(format!("[{mark}] {}", text?))
    });
    items.collect::<Option<Vec<_>>>().map(|items| clip(&items.join("\n"))).filter(|list| !list.is_empty())
}

/// Returns the command line of a call, which some agents give as a list of words.
fn command(input: &Value) -> Option<String> {
    let given = ["command", "cmd", "commandLine", "CommandLine"]
        .iter()
        .map(|key| &input[*key])
        .find(|given| !given.is_null())?;
    let command = match given.as_array() {
        Some(words) => words.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join(" "),
        None => given.as_str()?.to_owned(),
    };
    Some(command[..command.floor_char_boundary(COMMAND_MAX)].to_owned())
}

/// Returns what a call asks the person: one question, or several, each with its choices.
fn asked(input: &Value) -> Option<String> {
    if let Some(question) = ["question", "questionnaire", "prompt"].iter().find_map(|key| input[*key].as_str()) {
        return Some(clip(question));
    }
    let questions = input["questions"].as_array()?.iter().filter_map(|question| {
        let label =
            |choice: &Value| choice["label"].as_str().or_else(|| choice.as_str()).map(|label| format!("- {label}"));
        let choices = question["options"].as_array().into_iter().flatten().filter_map(label);
        let asked = question["question"].as_str()?.to_owned();
        Some(std::iter::once(asked).chain(choices).collect::<Vec<_>>().join("\n"))
    });
    Some(clip(&questions.collect::<Vec<_>>().join("\n\n"))).filter(|questions| !questions.is_empty())
}

/// Returns the entry for an edit that happened.
pub(super) fn edited(tool: Option<&str>, path: String, text: &str) -> Entry {
    Entry { tool: tool.map(str::to_owned), path: Some(path), ok: Some(true), ..Entry::new(EntryKind::Edit, text) }
}

/// Shows what a tool answered. One that went well without a word is shown by its call.
fn result(tool: Option<String>, path: Option<String>, outcome: Outcome<'_>, scene: &mut Scene<'_>) {
    let text = outcome.text.trim_end();
    if outcome.ok == Some(false) || !text.is_empty() {
        scene.add(Entry { tool, path, ok: outcome.ok, ..Entry::new(EntryKind::ToolResult, text) });
    }
}

/// Shows the answer to a call that is remembered no more, or was never seen.
pub(super) fn stray_result(tool: Option<&str>, outcome: Outcome<'_>, scene: &mut Scene<'_>) {
    result(tool.map(str::to_owned), None, outcome, scene);
}

/// Shows that a command ended, then what it printed.
pub(super) fn command_ended(tool: &str, command: &str, outcome: Outcome<'_>, scene: &mut Scene<'_>) {
    let Outcome { ok, code: exit_code, text, .. } = outcome;
    let tool = Some(tool.to_owned());
    scene.add(Entry { tool: tool.clone(), exit_code, ok, ..Entry::new(EntryKind::Command, command) });
    if !text.trim().is_empty() {
        scene.add(Entry { tool, ok, ..Entry::new(EntryKind::ToolResult, text.trim_end()) });
    }
}

/// Returns the beginning of a name, which tells it from others well enough.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(ID_MAX)]
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
        self.0.iter().find(|call| call.id == cut(id))
    }

    pub(super) fn take(&mut self, id: &str) -> Option<Call> {
        let at = self.0.iter().position(|call| call.id == cut(id))?;
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Dialect;
    use super::super::tests::read_text;
    use crate::domain::log::EntryKind;

    /// Returns what a call of that tool, and a good answer to it, look like: kinds and texts.
    fn shown(tool: &str, input: &serde_json::Value) -> Vec<(EntryKind, String)> {
        let call = json!({"type": "tool_call", "id": "c", "toolName": tool, "parameters": input});
        let answer = json!({"type": "tool_result", "id": "c", "isError": false, "value": "fine"});
        let (entries, _) = read_text(Dialect::Droid, &format!("{call}\n{answer}"));
        entries.into_iter().map(|entry| (entry.kind, [entry.path.unwrap_or_default(), entry.text].join("|"))).collect()
    }

    #[test]
    fn a_tool_is_known_by_any_of_its_names() {
        use EntryKind::{Command, Edit, ToolCall, ToolResult};
        for tool in ["Edit", "edit_file", "str_replace_editor", "multi-edit", "replace"] {
            for path in ["path", "file_path", "filePath", "absolute_path"] {
                let input = json!({path: "/w/a.rs", "old_str": "a", "new_str": "b"});
                assert_eq!(shown(tool, &input), [(Edit, "a.rs|edited, +1 -1".to_owned())], "{tool} {path}");
            }
        }
        let view = json!({"path": "/w/a.rs", "command": "view"});
        assert_eq!(shown("str_replace_editor", &view)[0].0, ToolCall, "it only looks");
        for command in [json!("make it"), json!(["make", "it"])] {
            let kinds: Vec<EntryKind> =
                shown("run-shell-command", &json!({"command": command})).into_iter().map(|e| e.0).collect();
            assert_eq!(kinds, [ToolCall, Command, ToolResult]);
        }
        let text = json!({"path": "/w/a.rs", "file_text": "a\nb"}).to_string();
        assert_eq!(shown("write", &json!(text)), [(Edit, "a.rs|written, 2 lines".to_owned())], "JSON in a text");
    }

    #[test]
    fn what_is_to_be_done_is_a_list() {
        let todos = json!([{"content": "look", "status": "completed"}, {"content": "do", "status": "in_progress"}, {"content": "rest"}]);
        let list = "|[x] look\n[>] do\n[ ] rest".to_owned();
        assert_eq!(shown("TodoWrite", &json!({"todos": todos})), [(EntryKind::ToolCall, list)]);
        let odd = shown("TodoWrite", &json!({"todos": [7]}));
        assert_eq!(odd[0].1, "|{\"todos\":[7]}");
    }
}
