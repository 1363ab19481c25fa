//! What was said about a ticket's revisions and what was decided, newest revision first.

use ratatui::text::Line;

use crate::domain::detail::Detail;
use crate::domain::event::{Actor, ActorKind};
use crate::domain::review::{Comment, Review, Verdict};
use crate::domain::revision::{Revision, RevisionStatus};
use crate::domain::time::Timestamp;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::format;
use crate::ui::words;

use super::overview::Page;

/// How far in the words of a comment stand, and how much further those of an answer.
const INDENT: usize = 2;

/// Returns the lines of the reviews.
pub(super) fn lines(model: &Model, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    if detail.revisions.is_empty() {
        page.text(Role::Dim, "Nothing to review yet: an agent's change becomes a revision.");
    }
    for revision in detail.revisions.iter().rev() {
        one(&mut page, model, detail, revision);
    }
    page.lines()
}

fn one(page: &mut Page, model: &Model, detail: &Detail, revision: &Revision) {
    let glyphs = &model.theme.glyphs;
    page.heading(&format!("Revision {}", revision.number));
    let (role, status) = standing(model, revision.status);
    page.fact("status", role, &status);
    let files = words::count(usize::try_from(revision.size.files).unwrap_or(usize::MAX), "file");
    page.fact("change", Role::Text, &format!("{} in {files}", words::size(revision.size, glyphs)));
    page.fact("made", Role::Dim, &format::date(revision.at, model.zone));
    if let Some(review) = detail.reviews.iter().find(|review| review.revision == revision.number) {
        decision(page, model, review);
    }
    let of_it = |comment: &&Comment| comment.revision == revision.number && comment.reply_to.is_none();
    let mut is_quiet = true;
    for comment in detail.comments.iter().filter(of_it) {
        is_quiet = false;
        thread(page, model, detail, comment);
    }
    if is_quiet && revision.status == RevisionStatus::Open {
        page.text(Role::Dim, "Nobody said anything about it yet: in its change (3), c comments on a line.");
    }
}

fn standing(model: &Model, status: RevisionStatus) -> (Role, String) {
    let glyphs = &model.theme.glyphs;
    match status {
        RevisionStatus::Open => (Role::Warn, format!("{} to be reviewed", glyphs.warn)),
        RevisionStatus::ChangesRequested => (Role::Bad, format!("{} sent back", glyphs.bad)),
        RevisionStatus::Approved => (Role::Ok, format!("{} approved", glyphs.ok)),
        RevisionStatus::Superseded => (Role::Dim, "a newer one took its place".to_owned()),
    }
}

fn decision(page: &mut Page, model: &Model, review: &Review) {
    let (role, verdict) = match review.verdict {
        Verdict::Approve => (Role::Ok, "approved by"),
        Verdict::RequestChanges => (Role::Bad, "sent back by"),
    };
    page.fact("decided", role, &format!("{verdict} {}", signed(model, &review.author, review.at)));
    if !review.summary.trim().is_empty() {
        page.fact("", Role::Text, review.summary.trim_end());
    }
}

/// Adds a comment with its answers.
fn thread(page: &mut Page, model: &Model, detail: &Detail, root: &Comment) {
    let glyphs = &model.theme.glyphs;
    let lines = match root.spot.lines {
        None => String::new(),
        Some((first, last)) if first == last => format!(":{first}"),
        Some((first, last)) => format!(":{first}-{last}"),
    };
    let (role, state) = if root.resolved {
        (Role::Ok, format!("{} resolved", glyphs.ok))
    } else {
        (Role::Warn, format!("{} open", glyphs.warn))
    };
    page.text(Role::Text, "");
    page.pieces(&[(role, &state), (Role::Text, "  "), (Role::Code, &format!("{}{lines}", root.spot.path))]);
    if !root.spot.quoted.trim().is_empty() {
        page.indented(INDENT, Role::Code, root.spot.quoted.trim());
    }
    said(page, model, INDENT, root);
    for answer in detail.comments.iter().filter(|comment| comment.reply_to == Some(root.id)) {
        said(page, model, 2 * INDENT, answer);
    }
}

fn said(page: &mut Page, model: &Model, indent: usize, comment: &Comment) {
    page.indented(indent, Role::Dim, &signed(model, &comment.author, comment.at));
    let role = if comment.resolved { Role::Dim } else { Role::Text };
    for line in comment.body.trim_end().lines() {
        page.indented(indent, role, line);
    }
}

fn signed(model: &Model, author: &Actor, at: Timestamp) -> String {
    format!("{}, {}", name(author), format::date(at, model.zone))
}

/// Returns how a reviewer is called.
pub(super) fn name(author: &Actor) -> String {
    match author.kind {
        ActorKind::Human => "you".to_owned(),
        ActorKind::Planner | ActorKind::System | ActorKind::Executor => author.to_string(),
    }
}
