//! What runs, what waits for its turn, and what every other planned ticket waits for, in the order in which they come.

use crate::domain::board::order;
use crate::domain::id::TicketId;
use crate::domain::job::JobStatus;
use crate::domain::pick::queue;
use crate::domain::state::StateName;
use crate::domain::ticket::Ticket;
use crate::domain::waiting::waits_for;
use crate::ui::keys::Action;
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::format;

use super::overview::Page;
use super::places::{Listed, Place, row};

/// From this width on what a ticket does stands beside its title.
const WORDS_FROM: usize = 60;
/// The most columns of what it waits for, of a row; the details say all of it.
const SHARE: usize = 2;

impl Model {
    /// Goes to the ticket of a row.
    pub(super) fn choose_in_queue(&mut self, at: usize) -> Vec<Effect> {
        match in_order(self).get(at).map(|ticket| ticket.id) {
            Some(id) => {
                self.go_to_board();
                self.go_to(id)
            }
            None => {
                self.show_place(Place::Queue, at);
                Vec::new()
            }
        }
    }
}

/// Returns the tickets that are at work or wait to be: those that run, then those whose turn comes next, then the planned
/// ones as the board has them.
fn in_order(model: &Model) -> Vec<&Ticket> {
    let board = &model.board;
    let mut running: Vec<&Ticket> = model.index.running_tickets().filter_map(|id| board.ticket(id)).collect();
    running.sort_by_key(|ticket| ticket.number);
    let queued: Vec<&Ticket> = queue(board).into_iter().filter_map(|job| board.ticket(job.ticket)).collect();
    let known: Vec<TicketId> = running.iter().chain(&queued).map(|ticket| ticket.id).collect();
    let mut planned: Vec<&Ticket> =
        board.tickets().filter(|ticket| ticket.state.name() == StateName::Planned).collect();
    planned.retain(|ticket| !known.contains(&ticket.id));
    planned.sort_by_key(|ticket| order(ticket));
    running.into_iter().chain(queued).chain(planned).collect()
}

/// Returns the tickets, and more about the one that is marked.
pub(super) fn listed(model: &Model, at: usize, width: usize) -> Listed {
    let tickets = in_order(model);
    let rows = tickets.iter().map(|ticket| {
        let (role, said) = standing(model, ticket);
        let room = if width < WORDS_FROM { 12 } else { width / SHARE };
        let said = crate::ui::words::cut(&model.theme, &said, room).into_owned();
        row(model, &format!("{} {}", ticket.number, ticket.title), &[(role, said)], width)
    });
    let marked = tickets.get(at.min(tickets.len().saturating_sub(1)));
    let details = marked.map_or_else(Vec::new, |ticket| {
        let mut page = Page::new(model, width);
        page.heading(&format!("{} {}", ticket.number, ticket.title));
        let (role, said) = standing(model, ticket);
        page.fact("now", role, &said);
        if let Some(priority) = ticket.priority {
            page.fact("priority", Role::Text, priority.bucket());
        }
        if let Some(job) = model.board.active_job(ticket.id) {
            let who = [job.agent.as_deref(), job.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            page.fact("job", Role::Text, format!("{} {who}", job.what()).trim_end());
            page.fact("asked for", Role::Dim, &format::date(job.queued_at, model.zone));
        }
        page.lines()
    });
    let run = model.key_of(Action::Run);
    let none = format!("Nothing runs, and no planned ticket waits. {run} on a planned ticket runs it.");
    Listed { rows: rows.collect(), details, none }
}

/// Returns what a ticket does or waits for.
fn standing(model: &Model, ticket: &Ticket) -> (Role, String) {
    let glyphs = &model.theme.glyphs;
    let job = model.board.active_job(ticket.id);
    if let Some(job) = job.filter(|job| job.status == JobStatus::Running) {
        let since = format::duration(model.now.since(job.started_at.unwrap_or(job.queued_at)));
        return (Role::Running, format!("{} {} {since}", glyphs.running, job.what()));
    }
    let waits = waits_for(&model.board, ticket, model.autopilot()).unwrap_or_else(|| "waits".to_owned());
    let role = if job.is_some() { Role::Text } else { Role::Dim };
    (role, format!("{} {waits}", glyphs.waiting))
}
