//! What is looked for in a log: words as a person types them, or whatever went wrong.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, escape};

use super::log::{Entry, EntryKind};

/// The most characters that are looked for; nobody types more, and what is pasted by mistake stays cheap.
const LONGEST: usize = 1_000;

/// Lines in which compilers, test runners and shells say that something went wrong. A bare `error` or `failed` is not
/// enough: `0 failed` is good news.
static WENT_WRONG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?: ^ | [\s(] ) (?i: \w*error | fatal | \w*exception ) (?: \[ \w+ \] )? :
        | \b (?: ERROR | FATAL | FAILED ) \b
        | \b panicked \s at \b
        | ^ Traceback \s \(
        | ^ \s* [✗✘×] \s
        | ^ not \s ok \b
        ",
    )
    .expect("a test builds the pattern")
});

/// Words to find in text. Small letters find large ones too; words with a large letter find only what is written alike.
#[derive(Clone)]
pub struct Words {
    text: String,
    pattern: Regex,
}

impl Words {
    /// Returns the words that somebody typed; nothing when there is nothing to find.
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text.chars().take(LONGEST).collect();
        let exact = text.chars().any(char::is_uppercase);
        let pattern = RegexBuilder::new(&escape(&text)).case_insensitive(!exact).build().ok()?;
        (!text.is_empty()).then_some(Self { text, pattern })
    }

    /// Returns what was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns where they are in a text, in bytes, without overlaps.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.pattern.find_iter(text).map(|found| found.range())
    }

    /// Says whether they are in a text.
    pub fn are_in(&self, text: &str) -> bool {
        self.pattern.is_match(text)
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Words {}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.text).finish()
    }
}

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sought {
    /// These words.
    Words(Words),
    /// Entries that say what went wrong, and lines that look like it.
    Errors,
}

impl Sought {
    /// Returns the words, if words are looked for.
    pub fn words(&self) -> Option<&Words> {
        match self {
            Self::Words(words) => Some(words),
            Self::Errors => None,
        }
    }
}

/// Says whether a line of output, as it is shown, looks as if something went wrong. A guess: programs say it in their own
/// words.
pub fn looks_wrong(line: &str) -> bool {
    WENT_WRONG.is_match(line)
}

/// Says whether an entry tells of something that went wrong, other than by the words in a plain line.
pub fn went_wrong(entry: &Entry) -> bool {
    entry.kind == EntryKind::Error || entry.ok == Some(false) || entry.exit_code.is_some_and(|code| code != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(words: &str, text: &str) -> Vec<Range<usize>> {
        Words::new(words).map_or_else(Vec::new, |words| words.find(text).collect())
    }

    #[test]
    fn small_letters_find_large_ones_and_not_the_other_way_round() {
        for (words, text, starts) in [
            ("error", "Error: error", [0, 7].as_slice()),
            ("Error", "Error: error", &[0]),
            ("aa", "aaaa", &[0, 2]),
            ("ä", "Äpfel ä", &[0, 7]),
            ("本", "日本", &[3]),
            ("", "日本", &[]),
            ("ab", "a", &[]),
            ("f(x)[0].*", "f(x)[0].* f(x)", &[0]),
        ] {
            let starts_found: Vec<_> = found(words, text).iter().map(|place| place.start).collect();
            assert_eq!(starts_found, starts, "{words} in {text}");
        }
    }

    #[test]
    fn what_looks_wrong_is_what_programs_say_when_it_is() {
        for line in [
            "error[E0425]: cannot find value `x`",
            "src/a.ts(3,1): error: no",
            "  ERROR in ./src/index.js",
            "thread 'main' panicked at src/lib.rs:3:5:",
            "test numbers::zero ... FAILED",
            "Traceback (most recent call last):",
            "ValueError: invalid literal",
            "fatal: not a git repository",
            "not ok 3 - adds",
            "✗ adds numbers",
        ] {
            assert!(looks_wrong(line), "{line}");
        }
        for line in ["test result: ok. 3 passed; 0 failed", "no errors", "src/error.rs", "handles errors: yes", ""] {
            assert!(!looks_wrong(line), "{line}");
        }
    }

    proptest! {
        #[test]
        fn words_are_found_where_a_naive_search_finds_them(words in "[abA.é]{0,3}", text in "[abAB.éÉ ]{0,24}") {
            let exact = words.chars().any(char::is_uppercase);
            let lower = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
            let mut naive = Vec::new();
            let mut at = 0;
            while !words.is_empty() && at + words.len() <= text.len() {
                match text.get(at..at + words.len()) {
                    Some(part) if lower(part) == lower(&words) => {
                        naive.push(at..at + words.len());
                        at += words.len();
                    }
                    Some(_) | None => at += 1,
                }
            }
            prop_assert_eq!(found(&words, &text), naive);
        }
    }
}
