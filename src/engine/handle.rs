//! The engine from outside: how it is started, asked, watched and stopped.

use std::sync::{Arc, Weak};

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::autopilot::{Autopilot, may_start};
use crate::domain::board::Board;
use crate::domain::change::Change;
use crate::domain::checklist::Required;
use crate::domain::command::{Command, Request};
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::{TicketId, TicketRef};
use crate::domain::job::{Job, JobKind};
use crate::domain::pull_request::Errand;
use crate::domain::rule::{Known, Landed, Trust};
use crate::domain::state::StateName;
use crate::domain::ticket::Ticket;
use crate::store::{Reader, Writer};

use super::actor::{Actor, Look, Message, now};
use super::checklist::required;
use super::error::{AskError, EngineError};
use super::jobs::{Bench, look_up_revert};
use super::limits;
use super::lock::BoardLock;
use super::workshop::Workshop;

/// Messages that may wait for the engine; whoever has more to say waits.
const INBOX: usize = 256;
/// Batches of changes that a slow listener may be behind before it must load the board anew.
pub(super) const BEHIND: usize = 1024;

/// A running engine. Dropping it without [`Engine::stop`] is like a crash: nothing is lost, agents go on.
#[derive(Debug)]
pub struct Engine {
    handle: Handle,
    token: CancellationToken,
    task: JoinHandle<Result<(), EngineError>>,
}

/// What an engine does beside carrying out commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Working {
    /// It works on all jobs, and does what the autopilot is for.
    Jobs,
    /// It works on what runs, and takes the queued jobs of this ticket only.
    JobsOf(TicketId),
    /// It works on what runs, and takes only what brings a ticket under way to its end.
    UnderWay,
    /// It works on what runs and takes nothing more.
    Running,
    /// It leaves jobs alone, but for one that somebody stops: it lives for one command, and whoever comes next works on them.
    CommandsOnly,
}

impl Working {
    /// Says whether a job that is queued for a ticket is to be taken.
    pub(super) fn takes(self, ticket: &Ticket) -> bool {
        match self {
            Self::Jobs => true,
            Self::JobsOf(only) => ticket.id == only,
            Self::UnderWay => may_start(Autopilot::Finish, ticket),
            Self::Running | Self::CommandsOnly => false,
        }
    }

    /// Says whether the jobs that ran when the last engine ended are to be taken back.
    pub(super) fn takes_back(self) -> bool {
        match self {
            Self::Jobs | Self::JobsOf(_) | Self::UnderWay | Self::Running => true,
            Self::CommandsOnly => false,
        }
    }
}

/// The way to the engine for everybody else.
#[derive(Clone, Debug)]
pub struct Handle {
    workshop: Arc<Workshop>,
    inbox: mpsc::Sender<Message>,
    /// Work that blocks holds the lock until it is over: the next engine must not do the same work beside it.
    lock: Weak<BoardLock>,
}

/// The board as it stands, and everything that becomes true after it.
#[derive(Debug)]
pub struct Snapshot {
    /// The board.
    pub board: Board,
    /// What comes next; a listener that is too far behind, or to whom nothing comes any more, takes a new snapshot.
    pub changes: broadcast::Receiver<Arc<[Change]>>,
}

impl Engine {
    /// Starts the engine of a board. It takes back the jobs that ran, then takes queued ones, as far as `working` says. A board
    /// that was read before, with the number of the change at which it stood, need not be read whole again.
    ///
    /// # Errors
    /// When the board cannot be loaded.
    pub async fn start(
        workshop: Arc<Workshop>,
        lock: BoardLock,
        writer: Writer,
        working: Working,
        read: Option<(Board, u64)>,
    ) -> Result<Self, EngineError> {
        let (inbox, messages) = mpsc::channel(INBOX);
        let token = CancellationToken::new();
        let (publish, _) = broadcast::channel(BEHIND);
        let lock = Arc::new(lock);
        let handle = Handle { workshop, inbox, lock: Arc::downgrade(&lock) };
        let actor = Actor::load(writer, lock, handle.clone(), publish, token.clone(), working, read).await?;
        let task = tokio::spawn(actor.run(messages));
        Ok(Self { handle, token, task })
    }

