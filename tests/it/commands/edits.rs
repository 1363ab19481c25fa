//! `draft ticket edit`, `place` and `remove`, and how a removed ticket comes back.

use serde_json::{Value, json};

use super::{error_of, planned};
use crate::support::{World, demo_world};

fn show(world: &World, id: &str) -> Value {
    world.draft(&["ticket", "show", id, "--json"]).ok().json()
}

fn column(world: &World, state: &str) -> Vec<u64> {
    let listing = world.draft(&["ticket", "list", "--state", state, "--json"]).ok().json();
    listing["tickets"].as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()).collect()
}

#[test]
fn every_field_can_be_changed_and_emptied_again() {
    let world = World::new();
    for title in ["First", "Second"] {
        world.draft(&["ticket", "add", title]).ok();
    }
    let values = "ticket edit 2 --title Better --description More --priority P0 --after 1 --agent demo --model large \
                  --verify make --base-branch release --state planned --json";
    let edited = world.draft(&values.split_whitespace().collect::<Vec<_>>()).ok().json();
    let fields = ["title", "description", "priority", "blocked_by", "agent", "model", "verify", "base_branch", "state"];
    let expected = json!(["Better", "More", 90, [1], "demo", "large", ["make"], "release", "planned"]);
    assert_eq!(json!(fields.map(|field| edited[field].clone())), expected);
    let clear = "ticket edit 2 --json --clear description,priority,after,agent --clear model,verify,base-branch,goal";
    let emptied = world.draft(&clear.split_whitespace().collect::<Vec<_>>()).ok().json();
    let expected = json!(["Better", "", null, [], null, null, [], "main", "planned"]);
    assert_eq!(json!(fields.map(|field| emptied[field].clone())), expected);
    let events = show(&world, "2")["events"].as_array().unwrap().clone();
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["created", "updated", "transitioned", "updated"]);
}

#[test]
fn an_edit_that_changes_nothing_says_so_and_leaves_no_trace() {
    let world = World::new();
    world.draft(&["ticket", "add", "First", "--description", "More"]).ok();
    let same = ["ticket", "edit", "1", "--title", "First", "--description", "More", "--clear", "goal"];
    assert_eq!(world.draft(&same).ok().text(), "#1 is like that already  First\n");
    assert_eq!(show(&world, "1")["events"].as_array().unwrap().len(), 1);
    let text = world.draft(&["ticket", "edit", "1", "--title", "Other", "--state", "planned"]).ok().text();
    assert_eq!(text, "#1 planned  Other\n");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let world = World::new();
    for title in ["First", "Second"] {
        world.draft(&["ticket", "add", title]).ok();
    }
    world.draft(&["ticket", "edit", "2", "--after", "1"]).ok();
    let before = world.draft(&["ticket", "list", "--json"]).ok().json();
    for (args, code, says) in [
        ("ticket edit 9 --title x", "unknown_ticket", "there is no ticket #9"),
        ("ticket edit 1", "usage", "there is nothing to change"),
        ("ticket edit x --title x", "bad_value", "`x` is neither a ticket number"),
        ("ticket edit 1 --priority urgent", "bad_value", "`urgent` is no priority"),
        ("ticket edit 1 --priority P1 --clear priority", "usage", "contradict each other"),
        ("ticket edit 1 --clear title", "usage", "invalid value 'title'"),
        ("ticket edit 1 --goal x", "unknown_goal", "there is no goal `x`"),
        ("ticket edit 1 --after 2", "dependency_cycle", "#1 → #2 → #1"),
        ("ticket edit 1 --after 9", "unknown_ticket", "there is no ticket #9"),
        ("ticket edit 1 --title ", "bad_value", "a title cannot be empty"),
        ("ticket edit 1 --state done", "usage", "invalid value 'done'"),
        ("ticket edit 1 --verify=", "bad_value", "is empty"),
        ("ticket place 1", "usage", "--above <ID>|--below <ID>"),
        ("ticket place 1 --above 2 --below 2", "usage", "cannot be used with"),
        ("ticket place 1 --above 9", "unknown_ticket", "there is no ticket #9"),
        ("ticket remove", "usage", "required arguments were not provided"),
        ("ticket remove 1 9", "unknown_ticket", "there is no ticket #9"),
        ("restore 1", "not_in_trash", "there is no `1` in the trash"),
    ] {
        let mut args: Vec<&str> = args.split(' ').collect();
        args.push("--json");
        let (found, message, hint) = error_of(&world.draft(&args).exits(2));
        assert!(found == code && message.contains(says) && !hint.is_empty(), "{args:?}: {found}: {message}: {hint}");
    }
    assert_eq!(world.draft(&["ticket", "list", "--json"]).ok().json(), before);
}

