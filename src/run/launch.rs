//! Starts supervisors.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
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
    draft_program: PathBuf,
    /// How often one may still be started, when it is killed before it took the run.
    more: u32,
}

/// How many supervisors of one run may be killed before they took it.
const MOST_KILLED: u32 = 3;

/// Starts the supervisor of a run with `draft_program`, which is Draft itself. It gets this process's environment and
/// passes on only what the run's specification names.
///
/// The start is plain, with nothing done between fork and exec: that would make the system copy a large process.
///
/// # Errors
///
/// [`RunError::Launch`] if it cannot be started. Needs a tokio runtime with its I/O driver.
pub fn launch(draft_program: &Path, folder: &Folder) -> Result<Launched, RunError> {
    let child = start(draft_program, folder)?;
    Ok(Launched { child, folder: folder.clone(), draft_program: draft_program.to_owned(), more: MOST_KILLED })
}

fn start(draft_program: &Path, folder: &Folder) -> Result<Child, RunError> {
    Command::new(draft_program)
        .arg("supervise")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
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
        loop {
            let waited = self.child.wait().await;
            let status = waited.map_err(RunError::io("wait for the supervisor of", self.folder.path()))?;
            match adopt::look(&self.folder)? {
                Standing::Ended(record) => return Ok(record),
                // Somebody else's supervisor was faster.
                Standing::Running => return follow::ended(&self.folder).await,
                // A Ctrl-C in the terminal reaches one that has not left its group yet. Nothing was started.
                Standing::NeverStarted if status.signal().is_some() && self.more > 0 => {
                    self.more -= 1;
                    self.child = start(&self.draft_program, &self.folder)?;
                }
                Standing::NeverStarted | Standing::Dead => {
                    return follow::settle(&self.folder, Some(format!("its supervisor ended with {status}"))).await;
                }
            }
        }
    }

    /// Returns the folder of the run.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}
