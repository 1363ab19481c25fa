//! What a job's task works at: its job and ticket, the workshop, and the ways to tell what it learned.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::domain::board::Board;
use crate::domain::change::{Change, Live, Save};
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::TicketRef;
use crate::domain::job::{Job, JobKind};
use crate::domain::revision::{Revision, RevisionStatus, revision_ref};
use crate::domain::rule::Limit;
use crate::domain::run::Run;
use crate::domain::ticket::{Ticket, Worktree};
use crate::git::tree::{self, Snapshot};
use crate::git::{GitError, Repo, Stop};

use super::super::actor::{Message, now};
use super::super::error::EngineError;
use super::super::handle::Handle;
use super::super::limits;
use super::super::workshop::Workshop;

/// Longest pause between two tries to store something.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What a job's task works at.
#[derive(Clone, Debug)]
pub(in super::super) struct Bench {
    pub(super) shop: Arc<Workshop>,
    handle: Handle,
    /// The job as it was taken, or taken back.
    pub(in super::super) job: Job,
    /// Its ticket at that moment.
    pub(super) ticket: Ticket,
    /// Somebody wants the job stopped.
    pub(in super::super) stop: CancellationToken,
}

impl Bench {
    pub(in super::super) fn new(
        shop: Arc<Workshop>,
        handle: Handle,
        job: Job,
        ticket: Ticket,
        stop: CancellationToken,
    ) -> Self {
        Self { shop, handle, job, ticket, stop }
    }

    /// Returns the bench of the same job as it is by now.
    pub(super) fn of(&self, job: Job) -> Self {
        Self { job, ..self.clone() }
    }

    /// Tells a fact, with the records that prove it, and waits until it is stored. A full disk or a locked database ends
    /// no job: it is told again until it can be stored or the engine stops.
    pub(super) async fn learn(&self, fact: Fact, records: Vec<Save>) -> Result<(), EngineError> {
        let who = Who::executor(match self.job.kind {
            JobKind::Execute => "execute_worker",
            JobKind::Verify => "verify_worker",
            JobKind::Resume => "resume_worker",
            JobKind::Land => "land_worker",
            JobKind::PullRequest => "pull_request_worker",
        });
        let limit = if fact.ends_job() { self.limit().await } else { None };
        self.insist(|reply| {
            let (fact, who, records) = (fact.clone(), who.clone(), records.clone());
            Message::Learn { fact, who, limit, records, reply }
        })
        .await
    }

    /// Returns the limit that one more execute job of the ticket would break. What cannot be looked up holds nobody up.
    async fn limit(&self) -> Option<Limit> {
        let ticket = TicketRef::Id(self.ticket.id);
        let reached =
            move |shop: &Workshop| limits::reached(shop, &shop.settings()?.config, ticket, JobKind::Execute, now());
        let looked = self.blocking(reached).await;
        looked.inspect_err(|error| tracing::warn!(%error, "the limits on jobs are not known")).ok().flatten()
    }

    /// Records something that moves nothing, as insistently.
    pub(super) async fn record(&self, saves: Vec<Save>) -> Result<(), EngineError> {
        self.insist(|reply| Message::Record { saves: saves.clone(), reply }).await
    }

    async fn insist(
        &self,
        message: impl Fn(oneshot::Sender<Result<(), EngineError>>) -> Message,
    ) -> Result<(), EngineError> {
        let mut pause = Duration::from_millis(250);
        loop {
            let (reply, answer) = oneshot::channel();
            self.handle.send(message(reply)).await?;
            match answer.await.map_err(|_| EngineError::Stopped)? {
                Err(EngineError::NotSaved(error)) if error.may_pass() => {
                    tracing::warn!(job = %self.job.id, %error, "could not be saved, trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                other => return other,
            }
        }
    }

    /// Tells what the job does right now.
    pub(super) async fn live(&self, live: Live) {
        let change = Change::Live { job: self.job.id, live };
        // An engine that stops needs no news.
        let _ = self.handle.send(Message::Live(change)).await;
    }

    /// Looks at the board.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Board) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        self.handle.look(look).await
    }

    /// Does work that blocks, and not for long.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workshop) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let _turn = self.shop.gates.steps.acquire().await.map_err(|_| EngineError::Stopped)?;
        self.handle.blocking(work).await
    }

