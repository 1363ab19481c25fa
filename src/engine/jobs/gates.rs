//! Gates of one's own: commands that run like checks, where something may be approved or land without a person. One that fails
//! fails no ticket; what follows is for the rails.

use std::collections::HashSet;

use crate::config::Config;
use crate::config::allow::{self, CheckCommand};
use crate::domain::autonomy::{Action, SERVICE};
use crate::domain::change::Save;
use crate::domain::event::{Actor, EventKind};
use crate::domain::fact::Fact;
use crate::domain::rule::Trust;
use crate::domain::run::{Run, RunEnd, RunKind};
use crate::git::copies_sum;

use super::super::error::EngineError;
use super::bench::Bench;
use super::command::{plan, program};
use super::supervise::{Nobody, begin, how_it_was_lost, proof_in, see_through};
use super::surroundings;
use super::verify::{Round, UNTRUSTED};

/// Returns the configured gates; an error says why one of them may not run.
pub(in super::super) fn gates_of(config: &Config) -> Result<Vec<CheckCommand>, String> {
    let extra = &config.verify_config.extra_allowed_commands;
    let gates = config.autonomy_config.custom_gates.iter().map(|gate| allow::check(gate, extra));
    gates.collect::<Result<_, _>>().map_err(|refused| refused.to_string())
}

/// Runs the gates in order, also those after one that failed, and returns what proves how they ended, which is not stored yet
/// for the last; or the fact that ends the job. What a job ran before, its checks among it, is not run again. A gate under
/// which the worktree became another proves nothing, and so would those after it.
pub(super) async fn run_gates(
    bench: &Bench,
    config: &Config,
    (round, before): (Round<'_>, &[Run]),
    mut records: Vec<Save>,
) -> Result<Result<Vec<Save>, (Fact, Vec<Save>)>, EngineError> {
    // A gate that may not run is found by the rails, which refuse then.
    let Ok(gates) = gates_of(config) else { return Ok(Ok(records)) };
    if gates.is_empty() || bench.blocking(|shop| shop.trust()).await? == Trust::Missing {
        return Ok(Ok(records));
    }
    let mut ran: HashSet<String> = before.iter().map(|run| run.command.clone()).collect();
    ran.extend(round.checks.iter().map(|check| check.display.clone()));
    let last = bench.known_runs().await?.iter().map(|run| run.id.n).max().unwrap_or(0);
    let mut next = round.next.max(last + 1);
    let (place, patterns) = (round.worktree.path.clone(), config.workspace_config.copy.clone());
    let copied = bench.blocking(move |shop| Ok(copies_sum::sum(&shop.repo, &place, &patterns)?)).await?;
    for gate in gates.into_iter().filter(|gate| !ran.contains(&gate.display)) {
        if bench.stop.is_cancelled() {
            return Ok(Err((bench.stopped(), records)));
        }
        let Some(program) = program(&gate, round.worktree, &bench.shop) else { continue };
        if !records.is_empty() {
            bench.record(std::mem::take(&mut records)).await?;
        }
        let surroundings = surroundings::of_check(config, &gate, &program, &copied, std::env::vars_os());
        let run = plan(config, &bench.shop, round.worktree, &gate, program, (next, RunKind::Check));
        let begun = begin(bench, run).await?;
        next += 1;
        let ended = see_through(bench, begun, &mut Nobody).await?;
        let is_same = bench.held(round.worktree).await? == round.held;
        records = proof_in(bench, &ended, is_same.then(|| round.tree.to_owned()), Some(surroundings));
        match &ended.record.end {
            RunEnd::Stopped if bench.stop.is_cancelled() => return Ok(Err((bench.stopped(), records))),
            RunEnd::Lost => {
                let reason = how_it_was_lost(bench, &ended.run);
                return Ok(Err((bench.lost(reason), records)));
            }
            RunEnd::Exited { .. }
            | RunEnd::Signaled { .. }
            | RunEnd::TimedOut
            | RunEnd::Silent
            | RunEnd::TooMuchOutput
            | RunEnd::Stopped
            | RunEnd::NotStarted { .. } => {}
        }
        if !is_same {
            break;
        }
    }
    Ok(Ok(records))
}

/// Returns the gates that hold up a landing which nobody asked for: those that block, and those that pause where no person
/// approved the change.
pub(super) async fn before_landing(
    bench: &Bench,
    config: &Config,
) -> Result<Result<Vec<CheckCommand>, String>, EngineError> {
    if config.autonomy_config.custom_gates.is_empty() || !is_by_itself(bench).await? {
        return Ok(Ok(Vec::new()));
    }
    let id = bench.ticket.id;
    let nobody_approved =
        bench.look(move |board| board.revision(id).is_some_and(|revision| board.is_auto_approved(id, revision.number)));
    let holds_up = match config.autonomy_config.policy(&config.merge_config).actions.custom {
        None | Some(Action::Block) => true,
        Some(Action::Pause) => nobody_approved.await?,
        Some(Action::Alert) => false,
    };
    if !holds_up {
        return Ok(Ok(Vec::new()));
    }
    let trust = bench.blocking(|shop| shop.trust()).await?;
    Ok(if trust == Trust::Missing { Err(UNTRUSTED.to_owned()) } else { gates_of(config) })
}

/// Says whether the landing that this job is was asked for by Draft itself.
async fn is_by_itself(bench: &Bench) -> Result<bool, EngineError> {
    let (ticket, job) = (bench.ticket.id, bench.job.id.to_string());
    let events = bench.blocking(move |shop| Ok(shop.readers.read(|reader| reader.detail(ticket))?)).await?;
    let events = events.map(|detail| detail.events).unwrap_or_default();
    Ok(events.iter().map(|one| &one.event).any(|event| {
        event.kind == EventKind::MergeRequested
            && event.actor == Actor::system(SERVICE)
            && event.payload.get("job_id").and_then(serde_json::Value::as_str) == Some(job.as_str())
    }))
}
