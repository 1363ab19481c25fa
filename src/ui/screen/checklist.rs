//! The merge checklist of a ticket: boxes to tick, what Draft found out by itself, and how the change is taken back.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::domain::checklist::{Checklist, Findings, Item, Row, Standing, Tests};
use crate::domain::command::Command;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::rollback::{Plan, Risk, Step};
use crate::domain::state::State;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{scroll, text};
use crate::ui::words;

use super::layout::split_bottom;
use super::{Overlay, bars, reviews};

/// The widest that it gets.
const WIDEST: u16 = 100;
/// How far in the words of a row stand: behind the cursor and a sign.
const INDENT: usize = 5;
/// What the bar at the right takes, with the space before it.
const BAR: usize = 2;
/// How wide the names are of what was found out.
const NAMES: usize = 21;

/// The list of one ticket, and where the cursor is.
#[derive(Clone, Debug)]
pub(in crate::ui) struct ChecklistPanel {
    ticket: TicketId,
    /// Which entry is marked; the boxes come first.
    at: usize,
    /// What was found out; nothing while it is looked up.
    found: Option<Result<Findings, String>>,
}

/// What the cursor can be on, with its lines.
struct Entry {
    item: Option<Item>,
    /// What stands above it: an empty line and a heading, where a part begins.
    above: Vec<Line<'static>>,
    lines: Vec<Line<'static>>,
}

impl Model {
    /// Opens the checklist of the selected ticket, with the cursor on the first box that is to be ticked.
    pub(in crate::ui) fn checklist(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        let list = self.listed(ticket, Tests::Unknown);
        let is_open = |item: &Item| list.as_ref().is_some_and(|list| list.tick(*item).is_none());
        let at = Item::ALL.iter().position(is_open).unwrap_or(0);
        self.over = Some(Overlay::Checklist(Box::new(ChecklistPanel { ticket, at, found: None })));
        vec![Effect::LoadChecklist(ticket)]
    }

    /// Returns the checklist as far as the board knows it.
    fn listed(&self, ticket: TicketId, tests: Tests) -> Option<Checklist> {
        Checklist::of(&self.board, self.board.ticket(ticket)?, tests)
    }

    /// Returns why there is no checklist of a ticket.
    pub(in crate::ui) fn why_no_checklist(&self, ticket: TicketId) -> Option<String> {
        let number = words::number(&self.board, ticket);
        let none = self.board.revision(ticket).is_none();
        none.then(|| format!("{number} has no change yet, so there is no checklist."))
    }

    /// Takes a key while the list is open. `panel` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn key_in_checklist(
        &mut self,
        panel: Box<ChecklistPanel>,
        action: Option<Action>,
    ) -> Vec<Effect> {
        let last = entries(self, &panel, usize::from(WIDEST)).len().saturating_sub(1);
        let page = usize::from(self.size.height / 4).max(1);
        let mut effects = Vec::new();
        if matches!(action, Some(Action::Land | Action::Toggle)) {
            // What was refused before may not be true any more.
            self.notice = None;
        }
        let at = match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Land) => match self.why_not(Action::Land) {
                None => return self.act(Context::Checklist, Action::Land),
                Some(why) => {
                    effects = self.refuse(why);
                    panel.at
                }
            },
            Some(Action::Toggle) => {
                effects = self.toggle(&panel);
                panel.at
            }
            Some(Action::Down) => panel.at + 1,
            Some(Action::Up) => panel.at.saturating_sub(1),
            Some(Action::HalfDown) => panel.at + page,
            Some(Action::HalfUp) => panel.at.saturating_sub(page),
            Some(Action::Top) => 0,
            Some(Action::Bottom) => last,
            _ => panel.at,
        };
        self.over = Some(Overlay::Checklist(Box::new(ChecklistPanel { at: at.min(last), ..*panel })));
        effects
    }

    /// Ticks the marked box, or takes its tick away.
    fn toggle(&mut self, panel: &ChecklistPanel) -> Vec<Effect> {
        let Some(list) = self.listed(panel.ticket, Tests::Unknown) else { return Vec::new() };
        let Some(item) = Item::ALL.get(panel.at).copied() else {
            return self.refuse("Draft finds this out by itself; only the boxes above are ticked.".to_owned());
        };
        let boxes = vec![(item, list.tick(item).is_none())];
        let revision = Some(list.revision);
        vec![Effect::Do(Command::Tick { ticket: TicketRef::Id(panel.ticket), revision, boxes })]
    }

    /// Takes over what was found out.
    pub(in crate::ui) fn take_findings(&mut self, ticket: TicketId, found: Result<Findings, String>) {
        if let Some(Overlay::Checklist(panel)) = &mut self.over
            && panel.ticket == ticket
        {
            self.dirty |= panel.found.as_ref() != Some(&found);
            panel.found = Some(found);
        }
    }

    /// Returns the ticket whose checklist is open.
    pub(in crate::ui) fn shows_checklist_of(&self) -> Option<TicketId> {
        match &self.over {
            Some(Overlay::Checklist(panel)) => Some(panel.ticket),
            Some(_) | None => None,
        }
    }
}

