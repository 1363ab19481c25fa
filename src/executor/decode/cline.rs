//! Cline's `--json`: events of its agent, and a final `run_result`.
//!
//! Seen in real streams: `content_start` comes again for each piece, so only `content_end` is a whole; counts of tokens are
//! running totals; the session is named nowhere; tools answer for each command and file by itself.

use serde_json::{Value, json};

use super::Scene;
use super::calls::{Call, Calls, Outcome, command_ended, result_text, stray_result};
use super::edits::Done;
use super::shape::{Pieces, clip, counted, micros, plain, seconds, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Cline {
    calls: Calls,
    /// The text that comes in pieces; its whole follows, so this is shown only if the output ends first.
    partial: Pieces,
    /// The last error was shown with this text, so the final event need not repeat it.
    shown_error: Option<String>,
}

impl Cline {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            "agent_event" => self.agent_event(&event["event"], scene),
            "run_start" => begin(event, scene),
            "run_result" => self.result(event, scene),
            "run_abort_requested" => scene.say(EntryKind::System, "it was asked to stop"),
            "run_aborted" => scene.say(EntryKind::System, &plain(&event["message"])),
            // They tell only that something happens, the agent's events tell what.
            "hook_event" => {}
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        scene.say_pieces(EntryKind::Assistant, &mut self.partial);
    }

    fn agent_event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            // Work goes on, so an end before this was not the last.
            "iteration_start" => scene.report.ok = None,
            "content_start" => self.content_start(event, scene),
            "content_end" => self.content_end(event, scene),
            "usage" => scene.report.usage = total(event),
            "notice" => notice(event, scene),
            "error" => self.error(event, scene),
            // The output of a tool so far, all of which comes at its end; and an end that the final event repeats.
            "content_update" | "iteration_end" | "done" => {}
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn content_start(&mut self, event: &Value, scene: &mut Scene<'_>) {
        scene.report.retrying = None;
        match event["contentType"].as_str().unwrap_or_default() {
            "tool" => {
                let id = event["toolCallId"].as_str().unwrap_or_default();
                if self.calls.get(id).is_none() {
                    let call = call(event, scene);
                    // Each of its commands is shown when it is over, but a long one should be seen before.
                    call.show_start(scene);
                    self.calls.push(call);
                }
            }
            "text" => match event["accumulated"].as_str() {
                Some(text) => self.partial = Pieces::from(text),
                None => self.partial.push(event["text"].as_str().unwrap_or_default()),
            },
            _ => {}
        }
    }

    fn content_end(&mut self, event: &Value, scene: &mut Scene<'_>) {
        scene.report.retrying = None;
        let text = |key: &str| event[key].as_str().filter(|text| !text.trim().is_empty());
        match event["contentType"].as_str().unwrap_or_default() {
            "text" => {
                self.partial = Pieces::default();
                if let Some(text) = text("text") {
                    scene.report.said = Some(clip(text));
                    scene.say(EntryKind::Assistant, text);
                }
            }
            "reasoning" => {
                if let Some(text) = text("reasoning").or_else(|| text("text")) {
                    scene.say(EntryKind::Thinking, text);
                }
            }
            "tool" => self.tool_end(event, scene),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn tool_end(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let id = event["toolCallId"].as_str().unwrap_or_default();
        let tool = event["toolName"].as_str();
        let call = self.calls.take(id);
        if let Some(error) = event["error"].as_str() {
            let refused = ["requires approval", "rejected", "denied"].iter().any(|word| error.contains(word));
            return match call {
                Some(call) if refused => call.show_denial(error, scene),
                Some(call) => call.show_end(Outcome::new(false, error), scene),
                None => stray_result(tool, Outcome::new(false, error), scene),
            };
        }
        let answers = answers(&event["output"]);
        if tool == Some("run_commands") {
            for answer in &answers {
                let outcome = Outcome { code: answer.exit_code(), ..Outcome::new(answer.ok, &answer.text) };
                command_ended("run_commands", &clip(answer.query), outcome, scene);
            }
            return;
        }
        let ok = answers.iter().all(|answer| answer.ok);
        let text = answers.iter().map(|answer| answer.text.as_str()).collect::<Vec<_>>().join("\n");
        let done = text.starts_with("File created").then_some(Done::Created);
        let outcome = Outcome { done, ..Outcome::new(ok, &text) };
        match call {
            Some(call) => call.show_end(outcome, scene),
            None => stray_result(tool, outcome, scene),
        }
    }

    fn error(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let error = &event["error"];
        let text = error["message"].as_str().map_or_else(|| plain(error), str::to_owned);
        if event["recoverable"].as_bool() == Some(true) {
            scene.report.retrying = Some(clip(&text));
            return scene.say(EntryKind::Retry, &text);
        }
        self.shown_error = Some(clip(&text));
        scene.error(&text);
    }

    fn result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.partial = Pieces::default();
        let usage = total(&event["usage"]);
        scene.report.usage = usage;
        scene.used(usage);
        let text = event["text"].as_str().map(clip).filter(|text| !text.trim().is_empty());
        let reason = event["finishReason"].as_str().unwrap_or("it does not say why");
        let turns = event["iterations"].as_u64().map(|n| counted(n, "turn", "turns"));
        let facts =
            [turns, event["durationMs"].as_f64().map(seconds)].into_iter().flatten().collect::<Vec<_>>().join(", ");
        if reason == "completed" {
            if let Some(text) = text.filter(|text| scene.report.said.as_ref() != Some(text)) {
                scene.say(EntryKind::Assistant, &text);
                scene.report.said = Some(text);
            }
            return scene.end(true, &facts);
        }
        let why = text.unwrap_or_else(|| reason.replace('_', " "));
        if self.shown_error.take().as_ref() != Some(&why) {
            scene.error(&why);
        }
        scene.end(false, &format!("failed: {}, {facts}", reason.replace('_', " ")));
    }
}

/// Only a verbose run tells it.
fn begin(event: &Value, scene: &mut Scene<'_>) {
    let session = event["sessionId"].as_str().map(str::to_owned);
    scene.report.session.clone_from(&session);
    let told = [event["modelId"].as_str(), Some("Cline"), event["mode"].as_str()];
    scene.add(Entry {
        session,
        ..Entry::new(EntryKind::Session, told.into_iter().flatten().collect::<Vec<_>>().join(", "))
    });
}

fn notice(event: &Value, scene: &mut Scene<'_>) {
    let message = plain(&event["message"]);
    match (event["noticeType"].as_str(), event["reason"].as_str()) {
        (Some("recovery"), Some("api_error")) => {
            scene.report.retrying = Some(clip(&message));
            scene.say(EntryKind::Retry, &message);
        }
        _ => scene.say(EntryKind::System, &message),
    }
}

/// Understands a call; `run_commands` takes several, each a text or a program with its arguments.
fn call(event: &Value, scene: &Scene<'_>) -> Call {
    let name = event["toolName"].as_str().unwrap_or("tool");
    let id = event["toolCallId"].as_str().unwrap_or_default();
    let input = &event["input"];
    match (name, input["commands"].as_array()) {
        ("run_commands", Some(commands)) => {
            let line = |command: &Value| command["command"].as_str().map_or_else(|| plain(command), str::to_owned);
            let lines = commands.iter().map(line).collect::<Vec<_>>().join("; ");
            Call::new(id, name, &json!({ "command": lines }), scene)
        }
        _ => Call::new(id, name, input, scene),
    }
}

/// What a tool answered about one command or file.
struct Answer<'a> {
    query: &'a str,
    ok: bool,
    text: String,
}

