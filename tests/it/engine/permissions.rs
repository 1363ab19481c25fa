//! What agents may do: disabled, allowed and refused, as the user's settings say, and nobody else.

use serde_json::json;

use super::Yard;

/// Makes a yard whose agent writes down with what it was started.
fn yard(settings: &str) -> Yard {
    let yard = Yard::new();
    let well = r#"printf '{"type":"result","subtype":"success","is_error":false,"result":"Done."}\n'"#;
    yard.world.install("claude", &yard.script(&format!("echo \"$*\" >> @calls\nprintf x > a.txt\n{well}")));
    yard.settings(settings);
    yard.import(&[json!({ "title": "Ticket", "state": "planned", "agent": "claude" })]);
    yard
}

fn assert_refused(yard: &Yard, reason: &str) {
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("needs_human (refused)", reason);
    assert_eq!(shown.jobs("execute")[0]["status"], "succeeded", "what was asked of the job is answered");
    assert!(yard.journal("calls").is_empty(), "no agent was started: {:?}", yard.journal("calls"));
}

#[test]
fn an_agent_may_edit_files_unless_its_user_allowed_everything() {
    let yard = yard("");
    yard.run(&[]).ok();
    assert!(yard.journal("calls")[0].contains("--permission-mode acceptEdits"), "{:?}", yard.journal("calls"));
}

#[test]
fn everything_is_allowed_in_a_listed_folder_whatever_way_leads_there() {
    let yard = yard("");
    let link = yard.sign("link");
    std::os::unix::fs::symlink(yard.world.repo().parent().unwrap(), &link).unwrap();
    yard.settings(&format!("  yolo_mode: true\n  yolo_allowlist: ['{}']\n", link.display()));
    yard.run(&[]).ok();
    assert!(yard.journal("calls")[0].contains("--dangerously-skip-permissions"), "{:?}", yard.journal("calls"));
}

#[test]
fn everything_without_a_folder_that_covers_the_repository_starts_no_agent_and_says_what_to_do() {
    assert_refused(&yard("  yolo_mode: true\n"), "names no folder that exists; add the folders that you trust");
    assert_refused(&yard("  yolo_mode: true\n  yolo_allowlist: [/usr/share]\n"), "is in none of the trusted folders");
}

#[test]
fn a_repository_cannot_allow_its_agents_anything() {
    let yard = yard("");
    yard.world.write("draft.yaml", "execute_config: {yolo_mode: true, yolo_allowlist: [/]}\n");
    yard.world.commit("more room");
    let refused = yard.run(&["--trust"]).exits(2);
    assert!(refused.complaint().contains("yours to decide"), "{refused:?}");
    assert!(yard.journal("calls").is_empty());
}
