//! The key of pull requests: it opens one for the ticket's change, brings a newer revision to it, or asks its host how it stands.
//! What goes to a remote is asked about first, with the names of the remote and the branches.

use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::pull_request::{Errand, PullRequest, PullState};
use crate::domain::ticket::Ticket;

use super::model::Model;
use super::msg::Effect;
use super::screen::dialog::Question;
use super::theme::Role;

impl Model {
    /// Returns what the key would ask for.
    pub(super) fn about_pull(&self, ticket: &Ticket) -> Command {
        let name = TicketRef::Id(ticket.id);
        let newest = self.board.revision(ticket.id).map(|revision| revision.head.as_str());
        match ticket.pull_request.as_deref().filter(|pull| pull.is_open()) {
            None => {
                let errand = Errand::Open { title: None, body: None, base: None, draft: false };
                Command::PullRequest { ticket: name, errand }
            }
            Some(pull) if newest.is_some_and(|head| head != pull.pushed) => {
                Command::PullRequest { ticket: name, errand: Errand::Push }
            }
            Some(_) => Command::LookAtHost { ticket: name },
        }
    }

    /// Does what the key is for.
    pub(super) fn pull(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected_ticket() else { return Vec::new() };
        match self.about_pull(ticket) {
            Command::PullRequest { errand, .. } => {
                let ticket = ticket.id;
                if self.settings.no_remote.is_some() {
                    // Somebody may have added one since.
                    self.wanted_pull = Some(ticket);
                    return vec![Effect::LookAround];
                }
                self.ask(Question::Offer { ticket, errand })
            }
            look => vec![Effect::Do(look)],
        }
    }

    /// Asks about a pull request that waited until it was known whether there is a remote, or says that there is none.
    pub(super) fn pull_now(&mut self) {
        let Some(ticket) = self.wanted_pull.take().and_then(|id| self.board.ticket(id)) else { return };
        match (self.settings.no_remote.clone(), self.about_pull(ticket)) {
            (Some(why), _) => {
                self.refuse(why);
            }
            (None, Command::PullRequest { errand, .. }) if self.over.is_none() => {
                let ticket = ticket.id;
                self.ask(Question::Offer { ticket, errand });
            }
            // It has one meanwhile, or somebody does something else by now.
            (None, _) => {}
        }
    }

    /// Returns what is about to go where.
    pub(super) fn offer(&self, id: TicketId, errand: &Errand) -> String {
        let remote = &self.settings.remote;
        let Some(ticket) = self.board.ticket(id) else { return String::new() };
        let revision = self.board.revision(id).map_or(0, |revision| revision.number);
        let worktree = ticket.worktree.as_ref();
        let branch = worktree.map_or("", |worktree| worktree.branch.as_str());
        let base = worktree.map_or("", |worktree| worktree.base_branch.as_str());
        match (errand, ticket.pull_request.as_deref()) {
            (Errand::Push, Some(pull)) => format!(
                "Revision {revision} is pushed to the branch {} of the remote {remote}, and so to {}.",
                pull.seen.branch,
                pull.place()
            ),
            _ => format!(
                "Revision {revision} is pushed to the branch {branch} of the remote {remote}, and a pull request into {base} \
                 is opened there."
            ),
        }
    }

    /// Returns how a pull request stands, as cards say it: a sign and a number or two.
    pub(super) fn pull_mark(&self, pull: &PullRequest) -> (Role, String) {
        let glyphs = &self.theme.glyphs;
        let checks = pull.seen.checks;
        let word = if pull.provider.sign() == '#' { "PR" } else { "MR" };
        let (role, sign) = match pull.seen.state {
            PullState::Merged => (Role::Ok, glyphs.ok),
            PullState::Closed => (Role::Warn, "closed"),
            PullState::Open if checks.failed > 0 => (Role::Bad, glyphs.bad),
            PullState::Open if checks.pending > 0 => (Role::Running, glyphs.running),
            PullState::Open if checks.total() > 0 => (Role::Ok, glyphs.ok),
            PullState::Open => (Role::Link, "open"),
        };
        let count = match pull.seen.state {
            PullState::Open if checks.total() > 0 => format!("{}/{}", checks.passed, checks.total()),
            PullState::Open | PullState::Closed | PullState::Merged => String::new(),
        };
        // What is shown is from a while ago.
        let doubt = if pull.error.is_some() && pull.is_open() { "?" } else { "" };
        (role, format!("{word} {} {sign}{count}{doubt}", pull.label()))
    }
}
