//! Waits for the end of a run without polling, and asks for it.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Signal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep};

use super::adopt::{self, Standing};
use super::error::RunError;
use super::folder::Folder;
use super::output::wall_clock;
use super::record::ExitRecord;

/// How long a supervisor that was launched may take to appear, before the run counts as never started. One that comes
/// still later starts nothing, so this only has to be long enough for a busy machine.
const APPEARS_WITHIN: Duration = Duration::from_secs(5);

/// What came of a request to stop a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Its supervisor was told, and stops the tree now.
    Told,
    /// There is no supervisor yet, or none any more: the request is stored, one that starts later obeys it, and
    /// [`ended`] settles a run that has none.
    Noted,
    /// It is over already.
    Over,
}

/// Waits until a run is over and says how it ended. A run whose supervisor died is settled: see [`adopt::settle`].
///
/// Waits on the supervisor's process, so it costs nothing meanwhile. For a run that this process launched itself, wait
/// with [`super::launch::Launched::ended`], which also collects the process.
///
/// # Errors
///
/// [`RunError`] if the folder cannot be read, or the end of a run whose supervisor died cannot be written.
pub async fn ended(folder: &Folder) -> Result<ExitRecord, RunError> {
    let appears_until = Instant::now() + APPEARS_WITHIN;
    let mut wait = Duration::from_millis(1);
    loop {
        match adopt::look(folder)? {
            Standing::Ended(record) => return Ok(record),
            Standing::Dead => return settle(folder, None).await,
            Standing::NeverStarted if Instant::now() >= appears_until => return settle(folder, None).await,
            Standing::NeverStarted => {}
            Standing::Running => {
                if let Some(supervisor) = supervisor(folder)? {
                    gone(supervisor, folder).await?;
                    wait = Duration::from_millis(1);
                }
                // Else nobody who lives holds it: one takes the run right now, or somebody settles it.
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(Duration::from_millis(20));
    }
}

/// Asks to stop a run. The request is stored first, so that it is not lost if the supervisor only starts.
///
/// # Errors
///
/// [`RunError::Io`] if it cannot be stored; [`RunError::Process`] if the supervisor cannot be signalled.
pub fn stop(folder: &Folder) -> Result<Asked, RunError> {
    if let Standing::Ended(_) = adopt::look(folder)? {
        return Ok(Asked::Over);
    }
    // A folder that was deleted holds no request, and its run is settled.
    let stored = if folder.is_gone() { Ok(()) } else { folder.request_stop() };
    let asked = match adopt::look(folder)? {
        Standing::Ended(_) => Asked::Over,
        Standing::NeverStarted | Standing::Dead => Asked::Noted,
        // Its process is opened after the lock was seen held, and found by number and start: it is the supervisor.
        Standing::Running => match supervisor(folder)? {
            Some(supervisor) => tell(&supervisor, folder)?,
            None => Asked::Noted,
        },
    };
    // On a full disk nothing can be stored, and yet a supervisor that was told stops.
    match asked {
        Asked::Noted => stored.map(|()| asked),
        Asked::Told | Asked::Over => Ok(asked),
    }
}

fn tell(supervisor: &OwnedFd, folder: &Folder) -> Result<Asked, RunError> {
    // One that stands still would hear of it only when somebody lets it go on.
    let told = rustix::process::pidfd_send_signal(supervisor, Signal::TERM)
        .and_then(|()| rustix::process::pidfd_send_signal(supervisor, Signal::CONT));
    match told {
        Ok(()) => Ok(Asked::Told),
        Err(Errno::SRCH) => Ok(Asked::Noted),
        Err(error) => Err(about(folder, "stop", error.into())),
    }
}

/// Settles a run that no supervisor will end, on a thread where waiting is allowed: see [`adopt::settle`]. `because` is
/// what the caller knows about why there is none.
///
/// # Errors
///
/// As with [`adopt::settle`].
pub async fn settle(folder: &Folder, because: Option<String>) -> Result<ExitRecord, RunError> {
    let (folder, path) = (folder.clone(), folder.path().to_owned());
    tokio::task::spawn_blocking(move || adopt::settle_because(&folder, wall_clock(), because))
        .await
        .map_err(|error| RunError::io("settle", &path)(error.into()))?
}

/// Opens the process of the supervisor, if it lives.
fn supervisor(folder: &Folder) -> Result<Option<OwnedFd>, RunError> {
    folder.living_supervisor().map_err(|error| about(folder, "open", error))
}

/// Waits until a process has ended.
async fn gone(process: OwnedFd, folder: &Folder) -> Result<(), RunError> {
    #[expect(deprecated, reason = "its successor is unsafe, for other types; an owned descriptor stays the same one")]
    let wait = async || AsyncFd::with_interest(process, Interest::READABLE)?.readable().await.map(drop);
    wait().await.map_err(|error| about(folder, "wait for", error))
}

fn about(folder: &Folder, doing: &'static str, source: std::io::Error) -> RunError {
    let pid = folder.holder().map_or(0, |holder| holder.process.pid);
    RunError::Process { doing, pid, source }
}
