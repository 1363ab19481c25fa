//! What a person did to tickets, and how it is undone: moves, edits, places and removals, with what was there before.
//! What is done to undo something are commands like any other, so the rules have the last word.

use std::collections::VecDeque;

use super::board::{Board, order};
use super::command::{Command, Edit, Place};
use super::id::{TicketId, TicketRef};
use super::state::{Blocked, State, StateName, may_move};
use super::ticket::Ticket;
use super::time::Timestamp;

/// How many deeds are kept.
pub const KEPT: usize = 100;

/// What was done to one ticket, and what the ticket was before.
#[derive(Clone, PartialEq, Debug)]
pub struct Act {
    /// What was done.
    command: Command,
    before: Ticket,
    /// The description that it had, where that was changed.
    description: Option<String>,
    /// The tickets beside it among those of its column that are as urgent.
    beside: Beside,
    /// The same after it was done, noted when it is undone.
    beside_after: Option<Beside>,
    /// When the ticket changed last before it was undone; nothing for one that was not on the board.
    changed_before_undo: Option<Timestamp>,
}

/// The tickets above and below another one.
pub type Beside = (Option<TicketId>, Option<TicketId>);

impl Act {
    /// Returns what is about to be done, if it is something that can be undone. An edit of the description needs the one
    /// that it replaces.
    pub fn of(board: &Board, command: &Command, description: Option<&str>) -> Option<Self> {
        let name = match command {
            // A job is stopped, not undone.
            Command::Move { to: StateName::Executing | StateName::Verifying, .. } => return None,
            // Nobody knows what it replaces.
            Command::Edit { edits, .. } if describes(edits) && description.is_none() => return None,
            Command::Move { ticket, .. }
            | Command::Edit { ticket, .. }
            | Command::Place { ticket, .. }
            | Command::Remove { ticket } => *ticket,
            _ => return None, // what starts or stops something has consequences that no command takes back
        };
        let before = board.find(name)?.clone();
        let beside = beside(board, &before);
        // Alone it has no place that could change.
        if matches!(command, Command::Place { .. }) && beside == (None, None) {
            return None;
        }
        let description = description.map(str::to_owned);
        Some(Self {
            command: command.clone(),
            before,
            description,
            beside,
            beside_after: None,
            changed_before_undo: None,
        })
    }

    /// Returns the ticket.
    pub fn ticket(&self) -> TicketId {
        self.before.id
    }

    /// Notes what there is to be done again, before this is undone.
    pub fn note(&mut self, board: &Board) {
        let now = board.ticket(self.before.id);
        self.beside_after = now.map(|now| beside(board, now));
        self.changed_before_undo = now.map(|now| now.updated_at);
    }

    /// Says whether the board knows already that it was undone.
    pub fn is_seen_undone(&self, board: &Board) -> bool {
        board.ticket(self.before.id).map(|now| now.updated_at) != self.changed_before_undo
    }

    /// Says whether the board knows already that it was done.
    pub fn is_seen(&self, board: &Board) -> bool {
        match (board.ticket(self.before.id), &self.command) {
            (Some(_), Command::Remove { .. }) => false,
            (Some(now), _) => now.updated_at != self.before.updated_at,
            (None, _) => true,
        }
    }

    /// Says whether the description was changed, so that it must be known before this is undone or done again.
    pub fn describes(&self) -> bool {
        matches!(&self.command, Command::Edit { edits, .. } if describes(edits))
    }

    /// Says whether the ticket had a worktree that may have gone with it.
    pub fn may_lose_worktree(&self) -> bool {
        let goes = match &self.command {
            Command::Remove { .. } => true,
            Command::Move { to, .. } => !to.keeps_worktree(),
            _ => false,
        };
        goes && self.before.worktree.is_some() && self.before.needs_worktree()
    }

    /// Says in words what was done.
    pub fn in_words(&self) -> String {
        let number = self.before.number;
        match &self.command {
            Command::Move { to, .. } => {
                let word = |state: StateName| state.title().to_lowercase();
                format!("{number} from {} to {}", word(self.before.state.name()), word(*to))
            }
            Command::Edit { edits, .. } => {
                let fields: Vec<&str> = edits.iter().map(field).collect();
                format!("{} of {number}", fields.join(", "))
            }
            Command::Place { .. } => format!("place of {number}"),
            _ => format!("removal of {number}"),
        }
    }

