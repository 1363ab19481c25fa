//! The directives that a prompt can hold, such as `[[write a.txt hello\n]]`, and how they are read.

use std::path::PathBuf;
use std::time::Duration;

/// One thing that the demo agent is told to do.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Directive {
    /// Says something; what is said last becomes the final result.
    Say(String),
    /// Shows a thought.
    Think(String),
    /// Writes a file, with the folders above it.
    Write { path: PathBuf, content: String },
    /// Adds to a file, or makes it.
    Append { path: PathBuf, text: String },
    /// Replaces the first place where the old text stands.
    Edit { path: PathBuf, old: String, new: String },
    /// Deletes a file.
    Delete(PathBuf),
    /// Runs a command with the shell and shows its exit code.
    Run(String),
    /// Commits everything.
    Commit(String),
    /// Does nothing for a time.
    Wait(Duration),
    /// Waits until a file is there: the test says when to go on.
    Until(PathBuf),
    /// Makes a file, perhaps outside the worktree: the agent says how far it is.
    Touch(PathBuf),
    /// Prints that many numbered lines of 100 bytes as fast as it can.
    Lines(u64),
    /// Prints numbered lines at an even pace.
    Rate { lines: u64, per_second: u64 },
    /// Ends with an error in the final event and this exit code.
    Fail(u8),
    /// Ends at once, without a final event.
    Exit(u8),
    /// Stays for ever; SIGTERM ends it.
    Hang,
    /// From here on SIGTERM is ignored.
    Stubborn,
    /// Leaves a child in the same process group that holds the output open.
    Fork(Duration),
    /// Leaves a grandchild in a session of its own.
    Daemon(Duration),
    /// Ends in the middle of a line, with exit code 0.
    Truncate,
    /// Prints a line that breaks off inside a character.
    Half,
    /// Prints control sequences, bare and inside an event.
    Escape,
    /// Prints every byte once.
    Binary,
    /// Ends with a question.
    Ask(String),
    /// Tries a tool and is refused; the final event lists it.
    Denied(String),
    /// Cannot reach its model that many times.
    Retry(u32),
    /// Says that there is nothing to do.
    Nothing,
    /// Prints to standard error.
    Stderr(String),
    /// Gives the session this name, from the first line on.
    Session(String),
    /// Does something unless the file is there, and makes the file: only the first attempt does it.
    Once { path: PathBuf, then: Box<Directive> },
    /// Forgets the script before it.
    Begin,
}

/// A directive that cannot be followed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum BadDirective {
    #[error("there is no directive `{word}`; there are: {known}")]
    Unknown { word: String, known: String },
    #[error("`[[{text}]]` should be `[[{usage}]]`")]
    Usage { text: String, usage: &'static str },
}

/// A row of the table: how the directive is written, and how what follows its first word is read.
struct Row {
    usage: &'static str,
    read: fn(&str) -> Option<Directive>,
}

impl Row {
    fn word(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or(self.usage)
    }
}

