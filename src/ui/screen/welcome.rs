//! The first start: what an empty board says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ui::keys::{Action, Context, Keys};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::text;

/// The widest that it gets.
const WIDEST: u16 = 72;
/// The agent that is built in, which knows its own sample only.
const DEMO: &str = "demo";
/// The keys to begin with.
const KEYS: [(Action, &str); 3] = [
    (Action::NewTicket, "file a ticket"),
    (Action::Accept, "accept it, so that it may run"),
    (Action::Run, "let an agent work on it, in a worktree of its own"),
];

/// Draws what an empty board says.
pub(in crate::ui) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let lines = lines(model, usize::from(WIDEST.min(area.width.saturating_sub(4))));
    let size = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let width = size(lines.iter().map(Line::width).max().unwrap_or(0)).min(area.width);
    let height = size(lines.len()).min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    for (row, line) in place.rows().zip(&lines) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

fn lines(model: &Model, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let glyphs = &theme.glyphs;
    let mut lines = Vec::new();
    let mut say = |role, said: &str| {
        let style = theme.style(role);
        lines.extend(text::wrap(said, width).into_iter().map(|line| Line::styled(line, style)));
    };
    say(Role::Title, "This board is empty.");
    say(Role::Text, "");
    for (action, what) in KEYS {
        say(Role::Text, &format!("{}  {what}", key(model, action)));
    }
    say(Role::Text, "");
    let agents: Vec<&str> = model.settings.agents.iter().map(String::as_str).filter(|name| *name != DEMO).collect();
    match agents.as_slice() {
        [] => say(Role::Warn, &format!("{} No coding agent found: `draft agents` says how to get one.", glyphs.warn)),
        agents => say(Role::Ok, &format!("{} Agents found: {}", glyphs.ok, agents.join(", "))),
    }
    match model.settings.checks.as_slice() {
        [] => say(
            Role::Warn,
            &format!("{} No checks, so nothing can be proven: `draft init` looks for some.", glyphs.warn),
        ),
        checks => {
            say(Role::Ok, &format!("{} Checks of every change:", glyphs.ok));
            for check in checks {
                say(Role::Code, &format!("    {check}"));
            }
        }
    }
    say(Role::Text, "");
    say(Role::Dim, "To see it work first, leave with q and run `draft demo`.");
    let keys = KEYS.len();
    for line in lines.iter_mut().skip(2).take(keys) {
        embolden_key(line, model);
    }
    lines
}

fn key(model: &Model, action: Action) -> String {
    model.keys.keys_of(Context::Board, action).map(Keys::shown).unwrap_or_default()
}

/// Draws the first word of a line as a key.
fn embolden_key(line: &mut Line<'static>, model: &Model) {
    let said = line.to_string();
    if let Some((key, rest)) = said.split_once(' ') {
        let key = Span::styled(key.to_owned(), model.theme.style(Role::Key));
        *line = Line::from(vec![key, Span::raw(format!(" {rest}"))]);
    }
}
