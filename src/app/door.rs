//! The one door for what people want: this process's own engine, or the engine of another process through the database.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::board::Board;
use crate::domain::command::{Command, Request};
use crate::domain::event::Actor;
use crate::engine::{AskError, BoardLock, Engine, LockError, Working};
use crate::store::{self, Feed};

use super::error::AppError;
use super::news::Watcher;
use super::open::Opened;

/// How often somebody who waits for another process's engine looks whether there still is one.
const LOOK_FOR_ENGINE: Duration = Duration::from_millis(500);

/// The way to whoever is the engine of the board.
#[derive(Debug)]
pub enum Door {
    /// This process.
    Own(Engine),
    /// Another process.
    Others(Box<Waiting>),
}

/// What a process without an engine keeps, so that it can take over when the other one dies.
#[derive(Debug)]
pub struct Waiting {
    opened: Opened,
    feed: Feed,
}

impl Door {
    /// Becomes the engine of the board if nobody is, else finds the way to whoever is.
    ///
    /// # Errors
    /// When the board cannot be loaded or watched.
    pub async fn open(opened: Opened, working: Working) -> Result<Self, AppError> {
        match BoardLock::take(&opened.workshop.paths.data_dir, opened.workshop.about.id) {
            Ok(lock) => Ok(Self::Own(Engine::start(opened.workshop, lock, opened.writer, working).await?)),
            Err(LockError::Held) => {
                let feed = Feed::new(&opened.workshop.paths.database())?;
                Ok(Self::Others(Box::new(Waiting { opened, feed })))
            }
            Err(error @ LockError::Io { .. }) => Err(error.into()),
        }
    }

    /// Asks for something in the name of the person, and waits until it is durable.
    ///
    /// # Errors
    /// A refusal by the rules, or what failed.
    pub async fn ask(&mut self, command: Command) -> Result<(), AppError> {
        let request = Request { actor: Actor::human(), command };
        match self {
            Self::Own(engine) => Ok(engine.handle().ask(request).await?),
            Self::Others(waiting) => waiting.ask(&request).await,
        }
    }

    /// Returns the board as it stands, and what tells everything that follows.
    ///
    /// # Errors
    /// When the board cannot be loaded.
    pub async fn watch(&mut self) -> Result<(Board, Watcher), AppError> {
        match self {
            Self::Own(engine) => Watcher::of_own(engine.handle().clone()).await,
            Self::Others(waiting) => Watcher::of_others(Arc::clone(&waiting.opened.workshop)),
        }
    }

    /// Trusts what the repository's file would run, in exactly this form, which is that of
    /// [`trust_content`](crate::config::trust::trust_content): what a person saw, whatever the file says by now.
    ///
    /// # Errors
    /// When the trust cannot be stored.
    pub async fn trust(&mut self, content: String) -> Result<(), AppError> {
        match self {
            Self::Own(engine) => Ok(engine.handle().trust(content).await?),
            Self::Others(waiting) => {
                let now = chrono::Utc::now().into();
                Ok(waiting.opened.writer.trust(waiting.opened.workshop.repo.root(), &content, now).await?)
            }
        }
    }

    /// Waits until nobody is the engine any more, and becomes it; a process that is the engine waits for ever. Dropping
    /// the future leaves things as they were.
    ///
    /// # Errors
    /// When the database cannot be opened or the board cannot be loaded.
    pub async fn take_over(&mut self, working: Working) -> Result<(), AppError> {
        let Self::Others(waiting) = self else { return pending().await };
        let workshop = Arc::clone(&waiting.opened.workshop);
        let lock = BoardLock::wait(&workshop.paths.data_dir, workshop.about.id, LOOK_FOR_ENGINE).await?;
        tracing::info!("the engine of this board is gone; taking its place");
        let writer = store::open(&workshop.paths.database())?;
        *self = Self::Own(Engine::start(workshop, lock, writer, working).await?);
        Ok(())
    }

    /// Has this process's own engine take no more queued jobs; another process's engine is left alone.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn finish_what_runs(&self) -> Result<(), AppError> {
        match self {
            Self::Own(engine) => Ok(engine.handle().finish_what_runs().await?),
            Self::Others(_) => Ok(()),
        }
    }

    /// Ends this process's engine in order, if it has one.
    ///
    /// # Errors
    /// When the engine had failed.
    pub async fn close(self) -> Result<(), AppError> {
        match self {
            Self::Own(engine) => Ok(engine.stop().await?),
            Self::Others(_) => Ok(()),
        }
    }
}

impl Waiting {
    /// Leaves the request in the database and waits for the answer. If the other engine dies meanwhile, this process
    /// becomes the engine for as long as it takes to answer.
    async fn ask(&mut self, request: &Request) -> Result<(), AppError> {
        let database = self.opened.workshop.paths.database();
        let board = self.opened.workshop.about.id;
        let id = store::ask(&database, board, request, chrono::Utc::now().into())?;
        let reader = self.opened.reader()?;
        let mut own: Option<Engine> = None;
        let answer = loop {
            if let Some(answer) = reader.answer(id)? {
                break answer;
            }
            if own.is_none()
                && let Ok(lock) = BoardLock::take(&self.opened.workshop.paths.data_dir, board)
            {
                let writer = store::open(&database)?;
                let workshop = Arc::clone(&self.opened.workshop);
                own = Some(Engine::start(workshop, lock, writer, Working::CommandsOnly).await?);
            }
            tokio::select! {
                changed = self.feed.changed() => changed?,
                () = tokio::time::sleep(LOOK_FOR_ENGINE) => {}
            }
        };
        if let Some(engine) = own {
            engine.stop().await?;
        }
        Ok(answer.map_err(AskError::from)?)
    }
}
