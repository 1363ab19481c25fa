//! A ticket as a card: its number and priority, its title, and in a line or two what there is to know in its state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::autonomy::{WAITS, waits_because};
use crate::domain::dependencies::Readiness;
use crate::domain::id::TicketId;
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::money::dollars;
use crate::domain::run::RunKind;
use crate::domain::state::{NeedsHuman, State};
use crate::domain::ticket::Ticket;
use crate::domain::waiting::waits_for;
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::{format, text};
use crate::ui::words;

use super::outlook;

/// How many lines a card usually takes with the gap after it, for moving by half a column.
pub(super) const TYPICAL: u16 = 4;
/// How many lines of a title are shown.
const TITLE_LINES: usize = 3;
/// How many lines of a reason are shown.
const REASON_LINES: usize = 4;

/// How many lines of what a ticket waits for are shown.
const WAITING_LINES: usize = 3;

/// One line of facts: a role and a text each.
pub(super) type Facts = Vec<(Role, String)>;

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
    let mark = if model.desk.marks.contains(ticket.id) { format!("{} ", theme.glyphs.mark) } else { String::new() };
    let cared_for = model.board.goal_of(ticket).is_some_and(|goal| goal.autonomy.cares_for_changes());
    // What has ended needs nobody's care any more.
    let auto = if cared_for && !is_over(ticket) { "auto" } else { "" };
    let head = format!("{mark}{} {priority}", ticket.number);
    let head = format!("{} {auto}", head.trim_end());
    let mut spans = vec![Span::styled(
        words::cut(&model.theme, head.trim_end(), usize::from(width.saturating_sub(1))).into_owned(),
        theme.style(Role::Dim),
    )];
    let mut signs = Vec::new();
    if ticket.message.as_ref().is_some_and(|message| message.is_due(model.now)) {
        signs.push((Role::Agent, theme.glyphs.message));
    }
    if model.index.needs_you(ticket.id) {
        signs.push((Role::Warn, theme.glyphs.warn));
    }
    let used = text::width(&spans[0].content) + 2 * signs.len();
    let blanks = usize::from(width.saturating_sub(1)).saturating_sub(used);
    spans.push(Span::raw(" ".repeat(blanks)));
    for (role, sign) in signs {
        spans.push(Span::styled(sign, theme.style(role)));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn is_over(ticket: &Ticket) -> bool {
    matches!(ticket.state, State::Done | State::Abandoned)
}

fn title(model: &Model, ticket: &Ticket, width: u16) -> Vec<String> {
    words::wrap_to(&model.theme, ticket.title.as_str(), usize::from(width.saturating_sub(1)), TITLE_LINES)
}

/// Returns the lines of facts below the title; few, and each begins with a sign and a word.
fn facts(model: &Model, ticket: &Ticket, width: u16) -> Vec<Facts> {
    let mut lines = facts_of_state(model, ticket, width);
    // Below who works on it or what it waits for, and above why.
    lines.splice(lines.len().min(1)..lines.len().min(1), outlook::on_card(model, ticket.id));
    lines
}

fn facts_of_state(model: &Model, ticket: &Ticket, width: u16) -> Vec<Facts> {
    let job = model.board.newest_job(ticket.id);
    match ticket.state {
        State::Proposed => blockers(model, ticket).into_iter().collect(),
        State::Planned => waiting(model, ticket, width),
        State::Executing { .. } | State::Verifying { .. } => {
            job.map_or_else(Vec::new, |job| working(model, ticket, job, width))
        }
        State::NeedsHuman { why } => {
            let mut facts = vec![(Role::Warn, format!("{} {why}", model.theme.glyphs.warn))];
            facts.extend(proof(model, ticket));
            facts.extend(pull_request(model, ticket));
            let mut lines = with_job(model, ticket, facts, width);
            // That every check passed stands there already.
            let proven = model.board.checks(ticket.id).is_some_and(|checks| checks.passed == checks.total);
            match waits_because(ticket) {
                Some(because) => {
                    lines.extend(wrapped(model, Role::Warn, &format!("{WAITS}{because}"), width, REASON_LINES));
                }
                None if why != NeedsHuman::Review || !proven => lines.extend(reason(model, ticket, width)),
                None => {}
            }
            lines
        }
        State::Blocked { why } => {
            let mut facts = vec![(Role::Bad, format!("{} {why}", model.theme.glyphs.bad))];
            if let Some(checks) = model.board.checks(ticket.id) {
                facts.push((Role::Dim, format!("{}/{} checks", checks.passed, checks.total)));
            }
            facts.extend(change_size(model, ticket));
            facts.extend(pull_request(model, ticket));
            let mut lines = with_job(model, ticket, facts, width);
            lines.extend(reason(model, ticket, width));
            lines
        }
        State::Done => {
            let mut facts = vec![(Role::Ok, format!("{} done", model.theme.glyphs.ok))];
            facts.extend(change_size(model, ticket));
            facts.extend(pull_request(model, ticket));
            vec![facts]
        }
        State::Abandoned => reason(model, ticket, width),
    }
}

/// Returns the tickets that a proposed one would wait for.
fn blockers(model: &Model, ticket: &Ticket) -> Option<Facts> {
    let glyphs = &model.theme.glyphs;
    match model.board.readiness(ticket) {
        Readiness::Ready => None,
        Readiness::Waits(on) => {
            Some(vec![(Role::Dim, format!("{} waits for {}", glyphs.waiting, words::numbers(&on)))])
        }
        Readiness::Dead(on) => Some(vec![(Role::Warn, format!("{} {} abandoned", glyphs.warn, words::numbers(&on)))]),
    }
}

/// Returns what keeps a ticket from running, in a few lines.
fn waiting(model: &Model, ticket: &Ticket, width: u16) -> Vec<Facts> {
    let Some(waits) = waits_for(&model.board, ticket, model.autopilot()) else { return Vec::new() };
    let glyphs = &model.theme.glyphs;
    let (role, sign) = match model.board.readiness(ticket) {
        Readiness::Dead(_) => (Role::Warn, glyphs.warn),
        Readiness::Ready | Readiness::Waits(_) => (Role::Dim, glyphs.waiting),
    };
    let queued = model.board.active_job(ticket.id).filter(|job| job.kind != JobKind::Execute);
    let waits = match queued {
        Some(job) => format!("{} {waits}", job.what()),
        None => waits,
    };
    wrapped(model, role, &format!("{sign} {waits}"), width, WAITING_LINES)
}

fn wrapped(model: &Model, role: Role, said: &str, width: u16, most: usize) -> Vec<Facts> {
    let lines = words::wrap_to(&model.theme, said, usize::from(width.saturating_sub(1)), most);
    lines.into_iter().map(|line| vec![(role, line)]).collect()
}

/// Returns those facts with what is about to lead the ticket on, or with how often its change went back before.
fn with_job(model: &Model, ticket: &Ticket, mut facts: Facts, width: u16) -> Vec<Facts> {
    let Some(job) = model.board.newest_job(ticket.id) else { return vec![facts] };
    if job.status.is_active() {
        return std::iter::once(facts).chain(working(model, ticket, job, width)).collect();
    }
    facts.extend(rework(model, job));
    vec![facts]
}

/// Returns what a job does that is not over: who works, for how long, and what is unusual about it.
fn working(model: &Model, ticket: &Ticket, job: &Job, width: u16) -> Vec<Facts> {
    if job.status == JobStatus::Queued {
        let mut lines: Vec<Facts> = rework(model, job).map(|fact| vec![fact]).into_iter().collect();
        lines.extend(waiting(model, ticket, width));
        return lines;
    }
    let glyphs = &model.theme.glyphs;
    let mut first = activity(model, job);
    first.extend(rework(model, job));
    let mut lines = vec![first];
    if job.status != JobStatus::Running {
        return lines;
    }
    let begun = model.board.runs(job.id).filter(|run| run.kind == RunKind::Execute).count();
    if job.kind == JobKind::Execute && job.attempt > 1 {
        // While it pauses, the reason says when it goes on.
        let pauses = begun < usize::try_from(job.attempt).unwrap_or(usize::MAX) && !job.reason.is_empty();
        let said = if pauses { job.reason.clone() } else { format!("attempt {}", job.attempt) };
        lines.extend(wrapped(model, Role::Warn, &format!("{} {said}", glyphs.retry), width, WAITING_LINES));
    }
    if let Some(setting_up) = set_up(model, job) {
        lines.push(vec![(Role::Dim, setting_up.to_owned())]);
    }
    let Some(live) = model.board.live(job.id) else { return lines };
    if let Some(trouble) = &live.retrying {
        lines.extend(wrapped(
            model,
            Role::Warn,
            &format!("{} retrying: {trouble}", glyphs.retry),
            width,
            WAITING_LINES,
        ));
        return lines;
    }
    let mut facts = Facts::new();
    if let Some(silent) = model.quiet.of(job.id, model.now) {
        facts.push((Role::Warn, format!("{} silent {}m", glyphs.warn, silent.as_secs() / 60)));
    }
    let tokens = Some(live.usage.tokens()).filter(|tokens| *tokens > 0);
    facts.extend(tokens.map(|tokens| (Role::Dim, format!("{} tokens", format::tokens(tokens)))));
    facts.extend(live.usage.cost_micros.map(|micros| (Role::Dim, dollars(micros))));
    lines.extend(Some(facts).filter(|facts| !facts.is_empty()));
    lines
}

/// Returns how often the checks have sent a change back to its agent.
fn rework(model: &Model, job: &Job) -> Option<(Role, String)> {
    let times = job.rework.filter(|times| *times > 0)?;
    Some((Role::Warn, format!("{} sent back {times}×", model.theme.glyphs.retry)))
}

/// Says what makes the worktree ready right now, before the agent or after it.
fn set_up(model: &Model, job: &Job) -> Option<&'static str> {
    let now = model.board.runs(job.id).next_back().filter(|run| run.end.is_none())?;
    match now.kind {
        RunKind::Setup => Some("setting its worktree up"),
        RunKind::Cleanup => Some("cleaning its worktree up"),
        RunKind::Execute | RunKind::Check => None,
    }
}

