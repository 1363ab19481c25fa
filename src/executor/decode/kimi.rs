//! Kimi Code's `--output-format stream-json`: chat messages, one a line.
//!
//! Seen in real streams: the session is named only in the last line; results of tools do not say whether they went well;
//! no tokens, no thoughts; a run that fails says so in one line on standard error and ends without a last line.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::shape::{clip, plain, unknown};
use crate::domain::log::{Entry, EntryKind};

/// How the first line of a result begins that says that its tool failed.
const FAILED: [&str; 4] = ["<system>ERROR", "ERROR: ", "Error: ", "old_string not found in "];

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Kimi {
    calls: Calls,
}

impl Kimi {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match (event["role"].as_str().unwrap_or_default(), event["type"].as_str().unwrap_or_default()) {
            ("assistant", _) => self.assistant(event, scene),
            ("tool", _) => self.tool_result(event, scene),
            ("meta", "session.resume_hint") => end(event, scene),
            ("meta", "turn.step.retrying") => retry(event, scene),
            ("meta", "system.version") => {
                let version = event["version"].as_str().unwrap_or_default();
                scene.say(EntryKind::Session, format!("Kimi Code {version}").trim_end());
            }
            ("user" | "system", _) => scene.say(EntryKind::System, &result_text(&event["content"])),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn assistant(&mut self, event: &Value, scene: &mut Scene<'_>) {
        // Work goes on, so a last line before this was not the last.
        scene.report.ok = None;
        scene.report.retrying = None;
        if let Some(thought) = event["reasoning_content"].as_str() {
            show(EntryKind::Thinking, thought, scene);
        }
        match event["content"].as_array() {
            Some(blocks) => blocks.iter().for_each(|block| match block["type"].as_str().unwrap_or_default() {
                "think" => show(EntryKind::Thinking, block["think"].as_str().unwrap_or_default(), scene),
                "text" => show(EntryKind::Assistant, block["text"].as_str().unwrap_or_default(), scene),
                _ => scene.say(EntryKind::System, &unknown(block)),
            }),
            None => show(EntryKind::Assistant, event["content"].as_str().unwrap_or_default(), scene),
        }
        for call in event["tool_calls"].as_array().into_iter().flatten() {
            let function = &call["function"];
            let name = function["name"].as_str().unwrap_or("tool");
            let call = Call::new(call["id"].as_str().unwrap_or_default(), name, &function["arguments"], scene);
            call.show_start(scene);
            self.calls.push(call);
        }
    }

    fn tool_result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let text = result_text(&event["content"]);
        let call = self.calls.take(event["tool_call_id"].as_str().unwrap_or_default());
        let failed = FAILED.iter().any(|mark| text.starts_with(mark));
        let is_command = call.as_ref().is_some_and(|call| matches!(call.action, Action::Command { .. }));
        let code = if is_command { exit_code(&text) } else { None };
        // Nothing says that it went well.
        let ok = (failed || code.is_some_and(|code| code != 0)).then_some(false);
        let outcome = Outcome { ok, code, ..Outcome::new(true, &text) };
        match call {
            Some(call) => call.show_end(outcome, scene),
            None => stray_result(None, outcome, scene),
        }
    }
}

fn show(kind: EntryKind, text: &str, scene: &mut Scene<'_>) {
    if text.trim().is_empty() {
        return;
    }
    if kind == EntryKind::Assistant {
        scene.report.said = Some(clip(text));
    }
    scene.say(kind, text);
}

fn retry(event: &Value, scene: &mut Scene<'_>) {
    let mut text = "trying to reach the model again".to_owned();
    if let Some(attempt) = event["next_attempt"].as_u64() {
        text += &format!(", attempt {attempt}");
        if let Some(of) = event["max_attempts"].as_u64() {
            text += &format!(" of {of}");
        }
    }
    if let Some(why) = event["error_message"].as_str() {
        text += &format!(", {why}");
    }
    scene.say(EntryKind::Retry, &text);
    scene.report.retrying = Some(clip(&text));
}

/// The last line: how to go on in the session.
fn end(event: &Value, scene: &mut Scene<'_>) {
    let session = event["session_id"].as_str().map(str::to_owned);
    scene.report.session.clone_from(&session);
    let text = session.clone().unwrap_or_else(|| plain(&event["content"]));
    scene.add(Entry { session, ..Entry::new(EntryKind::Session, text) });
    scene.end(true, "the turn is over");
}

