//! An entry of a log as commands print it: a line for people, without anything that acts on a terminal, or JSON.

use serde_json::Value;

use crate::domain::log::{Entry, EntryKind};
use crate::ui::widget::text::visible;

/// Returns an entry as people read it.
pub(super) fn text(entry: &Entry) -> String {
    let text: Vec<String> = entry.text.lines().map(|line| visible(line).into_owned()).collect();
    let text = text.join("\n    ");
    if entry.kind == EntryKind::Text {
        return text;
    }
    // A call says which tool it is of; of other entries the tool is plain from the call before. What a sub-agent says is marked
    // with the tool that runs it.
    let is_called = entry.kind == EntryKind::ToolCall;
    let is_said = matches!(entry.kind, EntryKind::Assistant | EntryKind::Thinking);
    let tool = entry.tool.as_deref().filter(|_| is_called || is_said);
    // Some calls have no other text than the path.
    let path = entry.path.as_deref().filter(|path| *path != entry.text);
    let before: String =
        [tool, path].into_iter().flatten().map(|word| format!("{} ", visible(&word.replace('\n', " ")))).collect();
    let code = entry.exit_code.map(|code| format!(" [exit {code}]")).unwrap_or_default();
    format!("{:<11} {before}{text}{code}", entry.kind)
}

/// Returns an entry for programs.
pub(super) fn json(entry: &Entry) -> Value {
    let mut value = serde_json::to_value(entry).unwrap_or(Value::Null);
    if let Some(usage) = entry.usage {
        value["tokens"] = usage.tokens().into();
        value["cost_usd"] = usage.cost_usd().into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_tells_its_tool_and_its_file_once() {
        let call = |tool: &str, path: Option<&str>, words: &str| {
            let (tool, path) = (Some(tool.to_owned()), path.map(str::to_owned));
            text(&Entry { tool, path, ..Entry::new(EntryKind::ToolCall, words) })
        };
        assert_eq!(call("Read", Some("a.rs"), "a.rs"), "tool_call   Read a.rs");
        assert_eq!(call("Grep", Some("src"), "fn main"), "tool_call   Grep src fn main");
        assert_eq!(call("Bash", None, "ls"), "tool_call   Bash ls");
        let ended = Entry { tool: Some("Bash".into()), exit_code: Some(2), ..Entry::new(EntryKind::Command, "ls") };
        assert_eq!(text(&ended), "command     ls [exit 2]");
        let said = Entry { tool: Some("Task".into()), ..Entry::new(EntryKind::Assistant, "Found it.") };
        assert_eq!(text(&said), "assistant   Task Found it.");
    }
}
