//! How answers of the two programs are read, and what they are asked, with programs that print what the real ones do.

use std::ffi::OsStr;

use super::*;
use crate::domain::pull_request::{HostChecks, PullState, ReviewDecision};
use crate::git::testing::{Sandbox, executable};

fn which() -> Which {
    Which { remote: "origin".into(), provider: None, github_hosts: Vec::new(), gitlab_hosts: Vec::new() }
}

/// A sandbox whose remote has this address.
fn sandbox(url: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.args(&sandbox.main(), ["remote", "add", "origin", url]);
    sandbox
}

/// Asks a program that writes its arguments and input into files and then does this.
fn with<T>(url: &str, tool: &str, script: &str, ask: impl FnOnce(&Host<'_>) -> T) -> (T, String) {
    let sandbox = sandbox(url);
    let bin = sandbox.dir().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let asked = sandbox.dir().join("asked");
    let text = format!(
        "#!/bin/sh\nfor arg; do printf '%s\\n' \"$arg\"; done >>{0}\necho \"$NO_COLOR$GH_PROMPT_DISABLED\" >>{0}\n{script}\n",
        asked.display()
    );
    executable(&bin.join(tool), &text);
    let repo = sandbox.repo();
    let host = Host::of(&repo, project(&repo, &which()).unwrap(), bin.as_os_str()).unwrap();
    let answer = ask(&host);
    (answer, std::fs::read_to_string(asked).unwrap_or_default())
}

const GITHUB: &str = "git@github.com:acme/shop.git";
const GITLAB: &str = "https://gitlab.com/group/sub/tool.git";

const PULL: &str = r#"{"number":12,"url":"https://github.com/acme/shop/pull/12","state":"OPEN","isDraft":false,
"headRefName":"draft/3-x","headRefOid":"aaaa","baseRefName":"main","createdAt":"2026-11-30T10:00:00Z","mergedAt":null,
"mergeCommit":null,"reviewDecision":"REVIEW_REQUIRED","isCrossRepository":false,"statusCheckRollup":[
{"__typename":"CheckRun","name":"build","status":"COMPLETED","conclusion":"SUCCESS"},
{"__typename":"CheckRun","name":"lint","status":"COMPLETED","conclusion":"SKIPPED"},
{"__typename":"CheckRun","name":"test","status":"IN_PROGRESS","conclusion":""},
{"__typename":"StatusContext","context":"ci/old","state":"FAILURE"}]}"#;

fn print(text: &str) -> String {
    format!("cat <<'END'\n{text}\nEND")
}

#[test]
fn a_pull_request_of_github_is_read() {
    let (seen, asked) = with(GITHUB, "gh", &print(PULL), |host| host.see(12).unwrap());
    let begin = "pr\nview\n12\n--repo\ngithub.com/acme/shop\n--json\nnumber,url,state,";
    assert!(asked.starts_with(begin) && asked.ends_with("\n11\n"), "{asked}");
    let expected = Seen {
        number: 12,
        url: "https://github.com/acme/shop/pull/12".into(),
        state: PullState::Open,
        draft: false,
        branch: "draft/3-x".into(),
        base: "main".into(),
        head: "aaaa".into(),
        checks: HostChecks { passed: 2, failed: 1, pending: 1 },
        review: Some(ReviewDecision::ReviewRequired),
        merge_commit: None,
        created_at: Some(crate::domain::time::Timestamp(1_796_032_800_000)),
        merged_at: None,
    };
    assert_eq!(seen, expected);
}

#[test]
fn a_merged_one_has_its_commit_and_its_time() {
    let text = PULL
        .replace("\"OPEN\"", "\"MERGED\"")
        .replace("\"mergedAt\":null", "\"mergedAt\":\"2026-11-30T10:00:01Z\"")
        .replace("\"mergeCommit\":null", "\"mergeCommit\":{\"oid\":\"bbbb\"}")
        .replace("\"REVIEW_REQUIRED\"", "\"\"");
    let (seen, _) = with(GITHUB, "gh", &print(&text), |host| host.see(12).unwrap());
    assert_eq!((seen.state, seen.review, seen.merge_commit.as_deref()), (PullState::Merged, None, Some("bbbb")));
    assert_eq!(seen.merged_at.unwrap().0, 1_796_032_801_000);
}

#[test]
fn only_an_open_one_of_this_project_is_taken_for_that_of_a_branch() {
    let fork = PULL.replace("\"isCrossRepository\":false", "\"isCrossRepository\":true").replace("12", "11");
    let text = format!("[{fork},{PULL}]");
    let (seen, asked) = with(GITHUB, "gh", &print(&text), |host| host.open_of("draft/3-x").unwrap());
    assert_eq!(seen.unwrap().number, 12);
    assert!(asked.contains("--head\ndraft/3-x\n--state\nopen\n"), "{asked}");
    let (none, _) = with(GITHUB, "gh", &print("[]"), |host| host.open_of("draft/3-x").unwrap());
    assert_eq!(none, None);
}

