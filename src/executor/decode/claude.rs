//! Claude Code's `stream-json`, which several other agents print too, among them Qwen Code.
//!
//! Seen in real streams: the final event does not begin with its type and says `success` when the run failed; counts of
//! tokens in messages are those of their beginning; new kinds of events come with every version. Qwen Code says errors of
//! its model as if the model had said them, and what it says again after one it prints again.

use serde_json::Value;

use super::Scene;
use super::calls::{Action, Call, Calls, Outcome, result_text, stray_result};
use super::edits::{Done, EditSize, hunks_of_patch};
use super::shape::{Pieces, clip, counted, glance, micros, plain, seconds, unknown};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::outcome::first_line;
use crate::domain::ticket::Usage;

/// What must be remembered between lines.
#[derive(Clone, Default, Debug)]
pub(super) struct Claude {
    calls: Calls,
    /// The message that comes in pieces; its whole follows, so this is shown only if the output ends first.
    partial: Pieces,
    /// The last error was shown with this text, so the final event need not repeat it.
    shown_error: Option<String>,
    /// Actions already noted as not allowed.
    denied: Vec<String>,
    /// What final events said was used.
    ended: Usage,
    /// What messages since then used, as far as they say it.
    begun: Usage,
    /// The message that was counted last; one message is printed as several lines.
    counted: Option<String>,
}