    /// Reads what an agent printed.
    pub(super) async fn hearing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workshop) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let _turn = self.shop.gates.hearings.acquire().await.map_err(|_| EngineError::Stopped)?;
        self.handle.blocking(work).await
    }

    /// Makes something in a worktree, which may take long.
    pub(super) async fn making<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workshop) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let _turn = self.shop.gates.makings.acquire().await.map_err(|_| EngineError::Stopped)?;
        self.handle.blocking(work).await
    }

    /// Returns the repository in which git and its hooks end when somebody wants the job stopped.
    pub(super) fn stoppable_repo(&self) -> Repo {
        let stop = self.stop.clone();
        self.shop.repo.until(Stop::when(move || stop.is_cancelled()))
    }

    /// Returns the runs of this job that are known, by number.
    pub(super) async fn known_runs(&self) -> Result<Vec<Run>, EngineError> {
        let job = self.job.id;
        self.blocking(move |shop| Ok(shop.readers.read(|reader| reader.runs_of(job))?)).await
    }

    /// The fact that the job was stopped where no agent was at work.
    pub(super) fn stopped(&self) -> Fact {
        Fact::Stopped { job: self.job.id, used: None }
    }

    /// The fact that nobody knows how the job ended, where no agent was at work.
    pub(super) fn lost(&self, reason: String) -> Fact {
        Fact::Lost { job: self.job.id, reason, used: None }
    }

    /// Returns the newest revision of the job's ticket.
    pub(super) async fn newest_revision(&self) -> Result<Option<Revision>, EngineError> {
        let ticket = self.ticket.id;
        let read = move |shop: &Workshop| Ok(shop.readers.read(|reader| reader.revisions(ticket))?);
        Ok(self.blocking(read).await?.into_iter().max_by_key(|one| one.number))
    }

    /// Returns what a worktree holds right now, litter left out.
    pub(super) async fn snapshot(&self, worktree: &Worktree) -> Result<Snapshot, EngineError> {
        let place = worktree.clone();
        self.blocking(move |shop| Ok(shop.still.snapshot(&shop.repo, &place, &shop.litter())?)).await
    }

    /// Returns the tree that a worktree holds right now, litter left out; without git where nobody touched it since it was
    /// looked at last.
    pub(super) async fn held(&self, worktree: &Worktree) -> Result<String, EngineError> {
        let place = worktree.clone();
        self.blocking(move |shop| Ok(shop.still.now(&shop.repo, &place, &shop.litter())?)).await
    }

    /// Keeps what the worktree holds as a revision of this job: as git objects under a ref, before any row says so.
    pub(super) async fn keep(&self, worktree: Worktree, snapshot: Snapshot) -> Result<Revision, EngineError> {
        let (ticket, job, number) = (self.ticket.id, self.job.id, self.ticket.number);
        let title = self.ticket.title.as_str().to_owned();
        self.blocking(move |shop| {
            let known = shop.readers.read(|reader| reader.revisions(ticket))?;
            if let Some(same) = known.iter().find(|one| one.job == job) {
                return Ok(same.clone());
            }
            let mut revision = known.iter().map(|one| one.number).max().unwrap_or(0) + 1;
            let head = loop {
                let message = format!("{title}\n\nTicket {number}, revision {revision}.\n");
                let reference = revision_ref(ticket, revision);
                match tree::keep_revision(&shop.repo, &worktree, &snapshot, &reference, &message) {
                    // An engine that was killed kept something here before its row was stored, and it was edited since.
                    Err(GitError::RefTaken { .. }) => revision += 1,
                    kept => break kept?,
                }
            };
            crate::git::conflict::settle(&shop.repo, ticket, now(), Some(&head))?;
            let size = crate::git::diff::size(&shop.repo, &snapshot.base, &snapshot.tree)?;
            Ok(Revision {
                ticket,
                number: revision,
                job,
                status: RevisionStatus::Open,
                base: snapshot.base,
                tree: snapshot.tree,
                head,
                size,
                at: now(),
                ticks: Vec::new(),
            })
        })
        .await
    }
}
