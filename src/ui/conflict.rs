//! What a person does about a conflict of a ticket's change: the ways out of it, and the command that each of them is.

use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::outlook::target_of;
use crate::domain::resolve::Deed;

use super::keys::Action;
use super::model::Model;
use super::msg::{Effect, Guest};
use super::offers;
use super::screen::Overlay;
use super::screen::choice::{Choice, Choosing};
use super::words;

/// A way out of a conflict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WayOut {
    Start,
    Shell,
    Continue,
    Abort,
    Send,
}

impl Model {
    /// Says whether a ticket's change is known to conflict with its target.
    pub(super) fn has_conflict(&self, ticket: TicketId) -> bool {
        !self.radar.conflicts(ticket).is_empty()
    }

    /// Offers the ways out of the selected ticket's conflict.
    pub(super) fn conflict(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.over = Some(Overlay::Choice(Choice::new(Choosing::Conflict { ticket }, self)));
        Vec::new()
    }

    /// Returns the ways out, each with its name and a sentence.
    pub(super) fn ways_out(&self, id: TicketId) -> Vec<(WayOut, String, String)> {
        let Some(ticket) = self.board.ticket(id) else { return Vec::new() };
        let target = target_of(&self.board, ticket);
        let way = |way, name: &str, sentence: &str| (way, name.to_owned(), sentence.to_owned());
        let mut ways = vec![
            (
                WayOut::Start,
                format!("Merge {target} into its worktree"),
                "The conflicts are left in the files for you; what is there now is kept.".to_owned(),
            ),
            way(WayOut::Shell, "A shell in its worktree", "To resolve what was merged; the board comes back after it."),
            way(WayOut::Continue, "Take over what is resolved", "It becomes a revision and is checked."),
            way(WayOut::Abort, "Give the merge up", "The worktree becomes what it was before, to the byte."),
        ];
        let files = self.radar.conflicts(id).len();
        if files > 0 {
            let sentence = format!("It is told which {} and what to do about it.", words::count(files, "file"));
            ways.push((WayOut::Send, "Send it back to its agent".to_owned(), sentence.replace("1 file", "file")));
        }
        ways
    }

    /// Does what was chosen.
    pub(super) fn take_way_out(&mut self, id: TicketId, way: WayOut) -> Vec<Effect> {
        let ticket = TicketRef::Id(id);
        match way {
            WayOut::Start => self.want(Command::Conflict { ticket, deed: Deed::Start }),
            WayOut::Abort => self.want(offers::abort(id)),
            WayOut::Shell => self.start_visit(id, Guest::Shell),
            WayOut::Continue => {
                let why = self.board.ticket(id).and_then(|ticket| self.why_not_on(Action::Resume, ticket));
                match why {
                    Some(why) => self.refuse(why),
                    None => self.with_trust(vec![Command::Resume { ticket }]),
                }
            }
            WayOut::Send => {
                let Some(outlook) = self.radar.outlook(id) else { return Vec::new() };
                let (target, files) = (outlook.target.clone(), outlook.forecast.files().to_vec());
                self.with_leave(vec![Command::Conflict { ticket, deed: Deed::Send { target, files } }])
            }
        }
    }
}