/// Returns what a command that failed exited with, which its answer tells: `Command failed with exit code: 3.`
fn exit_code(text: &str) -> Option<i32> {
    let said = |line: &str| {
        let (before, rest) = line.split_once("exit code")?;
        let end = |c: char| !c.is_ascii_digit();
        let number = rest.trim_start_matches([':', ' ']);
        let number = &number[..number.find(end).unwrap_or(number.len())];
        before.contains("Command failed with").then(|| number.parse().ok())?
    };
    [text.lines().next(), text.lines().next_back()].into_iter().flatten().find_map(said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{read_text, shown};
    use super::super::{Dialect, Reader};
    use super::*;

    fn call(name: &str, input: &Value, answer: &str) -> String {
        let function = json!({ "name": name, "arguments": input.to_string() });
        let start =
            json!({ "role": "assistant", "tool_calls": [{ "type": "function", "id": "1", "function": function }] });
        let end = json!({ "role": "tool", "tool_call_id": "1", "content": answer });
        format!("{start}\n{end}\n")
    }

    #[test]
    fn the_session_comes_last_and_with_it_the_end() {
        let hint = r#"{"role":"meta","type":"session.resume_hint","session_id":"s1"}"#;
        let say = r#"{"role":"assistant","content":"Which one?"}"#;
        let (_, report) = read_text(Dialect::Kimi, &[say, hint].join("\n"));
        assert_eq!((report.session.as_deref(), report.ok), (Some("s1"), Some(true)));
        assert_eq!(report.question.as_deref(), Some("Which one?"));
        let (_, report) = read_text(Dialect::Kimi, say);
        assert_eq!((report.session, report.ok, report.promises_end), (None, None, true));
        assert_eq!(read_text(Dialect::Kimi, &[hint, say].join("\n")).1.ok, None, "it went on");
    }

    #[test]
    fn a_result_that_says_nothing_of_success_is_no_success() {
        let command = json!({ "command": "make" });
        let (entries, _) = read_text(Dialect::Kimi, &call("Bash", &command, "built"));
        assert_eq!(shown(&entries)[1..], ["command [tool Bash] make", "tool_result [tool Bash] built"]);
        let failed = "<system>ERROR: Command failed with exit code: 3.</system>\nno rule";
        let (entries, _) = read_text(Dialect::Kimi, &call("Shell", &command, failed));
        assert_eq!(shown(&entries)[1], "command [tool Shell] [exit 3] [ok false] make");
        let edit = json!({ "path": "/w/a.rs", "old_string": "a", "new_string": "b\nc" });
        let (entries, _) = read_text(Dialect::Kimi, &call("Edit", &edit, "Error: no such text"));
        assert_eq!(shown(&entries), ["tool_result [tool Edit] [path a.rs] [ok false] Error: no such text"]);
        let (entries, _) = read_text(Dialect::Kimi, &call("Edit", &edit, "old_string not found in /w/a.rs"));
        assert!(entries.iter().all(|entry| entry.kind != EntryKind::Edit), "{entries:?}");
        let outside = json!({ "path": "/etc/motd", "content": "x" });
        let (_, report) = read_text(Dialect::Kimi, &call("Write", &outside, "Wrote 1 byte"));
        assert_eq!(report.outside, ["/etc/motd"], "but it may have been done");
    }

    #[test]
    fn a_model_that_is_tried_again_is_told_until_it_answers() {
        let again = r#"{"role":"meta","type":"turn.step.retrying","next_attempt":2,"max_attempts":10,"error_message":"429 slow down"}"#;
        let (entries, report) = read_text(Dialect::Kimi, again);
        let wanted = "trying to reach the model again, attempt 2 of 10, 429 slow down";
        assert_eq!(entries, [Entry::new(EntryKind::Retry, wanted)]);
        assert_eq!(report.retrying.as_deref(), Some(wanted));
        let say = r#"{"role":"assistant","content":"Here."}"#;
        assert_eq!(read_text(Dialect::Kimi, &[again, say].join("\n")).1.retrying, None);
    }

    #[test]
    fn a_failure_is_told_on_standard_error_only() {
        let mut reader = Reader::new(Dialect::Kimi, std::path::Path::new("/w"));
        reader.feed(b"{\"role\":\"meta\",\"type\":\"system.version\",\"version\":\"2.1.0\"}\n", &mut Vec::new());
        reader.finish(&mut Vec::new());
        reader.ended("?? notes.md\nLLM request failed: 401 no key\n\n", Some(1));
        assert_eq!(reader.report().error.as_deref(), Some("LLM request failed: 401 no key"));
        assert_eq!(reader.report().ok, None);
    }

    #[test]
    fn thoughts_are_shown_where_a_version_tells_them() {
        let blocks = json!({ "role": "assistant", "content": [{ "type": "think", "think": "Hm." }, { "type": "text", "text": "Yes." }] });
        let field = json!({ "role": "assistant", "reasoning_content": "Hm.", "content": "Yes." });
        for message in [blocks, field] {
            let (entries, _) = read_text(Dialect::Kimi, &message.to_string());
            assert_eq!(shown(&entries), ["thinking Hm.", "assistant Yes."]);
        }
    }
}
