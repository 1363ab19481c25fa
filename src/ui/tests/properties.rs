//! Laws that hold for every board, every key and every size.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::diff;
use crate::domain::change::Change;
use crate::domain::command::{RefusalCode, Refused};
use crate::domain::detail::Detail;
use crate::domain::glance::Glance;
use crate::domain::goal::Goal;
use crate::domain::id::GoalId;
use crate::domain::log::{Entry, EntryKind, LogPage, LogRows, LogView};
use crate::domain::state::StateName;
use crate::domain::ticket::Title;
use crate::ui::index::Index;
use crate::ui::msg::{Effect, Msg};
use crate::ui::screen::card::CARDS;
use crate::ui::testing::{NOW, World, about, board, changes, settings, ticket_id, worked};
use crate::ui::widget::testing::assert_harmless;

const WORDS: [&str; 11] = [
    "proposed",
    "planned",
    "executing",
    "verifying",
    "needs_human",
    "blocked",
    "done",
    "abandoned",
    "queued",
    "question",
    "waiting",
];

fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[ -~]{0,12}",
        "[\\x00-\\x1f\\x7f-\\x9f]{1,3}",
        "[\u{200b}-\u{200f}\u{2028}-\u{202e}\u{300}-\u{310}\u{fe0f}]{1,20}",
        Just("👩‍👩‍👧‍👦 日本語 کتاب‌ها நி".to_owned()),
        Just("\u{1b}[31mred\u{1b}]0;t\u{7}".to_owned()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 1..30).prop_map(|words| words.join(" ").replacen("waiting", "planned", 1))
}

fn key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        8 => prop::sample::select("hjklgGHLOzp|+-.xacdnqys?012346 7{}[]/:eEoXDuJKv".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        4 => prop::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Up, KeyCode::Down, KeyCode::Left,
            KeyCode::Right, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End, KeyCode::Backspace,
            KeyCode::Delete, KeyCode::F(1), KeyCode::Null,
        ]),
    ];
    (code, prop::sample::select(vec![KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT]))
        .prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

fn msg() -> impl Strategy<Value = Msg> {
    prop_oneof![
        8 => key().prop_map(Msg::Key),
        2 => (1_u32..40, word()).prop_map(|(n, word)| {
            // A ticket waits for the one before it, and there is none before the first.
            Msg::Changed(changes(n, if n == 1 && word == "waiting" { "planned" } else { word }))
        }),
        1 => (1_u16..=250, 1_u16..=60).prop_map(|(width, height)| Msg::Resize(width, height)),
        1 => (1_u32..40, word()).prop_map(|(n, word)| {
            let mut changes = changes(n, if n == 1 && word == "waiting" { "planned" } else { word });
            if let Some(Change::Ticket(ticket)) = changes.first_mut() {
                ticket.removed_at = Some(NOW);
            }
            Msg::Changed(changes)
        }),
        1 => prop::collection::vec(any::<bool>(), 0..3).prop_map(|answers| {
            let refused = || Refused::new(RefusalCode::Busy, "it has a job already", "");
            Msg::Done(answers.into_iter().map(|is_done| if is_done { Ok(()) } else { Err(refused()) }).collect())
        }),
        1 => prop::result::maybe_ok(nasty(), nasty()).prop_map(Msg::Written),
        1 => nasty().prop_map(Msg::Paste),
        1 => nasty().prop_map(Msg::Failed),
        1 => (1_u32..40).prop_map(|n| Msg::Detail(Box::new(worked(n, "claude")))),
        1 => (1_u32..40, nasty()).prop_map(|(n, text)| Msg::Diff(Box::new(diff::page(n, 1, &text)))),
        1 => (1_u32..40, nasty())
            .prop_map(|(n, text)| Msg::Checklist { ticket: ticket_id(n), found: Box::new(Err(text)) }),
        1 => (1_u32..40, prop::option::of(nasty()))
            .prop_map(|(n, trouble)| Msg::Returned { ticket: ticket_id(n), trouble }),
        1 => Just(Msg::Second(NOW)),
        1 => any::<bool>().prop_map(|trusted| Msg::Settings(Box::new(crate::ui::Settings { trusted, ..settings() }))),
        1 => words().prop_map(|words| Msg::Reloaded(Box::new(board(&words)))),
    ]
}

/// Fails unless a ticket that is shown has the cursor, and the cursor is in sight.
fn assert_cursor_in_sight(world: &World) -> Result<(), TestCaseError> {
    let model = &world.model;
    let any = StateName::ALL.iter().any(|state| {
        (model.desk.abandoned || *state != StateName::Abandoned) && !model.index.column(*state).is_empty()
    });
    prop_assert_eq!(model.desk.cursor.is_some(), any);
    let Some(row) = model.current_row() else { return Ok(()) };
    let layout = model.layout();
    let state = model.current_column().unwrap();
    if layout.columns.is_empty() {
        return Ok(());
    }
    let area = layout.open(state);
    prop_assert!(area.is_some(), "the column of the cursor is open");
    prop_assert!(model.desk.top(state) <= row);
    Ok(())
}

/// Says whether the cursor's sign is drawn on the board.
fn shows_cursor(world: &World) -> bool {
    let sign = world.model.theme.glyphs.cursor;
    world.buffer().content.iter().any(|cell| cell.symbol() == sign)
}

