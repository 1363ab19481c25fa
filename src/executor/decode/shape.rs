//! Gives what agents print the shape in which people read it: bounded texts, short paths, compact values.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::domain::ticket::Usage;

/// Most bytes of a text in front of a cut, and after it.
const HEAD: usize = 32 << 10;
const TAIL: usize = 16 << 10;
/// Most bytes of a text that is still coming in.
const PIECES_MAX: usize = 64 << 10;
/// Most bytes of a path; no file has a longer one.
const PATH_MAX: usize = 4096;
/// Most characters of a value that is shown in passing.
const GLANCE: usize = 200;

/// Returns a text of bounded length: the middle of a very long one is left out, since its end often matters most.
pub(super) fn clip(text: &str) -> String {
    if text.len() <= HEAD + TAIL {
        return text.to_owned();
    }
    let (head, tail) = (text.floor_char_boundary(HEAD), text.ceil_char_boundary(text.len() - TAIL));
    format!("{}\n… {} bytes left out …\n{}", &text[..head], tail - head, &text[tail..])
}

/// Returns the text on one line, cut to what is read in passing.
pub(super) fn glance(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(GLANCE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Returns an event that is not known, compactly: its names, then its other fields.
pub(super) fn unknown(event: &Value) -> String {
    const NOISE: [&str; 6] = ["type", "subtype", "uuid", "session_id", "parent_tool_use_id", "timestamp"];
    let name = |key: &str| event[key].as_str().filter(|name| !name.is_empty());
    let mut words = vec![match (name("type"), name("subtype")) {
        (Some(kind), Some(sub)) => format!("{kind}/{sub}"),
        (Some(kind), None) => kind.to_owned(),
        (None, _) => "unknown event".to_owned(),
    }];
    for (key, value) in event.as_object().into_iter().flatten() {
        if !NOISE.contains(&key.as_str()) && !value.is_null() {
            words.push(format!("{key}={}", plain(value)));
        }
    }
    glance(&words.join(" "))
}

/// Returns a text as it is, and any other value as JSON.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns `12 tokens in, 3 out, $0.0120`.
pub(super) fn usage_text(usage: Usage) -> String {
    let tokens = format!("{} tokens in, {} out", usage.input_tokens, usage.output_tokens);
    match usage.cost_usd() {
        Some(cost) => format!("{tokens}, ${cost:.4}"),
        None => tokens,
    }
}

/// Returns `1 turn` or `7 turns`.
pub(super) fn counted(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// Returns `4.0 s`.
pub(super) fn seconds(millis: f64) -> String {
    format!("{:.1} s", millis / 1000.0)
}

/// Returns a cost in millionths of a dollar; nothing for what is no cost.
pub(super) fn micros(usd: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends of u64")]
    (usd.is_finite() && usd >= 0.0).then(|| (usd * 1e6).round() as u64)
}

/// A text that comes in pieces; of a very long one the beginning is kept.
#[derive(Clone, Default, Debug)]
pub(super) struct Pieces(String);

impl Pieces {
    pub(super) fn push(&mut self, piece: &str) {
        let fits = piece.floor_char_boundary(PIECES_MAX - self.0.len());
        self.0.push_str(&piece[..fits]);
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.0 == text
    }

    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl From<&str> for Pieces {
    fn from(text: &str) -> Self {
        let mut pieces = Self::default();
        pieces.push(text);
        pieces
    }
}

/// Shows paths against the worktree.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    root: PathBuf,
}

impl Paths {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Takes the folder that the agent works in, if no root is known.
    pub(super) fn learn(&mut self, cwd: &str) {
        if self.root.as_os_str().is_empty() {
            self.root = PathBuf::from(cwd);
        }
    }

    /// Returns the path below the root, or as it is where it lies elsewhere.
    pub(super) fn short(&self, path: &str) -> String {
        let path = &path[..path.floor_char_boundary(PATH_MAX)];
        match Path::new(path).strip_prefix(&self.root) {
            Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
            Ok(rest) => rest.to_string_lossy().into_owned(),
            Err(_) => path.to_owned(),
        }
    }

    /// Says whether a shortened path lies elsewhere.
    pub(super) fn is_outside(&self, short: &str) -> bool {
        let path = Path::new(short);
        !self.root.as_os_str().is_empty() && (path.is_absolute() || path.starts_with(".."))
    }
}

/// Returns what an agent asks at the end of what it says last, if it asks: its last paragraph when that ends with a
/// question mark, with the choices that it lists below.
pub(super) fn question(said: &str) -> Option<String> {
    let lines: Vec<&str> = said.trim_end().lines().collect();
    let choice = |line: &str| {
        let line = line.trim_start();
        let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
        line.is_empty()
            || ["- ", "* ", "• "].iter().any(|mark| line.starts_with(mark))
            || digits.len() < line.len() && digits.starts_with(['.', ')'])
    };
    let asks = |line: &str| line.trim_end_matches(['*', '_', '"', '\'', ')', '`', ' ']).ends_with(['?', '？']);
    let mut last = lines.len().checked_sub(1)?;
    while !asks(lines[last]) {
        // Only choices may come after the question.
        last = last.checked_sub(1).filter(|_| choice(lines[last]))?;
    }
    let first = lines[..last].iter().rposition(|line| line.trim().is_empty()).map_or(0, |blank| blank + 1);
    Some(clip(lines[first..].join("\n").trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_last_paragraph_with_its_choices() {
        assert_eq!(question("I looked.\n\nWhich **one**?\n").as_deref(), Some("Which **one**?"));
        assert_eq!(
            question("Two ways.\n\nWhich one?\n\n1. a\n2) b\n- c").as_deref(),
            Some("Which one?\n\n1. a\n2) b\n- c")
        );
        assert_eq!(question("**Shall I?**").as_deref(), Some("**Shall I?**"));
        for none in ["", "Done.", "Is it? Yes.", "Why?\n\nBecause.", "- a\n- b", "\n\n"] {
            assert_eq!(question(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_long_text_keeps_its_head_and_its_end() {
        let text = format!("first{}last", "ż".repeat(60_000));
        let clipped = clip(&text);
        assert!(clipped.len() < 50_000 && clipped.starts_with("first") && clipped.ends_with("last"));
        assert_eq!(clip("short"), "short");
    }

    #[test]
    fn paths_are_shown_below_the_worktree() {
        let paths = Paths::new(Path::new("/srv/w"));
        for (path, short) in
            [("/srv/w/src/a.rs", "src/a.rs"), ("/srv/w", "."), ("/srv/wide/a", "/srv/wide/a"), ("b/c", "b/c"), ("", "")]
        {
            assert_eq!(paths.short(path), short);
        }
        assert!(paths.is_outside("/srv/wide/a") && paths.is_outside("../a"));
        assert!(!paths.is_outside("src/a.rs") && !paths.is_outside("..a"));
        let mut unknown = Paths::new(Path::new(""));
        assert!(!unknown.is_outside("/x/y"), "nobody knows");
        assert_eq!(unknown.short("/x/y"), "/x/y");
        unknown.learn("/x");
        assert_eq!(unknown.short("/x/y"), "y");
    }
}
