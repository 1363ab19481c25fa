//! Gemini CLI's `-o stream-json`: messages in pieces, calls with their results, and a final result.
//!
//! Seen in real streams: a command that failed counts as a success and has no exit code; what is not allowed is not even
//! offered to the model; and the program exits with the status of HTTP that it got, of which one byte arrives.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::shape::{Pieces, clip, counted, plain, seconds, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Gemini {
    calls: Calls,
    /// What the agent is saying.
    pieces: Pieces,
    /// It said that it stops, and has done nothing since.
    stopped: bool,
    /// Its model has answered something.
    answered: bool,
}

impl Gemini {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let kind = event["type"].as_str().unwrap_or_default();
        if kind == "message" {
            return self.message(event, scene);
        }
        self.finish(scene);
        match kind {
            "init" => begin(event, scene),
            "tool_use" => self.tool_use(event, scene),
            "tool_result" => self.tool_result(event, scene),
            "error" => self.error(event, scene),
            "result" => self.result(event, scene),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    /// Shows what was said, when it is said to the end.
    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        let said = self.pieces.take();
        if !said.trim().is_empty() {
            scene.report.said = Some(clip(&said));
            scene.say(EntryKind::Assistant, &said);
        }
    }

    fn message(&mut self, event: &Value, scene: &mut Scene<'_>) {
        // Of others only the prompt is told, which is known.
        if event["role"].as_str() == Some("user") {
            return self.finish(scene);
        }
        self.works(scene);
        let text = result_text(&event["content"]);
        if event["delta"].as_bool() == Some(true) {
            return self.pieces.push(&text);
        }
        // The whole of what came in pieces, or the next message.
        if self.pieces.is(&text) {
            self.pieces.take();
        }
        self.finish(scene);
        self.pieces.push(&text);
        self.finish(scene);
    }

    fn works(&mut self, scene: &mut Scene<'_>) {
        scene.report.ok = None;
        self.stopped = false;
        self.answered = true;
    }

    /// Notes a model that never answered, which is told on standard error only:
    /// `Attempt 2 failed with status 429. Retrying with backoff...`. When the model answered at some time, nothing tells
    /// whether that was before or after.
    pub(super) fn overhear(&self, line: &str, scene: &mut Scene<'_>) {
        let Some(told) = line.strip_prefix("Attempt ") else { return };
        let Some((attempt, told)) = told.split_once(" failed with status ") else { return };
        let Some((status, _)) = told.split_once(". Retrying") else { return };
        if !self.answered && scene.report.ok.is_none() {
            scene.report.retrying = Some(clip(&format!("attempt {attempt}, HTTP {status}")));
        }
    }

    fn tool_use(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.works(scene);
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        let call = Call::new(text("tool_id"), text("tool_name"), &event["parameters"], scene);
        call.show_start(scene);
        self.calls.push(call);
    }

    fn tool_result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.works(scene);
        let error = &event["error"];
        let failed = event["status"].as_str() == Some("error") || !error.is_null();
        let output = result_text(&event["output"]);
        let why = error["message"].as_str().map_or_else(|| plain(error), str::to_owned);
        let text = if failed && !error.is_null() { &why } else { &output };
        let call = self.calls.take(event["tool_id"].as_str().unwrap_or_default());
        let Some(call) = call else { return stray_result(None, Outcome::new(!failed, text), scene) };
        if failed && is_refusal(&call, error["type"].as_str().unwrap_or_default(), text) {
            return call.show_denial(text, scene);
        }
        if !matches!(call.action, Action::Command { .. }) {
            return call.show_end(Outcome::new(!failed, text), scene);
        }
        // Of a command only this sentence says how it ended, and only when it printed nothing.
        let code = text.trim().strip_prefix("Command exited with code: ").and_then(|code| code.parse::<i32>().ok());
        let ok = if failed { Some(false) } else { code.map(|code| code == 0) };
        let text = if code.is_some() { "" } else { text };
        call.show_end(Outcome { ok, code, ..Outcome::new(false, text) }, scene);
    }

    fn error(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let message = event["message"].as_str().unwrap_or("it does not say what");
        if event["severity"].as_str() == Some("warning") && !message.contains("stopping") {
            return scene.say(EntryKind::System, &format!("warning: {message}"));
        }
        self.stopped = true;
        scene.error(message);
    }

    fn result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let stats = &event["stats"];
        let used = usage(stats);
        scene.report.usage = scene.report.usage + used;
        scene.used(used);
        let calls = stats["tool_calls"].as_u64().filter(|n| *n > 0).map(|n| counted(n, "tool call", "tool calls"));
        let time = stats["duration_ms"].as_f64().map(seconds);
        let facts = [calls, time].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let failed = event["status"].as_str() == Some("error") || !event["error"].is_null();
        if failed && !event["error"].is_null() {
            scene.error(&error_text(&event["error"]));
        }
        if failed || self.stopped {
            return scene.end(false, format!("failed, {facts}").trim_end_matches(", "));
        }
        scene.end(true, &facts);
    }
}

