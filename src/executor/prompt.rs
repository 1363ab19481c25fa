//! What an agent is told: one Markdown text, built line by line from the ticket and from what is known around it.

use crate::domain::state::StateName;

use super::feedback::Feedback;

const CONSTRAINTS: &str = include_str!("../../assets/prompts/constraints.md");
const DEPENDENCIES: &str = include_str!("../../assets/prompts/dependencies.md");
const DONE_WHEN: &str = include_str!("../../assets/prompts/done-when.md");
const DONE_WHEN_FEEDBACK: &str = include_str!("../../assets/prompts/done-when-feedback.md");
const FOLLOW_UP: &str = include_str!("../../assets/prompts/follow-up.md");
const NO_DESCRIPTION: &str = include_str!("../../assets/prompts/no-description.md");
const SIBLINGS: &str = include_str!("../../assets/prompts/siblings.md");
const STEPS: &str = include_str!("../../assets/prompts/steps.md");

/// Longest description of another ticket, in characters.
const RELATED_MAX: usize = 150;

/// Everything that an agent is told about a ticket.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bundle<'a> {
    /// The ticket's title.
    pub title: &'a str,
    /// Its description; may be empty.
    pub description: &'a str,
    /// Title of the goal that it serves.
    pub goal: Option<&'a str>,
    /// Tickets of the same goal that are done, oldest first.
    pub siblings: Vec<Sibling<'a>>,
    /// Tickets that it comes after.
    pub dependencies: Vec<Dependency<'a>>,
    /// The review of its last revision, when that asked for more.
    pub feedback: Option<&'a Feedback>,
    /// A message that waited for the next run.
    pub follow_up: Option<&'a str>,
}

/// A ticket of the same goal that is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sibling<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its description; only the beginning is told.
    pub description: &'a str,
}

/// A ticket that must be done first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dependency<'a> {
    /// Its title.
    pub title: &'a str,
    /// Where it is.
    pub state: StateName,
}

impl Bundle<'_> {
    /// Returns the prompt.
    pub fn to_markdown(&self) -> String {
        let mut page = Page::default();
        page.heading(&format!("# Task: {}", one_line(self.title)));
        page.heading("## Description");
        page.block(if self.description.trim().is_empty() { NO_DESCRIPTION } else { self.description });
        self.related(&mut page);
        page.heading("## Constraints");
        page.block(CONSTRAINTS);
        if let Some(feedback) = self.feedback {
            feedback.write(&mut page);
        }
        page.heading("## Done when");
        page.block(DONE_WHEN);
        if self.feedback.is_some() {
            page.lines(DONE_WHEN_FEEDBACK);
        }
        page.heading("## How to go about it");
        page.block(STEPS);
        if let Some(message) = self.follow_up.filter(|message| !message.trim().is_empty()) {
            page.heading("## Additional request");
            page.block(FOLLOW_UP);
            page.block(message);
        }
        page.text
    }

    fn related(&self, page: &mut Page) {
        if self.siblings.is_empty() && self.dependencies.is_empty() {
            return;
        }
        page.heading("## Related tickets");
        if let Some(goal) = self.goal {
            page.block(&format!("Goal: {}", one_line(goal)));
        }
        if !self.siblings.is_empty() {
            page.block(SIBLINGS);
            page.gap();
            for sibling in &self.siblings {
                page.lines(&sibling.line());
            }
        }
        if !self.dependencies.is_empty() {
            page.block(DEPENDENCIES);
            page.gap();
            for dependency in &self.dependencies {
                page.lines(&format!("- {} ({})", one_line(dependency.title), dependency.state));
            }
        }
    }
}

impl Sibling<'_> {
    fn line(&self) -> String {
        let (title, description) = (one_line(self.title), one_line(self.description));
        match description.char_indices().nth(RELATED_MAX) {
            Some((at, _)) => format!("- {title}: {}…", description[..at].trim_end()),
            None if description.is_empty() => format!("- {title}"),
            None => format!("- {title}: {description}"),
        }
    }
}

/// A text under way. Blocks are set apart by one blank line.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn lines(&mut self, text: &str) {
        for line in text.trim_matches(['\n', '\r']).lines() {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Adds a line that nothing in it can make anything but text.
    pub(super) fn indented(&mut self, line: &str) {
        self.gap();
        self.lines(&format!("    {}", line.trim_end()));
    }

    pub(super) fn heading(&mut self, heading: &str) {
        self.gap();
        self.lines(heading);
    }

    pub(super) fn block(&mut self, text: &str) {
        self.gap();
        self.lines(text);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::event::Actor;
    use crate::domain::id::{CommentId, TicketId};
    use crate::domain::review::{Comment, Side, Spot};
    use crate::domain::time::Timestamp;

    fn comment(n: u128, path: &str, lines: Option<(u32, u32)>, body: &str) -> Comment {
        Comment {
            id: CommentId(Uuid::from_u128(n)),
            ticket: TicketId(Uuid::from_u128(1)),
            revision: 2,
            spot: Spot {
                path: path.into(),
                side: Side::New,
                lines,
                quoted: "    return ```x".into(),
                hunk: String::new(),
            },
            body: body.into(),
            author: Actor::human(),
            reply_to: None,
            resolved: false,
            at: Timestamp(0),
        }
    }

    fn feedback() -> Feedback {
        let answer = Comment {
            reply_to: Some(CommentId(Uuid::from_u128(1))),
            ..comment(3, "src/calc.py", Some((12, 12)), "And `z` after it.")
        };
        Feedback {
            revision: 2,
            summary: "Nearly.\n\nTwo things are missing.".into(),
            comments: vec![
                comment(1, "src/calc.py", Some((12, 14)), "Name it `y`."),
                comment(2, "README.md", None, "Say so here."),
                answer,
            ],
        }
    }

    fn full() -> Bundle<'static> {
        Bundle {
            title: "Guard sqrt\nof negatives",
            description: "  indented code stays\n\n# A heading of its own\r\nsecond line  \n",
            goal: Some("A calculator that never lies"),
            siblings: vec![
                Sibling { title: "Fix division", description: "Return an error\nfor a divisor of zero." },
                Sibling { title: "Long", description: "ż" },
                Sibling { title: "Bare", description: " \n" },
            ],
            dependencies: vec![Dependency { title: "Parse numbers", state: StateName::Done }],
            feedback: None,
            follow_up: Some("Also mention it in the changelog."),
        }
    }

    #[test]
    fn a_first_run_is_told_the_task_and_the_rules() {
        insta::assert_snapshot!(Bundle { title: "Guard sqrt of negatives", ..Bundle::default() }.to_markdown());
    }

    #[test]
    fn a_rerun_is_told_everything_that_is_known() {
        insta::assert_snapshot!(Bundle { feedback: Some(&feedback()), ..full() }.to_markdown());
    }

    #[test]
    fn a_sibling_is_told_in_one_line_of_bounded_length() {
        let long = "word ".repeat(100);
        let line = Sibling { title: "T", description: &long }.line();
        assert_eq!(line.lines().count(), 1);
        assert!(line.ends_with("word…") && line.chars().count() <= RELATED_MAX + "- T: …".len());
    }

    #[test]
    fn nothing_but_descriptions_is_indented() {
        let feedback = feedback();
        let bundle = Bundle { description: "d", feedback: Some(&feedback), ..full() };
        let indented: Vec<String> =
            bundle.to_markdown().lines().filter(|line| line.starts_with(' ')).map(str::to_owned).collect();
        assert_eq!(indented, ["        return ```x"], "only the quoted line");
    }
}
