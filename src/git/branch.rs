//! Names of tickets' branches, and other names when one is in use.

use crate::domain::id::TicketNumber;

/// Longest slug, in characters.
const SLUG_MAX: usize = 40;
/// A slug that is cut ends at a word, if at least this much is left.
const SLUG_MIN: usize = 20;

/// Returns `draft/<number>-<slug>`: a valid branch name whatever the title is.
pub fn branch_name(number: TicketNumber, title: &str) -> String {
    format!("draft/{}-{}", number.0, slug(title))
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

/// Returns the name, then the name with `-2`, `-3` and so on.
pub(super) fn with_suffixes(name: &str) -> impl Iterator<Item = String> {
    std::iter::once(name.to_owned()).chain((2..=999).map(move |n| format!("{name}-{n}")))
}

/// Returns the branches which, if they exist, make a branch of this name impossible: `a` and `a/b` for `a/b/c`.
pub(super) fn folders(branch: &str) -> impl Iterator<Item = &str> {
    branch.match_indices('/').map(|(at, _)| &branch[..at])
}

/// Returns the name that is used where one of the folders is a branch.
pub(super) fn without_folders(branch: &str) -> String {
    branch.replace('/', "-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::git::testing::Sandbox;

    #[test]
    fn a_branch_is_named_by_number_and_title() {
        for (title, branch) in [
            ("Guard sqrt of negatives", "draft/12-guard-sqrt-of-negatives"),
            ("  --weird..name.lock/@{", "draft/12-weird-name-lock"),
            ("日本語", "draft/12-ticket"),
            ("", "draft/12-ticket"),
            ("a very long title that goes on and on for ever", "draft/12-a-very-long-title-that-goes-on-and-on"),
            (&"x".repeat(60), &format!("draft/12-{}", "x".repeat(40))),
        ] {
            assert_eq!(branch_name(TicketNumber(12), title), branch);
        }
    }

    #[test]
    fn the_folders_of_a_branch_are_all_that_stand_before_a_slash() {
        assert_eq!(folders("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(folders("a").count(), 0);
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn git_accepts_every_branch_name(number in any::<u32>(), title in any::<String>()) {
            let sandbox = Sandbox::empty();
            let name = branch_name(TicketNumber(number), &title);
            let dir = std::path::Path::new("/");
            prop_assert!(sandbox.git.reading(dir).args(["check-ref-format", "--branch", &name]).run().is_ok());
        }
    }
}
