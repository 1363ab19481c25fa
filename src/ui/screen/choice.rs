//! A choice of a few, each with a sentence: what the autopilot is to do, what gets the terminal, what agents may do.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::config::yolo::Leave;
use crate::domain::autopilot::Autopilot;
use crate::domain::command::Command;
use crate::domain::id::TicketId;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::{Effect, Guest};
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::text;
use crate::ui::words;

use super::Overlay;
use super::bars;
use super::layout::split_bottom;

/// The widest that it gets.
const WIDEST: u16 = 64;
/// How far a sentence stands in.
const INDENT: usize = 4;

/// What is chosen from, and the choice that is marked.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) struct Choice {
    what: Choosing,
    at: usize,
}

/// What is chosen.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) enum Choosing {
    /// The mode of the autopilot.
    Autopilot,
    /// What gets the terminal in a ticket's worktree.
    Visit {
        /// The ticket.
        ticket: TicketId,
        /// The agent whose session can be opened.
        agent: String,
        /// What the agent calls it.
        session: String,
    },
    /// What agents may do without asking.
    Leave {
        /// What starts them afterwards.
        then: Vec<Command>,
    },
    /// How a conflict is dealt with.
    Conflict {
        /// The ticket.
        ticket: TicketId,
    },
    /// What is copied of a ticket.
    Copy {
        /// The ticket.
        ticket: TicketId,
    },
}

/// What agents may be allowed.
const EDITS: &str =
    "Those of their ticket's worktree. What else they want is refused, and the ticket says what it was.";
const EVERYTHING: &str = "They run any command without asking. A worktree is no sandbox: choose this where you would let them loose yourself.";
/// The modes in the order in which they are offered.
const MODES: [(Autopilot, &str, &str); 3] = [
    (Autopilot::On, "On", "Planned tickets run as soon as there is a slot."),
    (Autopilot::Finish, "Finish what runs", "What runs comes to its end, checks included; nothing else starts."),
    (Autopilot::Off, "Off", "A ticket runs when you say so (x)."),
];

impl Choice {
    /// Returns the choice with what people most likely want marked: another mode than the one in force, or a shell.
    pub(in crate::ui) fn new(what: Choosing, model: &Model) -> Self {
        let at = match (&what, model.autopilot()) {
            (
                Choosing::Visit { .. } | Choosing::Leave { .. } | Choosing::Copy { .. } | Choosing::Conflict { .. },
                _,
            )
            | (Choosing::Autopilot, Autopilot::Off | Autopilot::Finish) => 0,
            (Choosing::Autopilot, Autopilot::On) => 1,
        };
        Self { what, at }
    }

    fn count(&self, model: &Model) -> usize {
        match self.what {
            Choosing::Autopilot => MODES.len(),
            Choosing::Visit { .. } | Choosing::Leave { .. } => 2,
            Choosing::Copy { ticket } => to_copy(model, ticket).len().max(1),
            Choosing::Conflict { ticket } => model.ways_out(ticket).len().max(1),
        }
    }
}

impl Model {
    /// Takes a key while something is chosen. `choice` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn choose(&mut self, choice: Choice, action: Option<Action>) -> Vec<Effect> {
        let count = choice.count(self);
        let at = match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Choose) => return self.chosen(choice.what, choice.at),
            Some(Action::Down) => (choice.at + 1) % count,
            Some(Action::Up) => (choice.at + count - 1) % count,
            other => match other.and_then(numbered).filter(|at| *at < count) {
                Some(at) => return self.chosen(choice.what, at),
                // The table has no other action here.
                None => choice.at,
            },
        };
        self.over = Some(Overlay::Choice(Choice { at, ..choice }));
        Vec::new()
    }

    fn chosen(&mut self, what: Choosing, at: usize) -> Vec<Effect> {
        match what {
            Choosing::Autopilot => MODES.get(at).map_or_else(Vec::new, |(mode, _, _)| self.set_autopilot(*mode)),
            Choosing::Visit { ticket, .. } if at == 0 => self.start_visit(ticket, Guest::Shell),
            Choosing::Conflict { ticket } => {
                let way = self.ways_out(ticket).into_iter().nth(at);
                way.map_or_else(Vec::new, |(way, ..)| self.take_way_out(ticket, way))
            }
            Choosing::Leave { then } if at == 0 => self.allow(then, Leave::Edits),
            Choosing::Leave { then } => self.allow(then, Leave::Everything),
            Choosing::Copy { ticket } => {
                let chosen = to_copy(self, ticket).into_iter().nth(at);
                chosen.map_or_else(Vec::new, |(_, text)| self.copied(text))
            }
            Choosing::Visit { ticket, agent, session } => self.start_visit(ticket, Guest::Session { agent, session }),
        }
    }
}

