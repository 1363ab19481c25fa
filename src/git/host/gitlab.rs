//! GitLab, asked with `glab`. What is read comes from its REST interface, whose fields do not change with the version of
//! the program.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Host, HostError, NewPull, READ, WRITE};
use crate::domain::landing::Strategy;
use crate::domain::pull_request::{HostChecks, PullState, Remark, ReviewDecision, Seen};

#[derive(Debug, Deserialize)]
struct Request {
    iid: u64,
    web_url: String,
    state: String,
    #[serde(default)]
    draft: bool,
    source_branch: String,
    target_branch: String,
    sha: Option<String>,
    created_at: Option<DateTime<Utc>>,
    merged_at: Option<DateTime<Utc>>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    detailed_merge_status: Option<String>,
    head_pipeline: Option<Pipeline>,
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
}

/// What a project says of itself.
#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(default)]
    merge_method: String,
}

#[derive(Debug, Deserialize)]
struct Pipeline {
    status: String,
}

#[derive(Debug, Deserialize)]
struct Note {
    author: Author,
    body: String,
    created_at: DateTime<Utc>,
    #[serde(default)]
    system: bool,
    #[serde(default)]
    resolved: Option<bool>,
    position: Option<Position>,
}

#[derive(Debug, Deserialize)]
struct Author {
    username: String,
}

#[derive(Debug, Deserialize)]
struct Position {
    new_path: Option<String>,
    old_path: Option<String>,
    new_line: Option<u32>,
    old_line: Option<u32>,
}

pub(super) fn see(host: &Host<'_>, number: u64) -> Result<Seen, HostError> {
    api::<Request>(host, &format!("/{number}"))?.seen()
}

pub(super) fn open_of(host: &Host<'_>, branch: &str) -> Result<Option<Seen>, HostError> {
    let query = format!("?state=opened&per_page=20&source_branch={}", escaped(branch));
    let requests: Vec<Request> = api(host, &query)?;
    // A fork may have a branch of that name too.
    let is_own = |one: &Request| one.source_project_id == one.target_project_id && one.source_branch == branch;
    // A list leaves the pipeline out.
    requests.into_iter().find(is_own).map(|own| see(host, own.iid)).transpose()
}

pub(super) fn create(host: &Host<'_>, new: NewPull<'_>) -> Result<String, HostError> {
    let url = url(host);
    // A description of `-` alone opens an editor.
    let body = if new.body.trim() == "-" { "" } else { new.body };
    let (title, description) = (format!("--title={}", new.title), format!("--description={body}"));
    let (source, target) = (format!("--source-branch={}", new.branch), format!("--target-branch={}", new.base));
    let args = ["mr", "create", "--repo", &url, &title, &description, &source, &target, "--yes"];
    host.ask(host.call(args, WRITE).args(new.draft.then_some("--draft")))
}

pub(super) fn comment(host: &Host<'_>, number: u64, text: &str) -> Result<(), HostError> {
    let (number, url, message) = (number.to_string(), url(host), format!("--message={text}"));
    host.ask(host.call(["mr", "note", &number, "--repo", &url, &message], READ)).map(drop)
}

pub(super) fn remarks(host: &Host<'_>, number: u64) -> Result<Vec<Remark>, HostError> {
    let notes: Vec<Note> = api(host, &format!("/{number}/notes?per_page=100&sort=desc&order_by=created_at"))?;
    // What GitLab itself notes, such as a push, is no comment.
    let notes = notes.into_iter().filter(|note| !note.system);
    Ok(notes
        .map(|note| {
            let position = note.position.as_ref();
            Remark {
                author: note.author.username,
                body: note.body,
                path: position.and_then(|at| at.new_path.clone().or_else(|| at.old_path.clone())),
                line: position.and_then(|at| at.new_line.or(at.old_line)),
                at: note.created_at.into(),
                resolved: note.resolved == Some(true),
            }
        })
        .collect())
}

