//! One log entry as lines: its time, its sign, what it says, and below with a hanging indent what follows.
//!
//! However long an entry is, no more of it is laid out than its fold lets be seen.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::ansi::{self, AnsiState};
use super::log::{Layout, Overflow, Times, Tools, colors};
use super::strip::Strip;
use super::{format, text};
use crate::domain::log::{Entry, EntryKind};
use crate::domain::log_find::Words;
use crate::domain::time::Timestamp;
use crate::ui::theme::{Role, Theme};

/// Below this width times are left out, so that there is room to read.
const TIMES_FROM: usize = 40;

/// Returns the lines of an entry; never none.
pub fn lines(at: Option<Timestamp>, entry: &Entry, layout: Layout, theme: &Theme) -> Vec<Line<'static>> {
    let mut margin = Strip::default();
    if let Times::Shown(zone) = layout.times
        && layout.width >= TIMES_FROM
    {
        let time = at.map_or_else(|| " ".repeat("12:03:41".len()), |at| format::clock(at, zone));
        margin.push_text(&format!("{time} "), theme.style(Role::Dim));
    }
    margin.push_text(theme.glyphs.of_entry(entry.kind), theme.style(sign_role(entry)));
    margin.push_text(" ", Style::new());

    let indent = margin.width();
    let body = body(entry, Layout { width: layout.width.saturating_sub(indent), ..layout }, theme);
    let mut lines = Vec::with_capacity(body.len());
    for (n, row) in body.into_iter().enumerate() {
        let mut line = if n == 0 { margin.window(0, layout.width) } else { blanks(indent.min(layout.width)) };
        line.spans.extend(row.spans);
        lines.push(line);
    }
    lines
}

/// Says whether the words are in what is shown of an entry when all of it is.
pub fn has_words(entry: &Entry, wanted: &Words) -> bool {
    let theme = Theme::plain();
    let mut state = AnsiState::default();
    let mut part = Part::First;
    words(entry).trim_end().split('\n').any(|line| {
        let strip = strip(entry, line, part, &mut state, &theme);
        part = Part::Later;
        wanted.are_in(strip.text())
    })
}

fn blanks(count: usize) -> Line<'static> {
    Line::from(Span::raw(" ".repeat(count)))
}

fn sign_role(entry: &Entry) -> Role {
    match entry.ok {
        Some(false) => Role::Bad,
        Some(true) | None => Role::of_entry(entry.kind),
    }
}

fn text_role(kind: EntryKind) -> Role {
    match kind {
        EntryKind::Thinking => Role::Thinking,
        EntryKind::Error => Role::Bad,
        EntryKind::Retry => Role::Warn,
        EntryKind::ToolResult | EntryKind::Usage | EntryKind::Session | EntryKind::System => Role::Dim,
        EntryKind::Assistant
        | EntryKind::ToolCall
        | EntryKind::Edit
        | EntryKind::Command
        | EntryKind::End
        | EntryKind::Text => Role::Text,
    }
}

/// Lays out what stands right of the sign, at least one row.
fn body(entry: &Entry, layout: Layout, theme: &Theme) -> Vec<Line<'static>> {
    let fold = if layout.fold == 0 { usize::MAX - 1 } else { layout.fold };
    let mut state = AnsiState::new(colors(theme));
    let mut rows = Vec::new();
    let mut rest = Some(words(entry).trim_end());
    while let Some(text) = rest {
        let (line, after) = text.split_once('\n').map_or((text, None), |(line, after)| (line, Some(after)));
        let part = if rows.is_empty() { Part::First } else { Part::Later };
        // One row more than the fold allows: a note about a single row would take just as much room.
        let room = fold + 1 - rows.len();
        let (line, clipped) = clip(line, room, layout);
        let strip = layout.mark(strip(entry, line, part, &mut state, theme), theme);
        if layout.tools == Tools::Folded && is_done(entry.kind) {
            return vec![first_line(&strip, clipped || after.is_some(), layout.width, theme)];
        }
        let mut new = match layout.overflow {
            Overflow::Wrap => strip.words(layout.width),
            Overflow::Cut(offset) => vec![strip.window(offset, layout.width)],
        };
        if clipped || new.len() > room || (new.len() == room && after.is_some()) {
            new.truncate(room - 1);
            let hidden = 1 + after.map_or(0, |after| after.split('\n').count());
            rows.extend(new);
            rows.push(more(hidden, layout.width, theme));
            return rows;
        }
        rows.extend(new);
        rest = after;
    }
    rows
}

