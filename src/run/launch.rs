//! Starts supervisors.

use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::adopt::{self, Standing};
use super::error::RunError;
use super::folder::Folder;
use super::follow;
use super::record::ExitRecord;

/// A supervisor that this process started. Whoever owns it awaits [`Launched::ended`], so that no zombie stays; when it
/// is dropped instead the run goes on, and the runtime waits for the process.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    folder: Folder,
}

/// Starts the supervisor of a run with `draft_program`, which is Draft itself. It gets this process's environment and
/// passes on only what the run's specification names.
///
/// The start is plain, with nothing done between fork and exec: that would make the system copy a large process.
///
/// # Errors
///
/// [`RunError::Launch`] if it cannot be started. Needs a tokio runtime with its I/O driver.
pub fn launch(draft_program: &Path, folder: &Folder) -> Result<Launched, RunError> {
    Command::new(draft_program)
        .arg("supervise")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(|child| Launched { child, folder: folder.clone() })
        .map_err(|source| RunError::Launch {
            program: draft_program.to_owned(),
            folder: folder.path().to_owned(),
            source,
        })
}

impl Launched {
    /// Waits until the run is over, without polling, and says how it ended. May be dropped and called again.
    ///
    /// # Errors
    ///
    /// [`RunError`] if the folder cannot be read, or the end of a run whose supervisor died cannot be written.
    pub async fn ended(&mut self) -> Result<ExitRecord, RunError> {
        let status = self.child.wait().await.map_err(RunError::io("wait for the supervisor of", self.folder.path()))?;
        match adopt::look(&self.folder)? {
            Standing::Ended(record) => Ok(record),
            // Somebody else's supervisor was faster.
            Standing::Running => follow::ended(&self.folder).await,
            Standing::NeverStarted | Standing::Dead => {
                follow::settle(&self.folder, Some(format!("its supervisor ended with {status}"))).await
            }
        }
    }

    /// Returns the folder of the run.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}
