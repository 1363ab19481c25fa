//! A message to a ticket's agent: what is typed, and when the agent will read it.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use crate::domain::id::TicketId;
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::state::{NeedsHuman, State};
use crate::domain::ticket::Ticket;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::theme::{Role, Theme};
use crate::ui::widget::field::{Field, Focus};
use crate::ui::widget::popup::Popup;
use crate::ui::words;

use super::bars;
use super::layout::{split_bottom, split_top};
use super::typing::{self, Lines};

/// The size where there is room for it.
const BEST: Size = Size { width: 72, height: 13 };
/// How many lines a question may take.
const QUESTION_LINES: usize = 5;
/// The least rows to type in, with the name above.
const LEAST: u16 = 3;

/// What is typed for whom.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Tell {
    /// The ticket.
    pub(in crate::ui) ticket: TicketId,
    input: TextArea<'static>,
}

/// What came of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Outcome {
    /// It goes on.
    Open,
    /// It is put aside, with this in it.
    Aside(String),
    /// This is to be told.
    Send(String),
}

impl Tell {
    /// Returns the place with a text to go on with.
    pub(in crate::ui) fn new(ticket: TicketId, text: &str, theme: &Theme) -> Self {
        let mut input = typing::area(theme);
        input.set_wrap_mode(WrapMode::WordOrGlyph);
        input.insert_str(text);
        input.move_cursor(CursorMove::Bottom);
        input.move_cursor(CursorMove::End);
        Self { ticket, input }
    }

    /// Takes a key: what the table says about it, or else as text.
    pub(in crate::ui) fn key(&mut self, action: Option<Action>, event: KeyEvent) -> Outcome {
        match action {
            Some(Action::Send) => return Outcome::Send(self.text()),
            Some(Action::Back) => return Outcome::Aside(self.text()),
            Some(Action::NewLine) => self.input.insert_newline(),
            _ => typing::typed(&mut self.input, Lines::Many, event),
        }
        Outcome::Open
    }

    /// Takes pasted text.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        typing::pasted(&mut self.input, Lines::Many, pasted);
    }

    fn text(&self) -> String {
        self.input.lines().join("\n").trim_end().to_owned()
    }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, tell: &Tell, area: Rect, buffer: &mut Buffer) {
    let Some(ticket) = model.board.ticket(tell.ticket) else { return };
    let theme = &model.theme;
    let title = match asks(ticket) {
        Some(_) => format!("Answer {}'s agent", ticket.number),
        None => format!("Tell {}'s agent", ticket.number),
    };
    let popup = Popup { title: &title, footer: "", content: BEST };
    let (rest, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::Tell, keys, buffer);
    let said = said_above(model, ticket, usize::from(rest.width));
    let room = rest.height.saturating_sub(LEAST);
    let (above, below) = split_top(rest, room.min(u16::try_from(said.len() + 1).unwrap_or(u16::MAX)));
    for (row, (role, line)) in above.rows().zip(&said) {
        buffer.set_stringn(row.x, row.y, line, usize::from(row.width), theme.style(*role));
    }
    let (field, _) = split_bottom(below, u16::from(below.height > LEAST));
    Field { label: "Message", input: &tell.input, error: None, focus: Focus::Here }.draw(field, theme, buffer);
}

fn said_above(model: &Model, ticket: &Ticket, width: usize) -> Vec<(Role, String)> {
    let theme = &model.theme;
    let mut said = Vec::new();
    if let Some(question) = asks(ticket) {
        let asked = format!("{} {question}", theme.glyphs.question);
        said.extend(words::wrap_to(theme, &asked, width, QUESTION_LINES).into_iter().map(|line| (Role::Warn, line)));
    }
    said.extend(words::wrap_to(theme, when(model, ticket), width, 2).into_iter().map(|line| (Role::Dim, line)));
    said
}

/// Returns what the agent asks.
fn asks(ticket: &Ticket) -> Option<&str> {
    let asks = ticket.state == State::NeedsHuman { why: NeedsHuman::Question };
    (asks && !ticket.reason.is_empty()).then_some(ticket.reason.as_str())
}

/// Returns when the agent reads it.
fn when(model: &Model, ticket: &Ticket) -> &'static str {
    let job = model.board.active_job(ticket.id).map(|job| (job.status, job.kind));
    match (job, ticket.state) {
        (Some((JobStatus::Queued, JobKind::Execute)), _) => "Its agent reads it when it starts.",
        (Some((_, JobKind::Execute)), _) => "Its agent reads it when the work ends that it does now.",
        (Some((_, JobKind::Verify | JobKind::Resume | JobKind::Land | JobKind::PullRequest)), _) => {
            "Its agent reads it when the job ends that runs now."
        }
        (None, State::NeedsHuman { .. } | State::Blocked { .. } | State::Done) => {
            "Its agent starts at once and goes on with this."
        }
        (None, State::Proposed | State::Planned | State::Executing { .. } | State::Verifying { .. }) => {
            "Its agent reads it when the ticket runs."
        }
        (None, State::Abandoned) => "No agent works on an abandoned ticket.",
    }
}
