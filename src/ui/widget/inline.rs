//! Markdown inside a line: code, emphasis and links.

use ratatui::style::{Modifier, Style};

use super::strip::Strip;
use crate::ui::theme::{Role, Theme};

/// Longer lines are drawn as they were written: looking for pairs in them could take long.
const LONGEST: usize = 2_048;
/// Deeper emphasis is drawn as it was written.
const DEEPEST: usize = 6;

/// Appends the text in its styles.
pub(super) fn push(strip: &mut Strip, text: &str, style: Style, theme: &Theme) {
    if text.len() > LONGEST {
        strip.push_text(text, style);
    } else {
        push_nested(strip, text, style, theme, 0);
    }
}

fn push_nested(strip: &mut Strip, text: &str, style: Style, theme: &Theme, depth: usize) {
    let mut plain = 0;
    let mut at = 0;
    while let Some(next) = text[at..].find(['\\', '`', '*', '_', '~', '[', '!']) {
        at += next;
        let before = text[..at].chars().next_back();
        let Some((piece, length)) = Piece::of(&text[at..], before).filter(|_| depth < DEEPEST) else {
            // All of a run of one sign is text when its first one is.
            let sign = &text[at..=at];
            at += text[at..].len() - text[at..].trim_start_matches(sign).len();
            continue;
        };
        strip.push_text(&text[plain..at], style);
        piece.push(strip, style, theme, depth);
        at += length;
        plain = at;
    }
    strip.push_text(&text[plain..], style);
}

