//! `draft export` and `draft import`: a board goes into a file and comes out as it was, here or elsewhere.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{DRAFT, error_of, planned};
use crate::support::{World, demo_world};

/// A world with a goal and tickets in several states, one of which an agent worked on.
fn world() -> World {
    let world = demo_world();
    world.draft(&["goal", "add", "Greet", "--description", "Everybody."]).ok();
    planned(&world, "Say hello", "[[write hello.txt hi]]");
    world.draft(&["run", "--trust"]).ok();
    for args in [
        "ticket add Second --goal greet --priority P1 --after 1 --agent demo --model large --verify make --base-branch main",
        "ticket add Third --state planned --description Words",
        "ticket add Fourth",
        "ticket add Fifth --priority P1",
        "ticket move 4 abandoned --reason never",
        "ticket place 2 --below 5",
        "ticket remove 5",
    ] {
        world.draft(&args.split_whitespace().collect::<Vec<_>>()).ok();
    }
    world
}

fn export(world: &World) -> Value {
    world.draft(&["export", "--json"]).ok().json()
}

/// Returns an archive without what the place has of its own.
fn placeless(mut archive: Value) -> Value {
    archive["board"] = Value::Null;
    archive
}

#[test]
fn a_board_comes_out_of_its_file_as_it_was() {
    let world = world();
    let archive = export(&world);
    assert_eq!((&archive["format"], &archive["version"]), (&"draft-board".into(), &1.into()));
    let text = archive.to_string();
    assert!(!text.contains(world.folder().to_str().unwrap()), "no path of this machine: {text}");
    let states: Vec<&Value> = archive["tickets"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["planned", "proposed", "planned", "abandoned"], "what waits for review is planned again");
    assert_eq!(archive["tickets"][1]["after"], json!([1]));
    world.draft(&["export", "../board.json"]).ok();

    let other = World::new();
    let file = world.folder().join("board.json");
    let imported = other.draft(&["import", file.to_str().unwrap()]).ok();
    assert_eq!(imported.text(), "imported 1 goal and 4 tickets into board repo\n");
    assert_eq!(placeless(export(&other)), placeless(archive));
    let second = other.draft(&["ticket", "show", "2", "--json"]).ok().json();
    assert_eq!(second["events"][0]["payload"], json!({ "imported": true }));
    assert_eq!(other.draft(&["goal", "show", "greet", "--json"]).ok().json()["tickets"][0]["number"], 2);
    assert_eq!(other.draft(&["ticket", "add", "Next", "--json"]).ok().json()["number"], 5);
}

#[test]
fn what_agents_and_draft_said_stays_and_what_people_said_goes_along() {
    let world = demo_world();
    let secret = "[[say The token is in /home/me/keys]][[fail 3]]";
    planned(&world, "Fail", secret);
    planned(&world, "Check fails", "[[write hello.txt hi]]");
    world.draft(&["ticket", "edit", "2", "--verify", "sh -c 'pwd; exit 4'"]).ok();
    world.draft(&["ticket", "add", "Given up"]).ok();
    world.draft(&["ticket", "move", "3", "abandoned", "--reason", "never wanted"]).ok();
    world.draft(&["run", "--trust"]).exits(1);
    let blocked = world.draft(&["ticket", "show", "1", "--json"]).ok().json();
    assert!(blocked["reason"].as_str().unwrap().len() > 3, "{blocked:#}");
    let archive = export(&world);
    let tickets = archive["tickets"].as_array().unwrap();
    assert_eq!((&tickets[0]["why"], &tickets[0]["reason"]), (&"failed".into(), &"".into()));
    assert_eq!(tickets[2]["reason"], "never wanted");
    let events = tickets.iter().flat_map(|one| one["history"].as_array().unwrap());
    for event in events.filter(|event| event["actor"]["kind"] != "human") {
        assert_eq!(event["reason"], "", "{event}");
    }
    let told = tickets[2]["history"].as_array().unwrap().iter().any(|event| event["reason"] == "never wanted");
    assert!(told, "{archive:#}");
}

#[test]
fn an_agent_that_is_not_here_is_said_and_holds_nothing_up() {
    let world = World::new();
    world.draft(&["ticket", "add", "First", "--agent", "demo"]).ok();
    let text = world.draft(&["export", "-"]).ok().text().replace("\"demo\"", "\"somebody\"");
    assert!(!world.repo().join("-").exists(), "a dash is standard output");
    world.write("board.json", text);
    let imported = world.draft(&["import", "board.json"]).ok();
    assert!(imported.complaint().contains("No agent is called `somebody` here, and #1 in the file"), "{imported:?}");
}

