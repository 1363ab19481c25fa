//! The one door for what people want: this process's own engine, or the engine of another process through the database.

use std::future::pending;
use std::sync::Arc;

use crate::domain::board::Board;
use crate::domain::command::{Command, Request};
use crate::domain::event::Actor;
use crate::engine::{AskError, BoardLock, Engine, LockError, Queue, Working};
use crate::store::{self, Feed, Reader};

use super::error::AppError;
use super::news::Watcher;
use super::open::Opened;

/// The way to whoever is the engine of the board.
#[derive(Debug)]
pub struct Door {
    way: Way,
    /// What this process's engine does, now or once there is one.
    working: Working,
    /// This process became the engine while it asked for something, and nobody was told so yet.
    became_engine: bool,
}

#[derive(Debug)]
enum Way {
    /// This process.
    Own(Engine),
    /// Another process.
    Others(Box<Waiting>),
}

/// What a process without an engine keeps, so that it can take over when the other one dies.
#[derive(Debug)]
struct Waiting {
    opened: Opened,
    queue: Queue,
}

impl Door {
    /// Becomes the engine of the board if nobody is, else finds the way to whoever is.
    ///
    /// # Errors
    /// When the board cannot be loaded or watched.
    pub async fn open(opened: Opened, working: Working) -> Result<Self, AppError> {
        let (data_dir, board) = (&opened.workshop.paths.data_dir, opened.workshop.about.id);
        let way = match BoardLock::take(data_dir, board) {
            Ok(lock) => Way::Own(Engine::start(opened.workshop, lock, opened.writer, working, opened.read).await?),
            Err(LockError::Held) => {
                let queue = Queue::new(data_dir, board);
                // What was read would only grow old.
                let opened = Opened { read: None, ..opened };
                Way::Others(Box::new(Waiting { opened, queue }))
            }
            Err(error @ LockError::Io { .. }) => return Err(error.into()),
        };
        Ok(Self { way, working, became_engine: false })
    }

    /// Says whether this process is the engine.
    pub fn is_engine(&self) -> bool {
        match self.way {
            Way::Own(_) => true,
            Way::Others(_) => false,
        }
    }

    /// Asks for something in the name of the person, and waits until it is durable. If the engine of another process dies
    /// meanwhile, this process becomes the engine and answers itself; [`take_over`](Self::take_over) then tells so.
    ///
    /// # Errors
    /// A refusal by the rules, or what failed.
    pub async fn ask(&mut self, command: Command) -> Result<(), AppError> {
        let request = Request { actor: Actor::human(), command };
        let mut answer = match &self.way {
            Way::Own(engine) => return Ok(engine.handle().ask(request).await?),
            Way::Others(waiting) => waiting.leave(&request)?,
        };
        loop {
            let lock = match &mut self.way {
                Way::Own(_) => return answer.given().await,
                Way::Others(waiting) => tokio::select! {
                    biased;
                    given = answer.given() => return given,
                    lock = waiting.queue.granted() => lock?,
                },
            };
            self.become_engine(lock).await?;
            self.became_engine = true;
        }
    }

    /// Returns the board as it stands, and what tells everything that follows.
    ///
    /// # Errors
    /// When the board cannot be loaded.
    pub async fn watch(&mut self) -> Result<(Board, Watcher), AppError> {
        match &self.way {
            Way::Own(engine) => Watcher::of_own(engine.handle().clone()).await,
            Way::Others(waiting) => Watcher::of_others(Arc::clone(&waiting.opened.workshop)),
        }
    }

    /// Trusts what the repository's file would run, in exactly this form, which is that of
    /// [`trust_content`](crate::config::trust::trust_content): what a person saw, whatever the file says by now.
    ///
    /// # Errors
    /// When the trust cannot be stored.
    pub async fn trust(&mut self, content: String) -> Result<(), AppError> {
        match &self.way {
            Way::Own(engine) => Ok(engine.handle().trust(content).await?),
            Way::Others(waiting) => {
                let now = chrono::Utc::now().into();
                Ok(waiting.opened.writer.trust(waiting.opened.workshop.repo.root(), &content, now).await?)
            }
        }
    }

    /// Lets this process's engine look again at what it may do, since the settings changed.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn think_again(&self) -> Result<(), AppError> {
        match &self.way {
            Way::Own(engine) => Ok(engine.handle().work(self.working).await?),
            Way::Others(_) => Ok(()),
        }
    }

    /// Waits until this process has become the engine in place of another one; a process that is the engine waits for
    /// ever. Dropping the future leaves things as they were.
    ///
    /// # Errors
    /// When the database cannot be opened or the board cannot be loaded.
    pub async fn take_over(&mut self) -> Result<(), AppError> {
        if std::mem::take(&mut self.became_engine) {
            return Ok(());
        }
        let lock = match &mut self.way {
            Way::Own(_) => return pending().await,
            Way::Others(waiting) => waiting.queue.granted().await?,
        };
        self.become_engine(lock).await
    }

    async fn become_engine(&mut self, lock: BoardLock) -> Result<(), AppError> {
        let Way::Others(waiting) = &self.way else { return Ok(()) };
        tracing::info!("the engine of this board is gone; taking its place");
        let workshop = Arc::clone(&waiting.opened.workshop);
        let writer = store::open(&workshop.paths.database())?;
        self.way = Way::Own(Engine::start(workshop, lock, writer, self.working, None).await?);
        Ok(())
    }

    /// Has this process's own engine work like this from now on, also if it becomes the engine only later; another
    /// process's engine is left alone.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn work(&mut self, working: Working) -> Result<(), AppError> {
        self.working = working;
        match &self.way {
            Way::Own(engine) => Ok(engine.handle().work(working).await?),
            Way::Others(_) => Ok(()),
        }
    }

    /// Ends this process's engine in order, if it has one.
    ///
    /// # Errors
    /// When the engine had failed.
    pub async fn close(self) -> Result<(), AppError> {
        match self.way {
            Way::Own(engine) => Ok(engine.stop().await?),
            Way::Others(_) => Ok(()),
        }
    }
}

impl Waiting {
    /// Leaves a request in the database.
    fn leave(&self, request: &Request) -> Result<Answer, AppError> {
        let database = self.opened.workshop.paths.database();
        // The feed first: an answer that comes at once is then told, not missed.
        let feed = Feed::new(&database)?;
        let number = store::ask(&database, self.opened.workshop.about.id, request, chrono::Utc::now().into())?;
        Ok(Answer { number, feed, reader: self.opened.reader()? })
    }
}

/// The answer to a request that was left in the database.
struct Answer {
    number: i64,
    feed: Feed,
    reader: Reader,
}

impl Answer {
    /// Waits for it. Dropping the future loses nothing.
    async fn given(&mut self) -> Result<(), AppError> {
        loop {
            if let Some(answer) = self.reader.answer(self.number)? {
                return Ok(answer.map_err(AskError::from)?);
            }
            self.feed.changed().await?;
        }
    }
}
