//! A change as rows that can be counted, found and drawn one by one, so that a large one costs only what is seen.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::Line;

use super::strip::Strip;
use super::{changed, format, text};
use crate::domain::diff::{Content, DiffLine, FileChange, FileDiff};
use crate::ui::theme::{Role, Theme};

/// Below this width line numbers are left out, so that there is room to read.
const NUMBERS_FROM: usize = 50;

/// What one row of a drawn change is; the numbers are indexes into what was given to [`outline`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row {
    /// Between two files.
    Gap,
    /// The name of a file and how much of it changed.
    File {
        /// Which.
        file: usize,
    },
    /// The old and new mode of a file.
    Mode {
        /// Which.
        file: usize,
    },
    /// What stands for the lines of a file that are folded away.
    Folded {
        /// Which.
        file: usize,
    },
    /// A line of what somebody said about the line above; whoever draws the change knows what.
    Said {
        /// Which of the comments.
        at: usize,
        /// Which of its lines.
        line: usize,
    },
    /// Why there are no lines to see.
    Note {
        /// Which.
        file: usize,
    },
    /// The head of a hunk.
    Hunk {
        /// Of which file.
        file: usize,
        /// Which.
        hunk: usize,
    },
    /// A line.
    Line {
        /// Of which file.
        file: usize,
        /// Of which hunk.
        hunk: usize,
        /// Which.
        line: usize,
        /// Its number before, where it was there.
        old: Option<u32>,
        /// Its number now, where it is there.
        new: Option<u32>,
    },
}

/// Returns what each row of a change is, without the lines of folded files. Made once a change is loaded; jumping to a file
/// or hunk is a search in it.
pub fn outline(files: &[FileDiff], is_folded: impl Fn(usize) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, file) in files.iter().enumerate() {
        if at > 0 {
            rows.push(Row::Gap);
        }
        rows.push(Row::File { file: at });
        if file.modes.is_some() {
            rows.push(Row::Mode { file: at });
        }
        match &file.content {
            Content::Text(hunks) if !hunks.is_empty() && is_folded(at) => rows.push(Row::Folded { file: at }),
            Content::Text(hunks) if !hunks.is_empty() => {
                for hunk in 0..hunks.len() {
                    push_hunk(file, at, hunk, &mut rows);
                }
            }
            Content::Text(_) | Content::Binary { .. } | Content::TooLarge { .. } | Content::Submodule { .. } => {
                rows.push(Row::Note { file: at });
            }
        }
    }
    rows
}

fn push_hunk(diff: &FileDiff, file: usize, hunk: usize, rows: &mut Vec<Row>) {
    let Content::Text(hunks) = &diff.content else { return };
    rows.push(Row::Hunk { file, hunk });
    let (mut old, mut new) = (hunks[hunk].old_start, hunks[hunk].new_start);
    for (line, content) in hunks[hunk].lines.iter().enumerate() {
        let (has_old, has_new) = match content {
            DiffLine::Context(_) => (true, true),
            DiffLine::Added(_) => (false, true),
            DiffLine::Removed(_) => (true, false),
            DiffLine::NoNewline => (false, false),
        };
        rows.push(Row::Line { file, hunk, line, old: has_old.then_some(old), new: has_new.then_some(new) });
        old = old.saturating_add(u32::from(has_old));
        new = new.saturating_add(u32::from(has_new));
    }
}

/// How a change is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// How many columns of the lines at the left are out of sight.
    pub offset: usize,
    /// How many digits the largest line number has; see [`digits`].
    pub digits: usize,
}

/// Returns how many digits the line numbers of a change need.
pub fn digits(rows: &[Row]) -> usize {
    let largest = rows.iter().map(|row| match row {
        Row::Line { old, new, .. } => (*old).max(*new).unwrap_or(0),
        Row::Gap
        | Row::File { .. }
        | Row::Mode { .. }
        | Row::Folded { .. }
        | Row::Said { .. }
        | Row::Note { .. }
        | Row::Hunk { .. } => 0,
    });
    largest.max().unwrap_or(0).to_string().len().max(3)
}

