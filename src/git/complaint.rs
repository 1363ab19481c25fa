//! Understands the complaints of git for which there is something better to say than what git says.

use std::path::{Path, PathBuf};

use super::GitError;
use super::holder::Holder;

/// Returns the error for what git said when it failed in a folder; nothing if that says enough.
pub(super) fn understood(command: &str, dir: &Path, said: &str) -> Option<GitError> {
    if let Some(lock) = lock_in_the_way(said) {
        let holder = Holder::of(&lock, &[dir]);
        return Some(GitError::Locked { lock, holder });
    }
    let (filter, file) = failed_filter(said)?;
    let (command, dir, stderr) = (command.to_owned(), dir.to_owned(), said.to_owned());
    Some(GitError::Filter { filter, file, command, dir, stderr })
}

/// `Unable to create '<lock>': File exists.`
fn lock_in_the_way(said: &str) -> Option<PathBuf> {
    let (_, rest) = said.split_once("Unable to create '")?;
    let (lock, _) = rest.split_once("': File exists")?;
    lock.ends_with(".lock").then(|| PathBuf::from(lock))
}

/// `<file>: smudge filter <name> failed`, or `clean filter '<name>' failed`.
fn failed_filter(said: &str) -> Option<(String, Option<String>)> {
    said.lines().find_map(|line| {
        let line = line.strip_suffix(" failed")?;
        let (before, name) = line.split_once("smudge filter ").or_else(|| line.split_once("clean filter "))?;
        let before = before.trim_start_matches("fatal: ").trim_start_matches("error: ");
        let file = before.strip_suffix(": ").map(str::to_owned);
        Some((name.trim_matches('\'').to_owned(), file))
    })
}

/// What to do about a filter.
pub(super) fn hint(filter: &str) -> &'static str {
    match filter {
        "lfs" => "install git-lfs, then run `git lfs install`",
        "git-crypt" => "install git-crypt and unlock the repository",
        _ => "see that the program of `git config filter.<name>.smudge` is there and works",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_and_filters_are_read_from_what_git_says() {
        for said in [
            "fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process seems to be running",
            "fatal: cannot lock ref 'refs/heads/x': Unable to create '/r/.git/index.lock': File exists.",
        ] {
            assert_eq!(lock_in_the_way(said).as_deref(), Some(Path::new("/r/.git/index.lock")), "{said}");
        }
        for (said, filter, file) in [
            ("oh\nfatal: a b.bin: smudge filter lfs failed", "lfs", Some("a b.bin")),
            ("error: a.bin: clean filter 'lfs' failed", "lfs", Some("a.bin")),
            ("fatal: x: clean filter 'git-crypt' failed", "git-crypt", Some("x")),
        ] {
            assert_eq!(failed_filter(said), Some((filter.to_owned(), file.map(str::to_owned))), "{said}");
        }
        assert!(understood("git x", Path::new("/"), "fatal: no such thing").is_none());
    }
}
