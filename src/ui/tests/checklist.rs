//! The checklist of a change: its boxes, what was found out, the way back, and what is said when a landing waits for it.

use crate::domain::change::Change;
use crate::domain::checklist::{Findings, Item, Tests, Tick};
use crate::domain::command::{Command, RefusalCode, Refused};
use crate::domain::event::Actor;
use crate::domain::id::TicketRef;
use crate::domain::landing::{Intent, Strategy};
use crate::domain::revision::{Revision, RevisionStatus};
use crate::domain::rollback::{Again, Facts, Place, Pushed, plan};
use crate::domain::rule_revert::Traced;
use crate::domain::touched::{Differs, Touched};
use crate::ui::msg::{Effect, Msg, Settings};
use crate::ui::testing::{World, at, revision, settings, ticket_id};
use crate::ui::theme::Theme;

use super::pictures::{FULL, assert_screens, world};

fn file(path: &str) -> Touched {
    let differs = Differs::Lines { added: 3, removed: 1 };
    Touched { path: path.into(), old_path: None, was: 0o100_644, is: 0o100_644, differs }
}

/// What was found out of the fourth ticket's change: a check failed, and the way back has every step.
fn found(tests: Tests) -> Msg {
    let intent = Intent { branch: "main".into(), from: "a".repeat(40), to: "b".repeat(40) };
    let files = [file("migrations/0002_users.sql"), file("web/package-lock.json"), file("src/a.rs")];
    let number = crate::domain::id::TicketNumber(4);
    let plan = plan(&Facts {
        number,
        files: &files,
        target: "main",
        strategy: Strategy::Squash,
        place: Place::Landed(Traced::There(intent)),
        pushed: Some(Pushed { remote: "origin".into(), branch: "main".into(), again: Again::Person }),
        merged_as: None,
        taken_back_by: None,
    });
    let found = Findings { revision: 1, tests, is_required: true, plan };
    Msg::Checklist { ticket: ticket_id(4), found: Box::new(Ok(found)) }
}

fn ticked(items: &[Item]) -> Msg {
    let ticks = items.iter().map(|item| Tick { item: *item, by: Actor::human(), at: at(60) }).collect();
    Msg::Changed(vec![Change::Revision(Revision { ticks, status: RevisionStatus::Approved, ..revision(4) })])
}

fn open(theme: Theme) -> World {
    world(theme, FULL).tell(ticked(&[Item::CodeReviewed])).keys("llllj").keys("M")
}

fn asked(world: &World) -> Option<Command> {
    world.effects.iter().rev().find_map(|effect| match effect {
        Effect::Do(command) => Some(command.clone()),
        _ => None,
    })
}

#[test]
fn the_list_has_boxes_what_was_found_out_and_the_way_back() {
    let tests = || Tests::Open(vec!["`cargo test` did not run on this change".into()]);
    assert_screens("checklist", |theme| open(theme).tell(found(tests())));
    assert_screens("checklist_end", |theme| open(theme).tell(found(tests())).keys("G"));
}

#[test]
fn the_mark_begins_at_the_first_open_box_and_space_ticks_it() {
    let world = open(Theme::color());
    assert_eq!(world.effects.iter().filter(|effect| **effect == Effect::LoadChecklist(ticket_id(4))).count(), 1);
    let tick = |item, is_ticked| {
        Some(Command::Tick { ticket: TicketRef::Id(ticket_id(4)), revision: Some(1), boxes: vec![(item, is_ticked)] })
    };
    let world = world.keys("<space>");
    assert_eq!(asked(&world), tick(Item::NoSensitiveData, true));
    let world = world.forget().keys("k<enter>");
    assert_eq!(asked(&world), tick(Item::CodeReviewed, false));
    let world = world.forget().keys("G<space>");
    assert_eq!(asked(&world), None, "what Draft finds out is not ticked");
    assert!(world.keys("<esc>").model.shows_checklist_of().is_none());
}

#[test]
fn it_is_looked_up_again_when_its_change_goes_on_and_closes_with_it() {
    let world = open(Theme::color()).tell(found(Tests::Passed(1))).forget();
    let newer = Revision { number: 2, ..revision(4) };
    let world = world.tell(Msg::Changed(vec![Change::Revision(newer)]));
    assert!(world.effects.contains(&Effect::LoadChecklist(ticket_id(4))));
    let screen = world.screen();
    assert!(screen.contains("Loading"), "what was found out is about the revision before: {screen}");
    assert!(!screen.contains("[x]"), "a new revision has no ticks: {screen}");
    let gone = world.with_ticket(4, |ticket| ticket.removed_at = Some(at(1)));
    assert!(gone.model.shows_checklist_of().is_none(), "a removed ticket lands nowhere");
}

#[test]
fn a_landing_that_waits_for_the_list_says_so_by_its_key_and_goes_on_from_the_list() {
    let required = || Msg::Settings(Box::new(Settings { require_checklist: true, ..settings() }));
    let world = open(Theme::color()).tell(required()).keys("m");
    let screen = world.screen();
    assert!(asked(&world).is_none() && world.model.shows_checklist_of().is_some(), "{screen}");
    let said = &world.model.notice.as_ref().unwrap().text;
    assert!(said.contains("`no_sensitive_data` is not ticked") && said.contains("M shows it"), "{said}");
    let all = ticked(&[Item::CodeReviewed, Item::NoSensitiveData, Item::RollbackPlanUnderstood]);
    let ready = world.tell(all).tell(found(Tests::Passed(2)));
    assert!(ready.screen().contains("ready to land"), "{}", ready.screen());
    let landing = ready.keys("m");
    assert_eq!(asked(&landing), Some(Command::Land { ticket: TicketRef::Id(ticket_id(4)), strategy: None }));
    assert!(landing.model.shows_checklist_of().is_none());
    // What only the engine knows comes back as a refusal.
    let refused =
        Refused::new(RefusalCode::ChecklistOpen, "the checklist of #4 is not done: a check failed", "In a shell.");
    let told = landing.tell(Msg::Refused(refused));
    assert!(told.model.notice.as_ref().unwrap().text.ends_with("a check failed. M shows it and ticks its boxes."));
}

#[test]
fn a_ticket_without_a_change_has_no_list() {
    let world = World::board("planned").keys("M");
    assert!(world.model.notice.as_ref().unwrap().text.contains("#1 has no change yet"));
    assert!(world.acts().is_empty());
}