/// Returns a whole change as lines. Of large ones draw only what is seen, with [`line()`].
pub fn lines(files: &[FileDiff], width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let rows = outline(files, |_| false);
    let layout = Layout { width, offset: 0, digits: digits(&rows) };
    rows.iter().map(|row| line(files, *row, layout, theme)).collect()
}

/// Returns one row as a line. A row that is not of these files is empty.
pub fn line(files: &[FileDiff], row: Row, layout: Layout, theme: &Theme) -> Line<'static> {
    let mut strip = Strip::default();
    match row {
        Row::Gap | Row::Said { .. } => {}
        Row::File { file } => files.get(file).into_iter().for_each(|file| head(&mut strip, file, theme)),
        Row::Mode { file } => {
            if let Some((old, new)) = files.get(file).and_then(|file| file.modes) {
                strip.push_text(&format!("  mode {old:06o} {} {new:06o}", theme.glyphs.arrow), theme.style(Role::Dim));
            }
        }
        Row::Folded { file } => {
            if let Some(file) = files.get(file) {
                let size = file.size();
                let lines = u64::from(size.insertions) + u64::from(size.deletions);
                let said = format!("  {} folded", format::counted(lines, "changed line is", "changed lines are"));
                strip.push_text(&said, theme.style(Role::Dim));
            }
        }
        Row::Note { file } => {
            if let Some(file) = files.get(file) {
                strip.push_text(&format!("  {}", note(file, theme)), theme.style(Role::Dim));
            }
        }
        Row::Hunk { file, hunk } => {
            if let Some(Content::Text(hunks)) = files.get(file).map(|file| &file.content)
                && let Some(hunk) = hunks.get(hunk)
            {
                strip.push_text(&hunk.head(), theme.style(Role::Hunk));
            }
        }
        Row::Line { file, hunk, line, old, new } => {
            if let Some((sign, text)) = content(files, (file, hunk, line), theme) {
                return content_line(sign, &text, &[old, new], layout, theme);
            }
        }
    }
    strip.window(0, layout.width)
}

/// Returns a line of a side by itself, with its number there; a row that is no line of these files is empty.
pub(super) fn half(
    files: &[FileDiff],
    row: Option<Row>,
    number: Option<u32>,
    layout: Layout,
    theme: &Theme,
) -> Line<'static> {
    match row {
        Some(Row::Line { file, hunk, line, .. }) => content(files, (file, hunk, line), theme)
            .map_or_else(Line::default, |(sign, text)| content_line(sign, &text, &[number], layout, theme)),
        _ => Line::default(),
    }
}

