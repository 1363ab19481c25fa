//! Keys, paste and resize as they come from the terminal.
//!
//! They are read by a task of their own: when the terminal goes away, the library reads its end for ever without pause,
//! and then that task is lost and not the loop that restores and leaves.

use std::io::{self, Stdin};
use std::time::Duration;

use crossterm::event::{Event, EventStream, poll, read};
use futures_util::StreamExt;
use rustix::termios::{QueueSelector, tcflush};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Events that may wait for the loop; a paste is one.
const WAITING: usize = 256;

/// What comes from the terminal.
#[derive(Debug)]
pub(super) struct Keyboard {
    events: mpsc::Receiver<Event>,
    reader: JoinHandle<()>,
    /// Tells when the terminal hangs up; nothing where standard input cannot be watched, and then the signal has to do.
    terminal: Option<AsyncFd<Stdin>>,
}

impl Keyboard {
    /// Starts to read. It needs a runtime with several threads.
    pub(super) fn start() -> Self {
        let (found, events) = mpsc::channel(WAITING);
        // Not in the task: from here on no change of the size is missed.
        let mut stream = EventStream::new();
        let reader = tokio::spawn(async move {
            while let Some(Ok(event)) = stream.next().await {
                if found.send(event).await.is_err() {
                    return;
                }
            }
        });
        Self { events, reader, terminal: watch_terminal().ok() }
    }

    /// Waits for the next event; nothing when the terminal is gone. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let Self { events, terminal, .. } = self;
        tokio::select! {
            biased;
            event = events.recv() => event,
            () = hung_up(terminal.as_ref()) => None,
        }
    }

    /// Stops to read, so that whoever gets the terminal next gets all keys.
    pub(super) async fn stop(mut self) {
        self.reader.abort();
        // Canceled, as it was told to be.
        let _ = (&mut self.reader).await;
    }

    /// Forgets keys that were typed or read and never asked for: they were meant for another program.
    pub(super) fn forget_old() {
        // Where it fails there is no terminal, and no keys.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        while let Ok(true) = poll(Duration::ZERO) {
            if read().is_err() {
                return;
            }
        }
    }

    /// Returns an event that waits already.
    pub(super) fn already_there(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

#[expect(deprecated, reason = "its successor is unsafe, and standard input outlives the watch")]
fn watch_terminal() -> io::Result<AsyncFd<Stdin>> {
    // Not for reading: only a hang-up is to wake it, and that always does.
    AsyncFd::with_interest(io::stdin(), Interest::PRIORITY)
}

async fn hung_up(terminal: Option<&AsyncFd<Stdin>>) {
    let Some(terminal) = terminal else { return std::future::pending().await };
    loop {
        match terminal.ready(Interest::PRIORITY | Interest::ERROR).await {
            Ok(mut ready) if !ready.ready().is_read_closed() && !ready.ready().is_error() => ready.clear_ready(),
            Ok(_) | Err(_) => return,
        }
    }
}
