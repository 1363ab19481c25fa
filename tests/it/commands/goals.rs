//! `draft goal`: set, list, show, edit, remove, and how a removed goal comes back to its tickets.

use serde_json::{Value, json};

use super::error_of;
use crate::support::World;

/// A world with two goals and three tickets, two of which serve the first goal.
fn world() -> World {
    let world = World::new();
    world.draft(&["goal", "add", "Safe arithmetic", "--description", "No panics.\n\nNowhere."]).ok();
    world.draft(&["goal", "add", "Safe parsing"]).ok();
    for (title, goal) in [("Guard sqrt", "Safe arithmetic"), ("Guard division", "ARITH")] {
        world.draft(&["ticket", "add", title, "--goal", goal]).ok();
    }
    world.draft(&["ticket", "add", "Serve nothing"]).ok();
    world.draft(&["ticket", "move", "2", "abandoned"]).ok();
    world
}

fn goals(world: &World) -> Vec<Value> {
    world.draft(&["goal", "list", "--json"]).ok().json()["goals"].as_array().unwrap().clone()
}

#[test]
fn goals_are_listed_with_how_far_their_tickets_are() {
    let world = world();
    let listed = goals(&world);
    assert_eq!(
        listed[0]["progress"],
        json!({
            "total": 1, "done": 0, "percent": 0, "status": "ready_to_execute", "states": { "proposed": 1, "abandoned": 1 },
        })
    );
    assert_eq!(
        listed[1]["progress"],
        json!({
            "total": 0, "done": 0, "percent": 0, "status": "not_started", "states": {},
        })
    );
    let id = listed[0]["id"].as_str().unwrap();
    let ticket = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_eq!(ticket["goal"], id);
    let text = world.draft(&["goal", "list"]).ok().text();
    assert!(text.starts_with(&format!("Safe arithmetic  0 of 1 done  {id}\nSafe parsing     no tickets   ")), "{text}");
    let empty = World::new();
    let none = empty.draft(&["goal", "list"]).ok();
    assert_eq!((none.text().as_str(), none.complaint().contains("draft goal add TITLE")), ("", true));
}

#[test]
fn a_goal_is_shown_with_its_tickets() {
    let world = world();
    let shown = world.draft(&["goal", "show", "arithmetic", "--json"]).ok().json();
    let titles: Vec<&str> =
        shown["tickets"].as_array().unwrap().iter().map(|ticket| ticket["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Guard sqrt", "Guard division"]);
    let text = world.draft(&["goal", "show", "Safe arithmetic"]).ok().text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Safe arithmetic");
    assert!(lines[1].starts_with("0 of 1 done, set 20"), "{text}");
    assert_eq!(lines[2..6], ["", "  No panics.", "", "  Nowhere."]);
    assert_eq!(lines[7], "#1  proposed   Guard sqrt");
}

#[test]
fn a_goal_is_named_by_what_only_it_has() {
    let world = world();
    let (code, message, hint) = error_of(&world.draft(&["goal", "show", "safe", "--json"]).exits(2));
    assert_eq!(code, "ambiguous_goal");
    assert!(message.starts_with("`safe` may mean 2 goals:\n") && message.contains("Safe parsing"), "{message}");
    assert!(!hint.is_empty());
    for (args, code, says) in [
        (&["goal", "show", "speed"][..], "unknown_goal", "there is no goal `speed`"),
        (&["goal", "show", ""], "unknown_goal", "there is no goal ``"),
        (&["goal", "show", "01a20b66-cf23-74a3-840d-52b3348bb96c"], "unknown_goal", "there is no goal"),
        (&["goal", "add", " "], "bad_value", "a title cannot be empty"),
        (&["goal", "edit", "parsing"], "usage", "there is nothing to change"),
        (&["goal", "edit", "parsing", "--title", ""], "bad_value", "a title cannot be empty"),
        (&["goal", "remove", "speed"], "unknown_goal", "there is no goal `speed`"),
        (&["goal"], "usage", "requires a subcommand"),
        (&["ticket", "edit", "1", "--goal", "safe"], "ambiguous_goal", "may mean 2 goals"),
    ] {
        let (found, message, _) = error_of(&world.draft(&[args, &["--json"]].concat()).exits(2));
        assert!(found == code && message.contains(says), "{args:?}: {found}: {message}");
    }
    // A whole title wins over a part of others.
    world.draft(&["goal", "add", "Safe"]).ok();
    assert_eq!(world.draft(&["goal", "show", "safe", "--json"]).ok().json()["title"], "Safe");
}

#[test]
fn a_goal_is_edited() {
    let world = world();
    let edited =
        world.draft(&["goal", "edit", "parsing", "--title", "Sound parsing", "--description", "x", "--json"]).ok();
    assert_eq!((&edited.json()["title"], &edited.json()["description"]), (&"Sound parsing".into(), &"x".into()));
    let same = world.draft(&["goal", "edit", "parsing", "--description", "x"]).ok().text();
    assert!(same.ends_with("Sound parsing  is like that already\n"), "{same}");
    assert_eq!(world.draft(&["goal", "edit", "parsing", "--description", "", "--json"]).ok().json()["description"], "");
}

#[test]
fn the_tickets_of_a_removed_goal_stay_and_it_comes_back_to_them() {
    let world = world();
    let before = goals(&world);
    let removed = world.draft(&["goal", "remove", "arithmetic"]).ok();
    assert!(removed.text().ends_with("Safe arithmetic  removed, its 2 tickets stay without a goal\n"), "{removed:?}");
    assert!(removed.complaint().contains("`draft restore "), "{removed:?}");
    assert_eq!(goals(&world), before[1..]);
    assert_eq!(world.draft(&["ticket", "show", "1", "--json"]).ok().json()["goal"], Value::Null);
    assert_eq!(world.draft(&["trash", "--json"]).ok().json()["goals"][0]["title"], "Safe arithmetic");
    assert!(world.draft(&["trash"]).ok().text().contains("goal: Safe arithmetic"));
    // One that got another goal meanwhile keeps that.
    world.draft(&["ticket", "edit", "2", "--goal", "parsing"]).ok();
    let text = world.draft(&["restore", "arithmetic"]).ok().text();
    assert!(text.ends_with("Safe arithmetic  is back\n"), "{text}");
    let states: Vec<Value> = goals(&world).iter().map(|goal| goal["progress"]["states"].clone()).collect();
    assert_eq!(states, [json!({ "proposed": 1 }), json!({ "abandoned": 1 })]);
    assert!(world.draft(&["trash"]).ok().text().contains("The trash is empty."));
}
