//! `draft ticket`: add, import, list, show, move.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{DRAFT, assert_stable, error_of, pretty};
use crate::support::{World, demo_world};

/// Returns the tickets that a listing shows, by their numbers.
fn numbers(listing: &Value) -> Vec<u64> {
    listing["tickets"].as_array().unwrap().iter().map(|ticket| ticket["number"].as_u64().unwrap()).collect()
}

fn titles(world: &World) -> Vec<String> {
    let listing = world.draft(&["ticket", "list", "--json"]).ok().json();
    listing["tickets"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_ticket_has_every_field_that_was_given() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    let filed = world
        .draft(&[
            "ticket",
            "add",
            "  Second\nline ",
            "--description",
            "# More",
            "--priority",
            "P1",
            "--after",
            "#1",
            "--state",
            "planned",
            "--agent",
            "demo",
            "--model",
            "large",
            "--verify",
            "make a",
            "--verify",
            "make b",
            "--json",
        ])
        .ok()
        .json();
    assert_stable(&world, "a_ticket", &pretty(&filed));
    assert_eq!(world.draft(&["ticket", "list", "--json"]).ok().json()["tickets"][1], filed);
}

#[test]
fn a_description_can_come_from_standard_input() {
    let world = World::new();
    let mut command = world.command("sh");
    let script = format!("printf 'one\\ntwo\\n' | '{DRAFT}' ticket add Piped --description - --json");
    let filed = world.start(command.args(["-c", &script])).wait().ok().json();
    assert_eq!(filed["description"], "one\ntwo\n");
}

#[test]
fn bad_values_are_refused_and_name_what_would_be_right() {
    let world = World::new();
    let long = "x".repeat(256);
    for (args, says) in [
        (vec!["ticket", "add", " \n "], "a title cannot be empty"),
        (vec!["ticket", "add", &long], "at most 255 characters, this one has 256"),
        (vec!["ticket", "add", "A", "--priority", "P4"], "`P4` is no priority"),
        (vec!["ticket", "add", "A", "--priority", "101"], "`101` is no priority"),
        (vec!["ticket", "add", "A", "--after", "soon"], "`soon` is neither a ticket number"),
        (vec!["ticket", "add", "A", "--after", "7"], "there is no ticket #7"),
        (vec!["ticket", "add", "A", "--goal", "g"], "there is no goal `g` on board repo"),
        (vec!["ticket", "add", "A", "--goal", "01a20b66-cf23-74a3-840d-52b3348bb96c"], "there is no goal"),
        (vec!["ticket", "add", "A", "--state", "done"], "proposed or planned, not `done`"),
        (vec!["ticket", "add", "A", "--verify", " "], "a check of `A` is empty"),
        (vec!["ticket", "list", "--state", "soon"], "`soon` is not a state; known are proposed, planned"),
    ] {
        let refused = world.draft(&[&args[..], &["--json"]].concat()).exits(2);
        let (_, message, hint) = error_of(&refused);
        assert!(message.contains(says), "{args:?}: {message}");
        assert!(!hint.is_empty(), "{args:?}: {message}");
        assert_eq!(refused.text(), "");
    }
    assert_eq!(titles(&world), Vec::<String>::new());
}

#[test]
fn a_listing_can_be_narrowed_by_state_and_words() {
    let world = World::new();
    for (title, state) in [("Guard sqrt", "planned"), ("Guard log", "proposed"), ("Round halves", "planned")] {
        world.draft(&["ticket", "add", title, "--state", state]).ok();
    }
    for (args, expected) in [
        (vec![], vec![1, 2, 3]),
        (vec!["--state", "planned"], vec![1, 3]),
        (vec!["--state", "planned", "--state", "proposed"], vec![1, 2, 3]),
        (vec!["--query", "GUARD"], vec![1, 2]),
        (vec!["--query", "sqrt guard"], vec![1]),
        (vec!["--query", "nothing"], vec![]),
    ] {
        let listing = world.draft(&[&["ticket", "list", "--json"], &args[..]].concat()).ok().json();
        assert_eq!(numbers(&listing), expected, "{args:?}");
    }
}

#[test]
fn a_listing_for_people_stands_in_columns() {
    let world = World::new();
    let long = "A title that goes on and on, far beyond the width that a column of titles should ever have";
    world.draft(&["ticket", "add", "日本語 in names", "--priority", "P0"]).ok();
    world.draft(&["ticket", "add", "Short", "--state", "planned", "--after", "1"]).ok();
    world.draft(&["ticket", "add", long, "--state", "planned"]).ok();
    world.draft(&["ticket", "add", "Given up"]).ok();
    world.draft(&["ticket", "move", "4", "abandoned", "--reason", "nobody\nneeds it"]).ok();
    assert_stable(&world, "a_listing", &world.draft(&["ticket", "list"]).ok().text());
    let empty = World::new().draft(&["ticket", "list"]).ok();
    assert_eq!(empty.text(), "");
    assert_eq!(empty.complaint(), "there are no tickets yet; `draft ticket add TITLE` files one\n");
}

/// Imports what is given on standard input.
fn import(world: &World, text: &str) -> crate::support::running::Outcome {
    world.write("tickets.json", text);
    let file = std::fs::File::open(world.repo().join("tickets.json")).unwrap();
    world.start(world.command(DRAFT).args(["ticket", "import", "-", "--json"]).stdin(Stdio::from(file))).wait()
}

#[test]
fn many_tickets_come_from_an_array_or_from_lines() {
    let world = World::new();
    let array = json!([
        { "title": "One", "description": "d", "priority": 90, "state": "planned", "after": [2, "#3"] },
        { "title": "Two", "priority": "P3", "agent": "demo", "model": "m", "verify": ["make x"] },
        { "title": "Three", "priority": null, "goal": null },
    ]);
    let filed = import(&world, &array.to_string()).ok().json();
    assert_eq!(numbers(&filed), [1, 2, 3]);
    let one = &filed["tickets"][0];
    assert_eq!([&one["blocked_by"], &one["priority"], &one["state"]], [&json!([2, 3]), &json!(90), &json!("planned")]);
    let lines = "{\"title\": \"Four\", \"after\": [5]}\n\n{\"title\": \"Five\"}\n";
    assert_eq!(import(&world, lines).ok().json()["tickets"][0]["blocked_by"], json!([5]));
    world.write("more.json", "[]");
    assert_eq!(world.draft(&["ticket", "import", "more.json"]).ok().text(), "filed 0 tickets\n");
    assert_eq!(titles(&world), ["One", "Two", "Three", "Four", "Five"]);
}

#[test]
fn an_agent_that_nobody_has_and_a_model_without_a_name_are_refused_when_they_are_said() {
    let world = World::new();
    world.draft(&["ticket", "add", "First", "--agent", "claude"]).ok();
    for args in [
        &["ticket", "add", "A", "--agent", "claud"][..],
        &["ticket", "edit", "1", "--agent", "claud"],
        &["run", "1", "--agent", "claud"],
    ] {
        let (code, message, hint) = error_of(&world.draft(&[args, &["--json"]].concat()).exits(2));
        assert_eq!(code, "unknown_agent", "{args:?}");
        assert!(message.contains("no agent is called `claud`, did you mean `claude`?"), "{message}");
        assert!(hint.contains("draft agents"), "{hint}");
    }
    for args in [
        &["ticket", "add", "A", "--model", ""][..],
        &["ticket", "edit", "1", "--model", " "],
        &["run", "1", "--model", ""],
    ] {
        let (code, message, _) = error_of(&world.draft(&[args, &["--json"]].concat()).exits(2));
        assert!(code == "usage" && message.contains("--model"), "{args:?}: {message}");
    }
    assert_eq!(titles(&world), ["First"]);
    world.draft(&["ticket", "edit", "1", "--agent", "amazon-q"]).ok();
}

#[test]
fn of_many_tickets_all_are_filed_or_none() {
    let world = World::new();
    for (text, code, says) in [
        (r#"[{"title":"A"},{"title":" "}]"#, "bad_value", "ticket 2 of the file: a title cannot be empty"),
        (
            r#"[{"title":"A"},{"title":"B","priority":1.5}]"#,
            "bad_value",
            "ticket 2 of the file: `B`: `1.5` is no priority",
        ),
        (
            r#"[{"title":"A","agent":"demo"},{"title":"B","agent":"nope"}]"#,
            "unknown_agent",
            "ticket 2 of the file: no agent is called `nope`",
        ),
        (r#"[{"title":"A","model":" "}]"#, "bad_value", "ticket 1 of the file: `A`: a model has a name"),
        (r#"[{"title":"A","after":[2]},{"title":"B","after":[1]}]"#, "dependency_cycle", "#1 → #2 → #1"),
        (r#"[{"title":"A","after":[1]}]"#, "dependency_cycle", "#1 → #1"),
        (r#"[{"title":"A","after":[3]},{"title":"B"}]"#, "unknown_ticket", "there is no ticket #3"),
        (r#"[{"title":"A"},{"title":"B","owner":"me"}]"#, "bad_import", "unknown field `owner`"),
        ("{\"title\":\"A\"}\n{\"title\":\n", "bad_import", "line 3"),
        (r#"{"description":"no title"}"#, "bad_import", "missing field `title`"),
        ("not json", "bad_import", "line 1 column 2"),
    ] {
        let refused = import(&world, text).exits(2);
        let (found, message, hint) = error_of(&refused);
        assert_eq!(found, code, "{text}");
        assert!(message.contains(says) && !hint.is_empty(), "{text}: {message}");
    }
    world.draft(&["ticket", "import", "missing.json"]).exits(2);
    assert_eq!(titles(&world), Vec::<String>::new());
}

#[test]
fn a_move_is_made_only_where_the_table_has_it_and_the_others_are_named() {
    let world = World::new();
    let filed = world.draft(&["ticket", "add", "A", "--json"]).ok().json();
    let id = filed["id"].as_str().unwrap();
    let refused = world.draft(&["ticket", "move", "1", "done", "--json"]).exits(2);
    let (code, message, hint) = error_of(&refused);
    assert_eq!(code, "illegal_move");
    assert_eq!(message, "#1 cannot move from proposed to done");
    assert_eq!(hint, "From proposed it can move to planned, abandoned.");
    assert_eq!(
        world.draft(&["ticket", "move", "1", "done"]).exits(2).complaint(),
        "draft: #1 cannot move from proposed to done\nFrom proposed it can move to planned, abandoned.\n"
    );
    let moved = world.draft(&["ticket", "move", id, "planned", "--reason", "it matters", "--json"]).ok().json();
    assert_eq!([&moved["state"], &moved["reason"]], [&json!("planned"), &json!("it matters")]);
    assert_eq!(world.draft(&["ticket", "move", "#1", "abandoned"]).ok().text(), "#1 abandoned\n");
    assert_eq!(world.draft(&["ticket", "move", "#1", "planned", "--quiet"]).ok().text(), "");
}

#[test]
fn whoever_waits_for_an_abandoned_ticket_is_blocked_and_comes_back_with_it() {
    let world = World::new();
    world.draft(&["ticket", "add", "A", "--state", "planned"]).ok();
    world.draft(&["ticket", "add", "B", "--state", "planned", "--after", "1"]).ok();
    let second = || {
        let ticket = world.draft(&["ticket", "show", "2", "--json"]).ok().json();
        (ticket["state"].as_str().unwrap().to_owned(), ticket["why"].clone(), ticket["reason"].clone())
    };
    world.draft(&["ticket", "move", "1", "abandoned"]).ok();
    let reason = json!("#1, which it waits for, was abandoned");
    assert_eq!(second(), ("blocked".to_owned(), json!("dependency"), reason));
    world.draft(&["ticket", "move", "1", "planned"]).ok();
    assert_eq!(second().0, "planned");
}

#[test]
fn unknown_tickets_are_named() {
    let world = World::new();
    let uuid = "01a20b66-cf23-74a3-840d-52b3348bb96c";
    for command in [&["ticket", "show"][..], &["log"], &["diff"], &["run"]] {
        for (name, says) in [("7", "there is no ticket #7"), (uuid, uuid), ("x", "`x` is neither a ticket number")] {
            let refused = world.draft(&[command, &[name, "--json"]].concat()).exits(2);
            let (code, message, _) = error_of(&refused);
            assert!(message.contains(says), "{command:?} {name}: {message}");
            assert_eq!(code, if name == "x" { "bad_value" } else { "unknown_ticket" });
        }
    }
    world.draft(&["ticket", "move", "7", "planned"]).exits(2);
}

#[test]
fn everything_about_a_ticket_is_shown() {
    let world = demo_world();
    world
        .draft(&["ticket", "add", "Say hello", "--description", "Write it.\n\n[[write hello.txt hi\\n]][[say Done.]]"])
        .ok();
    world.draft(&["ticket", "move", "1", "planned"]).ok();
    world.draft(&["run", "1", "--trust", "--quiet"]).ok();
    let shown = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert_stable(&world, "a_ticket_in_full", &pretty(&shown));
    assert_stable(&world, "a_ticket_for_people", &world.draft(&["ticket", "show", "1"]).ok().text());
    world.assert_nothing_left();
}

#[test]
fn a_shell_is_told_the_tickets_that_could_stand_there_and_makes_no_board_by_asking() {
    let world = World::new();
    let offered = |words: &[&str]| world.draft(&[&["complete", "--"], words].concat()).ok().text();
    assert_eq!(offered(&["log", ""]), "");
    assert!(!world.data().join("draft.db").exists(), "nobody wanted a board");
    for title in ["First", "Second"] {
        world.draft(&["ticket", "add", title]).ok();
    }
    assert_eq!(offered(&["ticket", "show", ""]), "2\tSecond\n1\tFirst\n");
    assert_eq!(offered(&["--json", "run", "2", "1"]), "1\tFirst\n");
    assert_eq!(offered(&["ticket", "add", "Third", "--after", ""]), "2\tSecond\n1\tFirst\n");
    assert_eq!(offered(&["ticket", ""]), "");
}