/// Returns who works on it and for how long.
fn activity(model: &Model, job: &Job) -> Facts {
    let glyphs = &model.theme.glyphs;
    let who = who(model, job);
    match job.status {
        JobStatus::Running if job.cancel_requested => vec![(Role::Warn, format!("{} stopping {who}", glyphs.warn))],
        JobStatus::Running => {
            let mut facts = vec![(Role::Running, format!("{} {who}", glyphs.running))];
            let started = job.started_at.unwrap_or(job.queued_at);
            facts.push((Role::Text, format::duration(model.now.since(started))));
            facts
        }
        JobStatus::Queued | JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled | JobStatus::Lost => {
            vec![(Role::Dim, format!("{} {}", job.what(), job.status))]
        }
    }
}

fn who(model: &Model, job: &Job) -> String {
    let checks = model.board.checks(job.ticket).filter(|_| job.kind == JobKind::Verify);
    match (checks, &job.agent) {
        (Some(checks), _) => format!("checks {}/{}", checks.passed, checks.total),
        (None, Some(agent)) => agent.clone(),
        (None, None) => job.what().to_owned(),
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
    // They hold up an approval, so they are seen before somebody tries.
    let open = model.board.open_comments(ticket.id).count();
    facts.extend((open > 0).then(|| (Role::Warn, format!("{} {open}", glyphs.comment))));
    facts
}

fn pull_request(model: &Model, ticket: &Ticket) -> Option<(Role, String)> {
    ticket.pull_request.as_deref().map(|pull| model.pull_mark(pull))
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
    wrapped(model, Role::Dim, &ticket.reason, width, REASON_LINES)
}
