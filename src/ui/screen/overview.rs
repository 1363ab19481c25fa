//! The overview of a ticket: what is to be done, where it stands, what it waits for, where its work is, and where it
//! can go from here.

use ratatui::text::{Line, Span};

use crate::domain::dependencies::Readiness;
use crate::domain::detail::Detail;
use crate::domain::id::TicketId;
use crate::domain::pull_request::PullRequest;
use crate::domain::revision::RevisionStatus;
use crate::domain::rule_revert::taken_back_by;
use crate::domain::state::{MOVES, Move, State, StateName};
use crate::domain::ticket::Ticket;
use crate::domain::waiting::waits_for;
use crate::ui::act::{Way, along};
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::{format, markdown, text};
use crate::ui::words;

use super::{columns, outlook};

/// The width of the names of facts.
const NAMES: usize = 12;

/// Collects lines of facts with their names at the left.
pub(super) struct Page<'a> {
    pub(super) model: &'a Model,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl<'a> Page<'a> {
    /// Returns a page with nothing on it.
    pub(super) fn new(model: &'a Model, width: usize) -> Self {
        Self { model, width, lines: Vec::new() }
    }

    /// Adds a fact, wrapped beside its name.
    pub(super) fn fact(&mut self, name: &str, role: Role, fact: &str) {
        let theme = &self.model.theme;
        for (n, line) in text::wrap(fact, self.width.saturating_sub(NAMES)).into_iter().enumerate() {
            let name = text::pad(if n == 0 { name } else { "" }, NAMES, text::Side::Left);
            let spans = vec![Span::styled(name, theme.style(Role::Dim)), Span::styled(line, theme.style(role))];
            self.lines.push(Line::from(spans));
        }
    }

    /// Adds a heading after an empty line.
    pub(super) fn heading(&mut self, heading: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.text(Role::Title, heading);
    }

    /// Adds text, wrapped.
    pub(super) fn text(&mut self, role: Role, said: &str) {
        let style = self.model.theme.style(role);
        self.lines.extend(text::wrap(said, self.width).into_iter().map(|line| Line::styled(line, style)));
    }

    /// Adds text, wrapped, so many columns in.
    pub(super) fn indented(&mut self, indent: usize, role: Role, said: &str) {
        let style = self.model.theme.style(role);
        for line in text::wrap(said, self.width.saturating_sub(indent)) {
            self.lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(line, style)]));
        }
    }

    /// Adds Markdown as people read it.
    pub(super) fn markdown(&mut self, said: &str) {
        self.lines.extend(markdown::lines(said, self.width, &self.model.theme));
    }

    /// Adds one line of pieces, cut where the room ends.
    pub(super) fn pieces(&mut self, pieces: &[(Role, &str)]) {
        let mut room = self.width;
        let mut spans = Vec::new();
        for (role, piece) in pieces {
            let piece = words::cut(&self.model.theme, piece, room).into_owned();
            room -= text::width(&piece);
            spans.push(Span::styled(piece, self.model.theme.style(*role)));
        }
        self.lines.push(Line::from(spans));
    }

    /// Returns the lines.
    pub(super) fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }
}

/// Returns the lines of the overview.
pub(super) fn lines(model: &Model, ticket: &Ticket, detail: Option<&Detail>, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(model, width);
    standing(&mut page, ticket, detail);
    dependencies(&mut page, ticket);
    reverts(&mut page, ticket);
    work(&mut page, ticket);
    outlook::on_page(&mut page, ticket);
    page.heading("Description");
    match detail.map(|detail| detail.description.trim_end()) {
        Some("") => page.text(Role::Dim, "(none)"),
        Some(description) => page.markdown(description),
        None => page.text(Role::Dim, "Loading …"),
    }
    if let (Some(pull), Some(detail)) = (ticket.pull_request.as_deref(), detail) {
        said_there(&mut page, pull, detail);
    }
    page.heading("Where it can go");
    if let Some(job) = model.board.active_job(ticket.id) {
        let stop = model.key_of(Action::Cancel);
        page.text(
            Role::Warn,
            &format!("Its {} job moves it; by hand it goes nowhere until {stop} stops that.", job.what()),
        );
    }
    for row in MOVES.iter().filter(|row| row.from == ticket.state.name()) {
        let (role, said) = way(model, ticket, row);
        page.fact(&row.to.title().to_lowercase(), role, &said);
    }
    let has_work = ticket.worktree.is_some() && model.board.active_job(ticket.id).is_none();
    if has_work && matches!(ticket.state, State::NeedsHuman { .. } | State::Blocked { .. }) {
        page.heading("What you can do");
        let key = |action| model.key_of(action);
        match model.board.revision(ticket.id).map(|revision| revision.status) {
            Some(RevisionStatus::Open) => {
                let said = format!("read its change ({}), and approve it or send it back there", key(Action::Diff));
                page.fact("review", Role::Dim, &said);
            }
            Some(RevisionStatus::Approved) => {
                let said = format!("bring its change to its target ({})", key(Action::Land));
                page.fact("land", Role::Dim, &said);
            }
            Some(RevisionStatus::ChangesRequested | RevisionStatus::Superseded) | None => {}
        }
        let said = format!("run the checks again on what its worktree holds ({})", key(Action::Verify));
        page.fact("check", Role::Dim, &said);
        let (visit, take_over) = (key(Action::HandOver), key(Action::Resume));
        let said =
            format!("open a shell or the agent's session in its worktree ({visit}), then take that over ({take_over})");
        page.fact("edit", Role::Dim, &said);
        page.fact("tell", Role::Dim, &format!("let its agent go on with a word from you ({})", key(Action::Tell)));
    }
    page.lines()
}

