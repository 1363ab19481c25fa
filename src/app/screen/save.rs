//! Saves a log to a file beside the screen, and tells how that went.

use std::sync::Arc;

use crate::app::log_text;
use crate::app::pages::{self, Target};
use crate::app::service::Told;
use crate::ui::{Existing, LogText, Msg, Saved};

use super::Screen;

impl Screen {
    /// Begins to save a log to the file that somebody typed. It ends with the one answer, or with the screen.
    pub(super) fn save_log(&self, text: LogText, typed: &str, existing: Existing) {
        let path = log_text::meant(typed);
        let target = Target::of(text.request.clone(), self.model.board(), &self.workshop);
        let (workshop, told) = (Arc::clone(&self.workshop), self.channels.told.clone());
        tokio::spawn(async move {
            let failed = |trouble: String| Saved::Failed(format!("the log could not be saved: {trouble}"));
            let saved = match (pages::open(&workshop, &target).await, path) {
                (Err(trouble), _) => failed(trouble),
                (_, Err(error)) => failed(error.to_string()),
                (Ok(mut log), Ok(path)) => {
                    let screen = told.clone();
                    let wanted = move || !screen.is_closed();
                    let saved = move || log_text::save(&mut log, text, &path, existing, wanted);
                    tokio::task::spawn_blocking(saved)
                        .await
                        .unwrap_or_else(|error| failed(format!("an internal error: {error}")))
                }
            };
            let _ = told.send(Told::Msg(Box::new(Msg::Saved(saved)))).await;
        });
    }
}
