//! One field of a form: its name, what is typed, and what is wrong with it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget as _;
use ratatui_textarea::TextArea;

use super::text;
use crate::ui::theme::{Role, Theme};

/// Whether the keys go here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// They go here; the cursor is shown.
    Here,
    /// They go elsewhere.
    Elsewhere,
}

/// One field of a form.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its name.
    pub label: &'a str,
    /// What is typed.
    pub input: &'a TextArea<'static>,
    /// What is wrong with it; drawn under it.
    pub error: Option<&'a str>,
    /// Whether the keys go here.
    pub focus: Focus,
}

impl Field<'_> {
    /// Returns the rows that it needs with `rows` rows to type in: the name, those, and the error.
    pub fn height(&self, rows: u16) -> u16 {
        rows.saturating_add(1).saturating_add(u16::from(self.error.is_some()))
    }

    /// Draws it into the area: the name first, then the error at the bottom, then what is typed in the rest.
    pub fn draw(&self, area: Rect, theme: &Theme, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let role = match (self.error, self.focus) {
            (Some(_), _) => Role::Bad,
            (None, Focus::Here) => Role::Title,
            (None, Focus::Elsewhere) => Role::Dim,
        };
        write(area.rows().next(), self.label, role, theme, buffer);
        let mut input = Rect { y: area.y + 1, height: area.height - 1, ..area };
        if let Some(error) = self.error.filter(|_| input.height > 1) {
            input.height -= 1;
            let message = format!("{} {error}", theme.glyphs.bad);
            write(area.rows().next_back(), &message, Role::Bad, theme, buffer);
        }
        let mut typed = self.input.clone();
        typed.set_cursor_line_style(theme.style(Role::Text));
        typed.set_cursor_style(theme.style(match self.focus {
            Focus::Here => Role::Selected,
            Focus::Elsewhere => Role::Text,
        }));
        typed.render(input, buffer);
    }
}

fn write(row: Option<Rect>, message: &str, role: Role, theme: &Theme, buffer: &mut Buffer) {
    if let Some(row) = row {
        Span::styled(text::truncate(message, row.width.into()), theme.style(role)).render(row, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::testing::picture;

    #[test]
    fn a_field_shows_its_name_its_text_its_cursor_and_its_error() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 5));
        let title = TextArea::from(["Add zod"]);
        let fine = Field { label: "Title", input: &title, error: None, focus: Focus::Here };
        fine.draw(Rect::new(0, 0, 30, fine.height(1)), &Theme::color(), &mut buffer);
        let priority = TextArea::from(["P9"]);
        let error = Some("`P9` is no priority; give P0 to P3");
        let bad = Field { label: "Priority", input: &priority, error, focus: Focus::Elsewhere };
        bad.draw(Rect::new(0, 2, 30, bad.height(1)), &Theme::color(), &mut buffer);
        insta::assert_snapshot!(picture(&buffer));
    }

    #[test]
    fn a_field_can_be_drawn_at_any_size() {
        let input = TextArea::from(["日本語\u{1b}[31m"]);
        for (width, height) in (0..8).flat_map(|width| (0..5).map(move |height| (width, height))) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            let field = Field { label: "Name", input: &input, error: Some("no"), focus: Focus::Here };
            field.draw(Rect::new(0, 0, 9, 9), &Theme::color(), &mut buffer);
        }
    }
}