/// Returns what a move means and which key makes it, or why it is refused now.
fn way(model: &Model, ticket: &Ticket, row: &Move) -> (Role, String) {
    let glyphs = &model.theme.glyphs;
    let waits = match (row.to, model.board.readiness(ticket)) {
        (StateName::Executing, Readiness::Waits(on)) => Some(format!("not yet: it waits for {}", words::numbers(&on))),
        (StateName::Executing, Readiness::Dead(on)) => {
            Some(format!("not now: it waits for {}, which is given up", words::numbers(&on)))
        }
        _ => None,
    };
    if let Some(waits) = waits {
        return (Role::Warn, format!("{} {waits}", glyphs.warn));
    }
    let key = match row.to {
        _ if model.board.active_job(ticket.id).is_some() => None,
        StateName::Planned if row.from == StateName::Proposed => Some("a"),
        StateName::Executing => Some("x"),
        StateName::Verifying => Some("V"),
        to if along(row.from, Way::On) == Some(to) => Some("L"),
        to if along(row.from, Way::Back) == Some(to) => Some("H"),
        _ => None,
    };
    let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
    (Role::Dim, format!("{} {}{key}", glyphs.arrow, row.cause))
}

fn standing(page: &mut Page, ticket: &Ticket, detail: Option<&Detail>) {
    let model = page.model;
    page.fact("state", Role::of_state(ticket.state.name()), &columns::state_text(model, ticket));
    let waits = waits_for(&model.board, ticket, model.autopilot());
    if let Some(waits) = &waits {
        page.fact("waiting", Role::Warn, waits);
    }
    if !ticket.reason.is_empty() && waits.as_ref() != Some(&ticket.reason) {
        page.fact("reason", Role::Text, &ticket.reason);
    }
    if let Some(message) = &ticket.message {
        let (role, since) = if message.is_due(model.now) {
            (Role::Agent, format!("{} its agent will be told: ", model.theme.glyphs.message))
        } else {
            (Role::Dim, "too old to be told any more: ".to_owned())
        };
        page.fact("message", role, &format!("{since}{}", message.text));
    }
    if let Some(times) = model.board.newest_job(ticket.id).and_then(|job| job.rework).filter(|times| *times > 0) {
        let said = format!("{} sent back to its agent {} by its checks", model.theme.glyphs.retry, times_over(times));
        page.fact("rework", Role::Warn, &said);
    }
    if let Some(priority) = ticket.priority {
        let said = format!("{} {} ({})", priority.bucket(), priority.label().to_lowercase(), priority.value());
        page.fact("priority", Role::Text, &said);
    }
    if let Some(goal) = model.board.goal_of(ticket) {
        page.fact("goal", Role::Text, goal.title.as_str());
        if goal.autonomy.enabled {
            page.fact("without you", Role::Text, &goal.autonomy.to_string());
        }
    }
    let agent = [ticket.agent.as_deref(), ticket.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let worked = detail.and_then(|detail| detail.jobs.iter().rev().find_map(|job| job.agent.as_deref()));
    match worked {
        _ if !agent.is_empty() => page.fact("agent", Role::Agent, &agent),
        Some(worked) => page.fact("agent", Role::Agent, &format!("{worked}, the board's choice")),
        None => {}
    }
    for (n, check) in ticket.verify.iter().enumerate() {
        page.fact(if n == 0 { "checks" } else { "" }, Role::Code, check);
    }
    let filed = format::date(ticket.created_at, model.zone);
    page.fact("filed", Role::Dim, &filed);
    page.fact("changed", Role::Dim, &format::date(ticket.updated_at, model.zone));
}

fn times_over(times: u32) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn dependencies(page: &mut Page, ticket: &Ticket) {
    let waiting: Vec<TicketId> = page.model.index.dependents(ticket.id).collect();
    for (name, ids) in [("after", ticket.blocked_by.clone()), ("before", waiting)] {
        let model = page.model;
        let mut tickets: Vec<&Ticket> = ids.iter().filter_map(|id| model.board.ticket(*id)).collect();
        tickets.sort_by_key(|ticket| ticket.number);
        for (n, other) in tickets.into_iter().enumerate() {
            let role = if other.state.name() == StateName::Done { Role::Ok } else { Role::Text };
            let state = columns::state_text(model, other);
            page.fact(if n == 0 { name } else { "" }, role, &format!("{} {} ({state})", other.number, other.title));
        }
    }
}

/// The tickets that are tied to it by a revert, both ways.
fn reverts(page: &mut Page, ticket: &Ticket) {
    let board = &page.model.board;
    let landed = ticket.reverts.and_then(|id| board.ticket(id)).cloned();
    let back = taken_back_by(board, ticket.id).cloned();
    for (name, other) in [("takes back", landed), ("taken back", back)] {
        if let Some(other) = other {
            let state = columns::state_text(page.model, &other);
            page.fact(name, Role::Text, &format!("{} {} ({state})", other.number, other.title));
        }
    }
}

fn work(page: &mut Page, ticket: &Ticket) {
    let model = page.model;
    if let Some(worktree) = &ticket.worktree {
        let glyphs = &model.theme.glyphs;
        let branch = format!("{} {} {}", worktree.branch, glyphs.arrow, worktree.base_branch);
        page.fact("branch", Role::Link, &branch);
        page.fact("worktree", Role::Link, &worktree.path.to_string_lossy());
        if let Some(port) = worktree.port {
            page.fact("ports", Role::Text, &format!("from {port} on"));
        }
    } else {
        let base = ticket.base_branch.as_deref().unwrap_or(&model.board.about.base_branch);
        page.fact("starts from", Role::Link, base);
    }
    if let Some(revision) = model.board.revision(ticket.id) {
        let files = words::count(usize::try_from(revision.size.files).unwrap_or(usize::MAX), "file");
        let size = words::size(revision.size, &model.theme.glyphs);
        page.fact("change", Role::Text, &format!("{size} in {files}, revision {}", revision.number));
    }
    let open = model.board.open_comments(ticket.id).count();
    if open > 0 {
        let review = model.keys.shown(Context::Ticket, Action::Review);
        let said = format!(
            "{} {}, not resolved; {review} shows them",
            model.theme.glyphs.comment,
            words::count(open, "comment")
        );
        page.fact("comments", Role::Warn, &said);
    }
    if let Some(pull) = ticket.pull_request.as_deref() {
        offered(page, pull);
    }
    if ticket.usage.tokens() > 0 || ticket.usage.cost_micros.is_some() {
        page.fact("used", Role::Text, &format::usage(ticket.usage, model.theme.glyphs.dot));
    }
}

/// Says how the ticket's pull request stands, and when its host said so.
fn offered(page: &mut Page, pull: &PullRequest) {
    let model = page.model;
    let seen = &pull.seen;
    let (role, mark) = model.pull_mark(pull);
    let draft = if seen.draft { ", not ready yet" } else { "" };
    let place = format!("{mark} on {}, revision {} into {}{draft}", pull.host, pull.revision, seen.base);
    page.fact("offered", role, &place);
    page.fact("", Role::Link, &seen.url);
    if let Some(review) = seen.review {
        page.fact("", Role::Text, &format!("its reviews say: {}", review.as_str().replace('_', " ")));
    }
    if pull.has_moved() {
        let head = seen.head.get(..12).unwrap_or(&seen.head);
        page.fact("", Role::Warn, &format!("somebody pushed {head} to it, which is not this ticket's revision"));
    }
    let looked = format::date(pull.looked_at, model.zone);
    match &pull.error {
        Some(error) => page.fact("", Role::Warn, &format!("last seen {looked}; since then: {error}")),
        None => page.fact("", Role::Dim, &format!("seen {looked}")),
    }
}

/// Shows what was said about it on the host.
fn said_there(page: &mut Page, pull: &PullRequest, detail: &Detail) {
    if detail.remarks.is_empty() {
        return;
    }
    page.heading(&format!("Said on {}", pull.place()));
    for remark in &detail.remarks {
        let place = match (&remark.path, remark.line) {
            (Some(path), Some(line)) => format!(" on {path}:{line}"),
            (Some(path), None) => format!(" on {path}"),
            (None, _) => String::new(),
        };
        let resolved = if remark.resolved { ", resolved" } else { "" };
        let at = format::date(remark.at, page.model.zone);
        page.text(Role::Dim, &format!("{}{place}, {at}{resolved}", remark.author));
        page.indented(2, Role::Text, &remark.body);
    }
}
