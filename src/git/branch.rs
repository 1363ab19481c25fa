//! Other names for a ticket's branch when the wanted one is in use.

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
    use uuid::Uuid;

    use super::*;
    use crate::domain::branch_template::{BranchFor, BranchTemplate, TemplateError};
    use crate::domain::id::{TicketId, TicketNumber};
    use crate::git::testing::Sandbox;

    #[test]
    fn the_folders_of_a_branch_are_all_that_stand_before_a_slash() {
        assert_eq!(folders("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(folders("a").count(), 0);
    }

    fn is_branch(sandbox: &Sandbox, name: &str) -> bool {
        let dir = std::path::Path::new("/");
        // Without --branch, which would also take `@{-1}` for the branch that was checked out before.
        let is_ref = sandbox.git.reading(dir).args(["check-ref-format", &format!("refs/heads/{name}")]).run().is_ok();
        is_ref && !name.starts_with('-')
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn git_and_the_template_agree_on_what_is_a_name(
            before in r"[a-z./@~^:\[ *?{}\\é-]{0,4}",
            after in r"[a-z./@~^: -]{0,4}(\.lock)?",
            number in any::<u32>(),
            title in any::<String>(),
        ) {
            let sandbox = Sandbox::empty();
            match format!("{before}{{number}}-{{slug}}{after}").parse::<BranchTemplate>() {
                Ok(template) => {
                    let ticket = TicketId(Uuid::nil());
                    let branch = BranchFor { number: TicketNumber(number), title: &title, ticket, goal: None };
                    let name = template.fill(branch);
                    prop_assert!(is_branch(&sandbox, &name), "{}", name);
                }
                Err(TemplateError::NotAName { example, .. }) => {
                    prop_assert!(!is_branch(&sandbox, &example), "{}", example);
                }
                Err(TemplateError::UnknownField { .. } | TemplateError::LoneBrace { .. }) => {}
                Err(error @ (TemplateError::NotUnique | TemplateError::TooLong { .. })) => {
                    prop_assert!(false, "{}", error);
                }
            }
        }
    }
}