/// Returns what was found out about the revision that is the newest now.
fn current<'a>(model: &Model, panel: &'a ChecklistPanel) -> Option<&'a Findings> {
    let newest = model.board.revision(panel.ticket)?.number;
    panel.found.as_ref()?.as_ref().ok().filter(|found| found.revision == newest)
}

/// Returns the list with what is known of its checks.
fn list(model: &Model, panel: &ChecklistPanel) -> Option<Checklist> {
    let tests = current(model, panel).map_or(Tests::Unknown, |found| found.tests.clone());
    model.listed(panel.ticket, tests)
}

fn entries(model: &Model, panel: &ChecklistPanel, width: usize) -> Vec<Entry> {
    let Some(list) = list(model, panel) else { return Vec::new() };
    let mut entries: Vec<Entry> = Item::ALL.iter().map(|item| box_of(model, &list, *item, width)).collect();
    let mut part = |heading: &str, role: Role, rows: Vec<Vec<Line<'static>>>| {
        let heading = text::wrap(heading, width).into_iter().map(|line| Line::styled(line, model.theme.style(role)));
        let mut above: Vec<Line<'static>> = [Line::default()].into_iter().chain(heading).collect();
        for lines in rows {
            entries.push(Entry { item: None, above: std::mem::take(&mut above), lines });
        }
    };
    part("Found out", Role::Title, list.rows().iter().map(|row| found_out(model, row, width)).collect());
    match (current(model, panel), &panel.found) {
        (Some(found), _) => {
            let steps = (1..).zip(&found.plan.steps).map(|(n, one)| step(model, n, one, width)).collect();
            part(&risk(&found.plan), if found.plan.risk == Risk::Low { Role::Title } else { Role::Warn }, steps);
        }
        (None, Some(Err(why))) => {
            part("How it is taken back", Role::Title, vec![words_of(model, Role::Bad, why, width)])
        }
        (None, _) => part("How it is taken back", Role::Title, vec![words_of(model, Role::Dim, "Loading …", width)]),
    }
    entries
}

/// Returns a heading that says how risky it is to take the change back, and why.
fn risk(plan: &Plan) -> String {
    let because = if plan.because.is_empty() { String::new() } else { format!(" ({})", plan.because.join(", ")) };
    let who = if plan.requires_human { ", and a person must act" } else { "" };
    format!("How it is taken back: {} risk{because}, {}{who}", plan.risk, plan.estimated_time())
}

fn box_of(model: &Model, list: &Checklist, item: Item, width: usize) -> Entry {
    let tick = list.tick(item);
    let note = match tick {
        Some(tick) => {
            let at = crate::ui::widget::format::date(tick.at, model.zone);
            format!("{}, {at}", reviews::name(&tick.by))
        }
        None if item.is_required() => String::new(),
        None => "optional".to_owned(),
    };
    let role = if tick.is_some() { Role::Ok } else { Role::Text };
    let sign = if tick.is_some() { "[x] " } else { "[ ] " };
    let room = width.saturating_sub(INDENT + text::width(&note) + 1);
    let line = Line::from(vec![
        Span::styled(sign, model.theme.style(role)),
        Span::styled(text::pad(item.says(), room, text::Side::Left), model.theme.style(role)),
        Span::styled(format!(" {note}"), model.theme.style(Role::Dim)),
    ]);
    Entry { item: Some(item), above: Vec::new(), lines: vec![line] }
}

fn found_out(model: &Model, row: &Row, width: usize) -> Vec<Line<'static>> {
    let glyphs = &model.theme.glyphs;
    let (role, sign) = match row.standing {
        Standing::Good => (Role::Ok, glyphs.ok),
        Standing::Bad => (Role::Bad, glyphs.bad),
        Standing::Told => (Role::Dim, " "),
    };
    let name = text::pad(&row.name.replace('_', " "), NAMES, text::Side::Left);
    let wrapped = text::wrap(&row.text, width.saturating_sub(INDENT + NAMES)).into_iter().enumerate();
    let lines = wrapped.map(|(n, line)| {
        let (sign, name) = if n == 0 { (sign, name.clone()) } else { (" ", " ".repeat(NAMES)) };
        Line::from(vec![
            Span::styled(format!("{sign}   "), model.theme.style(role)),
            Span::styled(name, model.theme.style(Role::Dim)),
            Span::styled(line, model.theme.style(if role == Role::Dim { Role::Text } else { role })),
        ])
    });
    lines.collect()
}

