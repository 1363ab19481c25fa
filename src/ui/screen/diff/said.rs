//! Comments between the lines of a change: where their rows go, and how they look.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::domain::diff::FileDiff;
use crate::domain::follow::Place;
use crate::domain::review::{Comment, Side, Spot};
use crate::ui::model::Model;
use crate::ui::screen::reviews::name;
use crate::ui::theme::Role;
use crate::ui::widget::diff::Row;
use crate::ui::widget::strip::Strip;
use crate::ui::widget::{format, text};

/// The most lines that one comment takes; the rest is in the ticket's history.
const MOST: usize = 12;
/// How far a comment stands in, and an answer further.
const INDENT: usize = 4;

/// Returns the outline with the rows of comments: each below the last line that it is about, below the name of its file where it
/// is about all of that or its line is gone, and at the end where the file is not part of the change.
pub(super) fn among(rows: Vec<Row>, files: &[FileDiff], comments: &[(Comment, Place)], width: usize) -> Vec<Row> {
    if comments.is_empty() {
        return rows;
    }
    let mut left: Vec<usize> = (0..comments.len()).filter(|at| comments[*at].0.reply_to.is_none()).collect();
    let mut out = Vec::with_capacity(rows.len());
    let put = |out: &mut Vec<Row>, at: usize| {
        let thread =
            comments.iter().enumerate().filter(|(n, (one, _))| *n == at || one.reply_to == Some(comments[at].0.id));
        for (n, (comment, _)) in thread {
            out.extend((0..height(comment, width)).map(|line| Row::Said { at: n, line }));
        }
    };
    for (n, row) in rows.iter().enumerate() {
        out.push(*row);
        // The mode of a file belongs to its name.
        let has_mode = matches!(rows.get(n + 1), Some(Row::Mode { .. }));
        let (here, later): (Vec<usize>, Vec<usize>) =
            left.into_iter().partition(|at| !has_mode && is_below(*row, files, &comments[*at]));
        here.into_iter().for_each(|at| put(&mut out, at));
        left = later;
    }
    left.into_iter().for_each(|at| put(&mut out, at));
    out
}

/// Says whether a comment stands below that row.
fn is_below(row: Row, files: &[FileDiff], (comment, place): &(Comment, Place)) -> bool {
    let name = |file: usize, side: Side| {
        let file = files.get(file)?;
        Some(match side {
            Side::New => file.path.as_str(),
            Side::Old => file.old_path.as_deref().unwrap_or(&file.path),
        })
    };
    match (row, place) {
        (Row::File { file } | Row::Mode { file } | Row::Folded { file }, Place::At(Spot { path, side, lines, .. })) => {
            // Also a line of a file that is folded.
            let is_whole = lines.is_none() || matches!(row, Row::Folded { .. });
            is_whole && name(file, *side) == Some(path)
        }
        (Row::File { file } | Row::Mode { file }, Place::Orphaned) => {
            name(file, comment.spot.side) == Some(comment.spot.path.as_str())
        }
        (Row::Line { file, old, new, .. }, Place::At(Spot { path, side, lines: Some((_, last)), .. })) => {
            let number = match side {
                Side::New => new,
                Side::Old => old,
            };
            number == Some(*last) && name(file, *side) == Some(path)
        }
        _ => false,
    }
}

fn indent(comment: &Comment) -> usize {
    if comment.reply_to.is_some() { 2 * INDENT } else { INDENT }
}

fn body(comment: &Comment, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent(comment) + 2).max(8);
    let mut lines: Vec<String> = comment.body.lines().flat_map(|line| text::wrap(line, room)).collect();
    lines.truncate(MOST);
    lines
}

/// Returns how many rows a comment takes: one that says whose it is, and its text.
fn height(comment: &Comment, width: usize) -> usize {
    1 + body(comment, width).len()
}

/// Returns one row of a comment.
pub(super) fn line(model: &Model, (comment, place): &(Comment, Place), line: usize, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let role = if comment.resolved { Role::Dim } else { Role::Warn };
    let mut strip = Strip::default();
    strip.push_text(&" ".repeat(indent(comment)), Style::new());
    strip.push_text(&format!("{} ", theme.glyphs.border.vertical_left), theme.style(role));
    let Some(below) = line.checked_sub(1) else {
        strip.push_text(&name(&comment.author), theme.style(Role::Title));
        let at = format!("  {} {}", format::day(comment.at, model.zone), format::clock(comment.at, model.zone));
        strip.push_text(&at, theme.style(Role::Dim));
        let mut said = Vec::new();
        if *place == Place::Orphaned {
            let line = comment.spot.lines.map_or_else(String::new, |(first, _)| format!(" (line {first})"));
            said.push(format!("its line is gone{line}: {}", comment.spot.quoted.trim()));
        }
        if comment.resolved {
            said.push(format!("{} resolved", theme.glyphs.ok));
        }
        if !said.is_empty() {
            strip.push_text(&format!("  {}", said.join("  ")), theme.style(role));
        }
        return strip.window(0, width);
    };
    if let Some(said) = body(comment, width).get(below) {
        strip.push_text(said, theme.style(if comment.resolved { Role::Dim } else { Role::Text }));
    }
    strip.window(0, width)
}
