//! Droid's `exec -o stream-json`: whole messages, calls with their results, and a completion.
//!
//! Seen in real streams: a thought comes twice; how a command ended is a sentence of its output; and a run that may not
//! do something ends at once, with an error of which another, empty one follows.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::edits::{Done, EditSize, diff_of};
use super::shape::{clip, counted, plain, seconds, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Droid {
    calls: Calls,
    /// The thought that was shown last.
    thought: Option<String>,
    /// Why something was not allowed; the agent says it again, and then again as an error.
    refused: Option<String>,
    /// The end of a failed run was shown.
    failed: bool,
}

impl Droid {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let text = event["text"].as_str().unwrap_or_default();
        match event["type"].as_str().unwrap_or_default() {
            "system" if event["subtype"].as_str() == Some("init") => begin(event, scene),
            "message" if event["role"].as_str() == Some("user") => {}
            "message" => self.message(text, scene),
            "reasoning" => self.think(event, text, scene),
            "tool_call" => self.tool_call(event, scene),
            "tool_result" => self.tool_result(event, scene),
            "completion" => completion(event, scene),
            "error" => self.error(event, scene),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn works(&mut self, scene: &mut Scene<'_>) {
        scene.report.ok = None;
        self.failed = false;
    }

    fn message(&mut self, text: &str, scene: &mut Scene<'_>) {
        self.works(scene);
        if !text.trim().is_empty() && self.refused.as_deref() != Some(text) {
            scene.report.said = Some(clip(text));
            scene.say(EntryKind::Assistant, text);
        }
    }

    fn think(&mut self, event: &Value, text: &str, scene: &mut Scene<'_>) {
        self.works(scene);
        let key = clip(&format!("{} {text}", plain(&event["id"])));
        if text.trim().is_empty() || self.thought.as_ref() == Some(&key) {
            return;
        }
        self.thought = Some(key);
        scene.say(EntryKind::Thinking, text);
    }

    fn tool_call(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.works(scene);
        let tool = event["toolName"].as_str().or_else(|| event["toolId"].as_str()).unwrap_or("tool");
        let call = Call::new(event["id"].as_str().unwrap_or_default(), tool, &event["parameters"], scene);
        call.show_start(scene);
        self.calls.push(call);
    }

    fn tool_result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.works(scene);
        let ok = event["isError"].as_bool() != Some(true) && event["error"].is_null();
        let error = event["error"]["message"].as_str().map_or_else(|| result_text(&event["error"]), str::to_owned);
        let text = if event["error"].is_null() { result_text(&event["value"]) } else { error };
        let plainly = text.strip_prefix("Error: ").unwrap_or(&text);
        let call = self.calls.take(event["id"].as_str().unwrap_or_default());
        let Some(call) = call else { return stray_result(None, Outcome::new(ok, plainly), scene) };
        if !ok && is_refusal(plainly) {
            self.refused = Some(plainly.to_owned());
            return call.show_denial(plainly, scene);
        }
        match &call.action {
            Action::Command { .. } => {
                let (code, printed) = printed(&text);
                let ok = ok && code.is_none_or(|code| code == 0);
                call.show_end(Outcome { code, ..Outcome::new(ok, printed) }, scene);
            }
            Action::Edit { .. } => {
                let created = call.tool == "Create";
                // JSON in a text.
                let told = event["value"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                let (size, diff) = changed(told.as_ref().unwrap_or(&event["value"]));
                let outcome = Outcome {
                    done: created.then_some(Done::Created),
                    size,
                    diff: diff.as_deref(),
                    ..Outcome::new(ok, plainly)
                };
                call.show_end(outcome, scene);
            }
            Action::Ask { .. } | Action::Other { .. } => call.show_end(Outcome::new(ok, plainly), scene),
        }
    }

    fn error(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let message = event["message"].as_str().unwrap_or("it does not say what");
        // That it failed is said after why, and sometimes why is said twice.
        if self.refused.as_deref() == Some(message) {
            scene.report.error = Some(clip(message));
        } else if !self.failed || (message != "Exec failed" && scene.report.error.as_deref() != Some(message)) {
            scene.error(message);
        }
        if !self.failed {
            self.failed = true;
            scene.end(false, "failed");
        }
    }
}

fn begin(event: &Value, scene: &mut Scene<'_>) {
    if let Some(cwd) = event["cwd"].as_str() {
        scene.paths.learn(cwd);
    }
    let session = event["session_id"].as_str().map(str::to_owned);
    scene.report.session.clone_from(&session);
    let text = ["Droid"].into_iter().chain(event["model"].as_str()).collect::<Vec<_>>().join(", ");
    scene.add(Entry { session, ..Entry::new(EntryKind::Session, text) });
}

fn completion(event: &Value, scene: &mut Scene<'_>) {
    if let Some(text) = event["finalText"].as_str().filter(|text| !text.trim().is_empty()) {
        if scene.report.said.as_deref() != Some(clip(text).as_str()) {
            scene.say(EntryKind::Assistant, text);
        }
        scene.report.said = Some(clip(text));
    }
    let used = usage(&event["usage"]);
    scene.report.usage = scene.report.usage + used;
    scene.used(used);
    let turns = event["numTurns"].as_u64().map(|n| counted(n, "turn", "turns"));
    let time = event["durationMs"].as_f64().map(seconds);
    let failed = event["isError"].as_bool() == Some(true) || event["subtype"].as_str() == Some("error");
    scene.end(!failed, &[turns, time].into_iter().flatten().collect::<Vec<_>>().join(", "));
}

fn is_refusal(why: &str) -> bool {
    ["insufficient permission", "denied by user", "not permitted", "was rejected"]
        .iter()
        .any(|words| why.contains(words))
}

/// Returns what a command exited with, and what it printed, without the sentences around it:
/// `Error: Command failed (exit code: 3)`, the output, `[Process exited with code 3]`.
fn printed(text: &str) -> (Option<i32>, &str) {
    let (text, code) =
        match text.trim_end().strip_suffix(']').and_then(|text| text.rsplit_once("[Process exited with code ")) {
            Some((before, code)) => (before.trim_end(), code.parse::<i32>().ok()),
            None => (text, None),
        };
    match text.split_once('\n').unwrap_or((text, "")) {
        (first, rest) if first.starts_with("Error: Command failed") => {
            let told = first.rsplit_once("exit code: ").and_then(|(_, code)| code.trim_end_matches(')').parse().ok());
            (code.or(told), rest)
        }
        ("Command completed successfully", rest) if rest.trim().is_empty() => (code, ""),
        _ => (code, text),
    }
}

/// Returns how many lines an edit changed, and which, as its result tells it.
fn changed(told: &Value) -> (Option<EditSize>, Option<String>) {
    let number = |key: &str| told[key].as_u64().and_then(|lines| usize::try_from(lines).ok());
    let size = number("linesAdded").zip(number("linesRemoved")).map(|(added, removed)| EditSize { added, removed });
    let lines = told["diffLines"].as_array().into_iter().flatten().filter_map(|line| {
        let mark = match line["type"].as_str()? {
            "added" => '+',
            "removed" => '-',
            _ => ' ',
        };
        Some(format!("{mark}{}", line["content"].as_str()?))
    });
    (size, diff_of(lines))
}

/// Tokens of a run; what the cache held is read too.
fn usage(usage: &Value) -> Usage {
    let tokens = |key: &str| usage[key].as_u64().unwrap_or(0);
    let input_tokens = tokens("input_tokens")
        .saturating_add(tokens("cache_read_input_tokens"))
        .saturating_add(tokens("cache_creation_input_tokens"));
    Usage { input_tokens, output_tokens: tokens("output_tokens"), cost_micros: None }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::read_text;
    use super::*;
    use crate::domain::outcome::Report;

    fn read(lines: &[&str]) -> (Vec<Entry>, Report) {
        read_text(Dialect::Droid, &lines.join("\n"))
    }

    const DONE: &str = r#"{"type":"completion","finalText":"Which one?","numTurns":2,"usage":{"input_tokens":5,"cache_read_input_tokens":7,"output_tokens":3}}"#;

    #[test]
    fn a_thought_that_comes_twice_is_shown_once() {
        let think = r#"{"type":"reasoning","id":"a","text":"Hm."}"#;
        let other = r#"{"type":"reasoning","id":"b","text":"Hm."}"#;
        assert_eq!(read(&[think, think, other]).0.len(), 2);
    }

    #[test]
    fn a_completion_ends_with_what_was_said_and_used() {
        let (entries, report) = read(&[DONE]);
        assert_eq!((report.ok, report.question.as_deref()), (Some(true), Some("Which one?")));
        assert_eq!(report.usage, Usage { input_tokens: 12, output_tokens: 3, cost_micros: None });
        assert_eq!((entries[0].text.as_str(), entries.last().unwrap().text.as_str()), ("Which one?", "2 turns"));
        let say = r#"{"type":"message","role":"assistant","text":"Which one?"}"#;
        assert_eq!(read(&[say, DONE]).0.len(), 3, "said once");
        assert_eq!(read(&[say, DONE, say]).1.ok, None, "work goes on");
    }

    #[test]
    fn the_first_error_is_the_reason() {
        let error = r#"{"type":"error","source":"agent_loop","message":"401 no key"}"#;
        let last = r#"{"type":"error","source":"cli","message":"Exec failed"}"#;
        let (entries, report) = read(&[error, last]);
        assert_eq!((report.ok, report.error.as_deref(), entries.len()), (Some(false), Some("401 no key"), 2));
        assert_eq!(read(&[last]).1.error.as_deref(), Some("Exec failed"));
    }

    #[test]
    fn what_droid_may_not_do_is_noted() {
        let call = r#"{"type":"tool_call","id":"c","toolName":"Execute","parameters":{"command":"touch x"}}"#;
        let refused = r#"{"type":"tool_result","id":"c","isError":true,"error":{"message":"Error: Exec ended early: insufficient permission to proceed."}}"#;
        assert_eq!(read(&[call, refused]).1.denied, ["Execute touch x"]);
    }

    #[test]
    fn how_a_command_ended_is_a_sentence() {
        for (text, code, output) in [
            ("a\nb\n\n\n[Process exited with code 0]", Some(0), "a\nb"),
            ("Error: Command failed (exit code: 3)\nout\n\n\n[Process exited with code 3]", Some(3), "out"),
            ("Error: Command failed (exit code: 1)\n\n[Process exited with code 1]", Some(1), ""),
            ("Command completed successfully\n\n[Process exited with code 0]", Some(0), ""),
            ("Error: Command failed (exit code: 2)", Some(2), ""),
            ("timed out", None, "timed out"),
        ] {
            let (told, printed) = printed(text);
            assert_eq!((told, printed.trim_end()), (code, output), "{text}");
        }
    }

    #[test]
    fn an_edit_is_as_long_as_its_result_says() {
        let call = r#"{"type":"tool_call","id":"c","toolName":"Edit","parameters":{"file_path":"a.rs","old_str":"x","new_str":"y"}}"#;
        let told = r#"{"type":"tool_result","id":"c","isError":false,"value":"{\"success\":true,\"linesAdded\":4,\"linesRemoved\":2}"}"#;
        assert_eq!(read(&[call, told]).0[0].text, "edited, +4 -2");
        let object = r#"{"type":"tool_result","id":"c","isError":false,"value":{"linesAdded":4,"linesRemoved":2}}"#;
        assert_eq!(read(&[call, object]).0[0].text, "edited, +4 -2");
        let silent = r#"{"type":"tool_result","id":"c","isError":false}"#;
        assert_eq!(read(&[call, silent]).0[0].text, "edited, +1 -1");
    }
}