fn begin(event: &Value, scene: &mut Scene<'_>) {
    let session = event["session_id"].as_str().map(str::to_owned);
    scene.report.session.clone_from(&session);
    let text = ["Gemini CLI"].into_iter().chain(event["model"].as_str()).collect::<Vec<_>>().join(", ");
    scene.add(Entry { session, ..Entry::new(EntryKind::Session, text) });
}

/// Says whether a call failed because it is not allowed: by a policy, or since the tool is kept from the model, which may
/// try it all the same.
fn is_refusal(call: &Call, kind: &str, why: &str) -> bool {
    let acts = matches!(call.action, Action::Edit { .. } | Action::Command { .. });
    kind == "policy_violation"
        || why.contains("denied by policy")
        || why.contains("denied by user")
        // Whatever it may do, it may do it in the worktree alone.
        || why.starts_with("Path not in workspace")
        || (acts && kind == "tool_not_registered")
}

/// Returns what an error says: `scripted error 401 (HTTP 401)` for `[API Error: {"error":{"code":401,…}}]`.
fn error_text(error: &Value) -> String {
    let message = error["message"].as_str().map_or_else(|| plain(error), str::to_owned);
    let inner = message.strip_prefix("[API Error: ").and_then(|inner| inner.strip_suffix(']')).unwrap_or(&message);
    let Ok(answer) = serde_json::from_str::<Value>(inner) else { return inner.to_owned() };
    match (answer["error"]["message"].as_str(), answer["error"]["code"].as_u64()) {
        (Some(said), Some(code)) => format!("{said} (HTTP {code})"),
        (Some(said), None) => said.to_owned(),
        (None, _) => inner.to_owned(),
    }
}

/// Tokens of a run; what was thought is in the total only.
fn usage(stats: &Value) -> Usage {
    let tokens = |key: &str| stats[key].as_u64().unwrap_or(0);
    let input_tokens = tokens("input_tokens");
    let output_tokens = tokens("output_tokens").max(tokens("total_tokens").saturating_sub(input_tokens));
    Usage { input_tokens, output_tokens, cost_micros: None }
}

/// Takes an exit code for a reason, where nothing else was told, or for the status that the reason lacks.
pub(super) fn exited(code: i32, scene: &mut Scene<'_>) {
    let status = match code {
        // One byte of what HTTP answered: 400 to 451, or 500 to 511.
        144..=195 | 244..=255 => Some(format!("HTTP {}", code + 256)),
        _ => None,
    };
    if let (Some(status), Some(error)) = (&status, &mut scene.report.error) {
        if !error.contains(&status["HTTP ".len()..]) {
            *error = clip(&format!("{} ({status})", error.trim_end()));
        }
        return;
    }
    let told = status.map(|status| format!("its model's provider answered {status}")).or_else(|| {
        let told = match code {
            41 => "it is not signed in to its model's provider",
            42 => "it refused its input",
            44 => "its sandbox could not be used",
            52 => "its configuration is wrong",
            53 => "it reached its greatest number of turns",
            54 => "one of its tools failed for good",
            130 => "it was canceled",
            _ => return None,
        };
        Some(told.to_owned())
    });
    scene.report.error = scene.report.error.take().or(told);
}

#[cfg(test)]
mod tests {
    use super::super::tests::read_text;
    use super::super::{Dialect, Reader};
    use super::*;
    use crate::domain::outcome::Report;

    fn read(lines: &[&str]) -> (Vec<Entry>, Report) {
        read_text(Dialect::Gemini, &lines.join("\n"))
    }

