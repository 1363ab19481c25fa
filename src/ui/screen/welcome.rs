//! The first start: what an empty board says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::text;

/// The widest that it gets.
const WIDEST: u16 = 72;

/// Draws what an empty board says.
pub(in crate::ui) fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let width = WIDEST.min(area.width.saturating_sub(4));
    let lines = lines(model, usize::from(width));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    for (row, line) in place.rows().zip(&lines) {
        buffer.set_line(row.x, row.y, line, row.width);
    }
}

fn lines(model: &Model, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    let mut say = |role, said: &str| {
        let style = theme.style(role);
        lines.extend(text::wrap(said, width).into_iter().map(|line| Line::styled(line, style)));
    };
    say(Role::Title, "This board is empty.");
    say(Role::Text, "");
    say(Role::Key, "n  file a ticket");
    say(Role::Key, "x  let an agent work on it, in a worktree of its own");
    say(Role::Key, "?  see every key");
    say(Role::Text, "");
    match model.settings.agents.as_slice() {
        [] => say(Role::Warn, "! No agent was found on this machine; `draft agents` lists those that Draft knows."),
        agents => say(Role::Ok, &format!("{} Agents found: {}", theme.glyphs.ok, agents.join(", "))),
    }
    match model.settings.checks.as_slice() {
        [] => say(Role::Warn, "! No check is configured, so nothing can be proven; `draft init` suggests some."),
        checks => {
            say(Role::Ok, &format!("{} Checks of every change:", theme.glyphs.ok));
            for check in checks {
                say(Role::Code, &format!("    {check}"));
            }
        }
    }
    say(Role::Text, "");
    say(Role::Dim, "To see it work first, leave with q and run `draft demo`.");
    lines
}
