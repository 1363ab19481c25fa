//! How tickets' branches are named: a template such as `draft/{number}-{slug}`, checked before anybody fills it in.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::id::{GoalId, TicketId, TicketNumber};

/// Longest slug, in characters.
const SLUG_MAX: usize = 40;
/// A slug that is cut ends at a word, if at least this much is left.
const SLUG_MIN: usize = 20;
/// Longest part of a name between slashes, in bytes: file systems take 255, of which git needs some for its lock, and a
/// name in use gets a number behind it.
const PART_MAX: usize = 240;
/// Longest name, in bytes.
const NAME_MAX: usize = 500;

/// A template for branch names. Whatever a ticket is called, what it gives is a name that git takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BranchTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Field(Field),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Number,
    Slug,
    Ticket,
    Goal,
}

/// What a ticket puts into a template.
#[derive(Clone, Copy, Debug)]
pub struct BranchFor<'a> {
    /// Its number on the board: `{number}`.
    pub number: TicketNumber,
    /// Its title, as a slug: `{slug}`.
    pub title: &'a str,
    /// Its id: `{ticket}`.
    pub ticket: TicketId,
    /// The id of its goal, else `none`: `{goal}`.
    pub goal: Option<GoalId>,
}

/// Why a text is no template for branch names.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// Something in braces that no ticket has.
    #[error("there is no {{{found}}}; use {{number}}, {{slug}}, {{ticket}} or {{goal}}")]
    UnknownField {
        /// What stands between the braces.
        found: String,
    },
    /// A brace without its other half.
    #[error("`{brace}` stands alone; fields are {{number}}, {{slug}}, {{ticket}} and {{goal}}")]
    LoneBrace {
        /// The brace.
        brace: char,
    },
    /// Two tickets could get the same name.
    #[error("it needs {{number}} or {{ticket}}, so that each ticket has a branch of its own")]
    NotUnique,
    /// Git takes no branch of such a name.
    #[error("`{example}` would be no branch name for git: {why}")]
    NotAName {
        /// The template, filled in.
        example: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A name could be longer than file systems take.
    #[error("it may give a name of {length} bytes, more than {most}")]
    TooLong {
        /// The longest name, or part of a name between slashes, that it may give.
        length: usize,
        /// How much is allowed.
        most: usize,
    },
}

impl BranchTemplate {
    /// Returns a ticket's branch name.
    pub fn fill(&self, ticket: BranchFor<'_>) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(Field::Number) => name.push_str(&ticket.number.0.to_string()),
                Part::Field(Field::Slug) => name.push_str(&slug(ticket.title)),
                Part::Field(Field::Ticket) => name.push_str(&ticket.ticket.to_string()),
                Part::Field(Field::Goal) => match ticket.goal {
                    Some(goal) => name.push_str(&goal.to_string()),
                    None => name.push_str("none"),
                },
            }
        }
        name
    }

    fn has(&self, field: Field) -> bool {
        self.parts.contains(&Part::Field(field))
    }

    /// Checks what it gives. Fields give only letters, digits and inner dashes, so one example stands for all.
    fn check(&self) -> Result<(), TemplateError> {
        if !self.has(Field::Number) && !self.has(Field::Ticket) {
            return Err(TemplateError::NotUnique);
        }
        let (ticket, goal) = (TicketId(Uuid::nil()), Some(GoalId(Uuid::nil())));
        let example = self.fill(BranchFor { number: TicketNumber(12), title: "a title", ticket, goal: None });
        if let Some(why) = broken_rule(&example) {
            return Err(TemplateError::NotAName { example, why });
        }
        let longest =
            self.fill(BranchFor { number: TicketNumber(u32::MAX), title: &"x".repeat(SLUG_MAX), ticket, goal });
        let part = longest.split('/').map(str::len).max().unwrap_or_default();
        for (length, most) in [(part, PART_MAX), (longest.len(), NAME_MAX)] {
            if length > most {
                return Err(TemplateError::TooLong { length, most });
            }
        }
        Ok(())
    }
}

impl Default for BranchTemplate {
    fn default() -> Self {
        let text = |text: &str| Part::Text(text.to_owned());
        Self { parts: vec![text("draft/"), Part::Field(Field::Number), text("-"), Part::Field(Field::Slug)] }
    }
}

impl FromStr for BranchTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            let inner = from.strip_prefix('{').ok_or(TemplateError::LoneBrace { brace: '}' })?;
            let (field, after) = inner.split_once('}').ok_or(TemplateError::LoneBrace { brace: '{' })?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Field(field.parse()?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let template = Self { parts };
        template.check()?;
        Ok(template)
    }
}

impl FromStr for Field {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        match text {
            "number" => Ok(Self::Number),
            "slug" => Ok(Self::Slug),
            "ticket" => Ok(Self::Ticket),
            "goal" => Ok(Self::Goal),
            _ => Err(TemplateError::UnknownField { found: text.to_owned() }),
        }
    }
}

