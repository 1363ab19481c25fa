//! `draft review`: comments on lines, requests for changes that the agent hears of, and approval.

use serde_json::Value;

use super::error_of;
use crate::support::{World, demo_world};

/// A world with a ticket whose change waits for its review.
fn in_review() -> World {
    let world = demo_world();
    let script = "[[write hello.txt hello\\nworld\\n]][[say done]]";
    world.draft(&["ticket", "add", "Greet", "--description", script, "--state", "planned"]).ok();
    world.draft(&["run", "--trust"]).ok();
    world
}

#[track_caller]
fn shown(world: &World) -> Value {
    world.draft(&["ticket", "show", "1", "--json"]).ok().json()
}

#[test]
fn a_request_for_changes_starts_the_agent_with_every_comment() {
    let world = in_review();
    // The demo agent does what it is told, wherever in the task that stands.
    let comment = "hello.txt:2:Say it louder. [[write hello.txt HELLO\\n]]";
    let reviewed = world.draft(&["review", "1", "--request-changes", "-m", "Louder.", "--comment", comment, "--json"]);
    let revision = reviewed.ok().json();
    assert_eq!((&revision["status"], &revision["comments"]), (&"changes_requested".into(), &1.into()));
    world.draft(&["run", "1"]).ok();

    let ticket = shown(&world);
    assert_eq!((&ticket["state"], &ticket["why"]), (&"needs_human".into(), &"review".into()));
    assert_eq!(ticket["revisions"][1]["number"], 2);
    let said = &ticket["comments"][0];
    assert_eq!(
        (&said["file_path"], &said["line"], &said["line_content"]),
        (&"hello.txt".into(), &2.into(), &"world".into())
    );
    let diff = world.draft(&["diff", "1"]).ok().text();
    assert!(diff.contains("+HELLO"), "{diff}");
    let log = world.draft(&["log", "1", "--job", ticket["jobs"][2]["id"].as_str().unwrap()]).ok().text();
    assert!(!log.is_empty());
}

#[test]
fn a_change_with_open_comments_is_approved_only_on_purpose() {
    let world = in_review();
    world.draft(&["review", "1", "--comment", "hello.txt:1:Why?"]).ok();
    let (code, _, hint) = error_of(&world.draft(&["review", "1", "--approve", "--json"]).exits(2));
    assert_eq!(code, "unresolved_comments");
    assert!(hint.contains("Resolve") && hint.contains("`draft review 1 --approve --anyway`"), "{hint}");
    let comment = shown(&world)["comments"][0]["id"].as_str().unwrap().to_owned();
    world.draft(&["review", "1", "--resolve", &comment]).ok();
    let text = world.draft(&["review", "1", "--approve", "-m", "Fine."]).ok().text();
    assert!(text.contains("#1 revision 1 approved"), "{text}");
    let ticket = shown(&world);
    assert_eq!((&ticket["state"], &ticket["why"]), (&"needs_human".into(), &"approved".into()));
    assert_eq!(ticket["reviews"][0]["summary"], "Fine.");
    let (code, message, _) = error_of(&world.draft(&["review", "1", "--approve", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("already_reviewed", "revision 1 of #1 was approved already"));
}

#[test]
fn a_review_says_what_is_wrong_with_it() {
    let world = in_review();
    world.draft(&["ticket", "add", "Nothing yet", "--state", "planned"]).ok();
    for (args, code) in [
        (&["review", "1"][..], "usage"),
        (&["review", "1", "-m", "hm"], "usage"),
        (&["review", "1", "--approve", "--request-changes"], "usage"),
        (&["review", "1", "--request-changes"], "bad_value"),
        (&["review", "1", "--comment", "hello.txt"], "bad_value"),
        (&["review", "1", "--comment", "nowhere.txt:1:x"], "bad_value"),
        (&["review", "1", "--comment", "hello.txt:1: "], "bad_value"),
        (&["review", "1", "--approve", "--revision", "2"], "unknown_revision"),
        (&["review", "1", "--resolve", "01a20b66-cf23-74a3-840d-52b3348bb96c"], "unknown_comment"),
        (&["review", "2", "--approve"], "unknown_revision"),
        (&["review", "9", "--approve"], "unknown_ticket"),
    ] {
        let mut args = args.to_vec();
        args.push("--json");
        let (said, message, hint) = error_of(&world.draft(&args).exits(2));
        assert_eq!(said, code, "{args:?}: {message}");
        assert!(!hint.is_empty(), "{args:?}: {message}");
    }
    assert_eq!(shown(&world)["comments"], Value::Array(Vec::new()));
}

#[test]
fn a_comment_is_about_a_line_that_there_is() {
    let world = demo_world();
    world.write("hello.txt", (1..=20).map(|n| format!("line {n}\n")).collect::<String>());
    world.commit("twenty lines");
    let lines: String = (1..=20).map(|n| if n == 2 { "two\\n".to_owned() } else { format!("line {n}\\n") }).collect();
    let script = format!("[[write hello.txt {lines}]][[say done]]");
    world.draft(&["ticket", "add", "Greet", "--description", &script, "--state", "planned"]).ok();
    world.draft(&["run", "--trust"]).ok();
    for spot in ["hello.txt:99999:far", "hello.txt:19-21:far"] {
        let (code, message, hint) = error_of(&world.draft(&["review", "1", "--comment", spot, "--json"]).exits(2));
        assert_eq!(code, "bad_value");
        assert!(message.starts_with("hello.txt has 20 lines in revision 1"), "{message}");
        assert!(hint.contains("hello.txt::TEXT"), "{hint}");
    }
    assert_eq!(shown(&world)["comments"].as_array().unwrap().len(), 0);
    world.draft(&["review", "1", "--comment", "hello.txt:20:The end.", "--comment", "hello.txt::All of it."]).ok();
    let ticket = shown(&world);
    assert_eq!(ticket["comments"][0]["line_content"], "line 20", "also where nothing changed: {ticket:#}");
}