/// Returns the sign and the text of a line; nothing where these files have none there.
fn content(
    files: &[FileDiff],
    (file, hunk, line): (usize, usize, usize),
    theme: &Theme,
) -> Option<((&'static str, Role), Strip)> {
    let Content::Text(hunks) = &files.get(file)?.content else { return None };
    let lines = hunks.get(hunk)?.lines.as_slice();
    let content = lines.get(line)?;
    Some((sign(content), content_text(content, changed::words(lines, line), theme)))
}

/// Draws `renamed src/old.rs → src/new.rs  +3 −1`.
fn head(strip: &mut Strip, file: &FileDiff, theme: &Theme) {
    let (word, role) = match file.change {
        FileChange::Added => ("added", Role::Added),
        FileChange::Deleted => ("deleted", Role::Removed),
        FileChange::Modified => ("modified", Role::Warn),
        FileChange::Renamed => ("renamed", Role::Link),
    };
    strip.push_text(word, theme.style(role));
    strip.push_text(" ", Style::new());
    // A tab in a name is part of it, and not a gap between two.
    if let Some(old) = &file.old_path {
        strip.push_text(&format!("{} {} ", text::visible(old), theme.glyphs.arrow), theme.style(Role::Dim));
    }
    strip.push_text(&text::visible(&file.path), theme.style(Role::Title));
    let size = file.size();
    if size.insertions > 0 || size.deletions > 0 {
        strip.push_text(&format!("  +{}", format::count(u64::from(size.insertions))), theme.style(Role::Added));
        let deletions = format!(" {}{}", theme.glyphs.minus, format::count(u64::from(size.deletions)));
        strip.push_text(&deletions, theme.style(Role::Removed));
    }
}

/// Says why there are no lines.
fn note(file: &FileDiff, theme: &Theme) -> String {
    let arrow = theme.glyphs.arrow;
    let sizes = |old: &u64, new: &u64| match file.change {
        FileChange::Added => format::bytes(*new),
        FileChange::Deleted => format::bytes(*old),
        FileChange::Modified | FileChange::Renamed => {
            format!("{} {arrow} {}", format::bytes(*old), format::bytes(*new))
        }
    };
    match &file.content {
        Content::Binary { old_size, new_size } => format!("binary file, {}", sizes(old_size, new_size)),
        Content::TooLarge { old_size, new_size } => format!("too large to compare, {}", sizes(old_size, new_size)),
        Content::Submodule { old, new } => match (old, new) {
            (Some(old), Some(new)) => format!("submodule {} {arrow} {}", commit(old), commit(new)),
            (None, Some(new)) => format!("submodule at {}", commit(new)),
            (Some(old), None) => format!("submodule, was at {}", commit(old)),
            (None, None) => "submodule".to_owned(),
        },
        Content::Text(_) => match file.change {
            FileChange::Added | FileChange::Deleted => "empty file".to_owned(),
            FileChange::Renamed => "only the name differs".to_owned(),
            FileChange::Modified if file.modes.is_some() => "only the mode differs".to_owned(),
            FileChange::Modified => "no line differs".to_owned(),
        },
    }
}

fn commit(id: &str) -> String {
    id.chars().take(7).collect()
}

/// Returns the sign before a line, and its role.
fn sign(line: &DiffLine) -> (&'static str, Role) {
    match line {
        DiffLine::Context(_) => (" ", Role::Text),
        DiffLine::Added(_) => ("+", Role::Added),
        DiffLine::Removed(_) => ("-", Role::Removed),
        DiffLine::NoNewline => ("\\", Role::Dim),
    }
}

/// Returns the text of a line, with the bytes that changed in it.
fn content_text(line: &DiffLine, changed: Option<Range<usize>>, theme: &Theme) -> Strip {
    let style = theme.style(sign(line).1);
    let mut strip = Strip::default();
    match (line, changed) {
        (DiffLine::Context(text) | DiffLine::Added(text) | DiffLine::Removed(text), Some(changed)) => {
            strip.push_text(&text[..changed.start], style);
            strip.push_text(&text[changed.clone()], style.patch(theme.style(Role::Changed)));
            strip.push_text(&text[changed.end..], style);
        }
        (DiffLine::Context(text) | DiffLine::Added(text) | DiffLine::Removed(text), None) => {
            strip.push_text(text, style)
        }
        (DiffLine::NoNewline, _) => strip.push_text(" no newline at the end of the file", style),
    }
    strip
}

/// Draws numbers, sign and text of one line; the numbers stay where they are when the text moves sideways.
fn content_line(
    (sign, role): (&str, Role),
    text: &Strip,
    numbers: &[Option<u32>],
    layout: Layout,
    theme: &Theme,
) -> Line<'static> {
    let mut gutter = Strip::default();
    if layout.width >= NUMBERS_FROM {
        for number in numbers {
            let number = number.map_or_else(String::new, |number| number.to_string());
            gutter.push_text(&text::pad(&number, layout.digits, text::Side::Right), theme.style(Role::Dim));
            gutter.push_text(" ", Style::new());
        }
    }
    gutter.push_text(sign, theme.style(role));
    let mut line = gutter.window(0, layout.width);
    line.spans.extend(text.window(layout.offset, layout.width.saturating_sub(gutter.width())).spans);
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::diff::Hunk;
    use crate::ui::theme::Glyphs;
    use crate::ui::widget::testing::{assert_harmless, draw, picture_of};

    fn file(change: FileChange, path: &str, content: Content) -> FileDiff {
        FileDiff { change, path: path.to_owned(), old_path: None, modes: None, content }
    }

    fn hunk() -> Hunk {
        let lines = vec![
            DiffLine::Context("fn sqrt(x: f64) -> f64 {".into()),
            DiffLine::Removed("\tlet y = x.sqrt();".into()),
            DiffLine::Added("\tlet y = x.abs().sqrt();".into()),
            DiffLine::Context("".into()),
            DiffLine::Added("\tx.sqrt() // \u{1b}[2J\u{202e}".into()),
            DiffLine::Context("}".into()),
            DiffLine::NoNewline,
        ];
        Hunk { old_start: 97, old_lines: 4, new_start: 97, new_lines: 5, lines }
    }

    fn every_kind() -> Vec<FileDiff> {
        use FileChange::{Added, Deleted, Modified, Renamed};
        let id = |digit: &str| Some(digit.repeat(40));
        vec![
            file(Modified, "src/math.rs", Content::Text(vec![hunk()])),
            FileDiff {
                old_path: Some("old.rs".into()),
                modes: Some((0o100_644, 0o100_755)),
                ..file(Renamed, "new\u{1b}[31m.rs", Content::Text(Vec::new()))
            },
            FileDiff { modes: Some((0o100_644, 0o100_755)), ..file(Modified, "run.sh", Content::Text(Vec::new())) },
            file(Added, "empty", Content::Text(Vec::new())),
            file(Modified, "logo.png", Content::Binary { old_size: 1_250, new_size: 41_000 }),
            file(Added, "Cargo.lock", Content::TooLarge { old_size: 0, new_size: 41_000_000 }),
            file(Modified, "lib", Content::Submodule { old: id("a"), new: id("b") }),
            file(Deleted, "gone", Content::Submodule { old: id("a"), new: None }),
        ]
    }

    #[test]
    fn every_kind_of_change_shows_honestly() {
        insta::assert_snapshot!(picture_of(&lines(&every_kind(), 60, &Theme::color()), 60));
    }

    #[test]
    fn a_narrow_pane_has_no_numbers_and_ascii_needs_no_colour() {
        let theme = Theme::plain().with_glyphs(Glyphs::ascii());
        insta::assert_snapshot!(picture_of(&lines(&every_kind()[..2], 30, &theme), 30));
    }

    #[test]
    fn a_tab_in_a_name_is_seen_as_one() {
        let files = [FileDiff {
            old_path: Some("c\td".into()),
            ..file(FileChange::Renamed, "a\tb", Content::Text(Vec::new()))
        }];
        let picture = picture_of(&lines(&files, 40, &Theme::plain()), 40);
        assert!(picture.contains("c␉d → a␉b"), "{picture}");
    }

    #[test]
    fn numbers_stay_when_the_text_moves_sideways() {
        let files = [file(FileChange::Modified, "a", Content::Text(vec![hunk()]))];
        let layout = Layout { width: 50, offset: 3, digits: 3 };
        let row = outline(&files, |_| false)[2];
        assert_eq!(line(&files, row, layout, &Theme::plain()).to_string(), " 97  97  sqrt(x: f64) -> f64 {");
    }

    #[test]
    fn a_row_of_another_change_is_empty() {
        let row = Row::Line { file: 7, hunk: 0, line: 0, old: None, new: None };
        assert_eq!(line(&[], row, Layout { width: 9, offset: 0, digits: 3 }, &Theme::plain()), Line::default());
    }

    proptest! {
        #[test]
        fn any_file_is_harmless_at_any_width(text: String, path: String, start: u32, width in 0_u16..80, offset in 0_usize..9) {
            let lines = vec![DiffLine::Added(text.clone()), DiffLine::Context(text), DiffLine::NoNewline];
            let hunk = Hunk { old_start: start, old_lines: 1, new_start: u32::MAX, new_lines: 2, lines };
            let files = [FileDiff {
                old_path: Some(path.clone()),
                ..file(FileChange::Renamed, &path, Content::Text(vec![hunk]))
            }];
            let rows = outline(&files, |_| false);
            let layout = Layout { width: width.into(), offset, digits: digits(&rows) };
            let lines: Vec<_> = rows.iter().map(|row| line(&files, *row, layout, &Theme::color())).collect();
            for line in &lines {
                prop_assert!(text::width(&line.to_string()) <= usize::from(width));
                prop_assert!(!line.to_string().chars().any(char::is_control));
            }
            assert_harmless(&draw(&lines, 80, 9));
        }
    }
}
