//! One ticket: an overview, its log, what ran and how it ended, what happened, and its jobs, each in a tab.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Span};

use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::detail::Detail;
use crate::domain::id::TicketId;
use crate::domain::ticket::Ticket;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::{scroll, text};
use crate::ui::words;

use super::diff::DiffTab;
use super::layout::{put, split_bottom, split_top};
use super::{bars, columns, diff, evidence, history, log, overview, reviews};

/// The tabs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Tab {
    /// What it is and where it stands.
    Overview,
    /// What its newest run prints.
    Log,
    /// What it changed.
    Diff,
    /// What ran and how it ended.
    Evidence,
    /// What was said about its revisions and decided.
    Review,
    /// What happened.
    History,
    /// Its jobs and their runs.
    Jobs,
}

const TABS: [(Tab, &str, &str); 7] = [
    (Tab::Overview, "1", "Overview"),
    (Tab::Log, "2", "Log"),
    (Tab::Diff, "3", "Diff"),
    (Tab::Evidence, "4", "Evidence"),
    (Tab::Review, "5", "Review"),
    (Tab::History, "6", "History"),
    (Tab::Jobs, "7", "Jobs"),
];

/// The ticket that is looked at.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) struct TicketScreen {
    pub(in crate::ui) ticket: TicketId,
    tab: Tab,
    pub(super) detail: Option<Box<Detail>>,
    pub(super) diff: DiffTab,
    scroll: usize,
}

impl TicketScreen {
    /// Returns the screen as it is at first.
    pub(in crate::ui) fn new(ticket: TicketId) -> Self {
        Self { ticket, tab: Tab::Overview, detail: None, diff: DiffTab::default(), scroll: 0 }
    }

    /// Returns where the log is drawn, when its tab is open.
    pub(in crate::ui) fn log_area(&self, model: &Model) -> Option<Rect> {
        (self.tab == Tab::Log).then(|| Places::of(model).body)
    }

    /// Says whether the change is looked at.
    pub(in crate::ui) fn is_at_diff(&self) -> bool {
        self.tab == Tab::Diff
    }

    /// Says whether a change is about this ticket and its details.
    pub(in crate::ui) fn is_touched_by(&self, change: &Change, board: &Board) -> bool {
        match change {
            Change::Ticket(ticket) => ticket.id == self.ticket,
            Change::Job(job) => job.ticket == self.ticket,
            Change::Run(run) => board.newest_job(self.ticket).is_some_and(|job| job.id == run.id.job),
            Change::Comment(comment) => comment.ticket == self.ticket,
            Change::Review(review) => review.ticket == self.ticket,
            Change::Evidence(evidence) => evidence.ticket == self.ticket,
            Change::Revision(revision) => revision.ticket == self.ticket,
            Change::Event(event) => event.event.ticket == self.ticket,
            Change::Goal(_) | Change::Autopilot(_) | Change::Live { .. } => false,
        }
    }

    /// Shows another tab.
    pub(in crate::ui) fn turn(&mut self, tab: Tab) {
        if tab != self.tab {
            (self.tab, self.scroll) = (tab, 0);
        }
    }

    fn turn_by(&mut self, by: usize) {
        let at = TABS.iter().position(|(tab, _, _)| *tab == self.tab).unwrap_or(0);
        self.turn(TABS[(at + by) % TABS.len()].0);
    }
}

/// Returns where the open tab is drawn.
pub(super) fn body(model: &Model) -> Rect {
    Places::of(model).body
}

/// Where the parts of the screen are.
struct Places {
    header: Rect,
    tabs: Rect,
    body: Rect,
    footer: Rect,
}

impl Places {
    fn of(model: &Model) -> Self {
        let Size { width, height } = model.size;
        let (header, rest) = split_top(Rect::new(0, 0, width, height), 1);
        let (rest, footer) = split_bottom(rest, bars::footer_height(model, width).min(rest.height / 2));
        let (tabs, body) = split_top(rest, 1);
        Self { header, tabs, body, footer }
    }

    /// Returns the place for text, with a margin.
    fn text(&self) -> Rect {
        let (_, below) = split_top(self.body, 1);
        Rect { x: below.x.saturating_add(1), width: below.width.saturating_sub(2), ..below }
    }
}