    /// Returns the way to it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends the engine in order. Runs go on under their supervisors; the next engine takes them back.
    ///
    /// # Errors
    /// When the engine had failed.
    pub async fn stop(self) -> Result<(), EngineError> {
        self.token.cancel();
        drop(self.handle);
        self.task.await.map_err(|error| EngineError::Panicked(error.to_string()))?
    }
}

impl Handle {
    /// Asks for something and waits until it is durable. What became true is told to all that listen.
    ///
    /// # Errors
    /// A refusal by the rules, or what failed.
    pub async fn ask(&self, request: Request) -> Result<(), AskError> {
        self.ask_for(request, None).await
    }

    /// Asks for what another process left in the database under a number. Its answer is stored with what it changes, so
    /// that it is not carried out again by the next engine.
    pub(super) async fn ask_for(&self, request: Request, number: Option<i64>) -> Result<(), AskError> {
        let known = self.look_up(&request.command).await?;
        let (reply, answer) = oneshot::channel();
        self.send(Message::Ask { request, known, number, reply }).await?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }

    /// Returns the board and a listener for all that follows.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn snapshot(&self) -> Result<Snapshot, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Snapshot { reply }).await?;
        answer.await.map_err(|_| EngineError::Stopped)
    }

    /// Looks at the board, which may have thousands of tickets, without copying it.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Board) -> T + Send + 'static,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        // Whoever asked and went away needs no answer.
        self.send(Message::Look(Look(Box::new(move |board| drop(reply.send(look(board))))))).await?;
        answer.await.map_err(|_| EngineError::Stopped)
    }

    /// Trusts what the repository's file would run, in exactly this form.
    ///
    /// # Errors
    /// When the trust cannot be stored.
    pub async fn trust(&self, content: String) -> Result<(), EngineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Trust { content, reply }).await?;
        Ok(answer.await.map_err(|_| EngineError::Stopped)??)
    }

    /// Works like this from now on; jobs that run go on to their end.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn work(&self, working: Working) -> Result<(), EngineError> {
        self.send(Message::Work(working)).await
    }

    /// Returns what the engine works with.
    pub(super) fn workshop(&self) -> &Arc<Workshop> {
        &self.workshop
    }

    /// Returns what somebody needs to work on a job.
    pub(super) fn bench(&self, job: Job, ticket: Ticket, stop: CancellationToken) -> Bench {
        Bench::new(Arc::clone(&self.workshop), self.clone(), job, ticket, stop)
    }

    /// Tells a fact and waits until what it leads to is durable.
    pub(super) async fn learn(&self, fact: Fact, who: Who) -> Result<(), EngineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Learn { fact, who, limit: None, records: Vec::new(), reply }).await?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }

    pub(super) async fn send(&self, message: Message) -> Result<(), EngineError> {
        self.inbox.send(message).await.map_err(|_| EngineError::Stopped)
    }

    /// Looks up what the rules may not find out themselves, outside the actor, so that nobody waits for git but the asker.
    async fn look_up(&self, command: &Command) -> Result<Known, EngineError> {
        let nothing = Known::only(Trust::Given);
        match (command.ticket().zip(command.job()), command) {
            (Some((ticket, kind @ JobKind::Land)), _) => {
                let checklist = self.look_up_checklist(ticket).await?;
                Ok(Known { checklist, ..self.look_up_jobs(ticket, kind).await? })
            }
            (Some((ticket, kind)), _) => self.look_up_jobs(ticket, kind).await,
            (None, Command::PullRequest { ticket, errand: Errand::Merge { .. } }) => {
                Ok(Known { checklist: self.look_up_checklist(*ticket).await?, ..nothing })
            }
            (None, Command::Move { ticket, to: StateName::Done, .. }) => {
                Ok(Known { landed: self.look_up_landed(*ticket).await?, ..nothing })
            }
            (None, Command::Revert { ticket, .. }) => look_up_revert(self, *ticket).await,
            (None, _) => Ok(nothing),
        }
    }

    /// Looks up whether a ticket may have one more job of that kind.
    async fn look_up_jobs(&self, ticket: TicketRef, kind: JobKind) -> Result<Known, EngineError> {
        self.blocking(move |shop| {
            let settings = shop.settings()?;
            let limit = limits::reached(shop, &settings.config, ticket, kind, now())?;
            Ok(Known { limit, ..Known::only(shop.trust_of(&settings)?) })
        })
        .await
    }

    /// Looks up whether the landing of a ticket's change waits for its checklist.
    async fn look_up_checklist(&self, ticket: TicketRef) -> Result<Required, EngineError> {
        let change = self.look(move |board| {
            let ticket = board.find(ticket)?;
            Some((ticket.clone(), board.revision(ticket.id)?.clone()))
        });
        // Without a change it is refused anyway.
        let Some((ticket, revision)) = change.await? else { return Ok(Required::No) };
        self.blocking(move |shop| required(shop, &ticket, &revision)).await
    }

    /// Looks up whether a ticket's change is on its target.
    async fn look_up_landed(&self, ticket: TicketRef) -> Result<Landed, EngineError> {
        let change = self.look(move |board| {
            let ticket = board.find(ticket)?;
            let revision = board.revision(ticket.id)?;
            Some((ticket.worktree.as_ref()?.base_branch.clone(), revision.head.clone()))
        });
        let Some((branch, head)) = change.await? else { return Ok(Landed::No) };
        let is_contained = move |shop: &Workshop| Ok(crate::git::tree::is_contained(&shop.repo, &branch, &head)?);
        Ok(if self.blocking(is_contained).await? { Landed::Yes } else { Landed::No })
    }

    /// Does work that blocks, away from the tasks that must not, and keeps the board's lock meanwhile.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workshop) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let lock = self.lock.upgrade().ok_or(EngineError::Stopped)?;
        blocking(&self.workshop, move |shop| {
            let done = work(shop);
            drop(lock);
            done
        })
        .await
    }
}

