//! What happens without a person: a goal says so, and everything that speaks against it is said on the ticket.

use serde_json::{Value, json};

use crate::support::{Size, World, demo_world_with, until};

/// A world with a goal that lets changes be approved and land, up to so many.
fn world(most: &str) -> World {
    let world = demo_world_with(&["test -d ."]);
    world.draft(&["goal", "add", "Greetings", "--autonomy", "on", "--max-auto-approvals", most]).ok();
    world.draft(&["goal", "edit", "Greetings", "--auto-approve-revisions", "on", "--auto-merge", "on"]).ok();
    world
}

fn file(world: &World, title: &str, script: &str, goal: &[&str]) -> String {
    let base = ["ticket", "add", title, "--description", script, "--state", "planned", "--json"];
    world.draft(&[&base, goal].concat()).ok().json()["number"].to_string()
}

const SERVES: &[&str] = &["--goal", "Greetings"];

#[track_caller]
fn shown(world: &World, ticket: &str) -> Value {
    world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
}

fn goal(world: &World) -> Value {
    world.draft(&["goal", "status", "Greetings", "--json"]).ok().json()
}

/// Returns the events with an action of Draft's own.
fn actions(ticket: &Value) -> Vec<(String, String)> {
    let events = ticket["events"].as_array().unwrap().iter();
    let by_itself = events.filter(|event| event["payload"]["autonomy_action"].is_string());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    by_itself
        .inspect(|event| assert_eq!(event["actor_name"], "autonomy_service"))
        .map(|event| (text(&event["payload"]["autonomy_action"]), text(&event["reason"])))
        .collect()
}

#[test]
fn a_goal_lets_changes_land_until_something_speaks_against_it() {
    let world = world("1");
    // One after the other, so that the first takes the one approval.
    let good = file(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]", SERVES);
    world.draft(&["run", &good, "--trust"]).ok();
    let ticket = shown(&world, &good);
    assert_eq!(ticket["state"], "done", "{ticket:#}");
    assert_eq!(world.read("hello.txt"), "hi\n");
    assert_eq!(
        actions(&ticket),
        [
            ("approve_revision".to_owned(), "Auto-approved revision 1: its check passed; +1 −0 in 1 file".to_owned()),
            ("merge".to_owned(), "Auto-merge of revision 1: its check passed; +1 −0 in 1 file".to_owned()),
        ]
    );
    assert_eq!(ticket["reviews"][0]["author"], "system", "{:#}", ticket["reviews"]);
    assert_eq!(goal(&world)["auto_approval_count"], 1);

    let secret = file(&world, "Keep a secret", "[[write .env KEY=1\\n]][[say done]]", SERVES);
    world.draft(&["goal", "edit", "Greetings", "--max-auto-approvals", "none"]).ok();
    world.draft(&["run", &secret]).ok();
    let ticket = shown(&world, &secret);
    assert_eq!((&ticket["state"], &ticket["why"]), (&json!("needs_human"), &json!("review")));
    assert_eq!(ticket["reason"], "its check passed; waits for you: touches `.env`");
    assert_eq!(actions(&ticket), [("refused".to_owned(), "waits for you: touches `.env`".to_owned())]);

    world.draft(&["goal", "edit", "Greetings", "--max-auto-approvals", "1"]).ok();
    let third = file(&world, "Say bye", "[[write bye.txt bye\\n]][[say done]]", SERVES);
    world.draft(&["run", &third]).ok();
    let ticket = shown(&world, &third);
    assert_eq!(ticket["reason"], "its check passed; waits for you: 1 of 1 automatic approvals are used");
    assert_eq!(goal(&world)["auto_approval_count"], 1);
    let text = world.draft(&["goal", "status", "Greetings"]).ok().text();
    assert!(text.starts_with("Greetings: ready to execute, 1 of 3 done (33%)\n"), "{text}");
    assert!(text.contains("without you: changes are approved, approved changes land; 1 of 1 approvals used"), "{text}");
    assert!(text.contains("#2 waits for you: touches `.env`") && text.contains("#3 waits for you: 1 of 1"), "{text}");
    let waiting = &goal(&world)["waiting"];
    assert_eq!(waiting[0]["number"], 2, "{waiting}");
    world.assert_accounted_for();
}

