//! A ticket as a card: its number and priority, its title, and in a line or two what there is to know in its state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::dependencies::Readiness;
use crate::domain::id::TicketId;
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::state::{NeedsHuman, State};
use crate::domain::ticket::Ticket;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::{format, text};
use crate::ui::words;

/// How many lines a card usually takes with the gap after it, for moving by half a column.
pub(super) const TYPICAL: u16 = 4;
/// How many lines of a title are shown.
const TITLE_LINES: usize = 3;
/// How many lines of a reason are shown.
const REASON_LINES: usize = 4;

/// One line of facts: a role and a text each.
type Facts = Vec<(Role, String)>;

#[cfg(test)]
thread_local! {
    /// How many cards were measured or drawn, to prove that those out of sight are not.
    pub(in crate::ui) static CARDS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

fn count_card() {
    #[cfg(test)]
    CARDS.set(CARDS.get() + 1);
}

/// Returns how many lines a card takes in a column of that inner width, without the gap after it.
pub(super) fn height(model: &Model, id: TicketId, width: u16) -> usize {
    count_card();
    model
        .board
        .ticket(id)
        .map_or(0, |ticket| 1 + title(model, ticket, width).len() + fact_lines(model, ticket, width).len())
}

/// Draws a card and returns how many lines it took.
pub(super) fn draw(model: &Model, id: TicketId, area: Rect, buffer: &mut Buffer) -> u16 {
    let Some(ticket) = model.board.ticket(id) else { return 0 };
    count_card();
    let selected = model.desk.cursor == Some(id);
    let lines = lines(model, ticket, area.width);
    let theme = &model.theme;
    let mut drawn = 0;
    for (row, line) in area.rows().zip(&lines) {
        if selected {
            buffer.set_stringn(row.x, row.y, theme.glyphs.cursor, 1, theme.style(Role::Focus));
        }
        buffer.set_line(row.x.saturating_add(1), row.y, line, row.width.saturating_sub(1));
        drawn += 1;
    }
    drawn
}

fn lines(model: &Model, ticket: &Ticket, width: u16) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let selected = model.desk.cursor == Some(ticket.id);
    let mut lines = vec![head(model, ticket, width)];
    let title_style = theme.style(if selected { Role::Title } else { Role::Text });
    lines.extend(title(model, ticket, width).into_iter().map(|line| Line::styled(line, title_style)));
    let room = usize::from(width.saturating_sub(1));
    for facts in fact_lines(model, ticket, width) {
        let mut spans = Vec::new();
        for (role, fact) in facts {
            if !spans.is_empty() {
                spans.push(Span::raw(" "));
            }
            spans.push(Span::styled(words::cut(theme, &fact, room).into_owned(), theme.style(role)));
        }
        lines.push(Line::from(spans));
    }
    lines
}

/// Returns the facts, with those that do not fit beside the others in lines of their own: half a number says nothing.
fn fact_lines(model: &Model, ticket: &Ticket, width: u16) -> Vec<Facts> {
    let room = usize::from(width.saturating_sub(1));
    let mut lines: Vec<Facts> = Vec::new();
    for facts in facts(model, ticket, width) {
        let mut left = 0;
        for (role, fact) in facts {
            let needed = text::width(&text::visible(&fact)) + 1;
            match lines.last_mut() {
                Some(line) if left >= needed => {
                    line.push((role, fact));
                    left -= needed;
                }
                _ => {
                    lines.push(vec![(role, fact)]);
                    left = room.saturating_sub(needed - 1);
                }
            }
        }
    }
    lines
}

fn head(model: &Model, ticket: &Ticket, width: u16) -> Line<'static> {
    let theme = &model.theme;
    let priority = ticket.priority.map_or("", |priority| priority.bucket());
    let head = format!("{} {priority}", ticket.number);
    let mut spans = vec![Span::styled(
        words::cut(&model.theme, head.trim_end(), usize::from(width.saturating_sub(1))).into_owned(),
        theme.style(Role::Dim),
    )];
    if model.index.needs_you(ticket.id) {
        let used = text::width(&spans[0].content);
        let blanks = usize::from(width.saturating_sub(3)).saturating_sub(used);
        spans.push(Span::raw(" ".repeat(blanks)));
        spans.push(Span::styled(theme.glyphs.warn, theme.style(Role::Warn)));
    }
    Line::from(spans)
}

fn title(model: &Model, ticket: &Ticket, width: u16) -> Vec<String> {
    words::wrap_to(&model.theme, ticket.title.as_str(), usize::from(width.saturating_sub(1)), TITLE_LINES)
}

