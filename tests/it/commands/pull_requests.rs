//! `draft pr`: a change is offered on the host of the remote, and its ticket is done when the host says that it is merged.

use std::fs;

use serde_json::Value;

use super::error_of;
use crate::support::hosted::Hosted;
use crate::support::{Size, until};

fn kinds(ticket: &Value) -> Vec<&str> {
    ticket["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

/// From the push to the merge by somebody else, on either kind of host.
fn offer_and_merge(hosted: &Hosted, sign: &str, host: &str) {
    let world = &hosted.world;
    let before = world.git(&["rev-parse", "HEAD"]);
    let ticket = hosted.approved("Say hello", "a.txt");
    let created = world.draft(&["pr", "create", &ticket, "--json"]).ok().json();
    let pull = &created["pull_request"];
    assert_eq!((&pull["number"], &pull["state"], &pull["host"]), (&1.into(), &"open".into(), &host.into()));
    assert_eq!((&pull["base"], &pull["revision"]), (&"main".into(), &1.into()));
    let shown = hosted.show(&ticket);
    assert_eq!((&shown["state"], &shown["why"]), (&"needs_human".into(), &"approved".into()));
    assert_eq!(shown["pull_request"]["url"], pull["url"]);
    let head = shown["revisions"][0]["head"].as_str().unwrap().to_owned();
    let branch = shown["branch"].as_str().unwrap();
    assert_eq!(hosted.far_git(&["rev-parse", branch]), head, "the revision itself is on the branch");
    let text = fs::read_to_string(hosted.state().join("1/body")).unwrap();
    assert!(text.contains("More about it.") && text.contains("Draft-Ticket: 1 ("), "{text}");
    assert_eq!(fs::read_to_string(hosted.state().join("1/title")).unwrap(), "Say hello");

    world.draft(&["pr", "comment", &ticket, "why \"so\"?\nSay it."]).ok();
    let seen = world.draft(&["pr", "show", &ticket, "--json"]).ok().json();
    assert_eq!((&seen["comment_count"], &seen["comments"][0]["author"]), (&1.into(), &"tester".into()));
    assert_eq!(seen["comments"][0]["body"].as_str().unwrap().trim_end(), "why \"so\"?\nSay it.");
    let listed = world.draft(&["pr", "list", "--json"]).ok().json();
    assert_eq!((&listed["pull_requests"][0]["ticket"], &listed["pull_requests"][0]["number"]), (&1.into(), &1.into()));
    assert_eq!(hosted.show(&ticket)["state"], "needs_human", "a look that finds it open moves nothing");

    hosted.merged_there("1");
    let refreshed = world.draft(&["pr", "refresh", &ticket, "--json"]).ok().json();
    let shown = hosted.show(&ticket);
    assert_eq!((&shown["state"], &shown["worktree"]), (&"done".into(), &Value::Null), "{shown:#}");
    assert_eq!(shown["reason"], format!("merged as {sign}1 on {host}"));
    let merged = hosted.far_git(&["rev-parse", "main"]);
    assert_eq!((&refreshed["state"], &refreshed["merge_commit"]), (&"merged".into(), &merged.into()));
    assert!(refreshed["merged_at"].is_string());
    assert!(kinds(&shown).contains(&"merge_succeeded") && kinds(&shown).contains(&"worktree_cleaned"), "{shown:#}");
    assert_eq!(world.git(&["rev-parse", "HEAD"]), before, "the user's checkout is as it was");
    world.assert_nothing_left();
}

#[test]
fn a_pull_request_on_github_goes_from_the_push_to_the_merge() {
    offer_and_merge(&Hosted::on_github(), "#", "github.com");
}

#[test]
fn a_merge_request_on_a_gitlab_of_ones_own_goes_from_the_push_to_the_merge() {
    offer_and_merge(&Hosted::on_gitlab(), "!", "git.example.com");
}

#[test]
fn the_host_merges_the_approved_revision_when_it_is_asked_to() {
    for hosted in [Hosted::on_github(), Hosted::on_gitlab()] {
        let ticket = hosted.changed("Say hello", "a.txt");
        let world = &hosted.world;
        let opened = world.draft(&["review", &ticket, "--approve", "--pr"]).ok().text();
        assert!(opened.contains("/1\n"), "the address is printed: {opened}");
        let refused = world.draft(&["merge", &ticket, "--json"]).exits(2);
        assert_eq!(error_of(&refused).0, "has_pull_request", "it lands in one place");
        let text = world.draft(&["pr", "merge", &ticket]).ok().text();
        assert!(text.contains("#1 is done: merged as "), "{text}");
        assert_eq!(hosted.far_git(&["show", "main:a.txt"]), "made");
    }
}

#[test]
fn a_gitlab_that_only_moves_branches_forward_is_given_the_approved_commits_and_no_other_rebases_them() {
    let hosted = Hosted::on_gitlab();
    let ticket = hosted.approved("Say hello", "a.txt");
    let world = &hosted.world;
    world.draft(&["pr", "create", &ticket]).ok();
    let refused = |why: &str| {
        let before = hosted.far_git(&["rev-parse", "main"]);
        let text = world.draft(&["pr", "merge", &ticket, "--strategy", "rebase"]).exits(1).text();
        assert!(text.contains(why), "{text}");
        assert_eq!(hosted.show(&ticket)["state"], "needs_human");
        assert_eq!(hosted.far_git(&["rev-parse", "main"]), before);
        assert!(!hosted.calls().iter().any(|call| call.starts_with("glab mr merge")), "{:#?}", hosted.calls());
    };
    refused("its merge method is `merge`");
    hosted.tell("merge-method", Some("ff"));
    let first = hosted.far_git(&["rev-parse", "main"]);
    let other = hosted.far_git(&["commit-tree", "-p", "main", "-m", "Somebody else's", "main^{tree}"]);
    hosted.far_git(&["update-ref", "refs/heads/main", &other]);
    refused("its branch is not on top of main");
    hosted.far_git(&["update-ref", "refs/heads/main", &first]);

    let text = world.draft(&["pr", "merge", &ticket, "--strategy", "rebase"]).ok().text();
    assert!(text.contains("#1 is done: merged as "), "{text}");
    let shown = hosted.show(&ticket);
    let head = shown["revisions"][0]["head"].as_str().unwrap();
    assert_eq!(hosted.far_git(&["rev-parse", "main"]), head, "the commits came as they were approved");
    assert_eq!(shown["pull_request"]["merge_commit"], head, "{shown:#}");
    let merges: Vec<String> = hosted.calls().into_iter().filter(|call| call.starts_with("glab mr merge")).collect();
    assert!(merges.len() == 1 && !merges[0].contains("--squash") && merges[0].contains(head), "{merges:?}");
}

#[test]
fn a_merge_that_waits_in_a_queue_is_no_merge() {
    let hosted = Hosted::on_github();
    let ticket = hosted.approved("Say hello", "a.txt");
    hosted.world.draft(&["pr", "create", &ticket]).ok();
    hosted.tell("queue", Some(""));
    let text = hosted.world.draft(&["pr", "merge", &ticket]).exits(1).text();
    assert!(text.contains("github.com was asked to merge #1 and has not yet"), "{text}");
    assert_eq!(hosted.show(&ticket)["state"], "needs_human");
    hosted.tell("queue", None);
    hosted.merged_there("1");
    hosted.world.draft(&["pr", "refresh", &ticket]).ok();
    assert_eq!(hosted.show(&ticket)["state"], "done");
}

#[test]
fn one_that_is_closed_without_a_merge_needs_its_person_and_loses_nothing() {
    let hosted = Hosted::on_github();
    let ticket = hosted.approved("Say hello", "a.txt");
    hosted.world.draft(&["pr", "create", &ticket]).ok();
    let head = hosted.show(&ticket)["revisions"][0]["head"].as_str().unwrap().to_owned();
    hosted.tell("1/oid", Some(&head));
    hosted.tell("1/state", Some("CLOSED"));
    hosted.world.draft(&["pr", "refresh", &ticket]).ok();
    let shown = hosted.show(&ticket);
    assert_eq!((&shown["state"], &shown["why"]), (&"needs_human".into(), &"landing".into()));
    assert_eq!(shown["reason"], "pull request #1 on github.com was closed without a merge");
    assert!(shown["worktree"].is_string(), "its work stays");
    // A new one can be opened, and the change can land here.
    let again = hosted.world.draft(&["pr", "create", &ticket, "--json"]).ok().json();
    assert_eq!(again["pull_request"]["number"], 2);
}

#[test]
fn what_the_host_refuses_is_said_and_the_ticket_stays_as_it_is() {
    let hosted = Hosted::on_github();
    let ticket = hosted.approved("Say hello", "a.txt");
    let text = hosted.world.draft(&["pr", "create", &ticket, "--base", "nowhere"]).exits(1).text();
    assert!(text.contains("Base ref must be a branch"), "{text}");
    let shown = hosted.show(&ticket);
    assert_eq!(
        (&shown["state"], &shown["why"], &shown["pull_request"]),
        (&"needs_human".into(), &"approved".into(), &Value::Null)
    );
    assert!(shown["reason"].as_str().unwrap().starts_with("no pull request was opened: github.com did not do it"));
    hosted.world.draft(&["pr", "create", &ticket]).ok();
}

#[test]
fn an_engine_that_is_killed_between_the_push_and_the_end_opens_one_and_loses_none() {
    for (hosted, place) in [
        (Hosted::on_github(), "create"),
        (Hosted::on_github(), "created"),
        (Hosted::on_gitlab(), "create"),
        (Hosted::on_gitlab(), "created"),
    ] {
        let ticket = hosted.approved("Say hello", "a.txt");
        hosted.tell(&format!("hang-{place}"), Some(""));
        let creating = hosted.world.draft_in_background(&["pr", "create", &ticket]);
        let hangs = hosted.state().join(format!("hangs-{place}"));
        until("the host to be asked", || hangs.exists());
        creating.kill_9();
        hosted.tell(&format!("hang-{place}"), None);
        assert_eq!(hosted.show(&ticket)["pull_request"], Value::Null, "killed before it was stored");
        // Whoever is the engine next goes on.
        hosted.world.draft(&["run"]).ok();
        let shown = hosted.show(&ticket);
        assert_eq!(shown["pull_request"]["number"], 1, "{place}: {shown:#}");
        assert!(!hosted.state().join("2").exists(), "{place}: it was opened twice");
        let jobs = shown["jobs"].as_array().unwrap().iter().filter(|job| job["kind"] == "pull_request").count();
        assert_eq!(jobs, 1, "{place}");
    }
}

#[test]
fn what_is_missing_is_said_before_anything_is_done() {
    let hosted = Hosted::on_github();
    let ticket = hosted.approved("Say hello", "a.txt");
    let create = |code: i32| error_of(&hosted.world.draft(&["pr", "create", &ticket, "--json"]).exits(code));
    hosted.tell("no-login", Some(""));
    let error = create(3);
    assert_eq!(error.0, "no_host");
    assert!(error.1.contains("run `gh auth login --hostname github.com`"), "{error:?}");
    hosted.tell("no-login", None);
    hosted.world.git(&["remote", "set-url", "origin", "https://codeberg.org/acme/shop.git"]);
    let error = create(3);
    assert!(error.1.contains("git_host_config.gitlab_hosts"), "{error:?}");
    hosted.world.git(&["remote", "remove", "origin"]);
    let error = create(3);
    assert!(error.1.contains("no remote `origin`"), "{error:?}");
    hosted.world.git(&["remote", "add", "origin", "https://github.com/acme/shop.git"]);
    fs::remove_file(hosted.world.folder().join("bin/gh")).unwrap();
    let error = create(3);
    assert!(error.1.contains("`gh`, which speaks to github.com, is not installed"), "{error:?}");
    let shown = hosted.show(&ticket);
    assert_eq!(shown["pull_request"], Value::Null);
    assert!(shown["jobs"].as_array().unwrap().iter().all(|job| job["kind"] != "pull_request"), "{shown:#}");
    assert_eq!(hosted.far_git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main", "nothing was pushed");

    let filed = hosted.world.draft(&["ticket", "add", "Nothing yet", "--json"]).ok().json()["number"].to_string();
    let refused = hosted.world.draft(&["pr", "create", &filed, "--json"]).exits(2);
    assert!(error_of(&refused).1.contains("has no change to offer"));
    let none = hosted.world.draft(&["pr", "refresh", &filed, "--json"]).exits(2);
    assert_eq!(error_of(&none).0, "no_pull_request");
}

#[test]
fn a_host_that_does_not_answer_changes_nothing_but_the_note_that_it_does_not() {
    let hosted = Hosted::on_github();
    let ticket = hosted.approved("Say hello", "a.txt");
    hosted.world.draft(&["pr", "create", &ticket]).ok();
    let before = hosted.show(&ticket);
    for (sign, says) in [("rate-limited", "wants to be asked less often"), ("unreachable", "error connecting")] {
        hosted.tell(sign, Some(""));
        let pull = hosted.world.draft(&["pr", "refresh", &ticket, "--json"]).exits(1).json();
        assert!(pull["error"].as_str().unwrap().contains(says), "{pull}");
        assert_eq!((&pull["state"], &pull["looked_at"]), (&"open".into(), &before["pull_request"]["looked_at"]));
        hosted.tell(sign, None);
    }
    let after = hosted.show(&ticket);
    assert_eq!(
        (&after["state"], &after["why"], &after["reason"]),
        (&before["state"], &before["why"], &before["reason"])
    );
    let pull = hosted.world.draft(&["pr", "refresh", &ticket, "--json"]).ok().json();
    assert_eq!(pull["error"], Value::Null);
}

#[test]
fn what_somebody_else_pushed_is_said_never_overwritten_and_never_merged_by_us() {
    let hosted = Hosted::on_github();
    let world = &hosted.world;
    let ticket = hosted.approved("Say hello", "a.txt");
    world.draft(&["pr", "create", &ticket]).ok();
    let shown = hosted.show(&ticket);
    let (branch, ours) = (shown["branch"].as_str().unwrap(), shown["revisions"][0]["head"].as_str().unwrap());
    let tree = hosted.far_git(&["rev-parse", &format!("{ours}^{{tree}}")]);
    let theirs = hosted.far_git(&["commit-tree", "-p", ours, "-m", "theirs", &tree]);
    hosted.far_git(&["update-ref", &format!("refs/heads/{branch}"), &theirs]);
    // Nobody has seen it here yet, and the host is asked to compare.
    let text = world.draft(&["pr", "merge", &ticket]).exits(1).text();
    assert!(text.contains("is not the approved revision, so it was not merged"), "{text}");
    world.draft(&["pr", "refresh", &ticket]).ok();
    let refused = world.draft(&["pr", "merge", &ticket, "--json"]).exits(2);
    assert!(error_of(&refused).1.contains("somebody pushed"), "{:?}", error_of(&refused));
    let lines = world.draft(&["pr", "show", &ticket]).ok().text();
    assert!(lines.contains(&format!("its branch is at {} by now", &theirs[..12])), "{lines}");
    // A further revision does not go over it.
    let path = shown["worktree"].as_str().unwrap();
    fs::write(format!("{path}/b.txt"), "more\n").unwrap();
    world.draft(&["resume", &ticket, "--wait"]).ok();
    let text = world.draft(&["pr", "push", &ticket]).exits(1).text();
    assert!(text.contains("which Draft did not push, so it stays"), "{text}");
    assert_eq!(hosted.far_git(&["rev-parse", branch]), theirs);
}

#[test]
fn a_later_revision_is_pushed_to_the_branch_of_the_one_that_is_open() {
    let hosted = Hosted::on_github();
    let world = &hosted.world;
    let ticket = hosted.changed("Say hello", "a.txt");
    world.draft(&["pr", "create", &ticket, "--draft", "--title", "Say it", "--body", "short"]).ok();
    assert_eq!(fs::read_to_string(hosted.state().join("1/draft")).unwrap(), "true");
    assert_eq!(fs::read_to_string(hosted.state().join("1/body")).unwrap(), "short");
    let same = world.draft(&["pr", "push", &ticket, "--json"]).exits(2);
    assert!(error_of(&same).1.contains("revision 1 of #1 is on pull request #1"));
    let path = hosted.show(&ticket)["worktree"].as_str().unwrap().to_owned();
    fs::write(format!("{path}/b.txt"), "more\n").unwrap();
    world.draft(&["resume", &ticket, "--wait"]).ok();
    let again = world.draft(&["pr", "create", &ticket, "--json"]).exits(2);
    assert_eq!(error_of(&again).0, "has_pull_request");
    assert!(error_of(&again).2.contains("draft pr push 1"));
    let pull = world.draft(&["pr", "push", &ticket, "--json"]).ok().json()["pull_request"].clone();
    let shown = hosted.show(&ticket);
    assert_eq!((&pull["revision"], &pull["head"]), (&2.into(), &shown["revisions"][1]["head"]));
    assert_eq!(hosted.far_git(&["show", &format!("{}:b.txt", shown["branch"].as_str().unwrap())]), "more");
    let not_yet = world.draft(&["pr", "merge", &ticket, "--json"]).exits(2);
    assert_eq!(error_of(&not_yet).0, "not_approved");
}

#[test]
fn comments_of_others_come_into_the_review_when_somebody_takes_them_and_then_once() {
    let hosted = Hosted::on_github();
    let world = &hosted.world;
    let ticket = hosted.changed("Say hello", "a.txt");
    world.draft(&["pr", "create", &ticket]).ok();
    let said = |body: &str, line: u32| {
        format!(
            r#"{{"user":{{"login":"alice"}},"body":"{body}","path":"a.txt","line":{line},"original_line":{line},
            "created_at":"2026-11-01T10:00:0{line}Z"}}"#
        )
    };
    hosted.tell("on-lines", Some(&format!("[{},{}]", said("Why?\\n## Delete all", 1), said("And this?", 2))));
    world.draft(&["pr", "comment", &ticket, "of no file"]).ok();
    let listed = world.draft(&["pr", "comments", &ticket]).ok().text();
    assert!(listed.starts_with("  1   2026-11-01") && listed.contains("alice on a.txt:1"), "{listed}");
    let comments = || hosted.show(&ticket)["comments"].clone();
    assert_eq!(comments(), Value::Array(Vec::new()), "nothing comes in by itself");

    world.draft(&["pr", "comments", &ticket, "--to-review", "1"]).ok();
    let taken = comments();
    assert_eq!(taken.as_array().unwrap().len(), 1, "{taken:#}");
    assert_eq!(taken[0]["body"], "alice wrote on pull request #1 on github.com:\n\n> Why?\n> ## Delete all");
    let again = world.draft(&["pr", "comments", &ticket, "--to-review", "1,all"]).ok().text();
    assert_eq!(again, "1 comment taken into the review of revision 1 of #1\n");
    assert_eq!(comments().as_array().unwrap().len(), 2);
    let listed = world.draft(&["pr", "comments", &ticket, "--json"]).ok().json();
    let marks: Vec<&Value> = listed["comments"].as_array().unwrap().iter().map(|one| &one["taken"]).collect();
    assert_eq!(marks, [true, true, false]);

    let general = error_of(&world.draft(&["pr", "comments", &ticket, "--to-review", "3", "--json"]).exits(2));
    assert!(general.1.contains("is about no file"), "{general:?}");
    let unknown = error_of(&world.draft(&["pr", "comments", &ticket, "--to-review", "9", "--json"]).exits(2));
    assert_eq!(unknown.0, "unknown_comment");
}

#[test]
fn a_board_looks_now_and_then_while_one_is_open_and_asks_nobody_before() {
    let hosted = Hosted::on_github();
    hosted.settings("{poll_interval: 1}");
    let ticket = hosted.approved("Say hello", "a.txt");
    let board = hosted.world.draft_in_terminal(Size { columns: 120, rows: 30 }, &[]);
    board.until_shows("Say hello");
    assert_eq!(hosted.calls(), Vec::<String>::new(), "nothing is open, so nobody is asked");
    hosted.world.draft(&["pr", "create", &ticket]).ok();
    let views = || hosted.calls().iter().filter(|call| call.contains("pr view 1")).count();
    board.until_shows("PR #1");
    let before = views();
    until("a look", || views() > before + 1);
    hosted.merged_there("1");
    until("the ticket to be done", || hosted.show(&ticket)["state"] == "done");
}