#[test]
fn what_waits_goes_on_when_its_goal_lets_it_and_once() {
    let world = demo_world_with(&["test -d ."]);
    world.draft(&["goal", "add", "Greetings", "--auto-approve-revisions", "on", "--auto-merge", "on"]).ok();
    let one = file(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]", SERVES);
    let other = file(&world, "Say bye", "[[write bye.txt bye\\n]][[say done]]", SERVES);
    world.draft(&["run", &one, "--trust"]).ok();
    world.draft(&["run", &other]).ok();
    for ticket in [&one, &other] {
        assert_eq!(shown(&world, ticket)["reason"], "its check passed", "the master switch is off");
    }
    world.draft(&["goal", "edit", "Greetings", "--autonomy", "on", "--max-auto-approvals", "1"]).ok();
    // Nothing is planned, and still the next engine finds what may go on: as after a crash.
    world.draft(&["run"]).ok();
    assert_eq!(goal(&world)["progress"]["done"], 1);
    let waiting = &goal(&world)["waiting"];
    assert_eq!(waiting[0]["why"], "1 of 1 automatic approvals are used", "{waiting}");
    // A board that is open hears of it.
    let board = world.draft_in_terminal(Size::new(120, 40), &[]);
    board.until_shows("waits for you:");
    world.draft(&["goal", "edit", "Greetings", "--max-auto-approvals", "2"]).ok();
    until("the other is done too", || goal(&world)["progress"]["done"] == 2);
    assert_eq!(goal(&world)["auto_approval_count"], 2);
    drop(board);
    for ticket in [&one, &other] {
        let done = actions(&shown(&world, ticket));
        let count = |wanted: &str| done.iter().filter(|(action, _)| action == wanted).count();
        assert_eq!((count("approve_revision"), count("merge")), (1, 1), "{done:?}");
    }
}

#[test]
fn a_person_approves_what_waits_and_it_lands_unless_it_is_blocked() {
    let world = world("none");
    let large: String = (0..600).map(|n| format!("line {n}\\n")).collect();
    let large = file(&world, "Say much", &format!("[[write much.txt {large}]][[say done]]"), SERVES);
    let secret = file(&world, "Keep a secret", "[[write .env KEY=1\\n]][[say done]]", SERVES);
    world.draft(&["run", "--trust"]).ok();
    let reason = shown(&world, &large)["reason"].clone();
    assert_eq!(reason, "its check passed; waits for you: 600 lines, and at most 500 are approved without you");
    for ticket in [&large, &secret] {
        world.draft(&["review", ticket, "--approve"]).ok();
    }
    world.draft(&["run"]).ok();
    assert_eq!(shown(&world, &large)["state"], "done");
    let ticket = shown(&world, &secret);
    assert_eq!((&ticket["state"], &ticket["why"]), (&json!("needs_human"), &json!("approved")));
    assert_eq!(ticket["reason"], "revision 1 is approved and waits to land; waits for you: touches `.env`");
    world.draft(&["merge", &secret]).ok();
    assert_eq!(shown(&world, &secret)["state"], "done");
}

#[test]
fn settings_let_tickets_without_a_goal_go_on_but_not_those_of_a_repository() {
    let world = demo_world_with(&["test -d ."]);
    let ticket = file(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]", &[]);
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", format!("{settings}autonomy_config: {{enabled: true, auto_merge: true}}\n"));
    let refused = world.draft(&["run", &ticket, "--trust"]).exits(2);
    assert!(refused.complaint().contains("autonomy_config.enabled"), "{refused:?}");
    world.write("draft.yaml", settings);
    world.draft(&["config", "set", "autonomy_config.enabled", "true", "--user"]).ok();
    world.draft(&["run", &ticket, "--trust"]).ok();
    let shown = shown(&world, &ticket);
    assert_eq!((&shown["state"], &shown["why"]), (&json!("needs_human"), &json!("approved")), "{shown:#}");
    assert_eq!(actions(&shown).len(), 1);
}

