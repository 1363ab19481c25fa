//! Finding one's way: the filter and the palette.

use crate::domain::command::Command;
use crate::domain::id::TicketRef;
use crate::domain::state::StateName;
use crate::ui::msg::{Effect, Msg};
use crate::ui::testing::{World, changes, ticket_id};

use super::pictures::{FULL, assert_screens, world};

fn shown(world: &World) -> usize {
    StateName::ALL.iter().map(|state| world.model.index.column(*state).len()).sum()
}

#[test]
fn the_filter_narrows_the_board_and_the_palette_stands_over_it() {
    assert_screens("filter", |theme| world(theme, FULL).keys("/").types("state:p -waiting"));
    assert_screens("filter_wrong", |theme| world(theme, FULL).keys("/").types("stat:p"));
    assert_screens("filter_kept", |theme| world(theme, FULL).keys("/").types("needs:me").keys("<enter>"));
    assert_screens("filter_nothing", |theme| world(theme, FULL).keys("/").types("zebra").keys("<enter>"));
    assert_screens("palette", |theme| world(theme, FULL).keys(":"));
    assert_screens("palette_typed", |theme| world(theme, FULL).keys(":").types("log"));
    assert_screens("palette_not_possible", |theme| world(theme, FULL).keys(":").types("verify"));
}

#[test]
fn the_board_narrows_as_one_types_and_what_is_wrong_changes_nothing() {
    let world = World::board("proposed planned blocked blocked").keys("/").types("state:b");
    assert_eq!((shown(&world), world.cursor()), (2, Some(3)), "the cursor goes where there is something");
    let world = world.keys("<backspace>").types("x");
    assert_eq!(shown(&world), 2, "{}", world.screen());
    assert!(world.screen().contains("`state:x` means nothing"), "{}", world.screen());
    let world = world.keys("<enter>");
    assert!(world.screen().contains("`state:x` means nothing"), "what is wrong cannot be kept");
    let world = world.keys("<esc>");
    assert_eq!(shown(&world), 4);
}

#[test]
fn a_filter_that_is_kept_holds_until_it_is_taken_away() {
    let world = World::board("proposed planned blocked").keys("/").types("#3").keys("<enter>");
    assert!(world.screen().contains("filter #3 1 of 3"), "{}", world.screen());
    let world = world.tell(Msg::Changed(changes(4, "planned")));
    assert_eq!(shown(&world), 1);
    assert!(world.screen().contains("filter #3 1 of 4"), "{}", world.screen());
    let world = world.keys("/");
    assert!(world.screen().contains("/#3"), "one goes on with it: {}", world.screen());
    assert_eq!(shown(&world.keys("<enter><esc>")), 4);
}

#[test]
fn a_ticket_comes_into_sight_and_leaves_it_as_the_filter_says() {
    let world = World::board("planned planned").keys("/").types("state:blocked").keys("<enter>");
    assert_eq!(world.cursor(), None);
    assert!(world.screen().contains("No ticket is state:blocked; esc shows all again."), "{}", world.screen());
    let world = world.tell(Msg::Changed(changes(2, "blocked")));
    assert_eq!((shown(&world), world.cursor()), (1, Some(2)));
    assert_eq!(shown(&world.tell(Msg::Changed(changes(2, "done")))), 0);
}

#[test]
fn escape_first_puts_away_what_is_said_and_then_the_filter() {
    let world = World::board("planned planned").keys("/").types("#2").keys("<enter>");
    let world = world.tell(Msg::Failed("no room".into())).keys("<esc>");
    assert_eq!(shown(&world), 1);
    assert_eq!(shown(&world.keys("<esc>")), 2);
}

#[test]
fn accepting_what_waits_for_review_leads_to_its_change() {
    let screen = World::board("needs_human").keys("a").screen();
    assert!(screen.contains("#1 waits for review: d reads its change"), "{screen}");
}

#[test]
fn the_palette_does_what_is_chosen_and_remembers_it() {
    let run = Effect::Do(Command::Run { ticket: TicketRef::Id(ticket_id(1)), choice: Default::default() });
    let world = World::board("planned").keys(":").types("run").keys("<enter>");
    assert_eq!(world.acts(), [&run]);
    let world = world.forget().keys(":<enter>");
    assert_eq!(world.acts(), [&run], "the last choice is the first offer");
    let gone = world.forget().tell(Msg::Changed(changes(1, "proposed"))).keys("<c-p><enter>");
    assert_ne!(gone.acts(), [&run], "what is not possible any more is not offered");
}

#[test]
fn the_palette_goes_to_a_ticket_wherever_it_is() {
    let board = || World::board("proposed planned abandoned done");
    for (typed, number) in [("3", 3), ("#4", 4), ("draft/4", 4), ("gsqrt", 2)] {
        assert_eq!(board().keys(":").types(typed).keys("<enter>").cursor(), Some(number), "{typed}");
    }
    let hidden = board().keys("/").types("state:proposed").keys("<enter>:").types("#4").keys("<enter>");
    assert_eq!((hidden.cursor(), shown(&hidden)), (Some(4), 4), "a filter that hides it goes");
    let open = board().keys("<enter>:").types("#2").keys("<enter>");
    assert!(open.effects.contains(&Effect::LoadDetail(ticket_id(2))), "a ticket is open, so the other one opens");
}

#[test]
fn the_palette_says_why_an_action_is_not_possible_when_its_whole_name_is_typed() {
    let world = World::board("done").size(120, 40).keys(":").types("accep");
    assert!(!world.screen().contains("accept "), "{}", world.screen());
    let world = world.types("t");
    assert!(world.screen().contains("#1 is done already"), "{}", world.screen());
    let world = world.keys("<enter>");
    assert!(world.acts().is_empty());
    assert!(world.screen().contains("#1 is done already; only a proposed ticket is accepted."), "{}", world.screen());
}

#[test]
fn nonsense_finds_nothing_and_does_nothing() {
    let world = World::board("planned").keys(":").types("zzzzqqq");
    assert!(
        world.screen().contains("No ticket is called that, and nothing that can be done now."),
        "{}",
        world.screen()
    );
    assert!(world.keys("<down><enter>").acts().is_empty());
}

#[test]
fn one_suspends_and_redraws_from_everywhere() {
    for first in ["<esc>", "n", "?", ":", "/", "<enter>", "A"] {
        let world = World::board("planned").keys(first).forget().keys("<c-z><c-l>");
        assert_eq!(world.acts(), [&Effect::Suspend, &Effect::Redraw], "{first}");
    }
}
