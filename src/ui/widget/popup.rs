//! A box in the middle of the screen, over what is there.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget as _};

use super::text;
use crate::ui::theme::{Role, Theme};

/// A box with a title above and keys below.
#[derive(Clone, Debug)]
pub struct Popup<'a> {
    /// What it is; one line.
    pub title: &'a str,
    /// What can be pressed; one line, may be empty.
    pub footer: &'a str,
    /// The size of its content, without frame and margin; it is cut to the screen.
    pub content: Size,
}

impl Popup<'_> {
    /// Returns where it goes on a screen: its frame and margin added, centred, a third from the top.
    pub fn place(&self, screen: Rect) -> Rect {
        let frame =
            u16::try_from(text::width(self.title).max(text::width(self.footer)).saturating_add(4)).unwrap_or(u16::MAX);
        let width = self.content.width.saturating_add(4).max(frame).min(screen.width);
        let height = self.content.height.saturating_add(2).min(screen.height);
        Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 3, width, height }
    }

    /// Clears its place, draws the frame and returns the area for the content, which may be empty.
    pub fn draw(&self, screen: Rect, theme: &Theme, buffer: &mut Buffer) -> Rect {
        let place = self.place(screen.intersection(buffer.area));
        Clear.render(place, buffer);
        frame(self.title, Role::Focus, theme)
            .title_bottom(caption(self.footer, Role::Dim, theme))
            .render(place, buffer);
        within(place)
    }

    /// Returns the area for the content on a screen.
    pub fn inside(&self, screen: Rect) -> Rect {
        within(self.place(screen))
    }
}

fn within(place: Rect) -> Rect {
    place.inner(Margin { horizontal: if place.width > 8 { 2 } else { 1 }, vertical: 1 })
}

/// Returns a frame with a title, in the style of that role.
pub fn frame(title: &str, role: Role, theme: &Theme) -> Block<'static> {
    Block::bordered().border_set(theme.glyphs.border).border_style(theme.style(role)).title_top(caption(
        title,
        if role == Role::Focus { Role::Title } else { Role::Text },
        theme,
    ))
}

fn caption(text: &str, role: Role, theme: &Theme) -> Line<'static> {
    if text.is_empty() {
        return Line::default();
    }
    Line::styled(format!(" {} ", text::visible(text)), theme.style(role))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::text::Text;

    use super::*;
    use crate::ui::theme::Glyphs;
    use crate::ui::widget::testing::{assert_harmless, picture};

    fn drawn(screen: Rect, theme: &Theme) -> Buffer {
        let mut buffer = Buffer::empty(screen);
        Text::from_iter(std::iter::repeat_n("#".repeat(screen.width.into()), screen.height.into()))
            .render(screen, &mut buffer);
        let popup = Popup { title: "Delete #12?", footer: "y delete  n keep", content: Size::new(20, 2) };
        let inner = popup.draw(screen, theme, &mut buffer);
        Text::raw("Its worktree goes\nto the trash.").render(inner, &mut buffer);
        buffer
    }

    #[test]
    fn a_popup_stands_over_what_is_there() {
        insta::assert_snapshot!(picture(&drawn(Rect::new(0, 0, 36, 9), &Theme::color())));
    }

    #[test]
    fn a_popup_is_drawn_in_ascii_without_colour() {
        let theme = Theme::plain().with_glyphs(Glyphs::ascii());
        insta::assert_snapshot!(picture(&drawn(Rect::new(0, 0, 36, 6), &theme)));
    }

    proptest! {
        #[test]
        fn any_size_and_any_title_can_be_drawn(width in 0_u16..40, height in 0_u16..12, title: String, size in 0_u16..60) {
            let screen = Rect::new(0, 0, width, height);
            let mut buffer = Buffer::empty(screen);
            let popup = Popup { title: &title, footer: &title, content: Size::new(size, size) };
            let inner = popup.draw(screen, &Theme::color(), &mut buffer);
            prop_assert!(screen.intersection(inner) == inner || inner.is_empty());
            assert_harmless(&buffer);
        }
    }
}
