//! Makes a frame pure ASCII, for terminals whose locale shows nothing else: the theme's signs are ASCII there already, and
//! what titles, files and agents bring is replaced here, cell by cell.

use ratatui::buffer::Buffer;

/// Puts something that ASCII has in the place of everything that it has not.
pub(super) fn restrict(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let instead = stand_in(cell.symbol());
            cell.set_symbol(instead);
        }
    }
}

/// Returns what looks most like a sign and takes one column; a question mark where nothing does.
fn stand_in(symbol: &str) -> &'static str {
    match symbol {
        "\u{a0}" => " ",
        "−" | "–" | "—" | "‐" | "‑" | "─" | "━" => "-",
        "│" | "┃" => "|",
        "·" | "•" | "●" => "*",
        "…" => "~",
        "‘" | "’" => "'",
        "“" | "”" | "„" | "«" | "»" => "\"",
        "→" | "▶" | "›" => ">",
        "←" | "◀" | "‹" => "<",
        "×" => "x",
        // The pictures of control characters.
        picture if picture.chars().all(|c| matches!(c, '\u{2400}'..='\u{2421}')) => "^",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn what_ascii_has_not_is_replaced_in_its_own_columns() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 24, 1));
        buffer.set_string(0, 0, "+30 −4 · ␛[2J é 日本 … ok", Style::new());
        restrict(&mut buffer);
        let line: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(line, "+30 -4 * ^[2J ? ? ?  ~ o");
    }
}