/// Every directive. `PATH` may stand in double quotes; texts know `\n`, `\t`, `\\` and `\]`.
const ROWS: &[Row] = {
    const fn row(usage: &'static str, read: fn(&str) -> Option<Directive>) -> Row {
        Row { usage, read }
    }
    &[
        row("say TEXT", |rest| text(rest).map(Directive::Say)),
        row("think TEXT", |rest| text(rest).map(Directive::Think)),
        row("write PATH CONTENT", |rest| {
            path(rest).map(|(path, rest)| Directive::Write { path, content: unescape(rest) })
        }),
        row("append PATH TEXT", |rest| path(rest).map(|(path, rest)| Directive::Append { path, text: unescape(rest) })),
        row("edit PATH OLD => NEW", edit),
        row("delete PATH", |rest| path(rest).map(|(path, _)| Directive::Delete(path))),
        row("run COMMAND", |rest| text(rest).map(Directive::Run)),
        row("commit MESSAGE", |rest| text(rest).map(Directive::Commit)),
        row("wait SECONDS", |rest| seconds(rest).map(Directive::Wait)),
        row("until PATH", |rest| path(rest).map(|(path, _)| Directive::Until(path))),
        row("touch PATH", |rest| path(rest).map(|(path, _)| Directive::Touch(path))),
        row("lines N", |rest| rest.trim().parse().ok().map(Directive::Lines)),
        row("rate N/PER_SECOND", rate),
        row("fail [CODE]", |rest| code(rest, Some(1)).map(Directive::Fail)),
        row("exit CODE", |rest| code(rest, None).map(Directive::Exit)),
        row("hang", |rest| bare(rest, Directive::Hang)),
        row("stubborn", |rest| bare(rest, Directive::Stubborn)),
        row("fork SECONDS", |rest| seconds(rest).map(Directive::Fork)),
        row("daemon SECONDS", |rest| seconds(rest).map(Directive::Daemon)),
        row("truncate", |rest| bare(rest, Directive::Truncate)),
        row("half", |rest| bare(rest, Directive::Half)),
        row("escape", |rest| bare(rest, Directive::Escape)),
        row("binary", |rest| bare(rest, Directive::Binary)),
        row("ask QUESTION", |rest| text(rest).map(Directive::Ask)),
        row("denied TOOL", |rest| text(rest).map(Directive::Denied)),
        row("retry N", |rest| rest.trim().parse().ok().map(Directive::Retry)),
        row("nothing", |rest| bare(rest, Directive::Nothing)),
        row("stderr TEXT", |rest| text(rest).map(Directive::Stderr)),
        row("session ID", |rest| text(rest).map(Directive::Session)),
        row("once PATH DIRECTIVE", once),
        row("begin", |rest| bare(rest, Directive::Begin)),
    ]
};

/// Reads the script of a prompt; it is empty when the prompt holds no directive.
///
/// Double brackets around other words are left alone as long as the prompt has no directive at all: a ticket may
/// mention a wiki link. Beside real directives they are a mistake. `[[begin]]` forgets all that stands before it, so that
/// an answer or a review can bring a script of its own.
pub(super) fn read(prompt: &str) -> Result<Vec<Directive>, BadDirective> {
    let mut script = Vec::new();
    let mut first_bad = None;
    for text in bracketed(prompt) {
        match one(text) {
            Ok(Directive::Begin) => {
                script = vec![Directive::Begin];
                first_bad = None;
            }
            Ok(directive) => script.push(directive),
            Err(bad @ BadDirective::Usage { .. }) => return Err(bad),
            Err(bad @ BadDirective::Unknown { .. }) => first_bad = first_bad.or(Some(bad)),
        }
    }
    match first_bad {
        Some(bad) if !script.is_empty() => Err(bad),
        Some(_) | None => Ok(script),
    }
}

/// Returns what stands in double brackets; a `\` keeps the next character from closing them.
fn bracketed(prompt: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = prompt;
    while let Some(start) = rest.find("[[") {
        rest = &rest[start + 2..];
        let Some(end) = closing(rest) else { break };
        found.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    found
}

fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'\\', _) => at += 2,
            (b']', b']') => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn one(text: &str) -> Result<Directive, BadDirective> {
    let trimmed = text.trim_start();
    let (word, rest) = match trimmed.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest),
        None => (trimmed, ""),
    };
    let Some(row) = ROWS.iter().find(|row| row.word() == word) else {
        let known = ROWS.iter().map(Row::word).collect::<Vec<_>>().join(" ");
        return Err(BadDirective::Unknown { word: word.to_owned(), known });
    };
    (row.read)(rest).ok_or_else(|| BadDirective::Usage { text: text.to_owned(), usage: row.usage })
}

fn bare(rest: &str, directive: Directive) -> Option<Directive> {
    rest.trim().is_empty().then_some(directive)
}

fn text(rest: &str) -> Option<String> {
    let rest = rest.trim();
    (!rest.is_empty()).then(|| unescape(rest))
}

/// Reads a path, and returns it with what stands after the one blank that ends it.
fn path(rest: &str) -> Option<(PathBuf, &str)> {
    let rest = rest.trim_start();
    let (path, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let (path, rest) = quoted.split_once('"')?;
            (path, rest.strip_prefix(char::is_whitespace).unwrap_or(rest))
        }
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    (!path.is_empty()).then(|| (PathBuf::from(path), rest))
}

fn edit(rest: &str) -> Option<Directive> {
    let (path, rest) = path(rest)?;
    let (old, new) = rest.split_once(" => ").or_else(|| Some((rest.strip_suffix(" =>")?, "")))?;
    (!old.is_empty()).then(|| Directive::Edit { path, old: unescape(old), new: unescape(new) })
}

