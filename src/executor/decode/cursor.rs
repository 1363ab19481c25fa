//! Cursor's agent, `--output-format stream-json`: Claude Code's events, and tools in events of their own.
//!
//! From its documentation and what people saw: the tool is named by a key (`shellToolCall`), what came of it by another
//! (`success`, `failure`, `rejected`); the final event repeats everything that was said; a run that fails has none.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, edited, result_text, stray_result};
use super::claude::Claude;
use super::edits::{Done, EditSize, hunks};
use super::shape::{Pieces, plain, unknown};
use crate::domain::log::EntryKind;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Cursor {
    claude: Claude,
    calls: Calls,
    /// A thought that comes in pieces.
    thought: Pieces,
}

impl Cursor {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match (event["type"].as_str().unwrap_or_default(), event["subtype"].as_str().unwrap_or_default()) {
            ("thinking", "delta") => self.thought.push(event["text"].as_str().unwrap_or_default()),
            ("thinking", _) => scene.say_pieces(EntryKind::Thinking, &mut self.thought),
            ("tool_call", stage) => self.tool_call(event, stage, scene),
            ("result", _) => self.result(event, scene),
            _ => {
                scene.say_pieces(EntryKind::Thinking, &mut self.thought);
                self.claude.event(event, scene);
            }
        }
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        scene.say_pieces(EntryKind::Thinking, &mut self.thought);
        self.claude.finish(scene);
    }

    fn tool_call(&mut self, event: &Value, stage: &str, scene: &mut Scene<'_>) {
        // Work goes on, so an end before this was not the last.
        scene.report.ok = None;
        let id = event["call_id"].as_str().unwrap_or_default();
        let Some((name, tool)) = tool(&event["tool_call"]) else {
            return scene.say(EntryKind::System, &unknown(event));
        };
        match stage {
            "started" => {
                let call = call(id, name, tool, scene);
                call.show_start(scene);
                self.calls.push(call);
            }
            "completed" => {
                // The arguments come again, and may be whole only now.
                let begun = self.calls.take(id);
                let call = if tool["args"].is_null() { begun } else { Some(call(id, name, tool, scene)) };
                ended(call, name, &tool["result"], scene);
            }
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        scene.say_pieces(EntryKind::Thinking, &mut self.thought);
        let failed = event["is_error"].as_bool() == Some(true);
        if failed || scene.report.said.is_none() {
            return self.claude.event(event, scene);
        }
        let mut event = event.clone();
        event["result"] = Value::Null;
        self.claude.event(&event, scene);
    }
}

/// Finds the tool among the keys of a call: `shellToolCall`, or `function` for those of servers.
fn tool(call: &Value) -> Option<(&str, &Value)> {
    let is_one = |key: &str, tool: &Value| tool.is_object() && (key.ends_with("ToolCall") || key == "function");
    let (key, tool) = call.as_object()?.iter().find(|(key, tool)| is_one(key, tool))?;
    Some((key.strip_suffix("ToolCall").filter(|name| !name.is_empty()).unwrap_or(key), tool))
}

fn call(id: &str, name: &str, tool: &Value, scene: &Scene<'_>) -> Call {
    match tool["name"].as_str() {
        Some(function) => Call::new(id, function, &tool["arguments"], scene),
        None => Call::new(id, name, &tool["args"], scene),
    }
}