/// Returns the tab whose name is drawn there.
pub(in crate::ui) fn tab_at(model: &Model, screen: &TicketScreen, at: Position) -> Option<Tab> {
    let area = Places::of(model).tabs;
    if !area.contains(at) {
        return None;
    }
    let mut x = area.x.saturating_add(1);
    tab_names(screen, area.width).find_map(|(tab, name)| {
        let from = x;
        x = x.saturating_add(u16::try_from(text::width(&name)).unwrap_or(u16::MAX)).saturating_add(1);
        (from..x.saturating_sub(1)).contains(&at.x).then_some(tab)
    })
}

/// Returns where the bottom of the screen is.
pub(in crate::ui) fn footer(model: &Model) -> Rect {
    Places::of(model).footer
}

impl Model {
    /// Opens the selected ticket.
    pub(in crate::ui) fn open_ticket(&mut self) -> Vec<Effect> {
        let Some(ticket) = self.selected() else { return Vec::new() };
        self.ticket = Some(TicketScreen::new(ticket));
        self.log.leave();
        vec![Effect::LoadDetail(ticket)]
    }

    /// Opens the selected ticket at its change.
    pub(in crate::ui) fn open_diff(&mut self) -> Vec<Effect> {
        let effects = self.open_ticket();
        if let Some(screen) = &mut self.ticket {
            screen.turn(Tab::Diff);
        }
        effects
    }

    /// Takes over the details of a ticket, unless another one is looked at by now.
    pub(in crate::ui) fn take_detail(&mut self, detail: Box<Detail>) {
        self.take_runs(&detail, self.selected());
        match &mut self.ticket {
            Some(screen) if screen.ticket == detail.ticket => {
                screen.detail = Some(detail);
                self.dirty = true;
            }
            Some(_) | None => {}
        }
        self.scroll_ticket(0);
    }

    /// Does what a key means for the open ticket; says nothing when it means nothing here.
    pub(in crate::ui) fn act_on_ticket(&mut self, action: Action) -> bool {
        let Some(screen) = &mut self.ticket else { return false };
        match action {
            Action::Overview => screen.turn(Tab::Overview),
            Action::Log => screen.turn(Tab::Log),
            Action::Diff => screen.turn(Tab::Diff),
            Action::Evidence => screen.turn(Tab::Evidence),
            Action::Review => screen.turn(Tab::Review),
            Action::History => screen.turn(Tab::History),
            Action::Jobs => screen.turn(Tab::Jobs),
            Action::Right => screen.turn_by(1),
            Action::Left => screen.turn_by(TABS.len() - 1),
            Action::Back => self.step_back(),
            _ if screen.tab == Tab::Diff => return self.act_on_diff(action),
            _ if screen.tab == Tab::Log => return self.act_on_log(action),
            // The log is not in sight.
            Action::SearchLog
            | Action::FilterLog
            | Action::NextMatch
            | Action::PreviousMatch
            | Action::NextError
            | Action::PreviousError
            | Action::ToggleWrap
            | Action::FoldTools => {}
            Action::Down => self.scroll_ticket(1),
            Action::Up => self.scroll_ticket(-1),
            Action::HalfDown => self.scroll_ticket(self.half_page()),
            Action::HalfUp => self.scroll_ticket(-self.half_page()),
            Action::Top => self.scroll_ticket(isize::MIN),
            Action::Bottom => self.scroll_ticket(isize::MAX),
            Action::ToggleRaw | Action::OlderRun | Action::NewerRun | Action::ListRuns => {
                if let Some(screen) = &mut self.ticket {
                    screen.turn(Tab::Log);
                }
                return self.act_on_log(action);
            }
            _ => return false,
        }
        true
    }

    /// Ends the search or the marked range of the open tab, else closes the ticket.
    fn step_back(&mut self) {
        let is_at_diff = self.ticket.as_ref().is_some_and(TicketScreen::is_at_diff);
        let ended = if is_at_diff { self.end_range() } else { self.end_search() };
        if !ended {
            self.ticket = None;
        }
    }