#[test]
fn the_comments_of_github_come_from_three_places_in_order_of_time() {
    let talk = r#"{"comments":[{"author":{"login":"ann"},"authorAssociation":"MEMBER","body":"second",
        "createdAt":"2026-11-30T10:02:00Z"}],"reviews":[{"author":{"login":"bob"},"body":"","state":"APPROVED",
        "submittedAt":"2026-11-30T10:04:00Z"},{"author":null,"body":"first","state":"COMMENTED",
        "submittedAt":"2026-11-30T10:01:00Z"}]}"#;
    let lines = r#"[{"user":{"login":"cid"},"body":"third","path":"src/a.rs","line":null,"original_line":7,
        "created_at":"2026-11-30T10:03:00Z"}]"#;
    let script = format!("if [ \"$1\" = api ]; then {}\nelse {}\nfi", print(lines), print(talk));
    let (remarks, asked) = with(GITHUB, "gh", &script, |host| host.remarks(12).unwrap());
    let short: Vec<String> = remarks
        .iter()
        .map(|one| {
            format!("{} {} {}:{}", one.author, one.body, one.path.as_deref().unwrap_or(""), one.line.unwrap_or(0))
        })
        .collect();
    assert_eq!(short, ["ghost first :0", "ann second :0", "cid third src/a.rs:7"]);
    assert!(asked.contains("api\n--hostname\ngithub.com\nrepos/acme/shop/pulls/12/comments?"), "{asked}");
}

#[test]
fn a_merge_request_of_gitlab_is_read_through_its_rest_interface() {
    let text = r#"{"iid":5,"web_url":"https://gitlab.com/group/sub/tool/-/merge_requests/5","state":"merged","draft":false,
        "source_branch":"draft/3-x","target_branch":"main","sha":"aaaa","created_at":"2026-11-30T10:00:00.123Z",
        "merged_at":"2026-11-30T11:00:00.000+01:00","merge_commit_sha":null,"squash_commit_sha":"cccc",
        "detailed_merge_status":"not_open","head_pipeline":{"id":1,"status":"success"},"source_project_id":1,
        "target_project_id":1}"#;
    let (seen, asked) = with(GITLAB, "glab", &print(text), |host| host.see(5).unwrap());
    assert!(
        asked.starts_with("api\n--hostname\ngitlab.com\nprojects/group%2Fsub%2Ftool/merge_requests/5\n"),
        "{asked}"
    );
    assert_eq!((seen.number, seen.state, seen.merge_commit.as_deref()), (5, PullState::Merged, Some("cccc")));
    assert_eq!(seen.checks, HostChecks { passed: 1, failed: 0, pending: 0 });
    assert_eq!(seen.merged_at.unwrap().0, 1_796_032_800_000);
}

#[test]
fn the_notes_of_gitlab_are_comments_but_for_its_own() {
    let text = r#"[{"author":{"username":"ann"},"body":"why?","created_at":"2026-11-30T10:01:00Z","system":false,
        "resolvable":true,"resolved":true,"position":{"new_path":"a.rs","old_path":"a.rs","new_line":3,"old_line":null}},
        {"author":{"username":"ann"},"body":"added 1 commit","created_at":"2026-11-30T10:02:00Z","system":true}]"#;
    let (remarks, _) = with(GITLAB, "glab", &print(text), |host| host.remarks(5).unwrap());
    assert_eq!(remarks.len(), 1);
    let one = &remarks[0];
    assert_eq!(
        (one.author.as_str(), one.path.as_deref(), one.line, one.resolved),
        ("ann", Some("a.rs"), Some(3), true)
    );
}

#[test]
fn a_merge_names_the_commit_that_was_approved() {
    let (_, asked) = with(GITHUB, "gh", "", |host| host.merge(12, Strategy::Squash, "aaaa").unwrap());
    assert!(asked.contains("--squash\n--match-head-commit\naaaa\n"), "{asked}");
    let (_, asked) = with(GITLAB, "glab", "", |host| host.merge(5, Strategy::Merge, "aaaa").unwrap());
    assert!(asked.contains("--sha\naaaa\n--auto-merge=false\n--yes\n") && !asked.contains("squash"), "{asked}");
}

