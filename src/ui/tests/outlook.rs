//! What is to be expected of changes, as cards, tickets and their changes show it; and the ways out of a conflict.

use std::collections::HashMap;

use crate::domain::command::Command;
use crate::domain::id::TicketRef;
use crate::domain::outlook::{Collision, ConflictFile, Forecast, Outlook, Radar};
use crate::domain::proof::Proof;
use crate::domain::resolve::Deed;
use crate::domain::run::RunEnd;
use crate::domain::state::StateName;
use crate::ui::msg::{Effect, Msg};
use crate::ui::testing::{World, ticket_id};
use crate::ui::theme::Theme;

use super::diff::page;
use super::pictures::{FULL, assert_screens, world};

fn files(names: &[(&str, &str)]) -> Vec<ConflictFile> {
    names.iter().map(|(path, kind)| ConflictFile { path: (*path).into(), kind: (*kind).into() }).collect()
}

/// The fourth ticket, which needs a person, conflicts with its target and collides with the two that are at work.
fn radar() -> Radar {
    let outlook = Outlook {
        target: "main".into(),
        commit: "1".repeat(40),
        revision: 1,
        behind: 3,
        forecast: Forecast::Conflicts(files(&[("src/router.rs", "content"), ("src/jwt.rs", "add/add")])),
        proof: Proof::Unknown,
        beside: Vec::new(),
    };
    let collision = |one, other| Collision {
        one: ticket_id(one),
        other: ticket_id(other),
        files: files(&[("src/router.rs", "content")]),
    };
    Radar { outlooks: HashMap::from([(ticket_id(4), outlook)]), collisions: vec![collision(1, 4), collision(3, 4)] }
}

fn looking_ahead(theme: Theme) -> World {
    world(theme, FULL).tell(Msg::Radar(Box::new(radar()))).keys("llllj")
}

#[test]
fn cards_say_conflicts_and_collisions() {
    assert_screens("outlook_board", looking_ahead);
}

#[test]
fn a_ticket_says_where_it_conflicts_and_with_whom_it_collides() {
    assert_screens("outlook_ticket", |theme| looking_ahead(theme).keys("<enter>"));
}

#[test]
fn a_change_warns_of_its_conflict() {
    assert_screens("outlook_diff", |theme| looking_ahead(theme).keys("d").tell(Msg::Diff(Box::new(page(4, 1, "")))));
}

#[test]
fn the_ways_out_are_offered_and_each_is_one_key() {
    assert_screens("outlook_ways", |theme| looking_ahead(theme).keys("C"));
    let asked = |keys: &str| {
        let world = looking_ahead(Theme::color()).keys(keys);
        world.effects.iter().rev().find_map(|effect| match effect {
            Effect::Do(command) => Some(command.clone()),
            _ => None,
        })
    };
    let ticket = TicketRef::Id(ticket_id(4));
    assert_eq!(asked("C<enter>"), Some(Command::Conflict { ticket, deed: Deed::Start }));
    assert_eq!(asked("C3"), Some(Command::Resume { ticket }));
    assert_eq!(asked("Cjjj<enter>"), Some(Command::Conflict { ticket, deed: Deed::Abort }));
    assert_eq!(asked("C4"), asked("Cjjj<enter>"));
    assert_eq!(asked("C5"), asked("Ck<enter>"));
    let files = files(&[("src/router.rs", "content"), ("src/jwt.rs", "add/add")]);
    assert_eq!(
        asked("Ck<enter>"),
        Some(Command::Conflict { ticket, deed: Deed::Send { target: "main".into(), files } })
    );
}

/// The same ticket goes together with its target, and that is what the checks say about it.
fn going_on(theme: Theme, proof: Proof) -> World {
    let mut radar = radar();
    radar.collisions.clear();
    let outlook = radar.outlooks.get_mut(&ticket_id(4)).unwrap();
    outlook.forecast = Forecast::Clean;
    outlook.beside = vec!["3333333 Count the tokens".into(), "4444444 Drop the cache".into()];
    outlook.proof = proof;
    world(theme, FULL).tell(Msg::Radar(Box::new(radar))).keys("llllj")
}

fn failed() -> Proof {
    Proof::Failed { command: "cargo test".into(), end: RunEnd::Exited { code: 101 } }
}

#[test]
fn cards_say_what_is_to_be_checked_again_and_what_fails_on_the_target() {
    assert_screens("outlook_recheck", |theme| going_on(theme, Proof::Unknown));
    assert_screens("outlook_red", |theme| going_on(theme, failed()));
    assert_screens("outlook_red_ticket", |theme| going_on(theme, failed()).keys("<enter>"));
    assert!(going_on(Theme::color(), Proof::Passed).screen().contains("✓ on main"));
    let said = |proof| going_on(Theme::plain(), proof).keys("<enter>").screen();
    assert!(said(Proof::Unknown).contains("to be checked again on the result"));
    assert!(said(Proof::Passed).contains("its checks passed on the result"));
}

#[test]
fn a_filter_for_conflicts_follows_the_radar() {
    let seen = |world: &World| world.model.index.column(StateName::NeedsHuman).to_vec();
    let world = world(Theme::color(), FULL).keys("/").types("conflict:yes").keys("<enter>");
    assert_eq!(seen(&world), []);
    let world = world.tell(Msg::Radar(Box::new(radar())));
    assert_eq!(seen(&world), [ticket_id(4)]);
    let world = world.tell(Msg::Radar(Box::default()));
    assert_eq!(seen(&world), []);
}

#[test]
fn news_that_change_nothing_draw_nothing() {
    let mut world = looking_ahead(Theme::color());
    assert!(world.model.take_dirty());
    let mut world = world.tell(Msg::Radar(Box::new(radar())));
    assert!(!world.model.take_dirty());
}