fn step(model: &Model, n: usize, step: &Step, width: usize) -> Vec<Line<'static>> {
    let room = width.saturating_sub(INDENT);
    let style = |role| model.theme.style(role);
    let wrapped = text::wrap(&step.text, room).into_iter().enumerate();
    let mut lines: Vec<Line<'static>> = wrapped
        .map(|(at, line)| {
            let number = if at == 0 { format!("{n}.  ") } else { "    ".to_owned() };
            Line::from(vec![Span::styled(number, style(Role::Dim)), Span::styled(line, style(Role::Text))])
        })
        .collect();
    let more = step.files.iter().map(|file| (Role::Link, file.clone()));
    let command = model.theme.glyphs.command;
    let more = more.chain(step.commands.iter().map(|one| (Role::Code, format!("{command} {one}"))));
    lines.extend(more.flat_map(|(role, said)| {
        let wrapped = text::wrap(&said, room).into_iter();
        wrapped
            .map(move |line| Line::from(vec![Span::raw("    "), Span::styled(line, style(role))]))
            .collect::<Vec<_>>()
    }));
    lines
}

fn words_of(model: &Model, role: Role, said: &str, width: usize) -> Vec<Line<'static>> {
    let wrapped = text::wrap(said, width.saturating_sub(INDENT)).into_iter();
    wrapped.map(|line| Line::from(vec![Span::raw("    "), Span::styled(line, model.theme.style(role))])).collect()
}

/// Returns how the list stands as a whole.
fn standing(model: &Model, panel: &ChecklistPanel, list: &Checklist) -> (Role, String) {
    let glyphs = &model.theme.glyphs;
    let is_required = current(model, panel).map_or(model.settings.require_checklist, |found| found.is_required);
    if model.board.ticket(panel.ticket).is_some_and(|ticket| ticket.state == State::Done) {
        return (Role::Dim, "it is done, so this stays as it is".to_owned());
    }
    match (list.is_ready(), &list.tests) {
        (true, _) => (Role::Ok, format!("{} ready to land", glyphs.ok)),
        (false, Tests::Unknown) => (Role::Dim, "its checks are looked up …".to_owned()),
        (false, Tests::Passed(_) | Tests::Open(_)) => {
            let must = if is_required { ", and it must be to land" } else { "" };
            let open = words::count(list.open().len(), "thing");
            (Role::Warn, format!("{} not ready{must}: {open} to do", glyphs.warn))
        }
    }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, panel: &ChecklistPanel, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let width = WIDEST.min(area.width.saturating_sub(4));
    let Some(list) = list(model, panel) else { return };
    let (role, said) = standing(model, panel, &list);
    let mut lines = vec![Line::styled(said, theme.style(role)), Line::default()];
    let mut marked = (0, 0);
    let room = usize::from(width).saturating_sub(BAR);
    for (n, entry) in entries(model, panel, room).into_iter().enumerate() {
        let is_marked = n == panel.at;
        lines.extend(entry.above);
        let begin = lines.len();
        for (at, mut line) in entry.lines.into_iter().enumerate() {
            let sign = if is_marked && at == 0 { theme.glyphs.cursor } else { " " };
            line.spans.insert(0, Span::styled(sign, theme.style(Role::Focus)));
            if is_marked && entry.item.is_some() {
                line = line.style(theme.style(Role::Title));
            }
            lines.push(line);
        }
        if is_marked {
            marked = (begin, lines.len());
        }
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let number = words::number(&model.board, panel.ticket);
    let title = format!("Checklist of {number}, revision {}", list.revision);
    let popup = Popup { title: &title, footer: "", content: Size { width, height } };
    let (body, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::Checklist, keys, buffer);
    let shown = usize::from(body.height);
    // What is marked stays in sight; at the boxes so does the start, at the end all that is below.
    let first = if marked.1 <= shown { 0 } else { marked.1.saturating_sub(shown).min(marked.0) };
    let first = first.min(scroll::last_offset(lines.len(), shown));
    for (row, line) in body.rows().zip(lines.iter().skip(first)) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
    scroll::bar(body, first, lines.len(), theme, buffer);
}