#[test]
fn tickets_are_placed_by_hand() {
    let world = World::new();
    for title in ["First", "Second", "Third"] {
        world.draft(&["ticket", "add", title]).ok();
    }
    assert_eq!(world.draft(&["ticket", "place", "3", "--above", "1"]).ok().text(), "#3 is 1 of 3 in proposed\n");
    assert_eq!(world.draft(&["ticket", "place", "1", "--below", "2"]).ok().text(), "#1 is 3 of 3 in proposed\n");
    assert_eq!(world.draft(&["ticket", "place", "1", "--below", "2", "--json"]).ok().json()["number"], 1);
    world.draft(&["ticket", "edit", "2", "--priority", "P0"]).ok();
    let (code, message, _) = error_of(&world.draft(&["ticket", "place", "3", "--above", "2", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("bad_value", "#3 is not as urgent as #2"));
}

#[test]
fn a_removed_ticket_comes_back_with_what_its_agent_left() {
    let world = demo_world();
    planned(&world, "Leave something", "[[write hello.txt hi]][[write loose.txt not committed]]");
    planned(&world, "Wait", "");
    world.draft(&["ticket", "edit", "2", "--after", "1"]).ok();
    world.draft(&["run", "1", "--trust"]).ok();
    let before = show(&world, "1");
    let folder = std::path::PathBuf::from(before["worktree"].as_str().unwrap());

    let removed = world.draft(&["ticket", "remove", "1"]).ok();
    assert_eq!(removed.text(), "#1 removed, its worktree is in the trash  Leave something\n");
    assert!(removed.complaint().contains("`draft restore ID` brings a ticket back"), "{removed:?}");
    assert!(!folder.exists());
    assert_eq!(column(&world, "planned"), [2]);
    assert_eq!(show(&world, "2")["waits_for"], "waits for you to run it");
    let (code, message, hint) = error_of(&world.draft(&["ticket", "show", "1", "--json"]).exits(2));
    assert_eq!((code.as_str(), message.as_str()), ("unknown_ticket", "#1 was removed from board repo"));
    assert_eq!(hint, "`draft restore 1` brings it back.");
    assert!(error_of(&world.draft(&["run", "1", "--json"]).exits(2)).1.contains("#1 was removed"));

    let trash = world.draft(&["trash", "--json"]).ok().json();
    assert_eq!((&trash["tickets"][0]["number"], &trash["trash"][0]["ticket"]), (&1.into(), &1.into()));
    let text = world.draft(&["trash"]).ok().text();
    assert!(text.contains("ticket: Leave something") && text.contains("worktree: draft/1-leave-something"), "{text}");

    let text = world.draft(&["restore", "1"]).ok().text();
    assert!(
        text.starts_with("#1 is back in needs_human  Leave something\ndraft/1-leave-something is back in "),
        "{text}"
    );
    assert_eq!(std::fs::read_to_string(folder.join("loose.txt")).unwrap(), "not committed");
    let after = show(&world, "1");
    for field in ["state", "why", "branch", "worktree", "title", "description", "jobs", "revisions", "evidence"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert!(world.draft(&["trash"]).ok().text().contains("The trash is empty."));
    world.assert_nothing_left();
}

#[test]
fn several_tickets_go_at_once_or_none() {
    let world = World::new();
    for title in ["First", "Second", "Third"] {
        world.draft(&["ticket", "add", title, "--state", "planned"]).ok();
    }
    let outcome = world.draft(&["ticket", "remove", "1", "#3", "1", "--json"]).ok();
    let lines: Vec<Value> = outcome.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|one| one["number"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 3]);
    assert!(lines.iter().all(|one| one["removed_at"].is_string()), "{lines:?}");
    assert_eq!(column(&world, "planned"), [2]);
    let back = world.draft(&["restore", "3", "--json"]).ok().json();
    assert_eq!(back, json!({ "ticket": 3, "branch": null, "worktree": null, "base": null }));
    assert_eq!(world.draft(&["ticket", "add", "Fourth", "--json"]).ok().json()["number"], 4, "numbers stay taken");
}

#[test]
fn a_ticket_that_runs_is_not_removed() {
    let world = demo_world();
    planned(&world, "Take long", "[[sleep 600]]");
    let run = world.draft_in_background(&["run", "1", "--trust"]);
    crate::support::until("it runs", || show(&world, "1")["state"] == "executing");
    let (code, message, hint) = error_of(&world.draft(&["ticket", "remove", "1", "--json"]).exits(2));
    assert_eq!(code, "job_active");
    assert_eq!(message, "#1 has a job that is running, so it cannot be removed; nothing was");
    assert_eq!(hint, "`draft cancel 1` stops its execute job.");
    // The rules refuse it too, and fields may change meanwhile.
    assert_eq!(world.draft(&["ticket", "edit", "1", "--title", "Longer", "--json"]).ok().json()["title"], "Longer");
    world.draft(&["cancel", "1"]).ok();
    run.wait().exits(1);
    world.draft(&["ticket", "remove", "1"]).ok();
    world.assert_nothing_left();
}

#[test]
fn a_listing_is_narrowed_by_the_language_of_the_boards_filter() {
    let world = World::new();
    world.draft(&["goal", "add", "Safe arithmetic"]).ok();
    for args in [
        "ticket add First --priority P0 --state planned --goal arithmetic",
        "ticket add Second --agent codex --state planned --after 1",
        "ticket add Third",
    ] {
        world.draft(&args.split(' ').collect::<Vec<_>>()).ok();
    }
    let found = |query: &str| -> Vec<u64> {
        let listing = world.draft(&["ticket", "list", "--json", "--query", query]).ok().json();
        listing["tickets"].as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()).collect()
    };
    for (query, numbers) in [
        ("", &[1, 2, 3][..]),
        ("p0", &[1]),
        ("state:planned", &[1, 2]),
        ("state:planned -waiting", &[1]),
        ("agent:codex", &[2]),
        ("goal:arith", &[1]),
        ("-goal:none", &[1]),
        ("\"third\"", &[3]),
        ("#2", &[2]),
    ] {
        assert_eq!(found(query), numbers, "{query}");
    }
    let (code, message, hint) = error_of(&world.draft(&["ticket", "list", "--json", "--query", "colour:red"]).exits(2));
    assert_eq!(code, "bad_query");
    assert!(message.contains("`colour:` is no filter") && !hint.is_empty(), "{message}");
}