fn ended(call: Option<Call>, name: &str, result: &Value, scene: &mut Scene<'_>) {
    let answer = |key: &str| Some(&result[key]).filter(|answer| !answer.is_null());
    if let Some(refusal) = answer("rejected").or_else(|| answer("permissionDenied")) {
        let why = ["reason", "error", "message"].iter().find_map(|key| refusal[*key].as_str());
        let why = why.filter(|why| !why.trim().is_empty()).unwrap_or("this was not allowed");
        return match call {
            Some(call) => call.show_denial(why, scene),
            None => {
                scene.denied(name.to_owned());
                scene.say(EntryKind::Error, why);
            }
        };
    }
    let success = answer("success");
    let answer = success.or_else(|| result.as_object().and_then(|all| all.values().find(|value| value.is_object())));
    let answer = answer.unwrap_or(result);
    let code = answer["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok());
    let ok = success.is_some() && code.is_none_or(|code| code == 0);
    let text = text(answer);
    let Some(call) = call else { return stray_result(Some(name), Outcome { code, ..Outcome::new(ok, &text) }, scene) };
    if let (Action::Other { path: Some(path), .. }, "delete", true) = (&call.action, name, ok) {
        return scene.add(edited(Some(name), path.clone(), "deleted"));
    }
    let created = answer["isNewFile"].as_bool() == Some(true) || answer["beforeFullFileContent"].as_str() == Some("");
    let diff = answer["diffString"].as_str().and_then(hunks);
    let outcome = Outcome {
        code,
        size: size(answer),
        diff: diff.as_deref(),
        done: created.then_some(Done::Created),
        ..Outcome::new(ok, &text)
    };
    call.show_end(outcome, scene);
}

/// Returns what a tool answered: the output of a command, the words of an error, the content of a file, or all of it.
fn text(answer: &Value) -> String {
    let text = |key: &str| answer[key].as_str().filter(|text| !text.is_empty());
    let printed = [text("stdout"), text("stderr")].into_iter().flatten().collect::<Vec<_>>().join("\n");
    if !printed.is_empty() {
        return printed;
    }
    let told = ["interleavedOutput", "errorMessage", "error", "message", "content"].iter().find_map(|key| text(key));
    match told {
        Some(told) => told.to_owned(),
        None if answer["content"].is_array() => result_text(&answer["content"]),
        None if answer["exitCode"].is_number() || answer.is_null() => String::new(),
        None => plain(answer),
    }
}

fn size(answer: &Value) -> Option<EditSize> {
    let lines = |key: &str| answer[key].as_u64().and_then(|n| usize::try_from(n).ok());
    match (lines("linesAdded"), lines("linesRemoved"), lines("linesCreated")) {
        (None, None, None) => answer["diffString"].as_str().and_then(EditSize::of_unified),
        (added, removed, created) => {
            Some(EditSize { added: added.or(created).unwrap_or(0), removed: removed.unwrap_or(0) })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Dialect;
    use super::super::tests::{read_text, shown};
    use super::*;
    use crate::domain::ticket::Usage;

    fn lines(events: &[Value]) -> String {
        events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    }

    fn say(text: &str) -> Value {
        json!({ "type": "assistant", "message": { "role": "assistant", "content": [{ "type": "text", "text": text }] } })
    }

    fn tool(name: &str, args: &Value, result: &Value) -> [Value; 2] {
        let call = |stage: &str, tool: Value| json!({ "type": "tool_call", "subtype": stage, "call_id": "c\n1", "tool_call": { name: tool, "startedAtMs": "1" } });
        [call("started", json!({ "args": args })), call("completed", json!({ "args": args, "result": result }))]
    }

    #[test]
    fn a_run_is_read_from_its_session_to_its_end() {
        let init = json!({ "type": "system", "subtype": "init", "cwd": "/w", "session_id": "s", "model": "Auto", "permissionMode": "default" });
        let end = json!({ "type": "result", "subtype": "success", "is_error": false, "duration_ms": 1234, "result": "Looking.Done.",
            "session_id": "s", "usage": { "inputTokens": 7, "cacheReadTokens": 3, "outputTokens": 2 } });
        let think = |subtype: &str, text: &str| json!({ "type": "thinking", "subtype": subtype, "text": text });
        let shell = tool(
            "shellToolCall",
            &json!({ "command": "make" }),
            &json!({ "success": { "exitCode": 0, "stdout": "built\n", "stderr": "" } }),
        );
        let edit = tool(
            "editToolCall",
            &json!({ "path": "/w/a.rs" }),
            &json!({ "success": { "linesAdded": 2, "linesRemoved": 1 } }),
        );
        let events = [
            &[init, think("delta", "H"), think("delta", "m."), think("completed", ""), say("Looking.")][..],
            &shell,
            &edit,
            &[say("Done."), end],
        ];
        let (entries, report) = read_text(Dialect::Cursor, &lines(&events.concat()));
        let wanted = [
            "session [session s] Auto, default",
            "thinking Hm.",
            "assistant Looking.",
            "tool_call [tool shell] make",
            "command [tool shell] [exit 0] [ok true] make",
            "tool_result [tool shell] [ok true] built",
            "edit [tool edit] [path a.rs] [ok true] edited, +2 -1",
            "assistant Done.",
            "usage [usage 7 2 None] 7 tokens in, 2 out",
            "end [ok true] 1.2 s",
        ];
        assert_eq!(shown(&entries), wanted, "what the final event repeats is not shown again");
        assert_eq!((report.ok, report.said.as_deref()), (Some(true), Some("Done.")));
        assert_eq!(report.usage, Usage { input_tokens: 7, output_tokens: 2, cost_micros: None });
    }

    #[test]
    fn a_refusal_is_none_of_a_command_that_failed() {
        let args = json!({ "command": "git push" });
        let failed = tool(
            "shellToolCall",
            &args,
            &json!({ "failure": { "exitCode": 1, "stdout": "", "stderr": "denied by policy" } }),
        );
        let (entries, report) = read_text(Dialect::Cursor, &lines(&failed));
        assert_eq!(report.denied, [""; 0]);
        assert_eq!(shown(&entries)[1], "command [tool shell] [exit 1] [ok false] git push");
        let rejected = tool("shellToolCall", &args, &json!({ "rejected": { "reason": "rejected by allowlist" } }));
        let (entries, report) = read_text(Dialect::Cursor, &lines(&rejected));
        assert_eq!(report.denied, ["shell git push"]);
        assert_eq!(shown(&entries)[1], "error [tool shell] rejected by allowlist");
    }

    #[test]
    fn a_file_that_is_deleted_is_an_edit_and_a_tool_of_a_server_is_a_call() {
        let gone = tool("deleteToolCall", &json!({ "path": "/w/old" }), &json!({ "success": { "path": "/w/old" } }));
        let (entries, _) = read_text(Dialect::Cursor, &lines(&gone));
        assert_eq!(shown(&entries).last().unwrap(), "edit [tool delete] [path old] [ok true] deleted");
        let call = json!({ "type": "tool_call", "subtype": "started", "call_id": "1",
            "tool_call": { "function": { "name": "lookup", "arguments": "{\"query\":\"x\"}" } } });
        let (entries, _) = read_text(Dialect::Cursor, &lines(&[call]));
        assert_eq!(shown(&entries), ["tool_call [tool lookup] x"]);
    }
}
