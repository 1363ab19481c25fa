//! Goose's `--output-format stream-json`: messages, and a `complete` at the end.
//!
//! From its documentation and what people saw: a message comes in several lines with the same id, each with a piece of its
//! text; tools are named with their extension in front; after an error it says `complete` all the same.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::shape::{Pieces, clip, glance, micros, plain, unknown};
use crate::domain::log::EntryKind;
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Goose {
    calls: Calls,
    /// The message that comes in pieces, and what its text is.
    text: Pieces,
    kind: Kind,
    message: Option<String>,
    /// An error came, and nothing was said since.
    failed: bool,
}

/// What the text of a message is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Kind {
    #[default]
    Said,
    Thought,
}

impl Goose {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            "message" => self.message(&event["message"], scene),
            "notification" => {
                self.flush(scene);
                scene.say(EntryKind::System, &notification(event));
            }
            "error" => {
                self.flush(scene);
                self.failed = true;
                let error = &event["error"];
                scene.error(&error["message"].as_str().map_or_else(|| plain(error), str::to_owned));
            }
            "complete" => self.complete(event, scene),
            _ => {
                self.flush(scene);
                scene.say(EntryKind::System, &unknown(event));
            }
        }
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        self.flush(scene);
    }

    fn message(&mut self, message: &Value, scene: &mut Scene<'_>) {
        // Work goes on, so an end before this was not the last.
        scene.report.ok = None;
        let id = message["id"].as_str();
        // Without a name, each is a message of its own.
        if id.is_none() || id != self.message.as_deref() {
            self.flush(scene);
            self.message = id.map(str::to_owned);
        }
        let is_user = message["role"].as_str() == Some("user");
        for block in message["content"].as_array().into_iter().flatten() {
            let text = |key: &str| block[key].as_str().unwrap_or_default();
            match block["type"].as_str().unwrap_or_default() {
                "text" if is_user => scene.say(EntryKind::System, text("text")),
                "text" => self.piece(Kind::Said, text("text"), scene),
                "thinking" => self.piece(Kind::Thought, text("thinking"), scene),
                "reasoning" => self.piece(Kind::Thought, text("text"), scene),
                "redactedThinking" => {}
                "toolRequest" | "frontendToolRequest" => self.call(block, scene),
                "toolResponse" => self.answer(block, scene),
                _ => {
                    self.flush(scene);
                    scene.say(EntryKind::System, &unknown(block));
                }
            }
        }
    }

    fn piece(&mut self, kind: Kind, text: &str, scene: &mut Scene<'_>) {
        if kind != self.kind {
            self.flush(scene);
            self.kind = kind;
        }
        self.text.push(text);
    }

    fn flush(&mut self, scene: &mut Scene<'_>) {
        let text = self.text.take();
        if text.trim().is_empty() {
            return;
        }
        match self.kind {
            Kind::Thought => scene.say(EntryKind::Thinking, &text),
            Kind::Said => {
                self.failed = false;
                scene.report.said = Some(clip(&text));
                scene.say(EntryKind::Assistant, &text);
            }
        }
    }

    fn call(&mut self, block: &Value, scene: &mut Scene<'_>) {
        self.flush(scene);
        let asked = &block["toolCall"];
        let value = if asked["value"].is_null() { asked } else { &asked["value"] };
        let Some(name) = value["name"].as_str() else {
            return scene.say(EntryKind::System, &format!("a call that could not be made: {}", plain(&asked["error"])));
        };
        // `developer__shell` is the tool `shell` of the extension `developer`.
        let short = name.rsplit("__").next().unwrap_or(name);
        let call = Call::new(block["id"].as_str().unwrap_or_default(), short, &value["arguments"], scene);
        call.show_start(scene);
        self.calls.push(call);
    }

    fn answer(&mut self, block: &Value, scene: &mut Scene<'_>) {
        self.flush(scene);
        let result = &block["toolResult"];
        let value = if result["value"].is_null() { result } else { &result["value"] };
        let error = result["error"].as_str();
        let text = match error {
            Some(error) => error.to_owned(),
            None => result_text(if value["content"].is_null() { value } else { &value["content"] }),
        };
        let code = value["structuredContent"]["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
        let ok = error.is_none()
            && result["status"].as_str() != Some("error")
            && value["isError"].as_bool() != Some(true)
            && code.is_none_or(|code| code == 0);
        let Some(call) = self.calls.take(block["id"].as_str().unwrap_or_default()) else {
            return stray_result(None, Outcome::new(ok, &text), scene);
        };
        if ["declined to run this tool", "DO NOT attempt to call this tool"].iter().any(|words| text.contains(words)) {
            return call.show_denial(&text, scene);
        }
        let code = code.filter(|_| matches!(call.action, Action::Command { .. }));
        call.show_end(Outcome { code, ..Outcome::new(ok, &text) }, scene);
    }

    fn complete(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.flush(scene);
        let tokens = |key: &str| event[key].as_u64();
        let (input, output) = (tokens("input_tokens"), tokens("output_tokens").unwrap_or(0));
        let usage = Usage {
            input_tokens: input.or_else(|| Some(tokens("total_tokens")?.saturating_sub(output))).unwrap_or(0),
            output_tokens: output,
            cost_micros: event["cost_usd"].as_f64().and_then(micros),
        };
        scene.report.usage = usage;
        scene.used(usage);
        scene.end(!self.failed, if self.failed { "failed" } else { "" });
    }
}