fn rate(rest: &str) -> Option<Directive> {
    let (lines, per_second) = rest.trim().split_once('/')?;
    let per_second = per_second.parse().ok().filter(|n| *n > 0)?;
    Some(Directive::Rate { lines: lines.parse().ok()?, per_second })
}

fn once(rest: &str) -> Option<Directive> {
    let (path, rest) = path(rest)?;
    Some(Directive::Once { path, then: Box::new(one(rest).ok()?) })
}

fn seconds(rest: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(rest.trim().parse().ok()?).ok()
}

fn code(rest: &str, default: Option<u8>) -> Option<u8> {
    match rest.trim() {
        "" => default,
        code => code.parse().ok(),
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some(escaped @ ('\\' | ']'))) => out.push(escaped),
            ('\\', Some(other)) => out.extend(['\\', other]),
            (plain, _) => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_found_inside_a_markdown_bundle_and_keeps_its_order() {
        let prompt = "# Task: Try\n\n- do [[say hello there]] and\n\n[[write a/b.txt one\\ntwo\\n]]\n[[exit 3]] bye";
        assert_eq!(
            read(prompt).unwrap(),
            [
                Directive::Say("hello there".into()),
                Directive::Write { path: "a/b.txt".into(), content: "one\ntwo\n".into() },
                Directive::Exit(3),
            ]
        );
    }

    #[test]
    fn texts_know_escapes_and_may_hold_closing_brackets() {
        let script = read(r#"[["x"]] [[write "a b.sh" [ -n "$x" \]\] \\ \t|\q]]"#);
        assert!(script.is_err(), "an unknown word beside a directive is a mistake");
        let script = read(r#"[[write "a b.sh" [ -n "$x" \]\] \\ \t|\q]]"#).unwrap();
        assert_eq!(script, [Directive::Write { path: "a b.sh".into(), content: "[ -n \"$x\" ]] \\ \t|\\q".into() }]);
    }

    #[test]
    fn an_edit_may_delete_text_and_keeps_blanks() {
        let script = read("[[edit a.sh   two  =>   three]][[edit a.sh gone =>]]").unwrap();
        assert_eq!(
            script,
            [
                Directive::Edit { path: "a.sh".into(), old: "  two ".into(), new: "  three".into() },
                Directive::Edit { path: "a.sh".into(), old: "gone".into(), new: String::new() },
            ]
        );
    }

    #[test]
    fn brackets_without_any_directive_are_left_alone() {
        assert_eq!(read("see [[Wiki page]] and [[ ]] and [[open"), Ok(vec![]));
        assert_eq!(read("no brackets"), Ok(vec![]));
    }

    #[test]
    fn a_directive_with_wrong_arguments_says_how_it_is_written() {
        for (bad, usage) in [
            ("[[exit]]", "exit CODE"),
            ("[[exit 256]]", "exit CODE"),
            ("[[wait -1]]", "wait SECONDS"),
            ("[[wait NaN]]", "wait SECONDS"),
            ("[[edit a b]]", "edit PATH OLD => NEW"),
            ("[[rate 5/0]]", "rate N/PER_SECOND"),
            ("[[hang 3]]", "hang"),
            ("[[once /x]]", "once PATH DIRECTIVE"),
            ("[[say]]", "say TEXT"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(matches!(error, BadDirective::Usage { usage: found, .. } if found == usage), "{bad}: {error}");
        }
    }

    #[test]
    fn begin_forgets_what_stands_before_it() {
        let script = read("[[ask What?]] [[typo]] [[begin]] [[say yes]]").unwrap();
        assert_eq!(script, [Directive::Begin, Directive::Say("yes".into())]);
    }

    #[test]
    fn no_directive_is_in_the_table_twice() {
        for (i, row) in ROWS.iter().enumerate() {
            assert!(ROWS[i + 1..].iter().all(|other| other.word() != row.word()), "{}", row.word());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_prompt_is_read_without_a_panic(prompt in "(\\[\\[|\\]\\]|\\\\|say |edit |=>|\"|é|[a-z /0-9.\\n-]){0,40}") {
            let _ = read(&prompt);
        }
    }
}
