//! Gathers what an agent is told: the ticket, its goal, and the tickets around it.

use crate::domain::board::Board;
use crate::domain::id::{CommentId, TicketId};
use crate::domain::job::{JobKind, JobStatus};
use crate::domain::review::Comment;
use crate::domain::revision::RevisionStatus;
use crate::domain::state::{State, StateName};
use crate::domain::ticket::Ticket;
use crate::executor::again::{self, FailedCheck};
use crate::executor::feedback::Feedback;
use crate::executor::prompt::{Bundle, Dependency, Sibling};
use crate::store::StoreError;

use super::super::error::EngineError;
use super::bench::Bench;
use super::listener::end_of;

/// How many done tickets of the same goal are told of, oldest first.
const SIBLINGS_MAX: usize = 5;

/// How much of the end of each stream of a failed check is told, in bytes.
const OUTPUT_END: u64 = 6 << 10;

/// What a job's agent is told on top of its task.
#[derive(Debug, Default)]
pub(super) struct News {
    failed: Option<FailedCheck>,
    feedback: Option<Feedback>,
    message: Option<String>,
}

impl News {
    /// Finds out what there is: the check that failed, the review that asks for more, and what somebody had to say.
    pub(super) async fn of(bench: &Bench) -> Result<Self, EngineError> {
        let failed = if bench.job.rework.is_some_and(|times| times > 0) { failed_check(bench).await? } else { None };
        Ok(Self { failed, feedback: feedback(bench).await?, message: bench.job.message.clone() })
    }

    /// Returns all of it as text; nothing when there is nothing.
    pub(super) fn text(&self) -> Option<String> {
        again::again(self.failed.as_ref(), self.feedback.as_ref(), self.message.as_deref())
    }
}

/// Returns the review of the ticket's newest revision, if that asked for more.
pub(super) async fn feedback(bench: &Bench) -> Result<Option<Feedback>, EngineError> {
    let newest = bench.newest_revision().await?;
    let Some(revision) = newest.filter(|one| one.status == RevisionStatus::ChangesRequested) else { return Ok(None) };
    let ticket = bench.ticket.id;
    let detail = bench.blocking(move |shop| Ok(shop.readers.read(|reader| reader.detail(ticket))?)).await?;
    let Some(detail) = detail else { return Ok(None) };
    let review = detail.reviews.into_iter().find(|review| review.revision == revision.number);
    let open: Vec<CommentId> = detail.comments.iter().filter(|one| one.is_open()).map(|one| one.id).collect();
    let belongs = |one: &Comment| open.contains(&one.reply_to.unwrap_or(one.id));
    Ok(Some(Feedback {
        revision: revision.number,
        summary: review.map(|review| review.summary).unwrap_or_default(),
        comments: detail.comments.into_iter().filter(belongs).collect(),
    }))
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
pub(super) async fn of(bench: &Bench, news: &News) -> Result<String, EngineError> {
    let ticket = bench.ticket.clone();
    let feedback = news.feedback.clone();
    let on_top = again::again(news.failed.as_ref(), None, news.message.as_deref());
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
                feedback: feedback.as_ref(),
                follow_up: on_top.as_deref(),
            };
            Ok(bundle.to_markdown())
        })
        .await
}
