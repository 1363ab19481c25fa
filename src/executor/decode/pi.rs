//! pi's `--mode json`: a session, then the events of its agent.
//!
//! Seen in real streams: every piece of a message carries the message so far, so pieces are dropped unread; a model that
//! fails is told by the message alone, and the program exits with 0; there is nothing that could be refused.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::edits::{EditSize, diff_of, hunks};
use super::shape::{clip, counted, micros, seconds, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Pi {
    calls: Calls,
    /// How the newest message of the model ended.
    stopped: Stopped,
    /// Messages of the model since the agent started, and what they used.
    turns: u64,
    used: Usage,
    /// The last error was shown with this text, so the end of the tries need not repeat it.
    shown_error: Option<String>,
}

/// How a message of the model ended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Stopped {
    /// There is none yet.
    #[default]
    NotBegun,
    /// As it should, also to use a tool.
    Well,
    Badly,
}

impl Pi {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            "session" => begin(event, scene),
            // Work goes on, so an end before this was not the last.
            "agent_start" => {
                scene.report.ok = None;
                (self.stopped, self.turns, self.used) = (Stopped::NotBegun, 0, Usage::default());
            }
            "message_end" => self.message(&event["message"], scene),
            "tool_execution_start" => {
                let text = |key: &str| event[key].as_str().unwrap_or_default();
                let call = Call::new(text("toolCallId"), text("toolName"), &event["args"], scene);
                call.show_start(scene);
                self.calls.push(call);
            }
            "tool_execution_end" => self.tool_end(event, scene),
            "auto_retry_start" => retry(event, scene),
            "auto_retry_end" => self.retry_end(event, scene),
            "compaction_start" | "auto_compaction_start" => {
                scene.say(EntryKind::System, "it shortens the conversation to go on");
            }
            "compaction_end" | "auto_compaction_end" => {
                if let Some(why) = event["errorMessage"].as_str() {
                    scene.say(EntryKind::System, &format!("the conversation could not be shortened: {why}"));
                }
            }
            "agent_end" => self.end(event, scene),
            "turn_start"
            | "turn_end"
            | "message_start"
            | "message_update"
            | "tool_execution_update"
            | "agent_settled"
            | "queue_update" => {}
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn message(&mut self, message: &Value, scene: &mut Scene<'_>) {
        match message["role"].as_str().unwrap_or_default() {
            "assistant" => self.assistant(message, scene),
            // The prompt, and results that the tools' own events tell.
            "user" | "toolResult" => {}
            _ => scene.say(EntryKind::System, &unknown(message)),
        }
    }

    fn assistant(&mut self, message: &Value, scene: &mut Scene<'_>) {
        for block in message["content"].as_array().into_iter().flatten() {
            let text = |key: &str| block[key].as_str().filter(|text| !text.trim().is_empty());
            match block["type"].as_str().unwrap_or_default() {
                "text" => {
                    if let Some(text) = text("text") {
                        scene.report.said = Some(clip(text));
                        scene.say(EntryKind::Assistant, text);
                    }
                }
                "thinking" => {
                    if let Some(text) = text("thinking") {
                        scene.say(EntryKind::Thinking, text);
                    }
                }
                // It is shown when it runs.
                "toolCall" => {}
                _ => scene.say(EntryKind::System, &unknown(block)),
            }
        }
        let used = usage(&message["usage"]);
        self.turns += 1;
        self.used = self.used + used;
        scene.report.usage = scene.report.usage + used;
        let why = message["errorMessage"].as_str();
        self.stopped = match message["stopReason"].as_str() {
            Some("error") => self.failed(why.unwrap_or("the model failed and does not say why"), scene),
            Some("aborted") => self.failed(why.unwrap_or("it was stopped"), scene),
            Some("length") => self.failed("the model's answer was cut at its greatest length", scene),
            Some(_) | None => {
                scene.report.retrying = None;
                scene.report.error = None;
                Stopped::Well
            }
        };
    }

    fn failed(&mut self, why: &str, scene: &mut Scene<'_>) -> Stopped {
        self.shown_error = Some(clip(why));
        scene.error(why);
        Stopped::Badly
    }

    fn tool_end(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let ok = event["isError"].as_bool() != Some(true);
        let result = &event["result"];
        let text = result_text(&result["content"]);
        let Some(call) = self.calls.take(event["toolCallId"].as_str().unwrap_or_default()) else {
            return stray_result(event["toolName"].as_str(), Outcome::new(ok, &text), scene);
        };
        let is_command = matches!(call.action, Action::Command { .. });
        let (code, text) = if is_command { exit_code(ok, &text) } else { (None, text.as_str()) };
        let (size, diff) = changed(&result["details"]);
        call.show_end(Outcome { code, size, diff: diff.as_deref(), ..Outcome::new(ok, text) }, scene);
    }