    /// Returns what undoes it on the board as it is. `description` is the one that the ticket has now, where
    /// [`Act::describes`] asks for it.
    ///
    /// # Errors
    /// In words, why it cannot be undone any more.
    pub fn undo(&self, board: &Board, description: Option<&str>) -> Result<Vec<Command>, String> {
        let number = self.before.number;
        let name = TicketRef::Id(self.before.id);
        if let Command::Remove { .. } = &self.command {
            let Some(removed) = board.find_removed(name) else { return Err(format!("{number} is on the board again")) };
            let back = Command::BringBack { ticket: name };
            let state = removed.state.name();
            return Ok(std::iter::once(back).chain(settle(board, removed, state, self.beside)).collect());
        }
        let now = board.find(name).ok_or_else(|| format!("{number} was removed since"))?;
        match &self.command {
            Command::Move { to, .. } => {
                self.refuse_other_state(board, now, *to)?;
                let way = way_back(*to, self.before.state).ok_or_else(|| {
                    let was = self.before.state.name().title().to_lowercase();
                    format!("{number} was {was}, and nobody can move it back there")
                })?;
                let moves = way.into_iter().map(|to| Command::Move { ticket: name, to, reason: None });
                Ok(moves.chain(settle(board, now, self.before.state.name(), self.beside)).collect())
            }
            Command::Edit { edits, .. } => {
                self.refuse_other_values(now, description, edits)?;
                let old = edits.iter().map(|edit| self.old(board, edit)).collect();
                let mut commands = vec![Command::Edit { ticket: name, edits: old }];
                if edits.iter().any(|edit| matches!(edit, Edit::Priority(_))) {
                    let back = Ticket { priority: self.before.priority, hand_order: None, ..now.clone() };
                    commands.extend(settle(board, &back, back.state.name(), self.beside));
                }
                Ok(commands)
            }
            _ => match put(board, now, now.state.name(), self.beside) {
                Some(command) => Ok(vec![command]),
                None => Err(format!("the tickets beside which {number} was are elsewhere now")),
            },
        }
    }

    /// Returns what does it again after it was undone.
    ///
    /// # Errors
    /// In words, why it cannot be done again any more.
    pub fn redo(&self, board: &Board, description: Option<&str>) -> Result<Vec<Command>, String> {
        let number = self.before.number;
        let now = board.ticket(self.before.id).ok_or_else(|| format!("{number} was removed since"))?;
        let mut commands = vec![self.command.clone()];
        let beside = self.beside_after.unwrap_or_default();
        match &self.command {
            Command::Move { to, .. } => {
                self.refuse_other_state(board, now, self.before.state.name())?;
                commands.extend(settle(board, now, *to, beside));
            }
            Command::Edit { edits, .. } => {
                let old: Vec<Edit> = edits.iter().map(|edit| self.old(board, edit)).collect();
                self.refuse_other_values(now, description, &old)?;
                let priority = edits.iter().find_map(|edit| match edit {
                    Edit::Priority(priority) => Some(*priority),
                    _ => None,
                });
                if let Some(priority) = priority {
                    let then = Ticket { priority, hand_order: None, ..now.clone() };
                    commands.extend(settle(board, &then, then.state.name(), beside));
                }
            }
            _ => {}
        }
        Ok(commands)
    }

    fn refuse_other_state(&self, board: &Board, now: &Ticket, wanted: StateName) -> Result<(), String> {
        let number = now.number;
        if let Some(job) = board.active_job(now.id) {
            return Err(format!("{number} has a job now ({})", job.kind));
        }
        if now.state.name() == wanted {
            return Ok(());
        }
        Err(format!("{number} is {} by now", now.state.name().title().to_lowercase()))
    }

    fn refuse_other_values(&self, now: &Ticket, description: Option<&str>, wanted: &[Edit]) -> Result<(), String> {
        match wanted.iter().find(|edit| !holds(now, description, edit)) {
            Some(edit) => Err(format!("the {} of {} was changed since", field(edit), now.number)),
            None => Ok(()),
        }
    }

    /// Returns the edit that gives the field its old value.
    fn old(&self, board: &Board, edit: &Edit) -> Edit {
        let before = &self.before;
        match edit {
            Edit::Title(_) => Edit::Title(before.title.clone()),
            Edit::Description(_) => Edit::Description(self.description.clone().unwrap_or_default()),
            Edit::Priority(_) => Edit::Priority(before.priority),
            Edit::Goal(_) => Edit::Goal(before.goal),
            // One that was removed holds nothing up, until it comes back; one that is gone for good never will.
            Edit::After(_) => {
                let is_known =
                    |id: &&TicketId| board.ticket(**id).is_some() || board.find_removed(TicketRef::Id(**id)).is_some();
                Edit::After(before.blocked_by.iter().filter(is_known).map(|id| TicketRef::Id(*id)).collect())
            }
            Edit::Agent(_) => Edit::Agent(before.agent.clone()),
            Edit::Model(_) => Edit::Model(before.model.clone()),
            Edit::Verify(_) => Edit::Verify(before.verify.clone()),
            Edit::BaseBranch(_) => Edit::BaseBranch(before.base_branch.clone()),
        }
    }
}

/// Returns what puts the ticket, which is going to be as given and in that state, beside these; nothing if it comes there
/// by itself.
fn settle(board: &Board, ticket: &Ticket, state: StateName, wanted: Beside) -> Option<Command> {
    if beside_in(board, ticket, state) == wanted { None } else { put(board, ticket, state, wanted) }
}

/// Returns what puts the ticket beside these.
fn put(board: &Board, ticket: &Ticket, state: StateName, (above, below): Beside) -> Option<Command> {
    let is_equal = |id: &TicketId| board.ticket(*id).is_some_and(|other| is_beside(other, ticket, state));
    let above = above.filter(is_equal).map(|id| Place::Below(TicketRef::Id(id)));
    let below = below.filter(is_equal).map(|id| Place::Above(TicketRef::Id(id)));
    Some(Command::Place { ticket: TicketRef::Id(ticket.id), place: above.or(below)? })
}

