//! Who works on tickets for this once: an agent or a profile of the user's, and its model.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui_textarea::TextArea;

use crate::domain::command::AgentChoice;
use crate::domain::id::TicketId;
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::{Role, Theme};
use crate::ui::widget::field::{self, Focus};
use crate::ui::widget::popup::Popup;
use crate::ui::widget::text;
use crate::ui::words;

use super::layout::{put, split_bottom, split_top};
use super::typing::{self, Lines};
use super::{Overlay, bars};

/// The widest that it gets.
const WIDEST: u16 = 60;
/// The rows of the model and the empty one above it.
const MODEL: u16 = 3;

/// What is chosen for which tickets.
#[derive(Clone, Debug)]
pub(in crate::ui) struct RunWith {
    tickets: Vec<TicketId>,
    /// The agents that could do it.
    agents: Vec<String>,
    at: usize,
    model: TextArea<'static>,
    /// Whether the keys go into the model.
    is_at_model: bool,
}

impl RunWith {
    /// Returns the choice with one of the agents marked.
    pub(in crate::ui) fn new(tickets: Vec<TicketId>, agents: Vec<String>, marked: &str, theme: &Theme) -> Self {
        let at = agents.iter().position(|agent| agent == marked).unwrap_or(0);
        Self { tickets, agents, at, model: typing::area(theme), is_at_model: false }
    }

    /// Says whether the agents have the keys.
    pub(super) fn is_at_agents(&self) -> bool {
        !self.is_at_model
    }

    /// Takes pasted text.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        if self.is_at_model {
            typing::pasted(&mut self.model, Lines::One, pasted);
        }
    }

    fn chosen(&self) -> AgentChoice {
        let model = self.model.lines().join(" ").trim().to_owned();
        AgentChoice { agent: self.agents.get(self.at).cloned(), model: Some(model).filter(|model| !model.is_empty()) }
    }
}

impl Model {
    /// Takes a key while somebody is chosen. `with` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn key_in_run_with(
        &mut self,
        mut with: Box<RunWith>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        let count = with.agents.len();
        match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Choose) => {
                let choice = with.chosen();
                return self.run_chosen(&with.tickets, &choice);
            }
            Some(Action::NextField) => with.is_at_model = !with.is_at_model,
            Some(Action::Down) if with.is_at_agents() => with.at = (with.at + 1) % count,
            Some(Action::Up) if with.is_at_agents() => with.at = (with.at + count - 1) % count,
            _ if with.is_at_model => typing::typed(&mut with.model, Lines::One, event),
            _ => {}
        }
        self.over = Some(Overlay::RunWith(with));
        Vec::new()
    }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, with: &RunWith, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let title = match with.tickets.as_slice() {
        [one] => format!("Run {} this once with", words::number(&model.board, *one)),
        all => format!("Run {} this once with", words::count(all.len(), "ticket")),
    };
    let rows = u16::try_from(with.agents.len()).unwrap_or(u16::MAX).saturating_add(MODEL + 1);
    let popup = Popup { title: &title, footer: "", content: Size { width: WIDEST, height: rows } };
    let (rest, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::RunWith, keys, buffer);
    let (list, below) = split_bottom(rest, MODEL.min(rest.height.saturating_sub(1)));
    let height = usize::from(list.height);
    let first = (with.at + 1).saturating_sub(height);
    for (row, (n, agent)) in list.rows().zip(with.agents.iter().enumerate().skip(first)) {
        let is_marked = n == with.at;
        let sign = if is_marked { theme.glyphs.cursor } else { " " };
        let role = match (is_marked, with.is_at_model) {
            (true, false) => Role::Title,
            (true, true) | (false, false) => Role::Text,
            (false, true) => Role::Dim,
        };
        let usual = if *agent == model.settings.preferred { "  the board's choice" } else { "" };
        let name = words::cut(theme, agent, usize::from(row.width).saturating_sub(text::width(usual) + 2));
        let line = Line::from(vec![
            Span::styled(sign, theme.style(Role::Focus)),
            Span::styled(format!(" {name}"), theme.style(role)),
            Span::styled(usual, theme.style(Role::Dim)),
        ]);
        put(row, &line, buffer);
    }
    let (_, field) = split_top(below, below.height.saturating_sub(2));
    let focus = if with.is_at_model { Focus::Here } else { Focus::Elsewhere };
    let label = "Model (none: as the ticket and the settings say)";
    field::Field { label, input: &with.model, error: None, focus }.draw(field, theme, buffer);
}