    fn half_page(&self) -> isize {
        (Places::of(self).text().height / 2).max(1).cast_signed().into()
    }

    fn scroll_ticket(&mut self, by: isize) {
        let Some(screen) = &self.ticket else { return };
        let area = Places::of(self).text();
        let Some(ticket) = self.board.ticket(screen.ticket) else { return };
        let total = lines(self, screen, ticket, area.width).len();
        let to = scroll::scrolled(screen.scroll, by, total, usize::from(area.height));
        if let Some(screen) = &mut self.ticket {
            screen.scroll = to;
        }
    }
}

/// Returns the lines of the open tab; the log draws itself.
fn lines(model: &Model, screen: &TicketScreen, ticket: &Ticket, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width);
    let detail = match (&screen.detail, screen.tab) {
        (_, Tab::Overview) => return overview::lines(model, ticket, screen.detail.as_deref(), width),
        (_, Tab::Log | Tab::Diff) => return Vec::new(),
        (Some(detail), Tab::Evidence | Tab::Review | Tab::History | Tab::Jobs) => detail,
        (None, Tab::Evidence | Tab::Review | Tab::History | Tab::Jobs) => return vec![Line::raw("Loading …")],
    };
    match screen.tab {
        Tab::Evidence => evidence::lines(model, detail, width),
        Tab::Review => reviews::lines(model, detail, width),
        Tab::History => history::lines(model, detail, width),
        Tab::Jobs => evidence::job_lines(model, detail, width),
        Tab::Overview | Tab::Log | Tab::Diff => Vec::new(),
    }
}

/// Draws the whole screen.
pub(in crate::ui) fn draw(model: &Model, screen: &TicketScreen, buffer: &mut Buffer) {
    let places = Places::of(model);
    let Some(ticket) = model.board.ticket(screen.ticket) else { return };
    draw_head(model, ticket, places.header, buffer);
    draw_tabs(model, screen, places.tabs, buffer);
    if screen.tab == Tab::Log {
        log::draw(model, places.body, buffer);
    } else if screen.tab == Tab::Diff {
        diff::draw(model, screen, places.body, buffer);
    } else {
        let area = places.text();
        let lines = lines(model, screen, ticket, area.width);
        let offset = screen.scroll.min(scroll::last_offset(lines.len(), usize::from(area.height)));
        for (row, line) in area.rows().zip(lines.iter().skip(offset)) {
            buffer.set_line(row.x, row.y, line, row.width);
        }
        let bar = Rect { width: area.width.saturating_add(1), ..area };
        scroll::bar(bar, offset, lines.len(), &model.theme, buffer);
    }
    let context = if screen.is_at_diff() { Context::Diff } else { Context::Ticket };
    bars::draw_footer(model, context, places.footer, buffer);
}

fn draw_head(model: &Model, ticket: &Ticket, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let state = columns::state_text(model, ticket);
    let room = usize::from(area.width).saturating_sub(text::width(&state) + 4);
    let title = words::cut(&model.theme, &format!("{} {}", ticket.number, ticket.title), room).into_owned();
    let line = Line::from(vec![
        Span::raw(" "),
        Span::styled(title, theme.style(Role::Title)),
        Span::raw("   "),
        Span::styled(state, theme.style(Role::of_state(ticket.state.name()))),
    ]);
    put(area, &line, buffer);
}

/// Returns the names of the tabs for a line of that width.
fn tab_names(screen: &TicketScreen, width: u16) -> impl Iterator<Item = (Tab, String)> {
    let full: usize = TABS.iter().map(|(_, _, name)| name.len() + 5).sum();
    TABS.into_iter().map(move |(tab, key, name)| {
        let whole = tab == screen.tab || full <= usize::from(width);
        (tab, if whole { format!(" {key} {name} ") } else { format!(" {key} ") })
    })
}

fn draw_tabs(model: &Model, screen: &TicketScreen, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let mut spans = vec![Span::raw(" ")];
    for (tab, name) in tab_names(screen, area.width) {
        let open = tab == screen.tab;
        spans.push(Span::styled(name, theme.style(if open { Role::Selected } else { Role::Text })));
        spans.push(Span::raw(" "));
    }
    put(area, &Line::from(spans), buffer);
}
