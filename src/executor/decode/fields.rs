//! What the names in an object of an unknown agent may mean, wherever in its envelopes they stand.

use std::collections::VecDeque;

use serde_json::Value;

use super::calls::result_text;
use super::shape::{micros, plain};
use crate::domain::ticket::Usage;

/// Most objects of one line that are looked at.
const LAYERS_MAX: usize = 8;
/// Keys under which agents wrap what they tell; also the name of an event itself.
const ENVELOPES: [&str; 15] = [
    "data",
    "payload",
    "message",
    "msg",
    "part",
    "item",
    "event",
    "params",
    "update",
    "content",
    "tool_call",
    "toolCall",
    "tool_info",
    "function",
    "state",
];
const KINDS: [&str; 8] =
    ["type", "event", "kind", "event_type", "eventType", "step_type", "contentType", "sessionUpdate"];
const STAGES: [&str; 9] =
    ["subtype", "state", "status", "phase", "finishReason", "finish_reason", "stopReason", "stop_reason", "reason"];
const ENDS: [&str; 16] = [
    "result",
    "done",
    "complete",
    "completed",
    "end",
    "finish",
    "finished",
    "final",
    "runresult",
    "agentend",
    "sessionend",
    "turncompleted",
    "turnend",
    "runcompleted",
    "taskcomplete",
    "exit",
];
const FAILURES: [&str; 7] = ["error", "fail", "abort", "cancel", "timeout", "timedout", "refus"];
const TEXTS: [&str; 10] =
    ["text", "content", "message", "delta", "text_delta", "response", "result", "output", "summary", "msg"];
const INPUTS: [&str; 7] = ["input", "arguments", "args", "parameters", "params", "tool_input", "rawInput"];
const ANSWERS: [&str; 6] = ["output", "result", "content", "response", "stdout", "text"];
const ERRORS: [&str; 3] = ["error", "errorMessage", "error_message"];

static NOTHING: Value = Value::Null;

