//! What happened to a ticket: when, by whom, from which state to which, and why; newest first, day by day.

use ratatui::text::Line;

use crate::domain::detail::Detail;
use crate::domain::event::{EventKind, NewEvent};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::{format, text};

use super::overview::Page;

/// Where the words begin below a time.
const INDENT: usize = "12:03:41  ".len();
/// The width of who did it.
const ACTORS: usize = 16;

/// Below this width who did it stands in a line of its own.
const NARROW: usize = 60;

/// Returns the lines of the history.
pub(super) fn lines(model: &Model, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    if detail.events.is_empty() {
        page.text(Role::Dim, "Nothing happened yet.");
    }
    let mut day = String::new();
    for event in detail.events.iter().rev() {
        let date = format::day(event.event.at, model.zone);
        if date != day {
            page.heading(&date);
            day = date;
        }
        piece(&mut page, model, &event.event, width);
    }
    page.lines()
}

fn piece(page: &mut Page, model: &Model, event: &NewEvent, width: usize) {
    if width < NARROW {
        page.pieces(&[
            (Role::Dim, &format!("{}  ", format::clock(event.at, model.zone))),
            (role(event), &what(model, event)),
        ]);
        let why = why(event);
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        page.indented(INDENT, Role::Dim, &format!("{}{why}", event.actor));
        return;
    }
    let at = format!("{}  ", format::clock(event.at, model.zone));
    let actor = text::pad(&event.actor.to_string(), ACTORS, text::Side::Left);
    let what = what(model, event);
    let mut pieces = vec![(Role::Dim, at.as_str()), (Role::Agent, actor.as_str()), (role(event), what.as_str())];
    let why = why(event);
    let gap = format!("  {why}");
    let used = INDENT + ACTORS + text::width(&what);
    let beside = used + text::width(&text::visible(&gap)) <= width && !why.contains('\n');
    if beside && !why.is_empty() {
        pieces.push((Role::Dim, &gap));
    }
    page.pieces(&pieces);
    if !beside {
        page.indented(INDENT, Role::Dim, why);
    }
}

fn role(event: &NewEvent) -> Role {
    event.to.map_or(Role::Text, Role::of_state)
}

/// Returns the message to an agent that an event is about.
pub(in crate::ui) fn message(event: &NewEvent) -> Option<&str> {
    (event.kind == EventKind::Comment).then(|| event.payload.get("message")?.as_str()).flatten()
}

/// Returns why it happened, in words.
fn why(event: &NewEvent) -> &str {
    message(event).unwrap_or(&event.reason)
}

/// Returns what happened and why, in a line.
pub(in crate::ui) fn news(model: &Model, event: &NewEvent) -> String {
    let what = what(model, event);
    match event.kind {
        EventKind::Comment | EventKind::CommentAdded | EventKind::CommentResolved | EventKind::JobQueued
            if !event.reason.is_empty() =>
        {
            format!("{what}: {}", why(event))
        }
        // Where to, and as which commit.
        EventKind::MergeSucceeded if !event.reason.is_empty() => event.reason.clone(),
        EventKind::Created
        | EventKind::Transitioned
        | EventKind::Updated
        | EventKind::Comment
        | EventKind::JobQueued
        | EventKind::CancelRequested
        | EventKind::MergeRequested
        | EventKind::MergeSucceeded
        | EventKind::MergeFailed
        | EventKind::CommentAdded
        | EventKind::CommentResolved
        | EventKind::ReviewSubmitted
        | EventKind::WorktreeCleaned
        | EventKind::WorktreeCleanupFailed
        | EventKind::WorktreeRestored => what,
    }
}

/// Returns what happened, in words.
pub(in crate::ui) fn what(model: &Model, event: &NewEvent) -> String {
    let said = match event.kind {
        EventKind::Created => "filed",
        EventKind::Transitioned => "moved",
        EventKind::Updated if event.payload["removed"] == true => "deleted",
        EventKind::Updated if event.payload["removed"] == false => "brought back",
        EventKind::Updated => "edited",
        EventKind::Comment if message(event).is_some() => "message",
        EventKind::Comment => "note",
        EventKind::JobQueued => "job queued",
        EventKind::CancelRequested => "stop asked for",
        EventKind::MergeRequested => "landing asked for",
        EventKind::MergeSucceeded => "landed",
        EventKind::MergeFailed if event.payload.get("errand").is_some() => "pull request failed",
        EventKind::MergeFailed if event.payload["state"] == "closed" => "pull request closed",
        EventKind::MergeFailed => "landing failed",
        EventKind::CommentAdded => "comment",
        EventKind::CommentResolved => "comment",
        EventKind::ReviewSubmitted if event.payload["decision"] == "approved" => "approved",
        EventKind::ReviewSubmitted => "sent back",
        EventKind::WorktreeCleaned => "worktree removed",
        EventKind::WorktreeCleanupFailed => "worktree could not be removed",
        EventKind::WorktreeRestored => "worktree is back",
    };
    match (event.from, event.to) {
        (Some(from), Some(to)) if from != to => {
            format!("{} {} {}", from.title().to_lowercase(), model.theme.glyphs.arrow, to.title().to_lowercase())
        }
        (None, Some(to)) => format!("{said} as {}", to.title().to_lowercase()),
        (Some(_) | None, Some(_) | None) => said.to_owned(),
    }
}