/// Returns the lines of facts below the title; few, and each begins with a sign and a word.
fn facts(model: &Model, ticket: &Ticket, width: u16) -> Vec<Facts> {
    let job = model.board.newest_job(ticket.id);
    match ticket.state {
        State::Proposed => waiting(model, ticket).into_iter().collect(),
        State::Planned => match job {
            Some(job) if job.status.is_active() => vec![activity(model, job)],
            Some(_) | None => waiting(model, ticket).into_iter().collect(),
        },
        State::Executing { .. } | State::Verifying { .. } => job.map_or_else(Vec::new, |job| working(model, job)),
        State::NeedsHuman { why } => {
            let mut facts = vec![(Role::Warn, format!("{} {why}", model.theme.glyphs.warn))];
            facts.extend(proof(model, ticket));
            let mut lines = vec![facts];
            lines.extend(job.filter(|job| job.status.is_active()).map(|job| activity(model, job)));
            // That every check passed stands there already.
            let proven = model.board.checks(ticket.id).is_some_and(|checks| checks.passed == checks.total);
            if why != NeedsHuman::Review || !proven {
                lines.extend(reason(model, ticket, width));
            }
            lines
        }
        State::Blocked { why } => {
            let mut facts = vec![(Role::Bad, format!("{} {why}", model.theme.glyphs.bad))];
            if let Some(checks) = model.board.checks(ticket.id) {
                facts.push((Role::Dim, format!("{}/{} checks", checks.passed, checks.total)));
            }
            facts.extend(change_size(model, ticket));
            let mut lines = vec![facts];
            lines.extend(job.filter(|job| job.status.is_active()).map(|job| activity(model, job)));
            lines.extend(reason(model, ticket, width));
            lines
        }
        State::Done => {
            let mut facts = vec![(Role::Ok, format!("{} done", model.theme.glyphs.ok))];
            facts.extend(change_size(model, ticket));
            vec![facts]
        }
        State::Abandoned => reason(model, ticket, width),
    }
}

fn waiting(model: &Model, ticket: &Ticket) -> Option<Facts> {
    let glyphs = &model.theme.glyphs;
    match model.board.readiness(ticket) {
        Readiness::Ready => None,
        Readiness::Waits(on) => {
            Some(vec![(Role::Dim, format!("{} waits for {}", glyphs.waiting, words::numbers(&on)))])
        }
        Readiness::Dead(on) => Some(vec![(Role::Warn, format!("{} {} abandoned", glyphs.warn, words::numbers(&on)))]),
    }
}

fn working(model: &Model, job: &Job) -> Vec<Facts> {
    let glyphs = &model.theme.glyphs;
    let mut lines = vec![activity(model, job)];
    let Some(live) = model.board.live(job.id) else { return lines };
    if let Some(trouble) = &live.retrying {
        lines.push(vec![(Role::Warn, format!("{} retrying: {trouble}", glyphs.retry))]);
    } else {
        let tokens = Some(live.usage.tokens()).filter(|tokens| *tokens > 0);
        let mut used: Facts = Vec::new();
        used.extend(tokens.map(|tokens| (Role::Dim, format!("{} tokens", format::tokens(tokens)))));
        used.extend(live.usage.cost_micros.map(|micros| (Role::Dim, format::money(micros))));
        lines.extend(Some(used).filter(|used| !used.is_empty()));
    }
    lines
}

/// Returns who works on it and for how long, or what it waits for.
fn activity(model: &Model, job: &Job) -> Facts {
    let glyphs = &model.theme.glyphs;
    let who = who(model, job);
    match job.status {
        JobStatus::Queued if job.kind == JobKind::Execute => vec![(Role::Dim, format!("{} queued", glyphs.waiting))],
        JobStatus::Queued => vec![(Role::Dim, format!("{} {} queued", glyphs.waiting, job.kind))],
        JobStatus::Running if job.cancel_requested => vec![(Role::Warn, format!("{} stopping {who}", glyphs.warn))],
        JobStatus::Running => {
            let mut facts = vec![(Role::Running, format!("{} {who}", glyphs.running))];
            let started = job.started_at.unwrap_or(job.queued_at);
            facts.push((Role::Text, format::duration(model.now.since(started))));
            facts
        }
        JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => {
            vec![(Role::Dim, format!("{} {}", job.kind, job.status))]
        }
    }
}

fn who(model: &Model, job: &Job) -> String {
    match (model.board.checks(job.ticket), &job.agent) {
        (Some(checks), _) => format!("checks {}/{}", checks.passed, checks.total),
        (None, Some(agent)) => agent.clone(),
        (None, None) => job.kind.to_string(),
    }
}

/// Returns what is proven: the checks and the size of the change.
fn proof(model: &Model, ticket: &Ticket) -> Facts {
    let glyphs = &model.theme.glyphs;
    let mut facts = Facts::new();
    if let Some(checks) = model.board.checks(ticket.id) {
        let (role, sign) = if checks.passed == checks.total { (Role::Ok, glyphs.ok) } else { (Role::Bad, glyphs.bad) };
        facts.push((role, format!("{sign} {}/{}", checks.passed, checks.total)));
    }
    facts.extend(change_size(model, ticket));
    facts
}

fn change_size(model: &Model, ticket: &Ticket) -> Facts {
    let Some(revision) = model.board.revision(ticket.id) else { return Facts::new() };
    let size = revision.size;
    vec![
        (Role::Added, format!("+{}", size.insertions)),
        (Role::Removed, format!("{}{}", model.theme.glyphs.minus, size.deletions)),
    ]
}

fn reason(model: &Model, ticket: &Ticket, width: u16) -> Vec<Facts> {
    if ticket.reason.is_empty() {
        return Vec::new();
    }
    let lines = words::wrap_to(&model.theme, &ticket.reason, usize::from(width.saturating_sub(1)), REASON_LINES);
    lines.into_iter().map(|line| vec![(Role::Dim, line)]).collect()
}
