//! Pull requests: a change that is offered on the host of a remote, and what the host said about it when it was looked at.
//! What GitLab calls a merge request is one too.

use serde::{Deserialize, Serialize};

use super::id::TicketId;
use super::landing::Strategy;
use super::state::words;
use super::time::Timestamp;

/// Longest title that a pull request may have, in characters.
pub const TITLE_MAX: usize = 255;
/// Longest text of a pull request or of a comment, in characters: what GitHub takes.
pub const BODY_MAX: usize = 65_536;

words! {
    /// What kind of host it is, which decides how it is asked.
    Provider, "provider" {
        /// GitHub, asked with `gh`.
        GitHub = "github",
        /// GitLab, asked with `glab`.
        GitLab = "gitlab",
    }
}

impl Provider {
    /// Returns the program that asks it.
    pub fn tool(self) -> &'static str {
        match self {
            Self::GitHub => "gh",
            Self::GitLab => "glab",
        }
    }

    /// Returns what it calls a pull request.
    pub fn noun(self) -> &'static str {
        match self {
            Self::GitHub => "pull request",
            Self::GitLab => "merge request",
        }
    }

    /// Returns the sign that it puts before the number of one.
    pub fn sign(self) -> char {
        match self {
            Self::GitHub => '#',
            Self::GitLab => '!',
        }
    }
}

words! {
    /// Where a pull request stands on its host.
    PullState, "state of a pull request" {
        /// It waits.
        Open = "open",
        /// Somebody closed it without merging it.
        Closed = "closed",
        /// Its target has it.
        Merged = "merged",
    }
}

words! {
    /// What the reviews on the host come to.
    ReviewDecision, "review decision" {
        /// It may be merged.
        Approved = "approved",
        /// Somebody wants it otherwise.
        ChangesRequested = "changes_requested",
        /// Somebody must look yet.
        ReviewRequired = "review_required",
    }
}

/// The checks that the host runs on a pull request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HostChecks {
    /// Those that are well, or need not run.
    pub passed: u32,
    /// Those that are not.
    pub failed: u32,
    /// Those that are not over.
    pub pending: u32,
}

impl HostChecks {
    /// Returns how many there are.
    pub fn total(self) -> u32 {
        self.passed.saturating_add(self.failed).saturating_add(self.pending)
    }
}

/// A ticket's pull request: the newest that was opened for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PullRequest {
    /// The newest revision that was pushed to its branch.
    pub revision: u32,
    /// The commit of that revision.
    pub pushed: String,
    /// What kind of host it is on.
    pub provider: Provider,
    /// The host's name.
    pub host: String,
    /// What the host said when it was looked at last.
    pub seen: Seen,
    /// How many comments it had then.
    pub comments: u32,
    /// When it was looked at last and the host answered.
    pub looked_at: Timestamp,
    /// When somebody tried to look last.
    pub tried_at: Timestamp,
    /// Why that failed, if it did.
    pub error: Option<String>,
}

/// What a host says about a pull request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Its number in its project.
    pub number: u64,
    /// Its address on the web.
    pub url: String,
    /// Where it stands.
    pub state: PullState,
    /// It is marked as not ready yet.
    pub draft: bool,
    /// The branch that is to be merged.
    pub branch: String,
    /// The branch into which.
    pub base: String,
    /// The commit that its branch is at.
    pub head: String,
    /// Its checks.
    pub checks: HostChecks,
    /// What its reviews come to, where the host says so.
    pub review: Option<ReviewDecision>,
    /// The commit with which it came to its target.
    pub merge_commit: Option<String>,
    /// When it was opened.
    pub created_at: Option<Timestamp>,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
}

/// A comment that somebody made on a pull request, as the host tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Remark {
    /// Who.
    pub author: String,
    /// What.
    pub body: String,
    /// The file that it is about, where it is about one.
    pub path: Option<String>,
    /// The line there.
    pub line: Option<u32>,
    /// When.
    pub at: Timestamp,
    /// Somebody dealt with it, where the host says so.
    pub resolved: bool,
}

/// The comments on a ticket's pull request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Remarks {
    /// The ticket.
    pub ticket: TicketId,
    /// The newest of them, oldest first.
    pub remarks: Vec<Remark>,
}

impl PullRequest {
    /// Returns its number as its host writes it: `#12` or `!12`.
    pub fn label(&self) -> String {
        format!("{}{}", self.provider.sign(), self.seen.number)
    }

    /// Returns what it is and where: `pull request #12 on github.com`.
    pub fn place(&self) -> String {
        format!("{} {} on {}", self.provider.noun(), self.label(), self.host)
    }

    /// Says whether it waits on its host.
    pub fn is_open(&self) -> bool {
        self.seen.state == PullState::Open
    }

    /// Says whether its branch is at another commit than the one that was pushed: somebody else pushed to it.
    pub fn has_moved(&self) -> bool {
        self.seen.head != self.pushed
    }
}

/// What is to be done with a ticket's pull request. It is kept with its job, so that a job that begins again knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Push the newest revision and open a pull request for it.
    Open {
        /// Its title; the ticket's where nothing is.
        title: Option<String>,
        /// Its text; the ticket's description where nothing is.
        body: Option<String>,
        /// The branch into which; the ticket's where nothing is.
        base: Option<String>,
        /// It is not ready yet.
        draft: bool,
    },
    /// Push the newest revision to the branch of the one that is open.
    Push,
    /// Have the host merge the one that is open.
    Merge {
        /// How; what the settings say where nothing is.
        strategy: Option<Strategy>,
    },
}

/// What came of a job that deals with a pull request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dealt {
    /// The host has it, and says this about it.
    Done {
        /// What kind of host it is.
        provider: Provider,
        /// The host's name.
        host: String,
        /// What it says.
        seen: Box<Seen>,
        /// The revision that is on its branch now, and its commit; nothing where none was pushed.
        pushed: Option<(u32, String)>,
    },
    /// It cannot be; what was true before is.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_is_kept_and_read_again() {
        for errand in [
            Errand::Open { title: Some("a".into()), body: None, base: None, draft: true },
            Errand::Push,
            Errand::Merge { strategy: Some(Strategy::Rebase) },
        ] {
            let text = serde_json::to_string(&errand).unwrap();
            assert_eq!(serde_json::from_str::<Errand>(&text).unwrap(), errand, "{text}");
        }
    }
}
