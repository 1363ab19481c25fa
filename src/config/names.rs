//! Which names and words a file may use where names are free: entries of maps, variables, arguments for agents.

use super::Origin;
use super::problem::Problem;

/// Longest name of an entry, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 40;

/// Says whether this can name a profile or an agent.
pub(super) fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    starts && rest && name.len() <= NAME_BYTES_MAX
}

/// Variables with which a repository would choose what other programs load, or to whom they send the user's keys.
const LOADERS: &[&str] = &[
    "BASH_ENV",
    "CLASSPATH",
    "EDITOR",
    "ENV",
    "HOME",
    "IFS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PAGER",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PROMPT_COMMAND",
    "RUBYLIB",
    "RUBYOPT",
    "RUSTC_WRAPPER",
    "SHELL",
    "VISUAL",
];
const LOADERS_BEGIN: &[&str] = &[
    "ANTHROPIC_",
    "AWS_",
    "DYLD_",
    "GIT_",
    "GOOGLE_",
    "JAVA_TOOL_",
    "LD_",
    "NPM_CONFIG_",
    "OPENAI_",
    "PYTHON",
    "SSH_",
    "XDG_",
];
const LOADERS_END: &[&str] =
    &["_API_BASE", "_API_KEY", "_AUTH_TOKEN", "_BASE_URL", "_CONFIG_DIR", "_ENDPOINT", "_PROXY"];

/// Says what is wrong with a variable that a file sets.
pub(super) fn variable(path: &str, name: &str, origin: Origin) -> Result<(), Problem> {
    let starts = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
    if !starts || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
        return Err(Problem::BadVariable { path: path.to_owned() });
    }
    let upper = name.to_ascii_uppercase();
    if upper.starts_with("DRAFT_") {
        return Err(Problem::OwnVariable { path: path.to_owned() });
    }
    let loads = LOADERS.contains(&upper.as_str())
        || LOADERS_BEGIN.iter().any(|part| upper.starts_with(part))
        || LOADERS_END.iter().any(|part| upper.ends_with(part));
    if loads && origin == Origin::Repo {
        return Err(Problem::Widens { path: path.to_owned(), what: name.to_owned() });
    }
    Ok(())
}

const SECRETS_END: &[&str] = &["AUTH", "CREDENTIALS", "KEY", "PASSWORD", "SECRET", "TOKEN"];

/// Says whether a setting is a variable whose value is probably a secret.
pub(super) fn is_secret(path: &str) -> bool {
    let variable = path.strip_prefix("executor_profiles.").and_then(|rest| rest.split_once(".env."));
    variable.is_some_and(|(_, name)| {
        let name = name.to_ascii_uppercase();
        SECRETS_END.iter().any(|end| name.ends_with(end))
    })
}

/// Parts of arguments with which agents are told to ask nobody.
const WIDENING: &[&str] = &[
    "allow-all",
    "allow-tool",
    "allowedtools",
    "allowed-tools",
    "always-approve",
    "approval",
    "auto-approve",
    "bypass",
    "dangerous",
    "force",
    "full-auto",
    "full_auto",
    "never",
    "no-confirm",
    "no-sandbox",
    "permission",
    "sandbox",
    "settings",
    "skip",
    "trust",
    "unsafe",
    "yes",
    "yolo",
];

/// Says whether an argument may give an agent more room, which `yolo_mode` alone decides. It errs on the side of yes: a
/// repository has hardly a reason to set such a thing, and the user's own file may.
pub(super) fn widens(flag: &str) -> bool {
    let flag = flag.to_ascii_lowercase();
    WIDENING.iter().any(|part| flag.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_that_mean_nothing_to_paths_shells_and_terminals() {
        for good in ["fast", "Fast2", "my-agent", "a_b", "9", &"x".repeat(NAME_BYTES_MAX)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-x", "_x", "a.b", "a b", "a/b", "..", "é", "a\u{1b}", "a:b", &"x".repeat(NAME_BYTES_MAX + 1)]
        {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_repository_cannot_choose_what_programs_load_or_where_keys_go() {
        for name in ["LD_PRELOAD", "path", "GIT_SSH_COMMAND", "ANTHROPIC_BASE_URL", "MY_BASE_URL", "https_proxy"] {
            assert!(matches!(variable("p", name, Origin::Repo), Err(Problem::Widens { .. })), "{name}");
            assert_eq!(variable("p", name, Origin::User), Ok(()), "{name}");
        }
        for name in ["RUST_LOG", "CI", "_x", "DEBUG"] {
            assert_eq!(variable("p", name, Origin::Repo), Ok(()), "{name}");
        }
        for name in ["", "1A", "A=B", "A B", "É", "A\0"] {
            assert!(matches!(variable("p", name, Origin::User), Err(Problem::BadVariable { .. })), "{name:?}");
        }
        assert!(matches!(variable("p", "DRAFT_RUN", Origin::User), Err(Problem::OwnVariable { .. })));
    }

    #[test]
    fn values_of_variables_that_are_secrets_are_known_by_their_names() {
        assert!(is_secret("executor_profiles.fast.env.MY_API_KEY") && is_secret("executor_profiles.a.env.gh_token"));
        assert!(!is_secret("executor_profiles.fast.env.RUST_LOG") && !is_secret("executor_profiles.key"));
    }

    #[test]
    fn arguments_that_give_room_are_known() {
        for flag in
            ["--dangerously-skip-permissions", "--yolo", "--full-auto", "--permission-mode=x", "-yes", "--ALLOW-ALL"]
        {
            assert!(widens(flag), "{flag}");
        }
        for flag in ["--verbose", "--max-turns", "5", "-v"] {
            assert!(!widens(flag), "{flag}");
        }
    }
}