/// Returns what an extension tells while it works.
fn notification(event: &Value) -> String {
    let who = event["extension_id"].as_str().unwrap_or("an extension");
    let what = [&event["log"]["message"], &event["progress"]["message"], &event["message"]];
    match what.into_iter().find_map(Value::as_str) {
        Some(what) => glance(&format!("{who}: {what}")),
        None => unknown(event),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Dialect;
    use super::super::tests::{read_text, shown};
    use super::*;

    fn message(id: &str, role: &str, content: &Value) -> String {
        json!({ "type": "message", "message": { "id": id, "role": role, "created": 1, "content": [content] } })
            .to_string()
    }

    fn say(id: &str, text: &str) -> String {
        message(id, "assistant", &json!({ "type": "text", "text": text }))
    }

    const COMPLETE: &str =
        r#"{"type":"complete","total_tokens":12,"input_tokens":10,"output_tokens":2,"cost_usd":0.5}"#;

    fn tool(name: &str, arguments: &Value, result: &Value) -> String {
        let call = json!({ "type": "toolRequest", "id": "1", "toolCall": { "status": "success", "value": { "name": name, "arguments": arguments } } });
        let answer = json!({ "type": "toolResponse", "id": "1", "toolResult": result });
        [message("a", "assistant", &call), message("b", "user", &answer)].join("\n")
    }

    #[test]
    fn pieces_of_one_message_are_one() {
        let think = message("m1", "assistant", &json!({ "type": "thinking", "thinking": "Hm." }));
        let lines = [&think, &say("m1", "One"), &say("m1", " two"), &say("m2", "Three?"), COMPLETE];
        let (entries, report) = read_text(Dialect::Goose, &lines.join("\n"));
        let usage = "usage [usage 10 2 Some(500000)] 10 tokens in, 2 out, $0.5000";
        assert_eq!(shown(&entries), ["thinking Hm.", "assistant One two", "assistant Three?", usage, "end [ok true]"]);
        assert_eq!((report.ok, report.question.as_deref()), (Some(true), Some("Three?")));
    }

    #[test]
    fn a_complete_after_an_error_is_no_success() {
        let error = r#"{"type":"error","error":"429 slow down"}"#;
        let (_, report) = read_text(Dialect::Goose, &[&say("1", "Hi"), error, COMPLETE].join("\n"));
        assert_eq!((report.ok, report.error.as_deref()), (Some(false), Some("429 slow down")));
        let (_, report) = read_text(Dialect::Goose, &[error, &say("1", "Hi"), COMPLETE].join("\n"));
        assert_eq!((report.ok, report.error), (Some(true), None), "it was overcome");
        let (_, report) = read_text(Dialect::Goose, &say("1", "Hi"));
        assert_eq!((report.ok, report.promises_end), (None, true), "it was cut off");
    }

    #[test]
    fn tools_are_known_without_their_extension() {
        let result = |code: i32, is_error: bool| {
            let value = json!({ "content": [{ "type": "text", "text": "out" }], "structuredContent": { "exit_code": code }, "isError": is_error });
            json!({ "status": "success", "value": value })
        };
        let command = json!({ "command": "make" });
        for (name, code, ok) in [("developer__shell", 0, "true"), ("shell", 2, "false")] {
            let (entries, _) = read_text(Dialect::Goose, &tool(name, &command, &result(code, code != 0)));
            assert_eq!(shown(&entries)[1], format!("command [tool shell] [exit {code}] [ok {ok}] make"));
        }
        let edit = json!({ "command": "str_replace", "path": "/w/a.rs", "old_str": "a", "new_str": "b" });
        let (entries, _) = read_text(
            Dialect::Goose,
            &tool("developer__text_editor", &edit, &json!({ "status": "success", "value": [] })),
        );
        assert_eq!(shown(&entries), ["edit [tool text_editor] [path a.rs] [ok true] edited, +1 -1"]);
        let refused = json!({ "status": "error", "error": "The user has declined to run this tool. DO NOT attempt to call this tool again." });
        assert_eq!(read_text(Dialect::Goose, &tool("shell", &command, &refused)).1.denied, ["shell make"]);
    }
}
