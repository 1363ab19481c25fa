//! A change side by side: what was there at the left, what is there now at the right, lines that belong together in one
//! row.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::diff::{self, Layout, Row};
use crate::domain::diff::FileDiff;
use crate::ui::theme::{Role, Theme};

/// One row side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitRow {
    /// It takes the whole width: the name of a file, the head of a hunk.
    Whole(Row),
    /// A line of each side; nothing where a side has none. Both are [`Row::Line`].
    Pair {
        /// Before.
        left: Option<Row>,
        /// Now.
        right: Option<Row>,
    },
}

impl SplitRow {
    /// Returns the row of an outline that it stands for: that of the new side where both have one.
    pub fn row(self) -> Option<Row> {
        match self {
            Self::Whole(row) => Some(row),
            Self::Pair { left, right } => right.or(left),
        }
    }
}

/// Puts an outline side by side: in each run of removed lines followed by added ones they stand beside each other.
pub fn split(rows: &[Row]) -> Vec<SplitRow> {
    let mut out = Vec::with_capacity(rows.len());
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for row in rows {
        match *row {
            Row::Line { old: Some(_), new: None, .. } => {
                if !added.is_empty() {
                    pair(&mut removed, &mut added, &mut out);
                }
                removed.push(*row);
            }
            Row::Line { old: None, new: Some(_), .. } => added.push(*row),
            Row::Line { old: Some(_), new: Some(_), .. } => {
                pair(&mut removed, &mut added, &mut out);
                out.push(SplitRow::Pair { left: Some(*row), right: Some(*row) });
            }
            // That a line has no end is said where the line is.
            Row::Line { old: None, new: None, .. } => match (removed.is_empty(), added.is_empty()) {
                (_, false) => added.push(*row),
                (false, true) => removed.push(*row),
                (true, true) => out.push(SplitRow::Pair { left: Some(*row), right: Some(*row) }),
            },
            Row::Gap
            | Row::File { .. }
            | Row::Mode { .. }
            | Row::Folded { .. }
            | Row::Said { .. }
            | Row::Note { .. }
            | Row::Hunk { .. } => {
                pair(&mut removed, &mut added, &mut out);
                out.push(SplitRow::Whole(*row));
            }
        }
    }
    pair(&mut removed, &mut added, &mut out);
    out
}

fn pair(removed: &mut Vec<Row>, added: &mut Vec<Row>, out: &mut Vec<SplitRow>) {
    for at in 0..removed.len().max(added.len()) {
        out.push(SplitRow::Pair { left: removed.get(at).copied(), right: added.get(at).copied() });
    }
    removed.clear();
    added.clear();
}

/// Returns one row as a line; `layout.width` is that of both sides together.
pub fn line(files: &[FileDiff], row: SplitRow, layout: Layout, theme: &Theme) -> Line<'static> {
    let (left, right) = match row {
        SplitRow::Whole(row) => return diff::line(files, row, layout, theme),
        SplitRow::Pair { left, right } => (left, right),
    };
    let number = |row: Option<Row>, of: fn(Option<u32>, Option<u32>) -> Option<u32>| match row {
        Some(Row::Line { old, new, .. }) => of(old, new),
        _ => None,
    };
    let each = Layout { width: layout.width.saturating_sub(1) / 2, ..layout };
    let mut line = diff::half(files, left, number(left, |old, _| old), each, theme);
    let gap = each.width.saturating_sub(line.width());
    line.spans.push(Span::styled(" ".repeat(gap), Style::new()));
    line.spans.push(Span::styled(theme.glyphs.border.vertical_left, theme.style(Role::Border)));
    line.spans.extend(diff::half(files, right, number(right, |_, new| new), each, theme).spans);
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::diff::{Content, DiffLine, FileChange, Hunk};
    use crate::ui::widget::diff::{digits, outline};
    use crate::ui::widget::testing::picture_of;

    fn file(lines: Vec<DiffLine>) -> FileDiff {
        let hunk = Hunk { old_start: 9, old_lines: 4, new_start: 9, new_lines: 5, lines };
        let content = Content::Text(vec![hunk]);
        FileDiff { change: FileChange::Modified, path: "src/a.rs".into(), old_path: None, modes: None, content }
    }

    fn lines() -> impl Strategy<Value = Vec<DiffLine>> {
        prop::collection::vec(
            prop_oneof![
                "[a-c]{0,4}".prop_map(DiffLine::Context),
                "[a-c]{0,4}".prop_map(DiffLine::Added),
                "[a-c]{0,4}".prop_map(DiffLine::Removed),
                Just(DiffLine::NoNewline),
            ],
            0..30,
        )
    }

    #[test]
    fn lines_that_became_each_other_stand_beside_each_other() {
        let files = [file(vec![
            DiffLine::Context("fn sqrt(x: f64) -> f64 {".into()),
            DiffLine::Removed("    let y = x.sqrt();".into()),
            DiffLine::Removed("    y".into()),
            DiffLine::Added("    let y = x.abs().sqrt();".into()),
            DiffLine::Context("}".into()),
            DiffLine::Added("// 日本 \u{1b}[2J".into()),
            DiffLine::NoNewline,
        ])];
        let rows = outline(&files, |_| false);
        let layout = Layout { width: 101, offset: 0, digits: digits(&rows) };
        let drawn: Vec<_> = split(&rows).into_iter().map(|row| line(&files, row, layout, &Theme::color())).collect();
        insta::assert_snapshot!(picture_of(&drawn, 101));
    }

    proptest! {
        #[test]
        fn every_line_is_there_once_on_its_side_and_in_its_order(lines in lines()) {
            let files = [file(lines)];
            let rows = outline(&files, |_| false);
            let split = split(&rows);
            let side = |of: fn(SplitRow) -> Option<Row>| -> Vec<Row> {
                split.iter().filter_map(|row| of(*row)).collect()
            };
            let left = side(|row| if let SplitRow::Pair { left, .. } = row { left } else { None });
            let right = side(|row| if let SplitRow::Pair { right, .. } = row { right } else { None });
            let numbered = |rows: &[Row], of: fn(&Row) -> Option<u32>| -> Vec<u32> { rows.iter().filter_map(of).collect() };
            let old = |row: &Row| if let Row::Line { old, .. } = row { *old } else { None };
            let new = |row: &Row| if let Row::Line { new, .. } = row { *new } else { None };
            prop_assert_eq!(numbered(&left, old), numbered(&rows, old));
            prop_assert_eq!(numbered(&right, new), numbered(&rows, new));
        }

        #[test]
        fn no_row_is_wider_than_its_place(lines in lines(), width in 0_usize..120) {
            let files = [file(lines)];
            let rows = outline(&files, |_| false);
            for row in split(&rows) {
                let layout = Layout { width, offset: 0, digits: 3 };
                prop_assert!(line(&files, row, layout, &Theme::color()).width() <= width.max(1));
            }
        }
    }
}
