//! Does for the screen what takes time: opens the door to the engine, hands over wishes one after the other, and steps in
//! when the engine of another process is gone.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use crate::config::yolo::Leave;
use crate::domain::board::Board;
use crate::domain::command::{Command, RefusalCode, Refused};
use crate::engine::{AskError, EngineError, Working, Workshop};
use crate::ui::{Msg, Role, Settings};

use super::board;
use super::door::Door;
use super::error::AppError;
use super::leave;
use super::news::Watcher;
use super::open::Opened;
use super::settings::SettingsWatch;
use super::surroundings;

/// One thing that the person wants from the engine.
#[derive(Debug)]
pub(super) enum Wish {
    /// This command.
    Command(Command),
    /// These commands one after the other, whatever becomes of each.
    Commands(Vec<Command>),
    /// To trust what the repository's file would run, in exactly this form.
    Trust(String),
    /// To keep what agents may do in this repository.
    Allow(Leave),
    /// To look at the surroundings again.
    LookAround,
}

/// What the screen is told.
#[derive(Debug)]
pub(super) enum Told {
    /// Something for the model.
    Msg(Box<Msg>),
    /// The whole board, where only a part of it was seen yet.
    Whole(Box<Board>),
    /// The board is left for that of this repository.
    Switch(PathBuf),
    /// There is an engine: the board as it has it, what tells everything that follows, and who this process is to it.
    Engine(Box<(Board, Watcher, Settings)>),
}

/// How much of the board the screen shows at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    Part,
    Whole,
}

/// Serves until nobody wishes anything any more, then ends this process's engine in order. A screen that shows a part of the
/// board is told the whole first, whatever the engine waits for.
pub(super) async fn serve(
    mut opened: Opened,
    mut wishes: mpsc::Receiver<Wish>,
    told: mpsc::Sender<Told>,
    seen: Seen,
) -> Result<(), AppError> {
    let workshop = Arc::clone(&opened.workshop);
    let git = workshop.git.clone();
    let checked = spawn_blocking(move || git.check());
    let shop = Arc::clone(&workshop);
    let read = spawn_blocking(move || board::read(&shop)).await;
    let read = read.map_err(|error| EngineError::Panicked(error.to_string()))??;
    if seen == Seen::Part {
        // A screen that has gone needs to know nothing.
        let _ = told.send(Told::Whole(Box::new(read.0.clone()))).await;
    }
    opened.read = Some(read);
    checked.await.map_err(|error| EngineError::Panicked(error.to_string()))?.map_err(AppError::Git)?;
    let mut door = Door::open(opened, Working::Jobs).await?;
    tell_engine(&mut door, &workshop, &told).await?;
    let mut settings = SettingsWatch::new(Arc::clone(&workshop));
    loop {
        tokio::select! {
            wish = wishes.recv() => {
                let Some(wish) = wish else { break };
                if let Some(answer) = fulfil(&mut door, &workshop, wish).await
                    && told.send(Told::Msg(Box::new(answer))).await.is_err()
                {
                    break;
                }
            }
            () = settings.changed() => {
                door.think_again().await?;
                let news = Msg::Settings(Box::new(surroundings::look(&workshop, role(&door))));
                if told.send(Told::Msg(Box::new(news))).await.is_err() {
                    break;
                }
            }
            taken = door.take_over() => {
                taken?;
                tell_engine(&mut door, &workshop, &told).await?;
            }
        }
    }
    door.close().await
}

/// Returns how the service ended.
pub(super) fn outcome(ended: Result<Result<(), AppError>, JoinError>) -> Result<(), AppError> {
    ended.map_err(|error| AppError::Engine(EngineError::Panicked(error.to_string())))?
}

async fn tell_engine(door: &mut Door, workshop: &Workshop, told: &mpsc::Sender<Told>) -> Result<(), AppError> {
    let (board, watcher) = door.watch().await?;
    let settings = surroundings::look(workshop, role(door));
    // A screen that has gone needs to know nothing.
    let _ = told.send(Told::Engine(Box::new((board, watcher, settings)))).await;
    Ok(())
}

fn role(door: &Door) -> Role {
    if door.is_engine() { Role::Engine } else { Role::Watcher }
}

/// Does what is wished; there is an answer where the screen must know it.
async fn fulfil(door: &mut Door, workshop: &Workshop, wish: Wish) -> Option<Msg> {
    match wish {
        Wish::Command(command) => door.ask(command).await.err().map(refusal),
        Wish::Commands(commands) => Some(Msg::Done(all(door, commands).await)),
        Wish::Trust(content) => Some(match door.trust(content).await {
            Ok(()) => Msg::Settings(Box::new(surroundings::look(workshop, role(door)))),
            Err(error) => refusal(error),
        }),
        Wish::Allow(allowed) => Some(match leave::keep(workshop, allowed) {
            Ok(()) => Msg::Settings(Box::new(surroundings::look(workshop, role(door)))),
            Err(error) => refusal(error),
        }),
        Wish::LookAround => Some(Msg::Settings(Box::new(surroundings::look(workshop, role(door))))),
    }
}

/// Asks for all of it, and returns the answers.
async fn all(door: &mut Door, commands: Vec<Command>) -> Vec<Result<(), Refused>> {
    let mut answers = Vec::with_capacity(commands.len());
    for command in commands {
        answers.push(match door.ask(command).await {
            Ok(()) => Ok(()),
            Err(AppError::Ask(AskError::Refused(refused))) => Err(refused),
            Err(error) => Err(Refused::new(RefusalCode::Failed, error.to_string(), "")),
        });
    }
    answers
}

fn refusal(error: AppError) -> Msg {
    match error {
        AppError::Ask(AskError::Refused(refused)) => Msg::Refused(refused),
        other => Msg::Failed(other.to_string()),
    }
}
