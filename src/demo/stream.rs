//! What the demo agent prints: one JSON object a line, in the shape of Claude Code's `stream-json`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

/// The model that the demo agent names.
pub(super) const MODEL: &str = "draft-demo";

/// Prints events and counts what they pretend to use. Every line is flushed, as real agents do.
pub(super) struct Stream<W> {
    out: W,
    session: String,
    dir: PathBuf,
    started: Instant,
    turns: u32,
    /// What the next turn reads: all that was said so far.
    context_tokens: u64,
    /// What all turns read together.
    input_tokens: u64,
    output_tokens: u64,
    denials: Vec<Value>,
    said: Option<String>,
}

/// How the final event says that it went.
pub(super) enum Ending<'a> {
    Good(&'a str),
    Bad(&'a str),
}

impl<W: Write> Stream<W> {
    /// Begins the stream with the event that names the session.
    pub(super) fn begin(out: W, session: String, dir: PathBuf, prompt: &str) -> io::Result<Self> {
        let mut stream = Self {
            out,
            session,
            dir,
            started: Instant::now(),
            turns: 0,
            context_tokens: 400 + prompt.len() as u64 / 4,
            input_tokens: 0,
            output_tokens: 0,
            denials: Vec::new(),
            said: None,
        };
        let init = json!({
            "type": "system", "subtype": "init", "cwd": stream.dir, "session_id": stream.session,
            "tools": ["Bash", "Edit", "Read", "Write"], "mcp_servers": [], "model": MODEL,
            "permissionMode": "bypassPermissions", "apiKeySource": "none",
        });
        stream.line(&init)?;
        Ok(stream)
    }

    /// Prints what the agent says.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.said = Some(text.to_owned());
        self.assistant(&json!({"type": "text", "text": text}))
    }

    /// Returns what the agent said last.
    pub(super) fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// Prints what the agent thinks.
    pub(super) fn think(&mut self, text: &str) -> io::Result<()> {
        self.assistant(&json!({"type": "thinking", "thinking": text, "signature": ""}))
    }

    /// Prints that a tool is used, and returns the name of the call.
    pub(super) fn call(&mut self, tool: &str, input: &Value) -> io::Result<String> {
        let id = format!("toolu_demo_{:04}", self.turns + 1);
        self.assistant(&json!({"type": "tool_use", "id": id, "name": tool, "input": input}))?;
        Ok(id)
    }

    /// Prints what the tool answered.
    pub(super) fn answer(&mut self, call: &str, result: Result<&str, &str>) -> io::Result<()> {
        let (content, is_error) = match result {
            Ok(content) => (content, false),
            Err(content) => (content, true),
        };
        self.context_tokens += 20 + content.len() as u64 / 4;
        let result = json!({"type": "tool_result", "tool_use_id": call, "content": content, "is_error": is_error});
        self.event(json!({
            "type": "user", "message": {"role": "user", "content": [result]}, "parent_tool_use_id": null,
        }))
    }

    /// Prints a use of a tool that the agent's own rules refuse.
    pub(super) fn denied(&mut self, tool: &str) -> io::Result<()> {
        let input = json!({"file_path": self.dir.join("denied.txt"), "content": ""});
        let call = self.call(tool, &input)?;
        let message = format!("The agent asked to use {tool}, but that was not granted.");
        self.event(json!({
            "type": "system", "subtype": "permission_denied", "tool_name": tool, "tool_use_id": call,
            "message": message,
        }))?;
        self.answer(&call, Err(&message))?;
        self.denials.push(json!({"tool_name": tool, "tool_use_id": call, "tool_input": input}));
        Ok(())
    }

    /// Prints that the model could not be reached and is tried again.
    pub(super) fn retry(&mut self, attempt: u32) -> io::Result<()> {
        self.event(json!({
            "type": "system", "subtype": "api_retry", "attempt": attempt, "max_retries": 10,
            "retry_delay_ms": 1000, "error_status": 429, "error": "rate_limit",
        }))
    }

    /// Prints the final event.
    pub(super) fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let (text, is_error, subtype) = match ending {
            Ending::Good(text) => (text, false, "success"),
            Ending::Bad(text) => (text, true, "error_during_execution"),
        };
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let cost = self.cost();
        let usage = json!({
            "input_tokens": self.input_tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
            "output_tokens": self.output_tokens,
        });
        let denials = std::mem::take(&mut self.denials);
        self.event(json!({
            "type": "result", "subtype": subtype, "is_error": is_error, "result": text, "stop_reason": "end_turn",
            "num_turns": self.turns, "duration_ms": millis, "duration_api_ms": 0, "total_cost_usd": cost,
            "usage": usage, "permission_denials": denials,
        }))
    }

    /// Prints bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// Returns where bytes can be written many at a time; the caller flushes.
    pub(super) fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// What it would have cost: small, and the same for the same work.
    #[expect(clippy::cast_precision_loss, reason = "a pretended price")]
    fn cost(&self) -> f64 {
        let micros = self.input_tokens + 5 * self.output_tokens;
        micros as f64 / 1e6
    }

    fn assistant(&mut self, block: &Value) -> io::Result<()> {
        self.turns += 1;
        let written = 1 + block.to_string().len() as u64 / 4;
        self.input_tokens += self.context_tokens;
        self.output_tokens += written;
        self.event(json!({
            "type": "assistant",
            "message": {
                "id": format!("msg_demo_{:04}", self.turns), "type": "message", "role": "assistant", "model": MODEL,
                "content": [block], "stop_reason": null,
                "usage": {"input_tokens": self.context_tokens, "output_tokens": written},
            },
            "parent_tool_use_id": null,
        }))
    }

    fn event(&mut self, mut event: Value) -> io::Result<()> {
        if let Some(fields) = event.as_object_mut() {
            fields.insert("session_id".to_owned(), json!(self.session));
        }
        self.line(&event)
    }

    fn line(&mut self, event: &Value) -> io::Result<()> {
        // One write for the line, so that nothing that a child prints into the same file comes between.
        let mut line = event.to_string();
        line.push('\n');
        self.raw(line.as_bytes())
    }
}
