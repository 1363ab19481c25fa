//! What became true: the board takes it over, and what a person should hear of it is said.

use std::collections::{BTreeSet, HashSet};

use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::id::TicketId;
use crate::domain::job::JobStatus;

use super::index::Index;
use super::model::{Model, NoticeKind};
use super::msg::Effect;
use super::screen::history;
use super::screen::ticket::TicketScreen;
use super::words;

impl Model {
    pub(super) fn reloaded(&mut self, board: Board) -> Vec<Effect> {
        self.index = Index::filtered(&board, self.index.filter().clone(), self.index.conflicting().clone());
        self.board = board;
        self.dirty = true;
        let open = self.ticket.as_ref().map(|screen| screen.ticket).filter(|id| self.board.ticket(*id).is_some());
        let listed = self.shows_checklist_of().filter(|ticket| self.board.revision(*ticket).is_some());
        let listed = listed.map(Effect::LoadChecklist);
        open.map(Effect::LoadDetail).into_iter().chain(listed).collect()
    }

    pub(super) fn changed(&mut self, changes: &[Change]) -> Vec<Effect> {
        let mut effects = Vec::new();
        let said = changes.iter().filter_map(|change| match change {
            Change::Comment(comment) => Some(comment.ticket),
            Change::Review(review) => Some(review.ticket),
            // A newer one is asked for anyway.
            Change::Revision(revision) if self.shows_revision(revision) => Some(revision.ticket),
            _ => None,
        });
        let said: BTreeSet<TicketId> = said.collect();
        effects.extend(said.into_iter().filter_map(|ticket| self.reload_diff(ticket)));
        if changes.iter().any(|change| matches!(change, Change::Review(_))) {
            self.kept_remark = None;
        }
        let needed: HashSet<TicketId> = self.index.all_needing_you().collect();
        for change in changes {
            self.notice_change(change);
            self.dirty |= self.is_seen(change);
            self.quiet.hear(change, self.now);
            self.index.apply(&mut self.board, change);
        }
        effects.extend(self.call(&needed));
        let touched = |screen: &&TicketScreen| changes.iter().any(|c| screen.is_touched_by(c, &self.board));
        effects.extend(self.ticket.as_ref().filter(touched).map(|screen| Effect::LoadDetail(screen.ticket)));
        effects.extend(self.ticket_of_checklist(changes).map(Effect::LoadChecklist));
        effects.extend(self.late_worktrees(changes));
        effects.extend(self.catch_up());
        effects
    }

    /// Returns the ticket whose checklist is open, if something changed of what it says.
    fn ticket_of_checklist(&self, changes: &[Change]) -> Option<TicketId> {
        let shown = self.shows_checklist_of()?;
        let is_touched = changes.iter().any(|change| match change {
            Change::Ticket(ticket) => ticket.id == shown || ticket.reverts == Some(shown),
            Change::Revision(revision) => revision.ticket == shown,
            Change::Evidence(evidence) => evidence.ticket == shown,
            Change::Goal(_)
            | Change::Autopilot(_)
            | Change::Job(_)
            | Change::Run(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Event(_)
            | Change::Live { .. } => false,
        });
        is_touched.then_some(shown)
    }

    /// Says whether a change that is not applied yet changes what is drawn.
    fn is_seen(&self, change: &Change) -> bool {
        match change {
            // How much was printed shows in the log, which says so itself.
            Change::Live { job, live } => {
                self.board.live(*job).is_none_or(|known| known.usage != live.usage || known.retrying != live.retrying)
            }
            Change::Goal(_)
            | Change::Autopilot(_)
            | Change::Ticket(_)
            | Change::Job(_)
            | Change::Run(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Event(_) => true,
        }
    }

    /// Takes from a change what goes beyond the board: the time, the cost, the cursor, and what to say.
    fn notice_change(&mut self, change: &Change) {
        match change {
            Change::Ticket(ticket) => {
                self.set_now(ticket.updated_at);
                let old = self.board.ticket(ticket.id);
                self.spent.add(old, ticket);
                if old.is_none() && self.sent_form.as_ref().is_some_and(|(title, _)| *title == ticket.title) {
                    self.sent_form = None;
                    self.desk.cursor = Some(ticket.id);
                }
            }
            Change::Job(job) => {
                if job.status == JobStatus::Running {
                    // Whatever works in the worktree now takes along what a person did there.
                    self.visited.remove(&job.ticket);
                }
                self.set_now(job.finished_at.or(job.started_at).unwrap_or(job.queued_at));
            }
            Change::Run(run) => self.set_now(run.finished_at.unwrap_or(run.started_at)),
            Change::Event(event) => {
                self.set_now(event.event.at);
                self.forget_message(&event.event);
                match event.event.kind {
                    EventKind::JobQueued if event.event.reason.is_empty() => {}
                    // It follows from what was said before, such as a landing, and that says more.
                    EventKind::WorktreeCleaned if self.notice.is_some() => {}
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
                    | EventKind::WorktreeRestored => {
                        let number = words::number(&self.board, event.event.ticket);
                        self.say(NoticeKind::News, format!("{number} {}", history::news(self, &event.event)));
                    }
                }
            }
            Change::Goal(_) => self.sent_goal = None,
            Change::Autopilot(_)
            | Change::Evidence(_)
            | Change::Comment(_)
            | Change::Review(_)
            | Change::Revision(_)
            | Change::Live { .. } => {}
        }
    }

    /// A message that arrived need not be kept any more.
    fn forget_message(&mut self, event: &NewEvent) {
        let told = history::message(event);
        if self.kept_message.as_ref().is_some_and(|(of, text)| *of == event.ticket && told == Some(text.trim())) {
            self.kept_message = None;
        }
    }
}
