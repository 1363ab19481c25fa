//! Tickets as a table for people: one line each, in columns that stand below each other.

use crate::domain::autopilot::Autopilot;
use crate::domain::board::Board;
use crate::domain::dependencies::Readiness;
use crate::domain::outcome::first_line;
use crate::domain::ticket::{Priority, Ticket};
use crate::domain::waiting::waits_for;
use crate::ui::widget::text::{Side, pad, truncate, visible, width};

/// The widest column of titles; longer titles push the rest of their line to the right.
const TITLE: usize = 60;

/// Returns a line for each ticket, none wider than `columns` where that is given.
pub(super) fn table(board: &Board, tickets: &[&Ticket], mode: Autopilot, columns: Option<usize>) -> Vec<String> {
    let rows: Vec<[String; 5]> = tickets.iter().map(|ticket| row(board, ticket, mode)).collect();
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let (number, priority, state, title) = (widest(0), widest(1), widest(2), widest(3).min(TITLE));
    rows.iter()
        .map(|[a, b, c, d, e]| {
            let mut line = pad(a, number, Side::Right);
            for (text, column) in [(b, priority), (c, state)] {
                if column > 0 {
                    line.push_str("  ");
                    line.push_str(&pad(text, column, Side::Left));
                }
            }
            line.push_str("  ");
            line.push_str(d);
            if !e.is_empty() {
                line.push_str(&" ".repeat(title.saturating_sub(width(d)) + 2));
                line.push_str(e);
            }
            columns.map_or_else(|| line.clone(), |columns| truncate(&line, columns).into_owned())
        })
        .collect()
}

fn row(board: &Board, ticket: &Ticket, mode: Autopilot) -> [String; 5] {
    let why = ticket.state.why().map(|why| format!(" ({why})")).unwrap_or_default();
    [
        ticket.number.to_string(),
        ticket.priority.map_or("", Priority::bucket).to_owned(),
        format!("{}{why}", ticket.state.name()),
        visible(ticket.title.as_str()).into_owned(),
        aside(board, ticket, mode),
    ]
}

/// Why the ticket is where it is, in short. That a planned one waits for you is no news as long as nothing else runs it.
fn aside(board: &Board, ticket: &Ticket, mode: Autopilot) -> String {
    if let Some(job) = board.active_job(ticket.id).filter(|job| job.reason.is_empty()) {
        return format!("{} {}", job.what(), job.status);
    }
    let is_yours = board.readiness(ticket) == Readiness::Ready && mode != Autopilot::On;
    let waits = waits_for(board, ticket, mode).filter(|_| !is_yours || board.active_job(ticket.id).is_some());
    let said = waits.unwrap_or_else(|| ticket.reason.clone());
    visible(&first_line(&said)).into_owned()
}
