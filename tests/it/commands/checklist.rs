//! `draft checklist`: what must be true before a change lands, who ticked what, and how it is taken back.

use serde_json::{Value, json};

use super::error_of;
use crate::support::{World, demo_world};

const SCRIPT: &str = "[[write migrations/0002_users.sql create\\n]][[write other.txt hi\\n]][[say done]]";

/// Returns a world with a change that waits for its review.
fn reviewable() -> World {
    let world = demo_world();
    // What the check wants stays there when a change goes.
    world.write("hello.txt", "hi\n");
    world.commit("what the check wants");
    world.draft(&["ticket", "add", "Say hello", "--description", SCRIPT, "--state", "planned"]).ok();
    world.draft(&["run", "1", "--trust"]).ok();
    world
}

#[track_caller]
fn asked(world: &World, code: i32) -> Value {
    world.draft(&["checklist", "1", "--json"]).exits(code).json()
}

#[test]
fn boxes_are_ticked_by_name_and_the_exit_code_says_whether_it_is_ready() {
    let world = reviewable();
    let list = asked(&world, 1);
    assert_eq!((&list["all_tests_passed"], &list["ready"]), (&json!(true), &json!(false)));
    assert_eq!((&list["total_files_changed"], &list["budget_exceeded"]), (&json!(2), &json!(false)));
    world.draft(&["checklist", "1", "--tick", "code_reviewed,no_sensitive_data"]).ok();
    let text = world.draft(&["checklist", "1", "--tick", "rollback_plan_understood"]).ok().text();
    assert!(text.starts_with("#1 checklist of revision 1: ready to land\n"), "{text}");
    let list = asked(&world, 0);
    let ticked = |list: &Value, at: usize| (list["boxes"][at]["ticked"].clone(), list["boxes"][at]["by"].clone());
    assert_eq!((ticked(&list, 0), ticked(&list, 3)), ((json!(true), json!("human")), (json!(false), Value::Null)));
    world.draft(&["checklist", "1", "--untick", "code_reviewed"]).ok();
    assert_eq!(asked(&world, 1)["open"], json!(["`code_reviewed` is not ticked"]));
    let events = world.draft(&["ticket", "show", "1"]).ok().text();
    assert!(events.contains("checklist of revision 1: took the tick from code_reviewed"), "{events}");

    let (code, ..) =
        error_of(&world.draft(&["checklist", "1", "--revision", "2", "--tick", "code_reviewed", "--json"]).exits(2));
    assert_eq!(code, "already_reviewed");
    let wrong = world.draft(&["checklist", "1", "--tick", "code_review"]).exits(2);
    assert!(wrong.complaint().contains("code_reviewed"), "{wrong:?}");
    world.draft(&["ticket", "add", "Nothing yet"]).ok();
    let (code, ..) = error_of(&world.draft(&["checklist", "2", "--json"]).exits(2));
    assert_eq!(code, "unknown_revision");
}

#[test]
fn a_landing_waits_for_the_checklist_where_that_is_wanted_and_names_what_is_open() {
    let world = reviewable();
    world.draft(&["review", "1", "--approve"]).ok();
    world.draft(&["config", "set", "merge_config.require_checklist", "true", "--on-board"]).ok();
    let (code, message, hint) = error_of(&world.draft(&["merge", "1", "--json"]).exits(2));
    assert_eq!(code, "checklist_open");
    assert!(message.contains("`no_sensitive_data` is not ticked"), "{message}");
    assert!(hint.contains("draft checklist 1"), "{hint}");
    assert_eq!(asked(&world, 1)["required"], json!(true));
    world.draft(&["checklist", "1", "--tick", "code_reviewed,no_sensitive_data,rollback_plan_understood"]).ok();

    let plan = |list: &Value| list["rollback_plan"].clone();
    let before = plan(&asked(&world, 0));
    let kinds =
        |plan: &Value| plan["steps"].as_array().unwrap().iter().map(|step| step["kind"].clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&before), [json!("take_back"), json!("undo_migrations")]);
    assert_eq!((&before["risk_level"], &before["requires_human"]), (&json!("high"), &json!(true)));
    world.draft(&["merge", "1"]).ok();
    let commit = world.git(&["rev-parse", "--short=12", "HEAD"]);
    let after = plan(&asked(&world, 0));
    let [back, migrations] = [&after["steps"][0], &after["steps"][1]];
    assert_eq!(back["commands"], json!(["draft revert 1"]));
    assert!(back["text"].as_str().unwrap().contains(&format!("commit {commit} on main")), "{back}");
    assert_eq!(migrations["commands"], json!([format!("git show {commit}:migrations/0002_users.sql")]));
    assert_eq!(world.git(&["show", &format!("{commit}:migrations/0002_users.sql")]), "create");
    let (code, ..) = error_of(&world.draft(&["checklist", "1", "--untick", "code_reviewed", "--json"]).exits(2));
    assert_eq!(code, "already_reviewed", "what landed keeps its list");

    world.draft(&["revert", "1"]).ok();
    assert_eq!(plan(&asked(&world, 0))["steps"][0]["commands"], json!(["draft merge 2"]));
}