    fn piece(text: &str) -> String {
        format!(r#"{{"type":"message","role":"assistant","content":"{text}","delta":true}}"#)
    }

    const OK: &str = r#"{"type":"result","status":"success","stats":{"total_tokens":30,"input_tokens":20,"output_tokens":4,"tool_calls":1}}"#;

    #[test]
    fn pieces_are_joined_until_something_else_comes() {
        let say = |text: &str| Entry::new(EntryKind::Assistant, text);
        let (entries, report) = read(&[&piece("Which "), &piece("one?"), OK]);
        assert_eq!((&entries[0], report.question.as_deref()), (&say("Which one?"), Some("Which one?")));
        let whole = r#"{"type":"message","role":"assistant","content":"Which one?"}"#;
        let (entries, _) = read(&[&piece("Which "), &piece("one?"), whole, whole]);
        assert_eq!(entries, [say("Which one?"), say("Which one?")], "the whole of pieces is said once");
        let (entries, report) = read(&[&piece("Which "), &piece("on")]);
        assert_eq!((entries, report.ok), (vec![say("Which on")], None), "a stream that was cut shows what it has");
    }

    #[test]
    fn what_was_thought_counts_as_written() {
        let used = Usage { input_tokens: 20, output_tokens: 10, cost_micros: None };
        assert_eq!(read(&[OK]).1.usage, used);
    }

    #[test]
    fn a_command_counts_as_a_success_whatever_it_exited_with() {
        let call =
            r#"{"type":"tool_use","tool_name":"run_shell_command","tool_id":"c","parameters":{"command":"make"}}"#;
        let told =
            |output: &str| format!(r#"{{"type":"tool_result","tool_id":"c","status":"success","output":"{output}"}}"#);
        let (entries, _) = read(&[call, &told("Command exited with code: 2")]);
        assert_eq!((entries[1].exit_code, entries[1].ok, entries.len()), (Some(2), Some(false), 2));
        let (entries, _) = read(&[call, &told("error: no rule")]);
        assert_eq!((entries[1].exit_code, entries[1].ok), (None, None), "nobody knows");
    }

    #[test]
    fn a_run_that_failed_says_why_and_may_exit_with_0() {
        let failed = r#"{"type":"result","status":"error","error":{"type":"unknown","message":"[API Error: {\"error\":{\"code\":429,\"message\":\"slow down\"}}]"},"stats":{}}"#;
        let (_, report) = read(&[failed]);
        assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("slow down (HTTP 429)")));
        for error in [r#"{"code":500}"#, r#""it broke""#, r#"{"message":"it broke"}"#] {
            let (_, report) = read(&[&format!(r#"{{"type":"result","status":"error","error":{error}}}"#)]);
            assert!(report.ok == Some(false) && report.error.is_some(), "{error}");
        }
        let stopped = r#"{"type":"error","severity":"error","message":"Maximum session turns exceeded"}"#;
        let (_, report) = read(&[&piece("Hm."), stopped, OK]);
        assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("Maximum session turns exceeded")));
        let loops = r#"{"type":"error","severity":"warning","message":"Loop detected, stopping execution"}"#;
        assert_eq!(read(&[loops, OK]).1.ok, Some(false));
        assert_eq!(read(&[loops, &piece("Well."), OK]).1.ok, Some(true), "it went on");
        let warning = r#"{"type":"error","severity":"warning","message":"careful"}"#;
        assert_eq!(read(&[warning, OK]).1.ok, Some(true));
    }

    #[test]
    fn a_tool_that_is_kept_from_the_model_was_not_allowed() {
        let call = |tool: &str| {
            format!(
                r#"{{"type":"tool_use","tool_name":"{tool}","tool_id":"c","parameters":{{"file_path":"/w/a.txt","content":"x"}}}}"#
            )
        };
        let refused = r#"{"type":"tool_result","tool_id":"c","status":"error","error":{"type":"tool_not_registered","message":"Tool not found."}}"#;
        assert_eq!(read(&[&call("write_file"), refused]).1.denied, ["write_file a.txt"]);
        assert!(read(&[&call("read_mind"), refused]).1.denied.is_empty(), "it is not there for anybody");
        let policy = refused.replace("tool_not_registered", "policy_violation");
        assert_eq!(read(&[&call("read_mind"), &policy]).1.denied, ["read_mind a.txt"]);
        let outside = r#"{"type":"tool_result","tool_id":"c","status":"error","error":{"type":"invalid_tool_params","message":"Path not in workspace: Attempted path \"/a.txt\" resolves outside"}}"#;
        assert_eq!(read(&[&call("write_file"), outside]).1.denied, ["write_file a.txt"]);
    }

    #[test]
    fn a_model_that_never_answered_is_told_on_standard_error_only() {
        let stderr = "Attempt 1 failed with status 500. Retrying with backoff... _ApiError: {}\n    at async Turn.run\n\
                      Attempt 2 failed with status 429. Retrying with backoff... _ApiError: {}\n";
        let after = |lines: &[&str]| {
            let mut reader = Reader::new(Dialect::Gemini, std::path::Path::new("/w"));
            reader.feed(format!("{}\n", lines.join("\n")).as_bytes(), &mut Vec::new());
            reader.ended(stderr, None);
            reader.report().retrying.clone()
        };
        let begin = r#"{"type":"init","session_id":"s","model":"m"}"#;
        assert_eq!(after(&[begin]).as_deref(), Some("attempt 2, HTTP 429"));
        assert_eq!(after(&[begin, &piece("I look.")]), None, "it may have answered afterwards");
        assert_eq!(after(&[begin, OK]), None);
    }

    #[test]
    fn an_exit_code_is_a_status_of_http() {
        let exited = |lines: &str, code: i32| {
            let mut reader = Reader::new(Dialect::Gemini, std::path::Path::new(""));
            reader.feed(lines.as_bytes(), &mut Vec::new());
            reader.exited(code);
            reader.report().error.clone().unwrap_or_default()
        };
        assert_eq!(exited("", 145), "its model's provider answered HTTP 401");
        assert_eq!(exited("", 244), "its model's provider answered HTTP 500");
        assert_eq!(exited("", 41), "it is not signed in to its model's provider");
        assert_eq!(exited("", 1), "");
        let failed = "{\"type\":\"result\",\"status\":\"error\",\"error\":{\"message\":\"No.\"}}\n";
        assert_eq!(exited(failed, 173), "No. (HTTP 429)");
        assert_eq!(exited(&failed.replace("No.", "429: no."), 173), "429: no.");
    }
}
