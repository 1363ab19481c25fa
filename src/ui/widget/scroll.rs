//! Where a view into something longer stands, and the bar that shows it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::{Role, Theme};

/// Returns the largest first row: the one at which the last row is at the bottom.
pub fn last_offset(total: usize, height: usize) -> usize {
    total.saturating_sub(height)
}

/// Returns the first row moved by `by` rows, without leaving the content.
pub fn scrolled(offset: usize, by: isize, total: usize, height: usize) -> usize {
    offset.saturating_add_signed(by).min(last_offset(total, height))
}

/// Returns the first row at which the selected one is seen, moved as little as possible.
///
/// `margin` rows around the selected one are kept in view where there is room.
pub fn follow(offset: usize, selected: usize, total: usize, height: usize, margin: usize) -> usize {
    if height == 0 || total == 0 {
        return 0;
    }
    let selected = selected.min(total - 1);
    let margin = margin.min((height - 1) / 2);
    let lowest = selected.saturating_add(margin).saturating_add(1).saturating_sub(height);
    let highest = selected.saturating_sub(margin);
    offset.clamp(lowest, highest).min(last_offset(total, height))
}

/// Returns the first row at which the selected one is in the middle, as far as the content reaches.
pub fn centered(selected: usize, total: usize, height: usize) -> usize {
    selected.saturating_sub(height / 2).min(last_offset(total, height))
}

/// Returns where the handle begins and how long it is on a bar of `height` rows; nothing when all is seen.
pub fn thumb(offset: usize, total: usize, height: usize) -> Option<(usize, usize)> {
    if height == 0 || total <= height {
        return None;
    }
    // A log may have billions of rows, so the products need more room.
    let (wide_total, wide_height) = (total as u128, height as u128);
    let length = usize::try_from(wide_height * wide_height / wide_total).unwrap_or(height).max(1);
    let last = last_offset(total, height);
    let offset = offset.min(last);
    let path = height - length;
    let start = usize::try_from((offset as u128 * path as u128).div_ceil(last as u128)).unwrap_or(path);
    // Only at the very end does it touch the bottom, so that one sees whether there is more.
    let start = if offset < last && path > 1 { start.min(path - 1) } else { start };
    Some((start, length))
}

/// Draws the bar into the last column of the area when not everything is seen.
pub fn bar(area: Rect, offset: usize, total: usize, theme: &Theme, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let Some((start, length)) = thumb(offset, total, usize::from(area.height)) else { return };
    if area.width == 0 {
        return;
    }
    for (row, y) in area.rows().zip(0_usize..) {
        let (sign, role) = if (start..start + length).contains(&y) {
            (theme.glyphs.thumb, Role::Dim)
        } else {
            (theme.glyphs.track, Role::Border)
        };
        buffer.set_string(row.right() - 1, row.y, sign, theme.style(role));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::widget::testing::picture;

    #[test]
    fn following_moves_no_further_than_needed() {
        for (offset, selected, expected) in [(0, 3, 0), (0, 9, 0), (0, 10, 1), (20, 25, 20), (20, 5, 5), (20, 99, 90)] {
            assert_eq!(follow(offset, selected, 100, 10, 0), expected, "{offset} {selected}");
        }
        assert_eq!(follow(0, 8, 100, 10, 2), 1);
        assert_eq!(follow(20, 21, 100, 10, 2), 19);
    }

    #[test]
    fn the_bar_is_drawn_only_when_there_is_more() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 4));
        bar(buffer.area, 0, 4, &Theme::color(), &mut buffer);
        assert_eq!(buffer, Buffer::empty(buffer.area));
        bar(buffer.area, 4, 8, &Theme::color(), &mut buffer);
        insta::assert_snapshot!(picture(&buffer));
    }

    proptest! {
        #[test]
        fn the_selected_row_is_seen_and_the_content_never_leaves(
            offset in 0_usize..300, selected in 0_usize..300, total in 0_usize..200, height in 0_usize..60, margin in 0_usize..9,
        ) {
            let first = follow(offset, selected, total, height, margin);
            prop_assert!(first <= last_offset(total, height));
            if total > 0 && height > 0 {
                let selected = selected.min(total - 1);
                prop_assert!((first..first + height).contains(&selected));
            }
        }

        #[test]
        fn scrolling_never_leaves_the_content(offset: usize, by: isize, total: usize, height: usize) {
            prop_assert!(scrolled(offset, by, total, height) <= last_offset(total, height));
            prop_assert!(centered(offset, total, height) <= last_offset(total, height));
        }

        #[test]
        fn the_handle_stays_on_its_path_and_touches_the_end_only_there(offset: usize, total: usize, height in 0_usize..300) {
            if let Some((start, length)) = thumb(offset, total, height) {
                prop_assert!(length >= 1 && start + length <= height);
                let at_end = offset >= last_offset(total, height);
                prop_assert!(!at_end || start + length == height);
                prop_assert!(at_end || start + length < height || height - length <= 1);
            }
        }
    }
}
