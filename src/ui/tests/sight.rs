//! The first picture of a large board, of which only a part is read yet, is that of the whole board.

use proptest::prelude::*;

use crate::domain::change::Change;
use crate::domain::id::TicketId;
use crate::domain::sight::Sight;
use crate::ui::testing::{World, board, setup, ticket_id};
use crate::ui::{Model, Setup};

const WORDS: [&str; 9] =
    ["proposed", "planned", "waiting", "queued", "executing", "needs_human", "blocked", "done", "abandoned"];

/// Returns the pictures of the whole board and of its part, and whether the part says that it suffices.
fn pictures(words: &[&str], changes: &[(u8, u8)], size: (u16, u16), first: usize) -> (String, String, bool) {
    let mut whole = board(&words.join(" "));
    let ids: Vec<TicketId> = (1..=u32::try_from(words.len()).unwrap()).map(ticket_id).collect();
    for (id, (priority, place)) in ids.iter().zip(changes) {
        let mut ticket = whole.ticket(*id).unwrap().clone();
        ticket.priority = (*priority < 100).then(|| (priority % 4 * 25).try_into().unwrap());
        ticket.hand_order = (*place < 100).then(|| i64::from(place % 5));
        whole.apply(&Change::Ticket(ticket));
    }
    // What jobs do right now is not stored, so no board that was read knows it.
    let whole = Sight::of(&whole, usize::MAX).board;
    let Sight { board, rest } = Sight::of(&whole, first);
    let of = |setup: Setup| Model::new(Setup { size, ..setup }).0;
    let whole = World { model: of(setup(whole)), effects: Vec::new() };
    let part = World { model: of(Setup { rest, ..setup(board) }), effects: Vec::new() };
    (whole.screen(), part.screen(), part.model.is_sure())
}

#[test]
fn a_part_suffices_for_a_large_board_and_says_so() {
    let words: Vec<&str> = WORDS.iter().copied().cycle().take(180).filter(|word| *word != "queued").collect();
    let (whole, part, is_sure) = pictures(&words, &[], (120, 40), 14);
    assert!(is_sure && whole.contains("Review 20") && part == whole, "{whole}\n{part}");
    let (_, _, is_sure) = pictures(&words, &[], (120, 40), 3);
    assert!(!is_sure, "there is room for more cards");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_part_that_is_sure_looks_like_the_whole(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 1..40),
        changes in prop::collection::vec((0..120_u8, 0..150_u8), 40),
        size in prop::sample::select(vec![(200_u16, 50_u16), (120, 40), (80, 24), (40, 10), (30, 8)]),
        first in 1..17_usize,
    ) {
        let (whole, part, is_sure) = pictures(&words, &changes, size, first);
        if is_sure {
            prop_assert_eq!(part, whole);
        }
    }
}
