//! The top line (where you are, what runs, what needs you) and the bottom line (which keys work here, what just
//! happened).

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::autopilot::Autopilot;
use crate::domain::money::dollars;
use crate::domain::state::{NeedsHuman, State};
use crate::ui::keys::{Action, Context, Row};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg;
use crate::ui::theme::Role;
use crate::ui::widget::text;
use crate::ui::words;

use super::layout::put;
use super::{Overlay, filter};

/// A notice gets lines of its own up to this many.
const NOTICE_LINES: usize = 3;

/// A part of the top line; the larger the rank, the sooner it goes when room is short.
struct Part {
    rank: u8,
    /// What stands before it.
    gap: &'static str,
    role: Role,
    text: String,
}

/// Draws the top line.
pub(in crate::ui) fn draw_header(model: &Model, area: Rect, buffer: &mut Buffer) {
    let mut parts = parts(model);
    let width =
        |parts: &[Part]| parts.iter().map(|part| text::width(&part.text) + text::width(part.gap)).sum::<usize>();
    while parts.len() > 1 && width(&parts) > usize::from(area.width) + 2 {
        let Some(worst) = (0..parts.len()).max_by_key(|at| parts[*at].rank) else { break };
        parts.remove(worst);
    }
    let mut spans = vec![Span::raw(" ")];
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            spans.push(Span::raw(part.gap));
        }
        spans.push(Span::styled(part.text.clone(), model.theme.style(part.role)));
    }
    put(area, &Line::from(spans), buffer);
}

fn parts(model: &Model) -> Vec<Part> {
    let part = |rank, role, text| Part { rank, gap: "   ", role, text };
    let glyphs = &model.theme.glyphs;
    let about = &model.board.about;
    let running = model.index.running().total();
    let mut parts = vec![
        part(7, Role::Dim, "draft".to_owned()),
        part(0, Role::Title, words::cut(&model.theme, &about.name, 30).into_owned()),
        part(5, Role::Link, format!("{} {}", glyphs.branch, words::cut(&model.theme, &about.base_branch, 30))),
    ];
    let (sign, said, role, gap) = match model.autopilot() {
        Autopilot::On => (glyphs.on, "autopilot", Role::Running, " "),
        Autopilot::Off => (glyphs.waiting, "autopilot off", Role::Dim, "   "),
        Autopilot::Finish => (glyphs.half, "finishing", Role::Warn, " "),
    };
    parts.push(part(3, role, format!("{sign} {said}")));
    let role = if running == 0 { Role::Dim } else { Role::Running };
    let text = format!("{running}/{} running", model.settings.max_parallel);
    parts.push(Part { gap, ..part(2, role, text) });
    let waiting = model.index.needing_you();
    let role = if waiting == 0 { Role::Dim } else { Role::Warn };
    let need = if waiting == 1 { "needs" } else { "need" };
    parts.push(part(1, role, format!("{} {waiting} {need} you", glyphs.warn)));
    if model.settings.problem.is_some() {
        parts.push(part(1, Role::Bad, format!("{} settings", glyphs.bad)));
    }
    if let Some(said) = filter::said(model) {
        parts.push(part(1, Role::Match, said));
    }
    if let Some(micros) = model.spent_today() {
        parts.push(part(6, Role::Text, format!("{} today", dollars(micros))));
    }
    if model.settings.role == msg::Role::Watcher {
        parts.push(part(4, Role::Dim, "another Draft runs the jobs".to_owned()));
    }
    parts
}

/// Returns the notice as lines, and whether they need a place of their own above the keys.
fn notice_lines(model: &Model, width: u16) -> (Vec<String>, bool) {
    let Some(notice) = &model.notice else { return (Vec::new(), false) };
    let room = usize::from(width.saturating_sub(2));
    let glyphs = &model.theme.glyphs;
    let said = match notice.kind {
        NoticeKind::News | NoticeKind::Answer => notice.text.clone(),
        NoticeKind::Refused => format!("{} {}", glyphs.warn, notice.text),
        NoticeKind::Failed => format!("{} {}", glyphs.bad, notice.text),
    };
    let one = text::visible(&said);
    if notice.kind == NoticeKind::News || text::width(&one) * 2 <= room {
        return (vec![one.into_owned()], false);
    }
    let lines = words::wrap_to(&model.theme, &said, room, NOTICE_LINES);
    (lines, true)
}

/// Returns how many lines the bottom needs.
pub(in crate::ui) fn footer_height(model: &Model, width: u16) -> u16 {
    if matches!(model.over, Some(Overlay::Filter(_))) {
        return filter::LINES;
    }
    let (lines, apart) = notice_lines(model, width);
    if apart { u16::try_from(lines.len()).unwrap_or(0) + 1 } else { 1 }
}

/// Returns what is said at the right of the keys, cut to its room, and the place of the keys.
fn beside_keys(model: &Model, area: Rect) -> (Option<String>, Rect) {
    let (lines, apart) = notice_lines(model, area.width);
    let row = area.rows().nth(if apart { lines.len() } else { 0 }).unwrap_or(Rect::ZERO);
    let notice = if apart { None } else { lines.into_iter().next() };
    let room = usize::from(row.width.saturating_sub(2));
    let notice = notice.map(|line| words::cut(&model.theme, &line, room / 2).into_owned());
    let taken = notice.as_ref().map_or(0, |line| text::width(line) + 2);
    let width = row.width.saturating_sub(u16::try_from(taken).unwrap_or(0));
    (notice, split_left(Rect { width, ..row }, marked_width(model)).1)
}