#[test]
fn gitlab_rebases_where_that_brings_the_approved_commits_and_no_others() {
    let rebase = |method: &str, status: &str| {
        let request = format!(
            r#"{{"iid":5,"web_url":"u","state":"opened","source_branch":"x","target_branch":"main","sha":"aaaa",
            "detailed_merge_status":"{status}"}}"#
        );
        let script = format!(
            "case \"$4\" in\n*/merge_requests/5)\n{}\n;;\nprojects/group%2Fsub%2Ftool)\n{}\n;;\nesac",
            print(&request),
            print(&format!(r#"{{"id":1,"merge_method":"{method}"}}"#))
        );
        let (answer, asked) = with(GITLAB, "glab", &script, |host| host.merge(5, Strategy::Rebase, "aaaa"));
        let is_merged = asked.contains("mr\nmerge\n5\n");
        assert_eq!(answer.is_ok(), is_merged, "{asked}");
        assert!(!is_merged || asked.contains("--sha\naaaa\n") && !asked.contains("--rebase"), "{asked}");
        answer.map_err(|error| error.to_string())
    };
    rebase("ff", "mergeable").unwrap();
    let behind = rebase("ff", "need_rebase").unwrap_err();
    assert!(behind.contains("is not on top of main") && behind.contains("bring the change up to date"), "{behind}");
    for method in ["merge", "rebase_merge"] {
        let joined = rebase(method, "mergeable").unwrap_err();
        assert!(joined.contains(method) && joined.contains("choose squash or merge"), "{joined}");
    }
}

#[test]
fn what_a_program_complains_about_is_told_apart() {
    let fail = |tool: &str, code: u8, said: &str| {
        let url = if tool == "gh" { GITHUB } else { GITLAB };
        with(url, tool, &format!("echo '{said}' >&2; exit {code}"), |host| host.see(1).unwrap_err()).0
    };
    let no_login = "To get started with GitHub CLI, please run:  gh auth login";
    assert!(matches!(fail("gh", 4, no_login), HostError::NotLoggedIn { .. }));
    assert!(matches!(fail("glab", 1, "glab: 401 Unauthorized (HTTP 401)"), HostError::NotLoggedIn { .. }));
    let limited = "GraphQL: API rate limit exceeded for user ID 1.";
    assert!(matches!(fail("gh", 1, limited), HostError::RateLimited { .. }));
    let missing = "GraphQL: Could not resolve to a PullRequest with the number of 1. (repository.pullRequest)";
    let error = fail("gh", 1, missing);
    assert!(matches!(error, HostError::Failed { .. }));
    assert!(error.to_string().starts_with("github.com did not do it: GraphQL: Could not resolve"), "{error}");
}

#[test]
fn an_answer_that_is_no_json_is_strange_and_one_without_an_end_is_stopped() {
    let (strange, _) = with(GITHUB, "gh", "echo hello", |host| host.see(1).unwrap_err());
    assert!(matches!(strange, HostError::Strange { .. }), "{strange}");
    let (much, _) = with(GITHUB, "gh", "exec yes", |host| host.see(1).unwrap_err());
    assert!(much.to_string().contains("more than"), "{much}");
}

#[test]
fn the_kind_of_host_follows_from_the_machine_alone() {
    let of = |url: &str, which: &Which| project(&sandbox(url).repo(), which);
    let known = |url: &str| of(url, &which()).unwrap().provider;
    assert_eq!(known("https://github.com/gitlab/gitlab.git"), Provider::GitHub);
    assert_eq!(known("git@gitlab.com:github/github.git"), Provider::GitLab);
    assert_eq!(known("https://acme.ghe.com/a/b"), Provider::GitHub);
    let own = "git@git.example.com:github/shop.git";
    let error = of(own, &which()).unwrap_err();
    assert!(error.to_string().contains("git_host_config.gitlab_hosts"), "{error}");
    let named = Which { gitlab_hosts: vec!["GIT.example.com".into()], ..which() };
    assert_eq!(of(own, &named).unwrap().provider, Provider::GitLab);
    let forced = Which { provider: Some(Provider::GitHub), ..which() };
    assert_eq!(of(own, &forced).unwrap().provider, Provider::GitHub);
    assert!(matches!(of("/srv/github.com/a/b", &which()), Err(HostError::NoProject(_))));
    let other = Which { remote: "upstream".into(), ..which() };
    assert!(matches!(of(own, &other), Err(HostError::NoRemote(_))));
}

#[test]
fn a_program_that_is_not_there_says_how_to_get_it() {
    let sandbox = sandbox(GITHUB);
    let repo = sandbox.repo();
    let error = Host::of(&repo, project(&repo, &which()).unwrap(), OsStr::new("bin:/nowhere")).unwrap_err();
    assert!(matches!(error, HostError::NotInstalled { .. }) && error.is_about_setup());
    assert!(error.to_string().contains("https://cli.github.com"), "{error}");
}

#[test]
fn the_number_is_read_from_the_address_that_is_printed() {
    let said = "Creating pull request for draft/3-x into main\nhttps://github.com/acme/shop/pull/12\n";
    assert_eq!(number_in(said), Some(12));
    assert_eq!(number_in("!5 a title (draft/3-x)\n https://gitlab.com/g/t/-/merge_requests/5\n"), Some(5));
    assert_eq!(number_in("nothing"), None);
}
