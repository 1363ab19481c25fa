//! Writes the files of a new worktree and runs its hook: what `git worktree add` does after the registration, outside of
//! the turn.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::invoke::LONG;
use super::making::Making;
use super::program::is_program;
use super::{GitError, Repo};

/// How long an answer of git's about settings is good for.
const FRESH: Duration = Duration::from_secs(5);

/// What the user has set that matters while a worktree is made.
#[derive(Clone)]
pub(super) struct Settings {
    /// Whether they have set how many processes write files.
    has_workers: bool,
    /// Where hooks are; a relative path is so to where a hook runs.
    hooks: PathBuf,
}

/// What git said about settings a moment ago: many worktrees are made at once, and each start of git costs as much as
/// writing a hundred files.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<Option<(Instant, Settings)>>>);

impl Settings {
    /// Returns the settings as they are now, or were a moment ago.
    pub(super) fn of(repo: &Repo, path: &Path) -> Result<Self, GitError> {
        let mut known = repo.checkout.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, settings)) = known.as_ref().filter(|(asked, _)| asked.elapsed() < FRESH) {
            return Ok(settings.clone());
        }
        let asked = Instant::now();
        let settings = Self::ask(repo, path)?;
        *known = Some((asked, settings.clone()));
        Ok(settings)
    }

    fn ask(repo: &Repo, path: &Path) -> Result<Self, GitError> {
        let args = ["config", "-z", "--type=path", "--get-regexp", r"^(checkout\.workers|core\.hookspath)$"];
        // Exit code 1: neither is set.
        let said = repo.git.reading(path).args(args).run_to(&[1])?.stdout;
        let mut settings = Self { has_workers: false, hooks: repo.common_dir().join("hooks") };
        for entry in said.split(|byte| *byte == 0) {
            let Some(at) = entry.iter().position(|byte| *byte == b'\n') else { continue };
            let (key, value) = (&entry[..at], OsStr::from_bytes(&entry[at + 1..]));
            if key == b"checkout.workers" {
                settings.has_workers = true;
            } else {
                settings.hooks = value.into();
            }
        }
        Ok(settings)
    }
}

/// Writes the files, as `git worktree add` does it itself; with all cores, if one has nothing to do and the user has not set
/// how many. Several processes take half as much again of the machine's time, which only pays while it is to be had.
pub(super) fn check_out(repo: &Repo, path: &Path, settings: &Settings, making: &Making) -> Result<(), GitError> {
    let mut call = repo.git.writing(path).within(LONG).sharing(making.lock());
    if !settings.has_workers && has_idle_core() {
        call = call.args(["-c", "checkout.workers=0"]);
    }
    call.args(["reset", "--hard", "--no-recurse-submodules", "--quiet"]).run().map(drop)
}

/// Runs one of the user's hooks, if there is one, as git does it itself.
pub(super) fn run_hook(
    repo: &Repo,
    path: &Path,
    settings: &Settings,
    name: &str,
    args: &[&str],
) -> Result<(), GitError> {
    let hook = path.join(&settings.hooks).join(name);
    if !is_program(&hook) {
        return Ok(());
    }
    repo.git.hook(path, &hook).args(args).within(LONG).run().map(drop)
}

/// Says whether fewer tasks want to run at this moment than there are cores. Those that wait for a disk do not count.
fn has_idle_core() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    running(&load).is_none_or(|running| running <= cores)
}

/// Reads how many tasks run, this one included: `0.20 0.18 0.12 <running>/<all> <last>`.
fn running(load: &str) -> Option<usize> {
    load.split(' ').nth(3)?.split_once('/')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_running_tasks_is_read() {
        assert_eq!(running("0.20 0.18 0.12 3/80 11206\n"), Some(3));
        assert_eq!(running(""), None);
        assert!(running(&std::fs::read_to_string("/proc/loadavg").unwrap()).is_some_and(|running| running > 0));
    }
}
