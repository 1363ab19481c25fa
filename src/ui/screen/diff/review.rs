//! What a person says about a change and decides: keys in, questions and effects out.

use crate::domain::command::{Command, Reviewing};
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::review::{Comment, Side, Spot, Verdict};
use crate::domain::revision::RevisionStatus;
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::screen::dialog::Question;
use crate::ui::screen::remark::About;
use crate::ui::widget::diff::Row;

use super::DiffTab;

impl DiffTab {
    /// Returns the comment that the cursor is on, or the first on its line.
    fn comment_here(&self) -> Option<&Comment> {
        let said = |row: Row| if let Row::Said { at, .. } = row { Some(at) } else { None };
        let row = |at: usize| self.rows.get(at).and_then(|row| row.row());
        let at = row(self.cursor).and_then(said).or_else(|| row(self.cursor + 1).and_then(said))?;
        let comment = &self.change()?.comments.get(at)?.0;
        // An answer belongs to what it answers.
        let root = comment.reply_to.unwrap_or(comment.id);
        self.change()?.comments.iter().map(|(comment, _)| comment).find(|comment| comment.id == root)
    }

    /// Returns the lines from where the range began to the cursor, or the line or file of the cursor.
    fn spot(&self) -> Option<Spot> {
        let row = self.rows.get(self.cursor)?.row()?;
        let (file, side, line) = place(row)?;
        let files = self.files();
        let named = files.get(file)?;
        let path = match side {
            Side::New => &named.path,
            Side::Old => named.old_path.as_ref().unwrap_or(&named.path),
        };
        let Some(line) = line else { return Spot::of(files, path, side, None) };
        let from = self.range.and_then(|from| self.rows.get(from)?.row()).and_then(place);
        // A range stays within a file and a side.
        let other = from.filter(|(other, on, _)| (*other, *on) == (file, side)).and_then(|(_, _, line)| line);
        let other = other.unwrap_or(line);
        Spot::of(files, path, side, Some((line.min(other), line.max(other))))
    }
}

/// Returns the file, the side and the number of a line; no number for a file as a whole.
fn place(row: Row) -> Option<(usize, Side, Option<u32>)> {
    match row {
        Row::Line { file, new: Some(new), .. } => Some((file, Side::New, Some(new))),
        Row::Line { file, old: Some(old), .. } => Some((file, Side::Old, Some(old))),
        Row::File { file } | Row::Mode { file } | Row::Folded { file } | Row::Note { file } => {
            Some((file, Side::New, None))
        }
        Row::Line { .. } | Row::Hunk { .. } | Row::Gap | Row::Said { .. } => None,
    }
}

impl Model {
    /// Returns the revision that is looked at, if it is the newest and nothing is compared with an earlier one.
    fn reviewed(&mut self) -> Result<(TicketId, u32), String> {
        let loading = || "the change is not loaded yet.".to_owned();
        let screen = self.ticket.as_ref().filter(|screen| screen.is_at_diff()).ok_or_else(loading)?;
        let (ticket, tab) = (screen.ticket, &screen.diff);
        let revision = tab.change().ok_or_else(|| "there is no change to review.".to_owned())?.revision.number;
        if tab.page.as_ref().is_some_and(|page| page.request.since.is_some()) {
            return Err("this compares two revisions; look at the whole change to review it.".to_owned());
        }
        match self.newest_revision(ticket) {
            Some(newest) if newest > revision => Err(format!("revision {newest} took its place; review that one.")),
            Some(_) | None => Ok((ticket, revision)),
        }
    }

