//! The change of a ticket, to be read: which revision, which files are folded, where the cursor is, and what keys do to
//! that.

use std::collections::BTreeSet;

use crate::domain::diff::{Change, DiffPage, DiffRequest, FileDiff};
use crate::domain::id::TicketId;
use crate::domain::revision::Revision;
use crate::ui::keys::Action;
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::Effect;
use crate::ui::widget::diff::{Row, digits, outline};
use crate::ui::widget::diff_split::{SplitRow, split};
use crate::ui::widget::scroll;

mod fold;
mod review;
mod said;
mod view;

pub(in crate::ui) use view::draw;

/// From this width on both sides stand beside each other, unless somebody wants it otherwise.
const BESIDE_FROM: u16 = 160;
/// How far the text moves sideways at once.
const SIDEWAYS: usize = 8;
/// Rows around the cursor that stay in sight.
const MARGIN: usize = 2;

/// What is looked at.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::ui) struct DiffTab {
    /// The revision that somebody went back to; nothing follows the newest.
    chosen: Option<u32>,
    /// Whether the revision is compared with the one before.
    compares: bool,
    /// The row where a range of lines begins.
    range: Option<usize>,
    /// Columns of the lines.
    width: usize,
    asked: Option<DiffRequest>,
    page: Option<DiffPage>,
    folded: BTreeSet<usize>,
    /// Whether both sides stand beside each other, once somebody said so.
    beside: Option<bool>,
    rows: Vec<SplitRow>,
    /// Whether that is how the rows are now.
    is_beside: bool,
    digits: usize,
    cursor: usize,
    top: usize,
    /// Columns of the lines that are out of sight at the left.
    left: usize,
}

impl DiffTab {
    /// Returns the change that is shown.
    fn change(&self) -> Option<&Change> {
        self.page.as_ref()?.change.as_ref().ok()
    }

    fn files(&self) -> &[FileDiff] {
        self.change().map_or(&[], |change| change.files.as_slice())
    }

    /// Returns the file that the cursor is in.
    fn file(&self) -> Option<usize> {
        match self.rows.get(self.cursor)?.row()? {
            Row::File { file }
            | Row::Mode { file }
            | Row::Folded { file }
            | Row::Note { file }
            | Row::Hunk { file, .. }
            | Row::Line { file, .. } => Some(file),
            // The gap before a file belongs to the one above, and so does what is said about it.
            Row::Gap | Row::Said { .. } => self.rows[..self.cursor].iter().rev().find_map(|row| match row.row()? {
                Row::File { file } => Some(file),
                Row::Gap
                | Row::Mode { .. }
                | Row::Folded { .. }
                | Row::Said { .. }
                | Row::Note { .. }
                | Row::Hunk { .. }
                | Row::Line { .. } => None,
            }),
        }
    }

    /// Makes the rows anew and keeps the cursor on what it was on.
    fn lay_out(&mut self) {
        let at = self.rows.get(self.cursor).and_then(|row| row.row());
        let file = self.file();
        let rows = outline(self.files(), |file| self.folded.contains(&file));
        self.digits = digits(&rows);
        let comments = self.change().map_or(&[][..], |change| change.comments.as_slice());
        let rows = said::among(rows, self.files(), comments, self.width);
        self.rows = if self.is_beside { split(&rows) } else { rows.into_iter().map(SplitRow::Whole).collect() };
        let same = |row: &SplitRow| match *row {
            SplitRow::Whole(row) => Some(row) == at,
            SplitRow::Pair { left, right } => at.is_some() && (left == at || right == at),
        };
        let head = || self.rows.iter().position(|row| file.is_some_and(|file| row.row() == Some(Row::File { file })));
        self.cursor = self.rows.iter().position(same).or_else(head).unwrap_or(0);
    }

    fn find(&self, forward: bool, is: impl Fn(Row) -> bool) -> Option<usize> {
        let is = |at: &usize| self.rows[*at].row().is_some_and(&is);
        if forward {
            (self.cursor + 1..self.rows.len()).find(is)
        } else {
            (0..self.cursor.min(self.rows.len())).rev().find(is)
        }
    }

    fn toggle_fold(&mut self) {
        let Some(file) = self.file() else { return };
        if !self.folded.remove(&file) {
            self.folded.insert(file);
            self.cursor = self.rows.iter().position(|row| row.row() == Some(Row::File { file })).unwrap_or(0);
        }
        self.lay_out();
    }
}

impl Model {
    fn diff_tab(&mut self) -> Option<&mut DiffTab> {
        self.ticket.as_mut().filter(|screen| screen.is_at_diff()).map(|screen| &mut screen.diff)
    }

    /// Returns the number of the newest revision of a ticket.
    fn newest_revision(&self, ticket: TicketId) -> Option<u32> {
        self.board.revision(ticket).map(|revision| revision.number)
    }

    /// Asks for the change that is to be seen, when it is another one than before.
    pub(in crate::ui) fn ask_for_diff(&mut self) -> Option<Effect> {
        let ticket = self.ticket.as_ref().filter(|screen| screen.is_at_diff())?.ticket;
        let newest = self.newest_revision(ticket);
        let tab = self.diff_tab()?;
        let revision = tab.chosen.or(newest)?;
        let since = revision.checked_sub(1).filter(|before| *before > 0 && tab.compares);
        let request = DiffRequest { ticket, revision, since };
        (tab.asked != Some(request)).then(|| {
            tab.asked = Some(request);
            Effect::LoadDiff(request)
        })
    }

