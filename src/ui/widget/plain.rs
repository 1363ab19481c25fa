//! The rows of a log as plain text, for files, clipboards and other programs: nothing in it acts on a terminal.

use super::ansi;
use super::text::visible;
use crate::domain::log::{Entry, EntryKind, LogRows};

/// Returns an entry as people read it, with the word for what it is before it; later lines stand in.
pub fn entry(entry: &Entry) -> String {
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

/// Returns an entry without the colours that were printed in it.
pub fn colourless(entry: Entry) -> Entry {
    let text = entry.text.lines().map(ansi::shown).collect::<Vec<_>>().join("\n");
    Entry { text, ..entry }
}

/// Returns what one row says, with its lines and without what stands before it on the screen; nothing where there is no
/// such row.
pub fn row(rows: &LogRows, n: usize) -> Option<String> {
    match rows {
        LogRows::Raw(lines) => lines.get(n).map(|line| ansi::shown(line).into_owned()),
        LogRows::Pretty(entries) => entries.get(n).map(|(_, entry)| {
            let text = entry.text.lines().map(ansi::shown).collect::<Vec<_>>().join("\n");
            match entry.path.as_deref().filter(|path| *path != entry.text) {
                Some(path) => format!("{} {text}", visible(path)).trim_end().to_owned(),
                None => text,
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_tells_its_tool_and_its_file_once() {
        let call = |tool: &str, path: Option<&str>, words: &str| {
            let (tool, path) = (Some(tool.to_owned()), path.map(str::to_owned));
            entry(&Entry { tool, path, ..Entry::new(EntryKind::ToolCall, words) })
        };
        assert_eq!(call("Read", Some("a.rs"), "a.rs"), "tool_call   Read a.rs");
        assert_eq!(call("Grep", Some("src"), "fn main"), "tool_call   Grep src fn main");
        assert_eq!(call("Bash", None, "ls"), "tool_call   Bash ls");
        let ended = Entry { tool: Some("Bash".into()), exit_code: Some(2), ..Entry::new(EntryKind::Command, "ls") };
        assert_eq!(entry(&ended), "command     ls [exit 2]");
        let said = Entry { tool: Some("Task".into()), ..Entry::new(EntryKind::Assistant, "Found it.") };
        assert_eq!(entry(&said), "assistant   Task Found it.");
    }

    #[test]
    fn a_row_keeps_its_lines_and_nothing_that_acts_on_a_terminal() {
        let edit = Entry { path: Some("src/a.rs".into()), ..Entry::new(EntryKind::Edit, "+1 -0") };
        let said = Entry::new(EntryKind::Error, "\u{1b}[31mone\u{1b}[0m\ntwo\u{7}");
        let pretty = LogRows::Pretty(vec![(None, edit), (None, said)]);
        assert_eq!(row(&pretty, 0).unwrap(), "src/a.rs +1 -0");
        assert_eq!(row(&pretty, 1).unwrap(), "one\ntwo␇");
        assert_eq!(row(&pretty, 2), None);
        let raw = LogRows::Raw(vec!["\u{1b}[32mok\u{1b}[0m \u{1b}[2J".into()]);
        assert_eq!(row(&raw, 0).unwrap(), "ok ␛[2J");
    }
}
