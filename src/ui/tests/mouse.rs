//! What the mouse does on every part of the screen, and how a person who looks elsewhere is called.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

use crate::config::UiConfig;
use crate::domain::command::Command;
use crate::domain::id::TicketRef;
use crate::domain::state::StateName;
use crate::domain::time::Timestamp;
use crate::ui::msg::{Effect, Msg, Settings};
use crate::ui::testing::{NOW, World, changes, settings, ticket_id};

use super::pictures::{FULL, world};

const LEFT: MouseButton = MouseButton::Left;

fn event(kind: MouseEventKind, (column, row): (u16, u16)) -> MouseEvent {
    MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
}

impl World {
    fn mouse(self, kind: MouseEventKind, at: (u16, u16)) -> Self {
        self.tell(Msg::Mouse(event(kind, at), NOW))
    }

    fn click(self, at: (u16, u16)) -> Self {
        self.mouse(MouseEventKind::Down(LEFT), at).mouse(MouseEventKind::Up(LEFT), at)
    }

    fn drag(self, from: (u16, u16), to: (u16, u16)) -> Self {
        self.mouse(MouseEventKind::Down(LEFT), from).mouse(MouseEventKind::Drag(LEFT), to)
    }

    fn drop_at(self, at: (u16, u16)) -> Self {
        self.mouse(MouseEventKind::Up(LEFT), at)
    }

    /// Returns where that text is drawn: the cell of its first character.
    fn find(&self, text: &str) -> (u16, u16) {
        let buffer = self.buffer();
        for (y, row) in (0..).zip(buffer.content.chunks(usize::from(buffer.area.width))) {
            let line: Vec<&str> = row.iter().map(|cell| cell.symbol()).collect();
            for x in 0..line.len() {
                if line[x..].concat().starts_with(text) {
                    return (u16::try_from(x).unwrap(), y);
                }
            }
        }
        panic!("there is no `{text}` in\n{}", self.screen());
    }
}

#[test]
fn a_click_selects_and_a_second_one_at_once_opens() {
    let world = World::board("proposed proposed blocked").size(120, 40);
    let place = world.find("#3");
    let world = world.click(place);
    assert_eq!(world.cursor(), Some(3));
    let late = Msg::Mouse(event(MouseEventKind::Down(LEFT), place), Timestamp(NOW.0 + 600));
    let world = world.forget().tell(late).drop_at(place);
    assert!(world.model.ticket.is_none(), "two clicks far apart are two clicks");
    let soon = Msg::Mouse(event(MouseEventKind::Down(LEFT), place), Timestamp(NOW.0 + 800));
    let held = world.tell(soon);
    assert!(held.model.ticket.is_none(), "it may still become a drag");
    assert!(held.drop_at(place).effects.contains(&Effect::LoadDetail(ticket_id(3))));
}

#[test]
fn a_card_that_is_dragged_soon_after_a_click_is_not_opened() {
    let world = || World::board("proposed planned").size(120, 40);
    let (card, planned) = (world().find("#1"), world().find("#2"));
    let dragged = world().click(card).drag(card, planned);
    assert!(dragged.screen().contains("#1 → Planned"), "{}", dragged.screen());
    assert_eq!(dragged.drop_at(planned).acts().len(), 1);
    let back = world().click(card).drag(card, planned).mouse(MouseEventKind::Drag(LEFT), card).drop_at(card);
    assert!(back.model.ticket.is_none() && back.acts().is_empty(), "who drags has not clicked twice");
    let shaky = world().click(card).drag(card, (card.0 + 1, card.1)).drop_at((card.0 + 1, card.1));
    assert!(shaky.model.ticket.is_some(), "a hand that trembles on the card has clicked twice");
}

#[test]
fn keys_of_the_bottom_line_and_tabs_can_be_clicked() {
    let world = World::board("proposed").size(120, 40);
    let place = world.find("n new");
    assert!(world.click(place).screen().contains("New ticket"));
    let world = World::board("needs_human").size(120, 40).keys("<enter>");
    let place = world.find("History");
    let world = world.click(place);
    assert!(world.screen().contains("Loading"), "{}", world.screen());
    let place = world.find("esc back");
    assert!(world.click(place).model.ticket.is_none());
    let narrow = World::board("proposed blocked").size(60, 24);
    let place = narrow.find("Blocked 1");
    assert_eq!(narrow.click(place).cursor(), Some(2));
}

#[test]
fn a_card_is_dragged_where_it_may_go_and_the_reason_is_said_where_it_may_not() {
    let moved = Command::Move { ticket: TicketRef::Id(ticket_id(1)), to: StateName::Planned, reason: None };
    let world = || World::board("proposed planned done").size(120, 40);
    let (card, planned, done) = (world().find("#1"), world().find("#2"), world().find("#3"));
    let over = world().drag(card, planned);
    assert!(over.screen().contains("#1 → Planned"), "{}", over.screen());
    let dropped = over.drop_at(planned);
    assert!(
        matches!(dropped.acts()[..], [Effect::DoAll(commands)] if *commands == [moved.clone()]),
        "{:?}",
        dropped.acts()
    );
    let over = world().drag(card, done);
    assert!(over.screen().contains("#1 is proposed and cannot go to done"), "{}", over.screen());
    let refused = over.drop_at(done);
    assert!(refused.acts().is_empty());
    assert!(refused.screen().contains("#1 is proposed and cannot go to done"), "{}", refused.screen());
    let back = world().drag(card, done).mouse(MouseEventKind::Drag(LEFT), card).drop_at(card);
    assert!(back.acts().is_empty() && !back.screen().contains("cannot"), "dropped where it was");
}

