//! Codex's `exec --json`: a thread, turns, and items that start and complete.

use serde_json::Value;

use super::Scene;
use super::calls::{Outcome, command_ended, edited};
use super::shape::{clip, glance, plain, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::outcome::first_line;
use crate::domain::ticket::Usage;

/// The name that commands get, since Codex gives none.
const SHELL: &str = "shell";

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Codex {
    /// The last error was shown with this text, so the final event need not repeat it.
    shown_error: Option<String>,
}

/// Where an item stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Started,
    Updated,
    Completed,
}

impl Codex {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            "thread.started" => begin(event, scene),
            "turn.started" => scene.report.ok = None,
            "item.started" => item(&event["item"], Stage::Started, scene),
            "item.updated" => item(&event["item"], Stage::Updated, scene),
            "item.completed" => item(&event["item"], Stage::Completed, scene),
            "error" => self.error(event["message"].as_str().unwrap_or_default(), scene),
            "turn.failed" => self.failed(event, scene),
            "turn.completed" => completed(event, scene),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn error(&mut self, message: &str, scene: &mut Scene<'_>) {
        // Not the end: it says so five times before it gives up.
        if message.starts_with("Reconnecting...") {
            scene.report.retrying = Some(clip(message));
            return scene.say(EntryKind::Retry, message);
        }
        self.shown_error = Some(clip(message));
        scene.error(message);
    }

    fn failed(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let why = event["error"]["message"].as_str().unwrap_or("it does not say why");
        if self.shown_error.take() != Some(clip(why)) {
            scene.error(why);
        }
        scene.end(false, "the turn failed");
    }
}

fn begin(event: &Value, scene: &mut Scene<'_>) {
    let session = event["thread_id"].as_str().map(str::to_owned);
    scene.report.session.clone_from(&session);
    scene.add(Entry { session, ..Entry::new(EntryKind::Session, "Codex") });
}

fn completed(event: &Value, scene: &mut Scene<'_>) {
    let tokens = |key: &str| event["usage"][key].as_u64().unwrap_or(0);
    // Cached tokens are part of the input here, and reasoning is part of the output.
    let usage =
        Usage { input_tokens: tokens("input_tokens"), output_tokens: tokens("output_tokens"), cost_micros: None };
    scene.report.usage = usage;
    scene.used(usage);
    scene.end(true, "the turn is complete");
}

fn item(item: &Value, stage: Stage, scene: &mut Scene<'_>) {
    scene.report.retrying = None;
    let text = item["text"].as_str().unwrap_or_default();
    let is_over = stage == Stage::Completed;
    match item["type"].as_str().unwrap_or_default() {
        "agent_message" if is_over => {
            scene.report.said = Some(clip(text));
            scene.say(EntryKind::Assistant, text);
        }
        "reasoning" if is_over => scene.say(EntryKind::Thinking, text),
        "agent_message" | "reasoning" => {}
        "command_execution" => command(item, stage, scene),
        "file_change" => file_change(item, stage, scene),
        "mcp_tool_call" => mcp_tool_call(item, stage, scene),
        "web_search" if is_over => {
            let query = item["query"].as_str().unwrap_or_default();
            scene.add(Entry { tool: Some("web_search".to_owned()), ..Entry::new(EntryKind::ToolCall, query) });
        }
        "web_search" => {}
        "todo_list" => todo_list(item, scene),
        // A warning: the turn goes on.
        "error" => scene.say(EntryKind::System, &format!("warning: {}", plain(&item["message"]))),
        _ => scene.say(EntryKind::System, &unknown(item)),
    }
}

