//! GitHub, asked with `gh`. Only fields are asked for that `gh pr view --json` has; whether it is merged is its state.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Host, HostError, NewPull, READ, WRITE};
use crate::domain::landing::Strategy;
use crate::domain::pull_request::{HostChecks, PullState, Remark, ReviewDecision, Seen};

const FIELDS: &str = "number,url,state,isDraft,headRefName,headRefOid,baseRefName,createdAt,mergedAt,mergeCommit,\
                      reviewDecision,statusCheckRollup,isCrossRepository";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    number: u64,
    url: String,
    state: String,
    is_draft: bool,
    head_ref_name: String,
    head_ref_oid: String,
    base_ref_name: String,
    created_at: Option<DateTime<Utc>>,
    merged_at: Option<DateTime<Utc>>,
    merge_commit: Option<Commit>,
    #[serde(default)]
    review_decision: String,
    #[serde(default)]
    status_check_rollup: Option<Vec<Check>>,
    #[serde(default)]
    is_cross_repository: bool,
}

#[derive(Debug, Deserialize)]
struct Commit {
    oid: String,
}

/// A check run has a status and a conclusion; a commit status has a state.
#[derive(Debug, Deserialize)]
struct Check {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Author {
    login: String,
}

#[derive(Debug, Deserialize)]
struct Talk {
    comments: Vec<Comment>,
    reviews: Vec<Review>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    author: Option<Author>,
    body: String,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    author: Option<Author>,
    body: String,
    submitted_at: Option<DateTime<Utc>>,
}

/// A comment on a line, as the REST interface has it.
#[derive(Debug, Deserialize)]
struct OnLine {
    user: Option<Author>,
    body: String,
    path: String,
    line: Option<u32>,
    original_line: Option<u32>,
    created_at: DateTime<Utc>,
}

pub(super) fn see(host: &Host<'_>, number: u64) -> Result<Seen, HostError> {
    let (number, repo) = (number.to_string(), repo(host));
    let call = host.call(["pr", "view", &number, "--repo", &repo, "--json", FIELDS], READ);
    host.ask_for_one::<Pull>("gh pr view", call)?.seen()
}

pub(super) fn open_of(host: &Host<'_>, branch: &str) -> Result<Option<Seen>, HostError> {
    let repo = repo(host);
    let args = ["pr", "list", "--repo", &repo, "--head", branch, "--state", "open", "--limit", "20", "--json", FIELDS];
    let pulls: Vec<Vec<Pull>> = host.ask_for("gh pr list", host.call(args, READ))?;
    // A fork may have a branch of that name too.
    let own = pulls.into_iter().flatten().find(|pull| !pull.is_cross_repository && pull.head_ref_name == branch);
    own.map(Pull::seen).transpose()
}

pub(super) fn create(host: &Host<'_>, new: NewPull<'_>) -> Result<String, HostError> {
    let (repo, title) = (repo(host), format!("--title={}", new.title));
    let head = format!("--head={}", new.branch);
    let base = format!("--base={}", new.base);
    let args = ["pr", "create", "--repo", &repo, &title, "--body-file", "-", &head, &base];
    let call = host.call(args, WRITE).args(new.draft.then_some("--draft")).input(new.body.as_bytes().to_vec());
    host.ask(call)
}

pub(super) fn comment(host: &Host<'_>, number: u64, text: &str) -> Result<(), HostError> {
    let (number, repo) = (number.to_string(), repo(host));
    let call = host.call(["pr", "comment", &number, "--repo", &repo, "--body-file", "-"], READ);
    host.ask(call.input(text.as_bytes().to_vec())).map(drop)
}

pub(super) fn remarks(host: &Host<'_>, number: u64) -> Result<Vec<Remark>, HostError> {
    let (view, repo) = (number.to_string(), repo(host));
    let call = host.call(["pr", "view", &view, "--repo", &repo, "--json", "comments,reviews"], READ);
    let talk: Talk = host.ask_for_one("gh pr view", call)?;
    let path = format!("repos/{}/pulls/{number}/comments?per_page=100&sort=created&direction=desc", host.project.path);
    let call = host.call(["api", "--hostname", &host.project.host, &path], READ);
    let on_lines: Vec<Vec<OnLine>> = host.ask_for("gh api", call)?;
    let said = |author: Option<Author>, body: String, at: DateTime<Utc>| Remark {
        // An account that is gone.
        author: author.map_or_else(|| "ghost".to_owned(), |author| author.login),
        body,
        path: None,
        line: None,
        at: at.into(),
        resolved: false,
    };
    let comments = talk.comments.into_iter().map(|one| said(one.author, one.body, one.created_at));
    let reviews = talk.reviews.into_iter();
    let reviews = reviews.filter_map(|one| Some(said(one.author, one.body, one.submitted_at?)));
    let on_lines = on_lines.into_iter().flatten().map(|one| {
        let line = one.line.or(one.original_line);
        Remark { path: Some(one.path), line, ..said(one.user, one.body, one.created_at) }
    });
    Ok(comments.chain(reviews).chain(on_lines).collect())
}

pub(super) fn merge(host: &Host<'_>, number: u64, strategy: Strategy, head: &str) -> Result<(), HostError> {
    let (number, repo) = (number.to_string(), repo(host));
    let way = match strategy {
        Strategy::Squash => "--squash",
        Strategy::Merge => "--merge",
        Strategy::Rebase => "--rebase",
    };
    let args = ["pr", "merge", &number, "--repo", &repo, way, "--match-head-commit", head];
    host.ask(host.call(args, WRITE)).map(drop)
}

fn repo(host: &Host<'_>) -> String {
    format!("{}/{}", host.project.host, host.project.path)
}

impl Pull {
    fn seen(self) -> Result<Seen, HostError> {
        let state = match self.state.as_str() {
            "OPEN" => PullState::Open,
            "CLOSED" => PullState::Closed,
            "MERGED" => PullState::Merged,
            other => {
                let why = format!("the state `{}` is not known", super::cut(other.as_bytes()));
                return Err(HostError::Strange { command: "gh pr view".to_owned(), why });
            }
        };
        let review = match self.review_decision.as_str() {
            "APPROVED" => Some(ReviewDecision::Approved),
            "CHANGES_REQUESTED" => Some(ReviewDecision::ChangesRequested),
            "REVIEW_REQUIRED" => Some(ReviewDecision::ReviewRequired),
            _ => None,
        };
        let mut checks = HostChecks::default();
        for check in self.status_check_rollup.iter().flatten() {
            *check.counted(&mut checks) += 1;
        }
        Ok(Seen {
            number: self.number,
            url: self.url,
            state,
            draft: self.is_draft,
            branch: self.head_ref_name,
            base: self.base_ref_name,
            head: self.head_ref_oid,
            checks,
            review,
            merge_commit: self.merge_commit.map(|commit| commit.oid),
            created_at: self.created_at.map(Into::into),
            merged_at: self.merged_at.map(Into::into),
        })
    }
}

impl Check {
    /// Returns where it counts.
    fn counted<'a>(&self, checks: &'a mut HostChecks) -> &'a mut u32 {
        match (self.state.as_deref(), self.status.as_deref(), self.conclusion.as_deref()) {
            (Some("SUCCESS"), _, _) => &mut checks.passed,
            (Some("PENDING" | "EXPECTED"), _, _) => &mut checks.pending,
            (None, Some("COMPLETED"), Some("SUCCESS" | "NEUTRAL" | "SKIPPED")) => &mut checks.passed,
            (None, Some("COMPLETED"), _) => &mut checks.failed,
            (None, _, _) => &mut checks.pending,
            (Some(_), _, _) => &mut checks.failed,
        }
    }
}