    fn retry_end(&mut self, event: &Value, scene: &mut Scene<'_>) {
        scene.report.retrying = None;
        if event["success"].as_bool() == Some(true) {
            return;
        }
        let why = event["finalError"].as_str().unwrap_or("the model could not be reached");
        if self.shown_error.as_deref() != Some(&clip(why)) {
            scene.error(why);
        }
    }

    fn end(&mut self, event: &Value, scene: &mut Scene<'_>) {
        // Newer versions know already that they will try again.
        if event["willRetry"].as_bool() == Some(true) {
            return;
        }
        scene.used(self.used);
        let turns = counted(self.turns, "turn", "turns");
        match self.stopped {
            Stopped::Well => scene.end(true, &turns),
            Stopped::Badly => scene.end(false, &format!("failed after {turns}")),
            Stopped::NotBegun => {
                scene.error("the model said nothing");
                scene.end(false, "failed before the model said anything");
            }
        }
    }
}

fn begin(event: &Value, scene: &mut Scene<'_>) {
    if let Some(cwd) = event["cwd"].as_str() {
        scene.paths.learn(cwd);
    }
    let session = event["id"].as_str().map(str::to_owned);
    scene.report.session.clone_from(&session);
    scene.add(Entry { session, ..Entry::new(EntryKind::Session, "pi") });
}

fn retry(event: &Value, scene: &mut Scene<'_>) {
    // It is tried again, so the end before this was none.
    scene.report.ok = None;
    let attempt = event["attempt"].as_u64().map(|n| match event["maxAttempts"].as_u64() {
        Some(most) => format!("attempt {n} of {most}"),
        None => format!("attempt {n}"),
    });
    let pause = event["delayMs"].as_f64().map(|pause| format!("in {}", seconds(pause)));
    let why = event["errorMessage"].as_str().map(str::to_owned);
    let words = [Some("trying to reach the model again".to_owned()), attempt, pause, why];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
    scene.say(EntryKind::Retry, &text);
    scene.report.retrying = Some(clip(&text));
}