#[test]
fn numbers_that_are_taken_are_given_anew_and_told() {
    let world = world();
    world.draft(&["export", "../board.json"]).ok();
    let dry = world.draft(&["import", "../board.json", "--dry-run"]).ok();
    let said = "would import 1 goal and 4 tickets into board repo\n\
                These numbers are taken here, so the tickets get others:\n\
                \x20   #1 → #6  Say hello\n    #2 → #7  Second\n    #3 → #8  Third\n    #4 → #9  Fourth\n";
    assert_eq!(dry.text(), said);
    assert_eq!(export(&world)["tickets"].as_array().unwrap().len(), 4, "nothing was imported");
    let done = world.draft(&["import", "../board.json", "--json"]).ok().json();
    assert_eq!(
        (&done["dry_run"], &done["tickets"][1]["from"], &done["tickets"][1]["number"]),
        (&false.into(), &2.into(), &7.into())
    );
    assert_eq!(world.draft(&["ticket", "show", "7", "--json"]).ok().json()["blocked_by"], json!([6]));
}

#[test]
fn a_board_goes_through_a_pipe() {
    let world = world();
    let archive = export(&world);
    let other = World::new();
    let script = format!(
        "'{DRAFT}' export | '{DRAFT}' --repo '{}' --data-dir '{}' import -",
        other.repo().display(),
        other.data().display()
    );
    world.start(world.command("sh").args(["-c", &script]).stdin(Stdio::null())).wait().ok();
    assert_eq!(placeless(export(&other)), placeless(archive));
}

#[test]
fn a_file_that_cannot_be_taken_in_changes_nothing() {
    let world = World::new();
    world.draft(&["ticket", "add", "First"]).ok();
    world.draft(&["export", "good.json"]).ok();
    let good: Value = serde_json::from_str(&world.read("good.json")).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut archive = good.clone();
        change(&mut archive);
        archive.to_string()
    };
    for (text, code, says) in [
        (with(&|a| a["version"] = 2.into()), "newer_format", "its version is 2"),
        (with(&|a| a["format"] = "trello".into()), "bad_import", "its format is `trello`"),
        (with(&|a| a["colour"] = "red".into()), "bad_import", "unknown field `colour`"),
        (with(&|a| a["tickets"][0]["title"] = "".into()), "bad_import", "a title cannot be empty"),
        (with(&|a| a["tickets"][0]["after"] = json!([1])), "dependency_cycle", "wait for each other"),
        (with(&|a| a["tickets"][0]["state"] = "executing".into()), "bad_value", "#1 is executing"),
        (with(&|a| a["tickets"][0]["created_at"] = "yesterday".into()), "bad_import", "`yesterday` is no time"),
        ("[]".to_owned(), "bad_import", "it is no board that was exported"),
        (String::new(), "bad_import", "it is no board that was exported"),
    ] {
        world.write("bad.json", &text);
        for args in [&["import", "bad.json", "--json"][..], &["import", "bad.json", "--dry-run", "--json"]] {
            let (found, message, hint) = error_of(&world.draft(args).exits(2));
            assert!(found == code && message.contains(says), "{found}: {message}");
            assert!(hint.contains("Nothing was imported.") || code == "dependency_cycle", "{hint}");
        }
    }
    world.write("bad.json", b"\xff\xfe");
    assert!(error_of(&world.draft(&["import", "bad.json", "--json"]).exits(2)).1.contains("it is not UTF-8 text"));
    assert!(error_of(&world.draft(&["import", "none.json", "--json"]).exits(2)).1.contains("none.json"));
    assert_eq!(export(&world), good);
}

#[test]
fn a_file_is_written_whole_and_over_another_only_when_asked() {
    let world = World::new();
    fs::write(world.repo().join("mine.txt"), "mine").unwrap();
    let (code, message, hint) = error_of(&world.draft(&["export", "mine.txt", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("file_exists", "mine.txt is there already"));
    assert!(hint.contains("--force"));
    assert_eq!(world.read("mine.txt"), "mine");
    assert_eq!(world.draft(&["export", "mine.txt", "--force"]).ok().text(), "exported 0 tickets to mine.txt\n");
    assert!(world.read("mine.txt").starts_with("{\n  \"format\": \"draft-board\",\n"));
    let (code, message, _) = error_of(&world.draft(&["export", "none/board.json", "--json"]).exits(3));
    assert!(code == "io" && message.contains("could not write none/board.json"), "{message}");
    assert_eq!(fs::read_dir(world.repo()).unwrap().count(), 3, "nothing half written is left");
}
