//! What agents may do is asked once, before the first of them runs here, and the answer is kept.

use crate::config::yolo::Leave;
use crate::domain::autopilot::Autopilot;
use crate::domain::command::{AgentChoice, Command};
use crate::domain::id::TicketRef;
use crate::ui::testing::{World, settings, ticket_id};
use crate::ui::{Effect, Msg, Settings};

fn open(words: &str) -> World {
    World::board(words).tell(Msg::Settings(Box::new(Settings { leave_open: true, ..settings() })))
}

fn run(n: u32) -> Effect {
    Effect::Do(Command::Run { ticket: TicketRef::Id(ticket_id(n)), choice: AgentChoice::default() })
}

#[test]
fn who_never_chose_is_asked_before_the_first_agent_runs() {
    let world = open("planned").keys("x");
    assert!(world.acts().is_empty());
    insta::assert_snapshot!(world.screen());
    let world = world.size(40, 10);
    insta::assert_snapshot!("leave_small", world.screen());
    assert_eq!(world.keys("1").acts(), [&Effect::Allow(Leave::Edits), &run(1)]);
    let everything = open("planned").keys("x2");
    assert_eq!(everything.acts(), [&Effect::Allow(Leave::Everything), &run(1)]);
}

#[test]
fn enter_is_the_careful_answer_and_escape_starts_nothing() {
    assert_eq!(open("planned").keys("x<enter>").acts(), [&Effect::Allow(Leave::Edits), &run(1)]);
    assert!(open("planned").keys("x<esc>").acts().is_empty());
}

#[test]
fn the_autopilot_asks_and_so_does_trust_after_it() {
    let untrusted = Settings { trusted: false, leave_open: true, ..settings() };
    let world = World::board("planned").tell(Msg::Settings(Box::new(untrusted))).keys("A11");
    assert_eq!(world.acts(), [&Effect::Allow(Leave::Edits)]);
    let trust = Effect::Trust { content: "30 checks".into() };
    let on = Effect::Do(Command::SetAutopilot(Autopilot::On));
    assert_eq!(world.forget().keys("y").acts(), [&trust, &on]);
}

#[test]
fn an_agent_to_which_it_makes_no_difference_just_runs() {
    let world = open("planned").with_ticket(1, |ticket| ticket.agent = Some("demo".into())).keys("x");
    assert_eq!(world.acts(), [&run(1)]);
    assert_eq!(World::board("planned").keys("x").acts(), [&run(1)]);
}

#[test]
fn an_agent_that_is_missing_starts_nothing_so_nothing_is_asked() {
    let missing = |name: &str| open("planned").with_ticket(1, |ticket| ticket.agent = Some(name.into()));
    for name in ["gemini", "gemini-cli"] {
        assert_eq!(missing(name).keys("x").acts(), [&run(1)]);
    }
    let none = Settings { leave_open: true, preferred: "gemini".into(), ..settings() };
    let world = World::board("planned").tell(Msg::Settings(Box::new(none)));
    // The autopilot goes on when one is installed, so it asks.
    assert!(world.keys("A1").acts().is_empty());
}