    /// Opens the place for a comment on what the cursor is on, or for an answer.
    pub(in crate::ui) fn comment(&mut self) -> Vec<Effect> {
        let (ticket, revision) = match self.reviewed() {
            Ok(reviewed) => reviewed,
            Err(why) => return self.refuse(why),
        };
        let Some(tab) = self.diff_tab() else { return Vec::new() };
        let on_comment = matches!(tab.rows.get(tab.cursor).and_then(|row| row.row()), Some(Row::Said { .. }));
        let about = match tab.comment_here().filter(|_| on_comment) {
            Some(comment) => Some(About::Spot { spot: comment.spot.clone(), reply_to: Some(comment.id) }),
            None => tab.spot().map(|spot| About::Spot { spot, reply_to: None }),
        };
        tab.range = None;
        match about {
            Some(about) => {
                self.open_remark(ticket, revision, about);
                Vec::new()
            }
            None => self.refuse("a comment is about a line or a file; go to one.".to_owned()),
        }
    }

    /// Begins a range of lines at the cursor, or ends it there.
    pub(in crate::ui) fn begin_range(&mut self) -> Vec<Effect> {
        if let Some(tab) = self.diff_tab() {
            tab.range = if tab.range.is_some() { None } else { Some(tab.cursor) };
        }
        Vec::new()
    }

    /// Forgets a range that was begun; says whether there was one.
    pub(in crate::ui) fn end_range(&mut self) -> bool {
        self.diff_tab().is_some_and(|tab| tab.range.take().is_some())
    }

    /// Says that the comment here is dealt with, or that it is not after all.
    pub(in crate::ui) fn resolve(&mut self) -> Vec<Effect> {
        let here = self.diff_tab().and_then(|tab| tab.comment_here().cloned());
        match here {
            Some(comment) => vec![Effect::Do(Command::Resolve {
                ticket: TicketRef::Id(comment.ticket),
                comment: comment.id,
                resolved: !comment.resolved,
            })],
            None => self.refuse("there is no comment on this line.".to_owned()),
        }
    }

    /// Approves the revision; asks first where comments are not resolved.
    pub(in crate::ui) fn approve(&mut self) -> Vec<Effect> {
        match self.reviewed() {
            Ok((ticket, revision)) if self.board.open_comments(ticket).next().is_some() => {
                self.ask(Question::Approve { ticket, revision })
            }
            Ok((ticket, revision)) => self.approved(ticket, revision, false),
            Err(why) => self.refuse(why),
        }
    }

    /// Says that the revision is approved.
    pub(in crate::ui) fn approved(&mut self, ticket: TicketId, revision: u32, anyway: bool) -> Vec<Effect> {
        let review = Reviewing {
            revision: Some(revision),
            verdict: Verdict::Approve,
            summary: String::new(),
            comments: Vec::new(),
            run: false,
            anyway,
        };
        vec![Effect::Do(Command::Review { ticket: TicketRef::Id(ticket), review })]
    }

    /// Opens the place to say what is to change.
    pub(in crate::ui) fn request_changes(&mut self) -> Vec<Effect> {
        match self.reviewed() {
            Ok((ticket, revision)) => self.open_remark(ticket, revision, About::Changes),
            Err(why) => return self.refuse(why),
        }
        Vec::new()
    }

    /// Says whether something that was said about the ticket is not dealt with.
    pub(in crate::ui) fn has_open_comments(&self) -> bool {
        self.selected().is_some_and(|ticket| self.board.open_comments(ticket).next().is_some())
    }

    /// Says whether nobody has decided about the newest revision yet.
    pub(in crate::ui) fn is_open_revision(&self) -> bool {
        let newest = self.selected().and_then(|ticket| self.board.revision(ticket));
        newest.is_some_and(|revision| revision.status == RevisionStatus::Open)
    }

    /// Asks for the landed change of the selected ticket to be taken back, as a ticket of its own.
    pub(in crate::ui) fn revert(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.with_trust(vec![Command::Revert { ticket: TicketRef::Id(ticket), id: None }])
    }

    /// Asks for the approved change of the selected ticket to be landed.
    pub(in crate::ui) fn land(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.with_trust(vec![Command::Land { ticket: TicketRef::Id(ticket), strategy: None }])
    }
}
