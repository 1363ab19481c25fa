//! What an agent is told of the review that asked it for more.

use crate::domain::review::{Comment, Side};

use super::prompt::Page;

const FEEDBACK: &str = include_str!("../../assets/prompts/feedback.md");

/// A review that asked for more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Feedback {
    /// Number of the revision.
    pub revision: u32,
    /// What the reviewer said about all of it; may be empty.
    pub summary: String,
    /// What was said about single lines and is not dealt with, with the answers to it, oldest first.
    pub comments: Vec<Comment>,
}

impl Feedback {
    /// Returns it as Markdown: what is said about all of it, then file by file.
    pub fn to_markdown(&self) -> String {
        let mut page = Page::default();
        self.write(&mut page);
        page.into_text()
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.heading(&format!("## Review of revision {}", self.revision));
        page.block(FEEDBACK);
        if !self.summary.trim().is_empty() {
            page.block(&self.summary);
        }
        let mut asked: Vec<&Comment> = self.comments.iter().filter(|one| one.reply_to.is_none()).collect();
        asked.sort_by_key(|one| (&one.spot.path, one.spot.lines));
        for comment in asked {
            write_comment(page, comment);
            for answer in self.comments.iter().filter(|one| one.reply_to == Some(comment.id)) {
                page.block(&answer.body);
            }
        }
    }
}

fn write_comment(page: &mut Page, comment: &Comment) {
    let spot = &comment.spot;
    let lines = match spot.lines {
        None => String::new(),
        Some((first, last)) if first == last => format!(":{first}"),
        Some((first, last)) => format!(":{first}-{last}"),
    };
    let side = if spot.side == Side::Old { " (as it was before the change)" } else { "" };
    page.heading(&format!("### {}{lines}{side}", spot.path));
    if spot.lines.is_some() && !spot.quoted.trim().is_empty() {
        // Indented, so that no mark-up in the line can end it.
        page.indented(&spot.quoted);
    }
    page.block(&comment.body);
}
