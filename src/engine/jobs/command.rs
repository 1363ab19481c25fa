//! A configured command as a supervised run: where its program is, what it finds in its environment, how long it may take.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::config::allow::CheckCommand;
use crate::domain::run::RunKind;
use crate::domain::ticket::Worktree;
use crate::run::spec::{Limits, Output, Stdin};

use super::super::workshop::Workshop;
use super::execute::millis;
use super::supervise::Plan;

/// Returns the plan of a configured command in a worktree.
pub(super) fn plan(
    config: &Config,
    shop: &Workshop,
    worktree: &Worktree,
    command: &CheckCommand,
    program: PathBuf,
    run: (u32, RunKind),
) -> Plan {
    let (n, kind) = run;
    let time = match kind {
        RunKind::Check => config.verify_config.timeout,
        RunKind::Setup | RunKind::Cleanup => config.workspace_config.script_timeout,
        RunKind::Execute => config.execute_config.timeout,
    };
    let time = command.timeout.unwrap_or(time);
    Plan {
        n,
        kind,
        program,
        args: command.args.clone(),
        cwd: worktree.path.clone(),
        drop: Vec::new(),
        set: surroundings(config, shop, worktree),
        stdin: Stdin::Null,
        output: Output::Pipe,
        limits: limits(config, time, None),
        prompt: None,
        display: command.display.clone(),
    }
}

/// Returns the limits of a run.
pub(super) fn limits(config: &Config, time: Duration, silence: Option<Duration>) -> Limits {
    let execute = &config.execute_config;
    Limits {
        time_ms: Some(millis(time)),
        silence_ms: silence.map(millis),
        output_bytes: Some(execute.max_output_bytes),
        grace_ms: millis(execute.stop_grace),
    }
}

/// Returns the variables that tell a program where it is: the worktree, its branch, the user's checkout and the ports that
/// are its own.
pub(in crate::engine) fn surroundings(
    config: &Config,
    shop: &Workshop,
    worktree: &Worktree,
) -> BTreeMap<String, String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let mut set = BTreeMap::from([
        ("DRAFT_WORKTREE".to_owned(), path(&worktree.path)),
        ("DRAFT_CHECKOUT".to_owned(), path(shop.repo.root())),
        ("DRAFT_BRANCH".to_owned(), worktree.branch.clone()),
        ("DRAFT_BASE_BRANCH".to_owned(), worktree.base_branch.clone()),
    ]);
    if let Some(port) = worktree.port {
        set.insert("DRAFT_PORT".to_owned(), port.to_string());
        set.insert("DRAFT_PORTS".to_owned(), config.workspace_config.ports.to_string());
    }
    set
}

/// Finds what a command runs in a worktree.
pub(super) fn program(command: &CheckCommand, worktree: &Worktree, shop: &Workshop) -> Option<PathBuf> {
    find_program(&command.program, &worktree.path, &shop.path_env)
}

/// Finds a program: a name on `PATH`, a path where it says, relative to the folder.
pub fn find_program(program: &str, folder: &Path, path_env: &OsStr) -> Option<PathBuf> {
    if program.contains('/') {
        let path = folder.join(program);
        return is_executable(&path).then_some(path);
    }
    std::env::split_paths(path_env).map(|dir| dir.join(program)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.is_absolute() && path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