impl Claude {
    pub(super) fn event(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["type"].as_str().unwrap_or_default() {
            "system" => self.system(event, scene),
            "assistant" => self.assistant(event, scene),
            "user" => self.user(event, scene),
            "stream_event" => self.piece(event, scene),
            "result" => self.result(event, scene),
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    pub(super) fn finish(&mut self, scene: &mut Scene<'_>) {
        let partial = self.partial.take();
        if !partial.trim().is_empty() {
            scene.say(EntryKind::Assistant, &partial);
        }
    }

    fn system(&mut self, event: &Value, scene: &mut Scene<'_>) {
        match event["subtype"].as_str().unwrap_or_default() {
            "init" => begin(event, scene),
            "api_retry" => retry(event, scene),
            // Qwen Code's. The reason is not told.
            "retry" => say_retrying("trying to reach the model again", scene),
            "permission_denied" => {
                let tool = event["tool_name"].as_str().unwrap_or("a tool");
                let id = event["tool_use_id"].as_str().unwrap_or_default();
                self.deny(id, tool, scene);
                let text = event["message"].as_str().unwrap_or("this was not allowed");
                let path = self.calls.get(id).and_then(Call::path);
                scene.add(Entry { tool: Some(tool.to_owned()), path, ..Entry::new(EntryKind::Error, text) });
            }
            // A command that takes a while is called a task. Its call and its result are shown, so only one that goes on
            // in the background has more to tell.
            "task_started" if event["is_backgrounded"].as_bool() == Some(true) => {
                scene.say(EntryKind::System, &format!("in the background: {}", glance(&plain(&event["description"]))));
            }
            "task_notification" if event["output_file"].as_str().is_some_and(|file| !file.is_empty()) => {
                scene.say(EntryKind::System, &plain(&event["summary"]));
            }
            "task_started" | "task_notification" | "task_updated" | "background_tasks_changed" => {}
            // They come by the dozen and tell a reader nothing.
            "thinking_tokens" => {}
            "status" if matches!(event["status"].as_str(), None | Some("requesting")) => {}
            _ => scene.say(EntryKind::System, &unknown(event)),
        }
    }

    fn assistant(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let is_again = scene.report.retrying.take().is_some();
        let message = &event["message"];
        self.count(message, scene);
        // A message of a sub-agent is marked with the tool that runs it, and is not what the agent itself says.
        let parent = event["parent_tool_use_id"].as_str().map(|id| self.tool_of(id));
        if parent.is_none() {
            // Work goes on, so a final event before this one was not the last.
            scene.report.ok = None;
            self.partial = Pieces::default();
        }
        let is_error = event["is_api_error_message"].as_bool() == Some(true) || event["error"].is_string();
        let say = |this: &mut Self, text: &str, scene: &mut Scene<'_>| {
            let (said, error) = if is_error { ("", Some(text)) } else { without_error(text) };
            if !(is_again && parent.is_none() && scene.report.said.as_deref() == Some(clip(said).as_str())) {
                this.text(said, parent.as_deref(), scene);
            }
            this.error(error.unwrap_or_default(), scene);
        };
        if let Some(text) = message["content"].as_str() {
            say(self, text, scene);
        }
        for block in message["content"].as_array().into_iter().flatten() {
            let text = |key: &str| block[key].as_str().unwrap_or_default();
            match text("type") {
                "text" => say(self, text("text"), scene),
                // Some versions hide what was thought and leave the text empty.
                "thinking" if text("thinking").trim().is_empty() => {}
                "thinking" => {
                    scene.add(Entry { tool: parent.clone(), ..Entry::new(EntryKind::Thinking, text("thinking")) });
                }
                "tool_use" | "server_tool_use" => self.tool_use(text("id"), text("name"), &block["input"], scene),
                "redacted_thinking" => {}
                _ => scene.say(EntryKind::System, &unknown(block)),
            }
        }
    }

    fn tool_use(&mut self, id: &str, name: &str, input: &Value, scene: &mut Scene<'_>) {
        let call = Call::new(id, name, input, scene);
        call.show_start(scene);
        self.calls.push(call);
    }

    fn text(&mut self, text: &str, parent: Option<&str>, scene: &mut Scene<'_>) {
        if text.trim().is_empty() {
            return;
        }
        if parent.is_none() {
            scene.report.said = Some(clip(text));
        }
        scene.add(Entry { tool: parent.map(str::to_owned), ..Entry::new(EntryKind::Assistant, text) });
    }

    fn error(&mut self, text: &str, scene: &mut Scene<'_>) {
        if !text.trim().is_empty() {
            self.shown_error = Some(clip(text));
            scene.error(text);
        }
    }

    fn user(&mut self, event: &Value, scene: &mut Scene<'_>) {
        scene.report.retrying = None;
        let content = &event["message"]["content"];
        if let Some(text) = content.as_str() {
            scene.say(EntryKind::System, text);
        }
        for block in content.as_array().into_iter().flatten() {
            match block["type"].as_str().unwrap_or_default() {
                "tool_result" => self.tool_result(block, &event["tool_use_result"], scene),
                // What a sub-agent is asked was shown with the call that asks it.
                "text" if event["parent_tool_use_id"].is_string() => {}
                "text" => scene.say(EntryKind::System, block["text"].as_str().unwrap_or_default()),
                _ => scene.say(EntryKind::System, &unknown(block)),
            }
        }
    }

    fn tool_result(&mut self, block: &Value, details: &Value, scene: &mut Scene<'_>) {
        let ok = block["is_error"].as_bool() != Some(true);
        let text = result_text(&block["content"]);
        let id = block["tool_use_id"].as_str().unwrap_or_default();
        let call = self.calls.take(id);
        // The refusal was shown when it happened; the result only repeats its words.
        if !ok && self.denied.iter().any(|denied| denied == id) {
            return;
        }
        let Some(call) = call else { return stray_result(None, Outcome::new(ok, &text), scene) };
        let is_command = matches!(call.action, Action::Command { .. });
        let (code, text) = if is_command { exit_code(ok, &text, details) } else { (None, text.as_str()) };
        let created = details["type"].as_str() == Some("create") || text.starts_with("Successfully created");
        let diff = hunks_of_patch(&details["structuredPatch"]);
        let outcome = Outcome {
            code,
            diff: diff.as_deref(),
            done: created.then_some(Done::Created),
            size: EditSize::of_patch(&details["structuredPatch"]),
            ..Outcome::new(ok, text)
        };
        call.show_end(outcome, scene);
    }

    /// A piece of a message. The whole message comes too, so pieces are not shown.
    fn piece(&mut self, event: &Value, scene: &mut Scene<'_>) {
        scene.report.retrying = None;
        let piece = &event["event"];
        match piece["type"].as_str().unwrap_or_default() {
            "content_block_delta" if event["parent_tool_use_id"].is_null() => {
                self.partial.push(piece["delta"]["text"].as_str().unwrap_or_default());
            }
            // A message that broke off is begun again.
            "message_start" if event["parent_tool_use_id"].is_null() => self.partial = Pieces::default(),
            "error" => scene.error(&plain(&piece["error"]["message"])),
            "goal_state" if piece["goal_state"]["goal"].is_null() => {}
            kind if kind.starts_with("message_") || kind.starts_with("content_block_") || kind == "ping" => {}
            _ => scene.say(EntryKind::System, &unknown(piece)),
        }
    }

    fn result(&mut self, event: &Value, scene: &mut Scene<'_>) {
        self.partial = Pieces::default();
        let kind = event["subtype"].as_str().unwrap_or_default();
        let ok = event["is_error"].as_bool() != Some(true) && !kind.starts_with("error");
        for denial in event["permission_denials"].as_array().into_iter().flatten() {
            self.deny_late(denial, scene);
        }
        self.settle_usage(event, scene);
        if ok {
            self.well(event, scene);
        } else {
            self.badly(event, kind, scene);
        }
    }

    fn well(&mut self, event: &Value, scene: &mut Scene<'_>) {
        if let Some(result) = event["result"].as_str().filter(|text| !text.trim().is_empty()) {
            if scene.report.said.as_deref().map(str::trim) != Some(clip(result).trim()) {
                scene.say(EntryKind::Assistant, result);
            }
            scene.report.said = Some(clip(result));
        }
        self.shown_error = None;
        scene.end(true, &facts(event));
    }

    fn badly(&mut self, event: &Value, kind: &str, scene: &mut Scene<'_>) {
        let errors = event["errors"].as_array().map(|all| all.iter().map(plain).collect::<Vec<_>>().join("\n"));
        let why = event["result"].as_str().map(str::to_owned);
        let why = why.or(errors).or_else(|| event["error"]["message"].as_str().map(str::to_owned));
        let why = why.filter(|why| !why.trim().is_empty()).unwrap_or_else(|| kind.replace('_', " "));
        if self.shown_error.as_deref() == Some(clip(&why).as_str()) {
            scene.report.error = self.shown_error.take();
        } else {
            scene.error(&why);
        }
        let reason = event["terminal_reason"].as_str().filter(|reason| *reason != "completed").unwrap_or(kind);
        let status = event["api_error_status"].as_u64().map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        scene.end(false, &format!("failed: {}{status}, {}", reason.replace('_', " "), facts(event)));
    }

    /// Takes the totals of a final event in place of what was added up from messages.
    fn settle_usage(&mut self, event: &Value, scene: &mut Scene<'_>) {
        let models = event["model_usage_since_last_result"].as_object().filter(|models| !models.is_empty());
        let new = match models {
            // In a resumed session `total_cost_usd` holds the earlier runs too; these do not.
            Some(models) => models.values().map(model_usage).fold(Usage::default(), |sum, usage| sum + usage),
            None => Usage {
                cost_micros: event["total_cost_usd"].as_f64().and_then(micros),
                ..message_usage(&event["usage"])
            },
        };
        self.ended = if models.is_some() { self.ended + new } else { new };
        self.begun = Usage::default();
        scene.report.usage = self.ended;
        scene.used(new);
    }

    /// Adds up what messages say they used, so that a running agent has a count too. It is low: what a message writes
    /// is known only at the end.
    fn count(&mut self, message: &Value, scene: &mut Scene<'_>) {
        let id = message["id"].as_str();
        if id.is_some() && id == self.counted.as_deref() {
            return;
        }
        self.counted = id.map(str::to_owned);
        self.begun = self.begun + message_usage(&message["usage"]);
        scene.report.usage = self.ended + self.begun;
    }

    fn deny(&mut self, id: &str, tool: &str, scene: &mut Scene<'_>) {
        let what = self.calls.get(id).map_or_else(|| tool.to_owned(), Call::describe);
        self.note_denial(id, what, scene);
    }

    /// Notes a refusal that only the final event tells.
    fn deny_late(&mut self, denial: &Value, scene: &mut Scene<'_>) {
        let text = |key: &str| denial[key].as_str().unwrap_or_default();
        let what = Call::new("", text("tool_name"), &denial["tool_input"], scene).describe();
        self.note_denial(text("tool_use_id"), what, scene);
    }

    fn note_denial(&mut self, id: &str, what: String, scene: &mut Scene<'_>) {
        if !id.is_empty() && self.denied.iter().any(|known| known == id) {
            return;
        }
        if self.denied.len() < 100 {
            self.denied.push(clip(id));
        }
        scene.denied(first_line(&what));
    }

    fn tool_of(&self, id: &str) -> String {
        self.calls.get(id).map_or_else(|| "sub-agent".to_owned(), |call| call.tool.clone())
    }
}

fn begin(event: &Value, scene: &mut Scene<'_>) {
    if let Some(cwd) = event["cwd"].as_str() {
        scene.paths.learn(cwd);
    }
    let session = event["session_id"].as_str();
    // Every turn of one run begins like this again.
    if session.is_some() && session == scene.report.session.as_deref() {
        return;
    }
    scene.report.session = session.map(str::to_owned);
    let version = |key: &str, name: &str| event[key].as_str().map(|version| format!("{name} {version}"));
    let version = version("claude_code_version", "Claude Code").or_else(|| version("qwen_code_version", "Qwen Code"));
    let mode = event["permissionMode"].as_str().or_else(|| event["permission_mode"].as_str());
    let told = [event["model"].as_str(), version.as_deref(), mode];
    let text = told.into_iter().flatten().collect::<Vec<_>>().join(", ");
    scene.add(Entry { session: session.map(str::to_owned), ..Entry::new(EntryKind::Session, text) });
}

fn retry(event: &Value, scene: &mut Scene<'_>) {
    let mut words = vec!["trying to reach the model again".to_owned()];
    if let (Some(attempt), Some(max)) = (event["attempt"].as_u64(), event["max_retries"].as_u64()) {
        words.push(format!("attempt {attempt} of {max}"));
    }
    if let Some(millis) = event["retry_delay_ms"].as_f64() {
        words.push(format!("in {}", seconds(millis)));
    }
    let status = event["error_status"].as_u64().map(|status| format!("HTTP {status}"));
    let why: Vec<&str> = [status.as_deref(), event["error"].as_str()].into_iter().flatten().collect();
    if !why.is_empty() {
        words.push(why.join(" "));
    }
    let text = words.join(", ");
    say_retrying(&text, scene);
}

fn say_retrying(text: &str, scene: &mut Scene<'_>) {
    if scene.report.retrying.as_deref() != Some(text) {
        scene.say(EntryKind::Retry, text);
        scene.report.retrying = Some(clip(text));
    }
}

/// Takes an error off the end of what Qwen Code says: `[API Error: 401 refused]`.
fn without_error(text: &str) -> (&str, Option<&str>) {
    match text.rfind("[API Error: ") {
        Some(at) if text.trim_end().ends_with(']') => (&text[..at], Some(text[at..].trim_end())),
        Some(_) | None => (text, None),
    }
}

/// Returns a command's exit code, where the result tells it, and its output without the lines that tell such things.
fn exit_code<'a>(ok: bool, text: &'a str, details: &Value) -> (Option<i32>, &'a str) {
    let code_of = |line: &str| {
        let rest = line.get(.."exit code".len()).filter(|start| start.eq_ignore_ascii_case("exit code"))?;
        line[rest.len()..].trim_start_matches(':').trim().parse::<i32>().ok()
    };
    if ok {
        // Background commands go on, and some tools count a code other than 0 as fine.
        let unclear = details["interrupted"].as_bool() == Some(true)
            || details["backgroundTaskId"].is_string()
            || details["returnCodeInterpretation"].is_string();
        let nothing = text == "(Bash completed with no output)";
        return ((!unclear).then_some(0), if nothing { "" } else { text });
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match code_of(first) {
        Some(code) => (Some(code), rest),
        None => (text.lines().rev().find_map(code_of), told_output(text)),
    }
}

/// Returns what a command printed, from Qwen Code's account of one that failed.
fn told_output(text: &str) -> &str {
    let Some((_, account)) = text.split_once("\nOutput: ").filter(|_| text.starts_with("Command: ")) else {
        return text;
    };
    let Some((output, _)) = account.rsplit_once("\nError: ") else { return text };
    if output == "(empty)" { "" } else { output }
}

/// Tokens of a message; what the cache held is read too.
fn message_usage(usage: &Value) -> Usage {
    // Cursor writes them so.
    if usage["inputTokens"].is_u64() {
        return model_usage(usage);
    }
    let tokens = |key: &str| usage[key].as_u64().unwrap_or(0);
    let cached = tokens("cache_creation_input_tokens").saturating_add(tokens("cache_read_input_tokens"));
    let (input, output_tokens) = (tokens("input_tokens"), tokens("output_tokens"));
    // Who also tells the total counts cached tokens as input already.
    let holds_cached = usage["total_tokens"].as_u64() == Some(input.saturating_add(output_tokens));
    let input_tokens = if holds_cached { input } else { input.saturating_add(cached) };
    Usage { input_tokens, output_tokens, cost_micros: None }
}

/// Tokens and cost of one model in a final event.
fn model_usage(usage: &Value) -> Usage {
    let tokens = |key: &str| usage[key].as_u64().unwrap_or(0);
    Usage {
        input_tokens: tokens("inputTokens")
            .saturating_add(tokens("cacheReadInputTokens"))
            .saturating_add(tokens("cacheCreationInputTokens")),
        output_tokens: tokens("outputTokens"),
        cost_micros: usage["costUSD"].as_f64().and_then(micros),
    }
}

/// Returns `7 turns, 4.0 s`.
fn facts(event: &Value) -> String {
    let turns = event["num_turns"].as_u64().map(|n| counted(n, "turn", "turns"));
    let time = event["duration_ms"].as_f64().map(seconds);
    [turns, time].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
