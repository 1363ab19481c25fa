//! What happened to a ticket: when, by whom, from which state to which, and why; newest first.

use ratatui::text::Line;

use crate::domain::detail::Detail;
use crate::domain::event::{EventKind, NewEvent};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::{format, text};

use super::overview::Page;

/// Returns the lines of the history.
pub(super) fn lines(model: &Model, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    if detail.events.is_empty() {
        page.text(Role::Dim, "Nothing happened yet.");
    }
    for event in detail.events.iter().rev() {
        let event = &event.event;
        let day = format::date(event.at, model.zone);
        let at = format!("{} {}", &day[..10.min(day.len())], format::clock(event.at, model.zone));
        let actor = text::pad(&event.actor.to_string(), 16, text::Side::Left);
        page.pieces(&[(Role::Dim, &at), (Role::Agent, &format!("  {actor} ")), (role(event), &what(model, event))]);
        if !event.reason.is_empty() {
            page.fact("", Role::Dim, &event.reason);
        }
    }
    page.lines()
}

fn role(event: &NewEvent) -> Role {
    event.to.map_or(Role::Text, Role::of_state)
}

/// Returns what happened, in words.
pub(in crate::ui) fn what(model: &Model, event: &NewEvent) -> String {
    let said = match event.kind {
        EventKind::Created => "filed",
        EventKind::Transitioned => "moved",
        EventKind::Updated => "edited",
        EventKind::Comment => "note",
        EventKind::JobQueued => "job asked for",
        EventKind::CancelRequested => "stop asked for",
        EventKind::MergeRequested => "landing asked for",
        EventKind::MergeSucceeded => "landed",
        EventKind::MergeFailed => "landing failed",
        EventKind::WorktreeCleaned => "worktree removed",
        EventKind::WorktreeCleanupFailed => "worktree could not be removed",
        EventKind::WorktreeRestored => "worktree is back",
    };
    match (event.from, event.to) {
        (Some(from), Some(to)) if from != to => {
            format!("{} {} {}", from.title().to_lowercase(), model.theme.glyphs.arrow, to.title().to_lowercase())
        }
        (None, Some(to)) => format!("{said} as {}", to.title().to_lowercase()),
        (Some(_) | None, _) => said.to_owned(),
    }
}