/// Something with a look of its own.
enum Piece<'a> {
    /// A sign that is meant as it is.
    Sign(&'a str),
    Code(&'a str),
    Emphasis(&'a str, Modifier),
    Link {
        text: &'a str,
        target: &'a str,
    },
}

impl<'a> Piece<'a> {
    /// Reads the piece that the text begins with and returns it with its length.
    fn of(text: &'a str, before: Option<char>) -> Option<(Self, usize)> {
        if let Some(escaped) = text.strip_prefix('\\') {
            return escaped.starts_with(|c: char| c.is_ascii_punctuation()).then(|| (Self::Sign(&escaped[..1]), 2));
        }
        if text.starts_with('`') {
            return code(text);
        }
        if text.starts_with(['[', '!']) {
            return link(text);
        }
        let inside_word = before.is_some_and(char::is_alphanumeric);
        emphasis(text, "**", Modifier::BOLD)
            .or_else(|| emphasis(text, "~~", Modifier::CROSSED_OUT))
            .or_else(|| emphasis(text, "*", Modifier::ITALIC))
            .or_else(|| emphasis(text, "__", Modifier::BOLD).filter(|found| !inside_word && ends_word(text, found.1)))
            .or_else(|| emphasis(text, "_", Modifier::ITALIC).filter(|found| !inside_word && ends_word(text, found.1)))
    }

    fn push(&self, strip: &mut Strip, style: Style, theme: &Theme, depth: usize) {
        match self {
            Self::Sign(sign) => strip.push_text(sign, style),
            Self::Code(code) => {
                let look = style.patch(theme.style(Role::Code));
                // Where code looks like text its marks must stay.
                let mark = if theme.style(Role::Code) == Style::new() { "`" } else { "" };
                strip.push_text(&format!("{mark}{code}{mark}"), look);
            }
            Self::Emphasis(text, modifier) => {
                push_nested(strip, text, style.add_modifier(*modifier), theme, depth + 1);
            }
            Self::Link { text, target } => {
                push_nested(strip, text, style.patch(theme.style(Role::Link)), theme, depth + 1);
                if text != target {
                    strip.push_text(&format!(" ({target})"), style.patch(theme.style(Role::Dim)));
                }
            }
        }
    }
}

/// Reads what stands between as many backticks as it begins with.
fn code(text: &str) -> Option<(Piece<'_>, usize)> {
    let inner = text.trim_start_matches('`');
    let mark = &text[..text.len() - inner.len()];
    let end = inner.match_indices(mark).map(|(at, _)| at).find(|at| {
        let alone_before = !inner[..*at].ends_with('`');
        alone_before && !inner[at + mark.len()..].starts_with('`')
    })?;
    Some((Piece::Code(&inner[..end]), end + 2 * mark.len()))
}

/// Reads what stands between two equal marks; blanks inside them mean that none was meant.
fn emphasis<'a>(text: &'a str, mark: &str, modifier: Modifier) -> Option<(Piece<'a>, usize)> {
    let inner = text.strip_prefix(mark)?;
    if inner.starts_with([' ', '\t']) {
        return None;
    }
    let end = closing(inner, mark)?;
    Some((Piece::Emphasis(&inner[..end], modifier), end + 2 * mark.len()))
}

/// Finds the mark that ends an emphasis: the last signs of a run that is as long as the mark, or of one of three.
fn closing(inner: &str, mark: &str) -> Option<usize> {
    let sign = mark.chars().next()?;
    let mut at = 0;
    while let Some(found) = inner[at..].find(sign) {
        let start = at + found;
        let run = inner[start..].len() - inner[start..].trim_start_matches(sign).len();
        let follows_text = inner[..start].chars().next_back().is_some_and(|c| c != ' ' && c != '\\');
        if follows_text && (run == mark.len() || run == 3) {
            return Some(start + run - mark.len());
        }
        at = start + run;
    }
    None
}

fn ends_word(text: &str, length: usize) -> bool {
    !text[length..].starts_with(char::is_alphanumeric)
}

/// Reads `[text](target)`, or the same as a picture.
fn link(text: &str) -> Option<(Piece<'_>, usize)> {
    let inner = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?;
    let (label, rest) = inner.split_once("](")?;
    let (target, rest) = rest.split_once(')')?;
    let fits = !label.is_empty() && !label.contains('[') && !target.contains(' ');
    fits.then(|| (Piece::Link { text: label, target }, text.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the text with a letter for each look around it.
    fn marked(text: &str) -> String {
        let mut strip = Strip::default();
        push(&mut strip, text, Style::new(), &Theme::color());
        let mut out = String::new();
        for span in strip.line().spans {
            let looks = [
                (span.style.add_modifier.contains(Modifier::BOLD), "b"),
                (span.style.add_modifier.contains(Modifier::ITALIC), "i"),
                (span.style.add_modifier.contains(Modifier::CROSSED_OUT), "x"),
                (span.style.add_modifier.contains(Modifier::DIM), "d"),
                (span.style.fg.is_some(), "c"),
            ];
            let looks: String = looks.iter().filter(|(has, _)| *has).map(|(_, letter)| *letter).collect();
            if looks.is_empty() { out += &span.content } else { out += &format!("<{looks}:{}>", span.content) }
        }
        out
    }

    #[test]
    fn marks_become_looks_only_where_they_are_meant() {
        for (text, drawn) in [
            ("a **b** c", "a <b:b> c"),
            ("*a **b***", "<i:a ><bi:b>"),
            ("__a__ _b_", "<b:a> <i:b>"),
            ("`a **b**` ``c`d``", "<c:a **b**> <c:c`d>"),
            ("~~a~~", "<x:a>"),
            ("[a *b*](http://c)", "<c:a ><ic:b><d: (http://c)>"),
            ("[http://c](http://c) ![d](e)", "<c:http://c> <c:d><d: (e)>"),
            ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
            ("\\*a\\* \\a", "*a* \\a"),
            ("**open, `open, [open](", "**open, `open, [open]("),
            ("**** ____ ``", "**** ____ ``"),
            ("wow! a[0](b c)", "wow! a[0](b c)"),
        ] {
            assert_eq!(marked(text), drawn, "{text}");
        }
    }

    #[test]
    fn deep_or_long_lines_end_soon() {
        for text in ["*_".repeat(1_000), "**a ".repeat(500), "[a".repeat(1_000), "` ``".repeat(500)] {
            assert!(!marked(&text).is_empty());
        }
        assert_eq!(marked(&"**a** ".repeat(1_000)), "**a** ".repeat(1_000));
    }
}
