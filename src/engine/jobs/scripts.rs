//! Runs the commands that make a worktree ready and those that clean up after it, each a supervised run with a log.

use crate::config::allow::{self, CheckCommand};
use crate::config::{CommandSpec, Config};
use crate::domain::run::{Run, RunEnd, RunKind};
use crate::domain::ticket::Worktree;
use crate::git::ready;

use super::super::error::EngineError;
use super::bench::Bench;
use super::command::{plan, program};
use super::supervise::{Nobody, begin, how_it_was_lost, proof, see_through, take_back};

/// How far the commands of a worktree came.
pub(super) enum Scripts {
    /// All of them ended well, now or before.
    Done,
    /// One failed, or could not run.
    Failed(String),
    /// Somebody stopped the job.
    Stopped,
    /// One ended, and no one saw how.
    Lost(String),
}

/// Makes a worktree ready, unless that was done already in the same way.
pub(super) async fn set_up(bench: &Bench, config: &Config, worktree: &Worktree) -> Result<Scripts, EngineError> {
    let commands = &config.workspace_config.setup;
    let unfinished = bench.known_runs().await?.into_iter().any(|run| run.kind == RunKind::Setup && run.end.is_none());
    let wanted = commands.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let path = worktree.path.clone();
    let before = bench.blocking(move |_| Ok(ready::done(&path)?)).await?.unwrap_or_default();
    if before == wanted && !unfinished {
        return Ok(Scripts::Done);
    }
    let done = run_all(bench, config, worktree, commands, RunKind::Setup).await?;
    if matches!(done, Scripts::Done) {
        let path = worktree.path.clone();
        bench.blocking(move |_| Ok(ready::say_done(&path, &wanted)?)).await?;
    }
    Ok(done)
}

/// Cleans up after a worktree that is about to be removed.
pub(super) async fn clean_up(bench: &Bench, config: &Config, worktree: &Worktree) -> Result<Scripts, EngineError> {
    run_all(bench, config, worktree, &config.workspace_config.cleanup, RunKind::Cleanup).await
}

/// Runs commands in order until one fails. One that this job ran before in this worktree is not run again.
async fn run_all(
    bench: &Bench,
    config: &Config,
    worktree: &Worktree,
    commands: &[CommandSpec],
    kind: RunKind,
) -> Result<Scripts, EngineError> {
    let mut known = bench.known_runs().await?;
    for run in known.iter_mut().filter(|run| run.kind == kind && run.end.is_none()) {
        let ended = see_through(bench, take_back(bench, run), &mut Nobody).await?;
        bench.record(proof(bench, &ended, None)).await?;
        *run = ended.run;
    }
    let mut next = known.iter().map(|run| run.id.n).max().unwrap_or(0) + 1;
    let first = match kind {
        RunKind::Setup => {
            let (path, job) = (worktree.path.clone(), bench.job.id.to_string());
            bench.blocking(move |_| Ok(ready::first_run(&path, &job, next)?)).await?
        }
        RunKind::Execute | RunKind::Check | RunKind::Cleanup => 1,
    };
    let mut before: Vec<Run> = known.into_iter().filter(|run| run.kind == kind && run.id.n >= first).collect();
    for spec in commands {
        let display = spec.to_string();
        if let Some(at) = before.iter().position(|run| run.command == display) {
            match outcome(bench, &before.remove(at)) {
                Scripts::Done => continue,
                other => return Ok(other),
            }
        }
        if bench.stop.is_cancelled() {
            return Ok(Scripts::Stopped);
        }
        let command = match allow::script(spec) {
            Ok(command) => command,
            Err(error) => return Ok(Scripts::Failed(error.to_string())),
        };
        let Some(program) = program(&command, worktree, &bench.shop) else {
            return Ok(Scripts::Failed(missing(&command)));
        };
        let begun = begin(bench, plan(config, &bench.shop, worktree, &command, program, (next, kind))).await?;
        next += 1;
        let ended = see_through(bench, begun, &mut Nobody).await?;
        bench.record(proof(bench, &ended, None)).await?;
        match outcome(bench, &ended.run) {
            Scripts::Done => {}
            other => return Ok(other),
        }
    }
    Ok(Scripts::Done)
}

fn outcome(bench: &Bench, run: &Run) -> Scripts {
    let end = run.end.clone().unwrap_or(RunEnd::Lost);
    match end {
        RunEnd::Exited { code: 0 } => Scripts::Done,
        RunEnd::Stopped if bench.stop.is_cancelled() => Scripts::Stopped,
        RunEnd::Lost => Scripts::Lost(how_it_was_lost(bench, run)),
        RunEnd::Exited { .. }
        | RunEnd::Signaled { .. }
        | RunEnd::TimedOut
        | RunEnd::Silent
        | RunEnd::TooMuchOutput
        | RunEnd::Stopped
        | RunEnd::NotStarted { .. } => Scripts::Failed(format!("`{}` {end}", run.command)),
    }
}

/// Says that the program of a command is not there.
pub(super) fn missing(command: &CheckCommand) -> String {
    format!("`{}` cannot be run: there is no `{}` here", command.display, command.program)
}