/// Cuts what can in no case be seen, so that a line of a megabyte costs no more than others.
fn clip<'a>(line: &'a str, rows: usize, layout: Layout) -> (&'a str, bool) {
    let columns = rows.saturating_mul(layout.width);
    match layout.overflow {
        // Colours take bytes too, and a cluster may be long.
        Overflow::Wrap => {
            let end = line.floor_char_boundary(columns.saturating_mul(8).saturating_add(4_096));
            (&line[..end], end < line.len())
        }
        Overflow::Cut(_) => (line, false),
    }
}

/// Says whether entries of a kind tell what the agent did or thought, which some would rather have in one line.
fn is_done(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Thinking | EntryKind::ToolCall | EntryKind::ToolResult | EntryKind::Edit | EntryKind::Command => {
            true
        }
        EntryKind::Session
        | EntryKind::Assistant
        | EntryKind::Error
        | EntryKind::Retry
        | EntryKind::Usage
        | EntryKind::End
        | EntryKind::System
        | EntryKind::Text => false,
    }
}

/// Returns the first line of an entry, with a sign where there is more of it.
fn first_line(strip: &Strip, more: bool, width: usize, theme: &Theme) -> Line<'static> {
    if !more && strip.width() <= width {
        return strip.window(0, width);
    }
    let sign = theme.glyphs.ellipsis;
    let mut line = strip.window(0, strip.width().min(width.saturating_sub(1 + text::width(sign))));
    line.spans.push(Span::styled(format!(" {sign}"), theme.style(Role::Dim)));
    line
}

fn more(hidden: usize, width: usize, theme: &Theme) -> Line<'static> {
    let mut strip = Strip::default();
    let hidden = format::counted(hidden as u64, "more line", "more lines");
    strip.push_text(&format!("{} {hidden}", theme.glyphs.ellipsis), theme.style(Role::Dim));
    strip.window(0, width)
}

/// Which line of an entry it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    First,
    Later,
}

/// Returns one line of the text in its styles; the first one has the name before it and how it ended behind it.
fn strip(entry: &Entry, line: &str, part: Part, state: &mut AnsiState, theme: &Theme) -> Strip {
    let base = theme.style(match (entry.kind, part, line.as_bytes().first()) {
        (EntryKind::Edit, Part::Later, Some(b'+')) => Role::Added,
        (EntryKind::Edit, Part::Later, Some(b'-')) => Role::Removed,
        (EntryKind::Edit, Part::Later, _) => Role::Dim,
        (kind, Part::First | Part::Later, _) => text_role(kind),
    });
    let mut printed = ansi::print(line, state);
    printed.underlay(base);
    let mut strip = Strip::default();
    if part == Part::Later {
        strip.append(&printed);
        return strip;
    }
    if let Some((name, role)) = name(entry) {
        strip.push_text(name, theme.style(role));
        if !printed.is_empty() {
            strip.push_text(" ", Style::new());
        }
    }
    if entry.kind == EntryKind::Edit {
        push_counts(&mut strip, printed.text(), theme);
    } else {
        strip.append(&printed);
    }
    for (text, role) in ends(entry, theme) {
        if !strip.is_empty() {
            strip.push_text("  ", Style::new());
        }
        strip.push_text(&text, theme.style(role));
    }
    strip
}

