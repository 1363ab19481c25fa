//! Any agent that prints an object a line: what a line is gets guessed from the names that agents give to things.
//!
//! A guess may show a line wrongly, so each is shown, and none is a claim: only a failure is ever concluded from it, and
//! that only from an end that says so.

use serde_json::Value;

use super::Scene;
use super::calls::{Call, Calls, Outcome, stray_result};
use super::fields::Fields;
use super::shape::{Pieces, clip, question, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::ticket::Usage;

/// How deep blocks may lie in blocks.
const DEPTH_MAX: usize = 4;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Json {
    calls: Calls,
    /// A text that comes in pieces, and whether it is a thought.
    piece: Pieces,
    is_thought: bool,
    /// The usage that was shown last.
    shown: Usage,
}

impl Json {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let fields = Fields::of(event);
        if !fields.is_piece() {
            self.flush(scene);
        }
        let told = scene.out.len();
        begin(&fields, scene);
        self.tell(&fields, 0, scene);
        let is_nothing_else = scene.out.len() == told;
        self.count(&fields, is_nothing_else, scene);
        // A piece is told later, and a call that is told again was told before.
        if scene.out.len() == told && !fields.is_piece() && fields.tool().is_none() {
            scene.say(EntryKind::System, &unknown(event));
        }
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        self.flush(scene);
        if scene.report.ok != Some(false) {
            let said = scene.report.said.as_deref().and_then(question);
            scene.report.question = said.or_else(|| scene.asked.clone());
        }
    }

    fn tell(&mut self, fields: &Fields<'_>, depth: usize, scene: &mut Scene<'_>) {
        if fields.is(&["retry", "reconnect"]) {
            let text = fields.text().or_else(|| fields.error()).unwrap_or_else(|| fields.name());
            scene.report.retrying = Some(clip(&text));
            return scene.say(EntryKind::Retry, &text);
        }
        if let Some(tool) = fields.tool() {
            return self.tool(fields, tool, scene);
        }
        if fields.is_end() {
            return end(fields, scene);
        }
        if let Some(error) = fields.error() {
            return scene.error(&error);
        }
        scene.report.retrying = None;
        let blocks = fields.blocks();
        if depth < DEPTH_MAX && !blocks.is_empty() {
            for block in blocks {
                self.tell(&Fields::within(block, fields), depth + 1, scene);
            }
        } else if let Some(text) = fields.text() {
            self.text(fields, &text, scene);
        }
        if depth < DEPTH_MAX {
            for call in fields.calls() {
                self.tell(&Fields::within(call, fields), DEPTH_MAX, scene);
            }
        }
    }

    fn text(&mut self, fields: &Fields<'_>, text: &str, scene: &mut Scene<'_>) {
        let is_thought = fields.is(&["thinking", "thought", "reasoning"]);
        if fields.is_piece() {
            if is_thought != self.is_thought {
                self.flush(scene);
                self.is_thought = is_thought;
            }
            return self.piece.push(text);
        }
        if text.trim().is_empty() {
            return;
        }
        if is_thought {
            return scene.say(EntryKind::Thinking, text);
        }
        if fields.is_of_others() {
            return scene.say(EntryKind::System, text);
        }
        say(text, scene);
    }

    fn flush(&mut self, scene: &mut Scene<'_>) {
        if std::mem::take(&mut self.is_thought) {
            return scene.say_pieces(EntryKind::Thinking, &mut self.piece);
        }
        let text = self.piece.take();
        if !text.trim().is_empty() {
            say(&text, scene);
        }
    }

    fn tool(&mut self, fields: &Fields<'_>, tool: &str, scene: &mut Scene<'_>) {
        let id = fields.id();
        if !fields.is_answer() {
            // Some agents tell again and again that it runs.
            if id.is_empty() || self.calls.get(&id).is_none() {
                let call = Call::new(&id, tool, fields.input(), scene);
                call.show_start(scene);
                self.calls.push(call);
            }
            return;
        }
        let text = fields.answer();
        let failed = fields.has_failed() || fields.error().is_some();
        // Nothing that is only not called a failure is called a success.
        let ok = if failed { Some(false) } else { fields.went_well() };
        let outcome = Outcome { ok, code: fields.exit_code(), ..Outcome::new(true, &text) };
        let begun = self.calls.take(&id).filter(|_| !id.is_empty());
        match begun.or_else(|| fields.has_input().then(|| Call::new(&id, tool, fields.input(), scene))) {
            Some(call) if fields.is_refused() => call.show_denial(&text, scene),
            Some(call) => call.show_end(outcome, scene),
            None => stray_result(Some(tool).filter(|tool| !tool.is_empty()), outcome, scene),
        }
    }

    /// Takes note of tokens. Whether they are those of a step or of all so far is not known, so the most is taken.
    fn count(&mut self, fields: &Fields<'_>, is_nothing_else: bool, scene: &mut Scene<'_>) {
        let Some(usage) = fields.usage() else { return };
        let before = scene.report.usage;
        let most = Usage {
            input_tokens: before.input_tokens.max(usage.input_tokens),
            output_tokens: before.output_tokens.max(usage.output_tokens),
            cost_micros: before.cost_micros.max(usage.cost_micros),
        };
        scene.report.usage = most;
        if most != self.shown && (is_nothing_else || fields.is_end()) {
            self.shown = most;
            scene.used(most);
        }
    }
}