/// Does work that blocks, away from the tasks that must not.
pub(super) async fn blocking<T: Send + 'static>(
    workshop: &Arc<Workshop>,
    work: impl FnOnce(&Workshop) -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    let workshop = Arc::clone(workshop);
    let done = tokio::task::spawn_blocking(move || work(&workshop)).await;
    done.map_err(|error| EngineError::Panicked(error.to_string()))?
}

/// Returns the board as it is stored, given how it was stored before.
pub(super) async fn catch_up(workshop: &Arc<Workshop>, read: (Board, u64)) -> Result<Board, EngineError> {
    let (mut board, since) = read;
    let caught_up = blocking(workshop, move |shop| {
        let (now, changes) = shop.readers.read(|reader| reader.changes_since(shop.about.id, since))?;
        changes.into_iter().for_each(|change| board.take(change));
        // The database may have been replaced by an older copy.
        Ok((now >= since).then_some(board))
    });
    match caught_up.await? {
        Some(board) => Ok(board),
        None => load_board(workshop).await,
    }
}

/// Loads a board in a thread that may block.
pub(super) async fn load_board(workshop: &Arc<Workshop>) -> Result<Board, EngineError> {
    blocking(workshop, |shop| {
        let reader = Reader::open(&shop.paths.database())?;
        let loaded = reader.board(shop.about.id)?;
        loaded.map(|(board, _)| board).ok_or_else(|| EngineError::NoBoard(shop.about.name.clone()))
    })
    .await
}
