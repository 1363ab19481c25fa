//! What the engine can be told, what of it is to be decided or recorded, and how whoever waits for that is answered.

use tokio::sync::oneshot;

use crate::domain::board::Board;
use crate::domain::change::{Change, Save};
use crate::domain::command::{Refused, Request};
use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::rule::{Known, Limit, What};
use crate::store::StoreError;

use super::super::error::{AskError, EngineError};
use super::super::handle::{Snapshot, Working};

/// What the engine can be told.
#[derive(Debug)]
pub(in crate::engine) enum Message {
    /// Somebody wants something; another process left it in the database under that number, if there is one.
    Ask { request: Request, known: Known, number: Option<i64>, reply: oneshot::Sender<Result<(), AskError>> },
    /// A job learned something; the records that prove it are saved with it. The limit is the one that one more execute job would
    /// break.
    Learn {
        fact: Fact,
        who: Who,
        limit: Option<Limit>,
        records: Vec<Save>,
        reply: oneshot::Sender<Result<(), EngineError>>,
    },
    /// A job has something to record that moves nothing.
    Record { saves: Vec<Save>, reply: oneshot::Sender<Result<(), EngineError>> },
    /// What a running job does right now; told on, not stored.
    Live(Change),
    /// Somebody wants to know something of the board; for that it need not be copied.
    Look(Look),
    /// Somebody wants the board.
    Snapshot { reply: oneshot::Sender<Snapshot> },
    /// The user trusts what the repository's file would run.
    Trust { content: String, reply: oneshot::Sender<Result<(), StoreError>> },
    /// A command of another process is refused; one that is carried out is answered together with what it changes.
    Refuse { number: i64, refused: Refused, reply: oneshot::Sender<Result<(), StoreError>> },
    /// The engine is to work like this from now on.
    Work(Working),
}

/// What looks at the board and tells whoever wants to know.
pub(in crate::engine) struct Look(pub(in crate::engine) Box<dyn FnOnce(&Board) + Send>);

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look")
    }
}

/// One thing to decide or to record, with whoever waits for it.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) wish: Wish,
    /// The number of the command of another process that this carries out.
    pub(super) number: Option<i64>,
    pub(super) reply: Reply,
}

/// What is to be decided or recorded.
#[derive(Debug)]
pub(super) enum Wish {
    Decide { who: Who, known: Known, what: Box<What>, records: Vec<Save> },
    Record(Vec<Save>),
}

/// Who waits for the end of it.
#[derive(Debug)]
pub(super) enum Reply {
    Asker(oneshot::Sender<Result<(), AskError>>),
    Job(oneshot::Sender<Result<(), EngineError>>),
    Nobody,
}

impl Reply {
    pub(super) fn refuse(self, refused: Refused) {
        match self {
            Self::Asker(reply) => drop(reply.send(Err(refused.into()))),
            Self::Job(reply) => drop(reply.send(Err(refused.into()))),
            Self::Nobody => tracing::warn!(%refused, "a fact was refused"),
        }
    }

    pub(super) fn fail(self, error: &StoreError) {
        let failed = || EngineError::NotSaved(error.clone());
        match self {
            Self::Asker(reply) => drop(reply.send(Err(failed().into()))),
            Self::Job(reply) => drop(reply.send(Err(failed()))),
            Self::Nobody => {}
        }
    }
}