/// Returns where the keys are in the bottom.
pub(in crate::ui) fn keys_place(model: &Model, area: Rect) -> Rect {
    beside_keys(model, area).1
}

/// Draws the bottom: keys at the left, what just happened at the right or above.
pub(in crate::ui) fn draw_footer(model: &Model, context: Context, area: Rect, buffer: &mut Buffer) {
    if matches!(model.over, Some(Overlay::Filter(_))) {
        return;
    }
    let style = model.theme.style(match model.notice.as_ref().map(|notice| notice.kind) {
        Some(NoticeKind::Refused) => Role::Warn,
        Some(NoticeKind::Failed) => Role::Bad,
        Some(NoticeKind::Answer) => Role::Text,
        Some(NoticeKind::News) | None => Role::Dim,
    });
    let (lines, apart) = notice_lines(model, area.width);
    if apart {
        for (row, line) in area.rows().zip(&lines) {
            buffer.set_stringn(row.x.saturating_add(1), row.y, line, usize::from(row.width.saturating_sub(1)), style);
        }
    }
    let (notice, keys) = beside_keys(model, area);
    // What lies over the screen has the keys and shows its own.
    if model.over.is_none() {
        let width = marked_width(model).min(keys.x);
        let count = Rect { x: keys.x - width, width, ..keys };
        put(count, &Line::styled(marked(model), model.theme.style(Role::Selected)), buffer);
        draw_keys(model, context, keys, buffer);
    }
    if let Some(line) = notice {
        let width = u16::try_from(text::width(&line)).unwrap_or(area.width);
        buffer.set_string(area.right().saturating_sub(width + 1), keys.y, line, style);
    }
}

/// Returns how many tickets are marked, in words.
fn marked(model: &Model) -> String {
    format!(" {} {} marked ", model.theme.glyphs.mark, model.desk.marks.len())
}

fn marked_width(model: &Model) -> u16 {
    let shows =
        model.ticket.is_none() && model.grid.is_none() && !model.log.has_focus() && !model.desk.marks.is_empty();
    if shows { u16::try_from(text::width(&marked(model))).unwrap_or(0) } else { 0 }
}

fn split_left(area: Rect, width: u16) -> (Rect, Rect) {
    let width = width.min(area.width);
    (Rect { width, ..area }, Rect { x: area.x + width, width: area.width - width, ..area })
}

/// A key that is offered: what it does, the key, and the word for it.
pub(in crate::ui) type Offer<'a> = (Action, String, &'a str);

/// Returns the columns that an offer takes.
pub(in crate::ui) fn offer_width((_, keys, label): &Offer) -> usize {
    text::width(keys) + text::width(label) + 3
}

/// Returns the keys that do something now, as many as there is room for; the help, which shows all of them, always.
pub(in crate::ui) fn offered(model: &Model, context: Context, width: u16) -> Vec<Offer<'_>> {
    let rows = model.keys.rows(context).iter();
    let mut offers: Vec<Offer> =
        rows.filter_map(|row| offer(model, row).map(|(keys, label)| (row.action, keys, label))).collect();
    while offers.iter().map(offer_width).sum::<usize>() > usize::from(width) {
        let Some(last) = offers.iter().rposition(|(action, _, _)| *action != Action::Help) else { break };
        offers.remove(last);
    }
    offers
}

/// Draws these keys.
pub(super) fn draw_keys(model: &Model, context: Context, area: Rect, buffer: &mut Buffer) {
    let mut spans = Vec::new();
    for (_, keys, label) in offered(model, context, area.width) {
        spans.push(Span::styled(format!(" {keys}"), model.theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {label} "), model.theme.style(Role::Dim)));
    }
    put(area, &Line::from(spans), buffer);
}

fn offer<'a>(model: &Model, row: &'a Row) -> Option<(String, &'a str)> {
    let label = row.label.as_deref()?;
    // In a text of many lines Enter is a new line, so there the other key is the one to know.
    let many_lines = row.action == Action::Save
        && match &model.over {
            Some(Overlay::Form(form)) => form.takes_lines(),
            Some(Overlay::GoalForm(form)) => form.takes_lines(),
            _ => false,
        };
    let keys = if many_lines { row.keys.last()? } else { row.keys.first()? };
    let asks = |model: &Model| {
        model.selected_ticket().is_some_and(|it| it.state == State::NeedsHuman { why: NeedsHuman::Question })
    };
    let is_abandoned = model.selected_ticket().is_some_and(|it| it.state == State::Abandoned);
    let label = match row.action {
        Action::Tell if asks(model) => "answer",
        Action::Accept if is_abandoned => "reactivate",
        Action::ToggleAbandoned if model.desk.abandoned => "hide abandoned",
        _ => label,
    };
    model.offers(row.action).then(|| (keys.shown(), label))
}