fn command(item: &Value, stage: Stage, scene: &mut Scene<'_>) {
    let command = unwrap_shell(item["command"].as_str().unwrap_or_default());
    match stage {
        Stage::Started => {
            scene.add(Entry { tool: Some(SHELL.to_owned()), ..Entry::new(EntryKind::ToolCall, glance(&command)) });
        }
        // The output so far; all of it comes at the end.
        Stage::Updated => {}
        Stage::Completed => {
            let code = item["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
            let status = item["status"].as_str().unwrap_or_default();
            if status == "declined" {
                scene.denied(first_line(&format!("{SHELL} {command}")));
            }
            let ok = status == "completed" && code.is_none_or(|code| code == 0);
            let output = item["aggregated_output"].as_str().unwrap_or_default();
            command_ended(SHELL, &command, Outcome { code, ..Outcome::new(ok, output) }, scene);
        }
    }
}

fn file_change(item: &Value, stage: Stage, scene: &mut Scene<'_>) {
    if stage != Stage::Completed {
        return;
    }
    let status = item["status"].as_str().unwrap_or_default();
    for change in item["changes"].as_array().into_iter().flatten() {
        let path = scene.paths.short(change["path"].as_str().unwrap_or_default());
        let kind = change["kind"].as_str().or_else(|| change["kind"]["type"].as_str());
        if status == "completed" {
            let done = match kind {
                Some("add") => "created",
                Some("delete") => "deleted",
                Some(_) | None => "edited",
            };
            scene.add(edited(None, path, done));
            continue;
        }
        if status == "declined" {
            scene.denied(first_line(&format!("edit {path}")));
        }
        let text = format!("the change was not made: {status}");
        let tool = Some("file_change".to_owned());
        scene.add(Entry { tool, path: Some(path), ok: Some(false), ..Entry::new(EntryKind::ToolResult, text) });
    }
}

fn mcp_tool_call(item: &Value, stage: Stage, scene: &mut Scene<'_>) {
    let names = [item["server"].as_str(), item["tool"].as_str()];
    let tool = Some(names.into_iter().flatten().collect::<Vec<_>>().join("."));
    match stage {
        Stage::Started => {
            let arguments =
                if item["arguments"].is_null() { String::new() } else { glance(&plain(&item["arguments"])) };
            scene.add(Entry { tool, ..Entry::new(EntryKind::ToolCall, arguments) });
        }
        Stage::Updated => {}
        Stage::Completed => {
            let error = item["error"]["message"].as_str();
            let ok = error.is_none() && item["status"].as_str() != Some("failed");
            let text = error.map_or_else(|| super::calls::result_text(&item["result"]["content"]), str::to_owned);
            scene.add(Entry { tool, ok: Some(ok), ..Entry::new(EntryKind::ToolResult, text) });
        }
    }
}

fn todo_list(item: &Value, scene: &mut Scene<'_>) {
    let lines = item["items"].as_array().into_iter().flatten().map(|todo| {
        let mark = if todo["completed"].as_bool() == Some(true) { 'x' } else { ' ' };
        format!("[{mark}] {}", todo["text"].as_str().unwrap_or_default())
    });
    scene.say(EntryKind::System, &lines.collect::<Vec<_>>().join("\n"));
}

/// Notes a patch that the sandbox refused: standard output has not a word of it, standard error a line such as
/// `… ERROR codex_core::tools::router: error=patch rejected: writing outside of the project; rejected by …`.
pub(super) fn overhear(line: &str, scene: &mut Scene<'_>) {
    let Some((_, why)) = line.split_once("error=patch rejected: ") else { return };
    let why = why.split_once("; rejected by").map_or(why, |(why, _)| why);
    scene.denied(first_line(&format!("change a file ({})", why.trim())));
}

/// Takes `/bin/bash -lc '…'` off a command.
fn unwrap_shell(command: &str) -> String {
    let is_shell = |program: &str| ["bash", "sh", "zsh"].contains(&program.rsplit('/').next().unwrap_or_default());
    match shlex::split(command).as_deref() {
        Some([program, flag, inner]) if is_shell(program) && (flag == "-lc" || flag == "-c") => inner.clone(),
        Some(_) | None => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_around_a_command_is_taken_off() {
        for (command, inner) in [
            ("/bin/bash -lc 'git status --short'", "git status --short"),
            ("/usr/bin/zsh -lc \"cat 'README.md'\"", "cat 'README.md'"),
            ("bash -c ls", "ls"),
            ("bash -lc ls more", "bash -lc ls more"),
            ("bash script.sh", "bash script.sh"),
            ("echo 'open", "echo 'open"),
            ("", ""),
        ] {
            assert_eq!(unwrap_shell(command), inner, "{command}");
        }
    }
}
