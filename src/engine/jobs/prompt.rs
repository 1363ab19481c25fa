//! Gathers what an agent is told: the ticket, its goal, and the tickets around it.

use crate::domain::board::Board;
use crate::domain::id::TicketId;
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::state::{State, StateName};
use crate::domain::ticket::Ticket;
use crate::executor::again::{self, FailedCheck};
use crate::executor::prompt::{Bundle, Dependency, Sibling};
use crate::store::StoreError;

use super::super::error::EngineError;
use super::bench::Bench;
use super::listener::end_of;

/// How many done tickets of the same goal are told of, oldest first.
const SIBLINGS_MAX: usize = 5;

/// How much of the end of each stream of a failed check is told, in bytes.
const OUTPUT_END: u64 = 6 << 10;

/// Returns what the job's agent is told on top of its task: the check that failed, and what somebody had to say.
pub(super) async fn again(bench: &Bench) -> Result<Option<String>, EngineError> {
    let failed = if bench.job.rework.is_some_and(|times| times > 0) { failed_check(bench).await? } else { None };
    Ok(again::again(failed.as_ref(), bench.job.message.as_deref()))
}

/// Returns the check that sent the ticket back to its agent.
async fn failed_check(bench: &Bench) -> Result<Option<FailedCheck>, EngineError> {
    let ticket = bench.ticket.id;
    bench
        .blocking(move |shop| {
            let jobs = shop.readers.read(|reader| reader.jobs_of(ticket))?;
            let checks = jobs.iter().filter(|job| job.kind == JobKind::Verify && job.status == JobStatus::Failed);
            let Some(newest) = checks.max_by_key(|job| (job.queued_at, job.id)) else { return Ok(None) };
            let runs = shop.readers.read(|reader| reader.runs_of(newest.id))?;
            let failed = runs.into_iter().rev().find(|run| run.end.as_ref().is_some_and(|end| !end.is_success()));
            Ok(failed.map(|run| {
                let folder = shop.paths.runs().join(run.folder());
                // What is not there any more cannot be told; the command and its end are.
                let end = |name: &str| end_of(&folder.join(name), OUTPUT_END).unwrap_or_default();
                FailedCheck {
                    command: run.command.clone(),
                    end: run.end.as_ref().map(ToString::to_string).unwrap_or_default(),
                    output: [end("stdout"), end("stderr")].join("\n"),
                }
            }))
        })
        .await
}

/// What the board knows around a ticket.
struct Around {
    goal: Option<String>,
    siblings: Vec<(TicketId, String)>,
    dependencies: Vec<(String, StateName)>,
}

impl Around {
    fn of(ticket: &Ticket, board: &Board) -> Self {
        let done_with_it = |other: &&Ticket| {
            other.id != ticket.id && ticket.goal.is_some() && other.goal == ticket.goal && other.state == State::Done
        };
        let title = |ticket: &Ticket| ticket.title.as_str().to_owned();
        let blockers = ticket.blocked_by.iter().filter_map(|id| board.ticket(*id));
        Self {
            goal: board.goal_of(ticket).map(|goal| goal.title.as_str().to_owned()),
            siblings: board
                .tickets()
                .filter(done_with_it)
                .take(SIBLINGS_MAX)
                .map(|sibling| (sibling.id, title(sibling)))
                .collect(),
            dependencies: blockers.map(|blocker| (title(blocker), blocker.state.name())).collect(),
        }
    }
}

/// Returns the prompt for the job's ticket, with what is said on top of it.
pub(super) async fn of(bench: &Bench, on_top: Option<&str>) -> Result<String, EngineError> {
    let ticket = bench.ticket.clone();
    let on_top = on_top.map(str::to_owned);
    let Around { goal, siblings, dependencies } = bench.look(move |board| Around::of(&ticket, board)).await?;
    let ticket = bench.ticket.clone();
    bench
        .blocking(move |shop| {
            let (own, told) = shop.readers.read(|reader| {
                let description = |id: TicketId| reader.description(id).map(Option::unwrap_or_default);
                let told = siblings.iter().map(|(id, title)| Ok((title.as_str(), description(*id)?)));
                Ok((description(ticket.id)?, told.collect::<Result<Vec<_>, StoreError>>()?))
            })?;
            let bundle = Bundle {
                title: ticket.title.as_str(),
                description: &own,
                goal: goal.as_deref(),
                siblings: told.iter().map(|(title, text)| Sibling { title, description: text }).collect(),
                dependencies: dependencies.iter().map(|(title, state)| Dependency { title, state: *state }).collect(),
                feedback: None,
                follow_up: on_top.as_deref(),
            };
            Ok(bundle.to_markdown())
        })
        .await
}
