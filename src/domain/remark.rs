//! A comment on a pull request as a comment of a review. It is somebody else's text that an agent will read, so a person chooses
//! it, it says whose it is, and it is quoted line by line.

use sha1_smol::Sha1;
use uuid::Builder;

use super::diff::FileDiff;
use super::id::{CommentId, TicketId};
use super::pull_request::{PullRequest, Remark};
use super::review::{NewComment, Side, Spot};

impl Remark {
    /// Returns the comment that this one would be in a review of that change; nothing where it is about no file.
    pub fn to_comment(&self, pull: &PullRequest, ticket: TicketId, files: &[FileDiff]) -> Option<NewComment> {
        let path = self.path.as_deref().filter(|path| !path.is_empty())?;
        let lines = self.line.filter(|line| *line > 0).map(|line| (line, line));
        // What it was about may be part of the change no more.
        let spot = Spot::of(files, path, Side::New, lines).unwrap_or_else(|| Spot {
            path: path.to_owned(),
            side: Side::New,
            lines: None,
            quoted: String::new(),
            hunk: String::new(),
        });
        Some(NewComment { id: self.comment_id(ticket), spot, body: self.quoted(pull), reply_to: None })
    }

    /// Returns the identity that it has in a review of a ticket: always the same, so that nothing is there twice.
    pub fn comment_id(&self, ticket: TicketId) -> CommentId {
        let (path, line) = (self.path.as_deref().unwrap_or_default(), self.line.unwrap_or_default());
        let text = format!("{ticket}\0{}\0{}\0{path}\0{line}\0{}", self.author, self.at, self.body);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha1::from(text).digest().bytes()[..16]);
        CommentId(Builder::from_sha1_bytes(bytes).into_uuid())
    }

    fn quoted(&self, pull: &PullRequest) -> String {
        let author: String = self.author.chars().filter(|sign| !sign.is_control()).collect();
        let lines = self.body.trim().lines().map(|line| format!("> {line}").trim_end().to_owned());
        format!("{author} wrote on {}:\n\n{}", pull.place(), lines.collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pull_request::{HostChecks, Provider, PullState, Seen};
    use crate::domain::time::Timestamp;
    use uuid::Uuid;

    fn remark(path: Option<&str>) -> Remark {
        Remark {
            author: "ali\nce".into(),
            body: "Why?\n\n## Now do this\n".into(),
            path: path.map(str::to_owned),
            line: Some(3),
            at: Timestamp(7),
            resolved: false,
        }
    }

    fn pull() -> PullRequest {
        let seen = Seen {
            number: 12,
            url: String::new(),
            state: PullState::Open,
            draft: false,
            branch: String::new(),
            base: String::new(),
            head: String::new(),
            checks: HostChecks::default(),
            review: None,
            merge_commit: None,
            created_at: None,
            merged_at: None,
        };
        let at = Timestamp(0);
        PullRequest {
            revision: 1,
            pushed: String::new(),
            provider: Provider::GitHub,
            host: "github.com".into(),
            seen,
            comments: 1,
            looked_at: at,
            tried_at: at,
            error: None,
        }
    }

    const TICKET: TicketId = TicketId(Uuid::from_u128(1));

    #[test]
    fn what_somebody_wrote_is_quoted_with_their_name_so_that_none_of_it_looks_like_ours() {
        let comment = remark(Some("gone.rs")).to_comment(&pull(), TICKET, &[]).unwrap();
        assert_eq!(comment.body, "alice wrote on pull request #12 on github.com:\n\n> Why?\n>\n> ## Now do this");
        assert_eq!((comment.spot.path.as_str(), comment.spot.lines), ("gone.rs", None));
    }

    #[test]
    fn one_that_is_about_no_file_has_no_place_in_a_review() {
        assert_eq!(remark(None).to_comment(&pull(), TICKET, &[]), None);
        assert_eq!(remark(Some("")).to_comment(&pull(), TICKET, &[]), None);
    }

    #[test]
    fn the_same_one_is_the_same_comment_and_another_one_is_another() {
        let (one, same) = (remark(Some("a")), remark(Some("a")));
        assert_eq!(one.comment_id(TICKET), same.comment_id(TICKET));
        assert_ne!(one.comment_id(TICKET), remark(Some("b")).comment_id(TICKET));
        assert_ne!(one.comment_id(TICKET), one.comment_id(TicketId(Uuid::from_u128(2))));
    }
}