#[test]
fn a_drag_to_executing_asks_for_trust_like_the_key_does() {
    let world = World::board("planned executing").size(120, 40);
    let world = world.tell(Msg::Settings(Box::new(Settings { trusted: false, ..settings() })));
    let (card, running) = (world.find("#1"), world.find("#2"));
    let asked = world.drag(card, running).drop_at(running);
    assert!(asked.screen().contains("Trust this repository's commands?"), "{}", asked.screen());
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let world = World::board(&"planned ".repeat(40)).size(120, 40).keys("O");
    let column = world.find("#1");
    let before = world.model.desk.top(StateName::Planned);
    let world = world.mouse(MouseEventKind::ScrollDown, column).mouse(MouseEventKind::ScrollDown, column);
    assert_eq!(world.model.desk.top(StateName::Planned), before + 2);
    let world = world.mouse(MouseEventKind::ScrollUp, column).mouse(MouseEventKind::ScrollUp, column);
    assert_eq!(world.model.desk.top(StateName::Planned), before);
    let log = World::board("executing").size(120, 40).answer_log();
    let place = log.find("I'll add");
    let log = log.mouse(MouseEventKind::ScrollUp, place);
    assert!(matches!(log.effects.last(), Some(Effect::Watch(Some(_)))), "{:?}", log.effects);
    let help = world.keys("?");
    let before = help.screen();
    assert_ne!(help.mouse(MouseEventKind::ScrollDown, (60, 20)).screen(), before);
}

#[test]
fn the_frame_of_the_log_can_be_dragged() {
    let world = World::board("executing").size(120, 40).answer_log();
    let log = world.model.layout().log.unwrap();
    let world = world.drag((50, log.y), (50, 10)).drop_at((50, 10));
    assert_eq!(world.model.layout().log.unwrap().y, 10, "{}", world.screen());
    let world = world.keys("|");
    let log = world.model.layout().log.unwrap();
    let world = world.drag((log.x, 9), (50, 9)).drop_at((50, 9));
    assert!(world.model.layout().log.unwrap().x.abs_diff(50) <= 1, "{:?}", world.model.layout());
}

#[test]
fn what_lies_over_the_board_has_the_mouse_too() {
    let world = World::board("executing planned").size(120, 40);
    let card = world.find("#2");
    let asked = world.keys("lc").click(card);
    assert_eq!(asked.cursor(), Some(1), "a click beside a question does nothing");
    let palette = World::board("proposed").size(120, 40).keys(":");
    let place = palette.find("new ticket");
    assert!(palette.click(place).screen().contains("New ticket"));
}

#[test]
fn a_card_that_is_dragged_is_seen() {
    let world = world(crate::ui::theme::Theme::color(), FULL).size(120, 40);
    let (card, to) = (world.find("#6"), world.find("#9"));
    insta::assert_snapshot!("dragged", world.drag(card, to).screen());
}

#[test]
fn a_person_who_looks_elsewhere_is_called_once_for_what_starts_to_need_them() {
    let calls = |world: &World| {
        world.effects.iter().filter(|effect| matches!(effect, Effect::Notify(_))).cloned().collect::<Vec<_>>()
    };
    let away = || World::board("executing executing planned").tell(Msg::Focus(false));
    let called = away().tell(Msg::Changed(changes(1, "needs_human")));
    let text = "#1 needs you (review): Add JWT authentication to the router";
    assert_eq!(calls(&called), [Effect::Notify(text.into())]);
    let again = called.forget().tell(Msg::Changed(changes(1, "needs_human")));
    assert_eq!(calls(&again), [], "it needed them before");
    let both = [changes(1, "blocked"), changes(2, "question")].concat();
    assert_eq!(calls(&away().tell(Msg::Changed(both))), [Effect::Notify("2 tickets need you: #1, #2".into())]);
    let looks = away().tell(Msg::Focus(true)).tell(Msg::Changed(changes(1, "needs_human")));
    assert_eq!(calls(&looks), [], "whoever looks sees it");
}

#[test]
fn the_window_is_named_by_what_matters() {
    let title = |words: &str| World::board(words).model.window_title();
    assert_eq!(title("planned"), "draft: payments");
    assert_eq!(title("executing blocked needs_human executing"), "draft: 2 need you, 2 run");
    assert_eq!(title("blocked"), "draft: 1 needs you");
    assert_eq!(title("executing"), "draft: 1 runs");
}

#[test]
fn the_mouse_is_the_boards_unless_the_setting_says_otherwise() {
    let world = World::board("planned");
    assert!(world.model.wants_mouse());
    let ui = UiConfig { mouse: false, ..UiConfig::default() };
    assert!(!world.tell(Msg::Settings(Box::new(Settings { ui, ..settings() }))).model.wants_mouse());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_the_mouse_does_breaks_the_screen(
        size in (1_u16..=200, 1_u16..=60),
        keys in prop::sample::select(vec!["", "O", "z", "|", "<enter>", "<enter>2", "n", "c", "?", ":", "/", "A", "."]),
        deeds in prop::collection::vec((0_usize..5, 0_u16..=200, 0_u16..=60), 0..20),
    ) {
        let kinds = [
            MouseEventKind::Down(LEFT),
            MouseEventKind::Drag(LEFT),
            MouseEventKind::Up(LEFT),
            MouseEventKind::ScrollDown,
            MouseEventKind::ScrollUp,
        ];
        let world = World::board(FULL).size(size.0, size.1);
        let mut world = if keys.is_empty() { world } else { world.keys(keys) };
        for (kind, x, y) in deeds {
            world = world.mouse(kinds[kind], (x, y));
            world.buffer();
        }
    }
}
