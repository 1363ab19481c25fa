//! Markdown, lightly drawn: headings, lists, quotes, code and emphasis, line by line, wrapped to a width.
//!
//! Line ends stay where they were written, and what is not known stays as it was written.

use ratatui::style::Style;
use ratatui::text::Line;

use super::inline;
use super::strip::Strip;
use crate::ui::theme::{Role, Theme};

/// Returns the text as lines of at most `width` columns.
pub fn lines(markdown: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut fence = None;
    for line in markdown.trim_end().lines() {
        match (fence, fence_of(line)) {
            (None, Some(opened)) => fence = Some(opened),
            (Some(opened), Some(closed)) if opened == closed => fence = None,
            (Some(_), _) => out.extend(code(line, width, theme)),
            (None, None) => out.extend(block(line, width, theme)),
        }
    }
    out
}

/// Returns the sign of which a line that begins or ends a block of code is made.
fn fence_of(line: &str) -> Option<char> {
    let line = line.trim_start();
    ['`', '~'].into_iter().find(|sign| line.chars().take_while(|c| c == sign).count() >= 3)
}

fn code(line: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut margin = Strip::default();
    margin.push_text(&format!("{} ", theme.glyphs.quote), theme.style(Role::Dim));
    let mut strip = Strip::default();
    strip.push_text(line, theme.style(Role::Code));
    // Blanks in code have a meaning, so it is not broken between words.
    hanging(&margin, &margin, strip.rows(width.saturating_sub(margin.width())), width)
}

/// Returns the lines of one line outside blocks of code.
fn block(line: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    if is_rule(text) {
        return vec![rule(width, theme)];
    }
    let mut margin = Strip::default();
    let mut style = Style::new();
    let mut rest = text;
    if let Some(title) = heading(text) {
        style = theme.style(Role::Title);
        rest = title;
    } else if let Some(quoted) = text.strip_prefix('>') {
        margin.push_text(&format!("{} ", theme.glyphs.quote), theme.style(Role::Dim));
        style = theme.style(Role::Dim);
        rest = quoted.trim_start();
    } else {
        margin.push_text(indent, style);
        if let Some((sign, role, item)) = item(text, theme) {
            margin.push_text(sign, theme.style(role));
            margin.push_text(" ", style);
            rest = item;
        }
    }
    // In a pane that narrow a margin would leave no room for words.
    if margin.width() * 2 > width {
        margin = Strip::default();
    }
    let mut strip = Strip::default();
    inline::push(&mut strip, rest, style, theme);
    let mut below = Strip::default();
    if text.starts_with('>') {
        below.append(&margin);
    } else {
        below.push_text(&" ".repeat(margin.width()), Style::new());
    }
    hanging(&margin, &below, strip.words(width.saturating_sub(margin.width())), width)
}

/// Puts a margin before the first row and another one before the others.
fn hanging(first: &Strip, below: &Strip, rows: Vec<Line<'static>>, width: usize) -> Vec<Line<'static>> {
    let mut out = Vec::with_capacity(rows.len());
    for (n, row) in rows.into_iter().enumerate() {
        let mut line = if n == 0 { first.window(0, width) } else { below.window(0, width) };
        line.spans.extend(row.spans);
        out.push(line);
    }
    out
}

/// Returns the text of a heading.
fn heading(text: &str) -> Option<&str> {
    let title = text.trim_start_matches('#');
    let level = text.len() - title.len();
    let title = title.strip_prefix(' ').filter(|_| (1..=6).contains(&level))?;
    Some(title.trim().trim_end_matches('#').trim_end())
}

/// Says whether it is a horizontal line: three or more of one sign, and blanks.
fn is_rule(text: &str) -> bool {
    ['-', '*', '_']
        .into_iter()
        .any(|sign| text.chars().all(|c| c == sign || c == ' ') && text.chars().filter(|c| *c == sign).count() >= 3)
}

fn rule(width: usize, theme: &Theme) -> Line<'static> {
    Line::styled(theme.glyphs.rule.repeat(width), theme.style(Role::Dim))
}

/// Returns what stands before an item of a list, how, and the item.
fn item<'a>(text: &'a str, theme: &Theme) -> Option<(&'a str, Role, &'a str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=9).contains(&digits) && text[digits..].starts_with([')', '.']) {
        let item = text[digits + 1..].strip_prefix(' ')?;
        return Some((&text[..=digits], Role::Text, item.trim_start()));
    }
    let item = text.strip_prefix(['-', '*', '+'])?.strip_prefix(' ')?.trim_start();
    let glyphs = theme.glyphs;
    let task = |sign| item.strip_prefix(sign).filter(|rest: &&str| rest.is_empty() || rest.starts_with(' '));
    if let Some(open) = task("[ ]") {
        return Some((glyphs.waiting, Role::Text, open.trim_start()));
    }
    if let Some(done) = task("[x]").or_else(|| task("[X]")) {
        return Some((glyphs.ok, Role::Ok, done.trim_start()));
    }
    Some((glyphs.bullet, Role::Text, item))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::theme::Glyphs;
    use crate::ui::widget::testing::{assert_harmless, draw, picture_of};
    use crate::ui::widget::text;

    const TEXT: &str = "\
# Guard `sqrt` of *negatives* ##

Returns **NaN** today; see [the issue](https://example.org/12) and <https://example.org>.
A second line stays a second line.

- first item that is long enough to be wrapped below itself
  - nested, with `code  span`
* [ ] to do
+ [x] done
12. numbered

> quoted text that goes on for longer than the width of the pane

```rust
fn sqrt(x: f64) -> f64 {
\tx.sqrt() // **not bold**, and long enough to be broken
}
```
---
snake_case_name, 2 * 3 * 4, \\*escaped\\*, ~~gone~~, a \u{1b}[31mtrick\u{202e}
";

    #[test]
    fn what_people_write_is_drawn() {
        insta::assert_snapshot!(picture_of(&lines(TEXT, 44, &Theme::color()), 44));
    }

    #[test]
    fn code_is_still_told_apart_without_colours() {
        let theme = Theme::plain().with_glyphs(Glyphs::ascii());
        insta::assert_snapshot!(picture_of(&lines("a `b` c\n- *d*\n```\ne\n", 20, &theme), 20));
    }

    #[test]
    fn a_block_of_code_without_an_end_goes_to_the_end() {
        let lines = lines("~~~\n# no heading\n```\nstill code\n", 20, &Theme::plain());
        let texts: Vec<_> = lines.iter().map(Line::to_string).collect();
        assert_eq!(texts, ["▎ # no heading", "▎ ```", "▎ still code"]);
    }

    fn markdown() -> impl Strategy<Value = String> {
        let piece = proptest::sample::select(&[
            "- ",
            "* ",
            "*",
            "**",
            "_",
            "`",
            "```",
            "~~",
            "~~~",
            "# ",
            "> ",
            "[",
            "](",
            ")",
            "!",
            "\\",
            "1. ",
            "---",
            "\n",
            "\t",
            " ",
            "    ",
            "word",
            "日本",
            "👩",
            "\u{1b}[2J",
            "\u{9b}",
            "\u{202e}",
            "\r",
        ]);
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_text_is_harmless_at_any_width(text in markdown(), width in 0_u16..40) {
            let lines = lines(&text, width.into(), &Theme::color());
            for line in &lines {
                prop_assert!(text::width(&line.to_string()) <= usize::from(width), "{:?}", line);
                prop_assert!(!line.to_string().chars().any(char::is_control));
            }
            assert_harmless(&draw(&lines, 40, 20));
        }
    }
}