/// Returns what a command exited with, and its output without the line that says so.
fn exit_code(ok: bool, text: &str) -> (Option<i32>, &str) {
    if ok {
        return (Some(0), if text.trim() == "(no output)" { "" } else { text });
    }
    let (output, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    match last.strip_prefix("Command exited with code ").and_then(|code| code.trim().parse().ok()) {
        Some(code) => (Some(code), if output.trim() == "(no output)" { "" } else { output }),
        None => (None, text),
    }
}

/// Returns what an edit changed. The diff that all versions give has a number before each line; newer ones give a patch too.
fn changed(details: &Value) -> (Option<EditSize>, Option<String>) {
    if let Some(patch) = details["patch"].as_str() {
        return (EditSize::of_unified(patch), hunks(patch));
    }
    let Some(diff) = details["diff"].as_str() else { return (None, None) };
    let starting = |mark| diff.lines().filter(|line| line.starts_with(mark)).count();
    let size = EditSize { added: starting('+'), removed: starting('-') };
    (Some(size), diff_of(diff.lines().map(str::to_owned)))
}

/// Tokens and cost of a message; what the cache held is read too.
fn usage(usage: &Value) -> Usage {
    let tokens = |key: &str| usage[key].as_u64().unwrap_or(0);
    // A model without a price costs 0, which says nothing.
    let cost = usage["cost"]["total"].as_f64().filter(|cost| *cost > 0.0);
    Usage {
        input_tokens: tokens("input").saturating_add(tokens("cacheRead")).saturating_add(tokens("cacheWrite")),
        output_tokens: tokens("output"),
        cost_micros: cost.and_then(micros),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Dialect;
    use super::super::tests::{read_text, shown};
    use super::*;

    const START: &str = r#"{"type":"agent_start"}"#;
    const END: &str = r#"{"type":"agent_end","messages":[]}"#;

    fn message(text: &str, stop: &str, error: Option<&str>) -> String {
        let usage = json!({ "input": 10, "output": 2, "cacheRead": 5, "cacheWrite": 1, "cost": { "total": 0.25 } });
        let content = json!([{ "type": "text", "text": text }]);
        let message = json!({ "role": "assistant", "content": content, "usage": usage, "stopReason": stop, "errorMessage": error });
        json!({ "type": "message_end", "message": message }).to_string()
    }

    #[test]
    fn an_error_of_the_model_is_a_failure_although_the_program_exits_with_0() {
        let (entries, report) =
            read_text(Dialect::Pi, &[START, &message("", "error", Some("401 no key")), END].join("\n"));
        assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("401 no key")));
        assert_eq!(shown(&entries)[0], "error 401 no key");
        for stop in ["aborted", "length"] {
            let (_, report) = read_text(Dialect::Pi, &[START, &message("Half", stop, None), END].join("\n"));
            assert_eq!((report.ok, report.error.is_some()), (Some(false), true), "{stop}");
        }
        assert_eq!(read_text(Dialect::Pi, &[START, END].join("\n")).1.ok, Some(false), "it never said anything");
    }

    #[test]
    fn a_try_that_is_repeated_is_no_end() {
        let retry = r#"{"type":"auto_retry_start","attempt":1,"maxAttempts":3,"delayMs":2000,"errorMessage":"429"}"#;
        let failed = message("", "error", Some("429"));
        let lines = [START, &failed, END, retry];
        let (_, report) = read_text(Dialect::Pi, &lines.join("\n"));
        let wanted = "trying to reach the model again, attempt 1 of 3, in 2.0 s, 429";
        assert_eq!((report.retrying.as_deref(), report.ok), (Some(wanted), None));
        let well = r#"{"type":"auto_retry_end","success":true,"attempt":1}"#;
        let (_, report) = read_text(
            Dialect::Pi,
            &[&lines[..], &[START, &message("Hi", "stop", None), well, END]].concat().join("\n"),
        );
        assert_eq!((report.retrying, report.error, report.ok), (None, None, Some(true)));
        let badly = r#"{"type":"auto_retry_end","success":false,"attempt":3,"finalError":"429"}"#;
        let (entries, report) =
            read_text(Dialect::Pi, &[&lines[..], &[START, &failed, END, badly]].concat().join("\n"));
        assert_eq!((report.retrying, report.error.as_deref(), report.ok), (None, Some("429"), Some(false)));
        assert_eq!(entries.iter().filter(|entry| entry.kind == EntryKind::Error).count(), 2, "once for each try");
    }

    #[test]
    fn usage_and_cost_are_added_up_and_shown_once() {
        let (entries, report) = read_text(
            Dialect::Pi,
            &[START, &message("a", "toolUse", None), &message("b", "stop", None), END].join("\n"),
        );
        assert_eq!(report.usage, Usage { input_tokens: 32, output_tokens: 4, cost_micros: Some(500_000) });
        assert_eq!(entries.iter().filter(|entry| entry.usage.is_some()).count(), 1);
    }

    #[test]
    fn pieces_are_dropped_and_a_command_tells_its_exit_code() {
        let start = json!({ "type": "tool_execution_start", "toolCallId": "1", "toolName": "bash", "args": { "command": "make" } });
        let text = json!({ "content": [{ "type": "text", "text": "no rule\n\nCommand exited with code 2" }] });
        let end = json!({ "type": "tool_execution_end", "toolCallId": "1", "toolName": "bash", "result": text, "isError": true });
        let piece = json!({ "type": "message_update", "message": { "content": "x" }, "assistantMessageEvent": {} });
        let (entries, _) = read_text(Dialect::Pi, &format!("{piece}\n{start}\n{piece}\n{end}"));
        let wanted = [
            "tool_call [tool bash] make",
            "command [tool bash] [exit 2] [ok false] make",
            "tool_result [tool bash] [ok false] no rule",
        ];
        assert_eq!(shown(&entries), wanted);
    }

    #[test]
    fn an_edit_has_its_size_from_the_diff() {
        let args = json!({ "path": "/w/a.rs", "oldText": "a", "newText": "b" });
        let start = json!({ "type": "tool_execution_start", "toolCallId": "1", "toolName": "edit", "args": args });
        for details in [
            json!({ "diff": " 1 x\n-2 a\n+2 b\n+3 c" }),
            json!({ "patch": "--- a\n+++ b\n@@ -1 +1,2 @@\n-a\n+b\n+c\n" }),
        ] {
            let result = json!({ "content": [], "details": details });
            let end = json!({ "type": "tool_execution_end", "toolCallId": "1", "result": result, "isError": false });
            let (entries, _) = read_text(Dialect::Pi, &format!("{start}\n{end}"));
            let shown = shown(&entries).join("\n");
            assert!(shown.starts_with("edit [tool edit] [path a.rs] [ok true] edited, +2 -1\n"), "{shown}");
            assert!(shown.lines().last().unwrap().trim_start().starts_with('+'), "{shown}");
        }
    }

    #[test]
    fn an_answer_that_ends_with_a_question_asks() {
        let (_, report) = read_text(Dialect::Pi, &[START, &message("Which one?", "stop", None), END].join("\n"));
        assert_eq!((report.question.as_deref(), report.ok), (Some("Which one?"), Some(true)));
    }
}
