//! What comes of a form: a new ticket, or the fields of a ticket that were changed; and what is wrong with it.

use std::collections::HashMap;

use crate::domain::board::Board;
use crate::domain::command::Edit;
use crate::domain::dependencies::find_cycle;
use crate::domain::id::{BadTicketRef, TicketId, TicketRef};
use crate::domain::ticket::{Title, VERIFY_LENGTH_MAX, VERIFY_MAX};
use crate::ui::msg::Filing;

use super::form::{Before, Field, Form, Outcome, text};

impl Form {
    /// Returns what is to be done, unless something is wrong; then the form says what.
    pub(super) fn save(&mut self, board: &Board) -> Outcome {
        self.errors.clear();
        let title = Title::new(&self.title.lines().join(" ")).map_err(|error| error.to_string());
        let title = self.checked(Field::Title, title);
        let after = after(&self.after.lines().join(" "), self.ticket(), board);
        let after = self.checked(Field::After, after);
        let verify = checks(&text(&self.verify));
        let verify = self.checked(Field::Verify, verify);
        if let Some((field, _)) = self.errors.first() {
            self.focus = *field;
        }
        let (Some(title), Some(after), Some(verify)) = (title, after, verify) else { return Outcome::Open };
        match &self.before {
            Some(before) => Outcome::Edit(before.ticket.id, self.edits(before, title, &after, verify)),
            None => Outcome::File(Filing {
                title,
                description: text(&self.description),
                priority: self.priority,
                goal: self.goal,
                after: after.into_iter().map(TicketRef::Id).collect(),
                agent: self.agent.clone(),
                model: self.model(),
                verify,
                accepted: self.accepted,
            }),
        }
    }

    fn checked<T>(&mut self, field: Field, value: Result<T, String>) -> Option<T> {
        value.map_err(|error| self.errors.push((field, error))).ok()
    }

    fn model(&self) -> Option<String> {
        Some(self.model.lines().join(" ").trim().to_owned()).filter(|model| !model.is_empty())
    }

    /// Returns what differs from what the ticket was when the form was opened: whatever others changed since is theirs.
    fn edits(&self, before: &Before, title: Title, after: &[TicketId], verify: Vec<String>) -> Vec<Edit> {
        let was = &before.ticket;
        let mut edits = Vec::new();
        let mut say = |differs: bool, edit: Edit| edits.extend(differs.then_some(edit));
        let description = text(&self.description);
        let described = before.description.as_ref().is_some_and(|was| *was != description);
        let priority = self.priority != was.priority;
        let agent = self.agent != was.agent;
        let (model, goal) = (self.model(), self.goal);
        // What could not be seen in it is no reason to change it.
        let retitled = self.title.lines().join(" ") != before.title;
        say(retitled && title != was.title, Edit::Title(title));
        say(described, Edit::Description(description));
        say(priority, Edit::Priority(self.priority));
        say(goal != was.goal, Edit::Goal(goal));
        // One that was removed is not shown, and stays as long as nothing else is changed.
        let typed = text(&self.after) != before.after;
        say(typed && after != was.blocked_by, Edit::After(after.iter().copied().map(TicketRef::Id).collect()));
        say(agent, Edit::Agent(self.agent.clone()));
        say(model != was.model, Edit::Model(model));
        say(text(&self.verify) != before.verify && verify != was.verify, Edit::Verify(verify));
        edits
    }

    /// Says whether something was typed or chosen that is not what the ticket was.
    pub(super) fn differs(&self, before: &Before) -> bool {
        let was = &before.ticket;
        let described = before.description.as_ref().is_some_and(|was| *was != text(&self.description));
        described
            || self.title.lines().join(" ") != before.title
            || self.priority != was.priority
            || self.goal != was.goal
            || text(&self.after) != before.after
            || self.agent != was.agent
            || self.model() != was.model
            || text(&self.verify) != before.verify
    }
}

/// Returns the tickets of these numbers, if they exist and nothing would wait for itself.
fn after(typed: &str, of: Option<TicketId>, board: &Board) -> Result<Vec<TicketId>, String> {
    let mut after = Vec::new();
    for word in typed.split([' ', ',']).filter(|word| !word.is_empty()) {
        let name: TicketRef = word.parse().map_err(|error: BadTicketRef| error.to_string())?;
        let ticket = board.find(name).ok_or_else(|| format!("there is no ticket {name} on this board"))?;
        if !after.contains(&ticket.id) {
            after.push(ticket.id);
        }
    }
    of.map_or(Ok(()), |of| refuse_circle(of, &after, board))?;
    Ok(after)
}

fn refuse_circle(of: TicketId, after: &[TicketId], board: &Board) -> Result<(), String> {
    let all = || board.tickets().chain(board.removed());
    let mut graph: HashMap<TicketId, Vec<TicketId>> = all().map(|one| (one.id, one.blocked_by.clone())).collect();
    graph.insert(of, after.to_vec());
    if after.contains(&of) {
        return Err("a ticket cannot wait for itself".to_owned());
    }
    let Some(circle) = find_cycle(&graph) else { return Ok(()) };
    let number = |id: &TicketId| all().find(|one| one.id == *id).map(|one| one.number.to_string());
    let mut names: Vec<String> = circle.iter().filter_map(number).collect();
    names.extend(names.first().cloned());
    Err(format!("these would wait for each other for ever: {}", names.join(", ")))
}

fn checks(typed: &str) -> Result<Vec<String>, String> {
    let checks: Vec<String> = typed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if checks.len() > VERIFY_MAX {
        return Err(format!("a ticket has at most {VERIFY_MAX} checks, these are {}", checks.len()));
    }
    match checks.iter().find(|check| check.chars().count() > VERIFY_LENGTH_MAX) {
        Some(_) => Err(format!("a check has at most {VERIFY_LENGTH_MAX} characters")),
        None => Ok(checks),
    }
}