#[test]
fn a_key_on_a_board_of_ten_thousand_tickets_measures_and_draws_only_cards_in_sight() {
    let mut world = World::board(&"planned ".repeat(10_000)).size(200, 50);
    for key in ["j", "G", "k", "gg", "<c-d>"] {
        CARDS.set(0);
        world = world.keys(key);
        world.buffer();
        assert!(CARDS.get() < 100, "{key}: {} cards", CARDS.get());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_message_breaks_the_screen_and_every_effect_is_about_a_known_ticket(
        words in words(),
        msgs in prop::collection::vec(msg(), 0..40),
    ) {
        let mut world = World::board(&words);
        for msg in msgs {
            world = world.forget().tell(msg);
            assert_cursor_in_sight(&world)?;
            for effect in &world.effects {
                match effect {
                    // What was removed is looked up for what undoes that.
                    Effect::LoadDetail(id) => {
                        let board = world.model.board();
                        prop_assert!(board.ticket(*id).is_some() || board.removed().any(|ticket| ticket.id == *id));
                    }
                    Effect::HandOver(visit) => prop_assert!(world.model.board().active_job(visit.ticket).is_none()),
                    Effect::Watch(Some(request)) => {
                        prop_assert_eq!(Some(request.ticket), world.model.selected());
                        prop_assert!(request.rows > 0);
                    }
                    Effect::LoadDiff(request) => {
                        let newest = world.model.board().revision(request.ticket).map(|newest| newest.number);
                        prop_assert!(newest.is_some_and(|newest| (1..=newest).contains(&request.revision)));
                    }
                    Effect::LoadChecklist(ticket) => prop_assert!(world.model.board().revision(*ticket).is_some()),
                    Effect::Comment { ticket, .. } => prop_assert!(world.model.board().revision(*ticket).is_some()),
                    Effect::WatchAll(all) => {
                        prop_assert!(all.len() <= 12);
                        prop_assert!(all.iter().all(|one| world.model.board().active_job(one.ticket).is_some()));
                    }
                    Effect::SaveLog { .. } | Effect::PageLog(_) | Effect::Watch(None) | Effect::Do(_) | Effect::DoAll(_) | Effect::EditText { .. } | Effect::Copy(_)
                    | Effect::File(_) | Effect::AddGoal(_) | Effect::LoadBoards | Effect::Switch(_) | Effect::Trust { .. } | Effect::Allow(_)
                    | Effect::LookAround | Effect::Suspend | Effect::Redraw | Effect::Notify(_) | Effect::WakeEachSecond(_)
                    | Effect::Quit { .. } => {}
                }
            }
            let index = &world.model.index;
            let anew = Index::filtered(world.model.board(), index.filter().clone(), index.conflicting().clone());
            prop_assert_eq!(index, &anew, "answers kept equal answers made anew");
        }
        assert_harmless(&world.buffer());
    }

    #[test]
    fn the_cursor_is_drawn_at_every_usable_size(
        words in words(),
        keys in prop::collection::vec(prop::sample::select(vec!["h", "j", "k", "l", "G", "gg", "<c-d>", "<c-u>", "<tab>", "."]), 0..12),
        width in 20_u16..=250,
        height in 8_u16..=60,
    ) {
        let mut world = World::board(&words).size(width, height);
        for key in keys {
            world = world.keys(key);
            prop_assert!(world.model.desk.cursor.is_none() || shows_cursor(&world), "{}", world.screen());
        }
    }

    #[test]
    fn no_text_and_no_size_breaks_a_screen(
        width in 1_u16..=250,
        height in 1_u16..=60,
        text in nasty(),
        keys in prop::sample::select(vec!["", "O", "z", "|", "<enter>", "<enter>2", "<enter>4", "<enter>6", "n", "q", "c", "?", "x", "go", "goe", "goD", "gb", "gq", "gd"]),
        raw in any::<bool>(),
    ) {
        let mut named = changes(1, "executing");
        if let Some(Change::Ticket(ticket)) = named.first_mut() {
            ticket.title = Title::new(&text).unwrap_or_else(|_| ticket.title.clone());
            ticket.reason.clone_from(&text);
            ticket.agent = Some(text.clone());
            let goal = GoalId(uuid::Uuid::from_u128(9));
            ticket.goal = Some(goal);
            let title = Title::new(&text).unwrap_or_else(|_| Title::new("a goal").unwrap());
            named.push(Change::Goal(Goal::new(goal, about().id, title, text.clone(), NOW)));
        }
        let world = World::board("").size(width, height).tell(Msg::Changed(named)).keys("<esc>");
        let mut world = if keys.is_empty() { world } else { world.keys(keys) };
        if raw {
            world = world.keys("p");
        }
        let mut glance = Glance::of(world.model.board(), false, Some(1));
        glance.about.name.clone_from(&text);
        glance.about.repo_root = text.clone().into();
        world = world.tell(Msg::Boards(vec![glance]));
        world = world.tell(Msg::Detail(Box::new(Detail {
            ticket: ticket_id(1),
            description: text.clone(),
            jobs: Vec::new(),
            runs: Vec::new(),
            revisions: Vec::new(),
            comments: Vec::new(),
            reviews: Vec::new(),
            remarks: Vec::new(),
            evidence: Vec::new(),
            events: Vec::new(),
        })));
        if let Some(request) = world.model.asked_log().cloned() {
            let rows = match request.view {
                LogView::Pretty => LogRows::Pretty(vec![(Some(NOW), Entry::new(EntryKind::Assistant, text.clone()))]),
                LogView::Raw => LogRows::Raw(vec![text.clone()]),
            };
            world = world.tell(Msg::LogPage(Box::new(LogPage::of(request, rows))));
        }
        world = world.tell(Msg::Failed(text));
        assert_harmless(&world.buffer());
    }
}
