//! Copilot's `--output-format json`: the events of its session, of which many are passing, and a result.
//!
//! Seen in real streams: the session is named in the last line only; failed attempts to reach the model are told by
//! passing events and nowhere else; a command that failed counts as a success; and tokens are not counted at all.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::edits::{Done, EditSize, hunks};
use super::shape::{Pieces, clip, plain, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Copilot {
    calls: Calls,
    /// The message that comes in pieces; its whole follows, so this is shown only if the output ends first.
    pieces: Pieces,
    /// The thought that was shown last; some versions tell it again with the message.
    thought: Option<String>,
    /// Why the model could not be reached just now.
    failure: Option<String>,
}

impl Copilot {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let data = &event["data"];
        match event["type"].as_str().unwrap_or_default() {
            "session.start" | "session.resume" => begin(data["sessionId"].as_str(), scene),
            "assistant.message" => self.message(data, scene),
            "assistant.message_delta" if data["parentToolCallId"].is_null() => {
                self.pieces.push(data["deltaContent"].as_str().unwrap_or_default());
            }
            "assistant.reasoning" => {
                let parent = data["parentToolCallId"].as_str().map(|id| self.tool_of(id));
                self.think(&result_text(&data["content"]), parent, scene);
            }
            "assistant.message_start" => self.pieces = Pieces::default(),
            "assistant.usage" => usage(data, scene),
            "tool.execution_start" => self.tool_start(data, scene),
            "tool.execution_complete" => self.tool_complete(data, scene),
            "model.call_failure" => self.failure = Some(failure(data)),
            "assistant.turn_retry" => self.retry(data, scene),
            "session.error" => self.error(data, scene),
            "session.warning" => scene.say(EntryKind::System, &format!("warning: {}", plain(&data["message"]))),
            "subagent.failed" => scene.say(EntryKind::Error, &plain(&data["error"])),
            "abort" => scene.error(&format!("it was stopped: {}", plain(&data["reason"]))),
            "result" => self.result(event, scene),
            // What it is told, and what frames the rest.
            "user.message" | "system.message" | "assistant.turn_start" | "assistant.turn_end" => {}
            "subagent.started" | "subagent.selected" | "subagent.configured" | "subagent.completed" => {}
            _ if event["ephemeral"].as_bool() == Some(true) => {}
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        let partial = self.pieces.take();
        if !partial.trim().is_empty() {
            scene.say(EntryKind::Assistant, &partial);
        }
    }

    /// A message of a sub-agent is marked with the tool that runs it, and is not what the agent itself says.
    fn message(&mut self, data: &Value, scene: &mut Scene<'_>) {
        works(scene);
        let parent = data["parentToolCallId"].as_str().map(|id| self.tool_of(id));
        if parent.is_none() {
            self.pieces = Pieces::default();
        }
        self.think(data["reasoningText"].as_str().unwrap_or_default(), parent.clone(), scene);
        let text = result_text(&data["content"]);
        if text.trim().is_empty() {
            return;
        }
        if parent.is_none() {
            scene.report.said = Some(clip(&text));
        }
        scene.add(Entry { tool: parent, ..Entry::new(EntryKind::Assistant, text) });
    }

    fn think(&mut self, thought: &str, parent: Option<String>, scene: &mut Scene<'_>) {
        let key = Some(clip(thought));
        if !thought.trim().is_empty() && self.thought != key {
            scene.add(Entry { tool: parent, ..Entry::new(EntryKind::Thinking, thought) });
            self.thought = key;
        }
    }

    fn tool_start(&mut self, data: &Value, scene: &mut Scene<'_>) {
        works(scene);
        let text = |key: &str| data[key].as_str().unwrap_or_default();
        let call = Call::new(text("toolCallId"), text("toolName"), &data["arguments"], scene);
        call.show_start(scene);
        self.calls.push(call);
    }

    fn tool_complete(&mut self, data: &Value, scene: &mut Scene<'_>) {
        works(scene);
        let ok = data["success"].as_bool() != Some(false) && data["error"].is_null();
        let error = &data["error"];
        let why = error["message"].as_str().map_or_else(|| plain(error), str::to_owned);
        let result = &data["result"];
        let answer = if result["content"].is_null() { result } else { &result["content"] };
        let text = if error.is_null() { result_text(answer) } else { why };
        let call = self.calls.take(data["toolCallId"].as_str().unwrap_or_default());
        let Some(call) = call else { return stray_result(None, Outcome::new(ok, &text), scene) };
        let code = error["code"].as_str().unwrap_or_default();
        if !ok && (["denied", "rejected"].contains(&code) || text.starts_with("Permission denied")) {
            return call.show_denial(&text, scene);
        }
        match &call.action {
            Action::Command { .. } => {
                let (told, printed) = printed(&text);
                let exit = data["shellExecution"]["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok());
                let code = exit.or(told);
                let ok = ok && code.is_none_or(|code| code == 0);
                call.show_end(Outcome { code, ..Outcome::new(ok, printed) }, scene);
            }
            Action::Edit { .. } => {
                let created = data["fileEdits"][0]["kind"].as_str() == Some("create") || call.tool == "create";
                let diff = data["result"]["detailedContent"].as_str();
                let lines = diff.and_then(hunks);
                let outcome = Outcome {
                    diff: lines.as_deref(),
                    done: created.then_some(Done::Created),
                    size: diff.and_then(EditSize::of_unified),
                    ..Outcome::new(ok, &text)
                };
                call.show_end(outcome, scene);
            }
            Action::Ask { .. } | Action::Other { .. } => call.show_end(Outcome::new(ok, &text), scene),
        }
    }

    fn retry(&mut self, data: &Value, scene: &mut Scene<'_>) {
        let why = self.failure.take().unwrap_or_else(|| plain(&data["reason"]).replace('_', " "));
        let text = format!("trying to reach the model again, {why}");
        scene.say(EntryKind::Retry, &text);
        scene.report.retrying = Some(clip(&text));
    }

    fn error(&mut self, data: &Value, scene: &mut Scene<'_>) {
        // Its own words say more, except where they leave the status out.
        let message = data["message"].as_str().unwrap_or("it does not say what");
        let status = data["statusCode"].as_u64().filter(|status| !message.contains(&status.to_string()));
        let status = status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        scene.error(&format!("{message}{status}"));
    }

    fn result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.pieces = Pieces::default();
        begin(event["sessionId"].as_str(), scene);
        let code = event["exitCode"].as_i64().unwrap_or_default();
        // Its times are those of the whole session.
        scene.end(code == 0, if code == 0 { "done" } else { "failed" });
    }

    fn tool_of(&self, id: &str) -> String {
        self.calls.get(id).map_or_else(|| "sub-agent".to_owned(), |call| call.tool.clone())
    }
}

fn begin(session: Option<&str>, scene: &mut Scene<'_>) {
    let Some(session) = session.filter(|session| scene.report.session.as_deref() != Some(session)) else { return };
    scene.report.session = Some(session.to_owned());
    scene.add(Entry { session: Some(session.to_owned()), ..Entry::new(EntryKind::Session, session) });
}

fn works(scene: &mut Scene<'_>) {
    scene.report.ok = None;
    scene.report.retrying = None;
}

/// Some providers count tokens.
fn usage(data: &Value, scene: &mut Scene<'_>) {
    let tokens = |key: &str| data[key].as_u64().unwrap_or(0);
    let used = Usage { input_tokens: tokens("inputTokens"), output_tokens: tokens("outputTokens"), cost_micros: None };
    scene.report.usage = scene.report.usage + used;
}

/// Returns `attempt 1, HTTP 429, rate_limit_error: try later` for a call of the model that failed.
fn failure(data: &Value) -> String {
    let told = data["errorMessage"].as_str().unwrap_or_default();
    let parsed = serde_json::from_str::<Value>(told).unwrap_or_default();
    let message = parsed["message"].as_str().or_else(|| parsed.as_str()).unwrap_or(told);
    let status = data["statusCode"].as_u64().map(|status| format!("HTTP {status}"));
    let kind = data["errorType"].as_str().or_else(|| parsed["type"].as_str());
    let attempt = data["retryAttempt"].as_u64().map(|before| format!("attempt {}", before.saturating_add(1)));
    let head: Vec<String> = attempt.into_iter().chain(status).chain(kind.map(str::to_owned)).collect();
    match (head.is_empty(), message.is_empty()) {
        (true, _) => message.to_owned(),
        (false, true) => head.join(", "),
        (false, false) => format!("{}: {message}", head.join(", ")),
    }
}

/// Returns what a command exited with, and what it printed, without the sentence after it:
/// `<shellId: 0 completed with exit code 3>`.
fn printed(text: &str) -> (Option<i32>, &str) {
    let trimmed = text.trim_end();
    let last = trimmed.rsplit_once('\n').map_or(trimmed, |(_, last)| last);
    let code = last.strip_prefix('<').and_then(|last| last.strip_suffix('>')?.rsplit_once("exit code "));
    match code.and_then(|(_, code)| code.parse().ok()) {
        Some(code) => (Some(code), &trimmed[..trimmed.len() - last.len()]),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::read_text;
    use super::*;
    use crate::domain::outcome::Report;

    fn read(lines: &[&str]) -> (Vec<Entry>, Report) {
        read_text(Dialect::Copilot, &lines.join("\n"))
    }

    const SAY: &str = r#"{"type":"assistant.message","data":{"content":"Which one?","toolRequests":[]}}"#;
    const OK: &str = r#"{"type":"result","sessionId":"s","exitCode":0,"usage":{}}"#;

    #[test]
    fn what_is_passing_is_dropped_and_what_is_not_known_is_kept() {
        let passing = r#"{"type":"session.new_thing","data":{},"ephemeral":true}"#;
        assert_eq!(read(&[passing]).0, []);
        let (entries, _) = read(&[&passing.replace("true", "false")]);
        assert_eq!((entries.len(), entries[0].kind), (1, EntryKind::System));
    }

    #[test]
    fn a_thought_that_is_told_again_with_the_message_is_shown_once() {
        let thinks = r#"{"type":"assistant.reasoning","data":{"content":"Hm."},"ephemeral":true}"#;
        let say = SAY.replace(r#""content""#, r#""reasoningText":"Hm.","content""#);
        let kinds = |lines: &[&str]| read(lines).0.iter().map(|entry| entry.kind).collect::<Vec<_>>();
        let wanted = [EntryKind::Thinking, EntryKind::Assistant];
        assert_eq!(kinds(&[thinks, &say]), wanted);
        assert_eq!(kinds(&[&say]), wanted);
        assert_eq!(kinds(&[thinks, SAY]), wanted);
    }

    #[test]
    fn the_last_line_names_the_session_and_ends() {
        let (_, report) = read(&[SAY]);
        assert_eq!((report.ok, report.session), (None, None));
        let (_, report) = read(&[SAY, OK]);
        assert_eq!((report.ok, report.session.as_deref()), (Some(true), Some("s")));
        assert_eq!(report.question.as_deref(), Some("Which one?"));
        let failed = OK.replace(":0", ":1");
        let (_, report) = read(&[SAY, r#"{"type":"session.error","data":{"message":"no","statusCode":500}}"#, &failed]);
        assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("no (HTTP 500)")));
        assert_eq!(report.question, None);
    }

    #[test]
    fn a_failed_attempt_is_told_by_passing_events() {
        let failed = r#"{"type":"model.call_failure","data":{"statusCode":429,"retryAttempt":0,"errorType":"rate_limit_error","errorMessage":"{\"message\":\"slow down\"}"},"ephemeral":true}"#;
        let again = r#"{"type":"assistant.turn_retry","data":{"reason":"rate_limit"},"ephemeral":true}"#;
        let (entries, report) = read(&[failed, again]);
        let text = "trying to reach the model again, attempt 1, HTTP 429, rate_limit_error: slow down";
        assert_eq!((entries, report.retrying.as_deref()), (vec![Entry::new(EntryKind::Retry, text)], Some(text)));
        assert_eq!(read(&[again]).0[0].text, "trying to reach the model again, rate limit");
        assert_eq!(read(&[failed, again, SAY]).1.retrying, None);
    }

    #[test]
    fn a_command_that_failed_counts_as_a_success() {
        let call = r#"{"type":"tool.execution_start","data":{"toolCallId":"c","toolName":"bash","arguments":{"command":"make"}}}"#;
        let told = r#"{"type":"tool.execution_complete","data":{"toolCallId":"c","success":true,"result":{"content":"out\n<shellId: 0 completed with exit code 3>"}}}"#;
        let (entries, _) = read(&[call, told]);
        assert_eq!((entries[1].exit_code, entries[1].ok), (Some(3), Some(false)));
        assert_eq!(entries[2].text, "out");
        let exact = told.replace(r#""success""#, r#""shellExecution":{"exitCode":4},"success""#);
        assert_eq!(read(&[call, &exact]).0[1].exit_code, Some(4));
    }

    #[test]
    fn a_tool_that_may_not_be_used_was_denied() {
        let call = r#"{"type":"tool.execution_start","data":{"toolCallId":"c","toolName":"create","arguments":"{\"path\":\"/w/a.txt\",\"file_text\":\"x\"}"}}"#;
        let refused = r#"{"type":"tool.execution_complete","data":{"toolCallId":"c","success":false,"error":{"message":"Nobody was there.","code":"denied"}}}"#;
        assert_eq!(read(&[call, refused]).1.denied, ["create a.txt"]);
        assert!(read(&[call, &refused.replace("denied", "failure")]).1.denied.is_empty());
    }

    #[test]
    fn a_sub_agents_words_are_not_the_agents() {
        let call = r#"{"type":"tool.execution_start","data":{"toolCallId":"c","toolName":"task","arguments":{"description":"Look"}}}"#;
        let say = SAY.replace(r#""content""#, r#""parentToolCallId":"c","content""#);
        let (entries, report) = read(&[call, &say]);
        assert_eq!((entries[1].tool.as_deref(), report.said), (Some("task"), None));
    }

    #[test]
    fn words_that_came_in_pieces_are_shown_if_the_output_ends_before_the_whole() {
        let piece = r#"{"type":"assistant.message_delta","data":{"deltaContent":"Half"},"ephemeral":true}"#;
        assert_eq!(read(&[piece]).0, [Entry::new(EntryKind::Assistant, "Half")]);
        assert_eq!(read(&[piece, SAY]).0.len(), 1);
    }
}