/// An object of a line, and those that it wraps.
pub(super) struct Fields<'a> {
    layers: Vec<&'a Value>,
    /// Its kinds and its stages, in small letters and without marks.
    kinds: Vec<String>,
    stages: Vec<String>,
    role: Option<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(event: &'a Value) -> Self {
        let (mut layers, mut next) = (Vec::new(), VecDeque::from([event]));
        while let Some(object) = next.pop_front().filter(|_| layers.len() < LAYERS_MAX) {
            layers.push(object);
            let own = ["type", "event", "kind"].iter().filter_map(|key| object[*key].as_str());
            next.extend(ENVELOPES.into_iter().chain(own).map(|key| &object[key]).filter(|inner| inner.is_object()));
        }
        let names = |keys: &[&str]| {
            let words = layers.iter().flat_map(|layer| keys.iter().filter_map(|key| layer[*key].as_str()));
            words.map(bare).collect::<Vec<_>>()
        };
        let (kinds, stages) = (names(&KINDS), names(&STAGES));
        let role = names(&["role", "author", "sender"]).into_iter().next();
        Self { layers, kinds, stages, role }
    }

    /// Returns the fields of a block of another object: what it does not say itself is as there.
    pub(super) fn within(block: &'a Value, outer: &Self) -> Self {
        let mut fields = Self::of(block);
        fields.role = fields.role.or_else(|| outer.role.clone());
        if fields.kinds.is_empty() {
            fields.kinds.clone_from(&outer.kinds);
        }
        fields
    }

    fn value(&self, keys: &[&str]) -> Option<&'a Value> {
        let found = |layer: &&'a Value| keys.iter().map(|key| &layer[*key]).find(|value| !value.is_null());
        self.layers.iter().find_map(found)
    }

    fn str(&self, keys: &[&str]) -> Option<&'a str> {
        let found =
            |layer: &&'a Value| keys.iter().find_map(|key| layer[*key].as_str().filter(|text| !text.is_empty()));
        self.layers.iter().find_map(found)
    }

    /// Says whether one of its kinds has one of these words in it.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        self.kinds.iter().any(|kind| words.iter().any(|word| kind.contains(word)))
    }

    /// Returns its kind and its stage as it says them.
    pub(super) fn name(&self) -> String {
        let names = [self.str(&KINDS), self.str(&STAGES)];
        names.into_iter().flatten().collect::<Vec<_>>().join("/")
    }

    pub(super) fn session(&self) -> Option<&'a str> {
        const KEYS: [&str; 7] =
            ["session_id", "sessionId", "sessionID", "thread_id", "threadId", "conversation_id", "conversationId"];
        self.str(&KEYS)
    }

    pub(super) fn folder(&self) -> Option<&'a str> {
        self.str(&["cwd", "working_directory", "workingDirectory"])
    }

    pub(super) fn model(&self) -> Option<&'a str> {
        self.str(&["model", "modelId", "model_id"])
    }

    /// Says whether its text is a piece of one.
    pub(super) fn is_piece(&self) -> bool {
        let is_text = |layer: &Value| layer["text_delta"].is_string() || layer["delta"].is_string();
        self.is(&["delta", "chunk"]) || self.layers.iter().any(|layer| is_text(layer) || layer["delta"] == true)
    }

    /// Says whether it is not the agent that speaks.
    pub(super) fn is_of_others(&self) -> bool {
        let role = self.role.as_deref().is_some_and(|role| ["user", "system", "developer", "human"].contains(&role));
        role || self.is(&["userinput", "usermessage", "system", "log", "notif", "status"])
            || self.kinds.iter().any(|kind| kind == "user")
            || self.value(&["level", "severity"]).is_some()
    }

    pub(super) fn text(&self) -> Option<String> {
        self.str(&TEXTS).map(str::to_owned)
    }

    /// Returns the objects of its content, where that is a list.
    pub(super) fn blocks(&self) -> Vec<&'a Value> {
        let lists = self.layers.iter().filter_map(|layer| layer["content"].as_array());
        lists.flatten().filter(|block| block.is_object()).collect()
    }

    /// Returns the calls that a message has beside its content.
    pub(super) fn calls(&self) -> Vec<&'a Value> {
        let lists = self
            .layers
            .iter()
            .filter_map(|layer| ["tool_calls", "toolCalls"].iter().find_map(|key| layer[*key].as_array()));
        lists.flatten().filter(|call| call.is_object()).collect()
    }

    /// Returns the name of the tool that it is about; empty where it is about one that it does not name.
    pub(super) fn tool(&self) -> Option<&'a str> {
        let named = self.str(&["tool", "tool_name", "toolName"]);
        let is_tool = self.is(&["tool", "function"]) || self.role.as_deref() == Some("tool");
        let is_function = || self.layers.iter().any(|layer| layer["function"]["name"].is_string());
        let by_kind = || (is_tool || is_function()).then(|| self.str(&["name", "title"]).unwrap_or_default());
        named.or_else(by_kind)
    }

    pub(super) fn id(&self) -> String {
        const KEYS: [&str; 11] = [
            "tool_call_id",
            "toolCallId",
            "tool_use_id",
            "toolUseId",
            "call_id",
            "callId",
            "callID",
            "tool_id",
            "id",
            "step_index",
            "index",
        ];
        self.value(&KEYS).filter(|id| id.is_string() || id.is_number()).map(plain).unwrap_or_default()
    }

    pub(super) fn has_input(&self) -> bool {
        self.value(&INPUTS).is_some()
    }

    pub(super) fn input(&self) -> &'a Value {
        self.value(&INPUTS).unwrap_or(&NOTHING)
    }

    /// Says whether it is what a tool answered, and not a call.
    pub(super) fn is_answer(&self) -> bool {
        const OVER: [&str; 9] =
            ["result", "response", "output", "complete", "done", "finish", "end", "error", "success"];
        let is_over = |names: &[String]| {
            names.iter().any(|name| OVER.iter().any(|word| name.ends_with(word) || name.ends_with(&format!("{word}d"))))
        };
        self.role.as_deref() == Some("tool")
            || is_over(&self.kinds)
            || is_over(&self.stages)
            || self.is_refused()
            || self.str(&["output"]).is_some()
            || (!self.has_input() && self.value(&["result"]).is_some())
    }

    /// Returns what a tool answered.
    pub(super) fn answer(&self) -> String {
        self.value(&ANSWERS)
            .map(result_text)
            .filter(|text| !text.is_empty())
            .or_else(|| self.error())
            .unwrap_or_default()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.stages.iter().any(|stage| ["denied", "rejected", "declined", "refused"].contains(&stage.as_str()))
    }

    pub(super) fn exit_code(&self) -> Option<i32> {
        let code = self.value(&["exit_code", "exitCode", "exit"])?.as_i64()?;
        i32::try_from(code).ok()
    }

    /// Returns yes only where it is said.
    pub(super) fn went_well(&self) -> Option<bool> {
        let said = self
            .stages
            .iter()
            .any(|stage| ["success", "succeeded", "completed", "done", "ok"].contains(&stage.as_str()));
        let told = self.value(&["success", "ok"]).and_then(Value::as_bool);
        told.or_else(|| self.value(&["is_error", "isError"])?.as_bool().map(|failed| !failed))
            .or_else(|| said.then_some(true))
    }

    /// Says whether it tells that something went wrong.
    pub(super) fn has_failed(&self) -> bool {
        let told = |keys: &[&str], value: bool| self.value(keys).and_then(Value::as_bool) == Some(value);
        told(&["is_error", "isError"], true)
            || told(&["success", "ok"], false)
            || self.exit_code().is_some_and(|code| code != 0)
            || self.stages.iter().any(|stage| FAILURES.iter().any(|word| stage.contains(word)))
    }

    /// Says whether the run ends with it.
    pub(super) fn is_end(&self) -> bool {
        self.kinds.first().is_some_and(|kind| ENDS.contains(&kind.as_str()))
    }

    /// Returns the words of an error, if it tells of one.
    pub(super) fn error(&self) -> Option<String> {
        let given = self.value(&ERRORS).filter(|error| error.as_bool() != Some(false));
        if let Some(error) = given {
            let words = [&error["message"], &error["data"]["message"], error].into_iter().find_map(Value::as_str);
            return Some(words.map_or_else(|| plain(error), str::to_owned));
        }
        let level = self.str(&["level", "severity"]).map(bare);
        let is_one = self.is(&["error", "exception", "fatal"])
            || level.is_some_and(|level| ["error", "fatal", "critical"].contains(&level.as_str()));
        is_one.then(|| self.text().unwrap_or_else(|| self.name()))
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        let counts = self.value(&["usage", "token_usage", "tokenUsage", "tokens", "stats"]);
        let places = || counts.into_iter().chain(self.layers.iter().copied());
        let tokens = |keys: &[&str]| places().find_map(|place| keys.iter().find_map(|key| place[*key].as_u64()));
        let input = tokens(&["input_tokens", "inputTokens", "prompt_tokens", "promptTokens", "input"]);
        let output = tokens(&["output_tokens", "outputTokens", "completion_tokens", "completionTokens", "output"]);
        let costs = ["total_cost_usd", "cost_usd", "costUSD", "totalCost", "total_cost", "cost"];
        let cost = places().find_map(|place| costs.iter().find_map(|key| place[*key].as_f64()));
        // A model without a price costs 0, which says nothing.
        let cost_micros = cost.filter(|cost| *cost > 0.0).and_then(micros);
        let is_any = input.is_some() || output.is_some() || cost_micros.is_some();
        is_any.then(|| Usage { input_tokens: input.unwrap_or(0), output_tokens: output.unwrap_or(0), cost_micros })
    }
}

/// Returns a name in small letters and without marks, since one agent says `tool_use` and another `toolUse`.
fn bare(name: &str) -> String {
    const NAME_MAX: usize = 64;
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(NAME_MAX).collect()
}