#[test]
fn flags_that_nobody_names_stay_as_they_are() {
    let world = world("3");
    let edited = world.draft(&["goal", "edit", "Greetings", "--auto-merge", "off", "--budget", "2.5", "--json"]).ok();
    let edited = edited.json();
    let of = |name: &str| edited[name].clone();
    assert_eq!((of("autonomy_enabled"), of("auto_approve_revisions")), (json!(true), json!(true)));
    assert_eq!((of("auto_merge"), of("max_auto_approvals"), of("budget_usd")), (json!(false), json!(3), json!(2.5)));
    let edited =
        world.draft(&["goal", "edit", "Greetings", "--max-auto-approvals", "none", "--budget", "none", "--json"]);
    let edited = edited.ok().json();
    assert_eq!((&edited["max_auto_approvals"], &edited["budget_usd"]), (&Value::Null, &Value::Null));
    for (flag, value) in [("--max-auto-approvals", "-1"), ("--budget", "much"), ("--autonomy", "maybe")] {
        world.draft(&["goal", "edit", "Greetings", &format!("{flag}={value}")]).exits(2);
    }
}

#[test]
fn a_gate_of_ones_own_runs_like_a_check_and_holds_up_what_would_happen_by_itself() {
    let world = world("none");
    let settings = world.read("draft.yaml");
    world.write("draft.yaml", format!("{settings}autonomy_config: {{custom_gates: [test -e seen.txt]}}\n"));
    world.commit("a gate");
    let without = file(&world, "Say hello", "[[write hello.txt hi\\n]][[say done]]", SERVES);
    world.draft(&["run", &without, "--trust"]).ok();
    let ticket = shown(&world, &without);
    assert_eq!((&ticket["state"], &ticket["why"]), (&json!("needs_human"), &json!("review")));
    let reason = "its check passed; waits for you: the gate `test -e seen.txt` failed on this change";
    assert_eq!(ticket["reason"], reason);
    let evidence = ticket["evidence"].as_array().unwrap();
    let gate = evidence.iter().find(|one| one["command"] == "test -e seen.txt").unwrap();
    assert_eq!((&gate["exit_code"], &gate["tree"]), (&json!(1), &ticket["revisions"][0]["tree"]));

    let with = file(&world, "See it", "[[write seen.txt hi\\n]][[say done]]", SERVES);
    world.draft(&["run", &with]).ok();
    assert_eq!(shown(&world, &with)["state"], "done");
    // On the result, with what landed meanwhile, it passes for the first one too, once that is checked again.
    world.draft(&["config", "set", "autonomy_config.gates.custom", "alert", "--user"]).ok();
    world.draft(&["verify", &without, "--wait"]).ok();
    let ticket = shown(&world, &without);
    assert_eq!(ticket["state"], "done", "{ticket:#}");
    let told = actions(&ticket).into_iter().find(|(action, _)| action == "alert").unwrap();
    assert_eq!(told.1, "worth a look: the gate `test -e seen.txt` failed on this change");
}

#[test]
fn a_gate_holds_up_a_landing_by_itself_on_what_would_be_on_the_target() {
    let world = world("none");
    world.draft(&["goal", "edit", "Greetings", "--auto-merge", "off"]).ok();
    let settings = world.read("draft.yaml");
    let gate = "autonomy_config: {custom_gates: ['test ! -e one.txt -o ! -e two.txt']}";
    world.write("draft.yaml", format!("{settings}{gate}\n"));
    world.commit("not both");
    let one = file(&world, "One", "[[write one.txt 1\\n]][[say done]]", SERVES);
    world.draft(&["run", &one, "--trust"]).ok();
    assert_eq!(shown(&world, &one)["why"], "approved");
    world.write("two.txt", "2\n");
    world.commit("two");
    world.draft(&["goal", "edit", "Greetings", "--auto-merge", "on"]).ok();
    world.draft(&["run"]).exits(1);
    let ticket = shown(&world, &one);
    assert_eq!((&ticket["state"], &ticket["why"]), (&json!("needs_human"), &json!("landing")), "{ticket:#}");
    let reason = ticket["reason"].as_str().unwrap();
    assert!(reason.contains("`test ! -e one.txt -o ! -e two.txt` exited with code 1 on the result"), "{reason}");
    // A person who lands it has decided.
    world.draft(&["merge", &one]).ok();
    assert_eq!(shown(&world, &one)["state"], "done");
}