fn describes(edits: &[Edit]) -> bool {
    edits.iter().any(|edit| matches!(edit, Edit::Description(_)))
}

/// Says whether a ticket has that value.
fn holds(now: &Ticket, description: Option<&str>, edit: &Edit) -> bool {
    match edit {
        Edit::Title(title) => now.title == *title,
        Edit::Description(text) => description.is_none_or(|now| now == text),
        Edit::Priority(priority) => now.priority == *priority,
        Edit::Goal(goal) => now.goal == *goal,
        Edit::After(names) => {
            // One that is named twice is waited for once.
            let mut wanted: Vec<TicketId> = Vec::new();
            for name in names {
                match name {
                    TicketRef::Id(id) if !wanted.contains(id) => wanted.push(*id),
                    TicketRef::Id(_) | TicketRef::Number(_) => {}
                }
            }
            wanted == now.blocked_by
        }
        Edit::Agent(agent) => now.agent == *agent,
        Edit::Model(model) => now.model == *model,
        Edit::Verify(checks) => now.verify == *checks,
        Edit::BaseBranch(branch) => now.base_branch == *branch,
    }
}

fn field(edit: &Edit) -> &'static str {
    match edit {
        Edit::Title(_) => "title",
        Edit::Description(_) => "description",
        Edit::Priority(_) => "priority",
        Edit::Goal(_) => "goal",
        Edit::After(_) => "list of blockers",
        Edit::Agent(_) => "agent",
        Edit::Model(_) => "model",
        Edit::Verify(_) => "list of checks",
        Edit::BaseBranch(_) => "base branch",
    }
}

/// Says whether a ticket is as urgent as another one that is in that state.
fn is_beside(other: &Ticket, ticket: &Ticket, state: StateName) -> bool {
    other.state.name() == state && other.priority == ticket.priority && other.id != ticket.id
}

/// Returns the tickets above and below a ticket among those of its column that are as urgent.
pub fn beside(board: &Board, ticket: &Ticket) -> Beside {
    beside_in(board, ticket, ticket.state.name())
}

fn beside_in(board: &Board, ticket: &Ticket, state: StateName) -> Beside {
    let key = order(ticket);
    let equals = || board.tickets().filter(|other| is_beside(other, ticket, state));
    let above = equals().filter(|other| order(other) < key).max_by_key(|other| order(other));
    let below = equals().filter(|other| order(other) > key).min_by_key(|other| order(other));
    (above.map(|one| one.id), below.map(|one| one.id))
}

/// Returns the moves by hand that lead from a state back to one that a ticket had; nothing when none do.
fn way_back(from: StateName, to: State) -> Option<Vec<StateName>> {
    match to {
        State::Proposed | State::Planned | State::Abandoned | State::Blocked { why: Blocked::Canceled } => {}
        State::Executing { .. }
        | State::Verifying { .. }
        | State::NeedsHuman { .. }
        | State::Blocked { .. }
        | State::Done => return None,
    }
    let to = to.name();
    if may_move(from, to) {
        return Some(vec![to]);
    }
    (may_move(from, StateName::Planned) && may_move(StateName::Planned, to)).then(|| vec![StateName::Planned, to])
}

/// What was done and undone, newest last. It keeps the last [`KEPT`] deeds; a deed may be about several tickets.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Deeds {
    done: VecDeque<Vec<Act>>,
    undone: Vec<Vec<Act>>,
}

impl Deeds {
    /// Keeps what was done; what was undone before cannot be done again after it.
    pub fn did(&mut self, acts: Vec<Act>) {
        if !acts.is_empty() {
            self.undone.clear();
            self.keep(acts);
        }
    }

    /// Keeps what was done again.
    pub fn redid(&mut self, acts: Vec<Act>) {
        self.keep(acts);
    }

    fn keep(&mut self, acts: Vec<Act>) {
        if self.done.len() == KEPT {
            self.done.pop_front();
        }
        self.done.push_back(acts);
    }

    /// Keeps what was undone.
    pub fn undid(&mut self, acts: Vec<Act>) {
        self.undone.push(acts);
    }

    /// Takes what was done last.
    pub fn take_done(&mut self) -> Option<Vec<Act>> {
        self.done.pop_back()
    }

    /// Takes what was undone last.
    pub fn take_undone(&mut self) -> Option<Vec<Act>> {
        self.undone.pop()
    }

    /// Returns what was done last.
    pub fn last(&self) -> Option<&[Act]> {
        self.done.back().map(Vec::as_slice)
    }

    /// Returns what was undone last.
    pub fn last_undone(&self) -> Option<&[Act]> {
        self.undone.last().map(Vec::as_slice)
    }

    /// Says whether there is something to undo.
    pub fn is_any_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Says whether there is something to do again.
    pub fn is_any_undone(&self) -> bool {
        !self.undone.is_empty()
    }
}

#[cfg(test)]
mod tests;
