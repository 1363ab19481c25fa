//! What besides the tree and the command decides how a check ends: the program itself, what makes a worktree ready (set-up
//! commands, and the content of files that git does not have), and the variables. A result is good again only where all of that is the same.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha1_smol::Sha1;

use crate::config::Config;
use crate::config::allow::CheckCommand;

/// Variables that tell one terminal, one login or one folder from another, and no result from another. A name that ends with
/// `*` stands for all that begin so.
const NOISE: [&str; 34] = [
    "_",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "TERM",
    "TERM_*",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "WINDOWID",
    "DISPLAY",
    "WAYLAND_*",
    "TMUX*",
    "STY",
    "SSH_*",
    "GPG_TTY",
    "XDG_SESSION_*",
    "XDG_VTNR",
    "XDG_SEAT",
    "DBUS_*",
    "DESKTOP_*",
    "SESSION_*",
    "VTE_*",
    "KITTY_*",
    "WEZTERM_*",
    "ITERM_*",
    "ALACRITTY_*",
    "ZELLIJ*",
    "PS1",
    "PROMPT*",
    "HIST*",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "DRAFT_*",
];

/// Returns one number for all of it. Values of variables are in no way read from it. `copied` is the number of the files that were
/// copied into the worktree.
pub(super) fn of_check(
    config: &Config,
    check: &CheckCommand,
    program: &Path,
    copied: &str,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> String {
    let mut sum = Sha1::new();
    let mut add = |part: &[u8]| {
        // With its length, so that no two lists look the same.
        sum.update(&part.len().to_le_bytes());
        sum.update(part);
    };
    let setup = &config.workspace_config.setup;
    add(&setup.len().to_le_bytes());
    setup.iter().for_each(|command| add(command.to_string().as_bytes()));
    add(copied.as_bytes());
    // One that lies in the worktree is known by its tree.
    if !check.program.contains('/') || check.program.starts_with('/') {
        add(program.as_os_str().as_bytes());
        if let Ok(data) = program.metadata() {
            [data.len(), data.mtime().cast_unsigned(), data.mtime_nsec().cast_unsigned()]
                .iter()
                .for_each(|number| add(&number.to_le_bytes()));
        }
    }
    let mut variables: Vec<_> = variables.filter(|(name, _)| !is_noise(name)).collect();
    variables.sort();
    for (name, value) in &variables {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    sum.digest().to_string()
}

fn is_noise(name: &OsStr) -> bool {
    NOISE.iter().any(|noise| match noise.strip_suffix('*') {
        Some(start) => name.as_bytes().starts_with(start.as_bytes()),
        None => name == *noise,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::allow;

    fn check() -> CheckCommand {
        allow::check(&"cargo test".into(), &[]).unwrap()
    }

    fn with(config: &Config, program: &Path, variables: &[(&str, &str)]) -> String {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        of_check(config, &check(), program, "copied", variables)
    }

    #[test]
    fn what_may_decide_a_check_changes_its_surroundings_and_noise_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("cargo");
        std::fs::write(&program, "1").unwrap();
        let config = Config::default();
        let path = ("PATH", "/usr/bin");
        let before = with(&config, &program, &[path, ("CI", "1")]);
        let noise = [("CI", "1"), ("TMUX_PANE", "%3"), path, ("PWD", "/elsewhere"), ("DRAFT_TICKET", "7")];
        assert_eq!(with(&config, &program, &noise), before, "their order and noise");

        assert_ne!(with(&config, &program, &[path, ("CI", "0")]), before, "a value");
        assert_ne!(with(&config, &program, &[path]), before, "a variable");
        assert_ne!(with(&config, &program, &[("PATH", "/usr/binCI"), ("", "1")]), before, "where one ends");
        let mut other = config.clone();
        other.workspace_config.setup = vec!["npm ci".into()];
        assert_ne!(with(&other, &program, &[path, ("CI", "1")]), before, "a set-up command");
        let variables = [("PATH", "/usr/bin"), ("CI", "1")].map(|(name, value)| (name.into(), value.into()));
        let others = of_check(&config, &check(), &program, "others", variables.into_iter());
        assert_ne!(others, before, "a copied file");
        assert_ne!(with(&config, &dir.path().join("other"), &[path, ("CI", "1")]), before, "another program");
        std::fs::write(&program, "12").unwrap();
        assert_ne!(with(&config, &program, &[path, ("CI", "1")]), before, "a newer program");
    }
}