/// Returns what stands before the text: the file or the tool, unless the text begins with it anyway.
fn name(entry: &Entry) -> Option<(&str, Role)> {
    match entry.kind {
        EntryKind::Edit => entry.path.as_deref().map(|path| (path, Role::Link)),
        // Of what is said or thought only a sub-agent's has a tool: the one that runs it.
        EntryKind::ToolCall | EntryKind::Assistant | EntryKind::Thinking => {
            entry.tool.as_deref().map(|tool| (tool, Role::Running))
        }
        EntryKind::Session
        | EntryKind::ToolResult
        | EntryKind::Command
        | EntryKind::Error
        | EntryKind::Retry
        | EntryKind::Usage
        | EntryKind::End
        | EntryKind::System
        | EntryKind::Text => None,
    }
    .filter(|(name, _)| !name.is_empty())
}

/// Returns the text without the name that stands before it, so that it is not said twice.
fn words(entry: &Entry) -> &str {
    let text = entry.text.as_str();
    let Some((name, _)) = name(entry) else { return text };
    match text.strip_prefix(name) {
        Some(rest) if rest.is_empty() || rest.starts_with([' ', '\n', ':']) => rest.trim_start_matches([' ', ':']),
        Some(_) | None => text,
    }
}

/// Appends the text of an edit; numbers of lines that came and went (`+28 −2`) have their colours.
fn push_counts(strip: &mut Strip, text: &str, theme: &Theme) {
    for piece in text.split_inclusive(' ') {
        let digits = |sign: &[char]| {
            let number = piece.trim_end().strip_prefix(sign);
            number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let role = if digits(&['+']) {
            Role::Added
        } else if digits(&['-', '−']) {
            Role::Removed
        } else {
            text_role(EntryKind::Edit)
        };
        strip.push_text(piece, theme.style(role));
    }
}

/// Returns how it ended and what it used, each with its role.
fn ends(entry: &Entry, theme: &Theme) -> Vec<(Cow<'static, str>, Role)> {
    let mut ends = Vec::new();
    match (entry.exit_code, entry.ok) {
        (Some(0), Some(true) | None) | (None, Some(true)) if says_how_it_ended(entry.kind) => {
            ends.push((Cow::Borrowed("ok"), Role::Ok));
        }
        (Some(code), _) if code != 0 => ends.push((Cow::Owned(format!("exit {code}")), Role::Bad)),
        (_, Some(false)) => ends.push((Cow::Borrowed("failed"), Role::Bad)),
        (Some(_) | None, Some(true) | None) => {}
    }
    // Where the agent told it in words it is not told again in numbers.
    let told = entry.kind == EntryKind::Usage && !entry.text.is_empty();
    if let Some(used) = entry.usage.filter(|_| !told) {
        ends.push((Cow::Owned(format::usage(used, theme.glyphs.dot)), Role::Dim));
    }
    ends
}

/// Says whether an entry of that kind that went well says so; others only say when it went wrong.
fn says_how_it_ended(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Command | EntryKind::End => true,
        EntryKind::Session
        | EntryKind::Assistant
        | EntryKind::Thinking
        | EntryKind::ToolCall
        | EntryKind::ToolResult
        | EntryKind::Edit
        | EntryKind::Error
        | EntryKind::Retry
        | EntryKind::Usage
        | EntryKind::System
        | EntryKind::Text => false,
    }
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;
    use crate::ui::theme::Glyphs;
    use crate::ui::widget::testing::picture_of;

    fn layout(width: usize) -> Layout<'static> {
        let times = Times::Shown(FixedOffset::east_opt(0).unwrap());
        Layout { times, fold: 3, ..Layout::plain(width) }
    }

    fn every_kind() -> Vec<Entry> {
        use EntryKind::*;
        let usage = Some(crate::domain::ticket::Usage {
            input_tokens: 40_000,
            output_tokens: 1_500,
            cost_micros: Some(1_420_000),
        });
        let entry = |kind, text: &str| Entry::new(kind, text);
        vec![
            entry(Session, "session 6f2c began"),
            entry(Thinking, "The router has no middleware yet, so it must be wired before the handlers."),
            entry(Assistant, "I'll add the middleware and wire it into the router.\n\n- one\n- two\n- three"),
            Entry { tool: Some("read".into()), ..entry(ToolCall, "src/auth/router.rs") },
            Entry { ok: Some(false), ..entry(ToolResult, "no such file") },
            Entry { path: Some("src/auth/jwt.rs".into()), ok: Some(true), ..entry(Edit, "src/auth/jwt.rs +28 −2") },
            Entry { exit_code: Some(0), ok: Some(true), ..entry(Command, "cargo check") },
            Entry { exit_code: Some(101), ok: Some(false), ..entry(Command, "cargo test --workspace --all-targets") },
            entry(Error, "overloaded\u{1b}[2J"),
            entry(Retry, "attempt 2 of 10 in 4s"),
            Entry { usage, ..entry(Usage, "") },
            Entry { ok: Some(true), usage, ..entry(End, "finished") },
            entry(System, "compacted"),
            entry(Text, "   \u{1b}[32mCompiling\u{1b}[0m\tdraft 10%\r   \u{1b}[32mFinished\u{1b}[0m in 2s"),
        ]
    }

    fn drawn(layout: Layout, theme: &Theme) -> String {
        let at = Timestamp(1_790_078_621_000);
        let lines: Vec<_> = every_kind().iter().flat_map(|entry| lines(Some(at), entry, layout, theme)).collect();
        picture_of(&lines, u16::try_from(layout.width).unwrap())
    }

    #[test]
    fn every_kind_of_entry_has_its_look() {
        insta::assert_snapshot!(drawn(layout(60), &Theme::color()));
    }

    #[test]
    fn a_narrow_pane_has_no_times_and_ascii_needs_no_colour() {
        insta::assert_snapshot!(drawn(layout(30), &Theme::plain().with_glyphs(Glyphs::ascii())));
    }

    #[test]
    fn a_cut_pane_shows_one_line_a_line() {
        let entry = Entry { tool: Some("bash".into()), ..Entry::new(EntryKind::ToolCall, "cargo test\nsecond line") };
        let cut = Layout { times: Times::Hidden, overflow: Overflow::Cut(5), ..layout(12) };
        let texts: Vec<_> = lines(None, &entry, cut, &Theme::plain()).iter().map(Line::to_string).collect();
        assert_eq!(texts, ["⚙ cargo test", "  d line"]);
    }

    #[test]
    fn the_lines_of_an_edit_are_those_of_a_diff() {
        let edit =
            Entry { path: Some("a.rs".into()), ..Entry::new(EntryKind::Edit, "edited, +1 -1\n same\n-old\n+new") };
        let theme = Theme::plain();
        let rows = lines(None, &edit, Layout { times: Times::Hidden, ..layout(30) }, &theme);
        let texts: Vec<String> = rows.iter().map(Line::to_string).collect();
        assert_eq!(texts[1..], ["   same", "  -old", "  +new"]);
        let roles = [Role::Dim, Role::Removed, Role::Added];
        for (row, role) in rows[1..].iter().zip(roles) {
            assert_eq!(row.spans.last().unwrap().style, theme.style(role), "{row}");
        }
    }

    #[test]
    fn what_a_sub_agent_says_is_marked() {
        let said = Entry { tool: Some("Task".into()), ..Entry::new(EntryKind::Assistant, "Found it.") };
        let rows = lines(None, &said, Layout { times: Times::Hidden, ..layout(30) }, &Theme::plain());
        assert!(rows[0].to_string().ends_with("Task Found it."), "{}", rows[0]);
    }

    #[test]
    fn one_row_too_many_is_shown_rather_than_announced() {
        let texts = |text: &str| -> Vec<String> {
            let layout = Layout { times: Times::Hidden, ..layout(20) };
            let lines = lines(None, &Entry::new(EntryKind::Text, text), layout, &Theme::plain());
            lines.iter().map(|line| line.to_string().trim().to_owned()).collect()
        };
        assert_eq!(texts("a\nb\nc\nd"), ["a", "b", "c", "d"]);
        assert_eq!(texts("a\nb\nc\nd\ne"), ["a", "b", "c", "… 2 more lines"]);
        assert_eq!(texts(&format!("a\nb\nc\n{}", "x ".repeat(100_000))), ["a", "b", "c", "… 1 more line"]);
    }
}