impl<'a> Answer<'a> {
    fn new(value: &'a Value) -> Self {
        let query = value["query"].as_str().unwrap_or_default();
        let text = |key: &str| result_text(&value[key]);
        if value["success"].as_bool() == Some(false) {
            let parts = [text("error"), text("result")];
            let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
            return Self { query, ok: false, text: parts.collect::<Vec<_>>().join("\n") };
        }
        let text = if value["result"].is_null() { result_text(value) } else { text("result") };
        Self { query, ok: true, text }
    }

    /// Returns what a command exited with: it is told only of one that failed.
    fn exit_code(&self) -> Option<i32> {
        if self.ok {
            return Some(0);
        }
        let (_, rest) = self.text.split_once("exit code ")?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    }
}

fn answers(output: &Value) -> Vec<Answer<'_>> {
    let values = output.as_array().map_or_else(|| std::slice::from_ref(output), Vec::as_slice);
    values.iter().map(Answer::new).collect()
}

/// Totals of the run so far; tokens from the cache are part of the input here.
fn total(usage: &Value) -> Usage {
    let tokens = |keys: [&str; 2]| keys.iter().find_map(|key| usage[*key].as_u64()).unwrap_or(0);
    // A model without a price costs 0, which says nothing.
    let cost = usage["totalCost"].as_f64().filter(|cost| *cost > 0.0);
    Usage {
        input_tokens: tokens(["totalInputTokens", "inputTokens"]),
        output_tokens: tokens(["totalOutputTokens", "outputTokens"]),
        cost_micros: cost.and_then(micros),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{read_text, shown};
    use super::*;

    fn event(event: &Value) -> String {
        json!({ "ts": "t", "type": "agent_event", "event": event }).to_string()
    }

    fn tool(id: &str, name: &str, input: &Value, end: &Value) -> String {
        let mut end = end.clone();
        for (key, value) in [("type", "content_end"), ("contentType", "tool"), ("toolName", name), ("toolCallId", id)] {
            end[key] = value.into();
        }
        let start = json!({ "type": "content_start", "contentType": "tool", "toolName": name, "toolCallId": id, "input": input });
        // It is repeated.
        [event(&start), event(&start), event(&end)].join("\n")
    }

    #[test]
    fn a_text_is_shown_once_however_often_it_begins() {
        let piece = |text: &str, all: &str| {
            event(&json!({ "type": "content_start", "contentType": "text", "text": text, "accumulated": all }))
        };
        let whole = event(&json!({ "type": "content_end", "contentType": "text", "text": "One two" }));
        let lines = [piece("One", "One"), piece(" two", "One two"), whole];
        assert_eq!(shown(&read_text(Dialect::Cline, &lines.join("\n")).0), ["assistant One two"]);
        let (entries, report) = read_text(Dialect::Cline, &lines[..2].join("\n"));
        assert_eq!((shown(&entries), report.said), (vec!["assistant One two".to_owned()], None), "it was cut off");
    }

    #[test]
    fn tokens_are_totals_and_not_added_up() {
        let usage = |n: u64| {
            event(
                &json!({ "type": "usage", "inputTokens": 9, "totalInputTokens": n, "totalOutputTokens": n, "totalCost": 0 }),
            )
        };
        let (_, report) = read_text(Dialect::Cline, &[usage(10), usage(25)].join("\n"));
        assert_eq!(report.usage, Usage { input_tokens: 25, output_tokens: 25, cost_micros: None });
    }

    #[test]
    fn each_command_has_its_own_end() {
        let input = json!({ "commands": ["true", { "command": "false" }] });
        let output = json!({ "output": [
            { "query": "true", "result": "", "success": true },
            { "query": "false", "result": "", "error": "Command failed with exit code 1", "success": false },
        ] });
        let (entries, _) = read_text(Dialect::Cline, &tool("1", "run_commands", &input, &output));
        let wanted = [
            "tool_call [tool run_commands] true; false",
            "command [tool run_commands] [exit 0] [ok true] true",
            "command [tool run_commands] [exit 1] [ok false] false",
            "tool_result [tool run_commands] [ok false] Command failed with exit code 1",
        ];
        assert_eq!(shown(&entries), wanted);
    }

    #[test]
    fn what_nobody_could_approve_is_a_refusal() {
        let input = json!({ "path": "/w/a.rs", "old_text": "a", "new_text": "b" });
        let error = json!({ "error": "Tool \"editor\" requires approval in a TTY session" });
        let (_, report) = read_text(Dialect::Cline, &tool("1", "editor", &input, &error));
        assert_eq!(report.denied, ["editor a.rs"]);
        let (_, report) = read_text(Dialect::Cline, &tool("1", "editor", &input, &json!({ "error": "no such text" })));
        assert_eq!(report.denied, [""; 0]);
    }

    #[test]
    fn a_run_that_did_not_complete_failed_whatever_its_exit_code() {
        let error = event(
            &json!({ "type": "error", "error": { "name": "Error", "message": "401 no key" }, "recoverable": false }),
        );
        for reason in ["error", "aborted", "max_iterations", "mistake_limit", "news"] {
            let end = json!({ "type": "run_result", "finishReason": reason, "text": "401 no key" }).to_string();
            let (entries, report) = read_text(Dialect::Cline, &[error.clone(), end].join("\n"));
            assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("401 no key")), "{reason}");
            assert_eq!(entries.iter().filter(|entry| entry.kind == EntryKind::Error).count(), 1, "told once");
        }
        let again = event(&json!({ "type": "error", "error": { "message": "429" }, "recoverable": true }));
        let (_, report) = read_text(Dialect::Cline, &again);
        assert_eq!((report.retrying.as_deref(), report.error), (Some("429"), None));
    }
}