fn say(text: &str, scene: &mut Scene<'_>) {
    scene.report.said = Some(clip(text));
    scene.say(EntryKind::Assistant, text);
}

/// The first line that names a session begins it.
fn begin(fields: &Fields<'_>, scene: &mut Scene<'_>) {
    if let Some(cwd) = fields.folder() {
        scene.paths.learn(cwd);
    }
    let Some(session) = fields.session().filter(|_| scene.report.session.is_none()) else { return };
    scene.report.session = Some(session.to_owned());
    scene.add(Entry {
        session: Some(session.to_owned()),
        ..Entry::new(EntryKind::Session, fields.model().unwrap_or(session))
    });
}

/// An end. It is a failure where it says so, and else only an end.
fn end(fields: &Fields<'_>, scene: &mut Scene<'_>) {
    scene.report.retrying = None;
    let failed = fields.has_failed();
    let text = fields.text().filter(|text| !text.trim().is_empty());
    if failed {
        let why = fields.error().or(text).unwrap_or_else(|| fields.name());
        if scene.report.error.as_deref() != Some(&clip(&why)) {
            scene.error(&why);
        }
        return scene.end(false, &format!("failed: {}", fields.name()));
    }
    if let Some(text) = text.filter(|text| scene.report.said.as_deref().map(str::trim) != Some(clip(text).trim())) {
        say(&text, scene);
    }
    scene.say(EntryKind::End, &fields.name());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Dialect;
    use super::super::tests::{read_text, shown};

    #[track_caller]
    fn assert_shown(lines: &[serde_json::Value], wanted: &[&str]) {
        let text = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let (entries, report) = read_text(Dialect::Json, &text);
        assert_eq!(shown(&entries), wanted, "{text}");
        assert_ne!(report.ok, Some(true), "nothing is a claim of success: {text}");
    }

    #[test]
    fn words_of_many_agents_are_understood() {
        for said in [
            json!({ "type": "message", "role": "assistant", "content": "Hi" }),
            json!({ "type": "assistant", "message": { "content": [{ "type": "text", "text": "Hi" }] } }),
            json!({ "role": "assistant", "content": [{ "text": "Hi" }] }),
            json!({ "event": "say", "data": { "text": "Hi" } }),
            json!({ "kind": "AssistantMessage", "data": { "content": "Hi" } }),
            json!({ "text": "Hi" }),
            json!({ "method": "x", "params": { "update": { "type": "agent_message", "content": { "text": "Hi" } } } }),
        ] {
            assert_shown(&[said], &["assistant Hi"]);
        }
        assert_shown(&[json!({ "type": "reasoning", "text": "Hm" })], &["thinking Hm"]);
        assert_shown(&[json!({ "role": "user", "content": "Do it" })], &["system Do it"]);
        assert_shown(&[json!({ "level": "info", "message": "ready" })], &["system ready"]);
        assert_shown(&[json!({ "type": "news", "n": 1 })], &["system news n=1"]);
        assert_shown(&[json!({})], &["system unknown event"]);
    }

    #[test]
    fn pieces_are_joined_until_something_else_comes() {
        let piece = |text: &str| json!({ "type": "text_delta", "delta": text });
        assert_shown(&[piece("One "), piece("two"), json!({ "type": "step" })], &["assistant One two", "system step"]);
        assert_shown(&[piece("One "), piece("two")], &["assistant One two"]);
        let thought = json!({ "type": "thinking_delta", "text": "Hm" });
        assert_shown(&[thought, piece("So")], &["thinking Hm", "assistant So"]);
    }

    #[test]
    fn calls_and_their_results_are_paired() {
        let call = json!({ "type": "tool_use", "id": "1", "name": "bash", "input": { "command": "make" } });
        let result = json!({ "type": "tool_result", "tool_use_id": "1", "content": "built" });
        let wanted = ["tool_call [tool bash] make", "command [tool bash] make", "tool_result [tool bash] built"];
        assert_shown(&[call.clone(), result], &wanted);
        let failed = json!({ "type": "tool_result", "tool_use_id": "1", "content": "no rule", "is_error": true });
        assert_shown(
            &[call, failed],
            &[wanted[0], "command [tool bash] [ok false] make", "tool_result [tool bash] [ok false] no rule"],
        );
        let chat = json!({ "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": "read", "arguments": "{\"path\":\"/w/a\"}" } }] });
        assert_shown(&[chat], &["tool_call [tool read] [path a] a"]);
        let refused = json!({ "type": "tool_result", "tool": "bash", "args": { "command": "rm x" }, "status": "denied", "output": "no" });
        let (_, report) = read_text(Dialect::Json, &refused.to_string());
        assert_eq!(report.denied, ["bash rm x"]);
    }

    #[test]
    fn steps_of_antigravity_are_understood() {
        let step = |step: serde_json::Value| json!({ "event": "step_update", "step_update": step });
        let run = |state: &str, info: serde_json::Value| {
            step(
                json!({ "step_index": 3, "state": state, "step_type": "tool", "tool_name": "run_command", "tool_info": info }),
            )
        };
        let info = json!({ "name": "run_command", "parameters": { "CommandLine": "make" } });
        let done = json!({ "name": "run_command", "parameters": { "CommandLine": "make" }, "output": "built" });
        let lines = [
            json!({ "event": "init", "conversation_id": "c1", "init": { "cwd": "/w", "model": "m" } }),
            step(json!({ "step_index": 1, "state": "ACTIVE", "step_type": "agent_response", "text_delta": "On " })),
            step(json!({ "step_index": 1, "state": "DONE", "step_type": "agent_response", "text_delta": "it." })),
            run("ACTIVE", info.clone()),
            run("ACTIVE", info),
            run("DONE", done),
            json!({ "event": "result", "result": { "status": "SUCCESS", "response": "Done.", "usage": { "input_tokens": 7, "output_tokens": 2 } } }),
        ];
        let wanted = [
            "session [session c1] m",
            "assistant On it.",
            "tool_call [tool run_command] make",
            "command [tool run_command] [ok true] make",
            "tool_result [tool run_command] [ok true] built",
            "assistant Done.",
            "end result/SUCCESS",
            "usage [usage 7 2 None] 7 tokens in, 2 out",
        ];
        assert_shown(&lines, &wanted);
        let failed = json!({ "event": "result", "result": { "status": "ERROR", "error": "quota", "response": "" } });
        let (_, report) = read_text(Dialect::Json, &failed.to_string());
        assert_eq!((report.ok, report.error.as_deref(), report.session), (Some(false), Some("quota"), None));
    }

    #[test]
    fn only_an_end_that_says_so_is_a_failure() {
        let (_, report) = read_text(Dialect::Json, &json!({ "type": "error", "message": "429" }).to_string());
        assert_eq!((report.ok, report.error.as_deref(), report.promises_end), (None, Some("429"), false));
        for end in [
            json!({ "type": "result", "is_error": true, "result": "401" }),
            json!({ "type": "done", "success": false, "message": "401" }),
            json!({ "type": "result", "status": "failed", "error": { "message": "401" } }),
            json!({ "type": "completed", "exitCode": 2, "error": "401" }),
        ] {
            let (_, report) = read_text(Dialect::Json, &end.to_string());
            assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("401")), "{end}");
        }
        let retry = json!({ "type": "api_retry", "message": "429, again in 2 s" });
        let (_, report) = read_text(Dialect::Json, &retry.to_string());
        assert_eq!((report.retrying.as_deref(), report.error), (Some("429, again in 2 s"), None));
    }

    #[test]
    fn tokens_are_never_counted_twice() {
        let usage = |n: u64| json!({ "type": "usage", "usage": { "prompt_tokens": n, "completion_tokens": 1 }, "total_cost_usd": 0.5 });
        let text = [usage(5), usage(9), usage(9)].map(|line| line.to_string()).join("\n");
        let (entries, report) = read_text(Dialect::Json, &text);
        assert_eq!(
            (report.usage.input_tokens, report.usage.output_tokens, report.usage.cost_micros),
            (9, 1, Some(500_000))
        );
        assert_eq!(entries.iter().filter(|entry| entry.usage.is_some()).count(), 2);
    }

    #[test]
    fn an_agent_that_ends_with_a_question_asks() {
        let (_, report) =
            read_text(Dialect::Json, &json!({ "role": "assistant", "content": "Which one?" }).to_string());
        assert_eq!(report.question.as_deref(), Some("Which one?"));
    }
}