impl fmt::Display for BranchTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            f.write_str(match part {
                Part::Text(text) => text,
                Part::Field(Field::Number) => "{number}",
                Part::Field(Field::Slug) => "{slug}",
                Part::Field(Field::Ticket) => "{ticket}",
                Part::Field(Field::Goal) => "{goal}",
            })?;
        }
        Ok(())
    }
}

/// Returns the rule of `git check-ref-format` that a branch name breaks.
fn broken_rule(name: &str) -> Option<&'static str> {
    let is_forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    if name.chars().any(is_forbidden) {
        return Some("no blanks, control characters or any of ~ ^ : ? * [ \\");
    }
    if name.starts_with('-') {
        return Some("it may not begin with a dash");
    }
    if name.split('/').any(str::is_empty) {
        return Some("it may not begin or end with a slash or have two in a row");
    }
    if name.split('/').any(|part| part.starts_with('.')) {
        return Some("no part may begin with a dot");
    }
    if name.split('/').any(|part| part.ends_with(".lock")) {
        return Some("no part may end with .lock");
    }
    if name.ends_with('.') || name.contains("..") {
        return Some("no dot at the end, and no two in a row");
    }
    name.contains("@{").then_some("no `@{`")
}

/// Returns the title in lower-case ASCII letters, digits and single dashes: 1 to 40 characters, no dash at the ends.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug.len() > SLUG_MAX {
        let at_word = slug[..=SLUG_MAX].rfind('-').filter(|at| *at >= SLUG_MIN);
        slug.truncate(at_word.unwrap_or(SLUG_MAX));
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "ticket".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(template: &str) -> String {
        let template: BranchTemplate = template.parse().unwrap();
        template.fill(BranchFor {
            number: TicketNumber(12),
            title: "Guard sqrt of negatives",
            ticket: TicketId(Uuid::from_u128(7)),
            goal: Some(GoalId(Uuid::from_u128(8))),
        })
    }

    #[test]
    fn each_field_is_filled_in() {
        for (template, name) in [
            ("draft/{number}-{slug}", "draft/12-guard-sqrt-of-negatives"),
            ("goal/{goal}/{ticket}", "goal/00000000-0000-0000-0000-000000000008/00000000-0000-0000-0000-000000000007"),
            ("{number}", "12"),
            ("ümlaut@{number}{number}", "ümlaut@1212"),
        ] {
            assert_eq!(filled(template), name);
            assert_eq!(template.parse::<BranchTemplate>().unwrap().to_string(), template);
        }
        let goalless: BranchTemplate = "{goal}/{number}".parse().unwrap();
        let ticket = TicketId(Uuid::nil());
        let name = goalless.fill(BranchFor { number: TicketNumber(1), title: "", ticket, goal: None });
        assert_eq!(name, "none/1");
    }

    #[test]
    fn the_default_is_what_people_know() {
        assert_eq!(BranchTemplate::default(), "draft/{number}-{slug}".parse().unwrap());
        assert_eq!(BranchTemplate::default().to_string(), "draft/{number}-{slug}");
    }

    #[test]
    fn what_is_no_template_is_refused_with_what_to_do() {
        for (template, said) in [
            ("draft/{slug}", "it needs {number} or {ticket}, so that each ticket has a branch of its own"),
            ("", "it needs {number} or {ticket}, so that each ticket has a branch of its own"),
            ("{nummer}", "there is no {nummer}; use {number}, {slug}, {ticket} or {goal}"),
            ("{number", "`{` stands alone; fields are {number}, {slug}, {ticket} and {goal}"),
            ("{number}}", "`}` stands alone; fields are {number}, {slug}, {ticket} and {goal}"),
            (
                "a b/{number}",
                "`a b/12` would be no branch name for git: no blanks, control characters or any of ~ ^ : ? * [ \\",
            ),
            ("-{number}", "`-12` would be no branch name for git: it may not begin with a dash"),
            (
                "/{number}",
                "`/12` would be no branch name for git: it may not begin or end with a slash or have two in a row",
            ),
            (".x/{number}", "`.x/12` would be no branch name for git: no part may begin with a dot"),
            ("{number}.lock", "`12.lock` would be no branch name for git: no part may end with .lock"),
            ("{number}.", "`12.` would be no branch name for git: no dot at the end, and no two in a row"),
            (&format!("{}{{number}}", "x".repeat(240)), "it may give a name of 250 bytes, more than 240"),
        ] {
            assert_eq!(template.parse::<BranchTemplate>().unwrap_err().to_string(), said, "{template}");
        }
    }

    proptest! {
        #[test]
        fn any_title_gives_a_short_slug_of_letters_digits_and_single_dashes(title in any::<String>()) {
            let slug = slug(&title);
            prop_assert!((1..=SLUG_MAX).contains(&slug.len()));
            prop_assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }
}
