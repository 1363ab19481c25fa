//! Serves the commands that other processes left in the database, in the order in which they came.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::command::{RefusalCode, Refused};
use crate::store::{Feed, Pending};

use super::actor::Message;
use super::error::{AskError, EngineError};
use super::handle::Handle;
use super::workshop::Workshop;

/// How long to wait before a database that could not be read or written is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Serves for as long as the engine lives.
pub(super) async fn serve(workshop: Arc<Workshop>, handle: Handle) {
    loop {
        match serve_until_trouble(&workshop, &handle).await {
            EngineError::Stopped => return,
            // What waits stays in the table, so nobody is forgotten.
            error => tracing::warn!(%error, "commands of other processes have to wait"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

async fn serve_until_trouble(workshop: &Arc<Workshop>, handle: &Handle) -> EngineError {
    let trouble: Result<Infallible, EngineError> = async {
        let mut feed = Feed::new(&workshop.paths.database())?;
        loop {
            for command in feed.reader().pending_commands(workshop.about.id)? {
                answer(handle, command).await?;
            }
            feed.changed().await?;
        }
    }
    .await;
    trouble.err().unwrap_or(EngineError::Stopped)
}

/// Carries out one command and answers it. The error is one that may pass; then the command waits.
async fn answer(handle: &Handle, Pending { id, request }: Pending) -> Result<(), EngineError> {
    let refused = match request {
        Err(refused) => refused,
        Ok(request) => match handle.ask_for(request, Some(id)).await {
            Ok(_) => return Ok(()),
            Err(AskError::Refused(refused)) => refused,
            Err(AskError::Failed(EngineError::Stopped)) => return Err(EngineError::Stopped),
            Err(AskError::Failed(EngineError::NotSaved(error) | EngineError::Store(error))) if error.may_pass() => {
                return Err(EngineError::NotSaved(error));
            }
            Err(AskError::Failed(error)) => Refused::new(RefusalCode::Failed, error.to_string(), ""),
        },
    };
    let (reply, answered) = oneshot::channel();
    handle.send(Message::Refuse { number: id, refused, reply }).await?;
    Ok(answered.await.map_err(|_| EngineError::Stopped)??)
}
