//! What an agent is told when it works on a ticket again: a check that failed, a message, a run that ended early.

use super::feedback::Feedback;

const FOLLOW_UP: &str = include_str!("../../assets/prompts/follow-up.md");
const REWORK: &str = include_str!("../../assets/prompts/rework.md");
const RETRY: &str = include_str!("../../assets/prompts/retry.md");

/// A check that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedCheck {
    /// What ran.
    pub command: String,
    /// How it ended, in words.
    pub end: String,
    /// The end of what it printed; a check may print control sequences.
    pub output: String,
}

/// Returns the prompt of an agent that goes on in its session and knows its task: which one it is about, and what is new.
pub fn go_on(title: &str, news: &str) -> String {
    format!("# Task: {title}\n\nYou know this task already; this is new.\n\n{news}")
}

/// Returns what an agent is told on top of its task; nothing when there is nothing.
pub fn again(failed: Option<&FailedCheck>, feedback: Option<&Feedback>, message: Option<&str>) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(feedback.map(|feedback| feedback.to_markdown().trim_end().to_owned()));
    if let Some(check) = failed {
        parts.push(format!("{}\n`{}` {}.", REWORK.trim_end(), check.command, check.end));
        let output = readable(&check.output);
        if !output.is_empty() {
            // Indented, so that nothing in it can end the block.
            let lines: Vec<String> = output.lines().map(|line| format!("    {line}")).collect();
            parts.push(format!("The end of its output:\n\n{}", lines.join("\n")));
        }
    }
    if let Some(message) = message {
        parts.push(if !parts.is_empty() {
            format!("{}\n\n{message}", FOLLOW_UP.trim_end())
        } else {
            message.to_owned()
        });
    }
    (!parts.is_empty()).then(|| parts.join("\n\n") + "\n")
}

/// Returns the prompt of a run that takes the place of one that ended early: what happened, and the task again.
pub fn retry(why: &str, task: &str) -> String {
    format!("{}\n\nIt ended like this: {why}\n\nThe task was:\n\n{task}", RETRY.trim_end())
}

/// Takes control sequences and blank ends of lines out of what a program printed.
fn readable(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Passes over the rest of an escape sequence: a CSI up to its final byte, an OSC up to its end, else one character.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => {
            let _ = chars.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                    return;
                }
            }
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_is_told_with_the_end_of_its_output() {
        let check = FailedCheck {
            command: "cargo test".into(),
            end: "exited with code 101".into(),
            output: "\u{1b}[31mFAILED\u{1b}[0m one  \r\n\u{1b}]8;;x\u{7}```\u{1b}]8;;\u{1b}\\\n".into(),
        };
        insta::assert_snapshot!(again(Some(&check), None, Some("And name it `y`.")).unwrap());
    }

    #[test]
    fn an_agent_that_goes_on_is_reminded_which_task_it_is() {
        insta::assert_snapshot!(go_on("Guard the root", "Yes, the first one.\n"));
    }

    #[test]
    fn a_message_alone_is_told_as_it_is() {
        assert_eq!(again(None, None, Some("Yes, the first one.")).unwrap(), "Yes, the first one.\n");
        assert_eq!(again(None, None, None), None);
    }

    #[test]
    fn a_retry_has_the_reason_and_the_task() {
        insta::assert_snapshot!(retry("429 Too Many Requests", "# Task: x\n"));
    }
}