    /// Takes over a change, unless another one is wanted by now.
    pub(in crate::ui) fn take_diff(&mut self, page: DiffPage) {
        let Some(screen) = &mut self.ticket else { return };
        if screen.diff.asked != Some(page.request) {
            return;
        }
        let tab = &mut screen.diff;
        let is_same = tab.page.as_ref().is_some_and(|known| known.request == page.request);
        if !is_same {
            let files = page.change.as_ref().map_or(&[][..], |change| change.files.as_slice());
            tab.folded = (0..files.len()).filter(|at| fold::at_first(&files[*at])).collect();
            (tab.cursor, tab.top, tab.left, tab.range) = (0, 0, 0, None);
            tab.rows.clear();
        }
        tab.page = Some(page);
        tab.lay_out();
        self.dirty = true;
    }

    /// Says whether a change can be read here, so that its keys mean something.
    pub(in crate::ui) fn reads_diff(&self) -> bool {
        self.ticket.as_ref().is_some_and(|screen| screen.is_at_diff() && !screen.diff.rows.is_empty())
    }

    /// Does what a key means for the change; says nothing when it means nothing here.
    pub(in crate::ui) fn act_on_diff(&mut self, action: Action) -> bool {
        let height = view::height(self);
        let Some(tab) = self.diff_tab() else { return false };
        let half = (height / 2).max(1);
        let last = tab.rows.len().saturating_sub(1);
        match action {
            Action::Down => tab.cursor = (tab.cursor + 1).min(last),
            Action::Up => tab.cursor = tab.cursor.saturating_sub(1),
            Action::HalfDown => tab.cursor = (tab.cursor + half).min(last),
            Action::HalfUp => tab.cursor = tab.cursor.saturating_sub(half),
            Action::Top => tab.cursor = 0,
            Action::Bottom => tab.cursor = last,
            Action::NextFile => go(tab, true, height, |row| matches!(row, Row::File { .. })),
            Action::PreviousFile => go(tab, false, height, |row| matches!(row, Row::File { .. })),
            Action::NextHunk => go(tab, true, height, |row| matches!(row, Row::Hunk { .. })),
            Action::PreviousHunk => go(tab, false, height, |row| matches!(row, Row::Hunk { .. })),
            Action::ScrollRight => tab.left = tab.left.saturating_add(SIDEWAYS),
            Action::ScrollLeft => tab.left = tab.left.saturating_sub(SIDEWAYS),
            Action::ToggleFold => tab.toggle_fold(),
            Action::ToggleBeside => tab.beside = Some(!tab.is_beside),
            Action::Compare => return self.compare(),
            Action::OlderRun => self.turn_revision(false),
            Action::NewerRun => self.turn_revision(true),
            _ => return false,
        }
        true
    }

    /// Compares the revision with the one before, or with what it started from again.
    fn compare(&mut self) -> bool {
        let newest = self.ticket.as_ref().and_then(|screen| self.newest_revision(screen.ticket)).unwrap_or(0);
        let Some(tab) = self.diff_tab() else { return false };
        if tab.chosen.unwrap_or(newest) < 2 {
            self.say(NoticeKind::News, "this is the first revision of the ticket");
        } else {
            tab.compares = !tab.compares;
        }
        true
    }

    /// Says whether that revision is looked at.
    pub(in crate::ui) fn shows_revision(&self, revision: &Revision) -> bool {
        let screen = self.ticket.as_ref().filter(|screen| screen.ticket == revision.ticket);
        screen.and_then(|screen| screen.diff.asked).is_some_and(|asked| asked.revision == revision.number)
    }

    /// Loads the change again after something was said about it.
    pub(in crate::ui) fn reload_diff(&self, ticket: TicketId) -> Option<Effect> {
        let screen = self.ticket.as_ref().filter(|screen| screen.ticket == ticket)?;
        screen.diff.asked.map(Effect::LoadDiff)
    }

    fn turn_revision(&mut self, newer: bool) {
        let Some(newest) = self.ticket.as_ref().and_then(|screen| self.newest_revision(screen.ticket)) else { return };
        let Some(tab) = self.diff_tab() else { return };
        let now = tab.chosen.unwrap_or(newest);
        let said = match (newer, now) {
            (true, now) if now >= newest => "this is the newest revision of the ticket",
            (false, 0 | 1) => "this is the first revision of the ticket",
            (newer, now) => {
                let to = if newer { now + 1 } else { now - 1 };
                tab.chosen = Some(to).filter(|to| *to < newest);
                return;
            }
        };
        self.say(NoticeKind::News, said);
    }

    /// Lays the change out for the width that there is, and keeps the cursor in sight.
    pub(in crate::ui) fn settle_diff(&mut self) {
        let (width, height) = (self.size.width, view::height(self));
        let columns = view::columns(self);
        let Some(tab) = self.diff_tab() else { return };
        let beside = tab.beside.unwrap_or(width >= BESIDE_FROM);
        if (beside, columns) != (tab.is_beside, tab.width) {
            (tab.is_beside, tab.width) = (beside, columns);
            tab.lay_out();
        }
        tab.cursor = tab.cursor.min(tab.rows.len().saturating_sub(1));
        tab.top = scroll::follow(tab.top, tab.cursor, tab.rows.len(), height, MARGIN);
    }
}

/// Goes to the next row of a kind and shows what follows it.
fn go(tab: &mut DiffTab, forward: bool, height: usize, is: impl Fn(Row) -> bool) {
    let Some(to) = tab.find(forward, is) else { return };
    tab.cursor = to;
    tab.top = to.saturating_sub(MARGIN).min(scroll::last_offset(tab.rows.len(), height));
}
