//! Serves the commands that other processes left in the database, in the order in which they came.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::store::{Feed, Pending, Reader, StoreError};

use super::actor::Message;
use super::error::{AskError, EngineError};
use super::handle::{Handle, blocking};
use super::workshop::Workshop;

/// Serves for as long as the engine lives.
pub(super) async fn serve(workshop: Arc<Workshop>, handle: Handle) {
    if let Err(error) = serve_until_stopped(&workshop, &handle).await {
        match error {
            EngineError::Stopped => {}
            other => tracing::error!(error = %other, "commands of other processes are not served any more"),
        }
    }
}

async fn serve_until_stopped(workshop: &Arc<Workshop>, handle: &Handle) -> Result<(), EngineError> {
    let mut feed = Feed::new(&workshop.paths.database())?;
    loop {
        let pending =
            blocking(workshop, |shop| Ok(Reader::open(&shop.paths.database())?.pending_commands(shop.about.id)?))
                .await?;
        for Pending { id, request } in pending {
            let answer = match request {
                Err(refused) => Err(refused),
                Ok(request) => match handle.ask(request).await {
                    Ok(_) => Ok(()),
                    Err(AskError::Refused(refused)) => Err(refused),
                    Err(AskError::Failed(EngineError::Stopped)) => return Err(EngineError::Stopped),
                    Err(AskError::Failed(error)) => {
                        // It stays in the table, so that it is tried again with the next change or by the next engine.
                        tracing::warn!(%error, id, "a command of another process failed");
                        continue;
                    }
                },
            };
            let (reply, answered) = oneshot::channel();
            handle.send(Message::Answer { id, answer, reply }).await?;
            let stored: Result<(), StoreError> = answered.await.map_err(|_| EngineError::Stopped)?;
            stored?;
        }
        feed.changed().await?;
    }
}