/// Returns the place of the choice that a digit takes.
fn numbered(action: Action) -> Option<usize> {
    const DIGITS: [Action; 5] = [Action::First, Action::Second, Action::Third, Action::Fourth, Action::Fifth];
    DIGITS.iter().position(|digit| *digit == action)
}

/// Returns what there is to copy of a ticket: what it is, and the text.
fn to_copy(model: &Model, ticket: TicketId) -> Vec<(&'static str, String)> {
    let Some(ticket) = model.board.ticket(ticket) else { return Vec::new() };
    let mut all = vec![("Its identity", ticket.id.to_string())];
    if let Some(worktree) = &ticket.worktree {
        all.push(("Its branch", worktree.branch.clone()));
        all.push(("Its worktree", worktree.path.display().to_string()));
    }
    if let Some(pull) = &ticket.pull_request {
        all.push(("The address of its pull request", pull.seen.url.clone()));
    }
    all
}

fn title(model: &Model, choice: &Choice) -> String {
    match choice.what {
        Choosing::Autopilot => "Autopilot".to_owned(),
        Choosing::Leave { .. } => "What may agents do in this repository?".to_owned(),
        Choosing::Visit { ticket, .. } => format!("In the worktree of {}", words::number(&model.board, ticket)),
        Choosing::Conflict { ticket } => format!("The conflict of {}", words::number(&model.board, ticket)),
        Choosing::Copy { ticket } => format!("Copy of {}", words::number(&model.board, ticket)),
    }
}

/// Returns the choices: a name and a sentence each.
fn offered(model: &Model, choice: &Choice) -> Vec<(String, String)> {
    match &choice.what {
        Choosing::Autopilot => MODES
            .iter()
            .map(|(mode, name, sentence)| {
                let now = if *mode == model.autopilot() { " (now)" } else { "" };
                (format!("{name}{now}"), (*sentence).to_owned())
            })
            .collect(),
        Choosing::Leave { .. } => {
            vec![("Edit files".to_owned(), EDITS.to_owned()), ("Everything".to_owned(), EVERYTHING.to_owned())]
        }
        Choosing::Visit { agent, .. } => vec![
            ("A shell".to_owned(), "Your own shell; the board comes back when you leave it.".to_owned()),
            (format!("{agent}'s own session"), format!("Go on by hand where {agent} stopped.")),
        ],
        Choosing::Conflict { ticket } => {
            model.ways_out(*ticket).into_iter().map(|(_, name, sentence)| (name, sentence)).collect()
        }
        Choosing::Copy { ticket } => {
            to_copy(model, *ticket).into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
        }
    }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, choice: &Choice, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let width = WIDEST.min(area.width.saturating_sub(4));
    let mut lines = Vec::new();
    for (n, (name, sentence)) in offered(model, choice).into_iter().enumerate() {
        let marked = n == choice.at;
        let sign = if marked { theme.glyphs.cursor } else { " " };
        let role = if marked { Role::Title } else { Role::Text };
        lines.push(Line::from(vec![
            Span::styled(sign, theme.style(Role::Focus)),
            Span::styled(format!("{} ", n + 1), theme.style(Role::Key)),
            Span::styled(format!(" {name}"), theme.style(role)),
        ]));
        for line in text::wrap(&sentence, usize::from(width).saturating_sub(INDENT)) {
            lines.push(Line::styled(format!("{}{line}", " ".repeat(INDENT)), theme.style(Role::Dim)));
        }
    }
    // The marked one stays in sight where there is little room.
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let popup = Popup { title: &title(model, choice), footer: "", content: Size { width, height } };
    let (body, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::Choice, keys, buffer);
    let marked =
        lines.iter().position(|line| line.spans.first().is_some_and(|span| span.content == theme.glyphs.cursor));
    let first = (marked.unwrap_or(0) + 2).saturating_sub(usize::from(body.height));
    for (row, line) in body.rows().zip(lines.iter().skip(first)) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}