pub(super) fn merge(host: &Host<'_>, number: u64, strategy: Strategy, head: &str) -> Result<(), HostError> {
    let (number, url) = (number.to_string(), url(host));
    let way = match strategy {
        Strategy::Squash => Some("--squash"),
        // How it joins them otherwise is a setting of the project.
        Strategy::Merge => None,
        Strategy::Rebase => {
            require_forward(host, &number)?;
            None
        }
    };
    // Left alone, it would be merged at some later time by whatever is there then.
    let args = ["mr", "merge", &number, "--repo", &url, "--sha", head, "--auto-merge=false", "--yes"];
    host.ask(host.call(args, WRITE).args(way)).map(drop)
}

/// Makes sure that the commits come to their target as they are. GitLab rebases by moving the branch first, so that other commits
/// than the approved ones would be merged; where a project only moves its branches forward, nothing but those can be.
fn require_forward(host: &Host<'_>, number: &str) -> Result<(), HostError> {
    let no = |said: String| Err(HostError::Failed { host: host.project.host.clone(), said });
    let path = format!("projects/{}", escaped(&host.project.path));
    let call = host.call(["api", "--hostname", &host.project.host, &path], READ);
    let method = host.ask_for_one::<Settings>("glab api", call)?.merge_method;
    if method != "ff" {
        return no(format!(
            "the project makes a commit of its own for what it merges (its merge method is `{}`), so commits do not come to the \
             target as they are; choose squash or merge",
            super::cut(method.as_bytes())
        ));
    }
    let request: Request = api(host, &format!("/{number}"))?;
    if request.detailed_merge_status.as_deref() == Some("need_rebase") {
        return no(format!(
            "its branch is not on top of {}, and GitLab would rebase other commits than the approved ones; bring the change up \
             to date, have it approved and push it, or choose squash",
            request.target_branch
        ));
    }
    Ok(())
}

/// Reads something below the merge requests of the project.
fn api<T: serde::de::DeserializeOwned>(host: &Host<'_>, what: &str) -> Result<T, HostError> {
    let path = format!("projects/{}/merge_requests{what}", escaped(&host.project.path));
    host.ask_for_one("glab api", host.call(["api", "--hostname", &host.project.host, &path], READ))
}

fn url(host: &Host<'_>) -> String {
    format!("https://{}/{}", host.project.host, host.project.path)
}

/// Writes a text so that it is one part of a path or a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

impl Request {
    fn seen(self) -> Result<Seen, HostError> {
        let state = match self.state.as_str() {
            // Locked is what it is for the moment in which it is merged.
            "opened" | "locked" => PullState::Open,
            "closed" => PullState::Closed,
            "merged" => PullState::Merged,
            other => {
                let why = format!("the state `{}` is not known", super::cut(other.as_bytes()));
                return Err(HostError::Strange { command: "glab api".to_owned(), why });
            }
        };
        let review = match self.detailed_merge_status.as_deref() {
            Some("not_approved" | "approvals_syncing") => Some(ReviewDecision::ReviewRequired),
            Some("requested_changes") => Some(ReviewDecision::ChangesRequested),
            Some(_) | None => None,
        };
        let head = self.sha.unwrap_or_default();
        // A project that only moves branches forward makes no commit of its own.
        let merged = self.merge_commit_sha.or(self.squash_commit_sha);
        let merge_commit = (state == PullState::Merged).then(|| merged.unwrap_or_else(|| head.clone()));
        Ok(Seen {
            number: self.iid,
            url: self.web_url,
            state,
            draft: self.draft,
            branch: self.source_branch,
            base: self.target_branch,
            head,
            checks: self.head_pipeline.as_ref().map(Pipeline::counted).unwrap_or_default(),
            review,
            merge_commit,
            created_at: self.created_at.map(Into::into),
            merged_at: self.merged_at.map(Into::into),
        })
    }
}

impl Pipeline {
    /// A pipeline is told as one check.
    fn counted(&self) -> HostChecks {
        let none = HostChecks::default();
        match self.status.as_str() {
            "success" | "skipped" => HostChecks { passed: 1, ..none },
            "failed" | "canceled" | "canceling" => HostChecks { failed: 1, ..none },
            _ => HostChecks { pending: 1, ..none },
        }
    }
}
