//! Phrases that several screens need and that know the domain; plain numbers are written by `widget::format`.

use std::borrow::Cow;

use crate::domain::board::Board;
use crate::domain::id::{TicketId, TicketNumber, TicketRef};
use crate::domain::revision::ChangeSize;

use super::theme::{Glyphs, Theme};
use super::widget::text;

/// Returns the text made visible and cut to `limit` columns, with the theme's sign where something is missing.
pub(super) fn cut<'a>(theme: &Theme, said: &'a str, limit: usize) -> Cow<'a, str> {
    text::truncate_with(said, limit, theme.glyphs.ellipsis)
}

/// Returns the text as at most so many lines, the last one cut.
pub(super) fn wrap_to(theme: &Theme, said: &str, limit: usize, most: usize) -> Vec<String> {
    let mut lines = text::wrap(said, limit);
    if lines.len() > most {
        let rest = lines.split_off(most.saturating_sub(1)).join(" ");
        lines.push(cut(theme, &rest, limit).into_owned());
    }
    lines
}

/// Returns the size of a change: `+12 −4`.
pub(super) fn size(size: ChangeSize, glyphs: &Glyphs) -> String {
    format!("+{} {}{}", size.insertions, glyphs.minus, size.deletions)
}

/// Returns numbers as people list them: `#1, #2, #3`; after three it says how many more.
pub(super) fn numbers(numbers: &[TicketNumber]) -> String {
    let named: Vec<String> = numbers.iter().take(3).map(ToString::to_string).collect();
    match numbers.len().saturating_sub(3) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Returns the noun with its number: `1 agent`, `3 agents`, `2 runs of checks`.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => match noun.split_once(' ') {
            Some((noun, of)) => format!("{number} {noun}s {of}"),
            None => format!("{number} {noun}s"),
        },
    }
}

/// Returns a fragment as a sentence: with a capital at its start and a full stop at its end.
pub(super) fn sentence(said: &str) -> String {
    let mut letters = said.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    let stop = if said.trim_end().ends_with(['.', '!', '?', ':', '…']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
}

/// Returns the number of a ticket for a sentence, also of one that was removed.
pub(super) fn number(board: &Board, id: TicketId) -> String {
    let found = board.ticket(id).or_else(|| board.find_removed(TicketRef::Id(id)));
    found.map_or_else(|| "a ticket".to_owned(), |ticket| ticket.number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_becomes_a_sentence_and_a_sentence_stays_one() {
        for (said, sentence_of_it) in [
            ("landed on main", "Landed on main."),
            ("no checks are configured; it is not proven. ", "No checks are configured; it is not proven."),
            ("`x` was stopped", "`x` was stopped."),
            ("", ""),
        ] {
            assert_eq!(sentence(said), sentence_of_it);
        }
    }
}
